/*
 * database -- one SQLite connection: how it is opened and set up, and what its errors say to a
 * person.
 *
 * A connection belongs to one thread. Nothing outside store/ sees SQLite.
 */
#ifndef L2D_STORE_DATABASE_H
#define L2D_STORE_DATABASE_H

#include <sqlite3.h>

#include "base/mem.h"

enum database_use {
	DATABASE_WRITER, /* WAL, every commit synced; checkpoints are the caller's
			    (database_checkpoint) */
	DATABASE_READER  /* cannot write; sees what was committed when its transaction or statement
			    began */
};

/*
 * Opens an existing file (it may be empty). Errors: ERR_STORE.
 * *ret: the caller's, database_close.
 */
MUST_CHECK enum err_code database_open(
		const char *path, enum database_use use, sqlite3 **ret, struct err *err);
void database_close(sqlite3 *db); /* NULL is fine; every statement must be finalized before */

/*
 * Fills err from the connection's last failure, result being what SQLite returned: ERR_STORE, or
 * ERR_BUG where the statement and not the file is at fault. The extended result code becomes
 * err->detail.
 */
enum err_code database_error(sqlite3 *db, int result, const char *doing, struct err *err);

/* Runs statements that give no rows. */
MUST_CHECK enum err_code database_run(sqlite3 *db, const char *sql, struct err *err);
/* Ends the open transaction, if there is one, without its writes. */
void database_rollback(sqlite3 *db);
/* A statement that is kept for long; the caller's, sqlite3_finalize. */
MUST_CHECK enum err_code database_prepare(
		sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct err *err);
/* First column of the first row as a number; 0 if there is no row. */
MUST_CHECK enum err_code database_get_number(
		sqlite3 *db, const char *sql, int64_t *ret, struct err *err);
/* Asks SQLite whether the file is whole (PRAGMA quick_check: time grows with the file). ERR_STORE
 * if it is not. */
MUST_CHECK enum err_code database_check(sqlite3 *db, struct err *err);

/* Moves the log's pages into the file as far as readers allow, without waiting for anybody. */
void database_checkpoint(sqlite3 *db);

#endif
