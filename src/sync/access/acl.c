#include "sync/access/acl_item.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "sync/access/concern.h"

#define ACL_RANK 3 /* behind the objects that we make ourselves */

static struct acl_item *of(struct item *item)
{
	return (struct acl_item *)item; /* item is its first member */
}

/* ---- rows ---- */

static void row_release(struct acl_row *row)
{
	mem_free(row->key);
	mem_free(row->name);
	mem_free(row->direct);
	mem_free(row->inherited);
	mem_free(row->from);
	mem_free(row->held);
	mem_free(row->former);
	mem_free(row->gone);
}

static size_t place_of(const struct acl_item *acl, const char *key)
{
	size_t low = 0, high = acl->rows.count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(acl->rows.items[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct acl_row *acl_row(struct acl_item *acl, const char *key)
{
	size_t at = place_of(acl, key);

	return at < acl->rows.count && text_equal(acl->rows.items[at].key, key)
			? &acl->rows.items[at]
			: NULL;
}

enum principal_kind acl_kind_of_key(const char *key)
{
	for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_; kind++) {
		const char *name = principal_kind_name((enum principal_kind)kind);
		size_t length = strlen(name);

		if (strncmp(key, name, length) == 0 && key[length] == '/')
			return (enum principal_kind)kind;
	}
	return PRINCIPAL_GROUP;
}

struct acl_row *acl_row_make(struct acl_item *acl, const char *key, const char *name)
{
	struct acl_row *row = acl_row(acl, key);
	size_t at = place_of(acl, key);

	if (row)
		return row;
	(void)vec_add(&acl->rows);
	memmove(&acl->rows.items[at + 1], &acl->rows.items[at],
			(acl->rows.count - 1 - at) * sizeof(*acl->rows.items));
	row = &acl->rows.items[at];
	*row = (struct acl_row){.key = mem_strdup(key),
			.kind = acl_kind_of_key(key),
			.name = mem_strdup(name)};
	return row;
}

void acl_sweep(struct access *access, struct acl_item *acl)
{
	struct arena *arena = arena_new();
	struct securable_facts facts;
	struct wanted_acl wanted;
	size_t kept = 0;
	bool held = false;

	for (size_t i = 0; i < acl->rows.count; i++) {
		struct acl_row *row = &acl->rows.items[i];

		held = held || row->held;
		if (row->gone && !acl_is_fresh(acl))
			mem_replace_text(&row->gone, NULL);
		if (!row->direct && !row->inherited && !row->held && !row->gone &&
				!row->refused_until_ns) {
			row_release(row);
			continue;
		}
		acl->rows.items[kept++] = *row;
	}
	acl->rows.count = kept;
	acl_facts(acl, &facts);
	permission_index_match(access->permissions, acl->item.target, acl->item.securable, &facts,
			arena, &wanted);
	acl->named = wanted.named;
	acl->item.disposable = !held && !wanted.matched;
	arena_free(arena);
}

/* ---- items ---- */

void acl_facts(const struct acl_item *acl, struct securable_facts *ret)
{
	*ret = (struct securable_facts){.id = acl->item.id,
			.path = acl->path,
			.name = acl->listed_name,
			.creator = acl->creator,
			.tags = acl->tags,
			.tag_count = acl->tag_count};
}

static void free_tags(struct acl_item *acl)
{
	for (size_t i = 0; i < acl->tag_count; i++) {
		union {
			const char *text;
			char *owned;
		} key = {acl->tags[i].key}, value = {acl->tags[i].value};

		mem_free(key.owned);
		mem_free(value.owned);
	}
	mem_free(acl->tags);
	acl->tags = NULL;
	acl->tag_count = 0;
}

static void take_facts(struct acl_item *acl, const struct securable_facts *facts)
{
	/* A rule that names the id says nothing else of it: what a list told stays. */
	if (!facts->path && !facts->creator && !facts->name && !facts->tag_count)
		return;
	acl->described = true;
	if (facts->path)
		mem_replace_text(&acl->path, facts->path);
	if (facts->creator)
		mem_replace_text(&acl->creator, facts->creator);
	if (facts->name)
		mem_replace_text(&acl->listed_name, facts->name);
	if (facts->path || (facts->name && *facts->name))
		item_set_name(&acl->item, facts->path ? facts->path : facts->name);
	free_tags(acl);
	acl->tags = mem_array(facts->tag_count + 1, sizeof(*acl->tags));
	for (size_t i = 0; i < facts->tag_count; i++)
		acl->tags[acl->tag_count++] = (struct tag){mem_strdup(facts->tags[i].key),
				mem_strdup_or_null(facts->tags[i].value)};
}

static void acl_release(struct item *item)
{
	struct acl_item *acl = of(item);

	for (vec_each (&acl->rows, row))
		row_release(row);
	vec_release(&acl->rows);
	free_tags(acl);
	mem_free(acl->path);
	mem_free(acl->creator);
	mem_free(acl->listed_name);
}

struct item *acl_item(struct access *access, unsigned target, enum securable_type type,
		const char *id, const char *name)
{
	AUTO(mem_freep) char *key = mem_printf("%s/%s", securable_traits(type)->name, id);
	struct item *item = item_find(access, target, key);
	struct acl_item *acl;

	if (item)
		return item;
	acl = mem_zalloc(sizeof(*acl));
	acl->item.class = &acl_class;
	acl->item.target = target;
	acl->item.securable = type;
	acl->item.id = mem_strdup(id);
	item_add(access, &acl->item, key, name && *name ? name : id);
	return &acl->item;
}

void acl_found(struct access *access, unsigned target, enum securable_type type,
		const struct securable_facts *facts, uint64_t round)
{
	AUTO(mem_freep) char *key = mem_printf("%s/%s", securable_traits(type)->name, facts->id);
	struct item *item = item_find(access, target, key);
	struct wanted_acl wanted;
	bool is_new = !item;

	arena_reset(access->engine->scratch);
	permission_index_match(
			access->permissions, target, type, facts, access->engine->scratch, &wanted);
	if (!item && !wanted.matched)
		return;
	permission_index_met(access->permissions, target, type, facts);
	if (!item)
		item = acl_item(access, target, type, facts->id,
				facts->path ? facts->path : facts->name);
	take_facts(of(item), facts);
	of(item)->round = round;
	of(item)->gone = false;
	/* A look that only searches for what is new reads nobody again; a plan that needs more than the store knows does. */
	if (is_new || access->engine->reconciling)
		item_want_read(access, item);
	else
		item_mark(access, item);
}

void acl_missing(struct access *access, unsigned target, enum securable_type type, uint64_t round)
{
	for (vec_each (&access->items, place)) {
		struct item *item = *place;

		if (item->class != &acl_class || item->target != target || item->securable != type)
			continue;
		if (of(item)->round == round)
			item_mark(access, item);
		else
			item_want_read(access, item);
	}
}

void acl_rules_changed(struct access *access, unsigned target, enum securable_type type)
{
	for (vec_each (&access->items, item)) {
		if ((*item)->class == &acl_class && (*item)->target == target &&
				(*item)->securable == type) {
			(*item)->retry_ns = 0;
			item_mark(access, *item);
		}
	}
}

/* A holding of the store: it is assumed to be there until it is read. */
static void acl_load(struct access *access, struct item *item, const struct store_holding *holding)
{
	const char *name = strchr(holding->part, '/');
	struct acl_row *row =
			acl_row_make(of(item), holding->part, name ? name + 1 : holding->part);

	(void)access;
	mem_replace_text(&row->held, holding->value);
	mem_replace_text(&row->direct, holding->value);
	mem_replace_text(&row->former, holding->former);
}

static size_t count_held(const struct item *item)
{
	const struct acl_item *acl = (const struct acl_item *)item;
	size_t count = 0;

	for (size_t i = 0; i < acl->rows.count; i++)
		count += acl->rows.items[i].held != NULL;
	return count;
}

void acl_forget_principal(struct access *access, struct item *item, const struct concern *concern)
{
	bool found = false;

	for (size_t i = 0; item->class == &acl_class && i < concern->count; i++) {
		struct acl_row *row = acl_row(of(item), concern->keys[i]);

		if (!row)
			continue;
		if (row->held)
			acl_drop_hold(access, of(item), row);
		mem_replace_text(&row->direct, NULL);
		mem_replace_text(&row->inherited, NULL);
		found = true;
	}
	if (!found)
		return;
	acl_sweep(access, of(item));
	item_mark(access, item);
}

const struct item_class acl_class = {
		.resource = RESOURCE_PERMISSIONS,
		.rank = ACL_RANK,
		.plan = acl_plan,
		.read_next = acl_read_next,
		.choose = acl_choose,
		.write_next = acl_write_next,
		.settle = acl_settle,
		.failed = acl_failed,
		.again = acl_again,
		.shows = acl_shows,
		.load = acl_load,
		.count_ours = count_held,
		.release = acl_release,
};
