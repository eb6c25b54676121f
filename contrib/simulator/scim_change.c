#include "scim.h"

#include "base/text.h"
#include "stale.h"

#define PATCH_FAILED "Error in performing the patch operation on group resource."

/* Everything but the links, which may be many and are taken back one by one. */
static struct principal *backup_of(struct principal *who)
{
	struct links members = who->members, parents = who->parents;
	struct principal *copy;

	who->members = who->parents = (struct links){0};
	copy = principal_clone(who);
	who->members = members;
	who->parents = parents;
	return copy;
}

void change_begin(struct change *change, struct request *request, const struct scope *scope,
		struct principal *who)
{
	*change = (struct change){.request = request, .scope = scope, .who = who};
	change->backup = backup_of(who);
}

void change_commit(struct change *change)
{
	struct principal *who = change->who;

	/* The account's word counts in every workspace, and its return does not bring them back. */
	if (change->backup->active && !who->active) {
		for (vec_each (&who->seats, seat))
			(*seat)->inactive = true;
	}
	principal_free(change->backup);
	vec_release(&change->edits);
}

static void restore_seats(struct principal *who, const struct principal *backup)
{
	for (vec_each (&who->seats, item)) {
		struct seat *seat = *item;
		const struct seat *old = seat_find(backup, seat->workspace);

		seat->inactive = old && old->inactive;
		seat->entitlements = old ? old->entitlements : 0;
		texts_release(&seat->roles);
		for (size_t i = 0; old && i < old->roles.count; i++)
			texts_add(&seat->roles, old->roles.items[i]);
	}
}

void change_undo(struct change *change)
{
	struct state *state = change->scope->sim->state;
	struct principal *who = change->who, *backup = change->backup;
	struct texts roles = who->roles;

	while (change->edits.count) {
		struct change_edit edit = change->edits.items[--change->edits.count];

		if (edit.added)
			group_remove_member(state, edit.group, edit.member);
		else
			group_add_member(state, edit.group, edit.member);
	}
	state_set_display_name(state, who, backup->display_name);
	state_set_external_id(state, who, backup->external_id);
	text_replace(&who->given_name, backup->given_name);
	text_replace(&who->family_name, backup->family_name);
	who->active = backup->active;
	who->roles = backup->roles;
	backup->roles = roles;
	restore_seats(who, backup);
	principal_free(backup);
	vec_release(&change->edits);
}

bool change_is_foreign(const struct change *change)
{
	return change->scope->workspace && !change->who->home;
}

bool change_refuse_foreign_group(struct change *change)
{
	if (change->scope->sim->options.quirks[QUIRK_FEDERATED_400])
		return scim_refuse(&change->problem, 400,
				"Members attribute not supported for current workspace.",
				PATCH_FAILED);
	return scim_refuse(&change->problem, 500, NULL, PATCH_FAILED);
}

/* Who may be named as a member here; NULL is dropped without a word, as the service does. */
static struct principal *find_member(const struct change *change, const char *id_text)
{
	struct state *state = change->scope->sim->state;
	uint64_t id;
	struct principal *who = id_parse(id_text, &id) ? state_find_id(state, id) : NULL;

	if (!who || who->system != SYSTEM_NONE)
		return NULL;
	if (change->who->system != SYSTEM_NONE)
		return who->home ? NULL : who;
	return scope_sees(change->scope, who) ? who : NULL;
}

static bool check_nesting(struct change *change, const struct principal *member)
{
	const struct principal *group = change->who;

	if (group_is_below(change->scope->sim->state, member, group))
		return scim_refuse(&change->problem, 400, "invalidValue",
				"Group %s cannot be a member of group %s: they would contain each "
				"other",
				member->id_text, group->id_text);
	if (change->scope->sim->options.quirks[QUIRK_NESTING_LIMIT] &&
			group_layers_above(group) + group_layers_below(member) > NESTING_MAX)
		return scim_refuse(&change->problem, 400, "invalidValue",
				"Group nesting exceeds the limit of %d layers", NESTING_MAX);
	return true;
}

static void edit(struct change *change, struct principal *member, bool add)
{
	struct state *state = change->scope->sim->state;

	if (add)
		group_add_member(state, change->who, member);
	else
		group_remove_member(state, change->who, member);
	*vec_add(&change->edits) = (struct change_edit){change->who, member, add};
}

/* Membership of a workspace's own groups is what assignment makes; it takes effect even if a later step fails. */
static void add_to_system_group(struct change *change, struct principal *member)
{
	struct workspace *home = change->who->home;
	enum level now = seat_level(member, home);
	enum level level = change->who->system == SYSTEM_ADMINS ? LEVEL_ADMIN : LEVEL_USER;

	if (now < level)
		seat_set_level(change->scope->sim->state, member, home, level);
}

static bool add_member(struct change *change, const char *id_text)
{
	struct principal *member = find_member(change, id_text);

	if (!member)
		return true;
	if (change->who->system != SYSTEM_NONE) {
		add_to_system_group(change, member);
		return true;
	}
	if (group_has_member(change->who, member))
		return true;
	if (member->kind == KIND_GROUP && !check_nesting(change, member))
		return false;
	if (member->parents.count >= PARENTS_MAX)
		return scim_refuse(&change->problem, 400, "invalidValue",
				"Principal %s is a member of %d groups, the most there may be",
				member->id_text, PARENTS_MAX);
	edit(change, member, true);
	return true;
}

/* Groups whose members may not be changed by this request at all. */
static bool check_members(struct change *change)
{
	if (change->who->system == SYSTEM_ACCOUNT_USERS)
		return scim_refuse(&change->problem, 403, NULL,
				"PERMISSION_DENIED: Group account users cannot be changed");
	return !change_is_foreign(change) || change_refuse_foreign_group(change);
}

bool change_add_members(struct change *change, const json_t *value)
{
	struct json_texts ids = {0};
	bool good = check_members(change);

	if (good && !json_read_values(value, &ids))
		good = scim_refuse_syntax(&change->problem);
	for (size_t i = 0; good && i < ids.count; i++)
		good = add_member(change, ids.items[i]);
	vec_release(&ids);
	return good;
}

static bool remove_from_system_group(struct change *change, const char *id_text)
{
	struct principal *member = find_member(change, id_text);

	if (change->who->system != SYSTEM_ADMINS)
		return scim_refuse(&change->problem, 400, "invalidValue",
				"Cannot remove members from group users");
	if (member && seat_level(member, change->who->home) == LEVEL_ADMIN)
		seat_set_level(change->scope->sim->state, member, change->who->home, LEVEL_USER);
	return true;
}

static bool remove_one(struct change *change, const char *id_text)
{
	uint64_t id;
	struct principal *member = id_parse(id_text, &id)
			? state_find_id(change->scope->sim->state, id)
			: NULL;

	if (change->who->system != SYSTEM_NONE)
		return remove_from_system_group(change, id_text);
	if (member && group_has_member(change->who, member)) {
		edit(change, member, false);
		return true;
	}
	if (change->scope->sim->options.quirks[QUIRK_STRICT_REMOVE])
		return scim_refuse(&change->problem, 404, "noTarget",
				"Member %s is not in group %s", id_text, change->who->id_text);
	return true;
}

bool change_remove_members(struct change *change, const char *only)
{
	struct principal *group = change->who;

	if (!check_members(change))
		return false;
	if (only)
		return remove_one(change, only);
	if (group->system != SYSTEM_NONE)
		return scim_refuse(&change->problem, 400, "invalidValue",
				"Cannot remove all members from group %s", group->display_name);
	while (group->members.count)
		edit(change, group->members.items[group->members.count - 1].other, false);
	return true;
}

static struct table *set_of(const struct json_texts *ids)
{
	struct table *set = table_new();

	for (size_t i = 0; i < ids->count; i++)
		(void)table_put(set, span_of(ids->items[i]), set);
	return set;
}

/* Whether ids are exactly the members that are there; then nothing would change. */
static bool members_equal(const struct principal *group, const struct json_texts *ids)
{
	struct table *wanted = set_of(ids);
	size_t equal = 0;
	bool result;

	for (vec_each (&group->members, link))
		equal += table_find(wanted, span_of(link->other->id_text)) != NULL;
	result = equal == group->members.count && equal == table_count(wanted);
	table_free(wanted);
	return result;
}

static void drop_unwanted(struct change *change, const struct json_texts *ids)
{
	struct principal *group = change->who;
	struct table *wanted = set_of(ids);

	for (size_t i = group->members.count; i-- > 0;) {
		struct principal *member = group->members.items[i].other;

		if (!table_find(wanted, span_of(member->id_text)))
			edit(change, member, false);
	}
	table_free(wanted);
}

bool change_set_members(struct change *change, const json_t *value)
{
	struct json_texts ids = {0};
	bool good = true;

	if (value && !json_read_values(value, &ids)) {
		good = scim_refuse_syntax(&change->problem);
	} else if (change->who->system == SYSTEM_ACCOUNT_USERS) {
		good = check_members(change);
	} else if (change_is_foreign(change)) {
		good = members_equal(change->who, &ids) || change_refuse_foreign_group(change);
	} else {
		drop_unwanted(change, &ids);
		for (size_t i = 0; good && i < ids.count; i++)
			good = add_member(change, ids.items[i]);
	}
	vec_release(&ids);
	return good;
}

/* Names of groups: one in the account, one in each workspace where they meet others. */
static struct principal *find_group_of_name(const struct change *change, const char *name)
{
	struct state *state = change->scope->sim->state;
	struct principal *other;

	if (change->who->home)
		return workspace_find_group(change->who->home, name);
	other = state_find_text(state, KIND_GROUP, INDEX_DISPLAY, name);
	for (vec_each (&change->who->seats, seat)) {
		if (!other && (*seat)->level != LEVEL_NONE)
			other = workspace_find_group((*seat)->workspace, name);
	}
	return other;
}

bool change_display_name(struct change *change, const char *text)
{
	struct principal *who = change->who, *other;

	if (who->kind != KIND_GROUP) {
		/* Under identity federation the account owns the names; a workspace takes the request and no notice. */
		if (!change_is_foreign(change))
			state_set_display_name(change->scope->sim->state, who, text);
		return true;
	}
	if (text && who->display_name && strcmp(text, who->display_name) == 0)
		return true;
	if (who->system != SYSTEM_NONE)
		return scim_refuse(&change->problem, 403, NULL,
				"PERMISSION_DENIED: Group %s cannot be renamed", who->display_name);
	if (change_is_foreign(change))
		return change_refuse_foreign_group(change);
	if (!text)
		return scim_refuse(&change->problem, 400, "invalidValue",
				"A group needs a displayName");
	other = find_group_of_name(change, text);
	if (other && other != who)
		return scim_refuse(&change->problem, 409, NULL,
				"Group with name %s already exists.", text);
	state_set_display_name(change->scope->sim->state, who, text);
	return true;
}

void change_external_id(struct change *change, const char *text)
{
	if (!change_is_foreign(change) && change->who->system == SYSTEM_NONE)
		state_set_external_id(change->scope->sim->state, change->who, text);
}

bool change_active(struct change *change, bool active)
{
	struct principal *who = change->who;

	if (!change->scope->workspace) {
		who->active = active;
		return true;
	}
	if (active && !who->active)
		return scim_refuse(&change->problem, 400, "invalidValue",
				"%s is deactivated in the account", who->name);
	seat_need(who, change->scope->workspace)->inactive = !active;
	return true;
}

struct texts *change_roles(struct change *change)
{
	struct workspace *workspace = change->scope->workspace;

	return workspace ? &seat_need(change->who, workspace)->roles : &change->who->roles;
}

uint32_t *change_entitlements(struct change *change)
{
	return &seat_need(change->who, change->scope->workspace)->entitlements;
}

static bool check_own_role(struct change *change, const char *role)
{
	if (change->scope->workspace || change->who != change->request->caller ||
			strcmp(role, "account_admin") != 0 ||
			!texts_contain(change_roles(change), role))
		return true;
	return scim_refuse(&change->problem, 400, "invalidValue",
			"PERMISSION_DENIED: Cannot remove roles for %s", change->who->id_text);
}

bool change_remove_role(struct change *change, const char *role)
{
	if (!check_own_role(change, role))
		return false;
	texts_remove(change_roles(change), role);
	return true;
}

void change_add_role(struct change *change, const char *role)
{
	texts_add(change_roles(change), role);
}

bool change_set_roles(struct change *change, const struct json_texts *roles)
{
	struct texts *have = change_roles(change);

	for (size_t i = have->count; i-- > 0;) {
		bool kept = false;

		for (size_t n = 0; n < roles->count; n++)
			kept = kept || strcmp(roles->items[n], have->items[i]) == 0;
		if (!kept && !change_remove_role(change, have->items[i]))
			return false;
	}
	for (size_t n = 0; n < roles->count; n++)
		change_add_role(change, roles->items[n]);
	return true;
}
