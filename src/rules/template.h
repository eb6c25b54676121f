/*
 * template -- a text with ${expression} in it, as rules use for the fields of an identity.
 *
 * A template that is one ${...} and nothing else keeps the type of its value. Anything around it
 * makes a text; then a nil inside makes the whole nil, so that half a name is never sent. `$${`
 * stands for a literal `${`.
 */
#ifndef L2D_RULES_TEMPLATE_H
#define L2D_RULES_TEMPLATE_H

#include "rules/expression.h"

#define TEMPLATE_PARTS_MAX 64

struct template_part {
	struct span literal;
	const struct expression *expression; /* NULL: literal */
};
struct template
{
	const struct template_part *parts;
	size_t count;
	const char *file;
	unsigned line;
};

/* Errors: ERR_CONFIG with the place. The template lives in compiler->arena. */
MUST_CHECK enum err_code template_compile(struct compiler *compiler,
		const struct document_node *node, const struct template **ret, struct err *err);

#endif
