/*
 * A client goes round READING -> WORKING (a sync that waits) -> WRITING -> READING; a whole line
 * that came in behind the answered one is taken without reading. It dies only in its close
 * callback.
 */
#include "service/control_server.h"

#include "base/buf.h"
#include "base/log.h"
#include "service/control_protocol.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_BYTES ((size_t)16 * 1024)
#define SMALL_ANSWER ((size_t)4096) /* always sent */
#define BACKLOG 16
/*
 * Looking at a waiting answer costs a search through all that is known. So it is not done at each wake-up of work that
 * moves quickly, and ever more rarely without one: the end of a reading that found nothing to do wakes nobody.
 */
#define LOOK_FIRST_MS 100
#define LOOK_LAST_MS 2000

struct client {
	struct client *next;
	struct control_server *server; /* not to be touched once closing */
	uv_pipe_t pipe;
	uv_timer_t timer; /* idle time, or the end of a wait */
	uv_write_t write;
	struct buf input;
	size_t taken; /* bytes at the front of input that have been handled */
	char chunk[READ_BYTES];
	char *output;
	size_t output_len;
	struct control_reply reply;           /* while a sync waits */
	bool waiting, writing, closing, last; /* last: close after this answer */
	unsigned handles;
};

struct control_server {
	struct loop *loop;
	struct engine *engine;
	char *path;
	uv_pipe_t *listener;
	struct task look;
	struct loop_timer *look_timer; /* runs while somebody waits */
	uint64_t looked_ms;            /* in the loop's time */
	uint64_t look_delay_ms;        /* until the next look that nobody asks for */
	struct client *clients;
	size_t count, unsent;
};

static void client_serve(struct client *client);

/* ---- end of a client ---- */

static void client_closed(uv_handle_t *handle)
{
	struct client *client = handle->data;

	if (--client->handles > 0)
		return;
	mem_free(client->output);
	buf_release(&client->input);
	mem_free(client);
}

static void client_close(struct client *client)
{
	struct control_server *server = client->server;

	if (client->closing)
		return;
	client->closing = true;
	/* The engine may be gone when the handles are closed. */
	control_reply_release(&client->reply);
	for (struct client **link = &server->clients; *link; link = &(*link)->next) {
		if (*link == client) {
			*link = client->next;
			break;
		}
	}
	server->count--;
	server->unsent -= client->output_len;
	uv_close((uv_handle_t *)&client->pipe, client_closed);
	uv_close((uv_handle_t *)&client->timer, client_closed);
}

/* ---- time ---- */

static void client_timed_out(uv_timer_t *timer)
{
	struct client *client = timer->data;

	if (!client->waiting) {
		client_close(client);
		return;
	}
	control_reply_look(client->server->engine, &client->reply);
	control_reply_expire(&client->reply);
	client_serve(client);
}

static void client_set_timer(struct client *client, uint64_t delay_ms)
{
	uv_update_time(client->timer.loop);
	(void)uv_timer_start(&client->timer, client_timed_out, delay_ms, 0);
}

/* ---- writing ---- */

static void client_written(uv_write_t *write, int status)
{
	struct client *client = write->data;

	client->writing = false;
	if (client->closing)
		return;
	client->server->unsent -= client->output_len;
	client->output_len = 0;
	mem_free(STEAL(client->output));
	if (status < 0 || client->last)
		client_close(client);
	else
		client_serve(client);
}

/* Text of an answer with its newline, or of an error if it is too big. */
static char *answer_text(const struct control_server *server, const json_t *answer, size_t *ret_len)
{
	size_t len = json_dumpb(answer, NULL, 0, JSON_COMPACT);
	char *text;

	if (len > SMALL_ANSWER &&
			(len > CONTROL_ANSWER_MAX || server->unsent + len > CONTROL_UNSENT_MAX)) {
		json_auto_t *error = NULL;
		struct err err = {0};

		(void)err_set(&err, ERR_LIMIT, 0, "the answer is too big (%zu bytes)", len);
		error = control_error(&err);
		return answer_text(server, error, ret_len);
	}
	text = mem_alloc(len + 1);
	(void)json_dumpb(answer, text, len, JSON_COMPACT);
	text[len] = '\n';
	*ret_len = len + 1;
	return text;
}

static void client_answer(struct client *client, const json_t *answer)
{
	uv_buf_t bytes;

	client->output = answer_text(client->server, answer, &client->output_len);
	client->server->unsent += client->output_len;
	client->writing = true;
	client->write.data = client;
	client_set_timer(client, CONTROL_IDLE_MS);
	bytes = uv_buf_init(client->output, (unsigned)client->output_len);
	if (uv_write(&client->write, (uv_stream_t *)&client->pipe, &bytes, 1, client_written) !=
			0) {
		client->writing = false;
		client_close(client);
	}
}

/* ---- reading ---- */

static void client_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct client *client = handle->data;

	(void)suggested;
	*ret = uv_buf_init(client->chunk, sizeof(client->chunk));
}

static void client_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes)
{
	struct client *client = stream->data;

	if (count < 0) {
		client_close(client);
		return;
	}
	if (client->taken > 0) {
		client->input.len -= client->taken;
		memmove(client->input.ptr, client->input.ptr + client->taken, client->input.len);
		client->taken = 0;
	}
	buf_add(&client->input, bytes->base, (size_t)count);
	client_set_timer(client, CONTROL_IDLE_MS);
	client_serve(client);
}

static void client_refuse_line(struct client *client)
{
	json_auto_t *answer = NULL;
	struct err err = {0};

	(void)err_set(&err, ERR_LIMIT, 0, "a request is at most %zu bytes long",
			CONTROL_REQUEST_MAX);
	answer = control_error(&err);
	client->last = true;
	client_answer(client, answer);
}

/* The next whole line that has come in; false if there is none yet. */
static bool client_next_line(const struct client *client, struct span *ret)
{
	const char *start = buf_text(&client->input) + client->taken;
	size_t left = client->input.len - client->taken;
	const char *newline = left ? memchr(start, '\n', left) : NULL;

	*ret = (struct span){start, newline ? (size_t)(newline - start) : left};
	return newline != NULL;
}

static void client_take_line(struct client *client, struct span line)
{
	control_handle_line(client->server->engine, line, &client->reply);
	client->taken += line.len + 1;
	client->waiting = true;
	if (client->reply.answer)
		return;
	client_set_timer(client, client->reply.timeout_ms);
	client->server->look_delay_ms = LOOK_FIRST_MS;
	loop_timer_start(client->server->look_timer, LOOK_FIRST_MS);
}

static void client_send_reply(struct client *client)
{
	struct control_reply reply = client->reply;

	client->reply = (struct control_reply){0};
	client->waiting = false;
	client_answer(client, reply.answer);
	control_reply_release(&reply);
}

/*
 * The one place that decides what a client does next; called when anything about it changed.
 * Writing ends in client_written, which calls it again; so does the end of a wait.
 */
static void client_serve(struct client *client)
{
	struct span line;
	bool whole;

	if (client->writing || client->closing)
		return;
	if (!client->waiting) {
		whole = client_next_line(client, &line);
		if (line.len > CONTROL_REQUEST_MAX) {
			(void)uv_read_stop((uv_stream_t *)&client->pipe);
			client_refuse_line(client);
			return;
		}
		if (whole)
			client_take_line(client, line);
	}
	if (!client->waiting) {
		(void)uv_read_start((uv_stream_t *)&client->pipe, client_allocate, client_read);
		return;
	}
	(void)uv_read_stop((uv_stream_t *)&client->pipe);
	if (client->reply.answer)
		client_send_reply(client);
}

/* ---- the server ---- */

static bool peer_is_allowed(const uv_pipe_t *pipe)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int fd;

	if (uv_fileno((const uv_handle_t *)pipe, &fd) != 0 ||
			getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return false;
	return peer.uid == geteuid() || peer.uid == 0;
}

static struct client *client_new(struct control_server *server)
{
	struct client *client = mem_zalloc(sizeof(*client));

	client->server = server;
	client->handles = 2;
	buf_init(&client->input, CONTROL_REQUEST_MAX + READ_BYTES);
	(void)uv_pipe_init(loop_uv(server->loop), &client->pipe, 0);
	(void)uv_timer_init(loop_uv(server->loop), &client->timer);
	client->pipe.data = client->timer.data = client;
	client->next = server->clients;
	server->clients = client;
	server->count++;
	return client;
}

static void server_connected(uv_stream_t *listener, int status)
{
	struct control_server *server = listener->data;
	struct client *client;

	if (status < 0)
		return;
	client = client_new(server);
	if (uv_accept(listener, (uv_stream_t *)&client->pipe) != 0 ||
			server->count > CONTROL_CLIENTS_MAX) {
		client_close(client);
	} else if (!peer_is_allowed(&client->pipe)) {
		log_event(LOG_WARNING, "a control client of another user was refused",
				{"socket", server->path});
		client_close(client);
	} else {
		client_set_timer(client, CONTROL_IDLE_MS);
		client_serve(client);
	}
}

static void listener_closed(uv_handle_t *handle)
{
	mem_free(handle);
}

/* What a crash left behind. Only a socket: any other file of that name is not ours. */
static enum err_code remove_old_socket(const char *path, struct err *err)
{
	struct stat info;

	if (lstat(path, &info) != 0)
		return errno == ENOENT
				? ERR_NONE
				: err_errno(err, ERR_IO, errno, "control socket \"%s\"", path);
	if (!S_ISSOCK(info.st_mode))
		return err_set(err, ERR_CONFIG, 0,
				"\"%s\" is in the place of the control socket and is none; move it "
				"away",
				path);
	if (unlink(path) != 0)
		return err_errno(err, ERR_IO, errno, "control socket \"%s\"", path);
	return ERR_NONE;
}

static enum err_code server_listen(struct control_server *server, struct err *err)
{
	mode_t mask;
	int status;

	if (strlen(server->path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return err_set(err, ERR_CONFIG, 0,
				"control socket \"%s\": the path is too long for a Unix socket "
				"(over %zu bytes); "
				"put the store in a folder with a shorter name",
				server->path, sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
	if (remove_old_socket(server->path, err) != ERR_NONE)
		return err->code;
	mask = umask(0177);
	status = uv_pipe_bind(server->listener, server->path);
	(void)umask(mask);
	if (status == 0)
		status = uv_listen((uv_stream_t *)server->listener, BACKLOG, server_connected);
	if (status != 0)
		return err_errno(err, ERR_IO, -status, "control socket \"%s\"", server->path);
	return ERR_NONE;
}

/* Looks at all that wait; sees to it that those that still do are looked at again. */
static void server_look_now(struct control_server *server)
{
	struct client *next;
	bool anybody = false;

	for (struct client *client = server->clients; client; client = next) {
		next = client->next; /* serving may close this one */
		if (!client->waiting || client->reply.answer)
			continue;
		control_reply_look(server->engine, &client->reply);
		anybody = anybody || !client->reply.answer;
		client_serve(client);
	}
	server->looked_ms = uv_now(loop_uv(server->loop));
	if (anybody) {
		loop_timer_start(server->look_timer, server->look_delay_ms);
		server->look_delay_ms = server->look_delay_ms * 2 < LOOK_LAST_MS
				? server->look_delay_ms * 2
				: LOOK_LAST_MS;
	}
}

static void server_look_again(struct task *task)
{
	server_look_now((void *)((char *)task - offsetof(struct control_server, look)));
}

void control_server_look(struct control_server *server)
{
	uint64_t since_ms = uv_now(loop_uv(server->loop)) - server->looked_ms;

	if (!loop_timer_active(server->look_timer))
		return; /* nobody waits */
	if (since_ms >= LOOK_FIRST_MS)
		server_look_now(server);
	else
		loop_timer_start(server->look_timer, LOOK_FIRST_MS - since_ms);
}

enum err_code control_server_new(struct loop *loop, struct engine *engine, const char *path,
		struct control_server **ret, struct err *err)
{
	struct control_server *server = mem_zalloc(sizeof(*server));

	server->loop = loop;
	server->engine = engine;
	server->path = mem_strdup(path);
	server->listener = mem_zalloc(sizeof(*server->listener));
	(void)uv_pipe_init(loop_uv(loop), server->listener, 0);
	server->listener->data = server;
	task_init(&server->look, loop, server_look_again);
	server->look_timer = loop_timer_new(loop, &server->look);
	if (server_listen(server, err) != ERR_NONE) {
		control_server_free(server);
		return err->code;
	}
	*ret = server;
	return ERR_NONE;
}

void control_server_free(struct control_server *server)
{
	if (!server)
		return;
	while (server->clients)
		client_close(server->clients);
	task_cancel(&server->look);
	loop_timer_free(server->look_timer);
	/* This removes the file as well, if it came to be. */
	uv_close((uv_handle_t *)server->listener, listener_closed);
	mem_free(server->path);
	mem_free(server);
}
