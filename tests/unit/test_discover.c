/* Which workspaces of the account become targets, and how they are called. */
#include "sync/discover.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct pair prod_tags[] = {{"env", "prod"}, {"team", "data"}};
static const struct tag wanted_tags[] = {{"env", "pr*"}};
static const char *const excludes[] = {"scratch*"};
static const char *const matches[] = {"*-eu"};

static struct workspace_info workspace(const char *id, const char *name, int64_t created_ms)
{
	return (struct workspace_info){.id = id,
			.name = name,
			.created_ms = created_ms,
			.usable = true,
			.host = "https://x.example.com"};
}

/* "NAME=ID NAME=ID", in arena. */
static const char *choose(const struct settings *settings, const struct workspace_info *infos,
		size_t count, struct arena *arena)
{
	static const char *const hosts[8] = {NULL, "https://file.example.com"};
	const struct target_settings *targets;
	size_t chosen = discover_choose(settings, hosts, infos, count, arena, &targets);
	const char *text = "";

	for (size_t i = 0; i < chosen; i++) {
		assert_true(targets[i].discovered);
		text = arena_printf(arena, "%s%s%s=%s", text, *text ? " " : "", targets[i].name,
				targets[i].workspace_id);
	}
	return text;
}

static void test_choice(void **state)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct target_settings targets[] = {
			{.name = "account", .is_account = true}, {.name = "mine"}};
	struct settings settings = {.targets = targets, .target_count = 2, .has_account = true};
	struct workspace_info infos[] = {workspace("1", "b-eu", 5), workspace("2", "a-eu", 6),
			workspace("3", "scratch", 7), workspace("4", "down", 8),
			workspace("5", "in the file", 9), workspace("6", "B-EU", 4)};

	(void)state;
	infos[3].usable = false;
	infos[4].host = "https://file.example.com";
	infos[1].tags = (struct pairs){prod_tags, 2};
	assert_string_equal(choose(&settings, infos, 6, arena), "B-EU=6 a-eu=2 b-eu-1=1 scratch=3");
	settings.discover.exclude = excludes;
	settings.discover.exclude_count = 1;
	assert_string_equal(choose(&settings, infos, 6, arena), "B-EU=6 a-eu=2 b-eu-1=1");
	settings.discover.match = matches;
	settings.discover.match_count = 1;
	settings.discover.tags = wanted_tags;
	settings.discover.tag_count = 1;
	assert_string_equal(choose(&settings, infos, 6, arena), "a-eu=2");
	/* Named by its id in the file, it is not discovered either. */
	targets[1].workspace_id = "2";
	assert_string_equal(choose(&settings, infos, 6, arena), "");
}

static void test_names(void **state)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct target_settings targets[] = {{.name = "account", .is_account = true},
			{.name = "prod"},
			{.name = "old-name", .workspace_id = "7", .discovered = true}};
	struct settings settings = {.targets = targets, .target_count = 3, .has_account = true};
	struct workspace_info infos[] = {workspace("1", "Prod", 1), workspace("2", "odd / name", 2),
			workspace("7", "new-name", 3), workspace("8", "old-name", 0),
			workspace("9", NULL, 4), workspace("10", "", 5)};

	(void)state;
	infos[4].deployment = "dbc-1";
	/* A name of the file stays the file's; who was renamed keeps its name; what has none has its id. */
	assert_string_equal(choose(&settings, infos, 6, arena),
			"10=10 Prod-1=1 dbc-1=9 odd---name=2 old-name=7 old-name-8=8");
}

static void test_memory(void **state)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct tag tags[] = {{"env", "prod"}};
	struct target_settings targets[] = {{.name = "account", .is_account = true},
			{.name = "a",
					.host = "https://a.example.com",
					.workspace_id = "1",
					.tags = tags,
					.tag_count = 1,
					.discovered = true},
			{.name = "b",
					.host = "https://b.example.com",
					.workspace_id = "2",
					.discovered = true}};
	struct settings settings = {.targets = targets, .target_count = 3, .has_account = true};
	AUTO(mem_freep) char *text = discover_to_text(&settings);
	const struct target_settings *read;
	size_t gone, count = discover_from_text(text, arena, &read, &gone);

	(void)state;
	assert_int_equal(count, 2);
	assert_int_equal(gone, 0);
	assert_true(discover_is_same(&settings, read, 2));
	assert_false(discover_is_same(&settings, read, 1));
	assert_false(discover_is_same(&settings, read, 0));
	tags[0].value = "dev";
	assert_false(discover_is_same(&settings, read, 2));
	settings.target_count = 1;
	assert_true(discover_is_same(&settings, read, 0));
	assert_false(discover_is_same(&settings, read, 2));
	assert_int_equal(discover_from_text("[{\"name\":1}]", arena, &read, &gone), 0);
	assert_int_equal(discover_from_text("{", arena, &read, &gone), 0);
	assert_int_equal(discover_from_text(NULL, arena, &read, &gone), 0);
}

/* Out of the list and back again under another name: what the store knows of it has its first name. */
static void test_the_vanished_keep_their_names(void **state)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct target_settings targets[] = {{.name = "account", .is_account = true}};
	struct target_settings vanished[] = {{.name = "old",
			.host = "https://a.example.com",
			.workspace_id = "7",
			.discovered = true}};
	struct settings settings = {.targets = targets,
			.target_count = 1,
			.has_account = true,
			.vanished = vanished,
			.vanished_count = 1};
	struct workspace_info infos[] = {workspace("7", "new", 1)};
	AUTO(mem_freep) char *text = discover_to_text(&settings);
	const struct target_settings *read;
	size_t gone, count = discover_from_text(text, arena, &read, &gone);

	(void)state;
	assert_int_equal(count, 0);
	assert_int_equal(gone, 1);
	assert_string_equal(read[0].name, "old");
	assert_string_equal(choose(&settings, infos, 1, arena), "old=7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_choice),
			cmocka_unit_test(test_names),
			cmocka_unit_test(test_memory),
			cmocka_unit_test(test_the_vanished_keep_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
