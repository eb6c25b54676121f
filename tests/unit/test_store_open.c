/* Whom a store lets in: one writer, readers beside it, no foreign, damaged or newer file; and how
 * it makes its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "store/database.h"
#include "store/schema.h"
#include "support/store_support.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int set_up(void **state)
{
	static struct store_support support;

	store_support_init(&support, false);
	*state = &support;
	return 0;
}

static int tear_down(void **state)
{
	store_support_release(*state);
	return 0;
}

static void write_file(const char *path, const void *bytes, size_t len, off_t at)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, at), len);
	assert_int_equal(close(fd), 0);
}

static struct store_batch *batch_with_intent(struct store *store, const char *id)
{
	struct store_batch *batch = store_batch_new(store);

	store_put_intent(batch, &(struct store_intent){id, "{}", 1});
	return batch;
}

static void assert_dump(struct store *store, const char *expected)
{
	struct buf dump;

	buf_init(&dump, 4096);
	store_support_dump(store, &dump);
	assert_string_equal(buf_text(&dump), expected);
	buf_release(&dump);
}

/* What makes commits durable and beside readers possible. */
static void test_settings(void **state)
{
	struct store_support *support = *state;
	sqlite3 *db = NULL;
	int64_t value;
	struct err err;

	store_support_open(support);
	store_support_close(support);
	assert_int_equal(database_open(support->path, DATABASE_WRITER, &db, &err), ERR_NONE);
	assert_int_equal(database_get_number(db, "PRAGMA synchronous", &value, &err), ERR_NONE);
	assert_int_equal(value, 2); /* FULL */
	assert_int_equal(database_get_number(db,
					 "SELECT journal_mode = 'wal' FROM pragma_journal_mode",
					 &value, &err),
			ERR_NONE);
	assert_int_equal(value, 1);
	database_close(db);
}

/* Neither mode opens it, the text holds `text`, and the lock is free again. */
static void assert_refused(struct store_support *support, enum err_code code, const char *text)
{
	for (int mode = STORE_WRITE; mode <= STORE_READ; mode++) {
		struct store *store = NULL;
		struct err err;

		assert_int_equal(store_open(support->loop, support->path, (enum store_mode)mode,
						 &store, &err),
				code);
		assert_null(store);
		if (!strstr(err.text, text) || !strstr(err.text, support->path))
			fail_msg("the text is: %s", err.text);
	}
}

static void test_one_writer(void **state)
{
	struct store_support *support = *state;
	struct store *second = NULL;
	struct err err;
	char pid[24];

	store_support_open(support);
	(void)snprintf(pid, sizeof(pid), "process %d:", (int)getpid());
	assert_int_equal(store_open(support->loop, support->path, STORE_WRITE, &second, &err),
			ERR_CONFLICT);
	assert_non_null(strstr(err.text, pid));
	store_support_reopen(support); /* closing gave the lock back */
}

/* The lock is gone with its process however that ends, and so is the file in whatever state. */
static void test_lock_ends_with_its_process(void **state)
{
	struct store_support *support = *state;
	pid_t child = fork();
	int status;

	if (child == 0) {
		store_support_open(support);
		(void)raise(SIGKILL);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	store_support_open(support);
}

static void test_lock_file_without_pid(void **state)
{
	struct store_support *support = *state;
	AUTO(mem_freep) char *path = mem_printf("%s.lock", support->path);
	struct store *second = NULL;
	struct err err;

	store_support_open(support);
	write_file(path, "no number", 9, 0);
	assert_int_equal(store_open(support->loop, support->path, STORE_WRITE, &second, &err),
			ERR_CONFLICT);
	assert_non_null(strstr(err.text, "another process"));
}

static void test_reader_beside_the_writer(void **state)
{
	struct store_support *support = *state;
	struct store *reader = NULL;
	struct err err;

	store_support_open(support);
	store_support_must_commit(support, batch_with_intent(support->store, "op1"));
	assert_int_equal(store_open(NULL, support->path, STORE_READ, &reader, &err), ERR_NONE);
	store_support_must_commit(support, batch_with_intent(support->store, "op2"));
	/* It keeps to the moment of its opening. */
	assert_dump(reader, "intent op1 {} 1\n");
	assert_dump(support->store, "intent op1 {} 1\nintent op2 {} 1\n");
	store_close(STEAL(reader));
	assert_int_equal(store_open(NULL, support->path, STORE_READ, &reader, &err), ERR_NONE);
	assert_dump(reader, "intent op1 {} 1\nintent op2 {} 1\n");
	store_support_close(support);
	assert_dump(reader, "intent op1 {} 1\nintent op2 {} 1\n");
	store_close(reader);
}

static void test_reader_of_no_store(void **state)
{
	struct store_support *support = *state;
	struct store *reader = NULL;
	struct stat status;
	struct err err;

	assert_int_equal(store_open(NULL, support->path, STORE_READ, &reader, &err), ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, support->path));
	assert_int_not_equal(stat(support->path, &status), 0); /* and none was made */
	write_file(support->path, "", 0, 0);
	assert_int_equal(store_open(NULL, support->path, STORE_READ, &reader, &err), ERR_NOT_FOUND);
	store_support_open(support); /* for a writer, an empty file is a new one */
}

/* Killed between making the file and the first table. */
static void test_file_that_was_only_begun(void **state)
{
	struct store_support *support = *state;

	store_support_sql(support->path, "PRAGMA journal_mode=WAL");
	store_support_open(support);
	store_support_must_commit(support, batch_with_intent(support->store, "op1"));
	assert_dump(support->store, "intent op1 {} 1\n");
}

static void test_modes_and_folder(void **state)
{
	struct store_support *support = *state;
	static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
	AUTO(mem_freep) char *folder = mem_printf("%s/made", support->folder);
	AUTO(mem_freep) char *path = mem_printf("%s/state.db", folder);
	mode_t former = umask(0);
	struct store *store = NULL;
	struct stat status;
	struct err err;

	assert_int_equal(store_open(support->loop, path, STORE_WRITE, &store, &err), ERR_NONE);
	(void)umask(former);
	assert_int_equal(stat(folder, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	for (size_t i = 0; i < COUNT_OF(endings); i++) {
		AUTO(mem_freep) char *file = mem_printf("%s%s", path, endings[i]);

		if (stat(file, &status) == 0)
			assert_int_equal(status.st_mode & 07777, 0600);
		else
			assert_true(i == 1 || i == 2); /* made when they are needed */
	}
	store_close(store);
	for (size_t i = 0; i < COUNT_OF(endings); i++) {
		AUTO(mem_freep) char *file = mem_printf("%s%s", path, endings[i]);

		/* A clean end leaves the file and the lock, no log. */
		assert_int_equal(unlink(file), i == 1 || i == 2 ? -1 : 0);
	}
	assert_int_equal(rmdir(folder), 0);
}

static void test_no_folder_to_make_it_in(void **state)
{
	struct store_support *support = *state;
	AUTO(mem_freep) char *path = mem_printf("%s/a/b/state.db", support->folder);
	struct store *store = NULL;
	struct err err;

	assert_int_equal(store_open(support->loop, path, STORE_WRITE, &store, &err), ERR_STORE);
	assert_non_null(strstr(err.text, "No such file"));
}

static int64_t number(const char *path, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	sqlite3 *db = NULL;
	int64_t result;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	result = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	(void)sqlite3_close(db);
	return result;
}

static void test_foreign_files(void **state)
{
	struct store_support *support = *state;
	static const char text[] =
			"These are the notes of somebody who keeps them in a file that is called "
			"state.db, and would not like to lose them to us.";
	char back[sizeof(text)] = {0};
	int fd;

	store_support_sql(support->path, "CREATE TABLE theirs(a); INSERT INTO theirs VALUES(1)");
	assert_refused(support, ERR_STORE, "of another program");
	/* Not altered in any way, not even by a switch to WAL. */
	assert_int_equal(number(support->path,
					 "SELECT journal_mode = 'delete' FROM pragma_journal_mode"),
			1);
	store_support_sql(support->path, "PRAGMA application_id=12345; PRAGMA user_version=1");
	assert_refused(support, ERR_STORE, "of another program");
	store_support_sql(support->path, "PRAGMA user_version=0; DROP TABLE theirs");
	assert_refused(support, ERR_STORE, "of another program");
	assert_int_equal(unlink(support->path), 0);

	write_file(support->path, text, sizeof(text), 0);
	assert_refused(support, ERR_STORE, "not an SQLite database");
	fd = open(support->path, O_RDONLY);
	assert_int_equal(read(fd, back, sizeof(back)), sizeof(back));
	assert_int_equal(close(fd), 0);
	assert_memory_equal(back, text, sizeof(text));
}

static void test_newer_file(void **state)
{
	struct store_support *support = *state;
	AUTO(mem_freep) char *sql = mem_printf("PRAGMA user_version=%zu", schema_step_count + 1);

	store_support_open(support);
	store_support_close(support);
	store_support_sql(support->path, sql);
	assert_refused(support, ERR_STORE, "newer version");
}

/* Overwrites a page of table `intent`; what is not told on opening is told on reading, and never
 * visited. */
static void test_damaged_page(void **state)
{
	struct store_support *support = *state;
	struct store *reader = NULL;
	char garbage[4096];
	struct stat status;
	struct err err;

	memset(garbage, 0x5a, sizeof(garbage));
	store_support_open(support);
	store_support_must_commit(support, batch_with_intent(support->store, "op1"));
	store_support_close(support);
	assert_int_equal(stat(support->path, &status), 0);
	for (off_t page = 4096; page < status.st_size; page += 4096)
		write_file(support->path, garbage, sizeof(garbage), page);
	assert_int_equal(store_open(NULL, support->path, STORE_READ, &reader, &err), ERR_NONE);
	assert_int_equal(store_each_intent(reader,
					 (void (*)(void *, const struct store_intent *))abort, NULL,
					 &err),
			ERR_STORE);
	assert_non_null(strstr(err.text, "damaged"));
	assert_non_null(strstr(err.text, support->path));
	store_close(reader);
}

/* After an end without a close, the whole file is looked at on opening. */
static void test_damage_is_found_after_an_unclean_end(void **state)
{
	struct store_support *support = *state;
	AUTO(mem_freep) char *log = mem_printf("%s-wal", support->path);
	struct store *store = NULL;
	char garbage[4096];
	struct stat status;
	struct err err;

	memset(garbage, 0x5a, sizeof(garbage));
	store_support_open(support);
	store_support_close(support);
	assert_int_equal(stat(support->path, &status), 0);
	/* The page behind the last table: opening alone has no reason to read it. */
	write_file(support->path, garbage, sizeof(garbage), status.st_size - 4096 * 6);
	store_support_open(support);
	store_support_close(support);
	write_file(log, "left behind", 11, 0);
	assert_int_equal(store_open(support->loop, support->path, STORE_WRITE, &store, &err),
			ERR_STORE);
	assert_non_null(strstr(err.text, "damaged"));
}

#define PRINCIPAL(values)                                                                          \
	"INSERT INTO principal(target, kind, remote_id, key, origin, active, left_ms, when_gone)"  \
	" VALUES(" values ")"

/* What SQL lets in and no code of ours writes. */
static void test_values_out_of_range(void **state)
{
	static const char *const damages[] = {
			PRINCIPAL("1, 3, 1, 'a/1', 0, 1, 0, 0"),
			PRINCIPAL("1, -1, 1, 'a/1', 0, 1, 0, 0"),
			PRINCIPAL("1, 0, 1, 'a/1', 2, 1, 0, 0"),
			PRINCIPAL("1, 0, 1, 'a/1', 0, 1, 0, 4"),
			PRINCIPAL("2, 0, 1, 'a/1', 0, 1, 0, 0"),
			PRINCIPAL("70000, 0, 1, 'a/1', 0, 1, 0, 0"),
			"INSERT INTO name VALUES(70000, 'far')",
			"INSERT INTO name VALUES(-1, 'near')",
			"INSERT INTO granted VALUES(0, 1, 1, 3, 'x', NULL, NULL)",
			"INSERT INTO granted VALUES(9, 1, 1, 0, 'x', NULL, NULL)",
			"INSERT INTO hold VALUES('o', 'h', '{}', 7, 0, 0, NULL)",
			"INSERT INTO hold VALUES('o', 'h', '{}', 0, 3, 0, NULL)",
			"INSERT INTO removals VALUES(0, 99, 1)",
	};
	static const char *const undo =
			"DELETE FROM principal; DELETE FROM granted; DELETE FROM hold;"
			"DELETE FROM removals; DELETE FROM name WHERE id <> 1";
	struct store_support *support = *state;

	store_support_open(support);
	store_support_close(support);
	store_support_sql(support->path, "INSERT INTO name VALUES(1, 'account')");
	for (size_t i = 0; i < COUNT_OF(damages); i++) {
		struct store *reader = NULL;
		enum err_code code;
		struct err err;

		store_support_sql(support->path, damages[i]);
		assert_int_equal(store_open(NULL, support->path, STORE_READ, &reader, &err),
				ERR_NONE);
		code = store_each_principal(reader,
				(void (*)(void *, const struct store_principal *))abort, NULL,
				&err);
		if (code == ERR_NONE)
			code = store_each_grant(reader,
					(void (*)(void *, const struct store_grant *))abort, NULL,
					&err);
		if (code == ERR_NONE)
			code = store_each_hold(reader,
					(void (*)(void *, const struct store_hold *))abort, NULL,
					&err);
		if (code == ERR_NONE)
			code = store_each_removals(reader, 0,
					(void (*)(void *, const struct store_removals *))abort,
					NULL, &err);
		if (code != ERR_STORE || !strstr(err.text, "damaged"))
			fail_msg("%s: %s", damages[i], code == ERR_NONE ? "read" : err.text);
		store_close(reader);
		store_support_sql(support->path, undo);
	}
}

/* ---- versions ---- */

/* Loads tests/unit/data/store-v1.sql, a store as the first released schema wrote it. */
static void load_fixture(const char *path)
{
	const char *source = getenv("top_srcdir");
	AUTO(mem_freep)
	char *name = mem_printf("%s/tests/unit/data/store-v1.sql", source ? source : "..");
	AUTO(mem_freep) char *sql = mem_zalloc(65536);
	FILE *file = fopen(name, "r");

	if (!file)
		fail_msg("cannot open %s", name);
	assert_true(fread(sql, 1, 65535, file) > 0);
	assert_int_equal(fclose(file), 0);
	store_support_sql(path, sql);
}

static const char first_version[] =
		"entry corp/6f9619ff-8b86-d011-b42d-00cf4fc964ff dn=uid=ada,dc=example,dc=com"
		" searches=3 attributes=mail=ada@example.com members=\n"
		"entry corp/staff dn=cn=staff,dc=example,dc=com searches=4 attributes=cn=staff"
		" members=ada\n"
		"principal account user 1001 key=corp/6f9619ff-8b86-d011-b42d-00cf4fc964ff"
		" origin=0 active=1 left=0 userName=ada@example.com displayName=Ada Sample\n"
		"principal account group 2001 key=corp/staff origin=1 active=1 left=0"
		" displayName=staff gone=2\n"
		"member account 2001 1001\n"
		"grant prod user 1001 0 ADMIN former=USER\n"
		"intent op1 {\"op\":\"update\"} 4000000000001\n"
		"hold op2 h1 {\"op\":\"delete\"} users 0 4000000000002 over the allowance\n"
		"quarantine corp/x9 Max Sample no mail 4000000000003 4000000000004 2\n"
		"removals 4000000000005 users 1\n";

static void test_first_version_is_read(void **state)
{
	struct store_support *support = *state;
	struct store_batch *batch;
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct span cookie;
	uint64_t lines;
	struct err err;

	load_fixture(support->path);
	store_support_open(support);
	assert_dump(support->store, first_version);
	/* Ids are still written in the form in which they lie there: nothing comes twice. */
	batch = store_batch_new(support->store);
	store_put_member(batch, &(struct store_member){"account", "2001", "1001"});
	store_put_grant(batch,
			&(struct store_grant){"prod", PRINCIPAL_USER, "1001", GRANT_ASSIGNMENT,
					"ADMIN", "USER"});
	store_support_must_commit(support, batch);
	assert_dump(support->store, first_version);
	assert_int_equal(store_get_cookie(support->store, "d1", arena, &cookie, &err), ERR_NONE);
	assert_true(span_equal(cookie, SPAN_LIT("rid=001,csn=1")));
	assert_int_equal(store_verify_audit(support->store, &lines, &err), ERR_NONE);
	assert_int_equal(lines, 2);
}

/* The steps of a later program: each is applied once, together or not at all. */
static void test_upgrade(void **state)
{
	static const char step_2[] =
			"ALTER TABLE intent ADD COLUMN tries INTEGER NOT NULL DEFAULT 7";
	static const char step_3[] = "CREATE TABLE later(a) STRICT"; /* STRICT wants a type */
	static const char step_3_mended[] = "CREATE TABLE later(a INTEGER) STRICT";
	struct store_support *support = *state;
	const char *steps[] = {"not SQL: this step must not run again", step_2, step_3};
	sqlite3 *db = NULL;
	struct err err;

	load_fixture(support->path);
	assert_int_equal(sqlite3_open(support->path, &db), SQLITE_OK);
	assert_int_equal(schema_upgrade(db, steps, 3, &err), ERR_BUG);
	assert_non_null(strstr(err.text, "upgrade the schema to version 3"));
	assert_int_equal(number(support->path, "PRAGMA user_version"), 1);
	assert_int_equal(number(support->path,
					 "SELECT count(*) FROM pragma_table_info('intent')"
					 " WHERE name = 'tries'"),
			0);
	steps[2] = step_3_mended;
	assert_int_equal(schema_upgrade(db, steps, 3, &err), ERR_NONE);
	assert_int_equal(schema_upgrade(db, steps, 3, &err), ERR_NONE); /* nothing left to do */
	(void)sqlite3_close(db);
	assert_int_equal(number(support->path, "PRAGMA user_version"), 3);
	assert_int_equal(number(support->path, "PRAGMA application_id"), SCHEMA_APPLICATION_ID);
	assert_int_equal(number(support->path, "SELECT tries FROM intent"), 7);
	assert_refused(support, ERR_STORE, "newer version");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
			TEST(test_settings),
			TEST(test_one_writer),
			TEST(test_lock_ends_with_its_process),
			TEST(test_lock_file_without_pid),
			TEST(test_reader_beside_the_writer),
			TEST(test_reader_of_no_store),
			TEST(test_file_that_was_only_begun),
			TEST(test_modes_and_folder),
			TEST(test_no_folder_to_make_it_in),
			TEST(test_foreign_files),
			TEST(test_newer_file),
			TEST(test_damaged_page),
			TEST(test_damage_is_found_after_an_unclean_end),
			TEST(test_values_out_of_range),
			TEST(test_first_version_is_read),
			TEST(test_upgrade),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
