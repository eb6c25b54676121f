#include "databricks/answer.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define NOW_MS INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

static struct answer answer_with(int status, const char *body)
{
	return (struct answer){.what = "PATCH .../Groups/8214",
			.status = status,
			.body = span_of(body),
			.location = "",
			.retry_after = "",
			.now_ms = NOW_MS};
}

static void error_bodies_of_every_family_are_read(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_code code;
		const char *text; /* behind "PATCH .../Groups/8214: HTTP NNN" */
	} cases[] = {
			{404,
					"{\"error_code\":\"RESOURCE_DOES_NOT_EXIST\",\"message\":"
					"\"No such thing\"}",
					ERR_NOT_FOUND, " RESOURCE_DOES_NOT_EXIST: No such thing"},
			{403, "{\"error_code\":403,\"message\":\"x\"}", ERR_DENIED, " 403: x"},
			{400, "{\"error_code\":\"INVALID_STATE\"}", ERR_REFUSED, " INVALID_STATE"},
			{404,
					"{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:"
					"Error\"],\"detail\":\"Group with id 1 is not "
					"found\",\"status\":\"404\"}",
					ERR_NOT_FOUND, " SCIM_404: Group with id 1 is not found"},
			{400,
					"{\"detail\":\"bad "
					"filter\",\"status\":\"400\",\"scimType\":"
					"\"invalidFilter\"}",
					ERR_REFUSED, " SCIM_400: invalidFilter bad filter"},
			{404, "{\"detail\":\"gone\",\"status\":404}", ERR_NOT_FOUND,
					" SCIM_404: gone"},
			{500, "{\"detail\":\"null\",\"status\":\"500\"}", ERR_SERVER,
					" SCIM_500: SCIM API Internal Error"},
			{400, "{\"error\":\"old style\",\"message\":\"hidden\"}", ERR_REFUSED,
					": old style"},
			{401,
					"{\"error\":\"invalid_client\",\"error_description\":\"no "
					"such client\"}",
					ERR_AUTH, " invalid_client: no such client"},
			{400, "MALFORMED_REQUEST: a b", ERR_REFUSED, " MALFORMED_REQUEST: a b"},
			{503,
					"<html><body><pre> No webapps are available to handle your "
					"request. </pre></body></html>",
					ERR_SERVER,
					": No webapps are available to handle your request."},
			{400, "<html><title>Bad Request</title></html>", ERR_REFUSED,
					": Bad Request"},
			{500, "<html></html>", ERR_SERVER, ": an HTML page"},
			{503, "", ERR_SERVER, ""},
			{404, "\"just a string\"", ERR_NOT_FOUND, ": \"just a string\""},
			{404, "\x80", ERR_NOT_FOUND, ": \\x80"},
			{400, "42", ERR_REFUSED, ": 42"},
			{400, "[1,2]", ERR_REFUSED, ": [1,2]"},
			{502, "Bad Gateway", ERR_SERVER, ": Bad Gateway"},
			{400, "{\"message\":\"line one\\nline two\"}", ERR_REFUSED,
					": line one\\x0aline two"},
			{400, "{\"message\":12,\"error_code\":null,\"details\":\"x\"}", ERR_REFUSED,
					""},
			{400, "{\"message\":\"unterminated", ERR_REFUSED,
					": {\"message\":\"unterminated"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct answer answer = answer_with(cases[i].status, cases[i].body);
		struct answer_verdict verdict;
		char wanted[300];
		struct err err;

		(void)snprintf(wanted, sizeof(wanted), "PATCH .../Groups/8214: HTTP %d%s",
				cases[i].status, cases[i].text);
		assert_int_equal(answer_check(&answer, &verdict, &err), cases[i].code);
		assert_string_equal(err.text, wanted);
		assert_int_equal(err.detail, cases[i].status);
		assert_int_equal(err.code, cases[i].code);
	}
}

static const struct {
	int status;
	const char *body;
	enum err_code code;
	bool concurrency;
} meanings[] = {
		{429, "", ERR_THROTTLED, false},
		{429,
				"{\"error_code\":\"RESOURCE_EXHAUSTED\",\"message\":\"Too "
				"many requests.\"}",
				ERR_THROTTLED, false},
		{400, "{\"error_code\":\"REQUEST_LIMIT_EXCEEDED\",\"message\":\"slow\"}",
				ERR_THROTTLED, false},
		{500,
				"{\"detail\":\"REQUEST_LIMIT_EXCEEDED: Workspace 7 "
				"exceeded the concurrent limit of 4 requests.\","
				"\"status\":\"500\"}",
				ERR_THROTTLED, true},
		{429,
				"{\"message\":\"Workspace 7 exceeded the concurrent limit "
				"of 20 requests.\"}",
				ERR_THROTTLED, true},
		{400,
				"{\"message\":\"GetUserPermissionsRequest RPC token bucket "
				"limit has been exceeded.\"}",
				ERR_THROTTLED, false},
		{400,
				"{\"error\":\"invalid_request\",\"error_description\":"
				"\"Temporarily throttled, too many requests\"}",
				ERR_THROTTLED, false},
		/* a name is no code */
		{409,
				"{\"detail\":\"Group with name REQUEST_LIMIT_EXCEEDED "
				"already exists.\",\"status\":\"409\"}",
				ERR_CONFLICT, false},
		{409,
				"{\"detail\":\"Group with name admins already "
				"exists.\",\"status\":\"409\"}",
				ERR_CONFLICT, false},
		{400, "{\"error_code\":\"RESOURCE_ALREADY_EXISTS\",\"message\":\"x\"}",
				ERR_CONFLICT, false},
		{409, "{\"error_code\":\"ABORTED\",\"message\":\"x\"}", ERR_CONFLICT, false},
		{412, "", ERR_CONFLICT, false},
		{400, "{\"error_code\":\"RESOURCE_DOES_NOT_EXIST\",\"message\":\"x\"}",
				ERR_NOT_FOUND, false},
		{404, "", ERR_NOT_FOUND, false},
		/* a path that is not served says nothing of the object */
		{404,
				"{\"error_code\":\"ENDPOINT_NOT_FOUND\",\"message\":\"No "
				"API found for 'POST /x'\"}",
				ERR_UNSUPPORTED, false},
		{404,
				"{\"error_code\":\"NOT_FOUND\",\"message\":\"Endpoint not "
				"supported.\"}",
				ERR_UNSUPPORTED, false},
		{404, "<html><body>Not Found</body></html>", ERR_PROTO, false},
		{403, "{\"error_code\":\"PERMISSION_DENIED\",\"message\":\"x\"}", ERR_DENIED,
				false},
		{400,
				"{\"detail\":\"PERMISSION_DENIED: Cannot remove roles for "
				"1\",\"scimType\":\"invalidValue\"}",
				ERR_DENIED, false},
		{401, "", ERR_AUTH, false},
		{400, "{\"message\":\"QUOTA_EXCEEDED: too many\"}", ERR_REFUSED, false},
		{400,
				"{\"message\":\"Permission assignment APIs are not "
				"available for this workspace.\"}",
				ERR_SERVER, false},
		{400, "{\"message\":\"Principal 5 not in workspace 7\"}", ERR_CONFLICT, false},
		{400, "{\"message\":\"Principal not found in account.\"}", ERR_NOT_FOUND, false},
		{400,
				"{\"detail\":\"Could not handle request. POST BAD_REQUEST: "
				"Principal not found for id: 5\"}",
				ERR_CONFLICT, false},
		{500,
				"{\"detail\":\"Error in performing the patch operation on "
				"group resource.\"}",
				ERR_REFUSED, false},
		{504, "", ERR_TIMEOUT, false},
		{408, "", ERR_TIMEOUT, false},
		{501, "", ERR_UNSUPPORTED, false},
		{422, "", ERR_REFUSED, false},
		{402, "", ERR_REFUSED, false},
		{444, "", ERR_REFUSED, false},
		{599, "", ERR_SERVER, false},
};

static void meanings_are_found_behind_the_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(meanings); i++) {
		struct answer answer = answer_with(meanings[i].status, meanings[i].body);
		struct answer_verdict verdict;
		struct err err;

		if (answer_check(&answer, &verdict, &err) != meanings[i].code)
			fail_msg("case %zu: %s", i, err.text);
		assert_int_equal(verdict.concurrency, meanings[i].concurrency);
	}
}

/* What the interfaces of tokens, policies, lists and settings say, and where the same words mean nothing. */
static const struct {
	const char *what;
	int status;
	const char *body;
	enum err_code code;
	enum refusal refusal;
} refusals[] = {
		{"POST /api/2.0/ip-access-lists", 400,
				"{\"error_code\":\"INVALID_STATE\",\"message\":\"Your "
				"current IP "
				"192.0.2.7 will not be allowed to access the workspace "
				"under "
				"current configuration\"}",
				ERR_REFUSED, REFUSAL_LOCK_OUT},
		{"GET /api/2.0/x", 403,
				"{\"error_code\":403,\"message\":\"Source IP address: "
				"192.0.2.7 is "
				"blocked by Databricks IP ACL for workspace: 123\"}",
				ERR_DENIED, REFUSAL_IP_BLOCKED},
		{"POST /api/2.0/ip-access-lists", 400,
				"{\"error_code\":\"RESOURCE_ALREADY_EXISTS\",\"message\":"
				"\"IP "
				"access list with type (BLOCK) and label (x) already "
				"exists\"}",
				ERR_CONFLICT, REFUSAL_OTHER},
		{"PATCH /api/2.0/ip-access-lists/1", 400, "{\"error_code\":\"QUOTA_EXCEEDED\"}",
				ERR_REFUSED, REFUSAL_QUOTA},
		{"GET /api/2.0/ip-access-lists", 404,
				"{\"error_code\":\"FEATURE_DISABLED\",\"message\":\"IP "
				"access "
				"list is not available in the pricing tier of this "
				"workspace\"}",
				ERR_UNSUPPORTED, REFUSAL_OTHER},
		{"POST /api/2.0/token-management/on-behalf-of/tokens", 403,
				"{\"error_code\":\"PERMISSION_DENIED\",\"message\":\"On-"
				"behalf-of "
				"token creation for service principals is not enabled for "
				"this "
				"workspace\"}",
				ERR_UNSUPPORTED, REFUSAL_OTHER},
		{"POST /api/2.0/token-management/on-behalf-of/tokens", 403,
				"{\"error_code\":\"PERMISSION_DENIED\",\"message\":\"User "
				"x does "
				"not have permission to use tokens.\"}",
				ERR_DENIED, REFUSAL_OTHER},
		{"GET /api/2.0/x", 403,
				"{\"error_code\":403,\"message\":\"Invalid access "
				"token.\"}",
				ERR_AUTH, REFUSAL_OTHER},
		{"PUT /api/2.0/permissions/authorization/tokens", 400,
				"{\"error_code\":\"INVALID_PARAMETER_VALUE\",\"message\":"
				"\"Cannot "
				"change permissions for group 'admins' to None.\"}",
				ERR_REFUSED, REFUSAL_ADMINS},
		{"DELETE /api/2.0/token-management/tokens/1", 404,
				"{\"error_code\":\"NOT_FOUND\",\"message\":\"Token does "
				"not "
				"exist\"}",
				ERR_NOT_FOUND, REFUSAL_OTHER},
		{"DELETE /api/2.0/token-management/tokens/1", 400,
				"{\"error_code\":\"NOT_FOUND\",\"message\":\"Token does "
				"not "
				"exist\"}",
				ERR_REFUSED, REFUSAL_OTHER},
		{"GET /api/2.0/workspace-conf", 400,
				"{\"error_code\":\"INVALID_REQUEST\",\"message\":\"Invalid "
				"keys: "
				"[\\\"enableDcs\\\"]\"}",
				ERR_UNSUPPORTED, REFUSAL_OTHER},
		{"PATCH /api/2.0/workspace-conf", 400,
				"{\"message\":\"Some values are not allowed: "
				"{\\\"maxTokenLifetimeDays\\\":\\\"\\\"}\"}",
				ERR_REFUSED, REFUSAL_OTHER},
		{"POST /api/2.0/policies/clusters/create", 400,
				"{\"error_code\":\"INVALID_PARAMETER_VALUE\",\"message\":"
				"\"Cluster "
				"Policy with name `X` already exists\"}",
				ERR_CONFLICT, REFUSAL_OTHER},
		{"POST /api/2.0/jobs/create", 400,
				"{\"error_code\":\"INVALID_PARAMETER_VALUE\",\"message\":"
				"\"it "
				"already exists\"}",
				ERR_REFUSED, REFUSAL_OTHER},
		{"GET .../access-control/rule-sets", 400,
				"{\"error_code\":\"BAD_REQUEST\",\"message\":\"group 8214 "
				"not "
				"found\"}",
				ERR_NOT_FOUND, REFUSAL_OTHER},
		{"GET /api/2.0/x", 400, "{\"message\":\"group 8214 not found\"}", ERR_REFUSED,
				REFUSAL_OTHER},
		{"PUT .../access-control/rule-sets", 409,
				"{\"error_code\":\"RESOURCE_CONFLICT\",\"message\":"
				"\"Conflict "
				"with another RuleSet operation\"}",
				ERR_CONFLICT, REFUSAL_OTHER},
};

static void refusals_of_access_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		struct answer answer = answer_with(refusals[i].status, refusals[i].body);
		struct answer_verdict verdict;
		struct err err;

		answer.what = refusals[i].what;
		if (answer_check(&answer, &verdict, &err) != refusals[i].code)
			fail_msg("case %zu: %s", i, err.text);
		assert_int_equal(verdict.refusal, refusals[i].refusal);
	}
}

static void errors_bring_a_fresh_etag(void **state)
{
	static const struct {
		const char *details, *etag;
	} cases[] = {
			{"[{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"metadata\":{"
			 "\"etag\":\"etag2\"}}]",
					"etag2"},
			{"[7,{\"metadata\":[]},{\"metadata\":{\"etag\":\"a\"}},{\"metadata\":{"
			 "\"etag\":\"b\"}}]",
					"a"},
			{"[{\"metadata\":{\"etag\":7}}]", ""},
			{"{\"metadata\":{\"etag\":\"a\"}}", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(mem_freep)
		char *body = mem_printf("{\"error_code\":\"RESOURCE_CONFLICT\",\"details\":%s}",
				cases[i].details);
		struct answer answer = answer_with(409, body);
		struct answer_verdict verdict;
		struct err err;

		assert_int_equal(answer_check(&answer, &verdict, &err), ERR_CONFLICT);
		assert_string_equal(verdict.etag, cases[i].etag);
	}
}

static void effect_is_unknown_only_for_writes_that_may_have_worked(void **state)
{
	static const struct {
		int status;
		const char *body;
		bool unknown;
	} cases[] = {{500, "", true}, {502, "", true}, {504, "", true}, {408, "", true},
			{503, "", false}, {429, "", false}, {400, "", false}, {404, "", false},
			{409, "", false}, {501, "", false},
			{500, "{\"detail\":\"REQUEST_LIMIT_EXCEEDED: x\"}", false}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct answer answer = answer_with(cases[i].status, cases[i].body);
		struct answer_verdict verdict;
		struct err err;

		(void)!answer_check(&answer, &verdict, &err);
		assert_false(err.effect_unknown);
		answer.is_write = true;
		(void)!answer_check(&answer, &verdict, &err);
		assert_int_equal(err.effect_unknown, cases[i].unknown);
	}
}

static void redirects_are_no_success(void **state)
{
	struct answer answer = answer_with(302, "");
	struct answer_verdict verdict;
	struct err err;

	(void)state;
	answer.location = "/login?next_url=%2F";
	assert_int_equal(answer_check(&answer, &verdict, &err), ERR_PROTO);
	answer.location = "https://w.example.com/login.html?error=private-link-validation-error:1";
	assert_int_equal(answer_check(&answer, &verdict, &err), ERR_DENIED);
	assert_non_null(strstr(err.text, "PRIVATE_LINK_VALIDATION_ERROR"));
	assert_false(err_is_transient(&err));
}

static void request_ids_come_from_the_details(void **state)
{
	struct answer answer = answer_with(429,
			"{\"error_code\":\"REQUEST_LIMIT_EXCEEDED\",\"message\":\"x\",\"details\":["
			"7,{\"@type\":"
			"\"type.googleapis.com/"
			"google.rpc.RequestInfo\",\"request_id\":\"abc-1\",\"serving_data\":\"\"}]"
			"}");
	struct answer_verdict verdict;
	struct err err;

	(void)state;
	assert_int_equal(answer_check(&answer, &verdict, &err), ERR_THROTTLED);
	assert_string_equal(verdict.request_id, "abc-1");
}

static void retry_after_is_read_in_all_its_forms(void **state)
{
	static const struct {
		const char *value;
		uint32_t seconds;
	} cases[] = {{"", 0}, {"5", 5}, {"0", 0}, {"1.58", 2}, {"1.0", 1}, {"2.", 2}, {"-5", 0},
			{"99999999", 86400}, {"99999999999999999999999", 86400}, {"soon", 0},
			{"5 s", 0}, {".5", 0}, {"1e3", 0}, {"Thu, 01 Jan 2026 00:00:05 GMT", 5},
			{"Thu, 01 Jan 2026 00:00:00 GMT", 0}, {"Wed, 31 Dec 2025 23:00:00 GMT", 0},
			{"Sat, 01 Jan 2028 00:00:00 GMT", 86400},
			{"Thu, 01 Jan 2026 00:00:05 CET", 0}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (answer_retry_after(cases[i].value, NOW_MS) != cases[i].seconds)
			fail_msg("\"%s\": %u", cases[i].value,
					answer_retry_after(cases[i].value, NOW_MS));
	}
}

static void throttling_carries_its_time(void **state)
{
	struct answer answer = answer_with(429, "");
	struct answer_verdict verdict;
	struct err err;

	(void)state;
	answer.retry_after = "1.58";
	assert_int_equal(answer_check(&answer, &verdict, &err), ERR_THROTTLED);
	assert_int_equal(err.retry_after_s, 2);
}

static void bodies_of_success_are_json_or_nothing(void **state)
{
	static const struct {
		const char *body;
		enum err_code code;
		bool json;
	} cases[] = {{"", ERR_NONE, false}, {" \r\n", ERR_NONE, false}, {"{}", ERR_NONE, true},
			{" [1] ", ERR_NONE, true}, {"<html>", ERR_PROTO, false},
			{"{\"a\":1,\"a\":2}", ERR_PROTO, false}, {"{\"a\":", ERR_PROTO, false},
			{"OK", ERR_PROTO, false}, {"{\"a\":\"\\u0000\"}", ERR_PROTO, false},
			{"\x80", ERR_PROTO, false}, {"{} x", ERR_PROTO, false}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		json_t *json = NULL;
		struct err err;

		if (answer_json(span_of(cases[i].body), &json, &err) != cases[i].code)
			fail_msg("case %zu", i);
		assert_int_equal(json != NULL, cases[i].json);
		json_decref(json);
	}
}

static void depth_is_bounded(void **state)
{
	char *deep = mem_alloc(100001);
	json_t *json = NULL;
	struct err err;

	(void)state;
	memset(deep, '[', 100000);
	deep[100000] = '\0';
	assert_int_equal(answer_json(span_of(deep), &json, &err), ERR_PROTO);
	mem_free(deep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(error_bodies_of_every_family_are_read),
			cmocka_unit_test(meanings_are_found_behind_the_status),
			cmocka_unit_test(refusals_of_access_are_told_apart),
			cmocka_unit_test(errors_bring_a_fresh_etag),
			cmocka_unit_test(effect_is_unknown_only_for_writes_that_may_have_worked),
			cmocka_unit_test(redirects_are_no_success),
			cmocka_unit_test(request_ids_come_from_the_details),
			cmocka_unit_test(retry_after_is_read_in_all_its_forms),
			cmocka_unit_test(throttling_carries_its_time),
			cmocka_unit_test(bodies_of_success_are_json_or_nothing),
			cmocka_unit_test(depth_is_bounded),
	};

	return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
