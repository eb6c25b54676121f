#include "databricks/signin.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void tokens_are_read(void **state)
{
	static const struct {
		const char *body, *header;
		int64_t life_s;
	} cases[] = {
			{"{\"access_token\":\"abc\",\"token_type\":\"Bearer\",\"expires_in\":3600,"
			 "\"scope\":\"all-apis\"}",
					"Bearer abc", 3600},
			{"{\"access_token\":\"abc\",\"token_type\":\"Taker\",\"expires_in\":"
			 "\"3600\"}",
					"Taker abc", 3600},
			{"{\"access_token\":\"abc\",\"expires_in\":2.5}", "Bearer abc", 2},
			{"{\"access_token\":\"abc\"}", "Bearer abc", 0},
			{"{\"access_token\":\"abc\",\"expires_in\":-5}", "Bearer abc", 0},
			{"{\"access_token\":\"abc\",\"expires_in\":1e300}", "Bearer abc",
					INT32_MAX},
			{"{\"access_token\":\"abc\",\"expires_in\":null}", "Bearer abc", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct secret header = {0};
		struct err err;
		int64_t life_s;

		if (signin_read_token(200, span_of(cases[i].body), "", &header, &life_s, &err) !=
				ERR_NONE)
			fail_msg("%s: %s", cases[i].body, err.text);
		assert_string_equal(header.text, cases[i].header);
		assert_int_equal(life_s, cases[i].life_s);
		secret_release(&header);
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
					"access_token"},
			{200, "{\"access_token\":\"a\",\"expires_in\":\"soon\"}", ERR_PROTO,
					"expires_in"},
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
		struct secret header = {0};
		struct err err;
		int64_t life_s;

		if (signin_read_token(cases[i].status, span_of(cases[i].body), "", &header, &life_s,
				    &err) != cases[i].code)
			fail_msg("%d %s", cases[i].status, cases[i].body);
		if (!strstr(err.text, cases[i].text))
			fail_msg("%d %s: %s", cases[i].status, cases[i].body, err.text);
		assert_null(header.text);
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
