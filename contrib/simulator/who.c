#include "who.h"

#include "acl.h"

bool who_is_admin(const struct workspace *workspace, const struct principal *who)
{
	return acl_is_admin(workspace, who);
}

static bool has_role(const struct principal *who, const char *role, int left)
{
	if (texts_contain(&who->roles, role))
		return true;
	for (vec_each (&who->parents, link)) {
		if (left && has_role(link->other, role, left - 1))
			return true;
	}
	return false;
}

bool who_is_account_admin(const struct principal *who)
{
	return has_role(who, "account_admin", NESTING_MAX);
}

bool who_may_enter(const struct state *state, const struct workspace *workspace,
		const struct principal *who)
{
	const struct seat *seat = seat_find(who, workspace);

	return who->active && !who->deleted && workspace_sees(state, workspace, who) &&
			!(seat && seat->inactive);
}

static bool is_below(const struct principal *who, const struct principal *group, int left)
{
	for (vec_each (&who->parents, link)) {
		if (link->other == group || (left && is_below(link->other, group, left - 1)))
			return true;
	}
	return false;
}

bool who_is_below(const struct principal *who, const struct principal *group)
{
	return group->system == SYSTEM_ACCOUNT_USERS ? who->kind != KIND_GROUP
						     : is_below(who, group, NESTING_MAX);
}

const char *who_name(const struct principal *who)
{
	return who->kind == KIND_GROUP ? who->display_name : who->name;
}
