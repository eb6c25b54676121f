#include "sync/plan_internal.h"

#include "base/text.h"

static bool seen_has(
		struct object *object, unsigned workspace, enum grant_kind kind, const char *value)
{
	const struct seen_grants *seen = object_seen(object, workspace);
	size_t count = !seen ? 0 : kind == GRANT_ROLE ? seen->role_count : seen->entitlement_count;

	for (size_t i = 0; i < count; i++) {
		if (text_equal((kind == GRANT_ROLE ? seen->roles : seen->entitlements)[i], value))
			return true;
	}
	return false;
}

static void plan_assignment(struct planner *p, const struct wanted_grant *grant)
{
	const struct held_grant *held =
			object_grant(p->object, grant->target, GRANT_ASSIGNMENT, NULL);
	const char *now = held ? held->value : NULL;
	const char **values = arena_alloc(p->context->arena, 2 * sizeof(*values));
	struct operation *op;

	if (!held && p->id)
		now = p->context->assigned_level(p->context->context, grant->target, p->id);
	/* A higher level that is not ours satisfies the rule and is never lowered. */
	if (!held && text_equal(now, "ADMIN") && !text_equal(grant->value, "ADMIN"))
		return;
	if (held && text_equal(now, grant->value))
		return;
	op = planner_add(p, OP_ASSIGN);
	op->target = grant->target;
	op->adopts = text_equal(now, grant->value);
	values[0] = grant->value;
	op->values = values;
	op->value_count = 1;
	if (now && !op->adopts) {
		const char **before = arena_alloc(p->context->arena, sizeof(*before));

		before[0] = arena_strdup(p->context->arena, now);
		op->values_before = before;
	}
	op->why = grant->why;
	planner_finish(p, op);
}

/* All values of one kind in one target that are not ours yet make one operation, or two: some may
 * be there already. */
static void plan_values(struct planner *p, unsigned target, enum grant_kind kind, bool adopts)
{
	const char **values = arena_alloc(
			p->context->arena, (p->wanted->grant_count + 1) * sizeof(*values));
	const struct wanted_grant *first = NULL;
	struct operation *op;
	size_t count = 0;

	for (size_t i = 0; i < p->wanted->grant_count; i++) {
		const struct wanted_grant *grant = &p->wanted->grants[i];

		if (grant->target != target || grant->kind != kind ||
				object_grant(p->object, target, kind, grant->value) ||
				seen_has(p->object, target, kind, grant->value) != adopts)
			continue;
		first = first ? first : grant;
		values[count++] = grant->value;
	}
	if (count == 0)
		return;
	op = planner_add(p, kind == GRANT_ROLE ? OP_ADD_ROLES : OP_ADD_ENTITLEMENTS);
	op->target = target;
	op->values = values;
	op->value_count = count;
	op->adopts = adopts;
	op->why = first->why;
	planner_finish(p, op);
}

static const struct wanted_grant *find_wanted(
		const struct planner *p, const struct held_grant *held)
{
	for (size_t i = 0; i < p->wanted->grant_count; i++) {
		const struct wanted_grant *grant = &p->wanted->grants[i];

		if (grant->target == held->workspace && grant->kind == held->kind &&
				(held->kind == GRANT_ASSIGNMENT ||
						text_equal(grant->value, held->value)))
			return grant;
	}
	return NULL;
}

static void plan_grant_removal(struct planner *p, const struct held_grant *held)
{
	static const enum operation_kind kinds[] = {[GRANT_ASSIGNMENT] = OP_UNASSIGN,
			[GRANT_ENTITLEMENT] = OP_REMOVE_ENTITLEMENTS,
			[GRANT_ROLE] = OP_REMOVE_ROLES};
	const char **values = arena_alloc(p->context->arena, sizeof(*values));
	struct operation *op = planner_add(p, kinds[held->kind]);

	op->target = held->workspace;
	values[0] = arena_strdup(p->context->arena, held->value);
	op->values = values;
	op->value_count = 1;
	if (held->former) {
		const char **before = arena_alloc(p->context->arena, sizeof(*before));

		before[0] = arena_strdup(p->context->arena, held->former);
		op->values_before = before;
	}
	planner_mark_removal(p, op, GUARD_PERMISSIONS);
	planner_finish(p, op);
}

void planner_grant_additions(struct planner *p)
{
	for (size_t i = 0; i < p->wanted->grant_count; i++) {
		const struct wanted_grant *grant = &p->wanted->grants[i];
		bool first_of_its_kind = true;

		if (grant->kind == GRANT_ASSIGNMENT) {
			plan_assignment(p, grant);
			continue;
		}
		for (size_t k = 0; k < i; k++)
			first_of_its_kind = first_of_its_kind &&
					!(p->wanted->grants[k].target == grant->target &&
							p->wanted->grants[k].kind == grant->kind);
		if (first_of_its_kind) {
			plan_values(p, grant->target, grant->kind, true);
			plan_values(p, grant->target, grant->kind, false);
		}
	}
}

void planner_grant_removals(struct planner *p)
{
	static const enum grant_kind order[] = {GRANT_ROLE, GRANT_ENTITLEMENT, GRANT_ASSIGNMENT};

	if (p->context->grants_unsure && p->wanted->state == WANTED_PRESENT)
		return;
	for (size_t i = 0; p->context->removals_allowed && i < COUNT_OF(order); i++) {
		for (vec_each (&p->object->grants, held)) {
			if (held->kind == order[i] && !find_wanted(p, held))
				plan_grant_removal(p, held);
		}
	}
}
