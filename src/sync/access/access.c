/* access -- the items as a whole: which there are, what the engine tells them, what the store keeps of them. */
#include "sync/access/item.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "sync/access/acl.h"
#include "sync/access/acl_item.h"
#include "sync/access/cluster_policy.h"
#include "sync/access/concern.h"
#include "sync/access/federation_item.h"
#include "sync/access/finder.h"
#include "sync/access/given.h"
#include "sync/access/ip_list.h"
#include "sync/access/on_behalf_item.h"
#include "sync/access/permission_index.h"
#include "sync/access/roster.h"
#include "sync/access/setting_item.h"
#include "sync/access/rule_set_item.h"
#include "sync/access/secret_item.h"
#include "sync/access/token_item.h"
#include "sync/expansion.h"

struct item_list {
	struct item **items;
	size_t count, room;
};

struct access *access_new(struct engine *engine)
{
	struct access *access = mem_zalloc(sizeof(*access));

	access->engine = engine;
	access->by_key = table_new();
	access->waiting = table_new();
	access->permissions = permission_index_new(engine->settings);
	access->finder = finder_new(access);
	access->rosters = rosters_new(access);
	access->tokens = token_book_new();
	access->rules = rule_book_new();
	access->on_behalf = on_behalf_book_new();
	return access;
}

static void item_free(struct item *item)
{
	item_work_cancel(item);
	if (item->class->release)
		item->class->release(item);
	for (vec_each (&item->decided, key))
		mem_free(*key);
	vec_release(&item->decided);
	mem_free(item->key);
	mem_free(item->id);
	mem_free(item->name);
	mem_free(item->reason);
	mem_free(item);
}

void access_cancel(struct access *access)
{
	if (!access)
		return;
	finder_free(STEAL(access->finder));
	rosters_free(access);
	for (vec_each (&access->items, item))
		item_work_cancel(*item);
}

void access_free(struct access *access)
{
	if (!access)
		return;
	access_cancel(access);
	for (vec_each (&access->items, item))
		item_free(*item);
	vec_release(&access->items);
	table_free(access->by_key);
	for (table_each (access->waiting, it)) {
		struct item_list *list = it.value;

		vec_release(list);
		mem_free(list);
	}
	table_free(access->waiting);
	vec_release(&access->dirty);
	vec_release(&access->ready);
	vec_release(&access->asking);
	vec_release(&access->delayed);
	permission_index_free(access->permissions);
	arena_free(access->only.arena);
	token_book_free(access->tokens);
	rule_book_free(access->rules);
	on_behalf_book_free(access->on_behalf);
	mem_free(access);
}

/* ---- items ---- */

static char *place_of(unsigned target, const char *key)
{
	return mem_printf("%u/%s", target, key);
}

struct item *item_find(const struct access *access, unsigned target, const char *key)
{
	AUTO(mem_freep) char *place = place_of(target, key);

	return table_find(access->by_key, span_of(place));
}

void item_add(struct access *access, struct item *item, const char *key, const char *name)
{
	AUTO(mem_freep) char *place = place_of(item->target, key);

	item->key = mem_strdup(key);
	item->name = mem_strdup(name);
	item->index = (uint32_t)access->items.count;
	*vec_add(&access->items) = item;
	(void)table_put(access->by_key, span_of(place), item);
	item->read_wanted = true;
	item_mark(access, item);
}

static void leave_waiting(struct item_list *list, const struct item *item)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i] != item)
			list->items[kept++] = list->items[i];
	}
	list->count = kept;
}

void item_drop(struct access *access, struct item *item)
{
	AUTO(mem_freep) char *place = place_of(item->target, item->key);
	struct item *last = access->items.items[access->items.count - 1];

	(void)table_remove(access->by_key, span_of(place));
	for (table_each (access->waiting, it))
		leave_waiting(it.value, item);
	access->items.items[item->index] = last;
	last->index = item->index;
	access->items.count--;
	item_free(item);
}

void item_set_name(struct item *item, const char *name)
{
	char *copy = mem_strdup(name);

	mem_free(item->name);
	item->name = copy;
}

/* ---- principals ---- */

char *access_principal_key(enum principal_kind kind, const char *name)
{
	AUTO(mem_freep) char *folded = text_fold(span_of(name));

	return mem_printf("%s/%s", principal_kind_name(kind), folded);
}

/* Its home: the account, or the workspace itself (without an account, and for a workspace's own groups). */
static unsigned home_of(const struct access *access, unsigned target)
{
	return access->engine->settings->has_account ? 0 : target;
}

static struct object *object_of_node(const struct access *access, unsigned target, node_id node)
{
	const struct object_list *list = &access->engine->by_node[target];

	return node < list->count ? list->items[node] : NULL;
}

/* One that a mapping lists without an entry. */
static struct object *listed_service(const struct engine *engine, unsigned home, const char *name)
{
	AUTO(mem_freep) char *folded = text_fold(span_of(name));
	AUTO(mem_freep) char *key = mem_printf("listed/%s", folded);

	return registry_find(engine->registry, home, key);
}

const char *access_application_id(const struct access *access, unsigned target, const char *name)
{
	const struct object *object = access_principal(access, target, PRINCIPAL_SERVICE, name);
	const struct foreign *foreign;
	bool several;

	if (object)
		return object->fields[FIELD_APPLICATION_ID];
	foreign = registry_foreign_service(
			access->engine->registry, home_of(access, target), name, &several);
	return foreign && !several ? foreign->name : NULL;
}

struct object *access_principal(const struct access *access, unsigned target,
		enum principal_kind kind, const char *name)
{
	const struct engine *engine = access->engine;
	unsigned home = home_of(access, target);
	struct object *object = registry_find_name(engine->registry, home, kind, name);
	node_id node;

	if (!object && home != target)
		object = registry_find_name(engine->registry, target, kind, name);
	if (object)
		return object;
	node = desired_find_name(engine->desired, kind, name);
	if (node == NODE_NONE)
		return kind == PRINCIPAL_SERVICE ? listed_service(engine, home, name) : NULL;
	object = object_of_node(access, home, node);
	return object || home == target ? object : object_of_node(access, target, node);
}

static bool is_about_to_be_assigned(
		struct access *access, const struct object *object, unsigned target)
{
	const struct subject *subject = pass_subject(access->engine, object);

	for (size_t i = 0; subject && i < subject->count; i++) {
		if (subject->grants[i].target == target &&
				subject->grants[i].kind == GRANT_ASSIGNMENT)
			return !inventory_level(access->engine, target, object->id);
	}
	return false;
}

bool access_principal_is_there(
		struct access *access, unsigned target, enum principal_kind kind, const char *name)
{
	struct object *object = access_principal(access, target, kind, name);
	bool is_account_object =
			object && access->engine->settings->has_account && object->target == 0;

	if (!object || object->named_only)
		return true; /* somebody else's: the workspace says */
	if (!object->id)
		return false;
	if (!is_account_object || object_grant(object, target, GRANT_ASSIGNMENT, NULL))
		return true;
	return !is_about_to_be_assigned(access, object, target);
}

bool access_is_unsure(const struct access *access, unsigned target, enum principal_kind kind,
		const char *name)
{
	const struct object *object = access_principal(access, target, kind, name);
	const struct want *want = object && object->node != NODE_NONE
			? desired_want(access->engine->desired, object->node)
			: NULL;

	return expansion_is_blind(access->engine->expansion) ||
			(want &&
					(want->state == WANT_UNSURE ||
							expansion_is_unsure(
									access->engine->expansion,
									object->node)));
}

void item_wait_for(struct access *access, struct item *item, const char *principal_key)
{
	struct item_list *list = table_find(access->waiting, span_of(principal_key));

	if (!list) {
		list = mem_zalloc(sizeof(*list));
		(void)table_put(access->waiting, span_of(principal_key), list);
	}
	for (vec_each (list, waiter)) {
		if (*waiter == item)
			return;
	}
	*vec_add(list) = item;
}

static void wake_waiting(struct access *access, enum principal_kind kind, const char *name)
{
	AUTO(mem_freep) char *key = access_principal_key(kind, name);
	struct item_list *list = table_find(access->waiting, span_of(key));

	if (!list)
		return;
	(void)table_remove(access->waiting, span_of(key));
	for (vec_each (list, item)) {
		/* What it was put off for was said of who was not there; who is refused by name still waits. */
		if ((*item)->class->resource == RESOURCE_PERMISSIONS)
			(*item)->retry_ns = 0;
		item_mark(access, *item);
	}
	vec_release(list);
	mem_free(list);
}

/* What service principals are given. */
static void services_changed(struct access *access, const struct object *object)
{
	secrets_principal_changed(access, object);
	on_behalf_principal_changed(access, object);
	federation_principal_changed(access, object);
}

void access_principal_changed(struct access *access, const struct object *object)
{
	const char *display_name = object->fields[FIELD_DISPLAY_NAME];

	rule_sets_principal_changed(access, object);
	services_changed(access, object);
	wake_waiting(access, object->kind, object_name(object));
	/* Before it was made a rule could only call it so. */
	if (object->kind == PRINCIPAL_SERVICE && display_name)
		wake_waiting(access, object->kind, display_name);
}

void access_principal_gone(struct access *access, const struct object *object)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	bool is_everywhere = access->engine->settings->has_account && object->target == 0;
	struct concern concern;

	concern_of_object(access->engine, object, arena, &concern);
	for (vec_each (&access->items, item)) {
		if (is_everywhere || (*item)->target == object->target)
			acl_forget_principal(access, *item, &concern);
	}
}

/* ---- rules ---- */

static void rules_changed(void *context, unsigned target, enum securable_type type, bool more)
{
	struct access *access = context;

	if (!access->started)
		return; /* as it was when the last life ended, or all is about to be read */
	acl_rules_changed(access, target, type);
	/* Where all that rules selected is known, fewer rules select nothing else. */
	if (!more && finder_knows(access->finder, target, type))
		return;
	if (access->engine->directory_ready)
		finder_look_at(access->finder, target, type);
	else
		finder_note(access->finder, target, type);
}

void access_set_node_rules(
		struct access *access, node_id node, const struct grant_rule *rules, size_t count)
{
	permission_index_set(access->permissions, node, rules, count, rules_changed, access);
	tokens_set_rules(access, node, rules, count);
	on_behalf_set_rules(access, node, rules, count);
	rule_sets_set_rules(access, node, rules, count);
}

/* ---- looking ---- */

static void read_items_of_targets(struct access *access)
{
	for (vec_each (&access->items, item)) {
		(*item)->retry_ns = 0;
		item_want_read(access, *item);
	}
}

void access_read(struct access *access)
{
	access->found_ns = clock_monotonic_ns();
	read_items_of_targets(access);
	finder_look(access->finder);
}

void access_look_again(struct access *access, uint64_t now)
{
	uint64_t interval = (uint64_t)access->engine->settings->permissions_interval_ms * 1000000;
	uint64_t next = finder_retry(access->finder, now);

	if (next)
		engine_tick_at(access->engine, next);
	if (access->engine->options.mode != ENGINE_RUN || !interval || !access->found_ns)
		return;
	if (now - access->found_ns >= interval) {
		access->found_ns = now;
		finder_look(access->finder);
	}
	engine_tick_at(access->engine, access->found_ns + interval);
}

bool access_is_ready(const struct access *access)
{
	return !access->finder || !finder_is_running(access->finder);
}

bool access_is_complete(const struct access *access)
{
	const struct err *err;

	return finder_is_complete(access->finder, &err) && !roster_has_failed(access);
}

void access_leaving_changed(struct access *access, const struct object *object)
{
	tokens_owner_changed(access, object);
	services_changed(access, object);
}

void access_group_changed(struct access *access, const struct object *group)
{
	tokens_group_changed(access, group);
}

void access_reconciled(struct access *access)
{
	tokens_mark_all(access);
}

struct item *item_of_operation(struct access *access, const struct operation *op)
{
	struct item *item = item_find(access, op->target, op->object.key);

	if (item)
		return item;
	if (op->resource == RESOURCE_PERMISSIONS && op->object.remote_id)
		return acl_item(access, op->target, op->securable, op->object.remote_id,
				op->object.name);
	if (op->resource == RESOURCE_TOKEN)
		return tokens_item(access, op->target);
	if (op->resource == RESOURCE_FEDERATION_POLICY && op->object.remote_id)
		return federation_item(access, op->object.remote_id, op->object.remote_id);
	if (op->resource == RESOURCE_SECRET && op->object.remote_id)
		return secret_item(access, op->object.remote_id, op->object.name);
	if (op->resource == RESOURCE_ON_BEHALF_TOKEN && op->object.remote_id)
		return on_behalf_item(access, op->target, op->object.remote_id, op->object.name);
	if (op->resource == RESOURCE_RULE_SET && op->object.remote_id)
		return rule_set_item_of_key(access, op->object.remote_id, op->object.key);
	if (op->resource == RESOURCE_CLUSTER_POLICY)
		return cluster_policy_item(access, op->target, op->object.name);
	if (op->resource == RESOURCE_IP_ACCESS_LIST)
		return ip_list_item_of_key(access, op->target, op->object.key);
	if (op->resource == RESOURCE_SETTING)
		return setting_item(access, op->target, op->object.name);
	return NULL;
}

void access_start(struct access *access)
{
	const struct engine *engine = access->engine;
	size_t count;
	const struct grant_rule *rules = mapping_grants(engine->mapping, &count);

	access_set_node_rules(access, NODE_OF_FILES, rules, count);
	cluster_policy_start(access);
	ip_list_start(access);
	setting_start(access);
	tokens_prepare(access);
	for (size_t i = 0; i < engine->intents.count; i++) {
		const struct operation *op = &engine->intents.items[i]->op;
		struct item *item = op->resource != RESOURCE_NONE ? item_of_operation(access, op)
								  : NULL;

		if (item)
			item_want_read(access, item);
	}
	access->started = true;
}

void access_directory_read(struct access *access)
{
	if (access->known_from_store && !access->engine->reconciling) {
		access->found_ns = clock_monotonic_ns();
		finder_look_noted(access->finder);
	} else {
		access_read(access);
	}
	access_look_again(access, access->found_ns);
}

/* ---- holdings ---- */

const char *item_resource_name(const struct item *item)
{
	return item->class->resource == RESOURCE_PERMISSIONS
			? securable_traits(item->securable)->name
			: resource_name(item->class->resource);
}

static struct store_holding holding_of(
		const struct access *access, const struct item *item, const char *part)
{
	return (struct store_holding){
			.target = access->engine->settings->targets[item->target].name,
			.resource = item->class->resource == RESOURCE_PERMISSIONS
					? securable_traits(item->securable)->path
					: resource_name(item->class->resource),
			.id = item->id ? item->id : item->key,
			.part = part,
			.name = item->name};
}

void item_hold(struct access *access, const struct item *item, const char *part, const char *value,
		const char *former)
{
	struct store_holding holding = holding_of(access, item, part);

	holding.value = value;
	holding.former = former;
	if (engine_may_write(access->engine))
		store_put_holding(records_batch(access->engine), &holding);
}

void item_release_hold(struct access *access, const struct item *item, const char *part)
{
	struct store_holding holding = holding_of(access, item, part);

	if (engine_may_write(access->engine))
		store_drop_holding(records_batch(access->engine), &holding);
}

void access_hold_loaded(struct access *access, struct item *item, const char *operation_id)
{
	item_remember_key(item, operation_id);
	if (item->class->resource == RESOURCE_PERMISSIONS)
		finder_note(access->finder, item->target, item->securable);
}

static bool find_target(const struct engine *engine, const char *name, unsigned *ret)
{
	for (unsigned i = 0; i < engine->settings->target_count; i++) {
		if (text_equal(engine->settings->targets[i].name, name)) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static bool find_type(const char *path, enum securable_type *ret)
{
	for (unsigned type = 0; type < SECURABLE_TYPE_COUNT_; type++) {
		if (text_equal(securable_traits((enum securable_type)type)->path, path)) {
			*ret = (enum securable_type)type;
			return true;
		}
	}
	return false;
}

/* A target that left the configuration keeps its records, and is left alone. */
static void load_holding(void *context, const struct store_holding *holding)
{
	struct access *access = context;
	enum securable_type type;
	struct item *item = NULL;
	unsigned target;

	if (!find_target(access->engine, holding->target, &target))
		return;
	if (find_type(holding->resource, &type))
		item = acl_item(access, target, type, holding->id, holding->name);
	else if (text_equal(holding->resource, resource_name(RESOURCE_CLUSTER_POLICY)))
		item = cluster_policy_item(access, target, holding->name);
	else if (text_equal(holding->resource, resource_name(RESOURCE_IP_ACCESS_LIST)))
		item = ip_list_item(
				access, target, text_equal(holding->part, "BLOCK"), holding->name);
	else if (text_equal(holding->resource, resource_name(RESOURCE_SETTING)))
		item = setting_item(access, target, holding->id);
	else if (text_equal(holding->resource, resource_name(RESOURCE_RULE_SET)))
		item = rule_set_item(access, holding->id, holding->name);
	else if (text_equal(holding->resource, resource_name(RESOURCE_SECRET)))
		item = secret_item(access, holding->id, holding->name);
	else if (text_equal(holding->resource, resource_name(RESOURCE_ON_BEHALF_TOKEN)))
		item = on_behalf_item(access, target, holding->id, holding->name);
	else if (text_equal(holding->resource, resource_name(RESOURCE_FEDERATION_POLICY)))
		item = federation_item(access, holding->id, holding->name);
	if (item && item->class->load)
		item->class->load(access, item, holding);
}

void access_trust_store(struct access *access)
{
	for (vec_each (&access->items, item))
		(*item)->read_wanted = false;
	access->known_from_store = true;
}

enum err_code access_load(struct access *access, struct err *err)
{
	return store_each_holding(access->engine->store, load_holding, access, err);
}

/* Settings are not removed, they are set to something else. */
static enum guard_category category_of(const struct item *item)
{
	static const enum guard_category categories[RESOURCE_COUNT_] = {
			[RESOURCE_NONE] = GUARD_CATEGORY_COUNT_,
			[RESOURCE_PERMISSIONS] = GUARD_PERMISSIONS,
			[RESOURCE_RULE_SET] = GUARD_PERMISSIONS,
			[RESOURCE_CLUSTER_POLICY] = GUARD_POLICIES,
			[RESOURCE_IP_ACCESS_LIST] = GUARD_LISTS,
			[RESOURCE_SETTING] = GUARD_CATEGORY_COUNT_,
			[RESOURCE_TOKEN] = GUARD_TOKENS,
			[RESOURCE_SECRET] = GUARD_TOKENS,
			[RESOURCE_FEDERATION_POLICY] = GUARD_PERMISSIONS,
			[RESOURCE_ON_BEHALF_TOKEN] = GUARD_TOKENS,
	};

	if (item->class->resource == RESOURCE_PERMISSIONS &&
			item->securable == SECURABLE_AUTHORIZATION)
		return GUARD_TOKENS;
	return categories[item->class->resource];
}

void access_count_ours(const struct access *access, struct guard_counts *ours)
{
	for (vec_each (&access->items, item)) {
		enum guard_category category = category_of(*item);

		if (category < GUARD_CATEGORY_COUNT_ && (*item)->class->count_ours)
			ours->ours[category] += (*item)->class->count_ours(*item);
	}
}

void access_count_resources(
		const struct access *access, unsigned target, size_t counts[RESOURCE_COUNT_])
{
	for (vec_each (&access->items, item)) {
		if ((*item)->target == target && (*item)->class->count_ours)
			counts[(*item)->class->resource] += (*item)->class->count_ours(*item);
	}
}
