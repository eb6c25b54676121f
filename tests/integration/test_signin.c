/*
 * Sign-in against a server that answers as told: the way to the token endpoint, who waits for whom, what is refused.
 */
#include "canned_fixture.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define USER "{\"id\":\"1\"}"
#define TOKEN "{\"access_token\":\"tok\",\"token_type\":\"Bearer\",\"expires_in\":3600}"
#define NOTHING canned_answer(404, "", "<html>Not Found</html>")

static const char *say(int status, const char *body)
{
	return canned_answer(status, "", body);
}

static void start(struct canned_fixture *fixture, bool account)
{
	canned_fixture_start(fixture);
	fixture->targets[0] = (struct target_settings){.name = account ? "account" : "dev",
			.is_account = account,
			.host = fixture->server.host,
			.account_id = account ? CANNED_ACCOUNT_ID : NULL,
			.auth = {.values[AUTH_KEY_CLIENT_ID] = "cid",
					.values[AUTH_KEY_CLIENT_SECRET] = "env:TEST_CLIENT_SECRET",
					.line = 1}};
	canned_fixture_reconnect(fixture);
}

static void read_user(struct canned_fixture *fixture)
{
	scim_get(fixture->databricks, &fixture->call, PRINCIPAL_USER, "1", 0);
	canned_fixture_wait(fixture, &fixture->call.done);
}

/* The start line of each request, in turn. */
static void assert_asked(
		const struct canned_fixture *fixture, const char *const *lines, size_t count)
{
	assert_int_equal(canned_fixture_requests(fixture), count);
	for (size_t i = 0; i < count; i++) {
		if (!text_starts_with(canned_fixture_request(fixture, i), lines[i]))
			fail_msg("request %zu: %.80s", i, canned_fixture_request(fixture, i));
	}
}
#define ASSERT_ASKED(fixture, ...)                                                                 \
	do {                                                                                       \
		const char *const lines_[] = {__VA_ARGS__};                                        \
		assert_asked((fixture), lines_, COUNT_OF(lines_));                                 \
	} while (0)

#define CONFIG "GET /.well-known/databricks-config HTTP/1.1\r\n"
#define ACCOUNT_OIDC "/oidc/accounts/" CANNED_ACCOUNT_ID
#define ACCOUNT_USER "GET /api/2.0/accounts/" CANNED_ACCOUNT_ID "/scim/v2/Users/1?"

static void the_token_endpoint_is_where_the_host_says(void **state)
{
	struct canned_fixture fixture;
	char *metadata, *discovery;

	(void)state;
	start(&fixture, true);
	metadata = mem_printf("{\"oidc_endpoint\":\"%s/odd/{account_id}/\"}", fixture.server.host);
	discovery = mem_printf("{\"token_endpoint\":\"%s/very/odd?x=1\"}", fixture.server.host);
	SAY(&fixture, {say(200, metadata), CANNED_KEEP}, {say(200, discovery), CANNED_KEEP},
			{say(200, TOKEN), CANNED_KEEP}, {say(200, USER), CANNED_KEEP});
	read_user(&fixture);
	assert_int_equal(fixture.call.code, ERR_NONE);
	ASSERT_ASKED(&fixture, CONFIG,
			"GET /odd/" CANNED_ACCOUNT_ID "/.well-known/oauth-authorization-server ",
			"POST /very/odd?x=1 ", ACCOUNT_USER);
	assert_null(strstr(canned_fixture_request(&fixture, 0), "Authorization"));
	assert_null(strstr(canned_fixture_request(&fixture, 1), "Authorization"));
	/* base64 of cid:secret */
	assert_non_null(strstr(canned_fixture_request(&fixture, 2),
			"\r\nAuthorization: Basic Y2lkOnNlY3JldA==\r\n"));
	assert_non_null(strstr(canned_fixture_request(&fixture, 2),
			"\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
	assert_non_null(strstr(canned_fixture_request(&fixture, 2),
			"\r\n\r\ngrant_type=client_credentials&scope=all-apis"));
	assert_non_null(strstr(
			canned_fixture_request(&fixture, 3), "\r\nAuthorization: Bearer tok\r\n"));
	/* the way is known and the token good: one request per call from here on */
	read_user(&fixture);
	assert_int_equal(canned_fixture_requests(&fixture), 5);
	mem_free(metadata);
	mem_free(discovery);
	canned_fixture_stop(&fixture);
}

static void usual_urls_stand_in_for_what_is_missing(void **state)
{
	static const struct {
		bool account;
		int status;
		const char *metadata, *discovery;
	} cases[] = {
			{true, 404, "", ""},
			{false, 404, "", ""},
			{true, 200, "<html>", "<html>"},
			{true, 200, "{}", "{}"},
			{true, 200, "[]", "{\"token_endpoint\":7}"},
			/* neither to another machine in clear text, nor anywhere by another protocol */
			{true, 200, "{\"oidc_endpoint\":\"http://h.example.com/oidc\"}",
					"{\"token_endpoint\":\"http://h.example.com/token\"}"},
			{false, 200, "{\"oidc_endpoint\":\"http://localhost@h.example.com\"}",
					"{\"token_endpoint\":\"file:///etc\"}"},
			{false, 200, "{\"oidc_endpoint\":\"https://{account_id}.example.com\"}",
					"{}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct canned_fixture fixture;

		start(&fixture, cases[i].account);
		SAY(&fixture, {say(cases[i].status, cases[i].metadata), CANNED_KEEP},
				{say(cases[i].status, cases[i].discovery), CANNED_KEEP},
				{say(200, TOKEN), CANNED_KEEP}, {say(200, USER), CANNED_KEEP});
		read_user(&fixture);
		if (fixture.call.code != ERR_NONE)
			fail_msg("case %zu: %s", i, fixture.call.err.text);
		if (cases[i].account)
			ASSERT_ASKED(&fixture, CONFIG,
					"GET " ACCOUNT_OIDC
					"/.well-known/oauth-authorization-server ",
					"POST " ACCOUNT_OIDC "/v1/token ", ACCOUNT_USER);
		else
			ASSERT_ASKED(&fixture, CONFIG,
					"GET /oidc/.well-known/oauth-authorization-server ",
					"POST /oidc/v1/token ",
					"GET /api/2.0/preview/scim/v2/Users/1?");
		canned_fixture_stop(&fixture);
	}
}

static void one_request_serves_all_waiters(void **state)
{
	struct canned_fixture fixture;
	struct call calls[20];

	(void)state;
	start(&fixture, true);
	SAY(&fixture, {NOTHING, CANNED_KEEP}, {NOTHING, CANNED_KEEP},
			{say(200, TOKEN), CANNED_KEEP}, {say(200, USER), CANNED_KEEP});
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		calls[i] = (struct call){.lane = LANE_SINGLE, .wakes = &fixture.woken};
		scim_get(fixture.databricks, &calls[i], PRINCIPAL_USER, "1", 0);
	}
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		canned_fixture_wait(&fixture, &calls[i].done);
		assert_int_equal(calls[i].code, ERR_NONE);
		call_release(&calls[i]);
	}
	assert_int_equal(canned_fixture_requests(&fixture), 3 + COUNT_OF(calls));
	canned_fixture_stop(&fixture);
}

static void trouble_is_tried_again(void **state)
{
	struct canned_fixture fixture;

	(void)state;
	start(&fixture, true);
	SAY(&fixture, {NULL, CANNED_CLOSE}, {say(503, ""), CANNED_KEEP}, {NOTHING, CANNED_KEEP},
			{NULL, CANNED_CLOSE}, {say(429, ""), CANNED_KEEP},
			{say(200, TOKEN), CANNED_KEEP}, {say(200, USER), CANNED_KEEP});
	read_user(&fixture);
	assert_int_equal(fixture.call.code, ERR_NONE);
	canned_fixture_stop(&fixture);
}

static void a_refusal_is_told_to_all_and_kept(void **state)
{
	struct target_status status;
	struct canned_fixture fixture;

	(void)state;
	start(&fixture, true);
	SAY(&fixture, {NOTHING, CANNED_KEEP}, {NOTHING, CANNED_KEEP},
			{say(401, "{\"error\":\"invalid_client\",\"error_description\":\"no\"}"),
					CANNED_KEEP});
	for (unsigned i = 0; i < 3; i++) {
		read_user(&fixture);
		assert_int_equal(fixture.call.code, ERR_AUTH);
		assert_non_null(strstr(fixture.call.err.text, "invalid_client: no"));
	}
	assert_int_equal(canned_fixture_requests(&fixture), 3);
	databricks_status(fixture.databricks, 0, &status);
	assert_int_equal(status.sign_in, SIGN_IN_REFUSED);
	canned_fixture_stop(&fixture);
}

static void a_missing_secret_is_told(void **state)
{
	struct canned_fixture fixture;

	(void)state;
	start(&fixture, true);
	assert_int_equal(unsetenv("TEST_CLIENT_SECRET"), 0);
	SAY(&fixture, {NOTHING, CANNED_KEEP});
	read_user(&fixture);
	assert_int_equal(fixture.call.code, ERR_AUTH);
	assert_non_null(strstr(fixture.call.err.text, "TEST_CLIENT_SECRET"));
	canned_fixture_stop(&fixture);
}

static void proxies_see_no_credential(void **state)
{
	struct canned_fixture fixture;

	(void)state;
	canned_fixture_start(&fixture);
	assert_int_equal(setenv("HTTPS_PROXY", fixture.server.host, 1), 0);
	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	fixture.targets[0].host = "https://w.example.com";
	canned_fixture_reconnect(&fixture);
	SAY(&fixture, {say(407, ""), CANNED_CLOSE});
	scim_delete(fixture.databricks, &fixture.call, PRINCIPAL_USER, "1");
	canned_fixture_wait(&fixture, &fixture.call.done);
	assert_int_equal(fixture.call.code, ERR_IO);
	assert_false(fixture.call.err.effect_unknown);
	assert_true(text_starts_with(
			canned_fixture_request(&fixture, 0), "CONNECT w.example.com:443 "));
	assert_null(strstr(canned_fixture_request(&fixture, 0), "Bearer"));

	/* this machine is reached without one */
	fixture.targets[0].host = fixture.server.host;
	canned_fixture_reconnect(&fixture);
	SAY(&fixture, {say(200, USER), CANNED_KEEP});
	read_user(&fixture);
	assert_int_equal(fixture.call.code, ERR_NONE);
	assert_true(text_starts_with(canned_fixture_request(&fixture, 0), "GET /api/"));
	assert_int_equal(unsetenv("HTTPS_PROXY"), 0);
	assert_int_equal(unsetenv("http_proxy"), 0);
	canned_fixture_stop(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(the_token_endpoint_is_where_the_host_says),
			cmocka_unit_test(usual_urls_stand_in_for_what_is_missing),
			cmocka_unit_test(one_request_serves_all_waiters),
			cmocka_unit_test(trouble_is_tried_again),
			cmocka_unit_test(a_refusal_is_told_to_all_and_kept),
			cmocka_unit_test(a_missing_secret_is_told),
			cmocka_unit_test(proxies_see_no_credential),
	};

	return cmocka_run_group_tests_name("signin", tests, NULL, NULL);
}
