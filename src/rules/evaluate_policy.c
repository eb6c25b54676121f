/* A cluster policy as one workspace should have it. */
#include "rules/policy_rule.h"

#include "base/text.h"
#include "rules/json_document.h"
#include "rules/policy_definition.h"

/* The filling of one policy's trees: values come in the order in which the trees are walked. */
struct filled {
	struct arena *arena;
	const struct text_template *templates;
	const struct text_value *values;
	size_t count, at;
	struct err *err;
};

/* The workspace's name and tags as the attributes of an entry. */
static void set_values(
		const struct target_settings *workspace, struct arena *arena, struct entry *ret)
{
	size_t count = workspace->tag_count + 1;
	struct attribute *attributes = arena_alloc(arena, count * sizeof(*attributes));
	struct span *values = arena_alloc(arena, count * sizeof(*values));

	for (size_t i = 0; i < count; i++) {
		const struct tag *tag = i ? &workspace->tags[i - 1] : NULL;

		values[i] = span_of(tag ? tag->value : workspace->name);
		attributes[i] = (struct attribute){tag ? tag->key : "workspace", &values[i], 1};
	}
	*ret = (struct entry){"", "", attributes, count};
}

static enum err_code fill_scalar(
		struct filled *f, const struct document_node *node, struct document_node *ret)
{
	const struct text_value *value;

	if (f->at == f->count || f->templates[f->at].node != node)
		return ERR_NONE;
	value = &f->values[f->at++];
	if (value->kind == TEXT_VALUE_NIL)
		return document_error(node, f->err, "`%.80s` has no value",
				node->key ? node->key : node->text);
	ret->text = value->text;
	ret->quoted = value->kind == TEXT_VALUE_TEXT;
	ret->text_column = 0;
	return ERR_NONE;
}

/* A copy of the tree with what the templates gave; NULL stays NULL. */
static enum err_code fill(
		struct filled *f, const struct document_node *node, struct document_node **ret)
{
	struct document_node *copy;
	enum err_code code = ERR_NONE;

	*ret = NULL;
	if (!node)
		return ERR_NONE;
	copy = arena_alloc(f->arena, sizeof(*copy));
	*copy = *node;
	copy->children = arena_alloc(f->arena, node->count * sizeof(*copy->children));
	for (size_t i = 0; i < node->count && code == ERR_NONE; i++)
		code = fill(f, node->children[i], &copy->children[i]);
	if (code == ERR_NONE && node->kind == DOCUMENT_SCALAR)
		code = fill_scalar(f, node, copy);
	*ret = copy;
	return code;
}

static enum err_code write(struct filled *f, const struct document_node *node, const char **ret)
{
	enum err_code code = ERR_NONE;
	struct buf out;

	if (!node)
		return ERR_NONE;
	buf_init(&out, POLICY_JSON_MAX);
	json_document_write(node, &out);
	if (out.overflowed)
		code = document_error(node, f->err, "longer than %zu bytes", POLICY_JSON_MAX);
	else
		*ret = arena_strdup(f->arena, buf_text(&out));
	buf_release(&out);
	return code;
}

static enum err_code check_name(const struct document_node *name, struct err *err)
{
	size_t characters = 0;

	for (const char *c = name->text; *c; c++)
		characters += ((unsigned char)*c & 0xc0) != 0x80;
	if (characters > POLICY_NAME_MAX)
		return document_error(name, err, "a policy's name has up to %d characters",
				POLICY_NAME_MAX);
	return ERR_NONE;
}

static enum err_code make(struct filled *f, const struct cluster_policy_source *source,
		struct wanted_policy *ret)
{
	const struct document_node *const from[] = {source->name, source->description,
			source->family, source->definition, source->overrides, source->libraries};
	struct document_node *to[COUNT_OF(from)];
	struct policy_check check = {0};
	enum err_code code = ERR_NONE;

	for (size_t i = 0; i < COUNT_OF(from) && code == ERR_NONE; i++)
		code = fill(f, from[i], &to[i]);
	if (code == ERR_NONE)
		code = check_name(to[0], f->err);
	if (code == ERR_NONE && to[3])
		code = policy_definition_check(&check, to[3], f->err);
	check.overrides = true;
	if (code == ERR_NONE && to[4])
		code = policy_definition_check(&check, to[4], f->err);
	if (code == ERR_NONE && to[5])
		code = policy_libraries_check(&check, to[5], f->err);
	if (code != ERR_NONE)
		return code;
	*ret = (struct wanted_policy){.name = to[0]->text,
			.description = to[1] ? to[1]->text : NULL,
			.family = to[2] ? to[2]->text : NULL,
			.max_clusters_per_user = source->max_clusters_per_user};
	code = write(f, to[3], &ret->definition);
	if (code == ERR_NONE)
		code = write(f, to[4], &ret->overrides);
	return code == ERR_NONE ? write(f, to[5], &ret->libraries) : code;
}

enum err_code evaluate_cluster_policy(struct evaluator *evaluator,
		const struct cluster_policy_rule *rule, const struct target_settings *workspace,
		struct arena *arena, struct wanted_policy *ret, struct err *err)
{
	const struct cluster_policy_source *source = rule->source;
	struct text_value *values = arena_alloc(arena, source->template_count * sizeof(*values));
	struct filled filled = {.arena = arena,
			.templates = source->templates,
			.values = values,
			.count = source->template_count,
			.err = err};
	struct wanted_policy policy;
	struct entry entry;
	enum err_code code;

	set_values(workspace, arena, &entry);
	code = evaluate_texts(evaluator, &entry, source->templates, source->template_count, arena,
			values, err);
	if (code == ERR_NONE)
		code = make(&filled, source, &policy);
	if (code == ERR_NONE)
		*ret = policy;
	return code;
}

/* Two rules for one name in one workspace would fight. */
static enum err_code check_workspace(const struct mapping *mapping, struct evaluator *evaluator,
		const struct target_settings *workspace, struct arena *arena, struct err *err)
{
	const char **names = arena_alloc(arena, mapping->policy_count * sizeof(*names));

	for (size_t i = 0; i < mapping->policy_count; i++) {
		const struct cluster_policy_rule *rule = &mapping->policies[i];
		struct wanted_policy policy;

		if (!target_matches_any(workspace, rule->in, rule->in_count))
			continue;
		if (evaluate_cluster_policy(evaluator, rule, workspace, arena, &policy, err) !=
				ERR_NONE)
			return err_context(err, "for workspace %s", workspace->name);
		names[i] = policy.name;
		for (size_t k = 0; k < i; k++) {
			if (names[k] && text_equal_folded(names[k], policy.name))
				return document_error(rule->source->name, err,
						"workspace %s would have two policies `%.80s`, the "
						"other of %.120s line %u",
						workspace->name, policy.name,
						mapping->policies[k].why.file,
						mapping->policies[k].why.line);
		}
	}
	return ERR_NONE;
}

enum err_code mapping_check_policies(const struct mapping *mapping, struct err *err)
{
	const struct settings *settings = mapping->settings;
	struct evaluator *evaluator;
	struct arena *arena;
	enum err_code code = ERR_NONE;

	if (!mapping->policy_count)
		return ERR_NONE;
	evaluator = evaluator_new(mapping);
	arena = arena_new();
	for (size_t i = 0; i < settings->target_count && code == ERR_NONE; i++) {
		arena_reset(arena);
		if (!settings->targets[i].is_account)
			code = check_workspace(
					mapping, evaluator, &settings->targets[i], arena, err);
	}
	arena_free(arena);
	evaluator_free(evaluator);
	return code;
}
