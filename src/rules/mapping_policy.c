/* Reading `cluster_policies:`. */
#include "rules/policy_rule.h"

#include "base/text.h"
#include "rules/json_document.h"
#include "rules/policy_definition.h"

#define FILE_PREFIX "file:"

#define TEXT_JSON "{\"type\":\"string\",\"minLength\":1}"
#define TEXTS_JSON "{\"anyOf\":[" TEXT_JSON ",{\"type\":\"array\",\"items\":" TEXT_JSON "}]}"
#define DEFINITION_JSON                                                                            \
	"{\"anyOf\":[{\"type\":\"string\",\"pattern\":\"^file:.\"},{\"type\":\"object\","          \
	"\"additionalProperties\":{\"type\":\"object\"}}]}"
#define LIBRARIES_JSON                                                                             \
	"{\"anyOf\":[{\"type\":\"string\",\"pattern\":\"^file:.\"},{\"type\":\"array\",\"items\":" \
	"{\"type\":\"object\",\"minProperties\":1,\"maxProperties\":1}}]}"

static const char *const gones[] = {"keep", "delete", NULL};

/* An item while it is read. */
struct policy_reading {
	struct cluster_policy_source source;
	struct texts in;
	bool adopt;
	int gone;
};

static enum err_code read_node(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	const char *text;
	enum err_code code = schema_text(node, &text, err);

	(void)reader;
	if (code == ERR_NONE)
		*(const struct document_node **)target = node;
	return code;
}

/* The tree of a file, or what stands in its place. */
static enum err_code read_tree(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct loader *loader = loader_of(reader);
	struct document_node *tree;
	const char *shown, *path;
	struct err why;
	struct span text;
	enum err_code code;

	if (node->kind != DOCUMENT_SCALAR || document_is_null(node)) {
		*(const struct document_node **)target = node;
		return ERR_NONE;
	}
	shown = node->text + strlen(FILE_PREFIX);
	if (!text_starts_with(node->text, FILE_PREFIX) || !*shown)
		return document_error(node, err,
				"`%s` must be file:PATH or stand here itself, not `%.80s`",
				node->key, node->text);
	path = shown[0] == '/' ? shown
			       : arena_printf(reader->arena, "%s/%s", reader->folder, shown);
	if (document_load(path, shown, reader->arena, &text, &why) != ERR_NONE)
		return document_error(node, err, "`%s`: %.280s", node->key, why.text);
	code = json_document_parse(text, shown, reader->arena, &tree, err);
	if (code != ERR_NONE)
		return code;
	*vec_add(&loader->definitions) = text;
	*(const struct document_node **)target = tree;
	return ERR_NONE;
}

#define SOURCE(member) offsetof(struct policy_reading, source.member)
static const struct schema_key policy_keys[] = {
		{"name", SCHEMA_OWN, true, SOURCE(name), .read = read_node, .json = TEXT_JSON,
				.about = "Name of the policy, unique in a workspace."},
		{"description", SCHEMA_OWN, .offset = SOURCE(description), .read = read_node,
				.json = TEXT_JSON, .about = "Text for people."},
		{"definition", SCHEMA_OWN, .offset = SOURCE(definition), .read = read_tree,
				.json = DEFINITION_JSON,
				.about = "file:PATH of a JSON file, or the definition itself."},
		{"family", SCHEMA_OWN, .offset = SOURCE(family), .read = read_node,
				.json = TEXT_JSON,
				.about = "Id or name of the policy family, in place of a "
					 "definition."},
		{"overrides", SCHEMA_OWN, .offset = SOURCE(overrides), .read = read_tree,
				.json = DEFINITION_JSON,
				.about = "What differs from the family's definition; as "
					 "definition."},
		{"libraries", SCHEMA_OWN, .offset = SOURCE(libraries), .read = read_tree,
				.json = LIBRARIES_JSON,
				.about = "Libraries that clusters get; a list, or file:PATH of a "
					 "JSON file."},
		{"max_clusters_per_user", SCHEMA_NUMBER, .offset = SOURCE(max_clusters_per_user),
				.min = 1, .max = INT32_MAX,
				.about = "Clusters that one user may have under the policy."},
		{"in", SCHEMA_OWN, .offset = offsetof(struct policy_reading, in),
				.read = mapping_read_workspaces, .json = TEXTS_JSON,
				.about = "Names, globs or tag:KEY=VALUE of workspaces; left out: "
					 "all."},
		{"adopt", SCHEMA_FLAG, .offset = offsetof(struct policy_reading, adopt),
				.preset = "false",
				.about = "Take over a policy of this name that others made."},
		{"gone", SCHEMA_CHOICE, .offset = offsetof(struct policy_reading, gone),
				.choices = gones,
				.about = "What becomes of the policy when the rule is gone; left "
					 "out: one that we made is deleted, an adopted one kept."},
};
const struct schema mapping_policy_schema = SCHEMA("this item of `cluster_policies`", policy_keys);

static enum err_code check_policy(const struct cluster_policy_source *source,
		const struct document_node *node, struct err *err)
{
	if (source->definition && source->family)
		return document_error_at_key(document_get(node, "family"), err,
				"`definition` and `family` exclude each other; write `overrides` "
				"over a family");
	if (!source->definition && !source->family)
		return document_error_at_key(node, err,
				"this item of `cluster_policies` lacks `definition` or `family`");
	if (source->overrides && !source->family)
		return document_error_at_key(document_get(node, "overrides"), err,
				"`overrides` go with `family`");
	return ERR_NONE;
}

static void warn(void *context, const struct document_node *node, const char *text)
{
	loader_warn(context, node, "%s", text);
}

static enum err_code check_trees(
		struct loader *loader, const struct cluster_policy_source *source, struct err *err)
{
	struct policy_check check = {.templates = true, .warn = warn, .context = loader};
	enum err_code code = ERR_NONE;

	if (source->definition)
		code = policy_definition_check(&check, source->definition, err);
	if (code == ERR_NONE && source->libraries)
		code = policy_libraries_check(&check, source->libraries, err);
	check.overrides = true;
	if (code == ERR_NONE && source->overrides)
		code = policy_definition_check(&check, source->overrides, err);
	return code;
}

/* ---- templates ---- */

struct collecting {
	struct loader *loader;
	VEC(struct text_template) templates;
	struct err *err;
};

static enum err_code collect(struct collecting *c, const struct document_node *node)
{
	const struct template *template;
	enum err_code code = ERR_NONE;

	if (!node)
		return ERR_NONE;
	for (size_t i = 0; i < node->count && code == ERR_NONE; i++)
		code = collect(c, node->children[i]);
	if (code != ERR_NONE || node->kind != DOCUMENT_SCALAR || !strstr(node->text, "${"))
		return code;
	if (c->templates.count == POLICY_TEMPLATES_MAX)
		return document_error(node, c->err, "more than %d templates in one policy",
				POLICY_TEMPLATES_MAX);
	code = template_compile(&c->loader->compiler, node, &template, c->err);
	if (code == ERR_NONE)
		*vec_add(&c->templates) = (struct text_template){template, node, false};
	return code;
}

/* `workspace`, and the tags of all workspaces. */
static struct variables workspace_variables(const struct loader *loader)
{
	const struct settings *settings = loader->settings;
	VEC(const char *) names = {0};
	const char **copy;
	struct variables ret;

	*vec_add(&names) = "workspace";
	for (size_t i = 0; i < settings->target_count; i++) {
		for (size_t t = 0; t < settings->targets[i].tag_count; t++) {
			const char *key = settings->targets[i].tags[t].key;
			bool known = false;

			for (vec_each (&names, name))
				known = known || text_equal_folded(*name, key);
			if (!known && attribute_name_is_valid(span_of(key)))
				*vec_add(&names) = key;
		}
	}
	copy = arena_alloc(loader->reader.arena, names.count * sizeof(*copy));
	memcpy(copy, names.items, names.count * sizeof(*copy));
	ret = (struct variables){copy, names.count};
	vec_release(&names);
	return ret;
}

static enum err_code compile(
		struct loader *loader, struct cluster_policy_source *source, struct err *err)
{
	const struct document_node *const trees[] = {source->name, source->description,
			source->family, source->definition, source->overrides, source->libraries};
	struct variables variables = workspace_variables(loader);
	struct collecting c = {.loader = loader, .err = err};
	struct text_template *templates;
	enum err_code code = ERR_NONE;

	loader->compiler.variables = &variables;
	for (size_t i = 0; i < COUNT_OF(trees) && code == ERR_NONE; i++)
		code = collect(&c, trees[i]);
	loader->compiler.variables = NULL;
	templates = arena_alloc(loader->reader.arena, c.templates.count * sizeof(*templates));
	if (c.templates.count)
		memcpy(templates, c.templates.items, c.templates.count * sizeof(*templates));
	source->templates = templates;
	source->template_count = c.templates.count;
	vec_release(&c.templates);
	return code;
}

enum err_code mapping_read_policy(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	static const char *const everywhere[] = {"*"};
	struct loader *loader = loader_of(reader);
	struct policy_reading reading = {.gone = -1};
	struct cluster_policy_source *source = arena_alloc(reader->arena, sizeof(*source));
	enum err_code code = schema_read(reader, &mapping_policy_schema, node, &reading, err);

	(void)target;
	if (code == ERR_NONE)
		code = check_policy(&reading.source, node, err);
	if (code == ERR_NONE)
		code = check_trees(loader, &reading.source, err);
	if (code == ERR_NONE)
		code = compile(loader, &reading.source, err);
	if (code != ERR_NONE)
		return code;
	*source = reading.source;
	if (!reading.in.count)
		reading.in = (struct texts){everywhere, COUNT_OF(everywhere)};
	*vec_add(&loader->policies) = (struct cluster_policy_rule){.in = reading.in.items,
			.in_count = reading.in.count,
			.adopt = reading.adopt,
			.gone = (enum policy_gone)(reading.gone + 1),
			.why = {.file = node->file, .line = node->line},
			.source = source};
	return ERR_NONE;
}
