#include "directory/sync_control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define UUID_OCTETS "\xa5\x39\x48\x2a\x7b\xce\x10\x41\x8b\x42\x07\x13\xd1\xf8\xa7\xf7"
#define UUID_TEXT "a539482a-7bce-1041-8b42-0713d1f8a7f7"
#define CSN "20261123205032.414511Z#000000#000#000000"

static struct arena *arena;
static struct err err;

static int set_up(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void assert_span(struct span got, const char *want)
{
	assert_true(span_equal(got, span_of(want)));
}

static void test_anchors(void **state)
{
	static const char *const bad[] = {"", "a539482a7bce10418b420713d1f8a7f7",
			"a539482a-7bce-1041-8b42-0713d1f8a7f",
			"g539482a-7bce-1041-8b42-0713d1f8a7f7",
			"a539482a-7bce-1041-8b42-0713d1f8a7f7 "};
	char text[SYNC_ANCHOR_SIZE];

	(void)state;
	anchor_from_octets(SPAN_LIT(UUID_OCTETS), text);
	assert_string_equal(text, UUID_TEXT);
	assert_true(anchor_from_text(SPAN_LIT("A539482A-7BCE-1041-8b42-0713D1F8A7F7"), text));
	assert_string_equal(text, UUID_TEXT);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(anchor_from_text(span_of(bad[i]), text));
}

static void test_which_cookies_are_plausible(void **state)
{
	static const struct {
		const char *cookie;
		bool want;
	} cases[] = {
			{"rid=000,csn=" CSN, true},
			{"csn=" CSN, true},
			{"rid=001,sid=002,csn=" CSN ";" CSN, true},
			{"rid=000,csn=" CSN ",delcsn=" CSN, true},
			{"", false},
			{"garbage", false},
			{"rid=000", false},
			{"rid=000,csn=", false},
			{"rid=000,csn=x" CSN, false},
			{"rid=000,csn=" CSN "x", false},
			{"rid=000,csn=" CSN ";", true}, /* an empty rest is no CSN, and harmless */
			{"rid=000,csn=20261323205032.414511Z#000000#000#000000", false},
			{"rid=000,csn=20260229205032.414511Z#000000#000#000000", false},
			{"rid=000,csn=20280229205032.414511Z#000000#000#000000", true},
			{"rid=000,csn=21000229205032.414511Z#000000#000#000000", false},
			{"rid=000,csn=20261131205032.414511Z#000000#000#000000", false},
			{"rid=000,csn=20261100205032.414511Z#000000#000#000000", false},
			{"rid=000,csn=20261123245032.414511Z#000000#000#000000", false},
			{"rid=000,csn=20261123206032.414511Z#000000#000#000000", false},
			{"rid=000,csn=20261123205061.414511Z#000000#000#000000", false},
			{"rid=000,csn=2026112320503x.414511Z#000000#000#000000", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(sync_cookie_is_plausible(span_of(cases[i].cookie)), cases[i].want);
	assert_false(sync_cookie_is_plausible((struct span){0}));
}

static void test_request_without_and_with_cookie(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 1000);
	assert_int_equal(sync_request_encode((struct span){0}, &buf, &err), ERR_NONE);
	assert_int_equal(buf.len, 8);
	assert_memory_equal(buf.ptr, "\x30\x06\x0a\x01\x03\x01\x01\x00", 8);
	buf_reset(&buf);
	assert_int_equal(sync_request_encode(SPAN_LIT("abc"), &buf, &err), ERR_NONE);
	assert_int_equal(buf.len, 13);
	assert_memory_equal(buf.ptr,
			"\x30\x0b\x0a\x01\x03\x04\x03"
			"abc"
			"\x01\x01\x00",
			13);
	buf_release(&buf);
}

static void test_state(void **state)
{
	static const struct {
		struct span value;
		enum sync_state_kind kind;
		const char *cookie;
	} cases[] = {
			{SPAN_LIT("\x30\x15\x0a\x01\x01\x04\x10" UUID_OCTETS), SYNC_ADD, NULL},
			{SPAN_LIT("\x30\x15\x0a\x01\x00\x04\x10" UUID_OCTETS), SYNC_PRESENT, NULL},
			{SPAN_LIT("\x30\x18\x0a\x01\x03\x04\x10" UUID_OCTETS "\x04\x01"
				  "c"),
					SYNC_DELETE, "c"},
			{SPAN_LIT("\x30\x17\x0a\x01\x02\x04\x10" UUID_OCTETS "\x04\x00"),
					SYNC_MODIFY, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sync_state got;

		assert_int_equal(sync_state_decode(cases[i].value, arena, &got, &err), ERR_NONE);
		assert_int_equal(got.kind, cases[i].kind);
		assert_string_equal(got.anchor, UUID_TEXT);
		assert_int_equal(got.cookie.ptr != NULL, cases[i].cookie != NULL);
		assert_span(got.cookie, cases[i].cookie);
	}
}

static void test_malformed_states(void **state)
{
	static const struct span cases[] = {
			SPAN_LIT(""), SPAN_LIT("\x30\x00"),
			SPAN_LIT("\x30\x15\x0a\x01\x04\x04\x10" UUID_OCTETS), /* no such state */
			SPAN_LIT("\x30\x15\x0a\x01\xff\x04\x10" UUID_OCTETS), /* nor this */
			SPAN_LIT("\x30\x08\x0a\x01\x01\x04\x03"
				 "abc"),                                          /* a short id */
			SPAN_LIT("\x30\x16\x0a\x01\x01\x04\x11" UUID_OCTETS "x"), /* a long one */
			SPAN_LIT("\x30\x15\x0a\x01\x01\x04\x10"
				 "cut"),
			SPAN_LIT("\x30\x17\x0a\x01\x01\x04\x10" UUID_OCTETS
				 "\x04\x09"), /* a cookie beyond the end */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sync_state got;

		assert_int_equal(sync_state_decode(cases[i], arena, &got, &err), ERR_PROTO);
	}
}

static void test_done(void **state)
{
	static const struct {
		struct span value;
		const char *cookie;
		bool refresh_deletes;
	} cases[] = {
			{SPAN_LIT("\x30\x00"), NULL, false},
			{SPAN_LIT("\x30\x03\x01\x01\xff"), NULL, true}, /* TRUE, read as -1 */
			{SPAN_LIT("\x30\x03\x01\x01\x00"), NULL, false},
			{SPAN_LIT("\x30\x04\x04\x02"
				  "ab"),
					"ab", false},
			{SPAN_LIT("\x30\x07\x04\x02"
				  "ab"
				  "\x01\x01\x01"),
					"ab", true},
	};
	struct sync_done got;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(sync_done_decode(cases[i].value, arena, &got, &err), ERR_NONE);
		assert_int_equal(got.refresh_deletes, cases[i].refresh_deletes);
		assert_span(got.cookie, cases[i].cookie);
	}
	assert_int_equal(sync_done_decode((struct span){0}, arena, &got, &err), ERR_PROTO);
	assert_int_equal(sync_done_decode(SPAN_LIT("\x31\x00"), arena, &got, &err), ERR_PROTO);
}

static void test_info_cookies_and_phases(void **state)
{
	static const struct {
		struct span value;
		enum sync_info_kind kind;
		const char *cookie;
		bool done;
	} cases[] = {
			{SPAN_LIT("\x80\x02"
				  "ab"),
					SYNC_INFO_NEW_COOKIE, "ab", false},
			{SPAN_LIT("\xa1\x00"), SYNC_INFO_REFRESH_DELETE, NULL, true},
			{SPAN_LIT("\xa1\x04\x04\x02"
				  "ab"),
					SYNC_INFO_REFRESH_DELETE, "ab", true},
			{SPAN_LIT("\xa1\x07\x04\x02"
				  "ab"
				  "\x01\x01\x00"),
					SYNC_INFO_REFRESH_DELETE, "ab", false},
			{SPAN_LIT("\xa2\x04\x04\x02"
				  "ab"),
					SYNC_INFO_REFRESH_PRESENT, "ab", true},
			{SPAN_LIT("\xa2\x03\x01\x01\x00"), SYNC_INFO_REFRESH_PRESENT, NULL, false},
			{SPAN_LIT("\xa2\x03\x01\x01\xff"), SYNC_INFO_REFRESH_PRESENT, NULL, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sync_info got;

		assert_int_equal(sync_info_decode(cases[i].value, arena, &got, &err), ERR_NONE);
		assert_int_equal(got.kind, cases[i].kind);
		assert_int_equal(got.refresh_done, cases[i].done);
		assert_span(got.cookie, cases[i].cookie);
	}
}

static void test_id_sets(void **state)
{
	static const struct span deletes = SPAN_LIT(
			"\xa3\x29\x01\x01\xff\x31\x24\x04\x10" UUID_OCTETS "\x04\x10" UUID_OCTETS);
	static const struct span presents = SPAN_LIT("\xa3\x17\x04\x01"
						     "c"
						     "\x31\x12\x04\x10" UUID_OCTETS);
	static const struct span nothing = SPAN_LIT("\xa3\x02\x31\x00");
	static const struct span bad[] = {SPAN_LIT("\xa3\x00"),
			SPAN_LIT("\xa3\x07\x31\x05\x04\x03"
				 "abc"),
			SPAN_LIT("\xa3\x14\x31\x12\x04\x10"
				 "cut"),
			SPAN_LIT("\xa4\x00"), SPAN_LIT("")};
	struct sync_info got;

	(void)state;
	assert_int_equal(sync_info_decode(deletes, arena, &got, &err), ERR_NONE);
	assert_int_equal(got.kind, SYNC_INFO_ID_SET);
	assert_true(got.refresh_deletes);
	assert_int_equal(got.anchor_count, 2);
	assert_string_equal(got.anchors[1], UUID_TEXT);
	assert_int_equal(sync_info_decode(presents, arena, &got, &err), ERR_NONE);
	assert_false(got.refresh_deletes);
	assert_int_equal(got.anchor_count, 1);
	assert_span(got.cookie, "c");
	assert_int_equal(sync_info_decode(nothing, arena, &got, &err), ERR_NONE);
	assert_int_equal(got.anchor_count, 0);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(sync_info_decode(bad[i], arena, &got, &err), ERR_PROTO);
}

static void test_a_cookie_over_the_limit_is_refused(void **state)
{
	struct buf buf;
	struct sync_info got;

	(void)state;
	buf_init(&buf, SYNC_COOKIE_MAX + 100);
	buf_add(&buf, "\x80\x82\x40\x01", 4); /* 16385 octets */
	for (size_t i = 0; i < SYNC_COOKIE_MAX; i++)
		buf_add_char(&buf, 'x');
	buf_add_char(&buf, 'x');
	assert_int_equal(sync_info_decode((struct span){buf.ptr, buf.len}, arena, &got, &err),
			ERR_PROTO);
	memcpy(buf.ptr + 2, "\x40\x00", 2);
	assert_int_equal(sync_info_decode((struct span){buf.ptr, buf.len - 1}, arena, &got, &err),
			ERR_NONE);
	buf_release(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test_setup_teardown(test_anchors, set_up, tear_down),
			cmocka_unit_test_setup_teardown(
					test_which_cookies_are_plausible, set_up, tear_down),
			cmocka_unit_test_setup_teardown(
					test_request_without_and_with_cookie, set_up, tear_down),
			cmocka_unit_test_setup_teardown(test_state, set_up, tear_down),
			cmocka_unit_test_setup_teardown(test_malformed_states, set_up, tear_down),
			cmocka_unit_test_setup_teardown(test_done, set_up, tear_down),
			cmocka_unit_test_setup_teardown(
					test_info_cookies_and_phases, set_up, tear_down),
			cmocka_unit_test_setup_teardown(test_id_sets, set_up, tear_down),
			cmocka_unit_test_setup_teardown(
					test_a_cookie_over_the_limit_is_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
