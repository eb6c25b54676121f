/*
 * Changes of ACLs: read as a whole, checked, then in effect. Declared in permissions.h.
 */
#include "permissions_change.h"

static bool refuse_level(struct change *change, const char *name)
{
	const struct object_type *type = object_type(change->object);
	char valid[400] = "";
	size_t len = 0;

	for (unsigned level = 1; level < PERMISSION_COUNT_; level++) {
		if (type->levels & PERMISSION_BIT(level))
			len += (size_t)snprintf(valid + len, sizeof(valid) - len, "%s%s",
					len ? ", " : "", permission_name((enum permission)level));
	}
	return api_refuse_value(change->call,
			"Invalid permission level %s for object type %s; valid levels are: %s",
			name, type->answer_type, valid);
}

/* Queries, alerts and legacy dashboards had a level of this name. */
static bool has_old_view(const struct object *object)
{
	return object->kind == OBJECT_QUERY || object->kind == OBJECT_ALERT ||
			object->kind == OBJECT_LEGACY_DASHBOARD;
}

static bool read_level(struct change *change, const json_t *item, enum permission *ret)
{
	const char *name = json_string_value(json_object_get(item, "permission_level"));
	enum permission level = name ? permission_parse(name) : PERMISSION_NONE;

	if (level == CAN_VIEW && has_old_view(change->object))
		level = CAN_READ;
	*ret = level;
	if (level != PERMISSION_NONE &&
			((object_type(change->object)->levels & PERMISSION_BIT(level)) ||
					api_quirk(change->call, QUIRK_ACL_ANY_LEVEL)))
		return true;
	return refuse_level(change, name ? name : "UNSPECIFIED");
}

/* Admins keep what they have; a group owns nothing; token rights are managed by admins alone. */
static bool check_entry(struct change *change, const struct entry *entry)
{
	struct api_call *call = change->call;
	bool admins = entry->who == call->place->admins;
	uint32_t levels = object_type(change->object)->levels;

	if (admins && entry->level != CAN_MANAGE && (levels & PERMISSION_BIT(CAN_MANAGE)))
		return api_refuse_value(call, "Cannot change permissions for group 'admins' to %s.",
				permission_name(entry->level));
	if (entry->level == IS_OWNER && entry->who->kind == KIND_GROUP &&
			!api_quirk(call, QUIRK_ACL_GROUP_OWNER))
		return api_refuse_value(call, "Group %s cannot be the owner of a %s",
				entry->who->display_name, object_type(change->object)->answer_type);
	if (!admins && change->object->kind == OBJECT_TOKENS && entry->level == CAN_MANAGE)
		return api_refuse_value(
				call, "CAN_MANAGE on tokens can be granted to group 'admins' only");
	return true;
}

static bool read_entry(struct change *change, const json_t *item)
{
	struct entry entry;

	if (!read_level(change, item, &entry.level))
		return false;
	entry.who = change_read_principal(change, item);
	if (!entry.who || !check_entry(change, &entry))
		return false;
	if (api_quirk(change->call, QUIRK_ACL_AMBIGUOUS)) {
		for (vec_each (&change->entries, other)) {
			if (other->who != entry.who)
				continue;
			return api_refuse_value(change->call,
					"Permissions being set for %s(%s) are ambiguous",
					principal_word(entry.who), principal_text(entry.who));
		}
	}
	*vec_add(&change->entries) = entry;
	return true;
}

static bool read_entries(struct change *change)
{
	const json_t *list = change->request->list;
	size_t i;
	json_t *item;

	if (list && !json_is_null(list) && !json_is_array(list))
		return api_refuse(change->call, 400, "MALFORMED_REQUEST",
				"access_control_list must be an array");
	if (json_array_size(list) > ACL_ENTRIES_MAX)
		return api_refuse_value(change->call,
				"access_control_list has more than %d entries", ACL_ENTRIES_MAX);
	json_array_foreach(list, i, item)
	{
		if (!read_entry(change, item))
			return false;
	}
	return true;
}

/* The admins' right on most objects comes from above and is not set again. */
static bool has_admins_directly(const struct change *change)
{
	return change->object->kind == OBJECT_PASSWORDS ||
			aces_find(&change->object->acl, change->call->place->admins);
}

static void merge_entries(struct change *change)
{
	for (vec_each (&change->entries, entry)) {
		if (entry->who != change->call->place->admins || has_admins_directly(change))
			aces_set(&change->after, entry->who, entry->level);
	}
}

static bool refuse_root(struct change *change)
{
	if (change->object->kind == OBJECT_DIRECTORY)
		(void)api_refuse_value(change->call,
				"Cannot remove admins's CAN_MANAGE permission on %s",
				change->object->id);
	else
		(void)api_refuse_value(change->call,
				"Cannot change permissions for group 'admins' to None.");
	return false;
}

/* Where admins stand directly, a PUT must name them. */
static bool check_admins(struct change *change)
{
	struct principal *admins = change->call->place->admins;

	if (change->object->kind == OBJECT_PASSWORDS || !has_admins_directly(change) ||
			aces_find(&change->after, admins))
		return true;
	if (change->object->kind != OBJECT_FEATURE_TABLE)
		return refuse_root(change);
	aces_set(&change->after, admins, CAN_MANAGE);
	return true;
}

/* An experiment of a notebook takes its rights from there. */
static bool check_notebook(struct change *change)
{
	const struct object *parent = change->object->parent;

	if (change->object->kind != OBJECT_EXPERIMENT || !parent || parent->kind != OBJECT_NOTEBOOK)
		return true;
	return api_refuse_value(change->call,
			"Setting permissions on experiments created from notebooks is not "
			"supported; set them on the notebook");
}

static void commit(struct change *change)
{
	struct aces before = change->object->acl;

	change->object->acl = change->after;
	change->after = before;
}

/* Who loses the right to use tokens loses the tokens. */
static void commit_tokens(struct change *change)
{
	static const enum kind kinds[] = {KIND_USER, KIND_SP};
	struct api_call *call = change->call;
	struct sim *sim = call->request->sim;
	struct principals had = {0};

	for (size_t i = 0; sim->hooks.tokens_lost && i < COUNT_OF(kinds); i++) {
		for (vec_each (workspace_list(call->state, call->place, kinds[i]), who)) {
			if (permissions_may_use_tokens(call->state, call->place, *who))
				*vec_add(&had) = *who;
		}
	}
	commit(change);
	for (vec_each (&had, who)) {
		if (!permissions_may_use_tokens(call->state, call->place, *who))
			sim->hooks.tokens_lost(sim, call->place, *who);
	}
	vec_release(&had);
}

static bool make_change(struct change *change)
{
	bool good = check_notebook(change) && read_entries(change);

	if (!good && (change->request->put || !api_quirk(change->call, QUIRK_ACL_PARTIAL)))
		return false;
	if (!change->request->put)
		aces_copy(&change->after, &change->object->acl);
	merge_entries(change);
	if ((change->request->put && !check_admins(change)) || !change_check_owner(change))
		return false;
	if (change->object->kind == OBJECT_TOKENS)
		commit_tokens(change);
	else
		commit(change);
	return good;
}

bool permissions_change(struct api_call *call, const struct acl_request *request)
{
	struct change change = {
			.call = call,
			.request = request,
			.object = request->object,
			.old_owner = acl_owner(call->state, call->place, request->object),
	};
	bool good = make_change(&change);

	vec_release(&change.entries);
	vec_release(&change.after);
	return good;
}
