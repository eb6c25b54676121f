/*
 * Whom an ACL may name: who is known in the workspace, by then. Declared in permissions.h and permissions_change.h.
 */
#include "permissions_change.h"

const char *principal_text(const struct principal *who)
{
	return who->kind == KIND_GROUP ? who->display_name : who->name;
}

const char *principal_word(const struct principal *who)
{
	static const char *const words[KIND_COUNT_] = {
			[KIND_USER] = "UserName",
			[KIND_GROUP] = "GroupName",
			[KIND_SP] = "ServicePrincipalName",
	};

	return words[who->kind];
}

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

	if (who && api_quirk(call, QUIRK_ACL_CASE) && strcmp(text, principal_text(who)) != 0)
		who = NULL;
	if (who && !lags(call, who))
		return who;
	(void)api_refuse(call, old ? 400 : 404, old ? "BAD_REQUEST" : "RESOURCE_DOES_NOT_EXIST",
			"Principal: %s(%s) does not exist", names[name].word, text);
	return NULL;
}

struct principal *change_read_principal(struct change *change, const json_t *item)
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
