/* Grants with `for_each:`: what a directory group of some name gets. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "rules_schema.h"
#include "rules_support.h"

#include "base/text.h"
#include "rules/evaluate.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAD "version: 1\n"

static const char config_text[] =
		"version: 1\n"
		"sources:\n"
		"  corp: {uri: ldaps://ldap.example.com, bind: {dn: \"cn=r\", password: env:P}}\n"
		"account: {host: \"https://accounts.example.com\"}\n"
		"workspaces:\n"
		"  prod: {host: \"https://prod.example.com\", tags: {env: prod, Region: eu-1}}\n"
		"  dev-a: {host: \"https://a.example.com\", tags: {env: dev}}\n"
		"  dev-b: {host: \"https://b.example.com\"}\n"
		"store: sqlite:state.db\n";

struct mistake {
	const char *text;    /* one grant: what follows "- " in line 3 */
	const char *message; /* begins so, behind the file's name */
};

#define EACH "for_each: {group: '^dbx-(?<team>[a-z]+)-(?<role>ro|rw)$'}\n  "
static const struct mistake eaches[] = {
		{"for_each: {}\n  workspaces: {prod: USER}", "3:3: `for_each` lacks `group`"},
		{"for_each: x", "3:13: `for_each` must be a map, this is a text"},
		{"for_each: {group: '^(dbx'}\n  workspaces: {prod: USER}",
				"3:21: pattern: missing closing parenthesis"},
		{"for_each: {group: '(?<lower>x)'}\n  workspaces: {prod: USER}",
				"3:21: the pattern's group `lower` has a name that means something "
				"else"},
		{"for_each: {group: '(?<end>x)'}\n  workspaces: {prod: USER}",
				"3:21: the pattern's group `end` has a name that means something "
				"else"},
		{"for_each: {group: '(?<CN>x)'}\n  workspaces: {prod: USER}",
				"3:21: the pattern's group `CN` has the name of the variable `cn`"},
		{"for_each: {group: '(?<workspace>x)'}\n  workspaces: {prod: USER}",
				"3:21: the pattern's group `workspace` has the name of the "
				"variable"},
		{"for_each: {group: '(?<a>x)(?<A>y)'}\n  workspaces: {prod: USER}",
				"3:21: the pattern's group `a` has the name of the variable `A`"},
		{EACH "permissions:\n  - {directory: \"/T/${tem}\", level: CAN_READ}",
				"5:23: unknown variable `tem`, did you mean `team`?"},
		{EACH "permissions:\n  - {directory: \"/T/${mail}\", level: CAN_READ}",
				"5:23: unknown variable `mail`; here there are: cn, displayName, "
				"role, "
				"team"},
		{EACH "permissions:\n  - {directory: \"/T/${in_group('x') and 'a'}\", level: "
		      "CAN_READ}",
				"5:23: `in_group` asks about an entry"},
		{EACH "permissions:\n  - {directory: \"/T/${team\", level: CAN_READ}",
				"5:21: `${` lacks its closing `}`"},
		{EACH "permissions:\n  - {directory: \"/T/${team}\", level: CAN_REED}",
				"5:38: `CAN_REED` is no level of directory, did you mean "
				"`CAN_READ`?"},
		{EACH "permissions:\n  - {job: \"${team}\", level: IS_OWNER}",
				"5:29: a group can't own a job"},
		{EACH "workspaces: {prd: \"${role}\"}",
				"4:16: unknown workspace `prd`, did you mean `prod`?"},
		{EACH "entitlements: [\"${team}\"]", "4:3: `entitlements` belong to workspaces"},
		{EACH "to: {service_principal: \"svc-${team}\"}\n  tokens: {on_behalf_of: "
		      "{lifetime: 30d, write_to: \"${team}\"}}",
				"5:52: `write_to` begins with file: or command: as it is written"},
		{EACH "to: {group: \"${workspace}\"}\n  workspaces: {prod: USER}",
				"4:18: unknown variable `workspace`"},
};

static const struct mistake tests_of_groups[] = {
		{"{group: a}", "3:3: this item of `tests` lacks `gives`"},
		{"{gives: a}", "3:4: `gives` goes with `group`"},
		{"{displayName: a, entry: {a: b}, expect: none}",
				"3:4: `displayName` goes with `group`"},
		{"{group: a, gives: [], kind: user}", "3:25: `kind` and `group` exclude"},
		{"{}", "3:3: this item of `tests` lacks `entry` or `group`"},
};

static int unexpected;

static void expect(const char *mapping, const char *message)
{
	static const char place[] = "mappings/a.yaml:";
	struct config *config = NULL;
	struct err err;

	if (support_load(config_text, mapping, &config, &err) == ERR_NONE) {
		config_free(config);
		(void)snprintf(err.text, sizeof(err.text), "nothing");
	}
	if (text_starts_with(err.text, place) &&
			text_starts_with(err.text + strlen(place), message))
		return;
	print_error("%s\nsays: %s\nnot: %s\n", mapping, err.text, message);
	unexpected++;
}

static void expect_all(const char *head, const struct mistake *mistakes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		AUTO(mem_freep) char *text = mem_printf("%s%s\n", head, mistakes[i].text);

		expect(text, mistakes[i].message);
	}
}

static void says_what_is_wrong(void **state)
{
	(void)state;
	expect_all(HEAD "grants:\n- ", eaches, COUNT_OF(eaches));
	expect_all(HEAD "tests:\n- ", tests_of_groups, COUNT_OF(tests_of_groups));
	assert_int_equal(unexpected, 0);
}

static struct config *load(const char *mapping)
{
	schema_must_accept(mapping_schema(), mapping);
	return support_must_load(config_text, mapping);
}

static const char each_mapping[] = HEAD
		"grants:\n"
		"- for_each: {group: '^dbx-(?<team>[a-z]+)-(?<role>ro|rw|adm)(?<extra>-x)?$'}\n"
		"  workspaces: {prod: \"${role == 'adm' and 'ADMIN' or 'USER'}\", \"dev-${team}\": "
		"\"${team == 'a' and 'USER'}\"}\n"
		"  entitlements: [workspace-access, \"${role == 'rw' and "
		"'allow-cluster-create'}\"]\n"
		"  permissions:\n"
		"  - {directory: \"/Teams/${team}\", level: \"${role == 'ro' and 'CAN_READ' or "
		"'CAN_EDIT'}\"}\n"
		"  - {job: {name: \"${team}-*\", tag: {team: \"${upper(team)}\"}}, level: \"${role "
		"== "
		"'rw' and 'CAN_MANAGE' or nil}\", in: [\"tag:env=${role == 'ro' and 'dev' or "
		"'prod'}\"]}\n"
		"  tokens: {use: true, max_lifetime: \"${role == 'rw' and '30d' or '90d'}\"}\n"
		"  manages: {groups: [\"${displayName}-sub\", \"${extra}\"]}\n";

struct each {
	struct config *config;
	struct evaluator *evaluator;
	const struct grant_each *each;
	struct arena *arena;
	struct grant_rule grant;
	struct err err;
};

static struct each each_start(const char *mapping)
{
	struct each e = {.config = load(mapping), .arena = arena_new()};
	size_t count;

	e.evaluator = evaluator_new(config_mapping(e.config));
	e.each = mapping_for_each(config_mapping(e.config), &count)[0];
	assert_int_equal(count, 1);
	assert_int_equal(grant_each_why(e.each).line, 3);
	return e;
}

static enum each_result each_run(struct each *e, const char *cn, const char *display_name)
{
	return evaluate_for_each(
			e->evaluator, e->each, cn, display_name, e->arena, &e->grant, &e->err);
}

static void each_end(struct each *e)
{
	evaluator_free(e->evaluator);
	arena_free(e->arena);
	config_free(e->config);
}

static void gives_each_group_its_own(void **state)
{
	struct each e = each_start(each_mapping);
	const struct grant_rule *grant = &e.grant;

	(void)state;
	assert_int_equal(each_run(&e, "DBX-a-rw", "A writers"), EACH_MATCHED);
	assert_int_equal(grant->kind, PRINCIPAL_GROUP);
	assert_string_equal(grant->name, "A writers");
	assert_int_equal(grant->workspace_count, 2);
	assert_string_equal(grant->workspaces[0].level, "USER");
	assert_string_equal(grant->workspaces[1].glob, "dev-a");
	assert_int_equal(grant->entitlement_count, 2);
	assert_int_equal(grant->permission_count, 2);
	assert_string_equal(grant->permissions[0].selector.path, "/Teams/a");
	assert_string_equal(grant->permissions[0].level, "CAN_EDIT");
	assert_int_equal(grant->permissions[0].in_count, 2);
	assert_string_equal(grant->permissions[1].selector.name, "a-*");
	assert_true(grant->permissions[1].selector.is_glob);
	assert_string_equal(grant->permissions[1].selector.tags[0].value, "A");
	assert_string_equal(grant->permissions[1].in[0], "tag:env=prod");
	assert_int_equal(grant->permissions[1].why.line, 8);
	assert_int_equal(grant->tokens->max_lifetime_ms, INT64_C(30) * 24 * 3600 * 1000);
	assert_int_equal(grant->manages_group_count, 1);
	assert_string_equal(grant->manages_groups[0], "A writers-sub");
	assert_int_equal(each_run(&e, "dbx-b-ro-x", "B"), EACH_MATCHED);
	assert_int_equal(grant->workspace_count, 1); /* dev-b would have no level */
	assert_int_equal(grant->entitlement_count, 1);
	assert_int_equal(grant->permission_count, 1);
	assert_string_equal(grant->permissions[0].level, "CAN_READ");
	assert_int_equal(grant->manages_group_count, 2);
	assert_string_equal(grant->manages_groups[1], "-x");
	each_end(&e);
}

static void leaves_other_groups_alone(void **state)
{
	struct each e = each_start(each_mapping);

	(void)state;
	assert_int_equal(each_run(&e, "dbx-a-xx", "A"), EACH_UNMATCHED);
	assert_int_equal(each_run(&e, "staff", "staff"), EACH_UNMATCHED);
	/* Nothing is made of it that could get something. */
	assert_int_equal(each_run(&e, "dbx-a-rw", NULL), EACH_UNMATCHED);
	each_end(&e);
}

static void names_whom_it_gives_to(void **state)
{
	struct each e = each_start(HEAD "grants:\n- for_each: {group: 'app-(?<app>\\w+)'}\n"
					"  to: {service_principal: \"svc-${lower(app)}\"}\n"
					"  permissions: [{job: \"${app}\", level: IS_OWNER}]\n"
					"  tokens: {on_behalf_of: {lifetime: 30d, write_to: "
					"\"file:tokens/${app}/${workspace}\"}}\n");
	struct sink_values values = {.workspace = "prod"};

	(void)state;
	assert_int_equal(each_run(&e, "app-Web", NULL), EACH_MATCHED);
	assert_int_equal(e.grant.kind, PRINCIPAL_SERVICE);
	assert_string_equal(e.grant.name, "svc-web");
	assert_non_null(strstr(sink_text(&e.grant.tokens->on_behalf_of->write_to, &values, e.arena),
			"/tokens/Web/prod"));
	each_end(&e);
}

static void says_why_a_group_fails(void **state)
{
	static const struct {
		const char *text, *cn, *reason;
	} cases[] = {
			{"permissions:\n  - {job: \"${x}\", level: \"CAN_${x}\"}", "g-FLY",
					"mappings/a.yaml:5:26: `CAN_FLY` is no level of job"},
			{"permissions:\n  - {job: \"${x}\", level: \"CAN_${x}\"}", "g-",
					"mappings/a.yaml:5:11: `job` has no value"},
			{"workspaces: {\"${x}\": USER}", "g-test",
					"mappings/a.yaml:4:16: unknown workspace `test`"},
			{"workspaces: {prod: \"${x}\"}", "g-USR",
					"mappings/a.yaml:4:22: unknown value `USR`, did you mean"},
			{"workspaces: {prod: USER}\n  entitlements: \"${x}\"", "g-y",
					"mappings/a.yaml:5:17: unknown entitlement `y`"},
			{"roles: [\"${x}\"]", "g-y", "mappings/a.yaml:4:11: unknown role `y`"},
			{"permissions:\n  - {directory: \"/a/${x}\", level: CAN_READ}", "g-..",
					"mappings/a.yaml:5:17: `/a/..` is no plain path"},
			{"to: {group: \"${x + 1}\"}\n  workspaces: {prod: USER}", "g-y",
					"mappings/a.yaml:4:15: group: attempt to perform "
					"arithmetic"},
			{"to: {group: \"${true}\"}\n  workspaces: {prod: USER}", "g-y",
					"mappings/a.yaml:4:15: its value is true, not a text"},
			{"to: {service_principal: s}\n  tokens: {on_behalf_of: {lifetime: 1d, "
			 "write_to: \"file:a/${x}/${workspace}\"}}",
					"g-a/b",
					"mappings/a.yaml:5:51: write_to: a ${} in a path or"},
			{"to: {service_principal: s}\n  tokens: {on_behalf_of: {lifetime: 1d, "
			 "write_to: \"file:a/${x}/${workspace}\"}}",
					"g-..",
					"mappings/a.yaml:5:51: write_to: a ${} in a path or"},
			{"tokens: {max_lifetime: \"${x}\"}", "g-long",
					"mappings/a.yaml:4:26: `max_lifetime` must be a duration"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(mem_freep)
		char *text = mem_printf(HEAD "grants:\n- for_each: {group: '^g-(?<x>.*)$'}\n  %s\n",
				cases[i].text);
		struct each e = each_start(text);
		const char *at;

		assert_int_equal(each_run(&e, cases[i].cn, "made"), EACH_FAILED);
		at = strstr(e.err.text, "mappings/");
		if (!at || !text_starts_with(at, cases[i].reason))
			fail_msg("%s\nnot: %s", e.err.text, cases[i].reason);
		each_end(&e);
	}
}

/* The same for the same, whatever was evaluated before. */
static void serves_hundreds_of_groups(void **state)
{
	struct each e = each_start(each_mapping);

	(void)state;
	for (unsigned i = 0; i < 600; i++) {
		const char *cn = arena_printf(e.arena, "dbx-%c%c-%s", 'a' + (int)(i % 26),
				'a' + (int)(i / 26), i % 2 ? "ro" : "rw");

		/* dev-TEAM is no workspace, and has no level. */
		assert_int_equal(each_run(&e, cn, cn), EACH_MATCHED);
		assert_string_equal(e.grant.name, cn);
		assert_string_equal(e.grant.permissions[0].level, i % 2 ? "CAN_READ" : "CAN_EDIT");
		assert_memory_equal(e.grant.permissions[0].selector.path + strlen("/Teams/"),
				cn + strlen("dbx-"), 2);
	}
	each_end(&e);
}

/* `check` finds what a template gives. */
static void tests_what_groups_get(void **state)
{
	static const char tests[] =
			"tests:\n"
			"- group: dbx-a-rw\n"
			"  displayName: A\n"
			"  gives: [CAN_EDIT directory /Teams/a, USER workspace prod, "
			"entitlement allow-cluster-create, max_lifetime 30d, manages group A-sub, "
			"CAN_USE authorization tokens, CAN_MANAGE job a-* with tag team=A]\n"
			"- {group: staff, gives: []}\n"
			"- {group: dbx-a-ro, gives: CAN_EDIT directory /Teams/a}\n"
			"- {group: dbx-a-ro, gives: []}\n"
			"- {group: staff, gives: x}\n";
	static const char *const expected[] = {NULL, NULL,
			"does not give \"CAN_EDIT directory /Teams/a\"; it gives \"USER workspace "
			"prod\"",
			"nothing is expected; it gives \"USER workspace prod\", \"USER workspace "
			"dev-a\"",
			"does not give \"x\"; it gives nothing"};
	AUTO(mem_freep) char *mapping = mem_printf("%s%s", each_mapping, tests);
	struct config *config = load(mapping);
	struct arena *arena = arena_new();
	const struct mapping_test_result *results;
	size_t count;

	(void)state;
	assert_int_equal(mapping_run_tests(config_mapping(config), arena, &results, &count), 3);
	assert_int_equal(count, COUNT_OF(expected));
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(results[i].passed, !expected[i]);
		if (expected[i] && !text_starts_with(results[i].text, expected[i]))
			fail_msg("%s", results[i].text);
	}
	arena_free(arena);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(says_what_is_wrong),
			cmocka_unit_test(gives_each_group_its_own),
			cmocka_unit_test(leaves_other_groups_alone),
			cmocka_unit_test(names_whom_it_gives_to),
			cmocka_unit_test(says_why_a_group_fails),
			cmocka_unit_test(serves_hundreds_of_groups),
			cmocka_unit_test(tests_what_groups_get),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
