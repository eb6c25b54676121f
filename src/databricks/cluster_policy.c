#include "databricks/cluster_policy.h"

#include "databricks/http.h"

#include <stddef.h>

#define PAGE "100" /* items in one answer */

#define FIELD(of, key, type, member, required)                                                     \
	{                                                                                          \
		key, type, offsetof(struct of, member), required, NULL                             \
	}
#define SHAPE(what, of, fields)                                                                    \
	{                                                                                          \
		what, sizeof(struct of), fields, COUNT_OF(fields)                                  \
	}
static const struct record_field policy_fields[] = {
		FIELD(cluster_policy, "policy_id", RECORD_ID, id, true),
		FIELD(cluster_policy, "name", RECORD_TEXT, name, true),
		FIELD(cluster_policy, "description", RECORD_TEXT, description, false),
		FIELD(cluster_policy, "definition", RECORD_DOCUMENT, definition, false),
		FIELD(cluster_policy, "policy_family_id", RECORD_TEXT, family_id, false),
		FIELD(cluster_policy, "policy_family_definition_overrides", RECORD_DOCUMENT,
				family_overrides, false),
		FIELD(cluster_policy, "max_clusters_per_user", RECORD_INTEGER,
				max_clusters_per_user, false),
		FIELD(cluster_policy, "libraries", RECORD_JSON, libraries, false),
		FIELD(cluster_policy, "auto_enforcement_config", RECORD_JSON, auto_enforcement,
				false),
		FIELD(cluster_policy, "creator_user_name", RECORD_TEXT, creator, false),
		FIELD(cluster_policy, "created_at_timestamp", RECORD_INTEGER, created_ms, false),
		FIELD(cluster_policy, "is_default", RECORD_BOOL, is_default, false),
};
static const struct record_shape policy_shape =
		SHAPE("cluster policy", cluster_policy, policy_fields);

static const struct record_field family_fields[] = {
		FIELD(policy_family, "policy_family_id", RECORD_ID, id, true),
		FIELD(policy_family, "name", RECORD_TEXT, name, false),
		FIELD(policy_family, "description", RECORD_TEXT, description, false),
		FIELD(policy_family, "definition", RECORD_DOCUMENT, definition, false),
};
static const struct record_shape family_shape =
		SHAPE("policy family", policy_family, family_fields);

static const struct record_field cluster_fields[] = {
		FIELD(policy_cluster, "cluster_id", RECORD_ID, id, true),
		FIELD(policy_cluster, "cluster_name", RECORD_TEXT, name, false),
		FIELD(policy_cluster, "creator_user_name", RECORD_TEXT, creator, false),
		FIELD(policy_cluster, "state", RECORD_TEXT, state, false),
		FIELD(policy_cluster, "policy_id", RECORD_ID, policy_id, false),
};
static const struct record_shape cluster_shape = SHAPE("cluster", policy_cluster, cluster_fields);

static const struct record_field job_fields[] = {
		FIELD(policy_job, "job_id", RECORD_ID, id, true),
		FIELD(policy_job, "is_compliant", RECORD_BOOL, is_compliant, false),
};
static const struct record_shape job_shape = SHAPE("job under a policy", policy_job, job_fields);

static void policy_post(
		struct databricks *databricks, struct call *call, const char *verb, json_t *body)
{
	call_prepare(call, METHOD_POST, FAMILY_CLUSTER_POLICY,
			mem_printf("/api/2.0/policies/clusters/%s", verb), body);
	call_send(databricks, call);
}

/* ---- reading ---- */

void cluster_policy_list(struct databricks *databricks, struct call *call)
{
	call_prepare(call, METHOD_GET, FAMILY_CLUSTER_POLICY,
			mem_strdup("/api/2.0/policies/clusters/list"), NULL);
	call_send(databricks, call);
}

enum err_code cluster_policy_list_read(const struct call *call, struct arena *arena,
		const struct cluster_policy **ret, size_t *ret_count, struct err *err)
{
	void *records;

	if (records_of_call(call, "policies", &policy_shape, arena, &records, ret_count, err) !=
			ERR_NONE)
		return err->code;
	*ret = records;
	return ERR_NONE;
}

void cluster_policy_get(struct databricks *databricks, struct call *call, const char *id)
{
	AUTO(mem_freep) char *escaped = http_escape(id);

	call_prepare(call, METHOD_GET, FAMILY_CLUSTER_POLICY,
			mem_printf("/api/2.0/policies/clusters/get?policy_id=%s", escaped), NULL);
	call_send(databricks, call);
}

enum err_code cluster_policy_read(const struct call *call, struct arena *arena,
		struct cluster_policy *ret, struct err *err)
{
	return record_of_call(call, NULL, &policy_shape, arena, ret, err);
}

enum err_code cluster_policy_read_created(
		const struct call *call, struct arena *arena, const char **ret_id, struct err *err)
{
	static const struct record_field field = {"policy_id", RECORD_ID, 0, true, NULL};
	static const struct record_shape shape = {
			"new cluster policy", sizeof(const char *), &field, 1};

	return record_of_call(call, NULL, &shape, arena, ret_id, err);
}

/* ---- writing ---- */

static size_t characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

/* JSON text of ours under a key, if it is of that type; NULL is left out. */
static bool add_json(json_t *body, const char *key, const char *text, json_type type)
{
	json_t *json = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;

	if (!text)
		return true;
	if (!json || json_typeof(json) != type) {
		json_decref(json);
		return false;
	}
	return json_object_set_new(body, key, json) == 0;
}

static json_t *policy_body(const struct cluster_policy *policy)
{
	bool family = policy->family_id != NULL;
	json_t *body = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*}", "name", policy->name,
			"description", policy->description, "definition",
			family ? NULL : policy->definition, "policy_family_id", policy->family_id,
			"policy_family_definition_overrides",
			family ? policy->family_overrides : NULL);

	if (policy->max_clusters_per_user > 0)
		(void)json_object_set_new(body, "max_clusters_per_user",
				json_integer(policy->max_clusters_per_user));
	return body;
}

static void policy_send(struct databricks *databricks, struct call *call,
		const struct cluster_policy *policy, bool edit)
{
	json_t *body = policy_body(policy);
	size_t length = characters(policy->name);
	bool json = add_json(body, "libraries", policy->libraries, JSON_ARRAY) &&
			add_json(body, "auto_enforcement_config", policy->auto_enforcement,
					JSON_OBJECT);
	size_t libraries = json_array_size(json_object_get(body, "libraries"));

	if (edit)
		(void)json_object_set_new(body, "policy_id", json_string(policy->id));
	call_prepare(call, METHOD_POST, FAMILY_CLUSTER_POLICY,
			mem_printf("/api/2.0/policies/clusters/%s", edit ? "edit" : "create"),
			body);
	if (!json)
		record_refuse(databricks, call, ERR_CONFIG,
				"cluster policy \"%.100s\": libraries or enforcement are not JSON "
				"of their kind",
				policy->name);
	else if (length == 0 || length > CLUSTER_POLICY_NAME_MAX)
		record_refuse(databricks, call, ERR_LIMIT,
				"cluster policy \"%.100s\": a name has 1 to %d characters",
				policy->name, CLUSTER_POLICY_NAME_MAX);
	else if (libraries > CLUSTER_POLICY_LIBRARIES_MAX)
		record_refuse(databricks, call, ERR_LIMIT,
				"cluster policy \"%.100s\": over %d libraries", policy->name,
				CLUSTER_POLICY_LIBRARIES_MAX);
	else
		call_send(databricks, call);
}

void cluster_policy_create(struct databricks *databricks, struct call *call,
		const struct cluster_policy *policy)
{
	policy_send(databricks, call, policy, false);
}

void cluster_policy_edit(struct databricks *databricks, struct call *call,
		const struct cluster_policy *policy)
{
	policy_send(databricks, call, policy, true);
}

void cluster_policy_delete(struct databricks *databricks, struct call *call, const char *id)
{
	policy_post(databricks, call, "delete", json_pack("{s:s}", "policy_id", id));
}

/* ---- families, and who uses a policy ---- */

/* path: up to the policy's id, if there is one. */
static struct listing *start(struct databricks *databricks, struct listing_setup *setup,
		const char *path, const char *policy_id_or_null)
{
	AUTO(mem_freep)
	char *escaped = policy_id_or_null ? http_escape(policy_id_or_null) : mem_strdup("");

	setup->path = mem_printf("%s%s", path, escaped);
	return listing_start(databricks, setup);
}

struct listing *policy_family_list_start(struct databricks *databricks, unsigned target,
		listing_done_fn *done, void *context)
{
	struct listing_setup setup = {.target = target,
			.lane = LANE_BULK,
			.family = FAMILY_CLUSTER_POLICY,
			.key = "policy_families",
			.shape = &family_shape,
			.done = done,
			.context = context};

	return start(databricks, &setup, "/api/2.0/policy-families?max_results=" PAGE, NULL);
}

struct listing *policy_cluster_list_start(struct databricks *databricks, unsigned target,
		const char *policy_id, listing_done_fn *done, void *context)
{
	struct listing_setup setup = {.target = target,
			.lane = LANE_SINGLE,
			.family = FAMILY_OBJECT_LIST,
			.key = "clusters",
			.shape = &cluster_shape,
			.done = done,
			.context = context};

	return start(databricks, &setup,
			"/api/2.1/clusters/list?page_size=" PAGE "&filter_by.policy_id=",
			policy_id);
}

struct listing *policy_job_list_start(struct databricks *databricks, unsigned target,
		const char *policy_id, listing_done_fn *done, void *context)
{
	struct listing_setup setup = {.target = target,
			.lane = LANE_SINGLE,
			.family = FAMILY_CLUSTER_POLICY,
			.key = "jobs",
			.shape = &job_shape,
			.done = done,
			.context = context};

	return start(databricks, &setup,
			"/api/2.0/policies/jobs/list-compliance?page_size=" PAGE "&policy_id=",
			policy_id);
}
