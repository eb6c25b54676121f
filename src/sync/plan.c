#include "sync/plan_internal.h"

void object_plan_release(struct object_plan *plan)
{
	vec_release(&plan->operations);
}

/* ---- leaving ---- */

static void plan_end(struct planner *p, enum operation_kind kind, enum guard_category category)
{
	struct operation *op = planner_add(p, kind);

	op->active_after = false;
	planner_mark_removal(p, op, category);
	planner_finish(p, op);
}

/* Rights first, then the account; but if a step failed, the account does not wait for it. */
static void plan_leaving_person(struct planner *p)
{
	bool urgent = p->object->tries > 0;

	if (!urgent)
		planner_grant_removals(p);
	if (p->context->leavers == LEAVER_DELETE)
		plan_end(p, OP_DELETE, GUARD_USERS);
	else if (p->context->leavers == LEAVER_DEACTIVATE && p->object->active)
		plan_end(p, OP_DEACTIVATE, GUARD_USERS);
	if (urgent)
		planner_grant_removals(p);
}

/* While a group of ours has it as a member by our hand, the record says that this must be undone. */
static bool is_member_by_our_hand(const struct planner *p)
{
	for (size_t i = 0; i < registry_count(p->context->registry); i++) {
		const struct object *group = registry_at(p->context->registry, i);

		if (group->target == p->object->target &&
				ids_contain(&group->members, p->object->id))
			return true;
	}
	return false;
}

static void plan_leaving_group(struct planner *p)
{
	enum gone gone = p->object->gone;

	if (gone == GONE_DEFAULT)
		gone = p->object->origin == ORIGIN_CREATED ? GONE_DELETE : GONE_EMPTY;
	if (gone == GONE_DELETE) {
		plan_end(p, OP_DELETE, GUARD_GROUPS);
		return;
	}
	/* It stays in Databricks, so rules that give something to its name go on doing so. */
	planner_grant_additions(p);
	if (gone == GONE_KEEP)
		return;
	planner_members(p);
	planner_grant_removals(p);
	/* Nothing of it is ours any more: the record goes as well. */
	if (p->plan->operations.count == 0 && p->object->grants.count == 0 &&
			p->object->origin == ORIGIN_ADOPTED && !is_member_by_our_hand(p))
		planner_finish(p, planner_add(p, OP_FORGET));
}

static void plan_present(struct planner *p)
{
	if (p->wanted->identity->kind != p->object->kind) {
		planner_quarantine(p,
				"its entry made a %s and makes a %s now: that is another "
				"principal, and "
				"the move to it is not executed by this version",
				principal_kind_name(p->object->kind),
				principal_kind_name(p->wanted->identity->kind));
		return;
	}
	if (!p->object->ours)
		planner_new(p);
	else
		planner_update(p);
	if (p->plan->quarantine || p->plan->waits_for_power)
		return;
	if (p->object->kind == PRINCIPAL_GROUP)
		planner_members(p);
	planner_grant_additions(p);
	planner_grant_removals(p);
}

void plan_object(const struct plan_context *context, struct object *object,
		const struct wanted *wanted, struct object_plan *ret)
{
	struct planner p = {context, object, wanted, ret, object->id};
	const char *name = wanted->identity
			? wanted->identity->fields[principal_name_field(object->kind)]
			: NULL;

	*ret = (struct object_plan){0};
	ret->leaving = wanted->state == WANTED_LEAVING && object->ours;
	/* Whatever a rule says, and whatever the store believes is ours. */
	if (plan_is_protected(context->settings, object->kind, name) ||
			(object->id &&
					plan_is_protected(context->settings, object->kind,
							object->fields[principal_name_field(
									object->kind)]))) {
		/* Grants may name "users" and the like; what a person protects stays as it is. */
		if (wanted->state != WANTED_NAMED ||
				!plan_is_system_group(object->kind, object_name(object))) {
			ret->leaving = false;
			return;
		}
	}
	switch (wanted->state) {
	case WANTED_PRESENT:
		plan_present(&p);
		break;
	case WANTED_NAMED:
		if (!object->id)
			break; /* nobody has the name yet */
		planner_grant_additions(&p);
		planner_grant_removals(&p);
		break;
	case WANTED_LEAVING:
		if (!object->ours || !context->removals_allowed)
			break;
		if (object->kind == PRINCIPAL_GROUP)
			plan_leaving_group(&p);
		else
			plan_leaving_person(&p);
		break;
	case WANTED_UNSURE:
		break;
	}
}
