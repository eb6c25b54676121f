/*
 * The ACLs of queries, alerts and dashboards as the legacy API has them: flat, read and replaced as a whole, with the
 * levels of then. A service principal stands there as a user.
 */
#include "object_api.h"
#include "permissions_change.h"

static const struct {
	const char *word; /* in the path */
	const char *type; /* in answers */
	enum object_kind kind;
} words[] = {
		{"alerts", "alert", OBJECT_ALERT},
		{"dashboards", "dashboard", OBJECT_LEGACY_DASHBOARD},
		{"queries", "query", OBJECT_QUERY},
};

static size_t find_word(struct api_call *call)
{
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (strcmp(call->args[0], words[i].word) == 0)
			return i;
	}
	(void)api_refuse_value(call, "Invalid object type: %s", call->args[0]);
	return COUNT_OF(words);
}

static void answer_acl(struct api_call *call, size_t word, const struct object *object)
{
	json_t *list = json_array();

	for (vec_each (&object->acl, ace)) {
		const char *level =
				ace->level == CAN_READ ? "CAN_VIEW" : permission_name(ace->level);

		if (acl_knows(call->state, call->place, ace->who))
			(void)json_array_append_new(list,
					json_pack("{s:s, s:s}",
							ace->who->kind == KIND_GROUP ? "group_name"
										     : "user_name",
							principal_text(ace->who),
							"permission_level", level));
	}
	api_answer(call,
			json_pack("{s:o, s:s, s:o}", "object_id",
					json_sprintf("%s/%s", words[word].type, object->id),
					"object_type", words[word].type, "access_control_list",
					list));
}

/* Names and levels that this API does not have. */
static bool check_entries(struct api_call *call, const json_t *list)
{
	static const char *const levels[] = {"CAN_VIEW", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"};
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		const char *level = json_string_value(json_object_get(item, "permission_level"));
		bool known = false;

		for (size_t n = 0; level && n < COUNT_OF(levels); n++)
			known = known || strcmp(level, levels[n]) == 0;
		if (!known)
			return api_refuse_value(
					call, "Invalid permission level %s", level ? level : "");
		if (json_object_get(item, "service_principal_name"))
			return api_refuse_value(call, "Unknown field: service_principal_name");
	}
	return true;
}

static void serve(struct api_call *call)
{
	size_t word = find_word(call);
	struct object *object;
	struct acl_request change = {
			.caller = call->request->caller,
			.list = json_object_get(call->body, "access_control_list"),
			.put = true,
	};

	if (word == COUNT_OF(words))
		return;
	object = object_find(call->place->objects, words[word].kind, call->args[1]);
	if (!object) {
		object_refuse_missing(call, words[word].kind, call->args[1]);
		return;
	}
	change.object = object;
	if (!object_may(call, object, CAN_MANAGE, "manage"))
		return;
	if (request_is(call->request, "GET") ||
			(check_entries(call, change.list) && permissions_change(call, &change)))
		answer_acl(call, word, object);
}

#define LEGACY "api/2.0/preview/sql/permissions/{}/{}"

static const struct api_route routes[] = {
		{"GET", LEGACY, API_WORKSPACE, API_ANYONE, serve, 0, 0},
		{"POST", LEGACY, API_WORKSPACE, API_ANYONE, serve, 0, 0},
};
const struct api_family legacy_permission_calls = API_FAMILY(routes);
