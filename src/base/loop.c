#include "base/loop.h"

struct loop {
	uv_loop_t uv;
	uv_idle_t drain; /* runs only while tasks are queued: an idle handle keeps poll from
			    sleeping */
	struct task *head, **tail;
	size_t queued;
};

/*
 * Runs as many tasks as were queued when the turn began; one woken from here on runs in the next
 * turn, after I/O had its chance. The list stays in the queue while it is worked off, so that
 * task_cancel finds every task that has not run yet.
 */
static void loop_drain(uv_idle_t *idle)
{
	struct loop *loop = idle->data;

	for (size_t left = loop->queued; left > 0 && loop->head; left--) {
		struct task *task = loop->head;

		task_cancel(task);
		task->run(task);
	}
	if (!loop->head)
		(void)uv_idle_stop(&loop->drain);
}

struct loop *loop_new(void)
{
	struct loop *loop = mem_zalloc(sizeof(*loop));

	if (uv_loop_init(&loop->uv) != 0) {
		(void)fputs("ldap2dbx: the system gives no event loop (out of file descriptors?)\n",
				stderr);
		abort();
	}
	(void)uv_idle_init(&loop->uv, &loop->drain);
	loop->drain.data = loop;
	loop->tail = &loop->head;
	return loop;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	uv_close((uv_handle_t *)&loop->drain, NULL);
	(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
	(void)uv_loop_close(&loop->uv);
	mem_free(loop);
}

uv_loop_t *loop_uv(struct loop *loop)
{
	return &loop->uv;
}

void loop_run(struct loop *loop)
{
	(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

void task_init(struct task *task, struct loop *loop, void (*run)(struct task *task))
{
	*task = (struct task){.loop = loop, .run = run};
}

void task_wake(struct task *task)
{
	struct loop *loop = task->loop;

	if (task->queued)
		return;
	task->queued = true;
	loop->queued++;
	task->next = NULL;
	*loop->tail = task;
	loop->tail = &task->next;
	(void)uv_idle_start(&loop->drain, loop_drain);
}

void task_cancel(struct task *task)
{
	struct loop *loop = task->loop;

	if (!task->queued)
		return;
	for (struct task **link = &loop->head; *link; link = &(*link)->next) {
		if (*link != task)
			continue;
		*link = task->next;
		if (!task->next)
			loop->tail = link;
		break;
	}
	task->queued = false;
	loop->queued--;
}

struct loop_timer {
	uv_timer_t uv;
	struct task *wakes;
};

static void timer_fired(uv_timer_t *uv)
{
	struct loop_timer *timer = uv->data;

	task_wake(timer->wakes);
}

struct loop_timer *loop_timer_new(struct loop *loop, struct task *wakes)
{
	struct loop_timer *timer = mem_zalloc(sizeof(*timer));

	(void)uv_timer_init(&loop->uv, &timer->uv);
	timer->uv.data = timer;
	timer->wakes = wakes;
	return timer;
}

static void timer_closed(uv_handle_t *handle)
{
	mem_free(handle->data);
}

void loop_timer_free(struct loop_timer *timer)
{
	if (timer)
		uv_close((uv_handle_t *)&timer->uv, timer_closed);
}

void loop_timer_start(struct loop_timer *timer, uint64_t delay_ms)
{
	uv_update_time(timer->uv.loop);
	(void)uv_timer_start(&timer->uv, timer_fired, delay_ms, 0);
}

void loop_timer_stop(struct loop_timer *timer)
{
	(void)uv_timer_stop(&timer->uv);
}

bool loop_timer_active(const struct loop_timer *timer)
{
	return uv_is_active((const uv_handle_t *)&timer->uv) != 0;
}

struct mailbox {
	uv_mutex_t lock;
	uv_cond_t room;
	uv_async_t wake;
	struct task *wakes;
	struct letter *head, **tail;
	size_t count, max;
	bool closed;
};

static void mailbox_woken(uv_async_t *async)
{
	struct mailbox *box = async->data;

	task_wake(box->wakes);
}

struct mailbox *mailbox_new(struct loop *loop, size_t max, struct task *wakes)
{
	struct mailbox *box = mem_zalloc(sizeof(*box));

	if (uv_mutex_init(&box->lock) != 0 || uv_cond_init(&box->room) != 0 ||
			uv_async_init(&loop->uv, &box->wake, mailbox_woken) != 0) {
		(void)fputs("ldap2dbx: the system gives no thread primitives\n", stderr);
		abort();
	}
	box->wake.data = box;
	box->wakes = wakes;
	box->tail = &box->head;
	box->max = max;
	return box;
}

bool mailbox_post(struct mailbox *box, struct letter *letter)
{
	bool closed;

	letter->next = NULL;
	uv_mutex_lock(&box->lock);
	while (box->count >= box->max && !box->closed)
		uv_cond_wait(&box->room, &box->lock);
	closed = box->closed;
	if (!closed) {
		*box->tail = letter;
		box->tail = &letter->next;
		box->count++;
		/* Under the lock, so that mailbox_free cannot close the handle in between. Sends
		 * may coalesce. */
		(void)uv_async_send(&box->wake);
	}
	uv_mutex_unlock(&box->lock);
	return !closed;
}

struct letter *mailbox_take(struct mailbox *box)
{
	struct letter *list;

	uv_mutex_lock(&box->lock);
	list = box->head;
	box->head = NULL;
	box->tail = &box->head;
	box->count = 0;
	uv_cond_broadcast(&box->room);
	uv_mutex_unlock(&box->lock);
	return list;
}

void mailbox_close(struct mailbox *box)
{
	uv_mutex_lock(&box->lock);
	box->closed = true;
	uv_cond_broadcast(&box->room);
	uv_mutex_unlock(&box->lock);
}

static void mailbox_closed(uv_handle_t *handle)
{
	struct mailbox *box = handle->data;

	uv_cond_destroy(&box->room);
	uv_mutex_destroy(&box->lock);
	mem_free(box);
}

void mailbox_free(struct mailbox *box)
{
	if (box)
		uv_close((uv_handle_t *)&box->wake, mailbox_closed);
}
