#include "canned_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void on_woken(struct task *task)
{
	loop_stop(task->loop);
}

static void on_guard(struct task *task)
{
	((struct canned_fixture *)((char *)task - offsetof(struct canned_fixture, guard)))
			->timed_out = true;
	loop_stop(task->loop);
}

void canned_fixture_reconnect(struct canned_fixture *fixture)
{
	struct err err;

	databricks_free(fixture->databricks);
	fixture->settings.has_account = fixture->targets[0].is_account;
	if (databricks_new(fixture->loop, &fixture->settings, &fixture->databricks, &err) !=
			ERR_NONE)
		fail_msg("%s", err.text);
}

void canned_fixture_start(struct canned_fixture *fixture)
{
	*fixture = (struct canned_fixture){.loop = loop_new()};
	canned_start(&fixture->server, fixture->loop);
	assert_int_equal(setenv("TEST_TOKEN", "secret-token", 1), 0);
	assert_int_equal(setenv("TEST_CLIENT_SECRET", "secret", 1), 0);
	assert_int_equal(setenv("HOME", "/nonexistent", 1), 0);
	fixture->targets[0] = (struct target_settings){.name = "dev",
			.host = fixture->server.host,
			.auth = {.values[AUTH_KEY_TOKEN] = "env:TEST_TOKEN", .line = 1}};
	fixture->settings = (struct settings){.targets = fixture->targets, .target_count = 1};
	task_init(&fixture->woken, fixture->loop, on_woken);
	task_init(&fixture->guard, fixture->loop, on_guard);
	fixture->guard_timer = loop_timer_new(fixture->loop, &fixture->guard);
	loop_timer_start(fixture->guard_timer, CANNED_GUARD_MS);
	canned_fixture_reconnect(fixture);
	fixture->call = (struct call){.lane = LANE_SINGLE, .wakes = &fixture->woken};
}

void canned_fixture_stop(struct canned_fixture *fixture)
{
	call_release(&fixture->call);
	databricks_free(fixture->databricks);
	loop_timer_free(fixture->guard_timer);
	task_cancel(&fixture->woken);
	task_cancel(&fixture->guard);
	canned_stop(&fixture->server);
	loop_free(fixture->loop);
}

void canned_fixture_wait(struct canned_fixture *fixture, const bool *done)
{
	while (!*done && !fixture->timed_out)
		loop_run(fixture->loop);
	if (fixture->timed_out)
		fail_msg("still waiting after %d s", CANNED_GUARD_MS / 1000);
}

size_t canned_fixture_requests(const struct canned_fixture *fixture)
{
	return fixture->server.requests.count;
}

const char *canned_fixture_request(const struct canned_fixture *fixture, size_t at)
{
	assert_true(at < fixture->server.requests.count);
	return fixture->server.requests.items[at];
}
