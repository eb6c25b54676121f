/* Texts of others as JSON: whatever they hold, what is written can be read, and nothing else of it is lost. */
#include "base/json_out.h"

#include <jansson.h>

#include "base/err.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BAD "\xef\xbf\xbd" /* U+FFFD */

static const struct {
	const char *text, *repaired, *in_place;
} cases[] = {
		{"", "", ""},
		{"plain \"quoted\" \\ \n\x01", "plain \"quoted\" \\ \n\x01",
				"plain \"quoted\" \\ \n\x01"},
		{"J\xc3\xbcrgen", "J\xc3\xbcrgen", "J\xc3\xbcrgen"},
		{"J\xfcrgen", "J" BAD "rgen", "J?rgen"}, /* Latin-1 */
		{"cut \xc3", "cut " BAD, "cut ?"},       /* within a character */
		{"\xff\xfe", BAD BAD, "??"},             /* in no character at all */
		{"\xed\xa0\x80", BAD BAD BAD, "???"},    /* a surrogate */
		{"\xc0\xaf", BAD BAD, "??"},             /* overlong */
		{"a\xe2\x82z\xf0\x9f\x98\x80", "a" BAD BAD "z\xf0\x9f\x98\x80",
				"a??z\xf0\x9f\x98\x80"},
};

static void what_is_written_can_be_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buf buf;
		json_auto_t *json = NULL;

		buf_init(&buf, 4096);
		buf_add_char(&buf, '{');
		json_add_member(&buf, "text", cases[i].text);
		buf_add_char(&buf, '}');
		json = json_loads(buf_text(&buf), 0, NULL);
		assert_non_null(json);
		assert_string_equal(json_string_value(json_object_get(json, "text")),
				cases[i].repaired);
		buf_release(&buf);
	}
}

static void texts_are_repaired(void **state)
{
	AUTO(mem_freep) char *nul = text_repair((struct span){"a\0b", 3});

	(void)state;
	assert_string_equal(nul, "a" BAD "b");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(mem_freep) char *repaired = text_repair(span_of(cases[i].text));
		AUTO(mem_freep) char *in_place = mem_strdup(cases[i].text);

		text_repair_in_place(in_place);
		assert_string_equal(repaired, cases[i].repaired);
		assert_string_equal(in_place, cases[i].in_place);
	}
}

/* Where it is cut is a matter of bytes: it must not leave half a character. */
static void errors_are_text(void **state)
{
	char long_text[400];
	struct err err;

	(void)state;
	for (size_t shift = 0; shift < 2; shift++) {
		memset(long_text, 'x', shift);
		for (size_t i = shift; i + 2 < sizeof(long_text); i += 2)
			memcpy(long_text + i, "\xc3\xbc", 3);
		(void)err_set(&err, ERR_PROTO, 0, "%s", long_text);
		assert_true(text_is_utf8(span_of(err.text)));
		assert_true(text_starts_with(err.text + shift, "\xc3\xbc"));
		(void)err_context(&err, "x%s", shift ? "" : "y");
		assert_true(text_is_utf8(span_of(err.text)));
	}
	(void)err_set(&err, ERR_PROTO, 0, "a server said \xff");
	assert_string_equal(err.text, "a server said ?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(what_is_written_can_be_read),
			cmocka_unit_test(texts_are_repaired),
			cmocka_unit_test(errors_are_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
