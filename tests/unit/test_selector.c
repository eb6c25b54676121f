#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "model/ip_range.h"
#include "model/selector.h"
#include "model/settings.h"

static void test_names(void **state)
{
	static const struct {
		const char *name, *text;
		bool matches;
	} cases[] = {
			{"nightly", "nightly", true},
			{"nightly", "Nightly", false},
			{"nightly-*", "nightly-1", true},
			{"nightly-*", "nightly-", true},
			{"nightly-*", "nightly", false},
			{"*a*b", "xaxbxab", true},
			{"*a*b", "xaxbxabc", false},
			{"v?", "v\xc3\xa4", true},
			{"v?", "v", false},
			{"v[12]", "v2", true},
			{"v[12]", "v3", false},
			{"v[0-9]x", "v7x", true},
			{"v[!0-9]x", "v7x", false},
			{"v[!0-9]x", "vax", true},
			{"v[!]]x", "v]x", false},
			{"v[]]x", "v]x", true},
			{"v[*", "v[1", true},
			{"a\\*b*", "a*bc", true},
			{"a\\*b*", "axbc", false},
			{"*/jobs", "team/a/jobs", true},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct selector selector = {.type = SECURABLE_JOB,
				.name = cases[i].name,
				.is_glob = selector_is_glob(cases[i].name)};
		struct securable_facts facts = {.name = cases[i].text};

		if (selector_matches(&selector, &facts) != cases[i].matches)
			fail_msg("%s, %s", cases[i].name, cases[i].text);
	}
}

static void test_paths(void **state)
{
	static const struct {
		const char *path, *text;
		bool matches;
	} cases[] = {
			{"/Shared/etl", "/Shared/etl", true},
			{"/Shared/etl", "/Shared/etl/a", false},
			{"/Teams/*", "/Teams/a", true},
			{"/Teams/*", "/Teams/a/b", false},
			{"/Teams/*", "/Teams", false},
			{"/*", "/", false},
			{"/Teams/**", "/Teams/a/b", true},
			{"/Teams/**", "/Teams", false},
			{"/Teams/**/etl", "/Teams/etl", true},
			{"/Teams/**/etl", "/Teams/a/b/etl", true},
			{"/Teams/**/etl", "/Teams/a/b/etl/c", false},
			{"/**/a/**/b", "/x/a/b/c/b", true},
			{"/**/a/**/b", "/x/b/a", false},
			{"/Teams/x-*/**", "/Teams/x-1/q", true},
			{"/Teams/x-*/**", "/Teams/y-1/q", false},
			{"/Teams/a**b", "/Teams/axb", true},
			{"/Teams/a**b", "/Teams/a/b", false},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct selector selector = {.type = SECURABLE_DIRECTORY,
				.path = cases[i].path,
				.is_glob = selector_is_glob(cases[i].path)};
		struct securable_facts facts = {.path = cases[i].text};

		if (selector_matches(&selector, &facts) != cases[i].matches)
			fail_msg("%s, %s", cases[i].path, cases[i].text);
	}
}

static void test_walk(void **state)
{
	static const struct {
		const char *path, *from, *folder;
		bool enters;
	} cases[] = {
			{"/Teams/x-*", "/Teams", "/", true},
			{"/Teams/x-*", "/Teams", "/Teams", true},
			{"/Teams/x-*", "/Teams", "/Teams/x-1", false},
			{"/Teams/x-*", "/Teams", "/Users", false},
			{"/Teams/*/jobs/**", "/Teams", "/Teams/a/jobs/b/c", true},
			{"/Teams/*/jobs/**", "/Teams", "/Teams/a/notes", false},
			{"/Shared/etl/run", "/Shared/etl", "/Shared", true},
			{"/Shared/etl/run", "/Shared/etl", "/Shared/etl/run", false},
			{"/*", "/", "/", true},
			{"/*", "/", "/a", false},
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct selector selector = {.type = SECURABLE_DIRECTORY,
				.path = cases[i].path,
				.is_glob = selector_is_glob(cases[i].path)};

		assert_string_equal(selector_folder(&selector, arena), cases[i].from);
		if (selector_enters_folder(&selector, cases[i].folder) != cases[i].enters)
			fail_msg("%s, %s", cases[i].path, cases[i].folder);
	}
	arena_free(arena);
}

static void test_other_facts(void **state)
{
	static const struct tag wanted[] = {{"env", "prod*"}, {"team", "*"}};
	static const struct tag has[] = {{"team", "etl"}, {"env", "prod-eu"}};
	struct selector selector = {
			.type = SECURABLE_CLUSTER, .creator = "*@Example.com", .tags = wanted};
	struct securable_facts facts = {
			.creator = "ada@example.COM", .tags = has, .tag_count = COUNT_OF(has)};
	struct selector id = {.type = SECURABLE_CLUSTER, .id = "0101-a"};
	struct selector all = {.type = SECURABLE_CLUSTER, .all = true};

	(void)state;
	selector.tag_count = COUNT_OF(wanted);
	assert_true(selector_matches(&selector, &facts));
	facts.tag_count = 1;
	assert_false(selector_matches(&selector, &facts));
	facts.tag_count = 2;
	facts.creator = NULL;
	assert_false(selector_matches(&selector, &facts));
	assert_false(selector_matches(&id, &facts));
	facts.id = "0101-a";
	assert_true(selector_matches(&id, &facts));
	assert_true(selector_matches(&all, &facts));
	assert_false(selector_matches(&(struct selector){.type = SECURABLE_CLUSTER}, &facts));
	assert_true(selector_equal(&selector, &selector));
	assert_false(selector_equal(&selector, &id));
}

static void test_described(void **state)
{
	static const struct tag tag = {"env", "prod"};
	static const struct {
		struct selector selector;
		const char *text;
	} cases[] = {
			{{.type = SECURABLE_JOB, .name = "nightly-*"}, "job nightly-*"},
			{{.type = SECURABLE_DIRECTORY, .path = "/a"}, "directory /a"},
			{{.type = SECURABLE_JOB, .all = true}, "every job"},
			{{.type = SECURABLE_JOB, .id = "7"}, "job with id 7"},
			{{.type = SECURABLE_AUTHORIZATION, .id = "tokens"}, "authorization tokens"},
			{{.type = SECURABLE_JOB, .tags = &tag, .tag_count = 1, .creator = "a@x"},
					"job with tag env=prod made by a@x"},
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_string_equal(selector_describe(&cases[i].selector, arena), cases[i].text);
	arena_free(arena);
}

static void test_targets(void **state)
{
	static const struct tag tags[] = {{"env", "prod"}, {"region", "eu-1"}};
	static const struct target_settings prod = {
			.name = "prod", .tags = tags, .tag_count = COUNT_OF(tags)};
	static const struct target_settings account = {.name = "account", .is_account = true};
	static const struct {
		const char *pattern;
		bool matches;
	} cases[] = {{"prod", true}, {"PROD", true}, {"p*", true}, {"dev", false},
			{"tag:env=prod", true}, {"tag:ENV=Prod", true}, {"tag:env=dev", false},
			{"tag:region=eu-*", true}, {"tag:region", true}, {"tag:owner", false}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (target_matches(&prod, cases[i].pattern) != cases[i].matches)
			fail_msg("%s", cases[i].pattern);
	}
	assert_false(target_matches(&account, "*"));
	assert_true(target_matches_any(&prod, (const char *const[]){"dev", "prod"}, 2));
	assert_false(target_matches_any(&prod, NULL, 0));
}

static void test_ip_ranges(void **state)
{
	static const char *const wrong[] = {"", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.04",
			"1.2.3.4/33", "1.2.3.4/", "1.2.3.4/1x", "1.2.3.4 ", "a.b.c.d",
			"2001:db8::1", "::ffff:192.0.2.1", "-1.2.3.4", "1..2.3"};
	struct ip_range block, one, other, all;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		if (!ip_range_parse(wrong[i], &one))
			fail_msg("%s", wrong[i]);
	}
	assert_null(ip_range_parse("192.0.2.9/24", &block));
	assert_int_equal(block.address, 0xc0000200);
	assert_int_equal(block.length, 24);
	assert_null(ip_range_parse("192.0.2.255", &one));
	assert_null(ip_range_parse("192.0.3.0", &other));
	assert_null(ip_range_parse("0.0.0.0/0", &all));
	assert_true(ip_range_holds(block, one));
	assert_false(ip_range_holds(one, block));
	assert_true(ip_range_meets(one, block));
	assert_false(ip_range_holds(block, other));
	assert_false(ip_range_meets(block, other));
	assert_true(ip_range_holds(all, block));
	assert_non_null(strstr(ip_range_parse("2001:db8::1", &one), "IPv6"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_names),
			cmocka_unit_test(test_paths),
			cmocka_unit_test(test_walk),
			cmocka_unit_test(test_other_facts),
			cmocka_unit_test(test_described),
			cmocka_unit_test(test_targets),
			cmocka_unit_test(test_ip_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
