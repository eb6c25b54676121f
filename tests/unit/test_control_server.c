/*
 * The control socket for real: a server on a loop in this thread, clients that block on it in
 * another. Each test says in its client what it sends and what it must get; the loop ends when the
 * client does.
 */
#include "service/control_client.h"
#include "service/control_protocol.h"
#include "service/control_server.h"

#include "fake_engine.h"

#include "base/buf.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#define WAIT_MS 20000

struct bench {
	struct loop *loop;
	struct engine *engine;
	struct control_server *server;
	char folder[64], path[96];
	/* the client thread */
	void (*client)(struct bench *bench);
	uv_async_t ended, change;
	uv_thread_t thread;
	const char *failure; /* what the client did not get; static text */
};

static int set_up(void **state)
{
	struct bench *bench = mem_zalloc(sizeof(*bench));
	struct engine_options options = {.mode = ENGINE_RUN};
	struct err err = {0};

	fake_engine_reset();
	bench->loop = loop_new();
	(void)snprintf(bench->folder, sizeof(bench->folder), "/tmp/l2d-control-XXXXXX");
	if (!mkdtemp(bench->folder) ||
			engine_new(bench->loop, &options, &bench->engine, &err) != ERR_NONE)
		return -1;
	(void)snprintf(bench->path, sizeof(bench->path), "%s/state.db.sock", bench->folder);
	*state = bench;
	return control_server_new(bench->loop, bench->engine, bench->path, &bench->server, &err) ==
					ERR_NONE
			? 0
			: -1;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	bool gone;

	control_server_free(bench->server);
	engine_free(bench->engine);
	loop_free(bench->loop);
	/* Empty: the socket file has gone with its server. */
	gone = rmdir(bench->folder) == 0;
	mem_free(bench);
	return gone ? 0 : -1;
}

static void client_thread(void *context)
{
	struct bench *bench = context;

	bench->client(bench);
	(void)uv_async_send(&bench->ended);
}

static void client_ended(uv_async_t *async)
{
	struct bench *bench = async->data;

	uv_close((uv_handle_t *)&bench->ended, NULL);
	uv_close((uv_handle_t *)&bench->change, NULL);
	loop_stop(bench->loop);
}

static void engine_changed(uv_async_t *async)
{
	struct bench *bench = async->data;

	fake.explain_state = "in_sync";
	control_server_look(bench->server);
}

static void run(void **state, void (*client)(struct bench *bench))
{
	struct bench *bench = *state;

	bench->client = client;
	bench->ended.data = bench->change.data = bench;
	assert_int_equal(uv_async_init(loop_uv(bench->loop), &bench->ended, client_ended), 0);
	assert_int_equal(uv_async_init(loop_uv(bench->loop), &bench->change, engine_changed), 0);
	assert_int_equal(uv_thread_create(&bench->thread, client_thread, bench), 0);
	loop_run(bench->loop);
	assert_int_equal(uv_thread_join(&bench->thread), 0);
	if (bench->failure)
		fail_msg("client: %s", bench->failure);
}

/* In a client: notes the first thing that is not as it should be. */
static bool want(struct bench *bench, bool condition, const char *what)
{
	if (!condition && !bench->failure)
		bench->failure = what;
	return condition;
}

/* ---- raw clients ---- */

static int raw_connect(const struct bench *bench)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, bench->path, strlen(bench->path) + 1);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static bool raw_send(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t count = send(fd, bytes, len, MSG_NOSIGNAL);

		if (count <= 0)
			return false;
		bytes += count;
		len -= (size_t)count;
	}
	return true;
}

/* The next line into text, without its newline; false at the end of the stream. Byte by byte: only
 * for short answers. */
static bool raw_line(int fd, char *text, size_t size)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	size_t len = 0;

	while (len + 1 < size && poll(&wait, 1, WAIT_MS) > 0 && read(fd, text + len, 1) == 1) {
		if (text[len] == '\n') {
			text[len] = '\0';
			return true;
		}
		len++;
	}
	return false;
}

/* Whether the server closes the connection. */
static bool raw_is_closed(int fd)
{
	char byte;
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	return poll(&wait, 1, WAIT_MS) > 0 && read(fd, &byte, 1) <= 0;
}

/* ---- tests ---- */

static void client_ask(struct bench *bench)
{
	struct control_client *client = NULL;
	json_auto_t *status = NULL;
	json_t *nothing = NULL;
	struct err err = {0};

	if (!want(bench, control_client_new(bench->path, &client, &err) == ERR_NONE, "connects"))
		return;
	want(bench,
			control_client_call(client, json_pack("{s:s}", "command", "status"),
					WAIT_MS, &status, &err) == ERR_NONE,
			"status is answered");
	want(bench, text_equal(json_string_value(json_object_get(status, "phase")), "starting"),
			"the phase");
	want(bench,
			control_client_call(client,
					json_pack("{s:s, s:s}", "command", "explain", "who", "x"),
					WAIT_MS, &nothing, &err) == ERR_NOT_FOUND,
			"an error comes as one");
	json_decref(status);
	status = NULL;
	want(bench,
			control_client_call(client, json_pack("{s:s}", "command", "status"),
					WAIT_MS, &status, &err) == ERR_NONE,
			"and the connection goes on");
	control_client_free(client);
}

static void test_ask(void **state)
{
	run(state, client_ask);
}

static void client_malformed(struct bench *bench)
{
	static const char lines[] = "nonsense\n\n{}\n{\"command\":\"reconcile\"}\n";
	char text[512];
	int fd = raw_connect(bench);

	want(bench, raw_send(fd, lines, sizeof(lines) - 1), "is taken");
	for (int i = 0; i < 3; i++)
		want(bench, raw_line(fd, text, sizeof(text)) && strstr(text, "\"usage\""),
				"is refused, one by one");
	want(bench,
			raw_line(fd, text, sizeof(text)) &&
					text_equal(text, "{\"ok\":true,\"result\":{}}"),
			"the good line behind them is answered");
	(void)close(fd);
}

static void test_malformed(void **state)
{
	run(state, client_malformed);
	assert_int_equal(fake.reconciled, 1);
}

static void client_pieces(struct bench *bench)
{
	static const char line[] = "{\"command\":\"reconcile\"}\n";
	char text[512];
	int fd = raw_connect(bench);

	for (size_t i = 0; i < sizeof(line) - 1; i++)
		want(bench, raw_send(fd, line + i, 1), "a byte is taken");
	want(bench,
			raw_line(fd, text, sizeof(text)) &&
					text_equal(text, "{\"ok\":true,\"result\":{}}"),
			"is answered");
	(void)close(fd);
}

static void test_byte_by_byte(void **state)
{
	run(state, client_pieces);
}

static void client_giant(struct bench *bench)
{
	char text[512];
	char *line = mem_alloc(CONTROL_REQUEST_MAX + 2);
	int fd = raw_connect(bench);

	/* As long as allowed: spaces are JSON too. */
	memset(line, ' ', CONTROL_REQUEST_MAX + 2);
	memcpy(line, "{\"command\":\"reconcile\"}", 23);
	line[CONTROL_REQUEST_MAX] = '\n';
	want(bench, raw_send(fd, line, CONTROL_REQUEST_MAX + 1), "the longest line is taken");
	want(bench,
			raw_line(fd, text, sizeof(text)) &&
					text_equal(text, "{\"ok\":true,\"result\":{}}"),
			"and answered");
	/* One byte more, and no newline in sight. */
	memset(line, 'x', CONTROL_REQUEST_MAX + 2);
	(void)raw_send(fd, line, CONTROL_REQUEST_MAX + 1);
	want(bench, raw_line(fd, text, sizeof(text)) && strstr(text, "\"limit\""),
			"a longer one is refused");
	want(bench, raw_is_closed(fd), "and the connection closed");
	(void)close(fd);
	mem_free(line);
}

static void test_giant(void **state)
{
	run(state, client_giant);
}

static void client_slow(struct bench *bench)
{
	static const char ask[] = "{\"command\":\"status\"}\n{\"command\":\"status\"}\n{"
				  "\"command\":\"status\"}\n";
	int slow = raw_connect(bench);
	char *answer = mem_alloc(fake.padding + 512);
	size_t got = 0, newlines = 0;
	ssize_t count;

	/* It asks for three big answers and reads none of them; the others are served all the same.
	 */
	want(bench, raw_send(slow, ask, sizeof(ask) - 1), "is taken");
	client_ask(bench);
	while (newlines < 3 && (count = read(slow, answer, fake.padding)) > 0) {
		got += (size_t)count;
		for (ssize_t i = 0; i < count; i++)
			newlines += answer[i] == '\n';
	}
	want(bench, newlines == 3 && got > 3 * fake.padding, "gets all of its answers in the end");
	(void)close(slow);
	mem_free(answer);
}

static void test_slow_reader_delays_nobody(void **state)
{
	fake.padding = 4 * 1024 * 1024;
	run(state, client_slow);
}

static void client_too_big(struct bench *bench)
{
	struct control_client *client = NULL;
	json_t *status = NULL;
	struct err err = {0};

	if (!want(bench, control_client_new(bench->path, &client, &err) == ERR_NONE, "connects"))
		return;
	want(bench,
			control_client_call(client, json_pack("{s:s}", "command", "status"),
					WAIT_MS, &status, &err) == ERR_LIMIT,
			"an answer over the limit is an error");
	control_client_free(client);
}

static void test_too_big_answer(void **state)
{
	fake.padding = CONTROL_ANSWER_MAX;
	run(state, client_too_big);
}

static void client_vanishes(struct bench *bench)
{
	static const char ask[] = "{\"command\":\"status\"}\n";

	for (int i = 0; i < 20; i++) {
		int fd = raw_connect(bench);

		want(bench, raw_send(fd, ask, i % 2 ? sizeof(ask) - 1 : 7), "is taken");
		(void)close(fd);
	}
	client_ask(bench);
}

static void test_vanishing_clients(void **state)
{
	fake.padding = 1024 * 1024;
	run(state, client_vanishes);
}

static void client_crowd(struct bench *bench)
{
	int fds[CONTROL_CLIENTS_MAX];
	char text[512];
	int extra;

	for (size_t i = 0; i < COUNT_OF(fds); i++) {
		fds[i] = raw_connect(bench);
		want(bench, raw_send(fds[i], "{}\n", 3) && raw_line(fds[i], text, sizeof(text)),
				"one of the crowd");
	}
	extra = raw_connect(bench);
	want(bench, raw_is_closed(extra), "one too many is sent away");
	(void)close(extra);
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		(void)close(fds[i]);
}

static void test_too_many_clients(void **state)
{
	run(state, client_crowd);
}

static void client_sync(struct bench *bench)
{
	struct control_client *client = NULL;
	json_auto_t *result = NULL;
	struct err err = {0};
	static const char ask[] = "{\"command\":\"sync\",\"kind\":\"user\",\"name\":\"bo\"}\n";
	int other = raw_connect(bench);
	char text[512];

	/* One asks and waits; nothing has happened yet. The other does not want to wait. */
	want(bench, raw_send(other, ask, sizeof(ask) - 1), "is taken");
	if (want(bench, control_client_new(bench->path, &client, &err) == ERR_NONE, "connects"))
		want(bench,
				control_client_call(client,
						json_pack("{s:s, s:s, s:s, s:i}", "command", "sync",
								"kind", "user", "name", "ada",
								"timeout_ms", 1),
						WAIT_MS, &result, &err) == ERR_NONE,
				"an answer comes in time");
	want(bench, text_equal(json_string_value(json_object_get(result, "state")), "under_way"),
			"it says so");
	control_client_free(client);
	(void)uv_async_send(&bench->change);
	want(bench, raw_line(other, text, sizeof(text)) && strstr(text, "\"state\":\"done\""),
			"the end is told");
	(void)close(other);
}

static void test_sync(void **state)
{
	fake.explain_state = "pending";
	run(state, client_sync);
	assert_int_equal(fake.synced, 2);
}

static void client_patient(struct bench *bench)
{
	static const char ask[] = "{\"command\":\"sync\",\"kind\":\"user\",\"name\":\"bo\"}\n";
	int fd = raw_connect(bench);
	char text[512];

	want(bench, raw_send(fd, ask, sizeof(ask) - 1), "is taken");
	want(bench, raw_line(fd, text, sizeof(text)) && strstr(text, "\"state\":\"done\""),
			"the end is told although nothing woke the server");
	(void)close(fd);
}

static void settle_quietly(uv_timer_t *timer)
{
	fake.explain_state = "in_sync";
	uv_close((uv_handle_t *)timer, NULL);
}

/* A reading that finds all in order wakes nobody. */
static void test_sync_without_wake_up(void **state)
{
	struct bench *bench = *state;
	uv_timer_t timer;

	fake.explain_state = "pending";
	(void)uv_timer_init(loop_uv(bench->loop), &timer);
	(void)uv_timer_start(&timer, settle_quietly, 150, 0);
	run(state, client_patient);
}

static void test_socket_file(void **state)
{
	struct bench *bench = *state;
	struct control_server *second = NULL;
	char path[160];
	struct stat info;
	struct err err = {0};

	assert_int_equal(stat(bench->path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	/* What a crash left behind is replaced. */
	control_server_free(bench->server);
	bench->server = NULL;
	{
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		memcpy(address.sun_path, bench->path, strlen(bench->path) + 1);
		(void)unlink(bench->path);
		assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
		(void)close(fd);
	}
	assert_int_equal(control_server_new(bench->loop, bench->engine, bench->path, &bench->server,
					 &err),
			ERR_NONE);
	/* Any other file is not. */
	(void)snprintf(path, sizeof(path), "%s/file", bench->folder);
	assert_int_equal(close(open(path, O_WRONLY | O_CREAT, 0600)), 0);
	assert_int_equal(control_server_new(bench->loop, bench->engine, path, &second, &err),
			ERR_CONFIG);
	assert_int_equal(unlink(path), 0);
	/* A path that no socket can have is said, not cut. */
	memset(path, 'p', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(control_server_new(bench->loop, bench->engine, path, &second, &err),
			ERR_CONFIG);
	assert_non_null(strstr(err.text, "too long"));
}

static void test_no_service(void **state)
{
	struct control_client *client = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(control_client_new("/nonexistent/state.db.sock", &client, &err),
			ERR_NOT_FOUND);
	assert_null(client);
}

/* ---- the client against a service that is none ---- */

static void test_client_bounds(void **state)
{
	static const struct {
		const char *answer; /* NULL: none at all */
		bool ends;
		enum err_code code;
	} cases[] = {
			{NULL, false, ERR_TIMEOUT},
			{NULL, true, ERR_IO},
			{"half a line", true, ERR_IO},
			{"no JSON\n", false, ERR_PROTO},
			{"{}\n", false, ERR_PROTO},
			{"{\"ok\":false,\"error\":{\"code\":\"new_kind\",\"text\":\"x\"}}\n", false,
					ERR_PROTO},
			{"{\"ok\":true,\"result\":1}\n{\"ok\":tr", false, ERR_NONE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct control_client *client;
		json_t *result = NULL;
		struct err err = {0};
		int ends[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
		client = control_client_from(ends[0]);
		if (cases[i].answer)
			assert_true(raw_send(ends[1], cases[i].answer, strlen(cases[i].answer)));
		if (cases[i].ends)
			assert_int_equal(shutdown(ends[1], SHUT_WR), 0);
		assert_int_equal(control_client_call(client, json_object(), 50, &result, &err),
				cases[i].code);
		json_decref(result);
		control_client_free(client);
		(void)close(ends[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test_setup_teardown(test_ask, set_up, tear_down),
			cmocka_unit_test_setup_teardown(test_malformed, set_up, tear_down),
			cmocka_unit_test_setup_teardown(test_byte_by_byte, set_up, tear_down),
			cmocka_unit_test_setup_teardown(test_giant, set_up, tear_down),
			cmocka_unit_test_setup_teardown(
					test_slow_reader_delays_nobody, set_up, tear_down),
			cmocka_unit_test_setup_teardown(test_too_big_answer, set_up, tear_down),
			cmocka_unit_test_setup_teardown(test_vanishing_clients, set_up, tear_down),
			cmocka_unit_test_setup_teardown(test_too_many_clients, set_up, tear_down),
			cmocka_unit_test_setup_teardown(test_sync, set_up, tear_down),
			cmocka_unit_test_setup_teardown(
					test_sync_without_wake_up, set_up, tear_down),
			cmocka_unit_test_setup_teardown(test_socket_file, set_up, tear_down),
			cmocka_unit_test(test_no_service),
			cmocka_unit_test(test_client_bounds),
	};

	/* As in main.c: libuv writes without MSG_NOSIGNAL. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
