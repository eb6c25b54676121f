/*
 * Clusters under a policy: whether they keep to it, and making them. The clusters themselves are kept elsewhere
 * (asks.h).
 */
#include "policy.h"

#include "api.h"
#include "asks.h"
#include "record.h"
#include "who.h"

#define TEXT_BYTES_MAX ((size_t)64 * 1024)
#define MALFORMED                                                                                  \
	"Requests for the policy %s cannot be satisfied due to the malformed policy definition."

static json_t *find_cluster(struct api_call *call, const char *id)
{
	json_t *cluster = id && call->state->asks->cluster
			? call->state->asks->cluster(call->state, call->place, id)
			: NULL;

	if (!cluster)
		(void)api_refuse_value(call, "Cluster %s does not exist", id ? id : "");
	return cluster;
}

static const char *policy_of(const json_t *cluster)
{
	return json_string_value(json_object_get(cluster, "policy_id"));
}

/* What breaks the cluster's policy; one without a policy breaks none. NULL: the definition is malformed. Caller's. */
static json_t *violations_of(const struct api_call *call, const json_t *cluster)
{
	const char *policy = policy_of(cluster);
	json_t *definition = policy ? policy_definition(call->state, call->place, policy) : NULL;
	json_t *violations = definition ? policy_violations(definition, cluster) : json_object();

	json_decref(definition);
	return violations;
}

static bool refuse_malformed(struct api_call *call, const json_t *cluster)
{
	return api_refuse_value(call, MALFORMED, policy_of(cluster));
}

static void get_compliance(struct api_call *call)
{
	const json_t *cluster = find_cluster(call, api_query(call, "cluster_id"));
	json_t *violations = cluster ? violations_of(call, cluster) : NULL;

	if (violations)
		api_answer(call,
				json_pack("{s:b, s:o}", "is_compliant",
						json_object_size(violations) == 0, "violations",
						violations));
	else if (cluster)
		(void)refuse_malformed(call, cluster);
}

static json_t *compliance_row(const struct api_call *call, const json_t *cluster)
{
	json_t *violations = violations_of(call, cluster);
	bool good = violations && json_object_size(violations) == 0;

	return json_pack("{s:O, s:b, s:o}", "cluster_id", json_object_get(cluster, "cluster_id"),
			"is_compliant", good, "violations",
			violations ? violations : json_object());
}

void policy_end_pages(struct api_call *call)
{
	struct buf *body = &call->answer->body;
	json_t *answer = json_loadb(body->ptr ? body->ptr : "", body->len, 0, NULL);

	if (call->answer->status == 200 && !json_object_get(answer, "next_page_token")) {
		object_text(answer, "next_page_token", "");
		api_answer(call, json_incref(answer));
	}
	json_decref(answer);
}

static void list_compliance(struct api_call *call)
{
	const char *id = api_query(call, "policy_id");
	json_t *clusters, *rows, *cluster;
	size_t i;

	if (!id || !record_find(call->state, call->place, RECORD_POLICY, id)) {
		(void)api_refuse(call, 404, "RESOURCE_DOES_NOT_EXIST",
				"Can't find a cluster policy with id: %s.", id ? id : "");
		return;
	}
	clusters = call->state->asks->clusters
			? call->state->asks->clusters(call->state, call->place)
			: json_array();
	rows = json_array();
	json_array_foreach(clusters, i, cluster)
	{
		const char *policy = policy_of(cluster);

		if (policy && strcmp(policy, id) == 0)
			(void)json_array_append_new(rows, compliance_row(call, cluster));
	}
	json_decref(clusters);
	api_answer_page(call, "clusters", rows);
	policy_end_pages(call);
}

/* Only a fixed value can be put in place by itself, and only one that stands at the top. */
static bool enforce_one(json_t *cluster, const json_t *definition, const char *path,
		json_t *changes, bool really)
{
	const json_t *element = json_object_get(definition, path);
	json_t *value = json_object_get(element, "value");
	json_t *before = json_object_get(cluster, path);
	char *was, *is;

	if (!value || strchr(path, '.'))
		return false;
	was = json_dumps(before ? before : json_null(), JSON_ENCODE_ANY);
	is = json_dumps(value, JSON_ENCODE_ANY);
	(void)json_array_append_new(changes,
			json_pack("{s:s, s:s, s:s}", "field", path, "previous_value",
					was ? was : "", "new_value", is ? is : ""));
	free(was); /* jansson's */
	free(is);
	if (really)
		(void)json_object_set(cluster, path, value);
	return true;
}

static void enforce(struct api_call *call, json_t *cluster, bool really)
{
	const char *policy = policy_of(cluster), *path;
	json_t *definition = policy ? policy_definition(call->state, call->place, policy) : NULL;
	json_t *violations = violations_of(call, cluster), *changes = json_array(), *message;
	bool good = violations != NULL;

	json_object_foreach(violations, path, message)
	{
		if (!enforce_one(cluster, definition, path, changes, really))
			good = api_refuse_value(call, "%s", json_string_value(message));
	}
	if (!violations)
		(void)refuse_malformed(call, cluster);
	if (good)
		api_answer(call,
				json_pack("{s:b, s:O}", "has_changes", json_array_size(changes) > 0,
						"changes", changes));
	json_decref(changes);
	json_decref(violations);
	json_decref(definition);
}

static void enforce_compliance(struct api_call *call)
{
	const char *id = NULL, *state;
	bool look_only = false;
	json_t *cluster;

	if (!api_take_text(call, "cluster_id", &id) ||
			!api_take_bool(call, "validate_only", &look_only))
		return;
	cluster = find_cluster(call, id);
	if (!cluster)
		return;
	state = json_string_value(json_object_get(cluster, "state"));
	if (state && strcmp(state, "RUNNING") != 0 && strcmp(state, "TERMINATED") != 0)
		(void)api_refuse(call, 400, "INVALID_STATE",
				"Cluster %s is in state %s; it must be RUNNING or TERMINATED", id,
				state);
	else
		enforce(call, cluster, !look_only);
}

/* Each violation behind the other, as the service does. Takes violations. */
static char *join_violations(json_t *violations)
{
	AUTO(buf_release) struct buf text;
	const char *path;
	json_t *message;

	buf_init(&text, TEXT_BYTES_MAX);
	json_object_foreach(violations, path, message)
	{
		buf_printf(&text, "%s%s", text.len ? "; " : "", json_string_value(message));
	}
	json_decref(violations);
	return text.len ? buf_steal(&text) : NULL;
}

static char *refuse_one_more(const struct request *request, const struct record *policy)
{
	const struct state *state = request->sim->state;
	const char *caller = who_name(request->caller);
	int64_t most = record_number(policy, "max_clusters_per_user"), have = 0;
	json_t *clusters = most && state->asks->clusters
			? state->asks->clusters(request->sim->state, request->host)
			: NULL;
	json_t *cluster;
	size_t i;

	json_array_foreach(clusters, i, cluster)
	{
		const char *id = policy_of(cluster);
		const char *creator =
				json_string_value(json_object_get(cluster, "creator_user_name"));

		have += id && strcmp(id, policy->id) == 0 && creator &&
				strcmp(creator, caller) == 0;
	}
	json_decref(clusters);
	return most && have >= most
			? mem_printf("The maximum of %lld clusters per user of policy %s has been "
				     "reached",
					  (long long)most, policy->id)
			: NULL;
}

char *policy_refusal(const struct request *request, const json_t *cluster, bool fresh)
{
	const struct state *state = request->sim->state;
	const char *id = policy_of(cluster);
	const struct record *policy =
			id ? record_find(state, request->host, RECORD_POLICY, id) : NULL;
	json_t *definition, *violations;
	char *text;

	if (!id)
		return NULL;
	if (!policy)
		return mem_printf("Can't find a cluster policy with id: %s.", id);
	if (!who_is_admin(request->host, request->caller) && state->asks->may_use_policy &&
			!state->asks->may_use_policy(state, request->host, request->caller, id))
		return mem_printf("User %s is not authorized to use cluster policy %s",
				who_name(request->caller), id);
	text = fresh ? refuse_one_more(request, policy) : NULL;
	if (text)
		return text;
	definition = policy_definition(state, request->host, id);
	violations = policy_violations(definition, cluster);
	json_decref(definition);
	return violations ? join_violations(violations) : mem_printf(MALFORMED, id);
}

#define POLICIES "api/2.0/policies/clusters/"

static const struct api_route routes[] = {
		{"GET", POLICIES "get-compliance", API_WORKSPACE, API_ANYONE, get_compliance, 0, 0},
		{"GET", POLICIES "list-compliance", API_WORKSPACE, API_ADMIN, list_compliance, 0,
				0},
		{"POST", POLICIES "enforce-compliance", API_WORKSPACE, API_ADMIN,
				enforce_compliance, 0, 0},
};
const struct api_family policy_use_calls = API_FAMILY(routes);
