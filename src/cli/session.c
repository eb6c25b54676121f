#include "cli/session.h"

#include "cli/terminal.h"

#include <signal.h>
#include <unistd.h>

#define PROGRESS_AFTER_MS 1000
#define PROGRESS_EVERY_MS 200

struct session {
	struct loop *loop;
	struct engine *engine;
	struct task changed, tick;
	struct loop_timer *timer;
	uv_signal_t signals[2];
	enum engine_phase until;
	bool started, stopping, interrupted;
	bool stuck;                           /* the loop ran dry before the phase came */
	bool (*is_done)(const void *context); /* of session_wait; NULL: the phase counts */
	const void *context;
};

#define SESSION_OF(task, member)                                                                   \
	((struct session *)(void *)((char *)(task)-offsetof(struct session, member)))

static void show_progress(const struct session *session)
{
	struct engine_progress progress;
	uint64_t done;

	engine_progress(session->engine, &progress);
	switch (engine_phase(session->engine)) {
	case ENGINE_STARTING:
	case ENGINE_READING_DIRECTORY:
		progress_draw("reading the directory: entries", progress.entries, 0);
		break;
	case ENGINE_READING_DATABRICKS:
		progress_draw("reading Databricks: principals", progress.principals, 0);
		break;
	case ENGINE_APPLYING:
		done = progress.operations_done + progress.operations_failed;
		progress_draw("applying", done, done + progress.operations_left);
		break;
	case ENGINE_PLANNED:
	case ENGINE_FOLLOWING:
	case ENGINE_DONE:
	case ENGINE_FAILED:
		progress_clear();
		break;
	}
}

static void session_tick(struct task *task)
{
	struct session *session = SESSION_OF(task, tick);

	show_progress(session);
	loop_timer_start(session->timer, PROGRESS_EVERY_MS);
}

static bool is_over(const struct session *session)
{
	if (session->stopping)
		return engine_is_stopped(session->engine);
	if (session->is_done)
		return session->is_done(session->context);
	return engine_phase(session->engine) >= session->until;
}

static void session_changed(struct task *task)
{
	struct session *session = SESSION_OF(task, changed);

	if (is_over(session))
		loop_stop(session->loop);
}

static void session_signalled(uv_signal_t *handle, int number)
{
	struct session *session = handle->data;

	if (session->stopping)
		_exit(128 + number); /* asked twice: recovery is made for it */
	session->interrupted = session->stopping = true;
	engine_stop(session->engine, SESSION_STOP_MS);
	task_wake(&session->changed);
}

/* A signal alone is no work to wait for: the handles do not keep the loop alive. */
static void make_signals(struct session *session)
{
	for (size_t i = 0; i < COUNT_OF(session->signals); i++) {
		(void)uv_signal_init(loop_uv(session->loop), &session->signals[i]);
		session->signals[i].data = session;
		uv_unref((uv_handle_t *)&session->signals[i]);
	}
}

/*
 * Only while something is carried out. Before that there is nothing to be brought to an end, and at the question, where no
 * loop runs, an interrupt must do what it always does.
 */
static void watch_signals(struct session *session, bool watch)
{
	static const int numbers[] = {SIGINT, SIGTERM};

	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		if (watch)
			(void)uv_signal_start(&session->signals[i], session_signalled, numbers[i]);
		else
			(void)uv_signal_stop(&session->signals[i]);
	}
}

enum err_code session_new(
		const struct engine_options *options, struct session **ret, struct err *err)
{
	struct session *session = mem_zalloc(sizeof(*session));
	struct engine_options own = *options;

	session->loop = loop_new();
	task_init(&session->changed, session->loop, session_changed);
	task_init(&session->tick, session->loop, session_tick);
	own.wakes = &session->changed;
	if (engine_new(session->loop, &own, &session->engine, err) != ERR_NONE) {
		loop_free(session->loop);
		mem_free(session);
		return err->code;
	}
	session->timer = loop_timer_new(session->loop, &session->tick);
	make_signals(session);
	*ret = session;
	return ERR_NONE;
}

struct engine *session_engine(const struct session *session)
{
	return session->engine;
}

enum err_code session_run(struct session *session, enum engine_phase until, struct err *err)
{
	session->until = until;
	watch_signals(session, until > ENGINE_PLANNED);
	if (!session->started) {
		session->started = true;
		engine_start(session->engine);
	}
	if (isatty(STDERR_FILENO))
		loop_timer_start(session->timer, PROGRESS_AFTER_MS);
	if (!is_over(session))
		loop_run(session->loop);
	session->stuck = !is_over(session);
	watch_signals(session, false);
	loop_timer_stop(session->timer);
	task_cancel(&session->tick);
	progress_clear();
	if (session->interrupted)
		return err_set(err, ERR_CANCELLED, 0, "interrupted");
	if (session->stuck)
		return err_set(err, ERR_BUG, 0,
				"the engine stopped in the phase \"%s\" and waits for nothing",
				engine_phase_name(engine_phase(session->engine)));
	if (engine_phase(session->engine) == ENGINE_FAILED) {
		*err = *engine_error(session->engine);
		return err->code;
	}
	return ERR_NONE;
}

enum err_code session_wait(struct session *session, bool (*is_done)(const void *context),
		const void *context, struct err *err)
{
	session->is_done = is_done;
	session->context = context;
	if (!is_over(session))
		loop_run(session->loop);
	session->stuck = !is_over(session);
	session->is_done = NULL;
	if (session->stuck)
		return err_set(err, ERR_BUG, 0, "an answer never came and nothing waits for it");
	return ERR_NONE;
}

void session_free(struct session *session)
{
	if (!session)
		return;
	if (session->started && !session->stopping) {
		session->stopping = true;
		engine_stop(session->engine, SESSION_STOP_MS);
	}
	if (session->started && !is_over(session))
		loop_run(session->loop);
	engine_free(session->engine);
	task_cancel(&session->changed);
	task_cancel(&session->tick);
	loop_timer_free(session->timer);
	for (size_t i = 0; i < COUNT_OF(session->signals); i++)
		uv_close((uv_handle_t *)&session->signals[i], NULL);
	loop_free(session->loop);
	mem_free(session);
}

void session_freep(struct session **session)
{
	session_free(*session);
}
