#include "sync/access/roster.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"

#define SECOND_LOOK_NS (2 * SECOND_NS)

static void roster_run(struct task *task);

struct roster *rosters_new(struct access *access)
{
	size_t count = access->engine->settings->target_count * ROSTER_COUNT_;
	struct roster *rosters = mem_array(count + 1, sizeof(*rosters));

	for (size_t i = 0; i < count; i++) {
		rosters[i].access = access;
		rosters[i].target = (unsigned)(i / ROSTER_COUNT_);
		task_init(&rosters[i].task, access->engine->loop, roster_run);
	}
	return rosters;
}

void rosters_free(struct access *access)
{
	size_t count = access->engine->settings->target_count * ROSTER_COUNT_;

	for (size_t i = 0; access->rosters && i < count; i++) {
		struct roster *roster = &access->rosters[i];

		task_cancel(&roster->task);
		if (roster->running && roster->class->cancel)
			roster->class->cancel(roster);
		call_release(&roster->call);
		arena_free(roster->arena);
		arena_free(roster->fresh);
	}
	mem_free(access->rosters);
	access->rosters = NULL;
	access->reading = 0;
}

struct roster *roster_at(const struct access *access, unsigned target, enum roster_slot slot)
{
	return &access->rosters[(size_t)target * ROSTER_COUNT_ + slot];
}

bool roster_is_running(const struct access *access, const struct item *item)
{
	return item->class->roster && access->rosters &&
			roster_at(access, item->target, item->class->roster->slot)->running;
}

bool roster_has_failed(const struct access *access)
{
	size_t count = access->engine->settings->target_count * ROSTER_COUNT_;

	for (size_t i = 0; access->rosters && i < count; i++) {
		if (access->rosters[i].failed)
			return true;
	}
	return false;
}

void rosters_list_failures(const struct access *access)
{
	static const char *const names[ROSTER_COUNT_] = {[ROSTER_POLICIES] = "cluster policies",
			[ROSTER_LISTS] = "IP access lists",
			[ROSTER_CONF] = "the workspace's settings"};
	struct engine *engine = access->engine;
	size_t count = engine->settings->target_count * ROSTER_COUNT_;

	for (size_t i = 0; access->rosters && i < count; i++) {
		const struct roster *roster = &access->rosters[i];

		if (roster->failed)
			pass_list_note(engine, NOTE_INCOMPLETE,
					arena_printf(engine->plan_arena,
							"in %s %s could not be read; nothing is "
							"planned for them: %s",
							engine->settings->targets[roster->target]
									.name,
							names[i % ROSTER_COUNT_],
							roster->err.text));
	}
}

/* ---- reading ---- */

static void start(struct roster *roster)
{
	roster->running = true;
	roster->failed = roster->calling = roster->waiting = false;
	roster->step = 0;
	roster->begun_ns = clock_monotonic_ns();
	roster->fresh = arena_new();
	roster->draft = NULL;
	roster->access->reading++;
	task_wake(&roster->task); /* all who ask in this turn are answered together */
}

void roster_want(struct access *access, struct item *item)
{
	struct roster *roster;

	if (!access->rosters)
		return; /* the end */
	roster = roster_at(access, item->target, item->class->roster->slot);
	roster->class = item->class->roster;
	/* One that asks too late for a list under way is passed over by it, and asks again. */
	if (!roster->running)
		start(roster);
}

void roster_prepare(struct roster *roster)
{
	call_release(&roster->call);
	roster->call.target = roster->target;
	roster->call.lane = LANE_BULK;
	roster->call.wakes = &roster->task;
	roster->calling = true;
}

void roster_go_on(struct roster *roster)
{
	roster->waiting = false;
	roster->step++;
	task_wake(&roster->task);
}

void roster_fail(struct roster *roster, const struct err *err)
{
	roster->failed = true;
	roster->err = *err;
}

static bool is_of(const struct roster *roster, const struct item *item)
{
	return item->target == roster->target && item->class->roster == roster->class;
}

static void tell(struct roster *roster, struct item *item)
{
	struct access *access = roster->access;

	/* Its own work came or comes after the list was asked for. */
	if (item->work || item->worked_ns > roster->begun_ns)
		return;
	if (!roster->class->show(roster, item)) {
		item->read_wanted = true;
		item_delay(access, item, SECOND_LOOK_NS);
		return;
	}
	item_was_read(access, item);
}

static void tell_all(struct roster *roster)
{
	struct access *access = roster->access;
	size_t count = access->items.count;

	for (size_t i = 0; i < count; i++) {
		struct item *item = access->items.items[i];

		if (!is_of(roster, item))
			continue;
		if (!roster->failed)
			tell(roster, item);
		else if (item->read_wanted)
			item_retry_later(access, item, &roster->err);
		item_mark(access, item);
	}
}

static void finish(struct roster *roster)
{
	struct access *access = roster->access;
	struct engine *engine = access->engine;

	roster->running = false;
	access->reading--;
	call_release(&roster->call);
	if (roster->failed) {
		arena_free(STEAL(roster->fresh));
	} else {
		arena_free(roster->arena);
		roster->arena = STEAL(roster->fresh);
		roster->data = roster->draft;
	}
	roster->draft = NULL;
	tell_all(roster);
	task_wake(&engine->pass);
	engine_advance(engine);
}

static void roster_run(struct task *task)
{
	struct roster *roster = (struct roster *)task; /* task is its first member */

	if (!roster->running || (roster->calling && !roster->call.done))
		return;
	if (roster->calling) {
		roster->calling = roster->waiting = false;
		roster->step++;
		if (roster->call.code != ERR_NONE)
			roster_fail(roster, &roster->call.err);
	}
	if (roster->waiting)
		return;
	roster->waiting = !roster->failed && roster->class->read_next(roster);
	if (!roster->waiting)
		finish(roster);
}

/* ---- believing ---- */

enum roster_verdict roster_judge(
		const struct access *access, struct item *item, const char *held, const char *now)
{
	uint64_t digest;

	if (!held || text_equal(held, now)) {
		item->suspect = 0;
		return ROSTER_TAKE;
	}
	/* Inside the window our confirmed writes are the truth, and drift is called by two reads that agree. */
	if (item->written_ns && clock_monotonic_ns() - item->written_ns < READ_LAG_NS)
		return ROSTER_KEEP;
	digest = digest_quick(span_of(now ? now : "")) | 1;
	if (item->suspect != digest) {
		item->suspect = digest;
		return ROSTER_LOOK_AGAIN;
	}
	item->suspect = 0;
	log_event(LOG_NOTICE,
			now ? "drift: changed in Databricks by another hand"
			    : "drift: deleted in Databricks by another hand",
			{"item", item->key}, {"name", item->name},
			{"target", access->engine->settings->targets[item->target].name});
	return ROSTER_TAKE;
}
