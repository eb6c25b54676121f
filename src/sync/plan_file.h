/*
 * plan_file -- a plan as JSON: what `plan -o json` and `--out` write and `apply FILE` reads. The
 * format is public.
 *
 * {"version": 1, "created": RFC 3339, "config_hash": SHA-256, "complete": bool,
 *  "summary": {"add", "change", "remove", "adopt", "held"},
 *  "operations": [{"id", "op", "kind", "target", "object": {"key", "id", "name"}, "before",
 * "after", "members", "values", "held": HOLD-ID or null, "why": {"file", "line", "entry"}}],
 *  "notes": [text]}
 */
#ifndef L2D_SYNC_PLAN_FILE_H
#define L2D_SYNC_PLAN_FILE_H

#include <jansson.h>

#include "base/buf.h"
#include "sync/engine.h"

#define PLAN_FILE_BYTES_MAX ((size_t)512 * 1024 * 1024)
#define PLAN_FILE_VERSION 1

json_t *plan_to_json(const struct plan *plan, const struct settings *settings);
/* The members of its object, without braces, for one who has more to say of it. */
void operation_add_json(
		struct buf *out, const struct operation *op, const struct settings *settings);
char *operation_text(const struct operation *op,
		const struct settings *settings); /* the object; caller's, mem_free */
json_t *operation_to_json(const struct operation *op, const struct settings *settings);
/* Strings in arena. Errors: ERR_CONFIG (not an operation of these settings). */
MUST_CHECK enum err_code operation_from_json(const json_t *json, const struct settings *settings,
		struct arena *arena, struct operation *ret, struct err *err);

struct plan_file {
	char config_hash[65];
	const struct operation *operations;
	size_t count;
};
/* Errors: ERR_CONFIG (unreadable, not a plan, another version, over a limit, made for another
 * configuration). */
MUST_CHECK enum err_code plan_file_read(const char *path, const struct settings *settings,
		struct arena *arena, struct plan_file *ret, struct err *err);

/* Whether what op does is contained in what allowed does: same kind, object and target, members and
 * values a subset. */
bool operation_is_covered(const struct operation *op, const struct operation *allowed);

#endif
