/* credential_plan -- which credentials are to be made and removed. */
#include "base/clock.h"
#include "base/text.h"
#include "sync/access/credential.h"

struct planner {
	struct access *access;
	struct credential_item *set;
	const struct credential_kind *kind;
	struct arena *arena;
	struct item_plan *plan;
	struct credential_terms terms;
	const char *place; /* as credential_place; NULL: nothing is wanted, or not known */
	int64_t now_ms;
};

static struct item *item_of(const struct planner *p)
{
	return &p->set->given.item;
}

/* ---- which one is in use ---- */

/*
 * When the row is to be replaced. Databricks may give less than what was asked for; less than rotate_before, even: then it is a
 * third of what it gave, lest each were due as soon as it is made.
 */
static int64_t due_of(const struct planner *p, const struct credential_row *row)
{
	int64_t life = row->expires_ms - row->made_ms;
	bool cut = row->asked_ms == p->terms.lifetime_ms && life <= p->terms.rotate_before_ms;

	return row->expires_ms - (cut ? life / 3 : p->terms.rotate_before_ms);
}

/* A newer one may have been delivered before a crash: then this one is not what its user has. */
static bool is_overtaken(const struct planner *p, const struct credential_row *row)
{
	for (vec_each (&p->set->given.rows, place)) {
		const struct credential_row *other = (const struct credential_row *)*place;

		if (other->given.held && other->state == CREDENTIAL_MADE &&
				other->made_ms > row->made_ms)
			return true;
	}
	return false;
}

/* Where rules sent it and do not any more nobody looks for it. */
static bool is_elsewhere(const struct planner *p, const struct credential_row *row)
{
	return row->place && p->place && !text_equal(row->place, p->place);
}

static bool is_usable(const struct planner *p, const struct credential_row *row)
{
	return row->given.held && row->state == CREDENTIAL_DELIVERED && row->active &&
			(!row->expires_ms || due_of(p, row) > p->now_ms) && !is_overtaken(p, row) &&
			!is_elsewhere(p, row);
}

static bool lasts_longer(const struct credential_row *row, const struct credential_row *than)
{
	return than->expires_ms && (!row->expires_ms || row->expires_ms > than->expires_ms);
}

/* Of those that need no replacement the one that lasts longest. */
static const struct credential_row *find_current(const struct planner *p)
{
	const struct credential_row *found = NULL;

	for (vec_each (&p->set->given.rows, place)) {
		const struct credential_row *row = (const struct credential_row *)*place;

		if (is_usable(p, row) && (!found || lasts_longer(row, found)))
			found = row;
	}
	return found;
}

static const char *find_replaced(const struct planner *p)
{
	const struct credential_row *last = NULL;

	for (vec_each (&p->set->given.rows, place)) {
		const struct credential_row *row = (const struct credential_row *)*place;

		if (row->given.held && row->state == CREDENTIAL_DELIVERED &&
				(!last || row->made_ms > last->made_ms))
			last = row;
	}
	return last ? arena_strdup(p->arena, last->given.id) : NULL;
}

/* ---- removals ---- */

static void add_removal(struct planner *p, const struct credential_row *row, bool guarded)
{
	struct part_change *part = arena_alloc(p->arena, sizeof(*part));
	const struct object *object = p->terms.object;
	struct operation *op = item_operation(item_of(p), p->plan, OP_REMOVE_RESOURCE,
			p->terms.wanted ? &p->terms.why : NULL, p->arena);

	*part = (struct part_change){"id", arena_strdup(p->arena, row->given.id), NULL};
	op->parts = part;
	op->part_count = 1;
	if (guarded)
		item_removes(op, GUARD_TOKENS, object && object->leaving ? object->key : NULL);
	item_operation_done(p->access, op, p->arena);
}

static bool may_take_away(const struct planner *p)
{
	const struct object *object = p->terms.object;
	unsigned target = item_of(p)->target;

	return !p->terms.wanted && !p->terms.unsure &&
			engine_removals_allowed_at(p->access->engine, target) &&
			!(object &&
					access_is_unsure(p->access, target, PRINCIPAL_SERVICE,
							object_name(object)));
}

static bool is_full(const struct planner *p)
{
	return p->kind->most && p->set->given.rows.count >= p->kind->most;
}

/* Those that were replaced, that nobody has, or that no rule asks for. */
static void plan_removals(struct planner *p, const struct credential_row *current)
{
	for (vec_each (&p->set->given.rows, place)) {
		const struct credential_row *row = (const struct credential_row *)*place;
		bool spare = row->state == CREDENTIAL_WITHDRAWN || current ||
				(row->state == CREDENTIAL_MADE && is_full(p));

		if (!row->given.held || row == current)
			continue;
		if (spare)
			add_removal(p, row, false);
		else if (may_take_away(p))
			add_removal(p, row, true);
	}
}

/* ---- creation ---- */

/* What it replaces is part of it, so that no two operations that make one have the same id. */
static void add_creation(struct planner *p, const char *sink)
{
	struct part_change *parts = arena_alloc(p->arena, 3 * sizeof(*parts));
	char lifetime[CLOCK_TEXT_SIZE];
	struct operation *op;

	clock_format_duration(p->terms.lifetime_ms, lifetime);
	parts[0] = (struct part_change){"lifetime", NULL, arena_strdup(p->arena, lifetime)};
	parts[1] = (struct part_change){"write to", NULL, sink};
	parts[2] = (struct part_change){"replaces", find_replaced(p), NULL};
	op = item_operation(item_of(p), p->plan, OP_CREATE_RESOURCE, &p->terms.why, p->arena);
	op->parts = parts;
	op->part_count = parts[2].before ? 3 : 2;
	item_operation_done(p->access, op, p->arena);
}

static void plan_creation(struct planner *p)
{
	const char *sink = item_of(p)->id
			? credential_sink(&p->terms, p->arena)
			: sink_shown(p->terms.write_to, &p->terms.values, p->arena);

	if (!sink)
		p->plan->quarantine = arena_printf(p->arena,
				"the %s of service principal \"%s\" has no place yet: a value in "
				"`write_to` is not known",
				p->kind->what, item_of(p)->name);
	else if (is_full(p) && !p->plan->operations.count)
		p->plan->quarantine = arena_printf(p->arena,
				"service principal \"%s\" has %zu %ss already, which is the most, "
				"and none of them is to spare: delete one that is not needed",
				item_of(p)->name, p->kind->most, p->kind->what);
	else
		add_creation(p, sink);
}

void credential_plan(struct access *access, struct item *item, struct arena *arena,
		struct item_plan *ret)
{
	struct planner p = {.access = access,
			.set = credential_of(item),
			.kind = credential_kind_of(item),
			.arena = arena,
			.plan = ret,
			.now_ms = clock_wall_ms()};
	const struct credential_row *current;
	AUTO(mem_freep) char *place = NULL;

	p.kind->terms(access, item, &p.terms);
	p.place = place = p.terms.wanted ? credential_place(&p.terms) : NULL;
	current = p.terms.wanted ? find_current(&p) : NULL;
	p.set->next_ms = current && current->expires_ms ? due_of(&p, current) : 0;
	plan_removals(&p, current);
	if (p.terms.wanted && !current)
		plan_creation(&p);
	if (ret->operations.count && !item->observed)
		ret->wants_read = true;
	if (p.set->next_ms && access->engine->options.mode == ENGINE_RUN)
		engine_tick_at(access->engine, clock_monotonic_ns() + SECOND_NS);
	item->disposable = !p.terms.wanted && !given_count_held(item);
}
