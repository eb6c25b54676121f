#include "directory/snapshot_private.h"

#include "base/digest.h"

struct snapshot *snapshot_new(const struct search *searches, size_t count)
{
	struct snapshot *snapshot = mem_zalloc(sizeof(*snapshot));

	snapshot->searches = searches;
	snapshot->search_count = count < SEARCHES_MAX ? count : SEARCHES_MAX;
	snapshot->last_container = NO_ID;
	snapshot->work = mem_zalloc(sizeof(*snapshot->work));
	buf_init(&snapshot->work->key, DN_KEY_MAX);
	buf_init(&snapshot->work->other_key, DN_KEY_MAX);
	buf_init(&snapshot->work->block, SNAPSHOT_ENTRY_BYTES_MAX);
	snapshot->work->arena = arena_new();
	snapshot->work->glob_table = table_new();
	return snapshot;
}

static void work_free(struct work *work)
{
	buf_release(&work->key);
	buf_release(&work->other_key);
	buf_release(&work->block);
	arena_free(work->arena);
	vec_release(&work->found);
	vec_release(&work->missing);
	vec_release(&work->marks);
	vec_release(&work->stack);
	effects_release(&work->changes);
	globs_release(work);
	mem_free(work);
}

static void node_release(struct snapshot *snapshot, node_id id)
{
	struct node *node = &snapshot->nodes[id];

	group_free(snapshot, id);
	node_set_free(&node->parents);
	content_forget_cn(node);
	mem_free(node->block);
	*node = (struct node){.container = NO_ID, .former = NO_ID};
}

void snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (node_id id = 0; id < snapshot->limit; id++)
		node_release(snapshot, id);
	for (size_t i = 0; i < snapshot->containers.count; i++)
		mem_free(snapshot->containers.items[i].key);
	for (size_t i = 0; i < snapshot->formers.count; i++)
		mem_free(snapshot->formers.items[i].dn);
	for (size_t i = 0; i < snapshot->waits.count; i++)
		mem_free(snapshot->waits.items[i].text);
	for (size_t i = 0; i < snapshot->pending.count; i++)
		mem_free(snapshot->pending.items[i].members);
	hash_index_release(&snapshot->anchors);
	hash_index_release(&snapshot->names);
	hash_index_release(&snapshot->containers_by_key);
	hash_index_release(&snapshot->formers_by_name);
	hash_index_release(&snapshot->waits_by_name);
	vec_release(&snapshot->free_nodes);
	vec_release(&snapshot->loose);
	vec_release(&snapshot->containers);
	vec_release(&snapshot->formers);
	vec_release(&snapshot->waits);
	vec_release(&snapshot->free_containers);
	vec_release(&snapshot->free_formers);
	vec_release(&snapshot->free_waits);
	vec_release(&snapshot->pending);
	mem_free(snapshot->nodes);
	work_free(snapshot->work);
	mem_free(snapshot);
}

/* ---- nodes ---- */

static uint32_t anchor_hash(unsigned source, struct span anchor)
{
	return (uint32_t)(digest_quick(anchor) + source);
}

node_id node_find(const struct snapshot *snapshot, unsigned source, struct span anchor)
{
	for (hash_each(&snapshot->anchors, anchor_hash(source, anchor), it)) {
		const struct node *node = &snapshot->nodes[it.id];

		if (node->source == source && span_equal(node_anchor(node), anchor))
			return it.id;
	}
	return NODE_NONE;
}

static node_id node_take_number(struct snapshot *snapshot)
{
	if (snapshot->free_nodes.count > 0)
		return snapshot->free_nodes.items[--snapshot->free_nodes.count];
	if (snapshot->limit == snapshot->room) {
		snapshot->room = snapshot->room ? snapshot->room + snapshot->room / 4 : 64;
		snapshot->nodes = mem_resize(
				snapshot->nodes, snapshot->room, sizeof(*snapshot->nodes));
	}
	return snapshot->limit++;
}

node_id node_new(struct snapshot *snapshot, unsigned source, struct span anchor)
{
	node_id id = node_take_number(snapshot);
	struct node *node = &snapshot->nodes[id];

	*node = (struct node){
			.container = NO_ID,
			.former = NO_ID,
			.source = (uint8_t)source,
			.anchor_len = (uint8_t)anchor.len,
			.anchor_hash = anchor_hash(source, anchor),
			.block = mem_printf("%c%.*s", 0, (int)anchor.len, anchor.ptr),
	};
	hash_index_add(&snapshot->anchors, node->anchor_hash, id);
	return id;
}

void node_free(struct snapshot *snapshot, node_id id)
{
	struct node *node = &snapshot->nodes[id];

	members_clear(snapshot, id);
	names_release(snapshot, id);
	names_forget(snapshot, id);
	globs_forget_node(snapshot, id);
	hash_index_remove(&snapshot->anchors, node->anchor_hash, id);
	node_release(snapshot, id);
	*vec_add(&snapshot->free_nodes) = id;
}

void node_set_block(struct node *node, struct span dn, struct span attributes)
{
	struct span anchor = node_anchor(node);
	char *block = mem_alloc(dn.len + 1 + anchor.len + 1 + attributes.len);
	char *at = block;

	memcpy(at, dn.ptr, dn.len);
	at[dn.len] = '\0';
	at += dn.len + 1;
	memcpy(at, anchor.ptr, anchor.len);
	at[anchor.len] = '\0';
	at += anchor.len + 1;
	if (attributes.len)
		memcpy(at, attributes.ptr, attributes.len);
	mem_free(node->block);
	node->block = block;
	node->dn_len = (uint16_t)dn.len;
	node->attributes_len = (uint32_t)attributes.len;
}

/* ---- entries in ---- */

/* Content and name of a node whose new content is in work->block. */
static void place(struct snapshot *snapshot, node_id id, const struct name *name)
{
	struct node *node = &snapshot->nodes[id];
	AUTO(buf_release) struct buf old_key = {.max = DN_KEY_MAX};
	bool is_known = node->container != NO_ID;
	bool is_renamed = is_known && !names_fits(snapshot, node_dn(node), name);
	bool claims = !is_known || is_renamed || node->nameless || !node_is_present(node);
	struct err ignored;

	if (is_renamed) {
		if (dn_key(node_dn(node), &old_key, &ignored) != ERR_NONE)
			buf_reset(&old_key);
		names_remember(snapshot, id, node_dn(node), 0);
	}
	if (claims)
		names_release(snapshot, id);
	content_take(snapshot, id, name->text);
	if (claims)
		names_claim(snapshot, id, name);
	if (is_renamed)
		names_move_below(snapshot, id, (struct span){old_key.ptr, old_key.len});
}

static void appear(struct snapshot *snapshot, node_id id)
{
	struct changes *changes = &snapshot->work->changes;

	snapshot->nodes[id].effects &= (uint8_t)~EFFECT_GONE;
	changes->listed = false;
	snapshot->present++;
	members_restore(snapshot, id);
}

static void contain(struct snapshot *snapshot, node_id id, unsigned search)
{
	struct node *node = &snapshot->nodes[id];
	bool was_present = node_is_present(node);

	node->mentioned |= SEARCH_BIT(search);
	if (node->searches & SEARCH_BIT(search))
		return;
	node->searches |= SEARCH_BIT(search);
	effects_touch(snapshot, id, EFFECT_SEARCHES | EFFECT_RECORD);
	if (!was_present)
		appear(snapshot, id);
}

enum err_code snapshot_upsert(struct snapshot *snapshot, unsigned search, const struct entry *entry,
		struct err *err)
{
	struct name name;
	node_id id;
	uint64_t others;

	if (search >= snapshot->search_count)
		return err_set(err, ERR_BUG, 0, "search %u is not known to the snapshot", search);
	if (content_check(entry, err) != ERR_NONE)
		return err->code;
	if (names_read(snapshot->searches[search].source, span_of(entry->dn), &snapshot->work->key,
			    &name, err) != ERR_NONE)
		return err_context(err, "entry %s", entry->anchor);
	id = node_find(snapshot, name.source, span_of(entry->anchor));
	others = id == NODE_NONE ? 0 : snapshot->nodes[id].searches & ~SEARCH_BIT(search);
	content_build(snapshot, id, search, others, entry);
	if (snapshot->work->block.overflowed)
		return err_set(err, ERR_LIMIT, 0,
				"\"%.200s\" has more than %zu bytes of attributes", entry->dn,
				SNAPSHOT_ENTRY_BYTES_MAX);
	if (id == NODE_NONE && snapshot->limit >= SNAPSHOT_NODES_MAX &&
			snapshot->free_nodes.count == 0)
		return err_set(err, ERR_LIMIT, 0, "the directory has more than %zu entries",
				SNAPSHOT_NODES_MAX);
	if (id == NODE_NONE)
		id = node_new(snapshot, name.source, span_of(entry->anchor));
	place(snapshot, id, &name);
	contain(snapshot, id, search);
	if (content_asks_members(snapshot, SEARCH_BIT(search)) || content_has_members(entry))
		members_replace(snapshot, id, entry);
	return ERR_NONE;
}

/* ---- entries out ---- */

static void vanish(struct snapshot *snapshot, node_id id)
{
	struct node *node = &snapshot->nodes[id];

	members_clear(snapshot, id);
	members_park(snapshot, id);
	snapshot->nameless -= node->nameless;
	snapshot->present--;
	node->searches = node->mentioned = 0;
	effects_touch(snapshot, id, EFFECT_GONE | EFFECT_RECORD);
}

/* Others still contain it: what only search asked for goes. */
static void thin_out(struct snapshot *snapshot, node_id id, unsigned search)
{
	struct node *node = &snapshot->nodes[id];

	node->searches &= ~SEARCH_BIT(search);
	node->mentioned &= ~SEARCH_BIT(search);
	effects_touch(snapshot, id, EFFECT_SEARCHES | EFFECT_RECORD);
	content_build(snapshot, id, search, node->searches, NULL);
	content_take(snapshot, id, node_dn(node));
	if (content_asks_members(snapshot, SEARCH_BIT(search)) &&
			!content_asks_members(snapshot, node->searches))
		members_clear(snapshot, id);
}

/* The node of anchor if search contains it. */
static node_id find_in_search(const struct snapshot *snapshot, unsigned search, const char *anchor)
{
	node_id id;

	if (search >= snapshot->search_count)
		return NODE_NONE;
	id = node_find(snapshot, snapshot->searches[search].source, span_of(anchor));
	return id != NODE_NONE && snapshot->nodes[id].searches & SEARCH_BIT(search) ? id
										    : NODE_NONE;
}

void snapshot_remove(struct snapshot *snapshot, unsigned search, const char *anchor)
{
	node_id id = find_in_search(snapshot, search, anchor);

	if (id == NODE_NONE)
		return;
	if (snapshot->nodes[id].searches == SEARCH_BIT(search))
		vanish(snapshot, id);
	else
		thin_out(snapshot, id, search);
}

void snapshot_refresh_begin(struct snapshot *snapshot, unsigned search)
{
	for (node_id id = 0; search < snapshot->search_count && id < snapshot->limit; id++)
		snapshot->nodes[id].mentioned &= ~SEARCH_BIT(search);
}

void snapshot_mention(struct snapshot *snapshot, unsigned search, const char *anchor)
{
	node_id id = find_in_search(snapshot, search, anchor);

	if (id != NODE_NONE)
		snapshot->nodes[id].mentioned |= SEARCH_BIT(search);
}

size_t snapshot_unmentioned(const struct snapshot *snapshot, unsigned search, struct arena *arena,
		const char *const **ret)
{
	VEC(const char *) anchors = {0};
	const char **copy;
	size_t count;

	for (node_id id = 0; search < snapshot->search_count && id < snapshot->limit; id++) {
		const struct node *node = &snapshot->nodes[id];

		if (node->searches & ~node->mentioned & SEARCH_BIT(search))
			*vec_add(&anchors) = arena_strdup(arena, node_anchor(node).ptr);
	}
	count = anchors.count;
	copy = arena_alloc(arena, (count + 1) * sizeof(*copy));
	if (count)
		memcpy(copy, anchors.items, count * sizeof(*copy));
	vec_release(&anchors);
	*ret = copy;
	return count;
}

/* ---- looking ---- */

size_t snapshot_count(const struct snapshot *snapshot)
{
	return snapshot->present;
}

node_id snapshot_limit(const struct snapshot *snapshot)
{
	return snapshot->limit;
}

bool snapshot_is_present(const struct snapshot *snapshot, node_id node)
{
	return node < snapshot->limit && node_is_present(&snapshot->nodes[node]);
}

static node_id present_or_none(const struct snapshot *snapshot, node_id id)
{
	return id != NODE_NONE && node_is_present(&snapshot->nodes[id]) ? id : NODE_NONE;
}

node_id snapshot_find_anchor(const struct snapshot *snapshot, unsigned source, const char *anchor)
{
	return present_or_none(snapshot, node_find(snapshot, source, span_of(anchor)));
}

node_id snapshot_find_dn(const struct snapshot *snapshot, unsigned source, const char *dn)
{
	struct name name;
	struct err ignored;

	if (names_read(source, span_of(dn), &snapshot->work->key, &name, &ignored) != ERR_NONE)
		return NODE_NONE;
	return present_or_none(snapshot, names_find(snapshot, &name));
}

const char *snapshot_anchor(const struct snapshot *snapshot, node_id node)
{
	return node_anchor(&snapshot->nodes[node]).ptr;
}

const char *snapshot_dn(const struct snapshot *snapshot, node_id node)
{
	return node_dn(&snapshot->nodes[node]).ptr;
}

unsigned snapshot_source(const struct snapshot *snapshot, node_id node)
{
	return snapshot->nodes[node].source;
}

uint64_t snapshot_searches(const struct snapshot *snapshot, node_id node)
{
	return snapshot->nodes[node].searches;
}

enum err_code snapshot_entry(const struct snapshot *snapshot, node_id node, struct arena *arena,
		struct entry *ret, struct err *err)
{
	const struct node *of = &snapshot->nodes[node];
	enum err_code code = entry_unpack(node_attributes(of), arena, ret, err);

	if (code != ERR_NONE)
		return err_context(err, "entry \"%s\"", snapshot_dn(snapshot, node));
	ret->anchor = snapshot_anchor(snapshot, node);
	ret->dn = snapshot_dn(snapshot, node);
	return ERR_NONE;
}
