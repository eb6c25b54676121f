#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "model/securable.h"

static void test_table(void **state)
{
	(void)state;
	for (enum securable_type type = 0; type < SECURABLE_TYPE_COUNT_; type++) {
		const struct securable_traits *traits = securable_traits(type);
		enum securable_type found = SECURABLE_TYPE_COUNT_;
		size_t levels = 0;

		assert_non_null(traits->name);
		assert_non_null(traits->path);
		assert_true(securable_parse(traits->name, &found));
		assert_int_equal(found, type);
		while (traits->levels[levels])
			levels++;
		assert_true(levels > 0);
		assert_int_equal(traits->has_owner, securable_has_level(type, "IS_OWNER"));
	}
}

static void test_levels(void **state)
{
	static const struct {
		enum securable_type type;
		const char *a, *b, *joined;
	} cases[] = {
			{SECURABLE_JOB, "CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE_RUN"},
			{SECURABLE_JOB, "CAN_MANAGE", "CAN_VIEW", "CAN_MANAGE"},
			{SECURABLE_JOB, NULL, "CAN_VIEW", "CAN_VIEW"},
			{SECURABLE_JOB, NULL, NULL, NULL},
			{SECURABLE_SQL_WAREHOUSE, "CAN_USE", "CAN_VIEW", "CAN_MONITOR"},
			{SECURABLE_SQL_WAREHOUSE, "CAN_VIEW", "CAN_USE", "CAN_MONITOR"},
			{SECURABLE_SQL_WAREHOUSE, "CAN_VIEW", "CAN_VIEW", "CAN_VIEW"},
			{SECURABLE_SQL_WAREHOUSE, "CAN_MANAGE", "CAN_USE", "CAN_MANAGE"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *joined = securable_join_levels(cases[i].type, cases[i].a, cases[i].b);

		if (cases[i].joined)
			assert_string_equal(joined, cases[i].joined);
		else
			assert_null(joined);
	}
}

static void test_cover(void **state)
{
	(void)state;
	assert_true(securable_level_covers(SECURABLE_JOB, "CAN_MANAGE", "CAN_VIEW"));
	assert_true(securable_level_covers(SECURABLE_JOB, "CAN_VIEW", NULL));
	assert_false(securable_level_covers(SECURABLE_JOB, NULL, "CAN_VIEW"));
	assert_false(securable_level_covers(SECURABLE_JOB, "CAN_VIEW", "CAN_MANAGE_RUN"));
	assert_false(securable_level_covers(SECURABLE_SQL_WAREHOUSE, "CAN_USE", "CAN_VIEW"));
	assert_true(securable_level_covers(SECURABLE_SQL_WAREHOUSE, "CAN_MONITOR", "CAN_VIEW"));
}

static void test_unknown(void **state)
{
	enum securable_type type;

	(void)state;
	assert_false(securable_parse("clusters", &type));
	assert_false(securable_has_level(SECURABLE_CLUSTER_POLICY, "CAN_MANAGE"));
	assert_false(securable_has_level(SECURABLE_EXPERIMENT, "CAN_RUN"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_table),
			cmocka_unit_test(test_levels), cmocka_unit_test(test_cover),
			cmocka_unit_test(test_unknown)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
