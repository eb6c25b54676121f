/* acl_plan -- which entries of one access control list are set, adopted, lowered and removed. */
#include "sync/access/acl_item.h"

#include "base/text.h"
#include "rules/mapping.h"
#include "sync/access/finder.h"
#include "sync/access/token_item.h"

#define GROUP_ADMINS "admins"
#define GROUP_USERS "users"
#define AUTHORIZATION_TOKENS "tokens"

struct acl_planner {
	struct access *access;
	struct acl_item *acl;
	struct arena *arena;
	struct item_plan *plan;
	struct wanted_acl wanted;
};

static bool is_admins(enum principal_kind kind, const char *name)
{
	return kind == PRINCIPAL_GROUP && text_equal_folded(name, GROUP_ADMINS);
}

/* Who never loses a right by us: `admins`, who is protected by name, and our own credential (which is one of those). */
static bool is_untouchable(const struct acl_planner *p, enum principal_kind kind, const char *name)
{
	const struct settings *settings = p->access->engine->settings;

	for (size_t i = 0; i < settings->protected_counts[kind]; i++) {
		if (text_equal_folded(name, settings->protected_names[kind][i]))
			return true;
	}
	return is_admins(kind, name);
}

static enum securable_type type_of(const struct acl_planner *p)
{
	return p->acl->item.securable;
}

static const struct wanted_entry *find_wanted(const struct acl_planner *p, const char *key)
{
	size_t low = 0, high = p->wanted.count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(p->wanted.entries[middle].key, key);

		if (order == 0)
			return &p->wanted.entries[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Lists call a service principal by its application id, rules perhaps by its display name. */
static void name_services(struct access *access, const struct item *item, struct arena *arena,
		struct wanted_acl *wanted)
{
	struct wanted_entry *entries = arena_alloc(arena, (wanted->count + 1) * sizeof(*entries));
	bool changed = false;

	for (size_t i = 0; i < wanted->count; i++) {
		const char *id = wanted->entries[i].kind == PRINCIPAL_SERVICE
				? access_application_id(
						  access, item->target, wanted->entries[i].name)
				: NULL;
		AUTO(mem_freep) char *key = id ? access_principal_key(PRINCIPAL_SERVICE, id) : NULL;

		entries[i] = wanted->entries[i];
		if (!id)
			continue;
		entries[i].name = arena_strdup(arena, id);
		entries[i].key = arena_strdup(arena, key);
		changed = true;
	}
	if (!changed)
		return;
	wanted->entries = entries;
	wanted->count = permission_index_merge(entries, wanted->count, item->securable);
}

/*
 * What somebody else gave is never lowered. Where that and the rule's level cannot be compared (CAN_VIEW and CAN_USE of a
 * warehouse), it is the one that gives both.
 */
static void keep_what_others_gave(struct acl_planner *p)
{
	struct wanted_entry *entries =
			arena_alloc(p->arena, (p->wanted.count + 1) * sizeof(*entries));

	for (size_t i = 0; i < p->wanted.count; i++) {
		const struct acl_row *row = acl_row(p->acl, p->wanted.entries[i].key);
		const char *others = !row ? NULL : row->held ? row->former : row->direct;

		entries[i] = p->wanted.entries[i];
		if (!others || !securable_has_level(type_of(p), others))
			continue;
		/* One that gives all of it, too, is left to the other. */
		if (row->held || !securable_level_covers(type_of(p), others, entries[i].level))
			entries[i].level =
					securable_join_levels(type_of(p), others, entries[i].level);
	}
	p->wanted.entries = entries;
}

/* ---- operations ---- */

struct entry_list { /* for vec_add */
	const struct wanted_entry **items;
	size_t count, room;
};

static void set_members(struct acl_planner *p, struct operation *op,
		const struct wanted_entry *const *entries, size_t count)
{
	struct principal_ref *members = arena_alloc(p->arena, (count + 1) * sizeof(*members));
	const char **levels = arena_alloc(p->arena, (count + 1) * sizeof(*levels));
	const char **former = arena_alloc(p->arena, (count + 1) * sizeof(*former));

	for (size_t i = 0; i < count; i++) {
		const struct acl_row *row = acl_row(p->acl, entries[i]->key);

		members[i] = (struct principal_ref){arena_strdup(p->arena, entries[i]->key), NULL,
				arena_strdup(p->arena, entries[i]->name)};
		levels[i] = arena_strdup(p->arena, entries[i]->level);
		former[i] = row ? arena_strdup(p->arena, row->direct) : NULL;
	}
	op->members = members;
	op->member_count = count;
	op->values = levels;
	op->value_count = count;
	op->values_before = former;
}

static bool same_why(const struct why *a, const struct why *b)
{
	return a->line == b->line && text_equal(a->file, b->file) && text_equal(a->entry, b->entry);
}

/* One operation for all entries that come from the same rule. */
static void add_sets(struct acl_planner *p, const struct entry_list *entries, bool adopts)
{
	bool *taken = arena_alloc(p->arena, entries->count + 1);

	for (size_t i = 0; i < entries->count; i++) {
		struct entry_list same = {0};
		struct operation *op;

		if (taken[i])
			continue;
		for (size_t j = i; j < entries->count; j++) {
			if (taken[j] || !same_why(&entries->items[i]->why, &entries->items[j]->why))
				continue;
			taken[j] = true;
			*vec_add(&same) = entries->items[j];
		}
		op = item_operation(&p->acl->item, p->plan, OP_SET_PERMISSIONS,
				&entries->items[i]->why, p->arena);
		set_members(p, op, same.items, same.count);
		op->adopts = adopts;
		if (adopts)
			op->values_before = NULL;
		item_operation_done(p->access, op, p->arena);
		vec_release(&same);
	}
}

static enum guard_category category_of(const struct acl_planner *p)
{
	/* Who may not use tokens any more loses those that he has, for good. */
	return type_of(p) == SECURABLE_AUTHORIZATION ? GUARD_TOKENS : GUARD_PERMISSIONS;
}

static const char *leaver_key(
		const struct acl_planner *p, enum principal_kind kind, const char *name)
{
	const struct object *object = access_principal(p->access, p->acl->item.target, kind, name);

	return object && object->leaving && kind != PRINCIPAL_GROUP ? object->key : NULL;
}

static void add_lowering(struct acl_planner *p, const struct wanted_entry *entry)
{
	struct operation *op = item_operation(
			&p->acl->item, p->plan, OP_SET_PERMISSIONS, &entry->why, p->arena);

	set_members(p, op, &entry, 1);
	item_removes(op, category_of(p), NULL);
	item_operation_done(p->access, op, p->arena);
}

static void add_removal(struct acl_planner *p, const struct acl_row *row, const struct why *why)
{
	struct wanted_entry entry = {.key = row->key,
			.kind = row->kind,
			.name = row->name,
			.level = row->held ? row->held : row->direct};
	const struct wanted_entry *entries = &entry;
	struct operation *op = item_operation(
			&p->acl->item, p->plan, OP_REMOVE_PERMISSIONS, why, p->arena);
	const char **former = arena_alloc(p->arena, sizeof(*former));

	set_members(p, op, &entries, 1);
	former[0] = row->held ? arena_strdup(p->arena, row->former) : NULL;
	op->values_before = former;
	item_removes(op, category_of(p), leaver_key(p, row->kind, row->name));
	item_operation_done(p->access, op, p->arena);
}

/* ---- what is wanted ---- */

enum verdict_on_entry { ENTRY_IS_SO, ENTRY_SET, ENTRY_ADOPT, ENTRY_LOWER };

static enum verdict_on_entry judge(const struct acl_planner *p, const struct wanted_entry *entry)
{
	const struct acl_row *row = acl_row(p->acl, entry->key);

	if (!row)
		return ENTRY_SET;
	if (row->held && text_equal(row->held, entry->level) &&
			text_equal(row->direct, entry->level))
		return ENTRY_IS_SO;
	if (row->held && text_equal(row->direct, row->held))
		return securable_level_covers(type_of(p), entry->level, row->held) ? ENTRY_SET
										   : ENTRY_LOWER;
	/* Somebody else's: the same is adopted, a higher one does and is never lowered. */
	if (text_equal(row->direct, entry->level))
		return ENTRY_ADOPT;
	if (securable_level_covers(type_of(p), row->direct, entry->level) ||
			securable_level_covers(type_of(p), row->inherited, entry->level))
		return ENTRY_IS_SO;
	return ENTRY_SET;
}

static bool owner_is_wanted(const struct acl_planner *p)
{
	for (size_t i = 0; i < p->wanted.count; i++) {
		if (text_equal(p->wanted.entries[i].level, ACL_OWNER))
			return true;
	}
	return false;
}

static bool must_stay_owner(struct acl_planner *p, const struct acl_row *row)
{
	if (!text_equal(row->direct, ACL_OWNER))
		return false;
	/* Another one is wanted: the move makes this one CAN_MANAGE, which goes with the next plan. */
	if (!owner_is_wanted(p))
		p->plan->note = arena_printf(p->arena,
				"%s \"%s\" stays owner of %s \"%s\": an object must have one; "
				"give it to another with level IS_OWNER",
				principal_kind_name(row->kind), row->name,
				securable_traits(type_of(p))->name, p->acl->item.name);
	return true;
}

/* One of ours that left bears the name still, and is no longer whom rules mean by it. */
static bool is_former_service(const struct acl_planner *p, const char *name)
{
	const struct registry *registry = p->access->engine->registry;

	for (size_t i = 0; i < registry_count(registry); i++) {
		const struct object *object = registry_at(registry, i);

		if (object->kind == PRINCIPAL_SERVICE && object->left_ms &&
				text_equal_folded(object->fields[FIELD_DISPLAY_NAME], name))
			return true;
	}
	return false;
}

/* A service principal that is called by a display name which nobody has: no list can name it before somebody does. */
static bool is_nobody(const struct acl_planner *p, const struct wanted_entry *entry)
{
	const struct object *object;
	bool is_absent;

	if (entry->kind != PRINCIPAL_SERVICE ||
			access_application_id(p->access, p->acl->item.target, entry->name))
		return false;
	object = access_principal(p->access, p->acl->item.target, entry->kind, entry->name);
	is_absent = object ? object->named_only && !object->id && object->quarantined_ms
			   : is_former_service(p, entry->name);
	if (is_absent)
		item_wait_for(p->access, &p->acl->item, entry->key);
	return is_absent;
}

static void plan_wanted(struct acl_planner *p)
{
	struct entry_list sets = {0}, adopts = {0};

	for (size_t i = 0; i < p->wanted.count; i++) {
		const struct wanted_entry *entry = &p->wanted.entries[i];

		if (is_admins(entry->kind, entry->name) ||
				leaver_key(p, entry->kind, entry->name) || is_nobody(p, entry))
			continue;
		switch (judge(p, entry)) {
		case ENTRY_SET:
			*vec_add(&sets) = entry;
			break;
		case ENTRY_ADOPT:
			*vec_add(&adopts) = entry;
			break;
		case ENTRY_LOWER:
			if (engine_removals_allowed_at(p->access->engine, p->acl->item.target) &&
					!must_stay_owner(p, acl_row(p->acl, entry->key)))
				add_lowering(p, entry);
			break;
		case ENTRY_IS_SO:
			break;
		}
	}
	add_sets(p, &adopts, true);
	add_sets(p, &sets, false);
	vec_release(&sets);
	vec_release(&adopts);
}

/* ---- what goes ---- */

/* A group that is deleted takes its entries with it. */
static bool goes_with_group(const struct acl_planner *p, const struct acl_row *row)
{
	const struct object *group = row->kind == PRINCIPAL_GROUP
			? access_principal(p->access, p->acl->item.target, row->kind, row->name)
			: NULL;

	if (!group || !group->leaving || !group->ours)
		return false;
	return group->gone == GONE_DELETE ||
			(group->gone == GONE_DEFAULT && group->origin == ORIGIN_CREATED);
}

static void plan_removals(struct acl_planner *p)
{
	static const struct why no_rule = {0};

	for (vec_each (&p->acl->rows, row)) {
		const struct wanted_entry *entry = find_wanted(p, row->key);

		if (entry && !leaver_key(p, row->kind, row->name))
			continue;
		if (is_untouchable(p, row->kind, row->name) || must_stay_owner(p, row) ||
				goes_with_group(p, row))
			continue;
		if (row->held &&
				!access_is_unsure(p->access, p->acl->item.target, row->kind,
						row->name))
			add_removal(p, row, entry ? &entry->why : &no_rule);
		else if (!row->held && row->direct && p->wanted.exclusive && p->acl->item.observed)
			add_removal(p, row, &p->wanted.exclusive_why);
	}
}

/* ---- tokens that die with the right to use tokens ---- */

static bool is_going(const struct acl_planner *p, const char *key)
{
	for (vec_each (&p->plan->operations, op)) {
		if (op->kind == OP_REMOVE_PERMISSIONS && text_equal(op->members[0].key, key))
			return true;
	}
	return false;
}

/* Whoever keeps the right by another entry. true: everybody does. */
static bool find_keepers(const struct acl_planner *p, struct ids *ret)
{
	unsigned target = p->acl->item.target;

	for (vec_each (&p->acl->rows, row)) {
		if ((!row->direct && !row->inherited) || is_going(p, row->key))
			continue;
		if (row->kind == PRINCIPAL_GROUP && text_equal_folded(row->name, GROUP_USERS))
			return true;
		(void)token_add_holders(p->access, target, row->kind, row->name, ret, NULL);
	}
	for (size_t i = 0; i < p->wanted.count; i++)
		(void)token_add_holders(p->access, target, p->wanted.entries[i].kind,
				p->wanted.entries[i].name, ret, NULL);
	token_add_admins(p->access, target, ret);
	ids_sort(ret);
	return false;
}

static void add_dying(struct acl_planner *p, struct operation *op, size_t dying)
{
	struct part_change *part = arena_alloc(p->arena, sizeof(*part));

	*part = (struct part_change){"live tokens", arena_printf(p->arena, "%zu", dying), "0"};
	op->parts = part;
	op->part_count = 1;
	op->weight = dying > 1 ? (unsigned)dying : 1;
	item_operation_done(p->access, op, p->arena);
}

/* Who loses the right loses his tokens for good, at once: the plan says how many, and the guard counts them. */
static size_t count_dying(struct acl_planner *p)
{
	struct ids keepers = {0};
	bool all_keep = find_keepers(p, &keepers);
	size_t sum = 0;

	for (vec_each (&p->plan->operations, op)) {
		struct ids losing = {0};
		size_t dying = 0;
		bool known;

		if (op->kind != OP_REMOVE_PERMISSIONS)
			continue;
		known = token_add_holders(p->access, op->target,
				acl_kind_of_key(op->members[0].key), op->members[0].name, &losing,
				NULL);
		ids_sort(&losing);
		/* Of a group whose members nobody knows it may be everybody's. */
		if (!all_keep)
			dying = token_count_live(
					p->access, op->target, known ? &losing : NULL, &keepers);
		add_dying(p, op, dying);
		sum += dying;
		/* Who loses it by two entries loses his tokens once. */
		for (size_t i = 0; i < losing.count; i++)
			(void)ids_add(&keepers, losing.items[i]);
		all_keep = all_keep || !known;
		ids_release(&losing);
	}
	ids_release(&keepers);
	return sum;
}

static void drop_removals(struct item_plan *plan)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->operations.count; i++) {
		if (plan->operations.items[i].kind != OP_REMOVE_PERMISSIONS)
			plan->operations.items[kept++] = plan->operations.items[i];
	}
	plan->pending = kept != plan->operations.count;
	plan->operations.count = kept;
}

static void tell_dying(struct acl_planner *p)
{
	const char *place = p->access->engine->settings->targets[p->acl->item.target].name;
	bool removes = false;
	size_t dying;

	for (vec_each (&p->plan->operations, op))
		removes = removes || op->kind == OP_REMOVE_PERMISSIONS;
	if (!removes || !text_equal(p->acl->item.id, AUTHORIZATION_TOKENS))
		return;
	switch (tokens_ask(p->access, p->acl->item.target)) {
	case TOKENS_ASKED:
		drop_removals(p->plan);
		return;
	case TOKENS_FAILED:
		drop_removals(p->plan);
		p->plan->note = arena_printf(p->arena,
				"%s: the tokens could not be listed, so nobody knows how many "
				"would die with the right to use them; nobody loses it until they "
				"are",
				place);
		return;
	case TOKENS_KNOWN:
		break;
	}
	dying = count_dying(p);
	if (dying)
		p->plan->note = arena_printf(p->arena,
				"%s: %zu live token%s with the right to use tokens, for good",
				place, dying, dying == 1 ? " dies" : "s die");
}

static bool holds_something(const struct acl_item *acl)
{
	for (vec_each (&acl->rows, row)) {
		if (row->held)
			return true;
	}
	return false;
}

/* Of an object of which only the id is known nobody can tell whether rules select it by name, tag or creator. */
static bool is_sure(const struct acl_planner *p)
{
	return p->acl->described ||
			finder_knows(p->access->finder, p->acl->item.target,
					p->acl->item.securable);
}

/* Of an object that a rule selects and that cannot have the rights: why. NULL: it can. */
static const char *obstacle(const struct acl_planner *p)
{
	const char *what = p->acl->unsupported ? "is not offered"
			: p->acl->gone         ? "is not there"
					       : NULL;

	if (!what || (p->acl->gone && !p->acl->named))
		return NULL;
	return arena_printf(p->arena, "%s \"%s\", which a rule names, %s in %s",
			securable_traits(type_of(p))->name, p->acl->item.name, what,
			p->access->engine->settings->targets[p->acl->item.target].name);
}

static void plan_entries(struct acl_planner *p)
{
	struct item *item = &p->acl->item;

	if (p->wanted.conflict) {
		p->plan->quarantine = arena_printf(p->arena, "%s \"%s\" in %s: %s",
				securable_traits(item->securable)->name, item->name,
				p->access->engine->settings->targets[item->target].name,
				p->wanted.conflict);
		return;
	}
	keep_what_others_gave(p);
	plan_wanted(p);
	if (engine_removals_allowed_at(p->access->engine, item->target) && is_sure(p))
		plan_removals(p);
	/* What was read in an earlier life says what is ours, not what else is there. */
	if (p->plan->operations.count && !item->observed)
		p->plan->wants_read = true;
	else if (item->securable == SECURABLE_AUTHORIZATION)
		tell_dying(p);
}

void acl_plan(struct access *access, struct item *item, struct arena *arena, struct item_plan *ret)
{
	struct acl_planner p = {.access = access,
			.acl = (struct acl_item *)item,
			.arena = arena,
			.plan = ret};
	struct securable_facts facts;

	/* Which rules select it can only be told by what the finder saw of it. */
	if (!p.acl->round && !finder_knows(access->finder, item->target, item->securable)) {
		ret->unknown = !p.acl->gone;
		return;
	}
	ret->note = obstacle(&p);
	if (p.acl->gone || p.acl->unsupported)
		return;
	if (!is_sure(&p) && holds_something(p.acl))
		return;
	acl_facts(p.acl, &facts);
	permission_index_match(access->permissions, item->target, item->securable, &facts, arena,
			&p.wanted);
	name_services(access, item, arena, &p.wanted);
	plan_entries(&p);
}

size_t acl_view(struct access *access, struct item *item, struct arena *arena,
		const struct acl_view_entry **ret)
{
	struct acl_item *acl = (struct acl_item *)item;
	struct securable_facts facts;
	struct wanted_acl wanted;
	struct acl_view_entry *view;
	size_t count = 0;

	acl_facts(acl, &facts);
	permission_index_match(
			access->permissions, item->target, item->securable, &facts, arena, &wanted);
	name_services(access, item, arena, &wanted);
	view = arena_alloc(arena, (acl->rows.count + wanted.count + 1) * sizeof(*view));
	for (vec_each (&acl->rows, row))
		view[count++] = (struct acl_view_entry){.key = row->key,
				.name = row->name,
				.direct = row->direct,
				.inherited = row->inherited,
				.from = row->from,
				.held = row->held,
				.former = row->former};
	for (size_t i = 0; i < wanted.count; i++) {
		struct acl_view_entry *entry = NULL;

		for (size_t j = 0; j < acl->rows.count && !entry; j++) {
			if (text_equal(view[j].key, wanted.entries[i].key))
				entry = &view[j];
		}
		if (!entry) {
			entry = &view[count++];
			*entry = (struct acl_view_entry){.key = wanted.entries[i].key,
					.name = wanted.entries[i].name};
		}
		entry->wanted = wanted.entries[i].level;
		entry->why = wanted.entries[i].why;
	}
	*ret = view;
	return count;
}
