/* inventory_workspace -- the ids of workspaces and who is assigned to them. */
#include "sync/engine_state.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"

#define RETRY_NS (30 * SECOND_NS)

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
	state->assignments_ns = clock_monotonic_ns();
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

bool inventory_is_assigned_to(const struct engine *engine, unsigned target)
{
	return engine->settings->has_account && !engine->settings->targets[target].is_account;
}

enum power inventory_power(void *context, uint64_t group, unsigned *ret_workspace)
{
	struct engine *engine = context;
	enum power power = POWER_NONE;

	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		if (!inventory_is_assigned_to(engine, target))
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
		if (inventory_is_assigned_to(engine, target) &&
				!inventory_workspace_ready(engine, target) &&
				engine->workspaces[target].err.code == ERR_NONE)
			settled = false;
	}
	return settled;
}

void inventory_cancel_workspaces(struct engine *engine)
{
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		struct workspace_state *state = &engine->workspaces[target];

		if (state->list)
			assignment_list_cancel(state->list);
		state->list = NULL;
		call_release(&state->ask_id);
		if (state->answered.loop)
			task_cancel(&state->answered);
	}
}
