#include "rules/expression.h"

#include "base/buf.h"
#include "base/text.h"
#include "model/entry.h"
#include "rules/functions.h"
#include "rules/lexer.h"
#include "rules/pattern.h"
#include "rules/sandbox.h"

#include <strings.h>

#define VARIABLES_SHOWN_MAX ((size_t)200)

/* Words that begin or build statements; with `and`, `or`, `not`, `nil`, `true` and `false` all that
 * Lua reserves. */
static const char *const statement_words[] = {"break", "do", "else", "elseif", "end", "for",
		"function", "goto", "if", "in", "local", "repeat", "return", "then", "until",
		"while"};
static const char *const value_words[] = {"and", "or", "not", "nil", "true", "false"};

/* What people write who think of another language. */
static const struct {
	const char *written, *meant;
} slips[] = {{"&&", "and"}, {"||", "or"}};

struct bracket {
	char open;
	size_t at;     /* index of its token */
	size_t commas; /* directly in it so far */
};

struct scan {
	struct compiler *compiler;
	const struct document_node *node;
	size_t offset; /* of the expression in the node's text */
	struct err *err;
	VEC(struct lex_token) tokens;
	struct bracket brackets[EXPRESSION_DEPTH_MAX];
	size_t depth;
};

void compiler_release(struct compiler *compiler)
{
	vec_release(&compiler->expressions);
	vec_release(&compiler->attributes);
}

static bool is_one_of(struct span word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (span_equal(word, span_of(words[i])))
			return true;
	}
	return false;
}

void compiler_add_attribute(struct compiler *compiler, struct span name)
{
	char *lower = arena_strndup(compiler->arena, name.ptr, name.len);

	for (char *c = lower; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + ('a' - 'A')) : *c;
	for (vec_each (&compiler->attributes, known)) {
		if (strcmp(*known, lower) == 0)
			return;
	}
	if (compiler->attributes.count > ENTRY_ATTRIBUTES_MAX)
		return; /* enough to be refused by whoever counts them */
	*vec_add(&compiler->attributes) = lower;
}

bool expression_reserves(struct span word)
{
	static const char *const ours[] = {"entry", "all", "_ENV", "_G"};

	return is_one_of(word, statement_words, COUNT_OF(statement_words)) ||
			is_one_of(word, value_words, COUNT_OF(value_words)) ||
			is_one_of(word, ours, COUNT_OF(ours)) || function_exists(word);
}

bool attribute_name_is_valid(struct span text)
{
	bool letters = text.len && ((text.ptr[0] | 0x20) >= 'a' && (text.ptr[0] | 0x20) <= 'z');

	if (text.len == 0 || text.len > ATTRIBUTE_NAME_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool digit = c >= '0' && c <= '9';
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (letters ? !(letter || digit || c == '-' || c == '_') : !(digit || c == '.'))
			return false;
	}
	return true;
}

#define refuse(scan, token, ...)                                                                   \
	document_error_inside(                                                                     \
			(scan)->node, (scan)->offset + (token)->offset, (scan)->err, __VA_ARGS__)

static const struct lex_token *token_at(const struct scan *scan, size_t i)
{
	return &scan->tokens.items[i < scan->tokens.count ? i : scan->tokens.count - 1];
}

static enum err_code open_bracket(struct scan *scan, size_t i)
{
	const struct lex_token *token = token_at(scan, i);

	if (scan->depth == EXPRESSION_DEPTH_MAX)
		return refuse(scan, token, "more than %d brackets inside each other",
				EXPRESSION_DEPTH_MAX);
	scan->brackets[scan->depth++] = (struct bracket){token->text.ptr[0], i, 0};
	return ERR_NONE;
}

static enum err_code close_bracket(struct scan *scan, const struct lex_token *token)
{
	char close = token->text.ptr[0];
	char open = close == ')' ? '(' : close == ']' ? '[' : '{';

	if (scan->depth == 0)
		return refuse(scan, token, "`%c` closes nothing", close);
	if (scan->brackets[scan->depth - 1].open != open)
		return refuse(scan, token, "`%c` closes a `%c`", close,
				scan->brackets[scan->depth - 1].open);
	scan->depth--;
	return ERR_NONE;
}

static enum err_code check_symbol(struct scan *scan, size_t i)
{
	const struct lex_token *token = token_at(scan, i);
	char inside = scan->depth ? scan->brackets[scan->depth - 1].open : '\0';
	char c = token->text.ptr[0];

	if (token->text.len > 1) {
		for (size_t s = 0; s < COUNT_OF(slips); s++) {
			if (lex_is(token, LEX_SYMBOL, slips[s].written))
				return refuse(scan, token, "`%s` is not Lua, write `%s`",
						slips[s].written, slips[s].meant);
		}
		if (token->text.len == 3 || c == ':')
			return refuse(scan, token,
					"`%.*s` is a statement's; an expression is expected",
					(int)token->text.len, token->text.ptr);
		return ERR_NONE;
	}
	if (strchr("([{", c))
		return open_bracket(scan, i);
	if (strchr(")]}", c))
		return close_bracket(scan, token);
	if (c == ',' && scan->depth)
		scan->brackets[scan->depth - 1].commas++;
	if (c == ':')
		return refuse(scan, token,
				"values have no methods; write lower(mail), not mail:lower()");
	if (c == '=' && inside != '{')
		return refuse(scan, token,
				"`=` assigns, which an expression can't; compare with `==`");
	if ((c == ';' && inside != '{') || (c == ',' && !inside))
		return refuse(scan, token, "an expression is one value; `%c` would begin another",
				c);
	return ERR_NONE;
}

static enum err_code refuse_variable(
		struct scan *scan, const struct lex_token *token, struct span name)
{
	const struct variables *variables = scan->compiler->variables;
	AUTO(mem_freep) char *word = mem_strndup(name.ptr, name.len);
	const char *likely = text_did_you_mean(word, variables->names, variables->count);
	enum err_code code;
	struct buf list;

	if (likely)
		return refuse(scan, token, "unknown variable `%.80s`, did you mean `%s`?", word,
				likely);
	buf_init(&list, VARIABLES_SHOWN_MAX);
	for (size_t i = 0; i < variables->count; i++)
		buf_printf(&list, "%s%s", i ? ", " : "", variables->names[i]);
	code = refuse(scan, token, "unknown variable `%.80s`; here there are: %.200s", word,
			buf_text(&list));
	buf_release(&list);
	return code;
}

/* The name of a value: an attribute, or one of the variables. */
static enum err_code take_name(struct scan *scan, const struct lex_token *token, struct span name)
{
	const struct variables *variables = scan->compiler->variables;

	if (!variables) {
		compiler_add_attribute(scan->compiler, name);
		return ERR_NONE;
	}
	for (size_t i = 0; i < variables->count; i++) {
		if (strlen(variables->names[i]) == name.len &&
				strncasecmp(variables->names[i], name.ptr, name.len) == 0)
			return ERR_NONE;
	}
	return refuse_variable(scan, token, name);
}

/* entry["NAME"], all.NAME, all["NAME"] */
static enum err_code check_collection(struct scan *scan, size_t i)
{
	const struct lex_token *token = token_at(scan, i), *name = token_at(scan, i + 2);
	bool all = lex_is(token, LEX_NAME, "all");
	struct span value;

	if (all && lex_is(token_at(scan, i + 1), LEX_SYMBOL, ".") && name->kind == LEX_NAME) {
		return take_name(scan, name, name->text);
	}
	if (!lex_is(token_at(scan, i + 1), LEX_SYMBOL, "[") || name->kind != LEX_STRING ||
			!lex_is(token_at(scan, i + 3), LEX_SYMBOL, "]"))
		return refuse(scan, token,
				all ? "`all` needs a literal name, as in all.memberOf or "
				      "all[\"x-y\"]"
				    : "`entry` needs a literal name, as in entry[\"x-y\"]");
	if (!lex_string_value(name, scan->compiler->arena, &value) ||
			!attribute_name_is_valid(value))
		return refuse(scan, name,
				"%.*s is no attribute's name (letters, digits and hyphens)",
				(int)(name->text.len > 80 ? 80 : name->text.len), name->text.ptr);
	return take_name(scan, name, value);
}

static enum err_code refuse_call(struct scan *scan, const struct lex_token *token)
{
	AUTO(mem_freep) char *word = mem_strndup(token->text.ptr, token->text.len);
	size_t count;
	const char *const *names = function_names(&count);
	const char *likely = text_did_you_mean(word, names, count);

	if (likely)
		return refuse(scan, token, "unknown function `%.80s`, did you mean `%s`?", word,
				likely);
	return refuse(scan, token, "unknown function `%.80s`", word);
}

static enum err_code check_name(struct scan *scan, size_t i)
{
	const struct lex_token *token = token_at(scan, i), *next = token_at(scan, i + 1);
	bool member = i > 0 && lex_is(token_at(scan, i - 1), LEX_SYMBOL, ".");
	bool call = lex_is(next, LEX_SYMBOL, "(") || lex_is(next, LEX_SYMBOL, "{") ||
			next->kind == LEX_STRING;
	int len = (int)(token->text.len > 80 ? 80 : token->text.len);

	if (is_one_of(token->text, statement_words, COUNT_OF(statement_words)))
		return refuse(scan, token,
				"`%.*s`: an expression is expected here, not a statement", len,
				token->text.ptr);
	if (is_one_of(token->text, value_words, COUNT_OF(value_words)) || member)
		return ERR_NONE;
	if (lex_is(token, LEX_NAME, "_ENV") || lex_is(token, LEX_NAME, "_G"))
		return refuse(scan, token, "`%.*s` is not available", len, token->text.ptr);
	if (lex_is(token, LEX_NAME, "entry") || lex_is(token, LEX_NAME, "all"))
		return check_collection(scan, i);
	if (scan->compiler->variables && lex_is(token, LEX_NAME, "in_group"))
		return refuse(scan, token, "`in_group` asks about an entry; there is none here");
	if (function_exists(token->text))
		return call ? ERR_NONE
			    : refuse(scan, token,
					      "`%.*s` is a function; for an attribute of this name "
					      "write "
					      "entry[\"%.*s\"]",
					      len, token->text.ptr, len, token->text.ptr);
	if (call)
		return refuse_call(scan, token);
	if (!attribute_name_is_valid(token->text))
		return refuse(scan, token, "`%.*s` is no attribute's name", len, token->text.ptr);
	return take_name(scan, token, token->text);
}

/* A literal second argument of match, test or replace is a pattern, and can be tried now. */
static enum err_code check_pattern(struct scan *scan, size_t i)
{
	const struct lex_token *token = token_at(scan, i), *next = token_at(scan, i + 1);
	const struct bracket *inside = scan->depth ? &scan->brackets[scan->depth - 1] : NULL;
	struct span pattern;
	char reason[160];

	if (!inside || inside->open != '(' || inside->commas != 1 || inside->at == 0 ||
			!function_takes_pattern(token_at(scan, inside->at - 1)->text) ||
			!lex_is(token_at(scan, i - 1), LEX_SYMBOL, ",") ||
			!(lex_is(next, LEX_SYMBOL, ")") || lex_is(next, LEX_SYMBOL, ",")) ||
			!lex_string_value(token, scan->compiler->arena, &pattern))
		return ERR_NONE;
	if (!pattern_check(pattern, reason, sizeof(reason)))
		return refuse(scan, token, "pattern: %s", reason);
	return ERR_NONE;
}

static enum err_code check_token(struct scan *scan, size_t i)
{
	const struct lex_token *token = token_at(scan, i);

	switch (token->kind) {
	case LEX_NAME:
		return check_name(scan, i);
	case LEX_STRING:
		return check_pattern(scan, i);
	case LEX_SYMBOL:
		return check_symbol(scan, i);
	case LEX_BAD:
		return refuse(scan, token, "%s", token->reason);
	case LEX_END:
	case LEX_NUMBER:
		break;
	}
	return ERR_NONE;
}

/* Takes the words up to the end, or up to the } that closes ${. */
static void take_tokens(struct scan *scan, struct lexer *lexer, bool braced)
{
	size_t braces = 0;

	for (;;) {
		struct lex_token token = lexer_next(lexer);

		if (braced && lex_is(&token, LEX_SYMBOL, "{"))
			braces++;
		if (braced && lex_is(&token, LEX_SYMBOL, "}") && braces-- == 0)
			token = (struct lex_token){
					LEX_END, token.offset, {token.text.ptr, 0}, NULL};
		*vec_add(&scan->tokens) = token;
		if (token.kind == LEX_END || token.kind == LEX_BAD)
			return;
	}
}

static enum err_code check_tokens(struct scan *scan, bool braced)
{
	const struct lex_token *last = token_at(scan, scan->tokens.count - 1);

	for (size_t i = 0; i < scan->tokens.count; i++) {
		enum err_code code = check_token(scan, i);

		if (code != ERR_NONE)
			return code;
	}
	if (braced && last->offset >= strlen(scan->node->text + scan->offset))
		return document_error_inside(scan->node, scan->offset - strlen("${"), scan->err,
				"`${` lacks its closing `}`");
	if (scan->depth)
		return refuse(scan, token_at(scan, scan->brackets[scan->depth - 1].at),
				"`%c` is not closed", scan->brackets[scan->depth - 1].open);
	if (scan->tokens.count == 1)
		return refuse(scan, last, "the expression is empty");
	if (last->offset > EXPRESSION_BYTES_MAX)
		return document_error_inside(scan->node, scan->offset, scan->err,
				"the expression is longer than %zu bytes", EXPRESSION_BYTES_MAX);
	return ERR_NONE;
}

static enum err_code add_expression(struct scan *scan, struct expression **ret)
{
	struct compiler *compiler = scan->compiler;
	struct expression *expression = arena_alloc(compiler->arena, sizeof(*expression));
	char reason[200];

	if (compiler->expressions.count >= EXPRESSIONS_MAX)
		return document_error(
				scan->node, scan->err, "more than %d expressions", EXPRESSIONS_MAX);
	*expression = (struct expression){
			.index = (unsigned)compiler->expressions.count,
			.source = arena_span(compiler->arena,
					(struct span){scan->node->text + scan->offset,
							token_at(scan, scan->tokens.count - 1)
									->offset}),
			.file = scan->node->file,
			.line = scan->node->line,
			.column = document_column(scan->node, scan->offset),
	};
	if (!sandbox_check(compiler->sandbox, expression, reason, sizeof(reason)))
		return document_error_inside(scan->node, scan->offset, scan->err, "%s", reason);
	*vec_add(&compiler->expressions) = expression;
	*ret = expression;
	return ERR_NONE;
}

enum err_code expression_compile(struct compiler *compiler, const struct document_node *node,
		size_t offset, bool braced, struct expression **ret, size_t *ret_end,
		struct err *err)
{
	struct scan scan = {.compiler = compiler, .node = node, .offset = offset, .err = err};
	struct lexer lexer = {.text = span_of(node->text + offset)};
	enum err_code code;

	take_tokens(&scan, &lexer, braced);
	code = check_tokens(&scan, braced);
	if (code == ERR_NONE)
		code = add_expression(&scan, ret);
	if (code == ERR_NONE)
		*ret_end = offset + token_at(&scan, scan.tokens.count - 1)->offset;
	vec_release(&scan.tokens);
	return code;
}
