#include "store/database.h"

#include "base/log.h"

#include <inttypes.h>

/* Longest wait for another program that holds SQLite's locks for a moment, say a backup. */
#define BUSY_TIMEOUT_MS 5000
#define SLOW_STATEMENT_MS 50
/* Greatest text or blob SQLite takes from us: above every batch, far below its own limit of 1 GB.
 */
#define VALUE_BYTES_MAX (256 * 1024 * 1024)

/*
 * Autocheckpoint is off: it would sync a second file inside the commit that happens to cross the
 * mark, while somebody waits for it. cell_size_check and trusted_schema guard against a file that
 * was damaged or tampered with. Debian builds SQLite to overwrite all that is deleted; FAST does it
 * only where it costs no additional write.
 */
static const char writer_settings[] = "PRAGMA page_size=4096;"
				      "PRAGMA journal_mode=WAL;"
				      "PRAGMA synchronous=FULL;"
				      "PRAGMA wal_autocheckpoint=0;"
				      "PRAGMA journal_size_limit=16777216;"
				      "PRAGMA cache_size=-8192;"
				      "PRAGMA temp_store=MEMORY;"
				      "PRAGMA secure_delete=FAST;"
				      "PRAGMA cell_size_check=ON;"
				      "PRAGMA trusted_schema=OFF;";
static const char reader_settings[] = "PRAGMA cache_size=-1024;"
				      "PRAGMA temp_store=MEMORY;"
				      "PRAGMA query_only=ON;"
				      "PRAGMA cell_size_check=ON;"
				      "PRAGMA trusted_schema=OFF;";

static int log_slow(unsigned event, void *context, void *statement, void *nanoseconds)
{
	sqlite3_int64 took_ms = *(const sqlite3_int64 *)nanoseconds / 1000000;

	(void)event;
	(void)context;
	/* The text with its placeholders: values never get into a log. */
	if (took_ms >= SLOW_STATEMENT_MS)
		log_debug("store: %" PRId64 " ms for %s", (int64_t)took_ms, sqlite3_sql(statement));
	return 0;
}

static enum err_code set_up(sqlite3 *db, enum database_use use, struct err *err)
{
	(void)sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
	(void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (log_enabled(LOG_DEBUG))
		(void)sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, log_slow, NULL);
	return database_run(db, use == DATABASE_WRITER ? writer_settings : reader_settings, err);
}

enum err_code database_open(const char *path, enum database_use use, sqlite3 **ret, struct err *err)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	sqlite3 *db = NULL;
	int result;

	flags |= use == DATABASE_WRITER ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
	result = sqlite3_open_v2(path, &db, flags, NULL);
	if (result != SQLITE_OK) {
		(void)err_set(err, ERR_STORE, result, "cannot open the store %s: %s", path,
				db ? sqlite3_errmsg(db) : sqlite3_errstr(result));
		(void)sqlite3_close(db);
		return err->code;
	}
	/* SQLite opens a file that it may not write as one to read, and would fail at the first
	 * commit only. */
	if (use == DATABASE_WRITER && sqlite3_db_readonly(db, "main") != 0) {
		(void)sqlite3_close(db);
		return err_set(err, ERR_STORE, SQLITE_READONLY,
				"the store %s may not be written to by this user", path);
	}
	if (set_up(db, use, err) != ERR_NONE) {
		(void)sqlite3_close(db);
		return err->code;
	}
	*ret = db;
	return ERR_NONE;
}

void database_close(sqlite3 *db)
{
	if (db && sqlite3_close(db) != SQLITE_OK)
		log_debug("store: a connection was closed with work on it");
}

enum err_code database_error(sqlite3 *db, int result, const char *doing, struct err *err)
{
	const char *path = sqlite3_db_filename(db, "main");

	if (!path)
		path = "";
	switch (result & 0xff) {
	case SQLITE_NOTADB:
		return err_set(err, ERR_STORE, result, "%s is not a store: not an SQLite database",
				path);
	case SQLITE_CORRUPT:
		return err_set(err, ERR_STORE, result,
				"the store %s is damaged (%s: %s): restore it from a backup, or "
				"move it "
				"away to begin anew",
				path, doing, sqlite3_errmsg(db));
	case SQLITE_FULL:
		return err_set(err, ERR_STORE, result,
				"the store %s cannot grow (%s): the disk is full", path, doing);
	case SQLITE_BUSY:
		return err_set(err, ERR_STORE, result,
				"the store %s is locked by another program (%s)", path, doing);
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG:
	case SQLITE_RANGE:
	case SQLITE_MISUSE:
	case SQLITE_ERROR:
		return err_set(err, ERR_BUG, result, "store: %s: %s", doing, sqlite3_errmsg(db));
	default:
		return err_set(err, ERR_STORE, result, "the store %s failed (%s): %s", path, doing,
				sqlite3_errmsg(db));
	}
}

enum err_code database_run(sqlite3 *db, const char *sql, struct err *err)
{
	int result = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return result == SQLITE_OK ? ERR_NONE : database_error(db, result, "set up", err);
}

void database_rollback(sqlite3 *db)
{
	/* Some failures (disk full, I/O) have rolled back by themselves. */
	if (!sqlite3_get_autocommit(db) &&
			sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
		log_debug("store: rollback: %s", sqlite3_errmsg(db));
}

enum err_code database_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct err *err)
{
	int result = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);

	return result == SQLITE_OK ? ERR_NONE : database_error(db, result, "prepare", err);
}

enum err_code database_get_number(sqlite3 *db, const char *sql, int64_t *ret, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int result;

	if (database_prepare(db, sql, &statement, err) != ERR_NONE)
		return err->code;
	result = sqlite3_step(statement);
	if (result == SQLITE_ROW)
		*ret = sqlite3_column_int64(statement, 0);
	else if (result == SQLITE_DONE)
		*ret = 0;
	else
		(void)database_error(db, result, "read", err);
	(void)sqlite3_finalize(statement);
	return result == SQLITE_ROW || result == SQLITE_DONE ? ERR_NONE : err->code;
}

enum err_code database_check(sqlite3 *db, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	enum err_code code = ERR_NONE;
	int result;

	if (database_prepare(db, "PRAGMA quick_check(1)", &statement, err) != ERR_NONE)
		return err->code;
	result = sqlite3_step(statement);
	if (result != SQLITE_ROW) {
		code = database_error(db, result, "check", err);
	} else {
		const char *verdict = (const char *)sqlite3_column_text(statement, 0);

		if (!verdict || strcmp(verdict, "ok") != 0)
			code = err_set(err, ERR_STORE, SQLITE_CORRUPT,
					"the store %s is damaged (%s): restore it from a backup, "
					"or move "
					"it away to begin anew",
					sqlite3_db_filename(db, "main"),
					verdict ? verdict : "check");
	}
	(void)sqlite3_finalize(statement);
	return code;
}

void database_checkpoint(sqlite3 *db)
{
	int result = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

	/* Nothing is lost by a failure: the pages stay in the log, and a commit that finds no room
	 * fails by itself. */
	if (result != SQLITE_OK)
		log_debug("store: checkpoint: %s", sqlite3_errstr(result));
}
