/*
 * evaluate_text -- templates that are filled for a directory group or for a workspace. Private to rules/.
 */
#ifndef L2D_RULES_EVALUATE_TEXT_H
#define L2D_RULES_EVALUATE_TEXT_H

#include "rules/evaluate.h"
#include "rules/sandbox.h"
#include "rules/template.h"

#define TEXT_VALUE_MAX ((size_t)4096) /* bytes of what a template gives */

struct evaluator {
	const struct mapping *mapping;
	struct sandbox *sandbox;
};

struct text_template {
	const struct template *template;
	const struct document_node *node;
	bool is_strict; /* expressions go into a path or a command: letters, digits and . _ @ - only, no point first */
};

enum text_value_kind { TEXT_VALUE_NIL, TEXT_VALUE_TEXT, TEXT_VALUE_NUMBER, TEXT_VALUE_FLAG };
struct text_value {
	enum text_value_kind kind; /* NIL: also for an empty text */
	const char *text;          /* as one would write it; NULL for NIL */
};

/*
 * Fills all templates with what the attributes of values give as variables, under the limits of one evaluation. ret has
 * room for count. Errors: ERR_CONFIG with the place of the template that failed.
 */
MUST_CHECK enum err_code evaluate_texts(struct evaluator *evaluator, const struct entry *values,
		const struct text_template *templates, size_t count, struct arena *arena,
		struct text_value *ret, struct err *err);

#endif
