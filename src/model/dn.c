#include "model/dn.h"

#include "base/text.h"
#include "model/dn_type.h"

/*
 * Inside a key: part = type '=' value, parts of one RDN joined by PART_JOIN, RDN ended by DN_KEY_END. So that these
 * bytes and NUL cannot occur in a value, 0x00 to 0x03 are written there as ESCAPE and the byte plus 0x10; ESCAPE '#'
 * opens a value known only as BER in hex.
 */
#define PART_JOIN '\x02'
#define ESCAPE '\x03'
#define FAST_MAX 512 /* bytes of an attribute and its value that take the fast path */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static struct span trim(struct span text)
{
	while (text.len && is_space(text.ptr[0])) {
		text.ptr++;
		text.len--;
	}
	while (text.len && is_space(text.ptr[text.len - 1]))
		text.len--;
	return text;
}

static enum err_code not_a_dn(struct span text, const char *why, struct err *err)
{
	AUTO(mem_freep) char *shown = text_printable(text);

	return err_set(err, ERR_PROTO, 0, "\"%.200s\" is not a distinguished name: %s", shown, why);
}

/* ---- values ---- */

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that two hex digits at ptr stand for, or -1. */
static int hex_pair(struct span text, size_t at)
{
	int high, low;

	if (text.len < 2 || at > text.len - 2)
		return -1;
	high = hex_digit(text.ptr[at]);
	low = hex_digit(text.ptr[at + 1]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* One escape at text[at], a backslash. Returns how many bytes it takes, 0 if it is none. */
static size_t unescape_one(struct span text, size_t at, struct buf *ret)
{
	int byte = hex_pair(text, at + 1);

	if (byte >= 0) {
		buf_add_char(ret, (char)byte);
		return 3;
	}
	if (at + 1 < text.len && text.ptr[at + 1] && strchr("\\\"+,;<> #=", text.ptr[at + 1])) {
		buf_add_char(ret, text.ptr[at + 1]);
		return 2;
	}
	return 0;
}

/* A string value as written, to its octets: escapes resolved, outer spaces gone unless escaped. Returns what is wrong. */
static const char *unescape(struct span text, struct buf *ret)
{
	size_t kept = 0;

	for (size_t i = 0; i < text.len;) {
		char c = text.ptr[i];

		if (c == '\\') {
			size_t taken = unescape_one(text, i, ret);

			if (taken == 0)
				return "a backslash escapes nothing";
			i += taken;
			kept = ret->len;
			continue;
		}
		if (c == '\0' || c == '"' || c == ';' || c == '<' || c == '>')
			return "a special character is not escaped";
		if (!is_space(c) || ret->len > 0)
			buf_add_char(ret, c);
		if (!is_space(c))
			kept = ret->len;
		i++;
	}
	if (ret->ptr && !ret->overflowed) {
		ret->len = kept;
		ret->ptr[kept] = '\0';
	}
	return NULL;
}

static const char *unhex(struct span digits, struct buf *ret)
{
	if (digits.len == 0 || digits.len % 2)
		return "# is not followed by pairs of hex digits";
	for (size_t i = 0; i < digits.len; i += 2) {
		int byte = hex_pair(digits, i);

		if (byte < 0)
			return "# is not followed by pairs of hex digits";
		buf_add_char(ret, (char)byte);
	}
	return NULL;
}

/* The text inside a primitive BER string (X.690 section 8), or ptr NULL if it is something else. */
static struct span ber_text(struct span ber)
{
	static const unsigned char string_tags[] = {0x04, 0x0c, 0x12, 0x13, 0x16, 0x1a};
	const unsigned char *octets = (const unsigned char *)ber.ptr;
	size_t head = 2, len;

	if (ber.len < 2 || !memchr(string_tags, octets[0], sizeof(string_tags)))
		return (struct span){0};
	len = octets[1];
	if (len > 0x80 && len <= 0x82 && ber.len >= 2 + (len - 0x80)) {
		head += len - 0x80;
		len = head == 3 ? octets[2] : (size_t)octets[2] << 8 | octets[3];
	} else if (len >= 0x80) {
		return (struct span){0};
	}
	return len == ber.len - head ? (struct span){ber.ptr + head, len} : (struct span){0};
}

/* Folds value piece by piece: text_fold speaks C strings, and NUL is legal in a value. */
static void fold_value(struct span value, struct buf *ret)
{
	for (;;) {
		const char *nul = value.len ? memchr(value.ptr, '\0', value.len) : NULL;
		size_t len = nul ? (size_t)(nul - value.ptr) : value.len;
		AUTO(mem_freep) char *folded = text_fold((struct span){value.ptr, len});

		buf_add_text(ret, folded);
		if (!nul)
			return;
		buf_add_char(ret, '\0');
		value = (struct span){nul + 1, value.len - len - 1};
	}
}

/* After folding, because NFKC turns other kinds of space into plain ones. */
static void add_squeezed(struct span value, struct buf *key)
{
	bool gap = false, begun = false;

	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		if (c == ' ') {
			gap = begun;
			continue;
		}
		if (gap)
			buf_add_char(key, ' ');
		gap = false;
		begun = true;
		if (c >= 0 && c <= ESCAPE) {
			buf_add_char(key, ESCAPE);
			c = (char)(c + 0x10);
		}
		buf_add_char(key, c);
	}
}

/* A value in hex: compared as text if it is a string inside, else octet by octet. */
static const char *add_hex_value(struct span digits, struct buf *key)
{
	AUTO(buf_release) struct buf octets = {.max = DN_TEXT_MAX};
	AUTO(buf_release) struct buf folded = {.max = DN_KEY_MAX};
	const char *wrong = unhex(digits, &octets);
	struct span text;

	if (wrong)
		return wrong;
	text = ber_text((struct span){octets.ptr, octets.len});
	if (text.ptr) {
		fold_value(text, &folded);
		add_squeezed((struct span){buf_text(&folded), folded.len}, key);
		key->overflowed |= folded.overflowed;
		return NULL;
	}
	buf_add(key, (const char[]){ESCAPE, '#'}, 2);
	for (size_t i = 0; i < digits.len; i++)
		buf_add_char(key, lower(digits.ptr[i]));
	return NULL;
}

static const char *add_value(struct span written, struct buf *key)
{
	AUTO(buf_release) struct buf plain = {.max = DN_TEXT_MAX};
	AUTO(buf_release) struct buf folded = {.max = DN_KEY_MAX};
	const char *wrong;

	written = trim(written);
	if (written.len && written.ptr[0] == '#')
		return add_hex_value((struct span){written.ptr + 1, written.len - 1}, key);
	wrong = unescape(written, &plain);
	if (wrong)
		return wrong;
	fold_value((struct span){buf_text(&plain), plain.len}, &folded);
	add_squeezed((struct span){buf_text(&folded), folded.len}, key);
	key->overflowed |= folded.overflowed;
	return NULL;
}

/* ---- attribute and value ---- */

/* A plain octet of a value in lower case; 0 for one that wants a closer look. */
static inline char fast_octet(char c)
{
	switch (c) {
	case '"':
	case '#':
	case '+':
	case ',':
	case ';':
	case '<':
	case '>':
	case '\\':
		return 0;
	default:
		return c >= ' ' && c < 0x7f ? lower(c) : 0;
	}
}

/*
 * A short type and a plain ASCII value, which is what nearly all of a million member values are made of.
 * Returns the length of what it wrote to room, or 0: not one of those, right or wrong.
 */
static size_t fast_ava(struct span ava, char room[static FAST_MAX])
{
	const char *in = ava.ptr, *end = in + ava.len;
	char *out = room, *value;
	bool gap = false;

	if (ava.len > FAST_MAX)
		return 0;
	while (in < end && *in == ' ')
		in++;
	for (; in < end && lower(*in) >= 'a' && lower(*in) <= 'z'; in++)
		*out++ = lower(*in);
	if (out == room || out - room > 3 || in == end || *in != '=' || *room == 'g' ||
			*room == 'e')
		return 0;
	*out++ = '=';
	value = out;
	for (in++; in < end; in++) {
		char c = fast_octet(*in);

		if (c == 0)
			return 0;
		if (c == ' ') {
			gap = out > value;
			continue;
		}
		if (gap)
			*out++ = ' ';
		gap = false;
		*out++ = c;
	}
	return (size_t)(out - room);
}

static const char *add_ava(struct span ava, struct buf *key)
{
	char room[FAST_MAX > DN_TYPE_MAX ? FAST_MAX : DN_TYPE_MAX];
	size_t len = fast_ava(ava, room);
	const char *equals;
	struct span type;

	if (len) {
		buf_add(key, room, len);
		return NULL;
	}
	equals = ava.len ? memchr(ava.ptr, '=', ava.len) : NULL;
	if (!equals)
		return "a part has no \"=\"";
	type = dn_type_read(trim((struct span){ava.ptr, (size_t)(equals - ava.ptr)}), room);
	if (type.len == 0)
		return "an attribute type is malformed";
	buf_add(key, type.ptr, type.len);
	buf_add_char(key, '=');
	return add_value((struct span){equals + 1, ava.len - (size_t)(equals + 1 - ava.ptr)}, key);
}

/* ---- names ---- */

/*
 * Cuts text at each separator that is not escaped. Quotes are refused later, so they protect nothing here.
 * Returns the number of pieces, max + 1 if there are more than max.
 */
static size_t split(struct span text, char separator, struct span *pieces, size_t max)
{
	size_t count = 0, begin = 0;

	for (size_t i = 0; i <= text.len; i++) {
		if (i < text.len && text.ptr[i] == '\\' && i + 1 < text.len) {
			i++;
			continue;
		}
		if (i < text.len && text.ptr[i] != separator)
			continue;
		if (count == max)
			return max + 1;
		pieces[count++] = (struct span){text.ptr + begin, i - begin};
		begin = i + 1;
	}
	return count;
}

static int compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	size_t len = x->len < y->len ? x->len : y->len;
	int order = len ? memcmp(x->ptr, y->ptr, len) : 0;

	return order ? order : (x->len > y->len) - (x->len < y->len);
}

static const char *add_parts(const struct span *parts, size_t count, struct buf *key)
{
	AUTO(buf_release) struct buf keys = {.max = DN_KEY_MAX};
	struct span sorted[DN_RDN_PARTS_MAX];
	size_t ends[DN_RDN_PARTS_MAX];

	for (size_t i = 0; i < count; i++) {
		const char *wrong = add_ava(parts[i], &keys);

		if (wrong)
			return wrong;
		ends[i] = keys.len;
	}
	for (size_t i = 0; i < count; i++) {
		size_t begin = i ? ends[i - 1] : 0;

		sorted[i] = (struct span){keys.ptr + begin, ends[i] - begin};
	}
	qsort(sorted, count, sizeof(*sorted), compare_spans);
	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_add_char(key, PART_JOIN);
		buf_add(key, sorted[i].ptr, sorted[i].len);
	}
	key->overflowed |= keys.overflowed;
	return NULL;
}

static const char *add_rdn(struct span rdn, struct buf *key)
{
	struct span parts[DN_RDN_PARTS_MAX];
	const char *wrong;
	size_t count;

	if (rdn.len && memchr(rdn.ptr, '+', rdn.len)) {
		count = split(rdn, '+', parts, DN_RDN_PARTS_MAX);
		if (count > DN_RDN_PARTS_MAX)
			return "an RDN has too many parts";
		wrong = add_parts(parts, count, key);
	} else {
		wrong = add_ava(rdn, key);
	}
	if (!wrong)
		buf_add_char(key, DN_KEY_END);
	return wrong;
}

/* Without the "#'0101'B" that Name and Optional UID syntax allows behind a DN. */
static struct span cut_uid(struct span text)
{
	size_t at = text.len, slashes = 0;

	if (text.len < 4 || memcmp(text.ptr + text.len - 2, "'B", 2) != 0)
		return text;
	at -= 2;
	while (at && (text.ptr[at - 1] == '0' || text.ptr[at - 1] == '1'))
		at--;
	if (at < 2 || text.ptr[at - 1] != '\'' || text.ptr[at - 2] != '#')
		return text;
	at -= 2;
	while (slashes < at && text.ptr[at - 1 - slashes] == '\\')
		slashes++;
	return slashes % 2 ? text : (struct span){text.ptr, at};
}

enum err_code dn_key(struct span text, struct buf *key, struct err *err)
{
	struct span rdns[DN_RDNS_MAX];
	size_t count;

	buf_reset(key);
	if (text.len > DN_TEXT_MAX)
		return err_set(err, ERR_LIMIT, 0,
				"a distinguished name of %zu bytes is over the limit of %zu",
				text.len, DN_TEXT_MAX);
	text = trim(cut_uid(text));
	if (text.len == 0)
		return ERR_NONE;
	count = split(text, ',', rdns, DN_RDNS_MAX);
	if (count > DN_RDNS_MAX)
		return err_set(err, ERR_LIMIT, 0, "a distinguished name has more than %d parts",
				DN_RDNS_MAX);
	while (count > 0) {
		const char *wrong = add_rdn(rdns[--count], key);

		if (wrong)
			return not_a_dn(text, wrong, err);
	}
	if (key->overflowed)
		return err_set(err, ERR_LIMIT, 0,
				"the key of a distinguished name is over %zu bytes", key->max);
	return ERR_NONE;
}

bool dn_key_is_under(struct span key, struct span base_key)
{
	return key.len >= base_key.len &&
			(base_key.len == 0 || memcmp(key.ptr, base_key.ptr, base_key.len) == 0);
}

struct span dn_key_above(struct span key)
{
	const char *end;

	if (key.len < 2)
		return (struct span){key.ptr, 0};
	end = memrchr(key.ptr, DN_KEY_END, key.len - 1);
	return (struct span){key.ptr, end ? (size_t)(end + 1 - key.ptr) : 0};
}

size_t dn_key_depth(struct span key)
{
	size_t depth = 0;

	for (size_t i = 0; i < key.len; i++)
		depth += key.ptr[i] == DN_KEY_END;
	return depth;
}

/* Where the piece that begins at text[at] ends: at the next of the two separators, or at the end. */
static size_t piece_end(struct span text, size_t at, const char separators[static 2])
{
	for (; at < text.len; at++) {
		if (text.ptr[at] == '\\')
			at++;
		else if (text.ptr[at] == separators[0] || text.ptr[at] == separators[1])
			return at;
	}
	return text.len;
}

char *dn_first_value(struct span text)
{
	AUTO(buf_release) struct buf value = {.max = DN_TEXT_MAX};
	AUTO(buf_release) struct buf octets = {.max = DN_TEXT_MAX};
	size_t end = piece_end(text, 0, ",+");
	const char *equals = end ? memchr(text.ptr, '=', end) : NULL;
	struct span written, content;

	if (!equals)
		return NULL;
	written = trim((struct span){equals + 1, end - (size_t)(equals + 1 - text.ptr)});
	if (written.len && written.ptr[0] == '#') {
		if (unhex((struct span){written.ptr + 1, written.len - 1}, &octets))
			return NULL;
		content = ber_text((struct span){octets.ptr, octets.len});
		buf_add(&value, content.ptr, content.len);
	} else if (unescape(written, &value)) {
		return NULL;
	}
	if (value.len == 0 || value.overflowed || memchr(value.ptr, '\0', value.len))
		return NULL;
	return buf_steal(&value);
}

char *dn_rebase(struct span text, size_t keep, const char *above)
{
	size_t end = 0;

	for (size_t i = 0; i < keep && end < text.len; i++)
		end = piece_end(text, i ? end + 1 : 0, ",,");
	if (end == 0)
		return mem_strdup(above);
	return *above ? mem_printf("%.*s,%s", (int)end, text.ptr, above)
		      : mem_strndup(text.ptr, end);
}
