/* cluster_policy_plan -- what one cluster policy needs: to be made, adopted, edited, deleted, or to be left. */
#include "sync/access/cluster_policy_item.h"

#include "base/text.h"
#include "sync/access/permission_index.h"

struct policy_planner {
	struct access *access;
	struct policy_item *policy;
	struct arena *arena;
	struct item_plan *plan;
};

static const char *place_of(const struct policy_planner *p)
{
	return p->access->engine->settings->targets[p->policy->item.target].name;
}

/* ---- families ---- */

/* By id, else by name; NULL: there is none. */
static const char *find_family(const struct policy_list *list, const char *family)
{
	for (size_t i = 0; i < list->family_count; i++) {
		if (text_equal(list->families[i].id, family))
			return list->families[i].id;
	}
	for (size_t i = 0; i < list->family_count; i++) {
		if (list->families[i].name && text_equal_folded(list->families[i].name, family))
			return list->families[i].id;
	}
	return NULL;
}

bool policy_wanted_face(struct access *access, struct policy_item *policy, struct arena *arena,
		struct policy_face *ret)
{
	const struct policy_list *list =
			roster_at(access, policy->item.target, ROSTER_POLICIES)->data;
	const char *family = policy->wanted.family, *id = NULL;
	struct policy_face held;

	if (family && list && list->families_read)
		id = find_family(list, family);
	else if (family && text_equal(family, policy->held_family) &&
			policy_face_read(policy->held, arena, &held))
		id = held.parts[POLICY_FAMILY];
	if (family && !id)
		return false;
	policy_face_of_wanted(&policy->wanted, id, arena, ret);
	return true;
}

/* ---- operations ---- */

static struct operation *add(struct policy_planner *p, enum operation_kind kind,
		const struct policy_face *before, const struct policy_face *after)
{
	const struct cluster_policy_rule *rule = p->policy->rule;
	struct operation *op = item_operation(
			&p->policy->item, p->plan, kind, rule ? &rule->why : NULL, p->arena);

	if (after)
		op->part_count = policy_face_compare(before, after, p->arena, &op->parts);
	return op;
}

static void done(struct policy_planner *p, struct operation *op)
{
	if (!op->object.remote_id && p->policy->seen)
		op->object.remote_id = arena_strdup(p->arena, p->policy->seen->id);
	item_operation_done(p->access, op, p->arena);
}

/* What its rule says of its end goes into the journal with it: if the rule is gone after a crash, that still holds. */
static void add_gone(struct policy_planner *p, struct operation *op)
{
	const char *word = policy_gone_word(p->policy->rule->gone);
	struct part_change *parts;

	if (!*word)
		return;
	parts = arena_alloc(p->arena, (op->part_count + 1) * sizeof(*parts));
	memcpy(parts, op->parts, op->part_count * sizeof(*parts));
	parts[op->part_count++] = (struct part_change){POLICY_GONE_PART, NULL, word};
	op->parts = parts;
}

static void plan_create(struct policy_planner *p, const struct policy_face *wanted)
{
	struct securable_facts facts = {.name = p->policy->wanted.name};
	struct wanted_acl acl;
	struct operation *op = add(p, OP_CREATE_RESOURCE, NULL, wanted);

	add_gone(p, op);
	op->object.remote_id = NULL;
	item_operation_done(p->access, op, p->arena);
	permission_index_match(p->access->permissions, p->policy->item.target,
			SECURABLE_CLUSTER_POLICY, &facts, p->arena, &acl);
	if (acl.count)
		p->plan->note = arena_printf(p->arena,
				"cluster policy \"%s\" in %s: what rules permit on it is set when "
				"it "
				"was made",
				p->policy->wanted.name, place_of(p));
}

static void plan_foreign(struct policy_planner *p, const struct policy_face *wanted)
{
	const struct cluster_policy *seen = p->policy->seen;
	struct policy_face now;

	if (!p->policy->rule->adopt) {
		p->plan->quarantine = arena_printf(p->arena,
				"cluster policy \"%s\" in %s was made by %s%s%s: `adopt: true` on "
				"its "
				"rule takes it over, or give the rule another name",
				seen->name, place_of(p),
				seen->is_default ? "Databricks" : "somebody else",
				seen->creator ? ", " : "", seen->creator ? seen->creator : "");
		return;
	}
	policy_face_of_seen(seen, p->arena, &now);
	struct operation *op = add(p, OP_ADOPT_RESOURCE, NULL, NULL);

	op->adopts = true;
	done(p, op);
	op = add(p, OP_CHANGE_RESOURCE, &now, wanted);
	if (op->part_count)
		done(p, op);
	else
		p->plan->operations.count--;
}

static void plan_ours(struct policy_planner *p, const struct policy_face *wanted)
{
	AUTO(mem_freep) char *text = policy_face_text(wanted);
	struct policy_face now;
	struct operation *op;

	policy_face_of_seen(p->policy->seen, p->arena, &now);
	op = add(p, OP_CHANGE_RESOURCE, &now, wanted);
	if (op->part_count) {
		done(p, op);
		return;
	}
	p->plan->operations.count--;
	/* It is as a changed rule wants it already: only our record follows. */
	if (!text_equal(text, p->policy->held) ||
			!text_equal(p->policy->wanted.family, p->policy->held_family)) {
		op = add(p, OP_ADOPT_RESOURCE, NULL, NULL);
		op->adopts = true;
		done(p, op);
	}
}

static void plan_left(struct policy_planner *p)
{
	const struct policy_item *policy = p->policy;

	done(p, add(p, OP_FORGET_RESOURCE, NULL, NULL));
	if (!policy->seen)
		return;
	p->plan->note = arena_printf(p->arena,
			"cluster policy \"%s\" in %s stays as it is: no rule wants it any more, "
			"and it "
			"%s",
			policy->seen->name, place_of(p),
			policy->seen->is_default         ? "is Databricks' own"
					: policy->former ? "was there before us"
							 : "was to be kept");
}

static void plan_gone(struct policy_planner *p)
{
	struct policy_item *policy = p->policy;
	const struct roster *roster = roster_at(p->access, policy->item.target, ROSTER_POLICIES);
	struct operation *op;

	if (!policy->held) {
		policy->item.disposable = true;
		return;
	}
	if (roster->unsure || !engine_removals_allowed(p->access->engine))
		return;
	if (!policy->item.observed) {
		p->plan->wants_read = true;
		return;
	}
	if (!policy->seen || policy_would_stay(policy) || policy->seen->is_default) {
		plan_left(p);
		return;
	}
	/* It became ours by the very read: who uses it was not asked then. */
	if (!policy->usage) {
		p->plan->wants_read = true;
		return;
	}
	op = add(p, OP_REMOVE_RESOURCE, NULL, NULL);
	item_removes(op, GUARD_POLICIES, NULL);
	op->note = arena_strdup(p->arena, policy->usage);
	done(p, op);
}

void policy_plan(struct access *access, struct item *item, struct arena *arena,
		struct item_plan *ret)
{
	struct policy_planner p = {access, policy_of(item), arena, ret};
	struct policy_face wanted, held;
	bool known;

	if (access->engine->options.only_name)
		return; /* one principal is meant, nothing else */
	if (p.policy->failure) {
		ret->quarantine = arena_strdup(arena, p.policy->failure);
		return;
	}
	if (!p.policy->rule) {
		plan_gone(&p);
		return;
	}
	known = policy_wanted_face(access, p.policy, arena, &wanted);
	if (!item->observed) {
		const struct part_change *changes;

		/* What was read in an earlier life says what is ours: as wanted, or there is something to do. */
		ret->wants_read = !known || !p.policy->held ||
				!policy_face_read(p.policy->held, arena, &held) ||
				policy_face_compare(&held, &wanted, arena, &changes) > 0;
		return;
	}
	if (!known)
		ret->quarantine = arena_printf(arena,
				"cluster policy \"%s\" in %s: there is no policy family \"%s\"",
				p.policy->wanted.name, place_of(&p), p.policy->wanted.family);
	else if (!p.policy->seen)
		plan_create(&p, &wanted);
	else if (!p.policy->held)
		plan_foreign(&p, &wanted);
	else
		plan_ours(&p, &wanted);
}
