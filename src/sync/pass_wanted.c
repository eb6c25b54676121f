/* pass_wanted -- what desired and grants want of an object. */
#include "sync/access/concern.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "sync/expansion.h"

bool pass_is_home(const struct engine *engine, const struct identity *identity, unsigned target)
{
	const struct target_settings *at = &engine->settings->targets[target];

	if (!identity->workspace_level)
		return !engine->settings->has_account || at->is_account;
	return target_matches_any(at, identity->workspaces, identity->workspace_count);
}

/* Made at the account while its rule makes workspace-local groups now, or in a workspace while there is an account now: the shape
 * of the configuration changed, and nothing says that anybody left. */
static bool is_at_other_level(
		const struct engine *engine, const struct identity *identity, unsigned target)
{
	return engine->settings->has_account &&
			engine->settings->targets[target].is_account == identity->workspace_level;
}

bool pass_is_stray(const struct engine *engine, const struct object *object)
{
	const struct want *want = object->ours && object->node != NODE_NONE
			? desired_want(engine->desired, object->node)
			: NULL;

	return want && want->state == WANT_IN &&
			is_at_other_level(engine, want->identity, object->target);
}

size_t pass_count_strays(const struct engine *engine, unsigned target)
{
	size_t count = 0;

	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		const struct object *object = registry_at(engine->registry, i);

		count += object->target == target && pass_is_stray(engine, object);
	}
	return count;
}

struct object *pass_object_of_node(const struct engine *engine, unsigned target, node_id node)
{
	const struct object_list *list = &engine->by_node[target];

	return node < list->count ? list->items[node] : NULL;
}

/* A member that could not be made so far is not waited for; once it is there, the group is planned
 * again. */
static void wait_for_stuck(struct object *member, struct object *group)
{
	if (member->id || (!member->tries && !member->quarantined_ms))
		return;
	for (vec_each (&member->waiters, waiter)) {
		if (*waiter == group)
			return;
	}
	*vec_add(&member->waiters) = group;
}

/* It is there, or its own plan makes it. Nobody waits for one that is protected, or whose entry became doubtful. */
static bool can_be_member(const struct engine *engine, const struct object *member)
{
	const struct want *want;
	const struct identity *identity;

	if (member->id)
		return true;
	want = desired_want(engine->desired, member->node);
	identity = want ? want->identity : NULL;
	return want && want->state == WANT_IN && identity->kind == member->kind &&
			!plan_is_protected(engine->settings, member->kind,
					identity->fields[principal_name_field(member->kind)]);
}

/* Who became doubtful keeps the places that are ours, also if a restart forgot what the rules made of the entry. */
static void keep_doubtful(const struct engine *engine, const struct object *group,
		struct object **members, struct wanted *ret)
{
	for (size_t i = 0; i < group->members.count && desired_nameless(engine->desired); i++) {
		struct object *member = registry_find_member(engine->registry, group,
				engine->settings->has_account, group->members.items[i]);
		const struct want *want = member && member->node != NODE_NONE
				? desired_want(engine->desired, member->node)
				: NULL;

		if (want && want->state == WANT_UNSURE && !want->identity)
			members[ret->member_count++] = member;
	}
}

static void wanted_members(struct engine *engine, struct object *group, struct arena *arena,
		struct wanted *ret)
{
	const node_id *nodes;
	size_t outside,
			count = desired_members(
					engine->desired, group->node, arena, &nodes, &outside);
	struct object **members = arena_alloc(
			arena, (count + group->members.count + 1) * sizeof(struct object *));

	for (size_t i = 0; i < count; i++) {
		struct object *member = pass_object_of_node(engine, group->target, nodes[i]);

		/* A workspace's own group may have members whose home is the account: the id is the
		 * same. */
		if (!member && engine->settings->has_account)
			member = pass_object_of_node(engine, 0, nodes[i]);
		if (!member || !can_be_member(engine, member))
			continue;
		members[ret->member_count++] = member;
		wait_for_stuck(member, group);
	}
	keep_doubtful(engine, group, members, ret);
	ret->members = members;
}

static void wanted_grants(struct engine *engine, const struct object *object,
		const struct subject *subject, struct arena *arena, struct wanted *ret)
{
	struct wanted_grant *grants;

	if (!subject)
		return;
	grants = arena_alloc(arena, (subject->count + 1) * sizeof(*grants));
	for (size_t i = 0; i < subject->count; i++) {
		if (engine->settings->has_account ? engine->settings->targets[object->target]
								    .is_account
						  : subject->grants[i].target == object->target) {
			struct wanted_grant *grant = &grants[ret->grant_count++];

			/* A rule of a directory group may change while its call is under way. */
			*grant = subject->grants[i];
			grant->value = arena_strdup(arena, grant->value);
			grant->why.entry = arena_strdup(arena, grant->why.entry);
		}
	}
	ret->grants = grants;
}

/* Known by its id alone, from the store. Whether a rule still gives it something can only be told by its name. */
static bool may_be_named(const struct engine *engine, const struct object *object)
{
	const char *name = object->fields[principal_name_field(object->kind)];

	return text_starts_with(object->key, "id/") &&
			(!name || subjects_find(engine->subjects, object->kind, name));
}

static void wanted_named(struct engine *engine, struct object *object, struct arena *arena,
		struct wanted *ret)
{
	const struct subject *subject = pass_named_subject(engine, object);

	ret->state = WANTED_NAMED;
	/* The object of that name takes over what is ours as soon as it was looked up. */
	if (may_be_named(engine, object)) {
		ret->state = WANTED_UNSURE;
		return;
	}
	/* An entry stands for the name now: what is ours moves over when it is adopted, nothing is
	 * taken away meanwhile. */
	if (subject && pass_has_principal_of_ours(engine, subject, object->target)) {
		ret->state = WANTED_UNSURE;
		return;
	}
	wanted_grants(engine, object, subject, arena, ret);
	if (ret->grant_count)
		ret->why = ret->grants[0].why;
	else if (subject)
		ret->why = subject->why;
}

/* The directory that it came from is still configured; else nothing can say that its entry is gone. */
static bool has_source(const struct engine *engine, const struct object *object)
{
	for (size_t i = 0; i < engine->settings->source_count; i++) {
		const char *name = engine->settings->sources[i].name;
		size_t length = strlen(name);

		if (strncmp(object->key, name, length) == 0 && object->key[length] == '/')
			return true;
	}
	return false;
}

/* Its line in the file stands for an entry: without it, it leaves as others do. */
static void wanted_listed(struct engine *engine, struct object *object, struct arena *arena,
		struct wanted *ret)
{
	const struct identity *identity = pass_listed(engine, object);

	if (!identity) {
		ret->why = object->why;
		return;
	}
	ret->identity = identity;
	ret->why = object->why = identity->why;
	if (!pass_is_home(engine, identity, object->target))
		return;
	ret->state = WANTED_PRESENT;
	wanted_grants(engine, object, pass_subject_of(engine, identity), arena, ret);
}

void pass_wanted_grants(struct engine *engine, struct object *object, struct arena *arena,
		struct wanted *ret)
{
	const struct want *want = object->node == NODE_NONE
			? NULL
			: desired_want(engine->desired, object->node);

	*ret = (struct wanted){.state = WANTED_LEAVING};
	if (object->named_only && object->node == NODE_NONE) {
		wanted_named(engine, object, arena, ret);
		return;
	}
	if (text_starts_with(object->key, KEY_LISTED)) {
		wanted_listed(engine, object, arena, ret);
		return;
	}
	if (want && want->identity) {
		ret->identity = want->identity;
		ret->why = want->identity->why;
		ret->why.entry = snapshot_dn(engine->snapshot, object->node);
		object->gone = want->identity->gone;
		object->why = (struct why){
				want->identity->why.file, want->identity->why.line, NULL};
	} else {
		/* The last rule that made it, and where its entry was: what takes it away has no rule. */
		ret->why = object->why;
		ret->why.entry = object->node != NODE_NONE
				? snapshot_dn(engine->snapshot, object->node)
				: object->gone_dn;
	}
	if ((want && want->state == WANT_UNSURE) ||
			(object->node == NODE_NONE && !has_source(engine, object)))
		ret->state = WANTED_UNSURE;
	if (want && want->state == WANT_IN &&
			is_at_other_level(engine, want->identity, object->target))
		ret->state = WANTED_UNSURE;
	if (!want || want->state != WANT_IN ||
			!pass_is_home(engine, want->identity, object->target)) {
		/* Grants name what is in Databricks: a group that outlives its entry keeps those of its name. */
		if (object->kind == PRINCIPAL_GROUP && object->ours)
			wanted_grants(engine, object, pass_subject(engine, object), arena, ret);
		return;
	}
	ret->state = WANTED_PRESENT;
	wanted_grants(engine, object, pass_subject_of(engine, want->identity), arena, ret);
}

void pass_wanted(struct engine *engine, struct object *object, struct arena *arena,
		struct wanted *ret)
{
	pass_wanted_grants(engine, object, arena, ret);
	if (ret->state == WANTED_PRESENT && object->kind == PRINCIPAL_GROUP &&
			ret->identity->kind == PRINCIPAL_GROUP)
		wanted_members(engine, object, arena, ret);
}

static bool is_named(const char *name, const char *other)
{
	return name && other && text_equal_folded(name, other);
}

/* `sync KIND NAME` alone: the principal itself, and its own place in groups. */
static void keep_only(const struct engine *engine, struct object_plan *plan, struct arena *arena)
{
	const char *only = engine->options.only_name;
	/* By its DN, say. */
	const char *key = concern_only(engine->access)->object_key;
	size_t kept = 0;

	for (vec_each (&plan->operations, op)) {
		struct principal_ref *refs =
				arena_alloc(arena, (op->member_count + 1) * sizeof(*refs));
		size_t count = 0;

		if (op->principal == engine->options.only_kind &&
				(is_named(op->object.name, only) ||
						(key && text_equal(op->object.key, key)))) {
			plan->operations.items[kept++] = *op;
			continue;
		}
		for (size_t i = 0; i < op->member_count; i++) {
			if (is_named(op->members[i].name, only) ||
					(key && text_equal(op->members[i].key, key)))
				refs[count++] = op->members[i];
		}
		if (count == 0)
			continue;
		op->members = refs;
		op->member_count = count;
		operation_set_id(op, engine->settings, arena);
		plan->operations.items[kept++] = *op;
	}
	plan->operations.count = kept;
}

const char *pass_name(const struct engine *engine, const struct object *object)
{
	const struct want *want = object->node == NODE_NONE
			? NULL
			: desired_want(engine->desired, object->node);
	const struct identity *identity = object->ours ? NULL
			: want                         ? want->identity
						       : pass_listed(engine, object);
	const char *name = identity ? identity->fields[principal_name_field(object->kind)] : NULL;

	const struct subject *subject = object->named_only && !object->id
			? pass_named_subject(engine, object)
			: NULL;

	if (!name && identity)
		name = identity->fields[FIELD_DISPLAY_NAME];
	if (!name && subject)
		name = subject->name;
	return name ? name : object_name(object);
}

/* Groups of one name in different workspaces are no rivals. */
static const char *rival_of(void *context, const struct object *object)
{
	const struct engine *engine = context;
	node_id rival = object->node;

	if (rival == NODE_NONE)
		return NULL;
	while ((rival = desired_next_claim(engine->desired, rival)) != NODE_NONE &&
			rival != object->node) {
		if (pass_is_home(engine, desired_want(engine->desired, rival)->identity,
				    object->target))
			return snapshot_dn(engine->snapshot, rival);
	}
	return NULL;
}

static const char *entry_of(void *context, const struct object *object)
{
	const struct engine *engine = context;

	return object->node == NODE_NONE ? NULL : snapshot_dn(engine->snapshot, object->node);
}

static const char *name_of(void *context, const struct object *object)
{
	return pass_name(context, object);
}

/* A plan against an unknown Databricks would make everybody twice. The service goes on all the same: it looks for whomever Databricks refuses to make twice. */
bool pass_may_plan(const struct engine *engine, const struct object *object)
{
	return engine->options.mode == ENGINE_RUN
			? inventory_is_settled_at(engine, object->target)
			: inventory_is_complete_at(engine, object->target);
}

void pass_plan(struct engine *engine, struct object *object, struct arena *arena,
		struct object_plan *ret)
{
	struct plan_context context = {
			.settings = engine->settings,
			.registry = engine->registry,
			.leavers = mapping_leavers(engine->mapping),
			.removals_allowed = engine_removals_allowed_at(engine, object->target),
			.grants_unsure = expansion_is_blind(engine->expansion) ||
					(object->node != NODE_NONE &&
							expansion_is_unsure(engine->expansion,
									object->node)),
			.lists_known = inventory_is_known_at(engine, object->target, UINT64_MAX),
			.now_ns = clock_monotonic_ns(),
			.arena = arena,
			.assigned_level = inventory_level,
			.power_of = inventory_power,
			.name_of = name_of,
			.rival_of = rival_of,
			.entry_of = entry_of,
			.context = engine,
	};
	struct wanted wanted;

	*ret = (struct object_plan){0};
	if (!pass_may_plan(engine, object))
		return;
	pass_wanted(engine, object, arena, &wanted);
	plan_object(&context, object, &wanted, ret);
	if (engine->options.only_name)
		keep_only(engine, ret, arena);
}
