#include "rule_set.h"

#include "api.h"
#include "base/text.h"
#include "record.h"
#include "who.h"

#define SUFFIX "/ruleSets/default"

/* What a rule set may stand beside, and the roles that it may give there; blanks around each. */
static const struct {
	const char *collection; /* NULL: the account itself */
	const char *roles;
} resource_types[] = {
		{NULL,
				" roles/marketplace.admin roles/billing.admin "
				"roles/tagPolicy.creator "
				"roles/tagPolicy.manager roles/tagPolicy.assigner "},
		{"groups", " roles/group.manager roles/group.assumer "},
		{"servicePrincipals",
				" roles/servicePrincipal.manager roles/servicePrincipal.user "},
		{"budgetPolicies", " roles/budgetPolicy.manager roles/budgetPolicy.user "},
		{"tagPolicies", " roles/tagPolicy.manager roles/tagPolicy.assigner "},
};
static const struct {
	const char *prefix;
	enum kind kind;
	enum index_kind index;
} principal_forms[] = {
		{"users/", KIND_USER, INDEX_NAME},
		{"groups/", KIND_GROUP, INDEX_DISPLAY},
		{"servicePrincipals/", KIND_SP, INDEX_NAME},
};

struct resource_ref {
	size_t type;
	struct principal *who; /* a group or service principal; NULL: something else */
};

static bool refuse_resource(struct api_call *call, const char *text)
{
	return api_refuse_value(call, "Resource %s is not valid", text);
}

/* A group goes by its id, a service principal by its application id. */
static bool find_resource(struct api_call *call, const char *collection, const char *id,
		struct resource_ref *ret)
{
	uint64_t number;

	if (strcmp(collection, "groups") == 0) {
		ret->who = id_parse(id, &number) ? state_find_id(call->state, number) : NULL;
		return (ret->who && ret->who->kind == KIND_GROUP && !ret->who->home) ||
				api_refuse_value(call, "group %s is not found", id);
	}
	if (strcmp(collection, "servicePrincipals") == 0) {
		ret->who = state_find_text(call->state, KIND_SP, INDEX_NAME, id);
		return ret->who ||
				api_refuse(call, 404, "RESOURCE_DOES_NOT_EXIST",
						"Service principal %s is not found", id);
	}
	return true;
}

/* "accounts/{A}" and perhaps "/groups/7". */
static bool read_resource(struct api_call *call, const char *text, struct resource_ref *ret)
{
	AUTO(mem_freep) char *prefix = mem_printf("accounts/%s", call->state->account_id);
	AUTO(mem_freep) char *collection = NULL;
	const char *rest = text, *slash;

	*ret = (struct resource_ref){0};
	if (!text_starts_with(text, prefix))
		return refuse_resource(call, text);
	rest += strlen(prefix);
	if (!*rest)
		return true;
	slash = *rest == '/' ? strchr(rest + 1, '/') : NULL;
	if (!slash || !slash[1] || strchr(slash + 1, '/'))
		return refuse_resource(call, text);
	collection = mem_strndup(rest + 1, (size_t)(slash - rest - 1));
	for (size_t i = 1; i < COUNT_OF(resource_types); i++) {
		if (strcmp(resource_types[i].collection, collection) == 0) {
			ret->type = i;
			return find_resource(call, collection, slash + 1, ret);
		}
	}
	return refuse_resource(call, text);
}

static bool read_name(struct api_call *call, const char *name, struct resource_ref *ret)
{
	size_t len = name ? strlen(name) : 0, tail = strlen(SUFFIX);
	AUTO(mem_freep) char *resource = NULL;

	if (len <= tail || strcmp(name + len - tail, SUFFIX) != 0)
		return api_refuse_value(call, "Rule set name %s is not valid", name ? name : "");
	resource = mem_strndup(name, len - tail);
	return read_resource(call, resource, ret);
}

static struct record *stored(const struct state *state, const char *name)
{
	return record_find(state, NULL, RECORD_RULE_SET, name);
}

bool rule_set_gives(const struct state *state, const struct principal *resource, const char *role,
		const struct principal *who)
{
	bool group = resource->kind == KIND_GROUP;
	AUTO(mem_freep)
	char *name = mem_printf("accounts/%s/%s/%s" SUFFIX, state->account_id,
			group ? "groups" : "servicePrincipals",
			group ? resource->id_text : resource->name);
	const struct record *record = stored(state, name);
	const json_t *ids = record
			? json_object_get(json_object_get(record->fields, "grants"), role)
			: NULL;
	size_t i;
	json_t *item;

	json_array_foreach(ids, i, item)
	{
		uint64_t id;
		const struct principal *holder = id_parse(json_string_value(item), &id)
				? state_find_id(state, id)
				: NULL;

		if (holder &&
				(holder == who ||
						(holder->kind == KIND_GROUP &&
								who_is_below(who, holder))))
			return true;
	}
	return false;
}

/* Account admins may do anything; in a workspace also managers, and its admins may read. */
static bool check_right(struct api_call *call, const struct resource_ref *resource, bool write)
{
	const struct principal *caller = call->request->caller;
	const char *manager = resource->who && resource->who->kind == KIND_GROUP
			? "roles/group.manager"
			: "roles/servicePrincipal.manager";

	if (who_is_account_admin(caller) ||
			(!write && call->place && who_is_admin(call->place, caller)) ||
			(resource->who &&
					rule_set_gives(call->state, resource->who, manager,
							caller)))
		return true;
	return api_refuse(call, 403, "PERMISSION_DENIED",
			"Only account admins and managers may do this");
}

/* Nothing of what was deleted shows. */
static json_t *show_principals(const struct state *state, const json_t *ids)
{
	json_t *texts = json_array(), *item;
	size_t i;

	json_array_foreach(ids, i, item)
	{
		uint64_t id;
		const struct principal *who = id_parse(json_string_value(item), &id)
				? state_find_id(state, id)
				: NULL;

		for (size_t n = 0; who && n < COUNT_OF(principal_forms); n++) {
			if (principal_forms[n].kind == who->kind) {
				AUTO(mem_freep)
				char *text = mem_printf(
						"%s%s", principal_forms[n].prefix, who_name(who));

				(void)json_array_append_new(texts, json_string(text));
			}
		}
	}
	return texts;
}

static void answer_rule_set(struct api_call *call, const char *name)
{
	const struct record *record = stored(call->state, name);
	json_t *answer = json_object(), *rules = json_array(), *ids;
	json_t *grants = record ? json_object_get(record->fields, "grants") : NULL;
	const char *role;

	json_object_foreach(grants, role, ids)
	{
		json_t *principals = show_principals(call->state, ids);

		if (json_array_size(principals))
			(void)json_array_append_new(rules,
					json_pack("{s:s, s:O}", "role", role, "principals",
							principals));
		json_decref(principals);
	}
	object_text(answer, "name", name);
	object_text(answer, "etag",
			record ? record_text(record, "etag") : "RENUAAAB+/0000000000000000==");
	if (json_array_size(rules))
		(void)json_object_set(answer, "grant_rules", rules);
	json_decref(rules);
	api_answer(call, answer);
}

static void get_rule_set(struct api_call *call)
{
	const char *name = api_query(call, "name"), *etag = api_query(call, "etag");
	struct resource_ref resource;

	if (!read_name(call, name, &resource) || !check_right(call, &resource, false))
		return;
	/* A blank was a plus sign that the client did not escape. */
	if (etag && strchr(etag, ' '))
		(void)api_refuse_value(call, "etag is not valid: %s", etag);
	else
		answer_rule_set(call, name);
}

static struct principal *find_principal(struct api_call *call, const char *text)
{
	for (size_t i = 0; text && i < COUNT_OF(principal_forms); i++) {
		const char *prefix = principal_forms[i].prefix, *name = text + strlen(prefix);
		struct principal *who;

		if (!text_starts_with(text, prefix) || !*name)
			continue;
		who = state_find_text(call->state, principal_forms[i].kind,
				principal_forms[i].index, name);
		if (!who)
			(void)api_refuse_value(call, "Principal %s does not exist", text);
		return who;
	}
	(void)api_refuse_value(call, "Unsupported principal: %s", text ? text : "");
	return NULL;
}

/* One rule into grants: role -> ids, each once. */
static bool read_rule(struct api_call *call, const struct resource_ref *resource,
		const json_t *rule, json_t *grants)
{
	const char *role = json_string_value(json_object_get(rule, "role"));
	AUTO(mem_freep) char *word = mem_printf(" %s ", role ? role : "");
	json_t *ids, *item;
	size_t i;

	if (!role || !strstr(resource_types[resource->type].roles, word))
		return api_refuse_value(call, "Role %s is not assignable on this resource",
				role ? role : "");
	ids = json_object_get(grants, role);
	if (!ids) {
		ids = json_array();
		(void)json_object_set_new(grants, role, ids);
	}
	json_array_foreach(json_object_get(rule, "principals"), i, item)
	{
		const struct principal *who = find_principal(call, json_string_value(item));
		bool known = false;
		size_t n;
		json_t *id;

		if (!who)
			return false;
		json_array_foreach(ids, n, id) known =
				known || strcmp(json_string_value(id), who->id_text) == 0;
		if (!known)
			(void)json_array_append_new(ids, json_string(who->id_text));
	}
	return true;
}

static bool check_etag(struct api_call *call, const char *name, const char *etag)
{
	const struct record *record = stored(call->state, name);
	const char *want = record ? record_text(record, "etag") : "RENUAAAB+/0000000000000000==";

	if (!etag || !*etag)
		return api_refuse_value(call, "etag is required");
	return strcmp(etag, want) == 0 ||
			api_refuse(call, 409, "RESOURCE_CONFLICT",
					"Conflict with another RuleSet operation");
}

static void store_grants(struct state *state, const char *name, json_t *grants)
{
	struct record_make make = {.kind = RECORD_RULE_SET, .id = name};
	struct record *record = stored(state, name);
	char etag[ETAG_SIZE];

	if (!record)
		record = record_make(state, &make);
	etag_make(etag);
	object_text(record->fields, "etag", etag);
	(void)json_object_set(record->fields, "grants", grants);
}

static void put_rule_set(struct api_call *call)
{
	const json_t *rule_set = json_object_get(call->body, "rule_set");
	const char *name = json_string_value(json_object_get(call->body, "name"));
	const char *inner = json_string_value(json_object_get(rule_set, "name"));
	const char *etag = json_string_value(json_object_get(rule_set, "etag"));
	json_t *grants, *rule;
	struct resource_ref resource;
	bool good;
	size_t i;

	if (!name || !inner || strcmp(name, inner) != 0) {
		(void)api_refuse_value(call, "name is required and must be that of rule_set");
		return;
	}
	if (!read_name(call, name, &resource) || !check_right(call, &resource, true) ||
			!check_etag(call, name, etag))
		return;
	grants = json_object();
	good = true;
	json_array_foreach(json_object_get(rule_set, "grant_rules"), i, rule) good =
			good && read_rule(call, &resource, rule, grants);
	if (good) {
		store_grants(call->state, name, grants);
		answer_rule_set(call, name);
	}
	json_decref(grants);
}

static void list_roles(struct api_call *call)
{
	const char *text = api_query(call, "resource");
	struct resource_ref resource;
	json_t *roles;

	if (!text) {
		(void)api_refuse_value(call, "resource is required");
		return;
	}
	if (!read_resource(call, text, &resource) || !check_right(call, &resource, false))
		return;
	roles = json_array();
	for (const char *at = resource_types[resource.type].roles + 1; *at;) {
		size_t len = strcspn(at, " ");
		AUTO(mem_freep) char *name = mem_strndup(at, len);

		(void)json_array_append_new(roles, json_pack("{s:s}", "name", name));
		at += len + 1;
	}
	api_answer(call, json_pack("{s:o}", "roles", roles));
}

#define ACCOUNT_RULES "api/2.0/preview/accounts/*/access-control/"
#define WORKSPACE_RULES "api/2.0/preview/accounts/access-control/"

static const struct api_route routes[] = {
		{"GET", ACCOUNT_RULES "rule-sets", API_ACCOUNT, API_ANYONE, get_rule_set, 0, 0},
		{"PUT", ACCOUNT_RULES "rule-sets", API_ACCOUNT, API_ANYONE, put_rule_set, 0, 0},
		{"GET", ACCOUNT_RULES "assignable-roles", API_ACCOUNT, API_ANYONE, list_roles, 0,
				0},
		{"GET", WORKSPACE_RULES "rule-sets", API_WORKSPACE, API_ANYONE, get_rule_set, 0, 0},
		{"PUT", WORKSPACE_RULES "rule-sets", API_WORKSPACE, API_ANYONE, put_rule_set, 0, 0},
		{"GET", WORKSPACE_RULES "assignable-roles", API_WORKSPACE, API_ANYONE, list_roles,
				0, 0},
};
const struct api_family rule_set_calls = API_FAMILY(routes);
