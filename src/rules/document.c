#include "rules/document.h"

#include "base/table.h"
#include "base/text.h"
#include "base/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

/* One reading of one text. */
struct reading {
	yaml_parser_t parser;
	struct span text;
	const char *file;
	struct arena *arena;
	unsigned depth;
	unsigned nodes;
	struct err *err;
};

struct place {
	unsigned line, column;
};

static PRINTF_LIKE(4, 0) enum err_code error_at(
		const char *file, struct place at, struct err *err, const char *fmt, va_list args)
{
	char text[sizeof(err->text)];

	(void)vsnprintf(text, sizeof(text), fmt, args);
	return err_set(err, ERR_CONFIG, 0, "%.160s:%u:%u: %s", file, at.line, at.column, text);
}

enum err_code document_error(const struct document_node *at, struct err *err, const char *fmt, ...)
{
	enum err_code code;
	va_list args;

	va_start(args, fmt);
	code = error_at(at->file, (struct place){at->line, at->column}, err, fmt, args);
	va_end(args);
	return code;
}

enum err_code document_error_at_key(
		const struct document_node *at, struct err *err, const char *fmt, ...)
{
	enum err_code code;
	va_list args;

	va_start(args, fmt);
	code = error_at(at->file, (struct place){at->key_line, at->key_column}, err, fmt, args);
	va_end(args);
	return code;
}

unsigned document_column(const struct document_node *at, size_t offset)
{
	unsigned column = at->text_column;

	if (column == 0)
		return at->column;
	for (size_t i = 0; i < offset && at->text[i]; i++)
		column += ((unsigned char)at->text[i] & 0xc0) != 0x80;
	return column;
}

enum err_code document_error_inside(const struct document_node *at, size_t offset, struct err *err,
		const char *fmt, ...)
{
	struct place place = {at->line, document_column(at, offset)};
	enum err_code code;
	va_list args;

	va_start(args, fmt);
	code = error_at(at->file, place, err, fmt, args);
	va_end(args);
	return code;
}

/* How many bytes the character at text has; 0: it is none. */
static size_t character_size(struct span text)
{
	for (size_t size = 1; size <= 4 && size <= text.len; size++) {
		if (text_is_utf8((struct span){text.ptr, size}))
			return size;
	}
	return 0;
}

enum err_code document_error_in_bytes(
		const char *file, struct span text, size_t offset, struct err *err)
{
	struct place at = {1, 1};
	size_t i = 0, size;

	while (i < offset && i < text.len) {
		size = character_size((struct span){text.ptr + i, text.len - i});
		if (!size)
			break;
		at.column++;
		if (text.ptr[i] == '\n')
			at = (struct place){at.line + 1, 1};
		i += size;
	}
	if (i < text.len && (unsigned char)text.ptr[i] < 0x20)
		return err_set(err, ERR_CONFIG, 0,
				"%.160s:%u:%u: a control character (byte 0x%02x) is in the text; "
				"remove it",
				file, at.line, at.column, (unsigned)(unsigned char)text.ptr[i]);
	return err_set(err, ERR_CONFIG, 0,
			"%.160s:%u:%u: not UTF-8 text (byte 0x%02x); save the file as UTF-8", file,
			at.line, at.column,
			i < text.len ? (unsigned)(unsigned char)text.ptr[i] : 0);
}

struct span document_skip_mark(struct span text)
{
	static const char mark[] = "\xef\xbb\xbf";
	size_t len = sizeof(mark) - 1;

	if (text.len >= len && memcmp(text.ptr, mark, len) == 0)
		return (struct span){text.ptr + len, text.len - len};
	return text;
}

static struct place place_of(yaml_mark_t mark)
{
	return (struct place){(unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

static PRINTF_LIKE(3, 4) enum err_code
		refuse(struct reading *r, yaml_mark_t mark, const char *fmt, ...)
{
	enum err_code code;
	va_list args;

	va_start(args, fmt);
	code = error_at(r->file, place_of(mark), r->err, fmt, args);
	va_end(args);
	return code;
}

static enum err_code refuse_syntax(struct reading *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem ? p->problem : "unreadable";
	const char *hint = "";

	if (p->error == YAML_READER_ERROR)
		return document_error_in_bytes(r->file, r->text, p->problem_offset, r->err);
	if (strstr(problem, "cannot start any token"))
		hint = "; indent with spaces, not tabs, and put texts that begin with a special "
		       "character in quotes";
	else if (p->context &&
			(strstr(p->context, "anchor") || strstr(p->context, "tag") ||
					strstr(p->context, "alias")))
		hint = "; put texts that begin with &, * or ! in quotes";
	else if (strstr(problem, "mapping values are not allowed"))
		hint = "; put texts that hold \": \" in quotes";
	if (p->context && p->context_mark.line != p->problem_mark.line)
		return refuse(r, p->problem_mark, "not valid YAML: %s %s that begins in line %zu%s",
				problem, p->context, p->context_mark.line + 1, hint);
	return refuse(r, p->problem_mark, "not valid YAML: %s%s", problem, hint);
}

static enum err_code next_event(struct reading *r, yaml_event_t *event)
{
	return yaml_parser_parse(&r->parser, event) ? ERR_NONE : refuse_syntax(r);
}

static size_t characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

static enum err_code fill_scalar(
		struct reading *r, const yaml_event_t *event, struct document_node *node)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t width;

	if (strlen(value) != event->data.scalar.length)
		return refuse(r, event->start_mark, "a text holds a NUL character; remove it");
	node->kind = DOCUMENT_SCALAR;
	node->text = arena_strdup(r->arena, value);
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	width = event->end_mark.column - event->start_mark.column;
	/* Escapes and folded lines make the two differ; then only the beginning is known. */
	if (event->start_mark.line == event->end_mark.line &&
			width == characters(value) + (node->quoted ? 2 : 0))
		node->text_column = node->column + (node->quoted ? 1 : 0);
	return ERR_NONE;
}

typedef VEC(struct document_node *) node_vec;

static void take_children(struct reading *r, struct document_node *node, const node_vec *children)
{
	node->count = children->count;
	node->children = arena_alloc(r->arena, children->count * sizeof(*node->children));
	if (children->count)
		memcpy(node->children, children->items, children->count * sizeof(*node->children));
}

static enum err_code read_node(
		struct reading *r, const yaml_event_t *event, struct document_node **ret);

/* The node that the next event begins; *ret NULL at the end of the list or map. */
static enum err_code read_next(struct reading *r, struct document_node **ret)
{
	yaml_event_t event;
	enum err_code code = next_event(r, &event);

	if (code != ERR_NONE)
		return code;
	*ret = NULL;
	if (event.type != YAML_SEQUENCE_END_EVENT && event.type != YAML_MAPPING_END_EVENT)
		code = read_node(r, &event, ret);
	yaml_event_delete(&event);
	return code;
}

static enum err_code read_list(struct reading *r, struct document_node *node)
{
	node_vec items = {0};
	struct document_node *item;
	enum err_code code;

	node->kind = DOCUMENT_LIST;
	while ((code = read_next(r, &item)) == ERR_NONE && item)
		*vec_add(&items) = item;
	take_children(r, node, &items);
	vec_release(&items);
	return code;
}

static enum err_code read_pair(struct reading *r, struct table *keys, struct document_node *key,
		struct document_node **ret)
{
	const struct document_node *former;
	enum err_code code;

	if (key->kind != DOCUMENT_SCALAR)
		return document_error(key, r->err, "a key must be a text, this is %s",
				document_describe(key));
	former = table_put(keys, span_of(key->text), key);
	if (former)
		return document_error(key, r->err,
				"`%.80s` is there twice, first in line %u; remove one", key->text,
				former->line);
	code = read_next(r, ret);
	if (code == ERR_NONE) {
		(*ret)->key = key->text;
		(*ret)->key_line = key->line;
		(*ret)->key_column = key->column;
	}
	return code;
}

static enum err_code read_map(struct reading *r, struct document_node *node)
{
	struct table *keys = table_new();
	node_vec values = {0};
	struct document_node *key, *value;
	enum err_code code;

	node->kind = DOCUMENT_MAP;
	while ((code = read_next(r, &key)) == ERR_NONE && key) {
		code = read_pair(r, keys, key, &value);
		if (code != ERR_NONE)
			break;
		*vec_add(&values) = value;
	}
	take_children(r, node, &values);
	vec_release(&values);
	table_free(keys);
	return code;
}

/* What strictness forbids on any node. */
static enum err_code check_plainness(
		struct reading *r, const yaml_event_t *event, const void *anchor, const void *tag)
{
	if (anchor)
		return refuse(r, event->start_mark,
				"anchors (&name) are not supported; put a text that begins with & "
				"in quotes");
	if (tag)
		return refuse(r, event->start_mark,
				"tags (!name) are not supported; put a text that begins with ! in "
				"quotes");
	if (r->depth > DOCUMENT_DEPTH_MAX)
		return refuse(r, event->start_mark, "nested deeper than %d levels",
				DOCUMENT_DEPTH_MAX);
	if (++r->nodes > DOCUMENT_NODES_MAX)
		return refuse(r, event->start_mark, "more than %d values in one file; split it",
				DOCUMENT_NODES_MAX);
	return ERR_NONE;
}

static struct document_node *node_new(struct reading *r, const yaml_event_t *event)
{
	struct document_node *node = arena_alloc(r->arena, sizeof(*node));
	struct place at = place_of(event->start_mark);

	node->file = r->file;
	node->line = node->key_line = at.line;
	node->column = node->key_column = at.column;
	return node;
}

static enum err_code fill_node(
		struct reading *r, const yaml_event_t *event, struct document_node *node)
{
	enum err_code code;

	if (event->type == YAML_SCALAR_EVENT) {
		code = check_plainness(r, event, event->data.scalar.anchor, event->data.scalar.tag);
		return code == ERR_NONE ? fill_scalar(r, event, node) : code;
	}
	if (event->type == YAML_SEQUENCE_START_EVENT) {
		code = check_plainness(r, event, event->data.sequence_start.anchor,
				event->data.sequence_start.tag);
		return code == ERR_NONE ? read_list(r, node) : code;
	}
	if (event->type == YAML_MAPPING_START_EVENT) {
		code = check_plainness(r, event, event->data.mapping_start.anchor,
				event->data.mapping_start.tag);
		return code == ERR_NONE ? read_map(r, node) : code;
	}
	return refuse(r, event->start_mark,
			"aliases (*name) are not supported; put a text that begins with * in "
			"quotes");
}

static enum err_code read_node(
		struct reading *r, const yaml_event_t *event, struct document_node **ret)
{
	struct document_node *node = node_new(r, event);
	enum err_code code;

	r->depth++;
	code = fill_node(r, event, node);
	r->depth--;
	if (code == ERR_NONE)
		*ret = node;
	return code;
}

/* Skips events up to the first one that is neither stream nor document start. */
static enum err_code first_event(struct reading *r, yaml_event_t *event)
{
	for (;;) {
		enum err_code code = next_event(r, event);

		if (code != ERR_NONE ||
				(event->type != YAML_STREAM_START_EVENT &&
						event->type != YAML_DOCUMENT_START_EVENT))
			return code;
		yaml_event_delete(event);
	}
}

static enum err_code expect_end(struct reading *r)
{
	yaml_event_t event;
	enum err_code code = next_event(r, &event);

	if (code != ERR_NONE)
		return code;
	yaml_event_delete(&event); /* document end */
	code = next_event(r, &event);
	if (code != ERR_NONE)
		return code;
	if (event.type != YAML_STREAM_END_EVENT)
		code = refuse(r, event.start_mark,
				"a second document (---) in one file; make it a file of its own");
	yaml_event_delete(&event);
	return code;
}

static enum err_code read_document(struct reading *r, struct document_node **ret)
{
	struct document_node *root = NULL;
	yaml_event_t event;
	enum err_code code = first_event(r, &event);

	if (code != ERR_NONE)
		return code;
	if (event.type == YAML_STREAM_END_EVENT) {
		root = node_new(r, &event);
		root->kind = DOCUMENT_MAP;
	} else {
		code = read_node(r, &event, &root);
		if (code == ERR_NONE)
			code = expect_end(r);
	}
	yaml_event_delete(&event);
	if (code == ERR_NONE)
		*ret = root;
	return code;
}

enum err_code document_parse(struct span text, const char *shown_as, struct arena *arena,
		struct document_node **ret, struct err *err)
{
	struct reading r = {.file = arena_strdup(arena, shown_as), .arena = arena, .err = err};
	enum err_code code;

	text = r.text = document_skip_mark(text);
	if (text.len > DOCUMENT_BYTES_MAX)
		return err_set(err, ERR_CONFIG, 0, "%.160s: larger than %zu bytes", shown_as,
				DOCUMENT_BYTES_MAX);
	if (!yaml_parser_initialize(&r.parser))
		return err_set(err, ERR_BUG, 0, "libyaml does not start");
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.ptr, text.len);
	code = read_document(&r, ret);
	yaml_parser_delete(&r.parser);
	return code;
}

static enum err_code load_open(int fd, const char *shown_as, struct arena *arena, struct span *ret,
		struct err *err)
{
	struct stat st;
	size_t len = 0;
	char *bytes;

	if (fstat(fd, &st) != 0)
		return err_errno(err, ERR_CONFIG, errno, "%.160s", shown_as);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CONFIG, 0, "%.160s: not a regular file", shown_as);
	if ((uintmax_t)st.st_size > DOCUMENT_BYTES_MAX)
		return err_set(err, ERR_CONFIG, 0, "%.160s: larger than %zu bytes", shown_as,
				DOCUMENT_BYTES_MAX);
	bytes = arena_alloc(arena, (size_t)st.st_size + 1);
	while (len < (size_t)st.st_size) {
		ssize_t got = read(fd, bytes + len, (size_t)st.st_size - len);

		if (got < 0)
			return err_errno(err, ERR_CONFIG, errno, "%.160s", shown_as);
		if (got == 0)
			break;
		len += (size_t)got;
	}
	*ret = (struct span){bytes, len};
	return ERR_NONE;
}

enum err_code document_load(const char *path, const char *shown_as, struct arena *arena,
		struct span *ret, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	enum err_code code;

	if (fd < 0)
		return err_errno(err, ERR_CONFIG, errno, "%.160s", shown_as);
	code = load_open(fd, shown_as, arena, ret, err);
	(void)close(fd);
	return code;
}

enum err_code document_read(const char *path, const char *shown_as, struct arena *arena,
		struct document_node **ret, struct err *err)
{
	struct span text;
	enum err_code code = document_load(path, shown_as, arena, &text, err);

	return code == ERR_NONE ? document_parse(text, shown_as, arena, ret, err) : code;
}

struct document_node *document_get(const struct document_node *map, const char *key)
{
	for (size_t i = 0; map->kind == DOCUMENT_MAP && i < map->count; i++) {
		if (strcmp(map->children[i]->key, key) == 0)
			return map->children[i];
	}
	return NULL;
}

struct document_node document_key(const struct document_node *node)
{
	return (struct document_node){.file = node->file,
			.line = node->key_line,
			.column = node->key_column,
			.key_line = node->key_line,
			.key_column = node->key_column,
			.text = node->key};
}

bool document_is_null(const struct document_node *node)
{
	return node->kind == DOCUMENT_SCALAR && !node->quoted &&
			(node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
					strcmp(node->text, "null") == 0);
}

const char *document_describe(const struct document_node *node)
{
	if (node->kind == DOCUMENT_LIST)
		return "a list";
	if (node->kind == DOCUMENT_MAP)
		return "a map";
	return document_is_null(node) ? "no value" : "a text";
}
