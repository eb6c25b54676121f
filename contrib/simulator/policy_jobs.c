/*
 * Jobs under a policy: whether the clusters that they make keep to it. Declared in policy.h.
 */
#include "policy.h"

#include "api.h"
#include "object.h"
#include "record.h"

/* Every cluster that a job makes: of its own, and of its tasks. Borrowed; the array is the caller's. */
static json_t *clusters_of(const struct object *job)
{
	static const char *const keys[] = {"settings.job_clusters", "settings.tasks"};
	json_t *clusters = json_array(), *item;
	size_t i;

	for (size_t n = 0; n < COUNT_OF(keys); n++) {
		json_array_foreach(document_get(job->document, keys[n]), i, item)
		{
			json_t *cluster = json_object_get(item, "new_cluster");

			if (cluster)
				(void)json_array_append(clusters, cluster);
		}
	}
	return clusters;
}

/* What breaks the policies of a job's clusters; policy NULL: any. false: none of them is under it. */
static bool find_violations(const struct api_call *call, const struct object *job,
		const char *policy, json_t *ret)
{
	json_t *clusters = clusters_of(job), *cluster;
	bool any = false;
	size_t i;

	json_array_foreach(clusters, i, cluster)
	{
		const char *id = json_string_value(json_object_get(cluster, "policy_id"));
		json_t *definition, *violations;

		if (!id || (policy && strcmp(id, policy) != 0))
			continue;
		any = true;
		definition = policy_definition(call->state, call->place, id);
		violations = definition ? policy_violations(definition, cluster) : NULL;
		(void)json_object_update(ret, violations);
		json_decref(violations);
		json_decref(definition);
	}
	json_decref(clusters);
	return any;
}

static void add_verdict(json_t *row, json_t *violations)
{
	(void)json_object_set_new(
			row, "is_compliant", json_boolean(json_object_size(violations) == 0));
	(void)json_object_set_new(row, "violations", violations);
}

static void get_compliance(struct api_call *call)
{
	const char *id = api_query(call, "job_id");
	const struct object *job = id ? object_find(call->place->objects, OBJECT_JOB, id) : NULL;
	json_t *row, *violations;

	if (!job) {
		(void)api_refuse_value(call, "Job %s does not exist.", id ? id : "");
		return;
	}
	row = json_object();
	violations = json_object();
	(void)find_violations(call, job, NULL, violations);
	add_verdict(row, violations);
	api_answer(call, row);
}

static void list_compliance(struct api_call *call)
{
	const char *id = api_query(call, "policy_id");
	json_t *rows;

	if (!id || !record_find(call->state, call->place, RECORD_POLICY, id)) {
		(void)api_refuse(call, 404, "RESOURCE_DOES_NOT_EXIST",
				"Can't find a cluster policy with id: %s.", id ? id : "");
		return;
	}
	rows = json_array();
	for (vec_each (&call->place->objects->lists[OBJECT_JOB], job)) {
		json_t *violations = json_object(), *row;

		if (!find_violations(call, *job, id, violations)) {
			json_decref(violations);
			continue;
		}
		row = json_object();
		(void)json_object_set(row, "job_id", json_object_get((*job)->document, "job_id"));
		add_verdict(row, violations);
		(void)json_array_append_new(rows, row);
	}
	api_answer_page(call, "jobs", rows);
	policy_end_pages(call);
}

static const struct api_route routes[] = {
		{"GET", "api/2.0/policies/jobs/get-compliance", API_WORKSPACE, API_ADMIN,
				get_compliance, 0, 0},
		{"GET", "api/2.0/policies/jobs/list-compliance", API_WORKSPACE, API_ADMIN,
				list_compliance, 0, 0},
};
const struct api_family policy_job_calls = API_FAMILY(routes);
