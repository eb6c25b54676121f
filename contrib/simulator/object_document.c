/*
 * What the types add to the documents that their objects are: at the start, and whenever one is shown. Declared in
 * object_api.h.
 */
#include "object_api.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"

/* Fields that the service adds if the request does not have them. */
static const char *const defaults[OBJECT_KIND_COUNT_] = {
		[OBJECT_CLUSTER] = "{\"state\":\"RUNNING\",\"cluster_source\":\"API\"}",
		[OBJECT_INSTANCE_POOL] = "{\"state\":\"ACTIVE\"}",
		[OBJECT_PIPELINE] = "{\"state\":\"IDLE\",\"health\":\"HEALTHY\"}",
		[OBJECT_REPO] = "{\"provider\":\"gitHub\",\"branch\":\"main\","
				"\"head_commit_id\":\"0000000000000000000000000000000000000000\"}",
		[OBJECT_WAREHOUSE] = "{\"state\":\"RUNNING\",\"cluster_size\":\"Small\","
				     "\"warehouse_type\":\"PRO\"}",
		[OBJECT_QUERY] = "{\"lifecycle_state\":\"ACTIVE\",\"run_as_mode\":\"OWNER\"}",
		[OBJECT_ALERT] = "{\"lifecycle_state\":\"ACTIVE\",\"state\":\"UNKNOWN\"}",
		[OBJECT_ALERT_V2] = "{\"lifecycle_state\":\"ACTIVE\"}",
		[OBJECT_DASHBOARD] = "{\"lifecycle_state\":\"ACTIVE\"}",
		[OBJECT_EXPERIMENT] = "{\"lifecycle_stage\":\"active\"}",
		[OBJECT_SERVING_ENDPOINT] = "{\"state\":{\"ready\":\"READY\",\"config_update\":"
					    "\"NOT_UPDATING\"}}",
		[OBJECT_VECTOR_SEARCH_ENDPOINT] =
				"{\"endpoint_type\":\"STANDARD\",\"endpoint_status\":{\"state\":"
				"\"ONLINE\"}}",
		[OBJECT_APP] = "{\"compute_status\":{\"state\":\"ACTIVE\"}}",
		[OBJECT_DATABASE_INSTANCE] = "{\"state\":\"AVAILABLE\"}",
		[OBJECT_KNOWLEDGE_ASSISTANT] = "{\"state\":\"ACTIVE\"}",
};

static void add_defaults(struct object *object)
{
	json_t *more = defaults[object->kind] ? json_loads(defaults[object->kind], 0, NULL) : NULL;

	(void)json_object_update_missing(object->document, more);
	json_decref(more);
}

static void add_id(struct object *object)
{
	const struct object_type *type = object_type(object);
	int64_t number = 0;
	char uuid[37];

	if (object->kind == OBJECT_APP || object->kind == OBJECT_DATABASE_INSTANCE) {
		digest_uuid(uuid); /* beside the name, which is the id for ACLs */
		document_set(object->document, type->id_key, json_string(uuid));
	} else if (type->shape == ID_JSON_NUMBER &&
			text_parse_int(object->id, 0, INT64_MAX, &number)) {
		document_set(object->document, type->id_key, json_integer(number));
	} else {
		document_set(object->document, type->id_key, json_string(object->id));
	}
}

/* New services name resources in full. */
static void add_resource_name(struct object *object, const char *collection, const char *key)
{
	document_set(object->document, "name", json_sprintf("%s/%s", collection, object->id));
	document_set(object->document, key, json_string(object->id));
}

static void add_times(struct object *object)
{
	static const struct {
		enum object_kind kind;
		const char *key;
	} keys[] = {
			{OBJECT_JOB, "created_time"},
			{OBJECT_CLUSTER, "start_time"},
			{OBJECT_EXPERIMENT, "creation_time"},
			{OBJECT_REGISTERED_MODEL, "creation_timestamp"},
			{OBJECT_SERVING_ENDPOINT, "creation_timestamp"},
			{OBJECT_VECTOR_SEARCH_ENDPOINT, "creation_timestamp"},
	};
	static const enum object_kind texts[] = {OBJECT_QUERY, OBJECT_ALERT, OBJECT_ALERT_V2,
			OBJECT_DASHBOARD, OBJECT_APP, OBJECT_DATABASE_PROJECT,
			OBJECT_KNOWLEDGE_ASSISTANT, OBJECT_SUPERVISOR_AGENT};
	char text[CLOCK_TEXT_SIZE];

	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		if (keys[i].kind == object->kind)
			document_set(object->document, keys[i].key,
					json_integer(object->created_ms));
	}
	clock_format(object->created_ms, text);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		if (texts[i] == object->kind)
			document_set(object->document, "create_time", json_string(text));
	}
}

static void set_if_missing(json_t *document, const char *key, json_t *value)
{
	if (document_get(document, key))
		json_decref(value);
	else
		document_set(document, key, value);
}

void object_complete(struct object *object)
{
	const struct object_type *type = object_type(object);
	json_t *document = object->document;

	add_defaults(object);
	add_id(object);
	add_times(object);
	if (type->name_key && object->kind != OBJECT_REPO)
		set_if_missing(document, type->name_key, json_string(object->name));
	if (type->creator_key && object->creator)
		document_set(document, type->creator_key, json_string(object->creator));
	if (object->parent && type->parent_key)
		set_if_missing(document, type->parent_key,
				json_sprintf("/Workspace%s", object->parent->path));
	if (object->kind == OBJECT_DATABASE_PROJECT)
		add_resource_name(object, "projects", "project_id");
	else if (object->kind == OBJECT_KNOWLEDGE_ASSISTANT)
		add_resource_name(object, "knowledge-assistants", "knowledge_assistant_id");
	else if (object->kind == OBJECT_SUPERVISOR_AGENT)
		add_resource_name(object, "supervisor-agents", "supervisor_agent_id");
	else if (object->kind == OBJECT_CLUSTER)
		set_if_missing(document, "default_tags",
				json_pack("{s:s, s:s?}", "Vendor", "Databricks", "Creator",
						object->creator));
}

/* As whom it runs: what was set, else the owner, else who made it. */
static const char *effective_run_as(const struct api_call *call, const struct object *object)
{
	const struct principal *owner = acl_owner(call->state, call->place, object);

	if (object->run_as)
		return object->run_as;
	return owner ? owner->name : object->creator;
}

static void show_run_as(const struct api_call *call, const struct object *object, json_t *shown,
		bool in_list)
{
	const char *name = effective_run_as(call, object);
	bool service;

	if (!name)
		return;
	(void)json_object_set_new(shown, "run_as_user_name", json_string(name));
	service = state_find_text(call->state, KIND_SP, INDEX_NAME, name) != NULL;
	if (object->kind == OBJECT_PIPELINE && !in_list)
		(void)json_object_set_new(shown, "run_as",
				json_pack("{s:s}", service ? "service_principal_name" : "user_name",
						name));
}

static void show_model(const struct api_call *call, const struct object *object, json_t *shown,
		bool in_list)
{
	enum permission level;

	if (in_list) {
		(void)json_object_del(shown, "id");
		return;
	}
	level = acl_effective(call->state, call->place, object, call->request->caller);
	(void)json_object_set_new(shown, "permission_level", json_string(permission_name(level)));
}

/* The owner's name is not told once the owner is gone. */
static void show_alert_owner(
		const struct api_call *call, const struct object *object, json_t *shown)
{
	const char *owner = document_text(object->document, "owner_user_name");

	if (owner && !state_find_text(call->state, KIND_USER, INDEX_NAME, owner) &&
			!state_find_text(call->state, KIND_SP, INDEX_NAME, owner))
		(void)json_object_set_new(shown, "owner_user_name", json_string("Unavailable"));
}

json_t *object_render(const struct api_call *call, const struct object *object, bool in_list)
{
	json_t *shown = json_copy(object->document);

	/* One answer for every type that has nothing of its own. */
	if (object->kind == OBJECT_JOB || object->kind == OBJECT_PIPELINE)
		show_run_as(call, object, shown, in_list);
	if (object->kind == OBJECT_PIPELINE && in_list)
		(void)json_object_del(shown, "spec");
	if (object->kind == OBJECT_REGISTERED_MODEL)
		show_model(call, object, shown, in_list);
	if (object->kind == OBJECT_ALERT_V2)
		show_alert_owner(call, object, shown);
	if ((object->kind == OBJECT_DASHBOARD || object->kind == OBJECT_REPO) && object->path)
		(void)json_object_set_new(shown, "path",
				json_sprintf("%s%s",
						object->kind == OBJECT_DASHBOARD ? "/Workspace"
										 : "",
						object->path));
	if (object->kind == OBJECT_DASHBOARD && in_list)
		(void)json_object_del(shown, "serialized_dashboard");
	if (object->kind == OBJECT_REPO && in_list)
		(void)json_object_del(shown, "git_cli_enabled");
	return shown;
}
