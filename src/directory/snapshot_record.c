#include "directory/snapshot_private.h"

#include "model/pack.h"

/*
 * Members as the store keeps them: items, each a kind and its texts. Members are named by anchor. An anchor that is a
 * UUID in canonical text, as nearly all are, takes 16 octets and the flag ITEM_UUID on its kind.
 */
enum item_kind {
	ITEM_MEMBER, /* anchor */
	ITEM_GHOST,  /* anchor, DN: gone, but the group keeps its place */
	ITEM_WAIT,   /* DN: nobody answers to it */
	ITEM_TEXT,   /* value that is no DN */
	ITEM_FORMER, /* former DN of the node itself, its order; oldest first */
	ITEM_KIND_COUNT_
};
#define ITEM_UUID 0x80
#define MEMBERS_BYTES_MAX ((size_t)1024 * 1024 * 1024)

/* ---- anchors ---- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_hyphen_place(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

static bool uuid_read(struct span text, char ret[static 16])
{
	unsigned nibbles = 0;

	if (text.len != 36)
		return false;
	for (size_t i = 0; i < 36; i++) {
		int value = hex_value(text.ptr[i]);

		if (is_hyphen_place(i)) {
			if (text.ptr[i] != '-')
				return false;
			continue;
		}
		if (value < 0)
			return false;
		ret[nibbles / 2] = (char)(nibbles % 2 ? ret[nibbles / 2] | value : value << 4);
		nibbles++;
	}
	return true;
}

static void uuid_write(const char *octets, char ret[static 37])
{
	static const char digits[] = "0123456789abcdef";
	unsigned nibbles = 0;

	for (size_t i = 0; i < 36; i++) {
		if (is_hyphen_place(i)) {
			ret[i] = '-';
			continue;
		}
		ret[i] = digits[(octets[nibbles / 2] >> (nibbles % 2 ? 0 : 4)) & 15];
		nibbles++;
	}
	ret[36] = '\0';
}

static void add_anchor(struct buf *buf, enum item_kind kind, struct span anchor)
{
	char octets[16];

	if (uuid_read(anchor, octets)) {
		buf_add_char(buf, (char)(kind | ITEM_UUID));
		buf_add(buf, octets, sizeof(octets));
	} else {
		buf_add_char(buf, (char)kind);
		pack_add_span(buf, anchor);
	}
}

/* ---- writing ---- */

static void add_formers(const struct snapshot *snapshot, uint32_t former, struct buf *buf)
{
	uint32_t list[SNAPSHOT_FORMER_NAMES_MAX];
	size_t count = 0;

	for (; former != NO_ID && count < COUNT_OF(list);
			former = snapshot->formers.items[former].next)
		list[count++] = former;
	while (count > 0) {
		const struct former *item = &snapshot->formers.items[list[--count]];

		buf_add_char(buf, ITEM_FORMER);
		pack_add_span(buf, span_of(item->dn));
		pack_add_number(buf, item->order);
	}
}

static void add_members(const struct snapshot *snapshot, const struct group *group, struct buf *buf)
{
	for (uint32_t i = 0; i < node_set_count(group->members); i++)
		add_anchor(buf, ITEM_MEMBER,
				node_anchor(&snapshot->nodes[group->members->items[i]]));
	for (uint32_t i = 0; i < node_set_count(group->ghosts); i++) {
		const struct node *ghost = &snapshot->nodes[group->ghosts->items[i]];

		add_anchor(buf, ITEM_GHOST, node_anchor(ghost));
		pack_add_span(buf, node_dn(ghost));
	}
	for (size_t i = 0; i < group->waits.count; i++) {
		const struct wait *wait = &snapshot->waits.items[group->waits.items[i]];

		buf_add_char(buf, wait->is_name ? ITEM_WAIT : ITEM_TEXT);
		pack_add_span(buf, span_of(wait->text));
	}
}

void snapshot_record(const struct snapshot *snapshot, node_id id, struct arena *arena,
		struct snapshot_record *ret)
{
	const struct node *node = &snapshot->nodes[id];
	AUTO(buf_release) struct buf members = {.max = MEMBERS_BYTES_MAX};

	add_formers(snapshot, node->former, &members);
	if (node->group)
		add_members(snapshot, node->group, &members);
	*ret = (struct snapshot_record){
			.source = node->source,
			.anchor = arena_strdup(arena, snapshot_anchor(snapshot, id)),
			.dn = arena_strdup(arena, snapshot_dn(snapshot, id)),
			.searches = node->searches,
			.attributes = arena_span(arena, node_attributes(node)),
			.members = arena_span(
					arena, (struct span){buf_text(&members), members.len}),
	};
}

/* ---- reading ---- */

struct item {
	enum item_kind kind;
	struct span text; /* anchor, value or DN; valid until the next item */
	struct span dn;   /* ITEM_GHOST */
	uint32_t order;   /* ITEM_FORMER */
	char uuid[37];
};

/* The next item; false at the end or where the block is damaged. */
static bool item_read(struct pack_reader *reader, struct item *ret)
{
	unsigned char kind;

	if (reader->damaged || reader->rest.len == 0)
		return false;
	kind = (unsigned char)*pack_read_bytes(reader, 1).ptr;
	ret->kind = (enum item_kind)(kind & ~(unsigned)ITEM_UUID);
	if (kind & ITEM_UUID) {
		struct span octets = pack_read_bytes(reader, 16);

		if (!reader->damaged)
			uuid_write(octets.ptr, ret->uuid);
		ret->text = (struct span){ret->uuid, 36};
	} else {
		ret->text = pack_read_span(reader, ENTRY_VALUE_BYTES_MAX);
	}
	if (ret->kind == ITEM_GHOST)
		ret->dn = pack_read_span(reader, DN_TEXT_MAX);
	if (ret->kind == ITEM_FORMER)
		ret->order = (uint32_t)pack_read_number(reader, PACK_NUMBER_MAX);
	return !reader->damaged;
}

static bool is_dn(const struct snapshot *snapshot, struct span text)
{
	struct err ignored;

	return dn_key(text, &snapshot->work->other_key, &ignored) == ERR_NONE;
}

static bool is_anchor(struct span text)
{
	return text.len > 0 && text.len <= ENTRY_ANCHOR_MAX && !memchr(text.ptr, '\0', text.len);
}

static bool item_is_sound(const struct snapshot *snapshot, const struct item *item)
{
	switch (item->kind) {
	case ITEM_MEMBER:
		return is_anchor(item->text);
	case ITEM_GHOST:
		return is_anchor(item->text) && is_dn(snapshot, item->dn);
	case ITEM_WAIT:
	case ITEM_FORMER:
		return is_dn(snapshot, item->text);
	case ITEM_TEXT:
		return !item->text.len || !memchr(item->text.ptr, '\0', item->text.len);
	case ITEM_KIND_COUNT_:
	default:
		return false;
	}
}

static bool members_are_sound(const struct snapshot *snapshot, struct span members)
{
	struct pack_reader reader = {.rest = members};
	struct item item;

	while (item_read(&reader, &item)) {
		if (!item_is_sound(snapshot, &item))
			return false;
	}
	return !reader.damaged;
}

static bool attributes_are_sound(const struct snapshot *snapshot, struct span attributes)
{
	struct entry entry;
	struct err ignored;

	arena_reset(snapshot->work->arena);
	return attributes.len <= SNAPSHOT_ENTRY_BYTES_MAX &&
			entry_unpack(attributes, snapshot->work->arena, &entry, &ignored) ==
			ERR_NONE;
}

/* Searches that exist and are of that source. */
static bool searches_are_sound(const struct snapshot *snapshot, uint64_t searches, unsigned source)
{
	if (searches == 0)
		return false;
	for (; searches; searches &= searches - 1) {
		size_t search = (size_t)__builtin_ctzll(searches);

		if (search >= snapshot->search_count || snapshot->searches[search].source != source)
			return false;
	}
	return true;
}

static bool record_is_sound(const struct snapshot *snapshot, const struct snapshot_record *record)
{
	return record->anchor && record->dn && is_anchor(span_of(record->anchor)) &&
			searches_are_sound(snapshot, record->searches, record->source) &&
			attributes_are_sound(snapshot, record->attributes) &&
			members_are_sound(snapshot, record->members);
}

enum err_code snapshot_load(
		struct snapshot *snapshot, const struct snapshot_record *record, struct err *err)
{
	struct name name;
	struct node *node;
	node_id id;

	if (!record_is_sound(snapshot, record) ||
			names_read(record->source, span_of(record->dn), &snapshot->work->key, &name,
					err) != ERR_NONE)
		return err_set(err, ERR_STORE, 0,
				"the stored directory entry \"%.200s\" is damaged",
				record->dn ? record->dn : "");
	if (node_find(snapshot, record->source, span_of(record->anchor)) != NODE_NONE)
		return err_set(err, ERR_STORE, 0, "the directory entry \"%.200s\" is stored twice",
				record->dn);
	if (snapshot->limit >= SNAPSHOT_NODES_MAX)
		return err_set(err, ERR_LIMIT, 0, "more than %zu directory entries are stored",
				SNAPSHOT_NODES_MAX);
	id = node_new(snapshot, record->source, span_of(record->anchor));
	node = &snapshot->nodes[id];
	node_set_block(node, name.text, record->attributes);
	node->searches = record->searches;
	snapshot->present++;
	names_claim(snapshot, id, &name);
	if (record->members.len > 0)
		*vec_add(&snapshot->pending) = (struct pending){id,
				mem_strndup(record->members.ptr, record->members.len),
				record->members.len};
	return ERR_NONE;
}

/* ---- resolving what was read ---- */

/* A member again if it is there after all; else the group keeps its place. */
static void load_ghost(struct snapshot *snapshot, node_id group, const struct item *item)
{
	unsigned source = snapshot->nodes[group].source;
	node_id id = node_find(snapshot, source, item->text);
	struct name name;
	struct err ignored;

	if (id != NODE_NONE && node_is_present(&snapshot->nodes[id])) {
		*vec_add(&snapshot->work->found) = id;
		return;
	}
	if (id == NODE_NONE) {
		if (names_read(source, item->dn, &snapshot->work->key, &name, &ignored) != ERR_NONE)
			return;
		id = node_new(snapshot, source, item->text);
		node_set_block(&snapshot->nodes[id], item->dn, (struct span){"", 0});
		names_claim_for_ghost(snapshot, id, &name);
	}
	members_add_ghost(snapshot, group, id);
}

static void load_wait(struct snapshot *snapshot, node_id group, const struct item *item)
{
	struct name name;
	struct err ignored;
	node_id holder;

	if (names_read(snapshot->nodes[group].source, item->text, &snapshot->work->key, &name,
			    &ignored) != ERR_NONE)
		return;
	holder = names_find(snapshot, &name);
	if (holder != NODE_NONE && node_is_present(&snapshot->nodes[holder]))
		*vec_add(&snapshot->work->found) = holder;
	else
		waits_add(snapshot, group, &(struct missing){name.hash, true, item->text});
}

/* A member whose own record is not there is at least shown as unresolved. */
static void load_member(struct snapshot *snapshot, node_id group, const struct item *item)
{
	node_id member = node_find(snapshot, snapshot->nodes[group].source, item->text);

	if (member != NODE_NONE && node_is_present(&snapshot->nodes[member]))
		*vec_add(&snapshot->work->found) = member;
	else
		waits_add(snapshot, group,
				&(struct missing){text_hash(item->text), false, item->text});
}

static void load_item(struct snapshot *snapshot, node_id id, const struct item *item)
{
	switch (item->kind) {
	case ITEM_MEMBER:
		load_member(snapshot, id, item);
		return;
	case ITEM_GHOST:
		load_ghost(snapshot, id, item);
		return;
	case ITEM_WAIT:
		load_wait(snapshot, id, item);
		return;
	case ITEM_TEXT:
		waits_add(snapshot, id,
				&(struct missing){text_hash(item->text), false, item->text});
		return;
	case ITEM_FORMER:
		names_remember(snapshot, id, item->text, item->order);
		return;
	case ITEM_KIND_COUNT_:
	default:
		return;
	}
}

static void load_members(struct snapshot *snapshot, const struct pending *pending)
{
	struct work *work = snapshot->work;
	struct pack_reader reader = {.rest = {pending->members, pending->len}};
	struct item item;

	work->found.count = 0;
	while (item_read(&reader, &item))
		load_item(snapshot, pending->node, &item);
	if (work->found.count > 0)
		members_set(snapshot, pending->node,
				node_set_of(work->found.items, work->found.count));
}

void snapshot_load_finish(struct snapshot *snapshot)
{
	struct changes *changes = &snapshot->work->changes;

	for (size_t i = 0; i < snapshot->pending.count; i++) {
		load_members(snapshot, &snapshot->pending.items[i]);
		mem_free(snapshot->pending.items[i].members);
	}
	vec_release(&snapshot->pending);
	for (size_t i = 0; i < changes->touched.count; i++)
		snapshot->nodes[changes->touched.items[i]].effects = 0;
	effects_release(changes);
	memset(changes, 0, sizeof(*changes));
}
