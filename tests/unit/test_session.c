/* An engine for the length of one command. */
#include "cli/session.h"

#include "fake_engine.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static int set_up(void **state)
{
	(void)state;
	fake_engine_reset();
	return 0;
}

static struct session *session_of(enum engine_mode mode)
{
	const struct engine_options options = {.mode = mode};
	struct session *session = NULL;
	struct err err = {0};

	assert_int_equal(session_new(&options, &session, &err), ERR_NONE);
	return session;
}

static void test_plan(void **state)
{
	struct session *session = session_of(ENGINE_PLAN);
	struct err err = {0};

	(void)state;
	assert_int_equal(session_run(session, ENGINE_PLANNED, &err), ERR_NONE);
	assert_int_equal(engine_phase(session_engine(session)), ENGINE_PLANNED);
	session_free(session);
	assert_int_equal(fake.stopped, 1);
	assert_int_equal(fake.freed, 1);
}

static void test_apply(void **state)
{
	struct session *session = session_of(ENGINE_APPLY);
	struct err err = {0};

	(void)state;
	assert_int_equal(session_run(session, ENGINE_PLANNED, &err), ERR_NONE);
	engine_go(session_engine(session), NULL, 0);
	assert_int_equal(session_run(session, ENGINE_DONE, &err), ERR_NONE);
	assert_int_equal(fake.started, 1);
	session_free(session);
}

static void test_failure(void **state)
{
	struct session *session = session_of(ENGINE_PLAN);
	struct err err = {0};

	(void)state;
	(void)err_set(&fake.failure, ERR_AUTH, 0, "bind refused");
	assert_int_equal(session_run(session, ENGINE_PLANNED, &err), ERR_AUTH);
	assert_string_equal(err.text, "bind refused");
	session_free(session);
}

/* One that was only asked, never started, has nothing to be stopped. */
static void test_not_started(void **state)
{
	(void)state;
	session_free(session_of(ENGINE_APPLY));
	assert_int_equal(fake.started, 0);
	assert_int_equal(fake.stopped, 0);
	assert_int_equal(fake.freed, 1);
}

static void test_runs_dry(void **state)
{
	struct session *session = session_of(ENGINE_PLAN);
	struct err err = {0};

	(void)state;
	fake.stuck = true;
	assert_int_equal(session_run(session, ENGINE_PLANNED, &err), ERR_BUG);
	assert_non_null(strstr(err.text, "\"starting\""));
	session_free(session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test_setup(test_plan, set_up),
			cmocka_unit_test_setup(test_apply, set_up),
			cmocka_unit_test_setup(test_failure, set_up),
			cmocka_unit_test_setup(test_not_started, set_up),
			cmocka_unit_test_setup(test_runs_dry, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
