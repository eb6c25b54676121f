/*
 * Hand-over: who a job runs as, who owns a query, an alert, a dashboard, a cluster. Declared in object_api.h.
 */
#include "object_api.h"

#include "base/text.h"
#include "permissions.h"
#include "rule_set.h"
#include "who.h"

/*
 * Whoever may use a service principal, themselves, groups that they are in, and, unless they are restricted, admins
 * anybody. To be an admin is not enough for a service principal.
 */
static bool may_run_as(struct api_call *call, const struct principal *who)
{
	const struct principal *caller = call->request->caller;

	if (who == caller)
		return true;
	if (who->kind == KIND_SP &&
			(api_quirk(call, QUIRK_RUN_AS_ADMIN) ||
					rule_set_gives(call->state, who,
							"roles/servicePrincipal.user", caller)))
		return true;
	if (who->kind == KIND_GROUP && who_is_below(caller, who))
		return true;
	if (who->kind == KIND_USER && acl_is_admin(call->place, caller) &&
			!permissions_admins_restricted(call))
		return true;
	return api_refuse(call, 403, "PERMISSION_DENIED", "User %s cannot set run_as to user %s",
			caller->name, who_name(who));
}

static struct principal *read_run_as(struct api_call *call, const json_t *run_as)
{
	const char *user = json_string_value(json_object_get(run_as, "user_name"));
	const char *service = json_string_value(json_object_get(run_as, "service_principal_name"));
	const char *group = json_string_value(json_object_get(run_as, "group_name"));
	struct principal *who;

	if ((user != NULL) + (service != NULL) + (group != NULL) != 1) {
		(void)api_refuse_value(call,
				"run_as must have exactly one of user_name, group_name and "
				"service_principal_name");
		return NULL;
	}
	if (user)
		who = permissions_find_user(call->state, call->place, user);
	else if (service)
		who = permissions_find_service_principal(call->state, call->place, service);
	else
		who = workspace_find_group(call->place, group);
	if (!who || !who->active || !acl_knows(call->state, call->place, who)) {
		(void)api_refuse_value(call,
				"Principal %s is not an active member of this workspace",
				user                    ? user
						: group ? group
							: service);
		return NULL;
	}
	return who;
}

bool object_take_run_as(struct api_call *call, struct object *object, json_t *settings)
{
	const json_t *run_as = json_object_get(settings, "run_as");
	struct principal *who;

	if (!json_is_object(run_as) ||
			(object->kind != OBJECT_JOB && object->kind != OBJECT_PIPELINE))
		return true;
	who = read_run_as(call, run_as);
	if (!who || !may_run_as(call, who))
		return false;
	text_replace(&object->run_as, who_name(who));
	(void)json_object_del(settings, "run_as"); /* settings never show it again */
	return true;
}

bool object_set_owner(struct api_call *call, struct object *object, const char *name)
{
	const struct object_type *type = object_type(object);
	struct principal *who = name ? permissions_find_user(call->state, call->place, name) : NULL;

	if (!acl_is_admin(call->place, call->request->caller))
		return api_refuse(call, 403, "PERMISSION_DENIED",
				"Only workspace admins can transfer ownership");
	if (!who || !who->active)
		return api_refuse_value(call,
				"New owner %s is not an active user of this workspace",
				name ? name : "");
	if (permissions_admins_restricted(call) && who != call->request->caller)
		return api_refuse(call, 403, "PERMISSION_DENIED",
				"Workspace admins can transfer ownership to themselves only");
	if (type->creator_key)
		document_set(object->document, type->creator_key, json_string(who->name));
	aces_set(&object->acl, who, CAN_MANAGE);
	return true;
}

/* The legacy API's transfer: singular words. */
static void transfer(struct api_call *call)
{
	static const struct {
		const char *word;
		enum object_kind kind;
	} words[] = {
			{"dashboard", OBJECT_LEGACY_DASHBOARD},
			{"alert", OBJECT_ALERT},
			{"query", OBJECT_QUERY},
	};
	struct object *object;

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (strcmp(call->args[0], words[i].word) != 0)
			continue;
		object = object_find(call->place->objects, words[i].kind, call->args[1]);
		if (!object)
			object_refuse_missing(call, words[i].kind, call->args[1]);
		else if (object_set_owner(call, object, api_parameter(call, "new_owner")))
			api_answer(call, json_pack("{s:s}", "message", "Success"));
		return;
	}
	(void)api_refuse_value(call, "Invalid object type: %s", call->args[0]);
}

static void change_owner(struct api_call *call)
{
	struct object *object = object_need(call, OBJECT_CLUSTER, KEY_BY_ID);
	const char *name = api_parameter(call, "owner_username"), *state;
	struct principal *who;

	if (!object)
		return;
	state = document_text(object->document, "state");
	who = name ? permissions_find_user(call->state, call->place, name) : NULL;
	if (!acl_is_admin(call->place, call->request->caller)) {
		(void)api_refuse(call, 403, "PERMISSION_DENIED",
				"Only admins can change the owner of a cluster");
	} else if (!who) {
		(void)api_refuse_value(call, "User %s does not exist", name ? name : "");
	} else if (state && strcmp(state, "TERMINATED") != 0 &&
			!api_quirk(call, QUIRK_CHANGE_OWNER_RUNNING)) {
		(void)api_refuse(call, 400, "INVALID_STATE",
				"Cluster %s must be terminated before its owner is changed",
				object->id);
	} else {
		aces_set(&object->acl, who, CAN_MANAGE);
		api_answer_empty(call);
	}
}

static void start_cluster(struct api_call *call)
{
	struct object *object = object_need(call, OBJECT_CLUSTER, KEY_BY_ID);

	if (!object || !object_may(call, object, CAN_RESTART, "start"))
		return;
	document_set(object->document, "state", json_string("RUNNING"));
	api_answer_empty(call);
}

static void rename_experiment(struct api_call *call)
{
	struct object *object = object_need(call, OBJECT_EXPERIMENT, KEY_BY_ID);
	const char *name = api_parameter(call, "new_name");

	if (!object || !object_may(call, object, CAN_EDIT, "edit"))
		return;
	if (!name || *name != '/') {
		(void)api_refuse_value(
				call, "Got an invalid experiment name '%s'.", name ? name : "");
		return;
	}
	document_set(object->document, "name", json_string(name));
	object_rename(call->place->objects, object, name);
	api_answer_empty(call);
}

static const struct api_route routes[] = {
		{"POST", "api/*/clusters/change-owner", API_WORKSPACE, API_ANYONE, change_owner, 0,
				0},
		{"POST", "api/*/clusters/start", API_WORKSPACE, API_ANYONE, start_cluster, 0, 0},
		{"POST", "api/2.0/mlflow/experiments/update", API_WORKSPACE, API_ANYONE,
				rename_experiment, 0, 0},
		{"POST", "api/2.0/preview/sql/permissions/{}/{}/transfer", API_WORKSPACE,
				API_ANYONE, transfer, 0, 0},
};

const struct api_family owner_calls = API_FAMILY(routes);
