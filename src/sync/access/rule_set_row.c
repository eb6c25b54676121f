#include "sync/access/rule_set_row.h"

#include "base/clock.h"
#include "base/text.h"
#include "sync/access/acl_item.h"

struct rule_set_item *rule_set_of_item(struct item *item)
{
	return (struct rule_set_item *)item; /* item is its first member */
}

char *rule_row_key(const char *role, enum principal_kind kind, const char *name)
{
	AUTO(mem_freep) char *principal = access_principal_key(kind, name);

	return mem_printf("%s/%s", role, principal);
}

struct rule_row *rule_row_find(struct rule_set_item *set, const char *key)
{
	for (vec_each (&set->rows, row)) {
		if (text_equal(row->key, key))
			return row;
	}
	return NULL;
}

struct rule_row *rule_row_make(struct rule_set_item *set, const char *role,
		enum principal_kind kind, const char *name)
{
	char *key = rule_row_key(role, kind, name);
	struct rule_row *row = rule_row_find(set, key);

	if (row) {
		mem_free(key);
		return row;
	}
	row = vec_add(&set->rows);
	*row = (struct rule_row){.key = key,
			.role = mem_strdup(role),
			.kind = kind,
			.name = mem_strdup(name)};
	return row;
}

static void row_release(struct rule_row *row)
{
	mem_free(row->key);
	mem_free(row->role);
	mem_free(row->name);
	mem_free(row->refusal);
}

void rule_rows_sweep(struct rule_set_item *set)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->rows.count; i++) {
		struct rule_row *row = &set->rows.items[i];

		if (row->there || row->held || row->refused_until_ns)
			set->rows.items[kept++] = *row;
		else
			row_release(row);
	}
	set->rows.count = kept;
}

void rule_set_release(struct item *item)
{
	struct rule_set_item *set = rule_set_of_item(item);

	for (vec_each (&set->rows, row))
		row_release(row);
	vec_release(&set->rows);
	mem_free(set->etag);
}

size_t rule_set_count_held(const struct item *item)
{
	const struct rule_set_item *set = (const struct rule_set_item *)item;
	size_t count = 0;

	for (vec_each (&set->rows, row))
		count += row->held;
	return count;
}

/* ---- what is ours ---- */

/* Of a group's name now; 0: not known. */
static uint64_t id_of_group(const struct access *access, const char *name)
{
	const struct object *object = access_principal(access, 0, PRINCIPAL_GROUP, name);
	const struct foreign *foreign;

	if (object && object->id)
		return object->id;
	foreign = registry_foreign_by_name(access->engine->registry, 0, PRINCIPAL_GROUP, name);
	return foreign ? foreign->id : 0;
}

void rule_row_hold(struct access *access, struct rule_set_item *set, struct rule_row *row)
{
	char id[ID_TEXT_SIZE];

	if (row->kind == PRINCIPAL_GROUP && !row->id)
		row->id = id_of_group(access, row->name);
	row->held = true;
	item_hold(access, &set->item, row->key, row->name, row->id ? id_text(row->id, id) : NULL);
}

void rule_row_drop_hold(struct access *access, struct rule_set_item *set, struct rule_row *row)
{
	item_release_hold(access, &set->item, row->key);
	row->held = false;
	row->id = 0;
}

/* part: the row's key; value: the name as it is spelled; former: the group's id. */
void rule_set_load(struct access *access, struct item *item, const struct store_holding *holding)
{
	const char *slash = strchr(holding->part, '/');
	const char *principal = slash ? strchr(slash + 1, '/') : NULL;
	AUTO(mem_freep) char *role = NULL;
	struct rule_row *row;

	(void)access;
	if (!principal || !holding->value)
		return;
	role = mem_strndup(holding->part, (size_t)(principal - holding->part));
	row = rule_row_make(rule_set_of_item(item), role, acl_kind_of_key(principal + 1),
			holding->value);
	row->there = row->held = true;
	row->id = holding->former ? id_parse(holding->former) : 0;
}

/* ---- groups that are called otherwise now ---- */

static const char *name_of_group(const struct access *access, uint64_t id)
{
	const struct registry *registry = access->engine->registry;
	const struct object *object = registry_find_id(registry, 0, PRINCIPAL_GROUP, id);

	if (object)
		return object->fields[FIELD_DISPLAY_NAME];
	for (size_t i = 0; i < registry_foreign_count(registry); i++) {
		unsigned target;
		const struct foreign *foreign = registry_foreign_at(registry, i, &target);

		if (target == 0 && foreign->kind == PRINCIPAL_GROUP && foreign->id == id)
			return foreign->name;
	}
	return NULL;
}

/* The row of index at is called name from now on; one of that name that was read is the same. */
static void rename_row(
		struct access *access, struct rule_set_item *set, size_t at, const char *name)
{
	struct rule_row old = set->rows.items[at];
	struct rule_row *row = rule_row_make(set, old.role, old.kind, name);

	if (!row->held) {
		row->there = true;
		row->id = old.id;
		rule_row_hold(access, set, row);
	}
	rule_row_drop_hold(access, set, &set->rows.items[at]);
	set->rows.items[at].there = false;
	/* Reads may show the old name for a while. */
	set->item.written_ns = clock_monotonic_ns();
}

void rule_rows_follow_names(struct access *access, struct rule_set_item *set)
{
	size_t count = set->rows.count;

	for (size_t i = 0; i < count; i++) {
		const struct rule_row *row = &set->rows.items[i];
		const char *name = row->held && row->id ? name_of_group(access, row->id) : NULL;
		AUTO(mem_freep) char *copy = mem_strdup_or_null(name);

		if (copy && !text_equal_folded(copy, row->name))
			rename_row(access, set, i, copy);
	}
	rule_rows_sweep(set);
}
