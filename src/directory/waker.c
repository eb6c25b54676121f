#include "directory/waker.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

void waker_init(struct waker *waker)
{
	*waker = (struct waker){.guarded = -1};
	waker->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (waker->event < 0 || uv_mutex_init(&waker->lock) != 0) {
		(void)fputs("ldap2dbx: the system gives no eventfd (out of file descriptors?)\n", stderr);
		abort();
	}
}

void waker_release(struct waker *waker)
{
	(void)close(waker->event);
	uv_mutex_destroy(&waker->lock);
}

void waker_wake(struct waker *waker)
{
	const uint64_t one = 1;

	/* Fails only when the counter is full, and then it is readable anyway. */
	(void)!write(waker->event, &one, sizeof(one));
}

void waker_stop(struct waker *waker)
{
	uv_mutex_lock(&waker->lock);
	waker->stopped = true;
	if (waker->guarded >= 0)
		(void)shutdown(waker->guarded, SHUT_RDWR);
	uv_mutex_unlock(&waker->lock);
	waker_wake(waker);
}

bool waker_stopped(struct waker *waker)
{
	bool stopped;

	uv_mutex_lock(&waker->lock);
	stopped = waker->stopped;
	uv_mutex_unlock(&waker->lock);
	return stopped;
}

void waker_guard(struct waker *waker, int fd)
{
	uv_mutex_lock(&waker->lock);
	waker->guarded = fd;
	if (fd >= 0 && waker->stopped)
		(void)shutdown(fd, SHUT_RDWR);
	uv_mutex_unlock(&waker->lock);
}

short waker_wait(struct waker *waker, int fd, short events, int timeout_ms)
{
	struct pollfd polled[] = {{waker->event, POLLIN, 0}, {fd, events, 0}};
	uint64_t count;

	/* poll(2) leaves out a negative descriptor. An interruption counts as a wake-up. */
	if (poll(polled, COUNT_OF(polled), timeout_ms) <= 0)
		return 0;
	if (polled[0].revents)
		(void)!read(waker->event, &count, sizeof(count));
	return polled[1].revents;
}
