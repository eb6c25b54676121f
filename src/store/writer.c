#include "store/writer.h"

#include "base/log.h"
#include "base/table.h"
#include "store/audit.h"
#include "store/database.h"
#include "store/statements.h"

#include <inttypes.h>

/* Longest time that the guard may look back; older removals are forgotten on opening. */
#define REMOVALS_KEPT_MS ((int64_t)400 * 24 * 3600 * 1000)
#define NAME_BYTES_MAX 4096
/* Pages of 4 KiB in the log from which it is moved into the file: if nobody waits, and anyway. */
#define LOG_PAGES_IDLE 1000
#define LOG_PAGES_MAX 16000
/* Principals in `gone` from which a sweep over all memberships is worth its time: likewise. */
#define GONE_IDLE 1000
#define GONE_MAX 100000

/* Statements that belong to no record. */
enum own_statement {
	OWN_BEGIN,
	OWN_COMMIT,
	OWN_ADD_NAME,
	OWN_FIND_NAME,
	OWN_IS_GONE,
	OWN_SWEEP,
	OWN_CLEAR_GONE,
	OWN_PUT_HEAD,
	OWN_COUNT_
};
static const char *const own_sql[OWN_COUNT_] = {
		[OWN_BEGIN] = "BEGIN IMMEDIATE",
		[OWN_COMMIT] = "COMMIT",
		[OWN_ADD_NAME] = "INSERT INTO name(text) VALUES(?1) ON CONFLICT DO NOTHING",
		[OWN_FIND_NAME] = "SELECT id FROM name WHERE text = ?1",
		[OWN_IS_GONE] = "SELECT 1 FROM gone WHERE target = ?1 AND remote_id = ?3",
		/* One pass over the memberships, however many are gone. */
		[OWN_SWEEP] = ("DELETE FROM member WHERE EXISTS (SELECT 1 FROM gone"
			       " WHERE gone.target = member.target AND remote_id = member_id)"),
		[OWN_CLEAR_GONE] = "DELETE FROM gone",
		[OWN_PUT_HEAD] = "UPDATE audit_head SET sequence = ?1, hash = ?2",
};

struct writer {
	sqlite3 *db;
	sqlite3_stmt *statements[RECORD_KIND_COUNT_][STATEMENTS_PER_RECORD];
	sqlite3_stmt *own[OWN_COUNT_];
	struct table *names;              /* text -> number as a pointer */
	struct audit_head head, begun_at; /* now, and when the transaction began */
	struct buf scratch;
	int log_pages; /* in the write-ahead log as of the last commit */
	int64_t gone;  /* rows in `gone`, or more */
};

static int note_log_pages(void *context, sqlite3 *db, const char *name, int pages)
{
	struct writer *writer = context;

	(void)db;
	(void)name;
	writer->log_pages = pages;
	return SQLITE_OK;
}

static enum err_code prepare_all(struct writer *writer, struct err *err)
{
	for (size_t kind = 0; kind < RECORD_KIND_COUNT_; kind++) {
		for (size_t i = 0; i < STATEMENTS_PER_RECORD && record_sql[kind][i]; i++) {
			if (database_prepare(writer->db, record_sql[kind][i],
					    &writer->statements[kind][i], err) != ERR_NONE)
				return err->code;
		}
	}
	for (size_t i = 0; i < OWN_COUNT_; i++) {
		if (database_prepare(writer->db, own_sql[i], &writer->own[i], err) != ERR_NONE)
			return err->code;
	}
	return ERR_NONE;
}

/* New lines go behind what is there even if the head was tampered with: `audit verify` will tell,
 * the service goes on. */
static enum err_code load_head(struct writer *writer, struct err *err)
{
	int64_t last;

	if (audit_load_head(writer->db, &writer->head, err) != ERR_NONE ||
			database_get_number(writer->db, "SELECT max(sequence) FROM audit", &last,
					err) != ERR_NONE)
		return err->code;
	if (last > (int64_t)writer->head.sequence)
		writer->head.sequence = (uint64_t)last;
	return ERR_NONE;
}

enum err_code writer_new(sqlite3 *db, struct writer **ret, struct err *err)
{
	struct writer *writer = mem_zalloc(sizeof(*writer));

	writer->db = db;
	writer->names = table_new();
	buf_init(&writer->scratch, BATCH_BYTES_MAX + 256);
	(void)sqlite3_wal_hook(db, note_log_pages, writer);
	if (prepare_all(writer, err) != ERR_NONE || load_head(writer, err) != ERR_NONE ||
			database_get_number(db, "SELECT count(*) FROM gone", &writer->gone, err) !=
					ERR_NONE) {
		writer_free(writer);
		return err->code;
	}
	*ret = writer;
	return ERR_NONE;
}

void writer_free(struct writer *writer)
{
	if (!writer)
		return;
	for (size_t kind = 0; kind < RECORD_KIND_COUNT_; kind++) {
		for (size_t i = 0; i < STATEMENTS_PER_RECORD; i++)
			(void)sqlite3_finalize(writer->statements[kind][i]);
	}
	for (size_t i = 0; i < OWN_COUNT_; i++)
		(void)sqlite3_finalize(writer->own[i]);
	(void)sqlite3_wal_hook(writer->db, NULL, NULL);
	table_free(writer->names);
	buf_release(&writer->scratch);
	mem_free(writer);
}

/* Runs a statement that gives no rows, and makes it ready for the next time. */
static enum err_code run(struct writer *writer, sqlite3_stmt *statement, struct err *err)
{
	int result = sqlite3_step(statement);

	/* The error's text must be read before the reset, which may fail in its turn. */
	if (result != SQLITE_DONE && result != SQLITE_ROW) {
		(void)database_error(writer->db, result, "write", err);
		(void)sqlite3_reset(statement);
		return err->code;
	}
	(void)sqlite3_reset(statement);
	return ERR_NONE;
}

static enum err_code bind_failed(struct writer *writer, int result, struct err *err)
{
	return database_error(writer->db, result, "bind", err);
}

static int bind_text(sqlite3_stmt *statement, int index, struct span text)
{
	return sqlite3_bind_text64(
			statement, index, text.ptr, text.len, SQLITE_STATIC, SQLITE_UTF8);
}

static enum err_code find_name(
		struct writer *writer, struct span name, int64_t *ret, struct err *err)
{
	sqlite3_stmt *add = writer->own[OWN_ADD_NAME], *find = writer->own[OWN_FIND_NAME];
	void *known = table_find(writer->names, name);
	int result;

	if (known) {
		*ret = (int64_t)(intptr_t)known;
		return ERR_NONE;
	}
	if (name.len > NAME_BYTES_MAX)
		return err_set(err, ERR_LIMIT, 0, "store: a name of %zu bytes", name.len);
	if ((result = bind_text(add, 1, name)) != SQLITE_OK ||
			(result = bind_text(find, 1, name)) != SQLITE_OK)
		return bind_failed(writer, result, err);
	if (run(writer, add, err) != ERR_NONE)
		return err->code;
	result = sqlite3_step(find);
	if (result != SQLITE_ROW)
		(void)database_error(writer->db, result, "find a name", err);
	else
		*ret = sqlite3_column_int64(find, 0);
	(void)sqlite3_reset(find);
	if (result != SQLITE_ROW)
		return err->code;
	(void)table_put(writer->names, name, (void *)(intptr_t)*ret);
	return ERR_NONE;
}

/* Numbers of names that were given out since writer_begin are void after a rollback. */
static void forget_names(struct writer *writer)
{
	table_free(writer->names);
	writer->names = table_new();
}

static int bind_value(sqlite3_stmt *statement, int index, const struct value *value)
{
	switch (value->kind) {
	case VALUE_NULL:
		return sqlite3_bind_null(statement, index);
	case VALUE_INT:
	case VALUE_NAME: /* by its number, which resolve_names has put there */
		return sqlite3_bind_int64(statement, index, value->number);
	case VALUE_TEXT:
		return bind_text(statement, index, value->bytes);
	case VALUE_BLOB:
		return sqlite3_bind_blob64(statement, index, value->bytes.ptr, value->bytes.len,
				SQLITE_STATIC);
	}
	return SQLITE_MISUSE;
}

static enum err_code resolve_names(struct writer *writer, struct record *record, struct err *err)
{
	for (size_t i = 0; i < record->count; i++) {
		struct value *value = &record->values[i];

		if (value->kind == VALUE_NAME &&
				find_name(writer, value->bytes, &value->number, err) != ERR_NONE)
			return err->code;
	}
	return ERR_NONE;
}

static enum err_code bind_record(struct writer *writer, const struct record *record,
		sqlite3_stmt *statement, struct err *err)
{
	int wanted = sqlite3_bind_parameter_count(statement);

	for (int i = 0; i < wanted && (size_t)i < record->count; i++) {
		int result = bind_value(statement, i + 1, &record->values[i]);

		if (result != SQLITE_OK)
			return bind_failed(writer, result, err);
	}
	return ERR_NONE;
}

static enum err_code sweep(struct writer *writer, struct err *err)
{
	if (run(writer, writer->own[OWN_SWEEP], err) != ERR_NONE ||
			run(writer, writer->own[OWN_CLEAR_GONE], err) != ERR_NONE)
		return err->code;
	writer->gone = 0;
	return ERR_NONE;
}

/* A member that is gone and comes back must not bring back its former memberships. */
static enum err_code sweep_for_member(
		struct writer *writer, const struct record *record, struct err *err)
{
	sqlite3_stmt *find = writer->own[OWN_IS_GONE];
	int result;

	if (writer->gone == 0)
		return ERR_NONE;
	if (bind_record(writer, record, find, err) != ERR_NONE)
		return err->code;
	result = sqlite3_step(find);
	if (result != SQLITE_ROW && result != SQLITE_DONE)
		(void)database_error(writer->db, result, "find a principal that is gone", err);
	(void)sqlite3_reset(find);
	if (result == SQLITE_DONE)
		return ERR_NONE;
	return result == SQLITE_ROW ? sweep(writer, err) : err->code;
}

static enum err_code run_record(struct writer *writer, struct record *record, struct err *err)
{
	if (resolve_names(writer, record, err) != ERR_NONE)
		return err->code;
	if (record->kind == RECORD_PUT_MEMBER && sweep_for_member(writer, record, err) != ERR_NONE)
		return err->code;
	for (size_t i = 0; i < STATEMENTS_PER_RECORD; i++) {
		sqlite3_stmt *statement = writer->statements[record->kind][i];

		if (statement &&
				(bind_record(writer, record, statement, err) != ERR_NONE ||
						run(writer, statement, err) != ERR_NONE))
			return err->code;
		/* The trigger has put whom the first statement of these deletes into `gone`. */
		if (i == 0 &&
				(record->kind == RECORD_DROP_PRINCIPAL ||
						record->kind == RECORD_PUT_PRINCIPAL))
			writer->gone += sqlite3_changes(writer->db);
	}
	return ERR_NONE;
}

static enum err_code add_audit(struct writer *writer, const struct record *record, struct err *err)
{
	sqlite3_stmt *add = writer->statements[RECORD_ADD_AUDIT][0];
	int64_t time_ms = record->values[0].number;
	struct span json = record->values[1].bytes;
	int result;

	audit_advance(&writer->head, time_ms, json, &writer->scratch);
	if ((result = sqlite3_bind_int64(add, 1, (int64_t)writer->head.sequence)) != SQLITE_OK ||
			(result = sqlite3_bind_int64(add, 2, time_ms)) != SQLITE_OK ||
			(result = sqlite3_bind_blob(add, 3, writer->head.hash, DIGEST_SIZE,
					 SQLITE_STATIC)) != SQLITE_OK ||
			(result = bind_text(add, 4, json)) != SQLITE_OK)
		return bind_failed(writer, result, err);
	return run(writer, add, err);
}

static enum err_code put_head(struct writer *writer, struct err *err)
{
	sqlite3_stmt *put = writer->own[OWN_PUT_HEAD];
	int result;

	if (writer->head.sequence == writer->begun_at.sequence)
		return ERR_NONE;
	if ((result = sqlite3_bind_int64(put, 1, (int64_t)writer->head.sequence)) != SQLITE_OK ||
			(result = sqlite3_bind_blob(put, 2, writer->head.hash, DIGEST_SIZE,
					 SQLITE_STATIC)) != SQLITE_OK)
		return bind_failed(writer, result, err);
	return run(writer, put, err);
}

enum err_code writer_begin(struct writer *writer, struct err *err)
{
	writer->begun_at = writer->head;
	return run(writer, writer->own[OWN_BEGIN], err);
}

enum err_code writer_apply(struct writer *writer, const struct store_batch *batch, struct err *err)
{
	struct batch_cursor cursor = {.batch = batch};
	struct record record;

	if (batch->bytes.overflowed)
		return err_set(err, ERR_LIMIT, 0, "store: a batch of more than %zu bytes",
				BATCH_BYTES_MAX);
	while (batch_next(&cursor, &record)) {
		enum err_code code = record.kind == RECORD_ADD_AUDIT
				? add_audit(writer, &record, err)
				: run_record(writer, &record, err);

		if (code != ERR_NONE)
			return code;
	}
	return ERR_NONE;
}

enum err_code writer_commit(struct writer *writer, struct err *err)
{
	if (put_head(writer, err) == ERR_NONE &&
			run(writer, writer->own[OWN_COMMIT], err) == ERR_NONE)
		return ERR_NONE;
	writer_rollback(writer);
	return err->code;
}

void writer_rollback(struct writer *writer)
{
	database_rollback(writer->db);
	writer->head = writer->begun_at;
	/* A sweep may have been undone, so this is more than there is; the next sweep puts it
	 * right. */
	writer->gone++;
	forget_names(writer);
}

void writer_tidy(struct writer *writer, bool idle)
{
	struct err err;

	if (writer->gone >= (idle ? GONE_IDLE : GONE_MAX)) {
		/* Readers skip what a failure leaves behind. */
		if (writer_begin(writer, &err) != ERR_NONE)
			log_debug("store: sweep: %s", err.text);
		else if (sweep(writer, &err) != ERR_NONE)
			writer_rollback(writer);
		else if (writer_commit(writer, &err) != ERR_NONE)
			log_debug("store: sweep: %s", err.text);
	}
	if (writer->log_pages >= (idle ? LOG_PAGES_IDLE : LOG_PAGES_MAX)) {
		database_checkpoint(writer->db);
		writer->log_pages = 0;
		/* After much work comes a quiet time: the cache is worth less than its memory. */
		if (idle)
			(void)sqlite3_db_release_memory(writer->db);
	}
}

enum err_code writer_prune(struct writer *writer, int64_t now_ms, struct err *err)
{
	char sql[96];

	(void)snprintf(sql, sizeof(sql), "DELETE FROM removals WHERE time_ms < %" PRId64,
			now_ms - REMOVALS_KEPT_MS);
	return database_run(writer->db, sql, err);
}
