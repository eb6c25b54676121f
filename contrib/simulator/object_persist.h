/*
 * object_persist -- objects and secret scopes as lines of the state file. README.md describes the lines.
 */
#ifndef SIM_OBJECT_PERSIST_H
#define SIM_OBJECT_PERSIST_H

#include <stdio.h>

#include "base/buf.h"
#include "object.h"

/* All of a workspace. line: for use; empty before and after. */
void objects_write(const struct object_store *store, struct buf *line, FILE *file);

/* Whether a line of this key is ours; then *ret_good says whether it could be read. Principals are there already. */
bool objects_read_line(struct state *state, const char *key, const json_t *object, bool *ret_good);
bool objects_owns_line(const char *key);

#endif
