#include "directory/waker.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

void waker_init(struct waker *waker)
{
	*waker = (struct waker){.guarded = -1};
	waker->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (waker->event < 0 || uv_mutex_init(&waker->lock) != 0) {
		(void)fputs("ldap2dbx: the system gives no eventfd (out of file descriptors?)\n",
				stderr);
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

int waker_wait(struct waker *waker, struct pollfd *polled, size_t count, int timeout_ms)
{
	uint64_t wakes;
	int ready;

	polled[0] = (struct pollfd){waker->event, POLLIN, 0};
	ready = poll(polled, count, timeout_ms);
	/* An interruption counts as a wake-up. */
	for (size_t i = 0; ready < 0 && i < count; i++)
		polled[i].revents = 0;
	if (ready <= 0 || !polled[0].revents)
		return ready < 0 ? 0 : ready;
	(void)!read(waker->event, &wakes, sizeof(wakes));
	return ready - 1;
}
