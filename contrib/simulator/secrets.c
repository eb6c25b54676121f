/*
 * Secret scopes and their ACLs: an API of its own, principals by untyped name. Declared in object_api.h.
 *
 * A workspace's scopes are one JSON object: name -> {"acls": {id of the principal: "MANAGE"}}.
 */
#include "object_api.h"

#include "permissions.h"

#define SCOPE_NAME_MAX 128
#define SCOPES_MAX 1000

static const char *const words[] = {"READ", "WRITE", "MANAGE"};

static struct principal *find_principal(struct api_call *call, const char *name)
{
	struct principal *who = permissions_find_user(call->state, call->place, name);

	if (!who)
		who = workspace_find_group(call->place, name);
	return who && acl_knows(call->state, call->place, who) ? who : NULL;
}

static struct principal *principal_of(const struct api_call *call, const char *id_text)
{
	uint64_t id;
	struct principal *who = id_parse(id_text, &id) ? state_find_id(call->state, id) : NULL;

	return who && acl_knows(call->state, call->place, who) ? who : NULL;
}

static const char *name_of(const struct principal *who)
{
	return who->kind == KIND_GROUP ? who->display_name : who->name;
}

static bool may_manage(struct api_call *call, const json_t *acls)
{
	const struct principal *caller = call->request->caller;
	const char *id;
	json_t *word;

	if (acl_is_admin(call->place, caller))
		return true;
	json_object_foreach((json_t *)(uintptr_t)acls, id, word)
	{
		const struct principal *who = principal_of(call, id);

		if (who && strcmp(json_string_value(word), "MANAGE") == 0 &&
				acl_is_in_group(call->state, call->place, caller, who))
			return true;
	}
	return api_refuse(call, 403, "PERMISSION_DENIED",
			"User %s does not have MANAGE permission on this scope", caller->name);
}

/* The scope's ACLs, for who may manage them; else NULL and a refusal. */
static json_t *need_acls(struct api_call *call)
{
	const char *scope = api_parameter(call, "scope");
	json_t *found = scope ? json_object_get(call->place->objects->scopes, scope) : NULL;
	json_t *acls = json_object_get(found, "acls");

	if (!acls) {
		(void)api_refuse(call, 404, "RESOURCE_DOES_NOT_EXIST", "Scope %s does not exist!",
				scope ? scope : "");
		return NULL;
	}
	return may_manage(call, acls) ? acls : NULL;
}

static struct principal *need_principal(struct api_call *call)
{
	const char *name = api_parameter(call, "principal");
	struct principal *who = name ? find_principal(call, name) : NULL;

	if (!who)
		(void)api_refuse_value(call, "Principal %s does not exist", name ? name : "");
	return who;
}

static bool is_good_name(const char *name)
{
	static const char letters[] =
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@ /";

	return name && *name && strlen(name) <= SCOPE_NAME_MAX &&
			strspn(name, letters) == strlen(name);
}

static void create_scope(struct api_call *call)
{
	json_t *scopes = call->place->objects->scopes;
	const char *scope = api_parameter(call, "scope");
	const char *manager = api_parameter(call, "initial_manage_principal");
	const struct principal *who = call->request->caller;

	if (!is_good_name(scope)) {
		(void)api_refuse_value(call, "Scope name is not valid: %s", scope ? scope : "");
		return;
	}
	if (json_object_get(scopes, scope)) {
		(void)api_refuse(call, 400, "RESOURCE_ALREADY_EXISTS", "Scope %s already exists!",
				scope);
		return;
	}
	if (json_object_size(scopes) >= SCOPES_MAX) {
		(void)api_refuse(call, 400, "RESOURCE_LIMIT_EXCEEDED",
				"Cannot create more than %d scopes", SCOPES_MAX);
		return;
	}
	if (manager && strcmp(manager, "users") != 0) {
		(void)api_refuse_value(call, "initial_manage_principal must be 'users'");
		return;
	}
	if (manager)
		who = call->place->users;
	(void)json_object_set_new(
			scopes, scope, json_pack("{s:{s:s}}", "acls", who->id_text, "MANAGE"));
	api_answer_empty(call);
}

static void list_scopes(struct api_call *call)
{
	json_t *array = json_array(), *value, *answer = json_object();
	const char *name;

	json_object_foreach(call->place->objects->scopes, name, value)(void) json_array_append_new(
			array, json_pack("{s:s, s:s}", "name", name, "backend_type", "DATABRICKS"));
	if (json_array_size(array))
		(void)json_object_set(answer, "scopes", array);
	json_decref(array);
	api_answer(call, answer);
}

static void delete_scope(struct api_call *call)
{
	if (!need_acls(call))
		return;
	(void)json_object_del(call->place->objects->scopes, api_parameter(call, "scope"));
	api_answer_empty(call);
}

static void list_acls(struct api_call *call)
{
	json_t *acls = need_acls(call), *array, *word, *answer;
	const char *id;

	if (!acls)
		return;
	array = json_array();
	answer = json_object();
	json_object_foreach(acls, id, word)
	{
		const struct principal *who = principal_of(call, id);

		if (who)
			(void)json_array_append_new(array,
					json_pack("{s:s, s:O}", "principal", name_of(who),
							"permission", word));
	}
	if (json_array_size(array))
		(void)json_object_set(answer, "items", array);
	json_decref(array);
	api_answer(call, answer);
}

static void refuse_acl(struct api_call *call)
{
	(void)api_refuse(call, 404, "RESOURCE_DOES_NOT_EXIST",
			"No ACL for principal %s on scope %s", api_parameter(call, "principal"),
			api_parameter(call, "scope"));
}

static void get_acl(struct api_call *call)
{
	json_t *acls = need_acls(call), *word;
	const struct principal *who = acls ? need_principal(call) : NULL;

	if (!who)
		return;
	word = json_object_get(acls, who->id_text);
	if (word)
		api_answer(call,
				json_pack("{s:s, s:O}", "principal", name_of(who), "permission",
						word));
	else
		refuse_acl(call);
}

static void put_acl(struct api_call *call)
{
	const char *permission = api_parameter(call, "permission");
	json_t *acls = need_acls(call);
	const struct principal *who = acls ? need_principal(call) : NULL;

	if (!who)
		return;
	for (size_t i = 0; permission && i < COUNT_OF(words); i++) {
		if (strcmp(permission, words[i]) == 0) {
			(void)json_object_set_new(acls, who->id_text, json_string(permission));
			api_answer_empty(call);
			return;
		}
	}
	(void)api_refuse_value(call, "Permission is not valid: %s", permission ? permission : "");
}

static void delete_acl(struct api_call *call)
{
	json_t *acls = need_acls(call);
	const struct principal *who = acls ? need_principal(call) : NULL;

	if (!who)
		return;
	if (json_object_del(acls, who->id_text) == 0)
		api_answer_empty(call);
	else
		refuse_acl(call);
}

static const struct api_route routes[] = {
		{"POST", "api/2.0/secrets/scopes/create", API_WORKSPACE, API_ANYONE, create_scope,
				0, 0},
		{"POST", "api/2.0/secrets/scopes/delete", API_WORKSPACE, API_ANYONE, delete_scope,
				0, 0},
		{"GET", "api/2.0/secrets/scopes/list", API_WORKSPACE, API_ANYONE, list_scopes, 0,
				0},
		{"POST", "api/2.0/secrets/acls/put", API_WORKSPACE, API_ANYONE, put_acl, 0, 0},
		{"POST", "api/2.0/secrets/acls/delete", API_WORKSPACE, API_ANYONE, delete_acl, 0,
				0},
		{"GET", "api/2.0/secrets/acls/list", API_WORKSPACE, API_ANYONE, list_acls, 0, 0},
		{"GET", "api/2.0/secrets/acls/get", API_WORKSPACE, API_ANYONE, get_acl, 0, 0},
};

const struct api_family scope_calls = API_FAMILY(routes);
