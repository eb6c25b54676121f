#include "sync/plan_internal.h"

static bool is_pending(const struct planner *p, const struct object *member)
{
	/* About to be made: not stuck behind a retry of its own, nor left alone for good. */
	return !member->id && !member->tries && !member->quarantined_ms &&
			!plan_is_protected(p->context->settings, member->kind,
					p->context->name_of(p->context->context, member));
}

static bool is_refused(const struct planner *p, uint64_t id)
{
	return p->context->now_ns < p->object->refused_until_ns &&
			ids_contain(&p->object->refused, id);
}

/* Those among the wanted members that are not ours yet: there already by somebody's hand (adopts),
 * or missing. */
static void plan_member_additions(struct planner *p, bool adopts)
{
	struct object *object = p->object;
	struct principal_ref *refs = arena_alloc(
			p->context->arena, (p->wanted->member_count + 1) * sizeof(*refs));
	struct operation *op;
	size_t count = 0;

	for (size_t i = 0; i < p->wanted->member_count; i++) {
		struct object *member = p->wanted->members[i];
		bool there = member->id && object->actual_known &&
				ids_contain(&object->actual, member->id);

		if (there != adopts || (!member->id && !is_pending(p, member)) ||
				(member->id &&
						(ids_contain(&object->members, member->id) ||
								is_refused(p, member->id))))
			continue;
		refs[count++] = (struct principal_ref){member->key, planner_id(p, member->id),
				arena_strdup(p->context->arena,
						p->context->name_of(p->context->context, member))};
	}
	if (count == 0)
		return;
	op = planner_add(p, OP_ADD_MEMBERS);
	op->members = refs;
	op->member_count = count;
	op->adopts = adopts;
	planner_finish(p, op);
}

static void collect_wanted_members(struct planner *p, struct ids *ret)
{
	ids_expect(ret, p->wanted->member_count);
	for (size_t i = 0; i < p->wanted->member_count; i++) {
		struct object *member = p->wanted->members[i];

		if (member->id)
			ids_append(ret, member->id);
		else if (is_pending(p, member))
			p->plan->waits_for = member;
	}
	ids_sort(ret);
}

static void plan_member_removal(struct planner *p, uint64_t id)
{
	const struct object *member = registry_find_member(
			p->context->registry, p->object, p->context->settings->has_account, id);
	struct principal_ref *ref = arena_alloc(p->context->arena, sizeof(*ref));
	struct operation *op = planner_add(p, OP_REMOVE_MEMBERS);

	ref->remote_id = planner_id(p, id);
	ref->key = member ? member->key : ref->remote_id;
	ref->name = member ? arena_strdup(p->context->arena, object_name(member)) : ref->remote_id;
	op->members = ref;
	op->member_count = 1;
	planner_mark_removal(p, op, GUARD_MEMBERS);
	op->follows_leaver = member && member->leaving && member->kind != PRINCIPAL_GROUP
			? member->key
			: NULL;
	planner_finish(p, op);
}

/* Whose name no list told since the start may be protected: only what is ours goes then. */
static void plan_member_removals(struct planner *p, const struct ids *wanted)
{
	const struct object *object = p->object;
	bool exclusive = p->wanted->identity && p->wanted->identity->exclusive &&
			object->actual_known;

	for (size_t i = 0; i < object->members.count; i++) {
		if (!ids_contain(wanted, object->members.items[i]) &&
				!planner_is_protected_member(p, object->members.items[i]))
			plan_member_removal(p, object->members.items[i]);
	}
	for (size_t i = 0; object->actual_known && i < object->actual.count; i++) {
		uint64_t id = object->actual.items[i];

		if (ids_contain(wanted, id) || ids_contain(&object->members, id))
			continue;
		p->plan->extra_members++;
		if (exclusive && p->context->lists_known && !planner_is_protected_member(p, id))
			plan_member_removal(p, id);
	}
}

/* As it nearly always is: all that are wanted are there and ours, and nobody else is there. */
static bool has_members(const struct planner *p, const struct ids *wanted)
{
	const struct object *object = p->object;

	return wanted->count == p->wanted->member_count && ids_equal(wanted, &object->members) &&
			(!object->actual_known || ids_equal(wanted, &object->actual));
}

void planner_members(struct planner *p)
{
	struct ids wanted = {0};

	collect_wanted_members(p, &wanted);
	if (!has_members(p, &wanted)) {
		plan_member_additions(p, true);
		plan_member_additions(p, false);
		if (p->context->removals_allowed)
			plan_member_removals(p, &wanted);
	}
	ids_release(&wanted);
}
