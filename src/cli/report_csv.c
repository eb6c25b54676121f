/* Reviews as comma-separated values. Columns are a public interface (doc/ldap2dbx.1). */
#include "cli/csv.h"
#include "cli/report.h"

#include "cli/report_text.h"

static const char *const entry_fields[] = {"workspace", "type", "id", "object", "kind", "name",
		"level", "through", "direct", "inherited", "from", "state", "ours", "wanted",
		"file", "line"};
static const char *const right_fields[] = {"side", "workspace", "kind", "id", "object", "level",
		"to", "through", "state", "ours", "file", "line"};

/* A copy of item with more fields; NULL values are left out. */
static json_t *with(const json_t *item, const char *const (*more)[2], size_t count)
{
	json_t *row = json_copy((json_t *)(uintptr_t)item);

	for (size_t i = 0; i < count; i++) {
		if (more[i][1])
			json_object_set_new(row, more[i][0], json_string(more[i][1]));
	}
	return row;
}

static char *joined(const json_t *list)
{
	char *text = NULL;
	size_t i;
	const json_t *item;

	json_array_foreach(list, i, item)
	{
		char *longer = mem_printf("%s%s%s", text ? text : "", text ? "; " : "",
				json_string_value(item));

		mem_free(text);
		text = longer;
	}
	return text;
}

static void entry_row(FILE *file, const json_t *object, const json_t *entry)
{
	AUTO(mem_freep) char *through = joined(json_object_get(entry, "through"));
	const char *const more[][2] = {{"workspace", text_at(object, "target")},
			{"type", text_at(object, "type")}, {"id", text_at(object, "id")},
			{"object", text_at(object, "name")},
			{"through", through ? through : text_at(entry, "via")}};
	json_auto_t *row = with(entry, more, COUNT_OF(more));

	csv_row(file, row, entry_fields, COUNT_OF(entry_fields));
}

/* With --expand the people take the place of the entries. */
void csv_who_can(FILE *file, const json_t *answer)
{
	const json_t *people = json_object_get(answer, "people"), *item;
	size_t i;

	csv_header(file, entry_fields, COUNT_OF(entry_fields));
	json_array_foreach(json_is_array(people) ? people : json_object_get(answer, "entries"), i,
			item) entry_row(file, json_object_get(answer, "object"), item);
}

void csv_ways(FILE *file, const json_t *answer)
{
	const json_t *item;
	size_t i;

	csv_header(file, entry_fields, COUNT_OF(entry_fields));
	json_array_foreach(json_object_get(answer, "ways"), i, item)
			entry_row(file, json_object_get(answer, "object"), item);
}

static void right_rows(FILE *file, const json_t *rights, const char *side)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(rights, "groups"), i, item)
	{
		const char *const more[][2] = {{"side", side},
				{"workspace", text_at(item, "target")}, {"kind", "group"},
				{"object", text_at(item, "name")},
				{"through", text_at(item, "via")}};
		json_auto_t *row = with(item, more, COUNT_OF(more));

		csv_row(file, row, right_fields, COUNT_OF(right_fields));
	}
	json_array_foreach(json_object_get(rights, "grants"), i, item)
	{
		const char *const more[][2] = {{"side", side},
				{"workspace", text_at(item, "target")},
				{"level", text_at(item, "value")}};
		json_auto_t *row = with(item, more, COUNT_OF(more));

		csv_row(file, row, right_fields, COUNT_OF(right_fields));
	}
	json_array_foreach(json_object_get(rights, "permissions"), i, item)
	{
		const char *const more[][2] = {{"side", side},
				{"workspace", text_at(item, "target")},
				{"kind", text_at(item, "type")}, {"object", text_at(item, "name")}};
		json_auto_t *row = with(item, more, COUNT_OF(more));

		csv_row(file, row, right_fields, COUNT_OF(right_fields));
	}
	json_array_foreach(json_object_get(rights, "tokens"), i, item)
	{
		AUTO(mem_freep)
		char *live = mem_printf("%" JSON_INTEGER_FORMAT, int_at(item, "live"));
		const char *const more[][2] = {{"side", side},
				{"workspace", text_at(item, "target")}, {"kind", "tokens"},
				{"level", live}};
		json_auto_t *row = with(item, more, COUNT_OF(more));

		csv_row(file, row, right_fields, COUNT_OF(right_fields));
	}
}

void csv_explain(FILE *file, const json_t *explain)
{
	csv_header(file, right_fields, COUNT_OF(right_fields));
	right_rows(file, explain, text_at(explain, "name"));
}

void csv_diff(FILE *file, const json_t *answer)
{
	csv_header(file, right_fields, COUNT_OF(right_fields));
	right_rows(file, json_object_get(answer, "only_a"),
			text_at(json_object_get(answer, "a"), "name"));
	right_rows(file, json_object_get(answer, "only_b"),
			text_at(json_object_get(answer, "b"), "name"));
	right_rows(file, json_object_get(answer, "both"), "both");
}

/* ---- what is, what is wrong ---- */

static const char *const target_fields[] = {"target", "host", "sign_in", "calls", "throttled",
		"failed", "error", "users", "groups", "service_principals", "members", "grants",
		"permissions", "roles", "cluster_policies", "ip_access_lists", "settings",
		"secrets", "federation_policies", "on_behalf_tokens", "tokens", "held",
		"quarantined", "last_read", "retry"};
static const char *const check_fields[] = {"area", "name", "check", "state", "text"};

void csv_status(FILE *file, const json_t *status)
{
	const json_t *target;
	size_t i;

	csv_header(file, target_fields, COUNT_OF(target_fields));
	json_array_foreach(json_object_get(status, "targets"), i, target)
	{
		const char *const more[][2] = {{"target", text_at(target, "name")},
				{"retry", text_at(json_object_get(target, "due"), "retry")}};
		json_auto_t *row = with(target, more, COUNT_OF(more));

		json_object_update_missing(row, json_object_get(target, "ours"));
		csv_row(file, row, target_fields, COUNT_OF(target_fields));
	}
}

void csv_doctor(FILE *file, const json_t *checks)
{
	const json_t *check;
	size_t i;

	csv_header(file, check_fields, COUNT_OF(check_fields));
	json_array_foreach(checks, i, check)
			csv_row(file, check, check_fields, COUNT_OF(check_fields));
}
