#include "pause.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/vec.h"

#define NS_PER_S UINT64_C(1000000000)

struct sleeper {
	uint64_t due_ns;
	struct MHD_Connection *connection;
};

struct pause {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool stopped;
	struct {
		struct sleeper *items; /* a heap: the next one first */
		size_t count, room;
	} sleepers;
};

static void swap(struct sleeper *a, struct sleeper *b)
{
	struct sleeper held = *a;

	*a = *b;
	*b = held;
}

static void heap_add(struct pause *pause, struct sleeper sleeper)
{
	size_t at = pause->sleepers.count;
	struct sleeper *items;

	*vec_add(&pause->sleepers) = sleeper;
	items = pause->sleepers.items;
	for (; at && items[at].due_ns < items[(at - 1) / 2].due_ns; at = (at - 1) / 2)
		swap(&items[at], &items[(at - 1) / 2]);
}

static struct sleeper heap_take(struct pause *pause)
{
	struct sleeper *items = pause->sleepers.items;
	struct sleeper first = items[0];
	size_t count = --pause->sleepers.count, at = 0;

	items[0] = items[count];
	for (;;) {
		size_t least = at, left = 2 * at + 1;

		if (left < count && items[left].due_ns < items[least].due_ns)
			least = left;
		if (left + 1 < count && items[left + 1].due_ns < items[least].due_ns)
			least = left + 1;
		if (least == at)
			return first;
		swap(&items[at], &items[least]);
		at = least;
	}
}

static void wait_for_next(struct pause *pause)
{
	uint64_t due_ns;
	struct timespec until;

	if (pause->sleepers.count == 0) {
		(void)pthread_cond_wait(&pause->changed, &pause->lock);
		return;
	}
	due_ns = pause->sleepers.items[0].due_ns;
	until.tv_sec = (time_t)(due_ns / NS_PER_S);
	until.tv_nsec = (long)(due_ns % NS_PER_S);
	(void)pthread_cond_timedwait(&pause->changed, &pause->lock, &until);
}

static void *run(void *arg)
{
	struct pause *pause = arg;

	(void)pthread_mutex_lock(&pause->lock);
	while (!pause->stopped) {
		while (pause->sleepers.count &&
				pause->sleepers.items[0].due_ns <= clock_monotonic_ns())
			MHD_resume_connection(heap_take(pause).connection);
		wait_for_next(pause);
	}
	while (pause->sleepers.count)
		MHD_resume_connection(heap_take(pause).connection);
	(void)pthread_mutex_unlock(&pause->lock);
	return NULL;
}

struct pause *pause_start(void)
{
	struct pause *pause = mem_zalloc(sizeof(*pause));
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&pause->lock, NULL);
	(void)pthread_cond_init(&pause->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	if (pthread_create(&pause->thread, NULL, run, pause) != 0)
		abort();
	return pause;
}

void pause_stop(struct pause *pause)
{
	(void)pthread_mutex_lock(&pause->lock);
	pause->stopped = true;
	(void)pthread_cond_signal(&pause->changed);
	(void)pthread_mutex_unlock(&pause->lock);
	(void)pthread_join(pause->thread, NULL);
}

void pause_free(struct pause *pause)
{
	vec_release(&pause->sleepers);
	(void)pthread_cond_destroy(&pause->changed);
	(void)pthread_mutex_destroy(&pause->lock);
	mem_free(pause);
}

void pause_connection(struct pause *pause, struct MHD_Connection *connection, uint64_t due_ns)
{
	/* Suspended first, so that the other thread cannot wake what does not sleep yet. */
	MHD_suspend_connection(connection);
	(void)pthread_mutex_lock(&pause->lock);
	if (pause->stopped)
		MHD_resume_connection(connection);
	else
		heap_add(pause, (struct sleeper){due_ns, connection});
	(void)pthread_cond_signal(&pause->changed);
	(void)pthread_mutex_unlock(&pause->lock);
}
