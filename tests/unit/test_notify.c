/* What systemd is told, over a socket like its own. */
#include "service/notify.h"

#include "fake_engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#define MINUTE_NS ((uint64_t)60 * 1000000000)

struct bench {
	struct loop *loop;
	struct engine *engine;
	struct notify notify;
	char folder[64], path[96];
	int socket;
};

static int set_up(void **state)
{
	struct bench *bench = mem_zalloc(sizeof(*bench));
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct engine_options options = {.mode = ENGINE_RUN};
	struct err err;

	fake_engine_reset();
	bench->loop = loop_new();
	(void)snprintf(bench->folder, sizeof(bench->folder), "/tmp/l2d-notify-XXXXXX");
	if (!mkdtemp(bench->folder))
		return -1;
	(void)snprintf(bench->path, sizeof(bench->path), "%s/notify", bench->folder);
	memcpy(address.sun_path, bench->path, strlen(bench->path) + 1);
	bench->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bind(bench->socket, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
			setenv("NOTIFY_SOCKET", bench->path, 1) != 0)
		return -1;
	notify_init(&bench->notify);
	*state = bench;
	return engine_new(bench->loop, &options, &bench->engine, &err) == ERR_NONE ? 0 : -1;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	engine_free(bench->engine);
	loop_free(bench->loop);
	(void)close(bench->socket);
	(void)unlink(bench->path);
	(void)rmdir(bench->folder);
	(void)unsetenv("NOTIFY_SOCKET");
	mem_free(bench);
	return 0;
}

/* All that was said since the last time, with spaces between. */
static const char *said(const struct bench *bench)
{
	static char text[4096];
	size_t len = 0;
	ssize_t count;

	while ((count = recv(bench->socket, text + len, sizeof(text) - len - 2, 0)) > 0) {
		len += (size_t)count;
		text[len++] = ' ';
	}
	text[len] = '\0';
	return text;
}

static void follow(struct bench *bench)
{
	engine_start(bench->engine);
	loop_run(bench->loop);
	assert_int_equal(engine_phase(bench->engine), ENGINE_FOLLOWING);
}

static void test_ready_when_followed(void **state)
{
	struct bench *bench = *state;
	const char *text;

	notify_look(&bench->notify, bench->engine, 1);
	text = said(bench);
	assert_non_null(strstr(text, "STATUS=starting: 0 entries"));
	assert_non_null(strstr(text, "EXTEND_TIMEOUT_USEC="));
	assert_null(strstr(text, "READY=1"));
	/* Nothing moved, nothing is said: the start may time out. */
	notify_look(&bench->notify, bench->engine, 2);
	assert_string_equal(said(bench), "");
	fake.progress.entries = 200;
	follow(bench);
	notify_look(&bench->notify, bench->engine, 3);
	text = said(bench);
	assert_non_null(strstr(text, "STATUS=following: 200 entries"));
	assert_non_null(strstr(text, "READY=1"));
	fake.progress.entries = 201;
	notify_look(&bench->notify, bench->engine, 4);
	assert_null(strstr(said(bench), "READY=1"));
	notify_stopping(&bench->notify);
	assert_non_null(strstr(said(bench), "STOPPING=1"));
}

static void test_watchdog_needs_progress(void **state)
{
	struct bench *bench = *state;
	uint64_t now = MINUTE_NS;

	follow(bench);
	notify_look(&bench->notify, bench->engine, now);
	/* Nothing to do: quiet for hours is healthy. */
	assert_true(notify_feed(&bench->notify, bench->engine, now + 600 * MINUTE_NS));
	assert_non_null(strstr(said(bench), "WATCHDOG=1"));
	/* Work is there: for a while nothing need move, then it must. */
	fake.progress.operations_left = 5;
	notify_look(&bench->notify, bench->engine, now);
	(void)said(bench);
	assert_true(notify_feed(&bench->notify, bench->engine, now + 14 * MINUTE_NS));
	assert_string_equal(said(bench), "WATCHDOG=1 ");
	assert_false(notify_feed(&bench->notify, bench->engine, now + 16 * MINUTE_NS));
	assert_string_equal(said(bench), "");
	/* A call was made: it lives. */
	fake.progress.calls++;
	assert_true(notify_feed(&bench->notify, bench->engine, now + 16 * MINUTE_NS));
}

static void test_watchdog_interval(void **state)
{
	struct notify notify;

	(void)state;
	(void)unsetenv("WATCHDOG_PID");
	(void)setenv("WATCHDOG_USEC", "30000000", 1);
	notify_init(&notify);
	assert_int_equal(notify.watchdog_ms, 15000);
	(void)unsetenv("WATCHDOG_USEC");
	notify_init(&notify);
	assert_int_equal(notify.watchdog_ms, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test_setup_teardown(
					test_ready_when_followed, set_up, tear_down),
			cmocka_unit_test_setup_teardown(
					test_watchdog_needs_progress, set_up, tear_down),
			cmocka_unit_test(test_watchdog_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
