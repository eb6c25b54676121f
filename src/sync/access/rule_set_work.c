/* rule_set_work -- how rule sets are read and written, and what the answers mean. */
#include "sync/access/rule_set_row.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "sync/access/acl_item.h"

#define SECOND_LOOK_NS (2 * SECOND_NS)
#define CONFLICTS_MAX 5 /* in a row that are answered at once; then it waits longer each time */
#define REFUSED_FIRST_NS (5 * SECOND_NS)
#define REFUSED_DOUBLINGS 7

/* ---- reading ---- */

static struct rule_set_of name_of(const struct item *item)
{
	return (struct rule_set_of){((const struct rule_set_item *)item)->of_kind, item->id};
}

/* Inside the window in which reads lag, what is asked for is at least as fresh as our last write. */
static void ask(struct item_work *work)
{
	struct item *item = work->item;
	struct rule_set_of name = name_of(item);
	bool lags = item->written_ns && clock_monotonic_ns() - item->written_ns < READ_LAG_NS;

	item_work_prepare(work);
	rule_set_get(work->engine->databricks, &work->call, &name,
			lags ? rule_set_of_item(item)->etag : NULL);
}

static bool has_entry(const struct rule_set *have, const struct rule_row *row)
{
	for (size_t i = 0; i < have->grant_count; i++) {
		const struct rule_grant *grant = &have->grants[i];

		for (size_t j = 0; j < grant->principals.count; j++) {
			enum principal_kind kind;
			const char *name;

			if (text_equal(grant->role, row->role) &&
					rule_principal_parse(
							grant->principals.items[j], &kind, &name) &&
					kind == row->kind && text_equal_folded(name, row->name))
				return true;
		}
	}
	return false;
}

static bool concerns(const struct operation *op, const char *role, const char *principal)
{
	enum principal_kind kind;
	const char *name;

	return text_equal(op->values[0], role) && rule_principal_parse(principal, &kind, &name) &&
			kind == acl_kind_of_key(op->members[0].key) &&
			text_equal_folded(name, op->members[0].name);
}

/* A removal of ours whose answer was lost may have had its effect. */
static bool may_be_our_doing(const struct access *access, const struct rule_set_item *set,
		const struct rule_row *row)
{
	for (vec_each (&access->engine->intents, intent)) {
		const struct operation *op = &(*intent)->op;

		if (op->kind == OP_REMOVE_PERMISSIONS && op->member_count == 1 &&
				op->value_count == 1 && op->resource == RESOURCE_RULE_SET &&
				text_equal(op->object.key, set->item.key) &&
				text_equal(op->values[0], row->role) &&
				acl_kind_of_key(op->members[0].key) == row->kind &&
				text_equal_folded(op->members[0].name, row->name))
			return true;
	}
	return false;
}

/* 0: all that is ours is there. */
static uint64_t difference(const struct access *access, const struct rule_set_item *set,
		const struct rule_set *have)
{
	uint64_t digest = 0;

	for (vec_each (&set->rows, row)) {
		if (row->held && !has_entry(have, row) && !may_be_our_doing(access, set, row))
			digest = digest * 31 + digest_quick(span_of(row->key));
	}
	return digest ? digest | 1 : 0;
}

static void take(struct access *access, struct rule_set_item *set, const struct rule_set *have)
{
	for (vec_each (&set->rows, row))
		row->there = false;
	for (size_t i = 0; i < have->grant_count; i++) {
		const struct rule_grant *grant = &have->grants[i];

		for (size_t j = 0; j < grant->principals.count; j++) {
			enum principal_kind kind;
			const char *name;

			if (rule_principal_parse(grant->principals.items[j], &kind, &name))
				rule_row_make(set, grant->role, kind, name)->there = true;
		}
	}
	for (vec_each (&set->rows, row)) {
		/* Somebody else took it away: what is wanted is planned anew. */
		if (row->held && !row->there)
			rule_row_drop_hold(access, set, row);
	}
	rule_rows_sweep(set);
}

bool rule_set_read_next(struct item_work *work)
{
	struct item *item = work->item;
	bool fresh = item->written_ns && clock_monotonic_ns() - item->written_ns < READ_LAG_NS;
	struct rule_set have;
	uint64_t differs;
	struct err err;

	if (!item->id)
		return false; /* nothing to read yet */
	if (work->step == 0) {
		ask(work);
		return true;
	}
	if (rule_set_read(&work->call, work->arena, &have, &err) != ERR_NONE) {
		item_retry_later(work->access, item, &err);
		return false;
	}
	rule_rows_follow_names(work->access, rule_set_of_item(item));
	differs = difference(work->access, rule_set_of_item(item), &have);
	if (differs && fresh)
		return false;
	if (differs && item->suspect != differs) {
		item->suspect = differs;
		item_delay(work->access, item, SECOND_LOOK_NS);
		return false;
	}
	if (differs)
		log_event(LOG_NOTICE, "drift: a rule set lost what is ours by another hand",
				{"item", item->key}, {"name", item->name});
	item->suspect = 0;
	take(work->access, rule_set_of_item(item), &have);
	return false;
}

/* ---- writing ---- */

/* All that can go makes one write; but where one was refused, each makes its own, so that the others are done. */
void rule_set_choose(struct item_work *work, const struct item_plan *plan)
{
	struct rule_set_item *set = rule_set_of_item(work->item);

	set->single = set->single && plan->operations.count > 1;
	for (vec_each (&plan->operations, op)) {
		enum principal_kind kind = acl_kind_of_key(op->members[0].key);

		if (set->single && work->ops.count)
			return;

		if (!item_may_go(work, op))
			continue;
		if (op->adopts)
			item_done_without_call(work, op);
		else if (!work->item->id)
			continue; /* it is told of when it is there */
		else if (op->kind == OP_REMOVE_PERMISSIONS ||
				access_principal_is_there(
						work->access, 0, kind, op->members[0].name))
			*vec_add(&work->ops) = *op;
		else
			item_wait_for(work->access, work->item, op->members[0].key);
	}
}

static bool is_touched(const struct item_work *work, const char *role, const char *principal)
{
	for (vec_each (&work->ops, op)) {
		if (concerns(op, role, principal))
			return true;
	}
	return false;
}

static const struct texts *one_text(struct arena *arena, const char *text)
{
	struct texts *texts = arena_alloc(arena, sizeof(*texts));
	const char **items = arena_alloc(arena, sizeof(*items));

	items[0] = text;
	*texts = (struct texts){items, 1};
	return texts;
}

/* All that is there but what our operations are about, then what they give: rules of one role become one when sent. */
static void merge(struct item_work *work, struct rule_set *set)
{
	size_t room = work->ops.count + 1, count = 0;
	struct rule_grant *grants;

	for (size_t i = 0; i < set->grant_count; i++)
		room += set->grants[i].principals.count;
	grants = arena_alloc(work->arena, room * sizeof(*grants));
	for (size_t i = 0; i < set->grant_count; i++) {
		const struct rule_grant *grant = &set->grants[i];

		for (size_t j = 0; j < grant->principals.count; j++) {
			if (!is_touched(work, grant->role, grant->principals.items[j]))
				grants[count++] = (struct rule_grant){grant->role,
						*one_text(work->arena, grant->principals.items[j])};
		}
	}
	for (vec_each (&work->ops, op)) {
		if (op->kind == OP_SET_PERMISSIONS)
			grants[count++] = (struct rule_grant){op->values[0],
					*one_text(work->arena,
							rule_principal(work->arena,
									acl_kind_of_key(op->members[0].key),
									op->members[0].name))};
	}
	set->grants = grants;
	set->grant_count = count;
}

/* The new etag: what is read from now on is at least as fresh. */
static void take_etag(struct item_work *work)
{
	struct rule_set_item *set = rule_set_of_item(work->item);
	struct rule_set now;
	struct err err;

	if (rule_set_read(&work->call, work->arena, &now, &err) != ERR_NONE)
		return; /* it was written all the same */
	mem_free(set->etag);
	set->etag = mem_strdup(now.etag);
}

bool rule_set_write_next(struct item_work *work)
{
	struct rule_set_of name = name_of(work->item);
	struct rule_set set;
	struct err err;

	if (work->step == 0) {
		ask(work);
		return true;
	}
	if (work->step > 1) {
		take_etag(work);
		return false;
	}
	if (rule_set_read(&work->call, work->arena, &set, &err) != ERR_NONE) {
		for (vec_each (&work->ops, op))
			store_drop_intent(records_batch(work->engine), op->id);
		work->ops.count = 0;
		item_retry_later(work->access, work->item, &err);
		return false;
	}
	merge(work, &set);
	item_work_prepare(work);
	rule_set_put(work->engine->databricks, &work->call, &name, &set);
	return true;
}

/* Another writer was faster: what is there now is read, our change put in anew, and written. */
bool rule_set_again(struct item_work *work)
{
	struct rule_set_item *set = rule_set_of_item(work->item);

	if (work->step != 1 || (work->call.status != 409 && work->call.status != 412) ||
			work->call.err.effect_unknown || set->conflicts == CONFLICTS_MAX)
		return false;
	set->conflicts++;
	work->step = 0;
	mem_free(STEAL(set->etag)); /* it is the past */
	ask(work);
	return true;
}

void rule_set_settle(struct access *access, struct item *item, const struct operation *op)
{
	struct rule_set_item *set = rule_set_of_item(item);
	struct rule_row *row = rule_row_make(set, op->values[0],
			acl_kind_of_key(op->members[0].key), op->members[0].name);

	if (op->kind == OP_REMOVE_PERMISSIONS) {
		row->there = false;
		rule_row_drop_hold(access, set, row);
	} else {
		row->there = true;
		rule_row_hold(access, set, row);
	}
	row->refused_until_ns = 0;
	row->refusals = 0;
	set->conflicts = 0;
	if (!op->adopts)
		item->written_ns = clock_monotonic_ns();
	rule_rows_sweep(set);
}

bool rule_set_shows(struct item *item, const struct operation *op)
{
	AUTO(mem_freep)
	char *key = rule_row_key(
			op->values[0], acl_kind_of_key(op->members[0].key), op->members[0].name);
	const struct rule_row *row = rule_row_find(rule_set_of_item(item), key);

	return (row && row->there) == (op->kind == OP_SET_PERMISSIONS);
}

/* ---- what fails ---- */

static void refuse(struct item_work *work, const struct operation *op)
{
	struct rule_set_item *set = rule_set_of_item(work->item);
	struct rule_row *row = rule_row_make(set, op->values[0],
			acl_kind_of_key(op->members[0].key), op->members[0].name);

	row->refused_until_ns = clock_monotonic_ns() + (REFUSED_FIRST_NS << row->refusals);
	if (row->refusals < REFUSED_DOUBLINGS)
		row->refusals++;
	mem_free(row->refusal);
	row->refusal = mem_strdup(work->call.err.text);
}

/*
 * Which of the entries it does not like, an answer does not say for sure: each is tried alone, and one that is refused alone
 * waits while the others go on.
 */
static bool was_refused(struct item_work *work)
{
	struct rule_set_item *set = rule_set_of_item(work->item);

	if (work->step != 1 || (work->call.status != 400 && work->call.status != 404))
		return false;
	if (work->ops.count == 1)
		refuse(work, &work->ops.items[0]);
	else
		set->single = true;
	return true;
}

/* The group or service principal is gone, and with it what was ours of its rule set. */
static void forget(struct item_work *work)
{
	struct rule_set_item *set = rule_set_of_item(work->item);

	for (vec_each (&set->rows, row)) {
		if (row->held)
			rule_row_drop_hold(work->access, set, row);
		row->there = false;
	}
	rule_rows_sweep(set);
	work->item->read_wanted = work->item->observed = false;
	mem_free(STEAL(work->item->id));
}

bool rule_set_failed(struct item_work *work)
{
	if (work->stage == ITEM_WRITE)
		return was_refused(work);
	if (work->call.code != ERR_NOT_FOUND)
		return false;
	if (work->item->suspect == 1) {
		forget(work);
		return true;
	}
	work->item->suspect = 1;
	item_delay(work->access, work->item, SECOND_LOOK_NS);
	return true;
}
