#include "service/control_client.h"

#include "base/buf.h"
#include "base/clock.h"
#include "service/control_protocol.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_BYTES ((size_t)64 * 1024)

struct control_client {
	int fd;
	struct buf input; /* what came behind the last answer */
};

struct control_client *control_client_from(int fd)
{
	struct control_client *client = mem_zalloc(sizeof(*client));

	client->fd = fd;
	buf_init(&client->input, CONTROL_ANSWER_MAX + READ_BYTES);
	return client;
}

enum err_code control_client_new(const char *path, struct control_client **ret, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	int fd;

	if (len >= sizeof(address.sun_path))
		return err_set(err, ERR_NOT_FOUND, 0, "no socket can have the path \"%s\"", path);
	memcpy(address.sun_path, path, len + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(err, ERR_IO, errno, "control socket");
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		int number = errno;

		(void)close(fd);
		if (number == ENOENT || number == ECONNREFUSED || number == ENOTDIR)
			return err_set(err, ERR_NOT_FOUND, 0, "no service runs at \"%s\"", path);
		if (number == EACCES || number == EPERM)
			return err_set(err, ERR_DENIED, 0,
					"control socket \"%s\" belongs to another user; run this "
					"as the "
					"service's user or as root",
					path);
		return err_errno(err, ERR_IO, number, "control socket \"%s\"", path);
	}
	*ret = control_client_from(fd);
	return ERR_NONE;
}

/* Waits until the socket is ready for events or the time is over. */
static enum err_code wait_for(const struct control_client *client, short events,
		uint64_t deadline_ns, struct err *err)
{
	struct pollfd wait = {.fd = client->fd, .events = events};

	for (;;) {
		uint64_t now = clock_monotonic_ns();
		int count;

		if (now >= deadline_ns)
			return err_set(err, ERR_TIMEOUT, 0, "the service did not answer in time");
		/* Rounded up, so that the last part of a millisecond is not spent spinning. */
		count = poll(&wait, 1, (int)((deadline_ns - now + 999999) / 1000000));
		if (count > 0)
			return ERR_NONE;
		if (count < 0 && errno != EINTR)
			return err_errno(err, ERR_IO, errno, "control socket");
	}
}

static enum err_code send_line(struct control_client *client, struct span line,
		uint64_t deadline_ns, struct err *err)
{
	while (line.len > 0) {
		ssize_t count;

		if (wait_for(client, POLLOUT, deadline_ns, err) != ERR_NONE)
			return err->code;
		count = send(client->fd, line.ptr, line.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (count < 0 && errno != EINTR && errno != EAGAIN)
			return err_errno(err, ERR_IO, errno, "the service closed the connection");
		if (count > 0)
			line = (struct span){line.ptr + count, line.len - (size_t)count};
	}
	return ERR_NONE;
}

static enum err_code read_more(struct control_client *client, uint64_t deadline_ns, struct err *err)
{
	char chunk[READ_BYTES];
	ssize_t count;

	if (wait_for(client, POLLIN, deadline_ns, err) != ERR_NONE)
		return err->code;
	count = recv(client->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	if (count == 0)
		return err_set(err, ERR_IO, 0,
				"the service closed the connection; its log says more");
	if (count < 0)
		return errno == EINTR || errno == EAGAIN
				? ERR_NONE
				: err_errno(err, ERR_IO, errno, "control socket");
	buf_add(&client->input, chunk, (size_t)count);
	if (client->input.overflowed)
		return err_set(err, ERR_LIMIT, 0, "the service's answer is over %zu bytes",
				CONTROL_ANSWER_MAX);
	return ERR_NONE;
}

/* The next line of the service as JSON, a new reference. */
static enum err_code read_answer(
		struct control_client *client, uint64_t deadline_ns, json_t **ret, struct err *err)
{
	size_t searched = 0;
	const char *newline = NULL;
	size_t len;
	json_t *answer;

	while (!newline) {
		if (client->input.len > searched)
			newline = memchr(client->input.ptr + searched, '\n',
					client->input.len - searched);
		searched = client->input.len;
		if (!newline && read_more(client, deadline_ns, err) != ERR_NONE)
			return err->code;
	}
	len = (size_t)(newline - client->input.ptr);
	answer = json_loadb(client->input.ptr, len, 0, NULL);
	client->input.len -= len + 1;
	memmove(client->input.ptr, client->input.ptr + len + 1, client->input.len);
	if (!answer)
		return err_set(err, ERR_PROTO, 0, "the service's answer is no JSON");
	*ret = answer;
	return ERR_NONE;
}

enum err_code control_client_call(struct control_client *client, json_t *request,
		uint64_t timeout_ms, json_t **ret, struct err *err)
{
	uint64_t deadline_ns = clock_monotonic_ns() + timeout_ms * 1000000;
	json_auto_t *owned = request;
	json_auto_t *answer = NULL;
	struct buf line;
	enum err_code code;

	buf_init(&line, CONTROL_REQUEST_MAX + 1);
	{
		char *text = json_dumps(owned, JSON_COMPACT);

		buf_add_text(&line, text ? text : "");
		buf_add_char(&line, '\n');
		free(text);
	}
	if (line.overflowed)
		code = err_set(err, ERR_LIMIT, 0, "the request is over %zu bytes",
				CONTROL_REQUEST_MAX);
	else
		code = send_line(client, (struct span){line.ptr, line.len}, deadline_ns, err);
	buf_release(&line);
	if (code != ERR_NONE || read_answer(client, deadline_ns, &answer, err) != ERR_NONE)
		return err->code;
	return control_result(answer, ret, err);
}

void control_client_free(struct control_client *client)
{
	if (!client)
		return;
	(void)close(client->fd);
	buf_release(&client->input);
	mem_free(client);
}
