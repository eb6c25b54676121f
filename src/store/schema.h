/*
 * schema -- the tables, their version, and how a file of an older version becomes one of today's.
 *
 * PRAGMA application_id says that a file is ours, PRAGMA user_version how many steps were applied
 * to it. Every step is for ever: what a released step did is changed by a later step, never in
 * place.
 */
#ifndef L2D_STORE_SCHEMA_H
#define L2D_STORE_SCHEMA_H

#include <sqlite3.h>

#include "base/mem.h"

#define SCHEMA_APPLICATION_ID 0x4c324442 /* "L2DB" */

extern const char *const schema_steps[]; /* SQL; step n makes version n + 1 out of version n */
extern const size_t schema_step_count;   /* the version that this program reads and writes */

/*
 * Whose file it is. *ret_version: 0 for an empty database, which is as good as a new one.
 * Errors: ERR_STORE (another program's, no database, damaged).
 */
MUST_CHECK enum err_code schema_examine(sqlite3 *db, int64_t *ret_version, struct err *err);

/*
 * Brings a file from *its* version to version `count`, all in one transaction: after a failure it
 * is as it was. Errors: ERR_STORE (newer than `count`: made by a newer program; I/O).
 */
MUST_CHECK enum err_code schema_upgrade(
		sqlite3 *db, const char *const *steps, size_t count, struct err *err);

/* For readers, which cannot upgrade. Errors: ERR_STORE (older or newer), ERR_NOT_FOUND (empty). */
MUST_CHECK enum err_code schema_require_current(sqlite3 *db, struct err *err);

#endif
