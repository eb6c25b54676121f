#include "service/service.h"

#include "base/clock.h"
#include "base/log.h"
#include "service/control_protocol.h"
#include "service/control_server.h"
#include "service/notify.h"
#include "sync/discover.h"
#include "sync/engine.h"

#include <signal.h>
#include <unistd.h>

#define STOP_MS 8000
/* Status lines for systemd, at most so often; and a look at the engine even if nothing woke us. */
#define LOOK_EVERY_MS 1000

static const int signal_numbers[] = {SIGTERM, SIGINT, SIGHUP};

struct service {
	struct config *config;
	struct loop *loop;
	struct engine *engine;
	struct control_server *control;
	struct notify notify;
	struct task changed, look, feed;
	struct loop_timer *look_timer, *feed_timer;
	uv_signal_t signals[COUNT_OF(signal_numbers)];
	enum engine_phase phase;
	bool stopping, renewing;
	bool old_targets;   /* the account did not answer: those that were remembered */
	struct err failure; /* why the engine gave up; code ERR_NONE: it did not */
};

#define SERVICE_OF(task, member)                                                                   \
	((struct service *)(void *)((char *)(task)-offsetof(struct service, member)))

static void service_stop(struct service *service, const char *why)
{
	if (service->stopping)
		return;
	service->stopping = true;
	log_event(LOG_NOTICE, "stopping", {"reason", why});
	notify_stopping(&service->notify);
	engine_stop(service->engine, STOP_MS);
	task_wake(&service->changed);
}

/* ---- wake-ups ---- */

static void note_phase(struct service *service)
{
	enum engine_phase phase = engine_phase(service->engine);

	if (phase == service->phase)
		return;
	service->phase = phase;
	log_event(phase == ENGINE_FOLLOWING ? LOG_NOTICE : LOG_DEBUG, "phase changed",
			{"phase", engine_phase_name(phase)});
	if (phase != ENGINE_FAILED)
		return;
	service->failure = *engine_error(service->engine);
	service_stop(service, "the engine gave up");
}

static void service_renew(struct service *service);

/* Whether another engine takes the place of this one; then the old one is gone or about to end. */
static bool look_at_targets(struct service *service)
{
	if (service->stopping)
		return false;
	if (!service->renewing && engine_targets_changed(service->engine)) {
		service->renewing = true;
		engine_stop(service->engine, STOP_MS);
	}
	if (service->renewing && engine_is_stopped(service->engine))
		service_renew(service);
	return service->renewing;
}

static void service_changed(struct task *task)
{
	struct service *service = SERVICE_OF(task, changed);

	if (look_at_targets(service))
		return;
	note_phase(service);
	if (service->control)
		control_server_look(service->control);
	/* Readiness is told at once, the rest at leisure. */
	if (!service->notify.ready && service->phase == ENGINE_FOLLOWING)
		notify_look(&service->notify, service->engine, clock_monotonic_ns());
	else if (!loop_timer_active(service->look_timer))
		loop_timer_start(service->look_timer, LOOK_EVERY_MS);
	if (service->stopping && engine_is_stopped(service->engine))
		loop_stop(service->loop);
}

static void service_look(struct task *task)
{
	struct service *service = SERVICE_OF(task, look);

	notify_look(&service->notify, service->engine, clock_monotonic_ns());
}

static void service_feed(struct task *task)
{
	struct service *service = SERVICE_OF(task, feed);

	if (!notify_feed(&service->notify, service->engine, clock_monotonic_ns()))
		log_event(LOG_ERROR,
				"nothing moves although there is work: the watchdog is not fed",
				{"phase", engine_phase_name(service->phase)});
	loop_timer_start(service->feed_timer, service->notify.watchdog_ms);
}

/* ---- signals ---- */

static void check_configuration(const struct service *service)
{
	const struct settings *running = config_settings(service->config);
	struct config *fresh = NULL;
	size_t found = 0;
	struct err err = {0};

	if (config_load(running->path, NULL, &fresh, &err) != ERR_NONE) {
		log_event(LOG_ERROR,
				"the configuration on disk is wrong; the service goes on with the "
				"old one",
				{"error", err.text});
		return;
	}
	/* What was discovered is no matter of files. */
	while (found < running->target_count &&
			running->targets[running->target_count - 1 - found].discovered)
		found++;
	config_set_discovered(fresh, running->targets + running->target_count - found, found);
	if (strcmp(config_settings(fresh)->digest, running->digest) == 0)
		log_event(LOG_NOTICE, "the configuration on disk is the one that runs",
				{"config", running->path});
	else
		log_event(LOG_NOTICE,
				"the configuration on disk is good and differs; restart the "
				"service to take it",
				{"config", running->path});
	config_free(fresh);
}

static void service_signalled(uv_signal_t *handle, int number)
{
	struct service *service = handle->data;

	if (number == SIGHUP) {
		check_configuration(service);
		return;
	}
	if (service->stopping)
		_exit(128 + number); /* told twice; recovery is made for sudden ends */
	service_stop(service, number == SIGTERM ? "SIGTERM" : "SIGINT");
}

static void watch_signals(struct service *service)
{
	for (size_t i = 0; i < COUNT_OF(signal_numbers); i++) {
		(void)uv_signal_init(loop_uv(service->loop), &service->signals[i]);
		service->signals[i].data = service;
		(void)uv_signal_start(&service->signals[i], service_signalled, signal_numbers[i]);
	}
}

/* ---- life ---- */

static enum err_code service_open(struct service *service, struct err *err)
{
	struct engine_options options = {.mode = ENGINE_RUN,
			.config = service->config,
			.wakes = &service->changed,
			.old_targets = service->old_targets};
	const char *store_path = config_settings(service->config)->store_path;
	AUTO(mem_freep) char *path = control_path(store_path);

	if (engine_new(service->loop, &options, &service->engine, err) != ERR_NONE)
		return err->code;
	return control_server_new(service->loop, service->engine, path, &service->control, err);
}

/* Clients that wait are cut off: their questions were for the engine that was. */
static void service_renew(struct service *service)
{
	control_server_free(STEAL(service->control));
	engine_give_targets(service->engine, service->config);
	engine_free(STEAL(service->engine));
	service->renewing = service->old_targets = false;
	service->phase = ENGINE_STARTING;
	if (service_open(service, &service->failure) != ERR_NONE) {
		/* Nobody must look at an engine that is not there. */
		service->stopping = true;
		task_cancel(&service->look);
		task_cancel(&service->feed);
		loop_timer_stop(service->look_timer);
		loop_timer_stop(service->feed_timer);
		loop_stop(service->loop);
		return;
	}
	engine_start(service->engine);
	task_wake(&service->changed);
}

/* Nobody waits for the account: those of the last time count until the engine has asked it, as its first call. */
static void discover(struct service *service)
{
	if (!discover_is_on(service->config))
		return;
	discover_remembered(service->config);
	service->old_targets = true;
}

static void service_follow(struct service *service)
{
	watch_signals(service);
	if (service->notify.watchdog_ms)
		loop_timer_start(service->feed_timer, service->notify.watchdog_ms);
	engine_start(service->engine);
	loop_run(service->loop);
	for (size_t i = 0; i < COUNT_OF(service->signals); i++)
		uv_close((uv_handle_t *)&service->signals[i], NULL);
}

static void service_close(struct service *service)
{
	control_server_free(service->control);
	engine_free(service->engine);
	task_cancel(&service->changed);
	task_cancel(&service->look);
	task_cancel(&service->feed);
	loop_timer_free(service->look_timer);
	loop_timer_free(service->feed_timer);
	loop_free(service->loop);
}

enum err_code service_run(struct config *config, struct err *err)
{
	struct service service = {.config = config, .loop = loop_new()};
	enum err_code code;

	notify_init(&service.notify);
	task_init(&service.changed, service.loop, service_changed);
	task_init(&service.look, service.loop, service_look);
	task_init(&service.feed, service.loop, service_feed);
	service.look_timer = loop_timer_new(service.loop, &service.look);
	service.feed_timer = loop_timer_new(service.loop, &service.feed);
	discover(&service);
	code = service_open(&service, err);
	if (code == ERR_NONE) {
		log_event(LOG_NOTICE, "started", {"config", config_settings(config)->path});
		service_follow(&service);
		if (service.failure.code != ERR_NONE)
			*err = service.failure;
		code = service.failure.code;
		log_event(LOG_NOTICE, "stopped", {"config", config_settings(config)->path});
	}
	service_close(&service);
	return code;
}
