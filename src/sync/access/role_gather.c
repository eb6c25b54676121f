#include "sync/access/role_gather.h"

#include "base/text.h"
#include "sync/access/acl_item.h"
#include "sync/access/rule_set_item.h"

/* ---- rule sets ---- */

static struct acl_view_entry *find_entry(
		struct role_gather *gather, const char *key, const char *level)
{
	for (vec_each (&gather->entries, entry)) {
		const char *own = entry->direct ? entry->direct
				: entry->wanted ? entry->wanted
						: entry->held;

		if (text_equal(entry->key, key) && text_equal(own, level))
			return entry;
	}
	return NULL;
}

static struct acl_view_entry *make_entry(struct role_gather *gather, enum principal_kind kind,
		const char *name, const char *level)
{
	AUTO(mem_freep) char *key = access_principal_key(kind, name);
	struct acl_view_entry *entry = find_entry(gather, key, level);

	if (entry)
		return entry;
	entry = vec_add(&gather->entries);
	*entry = (struct acl_view_entry){.key = arena_strdup(gather->arena, key),
			.name = arena_strdup(gather->arena, name)};
	return entry;
}

void role_gather_rule_set(struct role_gather *gather, const struct rule_set *set)
{
	for (size_t i = 0; i < set->grant_count; i++) {
		const struct rule_grant *grant = &set->grants[i];
		const char *role = arena_strdup(gather->arena, rule_role_name(grant->role));

		for (size_t j = 0; j < grant->principals.count; j++) {
			enum principal_kind kind;
			const char *name;

			if (rule_principal_parse(grant->principals.items[j], &kind, &name))
				make_entry(gather, kind, name, role)->direct = role;
		}
	}
}

/* What the item of the rule set knows; fresh: what is there was read anew. */
void role_gather_known(struct role_gather *gather, struct item *item, bool fresh)
{
	const struct acl_view_entry *known;
	size_t count = rule_set_view(gather->access, item, gather->arena, &known);

	for (size_t i = 0; i < count; i++) {
		const char *level = arena_strdup(gather->arena,
				known[i].wanted                 ? known[i].wanted
						: known[i].held ? known[i].held
								: known[i].direct);
		struct acl_view_entry *entry;

		if (fresh && !known[i].wanted && !known[i].held)
			continue;
		entry = make_entry(gather, acl_kind_of_key(known[i].key), known[i].name, level);
		entry->direct = fresh ? entry->direct : known[i].direct ? level : NULL;
		entry->held = known[i].held ? level : NULL;
		entry->wanted = known[i].wanted ? level : NULL;
		entry->why = known[i].why;
		entry->why.file = arena_strdup(gather->arena, known[i].why.file);
		entry->why.entry = NULL;
	}
}

/* ---- grants of principals: over SCIM, and assignments ---- */

static const struct wanted_grant *find_wanted(const struct subject *subject, unsigned target,
		enum grant_kind kind, const char *value)
{
	for (size_t i = 0; subject && i < subject->count; i++) {
		const struct wanted_grant *grant = &subject->grants[i];

		if (grant->target == target && grant->kind == kind &&
				text_equal(grant->value, value))
			return grant;
	}
	return NULL;
}

static void note_rule(struct role_gather *gather, struct acl_view_entry *entry,
		const struct wanted_grant *wanted, const char *level)
{
	if (!wanted)
		return;
	entry->wanted = level;
	entry->why = (struct why){.file = arena_strdup(gather->arena, wanted->why.file),
			.line = wanted->why.line};
}

static struct object *object_of(
		const struct role_gather *gather, enum principal_kind kind, const char *id)
{
	const struct registry *registry = gather->access->engine->registry;
	unsigned target = gather->target;
	struct object *object = registry_find_id(registry, target, kind, id_parse(id));

	return object || !gather->access->engine->settings->has_account
			? object
			: registry_find_id(registry, 0, kind, id_parse(id));
}

void role_gather_grant(struct role_gather *gather, enum principal_kind kind, const char *id,
		const char *name, const struct held_grant *grant)
{
	const char *level = arena_strdup(gather->arena, grant->value);
	struct acl_view_entry *entry = make_entry(gather, kind, name, level);
	struct object *object = object_of(gather, kind, id);
	const struct held_grant *held;

	entry->direct = level;
	if (!object)
		return;
	held = object_grant(object, grant->workspace, grant->kind, grant->value);
	if (held && text_equal(held->value, level)) {
		entry->held = level;
		entry->former = arena_strdup(gather->arena, held->former);
	}
	note_rule(gather, entry,
			find_wanted(pass_subject(gather->access->engine, object), grant->workspace,
					grant->kind, level),
			level);
}

static bool is_asked_for(const struct role_gather *gather, const struct wanted_grant *grant)
{
	return grant->target == gather->target &&
			(gather->is_workspace || grant->kind == GRANT_ROLE);
}

/* What rules want and nobody showed. A level that is covered by a higher one is there. */
void role_gather_missing(struct role_gather *gather)
{
	const struct engine *engine = gather->access->engine;
	unsigned home = engine->settings->has_account ? 0 : gather->target;

	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		const struct object *object = registry_at(engine->registry, i);
		const struct subject *subject =
				object->target == home ? pass_subject(engine, object) : NULL;
		AUTO(mem_freep) char *key = NULL;

		if (!subject || object->leaving)
			continue;
		key = access_principal_key(object->kind, object_name(object));
		for (size_t k = 0; k < subject->count; k++) {
			const struct wanted_grant *grant = &subject->grants[k];
			const char *level = arena_strdup(gather->arena, grant->value);

			if (is_asked_for(gather, grant) && !find_entry(gather, key, level) &&
					!(grant->kind == GRANT_ASSIGNMENT &&
							find_entry(gather, key, "ADMIN")))
				note_rule(gather,
						make_entry(gather, object->kind,
								object_name(object), level),
						grant, level);
		}
	}
}

static int compare_entries(const void *a, const void *b)
{
	const struct acl_view_entry *x = a, *y = b;
	const char *p = x->direct ? x->direct : x->wanted ? x->wanted : x->held;
	const char *q = y->direct ? y->direct : y->wanted ? y->wanted : y->held;
	int order = strcmp(x->key, y->key);

	return order ? order : strcmp(p, q);
}

size_t role_gather_sort(struct role_gather *gather, const struct acl_view_entry **ret)
{
	if (gather->entries.count)
		qsort(gather->entries.items, gather->entries.count, sizeof(*gather->entries.items),
				compare_entries);
	*ret = gather->entries.items;
	return gather->entries.count;
}

void role_gather_release(struct role_gather *gather)
{
	vec_release(&gather->entries);
}
