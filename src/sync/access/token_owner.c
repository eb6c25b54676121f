/* token_owner -- whose tokens are meant: owners are ids, rules and people speak of names. */
#include "sync/access/token_item.h"

#include "base/clock.h"
#include "base/table.h"
#include "base/text.h"
#include "databricks/token.h"

#define NESTING_MAX 32 /* groups in groups; Databricks ends at 10 */

static unsigned home_of(const struct access *access, unsigned target)
{
	return access->engine->settings->has_account ? 0 : target;
}

struct object *token_owner(
		const struct access *access, unsigned target, const struct token_row *row)
{
	static const enum principal_kind kinds[] = {PRINCIPAL_USER, PRINCIPAL_SERVICE};

	for (size_t i = 0; row->owner && i < COUNT_OF(kinds); i++) {
		struct object *object = registry_find_id(access->engine->registry,
				home_of(access, target), kinds[i], row->owner);

		if (object)
			return object;
	}
	return NULL;
}

static bool is_nameless(const struct access *access, unsigned target, const struct token_row *row)
{
	return row->owner && !row->foreign_name && !token_owner(access, target, row);
}

/* Once through all of them, however many tokens there are: foreign principals have no index by id. */
void token_name_foreign(const struct access *access, struct token_item *tokens)
{
	const struct registry *registry = access->engine->registry;
	unsigned home = home_of(access, tokens->item.target), target;
	struct ids nameless = {0};

	for (vec_each (&tokens->rows, row)) {
		if (is_nameless(access, tokens->item.target, row))
			ids_append(&nameless, row->owner);
	}
	ids_sort(&nameless);
	for (size_t i = 0; nameless.count && i < registry_foreign_count(registry); i++) {
		const struct foreign *foreign = registry_foreign_at(registry, i, &target);

		if (target != home || foreign->kind == PRINCIPAL_GROUP ||
				!ids_contain(&nameless, foreign->id))
			continue;
		for (vec_each (&tokens->rows, row)) {
			if (row->owner == foreign->id && !row->foreign_name)
				row->foreign_name = mem_strdup_or_null(foreign->name);
		}
	}
	ids_release(&nameless);
}

const char *token_owner_known(
		const struct access *access, unsigned target, const struct token_row *row)
{
	const struct object *object = token_owner(access, target, row);

	if (object)
		return object->fields[principal_name_field(object->kind)];
	if (row->foreign_name)
		return row->foreign_name;
	return row->owner == row->creator ? row->created_by : NULL;
}

const char *token_owner_name(const struct access *access, unsigned target,
		const struct token_row *row, struct arena *arena)
{
	const char *known = token_owner_known(access, target, row);
	char id[ID_TEXT_SIZE];

	if (known)
		return arena_strdup(arena, known);
	return row->owner ? arena_printf(arena, "id %s", id_text(row->owner, id)) : "unknown";
}

bool token_owner_leaves(const struct object *object)
{
	return object && object->ours && (object->left_ms || object->leaving);
}

/* ---- who holds a right ---- */

struct holders {
	const struct access *access;
	struct ids *people, *groups; /* groups: NULL: nobody wants them */
	bool unknown;                /* members of a group on the way are not known */
};

static void add_group(struct holders *h, const struct object *group, unsigned depth);

static void add_node(struct holders *h, const struct object *group, node_id node, unsigned depth)
{
	const struct engine *engine = h->access->engine;
	const struct object_list *list = &engine->by_node[group->target];
	const struct object *member = node < list->count ? list->items[node] : NULL;

	if (!member && engine->settings->has_account) {
		list = &engine->by_node[0];
		member = node < list->count ? list->items[node] : NULL;
	}
	if (!member)
		return;
	if (member->kind == PRINCIPAL_GROUP)
		add_group(h, member, depth);
	else if (member->id)
		ids_append(h->people, member->id);
}

/* Members that others put there, where they were read: people by their id, groups that we know by theirs. */
static void add_actual(struct holders *h, const struct object *group, unsigned depth)
{
	const struct engine *engine = h->access->engine;
	const struct ids *members = group->actual_known ? &group->actual : &group->members;

	for (size_t i = 0; i < members->count; i++) {
		const struct object *member = registry_find_member(engine->registry, group,
				engine->settings->has_account, members->items[i]);

		if (member && member->kind == PRINCIPAL_GROUP)
			add_group(h, member, depth);
		else
			ids_append(h->people, members->items[i]);
	}
}

static void add_group(struct holders *h, const struct object *group, unsigned depth)
{
	struct arena *arena;
	const node_id *nodes;
	size_t outside, count;

	if (depth >= NESTING_MAX) {
		h->unknown = true;
		return;
	}
	if (h->groups)
		ids_append(h->groups, token_group_mark(group->key));
	if (!group->actual_known && !group->ours && group->node == NODE_NONE)
		h->unknown = true;
	add_actual(h, group, depth + 1);
	if (group->node == NODE_NONE)
		return;
	arena = arena_new();
	count = desired_members(h->access->engine->desired, group->node, arena, &nodes, &outside);
	for (size_t i = 0; i < count; i++)
		add_node(h, group, nodes[i], depth + 1);
	arena_free(arena);
}

/* A group of others in one of ours: nobody reads who is in it. */
static bool has_foreign_group(
		const struct access *access, unsigned target, const struct ids *sorted)
{
	const struct registry *registry = access->engine->registry;
	unsigned at;

	for (size_t i = 0; i < registry_foreign_count(registry); i++) {
		const struct foreign *foreign = registry_foreign_at(registry, i, &at);

		if (foreign->kind == PRINCIPAL_GROUP && at == home_of(access, target) &&
				ids_contain(sorted, foreign->id))
			return true;
	}
	return false;
}

bool token_add_holders(const struct access *access, unsigned target, enum principal_kind kind,
		const char *name, struct ids *ret, struct ids *groups)
{
	const struct object *object = access_principal(access, target, kind, name);
	struct ids people = {0};
	struct holders h = {.access = access, .people = &people, .groups = groups};

	if (!object)
		return false;
	if (kind == PRINCIPAL_GROUP)
		add_group(&h, object, 0);
	else if (object->id)
		ids_append(&people, object->id);
	ids_sort(&people);
	h.unknown = h.unknown || has_foreign_group(access, target, &people);
	for (size_t i = 0; i < people.count; i++)
		ids_append(ret, people.items[i]);
	ids_release(&people);
	return !h.unknown;
}

void token_add_admins(const struct access *access, unsigned target, struct ids *ret)
{
	const struct engine *engine = access->engine;
	const struct table *levels = engine->workspaces[target].levels;
	struct holders h = {.access = access, .people = ret};

	if (!levels)
		return;
	for (table_each (levels, it)) {
		AUTO(mem_freep) char *text = mem_strndup(it.key.ptr, it.key.len);
		uint64_t id = text_equal(it.value, "ADMIN") ? id_parse(text) : 0;
		const struct object *group = id
				? registry_find_id(engine->registry, home_of(access, target),
						  PRINCIPAL_GROUP, id)
				: NULL;

		if (group)
			add_group(&h, group, 0);
		else if (id)
			ids_append(ret, id);
	}
}

size_t token_count_live(const struct access *access, unsigned target, const struct ids *losing,
		const struct ids *keeping)
{
	const struct token_item *tokens =
			(const struct token_item *)item_find(access, target, "tokens");
	int64_t now = clock_wall_ms();
	size_t count = 0;

	for (size_t i = 0; tokens && i < tokens->rows.count; i++) {
		const struct token_row *row = &tokens->rows.items[i];

		count += row->owner && (row->expires_ms <= 0 || row->expires_ms > now) &&
				(!losing || ids_contain(losing, row->owner)) &&
				!ids_contain(keeping, row->owner);
	}
	return count;
}
