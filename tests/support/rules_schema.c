#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "rules_schema.h"

#include "json_schema.h"

#include "rules/json_document.h"

void schema_must_accept(const char *schema, const char *yaml)
{
	struct arena *arena = arena_new();
	json_t *rules = json_loads(schema, 0, NULL), *value;
	struct document_node *root;
	struct buf text;
	struct err err;

	assert_int_equal(document_parse(span_of(yaml), "a", arena, &root, &err), ERR_NONE);
	buf_init(&text, (size_t)1024 * 1024);
	json_document_write(root, &text);
	value = json_loads(buf_text(&text), 0, NULL);
	assert_non_null(value);
	if (!json_schema_accepts(rules, value))
		fail_msg("the schema refuses %s", buf_text(&text));
	json_decref(value);
	json_decref(rules);
	buf_release(&text);
	arena_free(arena);
}
