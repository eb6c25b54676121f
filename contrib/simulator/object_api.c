#include "object_api.h"

#include "base/text.h"
#include "object_stale.h"
#include "permissions.h"

void object_refuse_missing(struct api_call *call, enum object_kind kind, const char *id)
{
	const struct object_type *type = &object_types[kind];

	(void)api_refuse(call, type->missing_status, type->missing_code, "%s%s%s",
			type->missing_before, id, type->missing_after);
}

bool object_is_visible(const struct api_call *call, const struct object *object)
{
	const struct principal *caller = call->request->caller;

	return acl_is_admin(call->place, caller) ||
			acl_effective(call->state, call->place, object, caller) != PERMISSION_NONE;
}

bool object_may(struct api_call *call, const struct object *object, enum permission least,
		const char *what)
{
	const struct principal *caller = call->request->caller;
	enum permission has = acl_effective(call->state, call->place, object, caller);

	if (has >= least && has != PERMISSION_NONE)
		return true;
	if (object->kind == OBJECT_JOB)
		(void)api_refuse(call, 403, "PERMISSION_DENIED",
				"User %s does not have %s permissions on job %s", caller->name,
				least >= CAN_MANAGE ? "Admin or Owner"
						    : "View or Admin or Manage Run or Owner",
				object->id);
	else if (object->kind == OBJECT_PIPELINE)
		(void)api_refuse(call, 403, "PERMISSION_DENIED",
				"User %s does not have %s permissions on pipeline %s.",
				caller->name, least >= CAN_MANAGE ? "Manage" : "View", object->id);
	else
		(void)api_refuse(call, 403, "PERMISSION_DENIED",
				"User %s does not have permission to %s %s %s.", caller->name, what,
				object_type(object)->noun, object->id);
	return false;
}

struct object *object_need(struct api_call *call, enum object_kind kind, enum object_key key)
{
	const struct object_type *type = &object_types[kind];
	bool named = key == KEY_BY_NAME || (key == KEY_BY_TYPE && type->by_name);
	const char *text = call->args[0];
	struct object *object;

	if (!text)
		text = api_parameter(call, named ? "name" : type->id_key);
	if (!text && named)
		text = api_parameter(call, "experiment_name");
	if (!text || !*text) {
		(void)api_refuse_value(
				call, "Missing required field: %s", named ? "name" : type->id_key);
		return NULL;
	}
	object = named ? object_find_name(call->place->objects, kind, text)
		       : object_find(call->place->objects, kind, text);
	if (request_is(call->request, "GET"))
		object = object_stale_get(call->place->objects, kind, text, object);
	if (!object)
		object_refuse_missing(call, kind, text);
	return object;
}

/* Where a new object goes. */
static bool find_parent(struct api_call *call, enum object_kind kind, const json_t *body,
		const char *name, struct object **ret)
{
	struct object_store *store = call->place->objects;
	const struct object_type *type = &object_types[kind];
	const char *path = type->parent_key ? document_text(body, type->parent_key) : NULL;
	AUTO(mem_freep) char *above = NULL;

	*ret = NULL;
	if (kind == OBJECT_REGISTERED_MODEL || kind == OBJECT_FEATURE_TABLE)
		*ret = object_find_for_acl(store, kind, "root");
	if (!type->in_folder)
		return true;
	if (kind == OBJECT_EXPERIMENT) {
		above = mem_strndup(name, (size_t)(strrchr(name, '/') - name));
		path = *above ? above : "/";
		/* The experiment of a notebook has its path and hangs on it. */
		*ret = tree_find(store, name);
		if (*ret && (*ret)->kind == OBJECT_NOTEBOOK)
			return true;
	}
	/* Old clients name a legacy folder by its number: "folders/17". */
	if (path && text_starts_with(path, "folders/"))
		*ret = object_find(store, OBJECT_DIRECTORY, path + strlen("folders/"));
	else
		*ret = path && *path ? tree_find(store, path)
				     : tree_home(store, call->request->caller);
	if (*ret && ((*ret)->kind == OBJECT_DIRECTORY || (*ret)->kind == OBJECT_REPO))
		return object_may(call, *ret, CAN_EDIT, "create in");
	return api_refuse(call, 404, "RESOURCE_DOES_NOT_EXIST", "Path (%s) doesn't exist.", path);
}

static json_t *make_document(const struct object_type *type, const json_t *body)
{
	json_t *copy = json_deep_copy(body), *document;

	if (!type->under)
		return copy;
	document = json_object();
	(void)json_object_set_new(document, type->under, copy);
	return document;
}

static const char *name_of(const struct object_type *type, const json_t *document)
{
	const char *name = document_text(document, type->name_key);

	if (!name && type->under) {
		AUTO(mem_freep) char *path = mem_printf("%s.%s", type->under, type->name_key);

		name = document_text(document, path);
	}
	return name;
}

static bool check_name(struct api_call *call, enum object_kind kind, const json_t *document,
		const char **ret)
{
	const struct object_type *type = &object_types[kind];
	const char *name = name_of(type, document);
	bool twins = kind == OBJECT_PIPELINE &&
			json_is_true(document_get(document, "spec.allow_duplicate_names"));

	if (!name && (kind == OBJECT_JOB || kind == OBJECT_CLUSTER))
		name = kind == OBJECT_JOB ? "Untitled" : "";
	if (!name || (!*name && type->unique) || strlen(name) > OBJECT_NAME_BYTES_MAX)
		return api_refuse_value(call, "Missing required field: %s", type->name_key);
	if (kind == OBJECT_EXPERIMENT && *name != '/')
		return api_refuse_value(call,
				"Got an invalid experiment name '%s'. An experiment name must be "
				"an "
				"absolute path within the Databricks workspace.",
				name);
	if (type->unique && !twins && object_find_name(call->place->objects, kind, name))
		return api_refuse(call, 400, "RESOURCE_ALREADY_EXISTS",
				"%s with name '%s' already exists.", type->noun, name);
	*ret = name;
	return true;
}

/* The part of a body that is the object itself. */
static json_t *unwrap(struct api_call *call, enum object_kind kind, json_t *body)
{
	const struct object_type *type = &object_types[kind];
	json_t *inner = type->wrap ? json_object_get(body, type->wrap) : body;

	if (kind == OBJECT_DATABASE_PROJECT) {
		const char *id = api_parameter(call, "project_id");

		if (id)
			(void)json_object_set_new(inner, "project_id", json_string(id));
	}
	if (json_is_object(inner))
		return inner;
	(void)api_refuse_value(call, "Missing required field: %s", type->wrap);
	return NULL;
}

/* jobs/create takes an ACL; who does not name an owner in it stays one. */
static bool take_acl(struct api_call *call, struct object *object, const json_t *list)
{
	struct acl_request change = {.object = object, .list = list, .put = false};
	bool owner = false;
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		const char *level = json_string_value(json_object_get(item, "permission_level"));

		owner = owner || (level && strcmp(level, "IS_OWNER") == 0);
	}
	change.put = owner;
	return !list || permissions_change(call, &change);
}

/* A cluster has to keep to its policy; fresh: it is a new one. */
static bool check_policy(
		struct api_call *call, enum object_kind kind, const json_t *document, bool fresh)
{
	const struct sim *sim = call->request->sim;
	AUTO(mem_freep) char *text = NULL;

	if (kind != OBJECT_CLUSTER || !sim->hooks.cluster_refusal)
		return true;
	text = sim->hooks.cluster_refusal(call->request, document, fresh);
	if (text)
		(void)api_refuse_value(call, "%s", text);
	return !text;
}

/* The same for what a change would make of it. */
static bool check_change(struct api_call *call, const struct object *object, json_t *fields)
{
	json_t *document = json_copy(object->document);
	bool good;

	(void)json_object_update(document, fields);
	good = check_policy(call, object->kind, document, false);
	json_decref(document);
	return good;
}

struct object *object_build(
		struct api_call *call, enum object_kind kind, json_t *body, const char *id)
{
	struct object_store *store = call->place->objects;
	const struct object_type *type = &object_types[kind];
	json_t *inner = unwrap(call, kind, body), *document, *acl;
	struct object *object, *parent;
	const char *name = "";

	if (!inner)
		return NULL;
	if (id && *id && object_find_for_acl(store, kind, id)) {
		(void)api_refuse(call, 400, "RESOURCE_ALREADY_EXISTS", "%s %s already exists.",
				type->noun, id);
		return NULL;
	}
	document = make_document(type, inner);
	if (!check_name(call, kind, document, &name) ||
			!find_parent(call, kind, document, name, &parent) ||
			!check_policy(call, kind, document, true)) {
		json_decref(document);
		return NULL;
	}
	object = object_make(store,
			&(struct object_make){
					.kind = kind,
					.id = id,
					.name = name,
					.creator = call->request->caller->name,
					.parent = parent,
					.document = document,
			});
	object_grant_creator(object, call->request->caller);
	object_complete(object);
	inner = type->under ? json_object_get(document, type->under) : document;
	acl = json_incref(json_object_get(inner, "access_control_list"));
	(void)json_object_del(inner, "access_control_list");
	if (!object_take_run_as(call, object, inner) || !take_acl(call, object, acl)) {
		object->purged = false;
		object_remove(store, object);
		object = NULL;
	}
	json_decref(acl);
	return object;
}

static void answer_made(struct api_call *call, const struct object *object)
{
	const struct object_type *type = object_type(object);
	json_t *shown = object_render(call, object, false), *answer;

	switch (type->creating) {
	case CREATE_ANSWERS_OBJECT:
		answer = type->made_wrap ? json_pack("{s:o}", type->made_wrap, shown) : shown;
		break;
	case CREATE_ANSWERS_ID:
		answer = json_object();
		(void)json_object_set(answer, type->id_key, json_object_get(shown, type->id_key));
		json_decref(shown);
		break;
	case CREATE_ANSWERS_OPERATION:
	default:
		answer = json_pack("{s:s+, s:b, s:o}", "name",
				document_text(object->document, "name"), "/operations/create",
				"done", 1, "response", shown);
		break;
	}
	api_answer(call, answer);
}

/* After a write under a rule reads go on showing what was. */
static void commit_lag(struct api_call *call, const struct object *object, struct object *before)
{
	const struct object_stale_what what = {
			.rule = call->request->stale,
			.kind = object->kind,
			.id = object->id,
			.name = object->name,
	};

	object_stale_commit(call->place->objects, &what, before);
}

void object_create(struct api_call *call)
{
	struct object *object = object_build(call, (enum object_kind)call->of, call->body, NULL);

	if (!object)
		return;
	commit_lag(call, object, NULL);
	answer_made(call, object);
}

void object_get(struct api_call *call)
{
	enum object_kind kind = (enum object_kind)call->of;
	const struct object_type *type = &object_types[kind];
	struct object *object = object_need(call, kind, (enum object_key)call->variant);
	json_t *shown;

	if (!object || !object_may(call, object, PERMISSION_NONE, "read"))
		return;
	shown = object_render(call, object, false);
	api_answer(call, type->get_wrap ? json_pack("{s:o}", type->get_wrap, shown) : shown);
}

/* A cluster that is deleted only ends; permanent-delete makes it go, and its ACL answers INVALID_STATE from then on. */
void object_delete(struct api_call *call)
{
	struct object *object = object_need(call, (enum object_kind)call->of, KEY_BY_TYPE), *before;

	if (!object || !object_may(call, object, CAN_MANAGE, "delete"))
		return;
	before = object_stale_before(call->request->stale, object);
	commit_lag(call, object, before);
	if (object->kind == OBJECT_CLUSTER && call->variant == 0) {
		document_set(object->document, "state", json_string("TERMINATED"));
	} else {
		object->purged = object->kind == OBJECT_CLUSTER;
		object_remove(call->place->objects, object);
	}
	api_answer_empty(call);
}

/* What nobody can change is passed over in silence. */
static void apply_field(struct object *object, const char *key, json_t *value)
{
	const struct object_type *type = object_type(object);

	if (strcmp(key, "update_mask") == 0 || strcmp(key, type->id_key) == 0 ||
			(type->creator_key && strcmp(key, type->creator_key) == 0))
		return;
	(void)json_object_set(type->under ? json_object_get(object->document, type->under)
					  : object->document,
			key, value);
}

/* What follows from new fields: another name, another folder. */
static void settle(struct api_call *call, struct object *object)
{
	const struct object_type *type = object_type(object);
	struct object_store *store = call->place->objects;
	const char *name = type->under ? NULL : document_text(object->document, type->name_key);
	const char *path =
			type->parent_key ? document_text(object->document, type->parent_key) : NULL;
	struct object *parent = path && *path ? tree_find(store, path) : object->parent;

	if (type->under) {
		AUTO(mem_freep) char *key = mem_printf("%s.name", type->under);

		name = document_text(object->document, key);
		if (name && strcmp(type->name_key, "name") == 0)
			document_set(object->document, "name", json_string(name));
	}
	if (parent != object->parent && parent) {
		tree_leave(store, object);
		object->parent = parent;
		tree_enter(store, object);
	}
	if (name && strcmp(name, object->name) != 0)
		object_rename(store, object, name);
}

static bool is_masked(const struct object *object)
{
	return object_type(object)->wrap || object->kind == OBJECT_ALERT_V2;
}

static json_t *update_fields(struct api_call *call, const struct object *object)
{
	const struct object_type *type = object_type(object);
	const char *key = object->kind == OBJECT_JOB ? "new_settings" : type->wrap;
	json_t *inner = key ? json_object_get(call->body, key) : call->body;

	if (object->kind == OBJECT_CLUSTER && json_object_get(call->body, "cluster"))
		inner = json_object_get(call->body, "cluster");
	return inner;
}

/* Which fields of the request count: those that the mask names, where there has to be one. */
static bool read_fields(struct api_call *call, const struct object *object, json_t **ret)
{
	const char *mask = api_parameter(call, "update_mask"), *key;
	json_t *fields = update_fields(call, object), *value;

	*ret = json_object();
	if (is_masked(object) && !api_quirk(call, QUIRK_MASK_IGNORED)) {
		if (!mask)
			(void)api_refuse_value(call, "update_mask is required");
		json_object_foreach(fields, key, value)
		{
			if (mask && mask_names(mask, key))
				(void)json_object_set(*ret, key, value);
		}
		return mask != NULL;
	}
	(void)json_object_update(*ret, fields);
	return true;
}

/* Who owns it and whom it runs as may be refused: these come before anything is changed. */
static bool take_people(struct api_call *call, struct object *object, json_t *fields)
{
	const json_t *owner = json_object_get(fields, "owner_user_name");

	if (!object_take_run_as(call, object, fields))
		return false;
	return !owner || (object->kind != OBJECT_QUERY && object->kind != OBJECT_ALERT) ||
			object_set_owner(call, object, json_string_value(owner));
}

void object_update(struct api_call *call)
{
	struct object *object = object_need(call, (enum object_kind)call->of, KEY_BY_TYPE);
	struct object *before;
	const char *key;
	json_t *fields, *value;

	if (!object ||
			!object_may(call, object,
					object_type(object)->in_folder ? CAN_EDIT : CAN_MANAGE,
					"edit"))
		return;
	if (!read_fields(call, object, &fields) || !check_change(call, object, fields) ||
			!take_people(call, object, fields)) {
		json_decref(fields);
		return;
	}
	before = object_stale_before(call->request->stale, object);
	commit_lag(call, object, before);
	if (call->variant == EDIT_REPLACE && object_type(object)->under)
		(void)json_object_clear(
				json_object_get(object->document, object_type(object)->under));
	json_object_foreach(fields, key, value) apply_field(object, key, value);
	json_decref(fields);
	settle(call, object);
	api_answer(call, object_render(call, object, false));
}
