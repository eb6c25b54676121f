/* Grants beyond membership: permissions, tokens, rule sets. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "rules_schema.h"
#include "rules_support.h"

#include "base/text.h"
#include "rules/access.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAD "version: 1\n"
#define TO "to: {group: eng}\n  "
#define TO_SP "to: {service_principal: bot}\n  "

static const char config_text[] =
		"version: 1\n"
		"sources:\n"
		"  corp: {uri: ldaps://ldap.example.com, bind: {dn: \"cn=r\", password: env:P}}\n"
		"account: {host: \"https://accounts.example.com\"}\n"
		"workspaces:\n"
		"  prod: {host: \"https://prod.example.com\", tags: {env: prod, Region: eu-1}}\n"
		"  dev-a: {host: \"https://a.example.com\", tags: {env: dev}}\n"
		"  dev-b: {host: \"https://b.example.com\", tags: {zone: x}}\n"
		"store: sqlite:state.db\n";

struct mistake {
	const char *text;    /* one grant: what follows "- " in line 3 */
	const char *message; /* begins so, behind the file's name */
};

static const struct mistake permissions[] = {
		{"{level: CAN_VIEW}", "5:5: this item of `permissions` names no object"},
		{"{job: a}", "5:5: this item of `permissions` lacks `level`"},
		{"{jobb: a, level: CAN_VIEW}", "5:6: unknown key `jobb`, did you mean `job`?"},
		{"{job: a, pipeline: b, level: CAN_VIEW}",
				"5:14: `job` and `pipeline` in one item; make it two"},
		{"{job: a, level: CAN_RUN}",
				"5:21: `CAN_RUN` is no level of job; levels: CAN_VIEW, "
				"CAN_MANAGE_RUN,"},
		{"{notebook: /a, level: CAN_EDITT}",
				"5:27: `CAN_EDITT` is no level of notebook, did you mean "
				"`CAN_EDIT`?; "
				"levels: CAN_READ, CAN_RUN, CAN_EDIT, CAN_MANAGE"},
		{"{job: a, level: READ_IT_ALL}",
				"5:21: `READ_IT_ALL` is no level of job; levels: CAN_VIEW, "
				"CAN_MANAGE_RUN, CAN_MANAGE, IS_OWNER"},
		{"{job: a, level: IS_OWNER}", "5:21: a group can't own a job"},
		{"{authorization: tokens, level: CAN_MANAGE}",
				"5:36: CAN_MANAGE is of the group admins alone"},
		{"{authorization: token, level: CAN_USE}",
				"5:21: unknown value `token`, did you mean `tokens`?"},
		{"{authorization: {id: tokens}, level: CAN_USE}",
				"5:21: `authorization` is tokens or passwords"},
		{"{authorization: passwords, level: CAN_USE, exclusive: true}",
				"5:48: `exclusive` is not for passwords"},
		{"{directory: Shared, level: CAN_READ}", "5:17: `directory`: a path begins with /"},
		{"{directory: /a//b, level: CAN_READ}", "5:17: `/a//b` is no plain path"},
		{"{directory: /a/../b, level: CAN_READ}", "5:17: `/a/../b` is no plain path"},
		{"{directory: {name: a}, level: CAN_READ}",
				"5:18: a directory can't be selected by name"},
		{"{job: {path: /a}, level: CAN_VIEW}", "5:12: a job can't be selected by path"},
		{"{dashboard: {tag: {a: b}}, level: CAN_READ}",
				"5:18: a dashboard can't be selected by tag"},
		{"{instance_pool: {creator: a}, level: CAN_MANAGE}",
				"5:22: a instance_pool can't be selected by creator"},
		{"{job: {id: 1, name: a}, level: CAN_VIEW}", "5:12: `id` selects alone"},
		{"{job: {}, level: CAN_VIEW}", "5:11: this selector selects nothing"},
		{"{job: {all: false}, level: CAN_VIEW}", "5:17: `all` must be true"},
		{"{job: {all: \"true\"}, level: CAN_VIEW}", "5:17: `all` must be true"},
		{"{job: {tag: x}, level: CAN_VIEW}", "5:17: `tag` must be a map"},
		{"{job: {tag: {}}, level: CAN_VIEW}",
				"5:17: `tag` must be a map such as {env: prod}"},
		{"{job: {nam: x}, level: CAN_VIEW}",
				"5:12: unknown key `nam`, did you mean `name`?"},
		{"{job: [a], level: CAN_VIEW}", "5:11: `job` must be a text, this is a list"},
		{"{job: a, level: CAN_VIEW, in: [prd]}",
				"5:36: unknown workspace `prd`, did you mean `prod`?"},
		{"{job: a, level: CAN_VIEW, in: []}", "5:35: `in` names no workspace"},
		{"{job: a, level: CAN_VIEW, in: \"tag:envi=prod\"}",
				"5:35: unknown tag of a workspace `envi`, did you mean `env`?"},
		{"{job: a, level: CAN_VIEW, in: \"tag:colour=x\"}",
				"5:35: unknown tag of a workspace `colour`; known: env, Region, "
				"zone"},
		{"{job: a, level: CAN_VIEW, in: \"tag:env=test\"}",
				"5:35: `tag:env=test`: no workspace has a tag with such a value"},
		{"{job: a, level: CAN_VIEW, exclusive: yes}", "5:42: `exclusive` must be true or"},
		{"{job: \"${cn}\", level: CAN_VIEW}",
				"5:12: ${...} is for grants with `for_each:`"},
};

static const struct mistake grants[] = {
		{TO "permissions: {job: a}", "4:16: `permissions` must be a list"},
		{TO "permissions: []", "3:3: this grant gives nothing"},
		{TO "tokens: {}", "4:11: `tokens` says nothing; write use: true"},
		{TO "tokens: {use: false}", "4:11: `tokens` says nothing"},
		{TO "tokens: {max_lifetime: 90}", "4:26: `max_lifetime` must be a duration"},
		{TO "tokens: {max_lifetime: 3000d}", "4:26: `max_lifetime` must be from 1h to"},
		{TO "tokens: {on_behalf_of: {lifetime: 30d, write_to: file:a}}",
				"4:12: `on_behalf_of` is for service principals"},
		{TO_SP "tokens: {on_behalf_of: {lifetime: 30d}}",
				"4:12: `on_behalf_of` lacks `write_to`"},
		{TO_SP "tokens: {on_behalf_of: {lifetime: 30d, write_to: a}}",
				"4:52: `write_to` must be file:PATH or command:PROGRAM"},
		{TO_SP "tokens: {on_behalf_of: {lifetime: 30d, write_to: \"file:a\"}}",
				"4:52: each workspace has a token of its own; put ${workspace}"},
		{TO_SP "tokens: {on_behalf_of: {lifetime: 30d, write_to: \"file:a/${work}\"}}",
				"4:52: unknown place `work`; known: workspace, applicationId"},
		{TO_SP "tokens: {on_behalf_of: {lifetime: 30d, write_to: "
		       "\"file:../a/${workspace}\"}}",
				"4:52: `write_to`: `../a/${workspace}` is no path of a file"},
		{TO_SP "tokens: {on_behalf_of: {lifetime: 30d, write_to: \"command:put\"}}",
				"4:52: `write_to`: the program must be an absolute path"},
		{TO_SP "tokens: {on_behalf_of: {lifetime: 7d, rotate_before: 7d, write_to: "
		       "\"file:${workspace}\"}}",
				"4:56: `rotate_before` must be shorter than `lifetime`"},
		{TO "manages: {group: [a]}", "4:13: unknown key `group`, did you mean `groups`?"},
		{TO "uses: {groups: [a]}", "4:10: unknown key `groups`"},
		{TO "workspaces: {\"tag:env=nope\": USER}",
				"4:16: `tag:env=nope`: no workspace has a tag with such a value"},
		{"workspaces: {prod: USER}", "3:3: this item of `grants` lacks `to` or `for_each`"},
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
	expect_all(HEAD "grants:\n- to: {group: eng}\n  permissions:\n  - ", permissions,
			COUNT_OF(permissions));
	expect_all(HEAD "grants:\n- ", grants, COUNT_OF(grants));
	assert_int_equal(unexpected, 0);
}

static struct config *load(const char *mapping)
{
	schema_must_accept(mapping_schema(), mapping);
	return support_must_load(config_text, mapping);
}

static const struct grant_rule *first_grant(const struct config *config)
{
	size_t count;
	const struct grant_rule *grant = mapping_grants(config_mapping(config), &count);

	assert_int_equal(count, 1);
	return grant;
}

static void reads_permissions(void **state)
{
	static const char mapping[] =
			HEAD "grants:\n"
			     "- to: {group: eng}\n"
			     "  workspaces: {prod: USER, \"dev-*\": ADMIN}\n"
			     "  permissions:\n"
			     "  - {directory: /Workspace/Shared/etl/, level: CAN_MANAGE}\n"
			     "  - {job: \"nightly-*\", level: CAN_MANAGE_RUN, in: prod, exclusive: "
			     "true}\n"
			     "  - {job: \"a\\\\*b\", level: CAN_VIEW, in: [\"tag:env=*\"]}\n"
			     "  - {cluster: {tag: {team: etl, env: \"p*\"}, creator: "
			     "\"*@example.com\"}, "
			     "level: CAN_RESTART}\n"
			     "  - {registered_model: {id: root}, level: CAN_READ}\n"
			     "  - {app: {all: true}, level: CAN_USE}\n"
			     "  - {authorization: tokens, level: CAN_USE}\n"
			     "  - {notebook: {path: \"/Teams/**/run\"}, level: CAN_RUN}\n"
			     "  - {sql_warehouse: {name: x}, level: CAN_USE}\n";
	static const struct {
		const char *selector, *level, *in;
		size_t in_count;
	} expected[] = {{"directory /Shared/etl", "CAN_MANAGE", "prod", 2},
			{"job nightly-*", "CAN_MANAGE_RUN", "prod", 1},
			{"job a*b", "CAN_VIEW", "tag:env=*", 1},
			{"cluster with tag team=etl and tag env=p* made by *@example.com",
					"CAN_RESTART", "prod", 2},
			{"registered_model with id root", "CAN_READ", "prod", 2},
			{"every app", "CAN_USE", "prod", 2},
			{"authorization tokens", "CAN_USE", "prod", 2},
			{"notebook /Teams/**/run", "CAN_RUN", "prod", 2},
			{"sql_warehouse x", "CAN_USE", "prod", 2}};
	struct config *config = load(mapping);
	const struct grant_rule *grant = first_grant(config);
	struct arena *arena = arena_new();

	(void)state;
	assert_int_equal(grant->permission_count, COUNT_OF(expected));
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		const struct permission_rule *rule = &grant->permissions[i];

		assert_string_equal(
				selector_describe(&rule->selector, arena), expected[i].selector);
		assert_string_equal(rule->level, expected[i].level);
		assert_int_equal(rule->in_count, expected[i].in_count);
		assert_string_equal(rule->in[0], expected[i].in);
		assert_int_equal(rule->why.line, 6 + i);
		assert_int_equal(rule->exclusive, i == 1);
	}
	assert_true(grant->permissions[1].selector.is_glob);
	assert_false(grant->permissions[2].selector.is_glob);
	arena_free(arena);
	config_free(config);
}

/* Every type of the model is a key, and takes a text and its first level. */
static void knows_every_type(void **state)
{
	(void)state;
	for (enum securable_type type = 0; type < SECURABLE_TYPE_COUNT_; type++) {
		const struct securable_traits *traits = securable_traits(type);
		const char *name = type == SECURABLE_AUTHORIZATION ? "tokens"
				: traits->in_tree                  ? "/a"
								   : "a";
		AUTO(mem_freep)
		char *text = mem_printf(HEAD
				"grants:\n- to: {user: a@example.com}\n  permissions:\n"
				"  - {%s: %s, level: %s}\n",
				traits->name, name, traits->levels[0]);
		struct config *config = load(text);
		const struct permission_rule *rule = first_grant(config)->permissions;

		assert_int_equal(rule->selector.type, type);
		assert_string_equal(rule->in[0], "*");
		assert_ptr_equal(rule->level, traits->levels[0]);
		config_free(config);
	}
}

static void reads_tokens_and_rule_sets(void **state)
{
	static const char mapping[] = HEAD
			"grants:\n"
			"- to: {service_principal: bot}\n"
			"  tokens: {use: true, max_lifetime: 90d, on_behalf_of: {lifetime: 30d, "
			"write_to: \"command:/usr/bin/put ${workspace} ${applicationId}\"}}\n"
			"  manages: {groups: [a, b], service_principals: c}\n"
			"  uses: {service_principals: [d]}\n";
	struct config *config = load(mapping);
	const struct grant_rule *grant = first_grant(config);
	const struct token_rule *tokens = grant->tokens;
	struct sink_values values = {.workspace = "pr od"};
	struct arena *arena = arena_new();

	(void)state;
	assert_true(tokens->use);
	assert_int_equal(tokens->max_lifetime_ms, INT64_C(90) * 24 * 3600 * 1000);
	assert_string_equal(tokens->in[0], "*");
	assert_int_equal(tokens->why.line, 4);
	assert_int_equal(tokens->on_behalf_of->lifetime_ms, INT64_C(30) * 24 * 3600 * 1000);
	assert_int_equal(tokens->on_behalf_of->rotate_before_ms, INT64_C(7) * 24 * 3600 * 1000);
	assert_int_equal(tokens->on_behalf_of->write_to.kind, SINK_COMMAND);
	assert_null(sink_text(&tokens->on_behalf_of->write_to, &values, arena));
	values.application_id = "../x y";
	assert_string_equal(sink_text(&tokens->on_behalf_of->write_to, &values, arena),
			"/usr/bin/put pr_od _._x_y");
	assert_int_equal(grant->manages_group_count, 2);
	assert_string_equal(grant->manages_groups[1], "b");
	assert_string_equal(grant->manages_services[0], "c");
	assert_string_equal(grant->uses_services[0], "d");
	arena_free(arena);
	config_free(config);
}

/* The samples that are shipped are good, and their own tests pass. */
static void samples_are_good(void **state)
{
	static const char *const samples[] = {"access", "company", "minimal"};
	const char *top = getenv("top_srcdir");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		AUTO(mem_freep)
		char *path = mem_printf(
				"%s/mappings/%s/ldap2dbx.yaml", top ? top : ".", samples[i]);
		struct arena *arena = arena_new();
		const struct mapping_test_result *results;
		struct config *config;
		struct err err;
		size_t count;

		if (config_load(path, NULL, &config, &err) != ERR_NONE)
			fail_msg("%s", err.text);
		assert_int_equal(mapping_run_tests(config_mapping(config), arena, &results, &count),
				0);
		(void)mapping_warnings(config_mapping(config), &count);
		assert_int_equal(count, 0);
		config_free(config);
		arena_free(arena);
	}
}

/* Workspaces that are found later may have any name. */
static void takes_any_workspace_when_they_are_discovered(void **state)
{
	AUTO(mem_freep) char *discovering = mem_printf("%s", config_text);
	char *account = strstr(discovering, "account: {host");
	AUTO(mem_freep) char *text = NULL;
	struct config *config;

	(void)state;
	assert_non_null(account);
	*account = '\0';
	text = mem_printf("%saccount: {discover: {workspaces: true}, %s", discovering,
			account + strlen("account: {"));
	config = support_must_load(
			text, HEAD "grants:\n- to: {group: g}\n  workspaces: {x9: USER}\n");
	assert_true(config_settings(config)->discover.workspaces);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(says_what_is_wrong),
			cmocka_unit_test(reads_permissions),
			cmocka_unit_test(knows_every_type),
			cmocka_unit_test(reads_tokens_and_rule_sets),
			cmocka_unit_test(samples_are_good),
			cmocka_unit_test(takes_any_workspace_when_they_are_discovered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
