/*
 * document -- strict YAML with positions: a tree that knows file, line and column of everything.
 *
 * Read with libyaml. Refused, with their place: duplicate keys, anchors and aliases, tags, several
 * documents, a depth over DOCUMENT_DEPTH_MAX, more than DOCUMENT_NODES_MAX nodes, files over
 * DOCUMENT_BYTES_MAX. Scalars keep whether they were quoted, because `5%` and "5%", yes and "yes"
 * differ in what a schema may accept.
 */
#ifndef L2D_RULES_DOCUMENT_H
#define L2D_RULES_DOCUMENT_H

#include "base/mem.h"

#define DOCUMENT_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define DOCUMENT_DEPTH_MAX 32
#define DOCUMENT_NODES_MAX 200000

enum document_kind { DOCUMENT_SCALAR, DOCUMENT_LIST, DOCUMENT_MAP };

struct document_node {
	enum document_kind kind;
	const char *file;      /* as the user named it */
	unsigned line, column; /* from 1, in characters; of the value */
	const char *text;      /* scalar; never with a NUL inside */
	unsigned text_column;  /* where text begins if its characters stand in the file one by one,
				  else 0 */
	bool quoted;
	const char *key;               /* in a map: this node's key */
	unsigned key_line, key_column; /* in a map: where the key stands; else as line and column */
	struct document_node **children; /* list items, or map values in the order of the file */
	size_t count;
};

/* The whole content of the file, with a NUL behind it, in arena. Errors: ERR_CONFIG, with shown_as
 * in front. */
MUST_CHECK enum err_code document_load(const char *path, const char *shown_as, struct arena *arena,
		struct span *ret, struct err *err);
/*
 * The tree of text, in arena, which must hold text and shown_as no longer than this call. An empty
 * text is an empty map. Errors: ERR_CONFIG with "FILE:LINE:COLUMN: ..." in front of the text.
 */
MUST_CHECK enum err_code document_parse(struct span text, const char *shown_as, struct arena *arena,
		struct document_node **ret, struct err *err);
/* Both in one. */
MUST_CHECK enum err_code document_read(const char *path, const char *shown_as, struct arena *arena,
		struct document_node **ret, struct err *err);

struct document_node *document_get(
		const struct document_node *map, const char *key); /* NULL: not there */
/* A scalar that stands where node's key stands, with the key as text: for errors about keys. */
struct document_node document_key(const struct document_node *node);
/* A plain scalar without text, `null` or `~`: a key whose value was forgotten. */
bool document_is_null(const struct document_node *node);
/* "a text", "a list", "a map", "no value": for error messages. */
const char *document_describe(const struct document_node *node);

/* "FILE:LINE:COLUMN: sentence" with ERR_CONFIG, at the value or at its key. */
enum err_code document_error(const struct document_node *at, struct err *err, const char *fmt, ...)
		PRINTF_LIKE(3, 4);
enum err_code document_error_at_key(const struct document_node *at, struct err *err,
		const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same of a file that is no text: at its first byte that is none, or at the one at offset if that comes first. */
enum err_code document_error_in_bytes(
		const char *file, struct span text, size_t offset, struct err *err);
/* Without the byte order mark that some editors put in front. */
struct span document_skip_mark(struct span text);
/* The same, offset bytes into the scalar's text: the very place if text_column is known, else where
 * the scalar begins. */
enum err_code document_error_inside(const struct document_node *at, size_t offset, struct err *err,
		const char *fmt, ...) PRINTF_LIKE(4, 5);
/* Column of the byte at offset of the scalar's text, as document_error_inside shows it. */
unsigned document_column(const struct document_node *at, size_t offset);

#endif
