/*
 * What goes out for tokens, policies, lists of addresses, settings, rule sets, secrets and federation, at a workspace and
 * at the account; lists of several pages; etags that are tried again.
 */
#include "canned_fixture.h"

#include "base/text.h"
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

#define ACCOUNT "/api/2.0/accounts/" CANNED_ACCOUNT_ID
#define RULES "/api/2.0/preview/accounts/" CANNED_ACCOUNT_ID "/access-control"
#define NAME(tail) "accounts/" CANNED_ACCOUNT_ID tail "/ruleSets/default"
#define NAME_ESCAPED(tail) "accounts%2F" CANNED_ACCOUNT_ID tail "%2FruleSets%2Fdefault"

static void start(struct canned_fixture *fixture, bool account)
{
	canned_fixture_start(fixture);
	if (!account)
		return;
	fixture->targets[0].is_account = true;
	fixture->targets[0].account_id = CANNED_ACCOUNT_ID;
	canned_fixture_reconnect(fixture);
}

/* ---- one call each ---- */

typedef void sender(struct databricks *databricks, struct call *call);

static void token_by_id(struct databricks *databricks, struct call *call)
{
	token_get(databricks, call, "a/b");
}

static void token_away(struct databricks *databricks, struct call *call)
{
	token_delete(databricks, call, "ab");
}

static void token_for_service(struct databricks *databricks, struct call *call)
{
	token_create_on_behalf(databricks, call,
			&(struct token_wish){.application_id = "app-1",
					.lifetime_s = 3600,
					.comment = "sample"});
}

static void token_for_ever(struct databricks *databricks, struct call *call)
{
	token_create_on_behalf(databricks, call, &(struct token_wish){.application_id = "app-1"});
}

static void policy_by_id(struct databricks *databricks, struct call *call)
{
	cluster_policy_get(databricks, call, "A&B");
}

static void policy_new(struct databricks *databricks, struct call *call)
{
	cluster_policy_create(databricks, call,
			&(struct cluster_policy){.name = "Sample",
					.definition = "{\"a\":{\"type\":\"unlimited\"}}",
					.libraries = "[{\"jar\":\"x\"}]",
					.max_clusters_per_user = 2});
}

static void policy_of_family(struct databricks *databricks, struct call *call)
{
	cluster_policy_edit(databricks, call,
			&(struct cluster_policy){.id = "A",
					.name = "Sample",
					.description = "d",
					.definition = "{\"merged\":1}",
					.family_id = "personal-vm",
					.family_overrides = "{}"});
}

static void policy_away(struct databricks *databricks, struct call *call)
{
	cluster_policy_delete(databricks, call, "A");
}

static const char *const addresses[] = {"192.0.2.0/24", "198.51.100.7"};
static const struct ip_access_list office = {.id = "l-1",
		.label = "office",
		.type = IP_ACCESS_BLOCK,
		.addresses = {addresses, COUNT_OF(addresses)},
		.enabled = true};

static void list_new(struct databricks *databricks, struct call *call)
{
	ip_access_list_create(databricks, call, &office);
}

static void list_whole(struct databricks *databricks, struct call *call)
{
	ip_access_list_replace(databricks, call, &office);
}

static void list_off(struct databricks *databricks, struct call *call)
{
	ip_access_list_set_enabled(databricks, call, "l-1", false);
}

static void list_by_id(struct databricks *databricks, struct call *call)
{
	ip_access_list_get(databricks, call, "l-1");
}

static void list_away(struct databricks *databricks, struct call *call)
{
	ip_access_list_delete(databricks, call, "l-1");
}

static void conf_set(struct databricks *databricks, struct call *call)
{
	static const struct pair pairs[] = {
			{CONF_TOKENS_ENABLED, "true"}, {CONF_TOKEN_LIFETIME_DAYS, "90"}};

	conf_write(databricks, call, &(struct pairs){pairs, COUNT_OF(pairs)});
}

static void setting_of_workspace(struct databricks *databricks, struct call *call)
{
	setting_set(databricks, call, setting_find("restrict_workspace_admins", false),
			"\"ALLOW_ALL\"", "e1");
}

static void setting_of_account(struct databricks *databricks, struct call *call)
{
	setting_get(databricks, call, setting_find("acct_ip_acl_enable", true));
}

static void setting_away(struct databricks *databricks, struct call *call)
{
	setting_reset(databricks, call, setting_find("acct_ip_acl_enable", true), "a+/=");
}

static void setting_without_etag(struct databricks *databricks, struct call *call)
{
	setting_set(databricks, call, setting_find("enable-export-notebook", false), "false", "");
}

static void plain_set(struct databricks *databricks, struct call *call)
{
	plain_setting_set(databricks, call,
			&(struct plain_setting){.name = "x",
					.field = "boolean_val",
					.value = "{\"value\":true}"});
}

static void rules_of_group(struct databricks *databricks, struct call *call)
{
	rule_set_get(databricks, call, &(struct rule_set_of){RULE_SET_GROUP, "8214"}, "a+/=");
}

static void rules_of_account(struct databricks *databricks, struct call *call)
{
	rule_set_get(databricks, call, &(struct rule_set_of){RULE_SET_ACCOUNT, NULL}, NULL);
}

static void rules_put(struct databricks *databricks, struct call *call)
{
	static const char *const first[] = {"users/ada@example.com", "groups/leads"};
	static const char *const second[] = {"groups/leads", "groups/more"};
	const struct rule_grant grants[] = {
			{ROLE_SERVICE_USER, {first, COUNT_OF(first)}},
			{ROLE_SERVICE_USER, {second, COUNT_OF(second)}},
			{ROLE_SERVICE_MANAGER, {NULL, 0}},
	};

	rule_set_put(databricks, call, &(struct rule_set_of){RULE_SET_SERVICE, "app-1"},
			&(struct rule_set){.etag = "a+/=",
					.grants = grants,
					.grant_count = COUNT_OF(grants)});
}

static void rules_taken(struct databricks *databricks, struct call *call)
{
	rule_set_put(databricks, call, &(struct rule_set_of){RULE_SET_GROUP, "8214"},
			&(struct rule_set){.etag = "e"});
}

static void roles_of_group(struct databricks *databricks, struct call *call)
{
	rule_set_roles(databricks, call, &(struct rule_set_of){RULE_SET_GROUP, "8214"});
}

static void secret_new(struct databricks *databricks, struct call *call)
{
	service_secret_create(databricks, call, "5", 3600);
}

static void secret_longest(struct databricks *databricks, struct call *call)
{
	service_secret_create(databricks, call, "5", 0);
}

static void secret_away(struct databricks *databricks, struct call *call)
{
	service_secret_delete(databricks, call, "5", "abc");
}

static const char *const audiences[] = {"databricks"};
static const struct federation_policy of_service = {.id = "ci",
		.service_id = "5",
		.description = "d",
		.issuer = "https://idp.example.com",
		.audiences = {audiences, 1},
		.subject = "s"};

static void federation_new(struct databricks *databricks, struct call *call)
{
	federation_policy_create(databricks, call, &of_service);
}

static void federation_changed(struct databricks *databricks, struct call *call)
{
	federation_policy_update(databricks, call,
			&(struct federation_policy){
					.id = "ci", .issuer = "https://idp.example.com"});
}

static void federation_away(struct databricks *databricks, struct call *call)
{
	federation_policy_delete(databricks, call, NULL, "ci");
}

static const struct {
	sender *send;
	bool account;
	const char *line; /* method and path */
	const char *body; /* NULL: none */
} requests[] = {
		{token_list, false,
				"GET "
				"/api/2.0/token-management/tokens",
				NULL},
		{token_by_id, false,
				"GET "
				"/api/2.0/token-management/tokens/"
				"a%2Fb",
				NULL},
		{token_away, false,
				"DELETE "
				"/api/2.0/token-management/tokens/"
				"ab",
				NULL},
		{token_for_service, false,
				"POST "
				"/api/2.0/token-management/"
				"on-behalf-of/tokens",
				"{\"application_id\":\"app-1\","
				"\"comment\":\"sample\","
				"\"lifetime_seconds\":3600}"},
		{token_for_ever, false,
				"POST "
				"/api/2.0/token-management/"
				"on-behalf-of/tokens",
				"{\"application_id\":\"app-1\"}"},
		{cluster_policy_list, false,
				"GET "
				"/api/2.0/policies/clusters/list",
				NULL},
		{policy_by_id, false,
				"GET "
				"/api/2.0/policies/clusters/"
				"get?policy_id=A%26B",
				NULL},
		{policy_new, false,
				"POST "
				"/api/2.0/policies/clusters/create",
				"{\"name\":\"Sample\","
				"\"definition\":\"{\\\"a\\\":{"
				"\\\"type\\\":"
				"\\\"unlimited\\\"}}\",\"max_"
				"clusters_per_user\":2,"
				"\"libraries\":[{"
				"\"jar\":\"x\"}]}"},
		{policy_of_family, false,
				"POST "
				"/api/2.0/policies/clusters/edit",
				"{\"name\":\"Sample\","
				"\"description\":\"d\",\"policy_"
				"family_id\":"
				"\"personal-vm\",\"policy_family_"
				"definition_overrides\":\"{}\","
				"\"policy_id\":\"A\"}"},
		{policy_away, false,
				"POST "
				"/api/2.0/policies/clusters/delete",
				"{\"policy_id\":\"A\"}"},
		{ip_access_list_list, false, "GET /api/2.0/ip-access-lists", NULL},
		{ip_access_list_list, true, "GET " ACCOUNT "/ip-access-lists", NULL},
		{list_by_id, true, "GET " ACCOUNT "/ip-access-lists/l-1", NULL},
		{list_new, false, "POST /api/2.0/ip-access-lists",
				"{\"label\":\"office\",\"list_"
				"type\":\"BLOCK\",\"ip_addresses\":"
				"["
				"\"192.0.2.0/"
				"24\",\"198.51.100.7\"]}"},
		{list_whole, true, "PUT " ACCOUNT "/ip-access-lists/l-1",
				"{\"label\":\"office\",\"list_"
				"type\":\"BLOCK\",\"ip_addresses\":"
				"["
				"\"192.0.2.0/"
				"24\",\"198.51.100.7\"],"
				"\"enabled\":true}"},
		{list_off, false,
				"PATCH "
				"/api/2.0/ip-access-lists/l-1",
				"{\"enabled\":false}"},
		{list_away, false,
				"DELETE "
				"/api/2.0/ip-access-lists/l-1",
				NULL},
		{conf_set, false, "PATCH /api/2.0/workspace-conf",
				"{\"enableTokensConfig\":\"true\","
				"\"maxTokenLifetimeDays\":\"90\"}"},
		{setting_of_workspace, false,
				"PATCH "
				"/api/2.0/settings/types/"
				"restrict_workspace_admins/names/"
				"default",
				"{\"allow_missing\":true,\"field_"
				"mask\":\"restrict_workspace_"
				"admins."
				"status\",\"setting\":{\"restrict_"
				"workspace_admins\":{\"status\":"
				"\"ALLOW_ALL\"},\"setting_name\":"
				"\"default\",\"etag\":\"e1\"}}"},
		{setting_of_account, true,
				"GET " ACCOUNT "/settings/types/"
				"acct_ip_acl_enable/names/default",
				NULL},
		{setting_away, true,
				"DELETE " ACCOUNT "/settings/types/"
				"acct_ip_acl_enable/names/"
				"default?etag=a%2B%2F%3D",
				NULL},
		{setting_without_etag, false,
				"PATCH "
				"/api/2.0/settings/types/"
				"enable-export-notebook/names/"
				"default",
				"{\"allow_missing\":true,\"field_"
				"mask\":\"boolean_val.value\","
				"\"setting\":{\"boolean_val\":{"
				"\"value\":false},\"setting_name\":"
				"\"default\"}}"},
		{plain_set, false, "PATCH /api/2.1/settings/x",
				"{\"name\":\"x\",\"boolean_val\":{"
				"\"value\":true}}"},
		{plain_set, true,
				"PATCH "
				"/api/2.1/"
				"accounts/" CANNED_ACCOUNT_ID "/settings/x",
				"{\"name\":\"x\",\"boolean_val\":{"
				"\"value\":true}}"},
		{rules_of_group, true,
				"GET " RULES "/rule-sets?"
				"name=" NAME_ESCAPED("%2Fgr"
						     "oups%"
						     "2F821"
						     "4") "&etag=a%2B%2F%3D",
				NULL},
		{rules_of_account, true,
				"GET " RULES "/rule-sets?name=" NAME_ESCAPED("") "&etag=", NULL},
		{rules_put, true, "PUT " RULES "/rule-sets",
				"{\"name\":\"" NAME("/servicePrinci"
						    "pals/app-1") "\",\"rule_set\":{\"name\":"
								  "\"" NAME("/servicePrincipals"
									    "/app-1") "\","
										      "\"etag\""
										      ":\"a+/"
										      "=\","
										      "\"grant_"
										      "rules\":"
										      "[{"
										      "\"role\""
										      ":\"roles"
										      "/"
										      "serviceP"
										      "rincipal"
										      ".user\","
										      "\"princi"
										      "pals\":["
										      "\"users/"
										      "ada@"
										      "example."
										      "com\","
										      "\"groups"
										      "/leads\""
										      ",\"group"
										      "s/"
										      "more\"]}"
										      "]}}"},
		{rules_taken, true, "PUT " RULES "/rule-sets",
				"{\"name\":\"" NAME("/groups/8214") "\",\"rule_set\":{\"name\":"
								    "\"" NAME("/groups/8214") "\""
											      ","
											      "\""
											      "et"
											      "ag"
											      "\""
											      ":"
											      "\""
											      "e"
											      "\""
											      ","
											      "\""
											      "gr"
											      "an"
											      "t_"
											      "ru"
											      "le"
											      "s"
											      "\""
											      ":["
											      "]}"
											      "}"},
		{roles_of_group, true,
				"GET " RULES "/assignable-roles?resource="
				"accounts%2F" CANNED_ACCOUNT_ID "%2Fgroups%2F8214",
				NULL},
		{secret_new, true,
				"POST " ACCOUNT "/servicePrincipals/5/credentials/"
				"secrets",
				"{\"lifetime\":\"3600s\"}"},
		{secret_longest, false,
				"POST "
				"/api/2.0/accounts/"
				"servicePrincipals/5/credentials/"
				"secrets",
				"{}"},
		{secret_away, false,
				"DELETE "
				"/api/2.0/accounts/"
				"servicePrincipals/5/credentials/"
				"secrets/abc",
				NULL},
		{federation_new, true,
				"POST " ACCOUNT "/servicePrincipals/5/"
				"federationPolicies?policy_id=ci",
				"{\"description\":\"d\",\"oidc_"
				"policy\":{\"issuer\":\"https://"
				"idp.example.com\",\"audiences\":["
				"\"databricks\"],\"subject\":\"s\"}"
				"}"},
		{federation_changed, true,
				"PATCH " ACCOUNT "/federationPolicies/"
				"ci?update_mask=description,oidc_"
				"policy",
				"{\"oidc_policy\":{\"issuer\":"
				"\"https://idp.example.com\"}}"},
		{federation_away, true, "DELETE " ACCOUNT "/federationPolicies/ci", NULL},
		{workspace_list, true, "GET " ACCOUNT "/workspaces", NULL},
};

static void calls_go_where_they_should(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(requests); i++) {
		AUTO(mem_freep) char *line = mem_printf("%s HTTP/1.1\r\n", requests[i].line);
		struct canned_fixture fixture;
		const char *request;

		start(&fixture, requests[i].account);
		SAY(&fixture, {canned_answer(200, "", "{}"), CANNED_KEEP});
		requests[i].send(fixture.databricks, &fixture.call);
		canned_fixture_wait(&fixture, &fixture.call.done);
		if (fixture.call.code != ERR_NONE)
			fail_msg("%s: %s", requests[i].line, fixture.call.err.text);
		assert_int_equal(canned_fixture_requests(&fixture), 1);
		request = canned_fixture_request(&fixture, 0);
		if (!text_starts_with(request, line))
			fail_msg("%s, not %.200s", requests[i].line, request);
		assert_string_equal(strstr(request, "\r\n\r\n") + 4,
				requests[i].body ? requests[i].body : "");
		canned_fixture_stop(&fixture);
	}
}

/* ---- what is not sent ---- */

static void policy_without_name(struct databricks *databricks, struct call *call)
{
	cluster_policy_create(databricks, call, &(struct cluster_policy){.name = ""});
}

static void policy_with_long_name(struct databricks *databricks, struct call *call)
{
	char name[CLUSTER_POLICY_NAME_MAX + 2];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	cluster_policy_create(databricks, call, &(struct cluster_policy){.name = name});
}

static void policy_with_bad_libraries(struct databricks *databricks, struct call *call)
{
	cluster_policy_create(
			databricks, call, &(struct cluster_policy){.name = "x", .libraries = "{}"});
}

static void policy_with_many_libraries(struct databricks *databricks, struct call *call)
{
	struct buf buf;

	buf_init(&buf, 100000);
	for (unsigned i = 0; i <= CLUSTER_POLICY_LIBRARIES_MAX; i++)
		buf_add_text(&buf, i ? ",{}" : "[{}");
	buf_add_text(&buf, "]");
	cluster_policy_create(databricks, call,
			&(struct cluster_policy){.name = "x", .libraries = buf_text(&buf)});
	buf_release(&buf);
}

static void list_too_long(struct databricks *databricks, struct call *call)
{
	static const char *many[IP_ACCESS_VALUES_MAX + 1];
	struct ip_access_list list = office;

	for (size_t i = 0; i < COUNT_OF(many); i++)
		many[i] = "192.0.2.1";
	list.addresses = (struct texts){many, COUNT_OF(many)};
	ip_access_list_create(databricks, call, &list);
}

static void setting_of_no_json(struct databricks *databricks, struct call *call)
{
	setting_set(databricks, call, setting_find("acct_ip_acl_enable", true), "yes", "e");
}

static void reset_of_none(struct databricks *databricks, struct call *call)
{
	setting_reset(databricks, call, setting_find("enable-export-notebook", false), "e");
}

static void plain_of_no_object(struct databricks *databricks, struct call *call)
{
	plain_setting_set(databricks, call,
			&(struct plain_setting){.name = "x", .field = "y", .value = "true"});
}

static void rules_without_etag(struct databricks *databricks, struct call *call)
{
	rule_set_put(databricks, call, &(struct rule_set_of){RULE_SET_GROUP, "8214"},
			&(struct rule_set){.etag = ""});
}

static void secret_too_long(struct databricks *databricks, struct call *call)
{
	service_secret_create(databricks, call, "5", SERVICE_SECRET_LIFETIME_MAX_S + 1);
}

static void federation_with(struct databricks *databricks, struct call *call,
		const struct federation_policy *policy)
{
	federation_policy_create(databricks, call, policy);
}

static void federation_bad_id(struct databricks *databricks, struct call *call)
{
	struct federation_policy policy = of_service;

	policy.id = "CI";
	federation_with(databricks, call, &policy);
}

static void federation_bad_issuer(struct databricks *databricks, struct call *call)
{
	struct federation_policy policy = of_service;

	policy.issuer = "http://idp.example.com";
	federation_with(databricks, call, &policy);
}

static void federation_no_subject(struct databricks *databricks, struct call *call)
{
	struct federation_policy policy = of_service;

	policy.subject = NULL;
	federation_with(databricks, call, &policy);
}

static void federation_a_subject(struct databricks *databricks, struct call *call)
{
	struct federation_policy policy = of_service;

	policy.service_id = NULL;
	federation_with(databricks, call, &policy);
}

static void what_would_be_a_mistake_is_not_sent(void **state)
{
	static const struct {
		sender *send;
		bool account;
		enum err_code code;
	} cases[] = {
			{policy_without_name, false, ERR_LIMIT},
			{policy_with_long_name, false, ERR_LIMIT},
			{policy_with_bad_libraries, false, ERR_CONFIG},
			{policy_with_many_libraries, false, ERR_LIMIT},
			{list_too_long, false, ERR_LIMIT},
			{setting_of_no_json, true, ERR_CONFIG},
			{setting_of_account, false, ERR_BUG},
			{setting_of_workspace, true, ERR_BUG},
			{reset_of_none, false, ERR_UNSUPPORTED},
			{plain_of_no_object, false, ERR_CONFIG},
			{rules_without_etag, true, ERR_BUG},
			{rules_of_group, false, ERR_CONFIG},
			{secret_too_long, true, ERR_LIMIT},
			{federation_bad_id, true, ERR_CONFIG},
			{federation_bad_issuer, true, ERR_CONFIG},
			{federation_no_subject, true, ERR_CONFIG},
			{federation_a_subject, true, ERR_CONFIG},
			{federation_new, false, ERR_CONFIG},
			{workspace_list, false, ERR_CONFIG},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct canned_fixture fixture;

		start(&fixture, cases[i].account);
		SAY(&fixture, {canned_answer(200, "", "{}"), CANNED_KEEP});
		cases[i].send(fixture.databricks, &fixture.call);
		canned_fixture_wait(&fixture, &fixture.call.done);
		if (fixture.call.code != cases[i].code)
			fail_msg("case %zu: %s", i, fixture.call.err.text);
		assert_int_equal(canned_fixture_requests(&fixture), 0);
		canned_fixture_stop(&fixture);
	}
}

/* ---- etags ---- */

#define STALE(code, etag)                                                                          \
	"{\"error_code\":\"" code "\",\"message\":\"stale etag\",\"details\":[{\"@type\":"         \
	"\"type.googleapis.com/google.rpc.ErrorInfo\",\"metadata\":{\"etag\":\"" etag "\"}}]}"

static void a_setting_is_tried_once_more_with_the_fresh_etag(void **state)
{
	static const struct {
		sender *send;
		bool account;
		int status;
		const char *body, *with;
		bool again;
	} cases[] = {
			{setting_of_workspace, false, 409, STALE("RESOURCE_CONFLICT", "fresh"),
					"\"etag\":\"fresh\"", true},
			{setting_of_workspace, false, 404, STALE("NOT_FOUND", "first"),
					"\"etag\":\"first\"", true},
			{setting_of_workspace, false, 409, "{\"error_code\":\"RESOURCE_CONFLICT\"}",
					NULL, false},
			{setting_of_workspace, false, 400, STALE("INVALID_REQUEST", "x"), NULL,
					false},
			{setting_away, true, 409, STALE("RESOURCE_CONFLICT", "a/b"), "?etag=a%2Fb ",
					true},
			{setting_away, true, 404, STALE("NOT_FOUND", "x"), NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct canned_fixture fixture;

		start(&fixture, cases[i].account);
		SAY(&fixture, {canned_answer(cases[i].status, "", cases[i].body), CANNED_KEEP});
		cases[i].send(fixture.databricks, &fixture.call);
		canned_fixture_wait(&fixture, &fixture.call.done);
		assert_int_equal(setting_retry(fixture.databricks, &fixture.call), cases[i].again);
		if (cases[i].again) {
			canned_fixture_wait(&fixture, &fixture.call.done);
			assert_non_null(strstr(canned_fixture_request(&fixture, 1), cases[i].with));
			assert_false(setting_retry(fixture.databricks, &fixture.call));
			assert_true(fixture.call.code == ERR_CONFLICT ||
					fixture.call.code == ERR_NOT_FOUND);
		}
		canned_fixture_stop(&fixture);
	}
}

static void what_went_well_is_not_tried_again(void **state)
{
	struct canned_fixture fixture;

	(void)state;
	start(&fixture, false);
	SAY(&fixture, {canned_answer(200, "", "{\"etag\":\"e2\"}"), CANNED_KEEP});
	setting_of_workspace(fixture.databricks, &fixture.call);
	canned_fixture_wait(&fixture, &fixture.call.done);
	assert_false(setting_retry(fixture.databricks, &fixture.call));
	canned_fixture_stop(&fixture);
}

/* ---- routing ---- */

/*
 * One host for the account and its workspaces: the header says whose secrets are meant, though "accounts" is in the path;
 * what is of the account goes without.
 */
static void what_a_workspace_passes_on_is_routed(void **state)
{
	struct target_settings targets[2];
	struct databricks *databricks;
	struct canned_fixture fixture;
	struct settings settings;
	struct err err;

	(void)state;
	start(&fixture, true);
	settings = fixture.settings;
	targets[0] = targets[1] = fixture.targets[0];
	targets[0].workspace_id = targets[1].workspace_id = "77";
	targets[1].is_account = false;
	targets[1].account_id = NULL;
	settings.targets = targets;
	settings.target_count = COUNT_OF(targets);
	assert_int_equal(databricks_new(fixture.loop, &settings, &databricks, &err), ERR_NONE);
	SAY(&fixture, {canned_answer(200, "", "{}"), CANNED_KEEP});
	for (unsigned target = 0; target < COUNT_OF(targets); target++) {
		fixture.call.target = target;
		secret_longest(databricks, &fixture.call);
		canned_fixture_wait(&fixture, &fixture.call.done);
	}
	assert_true(text_starts_with(canned_fixture_request(&fixture, 0),
			"POST " ACCOUNT "/servicePrincipals/5/"));
	assert_null(strstr(canned_fixture_request(&fixture, 0), "X-Databricks-Workspace-Id"));
	assert_true(text_starts_with(canned_fixture_request(&fixture, 1),
			"POST /api/2.0/accounts/servicePrincipals/5/"));
	assert_non_null(strstr(canned_fixture_request(&fixture, 1),
			"\r\nX-Databricks-Workspace-Id: 77\r\n"));
	call_release(&fixture.call);
	databricks_free(databricks);
	canned_fixture_stop(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(calls_go_where_they_should),
			cmocka_unit_test(what_would_be_a_mistake_is_not_sent),
			cmocka_unit_test(a_setting_is_tried_once_more_with_the_fresh_etag),
			cmocka_unit_test(what_went_well_is_not_tried_again),
			cmocka_unit_test(what_a_workspace_passes_on_is_routed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
