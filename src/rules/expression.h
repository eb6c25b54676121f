/*
 * expression -- what stands in ${...} and in `when:`: a Lua 5.4 expression, checked before Lua sees
 * it.
 *
 * An expression has no statements, no function definitions, no loops and no comments; its brackets
 * are its own, and it is one value. Names are attributes of the entry (any case) or one of the
 * functions of rules/functions.h; entry["..."] and all.NAME take literals only. So the text alone
 * says which attributes it can read.
 */
#ifndef L2D_RULES_EXPRESSION_H
#define L2D_RULES_EXPRESSION_H

#include "base/vec.h"
#include "rules/document.h"

#define EXPRESSION_BYTES_MAX ((size_t)16 * 1024)
#define EXPRESSION_DEPTH_MAX 64 /* brackets inside brackets */
#define EXPRESSIONS_MAX 100000  /* of all mapping files together */
#define ATTRIBUTE_NAME_MAX 128  /* bytes of an attribute's name */

struct expression {
	unsigned index;     /* among all expressions of the mapping */
	struct span source; /* Lua text */
	const char *file;
	unsigned line, column;
};

/* What names mean where there is no entry: literally these, in any case. */
struct variables {
	const char *const *names;
	size_t count;
};

struct sandbox;
/* What compiling the expressions of a mapping needs and gathers. All in arena. */
struct compiler {
	struct arena *arena;
	struct sandbox *sandbox;           /* where syntax is tried */
	const struct variables *variables; /* NULL: names are attributes of the entry */
	VEC(const struct expression *) expressions;
	VEC(const char *)
	attributes; /* names that were used, lower-case, each once; emptied by the caller per source
		     */
};
void compiler_release(struct compiler *compiler);
/* Lower-case copy of name into compiler->attributes unless it is there. */
void compiler_add_attribute(struct compiler *compiler, struct span name);

/*
 * Compiles the expression that begins at offset of the scalar's text. braced: it ends before the
 * `}` that closes
 * ${, else with the text. *ret_end: offset behind it. Errors: ERR_CONFIG with the place.
 */
MUST_CHECK enum err_code expression_compile(struct compiler *compiler,
		const struct document_node *node, size_t offset, bool braced,
		struct expression **ret, size_t *ret_end, struct err *err);

/* Whether word means something else in an expression than a value of that name: Lua's words, our functions. */
bool expression_reserves(struct span word);
/* Whether text is an attribute's name (RFC 4512, section 2.5: descr or numericoid, without
 * options). */
bool attribute_name_is_valid(struct span text);

#endif
