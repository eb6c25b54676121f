/* Reading `grants:`. */
#include "rules/grant.h"

#include "base/text.h"

#define GROUP_ADMINS "admins"

static const char *const mapping_variables[] = {"cn", "displayName"};
static const char *const sink_variables[] = {"workspace", "applicationId"};

#define ENTITLEMENT_JSON                                                                           \
	"{\"anyOf\":[{\"enum\":[\"workspace-access\",\"databricks-sql-access\","                   \
	"\"workspace-consume\",\"allow-cluster-create\",\"allow-instance-pool-create\"]}"          \
	"," GRANT_TEMPLATE_JSON "]}"
#define ENTITLEMENTS_JSON                                                                          \
	"{\"anyOf\":[" ENTITLEMENT_JSON ",{\"type\":\"array\",\"items\":" ENTITLEMENT_JSON "}]}"
#define ROLE_JSON                                                                                  \
	"{\"type\":\"string\",\"pattern\":\"^(account_admin|billing\\\\.admin|marketplace\\\\."    \
	"admin|"                                                                                   \
	"tagPolicy\\\\.(creator|manager|assigner))$|^arn:|\\\\$\\\\{\"}"
#define ROLES_JSON "{\"anyOf\":[" ROLE_JSON ",{\"type\":\"array\",\"items\":" ROLE_JSON "}]}"
#define WORKSPACES_JSON                                                                            \
	"{\"type\":\"object\",\"additionalProperties\":{\"anyOf\":[{\"enum\":[\"USER\",\"ADMIN\"]" \
	"}," GRANT_TEMPLATE_JSON "]}}"

/* A literal text may hold $${, which stands for ${. */
static const char *unescape(struct arena *arena, const struct template *template)
{
	struct buf text;
	const char *ret;

	buf_init(&text, GRANT_TEXT_MAX * 2);
	for (size_t i = 0; i < template->count; i++)
		buf_add(&text, template->parts[i].literal.ptr, template->parts[i].literal.len);
	ret = arena_strdup(arena, buf_text(&text));
	buf_release(&text);
	return ret;
}

/* The offset of the first ${ that is not escaped; SIZE_MAX: there is none. */
static size_t find_expression(const char *text)
{
	for (const char *at = text; (at = strstr(at, "${")); at += 2) {
		if (at == text || at[-1] != '$')
			return (size_t)(at - text);
	}
	return SIZE_MAX;
}

static enum err_code take_template(struct loader *loader, const struct document_node *node,
		bool sink, struct grant_text *ret, struct err *err)
{
	struct each_reading *each = loader->each;
	const struct template *template;
	enum err_code code;

	loader->compiler.variables = sink ? &each->sink_variables : &each->variables;
	code = template_compile(&loader->compiler, node, &template, err);
	loader->compiler.variables = NULL;
	if (code != ERR_NONE)
		return code;
	if (sink && template->parts[0].expression)
		return document_error(node, err,
				"`%s` begins with file: or command: as it is written, not with "
				"${...}",
				node->key);
	if (each->templates.count == GRANT_TEMPLATES_MAX)
		return document_error(node, err, "more than %d templates in one grant",
				GRANT_TEMPLATES_MAX);
	*ret = (struct grant_text){.node = node, .index = each->templates.count};
	*vec_add(&each->templates) = (struct text_template){template, node, sink};
	return ERR_NONE;
}

static enum err_code take_text(struct loader *loader, const struct document_node *node, bool sink,
		struct grant_text *ret, struct err *err)
{
	const struct template *template;
	const char *text;
	size_t offset;
	enum err_code code = schema_text(node, &text, err);

	if (code != ERR_NONE)
		return code;
	if (strlen(text) > GRANT_TEXT_MAX)
		return document_error(node, err, "longer than %d bytes", GRANT_TEXT_MAX);
	offset = find_expression(text);
	if (offset != SIZE_MAX && loader->each)
		return take_template(loader, node, sink, ret, err);
	if (offset != SIZE_MAX && !sink)
		return document_error_inside(node, offset, err,
				"${...} is for grants with `for_each:`; here nothing could fill "
				"it");
	if (!sink && strstr(text, "$${")) {
		code = template_compile(&loader->compiler, node, &template, err);
		if (code == ERR_NONE)
			text = unescape(loader->reader.arena, template);
	}
	*ret = (struct grant_text){.node = node, .literal = text};
	return code;
}

enum err_code grant_take_text(struct loader *loader, const struct document_node *node,
		struct grant_text *ret, struct err *err)
{
	return take_text(loader, node, false, ret, err);
}

enum err_code grant_read_text(struct reader *reader, const struct document_node *node, void *target,
		struct err *err)
{
	return take_text(loader_of(reader), node, false, target, err);
}

enum err_code grant_read_sink(struct reader *reader, const struct document_node *node, void *target,
		struct err *err)
{
	return take_text(loader_of(reader), node, true, target, err);
}

enum err_code grant_read_texts(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct grant_texts *texts = target;
	bool list = node->kind == DOCUMENT_LIST;
	size_t count = list ? node->count : 1;
	struct grant_text *items;
	enum err_code code = ERR_NONE;

	if (count > SCHEMA_ITEMS_MAX)
		return document_error(node, err, "more than %d items", SCHEMA_ITEMS_MAX);
	items = arena_alloc(reader->arena, count * sizeof(*items));
	for (size_t i = 0; i < count && code == ERR_NONE; i++)
		code = grant_take_text(
				loader_of(reader), list ? node->children[i] : node, &items[i], err);
	if (code == ERR_NONE)
		*texts = (struct grant_texts){items, count};
	return code;
}

static enum err_code read_workspaces(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct loader *loader = loader_of(reader);
	struct grant_source *source = target;
	enum err_code code = ERR_NONE;

	if (node->kind != DOCUMENT_MAP)
		return document_error(node, err,
				"`workspaces` must be a map such as {prod: USER}, this is %s",
				document_describe(node));
	source->level_count = node->count;
	source->levels = arena_alloc(reader->arena, node->count * sizeof(*source->levels));
	for (size_t i = 0; i < node->count && code == ERR_NONE; i++) {
		struct document_node *key = arena_alloc(reader->arena, sizeof(*key));

		*key = document_key(node->children[i]);
		key->quoted = true;
		code = grant_take_text(loader, key, &source->levels[i].workspace, err);
		if (code == ERR_NONE)
			code = grant_take_text(
					loader, node->children[i], &source->levels[i].level, err);
	}
	return code;
}

#define SOURCE(member) offsetof(struct grant_source, member)
#define TO_KEY(name, kind, text)                                                                   \
	{                                                                                          \
		name, SCHEMA_OWN, .offset = SOURCE(to[kind]), .read = grant_read_text,             \
				  .json = GRANT_TEXT_JSON, .about = text                           \
	}
static const struct schema_key to_keys[] = {
		TO_KEY("user", PRINCIPAL_USER, "userName."),
		TO_KEY("group", PRINCIPAL_GROUP, "displayName in Databricks."),
		TO_KEY("service_principal", PRINCIPAL_SERVICE, "displayName or application id."),
};
static const struct schema to_schema = SCHEMA("`to`", to_keys);

#define TEXTS_KEY(name, member, text)                                                              \
	{                                                                                          \
		name, SCHEMA_OWN, .offset = SOURCE(member), .read = grant_read_texts,              \
				  .json = GRANT_TEXTS_JSON, .about = text                          \
	}
static const struct schema_key manages_keys[] = {
		TEXTS_KEY("groups", manages_groups, "Display names of groups."),
		TEXTS_KEY("service_principals", manages_services,
				"Display names or application ids of service principals."),
};
static const struct schema manages_schema = SCHEMA("`manages`", manages_keys);
static const struct schema_key uses_keys[] = {
		TEXTS_KEY("service_principals", uses_services,
				"Display names or application ids of service principals."),
};
static const struct schema uses_schema = SCHEMA("`uses`", uses_keys);

/* Read before all other keys. */
static enum err_code skip_key(struct reader *reader, const struct document_node *node, void *target,
		struct err *err)
{
	(void)reader;
	(void)node;
	(void)target;
	(void)err;
	return ERR_NONE;
}

static const struct schema_key each_keys[] = {
		{"group", SCHEMA_TEXT, true,
				.about = "Pattern (PCRE2, without regard to case) that the cn of a "
					 "directory group must match; its named groups are "
					 "variables "
					 "of the templates."},
};
static const struct schema each_schema = SCHEMA("`for_each`", each_keys);

static const struct schema_key grant_keys[] = {
		{"to", SCHEMA_SECTION, .section = &to_schema,
				.about = "Who gets it: exactly one principal. With for_each it may "
					 "be left out: the group that is made of the directory's."},
		{"for_each", SCHEMA_OWN, .section = &each_schema, .read = skip_key,
				.about = "The grant is made for every directory group whose name "
					 "matches; all of its texts may be templates."},
		{"workspaces", SCHEMA_OWN, .read = read_workspaces, .json = WORKSPACES_JSON,
				.about = "Names, globs or tag:KEY=VALUE of workspaces with USER or "
					 "ADMIN; the first that matches counts."},
		{"entitlements", SCHEMA_OWN, .offset = SOURCE(entitlements),
				.read = grant_read_texts, .json = ENTITLEMENTS_JSON,
				.about = "Hold in the workspaces that `workspaces` names."},
		{"roles", SCHEMA_OWN, .offset = SOURCE(roles), .read = grant_read_texts,
				.json = ROLES_JSON,
				.about = "account_admin, billing.admin and the like in the "
					 "account; "
					 "ARNs of instance profiles in the workspaces."},
		{"permissions", SCHEMA_LIST, .section = &grant_permission_schema,
				.read = grant_read_permission,
				.about = "Levels on objects of workspaces."},
		{"tokens", SCHEMA_OWN, .offset = SOURCE(tokens), .section = &grant_tokens_schema,
				.read = grant_read_tokens,
				.about = "Who may have personal access tokens, and for how long."},
		{"manages", SCHEMA_SECTION, .section = &manages_schema,
				.about = "Groups and service principals of the account that the "
					 "principal manages."},
		{"uses", SCHEMA_SECTION, .section = &uses_schema,
				.about = "Service principals of the account that the principal may "
					 "use."},
};
const struct schema mapping_grant_schema = SCHEMA("this item of `grants`", grant_keys);

static enum err_code find_principal(struct grant_source *source, struct err *err)
{
	const struct document_node *to = document_get(source->node, "to");
	unsigned found = 0;

	for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_; kind++) {
		if (!source->to[kind].node)
			continue;
		source->kind = kind;
		if (++found > 1)
			return document_error(
					to, err, "`to` names two principals; make it two grants");
	}
	if (!to && !source->each)
		return document_error_at_key(source->node, err,
				"this item of `grants` lacks `to` or `for_each`");
	if (to && !found)
		return document_error(to, err,
				"`to` names nobody; write user:, group: or service_principal:");
	if (!to)
		source->kind = PRINCIPAL_GROUP;
	return ERR_NONE;
}

static enum err_code check_capture(const struct document_node *node, const char *name,
		const char *const *names, size_t count, struct err *err)
{
	if (expression_reserves(span_of(name)))
		return document_error(node, err,
				"the pattern's group `%s` has a name that means something else in "
				"an expression; choose another one",
				name);
	for (size_t i = 0; i < count; i++) {
		if (text_equal_folded(names[i], name))
			return document_error(node, err,
					"the pattern's group `%s` has the name of the variable "
					"`%s`; choose another one",
					name, names[i]);
	}
	return ERR_NONE;
}

/* Captures first, then ours: all for paths, the first `count` for everything else. */
static enum err_code set_variables(struct loader *loader, const struct grant_each *each,
		const struct document_node *node, struct err *err)
{
	size_t count = each->capture_count + COUNT_OF(mapping_variables);
	const char **names = arena_alloc(
			loader->reader.arena, (count + COUNT_OF(sink_variables)) * sizeof(*names));
	size_t n = 0;
	enum err_code code = ERR_NONE;

	for (size_t i = 0; i < COUNT_OF(mapping_variables); i++)
		names[n++] = mapping_variables[i];
	for (size_t i = 0; i < each->capture_count && code == ERR_NONE; i++) {
		code = check_capture(node, each->captures[i], names, n, err);
		for (size_t s = 0; s < COUNT_OF(sink_variables) && code == ERR_NONE; s++)
			code = check_capture(node, each->captures[i], &sink_variables[s], 1, err);
		names[n++] = each->captures[i];
	}
	for (size_t i = 0; i < COUNT_OF(sink_variables); i++)
		names[n++] = sink_variables[i];
	loader->each->variables = (struct variables){names, count};
	loader->each->sink_variables = (struct variables){names, n};
	return code;
}

static enum err_code read_each(struct loader *loader, const struct document_node *node,
		struct grant_each *each, struct err *err)
{
	struct {
		const char *unused; /* each_schema's only member has offset 0 */
	} reading;
	const struct document_node *group;
	const char *wrong, *pattern;
	char reason[160];
	enum err_code code = schema_read(&loader->reader, &each_schema, node, &reading, err);

	if (code != ERR_NONE)
		return code;
	group = document_get(node, "group");
	if (!pattern_check(span_of(group->text), reason, sizeof(reason)))
		return document_error(group, err, "pattern: %s", reason);
	pattern = arena_printf(loader->reader.arena, "(?i)%s", group->text);
	each->pattern = span_of(pattern);
	wrong = pattern_group_names(
			each->pattern, loader->reader.arena, &each->captures, &each->capture_count);
	if (wrong)
		return document_error(group, err, "pattern: %s", wrong);
	return set_variables(loader, each, group, err);
}

static enum err_code read_grant(struct loader *loader, const struct document_node *node,
		struct grant_each *each, struct err *err)
{
	struct grant_source *source = &each->source;
	struct grant_making making = {.arena = loader->reader.arena,
			.settings = loader->settings,
			.known = !source->each,
			.err = err};
	struct grant_rule grant;
	enum err_code code = schema_read(&loader->reader, &mapping_grant_schema, node, source, err);

	if (code == ERR_NONE)
		code = find_principal(source, err);
	if (code == ERR_NONE)
		code = grant_make(&making, source, &grant);
	if (code == ERR_NONE && !source->each)
		*vec_add(&loader->grants) = grant;
	return code;
}

/* Admins have every right by being admins: none is given to them or taken. */
static void warn_of_admins(struct loader *loader, const struct grant_source *source)
{
	const char *group = source->to[PRINCIPAL_GROUP].literal;

	if (source->kind != PRINCIPAL_GROUP || !group || !text_equal_folded(group, GROUP_ADMINS))
		return;
	if (source->permission_count)
		loader_warn(loader, source->permissions[0].node,
				"`permissions` of the system group `%s` have no effect: it may do "
				"everything",
				GROUP_ADMINS);
	if (source->tokens.node && source->tokens.use)
		loader_warn(loader, source->tokens.node,
				"`use` of the system group `%s` has no effect: it may do "
				"everything",
				GROUP_ADMINS);
}

static void keep_each(struct loader *loader, struct grant_each *each)
{
	const struct each_reading *reading = loader->each;
	struct text_template *templates = arena_alloc(
			loader->reader.arena, reading->templates.count * sizeof(*templates));

	if (reading->templates.count)
		memcpy(templates, reading->templates.items,
				reading->templates.count * sizeof(*templates));
	each->templates = templates;
	each->template_count = reading->templates.count;
	*vec_add(&loader->eaches) = each;
}

enum err_code mapping_read_grant(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct loader *loader = loader_of(reader);
	struct each_reading reading = {0};
	const struct document_node *for_each = document_get(node, "for_each");
	struct grant_each *each = arena_alloc(reader->arena, sizeof(*each));
	enum err_code code = ERR_NONE;

	(void)target;
	each->source.node = node;
	each->source.why = (struct why){.file = node->file, .line = node->line};
	each->source.each = for_each != NULL;
	if (for_each) {
		loader->each = &reading;
		code = read_each(loader, for_each, each, err);
	}
	if (code == ERR_NONE)
		code = read_grant(loader, node, each, err);
	if (code == ERR_NONE)
		warn_of_admins(loader, &each->source);
	if (code == ERR_NONE && for_each)
		keep_each(loader, each);
	loader->each = NULL;
	vec_release(&reading.templates);
	return code;
}
