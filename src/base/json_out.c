#include "base/json_out.h"

#include "base/text.h"

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

/* Whatever it was given, it is JSON that comes out: a line of the audit that nobody can read is lost. */
void json_add_text(struct buf *out, const char *text)
{
	AUTO(mem_freep) char *repaired = NULL;

	if (!text_is_utf8(span_of(text)))
		text = repaired = text_repair(span_of(text));
	buf_add_char(out, '"');
	while (*text) {
		size_t len = 0;

		while (text[len] && is_plain((unsigned char)text[len]))
			len++;
		buf_add(out, text, len);
		text += len;
		if (!*text)
			break;
		if (*text == '"' || *text == '\\')
			buf_printf(out, "\\%c", *text);
		else
			buf_printf(out, "\\u%04x", (unsigned)(unsigned char)*text);
		text++;
	}
	buf_add_char(out, '"');
}

void json_add_number(struct buf *out, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	buf_add(out, digits + at, sizeof(digits) - at);
}

void json_add_comma(struct buf *out)
{
	char last = out->len ? out->ptr[out->len - 1] : '{';

	if (last != '{' && last != '[')
		buf_add_char(out, ',');
}

void json_add_key(struct buf *out, const char *key)
{
	json_add_comma(out);
	buf_add_char(out, '"');
	buf_add_text(out, key);
	buf_add(out, "\":", 2);
}

void json_add_member(struct buf *out, const char *key, const char *text)
{
	if (!text)
		return;
	json_add_key(out, key);
	json_add_text(out, text);
}
