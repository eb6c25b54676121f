/* `grants:`, and the workspaces that rules name. */
#include "rules/loader.h"

#include "base/text.h"

static const char *const entitlements[] = {"workspace-access", "databricks-sql-access",
		"workspace-consume", "allow-cluster-create", "allow-instance-pool-create"};
static const char *const permission_levels[] = {"USER", "ADMIN", NULL};
static const char *const account_roles[] = {"account_admin"};
#define INSTANCE_PROFILE_PREFIX "arn:"

#define TEXT_JSON "{\"type\":\"string\",\"minLength\":1}"
#define ENTITLEMENTS_JSON                                                                          \
	"{\"type\":[\"string\",\"array\"],\"items\":{\"enum\":[\"workspace-access\",\"databricks-" \
	"sql-access\","                                                                            \
	"\"workspace-consume\",\"allow-cluster-create\",\"allow-instance-pool-create\"]}}"
#define ROLES_JSON                                                                                 \
	"{\"type\":[\"string\",\"array\"],\"items\":{\"type\":\"string\",\"pattern\":\"^(account_" \
	"admin$|arn:)\"}}"
#define WORKSPACES_JSON                                                                            \
	"{\"type\":\"object\",\"additionalProperties\":{\"enum\":[\"USER\",\"ADMIN\"]}}"

static size_t first_workspace(const struct settings *settings)
{
	return settings->has_account ? 1 : 0;
}

enum err_code mapping_check_workspace_glob(const struct loader *loader,
		const struct document_node *node, const char *glob, struct err *err)
{
	const struct settings *settings = loader->settings;
	size_t first = first_workspace(settings);
	const char **names =
			arena_alloc(loader->reader.arena, settings->target_count * sizeof(*names));

	for (size_t i = first; i < settings->target_count; i++) {
		names[i - first] = settings->targets[i].name;
		if (text_matches_glob(glob, settings->targets[i].name))
			return ERR_NONE;
	}
	if (settings->target_count == first)
		return document_error_at_key(
				node, err, "`%.80s`: no `workspaces:` are configured", glob);
	return schema_unknown(node, "workspace", glob, names, settings->target_count - first, err);
}

enum err_code mapping_read_workspace_globs(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct texts *globs = target;
	enum err_code code = schema_texts(reader, node, globs, err);

	if (code == ERR_NONE && globs->count == 0)
		return document_error(node, err, "`%s` names no workspace", node->key);
	for (size_t i = 0; i < globs->count && code == ERR_NONE; i++) {
		const struct document_node *item =
				node->kind == DOCUMENT_LIST ? node->children[i] : node;

		code = mapping_check_workspace_glob(loader_of(reader), item, globs->items[i], err);
	}
	return code;
}

/* One item of `grants:` while it is read. */
struct grant_reading {
	const char *to[PRINCIPAL_KIND_COUNT_];
	struct workspace_level *workspaces;
	size_t workspace_count;
	struct texts entitlements;
	struct texts roles;
};

static enum err_code read_workspaces(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct grant_reading *grant = target;

	if (node->kind != DOCUMENT_MAP)
		return document_error(node, err,
				"`workspaces` must be a map such as {prod: USER}, this is %s",
				document_describe(node));
	grant->workspace_count = node->count;
	grant->workspaces = arena_alloc(reader->arena, node->count * sizeof(*grant->workspaces));
	for (size_t i = 0; i < node->count; i++) {
		const struct document_node *item = node->children[i];
		int level = 0;
		struct document_node key = document_key(item);
		enum err_code code = mapping_check_workspace_glob(
				loader_of(reader), &key, item->key, err);

		if (code == ERR_NONE)
			code = schema_choice(item, permission_levels, &level, err);
		if (code != ERR_NONE)
			return code;
		grant->workspaces[i] =
				(struct workspace_level){item->key, permission_levels[level]};
	}
	return ERR_NONE;
}

static enum err_code read_entitlements(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct texts *texts = target;
	enum err_code code = schema_texts(reader, node, texts, err);

	for (size_t i = 0; i < texts->count && code == ERR_NONE; i++) {
		const struct document_node *item =
				node->kind == DOCUMENT_LIST ? node->children[i] : node;
		size_t known = 0;

		while (known < COUNT_OF(entitlements) &&
				strcmp(entitlements[known], texts->items[i]) != 0)
			known++;
		if (known == COUNT_OF(entitlements))
			code = schema_unknown(item, "entitlement", texts->items[i], entitlements,
					COUNT_OF(entitlements), err);
	}
	return code;
}

static enum err_code check_role(const struct loader *loader, const struct document_node *item,
		const char *role, struct err *err)
{
	if (text_starts_with(role, INSTANCE_PROFILE_PREFIX))
		return ERR_NONE;
	if (strcmp(role, account_roles[0]) != 0)
		return schema_unknown(
				item, "role", role, account_roles, COUNT_OF(account_roles), err);
	if (!loader->settings->has_account)
		return document_error(item, err,
				"role `%s` is the account's, but no `account:` is configured",
				role);
	return ERR_NONE;
}

static enum err_code read_roles(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct texts *texts = target;
	enum err_code code = schema_texts(reader, node, texts, err);

	for (size_t i = 0; i < texts->count && code == ERR_NONE; i++) {
		const struct document_node *item =
				node->kind == DOCUMENT_LIST ? node->children[i] : node;

		code = check_role(loader_of(reader), item, texts->items[i], err);
	}
	return code;
}

static enum err_code read_name(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	const char *text;
	enum err_code code = schema_text(node, &text, err);

	(void)reader;
	if (code == ERR_NONE && strstr(text, "${"))
		return document_error(node, err,
				"`to` names one principal; templates are not executed here by this "
				"version");
	if (code == ERR_NONE)
		*(const char **)target = text;
	return code;
}

#define TO_KEY(name, kind, text)                                                                   \
	{                                                                                          \
		name, SCHEMA_OWN, .offset = offsetof(struct grant_reading, to[kind]),              \
				  .read = read_name, .json = TEXT_JSON, .about = text              \
	}
static const struct schema_key to_keys[] = {
		TO_KEY("user", PRINCIPAL_USER, "userName."),
		TO_KEY("group", PRINCIPAL_GROUP, "displayName in Databricks."),
		TO_KEY("service_principal", PRINCIPAL_SERVICE, "displayName or application id."),
};
static const struct schema to_schema = SCHEMA("`to`", to_keys);

static const struct schema_key grant_keys[] = {
		{"to", SCHEMA_SECTION, true, .section = &to_schema,
				.about = "Who gets it: exactly one principal."},
		{"workspaces", SCHEMA_OWN, .read = read_workspaces, .json = WORKSPACES_JSON,
				.about = "Globs of workspace names with USER or ADMIN; the first "
					 "that matches counts."},
		{"entitlements", SCHEMA_OWN, .offset = offsetof(struct grant_reading, entitlements),
				.read = read_entitlements, .json = ENTITLEMENTS_JSON,
				.about = "Hold in the workspaces that `workspaces` names."},
		{"roles", SCHEMA_OWN, .offset = offsetof(struct grant_reading, roles),
				.read = read_roles, .json = ROLES_JSON,
				.about = "account_admin in the account; ARNs of instance profiles "
					 "in the workspaces."},
		SCHEMA_KEY_LATER("for_each"),
		SCHEMA_KEY_LATER("tokens"),
		SCHEMA_KEY_LATER("permissions"),
};
const struct schema mapping_grant_schema = SCHEMA("this item of `grants`", grant_keys);

static enum err_code find_principal(const struct grant_reading *reading,
		const struct document_node *node, struct grant_rule *grant, struct err *err)
{
	for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_; kind++) {
		if (!reading->to[kind])
			continue;
		if (grant->name)
			return document_error(document_get(node, "to"), err,
					"`to` names two principals; make it two grants");
		grant->kind = kind;
		grant->name = reading->to[kind];
	}
	if (!grant->name)
		return document_error(document_get(node, "to"), err,
				"`to` names nobody; write user:, group: or service_principal:");
	return ERR_NONE;
}

static enum err_code check_grant(const struct loader *loader, const struct grant_reading *reading,
		const struct document_node *node, struct err *err)
{
	bool profile = false;

	for (size_t i = 0; i < reading->roles.count; i++)
		profile = profile ||
				text_starts_with(reading->roles.items[i], INSTANCE_PROFILE_PREFIX);
	if (!reading->workspace_count && reading->entitlements.count)
		return document_error_at_key(document_get(node, "entitlements"), err,
				"`entitlements` belong to workspaces; say which ones with "
				"`workspaces:`");
	if (!reading->workspace_count && profile)
		return document_error_at_key(document_get(node, "roles"), err,
				"instance profiles belong to workspaces; say which ones with "
				"`workspaces:`");
	if (!reading->workspace_count && !reading->roles.count)
		return document_error_at_key(node, err,
				"this grant gives nothing; add `workspaces:` or `roles:`");
	for (size_t i = 0; i < reading->workspace_count; i++) {
		if (!loader->settings->has_account &&
				strcmp(reading->workspaces[i].level, "ADMIN") == 0)
			return document_error(document_get(node, "workspaces")->children[i], err,
					"ADMIN is assigned through the account, but no `account:` "
					"is configured");
	}
	return ERR_NONE;
}

enum err_code mapping_read_grant(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct loader *loader = loader_of(reader);
	struct grant_reading reading = {0};
	struct grant_rule grant = {.why = {.file = node->file, .line = node->line}};
	enum err_code code = schema_read(reader, &mapping_grant_schema, node, &reading, err);

	(void)target;
	if (code == ERR_NONE)
		code = find_principal(&reading, node, &grant, err);
	if (code == ERR_NONE)
		code = check_grant(loader, &reading, node, err);
	if (code != ERR_NONE)
		return code;
	grant.workspaces = reading.workspaces;
	grant.workspace_count = reading.workspace_count;
	grant.entitlements = reading.entitlements.items;
	grant.entitlement_count = reading.entitlements.count;
	grant.roles = reading.roles.items;
	grant.role_count = reading.roles.count;
	*vec_add(&loader->grants) = grant;
	return ERR_NONE;
}
