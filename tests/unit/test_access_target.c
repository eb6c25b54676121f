/* What belongs to targets and to service principals: IP access lists, secrets, federation, settings, discovery, sweeps. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "json_schema.h"
#include "rules_schema.h"
#include "rules_support.h"

#include "base/text.h"
#include "rules/evaluate.h"
#include "rules/setting.h"

#include <stdio.h>

#define HEAD "version: 1\n"
#define SOURCES                                                                                    \
	HEAD "sources: {corp: {uri: ldaps://h, bind: {dn: \"cn=r\", password: env:P}}}\n"          \
	     "store: sqlite:state.db\n"
#define WORKSPACES                                                                                 \
	"workspaces: {prod: {host: \"https://p\", tags: {env: prod}}, dev: {host: "                \
	"\"https://d\"}}\n"
#define ACCOUNT "account: {host: \"https://accounts.example.com\"}\n"
static const char with_account[] = SOURCES ACCOUNT WORKSPACES;
static const char without_account[] = SOURCES WORKSPACES;
static const char grant[] = HEAD "grants: [{to: {group: g}, roles: account_admin}]\n";

static int unexpected;

static void expect(const char *config, const char *mapping, const char *message)
{
	struct config *loaded = NULL;
	struct err err;

	if (support_load(config, mapping, &loaded, &err) == ERR_NONE) {
		config_free(loaded);
		(void)snprintf(err.text, sizeof(err.text), "nothing");
	}
	if (text_starts_with(err.text, message))
		return;
	print_error("%s%s\nsays: %s\nnot: %s\n", config, mapping, err.text, message);
	unexpected++;
}

static struct config *load(const char *config, const char *mapping)
{
	schema_must_accept(config_schema(), config);
	schema_must_accept(mapping_schema(), mapping);
	return support_must_load(config, mapping);
}

/* ---- IP access lists ---- */

static const struct {
	const char *text; /* behind "- " in line 3 */
	const char *message;
} lists[] = {
		{"{type: ALLOW, addresses: [192.0.2.1], in: prod}",
				"3:3: this item of `ip_access_lists` lacks `label`"},
		{"{label: a, type: ALOW, addresses: [192.0.2.1], in: prod}",
				"3:20: unknown value `ALOW`, did you mean `ALLOW`?"},
		{"{label: a, type: ALLOW, addresses: [], in: prod}",
				"3:38: `addresses` names no address"},
		{"{label: a, type: ALLOW, addresses: [192.0.2.1, 192.0.2.300], in: prod}",
				"3:50: `192.0.2.300`: it is no IPv4 address"},
		{"{label: a, type: ALLOW, addresses: \"2001:db8::/32\", in: prod}",
				"3:38: `2001:db8::/32`: Databricks' IP access lists take IPv4 "
				"only"},
		{"{label: a, type: ALLOW, addresses: 192.0.2.0/33, in: prod}",
				"3:38: `192.0.2.0/33`: the prefix of a block is a number"},
		{"{label: a, type: ALLOW, addresses: 192.0.2.1}",
				"3:3: this item of `ip_access_lists` lacks `in`, or `account: "
				"true`"},
		{"{label: a, type: ALLOW, addresses: 192.0.2.1, account: true, in: prod}",
				"3:64: `in` and `account: true` exclude each other"},
		{"{label: a, type: ALLOW, addresses: 192.0.2.1, in: prd}",
				"3:53: unknown workspace `prd`"},
		{"{label: a, type: BLOCK, addresses: 192.0.2.0/24, in: prod, must_keep: 192.0.2.7}",
				"3:73: must_keep 192.0.2.7 would be shut out of prod: list `a` "
				"(line 3) "
				"blocks 192.0.2.0/24"},
		{"{label: a, type: ALLOW, addresses: 192.0.2.0/24, in: prod, must_keep: [10.0.0.1, "
		 "192.0.2.7]}\n- {label: b, type: BLOCK, addresses: 192.0.2.7, in: \"*\"}",
				"3:84: must_keep 192.0.2.7 would be shut out of prod: list `b` "
				"(line 4)"},
		{"{label: a, type: ALLOW, addresses: 192.0.2.1, in: \"*\"}\n"
		 "- {label: a, type: ALLOW, addresses: 192.0.2.2, in: dev}",
				"4:11: dev would have two ALLOW lists `a`, the other of"},
};

static void says_what_is_wrong_with_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		AUTO(mem_freep)
		char *text = mem_printf(HEAD "ip_access_lists:\n- %s\n", lists[i].text);
		AUTO(mem_freep) char *message = mem_printf("mappings/a.yaml:%s", lists[i].message);

		expect(with_account, text, message);
	}
	expect(without_account,
			HEAD "ip_access_lists:\n"
			     "- {label: a, type: ALLOW, addresses: 192.0.2.1, account: true}\n",
			"mappings/a.yaml:3:49: `account: true`, but no `account:` is configured");
	assert_int_equal(unexpected, 0);
}

static void reads_lists(void **state)
{
	static const char mapping[] = HEAD
			"ip_access_lists:\n"
			"- {label: a, type: ALLOW, addresses: [192.0.2.0/24, 198.51.100.9], in: "
			"\"tag:env=prod\", must_keep: 192.0.2.7}\n"
			"- {label: a, type: BLOCK, addresses: 203.0.113.0/24, in: [prod, dev]}\n"
			"- {label: off, type: BLOCK, addresses: 192.0.2.7, in: prod, enabled: "
			"false}\n"
			"- {label: a, type: ALLOW, addresses: 192.0.2.1, account: true, must_keep: "
			"[203.0.113.1]}\n";
	struct config *config = load(with_account, mapping);
	size_t count;
	const struct ip_list_rule *rules = mapping_ip_access_lists(config_mapping(config), &count);
	const char *const *warnings;

	(void)state;
	assert_int_equal(count, 4);
	assert_false(rules[0].block);
	assert_true(rules[0].enabled);
	assert_int_equal(rules[0].address_count, 2);
	assert_string_equal(rules[0].must_keep[0], "192.0.2.7");
	assert_string_equal(rules[0].in[0], "tag:env=prod");
	assert_true(rules[1].block);
	assert_false(rules[2].enabled);
	assert_true(rules[3].account);
	assert_int_equal(rules[3].in_count, 0);
	assert_int_equal(rules[3].why.line, 6);
	warnings = mapping_warnings(config_mapping(config), &count);
	assert_int_equal(count, 1);
	assert_non_null(strstr(warnings[0], "a.yaml:6:76: must_keep 203.0.113.1 is in no list"));
	config_free(config);
}

static void warns_of_the_quota(void **state)
{
	struct arena *arena = arena_new();
	struct config *config;
	struct buf text;
	size_t count;

	(void)state;
	buf_init(&text, (size_t)1024 * 1024);
	buf_add_text(&text,
			HEAD "ip_access_lists:\n- {label: a, type: ALLOW, in: prod, addresses: "
			     "[192.0.2.1");
	for (unsigned i = 1; i < 1000; i++)
		buf_printf(&text, ", 10.0.%u.%u", i / 250, i % 250);
	buf_add_text(&text, "]}\n");
	config = support_must_load(with_account, buf_text(&text));
	(void)mapping_warnings(config_mapping(config), &count);
	assert_int_equal(count, 0);
	config_free(config);
	buf_add_text(&text, "- {label: b, type: BLOCK, in: \"*\", addresses: 198.51.100.1}\n");
	config = support_must_load(with_account, buf_text(&text));
	assert_non_null(strstr(mapping_warnings(config_mapping(config), &count)[0],
			"prod would have 1001 addresses in its lists; Databricks takes 1000"));
	assert_int_equal(count, 1);
	config_free(config);
	buf_release(&text);
	arena_free(arena);
}

/* ---- service principals ---- */

#define SEARCH "search: {base: \"ou=s,dc=example,dc=com\", filter: (uid=*)}"
static const struct {
	const char *text; /* behind "- " in line 3 */
	const char *message;
} services[] = {
		{"{service_principal: {displayName: a}}",
				"3:3: this item of `service_principals` lacks `search`, or "
				"`listed`"},
		{"{" SEARCH "}",
				"3:3: this item of `service_principals` lacks `service_principal`"},
		{"{listed: {displayName: a}, when: x}",
				"3:30: `when` is for service principals of the directory"},
		{"{listed: {displayName: a}, external_id: none}", "3:30: `external_id` is for"},
		{"{listed: []}", "3:12: `listed` names no service principal"},
		{"{listed: {displayNam: a}}",
				"3:13: unknown key `displayNam`, did you mean `displayName`?"},
		{"{listed: {displayName: \"${uid}\"}}",
				"3:26: `displayName` of a listed service principal is a plain "
				"text"},
		{"{listed: {displayName: a, applicationId: 7}}", "3:44: `applicationId` is a UUID"},
		{"{listed: [{displayName: a}, {displayName: A}]}",
				"3:31: service principal `A` is listed twice, first in"},
		{"{listed: {displayName: a}, secrets: {lifetime: 30d}}",
				"3:30: `secrets` lacks `write_to`"},
		{"{listed: {displayName: a}, secrets: {lifetime: 7d, write_to: file:a}}",
				"3:30: `rotate_before` must be shorter than `lifetime`"},
		{"{listed: {displayName: a}, secrets: {write_to: \"file:${workspace}\"}}",
				"3:50: unknown place `workspace`; known: displayName, "
				"applicationId"},
		{"{listed: [{displayName: a}, {displayName: b}], secrets: {write_to: file:a}}",
				"3:70: each service principal has a secret of its own"},
		{"{" SEARCH ", service_principal: {displayName: a}, secrets: {write_to: file:a}}",
				"3:120: each service principal has a secret of its own"},
		{"{listed: {displayName: a}, federation_policies: {issuer: x}}",
				"3:51: `federation_policies` must be a list"},
		{"{listed: {displayName: a}, federation_policies: [{issuer: \"https://i\", "
		 "subject: "
		 "s}]}",
				"3:52: this item of `federation_policies` lacks `policy_id`"},
		{"{listed: {displayName: a}, federation_policies: [{policy_id: A, issuer: "
		 "\"https://i\", subject: s}]}",
				"3:64: `policy_id` is up to 64 lower-case letters"},
		{"{listed: {displayName: a}, federation_policies: [{policy_id: a, issuer: "
		 "\"http://i\", subject: s}]}",
				"3:75: `issuer` must be an https address"},
		{"{listed: {displayName: a}, federation_policies: [{policy_id: a, issuer: "
		 "\"https://i\"}]}",
				"3:52: this item of `federation_policies` lacks `subject`"},
		{"{listed: {displayName: a}, federation_policies: [{policy_id: a, issuer: "
		 "\"https://i\", subject: \"${name}\"}]}",
				"3:97: unknown place `name`"},
		{"{listed: {displayName: a}, federation_policies: [{policy_id: a, issuer: "
		 "\"https://i\", subject: s}, {policy_id: a, issuer: \"https://j\", subject: s}]}",
				"3:113: `a` is there twice, first in line 3"},
};

static void says_what_is_wrong_with_services(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(services); i++) {
		AUTO(mem_freep)
		char *text = mem_printf(HEAD "service_principals:\n- %s\n", services[i].text);
		AUTO(mem_freep)
		char *message = mem_printf("mappings/a.yaml:%s", services[i].message);

		expect(with_account, text, message);
	}
	expect(without_account,
			HEAD
			"service_principals:\n- {listed: {displayName: a}, secrets: {write_to: "
			"file:a}}\n",
			"mappings/a.yaml:3:30: `secrets` are made through the account");
	assert_int_equal(unexpected, 0);
}

static void reads_services(void **state)
{
	static const char mapping[] = HEAD
			"service_principals:\n"
			"- listed: [{displayName: a}, {displayName: b, applicationId: "
			"00000000-0000-0000-0000-0000000000Ab}]\n"
			"  secrets: {write_to: \"file:/run/s/${displayName}\"}\n"
			"  federation_policies:\n"
			"  - {policy_id: ci, issuer: \"https://idp.example\", subject: "
			"\"repo:org/x:${displayName}\", audiences: [x, y], subject_claim: sub, "
			"description: CI, jwks_uri: \"https://idp.example/keys\"}\n"
			"- listed: {displayName: c}\n"
			"  federation_policies: []\n"
			"- search: {base: \"ou=s,dc=example,dc=com\", filter: (uid=*)}\n"
			"  service_principal: {displayName: \"${uid}\"}\n"
			"  secrets: {lifetime: 30d, rotate_before: 10d, write_to: "
			"\"command:/bin/put ${applicationId}\"}\n";
	struct config *config = load(with_account, mapping);
	struct sink_values values = {.display_name = "a b/c"};
	struct arena *arena = arena_new();
	size_t count;
	const struct identity *listed = mapping_listed_services(config_mapping(config), &count);
	const struct service_rule *rule = listed[0].service;

	(void)state;
	assert_int_equal(count, 3);
	assert_int_equal(listed[1].kind, PRINCIPAL_SERVICE);
	assert_true(listed[1].active);
	assert_string_equal(listed[1].fields[FIELD_APPLICATION_ID],
			"00000000-0000-0000-0000-0000000000Ab");
	assert_null(listed[0].fields[FIELD_EXTERNAL_ID]);
	assert_ptr_equal(listed[1].service, rule);
	assert_true(rule->has_secret);
	assert_int_equal(rule->lifetime_ms, INT64_C(90) * 24 * 3600 * 1000);
	assert_int_equal(rule->rotate_before_ms, INT64_C(14) * 24 * 3600 * 1000);
	assert_int_equal(rule->secret_why.line, 4);
	assert_string_equal(sink_text(&rule->write_to, &values, arena), "/run/s/a_b_c");
	assert_int_equal(rule->policy_count, 1);
	assert_string_equal(
			federation_subject(&rule->policies[0], &values, arena), "repo:org/x:a b/c");
	assert_int_equal(rule->policies[0].audience_count, 2);
	assert_int_equal(rule->policies[0].why.line, 6);
	assert_false(listed[2].service->has_secret);
	assert_true(listed[2].service->has_policies);
	arena_free(arena);
	config_free(config);
}

/* What a rule says of secrets goes with every identity that it makes. */
static void gives_identities_their_rule(void **state)
{
	static const char mapping[] =
			HEAD "service_principals:\n"
			     "- search: {base: \"ou=s,dc=example,dc=com\", filter: (uid=*)}\n"
			     "  service_principal: {displayName: \"${uid}\"}\n"
			     "  secrets: {write_to: \"file:/run/s/${displayName}\"}\n";
	static const struct span uid = {"bot", 3};
	static const struct attribute attribute = {"uid", &uid, 1};
	static const struct entry entry = {"a", "uid=bot", &attribute, 1};
	struct config *config = load(with_account, mapping);
	struct evaluator *evaluator = evaluator_new(config_mapping(config));
	struct arena *arena = arena_new();
	struct evaluation evaluation;
	size_t count;

	(void)state;
	evaluate_entry(evaluator, mapping_searches(config_mapping(config), &count), &entry, NULL,
			arena, &evaluation);
	assert_int_equal(evaluation.result, EVALUATED);
	assert_true(evaluation.identity.service->has_secret);
	arena_free(arena);
	evaluator_free(evaluator);
	config_free(config);
}

/* ---- ldap2dbx.yaml ---- */

static const struct {
	const char *text; /* from line 4 on */
	const char *message;
} configs[] = {
		{"workspaces: {a: {tags: prod}}", "4:24: `tags` must be a map such as"},
		{"workspaces: {a: {tags: {\"a=b\": c}}}", "4:25: `a=b` is no key of a tag"},
		{"workspaces: {a: {tags: {a: [b]}}}", "4:28: `a` must be a text"},
		{"workspaces: {a: {settings: {enableTokenConfig: true}}}",
				"4:29: unknown setting `enableTokenConfig`, did you mean "
				"`enableTokensConfig`?"},
		{"workspaces: {a: {settings: {acct_ip_acl_enable: true}}}",
				"4:29: `acct_ip_acl_enable` is a setting of the account"},
		{"workspaces: {a: {settings: {enableTokensConfig: yes}}}",
				"4:49: `enableTokensConfig` must be true or false, not `yes`"},
		{"workspaces: {a: {settings: {maxTokenLifetimeDays: 900}}}",
				"4:51: `maxTokenLifetimeDays` must be a whole number from 0 to "
				"730"},
		{"workspaces: {a: {settings: {maxTokenLifetimeDays: \"\"}}}",
				"4:51: `maxTokenLifetimeDays` is empty"},
		{"workspaces: {a: {settings: {restrict_workspace_admins: ALLOW}}}",
				"4:56: unknown value `ALLOW`; known: ALLOW_ALL"},
		{"account: {settings: {enableIpAccessLists: true}}",
				"4:22: `enableIpAccessLists` is a setting of workspaces"},
		{"account: {discover: true}", "4:21: `discover` must be a map"},
		{"account: {discover: {}}", "4:11: `discover` lacks `workspaces`"},
		{"account: {discover: {workspaces: yes}}",
				"4:34: `workspaces` must be true, false"},
		{"account: {discover: {workspaces: {mach: x}}}",
				"4:35: unknown key `mach`, did you mean `match`?"},
		{ACCOUNT "permissions_interval: 100ms",
				"5:23: `permissions_interval` must be from"},
		{ACCOUNT "tokens: {}", "5:1: `tokens` lacks `sweep`"},
		{ACCOUNT "tokens: {sweep: {leavers: true}}",
				"5:10: `sweep` lacks `at`, or `interval`"},
		{ACCOUNT "tokens: {sweep: {at: \"01:00\", interval: 1d}}",
				"5:31: `at` and `interval` exclude each other"},
		{ACCOUNT "tokens: {sweep: {at: \"25:00\"}}", "5:22: `at` must be from"},
		{ACCOUNT "tokens: {sweep: {interval: 1d, older_than: 1s}}",
				"5:44: `older_than` must be from"},
		{ACCOUNT "guard: {policies: x}", "5:19: `policies` must be a share"},
};

static void says_what_is_wrong_with_the_configuration(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(configs); i++) {
		AUTO(mem_freep) char *text = mem_printf(SOURCES "%s\n", configs[i].text);
		AUTO(mem_freep) char *message = mem_printf("ldap2dbx.yaml:%s", configs[i].message);

		expect(text, grant, message);
	}
	assert_int_equal(unexpected, 0);
}

static void reads_the_configuration(void **state)
{
	static const char text[] = SOURCES
			"account:\n"
			"  host: https://accounts.example.com\n"
			"  discover: {workspaces: {match: \"eu-*\", exclude: [eu-test], tags: "
			"{env: "
			"\"p*\"}}}\n"
			"  settings: {acct_ip_acl_enable: true}\n"
			"workspaces:\n"
			"  prod:\n"
			"    host: https://p\n"
			"    tags: {env: prod, cost: 12}\n"
			"    settings: {enableTokensConfig: true, maxTokenLifetimeDays: 90, "
			"enable-export-notebook: \"false\", restrict_workspace_admins: ALLOW_ALL}\n"
			"permissions_interval: 1h\n"
			"tokens: {sweep: {at: \"03:30\", never_expiring: true, older_than: 180d}}\n"
			"guard: {tokens: 5%, policies: 0, lists: 3}\n";
	struct config *config = load(text, grant);
	const struct settings *s = config_settings(config);
	const struct target_settings *prod = &s->targets[1];

	(void)state;
	assert_true(s->discover.workspaces);
	assert_string_equal(s->discover.match[0], "eu-*");
	assert_string_equal(s->discover.exclude[0], "eu-test");
	assert_string_equal(s->discover.tags[0].value, "p*");
	assert_int_equal(s->discover.line, 6);
	assert_string_equal(s->targets[0].settings[0].name, "acct_ip_acl_enable");
	assert_int_equal(prod->tag_count, 2);
	assert_string_equal(prod->tags[1].value, "12");
	assert_int_equal(prod->setting_count, 4);
	assert_string_equal(prod->settings[1].value, "90");
	assert_int_equal(prod->settings[1].line, 12);
	assert_true(setting_find_known(prod->settings[2].name, false)->without_etag);
	assert_int_equal(s->permissions_interval_ms, INT64_C(3600) * 1000);
	assert_true(s->sweep.on && s->sweep.leavers && s->sweep.never_expiring);
	assert_int_equal(s->sweep.minute, 210);
	assert_int_equal(s->sweep.older_than_ms, INT64_C(180) * 24 * 3600 * 1000);
	assert_true(s->guard.allowances[GUARD_TOKENS].is_share);
	assert_int_equal(s->guard.allowances[GUARD_POLICIES].value, 0);
	assert_int_equal(s->guard.allowances[GUARD_LISTS].value, 3);
	config_free(config);
}

static void has_defaults(void **state)
{
	struct config *config = load(with_account, grant);
	const struct settings *s = config_settings(config);

	(void)state;
	assert_false(s->discover.workspaces);
	assert_false(s->sweep.on);
	assert_int_equal(s->permissions_interval_ms, INT64_C(15) * 60 * 1000);
	assert_int_equal(s->guard.allowances[GUARD_TOKENS].value, 20);
	assert_false(s->guard.allowances[GUARD_TOKENS].is_share);
	assert_int_equal(s->guard.allowances[GUARD_POLICIES].value, 0);
	assert_int_equal(s->guard.allowances[GUARD_LISTS].value, 0);
	assert_int_equal(target_egress(s, &s->targets[0])->count, 0);
	config_free(config);
}

static void schemas_refuse_what_is_not_known(void **state)
{
	static const char *const mappings[] = {"{\"version\":1,\"grants\":[{\"to\":{\"group\":"
					       "\"g\"},\"permissions\":[{\"job\":"
					       "{\"nam\":\"x\"},\"level\":\"CAN_VIEW\"}]}]}",
			"{\"version\":1,\"grants\":[{\"to\":{\"group\":\"g\"},\"permissions\":[{"
			"\"jobb\":"
			"\"x\",\"level\":\"CAN_VIEW\"}]}]}",
			"{\"version\":1,\"grants\":[{\"for_each\":{\"grup\":\"g\"}}]}",
			"{\"version\":1,\"ip_access_lists\":[{\"label\":\"a\",\"type\":\"ALLOW\","
			"\"addresses\":\"::1\"}]}",
			"{\"version\":1,\"service_principals\":[{\"listed\":{\"name\":\"a\"}}]}",
			"{\"version\":1,\"cluster_policies\":[{\"name\":\"a\",\"definition\":\"x\"}"
			"]}"};
	json_t *schema = json_loads(mapping_schema(), 0, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(mappings); i++) {
		json_t *value = json_loads(mappings[i], 0, NULL);

		assert_non_null(value);
		if (json_schema_accepts(schema, value))
			fail_msg("the schema takes %s", mappings[i]);
		json_decref(value);
	}
	json_decref(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(says_what_is_wrong_with_lists),
			cmocka_unit_test(reads_lists),
			cmocka_unit_test(warns_of_the_quota),
			cmocka_unit_test(says_what_is_wrong_with_services),
			cmocka_unit_test(reads_services),
			cmocka_unit_test(gives_identities_their_rule),
			cmocka_unit_test(says_what_is_wrong_with_the_configuration),
			cmocka_unit_test(reads_the_configuration),
			cmocka_unit_test(has_defaults),
			cmocka_unit_test(schemas_refuse_what_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
