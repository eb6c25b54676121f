#include "sync/report_rights.h"

#include "base/text.h"
#include "sync/access/principal_read.h"
#include "sync/access/rule_set_item.h"
#include "sync/access/token_item.h"
#include "sync/report_internal.h"

struct reached {
	const struct object *group;
	const struct object *below; /* the object or group of ours that is a member of it */
	char *via;                  /* NULL: its entry is a member of the group's */
};
struct granted {
	const struct object *to;
	struct held_grant grant;
	bool ours; /* false: seen there, and nobody's of our rules */
};
struct rights {
	const struct engine *engine;
	const struct principal_read *read; /* NULL: none */
	VEC(struct reached) groups;
	VEC(struct granted) grants;
	VEC(const struct object *) objects;
	VEC(const struct object *) own; /* of them, the principal's own */
};

struct rights *rights_new(const struct engine *engine, const struct principal_read *read)
{
	struct rights *rights = mem_zalloc(sizeof(*rights));

	rights->engine = engine;
	rights->read = read;
	return rights;
}

void rights_free(struct rights *rights)
{
	for (vec_each (&rights->groups, reached))
		mem_free(reached->via);
	vec_release(&rights->groups);
	vec_release(&rights->grants);
	vec_release(&rights->objects);
	vec_release(&rights->own);
	mem_free(rights);
}

/* ---- the way through the directory ---- */

struct step {
	node_id node;
	size_t from; /* step that led here */
};
struct walk {
	const struct snapshot *snapshot;
	VEC(struct step) steps; /* breadth first */
	bool *seen;             /* by node */
};

static int compare_dns(const void *a, const void *b, void *snapshot)
{
	return strcmp(snapshot_dn(snapshot, *(const node_id *)a),
			snapshot_dn(snapshot, *(const node_id *)b));
}

/* Groups right above, by DN, so that of several ways of one length it is always the same one that is told. */
static void step_up(struct walk *walk, size_t from)
{
	size_t count;
	const node_id *parents =
			snapshot_parents(walk->snapshot, walk->steps.items[from].node, &count);
	node_id *sorted = mem_array(count, sizeof(*sorted));
	const void *context = walk->snapshot;

	if (count) {
		memcpy(sorted, parents, count * sizeof(*sorted));
		qsort_r(sorted, count, sizeof(*sorted), compare_dns, (void *)(uintptr_t)context);
	}
	for (size_t i = 0; i < count; i++) {
		if (walk->seen[sorted[i]])
			continue;
		walk->seen[sorted[i]] = true;
		*vec_add(&walk->steps) = (struct step){sorted[i], from};
	}
	mem_free(sorted);
}

static const char *group_name(const struct snapshot *snapshot, node_id group)
{
	const char *cn = snapshot_folded_cn(snapshot, group);

	return cn ? cn : snapshot_dn(snapshot, group);
}

/* "nearest > ... > farthest" of what lies between the first step and at; NULL: nothing. */
static char *way_to(const struct walk *walk, size_t at)
{
	char *way = NULL;

	for (at = walk->steps.items[at].from; at != 0; at = walk->steps.items[at].from) {
		const char *name = group_name(walk->snapshot, walk->steps.items[at].node);
		char *longer = way ? mem_printf("%s > %s", name, way) : mem_strdup(name);

		mem_free(way);
		way = longer;
	}
	return way;
}

/* The shortest way from one entry up to another. false: there is none. */
static bool find_way(const struct snapshot *snapshot, node_id from, node_id to, char **ret)
{
	struct walk walk = {.snapshot = snapshot,
			.seen = mem_array(snapshot_limit(snapshot), sizeof(bool))};
	bool found = false;

	*vec_add(&walk.steps) = (struct step){from, 0};
	walk.seen[from] = true;
	for (size_t i = 0; i < walk.steps.count && !found; i++) {
		found = walk.steps.items[i].node == to;
		if (found)
			*ret = way_to(&walk, i);
		else
			step_up(&walk, i);
	}
	vec_release(&walk.steps);
	mem_free(walk.seen);
	return found;
}

/* ---- gathering ---- */

/* Reading it changes nothing: that the assignments are known has been asked before. */
static const char *level_in(const struct engine *engine, unsigned workspace, uint64_t id)
{
	struct engine *reader;

	memcpy(&reader, &engine, sizeof(reader));
	return inventory_level(reader, workspace, id);
}

static bool is_held(const struct object *to, unsigned workspace, enum grant_kind kind,
		const char *value)
{
	for (size_t i = 0; i < to->grants.count; i++) {
		const struct held_grant *grant = &to->grants.items[i];

		if (grant->workspace == workspace && grant->kind == kind &&
				(kind == GRANT_ASSIGNMENT || text_equal(grant->value, value)))
			return true;
	}
	return false;
}

static void add_seen(struct rights *rights, const struct object *to, unsigned workspace,
		enum grant_kind kind, const char *value)
{
	if (value && !is_held(to, workspace, kind, value))
		*vec_add(&rights->grants) =
				(struct granted){to, {workspace, kind, value, NULL}, false};
}

static const struct seen_grants *seen_at(
		const struct rights *rights, const struct object *to, unsigned target)
{
	const struct seen_grants *fresh =
			rights->read ? principal_read_seen(rights->read, to, target) : NULL;

	for (size_t i = 0; !fresh && i < to->seen.count; i++) {
		if (to->seen.items[i].workspace == target)
			return &to->seen.items[i];
	}
	return fresh;
}

static void add_foreign_values(struct rights *rights, const struct object *to, unsigned target)
{
	const struct seen_grants *seen = seen_at(rights, to, target);

	for (size_t j = 0; seen && j < seen->entitlement_count; j++)
		add_seen(rights, to, target, GRANT_ENTITLEMENT, seen->entitlements[j]);
	for (size_t j = 0; seen && j < seen->role_count; j++)
		add_seen(rights, to, target, GRANT_ROLE, seen->roles[j]);
}

/* What others gave, as far as it was read. */
static void add_foreign_grants(struct rights *rights, const struct object *to)
{
	const struct settings *settings = rights->engine->settings;

	for (unsigned target = 0; target < settings->target_count; target++)
		add_foreign_values(rights, to, target);
	for (unsigned target = 0;
			settings->has_account && to->id && target < settings->target_count;
			target++) {
		const struct workspace_state *state = &rights->engine->workspaces[target];

		if (to->target == 0 && !settings->targets[target].is_account &&
				state->assignments_known)
			add_seen(rights, to, target, GRANT_ASSIGNMENT,
					level_in(rights->engine, target, to->id));
	}
}

static void add_grants(struct rights *rights, const struct object *to)
{
	for (size_t i = 0; i < to->grants.count; i++)
		*vec_add(&rights->grants) = (struct granted){to, to->grants.items[i], true};
	add_foreign_grants(rights, to);
	*vec_add(&rights->objects) = to;
}

static bool is_reached(const struct rights *rights, const struct object *group)
{
	for (vec_each (&rights->groups, reached)) {
		if (reached->group == group)
			return true;
	}
	return false;
}

static void add_groups_above(struct rights *rights, const struct object *member)
{
	const struct registry *registry = rights->engine->registry;

	for (size_t i = 0; member->id && i < registry_count(registry); i++) {
		const struct object *group = registry_at(registry, i);

		if (group->target != member->target || is_reached(rights, group) ||
				!ids_contain(group->actual_known ? &group->actual : &group->members,
						member->id))
			continue;
		*vec_add(&rights->groups) = (struct reached){group, member, NULL};
		add_grants(rights, group);
	}
}

void rights_gather(struct rights *rights, const struct object *object)
{
	const struct snapshot *snapshot = rights->engine->snapshot;
	size_t first = rights->groups.count;

	*vec_add(&rights->own) = object;
	add_grants(rights, object);
	add_groups_above(rights, object);
	for (size_t i = first; i < rights->groups.count; i++)
		add_groups_above(rights, rights->groups.items[i].group);
	for (size_t i = first; i < rights->groups.count; i++) {
		struct reached *reached = &rights->groups.items[i];

		/* Where the directory does not lead there any more, what it is in tells. */
		if ((object->node == NODE_NONE || reached->group->node == NODE_NONE ||
				    !find_way(snapshot, object->node, reached->group->node,
						    &reached->via)) &&
				reached->below != object)
			reached->via = mem_strdup(object_name(reached->below));
	}
}

const struct object *rights_group(const struct rights *rights, size_t index, const char **ret_via)
{
	if (index >= rights->groups.count)
		return NULL;
	*ret_via = rights->groups.items[index].via;
	return rights->groups.items[index].group;
}

/* ---- showing ---- */

static int compare_reached(const void *a, const void *b)
{
	const struct object *x = ((const struct reached *)a)->group,
			    *y = ((const struct reached *)b)->group;
	int order = strcmp(object_name(x), object_name(y));

	if (x->target != y->target)
		return x->target < y->target ? -1 : 1;
	return order ? order : (x->id > y->id) - (x->id < y->id);
}

json_t *rights_groups(struct rights *rights)
{
	json_t *list = json_array();
	char id[ID_TEXT_SIZE];

	if (rights->groups.count)
		qsort(rights->groups.items, rights->groups.count, sizeof(*rights->groups.items),
				compare_reached);
	for (vec_each (&rights->groups, reached))
		json_array_append_new(list,
				json_pack("{s:s, s:s, s:s, s:s?}", "target",
						rights->engine->settings
								->targets[reached->group->target]
								.name,
						"id", id_text(reached->group->id, id), "name",
						object_name(reached->group), "via", reached->via));
	return list;
}

static int compare_granted(const void *a, const void *b)
{
	const struct granted *x = a, *y = b;
	int order = strcmp(x->grant.value, y->grant.value);

	if (x->grant.workspace != y->grant.workspace)
		return x->grant.workspace < y->grant.workspace ? -1 : 1;
	if (x->grant.kind != y->grant.kind)
		return x->grant.kind < y->grant.kind ? -1 : 1;
	return order ? order : strcmp(object_name(x->to), object_name(y->to));
}

/* The rule that gives it; NULL: none does any more. */
static const struct why *why_of(const struct engine *engine, const struct granted *granted)
{
	const struct subject *subject = pass_subject(engine, granted->to);
	const struct held_grant *grant = &granted->grant;

	for (size_t i = 0; subject && i < subject->count; i++) {
		if (subject->grants[i].target == grant->workspace &&
				subject->grants[i].kind == grant->kind &&
				text_equal(subject->grants[i].value, grant->value))
			return &subject->grants[i].why;
	}
	return NULL;
}

static const char *grant_state(const struct granted *granted, const struct why *why)
{
	return why ? "in_sync" : granted->ours ? "leftover" : "foreign";
}

json_t *rights_grants(struct rights *rights)
{
	static const char *const kinds[] = {[GRANT_ASSIGNMENT] = "assignment",
			[GRANT_ENTITLEMENT] = "entitlement",
			[GRANT_ROLE] = "role"};
	const struct engine *engine = rights->engine;
	json_t *list = json_array();

	if (rights->grants.count)
		qsort(rights->grants.items, rights->grants.count, sizeof(*rights->grants.items),
				compare_granted);
	for (vec_each (&rights->grants, granted)) {
		const struct held_grant *grant = &granted->grant;
		const struct why *why = why_of(engine, granted);

		json_array_append_new(list,
				json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s?, s:o}", "target",
						engine->settings->targets[grant->workspace].name,
						"kind", kinds[grant->kind], "value", grant->value,
						"to", object_name(granted->to), "ours",
						granted->ours, "state", grant_state(granted, why),
						"file", why ? why->file : NULL, "line",
						why ? json_integer(why->line) : json_null()));
	}
	return list;
}

/* ---- rights on objects ---- */

const char *rights_level(enum securable_type type, const struct acl_view_entry *entry)
{
	if (!entry->direct || !entry->inherited)
		return entry->direct ? entry->direct : entry->inherited;
	if (type == RIGHTS_OF_ROLES)
		return entry->direct;
	if (!securable_has_level(type, entry->direct) ||
			!securable_has_level(type, entry->inherited))
		return entry->direct;
	return securable_join_levels(type, entry->direct, entry->inherited);
}

const char *rights_join(enum securable_type type, const char *a, const char *b, struct arena *arena)
{
	if (!a || !b || text_equal(a, b))
		return a ? a : b;
	if (type == RIGHTS_OF_ROLES)
		return arena_printf(arena, "%s, %s", a, b);
	if (!securable_has_level(type, a) || !securable_has_level(type, b))
		return a;
	return securable_join_levels(type, a, b);
}

static bool is_covered(enum securable_type type, const char *level, const char *wanted)
{
	if (!level || type == RIGHTS_OF_ROLES)
		return text_equal(level, wanted);
	return securable_has_level(type, level) && securable_level_covers(type, level, wanted);
}

static const char *state_of(enum securable_type type, const struct acl_view_entry *entry)
{
	const char *level = rights_level(type, entry);

	if (entry->wanted)
		return is_covered(type, level, entry->wanted) ? "in_sync" : "missing";
	if (entry->held)
		return "leftover";
	return entry->direct ? "foreign" : "inherited";
}

json_t *rights_entry(enum securable_type type, const struct acl_view_entry *entry)
{
	bool ruled = entry->wanted && entry->why.file;

	return json_pack("{s:s?, s:s?, s:s?, s:s?, s:b, s:s?, s:s?, s:s?, s:o, s:s}", "level",
			rights_level(type, entry), "direct", entry->direct, "inherited",
			entry->inherited, "from", entry->from, "ours", entry->held != NULL,
			"former", entry->former, "wanted", entry->wanted, "file",
			ruled ? entry->why.file : NULL, "line",
			ruled ? json_integer(entry->why.line) : json_null(), "state",
			state_of(type, entry));
}

static bool is_about(const struct object *object, const struct engine *engine, unsigned target,
		const struct acl_view_entry *entry)
{
	unsigned home = engine->settings->has_account ? 0 : target;
	AUTO(mem_freep) char *key = access_principal_key(object->kind, object_name(object));

	return (object->target == home || object->target == target) && text_equal(key, entry->key);
}

static int compare_permissions(const void *a, const void *b)
{
	json_t *const *x = a, *const *y = b;
	static const char *const fields[] = {"target", "type", "name", "id", "to", "level"};

	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		const char *p = json_string_value(json_object_get(*x, fields[i]));
		const char *q = json_string_value(json_object_get(*y, fields[i]));
		int order = strcmp(p ? p : "", q ? q : "");

		if (order)
			return order;
	}
	return 0;
}

static json_t *sorted(json_t *list, int (*compare)(const void *, const void *))
{
	size_t count = json_array_size(list);
	json_t **items = mem_array(count + 1, sizeof(json_t *));
	json_t *ret = json_array();

	for (size_t i = 0; i < count; i++)
		items[i] = json_array_get(list, i);
	if (count)
		qsort(items, count, sizeof(json_t *), compare);
	for (size_t i = 0; i < count; i++)
		json_array_append(ret, items[i]);
	mem_free(items);
	json_decref(list);
	return ret;
}

/* Of one item: which entries, what its levels are, and how it is called. */
struct listed {
	struct item *item;
	enum securable_type type; /* RIGHTS_OF_ROLES: it is a rule set */
	const char *type_name;
};

static json_t *permission(const struct rights *rights, const struct listed *listed,
		const struct acl_view_entry *from, const struct object *to)
{
	const struct item *item = listed->item;
	json_t *entry = rights_entry(listed->type, from);

	json_object_set_new(entry, "target",
			json_string(rights->engine->settings->targets[item->target].name));
	json_object_set_new(entry, "type", json_string(listed->type_name));
	json_object_set_new(entry, "id", json_string(item->id ? item->id : ""));
	json_object_set_new(entry, "name", report_text(item->name));
	json_object_set_new(entry, "to", report_text(object_name(to)));
	return entry;
}

static void add_permissions(const struct rights *rights, struct item *item, json_t *list)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct access *access = rights->engine->access;
	bool is_rule_set = item->class->resource == RESOURCE_RULE_SET;
	struct listed listed = {item, is_rule_set ? RIGHTS_OF_ROLES : item->securable,
			is_rule_set ? rule_set_of_what(item)
				    : securable_traits(item->securable)->name};
	const struct acl_view_entry *entries;
	size_t count = is_rule_set ? rule_set_view(access, item, arena, &entries)
				   : acl_view(access, item, arena, &entries);

	for (size_t i = 0; i < count; i++) {
		for (vec_each (&rights->objects, object)) {
			if (!is_about(*object, rights->engine, item->target, &entries[i]))
				continue;
			json_array_append_new(
					list, permission(rights, &listed, &entries[i], *object));
			break;
		}
	}
}

json_t *rights_permissions(struct rights *rights)
{
	json_t *list = json_array();

	for (vec_each (&rights->engine->access->items, item)) {
		if ((*item)->class->resource == RESOURCE_PERMISSIONS ||
				(*item)->class->resource == RESOURCE_RULE_SET)
			add_permissions(rights, *item, list);
	}
	return sorted(list, compare_permissions);
}

/* ---- tokens ---- */

/* Of the workspaces whose tokens were read anyway: because a rule asks, or the sweep. */
json_t *rights_tokens(const struct rights *rights)
{
	const struct engine *engine = rights->engine;
	json_t *list = json_array();

	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		const struct item *tokens = item_find(engine->access, target, "tokens");
		struct ids own = {0}, nobody = {0};
		size_t live;

		if (!tokens || !tokens->observed)
			continue;
		for (vec_each (&rights->own, object)) {
			if ((*object)->target == target ||
					engine->settings->targets[(*object)->target].is_account)
				ids_append(&own, (*object)->id);
		}
		ids_sort(&own);
		live = token_count_live(engine->access, target, &own, &nobody);
		ids_release(&own);
		if (live)
			json_array_append_new(list,
					json_pack("{s:s, s:I}", "target",
							engine->settings->targets[target].name,
							"live", (json_int_t)live));
	}
	return list;
}
