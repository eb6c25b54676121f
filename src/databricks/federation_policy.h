/*
 * federation_policy -- which tokens of an identity provider Databricks takes: of the account, or of one service principal.
 *
 * /api/2.0/accounts/ID/federationPolicies and /api/2.0/accounts/ID/servicePrincipals/SPID/federationPolicies, account
 * target only (ERR_CONFIG without a call). Facts (databricks-sdk-py service/oauth2.py): the body is the policy itself;
 * policy_id is the caller's to choose, and the only guard against making two, so it is always sent; `subject` is required
 * for a service principal and forbidden for the account; at most 20 each.
 */
#ifndef L2D_DATABRICKS_FEDERATION_POLICY_H
#define L2D_DATABRICKS_FEDERATION_POLICY_H

#include "databricks/listing.h"

#define FEDERATION_POLICIES_MAX 20

struct federation_policy {
	const char *name; /* "accounts/ID/federationPolicies/PID"; of answers */
	const char *id;   /* policy_id: lower-case letters, digits, - and / */
	const char *uid;
	const char *service_id; /* SCIM id; NULL: of the account */
	const char *description;
	const char *issuer;     /* https URL */
	struct texts audiences; /* none: the account id */
	const char *subject;
	const char *subject_claim;        /* NULL: "sub" */
	const char *jwks_uri, *jwks_json; /* both NULL: from the issuer */
	int64_t created_ms, updated_ms;
};

/* service_id NULL: of the account. items: struct federation_policy. */
struct listing *federation_policy_list_start(struct databricks *databricks,
		const char *service_id_or_null,
		void (*done)(void *context, const void *items, size_t count,
				const struct err *err_or_null),
		void *context);
/*
 * policy->service_id and id say which; description and all of the OIDC part go out, what is NULL there is cleared by an
 * update. Without a call: ERR_CONFIG (policy_id of a wrong form, no issuer, a subject where none may be or none where one
 * must).
 */
void federation_policy_create(struct databricks *databricks, struct call *call,
		const struct federation_policy *policy);
void federation_policy_update(struct databricks *databricks, struct call *call,
		const struct federation_policy *policy);
void federation_policy_delete(struct databricks *databricks, struct call *call,
		const char *service_id_or_null, const char *id);
/* What create and update were answered with. */
MUST_CHECK enum err_code federation_policy_read(const struct call *call, struct arena *arena,
		struct federation_policy *ret, struct err *err);

#endif
