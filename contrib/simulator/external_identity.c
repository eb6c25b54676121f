/*
 * identity -- whom the identity provider brings: `external-groups`, `external-users` of the account's identity API, which
 * answer only where automatic identity management is on. Nobody is brought by a read.
 */
#include "api.h"

static void show(struct api_call *call, const struct principal *who)
{
	bool is_user = who->kind == KIND_USER;
	json_t *json = json_object();

	object_text(json, is_user ? "external_user_id" : "external_group_id", who->external_id);
	object_text(json, "internal_id", who->id_text);
	object_text(json, "display_name", who->display_name);
	object_text(json, "account_id", call->state->account_id);
	if (is_user) {
		object_text(json, "username", who->name);
		object_text(json, "account_user_status", who->active ? "ACTIVE" : "INACTIVE");
	}
	api_answer(call, json);
}

static void get_external(struct api_call *call)
{
	enum kind kind = (enum kind)call->of;
	const struct principal *who;

	if (!api_quirk(call, QUIRK_AIM)) {
		(void)api_refuse(call, 400, "FEATURE_DISABLED",
				"Automatic identity management is not enabled for this account");
		return;
	}
	who = state_find_text(call->state, kind, INDEX_EXTERNAL, call->args[0]);
	if (who)
		show(call, who);
	else
		(void)api_refuse(call, 404, "NOT_FOUND", "%s does not exist", call->args[0]);
}

static const struct api_route routes[] = {
		{"GET", "api/2.0/identity/accounts/*/external-groups/{}", API_ACCOUNT, API_ADMIN,
				get_external, KIND_GROUP, 0},
		{"GET", "api/2.0/identity/accounts/*/external-users/{}", API_ACCOUNT, API_ADMIN,
				get_external, KIND_USER, 0},
};
const struct api_family external_identity_calls = API_FAMILY(routes);
