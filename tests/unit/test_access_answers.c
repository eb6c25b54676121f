/*
 * Answers about tokens, policies, lists of addresses, settings, rule sets, secrets and workspaces, in the shapes that were
 * recorded, and what must not be taken for one.
 */
#include "databricks/cluster_policy.h"
#include "databricks/federation_policy.h"
#include "databricks/ip_access_list.h"
#include "databricks/rule_set.h"
#include "databricks/service_principal_secret.h"
#include "databricks/token.h"
#include "databricks/workspace_list.h"
#include "databricks/workspace_setting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* A call that was answered with that. */
static struct call answered(const char *text)
{
	struct call call = {.done = true, .status = 200};
	struct err err;

	if (tape_parse(mem_strdup(text), strlen(text), &call.answer, &err) != ERR_NONE)
		fail_msg("%s: %s", text, err.text);
	return call;
}

static void tokens_that_never_expire_are_no_old_ones(void **state)
{
	struct call call = answered(
			"{\"token_infos\":[{\"token_id\":"
			"\"5715498424f15ee0213be729257b53fc35a47d5953e3"
			"bdfd8ed22a0b93b339f4\",\"creation_time\":1626120450603,\"expiry_time\":-1,"
			"\"comment\":\"sample\",\"created_by_id\":9007199254740993,"
			"\"created_by_username\":\"ada@example.com\",\"owner_id\":4002},"
			"{\"token_id\":\"b\",\"expiry_time\":1657656450603,\"last_used_day\":"
			"1626048000000,\"scopes\":[\"sql\"],\"workspace_id\":77}]}");
	struct arena *arena = arena_new();
	const struct token_info *tokens;
	size_t count;
	struct err err;

	(void)state;
	assert_int_equal(token_list_read(&call, arena, &tokens, &count, &err), ERR_NONE);
	assert_int_equal(count, 2);
	assert_int_equal(strlen(tokens[0].id), 64);
	assert_int_equal(tokens[0].expires_ms, TOKEN_NEVER_EXPIRES);
	assert_int_equal(tokens[0].created_ms, INT64_C(1626120450603));
	assert_int_equal(tokens[0].last_used_ms, 0);
	assert_string_equal(tokens[0].created_by_id, "9007199254740993");
	assert_string_equal(tokens[0].created_by_name, "ada@example.com");
	assert_string_equal(tokens[0].owner_id, "4002");
	assert_int_equal(tokens[0].scopes.count, 0);
	assert_int_equal(tokens[1].expires_ms, INT64_C(1657656450603));
	assert_int_equal(tokens[1].last_used_ms, INT64_C(1626048000000));
	assert_string_equal(tokens[1].workspace_id, "77");
	assert_string_equal(tokens[1].scopes.items[0], "sql");
	call_release(&call);
	arena_free(arena);
}

static void whatever_is_below_nothing_never_expires(void **state)
{
	struct call call = answered("{\"token_info\":{\"token_id\":\"a\",\"expiry_time\":-2}}");
	struct arena *arena = arena_new();
	struct token_info token;
	struct err err;

	(void)state;
	assert_int_equal(token_read(&call, arena, &token, &err), ERR_NONE);
	assert_int_equal(token.expires_ms, TOKEN_NEVER_EXPIRES);
	call_release(&call);
	arena_free(arena);
}

/* Ages are computed with them. */
static void what_cannot_be_a_time_says_nothing(void **state)
{
	static const struct {
		const char *number;
		int64_t created, expires;
	} cases[] = {{"9223372036854775807", 0, 0},
			{"-9223372036854775807", 0, TOKEN_NEVER_EXPIRES},
			{"253402300799000", INT64_C(253402300799000), INT64_C(253402300799000)},
			{"0", 0, 0}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(mem_freep)
		char *text = mem_printf("{\"token_info\":{\"token_id\":\"a\",\"creation_time\":%s,"
					"\"expiry_time\":%s,\"last_used_day\":%s}}",
				cases[i].number, cases[i].number, cases[i].number);
		struct call call = answered(text);
		struct arena *arena = arena_new();
		struct token_info token;
		struct err err;

		assert_int_equal(token_read(&call, arena, &token, &err), ERR_NONE);
		assert_int_equal(token.created_ms, cases[i].created);
		assert_int_equal(token.last_used_ms, cases[i].created);
		assert_int_equal(token.expires_ms, cases[i].expires);
		call_release(&call);
		arena_free(arena);
	}
}

static void a_made_token_is_shown_once(void **state)
{
	struct call call =
			answered("{\"token_value\":\"sample-value\",\"token_info\":{\"token_id\":"
				 "\"a\",\"owner_id\":5,\"created_by_id\":6}}");
	struct arena *arena = arena_new();
	struct token_info token;
	struct secret secret = {0};
	struct err err;

	(void)state;
	assert_int_equal(token_read_created(&call, arena, &token, &secret, &err), ERR_NONE);
	assert_string_equal(secret.text, "sample-value");
	assert_string_equal(token.id, "a");
	assert_string_equal(token.owner_id, "5");
	assert_null(call.answer);
	secret_release(&secret);
	assert_int_equal(token_read_created(&call, arena, &token, &secret, &err), ERR_PROTO);
	call_release(&call);
	arena_free(arena);
}

static void policies_are_read(void **state)
{
	struct call call = answered(
			"{\"policies\":[{\"policy_id\":\"A661B01246000002\",\"name\":\"Sample\","
			"\"definition\":\"{\\\"cluster_type\\\":{\\\"type\\\":\\\"fixed\\\","
			"\\\"value\\\":\\\"job\\\"}}\",\"max_clusters_per_user\":3,\"libraries\":[{"
			"\"pypi\":{\"package\":\"sample==1.0\"}}],\"created_at_timestamp\":"
			"1600000000000,\"is_default\":false},{\"policy_id\":\"B\",\"name\":"
			"\"Personal\","
			"\"policy_family_id\":\"personal-vm\",\"policy_family_definition_"
			"overrides\":"
			"\"{}\",\"definition\":\"{}\",\"is_default\":true,\"creator_user_name\":"
			"\"ada@example.com\",\"auto_enforcement_config\":{\"enforce_mode\":"
			"\"ENFORCE_IMMEDIATELY\"}}]}");
	struct arena *arena = arena_new();
	const struct cluster_policy *policies;
	size_t count;
	struct err err;

	(void)state;
	assert_int_equal(cluster_policy_list_read(&call, arena, &policies, &count, &err), ERR_NONE);
	assert_int_equal(count, 2);
	assert_string_equal(policies[0].definition,
			"{\"cluster_type\":{\"type\":\"fixed\",\"value\":\"job\"}}");
	assert_int_equal(policies[0].max_clusters_per_user, 3);
	assert_string_equal(policies[0].libraries, "[{\"pypi\":{\"package\":\"sample==1.0\"}}]");
	assert_null(policies[0].creator);
	assert_null(policies[0].family_id);
	assert_null(policies[0].auto_enforcement);
	assert_int_equal(policies[1].max_clusters_per_user, 0);
	assert_null(policies[1].libraries);
	assert_true(policies[1].is_default);
	assert_string_equal(policies[1].family_id, "personal-vm");
	assert_string_equal(policies[1].family_overrides, "{}");
	assert_string_equal(
			policies[1].auto_enforcement, "{\"enforce_mode\":\"ENFORCE_IMMEDIATELY\"}");
	call_release(&call);
	arena_free(arena);
}

static void a_made_policy_has_an_id(void **state)
{
	static const struct {
		const char *answer;
		enum err_code code;
	} cases[] = {{"{\"policy_id\":\"ABC1234567890DEF\"}", ERR_NONE}, {"{}", ERR_PROTO},
			{"{\"policy_id\":\"\"}", ERR_PROTO}, {"[]", ERR_PROTO}, {"", ERR_PROTO}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct call call = answered(cases[i].answer);
		struct arena *arena = arena_new();
		const char *id = NULL;
		struct err err;

		assert_int_equal(cluster_policy_read_created(&call, arena, &id, &err),
				cases[i].code);
		if (cases[i].code == ERR_NONE)
			assert_string_equal(id, "ABC1234567890DEF");
		call_release(&call);
		arena_free(arena);
	}
}

static void address_lists_are_read(void **state)
{
	struct call call = answered(
			"{\"ip_access_lists\":[{\"list_id\":\"0f0e0d0c-0000-4000-8000-"
			"000000000001\","
			"\"label\":\"office\",\"ip_addresses\":[\"192.0.2.0/24\",\"198.51.100.7\"],"
			"\"address_count\":2,\"list_type\":\"ALLOW\",\"created_at\":1578423494457,"
			"\"created_by\":6476783916686816,\"updated_at\":1578423494458,\"updated_"
			"by\":7,"
			"\"enabled\":true},{\"list_id\":\"2\",\"label\":\"x\",\"list_type\":"
			"\"BLOCK\","
			"\"enabled\":false}]}");
	struct arena *arena = arena_new();
	const struct ip_access_list *lists;
	size_t count;
	struct err err;

	(void)state;
	assert_int_equal(ip_access_list_list_read(&call, arena, &lists, &count, &err), ERR_NONE);
	assert_int_equal(count, 2);
	assert_string_equal(lists[0].label, "office");
	assert_int_equal(lists[0].type, IP_ACCESS_ALLOW);
	assert_true(lists[0].enabled);
	assert_int_equal(lists[0].addresses.count, 2);
	assert_string_equal(lists[0].addresses.items[0], "192.0.2.0/24");
	assert_string_equal(lists[0].created_by_id, "6476783916686816");
	assert_int_equal(lists[0].updated_ms, INT64_C(1578423494458));
	assert_int_equal(lists[1].type, IP_ACCESS_BLOCK);
	assert_false(lists[1].enabled);
	assert_int_equal(lists[1].addresses.count, 0);
	call_release(&call);
	arena_free(arena);
}

static void half_an_address_list_is_none(void **state)
{
	static const char *const cases[] = {
			"{\"ip_access_list\":{\"label\":\"x\",\"list_type\":\"ALLOW\",\"enabled\":"
			"true}}",
			"{\"ip_access_list\":{\"list_id\":\"1\",\"list_type\":\"ALLOW\","
			"\"enabled\":true}}",
			"{\"ip_access_list\":{\"list_id\":\"1\",\"label\":\"x\",\"enabled\":true}}",
			"{\"ip_access_list\":{\"list_id\":\"1\",\"label\":\"x\",\"list_type\":"
			"\"ALLOW\"}}",
			"{\"ip_access_list\":{\"list_id\":\"1\",\"label\":\"x\",\"list_type\":"
			"\"allow\","
			"\"enabled\":true}}",
			"{\"ip_access_list\":{\"list_id\":\"1\",\"label\":\"x\",\"list_type\":"
			"\"ALLOW\","
			"\"enabled\":\"true\"}}",
			"{\"ip_access_list\":{\"list_id\":\"1\",\"label\":\"x\",\"list_type\":"
			"\"ALLOW\","
			"\"enabled\":true,\"ip_addresses\":\"192.0.2.1\"}}",
			"{}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct call call = answered(cases[i]);
		struct arena *arena = arena_new();
		struct ip_access_list list;
		struct err err;

		if (ip_access_list_read(&call, arena, &list, &err) != ERR_PROTO)
			fail_msg("%s is taken", cases[i]);
		call_release(&call);
		arena_free(arena);
	}
}

static void settings_are_read(void **state)
{
	static const struct {
		const char *name, *answer, *value, *etag;
		bool account;
		enum err_code code;
	} cases[] = {
			{"restrict_workspace_admins",
					"{\"etag\":\"e1\",\"setting_name\":\"default\","
					"\"restrict_workspace_admins\":{\"status\":\"ALLOW_ALL\"}}",
					"\"ALLOW_ALL\"", "e1", false, ERR_NONE},
			{"acct_ip_acl_enable",
					"{\"etag\":\"e2\",\"acct_ip_acl_enable\":{\"value\":true}}",
					"true", "e2", true, ERR_NONE},
			{"enable-export-notebook", "{\"boolean_val\":{\"value\":false}}", "false",
					"", false, ERR_NONE},
			{"acct_ip_acl_enable", "{\"etag\":\"e3\"}", NULL, "e3", true, ERR_NONE},
			{"acct_ip_acl_enable", "{\"etag\":7}", NULL, NULL, true, ERR_PROTO},
			{"acct_ip_acl_enable", "[]", NULL, NULL, true, ERR_PROTO},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct setting_kind *kind = setting_find(cases[i].name, cases[i].account);
		struct call call = answered(cases[i].answer);
		struct arena *arena = arena_new();
		struct setting_state setting = {0};
		struct err err;

		assert_non_null(kind);
		assert_int_equal(setting_read(&call, kind, arena, &setting, &err), cases[i].code);
		if (cases[i].value)
			assert_string_equal(setting.value, cases[i].value);
		else
			assert_null(setting.value);
		if (cases[i].etag)
			assert_string_equal(setting.etag, cases[i].etag);
		call_release(&call);
		arena_free(arena);
	}
	assert_null(setting_find("acct_ip_acl_enable", false));
	assert_null(setting_find("nonsense", true));
}

static void a_setting_that_was_never_set_is_its_default(void **state)
{
	struct call call = {.done = true, .code = ERR_NOT_FOUND, .etag = "fresh"};
	struct arena *arena = arena_new();
	struct setting_state setting;
	struct err err;

	(void)state;
	assert_int_equal(setting_read(&call, setting_find("disable_legacy_access", false), arena,
					 &setting, &err),
			ERR_NONE);
	assert_null(setting.value);
	assert_string_equal(setting.etag, "fresh");
	call.code = err_set(&call.err, ERR_UNSUPPORTED, 404, "no such path");
	assert_int_equal(setting_read(&call, setting_find("disable_legacy_access", false), arena,
					 &setting, &err),
			ERR_UNSUPPORTED);
	arena_free(arena);
}

static void plain_settings_are_read(void **state)
{
	static const struct {
		const char *answer, *field, *value, *effective;
		enum err_code code;
	} cases[] = {
			{"{\"name\":\"x\",\"boolean_val\":{\"value\":true},\"effective_boolean_"
			 "val\":{"
			 "\"value\":false}}",
					"boolean_val", "{\"value\":true}", "{\"value\":false}",
					ERR_NONE},
			{"{\"name\":\"x\",\"effective_string_val\":{\"value\":\"a\"}}",
					"string_val", NULL, "{\"value\":\"a\"}", ERR_NONE},
			{"{\"name\":\"x\"}", NULL, NULL, NULL, ERR_NONE},
			{"{\"boolean_val\":{\"value\":true}}", NULL, NULL, NULL, ERR_PROTO},
			{"[]", NULL, NULL, NULL, ERR_PROTO},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct call call = answered(cases[i].answer);
		struct arena *arena = arena_new();
		struct plain_setting setting = {0};
		struct err err;

		assert_int_equal(plain_setting_read(&call, arena, &setting, &err), cases[i].code);
		assert_string_equal(setting.field ? setting.field : "none",
				cases[i].field ? cases[i].field : "none");
		assert_string_equal(setting.value ? setting.value : "none",
				cases[i].value ? cases[i].value : "none");
		assert_string_equal(setting.effective ? setting.effective : "none",
				cases[i].effective ? cases[i].effective : "none");
		call_release(&call);
		arena_free(arena);
	}
}

static void conf_values_mean_what_they_mean(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {{"true", "TRue", true}, {"false", "False", true}, {"false", NULL, true},
			{"", NULL, true}, {"", "false", true}, {"true", NULL, false},
			{"true", "false", false}, {"90", "90", true}, {"90", "0", false},
			{"abc", "ABC", false}, {"0", NULL, false}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(conf_equal(cases[i].a, cases[i].b), cases[i].equal);
		assert_int_equal(conf_equal(cases[i].b, cases[i].a), cases[i].equal);
	}
}

static void rule_sets_are_read(void **state)
{
	struct call call = answered(
			"{\"name\":\"accounts/A1/groups/7002/ruleSets/default\",\"etag\":\"RENU+/"
			"==\","
			"\"grant_rules\":[{\"role\":\"roles/group.manager\",\"principals\":["
			"\"users/ada@example.com\",\"groups/leads\"]},{\"role\":\"roles/"
			"group.assumer\"}]}");
	struct arena *arena = arena_new();
	struct rule_set rule_set;
	struct err err;

	(void)state;
	assert_int_equal(rule_set_read(&call, arena, &rule_set, &err), ERR_NONE);
	assert_string_equal(rule_set.etag, "RENU+/==");
	assert_int_equal(rule_set.grant_count, 2);
	assert_string_equal(rule_set.grants[0].role, ROLE_GROUP_MANAGER);
	assert_int_equal(rule_set.grants[0].principals.count, 2);
	assert_string_equal(rule_set.grants[0].principals.items[1], "groups/leads");
	assert_int_equal(rule_set.grants[1].principals.count, 0);
	call_release(&call);
	call = answered("{\"name\":\"n\",\"etag\":\"e\"}");
	assert_int_equal(rule_set_read(&call, arena, &rule_set, &err), ERR_NONE);
	assert_int_equal(rule_set.grant_count, 0);
	call_release(&call);
	arena_free(arena);
}

static void what_is_no_rule_set_is_refused(void **state)
{
	static const char *const cases[] = {"{\"name\":\"n\"}", "{\"etag\":\"e\"}",
			"{\"name\":\"n\",\"etag\":\"\"}",
			"{\"name\":\"n\",\"etag\":\"e\",\"grant_rules\":{}}",
			"{\"name\":\"n\",\"etag\":\"e\",\"grant_rules\":[{}]}",
			("{\"name\":\"n\",\"etag\":\"e\",\"grant_rules\":[{\"role\":\"r\","
			 "\"principals\":[7]}]}")};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct call call = answered(cases[i]);
		struct arena *arena = arena_new();
		struct rule_set rule_set;
		struct err err;

		if (rule_set_read(&call, arena, &rule_set, &err) != ERR_PROTO)
			fail_msg("%s is taken", cases[i]);
		call_release(&call);
		arena_free(arena);
	}
}

static void assignable_roles_are_read(void **state)
{
	struct call call = answered("{\"roles\":[{\"name\":\"roles/group.manager\"},{\"name\":"
				    "\"roles/group.assumer\"}]}");
	struct arena *arena = arena_new();
	struct texts roles;
	struct err err;

	(void)state;
	assert_int_equal(rule_set_roles_read(&call, arena, &roles, &err), ERR_NONE);
	assert_int_equal(roles.count, 2);
	assert_string_equal(roles.items[0], ROLE_GROUP_MANAGER);
	call_release(&call);
	arena_free(arena);
}

static void principals_of_rules_split_at_the_first_slash(void **state)
{
	static const struct {
		const char *text;
		bool good;
		enum principal_kind kind;
		const char *name;
	} cases[] = {{"users/ada@example.com", true, PRINCIPAL_USER, "ada@example.com"},
			{"groups/a/b", true, PRINCIPAL_GROUP, "a/b"},
			{"servicePrincipals/1-2", true, PRINCIPAL_SERVICE, "1-2"},
			{"groups/", false, 0, NULL}, {"other/x", false, 0, NULL},
			{"users", false, 0, NULL}, {"", false, 0, NULL}};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		enum principal_kind kind;
		const char *name;

		assert_int_equal(rule_principal_parse(cases[i].text, &kind, &name), cases[i].good);
		if (!cases[i].good)
			continue;
		assert_int_equal(kind, cases[i].kind);
		assert_string_equal(name, cases[i].name);
		assert_string_equal(rule_principal(arena, kind, name), cases[i].text);
	}
	arena_free(arena);
}

static void a_made_secret_is_shown_once(void **state)
{
	struct call call = answered(
			"{\"id\":\"abc123\",\"secret\":\"sample-secret\",\"secret_hash\":\"h\","
			"\"status\":"
			"\"ACTIVE\",\"create_time\":\"2026-01-02T03:04:05Z\",\"expire_time\":"
			"\"2028-01-02T03:04:05Z\"}");
	struct arena *arena = arena_new();
	struct service_secret made;
	struct secret secret = {0};
	struct err err;

	(void)state;
	assert_int_equal(service_secret_read_created(&call, arena, &made, &secret, &err), ERR_NONE);
	assert_string_equal(secret.text, "sample-secret");
	assert_string_equal(made.id, "abc123");
	assert_true(service_secret_is_active(&made));
	assert_int_equal(made.expires_ms, INT64_C(1830395045000));
	assert_null(call.answer);
	secret_release(&secret);
	call_release(&call);
	call = answered("{\"id\":\"abc123\",\"status\":\"ACTIVE\"}");
	assert_int_equal(
			service_secret_read_created(&call, arena, &made, &secret, &err), ERR_PROTO);
	assert_null(secret.text);
	call_release(&call);
	arena_free(arena);
}

static void federation_policies_are_read(void **state)
{
	struct call call = answered(
			"{\"name\":\"accounts/A1/servicePrincipals/5/federationPolicies/"
			"ci\",\"policy_id\":"
			"\"ci\",\"service_principal_id\":5,\"description\":\"d\",\"oidc_policy\":{"
			"\"issuer\":"
			"\"https://"
			"idp.example.com\",\"audiences\":[\"databricks\"],\"subject\":\"s\"},"
			"\"create_time\":\"2026-01-02T03:04:05Z\"}");
	struct arena *arena = arena_new();
	struct federation_policy policy;
	struct err err;

	(void)state;
	assert_int_equal(federation_policy_read(&call, arena, &policy, &err), ERR_NONE);
	assert_string_equal(policy.id, "ci");
	assert_string_equal(policy.service_id, "5");
	assert_string_equal(policy.issuer, "https://idp.example.com");
	assert_string_equal(policy.subject, "s");
	assert_null(policy.subject_claim);
	assert_string_equal(policy.audiences.items[0], "databricks");
	call_release(&call);
	arena_free(arena);
}

#define AWS "https://accounts.cloud.databricks.com"
#define HERE "http://127.0.0.1:8080"
static void workspaces_have_a_host(void **state)
{
	static const struct {
		const char *account, *workspace, *host;
		bool usable, routed;
	} cases[] = {
			{AWS,
					"\"deployment_name\":\"dbc-a1b2345c-d6e7\",\"workspace_"
					"status\":\"RUNNING\"",
					"https://dbc-a1b2345c-d6e7.cloud.databricks.com", true,
					false},
			{"https://accounts.azuredatabricks.net",
					"\"deployment_name\":\"adb-77.8\",\"workspace_status\":"
					"\"RUNNING\"",
					"https://adb-77.8.azuredatabricks.net", true, false},
			{"https://accounts.gcp.databricks.com",
					"\"deployment_name\":\"77.8\",\"workspace_status\":"
					"\"RUNNING\"",
					"https://77.8.gcp.databricks.com", true, false},
			{"https://accounts-dod.cloud.databricks.us",
					"\"deployment_name\":\"dbc-1\",\"workspace_status\":"
					"\"RUNNING\"",
					"https://dbc-1.cloud.databricks.us", true, false},
			{"https://accounts.azuredatabricks.us", "\"deployment_name\":\"dbc-1\"",
					"https://dbc-1.cloud.databricks.com", false, false},
			{AWS,
					"\"deployment_name\":\"dbc-1\",\"workspace_url\":"
					"\"own.example.com\",\"workspace_status\":\"RUNNING\"",
					"https://own.example.com", true, false},
			{AWS,
					"\"workspace_url\":\"https://own.example.com/"
					"\",\"workspace_status\":\"BANNED\"",
					"https://own.example.com", false, false},
			{AWS, "\"deployment_name\":\"dbc-1\",\"workspace_status\":\"CANCELLED\"",
					"https://dbc-1.cloud.databricks.com", false, false},
			{AWS, "\"deployment_name\":\"dbc-1\",\"workspace_status\":\"A_NEW_WORD\"",
					"https://dbc-1.cloud.databricks.com", false, false},
			{AWS, "\"workspace_status\":\"RUNNING\"", NULL, false, false},
			{AWS,
					"\"workspace_url\":\"http://"
					"other.example.com\",\"workspace_status\":\"RUNNING\"",
					NULL, false, false},
			/* one host for both levels */
			{"https://acme.databricks.com",
					"\"deployment_name\":\"dbc-1\",\"workspace_status\":"
					"\"RUNNING\"",
					"https://acme.databricks.com", true, true},
			{"https://acme.databricks.com",
					"\"workspace_url\":\"acme.databricks.com\",\"workspace_"
					"status\":"
					"\"RUNNING\"",
					"https://acme.databricks.com", true, true},
			{HERE,
					"\"workspace_url\":\"127.0.0.1:8081\",\"workspace_status\":"
					"\"RUNNING\"",
					"http://127.0.0.1:8081", true, false},
			{HERE, "\"workspace_url\":\"https://own.example.com\"",
					"https://own.example.com", false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(mem_freep)
		char *text = mem_printf(
				"[{\"workspace_id\":9007199254740993,%s}]", cases[i].workspace);
		struct call call = answered(text);
		struct arena *arena = arena_new();
		const struct workspace_info *workspaces;
		size_t count;
		struct err err;

		assert_int_equal(workspace_list_read(&call, cases[i].account, arena, &workspaces,
						 &count, &err),
				ERR_NONE);
		assert_int_equal(count, 1);
		assert_string_equal(workspaces[0].id, "9007199254740993");
		assert_string_equal(workspaces[0].host ? workspaces[0].host : "none",
				cases[i].host ? cases[i].host : "none");
		assert_int_equal(workspaces[0].usable, cases[i].usable);
		assert_int_equal(workspaces[0].routed, cases[i].routed);
		call_release(&call);
		arena_free(arena);
	}
}

static void workspaces_have_tags_and_a_place(void **state)
{
	struct call call = answered(
			"[{\"workspace_id\":1,\"workspace_name\":\"sample\",\"aws_region\":\"eu-"
			"west-1\","
			"\"pricing_tier\":\"PREMIUM\",\"creation_time\":1600000000000,\"custom_"
			"tags\":{"
			"\"env\":\"prod\",\"empty\":\"\"}},{\"workspace_id\":\"2\",\"location\":"
			"\"westeurope\",\"azure_workspace_info\":{\"subscription_id\":\"s\","
			"\"resource_group\":\"g\"}}]");
	struct arena *arena = arena_new();
	const struct workspace_info *workspaces;
	size_t count;
	struct err err;

	(void)state;
	assert_int_equal(workspace_list_read(&call, AWS, arena, &workspaces, &count, &err),
			ERR_NONE);
	assert_int_equal(count, 2);
	assert_string_equal(workspaces[0].region, "eu-west-1");
	assert_int_equal(workspaces[0].tags.count, 2);
	assert_string_equal(workspaces[0].tags.items[0].key, "env");
	assert_string_equal(workspaces[0].tags.items[0].value, "prod");
	assert_string_equal(workspaces[1].region, "westeurope");
	assert_string_equal(workspaces[1].azure_subscription_id, "s");
	assert_string_equal(workspaces[1].azure_resource_group, "g");
	call_release(&call);
	call = answered("[{\"workspace_name\":\"sample\"}]");
	assert_int_equal(workspace_list_read(&call, AWS, arena, &workspaces, &count, &err),
			ERR_PROTO);
	call_release(&call);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(tokens_that_never_expire_are_no_old_ones),
			cmocka_unit_test(whatever_is_below_nothing_never_expires),
			cmocka_unit_test(what_cannot_be_a_time_says_nothing),
			cmocka_unit_test(a_made_token_is_shown_once),
			cmocka_unit_test(policies_are_read),
			cmocka_unit_test(a_made_policy_has_an_id),
			cmocka_unit_test(address_lists_are_read),
			cmocka_unit_test(half_an_address_list_is_none),
			cmocka_unit_test(settings_are_read),
			cmocka_unit_test(a_setting_that_was_never_set_is_its_default),
			cmocka_unit_test(plain_settings_are_read),
			cmocka_unit_test(conf_values_mean_what_they_mean),
			cmocka_unit_test(rule_sets_are_read),
			cmocka_unit_test(what_is_no_rule_set_is_refused),
			cmocka_unit_test(assignable_roles_are_read),
			cmocka_unit_test(principals_of_rules_split_at_the_first_slash),
			cmocka_unit_test(a_made_secret_is_shown_once),
			cmocka_unit_test(federation_policies_are_read),
			cmocka_unit_test(workspaces_have_a_host),
			cmocka_unit_test(workspaces_have_tags_and_a_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
