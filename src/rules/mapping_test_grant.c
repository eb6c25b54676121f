/* `tests:` about grants with `for_each:`: what a directory group of some name gets, without a directory. */
#include "rules/mapping_test.h"

#include "base/clock.h"
#include "base/text.h"

#define LINES_SHOWN_MAX ((size_t)600)

typedef VEC(const char *) line_vec;

#define add_line(lines, arena, ...) (*vec_add(lines) = arena_printf(arena, __VA_ARGS__))

static void add_named(line_vec *lines, struct arena *arena, const char *what,
		const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_line(lines, arena, "%s %s", what, names[i]);
}

static void add_tokens(line_vec *lines, struct arena *arena, const struct token_rule *tokens)
{
	char duration[CLOCK_TEXT_SIZE];

	if (!tokens)
		return;
	if (tokens->use)
		add_line(lines, arena, "CAN_USE authorization tokens");
	if (tokens->max_lifetime_ms) {
		clock_format_duration(tokens->max_lifetime_ms, duration);
		add_line(lines, arena, "max_lifetime %s", duration);
	}
	if (tokens->on_behalf_of)
		add_line(lines, arena, "on_behalf_of %s", tokens->on_behalf_of->write_to.text);
}

/* What the grant gives, one line each; the words of the rules. */
static void add_grant(line_vec *lines, struct arena *arena, const struct grant_rule *grant)
{
	for (size_t i = 0; i < grant->workspace_count; i++)
		add_line(lines, arena, "%s workspace %s", grant->workspaces[i].level,
				grant->workspaces[i].glob);
	for (size_t i = 0; i < grant->permission_count; i++)
		add_line(lines, arena, "%s %s", grant->permissions[i].level,
				selector_describe(&grant->permissions[i].selector, arena));
	add_named(lines, arena, "entitlement", grant->entitlements, grant->entitlement_count);
	add_named(lines, arena, "role", grant->roles, grant->role_count);
	add_tokens(lines, arena, grant->tokens);
	add_named(lines, arena, "manages group", grant->manages_groups, grant->manages_group_count);
	add_named(lines, arena, "manages service_principal", grant->manages_services,
			grant->manages_service_count);
	add_named(lines, arena, "uses service_principal", grant->uses_services,
			grant->uses_service_count);
}

static bool has_line(const line_vec *lines, const char *wanted)
{
	for (vec_each (lines, line)) {
		if (strcmp(*line, wanted) == 0)
			return true;
	}
	return false;
}

static void list_lines(const line_vec *lines, struct buf *out)
{
	struct buf list;

	buf_init(&list, LINES_SHOWN_MAX);
	for (vec_each (lines, line))
		buf_printf(&list, "%s\"%s\"", list.len ? ", " : "", *line);
	buf_printf(out, "%s%s", buf_text(&list), list.overflowed ? "..." : "");
	buf_release(&list);
}

static void compare(const struct test *test, const line_vec *lines, struct buf *differences)
{
	for (size_t i = 0; i < test->gives.count; i++) {
		if (!has_line(lines, test->gives.items[i]))
			buf_printf(differences, "%sdoes not give \"%s\"",
					differences->len ? "; " : "", test->gives.items[i]);
	}
	if (test->gives.count == 0 && lines->count)
		buf_add_text(differences, "nothing is expected");
	if (!differences->len)
		return;
	buf_add_text(differences, lines->count ? "; it gives " : "; it gives nothing");
	list_lines(lines, differences);
}

void mapping_judge_grants(const struct mapping *mapping, struct evaluator *evaluator,
		const struct test *test, struct arena *arena, struct buf *differences)
{
	line_vec lines = {0};

	for (size_t i = 0; i < mapping->each_count && !differences->len; i++) {
		struct grant_rule grant;
		struct err err;

		switch (evaluate_for_each(evaluator, mapping->eaches[i], test->group,
				test->display_name ? test->display_name : test->group, arena,
				&grant, &err)) {
		case EACH_FAILED:
			buf_printf(differences, "it failed: %s", err.text);
			break;
		case EACH_MATCHED:
			add_grant(&lines, arena, &grant);
			break;
		case EACH_UNMATCHED:
			break;
		}
	}
	if (!differences->len)
		compare(test, &lines, differences);
	vec_release(&lines);
}
