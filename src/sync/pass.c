/*
 * pass -- from dirty objects to verdicts: what is wanted, the plan of each, what the guard says of
 * the removals.
 *
 * People are planned before groups, so that a removal from a group knows whether it follows from
 * somebody's leaving. All removals found until the queue is empty are one batch for the guard.
 */
#include "sync/access/item.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"

/* What a plan makes doubtful is looked at again after 30 s, doubling to some half an hour, or at once when its entry changes. */
#define DOUBT_FIRST_NS (30 * SECOND_NS)
#define DOUBT_DOUBLINGS 6
#define LISTS_FRESH_NS (600 * SECOND_NS) /* so long a list says who does not exist */

/* ---- quarantine ---- */

enum log_level pass_quarantine_level(const struct engine *engine)
{
	return engine->options.quiet ? LOG_DEBUG : LOG_WARNING;
}

/* Until retry_ns. */
static void put_off(struct engine *engine, struct object *object)
{
	engine_tick_at(engine, object->retry_ns);
	if (object->delayed)
		return;
	object->delayed = true;
	*vec_add(&engine->delayed) = object;
}

void pass_wake_waiters(struct engine *engine, struct object *object)
{
	access_principal_changed(engine->access, object);
	if (!object->id && !object->tries && !object->quarantined_ms)
		return;
	for (vec_each (&object->waiters, waiter))
		pass_mark(engine, *waiter);
	object->waiters.count = 0;
}

static void set_quarantine(struct engine *engine, struct object *object, const char *reason)
{
	bool is_new = !object->quarantined_ms || !text_equal(object->reason, reason);
	unsigned doublings;

	if (is_new)
		object->tries = 0;
	doublings = object->tries < DOUBT_DOUBLINGS ? object->tries : DOUBT_DOUBLINGS;
	if (!object->quarantined_ms)
		object->quarantined_ms = clock_wall_ms();
	if (is_new) {
		mem_free(object->reason);
		object->reason = mem_strdup(reason);
	}
	object->doubted = true;
	object->tries++;
	object->retry_ns = clock_monotonic_ns() + (DOUBT_FIRST_NS << doublings);
	put_off(engine, object);
	records_quarantine(engine, object);
	if (!is_new)
		return;
	pass_wake_waiters(engine, object);
	log_event(pass_quarantine_level(engine), "quarantined",
			{"principal", pass_name(engine, object)}, {"key", object->key},
			{"reason", reason});
}

/* idle: nothing is to be done, so nothing fails, whatever an earlier run left. */
static void clear_quarantine(struct engine *engine, struct object *object, bool idle)
{
	if (!object->quarantined_ms || (object->tries && !object->doubted && !idle))
		return;
	object->quarantined_ms = 0;
	object->tries = 0;
	object->doubted = false;
	mem_free(object->reason);
	object->reason = NULL;
	records_quarantine(engine, object);
}

/* What the directory itself makes doubtful: the name came out nil, an expression failed. */
static const char *doubt(const struct engine *engine, const struct object *object)
{
	const struct want *want = object->node == NODE_NONE
			? NULL
			: desired_want(engine->desired, object->node);

	return want && want->state == WANT_UNSURE && object->ours ? want->reason : NULL;
}

/* ---- the pass ---- */

static void come_back(struct object *object, struct engine *engine)
{
	if (!object->left_ms || object->leaving)
		return;
	object->left_ms = 0;
	records_principal(engine, object);
}

/* In mode observe: what would be done, told once per change of mind. */
static void report_observed(
		struct engine *engine, struct object *object, const struct object_plan *plan)
{
	uint64_t digest = 0;

	for (vec_each (&plan->operations, op))
		digest = digest * 31 + digest_quick(span_of(op->id));
	if (digest == object->reported)
		return;
	object->reported = digest;
	for (vec_each (&plan->operations, op))
		log_event(LOG_INFO, "WOULD CHANGE", {"op", operation_kind_name(op->kind)},
				{"what", operation_describe(op, engine->settings, engine->scratch)},
				{"principal", op->object.name}, {"anchor", op->object.key},
				{"why", op->why.file});
}

static void keep_match(struct engine *engine, struct object *object)
{
	const struct want *want = object->node == NODE_NONE
			? NULL
			: desired_want(engine->desired, object->node);
	const char *match = want && want->state == WANT_IN && want->identity ? want->identity->match
									     : NULL;

	if (!object->ours || !match || text_equal(match, object->match))
		return;
	mem_free(object->match);
	object->match = mem_strdup(match);
	records_principal(engine, object);
}

/* Databricks makes a second service principal of the same name without a word. */
static bool must_look_first(const struct engine *engine, const struct object *object)
{
	if (object->id || object->named_only || object->looked_up ||
			(object->node == NODE_NONE && !pass_listed(engine, object)))
		return false;
	/* A workspace's own groups are in no list, and must not have the name of an account's. */
	if (object->kind == PRINCIPAL_GROUP && engine->settings->has_account && object->target != 0)
		return true;
	/* What rights it has decides whether it is adopted. */
	if (object->kind == PRINCIPAL_GROUP)
		return inventory_may_adopt(engine, object);
	/* Why it was in doubt before the restart no list has told since. */
	if (object->quarantined_ms && !inventory_is_known_at(engine, object->target, UINT64_MAX))
		return true;
	return object->kind == PRINCIPAL_SERVICE &&
			!inventory_is_known_at(engine, object->target, LISTS_FRESH_NS);
}

/* Its groups are planned although it must be read first: what follows from its leaving is not a removal
 * of theirs. */
static void note_leaving(struct engine *engine, struct object *object)
{
	struct wanted wanted;

	pass_wanted(engine, object, engine->scratch, &wanted);
	object->leaving = wanted.state == WANTED_LEAVING && object->ours;
}

static void plan_one(struct engine *engine, struct object *object)
{
	struct object_plan plan = {0};
	const char *reason;

	/* Its target's lists are on their way: the last of them marks everybody. */
	if (!pass_may_plan(engine, object))
		return;
	arena_reset(engine->scratch);
	if (must_look_first(engine, object))
		object->read_wanted = true;
	if (object->read_wanted) {
		note_leaving(engine, object);
		pass_ready(engine, object);
		return;
	}
	pass_plan(engine, object, engine->scratch, &plan);
	if (object->leaving != plan.leaving) {
		object->leaving = plan.leaving;
		access_leaving_changed(engine->access, object);
	}
	if (object->kind == PRINCIPAL_GROUP)
		access_group_changed(engine->access, object);
	object->planned = true;
	engine->powers_wanted = engine->powers_wanted || plan.waits_for_power;
	keep_match(engine, object);
	if (engine_removals_allowed_at(engine, object->target))
		come_back(object, engine);
	pass_dissolve_unseen(engine, object, &plan);
	reason = plan.quarantine ? plan.quarantine : doubt(engine, object);
	if (reason)
		set_quarantine(engine, object, reason);
	else
		clear_quarantine(engine, object, plan.operations.count == 0);
	if (!engine_may_change(engine) && engine->options.mode == ENGINE_RUN)
		report_observed(engine, object, &plan);
	if (plan.operations.count && !pass_ask_guard(engine, object, &plan))
		pass_ready(engine, object);
	else if (plan.operations.count)
		*vec_add(&engine->asking) = object;
	object_plan_release(&plan);
}

/* People first: their leaving is known before their groups are planned. */
static struct object *take_dirty(struct engine *engine, size_t *at, bool groups)
{
	while (*at < engine->dirty.count) {
		struct object *object = engine->dirty.items[(*at)++];

		if (object && (object->kind == PRINCIPAL_GROUP) == groups) {
			engine->dirty.items[*at - 1] = NULL;
			object->dirty = false;
			return object;
		}
	}
	return NULL;
}

/* Planning may mark others: who was marked while the groups were looked through is still there. true: nobody. */
static bool sweep_dirty(struct engine *engine)
{
	size_t kept = 0;

	for (vec_each (&engine->dirty, object)) {
		if (*object)
			engine->dirty.items[kept++] = *object;
	}
	engine->dirty.count = kept;
	return kept == 0;
}

static bool plan_slice(struct engine *engine)
{
	uint64_t now = clock_monotonic_ns();
	size_t at = 0, done = 0;

	for (int groups = 0; groups <= 1; groups++) {
		struct object *object;

		for (at = 0; (object = take_dirty(engine, &at, groups != 0)) && done < PASS_SLICE;
				done++) {
			if (object->work)
				continue; /* its end marks it again */
			if (object->retry_ns > now)
				put_off(engine, object);
			else
				plan_one(engine, object);
		}
		if (object) {
			pass_mark(engine, object);
			return false;
		}
	}
	return sweep_dirty(engine);
}

static enum lane lane_now(const struct engine *engine)
{
	return engine->ready.count - engine->ready_from + engine->works >= BULK_FROM ? LANE_BULK
										     : LANE_SINGLE;
}

/* Both sides were read, so that plans mean something. */
static bool is_known(const struct engine *engine)
{
	return engine->directory_ready && engine->inventory_ready;
}

static void start_ready(struct engine *engine)
{
	if (engine->ready_from < engine->ready.count &&
			!records_have_room(engine, &engine->pass_room, &engine->pass))
		return;
	for (unsigned taken = 0;
			engine->works < WORKS_MAX && engine->ready_from < engine->ready.count;
			taken++) {
		struct object *object = engine->ready.items[engine->ready_from];

		if (taken == START_SLICE) {
			task_wake(&engine->pass);
			break;
		}
		engine->ready_from++;
		object->ready = false;
		/* What is dirty is planned first, unless nothing can be yet. */
		if ((!object->dirty || !is_known(engine)) && !object->work)
			(void)worker_start(engine, object, lane_now(engine));
		if (engine->batch && store_batch_bytes(engine->batch) > BATCH_BYTES)
			records_flush(engine);
	}
	if (engine->ready_from == engine->ready.count)
		engine->ready.count = engine->ready_from = 0;
}

void pass_read_soon(struct engine *engine, struct object *object)
{
	object->read_early = !engine->directory_ready;
	if (object->dirty && is_known(engine))
		return; /* planning sees that it wants to be read */
	if (object->work)
		return; /* so does its end */
	pass_ready(engine, object);
	task_wake(&engine->pass);
}

void pass_run(struct task *task)
{
	struct engine *engine = (struct engine *)((char *)task - offsetof(struct engine, pass));

	if (engine->stopping || engine->phase == ENGINE_FAILED)
		return;
	if (!is_known(engine)) {
		start_ready(engine); /* reads only: nothing was planned yet */
		return;
	}
	if (engine->dirty.count && !plan_slice(engine)) {
		task_wake(&engine->pass);
		return;
	}
	if (!access_plan_slice(engine->access)) {
		task_wake(&engine->pass);
		return;
	}
	pass_decide(engine);
	access_decided(engine->access);
	records_flush(engine);
	start_ready(engine);
	records_flush(engine);
	for (vec_each (&engine->delayed, object))
		engine_tick_at(engine, (*object)->retry_ns);
	engine_advance(engine);
	if (pass_is_idle(engine))
		engine_tell(engine);
}

size_t pass_count_retries(const struct engine *engine)
{
	size_t count = 0;

	for (vec_each (&engine->delayed, object))
		count += !(*object)->quarantined_ms && (*object)->retry_ns;
	return count + access_count_retries(engine->access);
}

bool pass_is_idle(const struct engine *engine)
{
	return engine->dirty.count == 0 && engine->ready.count == engine->ready_from &&
			engine->asking.count == 0 && engine->works == 0 &&
			access_is_idle(engine->access);
}
