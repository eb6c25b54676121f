/*
 * inventory -- what is in Databricks: complete lists of users, groups and service principals at
 * every home target, and the assignments of the workspaces that matter.
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

#define RETRY_NS (30 * SECOND_NS)
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

/* ---- workspaces ---- */

static char *level_key(uint64_t id)
{
	char text[ID_TEXT_SIZE];

	return mem_strdup(id_text(id, text));
}

const char *inventory_level(void *context, unsigned workspace, uint64_t id)
{
	struct engine *engine = context;
	const struct workspace_state *state = &engine->workspaces[workspace];
	AUTO(mem_freep) char *key = level_key(id);

	return state->levels ? table_find(state->levels, span_of(key)) : NULL;
}

/* Only two words are levels; they are static, so that the table owns nothing. */
static const char *level_word(const char *level)
{
	return text_equal(level, "ADMIN") ? "ADMIN" : "USER";
}

void inventory_set_level(struct engine *engine, unsigned workspace, uint64_t id, const char *level)
{
	struct workspace_state *state = &engine->workspaces[workspace];
	AUTO(mem_freep) char *key = level_key(id);
	union {
		const char *word;
		void *value;
	} entry;

	if (!state->levels)
		state->levels = table_new();
	if (!level) {
		(void)table_remove(state->levels, span_of(key));
		return;
	}
	entry.word = level_word(level);
	(void)table_put(state->levels, span_of(key), entry.value);
}

static void workspace_changed(struct engine *engine, unsigned workspace)
{
	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		struct object *object = registry_at(engine->registry, i);
		const struct subject *subject = pass_subject(engine, object);

		/* Whether it may be adopted hangs on all workspaces. */
		if (engine->powers_wanted && object->kind == PRINCIPAL_GROUP && !object->ours) {
			if (object->doubted)
				object->retry_ns = 0;
			pass_mark(engine, object);
		}
		if (object->grants.count || object->named_only || subject)
			pass_mark(engine, object);
	}
	(void)workspace;
	engine_advance(engine);
}

/* Grants of ours that somebody else took away are made again: forget that we have them. */
static void reconcile_assignments(struct engine *engine, unsigned workspace)
{
	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		struct object *object = registry_at(engine->registry, i);
		struct held_grant *held = object_grant(object, workspace, GRANT_ASSIGNMENT, NULL);
		const char *level = held ? inventory_level(engine, workspace, object->id) : NULL;
		bool fresh = object->written_ns &&
				clock_monotonic_ns() - object->written_ns < READ_LAG_NS;

		if (!held || fresh || text_equal(level, held->value))
			continue;
		log_event(LOG_NOTICE, "drift: assignment changed in Databricks by another hand",
				{"principal", pass_name(engine, object)},
				{"target", engine->settings->targets[workspace].name},
				{"level", level ? level : "none"});
		records_grant(engine, object, held, false);
		object_drop_grant(object, workspace, GRANT_ASSIGNMENT, NULL);
	}
}

/* The level that the operation leads to; NULL: none. */
static const char *assignment_after(const struct operation *op)
{
	if (op->kind == OP_ASSIGN)
		return op->values[0];
	return op->values_before ? op->values_before[0] : NULL;
}

/* An assignment whose answer was lost: done, if the list shows its level. */
static void settle_assignment_intents(struct engine *engine, unsigned workspace)
{
	for (size_t i = 0; i < engine->intents.count; i++) {
		struct operation *op = &engine->intents.items[i]->op;
		struct object *object;
		const char *level;

		if ((op->kind != OP_ASSIGN && op->kind != OP_UNASSIGN) || op->target != workspace)
			continue;
		object = registry_find(engine->registry, 0, op->object.key);
		level = object && object->id ? inventory_level(engine, workspace, object->id)
					     : NULL;
		if (!object)
			continue;
		if (text_equal(level, assignment_after(op))) {
			settle_write(engine, object, op, NULL);
			records_audit(engine, "change", op, "found", NULL, NULL);
		}
		records_close_intents(engine, object, workspace);
		i--; /* it is gone from the list */
	}
}

static void assignments_done(void *context, const struct assignment *assignments, size_t count,
		const struct err *err)
{
	struct workspace_state *state = context;
	struct engine *engine = state->engine;

	state->list = NULL;
	if (err) {
		state->err = *err;
		state->retry_ns = clock_monotonic_ns() + RETRY_NS;
		engine_tick_at(engine, state->retry_ns);
		log_event(LOG_WARNING,
				"assignments of a workspace could not be read; tried again later",
				{"target", engine->settings->targets[state->target].name},
				{"error", err->text});
		workspace_changed(engine, state->target);
		return;
	}
	table_free(state->levels);
	state->levels = table_new();
	for (size_t i = 0; i < count; i++)
		inventory_set_level(engine, state->target, id_parse(assignments[i].principal_id),
				assignments[i].level);
	state->assignments_known = true;
	state->err.code = ERR_NONE;
	settle_assignment_intents(engine, state->target);
	reconcile_assignments(engine, state->target);
	workspace_changed(engine, state->target);
}

static void list_assignments(struct workspace_state *state)
{
	state->list = assignment_list_start(
			state->engine->databricks, state->id_text, assignments_done, state);
}

static void workspace_answered(struct task *task)
{
	struct workspace_state *state = (struct workspace_state *)((char *)task -
			offsetof(struct workspace_state, answered));

	if (!state->ask_id.done)
		return;
	state->id = state->ask_id.code == ERR_NONE ? id_parse(state->ask_id.org_id) : 0;
	if (state->id) {
		(void)id_text(state->id, state->id_text);
		call_release(&state->ask_id);
		list_assignments(state);
		return;
	}
	if (state->ask_id.code == ERR_NONE)
		(void)err_set(&state->err, ERR_PROTO, 0,
				"workspace \"%s\" does not tell its id: give it as `workspace_id:`",
				state->engine->settings->targets[state->target].name);
	else
		state->err = state->ask_id.err;
	call_release(&state->ask_id);
	state->retry_ns = clock_monotonic_ns() + RETRY_NS;
	engine_tick_at(state->engine, state->retry_ns);
	log_event(LOG_WARNING, "workspace cannot be reached; its grants wait",
			{"target", state->engine->settings->targets[state->target].name},
			{"error", state->err.text});
	workspace_changed(state->engine, state->target);
}

bool inventory_workspace_ready(struct engine *engine, unsigned workspace)
{
	struct workspace_state *state = &engine->workspaces[workspace];
	const char *given = engine->settings->targets[workspace].workspace_id;

	if (state->assignments_known)
		return true;
	if (state->list || state->ask_id.wakes || state->retry_ns > clock_monotonic_ns())
		return false;
	if (!state->id && given) {
		state->id = id_parse(given);
		(void)id_text(state->id, state->id_text);
	}
	if (state->id) {
		list_assignments(state);
		return false;
	}
	if (!state->answered.loop)
		task_init(&state->answered, engine->loop, workspace_answered);
	state->ask_id.wakes = &state->answered;
	state->ask_id.lane = LANE_SINGLE;
	assignment_ask_workspace_id(engine->databricks, &state->ask_id, workspace);
	return false;
}

static bool is_assigned_to(const struct engine *engine, unsigned target)
{
	return engine->settings->has_account && !engine->settings->targets[target].is_account;
}

enum power inventory_power(void *context, uint64_t group, unsigned *ret_workspace)
{
	struct engine *engine = context;
	enum power power = POWER_NONE;

	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		if (!is_assigned_to(engine, target))
			continue;
		if (text_equal(inventory_level(engine, target, group), "ADMIN")) {
			*ret_workspace = target;
			return POWER_ADMIN;
		}
		if (inventory_workspace_ready(engine, target) || power == POWER_UNKNOWN)
			continue;
		power = engine->workspaces[target].err.code == ERR_NONE ? POWER_UNKNOWN
									: POWER_UNREADABLE;
		*ret_workspace = target;
	}
	return power;
}

bool inventory_powers_settled(struct engine *engine)
{
	bool settled = true;

	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		if (is_assigned_to(engine, target) && !inventory_workspace_ready(engine, target) &&
				engine->workspaces[target].err.code == ERR_NONE)
			settled = false;
	}
	return settled;
}

/* ---- lists ---- */

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
		if (all && is_assigned_to(engine, target))
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

	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		struct workspace_state *state = &engine->workspaces[target];

		if (state->list)
			assignment_list_cancel(state->list);
		state->list = NULL;
		call_release(&state->ask_id);
		if (state->answered.loop)
			task_cancel(&state->answered);
	}
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
