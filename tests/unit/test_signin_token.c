#include "databricks/auth/method.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define NOW_S 1767225600

static void tokens_are_read(void **state)
{
	static const struct {
		const char *body, *type;
		int64_t life_s;
	} cases[] = {
			{"{\"access_token\":\"abc\",\"token_type\":\"Bearer\",\"expires_in\":3600,"
			 "\"scope\":\"all-apis\"}",
					"Bearer", 3600},
			{"{\"access_token\":\"abc\",\"token_type\":\"Taker\",\"expires_in\":"
			 "\"3600\"}",
					"Taker", 3600},
			{"{\"access_token\":\"abc\",\"expires_in\":2.5}", "Bearer", 2},
			{"{\"access_token\":\"abc\"}", "Bearer", 0},
			{"{\"access_token\":\"abc\",\"expires_in\":-5}", "Bearer", 0},
			{"{\"access_token\":\"abc\",\"expires_in\":1e300}", "Bearer", INT32_MAX},
			{"{\"access_token\":\"abc\",\"expires_in\":null}", "Bearer", 0},
			{"{\"access_token\":\"abc\",\"expires_on\":1767229200}", "Bearer", 3600},
			{"{\"access_token\":\"abc\",\"expires_on\":\"1767225601\"}", "Bearer", 1},
			{"{\"access_token\":\"abc\",\"expires_in\":\"60\",\"expires_on\":"
			 "\"1767229200\"}",
					"Bearer", 60},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct token_response response = {.status = 200,
				.body = span_of(cases[i].body),
				.retry_after = "",
				.now_s = NOW_S};
		struct token_answer answer = {0};
		struct err err;

		if (token_answer_read(&response, "access_token", &answer, &err) != ERR_NONE)
			fail_msg("%s: %s", cases[i].body, err.text);
		assert_string_equal(answer.token.text, "abc");
		assert_string_equal(answer.type, cases[i].type);
		assert_int_equal(answer.life_s, cases[i].life_s);
		token_answer_release(&answer);
	}
}

static void what_is_no_token_says_why(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_code code;
		const char *text;
	} cases[] = {
			{200, "", ERR_PROTO, "no object"},
			{200, "[]", ERR_PROTO, "no object"},
			{200, "<html>", ERR_PROTO, "HTML"},
			{200, "{}", ERR_PROTO, "access_token"},
			{200, "{\"access_token\":\"\"}", ERR_PROTO, "access_token"},
			{200, "{\"access_token\":7}", ERR_PROTO, "access_token"},
			{200, "{\"access_token\":\"a\\r\\nX: y\"}", ERR_PROTO, "access_token"},
			{200, "{\"access_token\":\"a\",\"token_type\":\"B C\"}", ERR_PROTO,
					"token_type"},
			{200, "{\"access_token\":\"a\",\"expires_in\":\"soon\"}", ERR_PROTO,
					"expires_in"},
			{200, "{\"access_token\":\"a\",\"expires_on\":\"soon\"}", ERR_PROTO,
					"expires_on"},
			{200, "{\"access_token\":\"a\",\"expires_on\":1767225600}", ERR_PROTO,
					"clock"},
			{401,
					"{\"error\":\"invalid_client\",\"error_description\":"
					"\"Client authentication failed\"}",
					ERR_AUTH, "invalid_client: Client authentication failed"},
			{400, "", ERR_AUTH, "HTTP 400"},
			{403, "{\"errorCode\":\"E01\",\"errorSummary\":\"no\"}", ERR_AUTH,
					"E01: no"},
			{404, "", ERR_AUTH, "HTTP 404"},
			{400,
					"{\"error\":\"invalid_request\",\"error_description\":"
					"\"Temporarily throttled, too many requests\"}",
					ERR_THROTTLED, "Temporarily throttled"},
			{429, "", ERR_THROTTLED, "HTTP 429"},
			{503, "", ERR_SERVER, "HTTP 503"},
			{504, "", ERR_TIMEOUT, "HTTP 504"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct token_response response = {.status = cases[i].status,
				.body = span_of(cases[i].body),
				.retry_after = "",
				.now_s = NOW_S};
		struct token_answer answer = {0};
		struct err err;

		if (token_answer_read(&response, "access_token", &answer, &err) != cases[i].code)
			fail_msg("%d %s", cases[i].status, cases[i].body);
		if (!strstr(err.text, cases[i].text))
			fail_msg("%d %s: %s", cases[i].status, cases[i].body, err.text);
		assert_null(answer.token.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(tokens_are_read),
			cmocka_unit_test(what_is_no_token_says_why),
	};

	return cmocka_run_group_tests_name("signin_token", tests, NULL, NULL);
}
