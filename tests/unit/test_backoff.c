#include "directory/backoff.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_doubling_cap_and_jitter(void **state)
{
	static const struct {
		unsigned failures;
		uint32_t random;
		uint64_t want_ms;
	} cases[] = {
			{1, 0, 100},
			{1, UINT32_MAX, 200},
			{2, 0, 200},
			{2, UINT32_MAX, 400},
			{4, UINT32_MAX, 1600},
			{5, UINT32_MAX, 3000}, /* the cap */
			{5, 0, 1500},
			{5, UINT32_MAX / 2, 2249},
			{UINT32_MAX, UINT32_MAX, 3000},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct backoff backoff = {200, 3000, cases[i].failures};

		assert_int_equal(backoff_delay_ms(&backoff, cases[i].random), cases[i].want_ms);
	}
}

static void test_a_first_wait_over_the_cap_is_capped(void **state)
{
	const struct backoff backoff = {5000, 300, 1};

	(void)state;
	assert_int_equal(backoff_delay_ms(&backoff, UINT32_MAX), 300);
}

static void test_failures_are_counted_and_the_wait_is_in_range(void **state)
{
	struct backoff backoff = {200, 3000, 0};

	(void)state;
	for (unsigned i = 1; i <= 10; i++) {
		uint64_t wait_ms = backoff_fail_ms(&backoff);
		uint64_t whole_ms = i < 5 ? (uint64_t)100 << i : 3000;

		assert_int_equal(backoff.failures, i);
		assert_in_range(wait_ms, whole_ms / 2, whole_ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_doubling_cap_and_jitter),
			cmocka_unit_test(test_a_first_wait_over_the_cap_is_capped),
			cmocka_unit_test(test_failures_are_counted_and_the_wait_is_in_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
