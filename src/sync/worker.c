/*
 * worker -- one object at a time is read, or one call of its plan is made.
 *
 *   read:   ASK ──► PRINCIPAL ──► (BY_NAME) ──► SEEN (each workspace with grants) ──► end
 *   write:  COMMIT (intents durable) ──► ANSWER ──► end
 *
 * Callbacks only wake the task; the stages run in work_run. At its end the object is dirty again:
 * what is still missing is planned anew from what is known then, so a call is always computed just
 * before it is sent.
 */
#include "sync/engine_state.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "sync/plan_file.h"

#define SECOND_LOOK_NS (2 * SECOND_NS)
#define RETRY_FIRST_NS (SECOND_NS / 2)
#define RETRY_MAX_NS (3600 * SECOND_NS)
#define TRIES_BEFORE_QUARANTINE 6

enum stage {
	STAGE_ASK,
	STAGE_BY_EXTERNAL_ID,
	STAGE_BY_NAME,
	STAGE_PRINCIPAL,
	STAGE_SEEN,
	STAGE_COMMIT,
	STAGE_ANSWER,
	STAGE_END
};

struct work {
	struct task task;
	struct engine *engine;
	struct object *object;
	struct arena *arena;
	enum stage stage;
	enum lane lane;
	struct call call;
	struct store_commit commit;
	VEC(struct operation) ops; /* of this one call */
	VEC(unsigned) workspaces;  /* whose entitlements and roles are to be read */
	size_t workspace_at;
	uint64_t asked_id;
};

static void work_run(struct task *task);

static struct work *work_new(struct engine *engine, struct object *object, enum lane lane)
{
	struct work *work = mem_zalloc(sizeof(*work));

	task_init(&work->task, engine->loop, work_run);
	work->engine = engine;
	work->object = object;
	work->arena = arena_new();
	work->lane = lane;
	object->work = work;
	engine->works++;
	return work;
}

static void wake_waiters(struct engine *engine, struct object *object)
{
	if (!object->id && !object->tries && !object->quarantined_ms)
		return;
	for (vec_each (&object->waiters, waiter))
		pass_mark(engine, *waiter);
	object->waiters.count = 0;
}

static void work_end(struct work *work)
{
	struct engine *engine = work->engine;
	struct object *object = work->object;

	task_cancel(&work->task);
	call_release(&work->call);
	arena_free(work->arena);
	vec_release(&work->ops);
	vec_release(&work->workspaces);
	mem_free(work);
	object->work = NULL;
	engine->works--;
	wake_waiters(engine, object);
	pass_mark(engine, object);
	task_wake(&engine->pass);
	if (engine->stopping && engine->works == 0)
		task_wake(&engine->wind_up);
}

static void prepare_call(struct work *work, unsigned target)
{
	call_release(&work->call);
	work->call.target = target;
	work->call.lane = work->lane;
	work->call.wakes = &work->task;
}

/* ---- trouble ---- */

static void quarantine(struct engine *engine, struct object *object, const struct err *err)
{
	if (!object->quarantined_ms)
		object->quarantined_ms = clock_wall_ms();
	mem_free(object->reason);
	object->reason = mem_strdup(err->text);
	engine->progress.operations_failed++;
	log_event(LOG_WARNING, "quarantined", {"principal", object_name(object)},
			{"key", object->key},
			{"target", engine->settings->targets[object->target].name},
			{"tries", log_int(object->tries)}, {"error", err->text});
}

static void delay(struct work *work, uint64_t ns)
{
	work->object->retry_ns = clock_monotonic_ns() + ns;
	engine_tick_at(work->engine, work->object->retry_ns);
}

static uint64_t back_off(unsigned tries, uint64_t first)
{
	uint64_t ns = first;

	for (unsigned i = 1; i < tries && ns < RETRY_MAX_NS; i++)
		ns *= 2;
	return ns < RETRY_MAX_NS ? ns : RETRY_MAX_NS;
}

static void retry_later(struct work *work, const struct err *err)
{
	struct object *object = work->object;
	/* Not found: what is missing is looked for before anything is done again. */
	bool transient = err_is_transient(err) || err->code == ERR_AUTH ||
			err->code == ERR_NOT_FOUND;
	uint64_t wait = back_off(++object->tries, transient ? RETRY_FIRST_NS : 30 * SECOND_NS);

	if (err->retry_after_s && wait < err->retry_after_s * SECOND_NS)
		wait = err->retry_after_s * SECOND_NS;
	if (!transient || object->tries >= TRIES_BEFORE_QUARANTINE)
		quarantine(work->engine, object, err);
	delay(work, wait);
	if (object->quarantined_ms)
		records_quarantine(work->engine, object);
	log_debug("key=%s tries=%u retry in %llu ms: %s", object->key, object->tries,
			(unsigned long long)(wait / 1000000), err->text);
}

static void went_well(struct work *work)
{
	struct object *object = work->object;

	object->tries = 0;
	object->retry_ns = 0;
	if (!object->quarantined_ms)
		return;
	object->quarantined_ms = 0;
	mem_free(object->reason);
	object->reason = NULL;
	records_quarantine(work->engine, object);
}

/* ---- reading ---- */

static const struct operation *open_create(
		const struct engine *engine, const struct object *object, struct open_intent **ret)
{
	for (vec_each (&engine->intents, intent)) {
		if ((*intent)->op.kind == OP_CREATE && (*intent)->op.target == object->target &&
				text_equal((*intent)->op.object.key, object->key)) {
			*ret = *intent;
			return &(*intent)->op;
		}
	}
	return NULL;
}

static const char *field_after(const struct operation *op, enum field field)
{
	for (size_t i = 0; op && i < op->field_count; i++) {
		if (op->fields[i].field == field)
			return op->fields[i].after;
	}
	return NULL;
}

/* By what the principal can be looked up: what the rules want, else what an open create said, else
 * the grant's name. */
static const char *lookup_value(struct work *work, enum field field)
{
	node_id node = work->object->node;
	const struct want *want =
			node == NODE_NONE ? NULL : desired_want(work->engine->desired, node);
	struct open_intent *intent;
	const char *value = NULL;

	if (want && want->identity)
		value = want->identity->fields[field];
	if (!value)
		value = field_after(open_create(work->engine, work->object, &intent), field);
	if (!value && field == principal_name_field(work->object->kind) &&
			text_starts_with(work->object->key, "name/")) {
		const char *name = strchr(strchr(work->object->key, '/') + 1, '/');

		value = name ? name + 1 : NULL;
	}
	return value;
}

static unsigned read_with(const struct work *work)
{
	unsigned with = SCIM_WITH_ROLES;

	if (work->object->kind == PRINCIPAL_GROUP)
		with |= SCIM_WITH_MEMBERS;
	if (!work->engine->settings->targets[work->object->target].is_account)
		with |= SCIM_WITH_ENTITLEMENTS;
	return with;
}

static void find(struct work *work, enum field by, const char *value, enum stage next)
{
	prepare_call(work, work->object->target);
	work->stage = next;
	scim_find(work->engine->databricks, &work->call, work->object->kind, by, value,
			work->object->kind == PRINCIPAL_GROUP ? SCIM_WITH_ROLES : 0);
}

static void find_by_name(struct work *work)
{
	enum field name = principal_name_field(work->object->kind);
	const char *value = lookup_value(work, name);

	/* A service principal that Databricks gave its application id to has only its display name.
	 */
	if (!value && name != FIELD_DISPLAY_NAME)
		value = lookup_value(work, name = FIELD_DISPLAY_NAME);
	if (value)
		find(work, name, value, STAGE_BY_NAME);
	else
		work->stage = STAGE_END;
}

static uint64_t adoptable_id(struct work *work)
{
	const char *external_id = lookup_value(work, FIELD_EXTERNAL_ID);
	const char *name = lookup_value(work, principal_name_field(work->object->kind));
	const struct foreign *foreign = NULL;

	if (external_id)
		foreign = registry_foreign_by_external_id(work->engine->registry,
				work->object->target, work->object->kind, external_id);
	if (!foreign && name)
		foreign = registry_foreign_by_name(work->engine->registry, work->object->target,
				work->object->kind, name);
	return foreign ? foreign->id : 0;
}

static void read_principal(struct work *work)
{
	char id[ID_TEXT_SIZE];

	prepare_call(work, work->object->target);
	work->stage = STAGE_PRINCIPAL;
	scim_get(work->engine->databricks, &work->call, work->object->kind,
			id_text(work->asked_id, id), read_with(work));
}

static void read_ask(struct work *work)
{
	const char *external_id;

	work->asked_id = work->object->id;
	if (!work->asked_id && !work->object->named_only)
		work->asked_id = adoptable_id(work);
	if (work->asked_id) {
		read_principal(work);
		return;
	}
	external_id = lookup_value(work, FIELD_EXTERNAL_ID);
	if (external_id && !work->object->named_only)
		find(work, FIELD_EXTERNAL_ID, external_id, STAGE_BY_EXTERNAL_ID);
	else
		find_by_name(work);
}

static void list_workspaces(struct work *work)
{
	struct object *object = work->object;
	struct wanted wanted;
	bool *listed = arena_alloc(work->arena, work->engine->settings->target_count);

	pass_wanted(work->engine, object, work->arena, &wanted);
	for (size_t i = 0; i < wanted.grant_count; i++)
		listed[wanted.grants[i].target] |= wanted.grants[i].kind != GRANT_ASSIGNMENT;
	for (vec_each (&object->grants, grant))
		listed[grant->workspace] |= grant->kind != GRANT_ASSIGNMENT;
	work->workspaces.count = 0;
	for (unsigned target = 0; target < work->engine->settings->target_count; target++) {
		if (listed[target] && target != object->target)
			*vec_add(&work->workspaces) = target;
	}
}

static void read_next_seen(struct work *work)
{
	char id[ID_TEXT_SIZE];

	if (work->workspace_at == work->workspaces.count || !work->object->id) {
		work->object->read_wanted = false;
		records_close_intents(work->engine, work->object);
		went_well(work);
		work->stage = STAGE_END;
		return;
	}
	prepare_call(work, work->workspaces.items[work->workspace_at]);
	work->stage = STAGE_SEEN;
	scim_get(work->engine->databricks, &work->call, work->object->kind,
			id_text(work->object->id, id), SCIM_WITH_ENTITLEMENTS | SCIM_WITH_ROLES);
}

/* What an intent whose outcome was lost had done, as far as this read shows. */
static void settle_intents(struct work *work)
{
	struct object *object = work->object;

	for (vec_each (&work->engine->intents, intent)) {
		struct operation *op = &(*intent)->op;
		struct operation done = *op;
		struct principal_ref *members;

		if (!text_equal(op->object.key, object->key) || op->kind != OP_ADD_MEMBERS ||
				!object->actual_known)
			continue;
		members = arena_alloc(work->arena, (op->member_count + 1) * sizeof(*members));
		done.member_count = 0;
		for (size_t i = 0; i < op->member_count; i++) {
			if (op->members[i].remote_id &&
					ids_contain(&object->actual,
							id_parse(op->members[i].remote_id)))
				members[done.member_count++] = op->members[i];
		}
		done.members = members;
		settle_write(work->engine, object, &done, NULL);
	}
}

static void take_principal(struct work *work, const struct resource *resource)
{
	struct object *object = work->object;

	object->lost = false;
	if (!settle_read(work->engine, object, resource)) {
		delay(work, SECOND_LOOK_NS);
		work->stage = STAGE_END;
		return;
	}
	settle_seen(work->engine, object, object->target, resource);
	settle_intents(work);
	list_workspaces(work);
	read_next_seen(work);
}

static void not_found(struct work *work)
{
	struct object *object = work->object;

	work->stage = STAGE_END;
	if (!object->id) {
		/* What the last list showed is gone again. */
		object->read_wanted = false;
		return;
	}
	if (!object->lost) {
		object->lost = true;
		delay(work, SECOND_LOOK_NS);
		return;
	}
	object->lost = false;
	object->read_wanted = false;
	records_close_intents(work->engine, object);
	settle_gone(work->engine, object);
}

static void read_failed(struct work *work)
{
	if (work->call.code == ERR_NOT_FOUND && work->stage == STAGE_PRINCIPAL) {
		not_found(work);
		return;
	}
	if (work->call.code != ERR_CANCELLED)
		retry_later(work, &work->call.err);
	work->stage = STAGE_END;
}

static void read_answered(struct work *work)
{
	struct resource resource;
	struct err err;

	if (work->call.code != ERR_NONE) {
		read_failed(work);
		return;
	}
	if (scim_resource(work->call.answer, work->object->kind, work->arena, &resource, &err) !=
			ERR_NONE) {
		retry_later(work, &err);
		work->stage = STAGE_END;
		return;
	}
	take_principal(work, &resource);
}

static void seen_answered(struct work *work)
{
	unsigned workspace = work->workspaces.items[work->workspace_at];
	struct resource resource;
	struct err err;

	if (work->call.code == ERR_NONE &&
			scim_resource(work->call.answer, work->object->kind, work->arena, &resource,
					&err) == ERR_NONE) {
		settle_seen(work->engine, work->object, workspace, &resource);
	} else if (work->call.code == ERR_NOT_FOUND) {
		settle_seen(work->engine, work->object, workspace,
				NULL); /* not in that workspace (yet) */
	} else {
		read_failed(work);
		return;
	}
	work->workspace_at++;
	read_next_seen(work);
}

/* Nobody has the name: a create whose answer was lost had no effect, or the read lags behind it. */
static void nothing_found(struct work *work)
{
	struct object *object = work->object;
	struct open_intent *intent = NULL;

	work->stage = STAGE_END;
	if (open_create(work->engine, object, &intent) && object->kind == PRINCIPAL_SERVICE &&
			intent->reads_left > 0) {
		intent->reads_left--;
		delay(work, SECOND_LOOK_NS);
		return;
	}
	object->read_wanted = false;
	records_close_intents(work->engine, object);
	if (object->named_only) {
		struct err err;

		(void)err_set(&err, ERR_NOT_FOUND, 0,
				"a grant names %s \"%s\", which does not exist in %s",
				principal_kind_name(object->kind), strrchr(object->key, '/') + 1,
				work->engine->settings->targets[object->target].name);
		retry_later(work, &err);
		object->read_wanted = true;
	} else if (object->tries > 2) {
		struct err err;

		(void)err_set(&err, ERR_REFUSED, 0,
				"%s: Databricks says that it exists already, but a search by name "
				"does not find it",
				object_name(object));
		retry_later(work, &err);
	}
}

static void found(struct work *work, const struct resource *resource)
{
	struct object *object = work->object;
	struct open_intent *intent = NULL;
	const struct operation *create = open_create(work->engine, object, &intent);
	const char *name = resource->fields[principal_name_field(object->kind)];
	const char *external_id = lookup_value(work, FIELD_EXTERNAL_ID);
	struct foreign foreign = {object->kind, id_parse(resource->id),
			name ? name : resource->fields[FIELD_DISPLAY_NAME],
			resource->fields[FIELD_EXTERNAL_ID], resource->fields[FIELD_DISPLAY_NAME],
			resource->active};

	if (object->named_only) {
		registry_bind(work->engine->registry, object, foreign.id);
		registry_set_field(work->engine->registry, object,
				principal_name_field(object->kind), foreign.name);
	} else if (create && text_equal(foreign.external_id, external_id)) {
		/* Ours: the create whose answer was lost. */
		settle_write(work->engine, object, create, resource);
		object->actual_known = false;
	} else if (foreign.name) {
		registry_foreign_put(work->engine->registry, object->target, &foreign);
	}
	work->asked_id = object->id ? object->id : foreign.id;
	read_principal(work);
}

static void find_answered(struct work *work)
{
	const struct resource *resources;
	struct err err;
	size_t count;

	if (work->call.code != ERR_NONE) {
		read_failed(work);
		return;
	}
	if (scim_found(&work->call, work->object->kind, work->arena, &resources, &count, &err) !=
			ERR_NONE) {
		retry_later(work, &err);
		work->stage = STAGE_END;
	} else if (count > 0) {
		found(work, &resources[0]);
	} else if (work->stage == STAGE_BY_EXTERNAL_ID) {
		find_by_name(work);
	} else {
		nothing_found(work);
	}
}

/* ---- writing ---- */

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

	if (op->kind == OP_ADD_ROLES || op->kind == OP_ADD_ENTITLEMENTS) {
		change.add = op->values;
		change.add_count = op->value_count;
	} else {
		change.remove = op->values;
		change.remove_count = op->value_count;
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

	prepare_call(work, op->target);
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
	case OP_KIND_COUNT_:
		break;
	}
}

static void log_change(const struct work *work, const struct operation *op, const char *request_id)
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
	log_change(work, op, work->call.request_id);
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
			scim_resource(work->call.answer, work->object->kind, work->arena, &resource,
					&err) == ERR_NONE)
		answer = &resource;
	if (first_op(work)->kind == OP_CREATE && !answer) {
		/* 201 without a body that can be read: it exists, so look for it. */
		(void)records_open_intent(work->engine, first_op(work), 2);
		work->object->read_wanted = true;
		return;
	}
	went_well(work);
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
			(void)records_open_intent(engine, op, 2);
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
	if (first_op(work)->kind == OP_ASSIGN || first_op(work)->kind == OP_UNASSIGN)
		engine->workspaces[first_op(work)->target].assignments_known &=
				!err->effect_unknown;
	if (work->call.code != ERR_CANCELLED)
		retry_later(work, err);
}

static void write_answered(struct work *work)
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

static void write_committed(struct work *work)
{
	if (work->commit.code == ERR_NONE) {
		write_send(work);
		return;
	}
	/* Nothing is sent that was not journalled. */
	retry_later(work, &work->commit.err);
	work->stage = STAGE_END;
}

static void write_commit(struct work *work)
{
	struct store_batch *batch;

	records_flush(work->engine);
	batch = store_batch_new(work->engine->store);
	for (vec_each (&work->ops, op)) {
		json_auto_t *json = operation_to_json(op, work->engine->settings);
		AUTO(mem_freep) char *text = json_dumps(json, JSON_COMPACT);
		struct store_intent intent = {op->id, text ? text : "{}", clock_wall_ms()};

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

static bool can_send(struct engine *engine, const struct object *object, const struct operation *op)
{
	if (op->kind == OP_CREATE || op->kind == OP_ADOPT)
		return true;
	if (!object->id || (op->kind != OP_FORGET && !object->ours && !object->named_only))
		return false;
	if (op->kind == OP_ASSIGN || op->kind == OP_UNASSIGN)
		return inventory_workspace_ready(engine, op->target);
	/* A workspace knows an account's principal only once it is assigned. */
	return op->target == object->target || op->is_removal ||
			inventory_level(engine, op->target, object->id) != NULL;
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
			if (!op->members[i].remote_id)
				continue;
			refs[part->member_count++] = op->members[i];
			room--;
		}
		operation_set_id(part, work->engine->settings, work->arena);
		if (part->member_count == 0)
			work->ops.count--;
	}
}

static bool additions_wait(
		struct object *object, const struct object_plan *plan, const struct operation *op)
{
	size_t known = 0;

	if (op->kind != OP_ADD_MEMBERS || !plan->waits_for)
		return false;
	for (size_t i = 0; i < op->member_count; i++)
		known += op->members[i].remote_id != NULL;
	if (known >= SCIM_MEMBERS_PER_PATCH)
		return false;
	for (vec_each (&plan->waits_for->waiters, waiter)) {
		if (*waiter == object)
			return true;
	}
	*vec_add(&plan->waits_for->waiters) = object;
	return true;
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

		if (!is_allowed(work->engine, op) || !can_send(work->engine, object, op) ||
				additions_wait(object, plan, op))
			continue;
		/* A group is adopted knowing its members and its rights. */
		if (op->kind == OP_ADOPT && op->principal == PRINCIPAL_GROUP &&
				!object->actual_known) {
			object->read_wanted = true;
			return;
		}
		if (without_call) {
			adopt_at_once(work, op);
			continue;
		}
		if (op->kind == OP_ADD_MEMBERS || op->kind == OP_REMOVE_MEMBERS)
			gather_members(work, plan);
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

static bool start_write(struct work *work)
{
	struct object_plan plan;
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

static void work_run(struct task *task)
{
	struct work *work = (struct work *)task; /* task is its first member */

	switch (work->stage) {
	case STAGE_ASK:
		read_ask(work);
		break;
	case STAGE_BY_EXTERNAL_ID:
	case STAGE_BY_NAME:
		if (!work->call.done)
			return;
		find_answered(work);
		break;
	case STAGE_PRINCIPAL:
		if (!work->call.done)
			return;
		read_answered(work);
		break;
	case STAGE_SEEN:
		if (!work->call.done)
			return;
		seen_answered(work);
		break;
	case STAGE_COMMIT:
		if (!work->commit.done)
			return;
		write_committed(work);
		break;
	case STAGE_ANSWER:
		if (!work->call.done)
			return;
		write_answered(work);
		break;
	case STAGE_END:
		break;
	}
	if (work->stage == STAGE_END)
		work_end(work);
}

/* `apply` writes only after somebody saw the plan. */
static bool may_send(const struct engine *engine)
{
	return engine_may_change(engine) &&
			(engine->options.mode == ENGINE_RUN || engine->phase == ENGINE_APPLYING);
}

bool worker_start(struct engine *engine, struct object *object, enum lane lane)
{
	struct work *work;
	bool under_way = true;

	if (!object->read_wanted && !may_send(engine))
		return false;
	work = work_new(engine, object, lane);
	if (object->read_wanted)
		read_ask(work);
	else
		under_way = start_write(work);
	if (work->stage != STAGE_END)
		return true;
	if (under_way) {
		work_end(work);
		return true;
	}
	/* Nothing can go now: what it waits for marks it again. */
	object->work = NULL;
	engine->works--;
	arena_free(work->arena);
	vec_release(&work->ops);
	mem_free(work);
	return false;
}

void worker_cancel_all(struct engine *engine)
{
	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		struct work *work = registry_at(engine->registry, i)->work;

		if (!work)
			continue;
		/* Its intents stay in the journal: the next start looks what became of them. */
		registry_at(engine->registry, i)->work = NULL;
		engine->works--;
		task_cancel(&work->task);
		call_release(&work->call);
		arena_free(work->arena);
		vec_release(&work->ops);
		vec_release(&work->workspaces);
		mem_free(work);
	}
}
