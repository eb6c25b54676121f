/*
 * credential_work -- one credential is made and delivered, or removed.
 *
 *   make:     CREATE -> (recorded as made) DELIVER -> (recorded as delivered)
 *                             └─ refused: (recorded as withdrawn) WITHDRAW -> fails with what the sink said
 *   remove:   one call
 */
#include "base/clock.h"
#include "base/text.h"
#include "sync/access/credential.h"
#include "sync/access/secret_sink.h"

#define FRESH_NS (60 * SECOND_NS)

/* How far the making of one came; in work->scratch, in the work's arena. */
struct making {
	enum { MAKE_CREATE, MAKE_DELIVER, MAKE_WITHDRAW, MAKE_END } step;
	const char *id; /* of what was made; NULL: nothing yet */
	enum sink_kind kind;
	const char *sink, *place; /* where it goes, and the digest of that */
	struct err refusal;       /* the sink's */
};

static bool creates(const struct operation *op)
{
	return op->kind == OP_CREATE_RESOURCE;
}

static const struct credential_kind *kind_of(const struct item_work *work)
{
	return credential_kind_of(work->item);
}

/* ---- choosing ---- */

static bool was_read_lately(const struct item *item)
{
	const struct credential_item *set = (const struct credential_item *)item;

	return set->read_ns && clock_monotonic_ns() - set->read_ns < FRESH_NS;
}

/* What was there before it is part of some marks, so that must not be older than a look. */
static bool may_create(struct item_work *work, const struct credential_terms *terms)
{
	const struct credential_kind *kind = kind_of(work);

	if (!terms->wanted || !given_owner_is_ready(work->access, work->item))
		return false;
	if (kind->may_create && !kind->may_create(work, terms))
		return false;
	if (was_read_lately(work->item))
		return true;
	work->item->read_wanted = true;
	return false;
}

/* The mark is no part of the operation's id: the plan that people see does not have it. */
static void choose_creation(struct item_work *work, const struct operation *op)
{
	struct part_change *parts = arena_alloc(work->arena, (op->part_count + 1) * sizeof(*parts));
	struct credential_terms terms = {0};
	struct operation *chosen;

	kind_of(work)->terms(work->access, work->item, &terms);
	if (!may_create(work, &terms))
		return;
	memcpy(parts, op->parts, op->part_count * sizeof(*parts));
	parts[op->part_count] = (struct part_change){"mark", NULL,
			kind_of(work)->make_mark(credential_of(work->item), &terms, work->arena)};
	chosen = vec_add(&work->ops);
	*chosen = *op;
	chosen->parts = parts;
	chosen->part_count++;
}

/* One at a time, what removes a spare one first. */
void credential_choose(struct item_work *work, const struct item_plan *plan)
{
	for (vec_each (&plan->operations, op)) {
		if (work->ops.count || !item_may_go(work, op))
			continue;
		if (creates(op))
			choose_creation(work, op);
		else
			*vec_add(&work->ops) = *op;
	}
}

/* ---- making ---- */

/* Ends the step without a call to Databricks. */
static void end_step(struct item_work *work, const struct err *err_or_null)
{
	item_work_prepare(work);
	call_finish_unsent(work->engine->databricks, &work->call, err_or_null);
}

static int64_t lifetime_of(const struct operation *op)
{
	int64_t lifetime_ms = 0;

	(void)clock_parse_duration(credential_part(op, "lifetime"), &lifetime_ms);
	return lifetime_ms;
}

/* Where it goes is settled before it is there. */
static void create(struct item_work *work)
{
	const struct operation *op = &work->ops.items[0];
	struct making *making = arena_alloc(work->arena, sizeof(*making));
	struct credential_terms terms = {0};
	AUTO(mem_freep) char *place = NULL;
	struct err err;

	*making = (struct making){.step = MAKE_CREATE};
	work->scratch = making;
	kind_of(work)->terms(work->access, work->item, &terms);
	making->sink = terms.wanted ? credential_sink(&terms, work->arena) : NULL;
	if (!making->sink) {
		(void)err_set(&err, ERR_CONFLICT, 0, "no rule asks for the %s any more",
				kind_of(work)->what);
		end_step(work, &err);
		return;
	}
	making->kind = terms.write_to->kind;
	if (sink_probe(making->kind, making->sink, &err) != ERR_NONE) {
		end_step(work, &err);
		return;
	}
	place = credential_place(&terms);
	making->place = arena_strdup(work->arena, place);
	item_work_prepare(work);
	kind_of(work)->create(work, &terms, credential_part(op, "mark"));
}

static void delivered(void *context, const struct err *err)
{
	struct item_work *work = context;

	credential_of(work->item)->delivery = NULL;
	call_finish_unsent(work->engine->databricks, &work->call, err);
}

static void record_made(struct item_work *work, const struct making *making,
		const struct credential_made *made)
{
	struct credential_row *row =
			(struct credential_row *)given_make(given_of(work->item), made->id);

	row->given.there = row->active = true;
	row->made_ms = made->made_ms ? made->made_ms : clock_wall_ms();
	row->expires_ms = made->expires_ms;
	row->asked_ms = lifetime_of(&work->ops.items[0]);
	row->state = CREDENTIAL_MADE;
	mem_replace_text(&row->place, making->place);
	credential_hold(work->access, work->item, row);
	records_flush(work->engine);
}

/* The holding is on its way before the secret is anywhere else: a crash leaves one to be replaced, not one to be lost. */
static void deliver(struct item_work *work, struct making *making)
{
	struct credential_made made = {0};
	struct secret value = {0};
	struct err err;

	if (kind_of(work)->read_created(work, &made, &value, &err) != ERR_NONE) {
		err.effect_unknown = true;
		end_step(work, &err);
		return;
	}
	making->id = arena_strdup(work->arena, made.id);
	making->step = MAKE_DELIVER;
	record_made(work, making, &made);
	item_work_prepare(work);
	credential_of(work->item)->delivery = sink_deliver(
			work->engine->loop, making->kind, making->sink, &value, delivered, work);
	secret_release(&value);
}

static struct credential_row *row_of(struct item_work *work, const struct making *making)
{
	return making->id ? credential_row(credential_of(work->item), making->id) : NULL;
}

static void set_state(
		struct item_work *work, const struct making *making, enum credential_state state)
{
	struct credential_row *row = row_of(work, making);

	if (!row)
		return;
	row->state = state;
	credential_hold(work->access, work->item, row);
}

static bool make_next(struct item_work *work)
{
	struct making *making = work->scratch;

	if (!making) {
		create(work);
		return true;
	}
	switch (making->step) {
	case MAKE_CREATE:
		deliver(work, making);
		return true;
	case MAKE_DELIVER:
		set_state(work, making, CREDENTIAL_DELIVERED);
		return false;
	case MAKE_WITHDRAW:
		/* Nothing is left of it, but what was to be done was not done. */
		given_removed(work->access, work->item, making->id);
		making->step = MAKE_END;
		end_step(work, &making->refusal);
		return true;
	case MAKE_END:
		break;
	}
	return false;
}

bool credential_write_next(struct item_work *work)
{
	if (creates(&work->ops.items[0]))
		return make_next(work);
	if (work->step > 0)
		return false;
	item_work_prepare(work);
	kind_of(work)->remove(work, credential_part(&work->ops.items[0], "id"));
	return true;
}

/* ---- what became of it ---- */

/* The sink did not take it: nobody is to have it. */
bool credential_again(struct item_work *work)
{
	struct making *making = creates(&work->ops.items[0]) ? work->scratch : NULL;

	if (!making || work->call.code == ERR_CANCELLED)
		return false;
	if (making->step == MAKE_WITHDRAW) { /* its holding says so; the next plan removes it */
		work->call.err = making->refusal;
		work->call.code = making->refusal.code;
	}
	if (making->step != MAKE_DELIVER)
		return false;
	making->refusal = work->call.err;
	making->step = MAKE_WITHDRAW;
	set_state(work, making, CREDENTIAL_WITHDRAWN);
	records_flush(work->engine);
	item_work_prepare(work);
	kind_of(work)->remove(work, making->id);
	return true;
}

/* One that is gone is what was wanted of a removal. With the service principal all is gone. */
static bool is_gone(struct item_work *work)
{
	if (work->call.code != ERR_NOT_FOUND)
		return false;
	if (work->stage == ITEM_READ)
		given_forget_all(work);
	return work->stage == ITEM_READ || !creates(&work->ops.items[0]);
}

bool credential_failed(struct item_work *work)
{
	struct making *making = work->stage == ITEM_WRITE ? work->scratch : NULL;

	if (is_gone(work)) {
		if (work->stage == ITEM_WRITE)
			given_removed(work->access, work->item,
					credential_part(&work->ops.items[0], "id"));
		return true;
	}
	if (making && making->step == MAKE_CREATE && kind_of(work)->explain)
		kind_of(work)->explain(work, &work->call.err);
	return false;
}

void credential_settle(struct access *access, struct item *item, const struct operation *op)
{
	item->written_ns = clock_monotonic_ns();
	if (op->kind == OP_REMOVE_RESOURCE)
		given_removed(access, item, credential_part(op, "id"));
}

bool credential_shows(struct item *item, const struct operation *op)
{
	struct credential_item *set = credential_of(item);
	const char *mark = credential_part(op, "mark");

	if (op->kind == OP_REMOVE_RESOURCE)
		return !given_find(&set->given, credential_part(op, "id"));
	for (vec_each (&set->given.rows, row)) {
		if (mark && text_equal(((const struct credential_row *)*row)->mark, mark))
			return true;
	}
	return false;
}
