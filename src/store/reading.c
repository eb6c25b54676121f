#include "store/reading.h"

#include "store/database.h"

/* Sources and targets that were ever named in a configuration. */
#define NAMES_MAX 65536

static void fail_damaged(struct reading *reading, const char *what)
{
	if (reading->code != ERR_NONE)
		return;
	reading->code = err_set(reading->err, ERR_STORE, SQLITE_CORRUPT,
			"the store %s is damaged (%s): restore it from a backup, or move it away "
			"to begin "
			"anew",
			sqlite3_db_filename(reading->db, "main"), what);
}

static void take_name(struct reading *reading)
{
	int64_t id = sqlite3_column_int64(reading->row, 0);
	const char *text = (const char *)sqlite3_column_text(reading->row, 1);

	if (id < 0 || id >= NAMES_MAX) {
		fail_damaged(reading, "number of a name");
		return;
	}
	while (reading->names.count <= (size_t)id)
		*vec_add(&reading->names) = NULL;
	mem_free(reading->names.items[id]);
	reading->names.items[id] = mem_strdup(text ? text : "");
}

static void prepare(struct reading *reading, const char *sql)
{
	if (reading->code == ERR_NONE)
		reading->code = database_prepare(reading->db, sql, &reading->row, reading->err);
}

static void load_names(struct reading *reading)
{
	prepare(reading, "SELECT id, text FROM name");
	while (reading_next(reading))
		take_name(reading);
	(void)sqlite3_finalize(reading->row);
	reading->row = NULL;
}

void reading_begin(struct reading *reading, sqlite3 *db, const char *sql, struct err *err)
{
	*reading = (struct reading){.db = db, .err = err};
	if (sqlite3_get_autocommit(db)) {
		reading->code = database_run(db, "BEGIN", err);
		reading->began = reading->code == ERR_NONE;
	}
	load_names(reading);
	prepare(reading, sql);
}

bool reading_next(struct reading *reading)
{
	int result;

	if (reading->code != ERR_NONE)
		return false;
	result = sqlite3_step(reading->row);
	if (result == SQLITE_ROW)
		return true;
	if (result != SQLITE_DONE)
		reading->code = database_error(reading->db, result, "read", reading->err);
	return false;
}

enum err_code reading_end(struct reading *reading)
{
	(void)sqlite3_finalize(reading->row);
	if (reading->began)
		database_rollback(reading->db);
	for (vec_each (&reading->names, name))
		mem_free(*name);
	vec_release(&reading->names);
	return reading->code;
}

const char *reading_text(struct reading *reading, int column)
{
	return (const char *)sqlite3_column_text(reading->row, column);
}

struct span reading_blob(struct reading *reading, int column)
{
	struct span blob = {sqlite3_column_blob(reading->row, column), 0};

	blob.len = (size_t)sqlite3_column_bytes(reading->row, column);
	return blob;
}

int64_t reading_int(struct reading *reading, int column)
{
	return sqlite3_column_int64(reading->row, column);
}

int reading_enum(struct reading *reading, int column, int end)
{
	int64_t number = sqlite3_column_int64(reading->row, column);

	if (number >= 0 && number < end)
		return (int)number;
	fail_damaged(reading, sqlite3_column_name(reading->row, column));
	return 0;
}

const char *reading_name(struct reading *reading, int column)
{
	int64_t id = sqlite3_column_int64(reading->row, column);

	if (id >= 0 && (size_t)id < reading->names.count && reading->names.items[id])
		return reading->names.items[id];
	fail_damaged(reading, "unknown name");
	return "";
}

const char *reading_remote_id(
		struct reading *reading, int column, char buffer[static ENCODING_ID_SIZE])
{
	const char *text;

	if (sqlite3_column_type(reading->row, column) == SQLITE_INTEGER) {
		int64_t number = sqlite3_column_int64(reading->row, column);

		if (number >= 0)
			return encoding_format_id(number, buffer);
	}
	text = reading_text(reading, column);
	if (text)
		return text;
	fail_damaged(reading, "a remote id is missing");
	return "";
}

const char *reading_anchor(
		struct reading *reading, int column, char buffer[static ENCODING_UUID_SIZE])
{
	const char *text;

	if (sqlite3_column_type(reading->row, column) == SQLITE_BLOB &&
			sqlite3_column_bytes(reading->row, column) == ENCODING_UUID_BYTES) {
		encoding_format_uuid(sqlite3_column_blob(reading->row, column), buffer);
		return buffer;
	}
	text = reading_text(reading, column);
	if (text)
		return text;
	fail_damaged(reading, "an anchor is missing");
	return "";
}
