/* Mapping files: searches and grants that come of them, mistakes with their place, and their own
 * tests. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "model/entry.h"
#include "rules_support.h"

#include <stdio.h>

#define HEAD "version: 1\n"
#define SEARCH "search: {base: \"ou=people,dc=example,dc=com\", filter: (mail=*)}"

static const char company[] = HEAD
		"users:\n"
		"- search: {source: corp, base: \"ou=People,dc=example,dc=com\", filter: "
		"(employeeType=*)}\n"
		"  when: in_group(\"dbx-*\") and employeeType ~= \"intern\"\n"
		"  user:\n"
		"    userName: ${lower(Mail)}\n"
		"    name: {givenName: \"${givenName}\", familyName: \"${sn}\"}\n"
		"groups:\n"
		"- search: {base: \"ou=Groups,dc=example,dc=com\", filter: (cn=dbx-*)}\n"
		"  through:\n"
		"  - {base: \"OU=groups, dc=example,dc=com\", filter: (objectClass=groupOfNames)}\n"
		"  - {base: \"ou=teams,dc=example,dc=com\", filter: (objectClass=groupOfNames)}\n"
		"  group: {displayName: '${match(cn, \"^dbx-(.+)$\")}'}\n"
		"service_principals:\n"
		"- search: {base: \"ou=services,dc=example,dc=com\", filter: (uid=svc-*)}\n"
		"  service_principal: {displayName: \"${uid}\"}\n"
		"grants:\n"
		"- to: {group: data-engineers}\n"
		"  workspaces: {prod: USER, \"dev-*\": ADMIN}\n"
		"  entitlements: [workspace-access, databricks-sql-access]\n"
		"- to: {user: ada@example.com}\n"
		"  roles: account_admin\n"
		"leavers: {then: delete}\n";

static const char *attributes_of(struct arena *arena, const struct search *search)
{
	const char *ret = "";

	for (size_t i = 0; i < search->attribute_count; i++)
		ret = arena_printf(arena, "%s%s%s", ret, i ? " " : "", search->attributes[i]);
	return ret;
}

static const struct {
	enum search_purpose purpose;
	unsigned rule, line;
	const char *base, *filter, *attributes;
} searches[] = {
		{SEARCH_USERS, 0, 3, "ou=People,dc=example,dc=com", "(employeeType=*)",
				"cn employeetype givenname mail objectclass sn uid"},
		{SEARCH_GROUPS, 0, 9, "ou=Groups,dc=example,dc=com", "(cn=dbx-*)",
				"cn employeetype givenname mail member objectclass sn uid "
				"uniquemember"},
		{SEARCH_THROUGH, 0, 11, "OU=groups, dc=example,dc=com",
				"(objectClass=groupOfNames)",
				"cn employeetype givenname mail member objectclass sn uid "
				"uniquemember"},
		{SEARCH_THROUGH, 0, 12, "ou=teams,dc=example,dc=com", "(objectClass=groupOfNames)",
				"cn employeetype givenname mail member objectclass sn uid "
				"uniquemember"},
		{SEARCH_SERVICE_PRINCIPALS, 0, 15, "ou=services,dc=example,dc=com", "(uid=svc-*)",
				"cn employeetype givenname mail objectclass sn uid"},
		{SEARCH_CONTAINERS, 0, 3, "ou=People,dc=example,dc=com", NULL, "1.1"},
		{SEARCH_CONTAINERS, 0, 9, "ou=Groups,dc=example,dc=com", NULL, "1.1"},
		{SEARCH_CONTAINERS, 0, 12, "ou=teams,dc=example,dc=com", NULL, "1.1"},
		{SEARCH_CONTAINERS, 0, 15, "ou=services,dc=example,dc=com", NULL, "1.1"},
};

static void makes_searches(void **state)
{
	struct config *config = support_must_load(support_config, company);
	struct arena *arena = arena_new();
	const struct search *got;
	size_t count;

	(void)state;
	got = mapping_searches(config_mapping(config), &count);
	assert_int_equal(count, COUNT_OF(searches));
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(got[i].id, i);
		assert_int_equal(got[i].source, 0);
		assert_int_equal(got[i].purpose, searches[i].purpose);
		assert_int_equal(got[i].rule, searches[i].rule);
		assert_int_equal(got[i].line, searches[i].line);
		assert_string_equal(got[i].base, searches[i].base);
		if (searches[i].filter)
			assert_string_equal(got[i].filter, searches[i].filter);
		else
			assert_non_null(strstr(got[i].filter, "(objectClass=organizationalUnit)"));
		assert_string_equal(attributes_of(arena, &got[i]), searches[i].attributes);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(got[i].digest, got[j].digest);
	}
	arena_free(arena);
	config_free(config);
}

/* The feed asks for the anchor by itself. */
static void does_not_ask_for_the_anchor(void **state)
{
	struct config *config = support_must_load(support_config,
			HEAD "users:\n- " SEARCH
			     "\n  user: {userName: '${entryUUID}@example.com'}\n");
	struct arena *arena = arena_new();
	size_t count;

	(void)state;
	assert_string_equal(attributes_of(arena, mapping_searches(config_mapping(config), &count)),
			"cn objectclass");
	arena_free(arena);
	config_free(config);
}

static void a_search_digest_is_stable(void **state)
{
	struct config *a = support_must_load(support_config, company);
	AUTO(mem_freep) char *other = mem_printf("%stests: []\n", company);
	struct config *b = support_must_load(support_config, other);
	size_t count;

	(void)state;
	assert_string_equal(mapping_searches(config_mapping(a), &count)[1].digest,
			mapping_searches(config_mapping(b), &count)[1].digest);
	config_free(a);
	config_free(b);
}

static void makes_grants(void **state)
{
	struct config *config = support_must_load(support_config, company);
	const struct grant_rule *grants;
	size_t count;

	(void)state;
	grants = mapping_grants(config_mapping(config), &count);
	assert_int_equal(count, 2);
	assert_int_equal(grants[0].kind, PRINCIPAL_GROUP);
	assert_string_equal(grants[0].name, "data-engineers");
	assert_int_equal(grants[0].workspace_count, 2);
	assert_string_equal(grants[0].workspaces[0].glob, "prod");
	assert_string_equal(grants[0].workspaces[0].level, "USER");
	assert_string_equal(grants[0].workspaces[1].glob, "dev-*");
	assert_string_equal(grants[0].workspaces[1].level, "ADMIN");
	assert_int_equal(grants[0].entitlement_count, 2);
	assert_string_equal(grants[0].entitlements[1], "databricks-sql-access");
	assert_int_equal(grants[0].why.line, 18);
	assert_int_equal(grants[1].kind, PRINCIPAL_USER);
	assert_int_equal(grants[1].role_count, 1);
	assert_string_equal(grants[1].roles[0], "account_admin");
	assert_int_equal(mapping_leavers(config_mapping(config)), LEAVER_DELETE);
	config_free(config);
}

struct mistake {
	const char *text, *message;
};

/* Whole files; the message is all that follows "mappings/a.yaml:". */
static const struct mistake files[] = {
		{"users: []\n", "1:1: the mapping file lacks `version`"},
		{HEAD "user: []\n", "2:1: unknown key `user`, did you mean `users`?"},
		{HEAD "users:\n- when: x\n", "3:3: this item of `users` lacks `search`"},
		{HEAD "leavers: {then: remove}\n",
				"2:17: unknown value `remove`; known: keep, deactivate, delete"},
		{HEAD "leavers: {then: keep, delete_after: 30d}\n",
				"2:23: `delete_after` is not executed by this version; "
				"remove it"},
		{HEAD "leavers: {then: keep, hand_over: {}}\n",
				"2:23: `hand_over` is not executed by this version; remove it"},
};

/* One users rule: what follows "- " in line 3. */
static const struct mistake users[] = {
		{SEARCH, "3:3: this item of `users` lacks `user`"},
		{SEARCH "\n  user: {}", "4:3: `user` lacks `userName`"},
		{SEARCH "\n  user: {userName: x, displayname: y}",
				"4:23: unknown key `displayname`, did you mean "
				"`displayName`?"},
		{SEARCH "\n  user: {userName: x, name: {given: y}}",
				"4:30: unknown key `given`; known: givenName, familyName"},
		{SEARCH "\n  user: {userName: }",
				"4:20: `userName` must be a text, this is no value"},
		{SEARCH "\n  user: {userName: \"${lowr(mail)}\"}",
				"4:23: unknown function `lowr`, did you mean `lower`?"},
		{SEARCH "\n  user: {userName: \"${mail\"}", "4:21: `${` lacks its closing `}`"},
		{SEARCH "\n  user: {userName: '${match(cn, \"(\")}'}",
				"4:33: pattern: missing closing parenthesis"},
		{SEARCH "\n  user: {userName: x}\n  when: ${a}",
				"5:9: `when` is an expression; write it without ${ and }"},
		{SEARCH "\n  user: {userName: x}\n  when: a = b",
				"5:11: `=` assigns, which an expression can't; compare with"},
		{SEARCH "\n  user: {userName: x}\n  when: return a",
				"5:9: `return`: an expression is expected here, not a "
				"statement"},
		{SEARCH "\n  user: {userName: x}\n  starts: y",
				"5:3: `starts` is not executed by this version; remove it"},
		{SEARCH "\n  user: {userName: x}\n  ends: y",
				"5:3: `ends` is not executed by this version; remove it"},
		{SEARCH "\n  user: {userName: x}\n  match: a b",
				"5:10: `match` names an attribute, employeeNumber for example"},
		{SEARCH "\n  user: {userName: x}\n  match: ${employeeNumber}",
				"5:10: `match` names an attribute"},
		{SEARCH "\n  user: {userName: x}\n  external_id: no",
				"5:16: unknown value `no`; known: anchor, none"},
		{SEARCH "\n  user: {userName: x}\n  nested: keep", "5:3: unknown key `nested`"},
		{"search: x", "3:11: `search` must be a map, this is a text"},
		{"search: {base: \"dc=x\"}", "3:3: this search lacks `filter`"},
		{"search: {base: \"x\", filter: (a=b)}", "3:18: `base` is no distinguished name: "},
		{"search: {base: \"ou=${x}\", filter: (a=b)}",
				"3:18: `base` takes no ${...}; write it out"},
		{"search: {base: \"dc=x\", filter: \"(a=${b})\"}",
				"3:34: `filter` takes no ${...}"},
		{"search: {base: \"\", filter: (a=b)}",
				"3:18: `base` is empty; give a value or remove the key"},
		{"search: {base: \"dc=x\", filter: (a=b}",
				"3:38: `filter`: the filter ends here without its closing"},
		{"search: {base: \"dc=x\", filter: a=b}",
				"3:34: `filter`: a filter stands in parentheses, as in"},
		{"search: {base: \"dc=x\", filter: \"(a=b))\"}",
				"3:40: `filter`: the filter ends before this"},
		{"search: {base: \"dc=x\", filter: (a=b), scope: one}",
				"3:48: unknown value `one`; known: sub"},
		{"search: {source: corpp, base: \"dc=x\", filter: (a=b)}",
				"3:20: unknown source `corpp`, did you mean "
				"`corp`?"},
};

/* One groups rule: what follows the search. */
static const struct mistake groups[] = {
		{"group: {displayName: x}\n  level: workspace",
				"5:3: `level: workspace` needs `in:` with the workspaces"},
		{"group: {displayName: x}\n  in: [prod]", "5:3: `in` goes with `level: workspace`"},
		{"group: {displayName: x}\n  level: workspace\n  in: [prd]",
				"6:8: unknown workspace `prd`, did you mean `prod`?"},
		{"group: {displayName: x}\n  level: workspace\n  in: [\"test-*\"]",
				"6:8: unknown workspace `test-*`; known: prod"},
		{"group: {displayName: x}\n  level: workspace\n  in: []",
				"6:7: `in` names no workspace"},
		{"group: {displayName: x}\n  gone: deleted",
				"5:9: unknown value `deleted`, did you mean `delete`?"},
		{"group: {displayName: x}\n  nested: deep",
				"5:11: unknown value `deep`, did you mean `keep`?"},
		{"group: {displayName: x}\n  adopt: yes",
				"5:10: `adopt` must be true or false, without quotes, not `yes`"},
		{"group: {displayName: x}\n  exclusive: \"true\"",
				"5:14: `exclusive` must be true or false, without quotes"},
		{"group: {displayName: x}\n  through: {filter: (a=b)}",
				"5:3: this search lacks `base`"},
		{"group: {displayName: x, members: y}", "4:27: unknown key `members`"},
};

/* One grant: what follows "- " in line 3. */
#define OWNER(name, object, where)                                                                 \
	"to: {user: " name "@example.com}\n  permissions:\n  - {" object                           \
	", level: IS_OWNER, in: [" where "]}\n"
static const struct mistake grants[] = {
		{OWNER("ada", "job: nightly", "prod") "- " OWNER("bo", "job: nightly", "\"*\""),
				"8: job `nightly` in prod has an owner already, "
				"\"ada@example.com\" by mappings/a.yaml:5"},
		{"workspaces: {prod: USER}", "3:3: this item of `grants` lacks `to` or `for_each`"},
		{"to: {}\n  workspaces: {prod: USER}",
				"3:7: `to` names nobody; write user:, group: or "
				"service_principal:"},
		{"to: {group: a, user: b}\n  workspaces: {prod: USER}",
				"3:7: `to` names two principals; make it two grants"},
		{"to: {grup: a}\n  workspaces: {prod: USER}",
				"3:8: unknown key `grup`, did you mean `group`?"},
		{"to: {group: \"${x}\"}\n  workspaces: {prod: USER}",
				"3:16: ${...} is for grants with `for_each:`"},
		{"to: {group: a}",
				"3:3: this grant gives nothing; add `workspaces:`, `permissions:`"},
		{"to: {group: a}\n  workspaces: {prod: VIEWER}",
				"4:22: unknown value `VIEWER`; known: USER, ADMIN"},
		{"to: {group: a}\n  workspaces: {prod: user}",
				"4:22: unknown value `user`, did you mean `USER`?"},
		{"to: {group: a}\n  workspaces: {pro: USER}",
				"4:16: unknown workspace `pro`, did you mean `prod`?"},
		{"to: {group: a}\n  workspaces: [prod]",
				"4:15: `workspaces` must be a map such as {prod: USER}"},
		{"to: {group: a}\n  entitlements: [workspace-access]",
				"4:3: `entitlements` belong to workspaces; say which"},
		{"to: {group: a}\n  workspaces: {prod: USER}\n  entitlements: [workspace-acess]",
				"5:18: unknown entitlement `workspace-acess`, did you mean "
				"`workspace-access`?"},
		{"to: {group: a}\n  workspaces: {prod: USER}\n  roles: [account_admn]",
				"5:11: unknown role `account_admn`, did you mean `account_admin`?"},
		{"to: {group: a}\n  roles: [billing.admin, billing.admn]",
				"4:26: unknown role `billing.admn`, did you mean `billing.admin`?"},
		{"to: {group: a}\n  roles: [\"arn:aws:iam::1:instance-profile/x\"]",
				"4:3: instance profiles belong to"},
};

static const struct mistake tests_of_files[] = {
		{"entry: {mail: x}", "3:3: this item of `tests` lacks `expect`"},
		{"expect: none", "3:3: this item of `tests` lacks `entry`"},
		{"entry: [mail]\n  expect: none",
				"3:10: `entry` must be a map of attributes, this is a list"},
		{"entry: {mail: {x: y}}\n  expect: none",
				"3:17: `mail` must be a text, this is a map"},
		{"entry: {mail: []}\n  expect: none", "3:17: `mail` has no value; leave it out"},
		{"entry: {\"a b\": x}\n  expect: none", "3:11: `a b` is no attribute's name"},
		{"entry: {mail: x}\n  expect: nothing",
				"4:11: `expect` must be a map of what comes out, or none"},
		{"entry: {mail: x}\n  expect: {usrName: x}",
				"4:12: unknown key `usrName`, did you mean `userName`?"},
		{"entry: {mail: x}\n  expect: {name: {given: x}}",
				"4:19: unknown key `name.given`"},
		{"entry: {mail: x}\n  expect: {active: [x]}",
				"4:20: `active` must be a text, this is a list"},
		{"entry: {mail: x}\n  expect: none\n  kind: users",
				"5:9: unknown value `users`, did you mean `user`?"},
		{"entry: {mail: x}\n  expect: none\n  grops: [x]",
				"5:3: unknown key `grops`, did you mean `groups`?"},
};

static unsigned unexpected;

static void expect(const char *mapping, const struct mistake *mistake)
{
	static const char place[] = "mappings/a.yaml:";
	struct config *config = NULL;
	struct err err;

	if (support_load(support_config, mapping, &config, &err) == ERR_NONE) {
		config_free(config);
		(void)snprintf(err.text, sizeof(err.text), "nothing");
	}
	if (text_starts_with(err.text, place) &&
			text_starts_with(err.text + strlen(place), mistake->message))
		return;
	print_error("%s\nsays: %s\nnot: %s\n", mapping, err.text, mistake->message);
	unexpected++;
}

static void expect_all(const char *head, const struct mistake *mistakes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		AUTO(mem_freep) char *text = mem_printf("%s%s\n", head, mistakes[i].text);

		expect(text, &mistakes[i]);
	}
}

static void says_what_is_wrong(void **state)
{
	(void)state;
	expect_all("", files, COUNT_OF(files));
	expect_all(HEAD "users:\n- ", users, COUNT_OF(users));
	expect_all(HEAD "groups:\n- " SEARCH "\n  ", groups, COUNT_OF(groups));
	expect_all(HEAD "grants:\n- ", grants, COUNT_OF(grants));
	expect_all(HEAD "tests:\n- ", tests_of_files, COUNT_OF(tests_of_files));
	assert_int_equal(unexpected, 0);
}

/* Without an account there is nothing that the account could give. */
static void knows_what_needs_an_account(void **state)
{
	static const char config[] =
			HEAD "sources: {corp: {uri: ldaps://h, bind: {dn: \"cn=x\", password: "
			     "\"env:P\"}}}\n"
			     "workspaces: {prod: {host: \"https://prod.example.com\"}}\n"
			     "store: sqlite:x.db\n";
	static const struct mistake cases[] = {
			{HEAD "grants:\n- to: {group: a}\n  roles: account_admin\n",
					"mappings/a.yaml:4:10: role `account_admin` is the "
					"account's, but no `account:` is"},
			{HEAD "grants:\n- to: {group: a}\n  roles: tagPolicy.creator\n",
					"mappings/a.yaml:4:10: role `tagPolicy.creator` is the "
					"account's, but no `account:` is"},
			{HEAD "grants:\n- to: {group: a}\n  workspaces: {prod: ADMIN}\n",
					"mappings/a.yaml:4:22: ADMIN is assigned through the "
					"account, but no `account:`"},
			{HEAD "groups:\n- " SEARCH
			      "\n  group: {displayName: x}\n  level: account\n",
					"mappings/a.yaml:5:3: `level: account`, but no `account:` "
					"is configured"},
	};
	struct config *loaded;
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(support_load(config, cases[i].text, &loaded, &err), ERR_CONFIG);
		if (!text_starts_with(err.text, cases[i].message))
			fail_msg("%s", err.text);
	}
}

static void wants_a_source_where_there_are_two(void **state)
{
	static const char config[] =
			HEAD "sources:\n"
			     "  a: {uri: ldaps://h, bind: {dn: \"cn=x\", password: \"env:P\"}}\n"
			     "  b: {uri: ldaps://h, bind: {dn: \"cn=x\", password: \"env:P\"}}\n"
			     "account: {}\n"
			     "store: sqlite:x.db\n";
	static const char mapping[] = HEAD "groups:\n"
					   "- search: {source: b, base: \"dc=x\", filter: (a=b)}\n"
					   "  through: {base: \"dc=x\", filter: (a=b)}\n"
					   "  group: {displayName: \"${cn}\"}\n"
					   "users:\n"
					   "- search: {source: a, base: \"dc=x\", filter: (a=b)}\n"
					   "  user: {userName: \"${mail}\"}\n";
	struct config *loaded;
	const struct search *searches_of_two;
	struct arena *arena = arena_new();
	struct err err;
	size_t count;

	(void)state;
	assert_int_equal(support_load(config, support_users, &loaded, &err), ERR_CONFIG);
	assert_string_equal(err.text,
			"mappings/a.yaml:3:3: there are 2 sources; say which one with `source:`");
	loaded = support_must_load(config, mapping);
	searches_of_two = mapping_searches(config_mapping(loaded), &count);
	assert_int_equal(count,
			5); /* one search for containers per source, though the base is the same */
	assert_int_equal(searches_of_two[0].purpose, SEARCH_USERS);
	assert_int_equal(searches_of_two[0].source, 0);
	assert_string_equal(attributes_of(arena, &searches_of_two[0]), "cn mail objectclass");
	assert_int_equal(searches_of_two[2].purpose, SEARCH_THROUGH);
	assert_int_equal(searches_of_two[2].source, 1); /* that of its rule */
	assert_string_equal(attributes_of(arena, &searches_of_two[2]),
			"cn member objectclass uniquemember");
	arena_free(arena);
	config_free(loaded);
}

static void wants_a_rule(void **state)
{
	struct config *config = NULL;
	struct err err;

	(void)state;
	assert_int_equal(support_load(support_config, HEAD "users: []\n", &config, &err),
			ERR_CONFIG);
	assert_string_equal(err.text,
			"mappings/a.yaml: no rule in it; write one under `users:`, "
			"`groups:` or `grants:`");
}

static void bounds_the_number_of_searches(void **state)
{
	struct config *config = NULL;
	struct buf text;
	struct err err;

	(void)state;
	buf_init(&text, 100000);
	buf_add_text(&text, HEAD "users:\n");
	for (int i = 0; i < SEARCHES_MAX; i++)
		buf_add_text(&text, "- " SEARCH "\n  user: {userName: x}\n");
	assert_int_equal(support_load(support_config, buf_text(&text), &config, &err), ERR_CONFIG);
	assert_non_null(strstr(err.text, "mappings/a.yaml:3: more than 64 searches"));
	buf_release(&text);
}

static void bounds_the_number_of_attributes(void **state)
{
	struct config *config = NULL;
	struct buf text;
	struct err err;

	(void)state;
	buf_init(&text, 100000);
	buf_add_text(&text, HEAD "users:\n- " SEARCH "\n  user: {userName: x}\n  when: \"#{");
	for (int i = 0; i < ENTRY_ATTRIBUTES_MAX; i++)
		buf_printf(&text, "a%d,", i);
	buf_add_text(&text, "} > 0\"\n");
	assert_int_equal(support_load(support_config, buf_text(&text), &config, &err), ERR_CONFIG);
	assert_string_equal(err.text,
			"mappings/a.yaml:3: the rules name more than 252 attributes of one source");
	buf_release(&text);
}

static const char with_tests[] = HEAD
		"users:\n"
		"- " SEARCH "\n"
		"  when: in_group('staff')\n"
		"  user: {userName: '${lower(mail)}', displayName: '${cn}', active: '${on}'}\n"
		"- " SEARCH "\n"
		"  when: kind == 'guest'\n"
		"  user: {userName: 'guest-${mail}', name: {familyName: '${sn}'}}\n"
		"groups:\n"
		"- " SEARCH "\n"
		"  group: {displayName: '${cn}'}\n"
		"tests:\n"
		"- entry: {mail: A@X, on: 'TRUE'}\n"
		"  groups: [Staff]\n"
		"  expect: {userName: a@x, displayName: ~, active: true}\n"
		"- entry: {mail: A@X, on: 'FALSE', cn: [B, A]}\n"
		"  groups: staff\n"
		"  expect: {active: false, displayName: A}\n"
		"- {entry: {mail: A, kind: guest, sn: S}, expect: {userName: guest-A, name: "
		"{familyName: S}}}\n"
		"- {entry: {mail: A}, expect: none}\n"
		"- {entry: {cn: G}, kind: group, expect: {displayName: G}}\n"
		"- {entry: {mail: A}, kind: group, expect: {skipped: true}}\n"
		"- {entry: {mail: A}, expect: {userName: a}}\n"
		"- {entry: {cn: G}, kind: group, expect: {displayName: H}}\n"
		"- {entry: {cn: G}, kind: group, expect: none}\n"
		"- {entry: {mail: A, kind: guest}, expect: {name.familyName: S, userName: x}}\n"
		"- {entry: {mail: A}, groups: [staff], expect: {userName: a}}\n"
		"- {entry: {on: x}, kind: group, expect: {displayName: x}}\n";

/* NULL: passed */
static const char *const test_results[] = {
		NULL,
		NULL,
		NULL,
		NULL,
		NULL,
		NULL,
		"no rule takes it",
		"displayName is \"G\", expected \"H\"",
		"it is in scope as \"G\", expected none",
		"name.familyName is nil, expected \"S\"; userName is \"guest-A\", expected \"x\"",
		"it failed: ",
		"it is skipped: ",
};

static void runs_the_tests_of_files(void **state)
{
	struct config *config = support_must_load(support_config, with_tests);
	struct arena *arena = arena_new();
	const struct mapping_test_result *results;
	size_t count;

	(void)state;
	assert_int_equal(mapping_run_tests(config_mapping(config), arena, &results, &count), 6);
	assert_int_equal(count, COUNT_OF(test_results));
	for (size_t i = 0; i < count; i++) {
		if (results[i].passed != !test_results[i])
			fail_msg("test %zu: %s", i, results[i].text ? results[i].text : "passed");
		if (test_results[i] && !text_starts_with(results[i].text, test_results[i]))
			fail_msg("test %zu: %s", i, results[i].text);
	}
	assert_int_equal(results[0].line, 13);
	assert_non_null(strstr(results[0].file, "mappings/a.yaml"));
	arena_free(arena);
	config_free(config);
}

static const char *owners_fault(const char *first, const char *second)
{
	static struct err err;
	AUTO(mem_freep) char *text = mem_printf(HEAD "grants:\n- %s- %s", first, second);
	struct config *loaded;

	if (support_load(support_config, text, &loaded, &err) != ERR_NONE)
		return err.text;
	config_free(loaded);
	return NULL;
}

static void lets_owners_be_where_they_may(void **state)
{
	static const struct {
		const char *first, *second;
	} cases[] = {
			{OWNER("ada", "job: nightly", "prod"),
					OWNER("ada", "job: nightly", "prod")},
			{OWNER("ada", "job: nightly", "prod"), OWNER("bo", "job: weekly", "prod")},
			{OWNER("ada", "job: nightly", "prod"),
					OWNER("bo", "pipeline: nightly", "prod")},
			{OWNER("ada", "job: nightly", "prod"),
					OWNER("bo", "job: nightly", "dev-a")},
			{OWNER("ada", "job: nightly*", "prod"),
					OWNER("bo", "job: nightly*", "prod")},
			{OWNER("ada", "job: {name: a}", "prod"),
					OWNER("bo", "job: {id: a}", "prod")},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *fault = owners_fault(cases[i].first, cases[i].second);

		if (fault)
			fail_msg("%zu: %s", i, fault);
	}
	assert_non_null(owners_fault(
			OWNER("ada", "job: {id: 7}", "prod"), OWNER("bo", "job: {id: 7}", "prod")));
}

static void warns_of_rights_of_admins(void **state)
{
	static const char text[] = HEAD
			"grants:\n- to: {group: Admins}\n  tokens: {use: true}\n  permissions:\n"
			"  - {job: nightly, level: CAN_VIEW}\n"
			"- to: {group: staff}\n  permissions:\n"
			"  - {job: nightly, level: CAN_VIEW}\n";
	const char *const *warnings;
	struct config *loaded;
	struct err err;
	size_t count;

	(void)state;
	assert_int_equal(support_load(support_config, text, &loaded, &err), ERR_NONE);
	warnings = mapping_warnings(config_mapping(loaded), &count);
	assert_int_equal(count, 2);
	assert_non_null(strstr(warnings[0],
			"/mappings/a.yaml:6:5: `permissions` of the system group `admins` have "));
	assert_non_null(strstr(warnings[1],
			"/mappings/a.yaml:4:11: `use` of the system group `admins` has no "));
	config_free(loaded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(makes_searches),
			cmocka_unit_test(does_not_ask_for_the_anchor),
			cmocka_unit_test(a_search_digest_is_stable),
			cmocka_unit_test(makes_grants),
			cmocka_unit_test(says_what_is_wrong),
			cmocka_unit_test(knows_what_needs_an_account),
			cmocka_unit_test(wants_a_source_where_there_are_two),
			cmocka_unit_test(wants_a_rule),
			cmocka_unit_test(bounds_the_number_of_attributes),
			cmocka_unit_test(bounds_the_number_of_searches),
			cmocka_unit_test(runs_the_tests_of_files),
			cmocka_unit_test(lets_owners_be_where_they_may),
			cmocka_unit_test(warns_of_rights_of_admins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
