#include "store/store_private.h"

#include "base/clock.h"
#include "store/database.h"
#include "store/lock.h"
#include "store/schema.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * After an unclean end the file is checked whole, as far as that takes a moment only; what a bigger
 * one hides shows when it is read. Neither a killed process nor a lost power supply damages the
 * file, only a disk that lies about its syncs.
 */
#define CHECK_BYTES_MAX ((off_t)64 * 1024 * 1024)

/* ---- opening ---- */

static enum err_code make_folder(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	AUTO(mem_freep) char *folder = NULL;

	if (!slash || slash == path)
		return ERR_NONE;
	folder = mem_strndup(path, (size_t)(slash - path));
	if (mkdir(folder, 0700) == 0 || errno == EEXIST)
		return ERR_NONE;
	return err_errno(err, ERR_STORE, errno, "cannot make the store's folder %s", folder);
}

/*
 * O_EXCL: an existing file is never opened here, because closing it would take away the locks that
 * SQLite may hold on it elsewhere in this process (POSIX record locks, fcntl(2)).
 */
static enum err_code make_file(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0) {
		(void)fchmod(fd, 0600); /* SQLite gives its log the same mode */
		(void)close(fd);
		return ERR_NONE;
	}
	if (errno == EEXIST)
		return ERR_NONE;
	return err_errno(err, ERR_STORE, errno, "cannot make the store %s", path);
}

/* A log that has something in it was not worked off by a close. Ask before SQLite opens the file.
 */
static bool ended_uncleanly(const char *path)
{
	AUTO(mem_freep) char *log = mem_printf("%s-wal", path);
	struct stat status;

	return stat(log, &status) == 0 && status.st_size > 0;
}

static bool is_small(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && status.st_size <= CHECK_BYTES_MAX;
}

/* Whose file it is, before anything is written to it: a reader's connection leaves a foreign file
 * as it is. */
static enum err_code examine_first(const char *path, struct err *err)
{
	sqlite3 *db = NULL;
	int64_t version;
	enum err_code code;

	if (database_open(path, DATABASE_READER, &db, err) != ERR_NONE)
		return err->code;
	code = schema_examine(db, &version, err);
	database_close(db);
	return code;
}

static enum err_code open_writer(struct store *store, struct err *err)
{
	bool check = ended_uncleanly(store->path) && is_small(store->path);

	if (examine_first(store->path, err) != ERR_NONE)
		return err->code;
	if (database_open(store->path, DATABASE_WRITER, &store->writer_db, err) != ERR_NONE)
		return err->code;
	if (check && database_check(store->writer_db, err) != ERR_NONE)
		return err->code;
	if (schema_upgrade(store->writer_db, schema_steps, schema_step_count, err) != ERR_NONE)
		return err->code;
	if (writer_new(store->writer_db, &store->writer, err) != ERR_NONE)
		return err->code;
	return writer_prune(store->writer, clock_wall_ms(), err);
}

static void finish(struct store *store, struct work *work)
{
	struct store_commit *commit = work->commit;

	store->backlog -= work->records;
	if (work->code != ERR_NONE)
		store->failure = work->err;
	else if (work->records > 0)
		store->failure.code = ERR_NONE;
	if (commit) {
		commit->code = work->code;
		if (work->code != ERR_NONE)
			commit->err = work->err;
		commit->done = true;
		if (commit->wakes)
			task_wake(commit->wakes);
	}
	mem_free(work);
}

static void take_completions(struct store *store)
{
	struct letter *letter = mailbox_take(store->done);

	while (letter) {
		struct letter *next = letter->next;

		finish(store, (struct work *)letter); /* its first member */
		letter = next;
	}
}

static void run_completions(struct task *task)
{
	struct store *store = (struct store *)(void *)((char *)task -
			offsetof(struct store, completions));

	take_completions(store);
}

static enum err_code start_thread(struct store *store, struct loop *loop, struct err *err)
{
	task_init(&store->completions, loop, run_completions);
	/* Without a bound of its own: the sender, who waits for completions, is the bound
	 * (store_backlog). */
	store->done = mailbox_new(loop, SIZE_MAX, &store->completions);
	return store_thread_start(store->writer, store->done, &store->thread, err);
}

static enum err_code open_for_writing(struct store *store, struct loop *loop, struct err *err)
{
	assert(loop);
	if (make_folder(store->path, err) != ERR_NONE ||
			lock_take(store->path, &store->lock_fd, err) != ERR_NONE ||
			make_file(store->path, err) != ERR_NONE ||
			open_writer(store, err) != ERR_NONE ||
			database_open(store->path, DATABASE_READER, &store->reader, err) !=
					ERR_NONE)
		return err->code;
	return start_thread(store, loop, err);
}

static enum err_code open_for_reading(struct store *store, struct err *err)
{
	struct stat status;

	if (stat(store->path, &status) != 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return err_set(err, ERR_NOT_FOUND, 0,
					"there is no store %s: the service has not run yet",
					store->path);
		return err_errno(err, ERR_STORE, errno, "cannot look at the store %s", store->path);
	}
	if (database_open(store->path, DATABASE_READER, &store->reader, err) != ERR_NONE ||
			database_run(store->reader, "BEGIN", err) != ERR_NONE)
		return err->code;
	return schema_require_current(store->reader, err);
}

enum err_code store_open(struct loop *loop, const char *path, enum store_mode mode,
		struct store **ret, struct err *err)
{
	struct store *store = mem_zalloc(sizeof(*store));
	enum err_code code;

	store->mode = mode;
	store->path = mem_strdup(path);
	store->lock_fd = -1;
	code = mode == STORE_WRITE ? open_for_writing(store, loop, err)
				   : open_for_reading(store, err);
	if (code != ERR_NONE) {
		store_close(store);
		return code;
	}
	*ret = store;
	return ERR_NONE;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	store_thread_stop(store->thread);
	if (store->done) {
		take_completions(store);
		mailbox_close(store->done);
		mailbox_free(store->done);
		task_cancel(&store->completions);
	}
	writer_free(store->writer);
	/* The writer's connection last: the last one to close works off the log and removes it. */
	database_close(store->reader);
	database_close(store->writer_db);
	lock_release(store->lock_fd);
	mem_free(store->path);
	mem_free(store);
}

/* ---- writing ---- */

void store_commit(struct store *store, struct store_batch *batch, struct store_commit *commit)
{
	struct work *work = mem_zalloc(sizeof(*work));

	assert(store->mode == STORE_WRITE);
	if (commit) {
		commit->done = false;
		commit->code = ERR_NONE;
	}
	work->batch = batch;
	work->commit = commit;
	work->records = batch->count;
	store->backlog += work->records;
	store_thread_submit(store->thread, work);
}

size_t store_backlog(const struct store *store)
{
	return store->backlog;
}

const struct err *store_failed(const struct store *store)
{
	return store->failure.code == ERR_NONE ? NULL : &store->failure;
}
