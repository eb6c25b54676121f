/* worker_write -- which call can go now, its intents, and what its answer means. */
#include "sync/work.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "sync/plan_file.h"

static const struct operation *first_op(const struct work *work)
{
	return &work->ops.items[0];
}

static void send_members(struct work *work)
{
	const char **add = arena_alloc(work->arena, SCIM_MEMBERS_PER_PATCH * sizeof(*add));
	const char **remove = arena_alloc(work->arena, SCIM_MEMBERS_PER_PATCH * sizeof(*remove));
	struct scim_members_change change = {.add = add, .remove = remove};
	char id[ID_TEXT_SIZE];

	for (vec_each (&work->ops, op)) {
		for (size_t i = 0; i < op->member_count; i++) {
			if (op->kind == OP_ADD_MEMBERS)
				add[change.add_count++] = op->members[i].remote_id;
			else
				remove[change.remove_count++] = op->members[i].remote_id;
		}
	}
	scim_change_members(work->engine->databricks, &work->call, id_text(work->object->id, id),
			&change);
}

static void send_update(struct work *work, const char *id)
{
	const struct operation *op = first_op(work);
	struct scim_change change = {.set_active = op->principal != PRINCIPAL_GROUP &&
					op->active_before != op->active_after,
			.active = op->active_after};

	for (size_t i = 0; i < op->field_count; i++)
		change.fields[op->fields[i].field] = op->fields[i].after;
	scim_update(work->engine->databricks, &work->call, op->principal, id, &change);
}

static void send_create(struct work *work)
{
	const struct operation *op = first_op(work);
	const char *fields[FIELD_COUNT_] = {NULL};

	for (size_t i = 0; i < op->field_count; i++)
		fields[op->fields[i].field] = op->fields[i].after;
	scim_create(work->engine->databricks, &work->call, op->principal, fields, true);
}

static void send_values(struct work *work, const char *id)
{
	const struct operation *op = first_op(work);
	bool roles = op->kind == OP_ADD_ROLES || op->kind == OP_REMOVE_ROLES;
	struct scim_values_change change = {.attribute = roles ? SCIM_ROLES : SCIM_ENTITLEMENTS};
	const char **remove = arena_alloc(work->arena, work->ops.count * sizeof(*remove));

	if (op->kind == OP_ADD_ROLES || op->kind == OP_ADD_ENTITLEMENTS) {
		change.add = op->values;
		change.add_count = op->value_count;
	} else {
		/* The guard has a verdict for each, so each is an operation with one value. */
		for (vec_each (&work->ops, removal))
			remove[change.remove_count++] = removal->values[0];
		change.remove = remove;
	}
	scim_change_values(work->engine->databricks, &work->call, op->principal, id, &change);
}

static void send_assignment(struct work *work, const char *id)
{
	const struct operation *op = first_op(work);
	const char *workspace_id = work->engine->workspaces[op->target].id_text;

	work->call.target = 0; /* the account's API */
	if (op->kind == OP_ASSIGN)
		assignment_put(work->engine->databricks, &work->call, workspace_id, id,
				op->values[0]);
	else if (op->values_before)
		assignment_put(work->engine->databricks, &work->call, workspace_id, id,
				op->values_before[0]);
	else
		assignment_delete(work->engine->databricks, &work->call, workspace_id, id);
}

static void write_send(struct work *work)
{
	const struct operation *op = first_op(work);
	char text[ID_TEXT_SIZE];
	const char *id = id_text(
			op->object.remote_id ? id_parse(op->object.remote_id) : work->object->id,
			text);

	work_prepare_call(work, op->target);
	work->stage = STAGE_ANSWER;
	switch (op->kind) {
	case OP_CREATE:
		send_create(work);
		break;
	case OP_ADOPT:
	case OP_UPDATE:
	case OP_DEACTIVATE:
		send_update(work, id);
		break;
	case OP_DELETE:
		scim_delete(work->engine->databricks, &work->call, op->principal, id);
		break;
	case OP_ADD_MEMBERS:
	case OP_REMOVE_MEMBERS:
		send_members(work);
		break;
	case OP_ASSIGN:
	case OP_UNASSIGN:
		send_assignment(work, id);
		break;
	case OP_ADD_ENTITLEMENTS:
	case OP_REMOVE_ENTITLEMENTS:
	case OP_ADD_ROLES:
	case OP_REMOVE_ROLES:
		send_values(work, id);
		break;
	case OP_FORGET:
	case OP_SET_PERMISSIONS: /* what is no principal: item.h */
	case OP_REMOVE_PERMISSIONS:
	case OP_CREATE_RESOURCE:
	case OP_ADOPT_RESOURCE:
	case OP_CHANGE_RESOURCE:
	case OP_REMOVE_RESOURCE:
	case OP_FORGET_RESOURCE:
	case OP_KIND_COUNT_:
		break;
	}
}

void work_log_change(const struct work *work, const struct operation *op, const char *request_id)
{
	const char *text = operation_describe(op, work->engine->settings, work->arena);
	AUTO(mem_freep)
	char *why = op->why.file ? mem_printf("%s:%u", op->why.file, op->why.line) : NULL;

	log_event(LOG_INFO, "CHANGE", {"op", operation_kind_name(op->kind)}, {"what", text},
			{"target", work->engine->settings->targets[op->target].name},
			{"principal", op->object.name}, {"anchor", op->object.key}, {"why", why},
			{"entry", op->why.entry}, {"run", work->engine->run_id},
			{"request_id", request_id && *request_id ? request_id : NULL});
}

static void record_done(
		struct work *work, const struct operation *op, const struct resource *answer)
{
	struct engine *engine = work->engine;

	settle_write(engine, work->object, op, answer);
	if (!op->adopts && op->kind != OP_FORGET)
		store_drop_intent(records_batch(engine), op->id);
	if (op->is_removal && !op->follows_leaver)
		pass_dissolve(engine, op->id);
	records_audit(engine, "change", op, "ok", work->call.request_id, NULL);
	work_log_change(work, op, work->call.request_id);
	engine->progress.operations_done++;
}

/* Whether the answer to a members PATCH shows every addition; if it shows no members at all, they
 * are read back later. */
static void check_members(struct work *work, const struct resource *answer)
{
	struct ids actual = {0};

	if (!answer || !answer->has_members) {
		work->object->verify = work->object->read_wanted = true;
		return;
	}
	for (size_t i = 0; i < answer->member_count; i++)
		ids_append(&actual, id_parse(answer->members[i].id));
	ids_sort(&actual);
	for (vec_each (&work->ops, op)) {
		for (size_t i = 0; op->kind == OP_ADD_MEMBERS && i < op->member_count; i++) {
			if (!ids_contain(&actual, id_parse(op->members[i].remote_id)))
				work->object->verify = work->object->read_wanted = true;
		}
	}
	ids_release(&actual);
}

static void write_done(struct work *work)
{
	struct resource resource;
	const struct resource *answer = NULL;
	struct err err;
	bool members = first_op(work)->member_count > 0;

	if (work->call.answer && first_op(work)->kind != OP_ASSIGN &&
			first_op(work)->kind != OP_UNASSIGN &&
			scim_resource(&work->call, work->object->kind, work->arena, &resource,
					&err) == ERR_NONE)
		answer = &resource;
	if (first_op(work)->kind == OP_CREATE && !answer) {
		/* 201 without a body that can be read: it exists, so look for it. */
		(void)records_open_intent(work->engine, first_op(work));
		work->object->read_wanted = true;
		return;
	}
	work_went_well(work);
	for (vec_each (&work->ops, op))
		record_done(work, op, answer);
	if (members)
		check_members(work, answer);
}

static bool is_done_when_missing(const struct operation *op)
{
	return op->kind == OP_DELETE || op->kind == OP_UNASSIGN ||
			op->kind == OP_REMOVE_ENTITLEMENTS || op->kind == OP_REMOVE_ROLES;
}

static void write_failed(struct work *work)
{
	const struct err *err = &work->call.err;
	struct engine *engine = work->engine;

	for (vec_each (&work->ops, op)) {
		if (err->effect_unknown || work->call.code == ERR_CANCELLED) {
			(void)records_open_intent(engine, op);
			records_audit(engine, "change", op, "unknown", work->call.request_id, err);
			continue;
		}
		store_drop_intent(records_batch(engine), op->id);
		if (!err_is_transient(err) && err->code != ERR_AUTH)
			records_audit(engine, "change", op, "failed", work->call.request_id, err);
	}
	/* Look before anything is done again: somebody has the name, the thing is gone, or it may
	 * have worked. */
	if (err->effect_unknown || err->code == ERR_CONFLICT || err->code == ERR_NOT_FOUND)
		work->object->read_wanted = true;
	work->object->conflicted = first_op(work)->kind == OP_CREATE && err->code == ERR_CONFLICT;
	if (first_op(work)->kind == OP_ASSIGN || first_op(work)->kind == OP_UNASSIGN)
		engine->workspaces[first_op(work)->target].assignments_known &=
				!err->effect_unknown;
	if (work->call.code != ERR_CANCELLED)
		work_retry_later(work, err);
}

void work_write_answered(struct work *work)
{
	struct err err;

	if (first_op(work)->kind == OP_ASSIGN && work->call.code == ERR_NONE &&
			assignment_check_put(&work->call, &err) != ERR_NONE) {
		work->call.code = err.code;
		work->call.err = err;
	}
	if (work->call.code == ERR_NONE ||
			(work->call.code == ERR_NOT_FOUND && is_done_when_missing(first_op(work))))
		write_done(work);
	else
		write_failed(work);
	work->stage = STAGE_END;
}

void work_write_committed(struct work *work)
{
	if (work->commit.code == ERR_NONE) {
		write_send(work);
		return;
	}
	/* Nothing is sent that was not journalled. */
	log_event(LOG_ERROR, "the store does not take writes; nothing is sent until it does",
			{"error", work->commit.err.text});
	work_retry_later(work, &work->commit.err);
	work->stage = STAGE_END;
}

static void write_commit(struct work *work)
{
	struct store_batch *batch;

	records_flush(work->engine);
	batch = store_batch_new(work->engine->store);
	for (vec_each (&work->ops, op)) {
		AUTO(mem_freep) char *text = operation_text(op, work->engine->settings);
		struct store_intent intent = {op->id, text, clock_wall_ms()};

		store_put_intent(batch, &intent);
	}
	work->stage = STAGE_COMMIT;
	work->commit.wakes = &work->task;
	store_commit(work->engine->store, batch, &work->commit);
}

/* ---- choosing ---- */

static bool is_allowed(const struct engine *engine, const struct operation *op)
{
	if (op->held_by)
		return false;
	if (!engine->restricted)
		return true;
	for (size_t i = 0; i < engine->allowed_count; i++) {
		if (operation_is_covered(op, &engine->allowed[i]))
			return true;
	}
	return false;
}

/* A workspace knows an account's principal only once it, or a group of it, is assigned. */
static bool is_in_workspace(struct engine *engine, struct object *object,
		const struct object_plan *plan, unsigned workspace)
{
	if (object_grant(object, workspace, GRANT_ASSIGNMENT, NULL))
		return true;
	if (!inventory_workspace_ready(engine, workspace))
		return false;
	for (vec_each (&plan->operations, op)) {
		if (op->kind == OP_ASSIGN && op->target == workspace)
			return false; /* comes first */
	}
	return true;
}

static bool can_send(struct engine *engine, struct object *object, const struct object_plan *plan,
		const struct operation *op)
{
	if (op->kind == OP_CREATE || op->kind == OP_ADOPT)
		return true;
	if (!object->id || (op->kind != OP_FORGET && !object->ours && !object->named_only))
		return false;
	if (op->kind == OP_ASSIGN || op->kind == OP_UNASSIGN)
		return inventory_workspace_ready(engine, op->target);
	return op->target == object->target || op->is_removal || op->adopts ||
			is_in_workspace(engine, object, plan, op->target);
}

static void wait_for(struct object *member, struct object *group)
{
	for (vec_each (&member->waiters, waiter)) {
		if (*waiter == group)
			return;
	}
	*vec_add(&member->waiters) = group;
}

/*
 * A workspace's own group drops, without a word, whom the workspace does not know yet: whoever is being assigned to it
 * joins after that.
 */
static bool waits_for_assignment(const struct work *work, uint64_t id)
{
	const struct engine *engine = work->engine;
	struct object *group = work->object, *member;
	struct wanted wanted;

	if (!engine->settings->has_account || group->target == 0)
		return false;
	member = registry_find_member(engine->registry, group, true, id);
	if (!member || member->target == group->target ||
			object_grant(member, group->target, GRANT_ASSIGNMENT, NULL) ||
			inventory_level(work->engine, group->target, id))
		return false;
	pass_wanted_grants(work->engine, member, work->arena, &wanted);
	for (size_t i = 0; i < wanted.grant_count; i++) {
		if (wanted.grants[i].kind != GRANT_ASSIGNMENT ||
				wanted.grants[i].target != group->target)
			continue;
		wait_for(member, group);
		return true;
	}
	return false;
}

/* One PATCH: the free removals, then additions whose ids are known, up to the limit. */
static void gather_members(struct work *work, const struct object_plan *plan)
{
	size_t room = SCIM_MEMBERS_PER_PATCH;

	for (vec_each (&plan->operations, op)) {
		if (op->kind == OP_REMOVE_MEMBERS && room > 0 && is_allowed(work->engine, op)) {
			*vec_add(&work->ops) = *op;
			room--;
		}
	}
	/* One addition that is refused, again and again, must not keep anybody in the group. */
	if (work->object->tries && work->ops.count)
		return;
	for (vec_each (&plan->operations, op)) {
		struct principal_ref *refs;
		struct operation *part;

		if (op->kind != OP_ADD_MEMBERS || op->adopts || room == 0 ||
				!is_allowed(work->engine, op))
			continue;
		refs = arena_alloc(work->arena, room * sizeof(*refs));
		part = vec_add(&work->ops);
		*part = *op;
		part->members = refs;
		part->member_count = 0;
		for (size_t i = 0; i < op->member_count && room > 0; i++) {
			if (!op->members[i].remote_id ||
					waits_for_assignment(
							work, id_parse(op->members[i].remote_id)))
				continue;
			refs[part->member_count++] = op->members[i];
			room--;
		}
		operation_set_id(part, work->engine->settings, work->arena);
		if (part->member_count == 0)
			work->ops.count--;
	}
}

/* One PATCH: the removals of that kind in that workspace which are free to go. */
static void gather_values(
		struct work *work, const struct object_plan *plan, const struct operation *first)
{
	for (vec_each (&plan->operations, op)) {
		if (op->kind == first->kind && op->target == first->target &&
				is_allowed(work->engine, op))
			*vec_add(&work->ops) = *op;
	}
}

/* A plan file may leave out the one that would be waited for, so under one nobody waits. */
static bool additions_wait(
		const struct work *work, const struct object_plan *plan, const struct operation *op)
{
	struct object *object = work->object;
	size_t known = 0;

	if (op->kind != OP_ADD_MEMBERS || !plan->waits_for || work->engine->restricted)
		return false;
	for (size_t i = 0; i < op->member_count; i++)
		known += op->members[i].remote_id != NULL;
	if (known >= SCIM_MEMBERS_PER_PATCH || known == op->member_count)
		return false;
	wait_for(plan->waits_for, object);
	return true;
}

/* A group is adopted knowing its members and its rights; what was ours under another entry is known. */
static bool must_be_read(const struct work *work, const struct operation *op)
{
	const struct object *former;

	if (op->kind != OP_ADOPT || op->principal != PRINCIPAL_GROUP || work->object->actual_known)
		return false;
	former = registry_find_id(work->engine->registry, op->target, op->principal,
			id_parse(op->object.remote_id));
	return !former || !former->ours;
}

static void adopt_at_once(struct work *work, const struct operation *op)
{
	record_done(work, op, NULL);
}

/* Fills work->ops with one call's worth. What needs no call is done on the way. */
static void choose(struct work *work, const struct object_plan *plan)
{
	struct object *object = work->object;

	for (vec_each (&plan->operations, op)) {
		bool without_call = op->adopts || op->kind == OP_FORGET ||
				(op->kind == OP_ADOPT && op->field_count == 0 && op->active_before);

		if (!is_allowed(work->engine, op) || !can_send(work->engine, object, plan, op) ||
				additions_wait(work, plan, op))
			continue;
		if (must_be_read(work, op)) {
			object->read_wanted = true;
			return;
		}
		if (without_call) {
			adopt_at_once(work, op);
			continue;
		}
		if (op->kind == OP_ADD_MEMBERS || op->kind == OP_REMOVE_MEMBERS)
			gather_members(work, plan);
		else if (op->kind == OP_REMOVE_ENTITLEMENTS || op->kind == OP_REMOVE_ROLES)
			gather_values(work, plan, op);
		else
			*vec_add(&work->ops) = *op;
		if (work->ops.count)
			return;
	}
}

static enum lane lane_of(const struct work *work)
{
	return first_op(work)->follows_leaver ? LANE_LEAVER : work->lane;
}

bool work_write_start(struct work *work)
{
	struct object_plan plan = {0};
	bool adopted;
	size_t done_before = work->engine->progress.operations_done;

	pass_plan(work->engine, work->object, work->arena, &plan);
	pass_mark_held(work->engine, &plan, work->arena);
	choose(work, &plan);
	object_plan_release(&plan);
	if (work->ops.count) {
		work->lane = lane_of(work);
		write_commit(work);
		return true;
	}
	adopted = work->engine->progress.operations_done != done_before;
	work->stage = STAGE_END;
	return adopted || work->object->read_wanted;
}
