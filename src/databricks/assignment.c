#include "databricks/assignment.h"

#include "base/table.h"
#include "base/text.h"
#include "base/vec.h"
#include "databricks/http.h"
#include "databricks/tape.h"

#define PAGES_MAX 10000U

#define PATH_SELF "/api/2.0/preview/scim/v2/Me?attributes=id,userName"

void assignment_ask_self(struct databricks *databricks, struct call *call)
{
	call_prepare(call, METHOD_GET, FAMILY_WORKSPACE_SCIM_READ, mem_strdup(PATH_SELF), NULL);
	call_send(databricks, call);
}

uint64_t assignment_self_id(const struct call *call)
{
	const char *id = tape_text(tape_get(tape_root(call->answer), "id"));
	int64_t number;

	return id && text_parse_int(id, 1, INT64_MAX, &number) ? (uint64_t)number : 0;
}

void assignment_ask_workspace_id(
		struct databricks *databricks, struct call *call, unsigned workspace)
{
	const char *known = databricks_workspace_id(databricks, workspace);

	call->target = workspace;
	call_prepare(call, METHOD_GET, FAMILY_WORKSPACE_SCIM_READ, mem_strdup(PATH_SELF), NULL);
	if (!known) {
		call_send(databricks, call);
		return;
	}
	call_finish_unsent(databricks, call, NULL);
	(void)snprintf(call->org_id, sizeof(call->org_id), "%s", known);
}

static char *base_path(
		const struct databricks *databricks, const char *workspace_id, const char *tail)
{
	AUTO(mem_freep) char *escaped = http_escape(workspace_id);

	return mem_printf("/api/2.0/accounts/%s/workspaces/%s/permissionassignments%s",
			databricks_account_id(databricks), escaped, tail);
}

static char *principal_path(const struct databricks *databricks, const char *workspace_id,
		const char *principal_id)
{
	AUTO(mem_freep) char *escaped = http_escape(principal_id);
	AUTO(mem_freep) char *tail = mem_printf("/principals/%s", escaped);

	return base_path(databricks, workspace_id, tail);
}

void assignment_put(struct databricks *databricks, struct call *call, const char *workspace_id,
		const char *principal_id, const char *level)
{
	call->target = 0;
	call_prepare(call, METHOD_PUT, FAMILY_ASSIGNMENT,
			principal_path(databricks, workspace_id, principal_id),
			json_pack("{s:[s]}", "permissions", level));
	if (text_equal(level, "USER") || text_equal(level, "ADMIN")) {
		call_send(databricks, call);
	} else {
		struct err err;

		/* Any other word, and an empty list, would take the principal out of the workspace. */
		(void)err_set(&err, ERR_BUG, 0, "workspace level \"%.40s\"", level);
		call_finish_unsent(databricks, call, &err);
	}
}

/* The item's own error, also where the answer is a list of items as the bulk form has it. */
static const char *item_error(const struct tape_value *answer)
{
	const struct tape_value *item = tape_first(tape_get(answer, "permission_assignments"));

	return tape_text(tape_get(item ? item : answer, "error"));
}

enum err_code assignment_check_put(struct call *call, struct err *err)
{
	const char *error = item_error(tape_root(call->answer));
	enum err_code code = ERR_REFUSED;

	if (call->code != ERR_NONE) {
		*err = call->err;
		return call->code;
	}
	if (!error || !*error)
		return ERR_NONE;
	if (strstr(error, "RESOURCE_DOES_NOT_EXIST") || strstr(error, "Principal not found"))
		code = ERR_NOT_FOUND;
	else if (strstr(error, "not in workspace"))
		code = ERR_CONFLICT;
	call->code = err_set(err, code, call->status,
			"PUT permission assignment: HTTP %d with error: %.200s", call->status,
			error);
	call->err = *err;
	return code;
}

void assignment_delete(struct databricks *databricks, struct call *call, const char *workspace_id,
		const char *principal_id)
{
	call->target = 0;
	call_prepare(call, METHOD_DELETE, FAMILY_ASSIGNMENT,
			principal_path(databricks, workspace_id, principal_id), NULL);
	call_send(databricks, call);
}

/* ---- the list ---- */

struct assignment_list {
	struct databricks *databricks;
	char *workspace_id;
	void (*done)(void *context, const struct assignment *assignments, size_t count,
			const struct err *err_or_null);
	void *context;
	struct call call;
	struct task task;
	struct arena *arena;
	VEC(struct assignment) assignments;
	struct table *ids;
	unsigned pages;
};

static void list_end(struct assignment_list *list, const struct err *err_or_null)
{
	struct assignment_list ended = *list;
	struct err err;

	if (err_or_null)
		err = *err_or_null;
	task_cancel(&list->task);
	call_release(&list->call);
	mem_free(list);
	ended.done(ended.context, err_or_null ? NULL : ended.assignments.items,
			err_or_null ? 0 : ended.assignments.count, err_or_null ? &err : NULL);
	vec_release(&ended.assignments);
	table_free(ended.ids);
	arena_free(ended.arena);
	mem_free(ended.workspace_id);
}

static const struct {
	const char *key;
	enum principal_kind kind;
} name_keys[] = {{"user_name", PRINCIPAL_USER}, {"group_name", PRINCIPAL_GROUP},
		{"service_principal_name", PRINCIPAL_SERVICE}};

/* Which of the names is there tells the kind; none is flagged, never guessed. */
static enum err_code read_principal(const struct tape_value *principal, struct arena *arena,
		struct assignment *ret, struct err *err)
{
	const struct tape_value *id = tape_get(principal, "principal_id");
	const char *name = NULL;

	/* The same id that SCIM has as text: a number here, of all 64 bits. */
	if ((tape_is(id, TAPE_NUMBER) && strspn(id->text, "0123456789") >= id->len) ||
			(tape_is(id, TAPE_TEXT) && id->len > 0))
		ret->principal_id = arena_strndup(arena, id->text, id->len);
	else
		return err_set(err, ERR_PROTO, 0,
				"permission assignments: an item without principal_id");
	for (size_t i = 0; i < COUNT_OF(name_keys) && !name; i++) {
		name = tape_text(tape_get(principal, name_keys[i].key));
		ret->kind = name_keys[i].kind;
	}
	if (!name)
		return err_set(err, ERR_PROTO, 0,
				"permission assignments: principal %s is neither user, group nor "
				"service principal",
				ret->principal_id);
	ret->name = arena_strdup(arena, name);
	return ERR_NONE;
}

/* ADMIN wins over USER; an item with neither (UNKNOWN, or nothing) is no assignment. */
static const char *level_of(const struct tape_value *permissions)
{
	const char *level = NULL;

	for (const struct tape_value *item = tape_first(permissions); item;
			item = tape_next(permissions, item)) {
		if (text_equal(tape_text(item), "ADMIN"))
			return "ADMIN";
		if (text_equal(tape_text(item), "USER"))
			level = "USER";
	}
	return level;
}

static enum err_code take_page(
		struct assignment_list *list, const struct tape_value *items, struct err *err)
{
	for (const struct tape_value *item = tape_first(items); item;
			item = tape_next(items, item)) {
		struct assignment assignment = {.level = level_of(tape_get(item, "permissions"))};

		if (!assignment.level)
			continue;
		if (read_principal(tape_get(item, "principal"), list->arena, &assignment, err) !=
				ERR_NONE)
			return err->code;
		if (!table_put(list->ids, span_of(assignment.principal_id), list))
			*vec_add(&list->assignments) = assignment;
	}
	return ERR_NONE;
}

static void list_ask(struct assignment_list *list, const char *page_token)
{
	AUTO(mem_freep) char *escaped = page_token ? http_escape(page_token) : NULL;
	AUTO(mem_freep)
	char *tail = escaped ? mem_printf("?page_token=%s", escaped) : mem_strdup("");

	call_prepare(&list->call, METHOD_GET, FAMILY_ASSIGNMENT,
			base_path(list->databricks, list->workspace_id, tail), NULL);
	call_send(list->databricks, &list->call);
}

static void list_run(struct task *task)
{
	struct assignment_list *list = (struct assignment_list *)((char *)task -
			offsetof(struct assignment_list, task));
	AUTO(mem_freep) char *token = NULL;
	const struct tape_value *answer, *items;
	struct err err;

	if (!list->call.done)
		return;
	if (list->call.code != ERR_NONE) {
		list_end(list, &list->call.err);
		return;
	}
	answer = tape_root(list->call.answer);
	items = tape_get(answer, "permission_assignments");
	token = mem_strdup_or_null(tape_text(tape_get(answer, "next_page_token")));
	if (!tape_is(answer, TAPE_OBJECT) || (items && !tape_is(items, TAPE_ARRAY)))
		(void)err_set(&err, ERR_PROTO, 0,
				"permission assignments: expected an object with a list");
	else if (++list->pages > PAGES_MAX)
		(void)err_set(&err, ERR_INCOMPLETE, 0, "permission assignments: over %u pages",
				PAGES_MAX);
	else if (take_page(list, items, &err) == ERR_NONE)
		err.code = ERR_NONE;
	if (err.code != ERR_NONE)
		list_end(list, &err);
	else if (token && *token)
		list_ask(list, token);
	else
		list_end(list, NULL);
}

struct assignment_list *assignment_list_start(struct databricks *databricks,
		const char *workspace_id,
		void (*done)(void *context, const struct assignment *assignments, size_t count,
				const struct err *err_or_null),
		void *context)
{
	struct assignment_list *list = mem_zalloc(sizeof(*list));

	list->databricks = databricks;
	list->workspace_id = mem_strdup(workspace_id);
	list->done = done;
	list->context = context;
	task_init(&list->task, databricks_loop(databricks), list_run);
	list->call.lane = LANE_BULK;
	list->call.wakes = &list->task;
	list->arena = arena_new();
	list->ids = table_new();
	list_ask(list, NULL);
	return list;
}

void assignment_list_cancel(struct assignment_list *list)
{
	task_cancel(&list->task);
	call_release(&list->call);
	vec_release(&list->assignments);
	table_free(list->ids);
	arena_free(list->arena);
	mem_free(list->workspace_id);
	mem_free(list);
}
