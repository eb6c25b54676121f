/* A cluster policy's definition of any content: it is valid, or refused; what was read is written so that it reads again. */
#include "rules/json_document.h"
#include "rules/policy_definition.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hear(void *context, const struct document_node *node, const char *text)
{
	struct err err;

	(void)context;
	(void)document_error(node, &err, "%s", text);
}

static void write_again(const struct document_node *root, struct arena *arena)
{
	struct document_node *again;
	struct buf once, twice;
	struct err err;

	buf_init(&once, (size_t)16 * 1024 * 1024);
	buf_init(&twice, (size_t)16 * 1024 * 1024);
	json_document_write(root, &once);
	if (json_document_parse(span_of(buf_text(&once)), "again", arena, &again, &err) != ERR_NONE)
		abort();
	json_document_write(again, &twice);
	if (strcmp(buf_text(&once), buf_text(&twice)) != 0)
		abort();
	buf_release(&once);
	buf_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct document_node *root;
	struct err err;

	if (json_document_parse((struct span){(const char *)data, size}, "fuzz.json", arena, &root,
			    &err) == ERR_NONE) {
		for (unsigned i = 0; i < 4; i++) {
			struct policy_check check = {
					.templates = i & 1, .overrides = i & 2, .warn = hear};

			if (policy_definition_check(&check, root, &err) != ERR_NONE &&
					policy_libraries_check(&check, root, &err) != ERR_NONE &&
					err.code != ERR_CONFIG)
				abort();
		}
		write_again(root, arena);
	}
	arena_free(arena);
	return 0;
}
