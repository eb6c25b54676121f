#include "databricks/tape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static enum err_code parse(struct span bytes, struct tape **ret, struct err *err)
{
	return tape_parse(mem_strndup(bytes.ptr, bytes.len), bytes.len, ret, err);
}

static struct tape *tape_of(const char *text)
{
	struct tape *tape = NULL;
	struct err err;

	if (parse(span_of(text), &tape, &err) != ERR_NONE)
		fail_msg("%s: %s", text, err.text);
	return tape;
}

static void values_are_found(void **state)
{
	struct tape *tape = tape_of(
			" {\"a\" : [1, {\"b\":true} ,[] ,{},\"x\"],\"n\":null,\"c\":-12,"
			"\"d\":false,\"e\":1.5e-3,\"f\":{\"g\":{\"h\":\"i\"}},\"z\":\"\"}\r\n");
	const struct tape_value *root = tape_root(tape), *list = tape_get(root, "a"), *item;
	int64_t number = 0;

	(void)state;
	assert_int_equal(tape_count(list), 5);
	item = tape_first(list);
	assert_true(tape_integer(item, &number));
	assert_int_equal(number, 1);
	item = tape_next(list, item);
	assert_true(tape_is(tape_get(item, "b"), TAPE_TRUE));
	item = tape_next(list, item);
	assert_true(tape_is(item, TAPE_ARRAY));
	assert_null(tape_first(item));
	item = tape_next(list, item);
	assert_true(tape_is(item, TAPE_OBJECT));
	assert_null(tape_get(item, "b"));
	item = tape_next(list, item);
	assert_string_equal(tape_text(item), "x");
	assert_null(tape_next(list, item));
	assert_null(tape_get(root, "n"));
	assert_null(tape_get(root, "aa"));
	assert_true(tape_integer(tape_get(root, "c"), &number));
	assert_int_equal(number, -12);
	assert_true(tape_is(tape_get(root, "d"), TAPE_FALSE));
	assert_false(tape_integer(tape_get(root, "e"), &number));
	assert_string_equal(tape_text(tape_get(tape_get(tape_get(root, "f"), "g"), "h")), "i");
	assert_string_equal(tape_text(tape_get(root, "z")), "");
	tape_free(tape);
}

static void no_value_has_nothing(void **state)
{
	struct tape *tape = tape_of("7");

	(void)state;
	assert_null(tape_root(NULL));
	assert_null(tape_get(NULL, "a"));
	assert_null(tape_get(tape_root(tape), "a"));
	assert_null(tape_first(tape_root(tape)));
	assert_null(tape_text(tape_root(tape)));
	assert_int_equal(tape_count(NULL), 0);
	tape_free(tape);
}

static void blank_is_nothing(void **state)
{
	static const char *const cases[] = {"", " ", "\r\n\t "};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_null(tape_of(cases[i]));
}

static void texts_are_unescaped(void **state)
{
	static const struct {
		const char *json, *text;
	} cases[] = {{"\"\"", ""}, {"\"Ada\"", "Ada"},
			{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
			{"\"a\\u0041b\"", "aAb"}, {"\"\\u00e9\\u20AC\"", "\303\251\342\202\254"},
			{"\"\\ud83d\\ude00!\"", "\360\237\230\200!"},
			{"\"Zo\303\253 \\u00eb\"", "Zo\303\253 \303\253"}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct tape *tape = tape_of(cases[i].json);

		assert_string_equal(tape_text(tape_root(tape)), cases[i].text);
		assert_int_equal(tape_root(tape)->len, strlen(cases[i].text));
		tape_free(tape);
	}
}

static void what_is_no_json_is_refused(void **state)
{
	static const char *const cases[] = {"{", "[", "\"", "\"a", "{\"a\"", "{\"a\":", "{\"a\":1",
			"{\"a\":1,", "{\"a\":1,}", "[1,", "[1,]", "[1 2]", "{a:1}", "{1:2}",
			"{\"a\" 1}", "tru", "nul", "falsch", "+1", "01", "-", "1.", ".5", "1e",
			"1e+", "--1", "1 1", "{} x", "]", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"",
			"\"\\ud83d\"", "\"\\ud83dx\"", "\"\\ud83d\\u0041\"", "\"\\ude00\"",
			"\"\\u0000\"", "\"a\nb\"", "\"\1\"", "\"\377\"", "\"\303\"",
			"\"\355\240\200\"", "\"\\", "\"\\u", "{\"a\":1,\"a\":2}",
			"{\"a\":1,\"b\":{\"c\":1,\"c\":2}}", "{\"a\":1,\"\\u0061\":2}", "<html>",
			"NaN", "'a'", "[1}", "{\"a\":1]"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct tape *tape = NULL;
		struct err err;

		if (parse(span_of(cases[i]), &tape, &err) != ERR_PROTO)
			fail_msg("%s is taken", cases[i]);
		assert_null(tape);
	}
}

static void a_nul_ends_nothing_early(void **state)
{
	static const struct span cases[] = {SPAN_LIT("\"a\0b\""), SPAN_LIT("{}\0"),
			SPAN_LIT("\0{}"), SPAN_LIT("[1\0]")};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct tape *tape;
		struct err err;

		assert_int_equal(parse(cases[i], &tape, &err), ERR_PROTO);
	}
}

static char *nested(size_t levels)
{
	char *text = mem_zalloc(2 * levels + 1);

	memset(text, '[', levels);
	memset(text + levels, ']', levels);
	return text;
}

static void levels_have_a_limit(void **state)
{
	AUTO(mem_freep) char *most = nested(TAPE_DEPTH_MAX);
	AUTO(mem_freep) char *more = nested(TAPE_DEPTH_MAX + 1);
	struct tape *tape;
	struct err err;

	(void)state;
	tape_free(tape_of(most));
	assert_int_equal(parse(span_of(more), &tape, &err), ERR_PROTO);
}

static enum err_code parse_keys(unsigned count)
{
	AUTO(mem_freep) char *text = mem_alloc((size_t)count * 16 + 8);
	size_t len = 1;
	struct tape *tape = NULL;
	struct err err;
	enum err_code code;

	text[0] = '{';
	for (unsigned i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, 16, "%s\"k%u\":0", i ? "," : "", i);
	text[len++] = '}';
	code = parse((struct span){text, len}, &tape, &err);
	if (code == ERR_NONE)
		tape_free(tape);
	return code;
}

static void keys_have_a_limit(void **state)
{
	(void)state;
	assert_int_equal(parse_keys(TAPE_KEYS_MAX), ERR_NONE);
	assert_int_equal(parse_keys(TAPE_KEYS_MAX + 1), ERR_PROTO);
}

static void integers_keep_their_digits(void **state)
{
	static const struct {
		const char *json;
		bool fits;
		int64_t number;
	} cases[] = {{"9223372036854775807", true, INT64_MAX},
			{"-9223372036854775808", true, INT64_MIN},
			{"9223372036854775808", false, 0}, {"18446744073709551616000000", false, 0},
			{"1.0", false, 0}, {"0", true, 0}, {"\"7\"", false, 0}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct tape *tape = tape_of(cases[i].json);
		int64_t number = 0;

		assert_int_equal(tape_integer(tape_root(tape), &number), cases[i].fits);
		assert_true(number == cases[i].number);
		tape_free(tape);
	}
}

static void what_was_read_is_written_again(void **state)
{
	static const struct {
		const char *text, *written;
	} cases[] = {
			{" [ ] ", "[]"},
			{"{ }", "{}"},
			{"[1, -2.50e3 ,true,false,null]", "[1,-2.50e3,true,false,null]"},
			{"{\"b\": {\"a\" : []}, \"a\": [{}, [2]]}",
					"{\"b\":{\"a\":[]},\"a\":[{},[2]]}"},
			{"\"a\\\"\\\\\\n\\u00e9\\/\"", "\"a\\\"\\\\\\u000a\xc3\xa9/\""},
			{"{\"a\\\"b\":1}", "{\"a\\\"b\":1}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct tape *tape = tape_of(cases[i].text);
		struct buf buf;

		buf_init(&buf, 1000);
		tape_write(tape_root(tape), &buf);
		assert_string_equal(buf_text(&buf), cases[i].written);
		buf_release(&buf);
		tape_free(tape);
	}
}

static void keys_are_gone_through(void **state)
{
	struct tape *tape = tape_of("{\"a\":[1,2],\"b\":null,\"c\":\"x\"}");
	const struct tape_value *root = tape_root(tape), *key = tape_first_key(root);

	(void)state;
	assert_string_equal(key->text, "a");
	assert_int_equal(tape_count(tape_value_of(key)), 2);
	key = tape_next_key(root, key);
	assert_string_equal(key->text, "b");
	key = tape_next_key(root, key);
	assert_string_equal(tape_text(tape_value_of(key)), "x");
	assert_null(tape_next_key(root, key));
	assert_null(tape_first_key(tape_value_of(key)));
	tape_free(tape);
}

static void secrets_are_wiped(void **state)
{
	struct tape *tape = tape_of("{\"secret\":\"sample\"}");
	const char *text = tape_text(tape_get(tape_root(tape), "secret"));

	(void)state;
	assert_string_equal(text, "sample");
	tape_wipe(tape);
	for (size_t i = 0; i < strlen("sample"); i++)
		assert_int_equal(text[i], 0);
	tape_free(tape);
	tape_wipe(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(values_are_found),
			cmocka_unit_test(what_was_read_is_written_again),
			cmocka_unit_test(keys_are_gone_through),
			cmocka_unit_test(secrets_are_wiped),
			cmocka_unit_test(no_value_has_nothing),
			cmocka_unit_test(blank_is_nothing),
			cmocka_unit_test(texts_are_unescaped),
			cmocka_unit_test(what_is_no_json_is_refused),
			cmocka_unit_test(a_nul_ends_nothing_early),
			cmocka_unit_test(levels_have_a_limit),
			cmocka_unit_test(keys_have_a_limit),
			cmocka_unit_test(integers_keep_their_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
