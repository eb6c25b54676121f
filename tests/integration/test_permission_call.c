/*
 * What goes over the wire to read and change permissions, what never does, and what comes of refusals.
 */
#include "canned_fixture.h"

#include "base/text.h"
#include "databricks/permission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct permission_object job = {SECURABLE_JOB, "9007199254740993"};
static const struct permission_object tokens = {SECURABLE_AUTHORIZATION, "tokens"};

#define ANSWER                                                                                     \
	"{\"object_id\":\"/jobs/1\",\"access_control_list\":[{\"group_name\":\"etl\","             \
	"\"all_permissions\":[{\"permission_level\":\"CAN_VIEW\",\"inherited\":false}]}]}"

static void fixture_start(struct canned_fixture *fixture)
{
	canned_fixture_start(fixture);
	SAY(fixture, {canned_answer(200, "", ANSWER), CANNED_KEEP});
}

static void requests_are_what_they_should_be(void **state)
{
	static const struct acl_grant grants[] = {{PRINCIPAL_USER, "ada@example.com", "IS_OWNER"},
			{PRINCIPAL_GROUP, "etl", "CAN_VIEW"},
			{PRINCIPAL_SERVICE, "2f-0", "CAN_MANAGE"}};
	static const struct acl_change change = {grants, COUNT_OF(grants)};
	static const struct permission_object query = {SECURABLE_QUERY, "u-1"};
	static const struct acl_grant old[] = {{PRINCIPAL_GROUP, "etl", "CAN_VIEW"}};
	static const struct permission_object odd = {SECURABLE_APP, "a/../b?c"};
	struct canned_fixture fixture;
	struct acl acl;
	struct arena *arena = arena_new();
	struct err err;

	(void)state;
	fixture_start(&fixture);
	permission_get(fixture.databricks, &fixture.call, &job);
	canned_fixture_wait(&fixture, &fixture.call.done);
	assert_int_equal(fixture.call.code, ERR_NONE);
	assert_int_equal(permission_acl(&fixture.call, job.type, arena, &acl, &err), ERR_NONE);
	assert_string_equal(acl.entries[0].direct, "CAN_VIEW");
	assert_true(text_starts_with(canned_fixture_request(&fixture, 0),
			"GET /api/2.0/permissions/jobs/9007199254740993 HTTP/1.1\r\n"));
	permission_merge(fixture.databricks, &fixture.call, &job, &change);
	canned_fixture_wait(&fixture, &fixture.call.done);
	assert_true(text_starts_with(canned_fixture_request(&fixture, 1),
			"PATCH /api/2.0/permissions/jobs/9007199254740993 HTTP/1.1\r\n"));
	assert_non_null(strstr(canned_fixture_request(&fixture, 1),
			"\r\n\r\n{\"access_control_list\":["
			"{\"user_name\":\"ada@example.com\",\"permission_level\":\"IS_OWNER\"},"
			"{\"group_name\":\"etl\",\"permission_level\":\"CAN_VIEW\"},"
			"{\"service_principal_name\":\"2f-0\",\"permission_level\":"
			"\"CAN_MANAGE\"}]}"));
	permission_replace(fixture.databricks, &fixture.call, &query, &(struct acl_change){old, 1});
	canned_fixture_wait(&fixture, &fixture.call.done);
	assert_true(text_starts_with(canned_fixture_request(&fixture, 2),
			"PUT /api/2.0/permissions/queries/u-1 HTTP/1.1\r\n"));
	assert_non_null(strstr(canned_fixture_request(&fixture, 2), "\"CAN_READ\""));
	permission_ask_levels(fixture.databricks, &fixture.call, &odd);
	canned_fixture_wait(&fixture, &fixture.call.done);
	assert_true(text_starts_with(canned_fixture_request(&fixture, 3),
			"GET /api/2.0/permissions/apps/a%2F..%2Fb%3Fc/permissionLevels HTTP/1.1"));
	/* Nothing left: allowed, and not the same as nothing said. */
	permission_replace(fixture.databricks, &fixture.call, &query, &(struct acl_change){0});
	canned_fixture_wait(&fixture, &fixture.call.done);
	assert_non_null(strstr(canned_fixture_request(&fixture, 4),
			"\r\n\r\n{\"access_control_list\":[]}"));
	arena_free(arena);
	canned_fixture_stop(&fixture);
}

static void mistakes_are_not_sent(void **state)
{
	static const struct permission_object root = {SECURABLE_DIRECTORY, "0"};
	static const struct permission_object models = {SECURABLE_REGISTERED_MODEL, "root"};
	static const struct permission_object folder = {SECURABLE_DIRECTORY, "5"};
	static const struct permission_object none = {SECURABLE_JOB, ""};
	static const struct {
		const struct permission_object *object;
		struct acl_grant grants[2];
		size_t count;
		bool replace;
		bool sent;
	} cases[] = {
			{&job,
					{{PRINCIPAL_USER, "a@example.com", "CAN_VIEW"},
							{PRINCIPAL_USER, "A@Example.com",
									"CAN_MANAGE"}},
					2, false, false},
			{&job,
					{{PRINCIPAL_USER, "a", "CAN_VIEW"},
							{PRINCIPAL_GROUP, "a", "CAN_VIEW"}},
					2, false, true},
			{&job, {{PRINCIPAL_USER, "", "CAN_VIEW"}}, 1, false, false},
			{&job, {{PRINCIPAL_USER, "a", NULL}}, 1, false, false},
			{&job,
					{{PRINCIPAL_USER, "a", "IS_OWNER"},
							{PRINCIPAL_SERVICE, "b", "IS_OWNER"}},
					2, true, false},
			{&job, {{PRINCIPAL_GROUP, "a", "IS_OWNER"}}, 1, false, false},
			{&none, {{PRINCIPAL_USER, "a", "CAN_VIEW"}}, 1, false, false},
			{&tokens, {{PRINCIPAL_GROUP, "a", "CAN_USE"}}, 1, true, false},
			{&tokens, {{PRINCIPAL_GROUP, "a", "CAN_USE"}}, 1, false, true},
			{&tokens,
					{{PRINCIPAL_GROUP, "a", "CAN_USE"},
							{PRINCIPAL_GROUP, "admins", "CAN_USE"}},
					2, true, false},
			{&tokens,
					{{PRINCIPAL_GROUP, "a", "CAN_USE"},
							{PRINCIPAL_GROUP, "admins", "CAN_MANAGE"}},
					2, true, true},
			{&root, {{PRINCIPAL_USER, "admins", "CAN_MANAGE"}}, 1, true, false},
			{&models, {{PRINCIPAL_GROUP, "a", "CAN_READ"}}, 1, true, false},
			{&folder, {{PRINCIPAL_GROUP, "a", "CAN_READ"}}, 1, true, true},
	};
	struct canned_fixture fixture;

	(void)state;
	fixture_start(&fixture);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct acl_change change = {cases[i].grants, cases[i].count};
		size_t before = canned_fixture_requests(&fixture);

		if (cases[i].replace)
			permission_replace(fixture.databricks, &fixture.call, cases[i].object,
					&change);
		else
			permission_merge(fixture.databricks, &fixture.call, cases[i].object,
					&change);
		assert_false(fixture.call.done && cases[i].sent);
		canned_fixture_wait(&fixture, &fixture.call.done);
		if (canned_fixture_requests(&fixture) != before + cases[i].sent ||
				fixture.call.code != (cases[i].sent ? ERR_NONE : ERR_BUG))
			fail_msg("case %zu: %s", i, err_code_name(fixture.call.code));
	}
	canned_fixture_stop(&fixture);
}

static void merging_nothing_is_no_request(void **state)
{
	struct canned_fixture fixture;

	(void)state;
	fixture_start(&fixture);
	permission_merge(fixture.databricks, &fixture.call, &job, &(struct acl_change){0});
	canned_fixture_wait(&fixture, &fixture.call.done);
	assert_int_equal(fixture.call.code, ERR_NONE);
	assert_int_equal(canned_fixture_requests(&fixture), 0);
	canned_fixture_stop(&fixture);
}

static void too_many_entries_are_not_sent(void **state)
{
	struct acl_grant *grants = mem_array(PERMISSION_ENTRIES_MAX + 1, sizeof(*grants));
	const struct acl_change change = {grants, PERMISSION_ENTRIES_MAX + 1};
	struct canned_fixture fixture;

	(void)state;
	fixture_start(&fixture);
	permission_merge(fixture.databricks, &fixture.call, &job, &change);
	canned_fixture_wait(&fixture, &fixture.call.done);
	assert_int_equal(fixture.call.code, ERR_LIMIT);
	assert_int_equal(canned_fixture_requests(&fixture), 0);
	mem_free(grants);
	canned_fixture_stop(&fixture);
}

static void who_is_unknown_is_told(void **state)
{
	static const struct acl_grant grants[] = {{PRINCIPAL_GROUP, "x", "CAN_VIEW"}};
	struct canned_fixture fixture;
	enum principal_kind kind;
	const char *name;

	(void)state;
	fixture_start(&fixture);
	SAY(&fixture,
			{canned_answer(404, "",
					 "{\"error_code\":\"RESOURCE_DOES_NOT_EXIST\",\"message\":"
					 "\"Principal: GroupName(x) does not exist\"}"),
					CANNED_KEEP},
			{canned_answer(404, "",
					 "{\"error_code\":\"RESOURCE_DOES_NOT_EXIST\",\"message\":"
					 "\"Job 7 does not exist.\"}"),
					CANNED_KEEP},
			{canned_answer(200, "", ANSWER), CANNED_KEEP});
	permission_merge(fixture.databricks, &fixture.call, &job, &(struct acl_change){grants, 1});
	canned_fixture_wait(&fixture, &fixture.call.done);
	assert_int_equal(fixture.call.code, ERR_CONFLICT);
	assert_true(permission_unknown_principal(&fixture.call, &kind, &name));
	assert_int_equal(kind, PRINCIPAL_GROUP);
	assert_string_equal(name, "x");
	/* The same call, sent again, does not remember. */
	permission_merge(fixture.databricks, &fixture.call, &job, &(struct acl_change){grants, 1});
	canned_fixture_wait(&fixture, &fixture.call.done);
	assert_int_equal(fixture.call.code, ERR_NOT_FOUND);
	assert_false(permission_unknown_principal(&fixture.call, &kind, &name));
	assert_int_equal(fixture.call.refusal, REFUSAL_OTHER);
	canned_fixture_stop(&fixture);
}

static void late_reads_are_repeated_and_writes_are_not(void **state)
{
	static const struct acl_grant grants[] = {{PRINCIPAL_GROUP, "x", "CAN_VIEW"}};
	struct canned_fixture fixture;

	(void)state;
	fixture_start(&fixture);
	SAY(&fixture, {canned_answer(504, "", "late"), CANNED_KEEP},
			{canned_answer(200, "", ANSWER), CANNED_KEEP});
	permission_get(fixture.databricks, &fixture.call, &job);
	canned_fixture_wait(&fixture, &fixture.call.done);
	assert_int_equal(fixture.call.code, ERR_NONE);
	assert_int_equal(canned_fixture_requests(&fixture), 2);
	SAY(&fixture, {canned_answer(504, "", "late"), CANNED_KEEP});
	permission_merge(fixture.databricks, &fixture.call, &job, &(struct acl_change){grants, 1});
	canned_fixture_wait(&fixture, &fixture.call.done);
	assert_int_equal(fixture.call.code, ERR_TIMEOUT);
	assert_true(fixture.call.err.effect_unknown);
	assert_int_equal(canned_fixture_requests(&fixture), 1);
	canned_fixture_stop(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(requests_are_what_they_should_be),
			cmocka_unit_test(mistakes_are_not_sent),
			cmocka_unit_test(merging_nothing_is_no_request),
			cmocka_unit_test(too_many_entries_are_not_sent),
			cmocka_unit_test(who_is_unknown_is_told),
			cmocka_unit_test(late_reads_are_repeated_and_writes_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
