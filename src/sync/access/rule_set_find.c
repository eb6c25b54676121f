/* rule_set_find -- by which id the rule set of a name goes, and whether the name is one's alone. */
#include "sync/access/rule_set_row.h"

#include "base/text.h"

#define NAMED_MAX 5 /* application ids that are told of one name */

const char *rule_set_kind_name(enum rule_set_kind kind)
{
	static const char *const names[] = {[RULE_SET_ACCOUNT] = "account",
			[RULE_SET_GROUP] = "group",
			[RULE_SET_SERVICE] = "service_principal"};

	return names[kind];
}

const char *rule_set_of_what(const struct item *item)
{
	return rule_set_kind_name(((const struct rule_set_item *)item)->of_kind);
}

enum principal_kind rule_set_principal_kind(enum rule_set_kind kind)
{
	return kind == RULE_SET_GROUP ? PRINCIPAL_GROUP : PRINCIPAL_SERVICE;
}

static struct rule_set_found one(const char *id, struct arena *arena)
{
	return (struct rule_set_found){arena_strdup(arena, id), NULL};
}

/* ---- service principals by their display name, which several may have ---- */

struct namesakes {
	const char *ids[NAMED_MAX];
	size_t count; /* may be more than NAMED_MAX */
};

static void add_namesake(struct namesakes *found, const char *application_id)
{
	for (size_t i = 0; i < found->count && i < NAMED_MAX; i++) {
		if (text_equal_folded(found->ids[i], application_id))
			return;
	}
	if (found->count < NAMED_MAX)
		found->ids[found->count] = application_id;
	found->count++;
}

/* ours: made or adopted; else those that only a grant names. */
static void add_known(const struct registry *registry, const char *name, bool ours,
		struct namesakes *found)
{
	for (size_t i = 0; i < registry_count(registry); i++) {
		const struct object *object = registry_at(registry, i);
		const char *id = object->fields[FIELD_APPLICATION_ID];

		if (object->target == 0 && object->kind == PRINCIPAL_SERVICE && object->id && id &&
				object->ours == ours &&
				text_equal_folded(object->fields[FIELD_DISPLAY_NAME], name))
			add_namesake(found, id);
	}
}

/* The index has the last one and whether there are others: only then all are gone through. */
static void add_foreign(const struct registry *registry, const char *name, struct namesakes *found)
{
	bool several;
	const struct foreign *last = registry_foreign_service(registry, 0, name, &several);

	if (last && !several)
		add_namesake(found, last->name);
	for (size_t i = 0; several && i < registry_foreign_count(registry); i++) {
		unsigned target;
		const struct foreign *foreign = registry_foreign_at(registry, i, &target);

		if (target == 0 && foreign->kind == PRINCIPAL_SERVICE && foreign->name &&
				text_equal_folded(foreign->display_name, name))
			add_namesake(found, foreign->name);
	}
}

static const char *list_of(const struct namesakes *found, struct arena *arena)
{
	const char *list = NULL;

	for (size_t i = 0; i < found->count && i < NAMED_MAX; i++)
		list = list ? arena_printf(arena, "%s, %s", list, found->ids[i])
			    : arena_strdup(arena, found->ids[i]);
	return found->count > NAMED_MAX ? arena_printf(arena, "%s, ...", list) : list;
}

static struct rule_set_found find_by_display_name(
		const struct registry *registry, const char *name, struct arena *arena)
{
	struct namesakes found = {.count = 0};

	/* Who is made by a rule is meant before others of that name. */
	add_known(registry, name, true, &found);
	if (!found.count) {
		add_known(registry, name, false, &found);
		add_foreign(registry, name, &found);
	}
	if (found.count == 1)
		return one(found.ids[0], arena);
	return (struct rule_set_found){NULL, found.count ? list_of(&found, arena) : NULL};
}

/* ---- any ---- */

static struct rule_set_found find_service(
		const struct access *access, const char *name, struct arena *arena)
{
	const struct registry *registry = access->engine->registry;
	const struct object *object = access_principal(access, 0, PRINCIPAL_SERVICE, name);
	const struct foreign *foreign =
			registry_foreign_by_name(registry, 0, PRINCIPAL_SERVICE, name);

	if (object && object->id && object->fields[FIELD_APPLICATION_ID])
		return one(object->fields[FIELD_APPLICATION_ID], arena);
	if (foreign)
		return one(foreign->name, arena);
	if (object && !object->named_only)
		return (struct rule_set_found){NULL, NULL}; /* about to be made, or adopted */
	return find_by_display_name(registry, name, arena);
}

static struct rule_set_found find_group(
		const struct access *access, const char *name, struct arena *arena)
{
	const struct object *object = access_principal(access, 0, PRINCIPAL_GROUP, name);
	const struct foreign *foreign = registry_foreign_by_name(
			access->engine->registry, 0, PRINCIPAL_GROUP, name);
	char id[ID_TEXT_SIZE];

	if (object && object->id)
		return one(id_text(object->id, id), arena);
	return foreign ? one(id_text(foreign->id, id), arena) : (struct rule_set_found){NULL, NULL};
}

struct rule_set_found rule_set_find(const struct access *access, enum rule_set_kind kind,
		const char *name, struct arena *arena)
{
	switch (kind) {
	case RULE_SET_ACCOUNT:
		break;
	case RULE_SET_GROUP:
		return find_group(access, name, arena);
	case RULE_SET_SERVICE:
		return find_service(access, name, arena);
	}
	return one(access->engine->settings->targets[0].account_id, arena);
}
