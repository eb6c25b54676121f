/*
 * inventory -- what is in Databricks: complete lists of users, groups and service principals at
 * every home target.
 *
 * Lists say who exists and how their fields stand; members, roles and entitlements are read object
 * by object afterwards. What a complete list does not show is looked for by id before it counts as
 * gone.
 */
#include "sync/engine_state.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"

#define LISTS_RETRY_NS (60 * SECOND_NS)

struct listing {
	struct inventory *inventory;
	unsigned target;
	enum principal_kind kind;
	struct scim_list *list;
	struct ids seen;
	bool failed;
};

struct inventory {
	struct engine *engine;
	struct listing *listings;
	size_t count, open;
	bool again; /* all lists, after this */
};

static bool is_wanted_by_grants(const struct engine *engine, const struct object *object)
{
	return object->grants.count || object->named_only || pass_subject(engine, object) != NULL;
}

static bool list_differs(const struct object *object, const struct resource *resource)
{
	for (unsigned field = 0; field < FIELD_COUNT_; field++) {
		if (object->fields[field] &&
				!text_equal(object->fields[field], resource->fields[field]) &&
				!(field == FIELD_USER_NAME &&
						text_equal_folded(object->fields[field],
								resource->fields[field])))
			return true;
	}
	return resource->has_active && resource->active != object->active;
}

static void take_ours(struct engine *engine, struct object *object, const struct resource *resource)
{
	if (object->kind == PRINCIPAL_GROUP || list_differs(object, resource) ||
			is_wanted_by_grants(engine, object))
		object->read_wanted = true;
}

static void take_foreign(struct engine *engine, const struct listing *listing,
		const struct resource *resource)
{
	const char *name = resource->fields[principal_name_field(listing->kind)];
	struct foreign foreign = {.kind = listing->kind,
			.id = id_parse(resource->id),
			.active = !resource->has_active || resource->active};

	if (!foreign.id)
		return;
	if (!name)
		name = resource->fields[FIELD_DISPLAY_NAME];
	if (!name)
		return; /* a group without a name does occur; nobody can want it */
	foreign.name = name;
	foreign.external_id = resource->fields[FIELD_EXTERNAL_ID];
	foreign.display_name = resource->fields[FIELD_DISPLAY_NAME];
	foreign.given_name = resource->fields[FIELD_GIVEN_NAME];
	foreign.family_name = resource->fields[FIELD_FAMILY_NAME];
	registry_foreign_put(engine->registry, listing->target, &foreign);
}

/* Where else it must be read hangs on its grants, so who may have some waits for the directory. */
static bool may_be_read(const struct engine *engine, const struct object *object)
{
	return object->read_wanted &&
			(engine->directory_ready || !is_wanted_by_grants(engine, object));
}

/* A renamed group may have grants under its new name. */
void inventory_directory_read(struct engine *engine)
{
	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		struct object *object = registry_at(engine->registry, i);
		struct wanted wanted;

		if (!object->read_early)
			continue;
		arena_reset(engine->scratch);
		pass_wanted_grants(engine, object, engine->scratch, &wanted);
		object->read_wanted = object->read_wanted || wanted.grant_count > 0;
		object->read_early = false;
	}
}

static void list_page(void *context, const struct resource *resources, size_t count)
{
	struct listing *listing = context;
	struct engine *engine = listing->inventory->engine;

	for (size_t i = 0; i < count; i++) {
		uint64_t id = id_parse(resources[i].id);
		struct object *object = registry_find_id(
				engine->registry, listing->target, listing->kind, id);

		ids_append(&listing->seen, id);
		if (object && object->ours) {
			take_ours(engine, object, &resources[i]);
			/* While the rest of the list is on its way. */
			if (may_be_read(engine, object))
				pass_read_soon(engine, object);
		} else {
			take_foreign(engine, listing, &resources[i]);
		}
	}
	engine->progress.principals += count;
	engine_tell(engine);
}

/* Where the principals of a target are made. */
static unsigned home_of(const struct engine *engine, unsigned target)
{
	return engine->settings->has_account ? 0 : target;
}

bool inventory_may_adopt(const struct engine *engine, const struct object *object)
{
	const struct want *want = object->node == NODE_NONE
			? NULL
			: desired_want(engine->desired, object->node);
	const struct identity *identity = want ? want->identity : NULL;

	if (!identity || object->ours)
		return false;
	if (identity->fields[FIELD_EXTERNAL_ID] &&
			registry_foreign_by_external_id(engine->registry, object->target,
					object->kind, identity->fields[FIELD_EXTERNAL_ID]))
		return true;
	return identity->fields[FIELD_DISPLAY_NAME] &&
			registry_foreign_by_name(engine->registry, object->target, object->kind,
					identity->fields[FIELD_DISPLAY_NAME]);
}

static bool is_open(const struct inventory *inventory, unsigned target)
{
	for (size_t i = 0; i < inventory->count; i++) {
		if (inventory->listings[i].target == target && inventory->listings[i].list)
			return true;
	}
	return false;
}

static bool was_read(const struct listing *listing, const struct object *object)
{
	return !listing->failed && listing->target == object->target &&
			listing->kind == object->kind;
}

/* After a target's last list: what is missing, and which foreign groups somebody may adopt, is read one by one. */
static void look_at_objects(struct inventory *inventory, unsigned target)
{
	struct engine *engine = inventory->engine;

	for (size_t l = 0; l < inventory->count; l++) {
		if (inventory->listings[l].target == target)
			ids_sort(&inventory->listings[l].seen);
	}
	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		struct object *object = registry_at(engine->registry, i);

		if (home_of(engine, object->target) != target)
			continue;
		for (size_t l = 0; object->ours && l < inventory->count; l++) {
			if (was_read(&inventory->listings[l], object) &&
					!ids_contain(&inventory->listings[l].seen, object->id))
				object->read_wanted = true;
		}
		if (object->kind == PRINCIPAL_GROUP && inventory_may_adopt(engine, object))
			object->read_wanted = true;
		if (object->named_only)
			object->read_wanted = true;
	}
}

static void target_done(struct inventory *inventory, unsigned target)
{
	struct engine *engine = inventory->engine;
	struct workspace_state *state = &engine->workspaces[target];

	look_at_objects(inventory, target);
	state->lists_settled = state->lists_complete = true;
	for (size_t i = 0; i < inventory->count; i++) {
		if (inventory->listings[i].target == target && inventory->listings[i].failed)
			state->lists_complete = false;
	}
	if (!state->lists_complete)
		return;
	state->lists_ns = clock_monotonic_ns();
	state->err.code = ERR_NONE;
}

static void finish(struct inventory *inventory)
{
	struct engine *engine = inventory->engine;
	bool again = inventory->again;

	engine->inventory = NULL;
	for (size_t i = 0; i < inventory->count; i++)
		ids_release(&inventory->listings[i].seen);
	mem_free(inventory->listings);
	mem_free(inventory);
	engine->inventory_retry_ns = clock_monotonic_ns() + LISTS_RETRY_NS;
	if (again)
		inventory_start(engine, true);
}

static void list_done(void *context, const struct err *err)
{
	struct listing *listing = context;
	struct inventory *inventory = listing->inventory;
	struct engine *engine = inventory->engine;
	bool last = --inventory->open == 0;

	listing->list = NULL;
	if (err) {
		listing->failed = true;
		engine->err = engine->workspaces[listing->target].err = *err;
		/* A single command ends with this error. */
		log_event(engine->options.mode == ENGINE_RUN ? LOG_ERROR : LOG_DEBUG,
				"Databricks could not be read whole; no removal is made there "
				"until "
				"it can",
				{"target", engine->settings->targets[listing->target].name},
				{"kind", principal_kind_name(listing->kind)}, {"error", err->text});
	}
	if (is_open(inventory, listing->target))
		return;
	target_done(inventory, listing->target);
	if (last)
		finish(inventory);
	/* The service does not wait for a target that is out of reach. */
	if (last || engine->options.mode == ENGINE_RUN) {
		engine->inventory_ready = true;
		pass_mark_all(engine);
		engine_advance(engine);
	}
}

static void begin_target(struct inventory *inventory, unsigned target)
{
	registry_foreign_drop_target(inventory->engine->registry, target);
	for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_; kind++) {
		inventory->listings[inventory->count++] = (struct listing){.inventory = inventory,
				.target = target,
				.kind = (enum principal_kind)kind};
		inventory->open++;
	}
}

void inventory_start(struct engine *engine, bool all)
{
	struct inventory *inventory = engine->inventory;

	if (inventory) {
		inventory->again = inventory->again || all;
		return;
	}
	inventory = mem_zalloc(sizeof(*inventory));
	inventory->engine = engine;
	inventory->listings = mem_array(engine->settings->target_count * PRINCIPAL_KIND_COUNT_,
			sizeof(*inventory->listings));
	engine->inventory = inventory;
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		if (all && inventory_is_assigned_to(engine, target))
			engine->workspaces[target].assignments_known = false;
		if (home_of(engine, target) == target &&
				(all || !engine->workspaces[target].lists_complete))
			begin_target(inventory, target);
	}
	for (size_t i = 0; i < inventory->count; i++) {
		struct listing *listing = &inventory->listings[i];

		listing->list = scim_list_start(engine->databricks, listing->target, listing->kind,
				0, list_page, list_done, listing);
	}
}

bool inventory_is_complete_at(const struct engine *engine, unsigned target)
{
	return engine->workspaces[home_of(engine, target)].lists_complete;
}

bool inventory_is_settled_at(const struct engine *engine, unsigned target)
{
	return engine->workspaces[home_of(engine, target)].lists_settled;
}

bool inventory_is_complete(const struct engine *engine)
{
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		if (!inventory_is_complete_at(engine, target))
			return false;
	}
	return true;
}

bool inventory_is_known_at(const struct engine *engine, unsigned target, uint64_t age_max_ns)
{
	unsigned home = home_of(engine, target);
	uint64_t read_ns = engine->workspaces[home].lists_ns;

	return read_ns && clock_monotonic_ns() - read_ns <= age_max_ns &&
			!(engine->inventory && is_open(engine->inventory, home));
}

bool inventory_is_running(const struct engine *engine)
{
	if (engine->inventory)
		return true;
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		if (engine->workspaces[target].list || engine->workspaces[target].ask_id.wakes)
			return true;
	}
	return false;
}

void inventory_cancel(struct engine *engine)
{
	struct inventory *inventory = engine->inventory;

	inventory_cancel_workspaces(engine);
	if (!inventory)
		return;
	for (size_t i = 0; i < inventory->count; i++) {
		if (inventory->listings[i].list)
			scim_list_cancel(inventory->listings[i].list);
		ids_release(&inventory->listings[i].seen);
	}
	mem_free(inventory->listings);
	mem_free(inventory);
	engine->inventory = NULL;
}
