/*
 * pass -- from dirty objects to verdicts: what is wanted, the plan of each, what the guard says of
 * the removals.
 *
 * People are planned before groups, so that a removal from a group knows whether it follows from
 * somebody's leaving. All removals found until the queue is empty are one batch for the guard.
 */
#include "sync/engine_state.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "sync/plan_file.h"

/* What a plan makes doubtful is looked at again after 30 s, doubling to some half an hour, or at once when its entry changes. */
#define DOUBT_FIRST_NS (30 * SECOND_NS)
#define DOUBT_DOUBLINGS 6
#define LISTS_FRESH_NS (600 * SECOND_NS) /* so long a list says who does not exist */

/* ---- what is wanted ---- */

static bool is_home(const struct engine *engine, const struct identity *identity, unsigned target)
{
	const struct target_settings *at = &engine->settings->targets[target];

	if (!identity->workspace_level)
		return !engine->settings->has_account || at->is_account;
	for (size_t i = 0; !at->is_account && i < identity->workspace_count; i++) {
		if (text_matches_glob(identity->workspaces[i], at->name))
			return true;
	}
	return false;
}

static struct object *object_of_node(const struct engine *engine, unsigned target, node_id node)
{
	const struct object_list *list = &engine->by_node[target];

	return node < list->count ? list->items[node] : NULL;
}

static void tie_node(struct engine *engine, struct object *object, node_id node)
{
	struct object_list *list = &engine->by_node[object->target];

	while (list->count <= node)
		*vec_add(list) = NULL;
	list->items[node] = object;
	object->node = node;
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

static void wanted_members(struct engine *engine, struct object *group, struct arena *arena,
		struct wanted *ret)
{
	const node_id *nodes;
	size_t outside,
			count = desired_members(
					engine->desired, group->node, arena, &nodes, &outside);
	struct object **members = arena_alloc(arena, (count + 1) * sizeof(struct object *));

	for (size_t i = 0; i < count; i++) {
		struct object *member = object_of_node(engine, group->target, nodes[i]);

		/* A workspace's own group may have members whose home is the account: the id is the
		 * same. */
		if (!member && engine->settings->has_account)
			member = object_of_node(engine, 0, nodes[i]);
		if (!member)
			continue;
		members[ret->member_count++] = member;
		wait_for_stuck(member, group);
	}
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
						  : subject->grants[i].target == object->target)
			grants[ret->grant_count++] = subject->grants[i];
	}
	ret->grants = grants;
}

/* The subject that a named-only object stands for, by its key "name/KIND/FOLDED NAME". */
static const struct subject *named_subject(const struct engine *engine, const struct object *object)
{
	const char *name = strchr(object->key, '/');

	name = text_starts_with(object->key, "name/") && name ? strchr(name + 1, '/') : NULL;
	return name ? subjects_find(engine->subjects, object->kind, name + 1) : NULL;
}

static void wanted_named(struct engine *engine, struct object *object, struct arena *arena,
		struct wanted *ret)
{
	const struct subject *subject = named_subject(engine, object);

	ret->state = WANTED_NAMED;
	/* An entry stands for the name now: what is ours moves over when it is adopted, nothing is
	 * taken away meanwhile. */
	if (subject && engine->subject_nodes[subject->index] != NODE_NONE) {
		ret->state = WANTED_UNSURE;
		return;
	}
	wanted_grants(engine, object, subject, arena, ret);
	if (ret->grant_count)
		ret->why = ret->grants[0].why;
}

void pass_wanted(struct engine *engine, struct object *object, struct arena *arena,
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
	if (want && want->identity) {
		ret->identity = want->identity;
		ret->why = want->identity->why;
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
	if (want && want->state == WANT_UNSURE)
		ret->state = WANTED_UNSURE;
	if (!want || want->state != WANT_IN || !is_home(engine, want->identity, object->target))
		return;
	ret->state = WANTED_PRESENT;
	if (object->kind == PRINCIPAL_GROUP)
		wanted_members(engine, object, arena, ret);
	wanted_grants(engine, object,
			subjects_find(engine->subjects, object->kind,
					want->identity->fields[principal_name_field(object->kind)]
							? want->identity->fields[principal_name_field(
									  object->kind)]
							: ""),
			arena, ret);
}

static bool is_named(const char *name, const char *other)
{
	return name && other && text_equal_folded(name, other);
}

/* `sync KIND NAME` alone: the principal itself, and its own place in groups. */
static void keep_only(const struct engine *engine, struct object_plan *plan, struct arena *arena)
{
	const char *only = engine->options.only_name;
	size_t kept = 0;

	for (vec_each (&plan->operations, op)) {
		struct principal_ref *refs =
				arena_alloc(arena, (op->member_count + 1) * sizeof(*refs));
		size_t count = 0;

		if (op->principal == engine->options.only_kind && is_named(op->object.name, only)) {
			plan->operations.items[kept++] = *op;
			continue;
		}
		for (size_t i = 0; i < op->member_count; i++) {
			if (is_named(op->members[i].name, only))
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
	const struct identity *identity = object->ours || !want ? NULL : want->identity;
	const char *name = identity ? identity->fields[principal_name_field(object->kind)] : NULL;

	if (!name && identity)
		name = identity->fields[FIELD_DISPLAY_NAME];
	return name ? name : object_name(object);
}

static const char *name_of(void *context, const struct object *object)
{
	return pass_name(context, object);
}

void pass_plan(struct engine *engine, struct object *object, struct arena *arena,
		struct object_plan *ret)
{
	struct plan_context context = {
			.settings = engine->settings,
			.registry = engine->registry,
			.leavers = mapping_leavers(engine->mapping),
			.removals_allowed = engine_removals_allowed(engine),
			.inventory_known = engine->inventory_ready,
			.now_ns = clock_monotonic_ns(),
			.arena = arena,
			.assigned_level = inventory_level,
			.name_of = name_of,
			.context = engine,
	};
	struct wanted wanted;

	pass_wanted(engine, object, arena, &wanted);
	plan_object(&context, object, &wanted, ret);
	if (engine->options.only_name)
		keep_only(engine, ret, arena);
}

/* ---- marking ---- */

void pass_mark(struct engine *engine, struct object *object)
{
	if (object->dirty)
		return;
	object->dirty = true;
	*vec_add(&engine->dirty) = object;
	task_wake(&engine->pass);
}

static void note_subject(struct engine *engine, node_id node, const struct want *want)
{
	const struct identity *identity =
			want && want->state != WANT_LEAVER && want->state != WANT_OUT
			? want->identity
			: NULL;
	const char *name = identity ? identity->fields[principal_name_field(identity->kind)] : NULL;
	const struct subject *subject =
			name ? subjects_find(engine->subjects, identity->kind, name) : NULL;

	for (size_t i = 0; i < subjects_count(engine->subjects); i++) {
		if (engine->subject_nodes[i] == node && (!subject || subject->index != i))
			engine->subject_nodes[i] = NODE_NONE;
	}
	if (subject)
		engine->subject_nodes[subject->index] = node;
}

static char *key_of_node(const struct engine *engine, node_id node)
{
	return mem_printf("%s/%s",
			engine->settings->sources[snapshot_source(engine->snapshot, node)].name,
			snapshot_anchor(engine->snapshot, node));
}

void pass_mark_node(struct engine *engine, node_id node)
{
	const struct want *want = desired_want(engine->desired, node);
	const struct identity *identity = want && want->state == WANT_IN ? want->identity : NULL;
	AUTO(mem_freep) char *key = key_of_node(engine, node);

	note_subject(engine, node, want);
	if (want && want->state == WANT_UNSURE && !want->identity)
		log_event(LOG_WARNING, "entry skipped",
				{"entry", snapshot_dn(engine->snapshot, node)},
				{"reason", want->reason});
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		struct object *object = object_of_node(engine, target, node);

		if (!object)
			object = registry_find(engine->registry, target, key);
		if (!object && identity && is_home(engine, identity, target))
			object = registry_object(engine->registry, target, identity->kind, key);
		if (!object)
			continue;
		tie_node(engine, object, node);
		/* Its entry or its rule changed: whatever it waited for, look again at once. */
		object->retry_ns = 0;
		pass_mark(engine, object);
	}
}

void pass_node_gone(struct engine *engine, node_id node)
{
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		struct object *object = object_of_node(engine, target, node);

		if (!object)
			continue;
		object->node = NODE_NONE;
		mem_free(object->gone_dn);
		object->gone_dn = mem_strdup(snapshot_dn(engine->snapshot, node));
		engine->by_node[target].items[node] = NULL;
		pass_mark(engine, object);
	}
	note_subject(engine, node, NULL);
}

void pass_mark_subjects(struct engine *engine)
{
	if (!engine->directory_ready)
		return;
	for (size_t i = 0; i < subjects_count(engine->subjects); i++) {
		const struct subject *subject = subjects_at(engine->subjects, i);
		AUTO(mem_freep) char *folded = text_fold(span_of(subject->name));
		AUTO(mem_freep)
		char *key = mem_printf("name/%s/%s", principal_kind_name(subject->kind), folded);

		for (unsigned target = 0; target < engine->settings->target_count; target++) {
			struct object *object = registry_find(engine->registry, target, key);
			bool is_here = engine->settings->has_account ? target == 0 : true;

			if (!object && (!is_here || engine->subject_nodes[i] != NODE_NONE))
				continue;
			if (!object) {
				object = registry_object(
						engine->registry, target, subject->kind, key);
				object->named_only = true;
				object->read_wanted = true;
			}
			pass_mark(engine, object);
		}
	}
}

void pass_mark_all(struct engine *engine)
{
	for (node_id node = 0; node < snapshot_limit(engine->snapshot); node++) {
		if (snapshot_is_present(engine->snapshot, node))
			pass_mark_node(engine, node);
	}
	for (size_t i = 0; i < registry_count(engine->registry); i++)
		pass_mark(engine, registry_at(engine->registry, i));
	pass_mark_subjects(engine);
	/* What was marked before one side had been read woke a pass that could do nothing yet. */
	task_wake(&engine->pass);
}

/* ---- the guard ---- */

static struct object *leaver_of(const struct engine *engine, const struct object *object,
		const struct operation *op)
{
	struct object *leaver = registry_find(engine->registry, object->target, op->follows_leaver);

	return leaver || !engine->settings->has_account
			? leaver
			: registry_find(engine->registry, 0, op->follows_leaver);
}

/* Somebody whose leaving was let go once is not asked about again until he is back. */
static bool is_decided(const struct engine *engine, const struct object *object,
		const struct operation *op)
{
	const struct object *leaver = op->follows_leaver ? leaver_of(engine, object, op) : NULL;

	return leaver && leaver->left_ms;
}

static void remember_key(struct object *object, const char *key)
{
	for (vec_each (&object->decided, known)) {
		if (text_equal(*known, key))
			return;
	}
	*vec_add(&object->decided) = mem_strdup(key);
}

/* Returns whether the object must wait for a verdict. */
static bool ask_guard(struct engine *engine, struct object *object, const struct object_plan *plan)
{
	bool asked = false;

	for (vec_each (&plan->operations, op)) {
		struct object *owner = op->follows_leaver ? leaver_of(engine, object, op) : object;
		const char *key = guard_key(op, engine->scratch);
		AUTO(mem_freep) char *text = NULL;
		json_auto_t *json = NULL;

		if (!op->is_removal || is_decided(engine, object, op) || !owner)
			continue;
		if (!guard_find(engine->guard, key)) {
			json = operation_to_json(op, engine->settings);
			text = json_dumps(json, JSON_COMPACT);
			guard_ask(engine->guard, op, text ? text : "{}");
			remember_key(owner, key);
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

static bool plan_has_key(const struct object_plan *plan, const char *key)
{
	for (vec_each (&plan->operations, op)) {
		if (op->is_removal && text_equal(op->id, key))
			return true;
	}
	return false;
}

static void dissolve_unseen(
		struct engine *engine, struct object *object, const struct object_plan *plan)
{
	size_t kept = 0;

	/* A plan without removals because something is incomplete says nothing about their reasons.
	 */
	if (!engine_removals_allowed(engine))
		return;
	for (size_t i = 0; i < object->decided.count; i++) {
		char *key = object->decided.items[i];
		bool seen = text_starts_with(key, "leaver:") ? plan->leaving && !object->left_ms
							     : plan_has_key(plan, key);

		if (seen) {
			object->decided.items[kept++] = key;
			continue;
		}
		pass_dissolve(engine, key);
		mem_free(key);
	}
	object->decided.count = kept;
}

static size_t count_members(const struct engine *engine)
{
	size_t count = 0;

	for (size_t i = 0; i < registry_count(engine->registry); i++)
		count += registry_at(engine->registry, i)->members.count;
	return count;
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
			ours->ours[GUARD_USERS] += object->left_ms == 0;
	}
	ours->ours[GUARD_MEMBERS] = count_members(engine);
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
		records_decision(engine, decided[i], true);
		if (decided[i]->verdict == VERDICT_HELD)
			log_event(LOG_WARNING, "removal held: approve or reject it",
					{"hold", decided[i]->hold_id},
					{"principal",
							object ? pass_name(engine, object)
							       : decided[i]->object_key},
					{"reason", decided[i]->reason});
		if (decided[i]->verdict != VERDICT_GO ||
				!text_starts_with(decided[i]->key, "leaver:") || !object)
			continue;
		object->left_ms = now;
		records_principal(engine, object);
	}
	for (unsigned category = 0; category < GUARD_CATEGORY_COUNT_; category++) {
		struct store_removals removals = {now, (enum guard_category)category,
				guard_passed(engine->guard)[category]};

		if (count && removals.count && engine_may_write(engine))
			store_add_removals(records_batch(engine), &removals);
	}
}

static void ready_add(struct engine *engine, struct object *object)
{
	*vec_add(&engine->ready) = object;
}

static void decide(struct engine *engine)
{
	if (engine->asking.count == 0)
		return;
	count_ours(engine);
	guard_decide(engine->guard, &engine->ours, clock_wall_ms());
	keep_decisions(engine);
	for (vec_each (&engine->asking, object))
		ready_add(engine, *object);
	engine->asking.count = 0;
}

/* ---- quarantine ---- */

/* Until retry_ns. */
static void put_off(struct engine *engine, struct object *object)
{
	engine_tick_at(engine, object->retry_ns);
	if (object->delayed)
		return;
	object->delayed = true;
	*vec_add(&engine->delayed) = object;
}

static void set_quarantine(struct engine *engine, struct object *object, const char *reason)
{
	bool is_new = !object->quarantined_ms || !text_equal(object->reason, reason);
	unsigned doublings;

	if (is_new)
		object->tries = 0;
	doublings = object->tries < DOUBT_DOUBLINGS ? object->tries : DOUBT_DOUBLINGS;
	if (!object->quarantined_ms)
		object->quarantined_ms = clock_wall_ms();
	if (is_new) {
		mem_free(object->reason);
		object->reason = mem_strdup(reason);
	}
	object->doubted = true;
	object->tries++;
	object->retry_ns = clock_monotonic_ns() + (DOUBT_FIRST_NS << doublings);
	put_off(engine, object);
	records_quarantine(engine, object);
	if (!is_new)
		return;
	log_event(LOG_WARNING, "quarantined", {"principal", pass_name(engine, object)},
			{"key", object->key}, {"reason", reason});
}

static void clear_quarantine(struct engine *engine, struct object *object)
{
	if (!object->quarantined_ms || (object->tries && !object->doubted))
		return;
	object->quarantined_ms = 0;
	object->tries = 0;
	object->doubted = false;
	mem_free(object->reason);
	object->reason = NULL;
	records_quarantine(engine, object);
}

/* What the directory itself makes doubtful: the name came out nil, an expression failed. */
static const char *doubt(const struct engine *engine, const struct object *object)
{
	const struct want *want = object->node == NODE_NONE
			? NULL
			: desired_want(engine->desired, object->node);

	return want && want->state == WANT_UNSURE && object->ours ? want->reason : NULL;
}

/* ---- the pass ---- */

static void come_back(struct object *object, struct engine *engine)
{
	if (!object->left_ms || object->leaving)
		return;
	object->left_ms = 0;
	records_principal(engine, object);
}

/* In mode observe: what would be done, told once per change of mind. */
static void report_observed(
		struct engine *engine, struct object *object, const struct object_plan *plan)
{
	uint64_t digest = 0;

	for (vec_each (&plan->operations, op))
		digest = digest * 31 + digest_quick(span_of(op->id));
	if (digest == object->reported)
		return;
	object->reported = digest;
	for (vec_each (&plan->operations, op))
		log_event(LOG_INFO, "WOULD CHANGE", {"op", operation_kind_name(op->kind)},
				{"what", operation_describe(op, engine->settings, engine->scratch)},
				{"principal", op->object.name}, {"anchor", op->object.key},
				{"why", op->why.file});
}

static void keep_match(struct engine *engine, struct object *object)
{
	const struct want *want = object->node == NODE_NONE
			? NULL
			: desired_want(engine->desired, object->node);
	const char *match = want && want->state == WANT_IN && want->identity ? want->identity->match
									     : NULL;

	if (!object->ours || !match || text_equal(match, object->match))
		return;
	mem_free(object->match);
	object->match = mem_strdup(match);
	records_principal(engine, object);
}

/* Databricks makes a second service principal of the same name without a word. */
static bool must_look_first(const struct engine *engine, const struct object *object)
{
	return object->kind == PRINCIPAL_SERVICE && !object->id && !object->named_only &&
			object->node != NODE_NONE && !object->looked_up &&
			(!engine->inventory_ns ||
					clock_monotonic_ns() - engine->inventory_ns >
							LISTS_FRESH_NS);
}

static void plan_one(struct engine *engine, struct object *object)
{
	struct object_plan plan;
	const char *reason;

	arena_reset(engine->scratch);
	if (must_look_first(engine, object))
		object->read_wanted = true;
	if (object->read_wanted) {
		ready_add(engine, object);
		return;
	}
	pass_plan(engine, object, engine->scratch, &plan);
	object->leaving = plan.leaving;
	object->planned = true;
	keep_match(engine, object);
	if (engine_removals_allowed(engine))
		come_back(object, engine);
	dissolve_unseen(engine, object, &plan);
	reason = plan.quarantine ? plan.quarantine : doubt(engine, object);
	if (reason)
		set_quarantine(engine, object, reason);
	else
		clear_quarantine(engine, object);
	if (!engine_may_change(engine) && engine->options.mode == ENGINE_RUN)
		report_observed(engine, object, &plan);
	if (plan.operations.count && !ask_guard(engine, object, &plan))
		ready_add(engine, object);
	else if (plan.operations.count)
		*vec_add(&engine->asking) = object;
	object_plan_release(&plan);
}

/* People first: their leaving is known before their groups are planned. */
static struct object *take_dirty(struct engine *engine, size_t *at, bool groups)
{
	while (*at < engine->dirty.count) {
		struct object *object = engine->dirty.items[(*at)++];

		if (object && (object->kind == PRINCIPAL_GROUP) == groups) {
			engine->dirty.items[*at - 1] = NULL;
			object->dirty = false;
			return object;
		}
	}
	return NULL;
}

static bool plan_slice(struct engine *engine)
{
	uint64_t now = clock_monotonic_ns();
	size_t at = 0, done = 0;

	for (int groups = 0; groups <= 1; groups++) {
		struct object *object;

		for (at = 0; (object = take_dirty(engine, &at, groups != 0)) && done < PASS_SLICE;
				done++) {
			if (object->work)
				continue; /* its end marks it again */
			if (object->retry_ns > now)
				put_off(engine, object);
			else
				plan_one(engine, object);
		}
		if (object) {
			pass_mark(engine, object);
			return false;
		}
	}
	engine->dirty.count = 0;
	return true;
}

static enum lane lane_now(const struct engine *engine)
{
	return engine->ready.count - engine->ready_from + engine->works >= BULK_FROM ? LANE_BULK
										     : LANE_SINGLE;
}

static void start_ready(struct engine *engine)
{
	while (engine->works < WORKS_MAX && engine->ready_from < engine->ready.count) {
		struct object *object = engine->ready.items[engine->ready_from++];

		if (!object->dirty && !object->work)
			(void)worker_start(engine, object, lane_now(engine));
	}
	if (engine->ready_from == engine->ready.count)
		engine->ready.count = engine->ready_from = 0;
}

void pass_run(struct task *task)
{
	struct engine *engine = (struct engine *)((char *)task - offsetof(struct engine, pass));

	if (!engine->directory_ready || !engine->inventory_ready || engine->stopping)
		return;
	if (engine->dirty.count && !plan_slice(engine)) {
		task_wake(&engine->pass);
		return;
	}
	decide(engine);
	records_flush(engine);
	start_ready(engine);
	records_flush(engine);
	for (vec_each (&engine->delayed, object))
		engine_tick_at(engine, (*object)->retry_ns);
	engine_advance(engine);
	if (pass_is_idle(engine))
		engine_tell(engine);
}

bool pass_is_idle(const struct engine *engine)
{
	return engine->dirty.count == 0 && engine->ready.count == engine->ready_from &&
			engine->asking.count == 0 && engine->works == 0;
}

/* ---- the plan that people see ---- */

static void add_note(struct engine *engine, int kind, const char *text)
{
	struct plan_note *note = vec_add(&engine->plan_notes);

	*note = (struct plan_note){.text = arena_strdup(engine->plan_arena, text)};
	note->kind = (__typeof__(note->kind))kind;
}

static void note_directory(struct engine *engine)
{
	for (size_t i = 0; i < engine->search_count; i++) {
		const struct search_state *state = &engine->search_states[i];

		if (state->complete)
			continue;
		add_note(engine, NOTE_INCOMPLETE,
				arena_printf(engine->plan_arena,
						"search \"%s\" below \"%s\" of source \"%s\" "
						"(%s:%u) is incomplete: %s; no "
						"removal is planned",
						engine->searches[i].filter,
						engine->searches[i].base,
						engine->settings->sources
								[engine->searches[i].source]
										.name,
						engine->searches[i].file, engine->searches[i].line,
						state->err.code != ERR_NONE ? state->err.text
									    : "not read"));
	}
	if (!engine->inventory_complete)
		add_note(engine, NOTE_INCOMPLETE,
				"Databricks could not be read whole; no removal is planned");
}

static void note_entries(struct engine *engine)
{
	for (node_id node = 0; node < snapshot_limit(engine->snapshot); node++) {
		const struct want *want = desired_want(engine->desired, node);

		if (want && want->state == WANT_UNSURE &&
				snapshot_is_present(engine->snapshot, node))
			add_note(engine, NOTE_SKIPPED,
					arena_printf(engine->plan_arena, "\"%s\": %s",
							snapshot_dn(engine->snapshot, node),
							want->reason ? want->reason : "skipped"));
	}
}

static void count_summary(struct plan_summary *summary, const struct operation *op)
{
	summary->held += op->held_by != NULL;
	if (op->held_by)
		return;
	switch (operation_mark(op)) {
	case '+':
		summary->add++;
		break;
	case '~':
		summary->change++;
		break;
	case '-':
		summary->remove++;
		break;
	default:
		summary->adopt++;
		break;
	}
}

static void collect(struct engine *engine, struct object *object)
{
	struct object_plan plan;

	pass_plan(engine, object, engine->plan_arena, &plan);
	pass_mark_held(engine, &plan, engine->plan_arena);
	for (vec_each (&plan.operations, op)) {
		*vec_add(&engine->plan_operations) = *op;
		count_summary(&engine->plan.summary, op);
	}
	if (plan.quarantine)
		add_note(engine, NOTE_QUARANTINE, plan.quarantine);
	object_plan_release(&plan);
}

void pass_build_plan(struct engine *engine)
{
	arena_free(engine->plan_arena);
	engine->plan_arena = arena_new();
	engine->plan_operations.count = engine->plan_notes.count = 0;
	engine->plan = (struct plan){.complete = engine_removals_allowed(engine)};
	note_directory(engine);
	for (int groups = 0; groups <= 1; groups++) {
		for (size_t i = 0; i < registry_count(engine->registry); i++) {
			struct object *object = registry_at(engine->registry, i);

			if ((object->kind == PRINCIPAL_GROUP) == (groups != 0))
				collect(engine, object);
		}
	}
	note_entries(engine);
	engine->plan.operations = engine->plan_operations.items;
	engine->plan.count = engine->plan_operations.count;
	engine->plan.notes = engine->plan_notes.items;
	engine->plan.note_count = engine->plan_notes.count;
}
