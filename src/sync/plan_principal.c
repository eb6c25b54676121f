#include "sync/plan_internal.h"

#include "base/text.h"

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
		planner_quarantine(p,
				"group name \"%s\" is taken by another group of ours (entry %s): "
				"give one of the two "
				"another displayName",
				name, entry ? entry : holder->key);
	else
		planner_quarantine(p,
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
	planner_quarantine(p,
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
	planner_quarantine(p,
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
		planner_quarantine(p,
				"several service principals are called \"%s\": say which is meant "
				"by "
				"`applicationId` in the rule",
				display_name);
	else if (found && found->external_id && external_id)
		planner_quarantine(p,
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
		planner_quarantine(p, "\"%s\" is protected and is not adopted", foreign->name);
	else if (holder && holder != p->object && holder->ours)
		planner_quarantine(p, "\"%s\" is ours for another entry already (%s)",
				foreign->name, holder->key);
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
		planner_quarantine(p,
				"group \"%s\" exists and holds admin rights: it is adopted only "
				"with `adopt: true` in its rule",
				group->name);
	else if (power == POWER_ADMIN)
		planner_quarantine(p,
				"group \"%s\" exists and holds admin rights in workspace \"%s\": "
				"it is adopted only with `adopt: true` in its rule",
				group->name, settings->targets[workspace].name);
	else if (power == POWER_UNREADABLE)
		planner_quarantine(p,
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
		planner_quarantine(p,
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
	op = planner_add(p, OP_ADOPT);
	op->object.remote_id = planner_id(p, foreign->id);
	p->id = foreign->id;
	add_field_changes(p, op, before);
	op->active_before = foreign->active;
	op->active_after = true;
	planner_finish(p, op);
}

static void plan_create(struct planner *p)
{
	struct operation *op = planner_add(p, OP_CREATE);

	op->active_before = op->active_after = true;
	add_field_changes(p, op, NULL);
	planner_finish(p, op);
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
	struct operation *op = planner_add(p, OP_ADOPT);

	for (unsigned field = 0; field < FIELD_COUNT_; field++)
		before[field] = holder->fields[field];
	op->object.remote_id = planner_id(p, holder->id);
	p->id = holder->id;
	add_field_changes(p, op, before);
	op->active_before = holder->active;
	op->active_after = true;
	planner_finish(p, op);
}

void planner_new(struct planner *p)
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

void planner_update(struct planner *p)
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
			planner_quarantine(p,
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
	op = planner_add(p, OP_UPDATE);
	add_field_changes(p, op, before);
	op->active_after = true;
	if (op->field_count == 0 && (p->object->kind == PRINCIPAL_GROUP || op->active_before))
		p->plan->operations.count--;
	else
		planner_finish(p, op);
}
