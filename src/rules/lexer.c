#include "rules/lexer.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char at(const struct lexer *lexer, size_t offset)
{
	return offset < lexer->text.len ? lexer->text.ptr[offset] : '\0';
}

static struct lex_token make(struct lexer *lexer, enum lex_kind kind, size_t begin, size_t end)
{
	lexer->offset = end;
	return (struct lex_token){kind, begin, {lexer->text.ptr + begin, end - begin}, NULL};
}

static struct lex_token bad(struct lexer *lexer, size_t begin, const char *reason)
{
	struct lex_token token = make(lexer, LEX_BAD, begin, begin);

	token.reason = reason;
	return token;
}

static struct lex_token lex_name(struct lexer *lexer, size_t begin)
{
	size_t end = begin;

	while (is_letter(at(lexer, end)) || is_digit(at(lexer, end)))
		end++;
	return make(lexer, LEX_NAME, begin, end);
}

/* Greedy as Lua's own: letters, digits, points, and a sign behind an exponent; Lua judges the
 * result. */
static struct lex_token lex_number(struct lexer *lexer, size_t begin)
{
	bool hex = at(lexer, begin) == '0' && (at(lexer, begin + 1) | 0x20) == 'x';
	char exponent = hex ? 'p' : 'e';
	size_t end = begin;

	for (;;) {
		char c = at(lexer, end);

		if ((c | 0x20) == exponent &&
				(at(lexer, end + 1) == '-' || at(lexer, end + 1) == '+'))
			end += 2;
		else if (is_letter(c) || is_digit(c) || c == '.')
			end++;
		else
			break;
	}
	return make(lexer, LEX_NUMBER, begin, end);
}

static struct lex_token lex_quoted(struct lexer *lexer, size_t begin)
{
	char quote = at(lexer, begin);
	size_t end = begin + 1;

	while (end < lexer->text.len && at(lexer, end) != quote) {
		if (at(lexer, end) == '\n')
			return bad(lexer, begin, "a text does not end in its line");
		end += at(lexer, end) == '\\' ? 2 : 1;
	}
	if (end >= lexer->text.len)
		return bad(lexer, begin, "a text lacks its closing quote");
	return make(lexer, LEX_STRING, begin, end + 1);
}

/* Number of = in an opening [[, [=[ ... at begin, or -1 if it is none. */
static int long_level(const struct lexer *lexer, size_t begin)
{
	size_t end = begin + 1;

	while (at(lexer, end) == '=')
		end++;
	return at(lexer, end) == '[' ? (int)(end - begin - 1) : -1;
}

static struct lex_token lex_long(struct lexer *lexer, size_t begin, size_t level)
{
	for (size_t end = begin + level + 2; end + level + 1 < lexer->text.len; end++) {
		size_t i = 1;

		if (at(lexer, end) != ']')
			continue;
		while (i <= level && at(lexer, end + i) == '=')
			i++;
		if (i == level + 1 && at(lexer, end + i) == ']')
			return make(lexer, LEX_STRING, begin, end + i + 1);
	}
	return bad(lexer, begin, "a text in long brackets lacks its end");
}

static struct lex_token lex_symbol(struct lexer *lexer, size_t begin)
{
	static const char *const symbols[] = {
			"...", "..", "==", "~=", "<=", ">=", "//", "::", "<<", ">>", "&&", "||"};

	for (size_t i = 0; i < COUNT_OF(symbols); i++) {
		size_t len = strlen(symbols[i]);

		if (lexer->text.len - begin >= len &&
				memcmp(lexer->text.ptr + begin, symbols[i], len) == 0)
			return make(lexer, LEX_SYMBOL, begin, begin + len);
	}
	if (strchr("+-*/%^#&~|<>=(){}[];:,.", at(lexer, begin)))
		return make(lexer, LEX_SYMBOL, begin, begin + 1);
	return bad(lexer, begin, "this character has no meaning in an expression");
}

struct lex_token lexer_next(struct lexer *lexer)
{
	size_t begin = lexer->offset;
	char c;

	while (begin < lexer->text.len && strchr(" \t\r\n\f\v", lexer->text.ptr[begin]) &&
			lexer->text.ptr[begin])
		begin++;
	if (begin >= lexer->text.len)
		return make(lexer, LEX_END, lexer->text.len, lexer->text.len);
	c = lexer->text.ptr[begin];
	if (c == '\0')
		return bad(lexer, begin, "a NUL character");
	if (is_letter(c))
		return lex_name(lexer, begin);
	if (is_digit(c) || (c == '.' && is_digit(at(lexer, begin + 1))))
		return lex_number(lexer, begin);
	if (c == '"' || c == '\'')
		return lex_quoted(lexer, begin);
	if (c == '[' && long_level(lexer, begin) >= 0)
		return lex_long(lexer, begin, (size_t)long_level(lexer, begin));
	if (c == '-' && at(lexer, begin + 1) == '-')
		return bad(lexer, begin,
				"a comment has no place in an expression (for a double minus write "
				"- -)");
	return lex_symbol(lexer, begin);
}

bool lex_is(const struct lex_token *token, enum lex_kind kind, const char *text)
{
	return token->kind == kind && span_equal(token->text, span_of(text));
}

static struct span long_value(struct span text)
{
	size_t edge = 2;

	while (text.ptr[edge - 1] == '=')
		edge++;
	text = (struct span){text.ptr + edge, text.len - 2 * edge};
	if (text.len && text.ptr[0] == '\n')
		text = (struct span){text.ptr + 1, text.len - 1};
	return text;
}

bool lex_string_value(const struct lex_token *token, struct arena *arena, struct span *ret)
{
	static const char escapes[] = "abfnrtv\\\"'", values[] = "\a\b\f\n\r\t\v\\\"'";
	struct span text = token->text;
	size_t len = 0;
	char *value;

	if (text.ptr[0] == '[') {
		*ret = arena_span(arena, long_value(text));
		return true;
	}
	value = arena_alloc(arena, text.len);
	for (size_t i = 1; i + 1 < text.len; i++) {
		const char *escape;

		if (text.ptr[i] != '\\') {
			value[len++] = text.ptr[i];
			continue;
		}
		escape = strchr(escapes, text.ptr[++i]);
		if (!escape || !*escape)
			return false;
		value[len++] = values[escape - escapes];
	}
	*ret = (struct span){value, len};
	return true;
}
