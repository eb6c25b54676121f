/*
 * loop -- what everybody needs of libuv: tasks on a run queue, timers, a mailbox between threads.
 *
 * Callbacks note a fact and wake a task; the run queue runs tasks, one place, next turn, never
 * inside the caller. A wake-up carries no data and a needless one does no harm. All functions but
 * mailbox_post belong to the loop thread.
 */
#ifndef L2D_BASE_LOOP_H
#define L2D_BASE_LOOP_H

#include <uv.h>

#include "base/mem.h"

struct loop;
struct loop *loop_new(void);
void loop_free(struct loop *loop); /* every timer, mailbox and foreign handle must be closed before;
				      NULL is fine */
uv_loop_t *loop_uv(struct loop *loop); /* for the modules that own other kinds of handles */
void loop_run(struct loop *loop);      /* until loop_stop, or until nothing is left to wait for */
void loop_stop(struct loop *loop);

/* A task: embedded in its owner, zeroed before task_init. */
struct task {
	struct loop *loop;
	void (*run)(struct task *task);
	struct task *next;
	bool queued;
};
void task_init(struct task *task, struct loop *loop, void (*run)(struct task *task));
void task_wake(struct task *task);   /* idempotent; runs in the next turn */
void task_cancel(struct task *task); /* takes it off the queue; call before the owner's memory goes
				      */

/* A timer that wakes a task. Made on the heap, because libuv closes handles later than one asks. */
struct loop_timer;
struct loop_timer *loop_timer_new(struct loop *loop, struct task *wakes);
void loop_timer_free(struct loop_timer *timer); /* NULL is fine; never fires afterwards */
void loop_timer_start(
		struct loop_timer *timer, uint64_t delay_ms); /* starts over if it is running */
void loop_timer_stop(struct loop_timer *timer);
bool loop_timer_active(const struct loop_timer *timer);

/*
 * A bounded mailbox: any thread posts letters, the loop thread takes them all. struct letter is
 * embedded first in the poster's own struct; posting gives it away. mailbox_post waits while `max`
 * letters lie unread and returns false once the mailbox is closed (the letter stays the caller's
 * then).
 */
struct letter {
	struct letter *next;
};
struct mailbox;
struct mailbox *mailbox_new(struct loop *loop, size_t max, struct task *wakes);
bool mailbox_post(struct mailbox *box, struct letter *letter);
struct letter *mailbox_take(
		struct mailbox *box); /* all, oldest first, NULL if none; the caller owns them */
void mailbox_close(
		struct mailbox *box); /* releases waiting posters; join them before mailbox_free */
void mailbox_free(struct mailbox *box); /* letters still inside must have been taken before; NULL is
					   fine */

#endif
