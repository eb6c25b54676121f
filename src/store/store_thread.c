#include "store/store_thread.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/store.h"

#include <inttypes.h>

/*
 * Records in one transaction, as far as batches allow: a bulk load must neither keep the first of
 * its batches waiting for the last nor fill the log without end.
 */
#define GROUP_RECORDS_MAX ((size_t)100000)
#define SLOW_COMMIT_MS 50

struct store_thread {
	uv_thread_t id;
	uv_mutex_t lock; /* guards head, tail, stop */
	uv_cond_t changed;
	struct work *head, **tail;
	bool stop;
	struct writer *writer;
	struct mailbox *done;
};

static void post(struct store_thread *thread, struct work *work)
{
	store_batch_free(STEAL(work->batch));
	/* The mailbox is closed only after this thread has ended, so it always takes the letter. */
	(void)mailbox_post(thread->done, &work->letter);
}

static void post_all(struct store_thread *thread, struct work *group)
{
	while (group) {
		struct work *next = group->next; /* posting gives it away */

		post(thread, group);
		group = next;
	}
}

/* One transaction for the whole group; on failure nothing of it has happened. */
static enum err_code commit_group(struct store_thread *thread, struct work *group, struct err *err)
{
	if (writer_begin(thread->writer, err) != ERR_NONE)
		return err->code;
	for (struct work *work = group; work; work = work->next) {
		if (writer_apply(thread->writer, work->batch, err) != ERR_NONE) {
			writer_rollback(thread->writer);
			return err->code;
		}
	}
	return writer_commit(thread->writer, err);
}

static void commit_each(struct store_thread *thread, struct work *group)
{
	while (group) {
		struct work *work = group;

		group = work->next;
		work->next = NULL;
		work->code = commit_group(thread, work, &work->err);
		post(thread, work);
	}
}

static void run_group(struct store_thread *thread, struct work *group)
{
	uint64_t begun_ns = clock_monotonic_ns(), took_ms;
	struct err err;

	if (!group->next) {
		commit_each(thread, group);
	} else if (commit_group(thread, group, &err) == ERR_NONE) {
		post_all(thread, group);
	} else {
		commit_each(thread, group);
	}
	took_ms = (clock_monotonic_ns() - begun_ns) / 1000000;
	if (took_ms >= SLOW_COMMIT_MS)
		log_debug("store: a commit took %" PRIu64 " ms", took_ms);
}

/* Takes the first works of a queue up to the limit of a group, at least one. */
static struct work *split_group(struct work **queue)
{
	struct work *group = *queue, *last = group;
	size_t records = group->records;

	while (last->next && records + last->next->records <= GROUP_RECORDS_MAX) {
		last = last->next;
		records += last->records;
	}
	*queue = last->next;
	last->next = NULL;
	return group;
}

/* Waits for work. All of it, oldest first; NULL: none is left and none will come. */
static struct work *take_all(struct store_thread *thread)
{
	struct work *queue;

	uv_mutex_lock(&thread->lock);
	while (!thread->head && !thread->stop)
		uv_cond_wait(&thread->changed, &thread->lock);
	queue = thread->head;
	thread->head = NULL;
	thread->tail = &thread->head;
	uv_mutex_unlock(&thread->lock);
	return queue;
}

static bool is_idle(struct store_thread *thread)
{
	bool idle;

	uv_mutex_lock(&thread->lock);
	idle = !thread->head;
	uv_mutex_unlock(&thread->lock);
	return idle;
}

static void thread_main(void *context)
{
	struct store_thread *thread = context;
	struct work *queue;

	while ((queue = take_all(thread)) != NULL) {
		while (queue) {
			run_group(thread, split_group(&queue));
			/* After the completions were posted, so that nobody waits for it who need
			 * not. */
			writer_tidy(thread->writer, !queue && is_idle(thread));
		}
	}
}

enum err_code store_thread_start(struct writer *writer, struct mailbox *done,
		struct store_thread **ret, struct err *err)
{
	struct store_thread *thread = mem_zalloc(sizeof(*thread));
	int result;

	thread->writer = writer;
	thread->done = done;
	thread->tail = &thread->head;
	if (uv_mutex_init(&thread->lock) != 0 || uv_cond_init(&thread->changed) != 0) {
		(void)fputs("ldap2dbx: the system gives no thread primitives\n", stderr);
		abort();
	}
	result = uv_thread_create(&thread->id, thread_main, thread);
	if (result != 0) {
		uv_cond_destroy(&thread->changed);
		uv_mutex_destroy(&thread->lock);
		mem_free(thread);
		return err_set(err, ERR_STORE, result, "cannot start the store's thread: %s",
				uv_strerror(result));
	}
	*ret = thread;
	return ERR_NONE;
}

void store_thread_submit(struct store_thread *thread, struct work *work)
{
	work->next = NULL;
	uv_mutex_lock(&thread->lock);
	*thread->tail = work;
	thread->tail = &work->next;
	uv_cond_signal(&thread->changed);
	uv_mutex_unlock(&thread->lock);
}

void store_thread_stop(struct store_thread *thread)
{
	if (!thread)
		return;
	uv_mutex_lock(&thread->lock);
	thread->stop = true;
	uv_cond_signal(&thread->changed);
	uv_mutex_unlock(&thread->lock);
	(void)uv_thread_join(&thread->id);
	uv_cond_destroy(&thread->changed);
	uv_mutex_destroy(&thread->lock);
	mem_free(thread);
}
