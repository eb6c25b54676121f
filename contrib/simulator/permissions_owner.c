/*
 * Who may own: the rules of IS_OWNER. Declared in permissions.h and permissions_change.h.
 */
#include "permissions_change.h"

static size_t count_owners(const struct change *change, const struct aces *aces)
{
	size_t count = 0;

	for (vec_each (aces, ace)) {
		if (ace->level == IS_OWNER &&
				acl_knows(change->call->state, change->call->place, ace->who))
			count++;
	}
	return count;
}

static bool refuse_owners(struct change *change)
{
	const char *word = change->object->kind == OBJECT_JOB     ? "job"
			: change->object->kind == OBJECT_PIPELINE ? "pipeline"
								  : "warehouse";
	bool strange = !change->request->put && !change->old_owner &&
			api_quirk(change->call, QUIRK_ACL_OWNERLESS_500);

	return api_refuse(change->call, strange ? 500 : 400,
			strange ? "INTERNAL_ERROR" : "INVALID_PARAMETER_VALUE",
			"The %s must have exactly one owner.", word);
}

static bool refuse_ownerless_warehouse(struct change *change)
{
	return api_refuse_value(change->call,
			"PUT requests for warehouse %s with no existing owner must provide "
			"a new "
			"owner.",
			change->object->id);
}

static bool check_put_owner(struct change *change)
{
	size_t owners = count_owners(change, &change->after);

	if (change->object->kind != OBJECT_WAREHOUSE)
		return owners == 1 || refuse_owners(change);
	if (owners > 1)
		return refuse_owners(change);
	if (!change->old_owner) {
		bool refused = api_quirk(change->call, QUIRK_WAREHOUSE_TOGGLE) ? owners == 1
									       : owners == 0;

		return !refused || refuse_ownerless_warehouse(change);
	}
	if (owners == 0)
		aces_set(&change->after, change->old_owner, IS_OWNER);
	return true;
}

static bool names_principal(const struct change *change, const struct principal *who)
{
	for (vec_each (&change->entries, entry)) {
		if (entry->who == who)
			return true;
	}
	return false;
}

static bool check_patch_owner(struct change *change)
{
	size_t owners;

	if (change->entries.count == 0)
		return true;
	owners = count_owners(change, &change->after);
	if (owners == 2 && change->old_owner && !names_principal(change, change->old_owner) &&
			api_quirk(change->call, QUIRK_OWNER_MOVES)) {
		aces_set(&change->after, change->old_owner, CAN_MANAGE);
		owners = 1;
	}
	if (owners == 1 ||
			(owners == 0 && change->old_owner &&
					api_quirk(change->call, QUIRK_OWNER_LOWERED)))
		return true;
	/* Nothing is known of a warehouse's: it may go on without. */
	if (owners == 0 && !change->old_owner && change->object->kind == OBJECT_WAREHOUSE)
		return true;
	return refuse_owners(change);
}

static const struct principal *owner_after(const struct change *change)
{
	for (vec_each (&change->after, ace)) {
		if (ace->level == IS_OWNER &&
				acl_knows(change->call->state, change->call->place, ace->who))
			return ace->who;
	}
	return NULL;
}

bool permissions_admins_restricted(const struct api_call *call)
{
	struct sim *sim = call->request->sim;

	if (api_quirk(call, QUIRK_RESTRICT_ADMINS))
		return true;
	return sim->hooks.admins_restricted && sim->hooks.admins_restricted(sim, call->place);
}

/* Who may make whom the owner. */
static bool check_transfer(struct change *change)
{
	struct api_call *call = change->call;
	const struct principal *caller = change->request->caller, *owner = owner_after(change);

	if (!owner || owner == change->old_owner || !caller)
		return true;
	if (!acl_is_admin(call->place, caller))
		return api_refuse(call, 403, "PERMISSION_DENIED",
				"Only workspace admins can change the owner of a %s",
				object_type(change->object)->answer_type);
	if (owner != caller && permissions_admins_restricted(call))
		return api_refuse(call, 403, "PERMISSION_DENIED",
				"Workspace admins can change the owner to themselves only");
	if (change->object->kind == OBJECT_WAREHOUSE && api_quirk(call, QUIRK_WAREHOUSE_ENTITLED) &&
			!acl_has_entitlement(
					call->state, call->place, owner, "allow-cluster-create"))
		return api_refuse_value(call,
				"%s cannot own a SQL warehouse: entitlement allow-cluster-create "
				"is missing",
				principal_text(owner));
	return true;
}

bool change_check_owner(struct change *change)
{
	if (!(object_type(change->object)->levels & PERMISSION_BIT(IS_OWNER)))
		return true;
	if (change->request->put ? !check_put_owner(change) : !check_patch_owner(change))
		return false;
	return check_transfer(change);
}
