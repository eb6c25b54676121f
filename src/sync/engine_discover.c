/* What the engine does about `discover:`: it remembers its targets, and looks whether they are still the right ones. */
#include "sync/engine_state.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "sync/discover.h"

#define RETRY_FIRST_NS (5 * SECOND_NS)
#define RETRY_MAX_NS (300 * SECOND_NS)

/* Nothing that is ours there is touched: it may be back tomorrow, and nobody said that its people have to go. */
static void tell_vanished(const struct engine *engine)
{
	const struct discovery *discovery = &engine->discovery;

	for (size_t i = 0; i < engine->settings->target_count; i++) {
		const struct target_settings *target = &engine->settings->targets[i];
		bool found = !target->discovered;

		for (size_t j = 0; j < discovery->count && !found; j++)
			found = text_equal(
					discovery->targets[j].workspace_id, target->workspace_id);
		if (!found)
			log_event(LOG_WARNING,
					"a workspace is not among those of the account any more, "
					"or "
					"not running; what is ours there is left alone",
					{"target", target->name});
	}
}

static void take_targets(
		struct engine *engine, const struct workspace_info *workspaces, size_t count)
{
	struct discovery *discovery = &engine->discovery;
	const struct settings *settings = engine->settings;

	discovery->count = discover_choose(settings, discover_hosts(settings, discovery->arena),
			workspaces, count, discovery->arena, &discovery->targets);
	discovery->changed = !discover_is_same(settings, discovery->targets, discovery->count);
	discovery->retry_ns = 0;
	discovery->tries = 0;
	if (!discovery->changed)
		return;
	tell_vanished(engine);
	log_event(LOG_NOTICE, "the account has other workspaces than before",
			{"count", log_int(discovery->count)});
	engine_tell(engine);
}

static uint64_t retry_in(unsigned tries)
{
	uint64_t wait = RETRY_FIRST_NS << (tries < 10 ? tries : 10);

	return wait < RETRY_MAX_NS ? wait : RETRY_MAX_NS;
}

static void answered(struct task *task)
{
	struct engine *engine = (struct engine *)((char *)task -
			offsetof(struct engine, discovery.answered));
	struct discovery *discovery = &engine->discovery;
	const struct workspace_info *workspaces;
	struct target_status status;
	struct err err;
	size_t count;

	if (engine->stopping || !discovery->call.done)
		return;
	discovery->asked = false;
	databricks_status(engine->databricks, 0, &status);
	if (workspace_list_read(&discovery->call, status.host, discovery->arena, &workspaces,
			    &count, &err) == ERR_NONE) {
		take_targets(engine, workspaces, count);
		return;
	}
	log_event(LOG_WARNING,
			"the account's workspaces could not be listed; those of the last time "
			"count until they can",
			{"error", err.text});
	discovery->retry_ns = clock_monotonic_ns() + retry_in(discovery->tries++);
	engine_tick_at(engine, discovery->retry_ns);
}

void discovery_init(struct engine *engine)
{
	task_init(&engine->discovery.answered, engine->loop, answered);
}

static bool is_on(const struct engine *engine)
{
	return engine->settings->has_account && engine->settings->discover.workspaces;
}

void discovery_start(struct engine *engine)
{
	struct discovery *discovery = &engine->discovery;

	if (!is_on(engine) || engine->options.mode != ENGINE_RUN || discovery->asked ||
			discovery->changed)
		return;
	call_release(&discovery->call);
	arena_free(discovery->arena);
	discovery->arena = arena_new();
	discovery->asked = true;
	discovery->call.target = 0;
	discovery->call.lane = LANE_SINGLE;
	discovery->call.wakes = &discovery->answered;
	workspace_list(engine->databricks, &discovery->call);
}

void discovery_tick(struct engine *engine, uint64_t now)
{
	struct discovery *discovery = &engine->discovery;

	if (!discovery->retry_ns)
		return;
	if (now < discovery->retry_ns) {
		engine_tick_at(engine, discovery->retry_ns);
		return;
	}
	discovery->retry_ns = 0;
	discovery_start(engine);
}

void discovery_remember(struct engine *engine)
{
	AUTO(mem_freep) char *text = NULL;

	if (!is_on(engine) || !engine_may_write(engine))
		return;
	text = discover_to_text(engine->settings);
	if (text)
		store_put_meta(records_batch(engine), DISCOVERED_META, text);
}

void discovery_release(struct engine *engine)
{
	call_release(&engine->discovery.call);
	task_cancel(&engine->discovery.answered);
	arena_free(STEAL(engine->discovery.arena));
}

bool engine_targets_changed(const struct engine *engine)
{
	return engine->discovery.changed;
}

void engine_give_targets(const struct engine *engine, struct config *config)
{
	if (engine->discovery.changed)
		config_set_discovered(config, engine->discovery.targets, engine->discovery.count);
}
