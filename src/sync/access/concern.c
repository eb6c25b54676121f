#include "sync/access/concern.h"

#include "base/text.h"
#include "sync/access/acl_item.h"
#include "sync/access/finder.h"
#include "sync/access/permission_index.h"
#include "sync/plan_file.h"
#include "sync/report_internal.h"

/* ---- who ---- */

static void add_name(struct concern *concern, const char *name, struct arena *arena)
{
	AUTO(mem_freep) char *key = name ? access_principal_key(concern->kind, name) : NULL;

	if (!key || concern->count == CONCERN_NAMES_MAX)
		return;
	for (size_t i = 0; i < concern->count; i++) {
		if (text_equal(concern->keys[i], key))
			return;
	}
	concern->keys[concern->count++] = arena_strdup(arena, key);
}

void concern_of_object(struct engine *engine, const struct object *object, struct arena *arena,
		struct concern *ret)
{
	*ret = (struct concern){
			.kind = object->kind, .object_key = arena_strdup(arena, object->key)};
	add_name(ret, object_name(object), arena);
	add_name(ret, pass_name(engine, object), arena);
	if (object->kind != PRINCIPAL_SERVICE)
		return;
	add_name(ret, object->fields[FIELD_DISPLAY_NAME], arena);
	add_name(ret, object->fields[FIELD_APPLICATION_ID], arena);
}

static bool has_key(const struct concern *concern, const char *key)
{
	for (size_t i = 0; i < concern->count; i++) {
		if (text_equal(concern->keys[i], key))
			return true;
	}
	return false;
}

static bool has_name(const struct concern *concern, const char *name)
{
	AUTO(mem_freep) char *key = name ? access_principal_key(concern->kind, name) : NULL;

	return has_key(concern, key);
}

bool concern_has_want(const struct concern *concern, const struct permission_want *want)
{
	return has_key(concern, want->key);
}

/* ---- items ---- */

static bool has_acl(struct access *access, struct acl_item *acl, const struct concern *concern)
{
	const struct permission_want *wants;
	struct securable_facts facts;
	size_t count;

	for (size_t i = 0; i < concern->count; i++) {
		if (acl_row(acl, concern->keys[i]))
			return true;
	}
	acl_facts(acl, &facts);
	wants = permission_index_at(
			access->permissions, acl->item.target, acl->item.securable, &count);
	for (size_t i = 0; i < count; i++) {
		if (has_key(concern, wants[i].key) &&
				selector_matches(&wants[i].rule->selector, &facts))
			return true;
	}
	return false;
}

/* Kinds of items that stand for one service principal's. */
static bool is_his_own(const struct item *item, const struct concern *concern)
{
	enum resource_kind kind = item->class->resource;

	return concern->kind == PRINCIPAL_SERVICE &&
			(kind == RESOURCE_SECRET || kind == RESOURCE_ON_BEHALF_TOKEN ||
					kind == RESOURCE_FEDERATION_POLICY) &&
			(has_name(concern, item->name) || has_name(concern, item->id));
}

static bool has_operation(
		const struct item *item, const struct operation *op, const struct concern *concern)
{
	if (text_equal(op->follows_leaver, concern->object_key) && op->follows_leaver)
		return true;
	for (size_t i = 0; i < op->member_count; i++) {
		if (has_key(concern, op->members[i].key))
			return true;
	}
	for (size_t i = 0; op->resource == RESOURCE_TOKEN && i < op->part_count; i++) {
		if (text_equal(op->parts[i].name, "owner") &&
				has_name(concern, op->parts[i].before))
			return true;
	}
	return is_his_own(item, concern);
}

bool concern_has_item(struct access *access, struct item *item, const struct concern *concern)
{
	struct item_plan plan = {0};
	struct arena *arena;
	bool found = false;

	if (item->class == &acl_class)
		return has_acl(access, (struct acl_item *)item, concern);
	if (is_his_own(item, concern))
		return true;
	arena = arena_new();
	item_make_plan(access, item, arena, &plan);
	for (vec_each (&plan.operations, op))
		found = found || has_operation(item, op, concern);
	item_plan_release(&plan);
	arena_free(arena);
	return found;
}

/* ---- plans ---- */

/* His part of an operation that sets or removes entries of several. */
static void keep_members(const struct access *access, struct operation *op,
		const struct concern *concern, struct arena *arena)
{
	struct principal_ref *members =
			arena_alloc(arena, (op->member_count + 1) * sizeof(*members));
	const char **values = arena_alloc(arena, (op->member_count + 1) * sizeof(*values));
	const char **before = arena_alloc(arena, (op->member_count + 1) * sizeof(*before));
	size_t count = 0;

	if (op->value_count != op->member_count)
		return;
	for (size_t i = 0; i < op->member_count; i++) {
		if (!has_key(concern, op->members[i].key))
			continue;
		members[count] = op->members[i];
		values[count] = op->values[i];
		before[count] = op->values_before ? op->values_before[i] : NULL;
		count++;
	}
	if (count == 0 || count == op->member_count)
		return;
	op->members = members;
	op->values = values;
	op->values_before = op->values_before ? before : NULL;
	op->member_count = op->value_count = count;
	item_operation_done(access, op, arena);
}

void concern_keep(const struct access *access, const struct item *item,
		const struct concern *concern, struct arena *arena, struct item_plan *plan)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->operations.count; i++) {
		struct operation *op = &plan->operations.items[i];

		if (!has_operation(item, op, concern))
			continue;
		if (op->resource == RESOURCE_PERMISSIONS)
			keep_members(access, op, concern, arena);
		plan->operations.items[kept++] = *op;
	}
	plan->operations.count = kept;
}

/* ---- a command about one ---- */

const struct concern *concern_only(struct access *access)
{
	struct engine *engine = access->engine;
	const char *name = engine->options.only_name, *key;
	struct only *only = &access->only;
	struct err err;

	if (!name)
		return NULL;
	if (only->concern && only->concern->object_key)
		return only->concern;
	if (!only->arena)
		only->arena = arena_new();
	if (!only->concern) {
		only->concern = arena_alloc(only->arena, sizeof(*only->concern));
		only->concern->kind = engine->options.only_kind;
		add_name(only->concern, name, only->arena);
	}
	if (report_find(engine, engine->options.only_kind, name, &key, &err) != ERR_NONE)
		return only->concern;
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		const struct object *object = registry_find(engine->registry, target, key);

		if (!object)
			continue;
		concern_of_object(engine, object, only->arena, only->concern);
		add_name(only->concern, name, only->arena);
		break;
	}
	return only->concern;
}

bool concern_skips(struct access *access, struct item *item)
{
	const struct concern *only = concern_only(access);

	return only && item->class == &acl_class && !concern_has_item(access, item, only);
}

/* ---- in the service ---- */

static bool place_has_wants(const struct access *access, unsigned target, enum securable_type type,
		const struct concern *concern)
{
	size_t count;
	const struct permission_want *wants =
			permission_index_at(access->permissions, target, type, &count);

	for (size_t i = 0; i < count; i++) {
		if (concern_has_want(concern, &wants[i]))
			return true;
	}
	return false;
}

void concern_sync(struct access *access, const struct object *object)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct concern concern;

	concern_of_object(access->engine, object, arena, &concern);
	for (vec_each (&access->items, item)) {
		if (!concern_has_item(access, *item, &concern))
			continue;
		(*item)->retry_ns = 0;
		item_want_read(access, *item);
	}
	for (unsigned target = 0; target < access->engine->settings->target_count; target++) {
		for (unsigned type = 0; type < SECURABLE_TYPE_COUNT_; type++) {
			if (place_has_wants(access, target, (enum securable_type)type, &concern))
				finder_look_at(access->finder, target, (enum securable_type)type);
		}
	}
}

static bool is_busy(const struct item *item)
{
	return item->work || item->dirty || item->ready || item->read_wanted;
}

static void report_item(struct access *access, struct item *item, const struct concern *concern,
		json_t *held, json_t *pending)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct item_plan plan = {0};

	item_make_plan(access, item, arena, &plan);
	concern_keep(access, item, concern, arena, &plan);
	for (vec_each (&plan.operations, op))
		json_array_append_new(op->held_by ? held : pending,
				operation_to_json(op, access->engine->settings));
	item_plan_release(&plan);
}

void concern_report(struct access *access, const struct object *object, json_t *held,
		json_t *pending, struct concern_state *state)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct concern concern;

	concern_of_object(access->engine, object, arena, &concern);
	state->busy = state->busy || !access_is_ready(access);
	for (vec_each (&access->items, place)) {
		struct item *item = *place;

		if (!concern_has_item(access, item, &concern))
			continue;
		if (item->quarantined_ms)
			state->stuck = item;
		else
			state->busy = state->busy || is_busy(item);
		if (!item->read_wanted)
			report_item(access, item, &concern, held, pending);
	}
}
