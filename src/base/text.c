#include "base/text.h"

#include "base/buf.h"

#include <errno.h>
#include <inttypes.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

#define LIKENESS_MAX 64

bool text_is_utf8(struct span bytes)
{
	return bytes.len == 0 ||
			(memchr(bytes.ptr, '\0', bytes.len) == NULL &&
					u8_check((const uint8_t *)bytes.ptr, bytes.len) == NULL);
}

/* The length of what is well-formed at the beginning. */
static size_t sound_length(struct span bytes)
{
	const char *nul = memchr(bytes.ptr, '\0', bytes.len);
	size_t len = nul ? (size_t)(nul - bytes.ptr) : bytes.len;
	const uint8_t *bad = u8_check((const uint8_t *)bytes.ptr, len);

	return bad ? (size_t)(bad - (const uint8_t *)bytes.ptr) : len;
}

char *text_repair(struct span bytes)
{
	static const char replacement[] = "\xef\xbf\xbd";
	char *ret = mem_alloc(bytes.len * (sizeof(replacement) - 1) + 1), *to = ret;

	while (bytes.len) {
		size_t len = sound_length(bytes);

		memcpy(to, bytes.ptr, len);
		to += len;
		bytes = (struct span){bytes.ptr + len, bytes.len - len};
		if (!bytes.len)
			break;
		memcpy(to, replacement, sizeof(replacement) - 1);
		to += sizeof(replacement) - 1;
		bytes = (struct span){bytes.ptr + 1, bytes.len - 1};
	}
	*to = '\0';
	return ret;
}

void text_repair_in_place(char *text)
{
	for (char *at = text; *(at += sound_length(span_of(at)));)
		*at = '?';
}

bool text_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_ascii(struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		if ((unsigned char)bytes.ptr[i] >= 0x80)
			return false;
	}
	return true;
}

static char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static char ascii_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

static char *ascii_map(struct span bytes, char (*map)(char))
{
	char *ret = mem_strndup(bytes.ptr, bytes.len);

	for (size_t i = 0; i < bytes.len; i++)
		ret[i] = map(ret[i]);
	return ret;
}

typedef uint8_t *unicode_map(const uint8_t *s, size_t n, const char *language, uninorm_t form,
		uint8_t *result, size_t *length);

static char *unicode(struct span bytes, unicode_map *map, uninorm_t form)
{
	size_t len = 0;
	uint8_t *mapped;
	char *ret;

	if (!text_is_utf8(bytes))
		return mem_strndup(bytes.ptr, bytes.len);
	mapped = map((const uint8_t *)bytes.ptr, bytes.len, "", form, NULL, &len);
	if (!mapped)
		return mem_strndup(bytes.ptr, bytes.len);
	ret = mem_strndup((const char *)mapped, len);
	free(mapped);
	return ret;
}

char *text_fold(struct span bytes)
{
	return is_ascii(bytes) ? ascii_map(bytes, ascii_lower)
			       : unicode(bytes, u8_casefold, UNINORM_NFKC);
}

char *text_lower(struct span bytes)
{
	return is_ascii(bytes) ? ascii_map(bytes, ascii_lower)
			       : unicode(bytes, u8_tolower, UNINORM_NFC);
}

char *text_upper(struct span bytes)
{
	return is_ascii(bytes) ? ascii_map(bytes, ascii_upper)
			       : unicode(bytes, u8_toupper, UNINORM_NFC);
}

static bool equal_unicode(const char *a, const char *b)
{
	AUTO(mem_freep) char *x = text_fold(span_of(a));
	AUTO(mem_freep) char *y = text_fold(span_of(b));

	return strcmp(x, y) == 0;
}

bool text_equal_folded(const char *a, const char *b)
{
	size_t same = 0;

	if (!a || !b)
		return a == b;
	/* Most names are ASCII, for which nothing need be allocated. */
	while (a[same] && (unsigned char)(a[same] | b[same]) < 0x80 &&
			ascii_lower(a[same]) == ascii_lower(b[same]))
		same++;
	if ((unsigned char)(a[same] | b[same]) < 0x80 && is_ascii(span_of(a + same)) &&
			is_ascii(span_of(b + same)))
		return a[same] == b[same];
	return equal_unicode(a, b);
}

bool text_starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static size_t character_len(const char *text)
{
	size_t len = 1;

	while (((unsigned char)text[len] & 0xc0) == 0x80)
		len++;
	return len;
}

/* Iterative, with one point to come back to: no pattern makes it exponential. */
static bool glob(const char *pattern, const char *text)
{
	const char *after_star = NULL, *resume = NULL;

	while (*text) {
		if (*pattern == '*') {
			after_star = ++pattern;
			resume = text;
			continue;
		}
		if (*pattern == '?') {
			pattern++;
			text += character_len(text);
			continue;
		}
		if (*pattern == '\\' && pattern[1] && pattern[1] == *text) {
			pattern += 2;
			text++;
			continue;
		}
		if (*pattern && *pattern != '\\' && *pattern == *text) {
			pattern++;
			text++;
			continue;
		}
		if (!after_star)
			return false;
		pattern = after_star;
		resume += character_len(resume);
		text = resume;
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

bool text_matches_glob(const char *pattern, const char *text)
{
	AUTO(mem_freep) char *p = text_fold(span_of(pattern));
	AUTO(mem_freep) char *t = text_fold(span_of(text));

	return glob(p, t);
}

bool text_parse_int(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	char *end;
	intmax_t value;

	if (!(*text == '-' || (*text >= '0' && *text <= '9')))
		return false;
	errno = 0;
	value = strtoimax(text, &end, 10);
	if (errno || *end || end == text || value < min || value > max)
		return false;
	*ret = (int64_t)value;
	return true;
}

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

static size_t distance(const char *a, const char *b)
{
	size_t row[LIKENESS_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > LIKENESS_MAX || b_len > LIKENESS_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t above = row[j];
			size_t change = ascii_lower(a[i - 1]) == ascii_lower(b[j - 1]) ? 0 : 1;

			row[j] = smallest(above + 1, row[j - 1] + 1, diagonal + change);
			diagonal = above;
		}
	}
	return row[b_len];
}

const char *text_did_you_mean(const char *word, const char *const *candidates, size_t count)
{
	size_t best = strlen(word) / 3 + 1;
	const char *ret = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t d = distance(word, candidates[i]);

		if (d < best || (d == best && !ret)) {
			best = d;
			ret = candidates[i];
		}
	}
	return ret;
}

char *text_printable(struct span bytes)
{
	bool utf8 = text_is_utf8(bytes);
	struct buf buf;

	buf_init(&buf, bytes.len * 4);
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.ptr[i];

		if (c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8))
			buf_printf(&buf, "\\x%02x", c);
		else
			buf_add_char(&buf, (char)c);
	}
	return buf_steal(&buf);
}
