/* The rules for users, groups and service principals. */
#include "rules/loader.h"

#include "base/text.h"
#include "model/dn.h"
#include "rules/filter.h"

static const char *const scopes[] = {"sub", NULL};
static const char *const external_ids[] = {"anchor", "none", NULL};
static const char *const nestings[] = {
		[NESTING_KEEP] = "keep", [NESTING_FLATTEN] = "flatten", NULL};
static const char *const gones[] = {"keep", "empty", "delete", NULL};
static const char *const levels[] = {
		[LEVEL_ACCOUNT] = "account", [LEVEL_WORKSPACE] = "workspace", NULL};

#define TEMPLATE_JSON "{\"type\":\"string\",\"minLength\":1}"
#define BASE_JSON "{\"type\":\"string\",\"minLength\":1}"
#define TEXTS_JSON "{\"type\":[\"string\",\"array\"],\"items\":{\"type\":\"string\"}}"

static enum err_code read_template(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	return template_compile(&loader_of(reader)->compiler, node, target, err);
}

/* An attribute's name, compiled as the template that gives its first value. */
static enum err_code read_match(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	static const char allowed[] =
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	struct document_node template = *node;
	const char *name;
	enum err_code code = schema_text(node, &name, err);

	if (code != ERR_NONE)
		return code;
	if (!*name || strspn(name, allowed) != strlen(name))
		return document_error(node, err,
				"`match` names an attribute, employeeNumber for example");
	template.text = arena_printf(reader->arena, "${entry[\"%s\"]}", name);
	return template_compile(&loader_of(reader)->compiler, &template, target, err);
}

static enum err_code read_when(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	const char *text;
	struct expression *expression;
	size_t end;
	enum err_code code = schema_text(node, &text, err);

	if (code == ERR_NONE && text_starts_with(text, "${"))
		return document_error(
				node, err, "`when` is an expression; write it without ${ and }");
	if (code == ERR_NONE)
		code = expression_compile(&loader_of(reader)->compiler, node, 0, false, &expression,
				&end, err);
	if (code == ERR_NONE)
		*(const struct expression **)target = expression;
	return code;
}

static enum err_code read_source(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	const struct settings *settings = loader_of(reader)->settings;
	const char **names = arena_alloc(reader->arena, settings->source_count * sizeof(*names));
	const char *text;
	enum err_code code = schema_text(node, &text, err);

	if (code != ERR_NONE)
		return code;
	for (size_t i = 0; i < settings->source_count; i++) {
		names[i] = settings->sources[i].name;
		if (strcmp(names[i], text) == 0) {
			*(int *)target = (int)i;
			return ERR_NONE;
		}
	}
	return schema_unknown(node, "source", text, names, settings->source_count, err);
}

/* Searches are the same for every entry: nothing could fill a template in them. */
static enum err_code read_literal(
		const struct document_node *node, const char **ret, struct err *err)
{
	enum err_code code = schema_text(node, ret, err);

	if (code == ERR_NONE && strstr(*ret, "${"))
		code = document_error(node, err, "`%s` takes no ${...}; write it out", node->key);
	return code;
}

static enum err_code read_base(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct err why;
	struct buf key;
	enum err_code code = read_literal(node, target, err);

	(void)reader;
	if (code != ERR_NONE)
		return code;
	buf_init(&key, DN_KEY_MAX);
	if (dn_key(span_of(node->text), &key, &why) != ERR_NONE)
		code = document_error(
				node, err, "`base` is no distinguished name: %.200s", why.text);
	buf_release(&key);
	return code;
}

static enum err_code read_filter(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	const char *text, *wrong;
	size_t offset;
	struct buf filter;
	enum err_code code = read_literal(node, &text, err);

	if (code != ERR_NONE)
		return code;
	buf_init(&filter, FILTER_BYTES_MAX);
	wrong = filter_normalise(text, &filter, &offset);
	if (wrong)
		code = document_error_inside(node, offset, err, "`filter`: %s", wrong);
	else
		*(const char **)target = arena_strdup(reader->arena, buf_text(&filter));
	buf_release(&filter);
	return code;
}

static const struct schema_key search_keys[] = {
		{"source", SCHEMA_OWN, .offset = offsetof(struct search_rule, source),
				.read = read_source,
				.about = "Name of one of `sources:`; may be left out if there is "
					 "only one."},
		{"base", SCHEMA_OWN, true, offsetof(struct search_rule, base), .read = read_base,
				.json = BASE_JSON,
				.about = "Distinguished name of the branch that is searched."},
		{"filter", SCHEMA_OWN, true, offsetof(struct search_rule, filter),
				.read = read_filter, .json = BASE_JSON,
				.about = "LDAP filter (RFC 4515)."},
		{"scope", SCHEMA_CHOICE, .offset = offsetof(struct search_rule, scope),
				.choices = scopes, .preset = "sub",
				.about = "The branch with all below it."},
};
static const struct schema search_schema = SCHEMA("this search", search_keys);

static enum err_code read_search(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct search_rule *search = target;

	*search = (struct search_rule){.source = -1, .node = node};
	return schema_read(reader, &search_schema, node, search, err);
}

static enum err_code read_through(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct rule *rule = target;
	bool list = node->kind == DOCUMENT_LIST;
	enum err_code code = ERR_NONE;

	rule->through_count = list ? node->count : 1;
	if (rule->through_count > SEARCHES_MAX)
		return document_error(node, err, "more than %d searches", SEARCHES_MAX);
	rule->through = arena_alloc(reader->arena, rule->through_count * sizeof(*rule->through));
	for (size_t i = 0; i < rule->through_count && code == ERR_NONE; i++)
		code = read_search(reader, list ? node->children[i] : node, &rule->through[i], err);
	return code;
}

#define FIELD(field) offsetof(struct rule, fields[field])
#define TEMPLATE_KEY(name, need, field, text)                                                      \
	{                                                                                          \
		name, SCHEMA_OWN, need, FIELD(field), .read = read_template,                       \
						      .json = TEMPLATE_JSON, .about = text         \
	}
#define ACTIVE_KEY                                                                                 \
	{                                                                                          \
		"active", SCHEMA_OWN, .offset = offsetof(struct rule, active),                     \
				      .read = read_template,                                       \
				      .json = "{\"type\":[\"string\",\"boolean\"]}",               \
				      .about = "Whether the account may sign in: a boolean, or "   \
					       "the text true or false; "                          \
					       "default true."                                     \
	}

static const struct schema_key name_keys[] = {
		TEMPLATE_KEY("givenName", false, FIELD_GIVEN_NAME, "Given name."),
		TEMPLATE_KEY("familyName", false, FIELD_FAMILY_NAME, "Family name."),
};
static const struct schema name_schema = SCHEMA("`name`", name_keys);

static const struct schema_key user_keys[] = {
		TEMPLATE_KEY("userName", true, FIELD_USER_NAME,
				"E-mail address by which the user signs in."),
		TEMPLATE_KEY("displayName", false, FIELD_DISPLAY_NAME, "Name that is shown."),
		{"name", SCHEMA_SECTION, .section = &name_schema,
				.about = "The parts of the name."},
		ACTIVE_KEY,
};
static const struct schema user_schema = SCHEMA("`user`", user_keys);

static const struct schema_key group_keys[] = {
		TEMPLATE_KEY("displayName", true, FIELD_DISPLAY_NAME, "Name of the group."),
};
static const struct schema group_schema = SCHEMA("`group`", group_keys);

static const struct schema_key service_principal_keys[] = {
		TEMPLATE_KEY("displayName", true, FIELD_DISPLAY_NAME,
				"Name of the service principal."),
		TEMPLATE_KEY("applicationId", false, FIELD_APPLICATION_ID,
				"UUID; Databricks makes one if left out."),
		ACTIVE_KEY,
};
static const struct schema service_principal_schema =
		SCHEMA("`service_principal`", service_principal_keys);

#define SEARCH_KEY                                                                                 \
	{                                                                                          \
		"search", SCHEMA_OWN, true, offsetof(struct rule, search),                         \
				.section = &search_schema, .read = read_search,                    \
				.about = "The entries that this rule is for."                      \
	}
#define WHEN_KEY                                                                                   \
	{                                                                                          \
		"when", SCHEMA_OWN, .offset = offsetof(struct rule, when), .read = read_when,      \
				    .json = TEMPLATE_JSON,                                         \
				    .about = "Expression; where it is false the entry is out of "  \
					     "scope."                                              \
	}
#define EXTERNAL_ID_KEY                                                                            \
	{                                                                                          \
		"external_id", SCHEMA_CHOICE, .offset = offsetof(struct rule, external_id),        \
					      .choices = external_ids, .preset = "anchor",         \
					      .about = "none: externalId is left alone."           \
	}

static const struct schema_key users_keys[] = {
		SEARCH_KEY,
		WHEN_KEY,
		{"user", SCHEMA_SECTION, true, .section = &user_schema,
				.about = "What the user looks like."},
		EXTERNAL_ID_KEY,
		SCHEMA_KEY_LATER("starts"),
		SCHEMA_KEY_LATER("ends"),
		{"match", SCHEMA_OWN, .offset = offsetof(struct rule, match), .read = read_match,
				.json = BASE_JSON,
				.about = "Attribute that must agree before an entry takes over the "
					 "userName of one that is gone."},
};
const struct schema mapping_users_schema = SCHEMA("this item of `users`", users_keys);

static const struct schema_key groups_keys[] = {
		SEARCH_KEY,
		{"through", SCHEMA_OWN, .section = &search_schema, .form = SCHEMA_ONE_OR_LIST,
				.read = read_through,
				.about = "Groups that are read but not made; their people join the "
					 "made groups above."},
		WHEN_KEY,
		{"group", SCHEMA_SECTION, true, .section = &group_schema,
				.about = "What the group looks like."},
		{"nested", SCHEMA_CHOICE, .offset = offsetof(struct rule, nesting),
				.choices = nestings, .preset = "keep",
				.about = "Groups in groups: keep them, or flatten to their "
					 "people."},
		{"gone", SCHEMA_CHOICE, .offset = offsetof(struct rule, gone), .choices = gones,
				.about = "What becomes of a group whose entry is gone; left out: "
					 "one that we created is "
					 "deleted, an adopted one loses what is ours."},
		{"level", SCHEMA_CHOICE, .offset = offsetof(struct rule, level), .choices = levels,
				.preset = "account",
				.about = "workspace: local groups of the workspaces named by "
					 "`in`."},
		{"in", SCHEMA_OWN, .offset = offsetof(struct rule, workspaces),
				.read = mapping_read_workspaces, .json = TEXTS_JSON,
				.about = "Globs of workspace names, with `level: workspace`."},
		{"adopt", SCHEMA_FLAG, .offset = offsetof(struct rule, adopt), .preset = "false",
				.about = "Adopt even groups that hold admin roles."},
		{"exclusive", SCHEMA_FLAG, .offset = offsetof(struct rule, exclusive),
				.preset = "false",
				.about = "Remove members that are not ours as well."},
		EXTERNAL_ID_KEY,
};
const struct schema mapping_groups_schema = SCHEMA("this item of `groups`", groups_keys);

/* Read when the rest of the item is known. */
static enum err_code skip_key(struct reader *reader, const struct document_node *node, void *target,
		struct err *err)
{
	(void)reader;
	(void)node;
	(void)target;
	(void)err;
	return ERR_NONE;
}

static const struct schema_key service_principals_keys[] = {
		{"search", SCHEMA_OWN, .offset = offsetof(struct rule, search),
				.section = &search_schema, .read = read_search,
				.about = "The entries that this rule is for."},
		WHEN_KEY,
		{"service_principal", SCHEMA_SECTION, .section = &service_principal_schema,
				.about = "What the service principal looks like."},
		EXTERNAL_ID_KEY,
		{"listed", SCHEMA_OWN, .section = &mapping_listed_schema,
				.form = SCHEMA_ONE_OR_LIST, .read = skip_key,
				.about = "Service principals without an entry, one or a list, in "
					 "place of search and service_principal."},
		{"secrets", SCHEMA_OWN, .section = &mapping_secrets_schema,
				.read = mapping_read_secrets,
				.about = "An OAuth secret that is made, handed over and renewed."},
		{"federation_policies", SCHEMA_OWN, .section = &mapping_federation_schema,
				.form = SCHEMA_SEVERAL, .read = mapping_read_federation,
				.about = "Tokens of other issuers that are accepted in place of "
					 "secrets."},
		SCHEMA_KEY_LATER("starts"),
		SCHEMA_KEY_LATER("ends"),
};
const struct schema mapping_service_principals_schema =
		SCHEMA("this item of `service_principals`", service_principals_keys);

/* A source that is left out is the only one, or the one that the rule itself names. */
static enum err_code settle_source(const struct loader *loader, struct search_rule *search,
		int from_rule, struct err *err)
{
	if (search->source >= 0)
		return ERR_NONE;
	if (from_rule < 0 && loader->settings->source_count > 1)
		return document_error_at_key(search->node, err,
				"there are %zu sources; say which one with `source:`",
				loader->settings->source_count);
	search->source = from_rule < 0 ? 0 : from_rule;
	return ERR_NONE;
}

static enum err_code check_level(const struct loader *loader, const struct rule *rule,
		const struct document_node *node, struct err *err)
{
	const struct document_node *level = document_get(node, "level"),
				   *in = document_get(node, "in");

	if (rule->level == LEVEL_WORKSPACE && !in)
		return document_error_at_key(
				level, err, "`level: workspace` needs `in:` with the workspaces");
	if (in && rule->level != LEVEL_WORKSPACE)
		return document_error_at_key(in, err, "`in` goes with `level: workspace`");
	if (level && rule->level == LEVEL_ACCOUNT && !loader->settings->has_account)
		return document_error_at_key(
				level, err, "`level: account`, but no `account:` is configured");
	return ERR_NONE;
}

/* What the rule's expressions named belongs to the searches of its source. */
static enum err_code keep_attributes(
		struct loader *loader, const struct rule *rule, struct err *err)
{
	int source = rule->search.source;

	for (vec_each (&loader->compiler.attributes, name))
		loader_add_name(&loader->attributes[source], *name);
	loader->compiler.attributes.count = 0;
	if (loader->attributes[source].count > ATTRIBUTES_NAMED_MAX)
		return err_set(err, ERR_CONFIG, 0,
				"%.160s:%u: the rules name more than %d attributes of one source",
				rule->file, rule->line, ATTRIBUTES_NAMED_MAX);
	return ERR_NONE;
}

static enum err_code read_rule(struct loader *loader, enum principal_kind kind,
		const struct schema *schema, const struct document_node *node, struct err *err)
{
	struct rule *rule = arena_alloc(loader->reader.arena, sizeof(*rule));
	bool listed = false;
	enum err_code code;

	*rule = (struct rule){.kind = kind, .file = node->file, .line = node->line, .gone = -1};
	code = schema_read(&loader->reader, schema, node, rule, err);
	if (code == ERR_NONE && kind == PRINCIPAL_SERVICE) {
		code = mapping_finish_service(loader, rule, node, &listed, err);
		if (listed)
			return code;
	}
	if (code == ERR_NONE)
		code = settle_source(loader, &rule->search, -1, err);
	for (size_t i = 0; i < rule->through_count && code == ERR_NONE; i++)
		code = settle_source(loader, &rule->through[i], rule->search.source, err);
	if (code == ERR_NONE && kind == PRINCIPAL_GROUP)
		code = check_level(loader, rule, node, err);
	if (code == ERR_NONE)
		code = keep_attributes(loader, rule, err);
	if (code == ERR_NONE)
		*vec_add(&loader->rules[kind]) = rule;
	return code;
}

enum err_code mapping_read_users(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	(void)target;
	return read_rule(loader_of(reader), PRINCIPAL_USER, &mapping_users_schema, node, err);
}

enum err_code mapping_read_groups(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	(void)target;
	return read_rule(loader_of(reader), PRINCIPAL_GROUP, &mapping_groups_schema, node, err);
}

enum err_code mapping_read_service_principals(struct reader *reader,
		const struct document_node *node, void *target, struct err *err)
{
	(void)target;
	return read_rule(loader_of(reader), PRINCIPAL_SERVICE, &mapping_service_principals_schema,
			node, err);
}
