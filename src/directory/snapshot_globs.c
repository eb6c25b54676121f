#include "directory/snapshot_private.h"

#include "base/text.h"

/*
 * Rules ask the same few globs about everybody. So whether a group's cn matches is worked out once per group and glob,
 * and forgotten when that cn changes; who is below which group is always walked anew.
 */
struct glob {
	char *text;
	uint64_t *known, *matches; /* a bit per node */
	size_t words;
};

static void glob_free(struct glob *glob)
{
	mem_free(glob->text);
	mem_free(glob->known);
	mem_free(glob->matches);
	mem_free(glob);
}

static void globs_clear(struct work *work)
{
	for (size_t i = 0; i < work->globs.count; i++)
		glob_free(work->globs.items[i]);
	vec_release(&work->globs);
	table_free(work->glob_table);
	work->glob_table = NULL;
}

void globs_release(struct work *work)
{
	globs_clear(work);
}

void globs_forget_node(const struct snapshot *snapshot, node_id id)
{
	const struct work *work = snapshot->work;

	for (size_t i = 0; i < work->globs.count; i++) {
		struct glob *glob = work->globs.items[i];

		if (id / 64 < glob->words)
			glob->known[id / 64] &= ~((uint64_t)1 << (id % 64));
	}
}

static struct glob *glob_get(struct work *work, const char *text)
{
	struct glob *glob = table_find(work->glob_table, span_of(text));

	if (glob)
		return glob;
	/* Texts built from data could be without end. */
	if (work->globs.count >= SNAPSHOT_GLOBS_MAX) {
		globs_clear(work);
		work->glob_table = table_new();
	}
	glob = mem_zalloc(sizeof(*glob));
	glob->text = mem_strdup(text);
	(void)table_put(work->glob_table, span_of(text), glob);
	*vec_add(&work->globs) = glob;
	return glob;
}

static void glob_grow(struct glob *glob, size_t words)
{
	size_t more = words - glob->words;

	glob->known = mem_resize(glob->known, words, sizeof(*glob->known));
	glob->matches = mem_resize(glob->matches, words, sizeof(*glob->matches));
	memset(glob->known + glob->words, 0, more * sizeof(*glob->known));
	memset(glob->matches + glob->words, 0, more * sizeof(*glob->matches));
	glob->words = words;
}

static bool glob_matches(const struct snapshot *snapshot, struct glob *glob, node_id group)
{
	uint64_t bit = (uint64_t)1 << (group % 64);
	size_t word = group / 64;

	if (word >= glob->words)
		glob_grow(glob, snapshot->limit / 64 + 1);
	if (!(glob->known[word] & bit)) {
		const char *cn = snapshot_folded_cn(snapshot, group);

		glob->known[word] |= bit;
		glob->matches[word] &= ~bit;
		if (cn && text_matches_glob(glob->text, cn))
			glob->matches[word] |= bit;
	}
	return glob->matches[word] & bit;
}

/* ---- walking up ---- */

static void walk_begin(const struct snapshot *snapshot)
{
	struct work *work = snapshot->work;

	while (work->marks.count < snapshot->limit)
		*vec_add(&work->marks) = 0;
	if (++work->walk == 0) {
		memset(work->marks.items, 0, work->marks.count * sizeof(*work->marks.items));
		work->walk = 1;
	}
	work->stack.count = 0;
}

static void walk_push_parents(const struct snapshot *snapshot, node_id id)
{
	struct work *work = snapshot->work;
	const struct node_set *parents = snapshot->nodes[id].parents;

	for (uint32_t i = 0; i < node_set_count(parents); i++) {
		node_id parent = parents->items[i];

		if (work->marks.items[parent] == work->walk)
			continue;
		work->marks.items[parent] = work->walk;
		*vec_add(&work->stack) = parent;
	}
}

bool snapshot_in_group(const struct snapshot *snapshot, node_id node, const char *glob_text)
{
	struct work *work = snapshot->work;
	struct glob *glob;

	if (!snapshot_is_present(snapshot, node) || !snapshot->nodes[node].parents)
		return false;
	glob = glob_get(work, glob_text);
	walk_begin(snapshot);
	walk_push_parents(snapshot, node);
	while (work->stack.count > 0) {
		node_id group = work->stack.items[--work->stack.count];

		if (glob_matches(snapshot, glob, group))
			return true;
		walk_push_parents(snapshot, group);
	}
	return false;
}
