#include "assignment.h"

#include "account_workspace.h"
#include "base/text.h"
#include "base/json_out.h"
#include "stale.h"
#include "who.h"

#define RESULTS_MAX 10000

static const char *const level_names[] = {[LEVEL_USER] = "USER", [LEVEL_ADMIN] = "ADMIN"};

static void list_workspaces(const struct request *request, struct answer *answer)
{
	struct buf *out = answer_json(answer, 200);

	buf_add_char(out, '[');
	for (vec_each (&request->sim->state->workspaces, workspace))
		account_workspace_show(out, request->sim, *workspace);
	buf_add_char(out, ']');
}

static void add_principal(struct buf *out, const struct principal *who)
{
	static const char *const keys[] = {
			[KIND_USER] = "user_name",
			[KIND_GROUP] = "group_name",
			[KIND_SP] = "service_principal_name",
	};

	json_add_key(out, "principal");
	buf_add_char(out, '{');
	json_add_key(out, "principal_id");
	json_add_number(out, who->id);
	json_add_member(out, "display_name", who->display_name ? who->display_name : who->name);
	json_add_member(out, keys[who->kind],
			who->kind == KIND_GROUP ? who->display_name : who->name);
	buf_add_char(out, '}');
}

static void add_assignment(struct buf *out, const struct principal *who, enum level level)
{
	json_add_comma(out);
	buf_add_char(out, '{');
	json_add_key(out, "permissions");
	if (level == LEVEL_NONE)
		buf_add_text(out, "[]");
	else
		buf_printf(out, "[\"%s\"]", level_names[level]);
	add_principal(out, who);
	buf_add_char(out, '}');
}

/* The words that mean something, whatever else is in the list. ADMIN wins. */
static enum level read_level(const json_t *permissions)
{
	enum level level = LEVEL_NONE;
	size_t i;
	json_t *word;

	json_array_foreach(permissions, i, word)
	{
		const char *text = json_string_value(word);

		if (text && strcmp(text, "ADMIN") == 0)
			level = LEVEL_ADMIN;
		else if (text && strcmp(text, "USER") == 0 && level == LEVEL_NONE)
			level = LEVEL_USER;
	}
	return level;
}

/* Page tokens are the place to go on from; they mean something only to us. */
static bool read_page(const struct request *request, size_t *ret_first, size_t *ret_count,
		struct answer *answer)
{
	const char *most = request_parameter(request, "max_results");
	const char *token = request_parameter(request, "page_token");
	int64_t number = 0, first = 0;

	if (most && !text_parse_int(most, 1, RESULTS_MAX, &number)) {
		answer_api_error(answer, 400, "INVALID_PARAMETER_VALUE",
				"max_results is not valid: %s", most);
		return false;
	}
	if (token && *token &&
			(token[0] != 'p' || !text_parse_int(token + 1, 0, INT32_MAX, &first))) {
		answer_api_error(answer, 400, "INVALID_PARAMETER_VALUE", "page_token is not valid");
		return false;
	}
	*ret_first = (size_t)first;
	*ret_count = most ? (size_t)number : SIZE_MAX;
	return true;
}

static void list_assignments(const struct request *request, const struct workspace *workspace,
		struct answer *answer)
{
	const struct seats *seats = &workspace->seats;
	size_t first, count, end;
	struct buf *out;

	if (!read_page(request, &first, &count, answer))
		return;
	out = answer_json(answer, 200);
	first = first < seats->count ? first : seats->count;
	end = seats->count - first < count ? seats->count : first + count;
	buf_add_text(out, "{\"permission_assignments\":[");
	for (size_t i = first; i < end; i++)
		add_assignment(out, seats->items[i]->who, seats->items[i]->level);
	buf_add_char(out, ']');
	if (end < seats->count)
		buf_printf(out, ",\"next_page_token\":\"p%zu\"", end);
	buf_add_char(out, '}');
}

static void list_levels(struct answer *answer)
{
	buf_add_text(answer_json(answer, 200),
			"{\"permissions\":["
			"{\"permission_level\":\"USER\",\"description\":\"Can use the workspace\"},"
			"{\"permission_level\":\"ADMIN\",\"description\":\"Can administer the "
			"workspace\"}]}");
}

/* An account group may not meet a workspace's own group of the same name. */
static bool has_free_name(const struct principal *who, const struct workspace *workspace)
{
	const struct principal *other;

	if (who->kind != KIND_GROUP)
		return true;
	other = workspace_find_group(workspace, who->display_name);
	return !other || other == who;
}

static struct principal *find_principal(
		const struct request *request, const char *id_text, struct answer *answer)
{
	uint64_t id;
	struct principal *who =
			id_parse(id_text, &id) ? state_find_id(request->sim->state, id) : NULL;

	if (who && !who->home)
		return who;
	answer_api_error(answer, 404, "RESOURCE_DOES_NOT_EXIST", "Principal not found in account.");
	return NULL;
}

static void set_level(struct request *request, struct principal *who, struct workspace *workspace,
		enum level level)
{
	struct state *state = request->sim->state;
	struct principal *before = stale_before(request->stale, who);

	seat_set_level(state, who, workspace, level);
	stale_commit(state, request->stale, who, before);
}

static void put_assignment(struct request *request, struct workspace *workspace,
		const char *id_text, struct answer *answer)
{
	json_t *body = request->body.len ? json_loadb(request->body.ptr, request->body.len, 0, NULL)
					 : NULL;
	enum level level = read_level(json_object_get(body, "permissions"));
	bool readable = !request->body.len || json_is_object(body);
	struct principal *who;

	json_decref(body);
	if (!readable) {
		answer_api_error(
				answer, 400, "MALFORMED_REQUEST", "Could not parse request object");
		return;
	}
	who = find_principal(request, id_text, answer);
	if (!who)
		return;
	if (level != LEVEL_NONE && !has_free_name(who, workspace)) {
		answer_api_error(answer, 409, "RESOURCE_CONFLICT",
				"Group %s conflicts with a workspace-local group of the same name",
				who->display_name);
		return;
	}
	set_level(request, who, workspace, level);
	add_assignment(answer_json(answer, 200), who, level);
}

static void delete_assignment(struct request *request, struct workspace *workspace,
		const char *id_text, struct answer *answer)
{
	struct principal *who = find_principal(request, id_text, answer);

	if (!who)
		return;
	set_level(request, who, workspace, LEVEL_NONE);
	buf_add_text(answer_json(answer, 200), "{}");
}

static bool is_federated(const struct request *request, struct answer *answer)
{
	if (request->sim->options.quirks[QUIRK_FEDERATION])
		return true;
	answer_api_error(answer, 400, "INVALID_REQUEST",
			"Permission assignment APIs are not available for this workspace.");
	return false;
}

/* Both forms: a list, and one principal by its id. */
static bool handle_assignments(struct request *request, struct workspace *workspace,
		char *const *tail, size_t count, struct answer *answer)
{
	bool one = count == 2 && strcmp(tail[0], "principals") == 0;

	if (!(count == 0 && request_is(request, "GET")) &&
			!(one && (request_is(request, "PUT") || request_is(request, "DELETE"))))
		return false;
	if (!is_federated(request, answer))
		return true;
	if (count == 0)
		list_assignments(request, workspace, answer);
	else if (request_is(request, "PUT"))
		put_assignment(request, workspace, tail[1], answer);
	else
		delete_assignment(request, workspace, tail[1], answer);
	return true;
}

bool workspaces_handle(
		struct request *request, char *const *tail, size_t count, struct answer *answer)
{
	uint64_t id;
	struct workspace *workspace;

	if (count == 0) {
		if (!request_is(request, "GET"))
			return false;
		list_workspaces(request, answer);
		return true;
	}
	workspace = id_parse(tail[0], &id) ? state_find_workspace(request->sim->state, id) : NULL;
	if (!workspace && count >= 2 && strcmp(tail[1], "permissionassignments") == 0) {
		answer_api_error(answer, 404, "RESOURCE_DOES_NOT_EXIST",
				"Principal not found in account.");
		return true;
	}
	if (!workspace) {
		answer_api_error(answer, 404, "NOT_FOUND", "Workspace %s does not exist", tail[0]);
		return true;
	}
	if (count == 1 && request_is(request, "GET")) {
		account_workspace_show(answer_json(answer, 200), request->sim, workspace);
		return true;
	}
	if (count < 2 || strcmp(tail[1], "permissionassignments") != 0)
		return false;
	if (count == 3 && strcmp(tail[2], "permissions") == 0 && request_is(request, "GET")) {
		if (is_federated(request, answer))
			list_levels(answer);
		return true;
	}
	return handle_assignments(request, workspace, tail + 2, count - 2, answer);
}

static struct principal *find_by_name(const struct state *state, const json_t *item)
{
	static const struct {
		const char *key;
		enum kind kind;
		enum index_kind index;
	} names[] = {
			{"user_name", KIND_USER, INDEX_NAME},
			{"group_name", KIND_GROUP, INDEX_DISPLAY},
			{"service_principal_name", KIND_SP, INDEX_NAME},
	};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *name = json_string_value(json_object_get(item, names[i].key));

		if (name)
			return state_find_text(state, names[i].kind, names[i].index, name);
	}
	return NULL;
}

static const char *item_problem(
		const struct principal *who, const struct workspace *workspace, enum level level)
{
	if (!who)
		return "RESOURCE_DOES_NOT_EXIST: Principal not found in account.";
	if (level == LEVEL_ADMIN)
		return "Invalid permission: ADMIN is invalid or not supported for this workspace.";
	if (level == LEVEL_NONE)
		return "Invalid permission";
	if (!has_free_name(who, workspace))
		return "RESOURCE_CONFLICT: A workspace-local group of the same name exists.";
	return NULL;
}

static void post_item(struct request *request, const json_t *item, struct buf *out)
{
	struct principal *who = find_by_name(request->sim->state, item);
	enum level level = read_level(json_object_get(item, "permissions"));
	const char *problem = item_problem(who, request->host, level);

	if (problem) {
		json_add_comma(out);
		buf_add_char(out, '{');
		json_add_member(out, "error", problem);
		buf_add_char(out, '}');
		return;
	}
	set_level(request, who, request->host, level);
	add_assignment(out, who, level);
}

static void post_assignments(struct request *request, struct answer *answer)
{
	json_t *body = request->body.len ? json_loadb(request->body.ptr, request->body.len, 0, NULL)
					 : NULL;
	json_t *items = json_object_get(body, "permission_assignments"), *item;
	size_t i;
	struct buf *out = answer_json(answer, 200);

	buf_add_text(out, "{\"permission_assignments\":[");
	json_array_foreach(items, i, item) post_item(request, item, out);
	buf_add_text(out, "]}");
	if (!json_is_array(items))
		answer_api_error(
				answer, 400, "MALFORMED_REQUEST", "Could not parse request object");
	json_decref(body);
}

bool assignment_handle_workspace(
		struct request *request, char *const *tail, size_t count, struct answer *answer)
{
	if (!who_is_admin(request->host, request->caller)) {
		answer_api_error(answer, 403, "PERMISSION_DENIED",
				"Only workspace admins may do this");
		return true;
	}
	if (count == 0 && request_is(request, "POST")) {
		if (is_federated(request, answer))
			post_assignments(request, answer);
		return true;
	}
	return handle_assignments(request, request->host, tail, count, answer);
}
