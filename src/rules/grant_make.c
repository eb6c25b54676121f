/* Making grants of what was read. */
#include "rules/grant.h"

#include "base/text.h"
#include "model/account_role.h"

static const char *const entitlements[] = {"workspace-access", "databricks-sql-access",
		"workspace-consume", "allow-cluster-create", "allow-instance-pool-create"};
static const char *const assignment_levels[] = {"USER", "ADMIN", NULL};
#define INSTANCE_PROFILE_PREFIX "arn:"

enum grant_value grant_text_value(
		const struct grant_making *m, const struct grant_text *text, const char **ret)
{
	*ret = NULL;
	if (!text->node)
		return VALUE_NIL;
	if (!text->literal && !m->known)
		return VALUE_LATER;
	*ret = text->literal ? text->literal : m->values[text->index];
	return *ret ? VALUE_TEXT : VALUE_NIL;
}

struct document_node grant_node(const struct grant_text *text, const char *value)
{
	struct document_node node = *text->node;

	node.text = value;
	node.quoted = true;
	return node;
}

enum err_code grant_nil(const struct grant_making *m, const struct grant_text *text)
{
	return document_error(text->node, m->err, "`%.80s` has no value",
			text->node->key ? text->node->key : text->node->text);
}

enum err_code grant_make_texts(const struct grant_making *m, const struct grant_texts *texts,
		grant_check_fn *check, const char *const **ret, size_t *ret_count)
{
	const char **items = arena_alloc(m->arena, texts->count * sizeof(*items));
	size_t count = 0;

	for (size_t i = 0; i < texts->count; i++) {
		struct document_node node;
		enum err_code code;

		if (grant_text_value(m, &texts->items[i], &items[count]) != VALUE_TEXT)
			continue;
		node = grant_node(&texts->items[i], items[count]);
		code = check ? check(m, &node, items[count]) : ERR_NONE;
		if (code != ERR_NONE)
			return code;
		count++;
	}
	*ret = items;
	*ret_count = count;
	return ERR_NONE;
}

enum err_code grant_check_workspace(
		const struct grant_making *m, const struct document_node *node, const char *text)
{
	return mapping_check_workspace(m->settings, node, text, m->err);
}

enum err_code grant_make_in(const struct grant_making *m, const struct grant_texts *texts,
		const struct texts *preset, const char *const **ret, size_t *ret_count)
{
	if (texts->items)
		return grant_make_texts(m, texts, grant_check_workspace, ret, ret_count);
	*ret = preset->items;
	*ret_count = preset->count;
	return ERR_NONE;
}

static enum err_code check_entitlement(
		const struct grant_making *m, const struct document_node *node, const char *text)
{
	for (size_t i = 0; i < COUNT_OF(entitlements); i++) {
		if (strcmp(entitlements[i], text) == 0)
			return ERR_NONE;
	}
	return schema_unknown(
			node, "entitlement", text, entitlements, COUNT_OF(entitlements), m->err);
}

static enum err_code check_role(
		const struct grant_making *m, const struct document_node *node, const char *role)
{
	size_t count;
	const char *const *roles = account_roles(&count);

	if (text_starts_with(role, INSTANCE_PROFILE_PREFIX))
		return ERR_NONE;
	if (strcmp(role, ROLE_ACCOUNT_ADMIN) != 0 && !account_rule_role(role))
		return schema_unknown(node, "role", role, roles, count, m->err);
	if (!m->settings->has_account)
		return document_error(node, m->err,
				"role `%s` is the account's, but no `account:` is configured",
				role);
	return ERR_NONE;
}

static enum err_code check_level(
		const struct grant_making *m, const struct document_node *node, const char **level)
{
	int choice = 0;
	enum err_code code = schema_choice(node, assignment_levels, &choice, m->err);

	if (code != ERR_NONE)
		return code;
	*level = assignment_levels[choice];
	if (!m->settings->has_account && strcmp(*level, "ADMIN") == 0)
		return document_error(node, m->err,
				"ADMIN is assigned through the account, but no `account:` is "
				"configured");
	return ERR_NONE;
}

/* A nil level leaves its workspaces out. */
static enum err_code make_levels(const struct grant_making *m, const struct grant_source *source,
		struct grant_rule *ret)
{
	struct workspace_level *levels =
			arena_alloc(m->arena, source->level_count * sizeof(*levels));
	size_t count = 0;
	enum err_code code = ERR_NONE;

	for (size_t i = 0; i < source->level_count && code == ERR_NONE; i++) {
		const struct level_source *from = &source->levels[i];
		struct workspace_level *level = &levels[count];
		enum grant_value has_workspace =
				grant_text_value(m, &from->workspace, &level->glob);
		enum grant_value has_level = grant_text_value(m, &from->level, &level->level);
		struct document_node node;

		if (has_workspace == VALUE_NIL && has_level == VALUE_TEXT)
			code = grant_nil(m, &from->workspace);
		if (has_workspace == VALUE_TEXT && has_level != VALUE_NIL) {
			node = grant_node(&from->workspace, level->glob);
			code = mapping_check_workspace(m->settings, &node, level->glob, m->err);
		}
		if (code == ERR_NONE && has_level == VALUE_TEXT) {
			node = grant_node(&from->level, level->level);
			code = check_level(m, &node, &level->level);
		}
		count += has_level == VALUE_TEXT && has_workspace == VALUE_TEXT;
	}
	ret->workspaces = levels;
	ret->workspace_count = count;
	return code;
}

/* Where the grant's parts hold that name no workspaces themselves. */
static struct texts preset_of(const struct grant_making *m, const struct grant_source *source,
		const struct grant_rule *grant)
{
	static const char *const everywhere[] = {"*"};
	const char **patterns;

	if (!source->levels)
		return (struct texts){everywhere, COUNT_OF(everywhere)};
	patterns = arena_alloc(m->arena, grant->workspace_count * sizeof(*patterns));
	for (size_t i = 0; i < grant->workspace_count; i++)
		patterns[i] = grant->workspaces[i].glob;
	return (struct texts){patterns, grant->workspace_count};
}

static enum err_code make_principal(const struct grant_making *m, const struct grant_source *source,
		struct grant_rule *ret)
{
	const struct grant_text *to = &source->to[source->kind];

	ret->kind = source->kind;
	if (!to->node) {
		ret->name = m->display_name;
		return ERR_NONE;
	}
	return grant_text_value(m, to, &ret->name) == VALUE_NIL ? grant_nil(m, to) : ERR_NONE;
}

static enum err_code make_rule_sets(const struct grant_making *m, const struct grant_source *source,
		struct grant_rule *ret)
{
	enum err_code code = grant_make_texts(m, &source->manages_groups, NULL,
			&ret->manages_groups, &ret->manages_group_count);

	if (code == ERR_NONE)
		code = grant_make_texts(m, &source->manages_services, NULL, &ret->manages_services,
				&ret->manages_service_count);
	if (code == ERR_NONE)
		code = grant_make_texts(m, &source->uses_services, NULL, &ret->uses_services,
				&ret->uses_service_count);
	return code;
}

/* What is wrong with the grant as it is written, whatever its templates give. */
static enum err_code check_whole(const struct grant_making *m, const struct grant_source *source)
{
	const struct document_node *node = source->node;
	const struct document_node *sets = document_get(node, "manages")
			? document_get(node, "manages")
			: document_get(node, "uses");

	if (!source->level_count && source->entitlements.count)
		return document_error_at_key(document_get(node, "entitlements"), m->err,
				"`entitlements` belong to workspaces; say which ones with "
				"`workspaces:`");
	for (size_t i = 0; i < source->roles.count && !source->level_count; i++) {
		const char *role = source->roles.items[i].literal;

		if (role && text_starts_with(role, INSTANCE_PROFILE_PREFIX))
			return document_error_at_key(document_get(node, "roles"), m->err,
					"instance profiles belong to workspaces; say which ones "
					"with "
					"`workspaces:`");
	}
	if (sets && !m->settings->has_account)
		return document_error_at_key(sets, m->err,
				"rule sets are the account's, but no `account:` is configured");
	if (!source->level_count && !source->roles.count && !source->permission_count &&
			!source->tokens.node && !source->manages_groups.count &&
			!source->manages_services.count && !source->uses_services.count)
		return document_error_at_key(node, m->err,
				"this grant gives nothing; add `workspaces:`, `permissions:`, "
				"`roles:`, `tokens:`, `manages:` or `uses:`");
	return ERR_NONE;
}

enum err_code grant_make(const struct grant_making *m, const struct grant_source *source,
		struct grant_rule *ret)
{
	struct grant_rule grant = {.why = source->why};
	struct texts preset;
	enum err_code code = check_whole(m, source);

	if (code == ERR_NONE)
		code = make_principal(m, source, &grant);
	if (code == ERR_NONE)
		code = make_levels(m, source, &grant);
	preset = preset_of(m, source, &grant);
	if (code == ERR_NONE)
		code = grant_make_texts(m, &source->entitlements, check_entitlement,
				&grant.entitlements, &grant.entitlement_count);
	if (code == ERR_NONE)
		code = grant_make_texts(
				m, &source->roles, check_role, &grant.roles, &grant.role_count);
	if (code == ERR_NONE)
		code = grant_make_permissions(m, source, &preset, &grant);
	if (code == ERR_NONE)
		code = grant_make_tokens(m, source, &preset, &grant);
	if (code == ERR_NONE)
		code = make_rule_sets(m, source, &grant);
	if (code == ERR_NONE)
		*ret = grant;
	return code;
}
