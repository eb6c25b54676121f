/* pass_guard -- removals that a pass found before the guard, and what its verdicts mean for them. */
#include "sync/access/item.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "sync/plan_file.h"

struct object *pass_owner(const struct engine *engine, unsigned target, const char *key)
{
	struct object *owner = registry_find(engine->registry, target, key);

	return owner || !engine->settings->has_account ? owner
						       : registry_find(engine->registry, 0, key);
}

static struct object *leaver_of(const struct engine *engine, const struct object *object,
		const struct operation *op)
{
	return pass_owner(engine, object->target, op->follows_leaver);
}

/* Somebody whose leaving was let go once is not asked about again until he is back. */
static bool is_decided(const struct engine *engine, const struct object *object,
		const struct operation *op)
{
	const struct object *leaver = op->follows_leaver ? leaver_of(engine, object, op) : NULL;

	return leaver && leaver->left_ms;
}

void pass_remember_key(struct object *object, const char *key)
{
	for (vec_each (&object->decided, known)) {
		if (text_equal(*known, key))
			return;
	}
	*vec_add(&object->decided) = mem_strdup(key);
}

/* Returns whether the object must wait for a verdict. */
bool pass_ask_guard(struct engine *engine, struct object *object, const struct object_plan *plan)
{
	bool asked = false;

	for (vec_each (&plan->operations, op)) {
		struct object *owner = op->follows_leaver ? leaver_of(engine, object, op) : object;
		const char *key = guard_key(op, engine->scratch);
		AUTO(mem_freep) char *text = NULL;

		if (!op->is_removal || is_decided(engine, object, op) || !owner)
			continue;
		if (!guard_find(engine->guard, key)) {
			text = operation_text(op, engine->settings);
			guard_ask(engine->guard, op, text);
			pass_remember_key(owner, key);
		}
		asked = true;
	}
	return asked;
}

void pass_mark_held(struct engine *engine, struct object_plan *plan, struct arena *arena)
{
	for (vec_each (&plan->operations, op)) {
		struct object *object = registry_find(engine->registry, op->target, op->object.key);
		const struct decision *decision;

		if (!object && engine->settings->has_account)
			object = registry_find(engine->registry, 0, op->object.key);
		if (!op->is_removal || (object && is_decided(engine, object, op)))
			continue;
		decision = guard_find(engine->guard, guard_key(op, arena));
		if (!decision || decision->verdict != VERDICT_GO)
			op->held_by = decision && decision->hold_id
					? arena_strdup(arena, decision->hold_id)
					: "undecided";
	}
}

void pass_dissolve(struct engine *engine, const char *key)
{
	struct decision *decision = guard_find(engine->guard, key);

	if (!decision)
		return;
	if (decision->verdict == VERDICT_HELD)
		log_event(LOG_NOTICE, "a hold dissolved: its reason is gone",
				{"hold", decision->hold_id}, {"op", key});
	records_decision(engine, decision, false);
	guard_forget(engine->guard, key);
}

/* A group may lose thousands at once, one operation each. */
static struct table *removals_of(const struct object_plan *plan)
{
	struct table *ids = table_new();

	for (vec_each (&plan->operations, op)) {
		if (op->is_removal)
			(void)table_put(ids, span_of(op->id), op);
	}
	return ids;
}

void pass_dissolve_unseen(
		struct engine *engine, struct object *object, const struct object_plan *plan)
{
	struct table *removals;
	size_t kept = 0;

	/* A plan without removals because something is incomplete says nothing about their reasons.
	 */
	if (!engine_removals_allowed_at(engine, object->target) || object->decided.count == 0)
		return;
	removals = removals_of(plan);
	for (size_t i = 0; i < object->decided.count; i++) {
		char *key = object->decided.items[i];
		bool seen = text_starts_with(key, "leaver:")
				? plan->leaving && !object->left_ms
				: table_find(removals, span_of(key)) != NULL;

		if (seen) {
			object->decided.items[kept++] = key;
			continue;
		}
		pass_dissolve(engine, key);
		mem_free(key);
	}
	object->decided.count = kept;
	table_free(removals);
}

static size_t count_members(const struct engine *engine)
{
	size_t count = 0;

	for (size_t i = 0; i < registry_count(engine->registry); i++)
		count += registry_at(engine->registry, i)->members.count;
	return count;
}

/* Without an account somebody is made in each workspace, but leaves once. */
static bool is_first_of_its_key(const struct engine *engine, const struct object *object)
{
	for (unsigned target = 0; target < object->target; target++) {
		const struct object *other = registry_find(engine->registry, target, object->key);

		if (other && other->ours)
			return false;
	}
	return true;
}

static void count_ours(struct engine *engine)
{
	struct guard_counts *ours = &engine->ours;

	*ours = (struct guard_counts){0};
	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		const struct object *object = registry_at(engine->registry, i);

		ours->ours[GUARD_PERMISSIONS] += object->grants.count;
		if (!object->ours)
			continue;
		if (object->kind == PRINCIPAL_GROUP)
			ours->ours[GUARD_GROUPS]++;
		else
			ours->ours[GUARD_USERS] +=
					object->left_ms == 0 && is_first_of_its_key(engine, object);
	}
	ours->ours[GUARD_MEMBERS] = count_members(engine);
	access_count_ours(engine->access, ours);
}

/* Somebody leaves as a whole: from each target that he was made in. */
void pass_let_leave(struct engine *engine, const char *key, int64_t now_ms)
{
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		struct object *object = registry_find(engine->registry, target, key);

		if (!object || !object->ours)
			continue;
		object->left_ms = now_ms;
		records_principal(engine, object);
	}
}

/* Under a plan file only what it names goes. */
static bool is_named_by_file(const struct engine *engine, const struct decision *decision)
{
	for (size_t i = 0; i < engine->allowed_count; i++) {
		const struct operation *op = &engine->allowed[i];

		if (op->is_removal && guard_is_key(op, decision->key))
			return true;
	}
	return !engine->restricted;
}

/*
 * What goes, goes for good only where it is carried out: `apply` keeps it after somebody has seen the plan and said yes
 * (pass_keep_shown). What is held is kept at once, so that it can be approved.
 */
static bool verdicts_bind(const struct engine *engine)
{
	return engine_may_change(engine) &&
			(engine->options.mode == ENGINE_RUN || engine->phase == ENGINE_APPLYING);
}

static void keep_decisions(struct engine *engine)
{
	int64_t now = clock_wall_ms();
	struct decision *const *decided;
	size_t count;

	if (!engine_may_change(engine))
		return;
	decided = guard_decided(engine->guard, &count);
	for (size_t i = 0; i < count; i++) {
		struct object *object = registry_find(
				engine->registry, decided[i]->target, decided[i]->object_key);

		if (!object && engine->settings->has_account)
			object = registry_find(engine->registry, 0, decided[i]->object_key);
		if (decided[i]->verdict == VERDICT_GO && !verdicts_bind(engine))
			continue;
		records_decision(engine, decided[i], true);
		if (decided[i]->verdict == VERDICT_HELD)
			log_event(LOG_WARNING, "removal held: approve or reject it",
					{"hold", decided[i]->hold_id},
					{"principal",
							object ? pass_name(engine, object)
							       : decided[i]->object_key},
					{"reason", decided[i]->reason});
		if (decided[i]->verdict == VERDICT_GO &&
				text_starts_with(decided[i]->key, "leaver:") &&
				is_named_by_file(engine, decided[i]))
			pass_let_leave(engine, decided[i]->object_key, now);
	}
	for (unsigned category = 0; verdicts_bind(engine) && category < GUARD_CATEGORY_COUNT_;
			category++) {
		struct store_removals removals = {now, (enum guard_category)category,
				guard_passed(engine->guard)[category]};

		if (count && removals.count && engine_may_write(engine))
			store_add_removals(records_batch(engine), &removals);
	}
}

void pass_keep_shown(struct engine *engine)
{
	struct store_removals removals[GUARD_CATEGORY_COUNT_] = {{0}};
	const struct decision *decision;
	int64_t now = clock_wall_ms();

	if (!engine_may_change(engine))
		return;
	for (size_t i = 0; (decision = guard_at(engine->guard, i)); i++) {
		if (!decision->new || decision->verdict != VERDICT_GO ||
				!is_named_by_file(engine, decision))
			continue;
		removals[decision->category].count += decision->weight;
		records_decision(engine, decision, true);
		if (text_starts_with(decision->key, "leaver:"))
			pass_let_leave(engine, decision->object_key, now);
	}
	for (unsigned category = 0; category < GUARD_CATEGORY_COUNT_; category++) {
		removals[category].time_ms = now;
		removals[category].category = (enum guard_category)category;
		if (removals[category].count)
			store_add_removals(records_batch(engine), &removals[category]);
	}
}

void pass_ready(struct engine *engine, struct object *object)
{
	if (object->ready)
		return;
	object->ready = true;
	*vec_add(&engine->ready) = object;
}

void pass_decide(struct engine *engine)
{
	if (engine->asking.count == 0 && engine->access->asking.count == 0)
		return;
	count_ours(engine);
	guard_decide(engine->guard, &engine->ours, clock_wall_ms());
	keep_decisions(engine);
	for (vec_each (&engine->asking, object))
		pass_ready(engine, *object);
	engine->asking.count = 0;
}
