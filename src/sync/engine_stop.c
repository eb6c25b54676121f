#include "sync/access/item.h"

static void close_run(struct engine *engine)
{
	if (!engine->store || !engine->started || !engine_may_write(engine))
		return;
	if (engine->options.mode == ENGINE_RUN)
		store_put_meta(records_batch(engine), "run_open", NULL);
	if (access_is_settled(engine->access))
		records_note_rights(engine, false);
	records_flush(engine);
}

static void stop_now(struct engine *engine)
{
	if (engine->stopped)
		return;
	engine->stopped = true;
	if (engine->works + engine->access->works == 0)
		close_run(engine);
	engine_tell(engine);
}

void engine_wind_up(struct task *task)
{
	struct engine *engine = (struct engine *)((char *)task - offsetof(struct engine, wind_up));

	if (!engine->stopping)
		return;
	stop_now(engine);
}

static void stop_timed_out(struct task *task)
{
	stop_now((struct engine *)((char *)task - offsetof(struct engine, ticked)));
}

void engine_stop(struct engine *engine, uint64_t timeout_ms)
{
	if (engine->stopping)
		return;
	engine->stopping = true;
	for (size_t i = 0; i < engine->settings->source_count; i++) {
		feed_free(engine->sources[i].feed);
		engine->sources[i].feed = NULL;
	}
	inventory_cancel(engine);
	call_cancel(&engine->discovery.call);
	keep_all(engine);
	records_flush(engine);
	if (engine->works + engine->access->works == 0) {
		task_wake(&engine->wind_up);
		return;
	}
	/* The tick has no other use any more. */
	task_cancel(&engine->ticked);
	engine->ticked.run = stop_timed_out;
	loop_timer_start(engine->tick, timeout_ms);
}

bool engine_is_stopped(const struct engine *engine)
{
	return engine->stopped;
}
