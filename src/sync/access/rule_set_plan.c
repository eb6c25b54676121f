/* rule_set_plan -- which roles are given, adopted and taken back. */
#include "sync/access/rule_set_row.h"

#include "base/clock.h"
#include "base/text.h"
#include "sync/access/acl_item.h"

#define LISTS_FRESH_NS (600 * SECOND_NS) /* so long a list says who does not exist */

struct rule_planner {
	struct access *access;
	struct rule_set_item *set;
	struct arena *arena;
	struct item_plan *plan;
	const struct rule_want **wants; /* of this rule set */
	size_t count;
};

/* ---- what is wanted ---- */

static bool is_of(const struct rule_planner *p, const struct rule_want *want)
{
	const struct item *item = &p->set->item;
	struct rule_set_found found;

	if (want->of_kind != p->set->of_kind)
		return false;
	found = rule_set_find(p->access, want->of_kind, want->of_name, p->arena);
	/* Where the account's lists were read, a name that they do not have is nobody's. */
	if (found.id ||
			(item->id && !found.several &&
					inventory_is_known_at(p->access->engine, 0, UINT64_MAX)))
		return text_equal(found.id, item->id);
	return text_equal_folded(want->of_name, item->name);
}

static void find_wants(struct rule_planner *p)
{
	const struct rule_book *book = p->access->rules;

	p->wants = arena_alloc(p->arena, (book->wants.count + 1) * sizeof(*p->wants));
	for (size_t i = 0; i < book->wants.count; i++) {
		if (is_of(p, &book->wants.items[i]))
			p->wants[p->count++] = &book->wants.items[i];
	}
}

/* Rule sets name a service principal by its application id, rules perhaps by its display name. */
static const char *grantee(const struct rule_planner *p, const struct grant_rule *grant)
{
	const char *id = grant->kind == PRINCIPAL_SERVICE
			? rule_set_find(p->access, RULE_SET_SERVICE, grant->name, p->arena).id
			: NULL;

	return id ? id : grant->name;
}

static const struct rule_want *find_want(const struct rule_planner *p, const struct rule_row *row)
{
	for (size_t i = 0; i < p->count; i++) {
		if (text_equal(p->wants[i]->role, row->role) &&
				p->wants[i]->grant->kind == row->kind &&
				text_equal_folded(grantee(p, p->wants[i]->grant), row->name))
			return p->wants[i];
	}
	return NULL;
}

size_t rule_set_view(struct access *access, struct item *item, struct arena *arena,
		const struct acl_view_entry **ret)
{
	struct item_plan unused = {0};
	struct rule_planner p = {.access = access,
			.set = rule_set_of_item(item),
			.arena = arena,
			.plan = &unused};
	struct acl_view_entry *view;
	size_t count = 0;

	find_wants(&p);
	view = arena_alloc(arena, (p.set->rows.count + p.count + 1) * sizeof(*view));
	for (vec_each (&p.set->rows, row)) {
		const struct rule_want *want = find_want(&p, row);
		AUTO(mem_freep) char *key = access_principal_key(row->kind, row->name);

		if (!row->there && !row->held && !want)
			continue; /* it was refused once */
		view[count++] = (struct acl_view_entry){.key = arena_strdup(arena, key),
				.name = row->name,
				.direct = row->there ? rule_role_name(row->role) : NULL,
				.held = row->held ? rule_role_name(row->role) : NULL,
				.wanted = want ? rule_role_name(want->role) : NULL,
				.why = want ? want->grant->why : (struct why){0}};
	}
	for (size_t i = 0; i < p.count; i++) {
		const struct grant_rule *grant = p.wants[i]->grant;
		const char *name = grantee(&p, grant);
		AUTO(mem_freep) char *row = rule_row_key(p.wants[i]->role, grant->kind, name);
		AUTO(mem_freep) char *key = access_principal_key(grant->kind, name);

		if (!rule_row_find(p.set, row))
			view[count++] = (struct acl_view_entry){.key = arena_strdup(arena, key),
					.name = name,
					.wanted = rule_role_name(p.wants[i]->role),
					.why = grant->why};
	}
	*ret = view;
	return count;
}

/* ---- operations ---- */

static const char *leaver_key(
		const struct rule_planner *p, enum principal_kind kind, const char *name)
{
	const struct object *object = access_principal(p->access, 0, kind, name);

	return object && object->leaving && kind != PRINCIPAL_GROUP ? object->key : NULL;
}

static bool is_untouchable(const struct rule_planner *p, const struct rule_row *row)
{
	return plan_is_protected(p->access->engine->settings, row->kind, row->name);
}

static const char *title(const struct rule_planner *p)
{
	const struct rule_set_item *set = p->set;

	if (set->of_kind == RULE_SET_ACCOUNT)
		return "the account";
	return arena_printf(p->arena, "%s %s", rule_set_kind_name(set->of_kind), set->item.name);
}

static struct operation *add_operation(struct rule_planner *p, enum operation_kind kind,
		const char *role, enum principal_kind principal, const char *name)
{
	AUTO(mem_freep) char *key = access_principal_key(principal, name);
	struct operation *op = item_operation(&p->set->item, p->plan, kind, NULL, p->arena);
	struct principal_ref *members = arena_alloc(p->arena, sizeof(*members));
	const char **levels = arena_alloc(p->arena, sizeof(*levels));

	members[0] = (struct principal_ref){
			arena_strdup(p->arena, key), NULL, arena_strdup(p->arena, name)};
	levels[0] = arena_strdup(p->arena, role);
	op->object.name = title(p);
	op->members = members;
	op->values = levels;
	op->member_count = op->value_count = 1;
	return op;
}

/* A reader of the plan should know. why: of the rule; NULL: none. */
static void add_note(struct rule_planner *p, const struct why *why, const char *text)
{
	const char *note = why ? arena_printf(p->arena, "%s:%u: %s", why->file, why->line, text)
			       : text;

	p->plan->note = p->plan->note ? arena_printf(p->arena, "%s; %s", p->plan->note, note)
				      : note;
}

/* Databricks would take or refuse any one of them. */
static bool is_ambiguous(struct rule_planner *p, const struct grant_rule *grant)
{
	struct rule_set_found found = {NULL, NULL};

	if (grant->kind == PRINCIPAL_SERVICE)
		found = rule_set_find(p->access, RULE_SET_SERVICE, grant->name, p->arena);
	if (!found.several)
		return false;
	add_note(p, &grant->why,
			arena_printf(p->arena,
					"several service principals of the account are called "
					"\"%s\" (%s); name the one to be given a role by its "
					"application id",
					grant->name, found.several));
	return true;
}

/* Neither a rule makes that principal nor did the account have it minutes ago. */
static bool is_nobody(struct rule_planner *p, const struct grant_rule *grant)
{
	const struct engine *engine = p->access->engine;
	const struct object *object = access_principal(p->access, 0, grant->kind, grant->name);

	if (!inventory_is_known_at(engine, 0, LISTS_FRESH_NS) || (object && !object->named_only) ||
			(object && object->id) ||
			registry_foreign_by_name(engine->registry, 0, grant->kind, grant->name) ||
			(grant->kind == PRINCIPAL_SERVICE &&
					rule_set_find(p->access, RULE_SET_SERVICE, grant->name,
							p->arena)
							.id))
		return false;
	add_note(p, &grant->why,
			arena_printf(p->arena,
					"the grant names %s \"%s\", which neither a rule makes "
					"nor the account has",
					principal_kind_name(grant->kind), grant->name));
	return true;
}

/* Databricks refused the change, and it is not yet time to try again. why: NULL: no rule wants it. */
static bool is_refused(struct rule_planner *p, const struct rule_row *row, const struct why *why)
{
	if (!row || row->refused_until_ns <= clock_monotonic_ns())
		return false;
	add_note(p, why,
			arena_printf(p->arena, "%s cannot be changed for %s \"%s\": %s",
					rule_role_name(row->role), principal_kind_name(row->kind),
					row->name, row->refusal));
	return true;
}

static void plan_want(struct rule_planner *p, const struct rule_want *want)
{
	const struct grant_rule *grant = want->grant;
	const char *name = grantee(p, grant);
	AUTO(mem_freep) char *key = rule_row_key(want->role, grant->kind, name);
	const struct rule_row *row = rule_row_find(p->set, key);
	struct operation *op;

	if ((row && row->there && row->held) || leaver_key(p, grant->kind, name) ||
			is_ambiguous(p, grant) || is_nobody(p, grant) ||
			is_refused(p, row, &grant->why))
		return;
	op = add_operation(p, OP_SET_PERMISSIONS, want->role, grant->kind, name);
	op->adopts = row && row->there;
	op->why = grant->why;
	op->why.entry = arena_strdup(p->arena, grant->why.entry);
	item_operation_done(p->access, op, p->arena);
}

static bool is_repeated(const struct rule_planner *p, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (text_equal(p->wants[i]->role, p->wants[at]->role) &&
				p->wants[i]->grant->kind == p->wants[at]->grant->kind &&
				text_equal_folded(grantee(p, p->wants[i]->grant),
						grantee(p, p->wants[at]->grant)))
			return true;
	}
	return false;
}

static void plan_removals(struct rule_planner *p)
{
	for (vec_each (&p->set->rows, row)) {
		const struct rule_want *want = find_want(p, row);
		const char *leaver = leaver_key(p, row->kind, row->name);
		struct operation *op;

		if (!row->held || (want && !leaver) || is_untouchable(p, row) ||
				access_is_unsure(p->access, 0, row->kind, row->name) ||
				is_refused(p, row, NULL))
			continue;
		op = add_operation(p, OP_REMOVE_PERMISSIONS, row->role, row->kind, row->name);
		if (want)
			op->why = want->grant->why;
		item_removes(op, GUARD_PERMISSIONS, leaver);
		item_operation_done(p->access, op, p->arena);
	}
}

/* ---- what cannot be planned ---- */

/* Neither there nor about to be made. */
static bool is_unknown(const struct rule_planner *p)
{
	const struct item *item = &p->set->item;

	return !item->id && engine_removals_allowed_at(p->access->engine, 0) &&
			!access_principal(p->access, 0, rule_set_principal_kind(p->set->of_kind),
					item->name);
}

/* NULL: it is clear whose rule set is meant. */
static const char *find_doubt(const struct rule_planner *p)
{
	const struct why *why = &p->wants[0]->grant->why;
	const char *kind = principal_kind_name(rule_set_principal_kind(p->set->of_kind));
	struct rule_set_found found =
			rule_set_find(p->access, p->set->of_kind, p->wants[0]->of_name, p->arena);

	if (found.several)
		return arena_printf(p->arena,
				"%s:%u: several service principals of the account are called "
				"\"%s\" (%s); say by its application id whose manager or user "
				"is meant",
				why->file, why->line, p->wants[0]->of_name, found.several);
	if (!is_unknown(p))
		return NULL;
	return arena_printf(p->arena,
			"%s:%u: %s \"%s\" is not in the account; nobody can be made its "
			"manager or user",
			why->file, why->line, kind, p->set->item.name);
}

void rule_set_plan(struct access *access, struct item *item, struct arena *arena,
		struct item_plan *ret)
{
	struct rule_planner p = {.access = access,
			.set = rule_set_of_item(item),
			.arena = arena,
			.plan = ret};

	find_wants(&p);
	if (p.count && p.set->of_kind != RULE_SET_ACCOUNT)
		ret->quarantine = find_doubt(&p);
	if (ret->quarantine)
		return;
	for (size_t i = 0; i < p.count; i++) {
		if (!is_repeated(&p, i))
			plan_want(&p, p.wants[i]);
	}
	if (engine_removals_allowed_at(access->engine, 0))
		plan_removals(&p);
	/* What else there is goes on first. */
	if (ret->note && !ret->operations.count)
		ret->quarantine = ret->note;
	if (ret->operations.count && item->id && !item->observed)
		ret->wants_read = true;
	item->disposable = !p.count && !rule_set_count_held(item);
}
