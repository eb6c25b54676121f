/*
 * settle -- what an answer or a read means for what we hold of an object. No calls are made here.
 *
 * Reads lag and lie: inside READ_LAG_NS after a write of ours the write is the truth, and what
 * differs counts only when two reads agree on it.
 */
#include "sync/access/item.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "model/account_role.h"

/* A principal that is fresh may be dropped at first; what is dropped again waits longer each time. */
#define REFUSED_FIRST_NS (5 * SECOND_NS)
#define REFUSED_DOUBLINGS 7

static const char *target_name(const struct engine *engine, unsigned target)
{
	return engine->settings->targets[target].name;
}

static void take_fields(struct engine *engine, struct object *object, const struct operation *op)
{
	for (size_t i = 0; i < op->field_count; i++)
		registry_set_field(
				engine->registry, object, op->fields[i].field, op->fields[i].after);
}

/* What the service made of our values (userName in lower case, say) is what later reads will show.
 */
static void take_answer(struct engine *engine, struct object *object, const struct resource *answer)
{
	for (unsigned field = 0; answer && field < FIELD_COUNT_; field++) {
		if (answer->fields[field])
			registry_set_field(engine->registry, object, (enum field)field,
					answer->fields[field]);
	}
}

static void become_ours(struct engine *engine, struct object *object, const struct operation *op,
		uint64_t id)
{
	const struct object *former =
			registry_find_id(engine->registry, object->target, object->kind, id);

	if (op->kind == OP_CREATE)
		object->origin = ORIGIN_CREATED;
	else if (former && former->ours)
		object->origin = former->origin;
	else
		object->origin = ORIGIN_ADOPTED;
	registry_bind(engine->registry, object, id);
	object->ours = true;
	object->named_only = false;
	object->active = true;
	object->left_ms = 0;
	if (op->kind == OP_CREATE)
		object->actual_known = true;
	/* Grants that came over from a grant's own record now hang on this one. */
	records_principal(engine, object);
	for (vec_each (&object->grants, grant))
		records_grant(engine, object, grant, true);
}

/* What it already was, as the list showed it. */
static void take_foreign(
		struct engine *engine, struct object *object, const char *name, uint64_t id)
{
	const struct foreign *foreign = name ? registry_foreign_by_name(engine->registry,
							       object->target, object->kind, name)
					     : NULL;
	const struct want *want = object->node == NODE_NONE
			? NULL
			: desired_want(engine->desired, object->node);
	const char *fields[FIELD_COUNT_] = {NULL};
	bool several;

	if (name && !foreign && object->kind == PRINCIPAL_SERVICE)
		foreign = registry_foreign_service(
				engine->registry, object->target, name, &several);
	if (!foreign || foreign->id != id)
		return;
	registry_set_field(engine->registry, object, principal_name_field(object->kind),
			foreign->name);
	fields[FIELD_DISPLAY_NAME] = foreign->display_name;
	fields[FIELD_EXTERNAL_ID] = foreign->external_id;
	/* Names that no rule sets are somebody else's to change. */
	if (want && want->identity) {
		fields[FIELD_GIVEN_NAME] = want->identity->fields[FIELD_GIVEN_NAME]
				? foreign->given_name
				: NULL;
		fields[FIELD_FAMILY_NAME] = want->identity->fields[FIELD_FAMILY_NAME]
				? foreign->family_name
				: NULL;
	}
	for (unsigned field = 0; field < FIELD_COUNT_; field++) {
		if (fields[field] && !object->fields[field])
			registry_set_field(
					engine->registry, object, (enum field)field, fields[field]);
	}
}

static void settle_new(struct engine *engine, struct object *object, const struct operation *op,
		const struct resource *answer)
{
	uint64_t id = answer && answer->id ? id_parse(answer->id) : 0;
	struct object *former;

	if (!id && op->object.remote_id)
		id = id_parse(op->object.remote_id);
	if (!id)
		return;
	former = registry_find_id(engine->registry, object->target, object->kind, id);
	become_ours(engine, object, op, id);
	if (former && former != object)
		pass_mark(engine, former);
	take_fields(engine, object, op);
	if (op->kind == OP_ADOPT)
		take_foreign(engine, object, op->object.name, id);
	take_answer(engine, object, answer);
	records_principal(engine, object);
}

static void settle_members(struct engine *engine, struct object *group, const struct operation *op)
{
	bool adds = op->kind == OP_ADD_MEMBERS;

	for (size_t i = 0; i < op->member_count; i++) {
		uint64_t id = op->members[i].remote_id ? id_parse(op->members[i].remote_id) : 0;
		bool changed;

		if (!id)
			continue;
		changed = adds ? ids_add(&group->members, id) : ids_remove(&group->members, id);
		if (group->actual_known)
			(void)(adds ? ids_add(&group->actual, id) : ids_remove(&group->actual, id));
		if (changed)
			records_member(engine, group, id, adds);
	}
}

static void settle_assignment(
		struct engine *engine, struct object *object, const struct operation *op)
{
	const char *former = op->values_before ? op->values_before[0] : NULL;
	const struct held_grant *held = object_grant(object, op->target, GRANT_ASSIGNMENT, NULL);
	struct held_grant grant = {op->target, GRANT_ASSIGNMENT, op->values[0], former};

	if (op->kind == OP_ASSIGN) {
		/* Raised twice: what was there before our first one is what comes back. */
		if (held)
			grant.former = held->former;
		records_grant(engine, object, &grant, true);
		object_put_grant(object, &grant);
		inventory_set_level(engine, op->target, object->id, op->values[0]);
	} else {
		records_grant(engine, object, &grant, false);
		object_drop_grant(object, op->target, GRANT_ASSIGNMENT, NULL);
		inventory_set_level(engine, op->target, object->id, former);
	}
}

static void settle_values(struct engine *engine, struct object *object, const struct operation *op)
{
	bool adds = op->kind == OP_ADD_ENTITLEMENTS || op->kind == OP_ADD_ROLES;
	bool roles = op->kind == OP_ADD_ROLES || op->kind == OP_REMOVE_ROLES;

	for (size_t i = 0; i < op->value_count; i++) {
		struct held_grant grant = {op->target, roles ? GRANT_ROLE : GRANT_ENTITLEMENT,
				op->values[i], NULL};

		records_grant(engine, object, &grant, adds);
		if (adds) {
			object_put_grant(object, &grant);
		} else {
			object_drop_grant(object, grant.workspace, grant.kind, grant.value);
			object_unsee(object, &grant);
		}
	}
}

/* Who is deleted in Databricks is in no group there any more; the store knows that by itself. */
static void leave_groups(struct engine *engine, const struct object *object)
{
	bool account = engine->settings->has_account && object->target == 0;

	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		struct object *group = registry_at(engine->registry, i);

		if ((group->target != object->target && !account) || group->kind != PRINCIPAL_GROUP)
			continue;
		(void)ids_remove(&group->members, object->id);
		(void)ids_remove(&group->actual, object->id);
	}
}

static void settle_end(struct engine *engine, struct object *object)
{
	leave_groups(engine, object);
	/* Nor is there anything to adopt, should the list have shown it. */
	registry_foreign_drop(engine->registry, object->target, object->kind, object->id);
	object->looked_up = false;
	object->ours = false;
	records_principal(engine, object);
	registry_unbind(engine->registry, object);
}

void settle_write(struct engine *engine, struct object *object, const struct operation *op,
		const struct resource *answer)
{
	object->written_ns = clock_monotonic_ns();
	switch (op->kind) {
	case OP_CREATE:
	case OP_ADOPT:
		settle_new(engine, object, op, answer);
		break;
	case OP_UPDATE:
	case OP_DEACTIVATE:
		take_fields(engine, object, op);
		object->active = op->active_after;
		if (op->active_after)
			object->left_ms = 0;
		records_principal(engine, object);
		break;
	case OP_DELETE:
		access_principal_gone(engine->access, object);
		settle_end(engine, object);
		break;
	case OP_FORGET:
		settle_end(engine, object);
		break;
	case OP_ADD_MEMBERS:
	case OP_REMOVE_MEMBERS:
		settle_members(engine, object, op);
		break;
	case OP_ASSIGN:
	case OP_UNASSIGN:
		settle_assignment(engine, object, op);
		break;
	case OP_ADD_ENTITLEMENTS:
	case OP_REMOVE_ENTITLEMENTS:
	case OP_ADD_ROLES:
	case OP_REMOVE_ROLES:
		settle_values(engine, object, op);
		break;
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

/* ---- reads ---- */

/* Of its own, or through a group that it is in. */
static bool has_role(const struct resource *resource, const char *role)
{
	for (size_t i = 0; i < resource->role_count; i++) {
		if (text_equal(resource->roles[i], role))
			return true;
	}
	for (size_t i = 0; i < resource->inherited_role_count; i++) {
		if (text_equal(resource->inherited_roles[i], role))
			return true;
	}
	return false;
}

static bool field_differs(
		const struct object *object, const struct resource *resource, enum field field)
{
	const char *held = object->fields[field], *read = resource->fields[field];

	if (!held)
		return false; /* never ours to say */
	return field == FIELD_USER_NAME ? !text_equal_folded(held, read) : !text_equal(held, read);
}

/* A digest of how a read differs from what is ours; 0: it does not. */
static uint64_t difference(const struct object *object, const struct resource *resource,
		const struct ids *actual)
{
	struct digest *digest = digest_new();
	char hex[DIGEST_HEX_SIZE];
	bool differs = false;

	for (unsigned field = 0; field < FIELD_COUNT_; field++) {
		if (!field_differs(object, resource, (enum field)field))
			continue;
		differs = true;
		digest_add_text(digest, field_name((enum field)field));
		digest_add_text(digest, resource->fields[field] ? resource->fields[field] : "");
	}
	if (resource->has_active && resource->active != object->active) {
		differs = true;
		digest_add_text(digest, resource->active ? "active" : "inactive");
	}
	for (size_t i = 0; resource->has_members && i < object->members.count; i++) {
		if (ids_contain(actual, object->members.items[i]))
			continue;
		differs = true;
		digest_add(digest, &object->members.items[i], sizeof(object->members.items[i]));
	}
	digest_finish(digest, hex);
	return differs ? digest_quick(span_of(hex)) | 1 : 0;
}

static void collect_members(const struct resource *resource, struct ids *ret)
{
	ids_expect(ret, resource->member_count);
	for (size_t i = 0; i < resource->member_count; i++) {
		uint64_t id = id_parse(resource->members[i].id);

		if (id)
			ids_append(ret, id);
	}
	ids_sort(ret);
}

/*
 * Members of ours that are not there: somebody took them out, or Databricks never took them in. Soon after the write reads
 * may miss what is there: then they stay ours, so that they are taken out when they leave, and are looked at once more
 * when they are tried again.
 */
static void drop_missing_members(
		struct engine *engine, struct object *group, const struct ids *actual)
{
	bool lagging = group->verify && group->written_ns &&
			clock_monotonic_ns() - group->written_ns < READ_LAG_NS;
	struct ids missing = {0};

	for (size_t i = 0; i < group->members.count; i++) {
		if (!ids_contain(actual, group->members.items[i]))
			ids_append(&missing, group->members.items[i]);
	}
	for (size_t i = 0; !lagging && i < missing.count; i++) {
		(void)ids_remove(&group->members, missing.items[i]);
		records_member(engine, group, missing.items[i], false);
	}
	if (missing.count && lagging) {
		for (size_t i = 0; i < missing.count; i++)
			(void)ids_add(&group->refused, missing.items[i]);
		group->refused_until_ns =
				clock_monotonic_ns() + (REFUSED_FIRST_NS << group->refusals);
		if (group->refusals < REFUSED_DOUBLINGS)
			group->refusals++;
		engine_tick_at(engine, group->refused_until_ns);
		log_event(LOG_WARNING,
				"Databricks answered with success but did not take these members; "
				"tried again later",
				{"group", object_name(group)},
				{"target", target_name(engine, group->target)},
				{"count", log_int(missing.count)});
	}
	ids_release(&missing);
}

static void take_read(struct engine *engine, struct object *object, const struct resource *resource,
		const struct ids *actual)
{
	for (unsigned field = 0; field < FIELD_COUNT_; field++) {
		if (field_differs(object, resource, (enum field)field))
			registry_set_field(engine->registry, object, (enum field)field,
					resource->fields[field]);
	}
	if (resource->has_active)
		object->active = resource->active;
	if (resource->has_members)
		drop_missing_members(engine, object, actual);
	records_principal(engine, object);
}

static void remember_actual(
		struct object *object, const struct resource *resource, struct ids *actual)
{
	object->powerful = has_role(resource, ROLE_ACCOUNT_ADMIN);
	if (!resource->has_members)
		return;
	ids_release(&object->actual);
	object->actual = *actual;
	*actual = (struct ids){0};
	object->actual_known = true;
}

bool settle_read(struct engine *engine, struct object *object, const struct resource *resource)
{
	uint64_t now = clock_monotonic_ns();
	bool fresh_write = object->written_ns && now - object->written_ns < READ_LAG_NS &&
			!object->verify;
	struct ids actual = {0};
	uint64_t digest;

	collect_members(resource, &actual);
	digest = object->ours ? difference(object, resource, &actual) : 0;
	if (digest && !fresh_write && object->suspect != digest) {
		object->suspect = digest;
		ids_release(&actual);
		return false;
	}
	if (digest && !fresh_write) {
		if (!object->verify)
			log_event(LOG_NOTICE, "drift: changed in Databricks by another hand",
					{"kind", principal_kind_name(object->kind)},
					{"principal", pass_name(engine, object)},
					{"target", target_name(engine, object->target)});
		take_read(engine, object, resource, &actual);
	}
	/* Of somebody else's principal only the name counts: grants go by it. */
	if (object->named_only && object->id &&
			resource->fields[principal_name_field(object->kind)])
		registry_set_field(engine->registry, object, principal_name_field(object->kind),
				resource->fields[principal_name_field(object->kind)]);
	object->suspect = 0;
	if (object->verify && !digest)
		object->refusals = 0;
	object->verify = false;
	if (!digest || !fresh_write)
		remember_actual(object, resource, &actual);
	ids_release(&actual);
	return true;
}

void settle_gone(struct engine *engine, struct object *object)
{
	log_event(LOG_NOTICE, "drift: deleted in Databricks by another hand",
			{"kind", principal_kind_name(object->kind)},
			{"principal", pass_name(engine, object)},
			{"target", target_name(engine, object->target)});
	access_principal_gone(engine->access, object);
	settle_end(engine, object);
}

static bool seen_contains(const struct seen_grants *seen, const struct held_grant *grant)
{
	size_t count = grant->kind == GRANT_ROLE ? seen->role_count : seen->entitlement_count;

	for (size_t i = 0; i < count; i++) {
		if (text_equal((grant->kind == GRANT_ROLE ? seen->roles : seen->entitlements)[i],
				    grant->value))
			return true;
	}
	return false;
}

void settle_seen(struct engine *engine, struct object *object, unsigned workspace,
		const struct resource *resource)
{
	bool fresh_write = object->written_ns &&
			clock_monotonic_ns() - object->written_ns < READ_LAG_NS;
	const struct seen_grants *seen;

	if (resource)
		object_set_seen(object, workspace, resource->entitlements,
				resource->entitlement_count, resource->roles, resource->role_count);
	else
		object_set_seen(object, workspace, NULL, 0, NULL, 0);
	seen = object_seen(object, workspace);
	for (size_t i = 0; !fresh_write && i < object->grants.count; i++) {
		struct held_grant *grant = &object->grants.items[i];

		if (grant->workspace != workspace || grant->kind == GRANT_ASSIGNMENT ||
				seen_contains(seen, grant))
			continue;
		records_grant(engine, object, grant, false);
		object_drop_grant(object, workspace, grant->kind, grant->value);
		i--;
	}
}
