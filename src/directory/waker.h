/*
 * waker -- how the loop's thread reaches a thread that waits for the network.
 *
 * A file descriptor that the waiting thread polls beside its socket, a flag that says "end", and the one socket on which
 * that thread may at the moment be stuck inside a library call: shutting it down makes such a call return at once.
 */
#ifndef L2D_DIRECTORY_WAKER_H
#define L2D_DIRECTORY_WAKER_H

#include <poll.h>
#include <uv.h>

#include "base/mem.h"

struct waker {
	uv_mutex_t lock; /* guards the next two */
	bool stopped;
	int guarded; /* -1: none */
	int event;   /* eventfd(2) */
};
void waker_init(struct waker *waker);
void waker_release(struct waker *waker);

/* Any thread. waker_wait returns early, now or the next time it is called. */
void waker_wake(struct waker *waker);
/* Any thread, for good: wakes, and cuts the guarded socket. */
void waker_stop(struct waker *waker);

/* The waiting thread: */
bool waker_stopped(struct waker *waker);
/* From here on waker_stop cuts fd; -1 before it is closed, or once nothing blocks on it any more. */
void waker_guard(struct waker *waker, int fd);
/*
 * Waits until one of polled (poll(2)) has an event, a wake-up comes, or timeout_ms (-1: no end) has passed. polled[0] is the
 * waker's place and filled by this function; the others' revents are 0 if nothing came. Returns how many of those have
 * events.
 */
int waker_wait(struct waker *waker, struct pollfd *polled, size_t count, int timeout_ms);

#endif
