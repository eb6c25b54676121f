#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "model/entry.h"

#define BLOCK_MAX 100000

static const struct span mails[] = {
		{"b@example.org", 13}, {"a@example.org", 13}, {"b@example.org", 13}};
static const struct span cns[] = {{"Ada\0Sample", 10}};
static const struct span members[] = {{"uid=a", 5}};
static const struct span empty_values[] = {{"", 0}};
static const struct attribute attributes[] = {
		{"mail", mails, 3},
		{"cn", cns, 1},
		{"member", members, 1},
		{"description", empty_values, 1},
};
static const char *const skip[] = {"member", "uniquemember"};

static void test_round_trip(void **state)
{
	const struct entry entry = {"x", "cn=x", attributes, COUNT_OF(attributes)};
	AUTO(buf_release) struct buf block = {.max = BLOCK_MAX};
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct entry got;
	struct err err;

	(void)state;
	entry_pack(&entry, skip, COUNT_OF(skip), &block);
	assert_int_equal(entry_unpack((struct span){block.ptr, block.len}, arena, &got, &err),
			ERR_NONE);
	assert_int_equal(got.count, 3);
	assert_string_equal(got.attributes[0].name, "cn");
	assert_null(entry_find(&got, "member"));
	assert_true(span_equal(entry_first(&got, "CN"), cns[0]));
	assert_int_equal(entry_find(&got, "mail")->count, 2);
	assert_true(span_equal(entry_first(&got, "mail"), SPAN_LIT("a@example.org")));
	assert_int_equal(entry_first(&got, "description").len, 0);
	assert_non_null(entry_first(&got, "description").ptr);
	assert_null(entry_first(&got, "sn").ptr);
	assert_true(span_equal(
			entry_block_first((struct span){block.ptr, block.len}, "cn"), cns[0]));
	assert_true(span_equal(
			entry_block_first((struct span){block.ptr, block.len}, "mail"), mails[1]));
	assert_null(entry_block_first((struct span){block.ptr, block.len}, "member").ptr);
}

static void test_equal_content_equal_bytes(void **state)
{
	static const struct span other_mails[] = {{"a@example.org", 13}, {"b@example.org", 13}};
	/* the same attribute in two pieces is one */
	static const struct attribute other[] = {
			{"cn", cns, 1},
			{"description", empty_values, 1},
			{"mail", other_mails, 1},
			{"mail", other_mails + 1, 1},
	};
	const struct entry a = {"x", "cn=x", attributes, COUNT_OF(attributes)},
			   b = {"x", "cn=x", other, COUNT_OF(other)};
	AUTO(buf_release) struct buf x = {.max = BLOCK_MAX};
	AUTO(buf_release) struct buf y = {.max = BLOCK_MAX};

	(void)state;
	entry_pack(&a, skip, COUNT_OF(skip), &x);
	entry_pack(&b, NULL, 0, &y);
	assert_true(span_equal((struct span){x.ptr, x.len}, (struct span){y.ptr, y.len}));
}

static void test_many_and_long_values(void **state)
{
	enum { MANY = 1000, LONG = 300 };
	static char text[MANY][LONG];
	static struct span values[MANY];
	const struct attribute attribute = {"x", values, MANY};
	const struct entry entry = {"x", "cn=x", &attribute, 1};
	AUTO(buf_release) struct buf block = {.max = (size_t)MANY * LONG * 2};
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct entry got;
	struct err err;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		int len = snprintf(text[i], LONG, "%0*zu", (int)(4 + i % (LONG - 10)), MANY - i);

		values[i] = (struct span){text[i], (size_t)len};
	}
	entry_pack(&entry, NULL, 0, &block);
	assert_false(block.overflowed);
	assert_int_equal(entry_unpack((struct span){block.ptr, block.len}, arena, &got, &err),
			ERR_NONE);
	assert_int_equal(got.attributes[0].count, MANY);
}

static void test_empty(void **state)
{
	AUTO(buf_release) struct buf block = {.max = BLOCK_MAX};
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct entry got;
	struct err err;

	(void)state;
	entry_pack(&(struct entry){0}, NULL, 0, &block);
	assert_int_equal(entry_unpack((struct span){block.ptr, block.len}, arena, &got, &err),
			ERR_NONE);
	assert_int_equal(got.count, 0);
}

static void test_damaged(void **state)
{
	static const struct span cases[] = {
			SPAN_LIT(""),                 /* nothing */
			SPAN_LIT("\x01"),             /* no attribute */
			SPAN_LIT("\x00x"),            /* something behind the end */
			SPAN_LIT("\x01\x00\x01\x00"), /* a name without letters */
			SPAN_LIT("\x01"
				 "cn"), /* a name without end */
			SPAN_LIT("\x01"
				 "cn\0\x00"), /* no values */
			SPAN_LIT("\x01"
				 "cn\0\x01\x05"
				 "abc"), /* a value without end */
			SPAN_LIT("\x01"
				 "cn\0\x02\x01"
				 "b\x01"
				 "a"), /* values out of order */
			SPAN_LIT("\x01"
				 "cn\0\x02\x01"
				 "a\x01"
				 "a"), /* a value twice */
			SPAN_LIT("\x02"
				 "cn\0\x01\x00"
				 "ab\0\x01\x00"), /* names out of order */
			SPAN_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
			SPAN_LIT("\x01"
				 "cn\0\xff\xff\x7f"
				 "a"),        /* more values than octets */
			SPAN_LIT("\x81\x02"), /* ENTRY_ATTRIBUTES_MAX and one */
			SPAN_LIT("\x01"
				 "cn\0\x01\x81\x80\x04"), /* ENTRY_VALUE_BYTES_MAX and one */
	};
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct entry got;
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (entry_unpack(cases[i], arena, &got, &err) != ERR_STORE)
			fail_msg("case %zu was taken", i);
	}
}

/* Whatever a block is cut to, it is damaged and nothing else happens. */
static void test_cut(void **state)
{
	const struct entry entry = {"x", "cn=x", attributes, COUNT_OF(attributes)};
	AUTO(buf_release) struct buf block = {.max = BLOCK_MAX};
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct entry got;
	struct err err;

	(void)state;
	entry_pack(&entry, NULL, 0, &block);
	for (size_t len = 0; len < block.len; len++)
		assert_int_equal(entry_unpack((struct span){block.ptr, len}, arena, &got, &err),
				ERR_STORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_round_trip),
			cmocka_unit_test(test_equal_content_equal_bytes),
			cmocka_unit_test(test_many_and_long_values),
			cmocka_unit_test(test_empty),
			cmocka_unit_test(test_damaged),
			cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
