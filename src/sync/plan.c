#include "sync/plan.h"

#include <stdarg.h>

#include "base/buf.h"

#include "base/text.h"

/* The platform's own groups (Databricks: users and admins in a workspace, account users in the
 * account). */
static const char *const system_groups[] = {"users", "admins", "account users"};

struct planner {
	const struct plan_context *context;
	struct object *object;
	const struct wanted *wanted;
	struct object_plan *plan;
	uint64_t id; /* the object's, or of what it adopts; 0: not known */
};

void object_plan_release(struct object_plan *plan)
{
	vec_release(&plan->operations);
}

static bool is_system_group(enum principal_kind kind, const char *name)
{
	for (size_t i = 0; kind == PRINCIPAL_GROUP && name && i < COUNT_OF(system_groups); i++) {
		if (text_equal_folded(name, system_groups[i]))
			return true;
	}
	return false;
}

bool plan_is_protected(const struct settings *settings, enum principal_kind kind, const char *name)
{
	if (!name)
		return false;
	if (is_system_group(kind, name))
		return true;
	for (size_t i = 0; i < settings->protected_counts[kind]; i++) {
		if (text_equal_folded(name, settings->protected_names[kind][i]))
			return true;
	}
	return false;
}

static const char *id_or_null(const struct planner *p, uint64_t id)
{
	char text[ID_TEXT_SIZE];

	return id ? arena_strdup(p->context->arena, id_text(id, text)) : NULL;
}

static struct operation *add(struct planner *p, enum operation_kind kind)
{
	struct object *object = p->object;
	struct operation *op = vec_add(&p->plan->operations);
	const struct identity *identity = p->wanted->identity;
	const char *name = identity ? identity->fields[principal_name_field(object->kind)] : NULL;

	if (!name)
		name = object->ours || !identity ? object_name(object)
						 : identity->fields[FIELD_DISPLAY_NAME];
	*op = (struct operation){
			.kind = kind,
			.principal = object->kind,
			.target = object->target,
			.object = {object->key, id_or_null(p, object->id),
					arena_strdup(p->context->arena, name)},
			.active_before = object->active,
			.active_after = object->active,
			.why = p->wanted->why,
	};
	/* A plan outlives what it was made from: the entry may change while its call is under way. */
	op->why.entry = arena_strdup(p->context->arena, p->wanted->why.entry);
	return op;
}

static void finish(struct planner *p, struct operation *op)
{
	operation_set_id(op, p->context->settings, p->context->arena);
}

static void mark_removal(
		const struct planner *p, struct operation *op, enum guard_category category)
{
	op->is_removal = true;
	op->category = category;
	if (p->plan->leaving && p->object->kind != PRINCIPAL_GROUP)
		op->follows_leaver = p->object->key;
}

static void quarantine(struct planner *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void quarantine(struct planner *p, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	text_repair_in_place(text); /* it may be cut within a character */
	p->plan->quarantine = arena_strdup(p->context->arena, text);
}

/* ---- the principal itself ---- */

static const char *wanted_name(const struct planner *p)
{
	const struct identity *identity = p->wanted->identity;
	const char *name = identity->fields[principal_name_field(p->object->kind)];

	return name ? name : identity->fields[FIELD_DISPLAY_NAME];
}

/* Fields that identity sets and before has not so. before: NULL for a new principal. */
static void add_field_changes(const struct planner *p, struct operation *op,
		const char *const before[FIELD_COUNT_])
{
	struct field_change *changes =
			arena_alloc(p->context->arena, FIELD_COUNT_ * sizeof(*changes));
	const struct identity *identity = p->wanted->identity;
	size_t count = 0;

	for (unsigned field = 0; field < FIELD_COUNT_; field++) {
		const char *after = identity->fields[field];
		const char *now = before ? before[field] : NULL;
		bool immutable = field == FIELD_USER_NAME || field == FIELD_APPLICATION_ID;

		if (!after || !principal_has_field(p->object->kind, (enum field)field) ||
				text_equal(now, after) || (immutable && before))
			continue;
		changes[count++] = (struct field_change){(enum field)field,
				arena_strdup(p->context->arena, now),
				arena_strdup(p->context->arena, after)};
	}
	op->fields = changes;
	op->field_count = count;
}

/* Nobody inherits access silently: a name whose former holder is another entry does not pass on by
 * itself. */
static bool name_is_taken(struct planner *p, const char *name)
{
	struct object *holder = registry_find_name(
			p->context->registry, p->object->target, p->object->kind, name);
	const char *entry;

	if (!holder || holder == p->object || !holder->ours || holder->named_only)
		return false;
	entry = p->context->entry_of(p->context->context, holder);
	if (p->object->kind == PRINCIPAL_GROUP)
		quarantine(p,
				"group name \"%s\" is taken by another group of ours (entry %s): "
				"give one of the two "
				"another displayName",
				name, entry ? entry : holder->key);
	else
		quarantine(p,
				"\"%s\" %s another entry (%s): access is not inherited; "
				"if it is the same person, name the attribute that says so with "
				"`match:` in the rule",
				name, entry ? "belongs to" : "belonged to",
				entry ? entry : holder->key);
	return true;
}

/* A workspace's own group must not stand in the way of an account's group of that name, which then cannot be assigned. */
static bool account_has_name(struct planner *p, const char *name)
{
	const struct registry *registry = p->context->registry;

	if (!p->wanted->identity->workspace_level || !p->context->settings->has_account ||
			(!registry_find_name(registry, 0, PRINCIPAL_GROUP, name) &&
					!registry_foreign_by_name(
							registry, 0, PRINCIPAL_GROUP, name)))
		return false;
	quarantine(p,
			"the account has a group \"%s\": a group of `level: workspace` is not made "
			"under its name",
			name);
	return true;
}

/*
 * Whoever's call came first would get the name, and what is granted to it. Neither does; but one whose anchor the principal
 * carries as its externalId has it.
 */
static bool name_is_contested(struct planner *p, const char *name)
{
	const char *external_id = p->wanted->identity->fields[FIELD_EXTERNAL_ID];
	const char *rival = p->context->rival_of(p->context->context, p->object);

	if (!rival ||
			(external_id &&
					registry_foreign_by_external_id(p->context->registry,
							p->object->target, p->object->kind,
							external_id)))
		return false;
	quarantine(p,
			"\"%s\" is claimed by another entry as well (%s): it is made when only one "
			"of the two claims it",
			name, rival);
	return true;
}

/* Display names of service principals are not unique, so one is no more than a hint. */
static const struct foreign *find_foreign_service(struct planner *p, const char *display_name)
{
	const char *external_id = p->wanted->identity->fields[FIELD_EXTERNAL_ID];
	bool several;
	const struct foreign *found = registry_foreign_service(
			p->context->registry, p->object->target, display_name, &several);

	if (several)
		quarantine(p,
				"several service principals are called \"%s\": say which is meant "
				"by "
				"`applicationId` in the rule",
				display_name);
	else if (found && found->external_id && external_id)
		quarantine(p,
				"service principal \"%s\" (%s) exists with another externalId, %s: "
				"say "
				"by `applicationId` in the rule that it is meant, or give this one "
				"another displayName",
				display_name, found->name, found->external_id);
	return found;
}

static const struct foreign *find_foreign(struct planner *p, const char *name)
{
	const struct identity *identity = p->wanted->identity;
	const struct foreign *found = NULL;

	if (identity->fields[FIELD_EXTERNAL_ID])
		found = registry_foreign_by_external_id(p->context->registry, p->object->target,
				p->object->kind, identity->fields[FIELD_EXTERNAL_ID]);
	if (!found && p->object->kind == PRINCIPAL_SERVICE &&
			!identity->fields[FIELD_APPLICATION_ID])
		return find_foreign_service(p, name);
	if (!found)
		found = registry_foreign_by_name(
				p->context->registry, p->object->target, p->object->kind, name);
	return found;
}

/* What its externalId points to may be protected under its own name, or another entry's since the list was read. */
static bool may_adopt(struct planner *p, const struct foreign *foreign)
{
	const struct object *holder = registry_find_id(
			p->context->registry, p->object->target, p->object->kind, foreign->id);

	if (plan_is_protected(p->context->settings, p->object->kind, foreign->name))
		quarantine(p, "\"%s\" is protected and is not adopted", foreign->name);
	else if (holder && holder != p->object && holder->ours)
		quarantine(p, "\"%s\" is ours for another entry already (%s)", foreign->name,
				holder->key);
	else
		return true;
	return false;
}

/*
 * Whoever is put into a group that administers the account or a workspace administers it: such a group is adopted only when
 * the rule says so. Returns whether it may be adopted now.
 */
static bool may_adopt_group(struct planner *p, const struct foreign *group)
{
	const struct settings *settings = p->context->settings;
	enum power power = POWER_NONE;
	unsigned workspace = 0;

	if (p->wanted->identity->adopt_powerful)
		return true;
	if (!p->object->powerful && settings->targets[p->object->target].is_account)
		power = p->context->power_of(p->context->context, group->id, &workspace);
	p->plan->waits_for_power = power == POWER_UNKNOWN || power == POWER_UNREADABLE;
	if (p->object->powerful)
		quarantine(p,
				"group \"%s\" exists and holds admin rights: it is adopted only "
				"with `adopt: true` in its rule",
				group->name);
	else if (power == POWER_ADMIN)
		quarantine(p,
				"group \"%s\" exists and holds admin rights in workspace \"%s\": "
				"it is adopted only with `adopt: true` in its rule",
				group->name, settings->targets[workspace].name);
	else if (power == POWER_UNREADABLE)
		quarantine(p,
				"group \"%s\" exists, and workspace \"%s\" cannot be asked whether "
				"it has admin rights there: it is adopted when the workspace "
				"answers, or with `adopt: true` in its rule",
				group->name, settings->targets[workspace].name);
	return !p->plan->quarantine && !p->plan->waits_for_power;
}

static void plan_adopt(struct planner *p, const struct foreign *foreign)
{
	const char *before[FIELD_COUNT_] = {[FIELD_DISPLAY_NAME] = foreign->display_name,
			[FIELD_EXTERNAL_ID] = foreign->external_id,
			[FIELD_GIVEN_NAME] = foreign->given_name,
			[FIELD_FAMILY_NAME] = foreign->family_name};
	const struct identity *identity = p->wanted->identity;
	struct operation *op;

	before[principal_name_field(p->object->kind)] = foreign->name;
	if (p->object->kind == PRINCIPAL_USER &&
			!text_equal_folded(foreign->name, identity->fields[FIELD_USER_NAME])) {
		quarantine(p,
				"externalId %s belongs to user \"%s\" in Databricks, but the rule "
				"makes \"%s\": a userName "
				"cannot change; correct the mapping, or remove that user's "
				"externalId",
				foreign->external_id, foreign->name,
				identity->fields[FIELD_USER_NAME]);
		return;
	}
	if (p->object->kind == PRINCIPAL_GROUP && !may_adopt_group(p, foreign))
		return;
	op = add(p, OP_ADOPT);
	op->object.remote_id = id_or_null(p, foreign->id);
	p->id = foreign->id;
	add_field_changes(p, op, before);
	op->active_before = foreign->active;
	op->active_after = true;
	finish(p, op);
}

static void plan_create(struct planner *p)
{
	struct operation *op = add(p, OP_CREATE);

	op->active_before = op->active_after = true;
	add_field_changes(p, op, NULL);
	finish(p, op);
}

/*
 * Somebody whose entry was made anew: the rule's `match:` attribute says that it is the same person. A group is its name:
 * what it inherits is what is given to the name, and its members come from its new entry.
 */
static struct object *predecessor(const struct planner *p, const char *name)
{
	struct object *holder = registry_find_name(
			p->context->registry, p->object->target, p->object->kind, name);
	const char *match = p->wanted->identity->match;

	if (!holder || holder == p->object || !holder->ours || holder->node != NODE_NONE ||
			!p->context->removals_allowed)
		return NULL;
	if (p->object->kind != PRINCIPAL_GROUP && (!match || !text_equal(match, holder->match)))
		return NULL;
	return holder;
}

static void plan_rebind(struct planner *p, const struct object *holder)
{
	const char *before[FIELD_COUNT_];
	struct operation *op = add(p, OP_ADOPT);

	for (unsigned field = 0; field < FIELD_COUNT_; field++)
		before[field] = holder->fields[field];
	op->object.remote_id = id_or_null(p, holder->id);
	p->id = holder->id;
	add_field_changes(p, op, before);
	op->active_before = holder->active;
	op->active_after = true;
	finish(p, op);
}

static void plan_new(struct planner *p)
{
	const char *name = wanted_name(p);
	const struct object *holder = predecessor(p, name);
	const struct foreign *foreign;

	if ((!holder && name_is_taken(p, name)) || name_is_contested(p, name))
		return;
	if (holder) {
		plan_rebind(p, holder);
		return;
	}
	if (account_has_name(p, name))
		return;
	foreign = find_foreign(p, name);
	if (p->plan->quarantine)
		return;
	if (!foreign)
		plan_create(p);
	else if (may_adopt(p, foreign))
		plan_adopt(p, foreign);
}

static void plan_update(struct planner *p)
{
	const struct identity *identity = p->wanted->identity;
	const char *before[FIELD_COUNT_];
	struct operation *op;

	for (unsigned field = 0; field < FIELD_COUNT_; field++)
		before[field] = p->object->fields[field];
	for (unsigned field = 0; field < FIELD_COUNT_; field++) {
		if ((field == FIELD_USER_NAME || field == FIELD_APPLICATION_ID) &&
				identity->fields[field] && before[field] &&
				!text_equal_folded(identity->fields[field], before[field])) {
			quarantine(p,
					"%s changed from \"%s\" to \"%s\": Databricks cannot "
					"change it, and the move to a "
					"new principal is not executed by this version",
					field_name((enum field)field), before[field],
					identity->fields[field]);
			return;
		}
	}
	if (p->object->kind == PRINCIPAL_GROUP &&
			!text_equal_folded(identity->fields[FIELD_DISPLAY_NAME],
					before[FIELD_DISPLAY_NAME]) &&
			(name_is_taken(p, identity->fields[FIELD_DISPLAY_NAME]) ||
					account_has_name(p, identity->fields[FIELD_DISPLAY_NAME]) ||
					name_is_contested(p, identity->fields[FIELD_DISPLAY_NAME])))
		return;
	op = add(p, OP_UPDATE);
	add_field_changes(p, op, before);
	op->active_after = true;
	if (op->field_count == 0 && (p->object->kind == PRINCIPAL_GROUP || op->active_before))
		p->plan->operations.count--;
	else
		finish(p, op);
}

/* ---- members ---- */

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
		refs[count++] = (struct principal_ref){member->key, id_or_null(p, member->id),
				arena_strdup(p->context->arena,
						p->context->name_of(p->context->context, member))};
	}
	if (count == 0)
		return;
	op = add(p, OP_ADD_MEMBERS);
	op->members = refs;
	op->member_count = count;
	op->adopts = adopts;
	finish(p, op);
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
	struct operation *op = add(p, OP_REMOVE_MEMBERS);

	ref->remote_id = id_or_null(p, id);
	ref->key = member ? member->key : ref->remote_id;
	ref->name = member ? arena_strdup(p->context->arena, object_name(member)) : ref->remote_id;
	op->members = ref;
	op->member_count = 1;
	mark_removal(p, op, GUARD_MEMBERS);
	op->follows_leaver = member && member->leaving && member->kind != PRINCIPAL_GROUP
			? member->key
			: NULL;
	finish(p, op);
}

static bool has_name(
		const struct planner *p, enum principal_kind kind, const char *name, uint64_t id)
{
	unsigned target = p->object->target;

	for (;; target = 0) {
		const struct object *known =
				registry_find_name(p->context->registry, target, kind, name);
		const struct foreign *foreign =
				registry_foreign_by_name(p->context->registry, target, kind, name);

		if ((known && known->id == id) || (foreign && foreign->id == id))
			return true;
		if (target == 0 || !p->context->settings->has_account)
			return false;
	}
}

/* The places of the protected are not touched either: through them they may be what they are. */
static bool is_protected_member(const struct planner *p, uint64_t id)
{
	const struct settings *settings = p->context->settings;

	for (size_t i = 0; i < COUNT_OF(system_groups); i++) {
		if (has_name(p, PRINCIPAL_GROUP, system_groups[i], id))
			return true;
	}
	for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_; kind++) {
		for (size_t i = 0; i < settings->protected_counts[kind]; i++) {
			if (has_name(p, (enum principal_kind)kind,
					    settings->protected_names[kind][i], id))
				return true;
		}
	}
	return false;
}

/* Whose name no list told since the start may be protected: only what is ours goes then. */
static void plan_member_removals(struct planner *p, const struct ids *wanted)
{
	const struct object *object = p->object;
	bool exclusive = p->wanted->identity && p->wanted->identity->exclusive &&
			object->actual_known;

	for (size_t i = 0; i < object->members.count; i++) {
		if (!ids_contain(wanted, object->members.items[i]) &&
				!is_protected_member(p, object->members.items[i]))
			plan_member_removal(p, object->members.items[i]);
	}
	for (size_t i = 0; object->actual_known && i < object->actual.count; i++) {
		uint64_t id = object->actual.items[i];

		if (ids_contain(wanted, id) || ids_contain(&object->members, id))
			continue;
		p->plan->extra_members++;
		if (exclusive && p->context->lists_known && !is_protected_member(p, id))
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

static void plan_members(struct planner *p)
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

/* ---- grants ---- */

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
	op = add(p, OP_ASSIGN);
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
	finish(p, op);
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
	op = add(p, kind == GRANT_ROLE ? OP_ADD_ROLES : OP_ADD_ENTITLEMENTS);
	op->target = target;
	op->values = values;
	op->value_count = count;
	op->adopts = adopts;
	op->why = first->why;
	finish(p, op);
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
	struct operation *op = add(p, kinds[held->kind]);

	op->target = held->workspace;
	values[0] = arena_strdup(p->context->arena, held->value);
	op->values = values;
	op->value_count = 1;
	if (held->former) {
		const char **before = arena_alloc(p->context->arena, sizeof(*before));

		before[0] = arena_strdup(p->context->arena, held->former);
		op->values_before = before;
	}
	mark_removal(p, op, GUARD_PERMISSIONS);
	finish(p, op);
}

static void plan_grant_additions(struct planner *p)
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

static void plan_grant_removals(struct planner *p)
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

/* ---- leaving ---- */

static void plan_end(struct planner *p, enum operation_kind kind, enum guard_category category)
{
	struct operation *op = add(p, kind);

	op->active_after = false;
	mark_removal(p, op, category);
	finish(p, op);
}

/* Rights first, then the account; but if a step failed, the account does not wait for it. */
static void plan_leaving_person(struct planner *p)
{
	bool urgent = p->object->tries > 0;

	if (!urgent)
		plan_grant_removals(p);
	if (p->context->leavers == LEAVER_DELETE)
		plan_end(p, OP_DELETE, GUARD_USERS);
	else if (p->context->leavers == LEAVER_DEACTIVATE && p->object->active)
		plan_end(p, OP_DEACTIVATE, GUARD_USERS);
	if (urgent)
		plan_grant_removals(p);
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
	plan_grant_additions(p);
	if (gone == GONE_KEEP)
		return;
	plan_members(p);
	plan_grant_removals(p);
	/* Nothing of it is ours any more: the record goes as well. */
	if (p->plan->operations.count == 0 && p->object->grants.count == 0 &&
			p->object->origin == ORIGIN_ADOPTED && !is_member_by_our_hand(p))
		finish(p, add(p, OP_FORGET));
}

static void plan_present(struct planner *p)
{
	if (p->wanted->identity->kind != p->object->kind) {
		quarantine(p,
				"its entry made a %s and makes a %s now: that is another "
				"principal, and "
				"the move to it is not executed by this version",
				principal_kind_name(p->object->kind),
				principal_kind_name(p->wanted->identity->kind));
		return;
	}
	if (!p->object->ours)
		plan_new(p);
	else
		plan_update(p);
	if (p->plan->quarantine || p->plan->waits_for_power)
		return;
	if (p->object->kind == PRINCIPAL_GROUP)
		plan_members(p);
	plan_grant_additions(p);
	plan_grant_removals(p);
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
				!is_system_group(object->kind, object_name(object))) {
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
		plan_grant_additions(&p);
		plan_grant_removals(&p);
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
