/*
 * lexer -- the words of a Lua 5.4 expression, one at a time.
 *
 * Knows just enough of Lua to find where an expression ends and which names it uses; what the words
 * mean is Lua's business. Comments and malformed texts come out as LEX_BAD with a reason.
 */
#ifndef L2D_RULES_LEXER_H
#define L2D_RULES_LEXER_H

#include "base/mem.h"

enum lex_kind { LEX_END, LEX_NAME, LEX_NUMBER, LEX_STRING, LEX_SYMBOL, LEX_BAD };

struct lex_token {
	enum lex_kind kind;
	size_t offset;      /* of its first byte in the text */
	struct span text;   /* as written, quotes included */
	const char *reason; /* LEX_BAD: static */
};

struct lexer {
	struct span text;
	size_t offset; /* of what comes next */
};

struct lex_token lexer_next(struct lexer *lexer);
bool lex_is(const struct lex_token *token, enum lex_kind kind, const char *text);

/*
 * What a LEX_STRING means, in arena. False if it has an escape by number (\x, \u, \ddd, \z), which
 * nobody needs in a name or pattern; those are left to the time of evaluation.
 */
bool lex_string_value(const struct lex_token *token, struct arena *arena, struct span *ret);

#endif
