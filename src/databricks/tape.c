#include "databricks/tape.h"

#include "base/text.h"
#include "base/vec.h"

#define EXTENT_MAX ((size_t)(UINT32_C(1) << 29) - 1)
#define VALUES_PER_BYTES 12 /* first guess: a value for so many bytes of text */

struct tape {
	char *text;
	size_t len;
	VEC(struct tape_value) values;
};

struct parser {
	struct tape *tape;
	char *at; /* what comes next; a NUL ends the text */
	char *end;
	unsigned depth;
	struct err *err;
};

static enum err_code parse_value(struct parser *p);

static enum err_code broken(const struct parser *p, const char *what)
{
	return err_set(p->err, ERR_PROTO, 0, "expected JSON: %s at byte %zu", what,
			(size_t)(p->at - p->tape->text));
}

static void skip_space(struct parser *p)
{
	while (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t')
		p->at++;
}

static struct tape_value *add(struct parser *p, enum tape_type type, const char *text, size_t len)
{
	struct tape_value *value = vec_add(&p->tape->values);

	*value = (struct tape_value){.text = text,
			.len = (uint32_t)len,
			.type = (uint32_t)type & 7,
			.extent = 1};
	return value;
}

/* ---- strings ---- */

static bool read_hex(const char *at, uint32_t *ret)
{
	uint32_t number = 0;

	for (unsigned i = 0; i < 4; i++) {
		char c = at[i];
		uint32_t digit;

		if (c >= '0' && c <= '9')
			digit = (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (uint32_t)((c | 0x20) - 'a') + 10;
		else
			return false;
		number = number << 4 | digit;
	}
	*ret = number;
	return true;
}

static char *put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
		return to;
	}
	if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*to++ = (char)(0xe0 | c >> 12);
		} else {
			*to++ = (char)(0xf0 | c >> 18);
			*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (c & 0x3f));
	return to;
}

/* At "uXXXX", perhaps the first of a pair. The result is never longer than what it stands for. */
static enum err_code unescape_unicode(struct parser *p, char **to)
{
	uint32_t c, low;

	if (!read_hex(p->at + 1, &c))
		return broken(p, "\\u without four hexadecimal digits");
	p->at += 5;
	if (c >= 0xd800 && c < 0xdc00) {
		if (p->at[0] != '\\' || p->at[1] != 'u' || !read_hex(p->at + 2, &low) ||
				low < 0xdc00 || low > 0xdfff)
			return broken(p, "half of a surrogate pair");
		c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
		p->at += 6;
	} else if (c >= 0xdc00 && c < 0xe000) {
		return broken(p, "half of a surrogate pair");
	}
	if (c == 0)
		return broken(p, "\\u0000");
	*to = put_utf8(*to, c);
	return ERR_NONE;
}

/* At the character behind the backslash. */
static enum err_code unescape(struct parser *p, char **to)
{
	static const char from[] = "\"\\/bfnrt", meaning[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (*p->at == 'u')
		return unescape_unicode(p, to);
	found = *p->at ? strchr(from, *p->at) : NULL;
	if (!found)
		return broken(p, "no such escape");
	*(*to)++ = meaning[found - from];
	p->at++;
	return ERR_NONE;
}

/* Whether a byte is nothing but itself within a string. */
static bool is_plain(char c)
{
	return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
}

/* At the opening quote. */
static enum err_code parse_text(struct parser *p)
{
	char *begin = ++p->at, *to;
	unsigned char high = 0;

	while (is_plain(*p->at))
		high |= (unsigned char)*p->at++;
	to = p->at;
	while (*p->at != '"') {
		if (*p->at == '\\') {
			p->at++;
			if (unescape(p, &to) != ERR_NONE)
				return p->err->code;
		} else if (is_plain(*p->at)) {
			high |= (unsigned char)*p->at;
			*to++ = *p->at++;
		} else {
			return broken(p,
					p->at < p->end ? "a control character in a text"
						       : "a text without an end");
		}
	}
	p->at++;
	if (high & 0x80 && !text_is_utf8((struct span){begin, (size_t)(to - begin)}))
		return broken(p, "a text that is no UTF-8");
	*to = '\0';
	(void)add(p, TAPE_TEXT, begin, (size_t)(to - begin));
	return ERR_NONE;
}

/* ---- the rest ---- */

static size_t digits(const char *at)
{
	size_t count = 0;

	while (at[count] >= '0' && at[count] <= '9')
		count++;
	return count;
}

static enum err_code parse_number(struct parser *p)
{
	char *begin = p->at;
	size_t count;

	p->at += *p->at == '-';
	count = digits(p->at);
	if (count == 0 || (count > 1 && *p->at == '0'))
		return broken(p, "no value");
	p->at += count;
	if (*p->at == '.') {
		count = digits(++p->at);
		p->at += count;
	}
	if (count && (*p->at | 0x20) == 'e') {
		p->at++;
		p->at += *p->at == '+' || *p->at == '-';
		count = digits(p->at);
		p->at += count;
	}
	if (count == 0)
		return broken(p, "a number without digits");
	(void)add(p, TAPE_NUMBER, begin, (size_t)(p->at - begin));
	return ERR_NONE;
}

static enum err_code parse_word(struct parser *p, const char *word, enum tape_type type)
{
	size_t len = strlen(word);

	if (strncmp(p->at, word, len) != 0)
		return broken(p, "no value");
	(void)add(p, type, p->at, len);
	p->at += len;
	return ERR_NONE;
}

static enum err_code parse_array(struct parser *p)
{
	p->at++;
	skip_space(p);
	if (*p->at == ']') {
		p->at++;
		return ERR_NONE;
	}
	for (;;) {
		if (parse_value(p) != ERR_NONE)
			return p->err->code;
		if (*p->at == ']')
			break;
		if (*p->at != ',')
			return broken(p, "neither , nor ]");
		p->at++;
		skip_space(p);
	}
	p->at++;
	return ERR_NONE;
}

static bool same_text(const struct tape_value *a, const struct tape_value *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static const struct tape_value *behind(const struct tape_value *value)
{
	return value + value->extent;
}

static enum err_code check_new_key(struct parser *p, size_t object, size_t keys)
{
	const struct tape_value *all = p->tape->values.items;
	const struct tape_value *key = &all[p->tape->values.count - 1];

	if (keys > TAPE_KEYS_MAX)
		return broken(p, "an object with too many keys");
	for (const struct tape_value *other = &all[object + 1]; other < key;
			other = behind(other + 1)) {
		if (same_text(other, key))
			return broken(p, "a key that stands twice");
	}
	return ERR_NONE;
}

static enum err_code parse_member(struct parser *p, size_t object, size_t keys)
{
	if (*p->at != '"')
		return broken(p, "no key");
	if (parse_text(p) != ERR_NONE || check_new_key(p, object, keys) != ERR_NONE)
		return p->err->code;
	skip_space(p);
	if (*p->at != ':')
		return broken(p, "no :");
	p->at++;
	skip_space(p);
	return parse_value(p);
}

static enum err_code parse_object(struct parser *p, size_t object)
{
	p->at++;
	skip_space(p);
	if (*p->at == '}') {
		p->at++;
		return ERR_NONE;
	}
	for (size_t keys = 1;; keys++) {
		if (parse_member(p, object, keys) != ERR_NONE)
			return p->err->code;
		if (*p->at == '}')
			break;
		if (*p->at != ',')
			return broken(p, "neither , nor }");
		p->at++;
		skip_space(p);
	}
	p->at++;
	return ERR_NONE;
}

static enum err_code parse_container(struct parser *p, enum tape_type type)
{
	size_t self = p->tape->values.count;
	enum err_code code;

	if (p->depth == TAPE_DEPTH_MAX)
		return broken(p, "too many levels");
	(void)add(p, type, p->at, 0);
	p->depth++;
	code = type == TAPE_ARRAY ? parse_array(p) : parse_object(p, self);
	p->depth--;
	p->tape->values.items[self].extent =
			(uint32_t)(p->tape->values.count - self) & (uint32_t)EXTENT_MAX;
	return code;
}

/* At the first character of a value; then at the first behind it that is no space. */
static enum err_code parse_value(struct parser *p)
{
	enum err_code code;

	switch (*p->at) {
	case '{':
		code = parse_container(p, TAPE_OBJECT);
		break;
	case '[':
		code = parse_container(p, TAPE_ARRAY);
		break;
	case '"':
		code = parse_text(p);
		break;
	case 't':
		code = parse_word(p, "true", TAPE_TRUE);
		break;
	case 'f':
		code = parse_word(p, "false", TAPE_FALSE);
		break;
	case 'n':
		code = parse_word(p, "null", TAPE_NULL);
		break;
	default:
		code = parse_number(p);
	}
	skip_space(p);
	return code;
}

static enum err_code parse_all(struct parser *p, size_t len)
{
	struct tape *tape = p->tape;

	if (*p->at == '<')
		return err_set(p->err, ERR_PROTO, 0,
				"expected JSON, got an HTML page (wrong host, or not signed in)");
	/* A value takes at least a byte and a comma. */
	if (len / 2 >= EXTENT_MAX)
		return broken(p, "too long a text");
	tape->values.room = len / VALUES_PER_BYTES + 16;
	tape->values.items = mem_alloc(tape->values.room * sizeof(*tape->values.items));
	if (parse_value(p) != ERR_NONE)
		return p->err->code;
	if (p->at != p->end)
		return broken(p, "something behind the end");
	return ERR_NONE;
}

enum err_code tape_parse(char *text, size_t len, struct tape **ret, struct err *err)
{
	struct tape *tape = mem_zalloc(sizeof(*tape));
	struct parser p = {.tape = tape, .at = text, .end = text + len, .err = err};

	tape->text = text;
	tape->len = len;
	skip_space(&p);
	if (p.at == p.end) {
		tape_free(tape);
		*ret = NULL;
		return ERR_NONE;
	}
	if (parse_all(&p, len) != ERR_NONE) {
		tape_free(tape);
		return err->code;
	}
	*ret = tape;
	return ERR_NONE;
}

void tape_free(struct tape *tape)
{
	if (!tape)
		return;
	vec_release(&tape->values);
	mem_free(tape->text);
	mem_free(tape);
}

void tape_wipe(struct tape *tape)
{
	if (tape)
		explicit_bzero(tape->text, tape->len);
}

/* ---- looking ---- */

const struct tape_value *tape_root(const struct tape *tape)
{
	return tape ? tape->values.items : NULL;
}

bool tape_is(const struct tape_value *value, enum tape_type type)
{
	return value && value->type == (uint32_t)type;
}

const struct tape_value *tape_get(const struct tape_value *object, const char *key)
{
	size_t len = strlen(key);

	if (!tape_is(object, TAPE_OBJECT))
		return NULL;
	for (const struct tape_value *at = object + 1; at < behind(object); at = behind(at + 1)) {
		if (at->len == len && memcmp(at->text, key, len) == 0)
			return tape_is(at + 1, TAPE_NULL) ? NULL : at + 1;
	}
	return NULL;
}

const char *tape_text(const struct tape_value *value)
{
	return tape_is(value, TAPE_TEXT) ? value->text : NULL;
}

bool tape_integer(const struct tape_value *value, int64_t *ret)
{
	char text[24];

	if (!tape_is(value, TAPE_NUMBER) || value->len >= sizeof(text))
		return false;
	memcpy(text, value->text, value->len);
	text[value->len] = '\0';
	return text_parse_int(text, INT64_MIN, INT64_MAX, ret);
}

const struct tape_value *tape_first(const struct tape_value *array)
{
	return tape_is(array, TAPE_ARRAY) && array->extent > 1 ? array + 1 : NULL;
}

const struct tape_value *tape_next(const struct tape_value *array, const struct tape_value *item)
{
	item = behind(item);
	return item < behind(array) ? item : NULL;
}

size_t tape_count(const struct tape_value *array)
{
	size_t count = 0;

	for (const struct tape_value *item = tape_first(array); item; item = tape_next(array, item))
		count++;
	return count;
}

const struct tape_value *tape_first_key(const struct tape_value *object)
{
	return tape_is(object, TAPE_OBJECT) && object->extent > 1 ? object + 1 : NULL;
}

const struct tape_value *tape_next_key(
		const struct tape_value *object, const struct tape_value *key)
{
	key = behind(key + 1);
	return key < behind(object) ? key : NULL;
}

const struct tape_value *tape_value_of(const struct tape_value *key)
{
	return key + 1;
}

/* ---- writing ---- */

static void write_text(const struct tape_value *text, struct buf *to)
{
	buf_add_char(to, '"');
	for (const char *p = text->text, *end = p + text->len; p < end; p++) {
		if (*p == '"' || *p == '\\')
			buf_printf(to, "\\%c", *p);
		else if ((unsigned char)*p < 0x20)
			buf_printf(to, "\\u%04x", (unsigned)*p);
		else
			buf_add_char(to, *p);
	}
	buf_add_char(to, '"');
}

static void write_scalar(const struct tape_value *value, struct buf *to)
{
	switch ((enum tape_type)value->type) {
	case TAPE_NULL:
	case TAPE_ARRAY:
	case TAPE_OBJECT:
		buf_add_text(to, "null");
		break;
	case TAPE_FALSE:
		buf_add_text(to, "false");
		break;
	case TAPE_TRUE:
		buf_add_text(to, "true");
		break;
	case TAPE_NUMBER:
		buf_add(to, value->text, value->len);
		break;
	case TAPE_TEXT:
		write_text(value, to);
		break;
	}
}

/* As deep as the tape was let be. */
void tape_write(const struct tape_value *value, struct buf *to)
{
	if (tape_is(value, TAPE_ARRAY)) {
		buf_add_char(to, '[');
		for (const struct tape_value *item = tape_first(value); item;
				item = tape_next(value, item)) {
			buf_add_text(to, item == value + 1 ? "" : ",");
			tape_write(item, to);
		}
		buf_add_char(to, ']');
	} else if (tape_is(value, TAPE_OBJECT)) {
		buf_add_char(to, '{');
		for (const struct tape_value *key = tape_first_key(value); key;
				key = tape_next_key(value, key)) {
			buf_add_text(to, key == value + 1 ? "" : ",");
			write_text(key, to);
			buf_add_char(to, ':');
			tape_write(key + 1, to);
		}
		buf_add_char(to, '}');
	} else if (value) {
		write_scalar(value, to);
	} else {
		buf_add_text(to, "null");
	}
}
