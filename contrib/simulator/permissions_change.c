/*
 * Changes of ACLs and the rules they must keep. Declared in permissions.h.
 */
#include "permissions.h"

#include "base/text.h"

struct entry {
	struct principal *who;
	enum permission level;
};

/* A request on its way: nothing of it is in effect before all of it was found good. */
struct change {
	struct api_call *call;
	const struct acl_request *request;
	struct object *object;
	struct principal *old_owner;
	struct {
		struct entry *items;
		size_t count, room;
	} entries;
	struct aces after;
};

static struct principal *find_named(const struct state *state, const struct workspace *workspace,
		enum kind kind, const char *name)
{
	struct principal *who = state_find_text(state, kind, INDEX_NAME, name);

	while (who && !acl_knows(state, workspace, who))
		who = who->next_in_index[INDEX_NAME];
	return who;
}

/* A service principal may also stand there as a user: its user name is its application id. */
struct principal *permissions_find_user(
		const struct state *state, const struct workspace *workspace, const char *name)
{
	struct principal *who = find_named(state, workspace, KIND_USER, name);

	return who ? who : find_named(state, workspace, KIND_SP, name);
}

struct principal *permissions_find_service_principal(
		const struct state *state, const struct workspace *workspace, const char *name)
{
	return find_named(state, workspace, KIND_SP, name);
}

static struct principal *find_group(
		const struct state *state, const struct workspace *workspace, const char *name)
{
	struct principal *who = workspace_find_group(workspace, name);

	return who && acl_knows(state, workspace, who) ? who : NULL;
}

static const struct {
	const char *key, *word;
	struct principal *(*find)(const struct state *, const struct workspace *, const char *);
} names[] = {
		{"user_name", "UserName", permissions_find_user},
		{"group_name", "GroupName", find_group},
		{"service_principal_name", "ServicePrincipalName",
				permissions_find_service_principal},
};

/* How often a principal was asked for before it was known. */
static uint32_t *lag_of(struct workspace *workspace, const struct principal *who)
{
	struct table *lagging = workspace->objects->lagging;
	uint32_t *seen = table_find(lagging, span_of(who->id_text));

	if (!seen) {
		seen = mem_zalloc(sizeof(*seen));
		(void)table_put(lagging, span_of(who->id_text), seen);
	}
	return seen;
}

void permissions_settle(struct sim *sim)
{
	uint32_t lag = sim->options.acl_lag;

	for (vec_each (&sim->state->workspaces, workspace)) {
		for (int kind = 0; lag && kind < KIND_COUNT_; kind++) {
			for (vec_each (workspace_list(sim->state, *workspace, (enum kind)kind),
					     who))
				*lag_of(*workspace, *who) = lag;
		}
	}
}

/* A principal that is new here is not known for its first so many changes. */
static bool lags(const struct api_call *call, const struct principal *who)
{
	uint32_t lag = call->request->sim->options.acl_lag, *seen;

	if (lag == 0)
		return false;
	seen = lag_of(call->place, who);
	if (*seen >= lag)
		return false;
	++*seen;
	return true;
}

static struct principal *find_principal(struct change *change, size_t name, const char *text)
{
	struct api_call *call = change->call;
	struct principal *who = names[name].find(call->state, call->place, text);
	bool old = api_quirk(call, QUIRK_ACL_UNKNOWN_400);

	if (who && api_quirk(call, QUIRK_ACL_CASE) &&
			strcmp(text, who->kind == KIND_GROUP ? who->display_name : who->name) != 0)
		who = NULL;
	if (who && !lags(call, who))
		return who;
	(void)api_refuse(call, old ? 400 : 404, old ? "BAD_REQUEST" : "RESOURCE_DOES_NOT_EXIST",
			"Principal: %s(%s) does not exist", names[name].word, text);
	return NULL;
}

static struct principal *read_principal(struct change *change, const json_t *item)
{
	const char *text = NULL;
	size_t found = 0, which = 0;

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *value = json_string_value(json_object_get(item, names[i].key));

		if (value) {
			text = value;
			which = i;
			found++;
		}
	}
	if (found != 1)
		(void)api_refuse_value(change->call,
				"Exactly one of user_name, group_name and service_principal_name "
				"must be set");
	else if (!*text)
		(void)api_refuse_value(change->call, "Principal name not defined");
	else
		return find_principal(change, which, text);
	return NULL;
}

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

static const char *principal_text(const struct principal *who)
{
	return who->kind == KIND_GROUP ? who->display_name : who->name;
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
	entry.who = read_principal(change, item);
	if (!entry.who || !check_entry(change, &entry))
		return false;
	if (api_quirk(change->call, QUIRK_ACL_AMBIGUOUS)) {
		for (vec_each (&change->entries, other)) {
			if (other->who != entry.who)
				continue;
			return api_refuse_value(change->call,
					"Permissions being set for %s(%s) are ambiguous",
					names[entry.who->kind == KIND_USER ? 0
									: entry.who->kind ==
											KIND_GROUP
									? 1
									: 2]
							.word,
					principal_text(entry.who));
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

static bool check_owner(struct change *change)
{
	if (!(object_type(change->object)->levels & PERMISSION_BIT(IS_OWNER)))
		return true;
	if (change->request->put ? !check_put_owner(change) : !check_patch_owner(change))
		return false;
	return check_transfer(change);
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
	if ((change->request->put && !check_admins(change)) || !check_owner(change))
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
