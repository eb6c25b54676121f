/*
 * dial -- a connected socket to a directory server, or a clear word why not.
 *
 * libldap could connect by itself, but then a wait can neither be bounded in every phase nor be ended from outside, and
 * every failure looks the same. So we connect, and libldap gets the socket.
 */
#ifndef L2D_DIRECTORY_DIAL_H
#define L2D_DIRECTORY_DIAL_H

#include "directory/waker.h"

struct dialled {
	int fd;        /* non-blocking, close-on-exec, keepalive on; the caller's */
	bool is_local; /* nothing leaves this machine: loopback or a Unix socket */
	bool is_unix;
};

/*
 * Connects to the host and port (or path) of uri, trying each address for up to timeout_ms. Blocks; ends early when
 * waker is stopped. Resolving a name blocks as long as the system's resolver does.
 * Errors: ERR_CONFIG (no LDAP URI), ERR_IO (unknown host, refused, ...), ERR_TIMEOUT, ERR_CANCELLED (stopped).
 */
MUST_CHECK enum err_code dial(const char *uri, int64_t timeout_ms, struct waker *waker,
		struct dialled *ret, struct err *err);

#endif
