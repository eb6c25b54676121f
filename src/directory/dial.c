#include "directory/dial.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <ldap.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define KEEPALIVE_IDLE_S 60
#define KEEPALIVE_INTERVAL_S 10
#define KEEPALIVE_PROBES 6
#define UNACKNOWLEDGED_MAX_MS 60000

static void set_int(int fd, int level, int option, int value)
{
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

/* A persistent search has nothing to say for days: only the socket can notice that the peer vanished. */
static void tune(int fd, bool is_tcp, int64_t timeout_ms)
{
	const struct timeval patience = {timeout_ms / 1000, timeout_ms % 1000 * 1000};

	/*
	 * libldap 2.5 makes the socket blocking in the middle of a TLS handshake; this bounds what it may wait there
	 * for a peer that falls silent. Later the socket never blocks.
	 */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (!is_tcp)
		return;
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
	set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MAX_MS);
}

/* Waits until the connect under way on fd has ended. Returns 0 or an errno value; ECANCELED: stopped. */
static int wait_connected(int fd, int64_t timeout_ms, struct waker *waker)
{
	uint64_t end_ns = clock_monotonic_ns() + (uint64_t)timeout_ms * 1000000;
	struct pollfd polled[2] = {{0}, {fd, POLLOUT, 0}};
	int number = 0;
	socklen_t len = sizeof(number);

	for (;;) {
		uint64_t now_ns = clock_monotonic_ns();

		if (waker_stopped(waker))
			return ECANCELED;
		if (now_ns >= end_ns)
			return ETIMEDOUT;
		if (waker_wait(waker, polled, COUNT_OF(polled),
				    (int)((end_ns - now_ns) / 1000000) + 1))
			break;
	}
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &len) == 0 ? number : errno;
}

/* Returns the socket, or -1 and *ret_errno. */
static int connect_to(const struct sockaddr *address, socklen_t len, int64_t timeout_ms,
		struct waker *waker, int *ret_errno)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		*ret_errno = errno;
		return -1;
	}
	tune(fd, address->sa_family != AF_UNIX, timeout_ms);
	*ret_errno = connect(fd, address, len) == 0 ? 0 : errno;
	if (*ret_errno == EINPROGRESS)
		*ret_errno = wait_connected(fd, timeout_ms, waker);
	if (*ret_errno == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static bool is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, address, sizeof(in));
		return ntohl(in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	}
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, address, sizeof(in6));
		return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr) ||
				(IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr) &&
						in6.sin6_addr.s6_addr[12] == IN_LOOPBACKNET);
	}
	return false;
}

static enum err_code failed(struct err *err, int number, const char *uri)
{
	if (number == ECANCELED)
		return err_set(err, ERR_CANCELLED, 0, "connecting to \"%s\" was stopped", uri);
	return err_errno(err, number == ETIMEDOUT ? ERR_TIMEOUT : ERR_IO, number,
			"connecting to \"%s\"", uri);
}

static enum err_code dial_unix(const char *uri, const char *path, struct waker *waker,
		struct dialled *ret, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int number;
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, ERR_CONFIG, 0, "\"%s\": the socket's path is too long", uri);
	memcpy(address.sun_path, path, strlen(path) + 1);
	/* A connect to a Unix socket succeeds or fails at once. */
	fd = connect_to((const struct sockaddr *)&address, sizeof(address), 0, waker, &number);
	if (fd < 0)
		return failed(err, number, uri);
	*ret = (struct dialled){fd, true, true};
	return ERR_NONE;
}

static enum err_code dial_tcp(const char *uri, const LDAPURLDesc *url, int64_t timeout_ms,
		struct waker *waker, struct dialled *ret, struct err *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	const char *host = url->lud_host && *url->lud_host ? url->lud_host : "localhost";
	struct addrinfo *list = NULL;
	int number = EADDRNOTAVAIL;
	int fd = -1;
	bool local = false;
	char service[12];
	int result;

	(void)snprintf(service, sizeof(service), "%d", url->lud_port);
	result = getaddrinfo(host, service, &hints, &list);
	if (result != 0)
		return err_set(err, ERR_IO, 0, "connecting to \"%s\": looking up \"%s\": %s", uri,
				host, gai_strerror(result));
	for (const struct addrinfo *info = list; info && fd < 0 && number != ECANCELED;
			info = info->ai_next) {
		fd = connect_to(info->ai_addr, info->ai_addrlen, timeout_ms, waker, &number);
		local = is_loopback(info->ai_addr);
	}
	freeaddrinfo(list);
	if (fd < 0)
		return failed(err, number, uri);
	*ret = (struct dialled){fd, local, false};
	return ERR_NONE;
}

enum err_code dial(const char *uri, int64_t timeout_ms, struct waker *waker, struct dialled *ret,
		struct err *err)
{
	LDAPURLDesc *url = NULL;
	enum err_code code;

	if (ldap_url_parse(uri, &url) != LDAP_URL_SUCCESS)
		return err_set(err, ERR_CONFIG, 0,
				"\"%s\" is no LDAP URI: write ldaps://HOST, ldap://HOST or "
				"ldapi://PATH",
				uri);
	if (text_equal(url->lud_scheme, "ldapi"))
		code = dial_unix(uri,
				url->lud_host && *url->lud_host ? url->lud_host
								: "/run/slapd/ldapi",
				waker, ret, err);
	else
		code = dial_tcp(uri, url, timeout_ms, waker, ret, err);
	ldap_free_urldesc(url);
	return code;
}
