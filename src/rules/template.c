#include "rules/template.h"

#include "rules/schema.h"

struct building {
	struct compiler *compiler;
	const struct document_node *node;
	struct template_part parts[TEMPLATE_PARTS_MAX];
	size_t count;
	struct err *err;
};

static enum err_code add_part(struct building *b, struct template_part part)
{
	if (!part.expression && part.literal.len == 0)
		return ERR_NONE;
	if (b->count == TEMPLATE_PARTS_MAX)
		return document_error(b->node, b->err, "more than %d parts in one template",
				TEMPLATE_PARTS_MAX);
	b->parts[b->count++] = part;
	return ERR_NONE;
}

static enum err_code add_expression(struct building *b, size_t *offset)
{
	struct expression *expression;
	enum err_code code = expression_compile(b->compiler, b->node, *offset + strlen("${"), true,
			&expression, offset, b->err);

	if (code != ERR_NONE)
		return code;
	++*offset; /* the } */
	return add_part(b, (struct template_part){.expression = expression});
}

/* The literal text from offset up to the next ${; `$${` becomes `${`. */
static enum err_code add_literal(struct building *b, size_t *offset)
{
	const char *text = b->node->text + *offset;
	const char *dollar = strstr(text, "${");
	size_t len = dollar ? (size_t)(dollar - text) : strlen(text);
	bool escaped = dollar && len > 0 && dollar[-1] == '$';
	enum err_code code;

	if (!escaped) {
		*offset += len;
		return add_part(b, (struct template_part){.literal = {text, len}});
	}
	/* The first of the two $ goes, the second and the brace stay. */
	code = add_part(b, (struct template_part){.literal = {text, len - 1}});
	if (code == ERR_NONE)
		code = add_part(b, (struct template_part){.literal = {dollar, strlen("${")}});
	*offset += len + strlen("${");
	return code;
}

enum err_code template_compile(struct compiler *compiler, const struct document_node *node,
		const struct template **ret, struct err *err)
{
	struct building b = {.compiler = compiler, .node = node, .err = err};
	struct template_part *parts;
	struct template *template;
	const char *text;
	size_t offset = 0;
	enum err_code code = schema_text(node, &text, err);

	while (code == ERR_NONE && text[offset])
		code = strncmp(text + offset, "${", 2) == 0 ? add_expression(&b, &offset)
							    : add_literal(&b, &offset);
	if (code != ERR_NONE)
		return code;
	parts = arena_alloc(compiler->arena, b.count * sizeof(*parts));
	memcpy(parts, b.parts, b.count * sizeof(*parts));
	template = arena_alloc(compiler->arena, sizeof(*template));
	*template = (struct template){parts, b.count, node->file, node->line};
	*ret = template;
	return ERR_NONE;
}
