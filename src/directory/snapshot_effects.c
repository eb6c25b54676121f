#include "directory/snapshot_private.h"

/*
 * Effects are noted where they arise and carried along the graph only when somebody asks. That is enough: where a path
 * from a changed edge is cut by now, the end of the cut is a changed edge itself. So a first load walks the graph once.
 */
void effects_touch(const struct snapshot *snapshot, node_id id, unsigned effects)
{
	struct changes *changes = &snapshot->work->changes;
	struct node *node = &snapshot->nodes[id];
	unsigned fresh = effects & ~(unsigned)node->effects;

	if (!fresh)
		return;
	if (!node->effects)
		*vec_add(&changes->touched) = id;
	if (fresh & EFFECT_GROUPS)
		*vec_add(&changes->down) = id;
	if (fresh & EFFECT_MEMBERS)
		*vec_add(&changes->up) = id;
	node->effects = (uint8_t)(node->effects | fresh);
	changes->listed = false;
}

void effects_touch_parents(const struct snapshot *snapshot, node_id id, unsigned effects)
{
	const struct node_set *parents = snapshot->nodes[id].parents;

	for (uint32_t i = 0; i < node_set_count(parents); i++)
		effects_touch(snapshot, parents->items[i], effects);
}

void effects_touch_members(const struct snapshot *snapshot, node_id id, unsigned effects)
{
	const struct group *group = snapshot->nodes[id].group;

	for (uint32_t i = 0; group && i < node_set_count(group->members); i++)
		effects_touch(snapshot, group->members->items[i], effects);
}

static void carry(const struct snapshot *snapshot)
{
	struct changes *changes = &snapshot->work->changes;

	while (changes->down.count > 0)
		effects_touch_members(snapshot, changes->down.items[--changes->down.count],
				EFFECT_GROUPS);
	while (changes->up.count > 0) {
		node_id id = changes->up.items[--changes->up.count];

		/* The parents of one that is gone only keep a place for it and were told when it went. */
		if (node_is_present(&snapshot->nodes[id]))
			effects_touch_parents(snapshot, id, EFFECT_MEMBERS);
	}
}

static void list_node(const struct snapshot *snapshot, node_id id)
{
	struct changes *changes = &snapshot->work->changes;

	if (snapshot->nodes[id].effects)
		*vec_add(&changes->list) =
				(struct snapshot_change){id, snapshot->nodes[id].effects};
}

/* Many changes are listed by walking the nodes, few by sorting them. */
static void list(const struct snapshot *snapshot)
{
	struct changes *changes = &snapshot->work->changes;

	changes->list.count = 0;
	if (changes->touched.count > snapshot->limit / 16) {
		for (node_id id = 0; id < snapshot->limit; id++)
			list_node(snapshot, id);
	} else {
		changes->touched.count =
				node_ids_sort(changes->touched.items, changes->touched.count);
		for (size_t i = 0; i < changes->touched.count; i++)
			list_node(snapshot, changes->touched.items[i]);
	}
	changes->listed = true;
}

const struct snapshot_change *snapshot_changes(const struct snapshot *snapshot, size_t *ret_count)
{
	struct changes *changes = &snapshot->work->changes;

	carry(snapshot);
	if (!changes->listed)
		list(snapshot);
	*ret_count = changes->list.count;
	return changes->list.items;
}

/* What is gone is freed, or thinned out if groups keep a place for it. */
static void bury(struct snapshot *snapshot, node_id id)
{
	struct node *node = &snapshot->nodes[id];

	if (!node->block || node_is_present(node))
		return;
	names_give_back(snapshot, id);
	if (!node->parents)
		node_free(snapshot, id);
	else if (node->attributes_len > 0)
		node_set_block(node, node_dn(node), (struct span){"", 0});
}

void snapshot_settle(struct snapshot *snapshot)
{
	struct changes changes;
	__typeof__(snapshot->loose) loose = snapshot->loose;

	carry(snapshot);
	/* Burying may touch other nodes: that is news for the next time. */
	changes = snapshot->work->changes;
	memset(&snapshot->work->changes, 0, sizeof(changes));
	memset(&snapshot->loose, 0, sizeof(snapshot->loose));
	for (size_t i = 0; i < changes.touched.count; i++)
		snapshot->nodes[changes.touched.items[i]].effects = 0;
	for (size_t i = 0; i < changes.touched.count; i++)
		bury(snapshot, changes.touched.items[i]);
	for (size_t i = 0; i < loose.count; i++)
		bury(snapshot, loose.items[i]);
	effects_release(&changes);
	vec_release(&loose);
	waits_settle(snapshot);
}

void effects_release(struct changes *changes)
{
	vec_release(&changes->touched);
	vec_release(&changes->down);
	vec_release(&changes->up);
	vec_release(&changes->list);
}
