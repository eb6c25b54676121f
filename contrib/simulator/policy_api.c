#include "policy.h"

#include "api.h"
#include "base/clock.h"
#include "base/text.h"
#include "asks.h"
#include "record.h"
#include "who.h"

/* Fields of a policy as a request has them; a text that was not sent is NULL. */
struct draft {
	const char *name, *description, *definition, *family, *overrides;
	int64_t clusters;
	bool has_clusters;
	json_t *libraries, *enforcement;
};

json_t *policy_merge(const char *definition, const char *overrides)
{
	json_t *merged = json_loads(definition, JSON_DECODE_ANY, NULL);
	json_t *over = overrides && *overrides ? json_loads(overrides, JSON_DECODE_ANY, NULL)
					       : json_object();

	if (json_is_object(merged) && json_is_object(over)) {
		(void)json_object_update(merged, over);
	} else {
		json_decref(merged);
		merged = NULL;
	}
	json_decref(over);
	return merged;
}

bool policy_exists(struct sim *sim, const struct workspace *workspace, const char *policy_id)
{
	return record_find(sim->state, workspace, RECORD_POLICY, policy_id) != NULL;
}

/* The text of the definition in force. Caller's, mem_free. */
static char *definition_of(const struct record *policy)
{
	const char *id = record_text(policy, "policy_family_id");
	const struct policy_family *family = id ? policy_family_find(id) : NULL;
	const char *overrides = record_text(policy, "policy_family_definition_overrides");
	json_t *merged;
	char *text, *copy;

	if (!family)
		return mem_strdup_or_null(record_text(policy, "definition"));
	merged = policy_merge(family->definition, overrides);
	text = merged ? json_dumps(merged, JSON_COMPACT) : NULL;
	copy = mem_strdup(text ? text : family->definition);
	free(text); /* jansson's */
	json_decref(merged);
	return copy;
}

json_t *policy_definition(
		const struct state *state, const struct workspace *workspace, const char *policy_id)
{
	const struct record *policy = record_find(state, workspace, RECORD_POLICY, policy_id);
	AUTO(mem_freep) char *text = policy ? definition_of(policy) : NULL;

	return text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
}

void policy_adopt_standard(struct state *state, struct workspace *workspace)
{
	struct record_make make = {.kind = RECORD_POLICY, .place = workspace};

	if (record_list(state, workspace, RECORD_POLICY)->count)
		return;
	for (size_t i = 0; i < policy_family_count; i++) {
		make.fields = json_pack("{s:s, s:s, s:s, s:b, s:I}", "name",
				policy_families[i].name, "policy_family_id", policy_families[i].id,
				"description", policy_families[i].description, "is_default", 1,
				"created_at_timestamp", (json_int_t)workspace->created_ms);
		(void)record_make(state, &make);
	}
}

static json_t *show(const struct record *policy)
{
	static const char *const keys[] = {"name", "description", "policy_family_id",
			"policy_family_definition_overrides", "max_clusters_per_user", "libraries",
			"auto_enforcement_config", "created_at_timestamp", "is_default"};
	json_t *object = object_pick(policy->fields, keys, COUNT_OF(keys));
	AUTO(mem_freep) char *definition = definition_of(policy);

	object_text(object, "policy_id", policy->id);
	object_text(object, "definition", definition);
	if (policy->owner && !policy->owner->deleted)
		object_text(object, "creator_user_name", who_name(policy->owner));
	return object;
}

static bool read_draft(struct api_call *call, struct draft *ret)
{
	*ret = (struct draft){
			.libraries = json_object_get(call->body, "libraries"),
			.enforcement = json_object_get(call->body, "auto_enforcement_config"),
	};
	ret->has_clusters = json_object_get(call->body, "max_clusters_per_user") != NULL;
	if (json_is_object(json_object_get(call->body, "definition")))
		return api_refuse_value(call, "definition must be a JSON document in a string");
	return api_take_text(call, "name", &ret->name) &&
			api_take_text(call, "description", &ret->description) &&
			api_take_text(call, "definition", &ret->definition) &&
			api_take_text(call, "policy_family_id", &ret->family) &&
			api_take_text(call, "policy_family_definition_overrides",
					&ret->overrides) &&
			api_take_number(call, "max_clusters_per_user", &ret->clusters);
}

static bool is_json(const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
	bool good = value != NULL;

	json_decref(value);
	return good;
}

/* JSON is asked for, its shape is not: that comes to light when a cluster uses it. */
static bool check_rules(struct api_call *call, const struct draft *draft)
{
	json_t *merged;

	if (draft->definition && draft->family)
		return api_refuse_value(
				call, "definition and policy_family_id must not be set together");
	if (!draft->definition && !draft->family)
		return api_refuse_value(call, "definition or policy_family_id is required");
	if (draft->overrides && !draft->family)
		return api_refuse_value(
				call, "policy_family_definition_overrides needs policy_family_id");
	if (draft->definition && !is_json(draft->definition))
		return api_refuse_value(call, "Policy definition is not valid JSON");
	if (!draft->family)
		return true;
	if (!policy_family_find(draft->family))
		return api_refuse_value(call, "Policy family %s does not exist", draft->family);
	merged = policy_merge("{}", draft->overrides);
	json_decref(merged);
	return merged ||
			api_refuse_value(call,
					"policy_family_definition_overrides is not a JSON object");
}

static bool check_enforcement(struct api_call *call, const json_t *config)
{
	const char *mode = json_string_value(json_object_get(config, "enforce_mode"));

	return !config || json_is_null(config) ||
			(mode &&
					(strcmp(mode, "ENFORCE_IMMEDIATELY") == 0 ||
							strcmp(mode, "WAIT_FOR_TERMINATION") ==
									0)) ||
			api_refuse_value(call, "auto_enforcement_config.enforce_mode is not valid");
}

static bool check_libraries(struct api_call *call, const json_t *libraries)
{
	static const char *const kinds[] = {
			"jar", "egg", "whl", "requirements", "pypi", "maven", "cran"};
	size_t i;
	json_t *library;

	if (libraries && !json_is_array(libraries))
		return api_refuse_value(call, "libraries must be an array");
	if (json_array_size(libraries) > POLICY_LIBRARIES_MAX)
		return api_refuse_value(call, "libraries: more than %d", POLICY_LIBRARIES_MAX);
	json_array_foreach(libraries, i, library)
	{
		bool known = false;

		for (size_t n = 0; n < COUNT_OF(kinds); n++)
			known = known || json_object_get(library, kinds[n]);
		if (!known)
			return api_refuse_value(call, "libraries: unknown kind of library");
	}
	return true;
}

/* Names are unique whatever their case. */
static bool check_name(struct api_call *call, const struct record *changed, const char *name)
{
	if (!name || !*name || strlen(name) > POLICY_NAME_BYTES_MAX)
		return api_refuse_value(
				call, "name must have 1 to %d characters", POLICY_NAME_BYTES_MAX);
	for (vec_each (record_list(call->state, call->place, RECORD_POLICY), policy)) {
		if (*policy != changed && text_equal_folded(record_text(*policy, "name"), name))
			return api_refuse_value(
					call, "Cluster Policy with name `%s` already exists", name);
	}
	return true;
}

static bool check_draft(
		struct api_call *call, const struct record *changed, const struct draft *draft)
{
	if (draft->has_clusters && draft->clusters <= 0)
		return api_refuse_value(call, "max_clusters_per_user must be greater than 0");
	return check_name(call, changed, draft->name) && check_rules(call, draft) &&
			check_libraries(call, draft->libraries) &&
			check_enforcement(call, draft->enforcement);
}

/* The full set: what was not sent is gone. */
static void store_draft(struct record *policy, const struct draft *draft)
{
	json_t *fields = json_object();
	const char *const lasting[] = {"created_at_timestamp", "is_default"};

	for (size_t i = 0; i < COUNT_OF(lasting); i++) {
		json_t *value = json_object_get(policy->fields, lasting[i]);

		if (value)
			(void)json_object_set(fields, lasting[i], value);
	}
	object_text(fields, "name", draft->name);
	object_text(fields, "description", draft->description);
	object_text(fields, "definition", draft->definition);
	object_text(fields, "policy_family_id", draft->family);
	object_text(fields, "policy_family_definition_overrides", draft->overrides);
	object_number(fields, "max_clusters_per_user", draft->clusters);
	if (json_array_size(draft->libraries))
		(void)json_object_set(fields, "libraries", draft->libraries);
	if (json_is_object(draft->enforcement))
		(void)json_object_set(fields, "auto_enforcement_config", draft->enforcement);
	json_decref(policy->fields);
	policy->fields = fields;
}

static void create_policy(struct api_call *call)
{
	struct record_make make = {
			.kind = RECORD_POLICY,
			.place = call->place,
			.owner = call->request->caller,
	};
	struct draft draft;
	struct record *policy;

	if (!read_draft(call, &draft) || !check_draft(call, NULL, &draft))
		return;
	policy = record_make(call->state, &make);
	object_number(policy->fields, "created_at_timestamp", clock_wall_ms());
	store_draft(policy, &draft);
	api_answer(call, json_pack("{s:s}", "policy_id", policy->id));
}

static struct record *find_policy(struct api_call *call, const char *id)
{
	struct record *policy =
			id ? record_find(call->state, call->place, RECORD_POLICY, id) : NULL;

	if (!policy)
		(void)api_refuse(call, 404, "RESOURCE_DOES_NOT_EXIST",
				"Can't find a cluster policy with id: %s.", id ? id : "");
	return policy;
}

static struct record *find_sent_policy(struct api_call *call)
{
	const char *id = NULL;

	return api_take_text(call, "policy_id", &id) ? find_policy(call, id) : NULL;
}

static bool check_standard(
		struct api_call *call, const struct record *policy, const struct draft *draft)
{
	const char *family = record_text(policy, "policy_family_id");

	if (!json_is_true(json_object_get(policy->fields, "is_default")) ||
			text_equal(family, draft->family))
		return true;
	return api_refuse_value(call,
			"Changing policy_family_id is forbidden for default cluster policies. "
			"Clone this policy to change the policy family.");
}

static void edit_policy(struct api_call *call)
{
	struct record *policy = find_sent_policy(call);
	struct draft draft;

	if (!policy || !read_draft(call, &draft) || !check_draft(call, policy, &draft) ||
			!check_standard(call, policy, &draft))
		return;
	store_draft(policy, &draft);
	api_answer_empty(call);
}

static void delete_policy(struct api_call *call)
{
	struct record *policy = find_sent_policy(call);

	if (!policy)
		return;
	if (json_is_true(json_object_get(policy->fields, "is_default"))) {
		(void)api_refuse_value(call, "Default cluster policies cannot be deleted");
		return;
	}
	if (call->state->asks->policy_gone)
		call->state->asks->policy_gone(call->place, policy->id);
	record_drop(call->state, policy);
	api_answer_empty(call);
}

static bool may_see(const struct api_call *call, const struct record *policy)
{
	const struct principal *caller = call->request->caller;

	return who_is_admin(call->place, caller) || !call->state->asks->may_use_policy ||
			call->state->asks->may_use_policy(
					call->state, call->place, caller, policy->id);
}

static void get_policy(struct api_call *call)
{
	const struct record *policy = find_policy(call, api_query(call, "policy_id"));

	if (!policy)
		return;
	if (may_see(call, policy))
		api_answer(call, show(policy));
	else
		(void)api_refuse(call, 403, "PERMISSION_DENIED",
				"%s does not have Use permissions on Cluster Policy %s",
				who_name(call->request->caller), policy->id);
}

static int by_name(const void *a, const void *b)
{
	const struct record *const *left = a, *const *right = b;

	return strcmp(record_text(*left, "name"), record_text(*right, "name"));
}

static int by_time(const void *a, const void *b)
{
	const struct record *const *left = a, *const *right = b;
	int64_t first = record_number(*left, "created_at_timestamp");
	int64_t second = record_number(*right, "created_at_timestamp");

	return (first > second) - (first < second);
}

static bool check_word(struct api_call *call, const char *name, const char *const words[static 2],
		size_t *ret)
{
	const char *sent = api_query(call, name);

	*ret = 0;
	for (size_t i = 0; sent && i < 2; i++) {
		if (strcmp(sent, words[i]) == 0) {
			*ret = i;
			return true;
		}
	}
	return !sent || api_refuse_value(call, "%s is not valid: %s", name, sent);
}

static void list_policies(struct api_call *call)
{
	static const char *const columns[] = {"POLICY_CREATION_TIME", "POLICY_NAME"};
	static const char *const orders[] = {"ASC", "DESC"};
	struct record_list sorted = {0};
	json_t *shown, *answer;
	size_t column, order;

	if (!check_word(call, "sort_column", columns, &column) ||
			!check_word(call, "sort_order", orders, &order))
		return;
	if (!api_query(call, "sort_order"))
		order = column == 0; /* the newest first */
	for (vec_each (record_list(call->state, call->place, RECORD_POLICY), policy)) {
		if (may_see(call, *policy))
			*vec_add(&sorted) = *policy;
	}
	if (sorted.count)
		qsort(sorted.items, sorted.count, sizeof(*sorted.items),
				column ? by_name : by_time);
	shown = json_array();
	for (size_t i = 0; i < sorted.count; i++)
		(void)json_array_append_new(
				shown, show(sorted.items[order ? sorted.count - 1 - i : i]));
	answer = json_pack("{s:o}", "policies", shown);
	vec_release(&sorted);
	api_answer(call, answer);
}

static json_t *show_family(const struct policy_family *family)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "policy_family_id", family->id, "name",
			family->name, "description", family->description, "definition",
			family->definition);
}

static void list_families(struct api_call *call)
{
	json_t *items = json_array();

	for (size_t i = 0; i < policy_family_count; i++)
		(void)json_array_append_new(items, show_family(&policy_families[i]));
	api_answer_page(call, "policy_families", items);
}

static void get_family(struct api_call *call)
{
	const struct policy_family *family = policy_family_find(call->args[0]);

	if (family)
		api_answer(call, show_family(family));
	else
		(void)api_refuse(call, 404, "RESOURCE_DOES_NOT_EXIST",
				"Policy family %s does not exist", call->args[0]);
}

#define POLICIES "api/2.0/policies/clusters/"

static const struct api_route routes[] = {
		{"POST", POLICIES "create", API_WORKSPACE, API_ADMIN, create_policy, 0, 0},
		{"POST", POLICIES "edit", API_WORKSPACE, API_ADMIN, edit_policy, 0, 0},
		{"POST", POLICIES "delete", API_WORKSPACE, API_ADMIN, delete_policy, 0, 0},
		{"GET", POLICIES "get", API_WORKSPACE, API_ANYONE, get_policy, 0, 0},
		{"GET", POLICIES "list", API_WORKSPACE, API_ANYONE, list_policies, 0, 0},
		{"GET", "api/2.0/policy-families", API_WORKSPACE, API_ANYONE, list_families, 0, 0},
		{"GET", "api/2.0/policy-families/{}", API_WORKSPACE, API_ANYONE, get_family, 0, 0},
};
const struct api_family policy_calls = API_FAMILY(routes);
