/* Workspaces that rules name. */
#include "rules/loader.h"

#include "base/text.h"

#define TAG_PREFIX "tag:"

static enum err_code refuse_tag(const struct settings *settings, const struct document_node *node,
		const char *pattern, struct err *err)
{
	const char *text = pattern + strlen(TAG_PREFIX);
	AUTO(mem_freep) char *key = mem_strndup(text, strcspn(text, "="));
	VEC(const char *) keys = {0};
	bool known = false;
	enum err_code code;

	for (size_t i = 0; i < settings->target_count; i++) {
		for (size_t t = 0; t < settings->targets[i].tag_count; t++) {
			const char *name = settings->targets[i].tags[t].key;
			size_t same = 0;

			while (same < keys.count && !text_equal(keys.items[same], name))
				same++;
			if (same == keys.count)
				*vec_add(&keys) = name;
			known = known || text_equal_folded(name, key);
		}
	}
	code = known ? document_error(node, err,
				       "`%.80s`: no workspace has a tag with such a value", pattern)
		     : schema_unknown(node, "tag of a workspace", key, keys.items, keys.count, err);
	vec_release(&keys);
	return code;
}

enum err_code mapping_check_workspace(const struct settings *settings,
		const struct document_node *node, const char *pattern, struct err *err)
{
	size_t first = settings->has_account ? 1 : 0;
	AUTO(mem_freep)
	const char **names = mem_array(settings->target_count + 1, sizeof(*names));

	if (settings->discover.workspaces)
		return ERR_NONE;
	for (size_t i = first; i < settings->target_count; i++) {
		names[i - first] = settings->targets[i].name;
		if (target_matches(&settings->targets[i], pattern))
			return ERR_NONE;
	}
	if (settings->target_count == first)
		return document_error_at_key(
				node, err, "`%.80s`: no `workspaces:` are configured", pattern);
	if (text_starts_with(pattern, TAG_PREFIX))
		return refuse_tag(settings, node, pattern, err);
	return schema_unknown(
			node, "workspace", pattern, names, settings->target_count - first, err);
}

enum err_code mapping_read_workspaces(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct texts *patterns = target;
	enum err_code code = schema_texts(reader, node, patterns, err);

	if (code == ERR_NONE && patterns->count == 0)
		return document_error(node, err, "`%s` names no workspace", node->key);
	for (size_t i = 0; i < patterns->count && code == ERR_NONE; i++) {
		const struct document_node *item =
				node->kind == DOCUMENT_LIST ? node->children[i] : node;

		code = mapping_check_workspace(
				loader_of(reader)->settings, item, patterns->items[i], err);
	}
	return code;
}
