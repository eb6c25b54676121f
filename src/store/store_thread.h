/*
 * store_thread -- the thread that owns the writer: takes what waits, commits it together, posts
 * what became of it.
 *
 * Batches that wait when the thread is free share one transaction and one sync to disk. If one of
 * them fails, each is tried again in a transaction of its own, so a bad one takes no other down.
 * Works are posted in the order of their submission.
 */
#ifndef L2D_STORE_STORE_THREAD_H
#define L2D_STORE_STORE_THREAD_H

#include "base/loop.h"
#include "store/writer.h"

struct store_commit;

/* A batch under way. On the heap: submitting gives it away, taking it from the mailbox gives it
 * back. */
struct work {
	struct letter letter;        /* in the mailbox, once done */
	struct work *next;           /* in the queue, before */
	struct store_batch *batch;   /* freed by the thread */
	struct store_commit *commit; /* the loop's, not looked at by the thread; may be NULL */
	size_t records;
	enum err_code code; /* written by the thread */
	struct err err;
};

struct store_thread;
/* writer: the thread's until store_thread_stop. done: borrowed; must take any number of letters
 * without waiting. */
MUST_CHECK enum err_code store_thread_start(struct writer *writer, struct mailbox *done,
		struct store_thread **ret, struct err *err);
void store_thread_submit(struct store_thread *thread, struct work *work); /* loop thread */
/* Waits until all that was submitted is done and posted, ends the thread and frees it. NULL is
 * fine. */
void store_thread_stop(struct store_thread *thread);

#endif
