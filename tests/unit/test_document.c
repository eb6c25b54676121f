/* YAML as a tree with positions, and what strictness refuses. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/buf.h"
#include "rules/document.h"

struct fixture {
	struct arena *arena;
	struct document_node *root;
	struct err err;
};

static enum err_code parse(struct fixture *f, const char *text)
{
	return document_parse(span_of(text), "f.yaml", f->arena, &f->root, &f->err);
}

static int set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	f->arena = arena_new();
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	arena_free(f->arena);
	mem_free(f);
	return 0;
}

static void knows_positions(void **state)
{
	struct fixture *f = *state;
	const struct document_node *list, *item;

	assert_int_equal(parse(f, "# comment\na: 1\nlist:\n  - x\n  - {k: 'v w', other: \"\"}\n"),
			ERR_NONE);
	assert_int_equal(f->root->kind, DOCUMENT_MAP);
	assert_int_equal(f->root->count, 2);
	assert_string_equal(f->root->children[0]->text, "1");
	assert_int_equal(f->root->children[0]->line, 2);
	assert_int_equal(f->root->children[0]->column, 4);
	assert_int_equal(f->root->children[0]->key_column, 1);
	list = document_get(f->root, "list");
	assert_int_equal(list->kind, DOCUMENT_LIST);
	assert_string_equal(list->children[0]->text, "x");
	assert_int_equal(list->children[0]->column, 5);
	item = document_get(list->children[1], "k");
	assert_string_equal(item->text, "v w");
	assert_true(item->quoted);
	assert_int_equal(item->line, 5);
	assert_int_equal(item->column, 9);
	assert_int_equal(item->text_column, 10);
	assert_string_equal(document_get(list->children[1], "other")->text, "");
	assert_null(document_get(list->children[1], "none"));
	assert_string_equal(item->file, "f.yaml");
}

static void counts_columns_in_characters(void **state)
{
	struct fixture *f = *state;
	const struct document_node *node;

	assert_int_equal(parse(f, "{\xc3\xa4: \xc3\xb6, b: \xc3\xb6x}"), ERR_NONE);
	node = document_get(f->root, "b");
	assert_int_equal(node->column, 11);
	assert_int_equal(document_column(node, 2), 12); /* behind a character of two bytes */
}

static void finds_places_inside_of_texts(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f,
					 "plain: abc\nquoted: 'abc'\nescaped: \"a\\tc\"\nfolded: "
					 ">\n  abc\n"),
			ERR_NONE);
	assert_int_equal(document_column(document_get(f->root, "plain"), 2), 10);
	assert_int_equal(document_column(document_get(f->root, "quoted"), 2), 12);
	/* Where escapes or folding hide the place, the beginning of the text is named. */
	assert_int_equal(document_column(document_get(f->root, "escaped"), 2), 10);
	assert_int_equal(document_column(document_get(f->root, "folded"), 2), 9);
	(void)document_error_inside(
			document_get(f->root, "quoted"), 1, &f->err, "wrong %s", "letter");
	assert_string_equal(f->err.text, "f.yaml:2:11: wrong letter");
	assert_int_equal(f->err.code, ERR_CONFIG);
}

static void reads_an_empty_text_as_an_empty_map(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "# nothing\n"), ERR_NONE);
	assert_int_equal(f->root->kind, DOCUMENT_MAP);
	assert_int_equal(f->root->count, 0);
}

/* As editors of some systems write it. */
static void skips_a_byte_order_mark(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f,
					 "\xef\xbb\xbf"
					 "a: b\n"),
			ERR_NONE);
	assert_string_equal(document_get(f->root, "a")->text, "b");
	assert_int_equal(parse(f,
					 "a: \xef\xbb\xbf"
					 "b\n"),
			ERR_NONE);
}

static void tells_null_from_text(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "a:\nb: ~\nc: null\nd: \"\"\ne: 'null'\n"), ERR_NONE);
	assert_true(document_is_null(document_get(f->root, "a")));
	assert_true(document_is_null(document_get(f->root, "b")));
	assert_true(document_is_null(document_get(f->root, "c")));
	assert_false(document_is_null(document_get(f->root, "d")));
	assert_false(document_is_null(document_get(f->root, "e")));
}

static const struct {
	const char *text, *message; /* message: the beginning of it */
} refusals[] = {
		{"a: 1\nb: 2\na: 3\n",
				"f.yaml:3:1: `a` is there twice, first in line 1; remove one"},
		{"a: &x 1\n",
				"f.yaml:1:4: anchors (&name) are not supported; put a text that "
				"begins with & in"},
		{"a: 1\nb: *a\n",
				"f.yaml:2:4: aliases (*name) are not supported; put a text that "
				"begins"},
		{"a: !!str 1\n",
				"f.yaml:1:4: tags (!name) are not supported; put a text that "
				"begins with ! in"},
		{"a: 1\n---\nb: 2\n",
				"f.yaml:2:1: a second document (---) in one file; make it a file "
				"of"},
		{"[a, b]: 1\n", "f.yaml:1:1: a key must be a text, this is a list"},
		{"a: \"x\\0y\"\n", "f.yaml:1:4: a text holds a NUL character; remove it"},
		{"a:\n\t- b\n",
				"f.yaml:2:1: not valid YAML: found character that cannot start any "
				"token; "
				"indent with spaces, not tabs"},
		{"a: b: c\n",
				"f.yaml:1:5: not valid YAML: mapping values are not allowed in "
				"this context; "
				"put texts that hold \": \" in quotes"},
		{"a: [1, 2\nb: 3\n", "f.yaml:2:"},
		{"a: &(x=y)\n",
				"f.yaml:1:5: not valid YAML: did not find expected alphabetic or "
				"numeric "
				"character; put texts that begin with &, * or ! in quotes"},
		{"a: \"open\n", "f.yaml:2:1: not valid YAML: found unexpected end of stream"},
		{"a: \xff\n", "f.yaml:1:4: not UTF-8 text (byte 0xff); save the file as UTF-8"},
		{"a: 1\nb\xc3\xa4r: \xc3\xa4\xc3\n", "f.yaml:2:7: not UTF-8 text (byte 0xc3)"},
		{"\xef\xbb\xbf"
		 "a: b\nc: \xc0\xaf\n",
				"f.yaml:2:4: not UTF-8 text (byte 0xc0)"},
		{"a: b\nc: d\x01\n", "f.yaml:2:5: a control character (byte 0x01)"},
};

static void refuses_with_place(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		assert_int_equal(parse(f, refusals[i].text), ERR_CONFIG);
		if (strncmp(f->err.text, refusals[i].message, strlen(refusals[i].message)) != 0)
			fail_msg("case %zu: %s", i, f->err.text);
	}
}

static void add_times(struct buf *buf, char c, int count)
{
	for (int i = 0; i < count; i++)
		buf_add_char(buf, c);
}

static void bounds_depth(void **state)
{
	struct fixture *f = *state;
	struct buf text;

	buf_init(&text, 10000);
	add_times(&text, '[', DOCUMENT_DEPTH_MAX);
	add_times(&text, ']', DOCUMENT_DEPTH_MAX);
	assert_int_equal(parse(f, buf_text(&text)), ERR_NONE);
	buf_reset(&text);
	add_times(&text, '[', DOCUMENT_DEPTH_MAX + 1);
	add_times(&text, ']', DOCUMENT_DEPTH_MAX + 1);
	assert_int_equal(parse(f, buf_text(&text)), ERR_CONFIG);
	assert_string_equal(f->err.text, "f.yaml:1:33: nested deeper than 32 levels");
	buf_release(&text);
}

static void bounds_size_and_count(void **state)
{
	struct fixture *f = *state;
	struct buf text;

	buf_init(&text, DOCUMENT_BYTES_MAX + 10);
	buf_add_char(&text, '[');
	for (int i = 0; i < DOCUMENT_NODES_MAX; i++)
		buf_add_text(&text, "1,");
	buf_add_char(&text, ']');
	assert_int_equal(parse(f, buf_text(&text)), ERR_CONFIG);
	assert_non_null(strstr(f->err.text, "more than 200000 values in one file"));
	while (text.len <= DOCUMENT_BYTES_MAX)
		buf_add_char(&text, ' ');
	assert_int_equal(parse(f, buf_text(&text)), ERR_CONFIG);
	assert_string_equal(f->err.text, "f.yaml: larger than 4194304 bytes");
	buf_release(&text);
}

static void says_which_file_is_missing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
			document_read("/nonexistent/x.yaml", "x.yaml", f->arena, &f->root, &f->err),
			ERR_CONFIG);
	assert_string_equal(f->err.text, "x.yaml: No such file or directory");
	assert_int_equal(document_read("/", "folder", f->arena, &f->root, &f->err), ERR_CONFIG);
	assert_string_equal(f->err.text, "folder: not a regular file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test_setup_teardown(knows_positions, set_up, tear_down),
			cmocka_unit_test_setup_teardown(
					counts_columns_in_characters, set_up, tear_down),
			cmocka_unit_test_setup_teardown(
					finds_places_inside_of_texts, set_up, tear_down),
			cmocka_unit_test_setup_teardown(
					reads_an_empty_text_as_an_empty_map, set_up, tear_down),
			cmocka_unit_test_setup_teardown(skips_a_byte_order_mark, set_up, tear_down),
			cmocka_unit_test_setup_teardown(tells_null_from_text, set_up, tear_down),
			cmocka_unit_test_setup_teardown(refuses_with_place, set_up, tear_down),
			cmocka_unit_test_setup_teardown(bounds_depth, set_up, tear_down),
			cmocka_unit_test_setup_teardown(bounds_size_and_count, set_up, tear_down),
			cmocka_unit_test_setup_teardown(
					says_which_file_is_missing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
