#include "acl.h"

#include "object.h"

static const struct {
	const char *name, *description;
} permissions[PERMISSION_COUNT_] = {
		[PERMISSION_NONE] = {"UNSPECIFIED", ""},
		[CAN_CREATE] = {"CAN_CREATE", "Can create"},
		[CAN_VIEW_METADATA] = {"CAN_VIEW_METADATA", "Can view metadata"},
		[CAN_EDIT_METADATA] = {"CAN_EDIT_METADATA", "Can edit metadata"},
		[CAN_VIEW] = {"CAN_VIEW", "Can view"},
		[CAN_READ] = {"CAN_READ", "Can read"},
		[CAN_RUN] = {"CAN_RUN", "Can run"},
		[CAN_QUERY] = {"CAN_QUERY", "Can query"},
		[CAN_USE] = {"CAN_USE", "Can use"},
		[CAN_EDIT] = {"CAN_EDIT", "Can edit"},
		[CAN_ATTACH_TO] = {"CAN_ATTACH_TO", "Can attach to"},
		[CAN_RESTART] = {"CAN_RESTART", "Can restart"},
		[CAN_MONITOR] = {"CAN_MONITOR", "Can monitor"},
		[CAN_MANAGE_RUN] = {"CAN_MANAGE_RUN", "Can manage runs"},
		[CAN_MANAGE_STAGING_VERSIONS] = {"CAN_MANAGE_STAGING_VERSIONS",
				"Can manage staging versions"},
		[CAN_MANAGE_PRODUCTION_VERSIONS] = {"CAN_MANAGE_PRODUCTION_VERSIONS",
				"Can manage production versions"},
		[CAN_MANAGE] = {"CAN_MANAGE", "Can manage"},
		[IS_OWNER] = {"IS_OWNER", "Is owner"},
};

const char *permission_name(enum permission level)
{
	return permissions[level].name;
}

const char *permission_description(enum permission level)
{
	return permissions[level].description;
}

enum permission permission_parse(const char *name)
{
	for (int level = PERMISSION_NONE + 1; level < PERMISSION_COUNT_; level++) {
		if (strcmp(permissions[level].name, name) == 0)
			return (enum permission)level;
	}
	return PERMISSION_NONE;
}

struct ace *aces_find(const struct aces *aces, const struct principal *who)
{
	for (vec_each (aces, ace)) {
		if (ace->who == who)
			return ace;
	}
	return NULL;
}

void aces_set(struct aces *aces, struct principal *who, enum permission level)
{
	struct ace *ace = aces_find(aces, who);

	if (ace)
		ace->level = level;
	else
		*vec_add(aces) = (struct ace){who, level};
}

void aces_copy(struct aces *to, const struct aces *from)
{
	*to = (struct aces){0};
	for (vec_each (from, ace))
		*vec_add(to) = *ace;
}

bool acl_knows(const struct state *state, const struct workspace *workspace,
		const struct principal *who)
{
	return !who->deleted && who->system != SYSTEM_ACCOUNT_USERS &&
			workspace_sees(state, workspace, who);
}

/* Whether who is an admin itself or by one of the groups above it; those may be nested no deeper than this. */
static bool reaches_admin(
		const struct workspace *workspace, const struct principal *who, int layers_left)
{
	if (seat_level(who, workspace) == LEVEL_ADMIN)
		return true;
	for (vec_each (&who->parents, link)) {
		if (link->other == workspace->admins)
			return true;
		if (layers_left && reaches_admin(workspace, link->other, layers_left - 1))
			return true;
	}
	return false;
}

bool acl_is_admin(const struct workspace *workspace, const struct principal *who)
{
	return who == workspace->admins || reaches_admin(workspace, who, NESTING_MAX);
}

static bool is_below(const struct principal *who, const struct principal *group, int layers_left)
{
	if (who == group)
		return true;
	for (vec_each (&who->parents, link)) {
		if (link->other == group ||
				(layers_left && is_below(link->other, group, layers_left - 1)))
			return true;
	}
	return false;
}

bool acl_is_in_group(const struct state *state, const struct workspace *workspace,
		const struct principal *who, const struct principal *group)
{
	if (group == workspace->admins)
		return acl_is_admin(workspace, who);
	if (group == workspace->users)
		return workspace_sees(state, workspace, who);
	return is_below(who, group, NESTING_MAX);
}

static bool reaches_entitlement(const struct workspace *workspace, const struct principal *who,
		uint32_t bit, int layers_left)
{
	const struct seat *seat = seat_find(who, workspace);

	if (seat && (seat->entitlements & bit))
		return true;
	for (vec_each (&who->parents, link)) {
		if (layers_left &&
				reaches_entitlement(workspace, link->other, bit, layers_left - 1))
			return true;
	}
	return false;
}

bool acl_has_entitlement(const struct state *state, const struct workspace *workspace,
		const struct principal *who, const char *entitlement)
{
	uint32_t bit = entitlement_bit(entitlement);

	if (acl_is_admin(workspace, who) || reaches_entitlement(workspace, who, bit, NESTING_MAX))
		return true;
	return workspace_sees(state, workspace, who) &&
			reaches_entitlement(workspace, workspace->users, bit, 0);
}

static struct holding *holding_of(struct holdings *holdings, struct principal *who)
{
	struct holding *fresh;

	for (vec_each (holdings, holding)) {
		if (holding->who == who)
			return holding;
	}
	fresh = vec_add(holdings);
	*fresh = (struct holding){.who = who};
	return fresh;
}

/* A level that this type does not have is not inherited. */
static void inherit(struct holdings *holdings, const struct object *object, struct principal *who,
		enum permission level, const char *from)
{
	uint32_t levels = object_type(object)->levels | PERMISSION_BIT(CAN_MANAGE);
	struct holding *holding;
	struct inherited *inherited;

	if (!(levels & PERMISSION_BIT(level)))
		return;
	holding = holding_of(holdings, who);
	inherited = vec_add(&holding->inherited);
	*inherited = (struct inherited){.level = level};
	(void)snprintf(inherited->from, sizeof(inherited->from), "%s", from);
}

static void name_source(const struct object *source, bool root_as_zero, char ret[static 64])
{
	bool root = source->kind == OBJECT_DIRECTORY && !source->parent;

	(void)snprintf(ret, 64, "/%s/%s", object_type(source)->type,
			root && !root_as_zero ? "" : source->id);
}

static void gather_above(const struct state *state, const struct workspace *workspace,
		const struct object *object, bool root_as_zero, struct holdings *ret)
{
	char from[64];

	for (const struct object *at = object; at; at = at->parent) {
		const struct object *source = at == object && at->parent ? at->parent : at;

		name_source(source, root_as_zero, from);
		if (at->home_of && acl_knows(state, workspace, at->home_of))
			inherit(ret, object, at->home_of, CAN_MANAGE, from);
		for (size_t i = 0; at != object && i < at->acl.count; i++) {
			const struct ace *ace = &at->acl.items[i];

			if (acl_knows(state, workspace, ace->who))
				inherit(ret, object, ace->who, ace->level, from);
		}
	}
}

/* Token rights and password rights have no root; roots and what hangs in a folder get admins from the folders. */
static bool has_type_root(const struct object *object)
{
	return !object->parent && object->kind != OBJECT_DIRECTORY &&
			object->kind != OBJECT_TOKENS && object->kind != OBJECT_PASSWORDS &&
			strcmp(object->id, "root") != 0;
}

static void move_admins_last(const struct workspace *workspace, struct holdings *holdings)
{
	for (size_t i = 0; i + 1 < holdings->count; i++) {
		if (holdings->items[i].who == workspace->admins) {
			struct holding admins = holdings->items[i];

			memmove(&holdings->items[i], &holdings->items[i + 1],
					(holdings->count - i - 1) * sizeof(admins));
			holdings->items[holdings->count - 1] = admins;
			return;
		}
	}
}

void acl_gather(const struct state *state, const struct workspace *workspace,
		const struct object *object, bool root_as_zero, struct holdings *ret)
{
	char from[64];

	*ret = (struct holdings){0};
	for (vec_each (&object->acl, ace)) {
		if (acl_knows(state, workspace, ace->who))
			holding_of(ret, ace->who)->direct = ace->level;
	}
	gather_above(state, workspace, object, root_as_zero, ret);
	if (has_type_root(object)) {
		/* Policies call their root so. */
		(void)snprintf(from, sizeof(from), "/%s/%s", object_type(object)->type,
				object->kind == OBJECT_CLUSTER_POLICY ? "cluster-policies" : "");
		inherit(ret, object, workspace->admins, CAN_MANAGE, from);
	}
	move_admins_last(workspace, ret);
}

void holdings_release(struct holdings *holdings)
{
	for (vec_each (holdings, holding))
		vec_release(&holding->inherited);
	vec_release(holdings);
}

enum permission acl_effective(const struct state *state, const struct workspace *workspace,
		const struct object *object, const struct principal *who)
{
	struct holdings holdings;
	enum permission highest = acl_is_admin(workspace, who) ? CAN_MANAGE : PERMISSION_NONE;

	acl_gather(state, workspace, object, false, &holdings);
	for (vec_each (&holdings, holding)) {
		if (!acl_is_in_group(state, workspace, who, holding->who))
			continue;
		highest = holding->direct > highest ? holding->direct : highest;
		for (vec_each (&holding->inherited, inherited))
			highest = inherited->level > highest ? inherited->level : highest;
	}
	holdings_release(&holdings);
	return highest;
}

struct principal *acl_owner(const struct state *state, const struct workspace *workspace,
		const struct object *object)
{
	for (vec_each (&object->acl, ace)) {
		if (ace->level == IS_OWNER && acl_knows(state, workspace, ace->who))
			return ace->who;
	}
	return NULL;
}
