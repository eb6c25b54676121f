/*
 * cluster_policy -- cluster (compute) policies, their families, and who uses a policy.
 *
 * /api/2.0/policies/clusters and /api/2.0/policy-families, workspace targets only. Facts (databricks-sdk-py
 * service/compute.py, terraform-provider-databricks policies/): verbs are in the path and ids in body or query; the list of
 * policies is not paged; `definition` is JSON as a text and stored as sent, so compare what it means; the server does not
 * check its grammar. edit replaces everything, so what is left out is cleared; there is no etag, the last writer wins.
 * A policy with a family takes overrides, no definition, though reads show the merged one. Names are unique (another of
 * the name: ERR_CONFLICT). Default policies cannot be deleted.
 */
#ifndef L2D_DATABRICKS_CLUSTER_POLICY_H
#define L2D_DATABRICKS_CLUSTER_POLICY_H

#include "databricks/listing.h"

#define CLUSTER_POLICY_NAME_MAX 100      /* characters */
#define CLUSTER_POLICY_LIBRARIES_MAX 500 /* in one policy */

struct cluster_policy {
	const char *id;
	const char *name;
	const char *description;
	const char *definition;        /* JSON text, as stored */
	const char *family_id;         /* NULL: it stands on its own */
	const char *family_overrides;  /* JSON text, as stored */
	int64_t max_clusters_per_user; /* 0: no limit */
	const char *libraries;         /* JSON text of the array; NULL: none */
	const char *auto_enforcement;  /* JSON text of the object; NULL: off */
	const char *creator;           /* NULL: deleted since, or the vendor's */
	int64_t created_ms;
	bool is_default; /* the vendor's */
};

void cluster_policy_list(struct databricks *databricks, struct call *call);
/* In arena. Errors: those of the call, ERR_PROTO, ERR_INCOMPLETE. */
MUST_CHECK enum err_code cluster_policy_list_read(const struct call *call, struct arena *arena,
		const struct cluster_policy **ret, size_t *ret_count, struct err *err);
void cluster_policy_get(struct databricks *databricks, struct call *call, const char *id);
MUST_CHECK enum err_code cluster_policy_read(const struct call *call, struct arena *arena,
		struct cluster_policy *ret, struct err *err);

/*
 * All that can be set goes out: name, description, definition or family with overrides, max_clusters_per_user, libraries,
 * auto_enforcement; edit takes the id as well. Without a call: ERR_LIMIT (name, libraries), ERR_CONFIG (libraries or
 * auto_enforcement that are no JSON of their kind).
 */
void cluster_policy_create(struct databricks *databricks, struct call *call,
		const struct cluster_policy *policy);
MUST_CHECK enum err_code cluster_policy_read_created(
		const struct call *call, struct arena *arena, const char **ret_id, struct err *err);
void cluster_policy_edit(struct databricks *databricks, struct call *call,
		const struct cluster_policy *policy);
void cluster_policy_delete(struct databricks *databricks, struct call *call, const char *id);

struct policy_family {
	const char *id, *name, *description;
	const char *definition; /* JSON text */
};
/* items: struct policy_family. */
struct listing *policy_family_list_start(struct databricks *databricks, unsigned target,
		listing_done_fn *done, void *context);

/*
 * Clusters that are under a policy now. From /api/2.1/clusters/list, whose filter a server may not know: so compare
 * policy_id. items: struct policy_cluster.
 */
struct policy_cluster {
	const char *id, *name, *creator, *state;
	const char *policy_id; /* NULL: none */
};
struct listing *policy_cluster_list_start(struct databricks *databricks, unsigned target,
		const char *policy_id, listing_done_fn *done, void *context);
/*
 * Jobs with a cluster under the policy, from /api/2.0/policies/jobs/list-compliance; ERR_UNSUPPORTED where that is not
 * served. items: struct policy_job.
 */
struct policy_job {
	const char *id;
	bool is_compliant;
};
struct listing *policy_job_list_start(struct databricks *databricks, unsigned target,
		const char *policy_id, listing_done_fn *done, void *context);

#endif
