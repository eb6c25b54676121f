/*
 * Who is in a workspace and what it may do there, as the second API of identities tells it: assignments of its own, and
 * access by way of groups.
 */
#include "identity.h"

#include "who.h"

/* On the account's host the path has the workspace's id, and the principal's behind it. */
struct target {
	struct workspace *workspace;
	const char *principal; /* NULL: the path names none */
};

static bool read_target(struct api_call *call, struct target *ret)
{
	uint64_t id;

	ret->workspace = call->place;
	ret->principal = call->place ? call->args[0] : call->args[1];
	if (ret->workspace)
		return true;
	ret->workspace =
			id_parse(call->args[0], &id) ? state_find_workspace(call->state, id) : NULL;
	return ret->workspace ||
			api_refuse(call, 404, "NOT_FOUND", "Workspace %s does not exist",
					call->args[0]);
}

/* WORKSPACE_ACCESS is workspace-access to SCIM. */
static void word_of(const char *name, char ret[static 64])
{
	(void)snprintf(ret, 64, "%s", name);
	for (char *c = ret; *c; c++)
		*c = *c == '-' ? '_' : (char)(*c >= 'a' && *c <= 'z' ? *c - 0x20 : *c);
}

static json_t *words_of(uint32_t entitlements, enum level level)
{
	json_t *words = json_array();
	char word[64];

	for (size_t i = 0; i < ENTITLEMENT_COUNT; i++) {
		if (!(entitlements & UINT32_C(1) << i))
			continue;
		word_of(entitlement_names[i], word);
		(void)json_array_append_new(words, json_string(word));
	}
	if (level == LEVEL_ADMIN)
		(void)json_array_append_new(words, json_string("WORKSPACE_ADMIN"));
	return words;
}

static uint32_t effective(
		const struct principal *who, const struct workspace *workspace, int layers_left)
{
	const struct seat *seat = seat_find(who, workspace);
	uint32_t all = seat ? seat->entitlements : 0;

	for (vec_each (&who->parents, link)) {
		if (layers_left)
			all |= effective(link->other, workspace, layers_left - 1);
	}
	return all;
}

/* Lists leave out what is costly: the entitlements. */
static json_t *show(const struct api_call *call, const struct seat *seat, bool in_list)
{
	json_t *shown = json_object();

	(void)json_object_set_new(shown, "principal_id", identity_number(seat->who));
	(void)json_object_set_new(
			shown, "workspace_id", json_integer((json_int_t)seat->workspace->id));
	object_text(shown, "account_id", call->state->account_id);
	object_text(shown, "principal_type", identity_type(seat->who->kind));
	if (in_list)
		return shown;
	(void)json_object_set_new(shown, "entitlements", words_of(seat->entitlements, seat->level));
	(void)json_object_set_new(shown, "effective_entitlements",
			words_of(effective(seat->who, seat->workspace, NESTING_MAX) |
							effective(seat->workspace->users,
									seat->workspace, 0),
					who_is_admin(seat->workspace, seat->who) ? LEVEL_ADMIN
										 : seat->level));
	return shown;
}

static void list(struct api_call *call)
{
	struct target target;
	json_t *items;

	if (!read_target(call, &target))
		return;
	items = json_array();
	for (vec_each (&target.workspace->seats, seat))
		(void)json_array_append_new(items, show(call, *seat, true));
	api_answer_page(call, "workspace_assignments", items);
}

static const struct seat *need_seat(struct api_call *call, struct target *target)
{
	struct principal *who =
			read_target(call, target) ? identity_find(call, target->principal) : NULL;
	const struct seat *seat = who ? seat_find(who, target->workspace) : NULL;

	if (seat && seat->level != LEVEL_NONE)
		return seat;
	if (who)
		(void)api_refuse(call, 404, "NOT_FOUND",
				"Principal %s is not assigned to workspace %s", who->id_text,
				target->workspace->id_text);
	return NULL;
}

static void get(struct api_call *call)
{
	struct target target;
	const struct seat *seat = need_seat(call, &target);

	if (seat)
		api_answer(call, show(call, seat, false));
}

/* One after the other: what came before the one that is refused stays. */
static bool give(struct api_call *call, struct principal *who, struct workspace *workspace,
		const json_t *words)
{
	size_t i;
	json_t *item;

	json_array_foreach(words, i, item)
	{
		const char *text = json_string_value(item);
		char word[64];
		bool known = text && strcmp(text, "WORKSPACE_ADMIN") == 0;

		if (known)
			seat_set_level(call->state, who, workspace, LEVEL_ADMIN);
		for (size_t n = 0; text && n < ENTITLEMENT_COUNT; n++) {
			word_of(entitlement_names[n], word);
			if (strcmp(word, text) != 0)
				continue;
			seat_need(who, workspace)->entitlements |= UINT32_C(1) << n;
			known = true;
		}
		if (!known)
			return api_refuse_value(call, "Unknown entitlement: %s", text ? text : "");
	}
	return true;
}

static const json_t *need_words(struct api_call *call)
{
	json_t *words = NULL;

	if (!api_take_texts(call, "entitlements", &words))
		return NULL;
	if (json_array_size(words))
		return words;
	(void)api_refuse_value(call, "entitlements must not be empty");
	return NULL;
}

static void create(struct api_call *call)
{
	struct target target;
	const json_t *words = read_target(call, &target) ? need_words(call) : NULL;
	struct principal *who =
			words ? identity_find(call, api_parameter(call, "principal_id")) : NULL;

	if (!who)
		return;
	if (seat_level(who, target.workspace) != LEVEL_NONE) {
		(void)api_refuse(call, 409, "ALREADY_EXISTS",
				"Principal %s is assigned to workspace %s", who->id_text,
				target.workspace->id_text);
		return;
	}
	seat_set_level(call->state, who, target.workspace, LEVEL_USER);
	if (give(call, who, target.workspace, words))
		api_answer(call, show(call, seat_find(who, target.workspace), false));
}

static void update(struct api_call *call)
{
	const char *mask = api_query(call, "update_mask");
	struct target target;
	const struct seat *seat = need_seat(call, &target);
	const json_t *words;

	if (!seat)
		return;
	if (!mask || strcmp(mask, "entitlements") != 0) {
		(void)api_refuse_value(call, "update_mask must be entitlements");
		return;
	}
	words = need_words(call);
	if (!words)
		return;
	seat_need(seat->who, target.workspace)->entitlements = 0;
	seat_set_level(call->state, seat->who, target.workspace, LEVEL_USER);
	if (give(call, seat->who, target.workspace, words))
		api_answer(call, show(call, seat, false));
}

static void delete (struct api_call *call)
{
	struct target target;
	const struct seat *seat = need_seat(call, &target);

	if (!seat)
		return;
	seat_set_level(call->state, seat->who, target.workspace, LEVEL_NONE);
	api_answer_empty(call);
}

static json_t *show_access(const struct api_call *call, const struct workspace *workspace,
		const struct principal *who)
{
	json_t *shown = json_object();

	(void)json_object_set_new(shown, "principal_id", identity_number(who));
	(void)json_object_set_new(shown, "workspace_id", json_integer((json_int_t)workspace->id));
	object_text(shown, "account_id", call->state->account_id);
	object_text(shown, "principal_type", identity_type(who->kind));
	object_text(shown, "access_type",
			seat_level(who, workspace) == LEVEL_NONE ? "INDIRECT" : "DIRECT");
	if (who->kind != KIND_GROUP)
		object_text(shown, "status", who->active ? "ACTIVE" : "INACTIVE");
	(void)json_object_set_new(shown, "permissions",
			json_pack("[s]",
					who_is_admin(workspace, who) ? "ADMIN_PERMISSION"
								     : "USER_PERMISSION"));
	return shown;
}

/* Everybody who gets in, by itself or by a group. */
static void list_access(struct api_call *call)
{
	struct target target;
	json_t *items;

	if (!read_target(call, &target))
		return;
	items = json_array();
	for (int kind = 0; kind < KIND_COUNT_; kind++) {
		for (vec_each (workspace_list(call->state, target.workspace, (enum kind)kind),
				     who)) {
			if ((*who)->home == NULL && (*who)->system == SYSTEM_NONE)
				(void)json_array_append_new(
						items, show_access(call, target.workspace, *who));
		}
	}
	api_answer_page(call, "workspace_access_details", items);
}

static void get_access(struct api_call *call)
{
	struct target target;
	const struct principal *who =
			read_target(call, &target) ? identity_find(call, target.principal) : NULL;

	if (!who)
		return;
	if (workspace_sees(call->state, target.workspace, who))
		api_answer(call, show_access(call, target.workspace, who));
	else
		(void)api_refuse(call, 404, "NOT_FOUND",
				"Principal %s has no access to workspace %s", who->id_text,
				target.workspace->id_text);
}

#define ROUTE(method, base, at, path, handle)                                                      \
	{                                                                                          \
		method, base path, at, API_ADMIN, handle, 0, 0                                     \
	}
#define EVERYTHING(base, at)                                                                       \
	ROUTE("GET", base, at, "workspace-assignments", list),                                     \
			ROUTE("POST", base, at, "workspace-assignments", create),                  \
			ROUTE("GET", base, at, "workspace-assignments/{}", get),                   \
			ROUTE("PATCH", base, at, "workspace-assignments/{}", update),              \
			ROUTE("DELETE", base, at, "workspace-assignments/{}", delete),             \
			ROUTE("GET", base, at, "workspace-access-details", list_access),           \
			ROUTE("GET", base, at, "workspaceAccessDetails/{}", get_access),           \
			ROUTE("GET", base, at, "workspace-access-details/{}", get_access)

static const struct api_route routes[] = {
		EVERYTHING(IDENTITY_ACCOUNT "workspaces/{}/", API_ACCOUNT),
		EVERYTHING(IDENTITY_WORKSPACE, API_WORKSPACE),
};
const struct api_family identity_assignment_calls = API_FAMILY(routes);
