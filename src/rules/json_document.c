#include "rules/json_document.h"

#include "base/table.h"
#include "base/text.h"
#include "base/vec.h"

struct json_reading {
	const char *file;
	struct arena *arena;
	const char *at, *end;
	const char *line_start;
	unsigned line;
	unsigned depth, nodes;
	struct err *err;
};

typedef VEC(struct document_node *) node_vec;

static unsigned column_of(const struct json_reading *r, const char *at)
{
	unsigned column = 1;

	for (const char *c = r->line_start; c < at; c++)
		column += ((unsigned char)*c & 0xc0) != 0x80;
	return column;
}

static struct document_node place_of(const struct json_reading *r, const char *at)
{
	unsigned column = column_of(r, at);

	return (struct document_node){.file = r->file,
			.line = r->line,
			.column = column,
			.key_line = r->line,
			.key_column = column};
}

static enum err_code refuse(const struct json_reading *r, const char *what)
{
	struct document_node place = place_of(r, r->at);

	return document_error(&place, r->err, "not valid JSON: %s", what);
}

static void skip_blanks(struct json_reading *r)
{
	for (; r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at; r->at++) {
		if (*r->at == '\n') {
			r->line++;
			r->line_start = r->at + 1;
		}
	}
}

static bool take(struct json_reading *r, char c)
{
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

static bool take_hex(struct json_reading *r, unsigned *ret)
{
	static const char digits[] = "0123456789abcdef";
	unsigned value = 0;

	for (unsigned i = 0; i < 4; i++) {
		char c = r->at < r->end ? *r->at : '\0';
		const char *digit = c ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) : NULL;

		if (!digit)
			return false;
		value = value << 4 | (unsigned)(digit - digits);
		r->at++;
	}
	*ret = value;
	return true;
}

static void add_character(struct buf *out, unsigned code)
{
	if (code < 0x80) {
		buf_add_char(out, (char)code);
	} else if (code < 0x800) {
		buf_add_char(out, (char)(0xc0 | code >> 6));
		buf_add_char(out, (char)(0x80 | (code & 0x3f)));
	} else if (code < 0x10000) {
		buf_add_char(out, (char)(0xe0 | code >> 12));
		buf_add_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
		buf_add_char(out, (char)(0x80 | (code & 0x3f)));
	} else {
		buf_add_char(out, (char)(0xf0 | code >> 18));
		buf_add_char(out, (char)(0x80 | (code >> 12 & 0x3f)));
		buf_add_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
		buf_add_char(out, (char)(0x80 | (code & 0x3f)));
	}
}

/* Behind \u; two surrogates are one character. */
static enum err_code take_unicode(struct json_reading *r, struct buf *out)
{
	unsigned code, low;

	if (!take_hex(r, &code))
		return refuse(r, "\\u needs four hexadecimal digits");
	if (code >= 0xd800 && code < 0xdc00) {
		if (!take(r, '\\') || !take(r, 'u') || !take_hex(r, &low) || low < 0xdc00 ||
				low > 0xdfff)
			return refuse(r, "half of a surrogate pair");
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	} else if (code >= 0xdc00 && code < 0xe000) {
		return refuse(r, "half of a surrogate pair");
	}
	if (code == 0)
		return refuse(r, "a text holds a NUL character");
	add_character(out, code);
	return ERR_NONE;
}

static enum err_code take_escape(struct json_reading *r, struct buf *out)
{
	static const char written[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	char c = r->at < r->end ? *r->at : '\0';
	const char *known = c ? strchr(written, c) : NULL;

	if (c == 'u') {
		r->at++;
		return take_unicode(r, out);
	}
	if (!known)
		return refuse(r, "unknown escape; a backslash is written \\\\");
	buf_add_char(out, meant[known - written]);
	r->at++;
	return ERR_NONE;
}

static enum err_code take_string(struct json_reading *r, const char **ret, bool *ret_plain)
{
	enum err_code code = ERR_NONE;
	struct buf out;

	buf_init(&out, DOCUMENT_BYTES_MAX);
	*ret_plain = true;
	r->at++;
	while (code == ERR_NONE) {
		if (r->at == r->end) {
			code = refuse(r, "the text has no end");
		} else if (*r->at == '"') {
			break;
		} else if ((unsigned char)*r->at < 0x20) {
			code = refuse(r,
					"a text holds a control character or a line break; write "
					"it "
					"as an escape");
		} else if (take(r, '\\')) {
			*ret_plain = false;
			code = take_escape(r, &out);
		} else {
			buf_add_char(&out, *r->at++);
		}
	}
	if (code == ERR_NONE) {
		r->at++;
		*ret = arena_strdup(r->arena, buf_text(&out));
	}
	buf_release(&out);
	return code;
}

bool json_text_is_number(const char *text)
{
	size_t len;

	text += *text == '-';
	len = strspn(text, "0123456789");
	if (len == 0 || (text[0] == '0' && len > 1))
		return false;
	text += len;
	if (*text == '.') {
		len = strspn(++text, "0123456789");
		if (len == 0)
			return false;
		text += len;
	}
	if (*text == 'e' || *text == 'E') {
		text++;
		text += *text == '+' || *text == '-';
		len = strspn(text, "0123456789");
		if (len == 0)
			return false;
		text += len;
	}
	return !*text;
}

bool json_document_is_flag(const struct document_node *node)
{
	return node->kind == DOCUMENT_SCALAR && !node->quoted &&
			(strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0);
}

/* A number, true, false or null. */
static enum err_code take_word(struct json_reading *r, struct document_node *node)
{
	const char *begin = r->at;
	char *word;

	while (r->at < r->end && *r->at && !strchr(" \t\r\n,:[]{}\"", *r->at))
		r->at++;
	word = arena_strndup(r->arena, begin, (size_t)(r->at - begin));
	if (!json_text_is_number(word) && strcmp(word, "true") != 0 && strcmp(word, "false") != 0 &&
			strcmp(word, "null") != 0) {
		r->at = begin;
		return refuse(r,
				*word ? "a value is expected; texts stand in double quotes"
				      : "a value is expected");
	}
	node->text = word;
	node->text_column = node->column;
	return ERR_NONE;
}

static enum err_code read_value(struct json_reading *r, struct document_node **ret);

static void take_children(
		struct json_reading *r, struct document_node *node, const node_vec *children)
{
	node->count = children->count;
	node->children = arena_alloc(r->arena, children->count * sizeof(*node->children));
	if (children->count)
		memcpy(node->children, children->items, children->count * sizeof(*node->children));
}

static enum err_code read_pair(
		struct json_reading *r, struct table *keys, struct document_node **ret)
{
	struct document_node *key = arena_alloc(r->arena, sizeof(*key));
	const struct document_node *former;
	bool plain;
	enum err_code code;

	*key = place_of(r, r->at);
	if (r->at == r->end || *r->at != '"')
		return refuse(r, "a key in double quotes is expected");
	code = take_string(r, &key->text, &plain);
	if (code != ERR_NONE)
		return code;
	former = table_put(keys, span_of(key->text), key);
	if (former)
		return document_error(key, r->err,
				"`%.80s` is there twice, first in line %u; remove one", key->text,
				former->line);
	skip_blanks(r);
	if (!take(r, ':'))
		return refuse(r, "`:` is expected behind a key");
	code = read_value(r, ret);
	if (code == ERR_NONE) {
		(*ret)->key = key->text;
		(*ret)->key_line = key->line;
		(*ret)->key_column = key->column;
	}
	return code;
}

/* Behind the opening bracket, up to and with the closing one. */
static enum err_code read_items(struct json_reading *r, struct document_node *node, char close)
{
	struct table *keys = table_new();
	node_vec items = {0};
	enum err_code code = ERR_NONE;

	skip_blanks(r);
	while (code == ERR_NONE && (items.count || !take(r, close))) {
		struct document_node *item = NULL;

		skip_blanks(r);
		code = close == '}' ? read_pair(r, keys, &item) : read_value(r, &item);
		if (code != ERR_NONE)
			break;
		*vec_add(&items) = item;
		skip_blanks(r);
		if (take(r, close))
			break;
		if (!take(r, ','))
			code = refuse(r,
					close == '}' ? "`,` or `}` is expected"
						     : "`,` or `]` is expected");
	}
	take_children(r, node, &items);
	vec_release(&items);
	table_free(keys);
	return code;
}

static enum err_code fill(struct json_reading *r, struct document_node *node)
{
	bool plain;
	enum err_code code;

	if (r->depth > DOCUMENT_DEPTH_MAX)
		return refuse(r, "nested too deeply");
	if (++r->nodes > DOCUMENT_NODES_MAX)
		return refuse(r, "too many values in one file");
	if (take(r, '{')) {
		node->kind = DOCUMENT_MAP;
		return read_items(r, node, '}');
	}
	if (take(r, '[')) {
		node->kind = DOCUMENT_LIST;
		return read_items(r, node, ']');
	}
	node->kind = DOCUMENT_SCALAR;
	if (r->at == r->end || *r->at != '"')
		return take_word(r, node);
	node->quoted = true;
	code = take_string(r, &node->text, &plain);
	if (code == ERR_NONE && plain)
		node->text_column = node->column + 1;
	return code;
}

static enum err_code read_value(struct json_reading *r, struct document_node **ret)
{
	struct document_node *node = arena_alloc(r->arena, sizeof(*node));
	enum err_code code;

	skip_blanks(r);
	*node = place_of(r, r->at);
	r->depth++;
	code = fill(r, node);
	r->depth--;
	if (code == ERR_NONE)
		*ret = node;
	return code;
}

enum err_code json_document_parse(struct span text, const char *shown_as, struct arena *arena,
		struct document_node **ret, struct err *err)
{
	struct json_reading r = {.file = arena_strdup(arena, shown_as),
			.arena = arena,
			.line = 1,
			.err = err};
	struct document_node *root;
	enum err_code code;

	text = document_skip_mark(text);
	r.at = r.line_start = text.ptr;
	r.end = text.ptr + text.len;
	if (text.len > DOCUMENT_BYTES_MAX)
		return err_set(err, ERR_CONFIG, 0, "%.160s: larger than %zu bytes", shown_as,
				DOCUMENT_BYTES_MAX);
	if (!text_is_utf8(text))
		return document_error_in_bytes(shown_as, text, text.len, err);
	code = read_value(&r, &root);
	skip_blanks(&r);
	if (code == ERR_NONE && r.at < r.end)
		code = refuse(&r, "something follows behind the document's end");
	if (code == ERR_NONE)
		*ret = root;
	return code;
}

static void write_text(const char *text, struct buf *out)
{
	buf_add_char(out, '"');
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20)
			buf_printf(out, "\\u%04x", (unsigned)(unsigned char)*text);
		else if (*text == '"' || *text == '\\')
			buf_printf(out, "\\%c", *text);
		else
			buf_add_char(out, *text);
	}
	buf_add_char(out, '"');
}

static void write_scalar(const struct document_node *node, struct buf *out)
{
	if (document_is_null(node))
		buf_add_text(out, "null");
	else if (!node->quoted && (json_text_is_number(node->text) || json_document_is_flag(node)))
		buf_add_text(out, node->text);
	else
		write_text(node->text, out);
}

void json_document_write(const struct document_node *node, struct buf *out)
{
	bool map = node->kind == DOCUMENT_MAP;

	if (node->kind == DOCUMENT_SCALAR) {
		write_scalar(node, out);
		return;
	}
	buf_add_char(out, map ? '{' : '[');
	for (size_t i = 0; i < node->count; i++) {
		if (i)
			buf_add_char(out, ',');
		if (map) {
			write_text(node->children[i]->key, out);
			buf_add_char(out, ':');
		}
		json_document_write(node->children[i], out);
	}
	buf_add_char(out, map ? '}' : ']');
}
