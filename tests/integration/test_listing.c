/*
 * Lists of several pages come whole or as an error; a workspace's configuration comes without the keys that it does not
 * know.
 */
#include "canned_fixture.h"

#include "base/text.h"
#include "databricks/cluster_policy.h"
#include "databricks/federation_policy.h"
#include "databricks/service_principal_secret.h"
#include "databricks/workspace_list.h"
#include "databricks/workspace_setting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ACCOUNT "/api/2.0/accounts/" CANNED_ACCOUNT_ID

static void start(struct canned_fixture *fixture, bool account)
{
	canned_fixture_start(fixture);
	if (!account)
		return;
	fixture->targets[0].is_account = true;
	fixture->targets[0].account_id = CANNED_ACCOUNT_ID;
	canned_fixture_reconnect(fixture);
}

/* ---- lists of several pages ---- */

struct seen {
	struct canned_fixture *fixture;
	char ids[200];
	bool done;
	enum err_code code;
};

static void see(struct seen *seen, const char *id)
{
	size_t used = strlen(seen->ids);

	(void)snprintf(seen->ids + used, sizeof(seen->ids) - used, "%s ", id);
}

static void seen_all(struct seen *seen, const struct err *err_or_null)
{
	seen->done = true;
	seen->code = err_or_null ? err_or_null->code : ERR_NONE;
	loop_stop(seen->fixture->loop);
}

static void on_secrets(
		void *context, const void *items, size_t count, const struct err *err_or_null)
{
	const struct service_secret *secrets = items;

	for (size_t i = 0; i < count; i++)
		see(context, secrets[i].id);
	seen_all(context, err_or_null);
}

static void pages_are_followed_to_the_end(void **state)
{
	struct canned_fixture fixture;
	struct seen seen = {.fixture = &fixture};

	(void)state;
	start(&fixture, true);
	SAY(&fixture,
			{canned_answer(200, "",
					 "{\"secrets\":[{\"id\":\"a\"},{\"id\":\"b\"}],"
					 "\"next_page_token\":\"p/2\"}"),
					CANNED_KEEP},
			{canned_answer(200, "", "{\"next_page_token\":\"p3\"}"), CANNED_KEEP},
			{canned_answer(200, "",
					 "{\"secrets\":[{\"id\":\"b\"},{\"id\":\"c\"}],"
					 "\"next_page_token\":\"\"}"),
					CANNED_KEEP});
	(void)service_secret_list_start(fixture.databricks, 0, "5", on_secrets, &seen);
	canned_fixture_wait(&fixture, &seen.done);
	assert_int_equal(seen.code, ERR_NONE);
	assert_string_equal(seen.ids, "a b c ");
	assert_int_equal(canned_fixture_requests(&fixture), 3);
	assert_true(text_starts_with(canned_fixture_request(&fixture, 0),
			"GET " ACCOUNT
			"/servicePrincipals/5/credentials/secrets?page_size=100 HTTP"));
	assert_true(text_starts_with(canned_fixture_request(&fixture, 1),
			"GET " ACCOUNT "/servicePrincipals/5/credentials/secrets?page_size=100"
			"&page_token=p%2F2 HTTP"));
	canned_fixture_stop(&fixture);
}

static void a_list_that_does_not_come_whole_is_an_error(void **state)
{
	static const struct {
		int status;
		const char *second;
		enum err_code code;
	} cases[] = {
			{403, "{\"error_code\":\"PERMISSION_DENIED\"}", ERR_DENIED},
			{404, "{\"error_code\":\"NOT_FOUND\"}", ERR_NOT_FOUND},
			{200, "{\"secrets\":[{\"id\":\"c\"}],\"next_page_token\":\"p2\"}",
					ERR_INCOMPLETE},
			{200, "{\"secrets\":[{\"status\":\"ACTIVE\"}]}", ERR_PROTO},
			{200, "{\"secrets\":{}}", ERR_PROTO},
			{200, "{\"next_page_token\":7}", ERR_PROTO},
			{200, "[]", ERR_PROTO},
			{200, "", ERR_PROTO},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct canned_fixture fixture;
		struct seen seen = {.fixture = &fixture};

		start(&fixture, true);
		SAY(&fixture,
				{canned_answer(200, "",
						 "{\"secrets\":[{\"id\":\"a\"}],"
						 "\"next_page_token\":\"p2\"}"),
						CANNED_KEEP},
				{canned_answer(cases[i].status, "", cases[i].second), CANNED_KEEP});
		(void)service_secret_list_start(fixture.databricks, 0, "5", on_secrets, &seen);
		canned_fixture_wait(&fixture, &seen.done);
		assert_int_equal(seen.code, cases[i].code);
		assert_string_equal(seen.ids, "");
		assert_int_equal(canned_fixture_requests(&fixture), 2);
		canned_fixture_stop(&fixture);
	}
}

static void a_cancelled_list_says_nothing(void **state)
{
	struct canned_fixture fixture;
	struct seen seen = {.fixture = &fixture};
	struct listing *listing;

	(void)state;
	start(&fixture, true);
	SAY(&fixture, {canned_answer(200, "", "{\"secrets\":[{\"id\":\"a\"}]}"), CANNED_KEEP});
	listing = service_secret_list_start(fixture.databricks, 0, "5", on_secrets, &seen);
	listing_cancel(listing);
	listing_cancel(NULL);
	workspace_list(fixture.databricks, &fixture.call);
	canned_fixture_wait(&fixture, &fixture.call.done);
	assert_false(seen.done);
	canned_fixture_stop(&fixture);
}

static void on_clusters(
		void *context, const void *items, size_t count, const struct err *err_or_null)
{
	const struct policy_cluster *clusters = items;

	for (size_t i = 0; i < count; i++)
		see(context, clusters[i].policy_id ? clusters[i].policy_id : "none");
	seen_all(context, err_or_null);
}

static void on_jobs(void *context, const void *items, size_t count, const struct err *err_or_null)
{
	const struct policy_job *jobs = items;

	for (size_t i = 0; i < count; i++)
		see(context, jobs[i].id);
	seen_all(context, err_or_null);
}

static void on_families(
		void *context, const void *items, size_t count, const struct err *err_or_null)
{
	const struct policy_family *families = items;

	for (size_t i = 0; i < count; i++)
		see(context, families[i].id);
	seen_all(context, err_or_null);
}

static void on_federation(
		void *context, const void *items, size_t count, const struct err *err_or_null)
{
	const struct federation_policy *policies = items;

	for (size_t i = 0; i < count; i++)
		see(context, policies[i].id);
	seen_all(context, err_or_null);
}

static void who_uses_a_policy_is_listed(void **state)
{
	struct canned_fixture fixture;
	struct seen seen = {.fixture = &fixture};

	(void)state;
	start(&fixture, false);
	SAY(&fixture,
			{canned_answer(200, "",
					 "{\"clusters\":[{\"cluster_id\":\"1\",\"cluster_name\":"
					 "\"x\","
					 "\"policy_id\":\"A\"},{\"cluster_id\":\"2\"}]}"),
					CANNED_KEEP},
			{canned_answer(200, "",
					 "{\"jobs\":[{\"job_id\":7,\"is_compliant\":true}]}"),
					CANNED_KEEP},
			{canned_answer(200, "",
					 "{\"policy_families\":[{\"policy_family_id\":\"personal-"
					 "vm\"}]}"),
					CANNED_KEEP});
	(void)policy_cluster_list_start(fixture.databricks, 0, "A", on_clusters, &seen);
	canned_fixture_wait(&fixture, &seen.done);
	seen.done = false;
	(void)policy_job_list_start(fixture.databricks, 0, "A", on_jobs, &seen);
	canned_fixture_wait(&fixture, &seen.done);
	seen.done = false;
	(void)policy_family_list_start(fixture.databricks, 0, on_families, &seen);
	canned_fixture_wait(&fixture, &seen.done);
	assert_string_equal(seen.ids, "A none 7 personal-vm ");
	assert_true(text_starts_with(canned_fixture_request(&fixture, 0),
			"GET /api/2.1/clusters/list?page_size=100&filter_by.policy_id=A HTTP"));
	assert_true(text_starts_with(canned_fixture_request(&fixture, 1),
			"GET /api/2.0/policies/jobs/list-compliance?page_size=100&policy_id=A "
			"HTTP"));
	assert_true(text_starts_with(canned_fixture_request(&fixture, 2),
			"GET /api/2.0/policy-families?max_results=100 HTTP"));
	canned_fixture_stop(&fixture);
}

static void federation_policies_are_listed(void **state)
{
	struct canned_fixture fixture;
	struct seen seen = {.fixture = &fixture};

	(void)state;
	start(&fixture, true);
	SAY(&fixture,
			{canned_answer(200, "",
					 "{\"policies\":[{\"name\":\"accounts/A/federationPolicies/"
					 "ci\",\"policy_id\":\"ci\"}]}"),
					CANNED_KEEP});
	(void)federation_policy_list_start(fixture.databricks, "5", on_federation, &seen);
	canned_fixture_wait(&fixture, &seen.done);
	assert_string_equal(seen.ids, "ci ");
	assert_true(text_starts_with(canned_fixture_request(&fixture, 0),
			"GET " ACCOUNT
			"/servicePrincipals/5/federationPolicies?page_size=100 HTTP"));
	canned_fixture_stop(&fixture);
}

/* ---- workspace-conf ---- */

static void on_conf(void *context, const struct conf_value *values, size_t count,
		const struct err *err_or_null)
{
	for (size_t i = 0; i < count; i++)
		see(context,
				!values[i].known                  ? "unknown"
						: values[i].value ? values[i].value
								  : "unset");
	seen_all(context, err_or_null);
}

static const char *const keys[] = {"enableTokensConfig", "enableDcs", "enableGp3"};

static void read_conf(struct canned_fixture *fixture, struct seen *seen)
{
	(void)conf_reading_start(fixture->databricks, 0, &(struct texts){keys, COUNT_OF(keys)},
			on_conf, seen);
	canned_fixture_wait(fixture, &seen->done);
}

static void keys_that_are_not_known_are_left_out(void **state)
{
	struct canned_fixture fixture;
	struct seen seen = {.fixture = &fixture};

	(void)state;
	start(&fixture, false);
	SAY(&fixture,
			{canned_answer(400, "",
					 "{\"error_code\":\"INVALID_REQUEST\",\"message\":"
					 "\"Invalid "
					 "keys: [\\\"enableDcs\\\"]\"}"),
					CANNED_KEEP},
			{canned_answer(200, "",
					 "{\"enableTokensConfig\":\"TRue\",\"enableGp3\":null}"),
					CANNED_KEEP});
	read_conf(&fixture, &seen);
	assert_int_equal(seen.code, ERR_NONE);
	assert_string_equal(seen.ids, "TRue unknown unset ");
	assert_true(text_starts_with(canned_fixture_request(&fixture, 0),
			"GET /api/2.0/workspace-conf?keys=enableTokensConfig,enableDcs,enableGp3 "
			"HTTP"));
	assert_true(text_starts_with(canned_fixture_request(&fixture, 1),
			"GET /api/2.0/workspace-conf?keys=enableTokensConfig,enableGp3 HTTP"));
	canned_fixture_stop(&fixture);
}

static void a_workspace_may_know_none_of_them(void **state)
{
	struct canned_fixture fixture;
	struct seen seen = {.fixture = &fixture};

	(void)state;
	start(&fixture, false);
	SAY(&fixture,
			{canned_answer(400, "",
					 "{\"message\":\"Invalid keys: [\\\"enableTokensConfig\\\","
					 "\\\"enableDcs\\\",\\\"enableGp3\\\"]\"}"),
					CANNED_KEEP});
	read_conf(&fixture, &seen);
	assert_int_equal(seen.code, ERR_NONE);
	assert_string_equal(seen.ids, "unknown unknown unknown ");
	assert_int_equal(canned_fixture_requests(&fixture), 1);
	canned_fixture_stop(&fixture);
}

static void a_conf_that_cannot_be_read_is_an_error(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_code code;
	} cases[] = {
			{400, "{\"message\":\"Invalid keys: [\\\"other\\\"]\"}", ERR_UNSUPPORTED},
			{403, "{\"error_code\":\"PERMISSION_DENIED\"}", ERR_DENIED},
			{200, "{\"enableDcs\":true}", ERR_PROTO},
			{200, "{\"enableDcs\":90}", ERR_PROTO},
			{200, "[]", ERR_PROTO},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct canned_fixture fixture;
		struct seen seen = {.fixture = &fixture};

		start(&fixture, false);
		SAY(&fixture, {canned_answer(cases[i].status, "", cases[i].body), CANNED_KEEP});
		read_conf(&fixture, &seen);
		assert_int_equal(seen.code, cases[i].code);
		assert_int_equal(canned_fixture_requests(&fixture), 1);
		canned_fixture_stop(&fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(pages_are_followed_to_the_end),
			cmocka_unit_test(a_list_that_does_not_come_whole_is_an_error),
			cmocka_unit_test(a_cancelled_list_says_nothing),
			cmocka_unit_test(who_uses_a_policy_is_listed),
			cmocka_unit_test(federation_policies_are_listed),
			cmocka_unit_test(keys_that_are_not_known_are_left_out),
			cmocka_unit_test(a_workspace_may_know_none_of_them),
			cmocka_unit_test(a_conf_that_cannot_be_read_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
