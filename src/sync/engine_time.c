#include "sync/access/item.h"

#include "base/clock.h"

#define MINUTE_MS INT64_C(60000)

void engine_tick_at(struct engine *engine, uint64_t monotonic_ns)
{
	uint64_t now = clock_monotonic_ns();

	if (engine->stopping) /* the timer counts the stop down */
		return;
	if (engine->tick_ns && engine->tick_ns <= monotonic_ns)
		return;
	engine->tick_ns = monotonic_ns;
	loop_timer_start(engine->tick, monotonic_ns > now ? (monotonic_ns - now) / 1000000 + 1 : 1);
}

/* The wall clock may step: it is looked at again every minute at the latest. */
static void arm_reconcile(struct engine *engine)
{
	int64_t wait = engine->next_reconcile_ms - clock_wall_ms();

	if (!engine->next_reconcile_ms || engine->options.mode != ENGINE_RUN)
		return;
	wait = wait < 1 ? 1 : wait > MINUTE_MS ? MINUTE_MS : wait;
	engine_tick_at(engine, clock_monotonic_ns() + (uint64_t)wait * 1000000);
}

void engine_schedule_reconcile(struct engine *engine)
{
	int minute = engine->settings->reconcile_minute;

	engine->next_reconcile_ms =
			minute < 0 ? 0 : clock_next_time_of_day(minute, clock_wall_ms());
	arm_reconcile(engine);
}

static void wake_delayed(struct engine *engine, uint64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < engine->delayed.count; i++) {
		struct object *object = engine->delayed.items[i];

		if (object->retry_ns <= now) {
			object->delayed = false;
			pass_mark(engine, object);
			continue;
		}
		engine->delayed.items[kept++] = object;
		engine_tick_at(engine, object->retry_ns);
	}
	engine->delayed.count = kept;
}

static void retry_workspaces(struct engine *engine, uint64_t now)
{
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		struct workspace_state *state = &engine->workspaces[target];

		if (!state->retry_ns)
			continue;
		if (state->retry_ns > now) {
			engine_tick_at(engine, state->retry_ns);
			continue;
		}
		state->retry_ns = 0;
		(void)inventory_workspace_ready(engine, target);
	}
}

static void wake_refused(struct engine *engine, uint64_t now)
{
	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		struct object *object = registry_at(engine->registry, i);

		if (object->refused.count == 0)
			continue;
		if (object->refused_until_ns > now) {
			engine_tick_at(engine, object->refused_until_ns);
			continue;
		}
		ids_release(&object->refused);
		object->verify = object->read_wanted = object->id != 0;
		pass_mark(engine, object);
	}
}

void engine_ticked(struct task *task)
{
	struct engine *engine = (struct engine *)((char *)task - offsetof(struct engine, ticked));
	uint64_t now = clock_monotonic_ns();

	engine->tick_ns = 0;
	if (engine->stopping)
		return;
	wake_delayed(engine, now);
	retry_workspaces(engine, now);
	wake_refused(engine, now);
	access_tick(engine->access, now);
	discovery_tick(engine, now);
	if (engine->next_reconcile_ms && clock_wall_ms() >= engine->next_reconcile_ms)
		engine_reconcile(engine);
	if (engine->options.mode == ENGINE_RUN && !inventory_is_complete(engine) &&
			!engine->inventory && engine->started && now >= engine->inventory_retry_ns)
		inventory_start(engine, false);
	arm_reconcile(engine);
	task_wake(&engine->pass);
}
