/*
 * worker -- one object at a time is read, or one call of its plan is made.
 *
 *   read:   ASK ──► (IN_ACCOUNT) ──► PRINCIPAL ──► (BY_NAME) ──► SEEN (each workspace with grants) ──► end
 *   write:  COMMIT (intents durable) ──► ANSWER ──► end
 *
 * Callbacks only wake the task; the stages run in work_run. At its end the object is dirty again:
 * what is still missing is planned anew from what is known then, so a call is always computed just
 * before it is sent.
 */
#include "sync/access/item.h"
#include "sync/work.h"

#include "base/clock.h"
#include "base/log.h"

#define RETRY_FIRST_NS (SECOND_NS / 2)
#define RETRY_MAX_NS (3600 * SECOND_NS)
#define RETRY_TRANSIENT_MAX_NS (300 * SECOND_NS) /* after an outage nobody waits for long */
#define TRIES_BEFORE_QUARANTINE 6
#define TARGET_RETRY_MAX_NS (60 * SECOND_NS)

static void work_run(struct task *task);

static struct work *work_new(struct engine *engine, struct object *object, enum lane lane)
{
	struct work *work = mem_zalloc(sizeof(*work));

	task_init(&work->task, engine->loop, work_run);
	work->engine = engine;
	work->object = object;
	work->arena = arena_new();
	work->lane = lane;
	object->work = work;
	engine->works++;
	return work;
}

static void work_end(struct work *work)
{
	struct engine *engine = work->engine;
	struct object *object = work->object;

	task_cancel(&work->task);
	call_release(&work->call);
	arena_free(work->arena);
	vec_release(&work->ops);
	vec_release(&work->workspaces);
	mem_free(work);
	object->work = NULL;
	engine->works--;
	pass_wake_waiters(engine, object);
	pass_mark(engine, object);
	task_wake(&engine->pass);
	if (engine->stopping && engine->works + engine->access->works == 0)
		task_wake(&engine->wind_up);
}

void work_prepare_call(struct work *work, unsigned target)
{
	call_release(&work->call);
	work->call.target = target;
	work->call.lane = work->lane;
	work->call.wakes = &work->task;
}

/* ---- trouble ---- */

static void quarantine(struct engine *engine, struct object *object, const struct err *err)
{
	if (!object->quarantined_ms)
		object->quarantined_ms = clock_wall_ms();
	mem_free(object->reason);
	object->reason = mem_strdup(err->text);
	engine->progress.operations_failed++;
	log_event(pass_quarantine_level(engine), "quarantined",
			{"principal", pass_name(engine, object)}, {"key", object->key},
			{"target", engine->settings->targets[object->target].name},
			{"tries", log_int(object->tries)}, {"error", err->text});
}

void work_delay(struct work *work, uint64_t ns)
{
	work->object->retry_ns = clock_monotonic_ns() + ns;
	engine_tick_at(work->engine, work->object->retry_ns);
}

static uint64_t back_off(unsigned tries, uint64_t first)
{
	uint64_t ns = first;

	for (unsigned i = 1; i < tries && ns < RETRY_MAX_NS; i++)
		ns *= 2;
	return ns < RETRY_MAX_NS ? ns : RETRY_MAX_NS;
}

/* Trouble with the target says nothing about the object: it is not quarantined for it, and goes on soon
 * after the target does. `apply` comes to an end all the same. */
static bool is_of_target(const struct work *work, const struct err *err)
{
	return work->engine->options.mode == ENGINE_RUN &&
			(err->code == ERR_AUTH || err->code == ERR_THROTTLED ||
					err->code == ERR_IO);
}

void work_retry_later(struct work *work, const struct err *err)
{
	struct object *object = work->object;
	/* Not found: what is missing is looked for before anything is done again. */
	bool transient = err_is_transient(err) || err->code == ERR_AUTH ||
			err->code == ERR_NOT_FOUND;
	uint64_t wait = back_off(++object->tries, transient ? RETRY_FIRST_NS : 30 * SECOND_NS);

	if (transient && wait > RETRY_TRANSIENT_MAX_NS)
		wait = RETRY_TRANSIENT_MAX_NS;
	if (is_of_target(work, err))
		wait = wait < TARGET_RETRY_MAX_NS ? wait : TARGET_RETRY_MAX_NS;
	else if (!transient || object->tries >= TRIES_BEFORE_QUARANTINE)
		quarantine(work->engine, object, err);
	if (err->retry_after_s && wait < err->retry_after_s * SECOND_NS)
		wait = err->retry_after_s * SECOND_NS;
	work_delay(work, wait);
	if (object->quarantined_ms)
		records_quarantine(work->engine, object);
	log_debug("key=%s tries=%u retry in %llu ms: %s", object->key, object->tries,
			(unsigned long long)(wait / 1000000), err->text);
}

void work_went_well(struct work *work)
{
	struct object *object = work->object;

	object->tries = 0;
	object->retry_ns = 0;
	if (!object->quarantined_ms)
		return;
	object->quarantined_ms = 0;
	mem_free(object->reason);
	object->reason = NULL;
	records_quarantine(work->engine, object);
}

static void work_run(struct task *task)
{
	struct work *work = (struct work *)task; /* task is its first member */

	switch (work->stage) {
	case STAGE_ASK:
		work_read_ask(work);
		break;
	case STAGE_IN_ACCOUNT:
	case STAGE_BY_EXTERNAL_ID:
	case STAGE_BY_NAME:
		if (!work->call.done)
			return;
		work_find_answered(work);
		break;
	case STAGE_PRINCIPAL:
		if (!work->call.done)
			return;
		work_read_answered(work);
		break;
	case STAGE_SEEN:
		if (!work->call.done)
			return;
		work_seen_answered(work);
		break;
	case STAGE_COMMIT:
		if (!work->commit.done)
			return;
		work_write_committed(work);
		break;
	case STAGE_ANSWER:
		if (!work->call.done)
			return;
		work_write_answered(work);
		break;
	case STAGE_END:
		break;
	}
	if (work->stage == STAGE_END)
		work_end(work);
}

/* `apply` writes only after somebody saw the plan. */
static bool may_send(const struct engine *engine)
{
	return engine_may_change(engine) &&
			(engine->options.mode == ENGINE_RUN || engine->phase == ENGINE_APPLYING);
}

bool worker_start(struct engine *engine, struct object *object, enum lane lane)
{
	struct work *work;
	bool under_way = true;

	if (!object->read_wanted && !may_send(engine))
		return false;
	work = work_new(engine, object, lane);
	if (object->read_wanted)
		work_read_ask(work);
	else
		under_way = work_write_start(work);
	if (work->stage != STAGE_END)
		return true;
	if (under_way) {
		work_end(work);
		return true;
	}
	/* Nothing can go now: what it waits for marks it again. */
	object->work = NULL;
	engine->works--;
	arena_free(work->arena);
	vec_release(&work->ops);
	mem_free(work);
	return false;
}

void worker_cancel_all(struct engine *engine)
{
	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		struct work *work = registry_at(engine->registry, i)->work;

		if (!work)
			continue;
		/* Its intents stay in the journal: the next start looks what became of them. */
		registry_at(engine->registry, i)->work = NULL;
		engine->works--;
		task_cancel(&work->task);
		call_release(&work->call);
		arena_free(work->arena);
		vec_release(&work->ops);
		vec_release(&work->workspaces);
		mem_free(work);
	}
}
