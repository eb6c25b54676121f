#include "parts.h"

#include "asks.h"
#include "object.h"
#include "pat.h"
#include "permissions.h"
#include "policy.h"
#include "setting.h"

static json_t *find_cluster(struct state *state, struct workspace *workspace, const char *id)
{
	struct object *cluster = object_find(workspace->objects, OBJECT_CLUSTER, id);

	(void)state;
	return cluster ? cluster->document : NULL;
}

static json_t *all_clusters(struct state *state, struct workspace *workspace)
{
	json_t *clusters = json_array();

	(void)state;
	for (vec_each (&workspace->objects->lists[OBJECT_CLUSTER], cluster))
		(void)json_array_append(clusters, (*cluster)->document);
	return clusters;
}

static void drop_policy_acl(struct workspace *workspace, const char *policy_id)
{
	struct object *policy = object_find(workspace->objects, OBJECT_CLUSTER_POLICY, policy_id);

	if (policy)
		object_remove(workspace->objects, policy);
}

/* Policies that --objects brought are only known by their rights. */
static void adopt_policies(struct state *state, struct workspace *workspace)
{
	struct record_make make = {.kind = RECORD_POLICY, .place = workspace};

	for (vec_each (&workspace->objects->lists[OBJECT_CLUSTER_POLICY], item)) {
		const struct object *object = *item;
		const char *definition = document_text(object->document, "definition");

		if (record_find(state, workspace, RECORD_POLICY, object->id))
			continue;
		make.id = object->id;
		make.fields = json_pack("{s:s, s:s, s:I}", "name", object->name, "definition",
				definition ? definition : "{}", "created_at_timestamp",
				(json_int_t)object->created_ms);
		(void)record_make(state, &make);
	}
}

static bool admins_restricted(struct sim *sim, const struct workspace *workspace)
{
	return setting_restricts_admins(sim->state, workspace);
}

void parts_join(struct sim *sim)
{
	sim->hooks = (struct hooks){
			.policy_exists = policy_exists,
			.tokens_lost = pat_end_all,
			.admins_restricted = admins_restricted,
			.cluster_refusal = policy_refusal,
	};
	*sim->state->asks = (struct asks){
			.may_use_tokens = permissions_may_use_tokens,
			.may_use_policy = permissions_may_use_policy,
			.policy_gone = drop_policy_acl,
			.cluster = find_cluster,
			.clusters = all_clusters,
	};
	for (vec_each (&sim->state->workspaces, workspace))
		adopt_policies(sim->state, *workspace);
}
