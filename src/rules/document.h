/*
 * document -- strict YAML with positions: a tree that knows file, line and column of everything.
 *
 * Read with libyaml. Refused, with their place: duplicate keys, anchors and aliases, tags, several documents, a depth over
 * DOCUMENT_DEPTH_MAX, files over DOCUMENT_BYTES_MAX. Scalars keep whether they were quoted, because `5%` and "5%", yes and
 * "yes" differ in what a schema may accept.
 */
#ifndef L2D_RULES_DOCUMENT_H
#define L2D_RULES_DOCUMENT_H

#include "base/mem.h"

#define DOCUMENT_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define DOCUMENT_DEPTH_MAX 32

enum document_kind { DOCUMENT_SCALAR, DOCUMENT_LIST, DOCUMENT_MAP };

struct document_node {
	enum document_kind kind;
	const char *file; /* as the user named it */
	unsigned line, column; /* from 1 */
	const char *text; /* scalar */
	bool quoted;
	const char *key;                /* in a map: this node's key */
	struct document_node **children; /* list items, or map values in the order of the file */
	size_t count;
};

/* Errors: ERR_CONFIG with "FILE:LINE:COLUMN: ..." in front of the text. The tree lives in arena. */
MUST_CHECK enum err_code document_read(
		const char *path, const char *shown_as, struct arena *arena, struct document_node **ret, struct err *err);
MUST_CHECK enum err_code document_parse(struct span text, const char *shown_as, struct arena *arena,
		struct document_node **ret, struct err *err);
struct document_node *document_get(const struct document_node *map, const char *key); /* NULL: not there */
/* "FILE:LINE:COLUMN: sentence" with ERR_CONFIG. */
enum err_code document_error(const struct document_node *at, struct err *err, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
