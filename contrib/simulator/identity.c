#include "identity.h"

#include "base/digest.h"
#include "who.h"

/* How each kind is told. */
static const struct {
	const char *list_key, *one_key; /* of answers */
	const char *name_key, *id_key, *status_key;
	enum kind kind;
} forms[] = {
		{"users", "user", "username", "user_id", "account_user_status", KIND_USER},
		{"groups", "group", "group_name", "group_id", NULL, KIND_GROUP},
		{"service_principals", "service_principal", "display_name", "service_principal_id",
				"account_sp_status", KIND_SP},
};

const char *identity_type(enum kind kind)
{
	static const char *const words[KIND_COUNT_] = {
			[KIND_USER] = "USER",
			[KIND_GROUP] = "GROUP",
			[KIND_SP] = "SERVICE_PRINCIPAL",
	};

	return words[kind];
}

json_t *identity_number(const struct principal *who)
{
	return json_integer((json_int_t)who->id);
}

struct principal *identity_find(struct api_call *call, const char *id_text)
{
	uint64_t id;
	struct principal *who =
			id_text && id_parse(id_text, &id) ? state_find_id(call->state, id) : NULL;

	if (who && !who->home)
		return who;
	(void)api_refuse(call, 404, "NOT_FOUND", "Principal %s does not exist",
			id_text ? id_text : "");
	return NULL;
}

static struct principal *need(struct api_call *call)
{
	struct principal *who = identity_find(call, call->args[0]);

	if (who && who->kind != forms[call->of].kind) {
		(void)api_refuse(call, 404, "NOT_FOUND", "Principal %s does not exist",
				call->args[0]);
		return NULL;
	}
	return who;
}

static json_t *show(const struct api_call *call, const struct principal *who)
{
	json_t *shown = json_object();

	object_text(shown, forms[call->of].id_key, who->id_text);
	object_text(shown, "account_id", call->state->account_id);
	object_text(shown, "external_id", who->external_id);
	object_text(shown, forms[call->of].name_key,
			who->kind == KIND_USER ? who->name : who->display_name);
	if (who->kind == KIND_SP)
		object_text(shown, "application_id", who->name);
	if (forms[call->of].status_key)
		object_text(shown, forms[call->of].status_key, who->active ? "ACTIVE" : "INACTIVE");
	if (who->given_name || who->family_name) {
		json_t *name = json_object();

		object_text(name, "given_name", who->given_name);
		object_text(name, "family_name", who->family_name);
		(void)json_object_set_new(shown, "full_name", name);
	}
	return shown;
}

static bool is_taken(const struct api_call *call, const char *name)
{
	enum kind kind = forms[call->of].kind;

	return kind != KIND_SP &&
			state_find_text(call->state, kind,
					kind == KIND_GROUP ? INDEX_DISPLAY : INDEX_NAME, name);
}

static struct principal *make(struct api_call *call, const char *name, const char *external_id)
{
	enum kind kind = forms[call->of].kind;
	struct principal *who = state_make(call->state, kind, NULL, 0);
	char uuid[37];

	if (kind == KIND_USER) {
		who->name = mem_strdup(name);
		for (char *c = who->name; *c; c++)
			*c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
	}
	if (kind == KIND_SP) {
		digest_uuid(uuid);
		who->name = mem_strdup(uuid);
	}
	who->display_name = mem_strdup(name);
	who->external_id = mem_strdup_or_null(external_id);
	state_enter(call->state, who);
	return who;
}

static void create(struct api_call *call)
{
	const char *name = NULL, *external_id = NULL;

	if (!api_take_text(call, forms[call->of].name_key, &name) ||
			!api_take_text(call, "external_id", &external_id))
		return;
	if (!name || !*name)
		(void)api_refuse_value(call, "%s is required", forms[call->of].name_key);
	else if (external_id && api_quirk(call, QUIRK_AIM))
		(void)api_refuse_value(call,
				"external_id must not be set: use resolve-by-external-id with "
				"automatic identity management");
	else if (is_taken(call, name))
		(void)api_refuse(call, 409, "ALREADY_EXISTS", "%s already exists", name);
	else
		api_answer(call, show(call, make(call, name, external_id)));
}

/* With automatic identity management, whom the identity provider knows; made if need be. */
static void resolve(struct api_call *call)
{
	const char *id = NULL;
	struct principal *who;

	if (!api_take_text(call, "external_id", &id))
		return;
	if (!api_quirk(call, QUIRK_AIM)) {
		(void)api_refuse_value(call, "Automatic identity management is not enabled");
		return;
	}
	if (!id || !*id) {
		(void)api_refuse_value(call, "external_id is required");
		return;
	}
	who = state_find_text(call->state, forms[call->of].kind, INDEX_EXTERNAL, id);
	api_answer(call,
			json_pack("{s:o}", forms[call->of].one_key,
					show(call, who ? who : make(call, id, id))));
}

static void list(struct api_call *call)
{
	json_t *items = json_array();

	for (vec_each (&call->state->lists[forms[call->of].kind], who)) {
		if ((*who)->system == SYSTEM_NONE)
			(void)json_array_append_new(items, show(call, *who));
	}
	api_answer_page(call, forms[call->of].list_key, items);
}

static void get(struct api_call *call)
{
	const struct principal *who = need(call);

	if (who)
		api_answer(call, show(call, who));
}

/* Takes a field that the mask names. */
static bool take_masked(struct api_call *call, const char *mask, const char *key, const char **ret)
{
	return !mask_names(mask, key) || api_take_text(call, key, ret);
}

static void update(struct api_call *call)
{
	struct principal *who = need(call);
	const char *mask = api_query(call, "update_mask");
	const char *name = NULL, *external_id = NULL, *status = NULL;
	const char *status_key = forms[call->of].status_key;
	bool theirs = who && who->external_id && api_quirk(call, QUIRK_AIM);

	if (!who)
		return;
	if (!mask || !*mask) {
		(void)api_refuse_value(call, "update_mask is required");
		return;
	}
	if (!take_masked(call, mask, forms[call->of].name_key, &name) ||
			!take_masked(call, mask, "external_id", &external_id) ||
			(status_key && !take_masked(call, mask, status_key, &status)))
		return;
	if (theirs && strcmp(mask, "external_id") != 0) {
		(void)api_refuse_value(call,
				"Only external_id can be changed: the identity provider manages "
				"the rest");
		return;
	}
	if (name && who->kind != KIND_USER)
		state_set_display_name(call->state, who, name);
	if (mask_names(mask, "external_id"))
		state_set_external_id(call->state, who, external_id);
	if (status)
		who->active = strcmp(status, "INACTIVE") != 0;
	call->state->generation++;
	api_answer(call, show(call, who));
}

static void delete (struct api_call *call)
{
	struct principal *who = need(call);

	if (!who)
		return;
	state_remove(call->state, who);
	api_answer_empty(call);
}

static struct principal *need_group(struct api_call *call)
{
	struct principal *group = identity_find(call, call->args[0]);

	if (group && group->kind == KIND_GROUP && group->system == SYSTEM_NONE)
		return group;
	if (group)
		(void)api_refuse(call, 404, "NOT_FOUND", "Group %s does not exist", call->args[0]);
	return NULL;
}

static json_t *show_member(const struct principal *group, const struct principal *who)
{
	json_t *shown = json_object();

	(void)json_object_set_new(shown, "principal_id", identity_number(who));
	(void)json_object_set_new(shown, "group_id", identity_number(group));
	object_text(shown, "display_name", who->display_name ? who->display_name : who->name);
	object_text(shown, "external_id", who->external_id);
	object_text(shown, "principal_type", identity_type(who->kind));
	object_text(shown, "membership_source",
			group->external_id ? "IDENTITY_PROVIDER" : "INTERNAL");
	return shown;
}

static void list_members(struct api_call *call)
{
	const struct principal *group = need_group(call);
	json_t *items;

	if (!group)
		return;
	items = json_array();
	for (vec_each (&group->members, link))
		(void)json_array_append_new(items, show_member(group, link->other));
	api_answer_page(call, "direct_group_members", items);
}

static void add_member(struct api_call *call)
{
	struct principal *group = need_group(call);
	const char *id = api_parameter(call, "principal_id");
	struct principal *who = group ? identity_find(call, id) : NULL;

	if (!who)
		return;
	if (who->kind == KIND_GROUP && group_is_below(call->state, group, who)) {
		(void)api_refuse_value(call, "Group %s would contain itself", group->id_text);
		return;
	}
	if (!group_has_member(group, who))
		group_add_member(call->state, group, who);
	api_answer(call, show_member(group, who));
}

static void one_member(struct api_call *call)
{
	struct principal *group = need_group(call);
	struct principal *who = group ? identity_find(call, call->args[1]) : NULL;

	if (!who)
		return;
	if (!group_has_member(group, who)) {
		(void)api_refuse(call, 404, "NOT_FOUND", "Principal %s is not a member of group %s",
				who->id_text, group->id_text);
		return;
	}
	if (request_is(call->request, "GET")) {
		api_answer(call, show_member(group, who));
		return;
	}
	group_remove_member(call->state, group, who);
	api_answer_empty(call);
}

#define ROUTE(method, base, at, path, handle, of)                                                  \
	{                                                                                          \
		method, base path, at, API_ADMIN, handle, of, 0                                    \
	}
/* Older SDKs spell it so. */
#define OLDER(base, at, path, of) ROUTE("POST", base, at, path "/resolveByExternalId", resolve, of)
#define KIND(base, at, path, of)                                                                   \
	ROUTE("GET", base, at, path, list, of), ROUTE("POST", base, at, path, create, of),         \
			ROUTE("POST", base, at, path "/resolve-by-external-id", resolve, of),      \
			ROUTE("GET", base, at, path "/{}", get, of),                               \
			ROUTE("PATCH", base, at, path "/{}", update, of),                          \
			ROUTE("DELETE", base, at, path "/{}", delete, of)
#define EVERYTHING(base, at)                                                                       \
	KIND(base, at, "users", 0), KIND(base, at, "groups", 1),                                   \
			KIND(base, at, "service-principals", 2), OLDER(base, at, "users", 0),      \
			OLDER(base, at, "groups", 1), OLDER(base, at, "servicePrincipals", 2),     \
			ROUTE("GET", base, at, "groups/{}/direct-members", list_members, 1),       \
			ROUTE("POST", base, at, "groups/{}/direct-members", add_member, 1),        \
			ROUTE("GET", base, at, "groups/{}/direct-members/{}", one_member, 1),      \
			ROUTE("DELETE", base, at, "groups/{}/direct-members/{}", one_member, 1)

static const struct api_route routes[] = {
		EVERYTHING(IDENTITY_ACCOUNT, API_ACCOUNT),
		EVERYTHING(IDENTITY_WORKSPACE, API_WORKSPACE),
};
const struct api_family identity_calls = API_FAMILY(routes);
