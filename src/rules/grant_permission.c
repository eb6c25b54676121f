/* `permissions:` of a grant: reading, and making permission rules. */
#include "rules/grant.h"

#include "base/buf.h"
#include "base/text.h"

#define WORKSPACE_PREFIX "/Workspace"
#define LEVELS_SHOWN_MAX ((size_t)240)

static const char *const authorizations[] = {"tokens", "passwords", NULL};

/* ---- reading ---- */

#define SELECTOR(member) offsetof(struct selector_source, member)

static enum err_code read_tags(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct selector_source *source = target;
	enum err_code code = ERR_NONE;

	if (node->kind != DOCUMENT_MAP || node->count == 0)
		return document_error(node, err,
				"`tag` must be a map such as {env: prod}, this is %s",
				node->count ? document_describe(node) : "empty");
	if (node->count > SELECTOR_TAGS_MAX)
		return document_error(node, err, "more than %d tags", SELECTOR_TAGS_MAX);
	source->tag_count = node->count;
	source->tags = arena_alloc(reader->arena, node->count * sizeof(*source->tags));
	for (size_t i = 0; i < node->count && code == ERR_NONE; i++) {
		source->tags[i].key = node->children[i]->key;
		code = grant_read_text(reader, node->children[i], &source->tags[i].value, err);
	}
	return code;
}

static enum err_code read_all(struct reader *reader, const struct document_node *node, void *target,
		struct err *err)
{
	struct selector_source *source = target;

	(void)reader;
	source->all = node->kind == DOCUMENT_SCALAR && !node->quoted &&
			strcmp(node->text, "true") == 0;
	if (!source->all)
		return document_error(node, err, "`all` must be true; else leave it out");
	return ERR_NONE;
}

#define SELECTOR_KEY(key, member, text)                                                            \
	{                                                                                          \
		key, SCHEMA_OWN, .offset = SELECTOR(member), .read = grant_read_text,              \
				 .json = GRANT_TEXT_JSON, .about = text                            \
	}
static const struct schema_key selector_keys[] = {
		SELECTOR_KEY("name", name, "Name, or glob of names."),
		SELECTOR_KEY("path", path, "Path in the workspace, or glob of paths."),
		SELECTOR_KEY("id", id, "Id in the workspace."),
		SELECTOR_KEY("creator", creator, "Who made it, or glob of such."),
		{"tag", SCHEMA_OWN, .read = read_tags, .json = "{\"type\":\"object\"}",
				.about = "Tags with globs of their values; all must be there."},
		{"all", SCHEMA_OWN, .read = read_all, .json = "{\"const\":true}",
				.about = "Every object of the type."},
};
static const struct schema selector_schema = SCHEMA("this selector", selector_keys);

/* Whether the type's objects can be selected by the key. */
static bool type_knows(
		const struct securable_traits *traits, enum securable_type type, const char *key)
{
	if (type == SECURABLE_AUTHORIZATION)
		return false;
	if (strcmp(key, "name") == 0)
		return !traits->in_tree;
	if (strcmp(key, "path") == 0)
		return traits->in_tree;
	if (strcmp(key, "tag") == 0)
		return traits->has_tags;
	return strcmp(key, "creator") != 0 || traits->has_creator;
}

static enum err_code check_keys(const struct selector_source *source, struct err *err)
{
	const struct securable_traits *traits = securable_traits(source->type);
	const struct document_node *node = source->node;
	struct document_node key;

	if (source->type == SECURABLE_AUTHORIZATION)
		return document_error(node, err, "`authorization` is tokens or passwords");
	for (size_t i = 0; i < node->count; i++) {
		const char *word = node->children[i]->key;
		bool alone = strcmp(word, "all") == 0 || strcmp(word, "id") == 0 ||
				strcmp(word, "path") == 0;

		key = document_key(node->children[i]);
		if (!type_knows(traits, source->type, word))
			return document_error(&key, err,
					"a %s can't be selected by %s; Databricks' lists do not "
					"tell "
					"it",
					traits->name, word);
		if (alone && node->count > 1)
			return document_error(&key, err,
					"`%s` selects alone; remove it or the others", word);
	}
	if (node->count == 0)
		return document_error(node, err, "this selector selects nothing");
	return ERR_NONE;
}

static enum err_code read_in(struct reader *reader, const struct document_node *node, void *target,
		struct err *err)
{
	if (node->kind == DOCUMENT_LIST && node->count == 0)
		return document_error(node, err, "`in` names no workspace");
	return grant_read_texts(reader, node, target, err);
}

static enum err_code read_selector(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct selector_source *source = target;
	struct document_node key = document_key(node);
	enum err_code code;

	if (source->node)
		return document_error(&key, err,
				"`%s` and `%s` in one item; make it two, each with its level",
				source->node->key, node->key);
	source->node = node;
	if (!securable_parse(node->key, &source->type))
		return document_error(&key, err, "unknown type `%s`", node->key);
	if (node->kind != DOCUMENT_MAP)
		return grant_read_text(reader, node, &source->plain, err);
	code = schema_read(reader, &selector_schema, node, source, err);
	return code == ERR_NONE ? check_keys(source, err) : code;
}

#define TEXT "{\"type\":\"string\",\"minLength\":1}"
#define NAMED ",\"name\""
#define IN_TREE ",\"path\""
#define TAGS ",\"tag\""
#define CREATOR ",\"creator\""
#define SELECTOR_JSON(keys)                                                                        \
	"{\"anyOf\":[" TEXT                                                                        \
	",{\"type\":\"object\",\"minProperties\":1,\"propertyNames\":{\"enum\":["                  \
	"\"id\",\"all\"" keys "]}}]}"
#define TYPE_KEY(type, json_text, text)                                                            \
	{                                                                                          \
		type, SCHEMA_OWN, .offset = offsetof(struct permission_source, selector),          \
				  .read = read_selector, .json = json_text, .about = text          \
	}
static const struct schema_key permission_keys[] = {
		TYPE_KEY("alert", SELECTOR_JSON(NAMED CREATOR), "Alerts."),
		TYPE_KEY("app", SELECTOR_JSON(NAMED CREATOR), "Apps."),
		TYPE_KEY("authorization", "{\"enum\":[\"tokens\",\"passwords\"]}",
				"tokens or passwords."),
		TYPE_KEY("cluster", SELECTOR_JSON(NAMED TAGS CREATOR), "Clusters."),
		TYPE_KEY("cluster_policy", SELECTOR_JSON(NAMED CREATOR), "Cluster policies."),
		TYPE_KEY("dashboard", SELECTOR_JSON(NAMED), "AI/BI dashboards."),
		TYPE_KEY("database_instance", SELECTOR_JSON(NAMED TAGS CREATOR),
				"Database instances."),
		TYPE_KEY("database_project", SELECTOR_JSON(NAMED CREATOR), "Database projects."),
		TYPE_KEY("directory", SELECTOR_JSON(IN_TREE), "Folders of the workspace."),
		TYPE_KEY("experiment", SELECTOR_JSON(NAMED TAGS), "Experiments."),
		TYPE_KEY("feature_table", SELECTOR_JSON(NAMED), "Feature tables of the workspace."),
		TYPE_KEY("file", SELECTOR_JSON(IN_TREE), "Files of the workspace."),
		TYPE_KEY("genie_space", SELECTOR_JSON(NAMED), "Genie spaces."),
		TYPE_KEY("instance_pool", SELECTOR_JSON(NAMED TAGS), "Instance pools."),
		TYPE_KEY("job", SELECTOR_JSON(NAMED TAGS CREATOR), "Jobs."),
		TYPE_KEY("knowledge_assistant", SELECTOR_JSON(NAMED CREATOR),
				"Knowledge assistants."),
		TYPE_KEY("legacy_alert", SELECTOR_JSON(NAMED CREATOR), "Legacy alerts."),
		TYPE_KEY("legacy_dashboard", SELECTOR_JSON(NAMED TAGS CREATOR),
				"Legacy dashboards."),
		TYPE_KEY("notebook", SELECTOR_JSON(IN_TREE), "Notebooks."),
		TYPE_KEY("pipeline", SELECTOR_JSON(NAMED CREATOR), "Pipelines."),
		TYPE_KEY("query", SELECTOR_JSON(NAMED TAGS CREATOR), "Queries."),
		TYPE_KEY("registered_model", SELECTOR_JSON(NAMED TAGS),
				"Models of the workspace's registry."),
		TYPE_KEY("repo", SELECTOR_JSON(IN_TREE), "Git folders."),
		TYPE_KEY("serving_endpoint", SELECTOR_JSON(NAMED TAGS CREATOR),
				"Serving endpoints."),
		TYPE_KEY("sql_warehouse", SELECTOR_JSON(NAMED TAGS CREATOR), "SQL warehouses."),
		TYPE_KEY("supervisor_agent", SELECTOR_JSON(NAMED CREATOR), "Supervisor agents."),
		TYPE_KEY("vector_search_endpoint", SELECTOR_JSON(NAMED TAGS CREATOR),
				"Vector search endpoints."),
		{"level", SCHEMA_OWN, true, offsetof(struct permission_source, level),
				.read = grant_read_text,
				.json = "{\"type\":\"string\",\"pattern\":\"^(CAN_|IS_OWNER$)|\\\\$"
					"\\\\{\"}",
				.about = "One of the type's levels."},
		{"in", SCHEMA_OWN, .offset = offsetof(struct permission_source, in),
				.read = read_in, .json = GRANT_TEXTS_JSON,
				.about = "Names, globs or tag:KEY=VALUE of workspaces; left out: "
					 "those of the grant's workspaces, else all."},
		{"exclusive", SCHEMA_FLAG, .offset = offsetof(struct permission_source, exclusive),
				.preset = "false",
				.about = "Remove direct entries that no rule asks for as well."},
};
_Static_assert(COUNT_OF(permission_keys) == SECURABLE_TYPE_COUNT_ + 3, "a key per type");
const struct schema grant_permission_schema = SCHEMA("this item of `permissions`", permission_keys);

enum err_code grant_read_permission(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct grant_source *grant = target;
	struct document_node *list = document_get(grant->node, "permissions");
	struct permission_source *source;
	enum err_code code;

	if (!grant->permissions)
		grant->permissions = arena_alloc(
				reader->arena, list->count * sizeof(*grant->permissions));
	source = &grant->permissions[grant->permission_count++];
	source->node = node;
	code = schema_read(reader, &grant_permission_schema, node, source, err);
	if (code == ERR_NONE && !source->selector.node)
		return document_error_at_key(node, err,
				"this item of `permissions` names no object; write {job: NAME}, "
				"{directory: PATH} or another type");
	return code;
}

/* ---- making ---- */

/* Wildcards keep their backslashes; a text without has none that mean anything. */
static const char *unquote(struct arena *arena, const char *text)
{
	char *ret = arena_strdup(arena, text), *to = ret;

	for (const char *from = text; *from; from++) {
		if (*from == '\\' && from[1])
			from++;
		*to++ = *from;
	}
	*to = '\0';
	return ret;
}

static enum err_code set_path(const struct grant_making *m, const struct document_node *node,
		const char *text, struct selector *ret)
{
	size_t len;

	if (text_starts_with(text, WORKSPACE_PREFIX "/") || strcmp(text, WORKSPACE_PREFIX) == 0)
		text += strlen(WORKSPACE_PREFIX);
	if (!*text)
		text = "/";
	if (text[0] != '/')
		return document_error(node, m->err,
				"`%s`: a path begins with /, such as /Shared/etl, not `%.80s`",
				node->key ? node->key : "path", text);
	for (len = strlen(text); len > 1 && text[len - 1] == '/';)
		len--;
	text = arena_strndup(m->arena, text, len);
	if (strstr(text, "//") || strstr(text, "/../") || strstr(text, "/./") ||
			(len >= 3 && strcmp(text + len - 3, "/..") == 0))
		return document_error(node, m->err,
				"`%.120s` is no plain path; write it without //, "
				"/. and /..",
				text);
	ret->is_glob = selector_is_glob(text);
	ret->path = ret->is_glob ? text : unquote(m->arena, text);
	return ERR_NONE;
}

static enum err_code set_name(const struct grant_making *m, const struct document_node *node,
		const char *text, struct selector *ret)
{
	(void)node;
	ret->is_glob = selector_is_glob(text);
	ret->name = ret->is_glob ? text : unquote(m->arena, text);
	return ERR_NONE;
}

static enum err_code set_id(const struct grant_making *m, const struct document_node *node,
		const char *text, struct selector *ret)
{
	(void)m;
	(void)node;
	ret->id = text;
	return ERR_NONE;
}

static enum err_code set_creator(const struct grant_making *m, const struct document_node *node,
		const char *text, struct selector *ret)
{
	(void)m;
	(void)node;
	ret->creator = text;
	return ERR_NONE;
}

/* A text in place of the map: what it means is the type's. */
static enum err_code set_plain(const struct grant_making *m, const struct document_node *node,
		const char *text, struct selector *ret)
{
	int choice = 0;
	enum err_code code;

	if (securable_traits(ret->type)->in_tree)
		return set_path(m, node, text, ret);
	if (ret->type != SECURABLE_AUTHORIZATION)
		return set_name(m, node, text, ret);
	code = schema_choice(node, authorizations, &choice, m->err);
	if (code == ERR_NONE)
		ret->id = authorizations[choice];
	return code;
}

typedef enum err_code set_fn(const struct grant_making *m, const struct document_node *node,
		const char *text, struct selector *ret);

static enum err_code set(const struct grant_making *m, const struct grant_text *text, set_fn *fn,
		struct selector *ret)
{
	const char *value;
	struct document_node node;

	if (!text->node)
		return ERR_NONE;
	switch (grant_text_value(m, text, &value)) {
	case VALUE_LATER:
		return ERR_NONE;
	case VALUE_NIL:
		return grant_nil(m, text);
	case VALUE_TEXT:
		break;
	}
	node = grant_node(text, value);
	return fn(m, &node, value, ret);
}

static enum err_code make_tags(const struct grant_making *m, const struct selector_source *source,
		struct selector *ret)
{
	struct tag *tags = arena_alloc(m->arena, source->tag_count * sizeof(*tags));
	enum err_code code = ERR_NONE;

	for (size_t i = 0; i < source->tag_count && code == ERR_NONE; i++) {
		tags[i].key = source->tags[i].key;
		if (grant_text_value(m, &source->tags[i].value, &tags[i].value) == VALUE_NIL)
			code = grant_nil(m, &source->tags[i].value);
	}
	ret->tags = tags;
	ret->tag_count = source->tag_count;
	return code;
}

static enum err_code make_selector(const struct grant_making *m,
		const struct selector_source *source, struct selector *ret)
{
	enum err_code code;

	*ret = (struct selector){.type = source->type, .all = source->all};
	code = set(m, &source->plain, set_plain, ret);
	if (code == ERR_NONE)
		code = set(m, &source->path, set_path, ret);
	if (code == ERR_NONE)
		code = set(m, &source->name, set_name, ret);
	if (code == ERR_NONE)
		code = set(m, &source->id, set_id, ret);
	if (code == ERR_NONE)
		code = set(m, &source->creator, set_creator, ret);
	return code == ERR_NONE ? make_tags(m, source, ret) : code;
}

/* Levels are few: the list is in the message, behind what was likely meant. */
static enum err_code refuse_level(const struct grant_making *m, const struct document_node *node,
		enum securable_type type, const char *level)
{
	const struct securable_traits *traits = securable_traits(type);
	const char *likely;
	struct buf list;
	size_t count = 0;
	enum err_code code;

	buf_init(&list, LEVELS_SHOWN_MAX);
	for (; traits->levels[count]; count++)
		buf_printf(&list, "%s%s", count ? ", " : "", traits->levels[count]);
	likely = text_did_you_mean(level, traits->levels, count);
	code = document_error(node, m->err, "`%.40s` is no level of %s%s%s%s; levels: %s", level,
			traits->name, likely ? ", did you mean `" : "", likely ? likely : "",
			likely ? "`?" : "", buf_text(&list));
	buf_release(&list);
	return code;
}

static enum err_code check_level(const struct grant_making *m, const struct document_node *node,
		const struct permission_source *source, enum principal_kind kind,
		const char **level)
{
	enum securable_type type = source->selector.type;
	const char *const *levels = securable_traits(type)->levels;

	if (!securable_has_level(type, *level))
		return refuse_level(m, node, type, *level);
	if (strcmp(*level, "IS_OWNER") == 0 && kind == PRINCIPAL_GROUP)
		return document_error(node, m->err,
				"a group can't own a %s; IS_OWNER is for users and service "
				"principals",
				securable_traits(type)->name);
	if (type == SECURABLE_AUTHORIZATION && strcmp(*level, "CAN_USE") != 0)
		return document_error(node, m->err,
				"%s is of the group admins alone here; give CAN_USE", *level);
	while (strcmp(*levels, *level) != 0)
		levels++;
	*level = *levels; /* the traits' own text */
	return ERR_NONE;
}

/* *ret_left_out: the level came out nil, which leaves the item out. */
static enum err_code make_permission(const struct grant_making *m,
		const struct permission_source *source, enum principal_kind kind,
		const struct texts *preset, struct permission_rule *ret)
{
	struct document_node node;
	enum err_code code = make_selector(m, &source->selector, &ret->selector);
	enum grant_value value = grant_text_value(m, &source->level, &ret->level);

	ret->exclusive = source->exclusive;
	ret->why = (struct why){.file = source->node->file, .line = source->node->line};
	if (value != VALUE_TEXT)
		ret->level = NULL;
	if (code == ERR_NONE && value == VALUE_TEXT) {
		node = grant_node(&source->level, ret->level);
		code = check_level(m, &node, source, kind, &ret->level);
	}
	if (code == ERR_NONE && source->exclusive && ret->selector.id &&
			ret->selector.type == SECURABLE_AUTHORIZATION &&
			strcmp(ret->selector.id, "passwords") == 0)
		code = document_error_at_key(document_get(source->node, "exclusive"), m->err,
				"`exclusive` is not for passwords, where admins are an entry like "
				"others");
	return code == ERR_NONE ? grant_make_in(m, &source->in, preset, &ret->in, &ret->in_count)
				: code;
}

enum err_code grant_make_permissions(const struct grant_making *m,
		const struct grant_source *source, const struct texts *preset,
		struct grant_rule *ret)
{
	struct permission_rule *rules =
			arena_alloc(m->arena, source->permission_count * sizeof(*rules));
	size_t count = 0;

	for (size_t i = 0; i < source->permission_count; i++) {
		enum err_code code = make_permission(
				m, &source->permissions[i], source->kind, preset, &rules[count]);

		if (code != ERR_NONE)
			return code;
		count += rules[count].level != NULL;
	}
	ret->permissions = rules;
	ret->permission_count = count;
	return ERR_NONE;
}
