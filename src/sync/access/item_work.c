/*
 * item_work -- one item at a time is read, or one write of its plan is made.
 *
 *   read:   READ (as many calls as its class needs) -> end
 *   write:  COMMIT (intents durable) -> WRITE (its calls) -> end
 *
 * At its end the item is dirty again: what is still missing is planned anew from what is known then.
 */
#include "sync/access/item.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "sync/access/roster.h"
#include "sync/plan_file.h"

static void work_run(struct task *task);

static struct item_work *work_new(struct access *access, struct item *item, enum lane lane)
{
	struct item_work *work = mem_zalloc(sizeof(*work));

	task_init(&work->task, access->engine->loop, work_run);
	work->engine = access->engine;
	work->access = access;
	work->item = item;
	work->arena = arena_new();
	work->lane = lane;
	item->work = work;
	access->works++;
	return work;
}

static void work_free(struct item_work *work)
{
	work->item->work = NULL;
	work->access->works--;
	task_cancel(&work->task);
	call_release(&work->call);
	arena_free(work->arena);
	vec_release(&work->ops);
	mem_free(work);
}

static void work_end(struct item_work *work)
{
	struct engine *engine = work->engine;
	struct access *access = work->access;
	struct item *item = work->item;

	work_free(work);
	item->worked_ns = clock_monotonic_ns();
	item_mark(access, item);
	task_wake(&engine->pass);
	if (engine->stopping && engine->works + access->works == 0)
		task_wake(&engine->wind_up);
}

void item_work_cancel(struct item *item)
{
	/* Its intents stay in the journal: the next start looks what became of them. */
	if (item->work && item->class->cancel)
		item->class->cancel(item);
	if (item->work)
		work_free(item->work);
}

void item_work_prepare(struct item_work *work)
{
	call_release(&work->call);
	work->call.target = work->item->target;
	work->call.lane = work->lane;
	work->call.wakes = &work->task;
}

/* ---- what was done ---- */

static void log_change(
		const struct access *access, const struct operation *op, const char *request_id)
{
	const struct engine *engine = access->engine;
	AUTO(arena_freep) struct arena *arena = arena_new();
	const char *text = operation_describe(op, engine->settings, arena);
	AUTO(mem_freep)
	char *why = op->why.file ? mem_printf("%s:%u", op->why.file, op->why.line) : NULL;

	log_event(LOG_INFO, "CHANGE", {"op", operation_kind_name(op->kind)}, {"what", text},
			{"target", engine->settings->targets[op->target].name},
			{"item", op->object.key}, {"why", why}, {"entry", op->why.entry},
			{"run", engine->run_id}, {"request_id", *request_id ? request_id : NULL});
}

static void record_done(struct access *access, struct item *item, const struct operation *op,
		const char *result, const char *request_id)
{
	struct engine *engine = access->engine;

	item->class->settle(access, item, op);
	if (!op->adopts && op->kind != OP_FORGET_RESOURCE && op->kind != OP_ADOPT_RESOURCE)
		store_drop_intent(records_batch(engine), op->id);
	if (op->is_removal && !op->follows_leaver)
		pass_dissolve(engine, op->id);
	records_audit(engine, "change", op, result, request_id, NULL);
	log_change(access, op, request_id);
	engine->progress.operations_done++;
}

void item_done_without_call(struct item_work *work, const struct operation *op)
{
	record_done(work->access, work->item, op, "ok", "");
}

static void went_well(struct item *item)
{
	item->retry_ns = 0;
	if (!item->doubted)
		item->tries = 0;
}

/* ---- intents whose outcome is not known ---- */

static bool is_of(const struct open_intent *intent, const struct item *item)
{
	return intent->op.resource != RESOURCE_NONE && intent->op.target == item->target &&
			text_equal(intent->op.object.key, item->key);
}

/* After a read: what it shows of them was done by us, the rest had no effect. */
static void close_intents(struct access *access, struct item *item, const char *request_id)
{
	struct engine *engine = access->engine;
	size_t kept = 0;

	for (size_t i = 0; i < engine->intents.count; i++) {
		struct open_intent *intent = engine->intents.items[i];

		if (!is_of(intent, item)) {
			engine->intents.items[kept++] = intent;
			continue;
		}
		if (item->class->shows && item->class->shows(item, &intent->op))
			record_done(access, item, &intent->op, "found", request_id);
		else if (engine_may_write(engine))
			store_drop_intent(records_batch(engine), intent->op.id);
		arena_free(intent->arena);
		mem_free(intent);
	}
	engine->intents.count = kept;
}

void item_leave_open(struct item_work *work)
{
	for (vec_each (&work->ops, op)) {
		(void)records_open_intent(work->engine, op);
		records_audit(work->engine, "change", op, "unknown", work->call.request_id, NULL);
	}
	work->ops.count = 0;
	work->item->read_wanted = true;
}

void item_was_read(struct access *access, struct item *item)
{
	/* How often a write failed is not forgotten by a look that went well: writes would never wait longer. */
	item->read_wanted = false;
	item->observed = true;
	item->retry_ns = 0;
	close_intents(access, item, "");
}

/* ---- writes ---- */

bool item_may_go(const struct item_work *work, const struct operation *op)
{
	const struct engine *engine = work->engine;

	if (op->held_by)
		return false;
	if (!engine->restricted)
		return true;
	for (size_t i = 0; i < engine->allowed_count; i++) {
		if (operation_is_covered(op, &engine->allowed[i]))
			return true;
	}
	return false;
}

static void write_commit(struct item_work *work)
{
	struct store_batch *batch;

	records_flush(work->engine);
	batch = store_batch_new(work->engine->store);
	for (vec_each (&work->ops, op)) {
		AUTO(mem_freep) char *text = operation_text(op, work->engine->settings);
		struct store_intent intent = {op->id, text, clock_wall_ms()};

		store_put_intent(batch, &intent);
	}
	work->stage = ITEM_COMMIT;
	work->commit.wakes = &work->task;
	store_commit(work->engine->store, batch, &work->commit);
}

static void write_done(struct item_work *work)
{
	/* None left: the class found that nothing is to be written (now). */
	if (work->ops.count) {
		went_well(work->item);
		work->item->written_ns = clock_monotonic_ns();
	}
	for (vec_each (&work->ops, op))
		record_done(work->access, work->item, op, "ok", work->call.request_id);
	work_end(work);
}

static void write_failed(struct item_work *work)
{
	const struct err *err = &work->call.err;
	struct engine *engine = work->engine;
	bool dealt_with = work->item->class->failed && !err->effect_unknown &&
			work->item->class->failed(work);

	for (vec_each (&work->ops, op)) {
		if (err->effect_unknown || work->call.code == ERR_CANCELLED) {
			(void)records_open_intent(engine, op);
			records_audit(engine, "change", op, "unknown", work->call.request_id, err);
			continue;
		}
		store_drop_intent(records_batch(engine), op->id);
		if (!dealt_with && !err_is_transient(err) && err->code != ERR_AUTH)
			records_audit(engine, "change", op, "failed", work->call.request_id, err);
	}
	/* Look before anything is done again. */
	if (err->effect_unknown || err->code == ERR_CONFLICT || err->code == ERR_NOT_FOUND)
		work->item->read_wanted = true;
	if (!dealt_with && work->call.code != ERR_CANCELLED)
		item_retry_later(work->access, work->item, err);
	work_end(work);
}

static void commit_answered(struct item_work *work)
{
	if (work->commit.code != ERR_NONE) {
		/* Nothing is sent that was not journalled. */
		log_event(LOG_ERROR,
				"the store does not take writes; nothing is sent until it does",
				{"error", work->commit.err.text});
		item_retry_later(work->access, work->item, &work->commit.err);
		work_end(work);
		return;
	}
	work->stage = ITEM_WRITE;
	work->step = 0;
	if (!work->item->class->write_next(work))
		write_done(work);
}

static void write_answered(struct item_work *work)
{
	if (work->call.code != ERR_NONE && work->item->class->again &&
			work->item->class->again(work))
		return;
	if (work->call.code != ERR_NONE) {
		write_failed(work);
		return;
	}
	work->step++;
	if (!work->item->class->write_next(work))
		write_done(work);
}

/* ---- reads ---- */

static void read_done(struct item_work *work)
{
	work->item->read_wanted = false;
	work->item->observed = true;
	work->item->retry_ns = 0;
	close_intents(work->access, work->item, work->call.request_id);
	work_end(work);
}

static void read_answered(struct item_work *work)
{
	struct item *item = work->item;

	if (work->call.code != ERR_NONE) {
		bool dealt_with = item->class->failed && item->class->failed(work);

		if (dealt_with && !item->read_wanted)
			close_intents(work->access, item, work->call.request_id);
		if (!dealt_with && work->call.code != ERR_CANCELLED)
			item_retry_later(work->access, item, &work->call.err);
		work_end(work);
		return;
	}
	work->step++;
	if (work->item->class->read_next(work))
		return;
	/* Its class asked for a second look later. */
	if (item->retry_ns) {
		work_end(work);
		return;
	}
	read_done(work);
}

static void work_run(struct task *task)
{
	struct item_work *work = (struct item_work *)task; /* task is its first member */

	if (work->stage == ITEM_COMMIT) {
		if (work->commit.done)
			commit_answered(work);
		return;
	}
	if (!work->call.done)
		return;
	if (work->stage == ITEM_READ)
		read_answered(work);
	else
		write_answered(work);
}

/* `apply` writes only after somebody saw the plan. */
static bool may_send(const struct engine *engine)
{
	return engine_may_change(engine) &&
			(engine->options.mode == ENGINE_RUN || engine->phase == ENGINE_APPLYING);
}

static enum lane lane_of(const struct item_work *work)
{
	return work->ops.items[0].follows_leaver ? LANE_LEAVER : work->lane;
}

static bool write_start(struct item_work *work)
{
	struct item_plan plan;
	size_t done_before = work->engine->progress.operations_done;
	bool changed;

	item_make_plan(work->access, work->item, work->arena, &plan);
	if (!plan.wants_read && !plan.quarantine)
		work->item->class->choose(work, &plan);
	else if (plan.wants_read)
		work->item->read_wanted = true;
	item_plan_release(&plan);
	if (work->ops.count) {
		work->lane = lane_of(work);
		write_commit(work);
		return true;
	}
	changed = work->engine->progress.operations_done != done_before || work->item->read_wanted;
	if (changed)
		work_end(work);
	else
		work_free(work); /* nothing can go now: what it waits for marks it again */
	return changed;
}

bool item_work_start(struct access *access, struct item *item, enum lane lane)
{
	struct item_work *work;

	if (!item->read_wanted && !may_send(access->engine))
		return false;
	if (item->read_wanted && item->class->roster) {
		roster_want(access, item);
		return false;
	}
	work = work_new(access, item, lane);
	if (!item->read_wanted)
		return write_start(work);
	work->stage = ITEM_READ;
	if (!item->class->read_next(work))
		read_done(work);
	return true;
}
