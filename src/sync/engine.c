#include "sync/access/item.h"

#include "base/clock.h"
#include "base/log.h"

static const char *const phase_names[] = {
		[ENGINE_STARTING] = "starting",
		[ENGINE_READING_DIRECTORY] = "reading directory",
		[ENGINE_READING_DATABRICKS] = "reading Databricks",
		[ENGINE_PLANNED] = "planned",
		[ENGINE_APPLYING] = "applying",
		[ENGINE_FOLLOWING] = "following",
		[ENGINE_DONE] = "done",
		[ENGINE_FAILED] = "failed",
};

const char *engine_phase_name(enum engine_phase phase)
{
	return phase_names[phase];
}

enum engine_phase engine_phase(const struct engine *engine)
{
	return engine->phase;
}

const struct err *engine_error(const struct engine *engine)
{
	return &engine->err;
}

const struct plan *engine_plan(const struct engine *engine)
{
	return &engine->plan;
}

void engine_tell(struct engine *engine)
{
	if (engine->options.wakes)
		task_wake(engine->options.wakes);
}

void engine_set_phase(struct engine *engine, enum engine_phase phase)
{
	if (engine->phase == phase)
		return;
	log_debug("phase: %s -> %s", engine_phase_name(engine->phase), engine_phase_name(phase));
	engine->phase = phase;
	engine_tell(engine);
}

void engine_fail(struct engine *engine, const struct err *err)
{
	engine->err = *err;
	engine_set_phase(engine, ENGINE_FAILED);
}

bool engine_may_write(const struct engine *engine)
{
	return engine->options.mode != ENGINE_PLAN;
}

bool engine_may_change(const struct engine *engine)
{
	return engine_may_write(engine) && engine->settings->mode == MODE_ENFORCE;
}

static bool directory_is_complete(const struct engine *engine)
{
	for (size_t i = 0; i < engine->search_count; i++) {
		if (!engine->search_states[i].complete)
			return false;
	}
	return engine->leavers_confirmed;
}

bool engine_removals_allowed(const struct engine *engine)
{
	return directory_is_complete(engine) && inventory_is_complete(engine);
}

bool engine_removals_allowed_at(const struct engine *engine, unsigned target)
{
	return directory_is_complete(engine) && inventory_is_complete_at(engine, target);
}

/* ---- phases ---- */

void engine_start(struct engine *engine)
{
	engine->started = true;
	if (engine_may_write(engine))
		records_note_rights(engine, true);
	if (engine->options.mode == ENGINE_RUN) {
		store_put_meta(records_batch(engine), "run_open", engine->run_id);
		intake_evaluate_all(engine);
		engine_schedule_reconcile(engine);
	}
	/* An object that an open intent is about is looked at before anything is done to it. */
	for (size_t i = 0; i < engine->intents.count; i++) {
		const struct operation *op = &engine->intents.items[i]->op;
		struct object *object = registry_find(engine->registry, op->target, op->object.key);

		if (!object && engine->settings->has_account)
			object = registry_find(engine->registry, 0, op->object.key);
		if (!object && op->kind == OP_CREATE)
			object = registry_object(engine->registry, op->target, op->principal,
					op->object.key);
		if (object)
			object->read_wanted = true;
		if (op->kind == OP_ASSIGN || op->kind == OP_UNASSIGN)
			(void)inventory_workspace_ready(engine, op->target);
	}
	access_start(engine->access);
	discovery_remember(engine);
	if (engine->options.old_targets)
		discovery_start(engine);
	intake_start(engine);
	if (!engine->inventory_ready)
		inventory_start(engine, true);
	records_flush(engine);
	engine_set_phase(engine, ENGINE_READING_DIRECTORY);
	engine_advance(engine);
}

static void tell_strays(const struct engine *engine)
{
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		size_t count = pass_count_strays(engine, target);

		if (count)
			log_event(LOG_WARNING,
					"principals of ours were made under another configuration, "
					"where this was their place; they are left alone",
					{"target", engine->settings->targets[target].name},
					{"count", log_int(count)});
	}
	if (engine->homeless)
		log_event(LOG_WARNING,
				"principals of ours are in targets that are not configured any "
				"more; they are left alone",
				{"target", engine->homeless_target},
				{"count", log_int(engine->homeless)});
}

static bool searches_settled(const struct engine *engine)
{
	for (size_t i = 0; i < engine->search_count; i++) {
		if (!engine->search_states[i].settled || engine->search_states[i].confirming)
			return false;
	}
	return true;
}

/* ---- what comes next ---- */

static bool workspaces_known(struct engine *engine)
{
	bool known = true;

	for (size_t i = 0; engine->settings->has_account && i < subjects_count(engine->subjects);
			i++) {
		const struct subject *subject = subjects_at(engine->subjects, i);

		for (size_t g = 0; g < subject->count; g++) {
			unsigned workspace = subject->grants[g].target;

			if (subject->grants[g].kind == GRANT_ASSIGNMENT &&
					engine->workspaces[workspace].err.code == ERR_NONE &&
					!inventory_workspace_ready(engine, workspace))
				known = false;
		}
	}
	return known && (!engine->powers_wanted || inventory_powers_settled(engine));
}

static bool workspaces_wait(const struct engine *engine)
{
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		if (engine->workspaces[target].retry_ns)
			return true;
	}
	return false;
}

static void note_complete(struct engine *engine)
{
	char text[24];

	if (!engine_may_write(engine) || !engine_removals_allowed(engine))
		return;
	engine->last_complete_ms = clock_wall_ms();
	store_put_meta(records_batch(engine), "last_complete_ms",
			log_int_text(engine->last_complete_ms, text));
	store_put_meta(records_batch(engine), "config_digest", engine->settings->digest);
	records_flush(engine);
}

/* A reconcile has not seen all of the directory yet. */
static bool is_reading_directory(const struct engine *engine)
{
	for (size_t i = 0; i < engine->search_count; i++) {
		if (engine->search_states[i].enumerating || engine->search_states[i].confirming)
			return true;
	}
	return false;
}

/* What a first load or a reconcile needed goes back to the system once the store is done with it, too. */
void engine_trim(struct task *task)
{
	struct engine *engine = (struct engine *)((char *)task - offsetof(struct engine, trim));

	if (!engine->trim_room.wakes) {
		engine->trim_room.done = false;
		engine->trim_room.wakes = task;
		store_commit(engine->store, store_batch_new(engine->store), &engine->trim_room);
	} else if (engine->trim_room.done) {
		engine->trim_room.wakes = NULL;
		mem_trim();
	}
}

static void advance_run(struct engine *engine)
{
	if (engine->phase != ENGINE_FOLLOWING) {
		engine_set_phase(engine, ENGINE_FOLLOWING);
		engine->reconciling = true;
	}
	if (!engine->inventory && !inventory_is_complete(engine))
		engine_tick_at(engine, engine->inventory_retry_ns);
	if (engine->reconciling && engine_removals_allowed(engine) && pass_is_idle(engine) &&
			pass_count_retries(engine) == 0 &&
			(!inventory_is_known_at(engine, 0, UINT64_MAX) ||
					workspaces_known(engine)) &&
			!inventory_is_running(engine) && !workspaces_wait(engine) &&
			!is_reading_directory(engine)) {
		engine->reconciling = false;
		access_reconciled(engine->access);
		note_complete(engine);
		task_wake(&engine->trim);
		log_event(LOG_NOTICE, "in sync",
				{"operations", log_int(engine->progress.operations_done)},
				{"calls", log_int(databricks_calls(engine->databricks))},
				{"held", log_int(guard_held_count(engine->guard))});
		engine_tell(engine);
	}
}

static bool some_target_is_known(const struct engine *engine)
{
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		if (inventory_is_complete_at(engine, target))
			return true;
	}
	return false;
}

static void advance_once(struct engine *engine)
{
	/* A plan against an unknown Databricks would make everybody twice. */
	if (!some_target_is_known(engine)) {
		if (engine->phase == ENGINE_FAILED)
			return;
		(void)err_context(&engine->err, "Databricks could not be read whole");
		engine_set_phase(engine, ENGINE_FAILED);
		return;
	}
	if (!pass_is_idle(engine) || pass_count_retries(engine) || engine->leavers_asked ||
			!workspaces_known(engine) || inventory_is_running(engine))
		return;
	if (engine->phase == ENGINE_READING_DIRECTORY ||
			engine->phase == ENGINE_READING_DATABRICKS) {
		pass_build_plan(engine);
		engine_set_phase(engine,
				engine->options.mode == ENGINE_PLAN ? ENGINE_DONE : ENGINE_PLANNED);
	} else if (engine->phase == ENGINE_APPLYING) {
		note_complete(engine);
		engine_set_phase(engine, ENGINE_DONE);
	}
}

void engine_advance(struct engine *engine)
{
	if (engine->stopping || !engine->started)
		return;
	if (!engine->directory_ready) {
		if (!searches_settled(engine))
			return;
		engine->directory_ready = true;
		access_directory_read(engine->access);
		inventory_directory_read(engine);
		pass_mark_all(engine);
		if (engine->options.mode == ENGINE_RUN)
			tell_strays(engine);
		engine_ask_for_missing(engine);
		if (engine->phase == ENGINE_READING_DIRECTORY)
			engine_set_phase(engine, ENGINE_READING_DATABRICKS);
	}
	if (!engine->inventory_ready)
		return;
	if (engine->options.mode == ENGINE_RUN)
		advance_run(engine);
	else
		advance_once(engine);
}

void engine_go(struct engine *engine, const struct operation *allowed, size_t allowed_count)
{
	engine->restricted = allowed != NULL;
	engine->allowed = allowed;
	engine->allowed_count = allowed_count;
	engine_set_phase(engine, ENGINE_APPLYING);
	pass_keep_shown(engine);
	pass_mark_all(engine);
}

void engine_reconcile(struct engine *engine)
{
	if (engine->stopping || !engine->started)
		return;
	engine_schedule_reconcile(engine);
	log_event(LOG_NOTICE, "reconcile begins", {"run", engine->run_id});
	engine->reconciling = true;
	discovery_start(engine);
	intake_enumerate(engine);
	inventory_start(engine, true);
	if (engine->directory_ready)
		access_read(engine->access);
}

void engine_progress(const struct engine *engine, struct engine_progress *ret)
{
	*ret = engine->progress;
	ret->calls = databricks_calls(engine->databricks);
	ret->held = guard_held_count(engine->guard);
	ret->operations_left = engine->dirty.count + engine->ready.count - engine->ready_from +
			engine->works;
	ret->operations_left += engine->access->dirty.count + engine->access->ready.count -
			engine->access->ready_from + engine->access->works;
	ret->quarantined = access_count_quarantined(engine->access);
	for (size_t i = 0; i < registry_count(engine->registry); i++)
		ret->quarantined += registry_at(engine->registry, i)->quarantined_ms != 0;
}
