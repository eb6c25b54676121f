/* worker_read -- looks a principal up and reads what is known of it, workspace by workspace. */
#include "sync/work.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

/* How many reads in a row must miss what was there or may be there. Databricks would make a second
 * service principal of the same name without a word, and reads may miss what is fresh for a while:
 * these are looked for over 20 s. */
#define LOOKS 2
#define LOOKS_FOR_SERVICES 5

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
	const struct identity *identity =
			want ? want->identity : pass_listed(work->engine, work->object);
	struct open_intent *intent;
	const char *value = NULL;

	if (identity)
		value = identity->fields[field];
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
	work_prepare_call(work, next == STAGE_IN_ACCOUNT ? 0 : work->object->target);
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
	if (value) {
		find(work, name, value, STAGE_BY_NAME);
		return;
	}
	/* Nothing says what to look for: wanting it on would ask for ever. */
	work->object->read_wanted = false;
	work->object->looked_up = true;
	records_close_intents(work->engine, work->object, NO_WORKSPACE);
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

	work_prepare_call(work, work->object->target);
	work->stage = STAGE_PRINCIPAL;
	scim_get(work->engine->databricks, &work->call, work->object->kind,
			id_text(work->asked_id, id), read_with(work));
}

/* What a workspace's own group is to be called may be the name of an account's. */
static const char *name_to_avoid(struct work *work)
{
	const struct object *object = work->object;
	struct open_intent *intent;

	if (object->kind != PRINCIPAL_GROUP || object->id || object->named_only ||
			object->target == 0 || !work->engine->settings->has_account ||
			open_create(work->engine, object, &intent))
		return NULL;
	return lookup_value(work, FIELD_DISPLAY_NAME);
}

static void ask(struct work *work)
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

void work_read_ask(struct work *work)
{
	const char *name = name_to_avoid(work);

	if (name)
		find(work, FIELD_DISPLAY_NAME, name, STAGE_IN_ACCOUNT);
	else
		ask(work);
}

static void list_workspaces(struct work *work)
{
	struct object *object = work->object;
	struct wanted wanted;
	bool *listed = arena_alloc(work->arena, work->engine->settings->target_count);

	pass_wanted_grants(work->engine, object, work->arena, &wanted);
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
	/* What is to be adopted has no id of ours yet. */
	uint64_t id = work->object->id ? work->object->id : work->asked_id;
	char text[ID_TEXT_SIZE];

	if (work->workspace_at == work->workspaces.count || !id) {
		work->object->read_wanted = false;
		work->object->looked_up = true;
		records_close_intents(work->engine, work->object, NO_WORKSPACE);
		work_went_well(work);
		work->stage = STAGE_END;
		return;
	}
	work_prepare_call(work, work->workspaces.items[work->workspace_at]);
	work->stage = STAGE_SEEN;
	scim_get(work->engine->databricks, &work->call, work->object->kind, id_text(id, text),
			SCIM_WITH_ENTITLEMENTS | SCIM_WITH_ROLES);
}

static bool shows_effect(const struct operation *op, const struct resource *resource)
{
	for (size_t i = 0; i < op->field_count; i++) {
		if (!text_equal(resource->fields[op->fields[i].field], op->fields[i].after))
			return false;
	}
	return op->active_before == op->active_after || resource->active == op->active_after;
}

static void settle_found(struct work *work, const struct operation *op)
{
	settle_write(work->engine, work->object, op, NULL);
	records_audit(work->engine, "change", op, "found", NULL, NULL);
	work_log_change(work, op, NULL);
}

/* Writes whose outcome was lost: what this read shows of them was done by us, and is no drift. */
static void settle_own_changes(struct work *work, const struct resource *resource)
{
	struct object *object = work->object;

	for (size_t i = 0; object->ours && i < work->engine->intents.count; i++) {
		const struct open_intent *intent = work->engine->intents.items[i];
		const struct operation *op = &intent->op;

		if (records_intent_is_of(work->engine, intent, object) &&
				(op->kind == OP_UPDATE || op->kind == OP_DEACTIVATE) &&
				shows_effect(op, resource))
			settle_found(work, op);
	}
}

/* Members that an intent whose outcome was lost had added, as far as this read shows. */
static void settle_own_members(struct work *work)
{
	struct object *object = work->object;

	for (vec_each (&work->engine->intents, intent)) {
		struct operation *op = &(*intent)->op;
		struct operation done = *op;
		struct principal_ref *members;

		if (!records_intent_is_of(work->engine, *intent, object) ||
				op->kind != OP_ADD_MEMBERS || !object->actual_known)
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
		if (done.member_count)
			settle_found(work, &done);
	}
}

/* Ours, if it is what a create whose answer was lost has made. */
static void settle_create(struct work *work, const struct resource *resource)
{
	struct object *object = work->object;
	struct open_intent *intent = NULL;
	const struct operation *create = open_create(work->engine, object, &intent);

	if (!create || object->ours ||
			!text_equal(resource->fields[FIELD_EXTERNAL_ID],
					field_after(create, FIELD_EXTERNAL_ID)))
		return;
	settle_write(work->engine, object, create, resource);
	records_audit(work->engine, "change", create, "found", NULL, NULL);
	work_log_change(work, create, NULL);
	object->actual_known = false;
}

static void take_principal(struct work *work, const struct resource *resource)
{
	struct object *object = work->object;

	object->misses = 0;
	settle_create(work, resource);
	settle_own_changes(work, resource);
	if (!settle_read(work->engine, object, resource)) {
		work_delay(work, SECOND_LOOK_NS);
		work->stage = STAGE_END;
		return;
	}
	settle_seen(work->engine, object, object->target, resource);
	settle_own_members(work);
	list_workspaces(work);
	read_next_seen(work);
}

/* It was not found. Returns whether that is not the last word. */
static bool look_again(struct work *work)
{
	struct object *object = work->object;
	uint64_t age = clock_monotonic_ns() - object->written_ns;

	if (object->id && object->written_ns && age < READ_LAG_NS) {
		work_delay(work, READ_LAG_NS - age);
		return true;
	}
	if (++object->misses < (object->kind == PRINCIPAL_SERVICE ? LOOKS_FOR_SERVICES : LOOKS)) {
		work_delay(work, object->misses * SECOND_LOOK_NS);
		return true;
	}
	object->misses = 0;
	object->read_wanted = false;
	return false;
}

static void not_found(struct work *work)
{
	struct object *object = work->object;

	work->stage = STAGE_END;
	if (look_again(work))
		return;
	if (!object->id) {
		/* What the last list showed is gone again. */
		registry_foreign_drop(work->engine->registry, object->target, object->kind,
				work->asked_id);
		return;
	}
	records_close_intents(work->engine, object, NO_WORKSPACE);
	settle_gone(work->engine, object);
}

static void read_failed(struct work *work)
{
	if (work->call.code == ERR_NOT_FOUND && work->stage == STAGE_PRINCIPAL) {
		not_found(work);
		return;
	}
	if (work->call.code != ERR_CANCELLED)
		work_retry_later(work, &work->call.err);
	work->stage = STAGE_END;
}

void work_read_answered(struct work *work)
{
	struct resource resource;
	struct err err;

	if (work->call.code != ERR_NONE) {
		read_failed(work);
		return;
	}
	if (scim_resource(&work->call, work->object->kind, work->arena, &resource, &err) !=
			ERR_NONE) {
		work_retry_later(work, &err);
		work->stage = STAGE_END;
		return;
	}
	take_principal(work, &resource);
}

/*
 * One workspace that does not answer must not keep members, leavers and the other workspaces waiting. What is ours there
 * is known from the store; a grant that is there already is given once more, which changes nothing.
 */
static void seen_failed(const struct work *work, unsigned workspace)
{
	log_event(LOG_WARNING, "rights in a workspace could not be read; the rest goes on",
			{"principal", pass_name(work->engine, work->object)},
			{"target", work->engine->settings->targets[workspace].name},
			{"error", work->call.err.text});
}

void work_seen_answered(struct work *work)
{
	unsigned workspace = work->workspaces.items[work->workspace_at];
	struct resource resource;
	struct err err;

	if (work->call.code == ERR_NONE &&
			scim_resource(&work->call, work->object->kind, work->arena, &resource,
					&err) == ERR_NONE) {
		settle_seen(work->engine, work->object, workspace, &resource);
	} else if (work->call.code == ERR_NOT_FOUND) {
		settle_seen(work->engine, work->object, workspace,
				NULL); /* not in that workspace (yet) */
	} else if (work->call.code == ERR_CANCELLED) {
		read_failed(work);
		return;
	} else {
		seen_failed(work, workspace);
	}
	work->workspace_at++;
	read_next_seen(work);
}

/* The rule may be ahead of its group: it is looked for again, but a person should know. */
static void grantee_missing(struct work *work)
{
	struct object *object = work->object;
	struct wanted wanted;
	struct err err;

	pass_wanted_grants(work->engine, object, work->arena, &wanted);
	/* Without an account each workspace is asked for it; here nothing is to be given. */
	if (!wanted.grant_count)
		return;
	(void)err_set(&err, ERR_CONFIG, 0,
			"%s:%u: the grant names %s \"%s\", which neither a rule makes nor %s has",
			wanted.why.file ? wanted.why.file : "grants", wanted.why.line,
			principal_kind_name(object->kind), pass_name(work->engine, object),
			work->engine->settings->targets[object->target].name);
	work_retry_later(work, &err);
	object->read_wanted = true;
}

/* Nobody has the name: a create whose answer was lost had no effect, or the read lags behind it. */
static void nothing_found(struct work *work)
{
	struct object *object = work->object;
	struct open_intent *intent = NULL;

	work->stage = STAGE_END;
	if (open_create(work->engine, object, &intent) && object->kind == PRINCIPAL_SERVICE &&
			look_again(work))
		return;
	object->read_wanted = false;
	object->looked_up = true;
	records_close_intents(work->engine, object, NO_WORKSPACE);
	if (object->named_only) {
		grantee_missing(work);
	} else if (object->conflicted && object->tries > 2) {
		const char *name = lookup_value(work, principal_name_field(object->kind));
		struct err err;

		(void)err_set(&err, ERR_REFUSED, 0,
				"%s: Databricks says that it exists already, but a search by name "
				"does not find it",
				name ? name : object_name(object));
		work_retry_later(work, &err);
	}
}

static struct foreign foreign_of(enum principal_kind kind, const struct resource *resource)
{
	const char *name = resource->fields[principal_name_field(kind)];

	return (struct foreign){.kind = kind,
			.id = id_parse(resource->id),
			.name = name ? name : resource->fields[FIELD_DISPLAY_NAME],
			.external_id = resource->fields[FIELD_EXTERNAL_ID],
			.display_name = resource->fields[FIELD_DISPLAY_NAME],
			.given_name = resource->fields[FIELD_GIVEN_NAME],
			.family_name = resource->fields[FIELD_FAMILY_NAME],
			.active = !resource->has_active || resource->active};
}

/* Service principals of one display name: the plan says what that means. */
static void several_found(struct work *work, const struct resource *resources, size_t count)
{
	struct registry *registry = work->engine->registry;
	struct object *object = work->object;

	for (size_t i = 0; i < count; i++) {
		struct foreign foreign = foreign_of(object->kind, &resources[i]);
		const struct object *holder = registry_find_id(
				registry, object->target, object->kind, foreign.id);

		if (foreign.name && !(holder && holder->ours))
			registry_foreign_put(registry, object->target, &foreign);
	}
	object->read_wanted = false;
	object->looked_up = true;
	work->stage = STAGE_END;
}

static void found(struct work *work, const struct resource *resource)
{
	struct object *object = work->object;
	struct foreign foreign = foreign_of(object->kind, resource);
	const struct object *holder = registry_find_id(
			work->engine->registry, object->target, object->kind, foreign.id);

	/* What is ours under its entry's key is never taken over by a mere name. */
	if (holder && holder != object && holder->ours) {
		object->read_wanted = false;
		object->looked_up = true;
		work->stage = STAGE_END;
		return;
	}
	if (object->named_only) {
		registry_bind(work->engine->registry, object, foreign.id);
		registry_set_field(work->engine->registry, object,
				principal_name_field(object->kind), foreign.name);
	} else if (foreign.name) {
		registry_foreign_put(work->engine->registry, object->target, &foreign);
	}
	work->asked_id = object->id ? object->id : foreign.id;
	read_principal(work);
}

/* The account has a group of that name, which the plan will say: there is nothing more to look for. */
static bool found_in_account(struct work *work, const struct resource *resource)
{
	struct registry *registry = work->engine->registry;
	struct foreign foreign = foreign_of(PRINCIPAL_GROUP, resource);

	if (!foreign.id || !foreign.name)
		return false;
	if (!registry_find_id(registry, 0, PRINCIPAL_GROUP, foreign.id) &&
			!registry_foreign_by_name(registry, 0, PRINCIPAL_GROUP, foreign.name))
		registry_foreign_put(registry, 0, &foreign);
	work->object->read_wanted = false;
	work->object->looked_up = true;
	records_close_intents(work->engine, work->object, NO_WORKSPACE);
	work->stage = STAGE_END;
	return true;
}

void work_find_answered(struct work *work)
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
		work_retry_later(work, &err);
		work->stage = STAGE_END;
	} else if (work->stage == STAGE_IN_ACCOUNT) {
		if (count == 0 || !found_in_account(work, &resources[0]))
			ask(work);
	} else if (count > 1 && work->object->kind == PRINCIPAL_SERVICE) {
		several_found(work, resources, count);
	} else if (count > 0) {
		found(work, &resources[0]);
	} else if (work->stage == STAGE_BY_EXTERNAL_ID) {
		find_by_name(work);
	} else {
		nothing_found(work);
	}
}
