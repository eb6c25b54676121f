#include "databricks/rule_set.h"

#include "base/text.h"
#include "databricks/http.h"

#include <stddef.h>

static const char *const principal_prefixes[] = {[PRINCIPAL_USER] = "users/",
		[PRINCIPAL_GROUP] = "groups/",
		[PRINCIPAL_SERVICE] = "servicePrincipals/"};
_Static_assert(COUNT_OF(principal_prefixes) == PRINCIPAL_KIND_COUNT_, "a row per kind");

static const struct record_field grant_fields[] = {
		{"role", RECORD_ID, offsetof(struct rule_grant, role), true, NULL},
		{"principals", RECORD_TEXTS, offsetof(struct rule_grant, principals), false, NULL},
};
static const struct record_shape grant_shape = {
		"grant rule", sizeof(struct rule_grant), grant_fields, COUNT_OF(grant_fields)};
static const struct record_field set_fields[] = {
		{"name", RECORD_ID, offsetof(struct rule_set, name), true, NULL},
		{"etag", RECORD_ID, offsetof(struct rule_set, etag), true, NULL},
};
static const struct record_shape set_shape = {
		"rule set", sizeof(struct rule_set), set_fields, COUNT_OF(set_fields)};

/* "accounts/ID/groups/8214". Caller's, mem_free. */
static char *resource_of(const struct databricks *databricks, const struct rule_set_of *of)
{
	const char *account = databricks_account_id(databricks);

	switch (of->kind) {
	case RULE_SET_ACCOUNT:
		break;
	case RULE_SET_GROUP:
		return mem_printf("accounts/%s/groups/%s", account, of->id);
	case RULE_SET_SERVICE:
		return mem_printf("accounts/%s/servicePrincipals/%s", account, of->id);
	}
	return mem_printf("accounts/%s", account);
}

static char *name_of(const struct databricks *databricks, const struct rule_set_of *of)
{
	AUTO(mem_freep) char *resource = resource_of(databricks, of);

	return mem_printf("%s/ruleSets/default", resource);
}

/* The collection's path with tail. Caller's, mem_free. */
static char *path_of(const struct databricks *databricks, const struct call *call, const char *tail)
{
	if (databricks_is_account(databricks, call->target))
		return mem_printf("/api/2.0/preview/accounts/%s/access-control/%s",
				databricks_account_id(databricks), tail);
	return mem_printf("/api/2.0/preview/accounts/access-control/%s", tail);
}

static void send_checked(struct databricks *databricks, struct call *call)
{
	if (databricks_account_id(databricks))
		call_send(databricks, call);
	else
		record_refuse(databricks, call, ERR_CONFIG,
				"rule sets need the account: it is not configured");
}

void rule_set_get(struct databricks *databricks, struct call *call, const struct rule_set_of *of,
		const char *etag_or_null)
{
	AUTO(mem_freep) char *name = name_of(databricks, of);
	AUTO(mem_freep) char *escaped = http_escape(name);
	AUTO(mem_freep) char *etag = http_escape(etag_or_null ? etag_or_null : "");
	AUTO(mem_freep) char *tail = mem_printf("rule-sets?name=%s&etag=%s", escaped, etag);

	call_prepare(call, METHOD_GET, FAMILY_RULE_SET, path_of(databricks, call, tail), NULL);
	send_checked(databricks, call);
}

enum err_code rule_set_read(
		const struct call *call, struct arena *arena, struct rule_set *ret, struct err *err)
{
	struct rule_set rule_set;
	void *grants;

	if (record_of_call(call, NULL, &set_shape, arena, &rule_set, err) != ERR_NONE ||
			record_read_array(tape_get(tape_root(call->answer), "grant_rules"),
					&grant_shape, arena, &grants, &rule_set.grant_count,
					err) != ERR_NONE)
		return err->code;
	rule_set.grants = grants;
	*ret = rule_set;
	return ERR_NONE;
}

/* Rules of one role together, each principal once. */
static json_t *grants_body(const struct rule_set *rule_set)
{
	json_t *roles = json_object(), *rules = json_array();
	const char *role;
	json_t *principals;

	for (size_t i = 0; i < rule_set->grant_count; i++) {
		const struct rule_grant *grant = &rule_set->grants[i];

		if (!json_object_get(roles, grant->role))
			(void)json_object_set_new(roles, grant->role, json_object());
		for (size_t j = 0; j < grant->principals.count; j++)
			(void)json_object_set_new(json_object_get(roles, grant->role),
					grant->principals.items[j], json_true());
	}
	json_object_foreach(roles, role, principals)
	{
		json_t *list = json_array();
		const char *principal;
		json_t *unused;

		json_object_foreach(principals, principal, unused)(void)
				json_array_append_new(list, json_string(principal));
		if (json_array_size(list) > 0)
			(void)json_array_append_new(rules,
					json_pack("{s:s, s:o}", "role", role, "principals", list));
		else
			json_decref(list);
	}
	json_decref(roles);
	return rules;
}

void rule_set_put(struct databricks *databricks, struct call *call, const struct rule_set_of *of,
		const struct rule_set *rule_set)
{
	AUTO(mem_freep) char *name = name_of(databricks, of);

	call_prepare(call, METHOD_PUT, FAMILY_RULE_SET, path_of(databricks, call, "rule-sets"),
			json_pack("{s:s, s:{s:s, s:s, s:o}}", "name", name, "rule_set", "name",
					name, "etag", rule_set->etag ? rule_set->etag : "",
					"grant_rules", grants_body(rule_set)));
	/* Without one it would replace what nobody has read. */
	if (rule_set->etag && *rule_set->etag)
		send_checked(databricks, call);
	else
		record_refuse(databricks, call, ERR_BUG, "a rule set to be written has no etag");
}

void rule_set_roles(struct databricks *databricks, struct call *call, const struct rule_set_of *of)
{
	AUTO(mem_freep) char *resource = resource_of(databricks, of);
	AUTO(mem_freep) char *escaped = http_escape(resource);
	AUTO(mem_freep) char *tail = mem_printf("assignable-roles?resource=%s", escaped);

	call_prepare(call, METHOD_GET, FAMILY_RULE_SET, path_of(databricks, call, tail), NULL);
	send_checked(databricks, call);
}

enum err_code rule_set_roles_read(
		const struct call *call, struct arena *arena, struct texts *ret, struct err *err)
{
	static const struct record_field field = {"name", RECORD_ID, 0, true, NULL};
	static const struct record_shape shape = {
			"assignable role", sizeof(const char *), &field, 1};
	void *names;
	size_t count;

	if (records_of_call(call, "roles", &shape, arena, &names, &count, err) != ERR_NONE)
		return err->code;
	*ret = (struct texts){names, count};
	return ERR_NONE;
}

const char *rule_role_name(const char *role)
{
	return text_starts_with(role, "roles/") ? role + strlen("roles/") : role;
}

const char *rule_principal(struct arena *arena, enum principal_kind kind, const char *name)
{
	return arena_printf(arena, "%s%s", principal_prefixes[kind], name);
}

bool rule_principal_parse(
		const char *principal, enum principal_kind *ret_kind, const char **ret_name)
{
	for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_; kind++) {
		const char *prefix = principal_prefixes[kind];

		if (text_starts_with(principal, prefix) && principal[strlen(prefix)]) {
			*ret_kind = (enum principal_kind)kind;
			*ret_name = principal + strlen(prefix);
			return true;
		}
	}
	return false;
}
