/*
 * persist -- the state as a file: one JSON object a line, written whole beside the old one and moved into its place.
 * README.md describes the lines. A seed file has the same form and may leave out what has a default.
 */
#ifndef SIM_PERSIST_H
#define SIM_PERSIST_H

#include "state.h"

#define STATE_LINE_MAX ((size_t)256 * 1024 * 1024)

/* Fills an empty state. Errors: ERR_IO, ERR_CONFIG with file and line. */
MUST_CHECK enum err_code persist_load(const char *path, struct state *state, struct err *err);
/* Lock held for reading. Errors: ERR_IO; the old file is then untouched. */
MUST_CHECK enum err_code persist_save(const char *path, const struct state *state, struct err *err);

/* What must be there whatever was loaded: account, our own service principal, system group, credentials. */
void persist_complete(struct state *state, const char *account_id);
/* Makes our own service principal an admin of the workspace and gives it a token. */
void persist_join(struct state *state, struct workspace *workspace);

#endif
