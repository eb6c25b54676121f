#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "model/pack.h"

static void test_numbers(void **state)
{
	static const size_t cases[] = {0, 1, 127, 128, 300, 65535, 65536, 2000000, PACK_NUMBER_MAX};
	AUTO(buf_release) struct buf block = {.max = 100};
	struct pack_reader reader;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		pack_add_number(&block, cases[i]);
	reader = (struct pack_reader){.rest = {block.ptr, block.len}};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(pack_read_number(&reader, PACK_NUMBER_MAX), cases[i]);
	assert_false(reader.damaged);
	assert_int_equal(pack_read_number(&reader, PACK_NUMBER_MAX), 0);
	assert_true(reader.damaged);
}

static void test_limits(void **state)
{
	struct pack_reader exact = {.rest = SPAN_LIT("\x05")}, over = exact;
	struct pack_reader endless = {.rest = SPAN_LIT("\x80\x80\x80\x80\x80\x01")};

	(void)state;
	assert_int_equal(pack_read_number(&exact, 5), 5);
	assert_int_equal(pack_read_number(&over, 4), 0);
	assert_true(over.damaged);
	(void)pack_read_number(&endless, PACK_NUMBER_MAX);
	assert_true(endless.damaged);
}

/* After the first damage nothing is given, though there would be more. */
static void test_bytes(void **state)
{
	struct pack_reader reader = {.rest = SPAN_LIT("abcd")};

	(void)state;
	assert_true(span_equal(pack_read_bytes(&reader, 2), SPAN_LIT("ab")));
	assert_int_equal(pack_read_bytes(&reader, 3).len, 0);
	assert_true(reader.damaged);
	assert_int_equal(reader.rest.len, 2);
	assert_int_equal(pack_read_bytes(&reader, 1).len, 0);
	reader = (struct pack_reader){.rest = SPAN_LIT("\x02"
						       "abc")};
	assert_true(span_equal(pack_read_span(&reader, 2), SPAN_LIT("ab")));
	reader = (struct pack_reader){.rest = SPAN_LIT("\x02"
						       "abc")};
	assert_int_equal(pack_read_span(&reader, 1).len, 0);
	assert_true(reader.damaged);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers),
			cmocka_unit_test(test_limits), cmocka_unit_test(test_bytes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
