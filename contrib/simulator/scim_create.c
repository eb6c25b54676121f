#include "scim.h"

#include "base/digest.h"
#include "base/text.h"
#include "stale.h"

/* Of an account; published. */
#define PEOPLE_MAX ((size_t)10000)
#define GROUPS_MAX ((size_t)5000)

#define EMAIL_NOTE                                                                                 \
	". Note: emails are case insensitive (i.e abc@domain.com and ABC@DOMAIN.COM are "          \
	"considered equivalent)"
/* The service puts the reason where the type belongs. */
#define UNPARSABLE "Request is unparsable, syntactically incorrect, or violates schema."

struct creation {
	struct request *request;
	const struct scope *scope;
	enum kind kind;
	const struct resource *resource;
	struct principal *who;
	struct scim_problem problem;
};

static bool refuse_missing(struct creation *creation, const char *attribute)
{
	char reason[80];

	(void)snprintf(reason, sizeof(reason),
			"Required attribute %s is missing in the SCIM Object.", attribute);
	return scim_refuse(&creation->problem, 400, reason, UNPARSABLE);
}

static bool name_of_user(struct creation *creation, char **ret_name)
{
	if (!creation->resource->user_name)
		return refuse_missing(creation, "userName");
	*ret_name = text_lower(span_of(creation->resource->user_name));
	return true;
}

static bool name_of_sp(struct creation *creation, char **ret_name)
{
	const char *given = creation->resource->application_id;
	char uuid[37];

	if (given && creation->scope->sim->options.cloud != CLOUD_AZURE)
		return scim_refuse(&creation->problem, 400,
				"Attribute applicationID cannot be specified for the SCIM Object",
				UNPARSABLE);
	if (!given && !creation->resource->display_name)
		return refuse_missing(creation, "displayName");
	if (!given)
		digest_uuid(uuid);
	*ret_name = given ? text_lower(span_of(given)) : mem_strdup(uuid);
	return true;
}

static bool refuse_taken(struct creation *creation, const char *name)
{
	bool in_workspace = creation->scope->workspace != NULL;

	if (creation->kind == KIND_SP && in_workspace)
		return scim_refuse(&creation->problem, 409, NULL,
				"Service principal with application ID %s already exists.", name);
	if (creation->kind == KIND_SP)
		return scim_refuse(&creation->problem, 409, NULL,
				"User with email %s already exists in this account", name);
	if (in_workspace)
		return scim_refuse(&creation->problem, 409, NULL,
				"User with username %s already exists.", name);
	return scim_refuse(&creation->problem, 409, NULL,
			"User with email %s already exists in this account%s", name, EMAIL_NOTE);
}

static void fill_person(struct creation *creation, struct principal *who)
{
	const struct resource *resource = creation->resource;

	who->display_name = mem_strdup_or_null(resource->display_name);
	who->external_id = mem_strdup_or_null(resource->external_id);
	who->given_name = mem_strdup_or_null(resource->given_name);
	who->family_name = mem_strdup_or_null(resource->family_name);
	if (resource->email && !text_equal_folded(resource->email, who->name))
		who->email = mem_strdup(resource->email);
}

/* Published numbers; the code of the answer is not. Local groups count where they are. */
static bool check_count(struct creation *creation)
{
	const struct state *state = creation->scope->sim->state;
	const struct workspace *workspace = creation->scope->workspace;
	bool group = creation->kind == KIND_GROUP;
	size_t most = group ? GROUPS_MAX : PEOPLE_MAX;
	size_t count = state->lists[KIND_USER].count + state->lists[KIND_SP].count;

	if (group)
		count = workspace ? workspace->local_groups.count : state->lists[KIND_GROUP].count;
	return !creation->scope->sim->options.quirks[QUIRK_IDENTITY_LIMITS] || count < most ||
			scim_refuse(&creation->problem, 400, "invalidValue",
					"RESOURCE_LIMIT_EXCEEDED: the limit of %zu %s has been "
					"reached",
					most, group ? "groups" : "users and service principals");
}

/*
 * A workspace puts who is new to it into the account as well; whom the account has already it only takes in, with the
 * account's id and names.
 */
static bool create_person(struct creation *creation)
{
	struct state *state = creation->scope->sim->state;
	struct workspace *workspace = creation->scope->workspace;
	AUTO(mem_freep) char *name = NULL;
	struct principal *who;

	if (creation->kind == KIND_USER ? !name_of_user(creation, &name)
					: !name_of_sp(creation, &name))
		return false;
	who = state_find_text(state, creation->kind, INDEX_NAME, name);
	if (who &&
			(!workspace || workspace_sees(state, workspace, who) ||
					!creation->scope->sim->options.quirks[QUIRK_LINK_USERS]))
		return refuse_taken(creation, name);
	if (!who && !check_count(creation))
		return false;
	if (!who) {
		who = state_make(state, creation->kind, NULL, 0);
		who->name = STEAL(name);
		fill_person(creation, who);
		state_enter(state, who);
	}
	if (workspace) {
		seat_set_level(state, who, workspace, LEVEL_USER);
		seat_need(who, workspace)->inactive = !creation->resource->active;
	} else {
		who->active = creation->resource->active;
	}
	creation->who = who;
	return true;
}

static bool is_system_name(const char *name)
{
	static const char *const names[] = {"users", "admins", "account users"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (text_equal_folded(name, names[i]))
			return true;
	}
	return false;
}

static bool create_group(struct creation *creation)
{
	struct state *state = creation->scope->sim->state;
	struct workspace *workspace = creation->scope->workspace;
	const char *name = creation->resource->display_name;
	struct principal *taken;

	if (!name)
		return refuse_missing(creation, "displayName");
	taken = workspace ? workspace_find_group(workspace, name)
			  : state_find_text(state, KIND_GROUP, INDEX_DISPLAY, name);
	if (taken || is_system_name(name))
		return scim_refuse(&creation->problem, 409, NULL,
				"Group with name %s already exists.", name);
	if (!check_count(creation))
		return false;
	creation->who = state_make(state, KIND_GROUP, workspace, 0);
	creation->who->display_name = mem_strdup(name);
	creation->who->external_id = mem_strdup_or_null(creation->resource->external_id);
	state_enter(state, creation->who);
	return true;
}

/* Members, roles and entitlements of what is there now; if they are refused nothing has been created. */
static bool fill_lists(struct creation *creation)
{
	const struct resource *resource = creation->resource;
	struct change change;

	change_begin(&change, creation->request, creation->scope, creation->who);
	if ((resource->members && !change_add_members(&change, resource->members)) ||
			(resource->roles.count && !change_set_roles(&change, &resource->roles))) {
		creation->problem = change.problem;
		change_undo(&change);
		state_remove(creation->scope->sim->state, creation->who);
		return false;
	}
	if (creation->scope->workspace && resource->entitlements)
		*change_entitlements(&change) = resource->entitlements;
	change_commit(&change);
	return true;
}

void scim_create(struct request *request, const struct scope *scope, enum kind kind, json_t *body,
		struct answer *answer)
{
	struct resource resource;
	struct creation creation = {
			.request = request, .scope = scope, .kind = kind, .resource = &resource};

	if (!resource_read(body, kind, &resource, &creation.problem)) {
		answer_problem(answer, &creation.problem);
		return;
	}
	if ((kind == KIND_GROUP ? create_group(&creation) : create_person(&creation)) &&
			fill_lists(&creation)) {
		render_principal(answer_json(answer, 201), scope, creation.who, ATTR_ALL, false);
		stale_commit(scope->sim->state, request->stale, creation.who, NULL);
	} else {
		answer_problem(answer, &creation.problem);
	}
	resource_release(&resource);
}
