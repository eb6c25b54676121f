#include "rules/filter.h"

#include <ctype.h>

struct filter {
	const char *text;
	size_t offset;
	struct buf *out;
	unsigned depth;
};

static void skip_space(struct filter *f)
{
	while (f->text[f->offset] && strchr(" \t\r\n", f->text[f->offset]))
		f->offset++;
}

static void take(struct filter *f, size_t len)
{
	buf_add(f->out, f->text + f->offset, len);
	f->offset += len;
}

static bool take_if(struct filter *f, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(f->text + f->offset, text, len) != 0)
		return false;
	take(f, len);
	return true;
}

static bool is_name_character(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '.' || c == ';' || c == '_';
}

/* attr [":dn"] [":" rule] or ":dn" ":" rule or ":" rule, as far as it goes; "" is judged by the
 * caller */
static size_t take_names(struct filter *f)
{
	size_t begin = f->offset;

	while (is_name_character(f->text[f->offset]) ||
			(f->text[f->offset] == ':' && f->text[f->offset + 1] != '='))
		take(f, 1);
	return f->offset - begin;
}

static bool is_hex(char c)
{
	return isxdigit((unsigned char)c);
}

static const char *take_value(struct filter *f, bool stars)
{
	for (;;) {
		char c = f->text[f->offset];

		if (c == ')')
			return NULL;
		if (c == '\0')
			return "the filter ends here without its closing parenthesis";
		if (c == '(')
			return "a parenthesis inside a value is written \\28";
		if (c == '*' && !stars)
			return "a star inside such a value is written \\2a";
		if (c == '\\' &&
				!(is_hex(f->text[f->offset + 1]) && is_hex(f->text[f->offset + 2])))
			return "a backslash is written \\5c, other characters as two hexadecimal "
			       "digits behind one";
		take(f, c == '\\' ? 3 : 1);
	}
}

static const char *take_item(struct filter *f)
{
	static const char *const plain[] = {"~=", ">=", "<=", ":="};
	bool extensible = memchr(f->text + f->offset, ':', strcspn(f->text + f->offset, "=()")) !=
			NULL;

	if (take_names(f) == 0)
		return "an attribute's name is expected here";
	for (size_t i = 0; i < COUNT_OF(plain); i++) {
		if (take_if(f, plain[i]))
			return take_value(f, false);
	}
	if (extensible)
		return "`:=` is expected here";
	if (!take_if(f, "="))
		return "a comparison (=, ~=, >=, <= or :=) is expected here";
	return take_value(f, true);
}

static const char *take_filter(struct filter *f);

static const char *take_list(struct filter *f)
{
	const char *wrong = NULL;

	skip_space(f);
	while (!wrong && f->text[f->offset] == '(') {
		wrong = take_filter(f);
		skip_space(f);
	}
	return wrong;
}

static const char *take_component(struct filter *f)
{
	skip_space(f);
	if (take_if(f, "&") || take_if(f, "|"))
		return take_list(f);
	if (take_if(f, "!")) {
		skip_space(f);
		return take_filter(f);
	}
	return take_item(f);
}

static const char *take_filter(struct filter *f)
{
	const char *wrong;

	if (f->depth == FILTER_DEPTH_MAX)
		return "too many parentheses inside each other";
	if (!take_if(f, "("))
		return "a filter stands in parentheses, as in (objectClass=person)";
	f->depth++;
	wrong = take_component(f);
	f->depth--;
	if (wrong)
		return wrong;
	return take_if(f, ")") ? NULL : "a closing parenthesis is expected here";
}

const char *filter_normalise(const char *text, struct buf *ret, size_t *ret_offset)
{
	struct filter f = {.text = text, .out = ret};
	const char *wrong;

	skip_space(&f);
	wrong = take_filter(&f);
	skip_space(&f);
	if (!wrong && text[f.offset])
		wrong = "the filter ends before this";
	if (!wrong && ret->overflowed)
		wrong = "the filter is too long";
	*ret_offset = f.offset;
	return wrong;
}
