#include "databricks/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

struct sample {
	const char *id, *text, *inner, *json;
	int64_t number, time;
	int word;
	bool yes;
	struct texts texts;
	struct pairs pairs;
};
static const char *const words[] = {"ON", "OFF", NULL};
#define FIELD(key, type, member, required, words)                                                  \
	{                                                                                          \
		key, type, offsetof(struct sample, member), required, words                        \
	}
static const struct record_field fields[] = {
		FIELD("id", RECORD_ID, id, true, NULL),
		FIELD("text", RECORD_TEXT, text, false, NULL),
		FIELD("outer.inner", RECORD_DOCUMENT, inner, false, NULL),
		FIELD("json", RECORD_JSON, json, false, NULL),
		FIELD("number", RECORD_INTEGER, number, false, NULL),
		FIELD("time", RECORD_TIME, time, false, NULL),
		FIELD("word", RECORD_WORD, word, false, words),
		FIELD("yes", RECORD_BOOL, yes, false, NULL),
		FIELD("texts", RECORD_TEXTS, texts, false, NULL),
		FIELD("pairs", RECORD_PAIRS, pairs, false, NULL),
};
static const struct record_shape shape = {
		"sample", sizeof(struct sample), fields, COUNT_OF(fields)};

static struct tape *tape_of(const char *text)
{
	struct tape *tape = NULL;
	struct err err;

	if (tape_parse(mem_strdup(text), strlen(text), &tape, &err) != ERR_NONE)
		fail_msg("%s: %s", text, err.text);
	return tape;
}

static void every_field_is_read_and_outlives_its_answer(void **state)
{
	struct tape *tape = tape_of("{\"id\":9007199254740993,\"text\":\"\",\"outer\":{\"inner\":"
				    "\"deep\"},\"json\":{\"b\":[1, 2.50],\"a\":null},"
				    "\"number\":\"-12\",\"time\":\"2026-01-02T03:04:05.5Z\","
				    "\"word\":\"OFF\",\"yes\":true,\"texts\":[\"x\",\"y\"],"
				    "\"pairs\":{\"k\":\"v\",\"l\":\"\"},\"unknown\":[{}]}");
	struct arena *arena = arena_new();
	struct sample sample;
	struct err err;

	(void)state;
	assert_int_equal(record_read(tape_root(tape), &shape, arena, &sample, &err), ERR_NONE);
	tape_wipe(tape);
	tape_free(tape);
	assert_string_equal(sample.id, "9007199254740993");
	assert_string_equal(sample.text, "");
	assert_string_equal(sample.inner, "deep");
	assert_string_equal(sample.json, "{\"b\":[1,2.50],\"a\":null}");
	assert_int_equal(sample.number, -12);
	assert_int_equal(sample.time, INT64_C(1767323045500));
	assert_int_equal(sample.word, 1);
	assert_true(sample.yes);
	assert_int_equal(sample.texts.count, 2);
	assert_string_equal(sample.texts.items[1], "y");
	assert_int_equal(sample.pairs.count, 2);
	assert_string_equal(sample.pairs.items[0].key, "k");
	assert_string_equal(sample.pairs.items[1].value, "");
	arena_free(arena);
}

static void what_is_absent_or_null_is_nothing(void **state)
{
	struct tape *tape = tape_of("{\"id\":\"1\",\"text\":null,\"outer\":null,\"texts\":null,"
				    "\"number\":null}");
	struct arena *arena = arena_new();
	struct sample sample;
	struct err err;

	(void)state;
	assert_int_equal(record_read(tape_root(tape), &shape, arena, &sample, &err), ERR_NONE);
	assert_null(sample.text);
	assert_null(sample.inner);
	assert_null(sample.json);
	assert_int_equal(sample.number, 0);
	assert_int_equal(sample.texts.count, 0);
	assert_int_equal(sample.pairs.count, 0);
	tape_free(tape);
	arena_free(arena);
}

static void what_has_another_type_is_refused(void **state)
{
	static const char *const cases[] = {"7", "[]", "null", "{}", "{\"id\":null}",
			"{\"id\":\"\"}", "{\"id\":1.5}", "{\"id\":true}", "{\"id\":{}}",
			"{\"id\":\"1\",\"text\":7}", "{\"id\":\"1\",\"outer\":{\"inner\":[]}}",
			"{\"id\":\"1\",\"number\":\"x\"}", "{\"id\":\"1\",\"number\":1.5}",
			"{\"id\":\"1\",\"number\":99999999999999999999}",
			"{\"id\":\"1\",\"time\":1767323045}",
			"{\"id\":\"1\",\"time\":\"yesterday\"}", "{\"id\":\"1\",\"word\":\"on\"}",
			"{\"id\":\"1\",\"word\":1}", "{\"id\":\"1\",\"yes\":\"true\"}",
			"{\"id\":\"1\",\"yes\":1}", "{\"id\":\"1\",\"texts\":{}}",
			"{\"id\":\"1\",\"texts\":\"x\"}", "{\"id\":\"1\",\"texts\":[1]}",
			"{\"id\":\"1\",\"texts\":[null]}", "{\"id\":\"1\",\"pairs\":[]}",
			"{\"id\":\"1\",\"pairs\":{\"a\":1}}"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct tape *tape = tape_of(cases[i]);
		struct arena *arena = arena_new();
		struct sample sample = {.id = "untouched"};
		struct err err;

		if (record_read(tape_root(tape), &shape, arena, &sample, &err) != ERR_PROTO)
			fail_msg("%s is taken", cases[i]);
		assert_string_equal(sample.id, "untouched");
		tape_free(tape);
		arena_free(arena);
	}
}

/* A sample whose field is a text of that many bytes. */
static struct tape *tape_with(const char *before, size_t len, const char *after)
{
	struct buf buf;
	struct tape *tape;

	buf_init(&buf, SIZE_MAX / 2);
	buf_add_text(&buf, before);
	for (size_t i = 0; i < len; i++)
		buf_add_char(&buf, 'x');
	buf_add_text(&buf, after);
	tape = tape_of(buf_text(&buf));
	buf_release(&buf);
	return tape;
}

static void texts_have_their_bounds(void **state)
{
	static const struct {
		const char *before, *after;
		size_t max;
	} cases[] = {
			{"{\"id\":\"", "\"}", RECORD_TEXT_MAX},
			{"{\"id\":\"1\",\"text\":\"", "\"}", RECORD_TEXT_MAX},
			{"{\"id\":\"1\",\"texts\":[\"", "\"]}", RECORD_TEXT_MAX},
			{"{\"id\":\"1\",\"pairs\":{\"a\":\"", "\"}}", RECORD_TEXT_MAX},
			{"{\"id\":\"1\",\"outer\":{\"inner\":\"", "\"}}", RECORD_DOCUMENT_MAX},
			{"{\"id\":\"1\",\"json\":\"", "\"}", RECORD_DOCUMENT_MAX - 2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (size_t over = 0; over < 2; over++) {
			struct tape *tape = tape_with(
					cases[i].before, cases[i].max + over, cases[i].after);
			struct arena *arena = arena_new();
			struct sample sample;
			struct err err;

			assert_int_equal(record_read(tape_root(tape), &shape, arena, &sample, &err),
					over ? ERR_PROTO : ERR_NONE);
			tape_free(tape);
			arena_free(arena);
		}
	}
}

static void lists_come_whole_or_not_at_all(void **state)
{
	static const struct {
		const char *answer, *key;
		enum err_code code;
		size_t count;
	} cases[] = {
			{"{}", "items", ERR_NONE, 0},
			{"{\"items\":null}", "items", ERR_NONE, 0},
			{"{\"items\":[]}", "items", ERR_NONE, 0},
			{"{\"items\":[{\"id\":\"1\"},{\"id\":2}],\"next_page_token\":\"\"}",
					"items", ERR_NONE, 2},
			{"[{\"id\":\"1\"}]", NULL, ERR_NONE, 1},
			{"[]", NULL, ERR_NONE, 0},
			{"{\"items\":[{\"id\":\"1\"}],\"next_page_token\":\"n\"}", "items",
					ERR_INCOMPLETE, 0},
			{"{\"items\":[{\"id\":\"1\"},{}]}", "items", ERR_PROTO, 0},
			{"{\"items\":[7]}", "items", ERR_PROTO, 0},
			{"{\"items\":{}}", "items", ERR_PROTO, 0},
			{"[]", "items", ERR_PROTO, 0},
			{"{}", NULL, ERR_PROTO, 0},
			{"", "items", ERR_PROTO, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct call call = {.done = true, .answer = tape_of(cases[i].answer)};
		struct arena *arena = arena_new();
		size_t count = 99;
		void *records;
		struct err err;

		if (records_of_call(&call, cases[i].key, &shape, arena, &records, &count, &err) !=
				cases[i].code)
			fail_msg("case %zu: %s", i, cases[i].answer);
		assert_int_equal(count, cases[i].code == ERR_NONE ? cases[i].count : 99);
		tape_free(call.answer);
		arena_free(arena);
	}
}

static void a_failed_call_has_no_list(void **state)
{
	struct call call = {.done = true};
	size_t count = 99;
	void *records;
	struct err err;

	(void)state;
	call.code = err_set(&call.err, ERR_DENIED, 403, "no");
	assert_int_equal(records_of_call(&call, "items", &shape, NULL, &records, &count, &err),
			ERR_DENIED);
	assert_int_equal(err.detail, 403);
	assert_string_equal(err.text, "no");
	assert_int_equal(count, 99);
}

static void secrets_leave_nothing_behind(void **state)
{
	static const char *const without[] = {
			"{}", "{\"secret\":\"\"}", "{\"secret\":7}", "{\"secret\":null}", "7"};
	struct call call = {.done = true, .answer = tape_of("{\"secret\":\"sample\"}")};
	struct secret secret = {0};
	struct err err;

	(void)state;
	assert_int_equal(record_take_secret(&call, "secret", "x", &secret, &err), ERR_NONE);
	assert_string_equal(secret.text, "sample");
	assert_null(call.answer);
	assert_int_equal(record_take_secret(&call, "secret", "x", &secret, &err), ERR_PROTO);
	secret_release(&secret);
	for (size_t i = 0; i < COUNT_OF(without); i++) {
		call.answer = tape_of(without[i]);
		assert_int_equal(
				record_take_secret(&call, "secret", "x", &secret, &err), ERR_PROTO);
		assert_null(call.answer);
		assert_null(secret.text);
	}
}

static void times_are_read(void **state)
{
	static const struct {
		const char *text;
		bool good;
		int64_t ms;
	} cases[] = {
			{"1970-01-01T00:00:00Z", true, 0},
			{"2026-01-02T03:04:05Z", true, INT64_C(1767323045000)},
			{"2026-01-02T03:04:05.678Z", true, INT64_C(1767323045678)},
			{"2026-01-02T03:04:05.678901234Z", true, INT64_C(1767323045678)},
			{"2026-01-02T03:04:05.6z", true, INT64_C(1767323045600)},
			{"2026-01-02T04:04:05+01:00", true, INT64_C(1767323045000)},
			{"2026-01-01T21:34:05-05:30", true, INT64_C(1767323045000)},
			{"2026-01-02T03:04:05", false, 0},
			{"2026-01-02T03:04:05.Z", false, 0},
			{"2026-01-02T03:04:05ZZ", false, 0},
			{"2026-01-02T03:04:05+1:00", false, 0},
			{"2026-01-02T03:04:05+01:60", false, 0},
			{"2026-01-02T03:04:05+0100", false, 0},
			{"2026-13-02T03:04:05Z", false, 0},
			{"2026-01-02 03:04:05Z", false, 0},
			{"26-01-02T03:04:05.000Z", false, 0},
			{"", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int64_t ms = 0;

		if (record_parse_time(cases[i].text, &ms) != cases[i].good)
			fail_msg("%s", cases[i].text);
		assert_int_equal(ms, cases[i].ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(every_field_is_read_and_outlives_its_answer),
			cmocka_unit_test(what_is_absent_or_null_is_nothing),
			cmocka_unit_test(what_has_another_type_is_refused),
			cmocka_unit_test(texts_have_their_bounds),
			cmocka_unit_test(lists_come_whole_or_not_at_all),
			cmocka_unit_test(a_failed_call_has_no_list),
			cmocka_unit_test(secrets_leave_nothing_behind),
			cmocka_unit_test(times_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
