/* item_pass -- dirty items are planned, removals go before the guard, the rest is taken up. */
#include "sync/access/item.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "sync/access/concern.h"
#include "sync/access/credential.h"
#include "sync/access/roster.h"
#include "sync/access/federation_item.h"
#include "sync/access/finder.h"
#include "sync/access/on_behalf_item.h"
#include "sync/access/rule_set_item.h"
#include "sync/access/secret_item.h"
#include "sync/access/token_item.h"
#include "sync/plan_file.h"

#define DOUBT_FIRST_NS (30 * SECOND_NS)
#define DOUBT_DOUBLINGS 6
#define ITEM_SLICE 200 /* items planned in one turn of the loop */
#define ITEM_WORKS_MAX 64
#define ITEM_BULK_FROM 20 /* ready items from which on work counts as bulk */

void item_mark(struct access *access, struct item *item)
{
	if (item->dirty)
		return;
	item->dirty = true;
	*vec_add(&access->dirty) = item;
	task_wake(&access->engine->pass);
}

void item_want_read(struct access *access, struct item *item)
{
	item->read_wanted = true;
	item_mark(access, item);
}

void access_mark_all(struct access *access)
{
	rule_sets_resolve(access);
	secrets_resolve(access);
	on_behalf_resolve(access);
	federation_resolve(access);
	for (vec_each (&access->items, item))
		item_mark(access, *item);
}

static void put_off(struct access *access, struct item *item)
{
	engine_tick_at(access->engine, item->retry_ns);
	if (item->delayed)
		return;
	item->delayed = true;
	*vec_add(&access->delayed) = item;
}

void item_delay(struct access *access, struct item *item, uint64_t ns)
{
	item->retry_ns = clock_monotonic_ns() + ns;
	put_off(access, item);
}

/* ---- quarantine ---- */

static void record_quarantine(const struct access *access, const struct item *item)
{
	AUTO(mem_freep)
	char *key = mem_printf(
			"%s/%s", access->engine->settings->targets[item->target].name, item->key);
	uint64_t now = clock_monotonic_ns();
	int64_t wait_ms = item->retry_ns > now ? (int64_t)((item->retry_ns - now) / 1000000) : 0;
	AUTO(mem_freep)
	char *name = mem_printf("%s \"%s\" in %s", item_resource_name(item), item->name,
			access->engine->settings->targets[item->target].name);
	struct store_quarantine record = {.key = key,
			.name = name,
			.reason = item->reason,
			.since_ms = item->quarantined_ms,
			.retry_ms = clock_wall_ms() + wait_ms,
			.tries = item->tries};

	if (!engine_may_write(access->engine))
		return;
	if (item->quarantined_ms)
		store_put_quarantine(records_batch(access->engine), &record);
	else
		store_drop_quarantine(records_batch(access->engine), key);
}

static void quarantine(struct access *access, struct item *item, const char *reason)
{
	bool is_new = !item->quarantined_ms || !text_equal(item->reason, reason);

	if (!item->quarantined_ms)
		item->quarantined_ms = clock_wall_ms();
	if (is_new) {
		mem_free(item->reason);
		item->reason = mem_strdup(reason);
		log_event(pass_quarantine_level(access->engine), "quarantined", {"item", item->key},
				{"name", item->name},
				{"target", access->engine->settings->targets[item->target].name},
				{"reason", reason});
	}
	record_quarantine(access, item);
}

static void quarantine_by_plan(struct access *access, struct item *item, const char *reason)
{
	unsigned doublings;

	if (!text_equal(item->reason, reason))
		item->tries = 0;
	doublings = item->tries < DOUBT_DOUBLINGS ? item->tries : DOUBT_DOUBLINGS;
	item->doubted = true;
	item->tries++;
	item_delay(access, item, DOUBT_FIRST_NS << doublings);
	quarantine(access, item, reason);
}

static void clear_quarantine(struct access *access, struct item *item)
{
	item->tries = 0;
	item->doubted = false;
	if (!item->quarantined_ms)
		return;
	item->quarantined_ms = 0;
	mem_free(item->reason);
	item->reason = NULL;
	record_quarantine(access, item);
}

void item_retry_later(struct access *access, struct item *item, const struct err *err)
{
	bool transient = err_is_transient(err) || err->code == ERR_AUTH ||
			err->code == ERR_NOT_FOUND || err->code == ERR_CONFLICT;
	uint64_t wait = transient ? SECOND_NS / 2 : DOUBT_FIRST_NS;
	unsigned doublings;

	item->tries++;
	doublings = item->tries < 10 ? item->tries - 1 : 9;
	wait <<= doublings;
	if (err->retry_after_s && wait < err->retry_after_s * SECOND_NS)
		wait = err->retry_after_s * SECOND_NS;
	item_delay(access, item, wait);
	if (!transient || item->tries > 5)
		quarantine(access, item, err->text);
}

size_t access_count_quarantined(const struct access *access)
{
	size_t count = 0;

	for (vec_each (&access->items, item))
		count += (*item)->quarantined_ms != 0;
	return count;
}

/* ---- guard ---- */

void item_remember_key(struct item *item, const char *key)
{
	for (vec_each (&item->decided, known)) {
		if (text_equal(*known, key))
			return;
	}
	*vec_add(&item->decided) = mem_strdup(key);
}

static bool leaver_went(const struct access *access, const struct operation *op)
{
	const struct object *leaver = op->follows_leaver
			? pass_owner(access->engine, op->target, op->follows_leaver)
			: NULL;

	return leaver && leaver->left_ms;
}

static bool ask_guard(struct access *access, struct item *item, const struct item_plan *plan)
{
	struct engine *engine = access->engine;
	bool asked = false;

	for (vec_each (&plan->operations, op)) {
		const char *key = guard_key(op, engine->scratch);
		AUTO(mem_freep) char *text = NULL;

		if (!op->is_removal || leaver_went(access, op))
			continue;
		if (!guard_find(engine->guard, key)) {
			text = operation_text(op, engine->settings);
			guard_ask(engine->guard, op, text);
			item_remember_key(item, key);
		}
		asked = true;
	}
	return asked;
}

static void mark_held(struct access *access, struct item_plan *plan, struct arena *arena)
{
	for (vec_each (&plan->operations, op)) {
		const struct decision *decision;

		if (!op->is_removal || leaver_went(access, op))
			continue;
		decision = guard_find(access->engine->guard, guard_key(op, arena));
		if (!decision || decision->verdict != VERDICT_GO)
			op->held_by = decision && decision->hold_id
					? arena_strdup(arena, decision->hold_id)
					: "undecided";
	}
}

static bool plan_has(const struct item_plan *plan, const char *id)
{
	for (vec_each (&plan->operations, op)) {
		if (op->is_removal && text_equal(op->id, id))
			return true;
	}
	return false;
}

static void dissolve_unseen(struct access *access, struct item *item, const struct item_plan *plan)
{
	size_t kept = 0;

	if (!engine_removals_allowed_at(access->engine, item->target) || plan->wants_read ||
			plan->pending || plan->unknown)
		return;
	for (size_t i = 0; i < item->decided.count; i++) {
		char *key = item->decided.items[i];

		if (text_starts_with(key, "leaver:") || plan_has(plan, key)) {
			item->decided.items[kept++] = key;
			continue;
		}
		pass_dissolve(access->engine, key);
		mem_free(key);
	}
	item->decided.count = kept;
}

/* ---- plans ---- */

void item_plan_release(struct item_plan *plan)
{
	vec_release(&plan->operations);
}

struct operation *item_operation(struct item *item, struct item_plan *plan,
		enum operation_kind kind, const struct why *why, struct arena *arena)
{
	struct operation *op = vec_add(&plan->operations);

	*op = (struct operation){.kind = kind,
			.target = item->target,
			.resource = item->class->resource,
			.securable = item->securable,
			.object = {item->key, arena_strdup(arena, item->id),
					arena_strdup(arena, item->name)}};
	if (why) {
		op->why = *why;
		op->why.entry = arena_strdup(arena, why->entry);
	}
	return op;
}

void item_removes(struct operation *op, enum guard_category category, const char *follows_leaver)
{
	op->is_removal = true;
	op->category = category;
	op->follows_leaver = follows_leaver;
}

void item_operation_done(const struct access *access, struct operation *op, struct arena *arena)
{
	operation_set_id(op, access->engine->settings, arena);
}

void item_make_plan(struct access *access, struct item *item, struct arena *arena,
		struct item_plan *ret)
{
	const struct concern *only = concern_only(access);

	*ret = (struct item_plan){0};
	if (concern_skips(access, item))
		return;
	item->class->plan(access, item, arena, ret);
	if (ret->wants_read)
		ret->operations.count = 0;
	if (only)
		concern_keep(access, item, only, arena, ret);
	mark_held(access, ret, arena);
}

static void report_observed(struct access *access, struct item *item, const struct item_plan *plan)
{
	struct engine *engine = access->engine;
	uint64_t digest = 0;

	for (vec_each (&plan->operations, op))
		digest = digest * 31 + digest_quick(span_of(op->id));
	if (digest == item->reported)
		return;
	item->reported = digest;
	for (vec_each (&plan->operations, op))
		log_event(LOG_INFO, "WOULD CHANGE", {"op", operation_kind_name(op->kind)},
				{"what", operation_describe(op, engine->settings, engine->scratch)},
				{"item", op->object.key}, {"why", op->why.file});
}

static void make_ready(struct access *access, struct item *item)
{
	if (item->ready)
		return;
	item->ready = true;
	*vec_add(&access->ready) = item;
}

static void read_soon(struct access *access, struct item *item)
{
	item->read_wanted = true;
	if (item->class->roster)
		roster_want(access, item);
	else
		make_ready(access, item);
}

static void plan_one(struct access *access, struct item *item)
{
	struct engine *engine = access->engine;
	struct item_plan plan = {0};

	arena_reset(engine->scratch);
	if (concern_skips(access, item))
		return;
	if (item->read_wanted) {
		read_soon(access, item);
		return;
	}
	item_make_plan(access, item, engine->scratch, &plan);
	if (plan.wants_read) {
		read_soon(access, item);
		item_plan_release(&plan);
		return;
	}
	dissolve_unseen(access, item, &plan);
	if (plan.quarantine)
		quarantine_by_plan(access, item, plan.quarantine);
	else if (item->doubted || plan.operations.count == 0)
		clear_quarantine(access, item);
	if (!engine_may_change(engine) && engine->options.mode == ENGINE_RUN)
		report_observed(access, item, &plan);
	if (plan.operations.count && ask_guard(access, item, &plan))
		*vec_add(&access->asking) = item;
	else if (plan.operations.count)
		make_ready(access, item);
	else if (item->disposable && !item->decided.count && !item->work && !item->delayed &&
			!item->ready && !roster_is_running(access, item))
		item_drop(access, item);
	item_plan_release(&plan);
}

static int compare_rank(const void *left, const void *right)
{
	const struct item *a = *(struct item *const *)left, *b = *(struct item *const *)right;

	if (a->class->rank != b->class->rank)
		return a->class->rank < b->class->rank ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* true: nobody is dirty any more. */
static bool plan_slice(struct access *access)
{
	uint64_t now = clock_monotonic_ns();
	struct item **taken;
	size_t count = access->dirty.count;

	if (count == 0)
		return true;
	taken = mem_array(count, sizeof(struct item *));
	memcpy(taken, access->dirty.items, count * sizeof(struct item *));
	access->dirty.count = 0;
	qsort(taken, count, sizeof(struct item *), compare_rank);
	for (size_t i = 0; i < count; i++) {
		struct item *item = taken[i];

		if (i >= ITEM_SLICE) {
			*vec_add(&access->dirty) = item;
			continue;
		}
		item->dirty = false;
		if (item->work)
			continue; /* its end marks it again */
		if (item->retry_ns > now)
			put_off(access, item);
		else
			plan_one(access, item);
	}
	mem_free(taken);
	return access->dirty.count == 0;
}

static void start_ready(struct access *access)
{
	enum lane lane = access->ready.count - access->ready_from + access->works >= ITEM_BULK_FROM
			? LANE_BULK
			: LANE_SINGLE;

	while (access->works < ITEM_WORKS_MAX && access->ready_from < access->ready.count) {
		struct item *item = access->ready.items[access->ready_from++];

		item->ready = false;
		if (!item->dirty && !item->work)
			(void)item_work_start(access, item, lane);
	}
	if (access->ready_from == access->ready.count)
		access->ready.count = access->ready_from = 0;
}

/* After the guard's verdict on the whole pass, principals' removals included. */
void access_decided(struct access *access)
{
	for (vec_each (&access->asking, item))
		make_ready(access, *item);
	access->asking.count = 0;
	start_ready(access);
}

bool access_plan_slice(struct access *access)
{
	return plan_slice(access);
}

void access_tick(struct access *access, uint64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < access->delayed.count; i++) {
		struct item *item = access->delayed.items[i];

		if (item->retry_ns <= now) {
			item->delayed = false;
			item->retry_ns = 0;
			/* What its plan did not like may have been put right in Databricks. */
			item->read_wanted = item->read_wanted || item->doubted;
			item_mark(access, item);
			continue;
		}
		access->delayed.items[kept++] = item;
		engine_tick_at(access->engine, item->retry_ns);
	}
	access->delayed.count = kept;
	tokens_tick(access);
	credential_tick(access);
	access_look_again(access, now);
}

bool access_is_idle(const struct access *access)
{
	return access->dirty.count == 0 && access->ready.count == access->ready_from &&
			access->asking.count == 0 && access->works == 0 && access->reading == 0 &&
			access_is_ready(access);
}

static bool is_settled(struct access *access, struct item *item)
{
	struct arena *arena = arena_new();
	struct item_plan plan;
	bool settled;

	item_make_plan(access, item, arena, &plan);
	/* Other kinds know from the rules themselves what is to be read at a start. */
	settled = !item->quarantined_ms &&
			(item->class->resource != RESOURCE_PERMISSIONS ||
					(!item->read_wanted && !plan.wants_read && !plan.pending));
	for (vec_each (&plan.operations, op))
		settled = settled && op->held_by;
	item_plan_release(&plan);
	arena_free(arena);
	return settled;
}

bool access_is_settled(struct access *access)
{
	if (access->engine->restricted || access->engine->options.only_name ||
			!access->engine->directory_ready || !access_is_ready(access) ||
			!access_is_complete(access))
		return false;
	for (vec_each (&access->items, item)) {
		if (!is_settled(access, *item))
			return false;
	}
	return true;
}

size_t access_count_retries(const struct access *access)
{
	size_t count = 0;

	for (vec_each (&access->delayed, item))
		count += !(*item)->quarantined_ms && (*item)->retry_ns;
	return count;
}

/* ---- what people see ---- */

static void collect(struct access *access, struct item *item)
{
	struct engine *engine = access->engine;
	struct item_plan plan;

	item_make_plan(access, item, engine->plan_arena, &plan);
	for (vec_each (&plan.operations, op))
		pass_list_operation(engine, op);
	if (plan.quarantine)
		pass_list_note(engine, NOTE_QUARANTINE, plan.quarantine);
	else if (item->quarantined_ms && item->reason)
		pass_list_note(engine, NOTE_QUARANTINE,
				arena_strdup(engine->plan_arena, item->reason));
	if (plan.note)
		pass_list_note(engine, NOTE_SKIPPED, plan.note);
	item_plan_release(&plan);
}

void access_collect(struct access *access)
{
	size_t count = access->items.count;
	struct item **sorted = mem_array(count + 1, sizeof(struct item *));

	if (access->finder)
		finder_list_failures(access->finder);
	rosters_list_failures(access);
	if (count)
		memcpy(sorted, access->items.items, count * sizeof(struct item *));
	qsort(sorted, count, sizeof(struct item *), compare_rank);
	for (size_t i = 0; i < count; i++)
		collect(access, sorted[i]);
	mem_free(sorted);
	finder_collect(access->finder);
}
