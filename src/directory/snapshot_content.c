#include "directory/snapshot_private.h"

#include "base/text.h"

static char no_cn[] = "";
static const char *const member_attributes[] = MEMBER_ATTRIBUTES;

static bool search_asks(const struct search *search, const char *attribute)
{
	for (size_t i = 0; i < search->attribute_count; i++) {
		if (strcmp(search->attributes[i], attribute) == 0)
			return true;
	}
	return false;
}

static bool search_asks_members(const struct search *search)
{
	return search->purpose == SEARCH_GROUPS || search->purpose == SEARCH_THROUGH ||
			search_asks(search, member_attributes[0]) ||
			search_asks(search, member_attributes[1]);
}

static bool any_asks(const struct snapshot *snapshot, uint64_t searches, const char *attribute)
{
	for (; searches; searches &= searches - 1) {
		if (search_asks(&snapshot->searches[__builtin_ctzll(searches)], attribute))
			return true;
	}
	return false;
}

bool content_has_members(const struct entry *entry)
{
	return entry_find(entry, member_attributes[0]) || entry_find(entry, member_attributes[1]);
}

bool content_asks_members(const struct snapshot *snapshot, uint64_t searches)
{
	for (; searches; searches &= searches - 1) {
		if (search_asks_members(&snapshot->searches[__builtin_ctzll(searches)]))
			return true;
	}
	return false;
}

void content_build(struct snapshot *snapshot, node_id id, unsigned search, uint64_t others,
		const struct entry *entry)
{
	const struct search *by = &snapshot->searches[search];
	struct buf *block = &snapshot->work->block;
	struct arena *arena = snapshot->work->arena;
	size_t count = entry ? entry->count : 0;
	struct attribute *merged;
	struct entry old = {0};
	struct err ignored;

	buf_reset(block);
	if (!others) {
		entry_pack(entry, member_attributes, COUNT_OF(member_attributes), block);
		return;
	}
	arena_reset(arena);
	if (entry_unpack(node_attributes(&snapshot->nodes[id]), arena, &old, &ignored) != ERR_NONE)
		old.count = 0;
	merged = arena_alloc(arena, (count + old.count + 1) * sizeof(*merged));
	if (count)
		memcpy(merged, entry->attributes, count * sizeof(*merged));
	for (size_t i = 0; i < old.count && count < ENTRY_ATTRIBUTES_MAX; i++) {
		const char *name = old.attributes[i].name;
		bool by_others = any_asks(snapshot, others, name);

		if (entry ? by_others && !search_asks(by, name) && !entry_find(entry, name)
			  : by_others || !search_asks(by, name))
			merged[count++] = old.attributes[i];
	}
	entry_pack(&(struct entry){.attributes = merged, .count = count}, member_attributes,
			COUNT_OF(member_attributes), block);
}

void content_forget_cn(struct node *node)
{
	if (node->folded_cn != no_cn)
		mem_free(node->folded_cn);
	node->folded_cn = NULL;
}

const char *snapshot_folded_cn(const struct snapshot *snapshot, node_id node)
{
	struct node *of = &snapshot->nodes[node];

	if (!of->folded_cn) {
		struct span cn = entry_block_first(node_attributes(of), "cn");

		of->folded_cn = cn.ptr ? text_fold(cn) : no_cn;
	}
	return of->folded_cn == no_cn ? NULL : of->folded_cn;
}

static bool is_same_value(struct span a, struct span b)
{
	return !a.ptr == !b.ptr && span_equal(a, b);
}

void content_take(struct snapshot *snapshot, node_id id, struct span dn)
{
	struct node *node = &snapshot->nodes[id];
	struct span fresh = {buf_text(&snapshot->work->block), snapshot->work->block.len};
	struct span old = node_attributes(node);

	if (node_is_present(node) && span_equal(dn, node_dn(node)) && span_equal(fresh, old))
		return;
	if (!node_is_present(node) ||
			!is_same_value(entry_block_first(old, "cn"),
					entry_block_first(fresh, "cn"))) {
		content_forget_cn(node);
		globs_forget_node(snapshot, id);
		effects_touch_members(snapshot, id, EFFECT_GROUPS);
	}
	node_set_block(node, dn, fresh);
	effects_touch(snapshot, id, EFFECT_CONTENT | EFFECT_RECORD);
}

enum err_code content_check(const struct entry *entry, struct err *err)
{
	size_t anchor_len = entry->anchor ? strlen(entry->anchor) : 0;

	if (anchor_len == 0 || anchor_len > ENTRY_ANCHOR_MAX || !entry->dn)
		return err_set(err, ERR_PROTO, 0,
				"an entry came without a usable anchor or without a DN: \"%.200s\"",
				entry->dn ? entry->dn : "");
	if (entry->count > ENTRY_ATTRIBUTES_MAX)
		return err_set(err, ERR_LIMIT, 0, "\"%.200s\" has %zu attributes, more than %d",
				entry->dn, entry->count, ENTRY_ATTRIBUTES_MAX);
	for (size_t i = 0; i < entry->count; i++) {
		const struct attribute *attribute = &entry->attributes[i];

		if (attribute->count > ENTRY_VALUES_MAX)
			return err_set(err, ERR_LIMIT, 0,
					"\"%.200s\" has %zu values of %.50s, more than %d",
					entry->dn, attribute->count, attribute->name,
					ENTRY_VALUES_MAX);
		for (size_t k = 0; k < attribute->count; k++) {
			if (attribute->values[k].len > ENTRY_VALUE_BYTES_MAX)
				return err_set(err, ERR_LIMIT, 0,
						"\"%.200s\" has a value of %.50s over %d bytes",
						entry->dn, attribute->name, ENTRY_VALUE_BYTES_MAX);
		}
	}
	return ERR_NONE;
}
