#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/text.h"
#include "sync/access/permission_index.h"

static struct target_settings targets[] = {
		{.name = "account", .is_account = true}, {.name = "prod"}, {.name = "dev"}};
static const struct settings settings = {
		.targets = targets, .target_count = 3, .has_account = true};
static const char *const everywhere[] = {"*"};
static const char *const in_prod[] = {"prod"};

#define JOB(glob, wanted_level, rule_line)                                                         \
	{                                                                                          \
		.selector = {.type = SECURABLE_JOB, .name = (glob), .is_glob = true},              \
		.level = (wanted_level), .in = everywhere, .in_count = 1,                          \
		.why = {.file = "m.yaml",                                                          \
			.line = (rule_line) }                                                      \
	}
#define GROUP(rules, group)                                                                        \
	{                                                                                          \
		.kind = PRINCIPAL_GROUP, .name = (group), .permissions = (rules),                  \
		.permission_count = sizeof(rules) / sizeof((rules)[0])                             \
	}

static void match(const struct permission_index *index, unsigned target, const char *job,
		struct arena *arena, struct wanted_acl *ret)
{
	struct securable_facts facts = {.id = "1", .name = job};

	permission_index_match(index, target, SECURABLE_JOB, &facts, arena, ret);
}

static void rules_about_one_principal_are_merged(void **state)
{
	static const struct permission_rule low[] = {JOB("nightly-*", "CAN_VIEW", 1)},
					    high[] = {JOB("*-load", "CAN_MANAGE_RUN", 2)};
	const struct grant_rule grants[] = {GROUP(low, "Etl"), GROUP(high, "etl")};
	struct permission_index *index = permission_index_new(&settings);
	struct arena *arena = arena_new();
	struct wanted_acl wanted;

	(void)state;
	permission_index_set(index, NODE_OF_FILES, grants, 2, NULL, NULL);
	match(index, 1, "nightly-load", arena, &wanted);
	assert_int_equal(wanted.count, 1);
	assert_string_equal(wanted.entries[0].key, "group/etl");
	assert_string_equal(wanted.entries[0].level, "CAN_MANAGE_RUN");
	assert_int_equal(wanted.entries[0].why.line, 2);
	match(index, 1, "nightly-clean", arena, &wanted);
	assert_string_equal(wanted.entries[0].level, "CAN_VIEW");
	match(index, 1, "adhoc", arena, &wanted);
	assert_false(wanted.matched);
	/* The account has no objects. */
	match(index, 0, "nightly-load", arena, &wanted);
	assert_false(wanted.matched);
	arena_free(arena);
	permission_index_free(index);
}

static void two_owners_are_a_conflict(void **state)
{
	static const struct permission_rule own[] = {JOB("*", "IS_OWNER", 7)};
	struct grant_rule grants[] = {GROUP(own, "ada@example.com"), GROUP(own, "bo@example.com")};
	struct permission_index *index = permission_index_new(&settings);
	struct arena *arena = arena_new();
	struct wanted_acl wanted;

	(void)state;
	grants[0].kind = grants[1].kind = PRINCIPAL_USER;
	permission_index_set(index, NODE_OF_FILES, grants, 1, NULL, NULL);
	match(index, 2, "any", arena, &wanted);
	assert_null(wanted.conflict);
	permission_index_set(index, NODE_OF_FILES, grants, 2, NULL, NULL);
	match(index, 2, "any", arena, &wanted);
	assert_non_null(wanted.conflict);
	assert_non_null(strstr(wanted.conflict, "m.yaml:7"));
	arena_free(arena);
	permission_index_free(index);
}

struct places {
	unsigned count;
	unsigned target;
	enum securable_type type;
	bool more;
};

static void note(void *context, unsigned target, enum securable_type type, bool more)
{
	struct places *places = context;

	places->count++;
	places->target = target;
	places->type = type;
	places->more = more;
}

static void what_a_group_brings_goes_with_it(void **state)
{
	static const struct permission_rule ours[] = {JOB("*", "CAN_VIEW", 1)};
	struct permission_rule one[] = {JOB("*", "CAN_MANAGE", 3)};
	const struct grant_rule files[] = {GROUP(ours, "etl")};
	struct grant_rule node[] = {GROUP(one, "etl")};
	struct permission_index *index = permission_index_new(&settings);
	struct arena *arena = arena_new();
	struct places places = {0};
	struct wanted_acl wanted;

	(void)state;
	one[0].in = in_prod;
	permission_index_set(index, NODE_OF_FILES, files, 1, NULL, NULL);
	permission_index_set(index, 5, node, 1, note, &places);
	assert_int_equal(places.count, 1);
	assert_int_equal(places.target, 1);
	assert_int_equal(places.type, SECURABLE_JOB);
	assert_true(places.more);
	match(index, 1, "any", arena, &wanted);
	assert_string_equal(wanted.entries[0].level, "CAN_MANAGE");
	match(index, 2, "any", arena, &wanted);
	assert_string_equal(wanted.entries[0].level, "CAN_VIEW");
	permission_index_set(index, 5, NULL, 0, note, &places);
	assert_int_equal(places.count, 2);
	assert_false(places.more);
	match(index, 1, "any", arena, &wanted);
	assert_string_equal(wanted.entries[0].level, "CAN_VIEW");
	arena_free(arena);
	permission_index_free(index);
}

static void the_use_of_tokens_is_a_permission(void **state)
{
	const struct token_rule tokens = {.use = true, .in = in_prod, .in_count = 1};
	const struct grant_rule grant = {.kind = PRINCIPAL_GROUP, .name = "etl", .tokens = &tokens};
	struct securable_facts facts = {.id = "tokens", .name = "tokens"};
	struct permission_index *index = permission_index_new(&settings);
	struct arena *arena = arena_new();
	struct wanted_acl wanted;

	(void)state;
	permission_index_set(index, NODE_OF_FILES, &grant, 1, NULL, NULL);
	permission_index_match(index, 1, SECURABLE_AUTHORIZATION, &facts, arena, &wanted);
	assert_int_equal(wanted.count, 1);
	assert_string_equal(wanted.entries[0].level, "CAN_USE");
	permission_index_match(index, 2, SECURABLE_AUTHORIZATION, &facts, arena, &wanted);
	assert_int_equal(wanted.count, 0);
	arena_free(arena);
	permission_index_free(index);
}

static void exclusive_is_said_by_one_rule(void **state)
{
	struct permission_rule rules[] = {JOB("*", "CAN_VIEW", 1), JOB("n*", "CAN_VIEW", 2)};
	struct grant_rule grant[] = {GROUP(rules, "etl")};
	struct permission_index *index = permission_index_new(&settings);
	struct arena *arena = arena_new();
	struct wanted_acl wanted;

	(void)state;
	rules[1].exclusive = true;
	permission_index_set(index, NODE_OF_FILES, grant, 1, NULL, NULL);
	match(index, 1, "adhoc", arena, &wanted);
	assert_false(wanted.exclusive);
	match(index, 1, "nightly", arena, &wanted);
	assert_true(wanted.exclusive);
	assert_int_equal(wanted.exclusive_why.line, 2);
	assert_int_equal(wanted.count, 1);
	arena_free(arena);
	permission_index_free(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(rules_about_one_principal_are_merged),
			cmocka_unit_test(two_owners_are_a_conflict),
			cmocka_unit_test(what_a_group_brings_goes_with_it),
			cmocka_unit_test(the_use_of_tokens_is_a_permission),
			cmocka_unit_test(exclusive_is_said_by_one_rule)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
