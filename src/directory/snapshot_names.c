#include "directory/snapshot_private.h"

#include "base/digest.h"

/* ---- comparing ---- */

enum err_code names_read(unsigned source, struct span text, struct buf *key, struct name *ret,
		struct err *err)
{
	enum err_code code = dn_key(text, key, err);
	size_t len = key->len;

	if (code != ERR_NONE)
		return code;
	/* Sources never share names: the source goes into the hash, behind the key. */
	buf_add_char(key, (char)(source + 1));
	*ret = (struct name){source, (uint32_t)digest_quick((struct span){key->ptr, key->len}),
			text, {key->ptr, len}};
	return ERR_NONE;
}

bool names_fits(const struct snapshot *snapshot, struct span text, const struct name *name)
{
	struct buf *key = &snapshot->work->other_key;
	struct err ignored;

	/* Servers mostly spell a name the same way everywhere. */
	if (span_equal(text, name->text))
		return true;
	return dn_key(text, key, &ignored) == ERR_NONE &&
			span_equal((struct span){key->ptr, key->len}, name->key);
}

node_id names_find(const struct snapshot *snapshot, const struct name *name)
{
	for (hash_each(&snapshot->names, name->hash, it)) {
		const struct node *node = &snapshot->nodes[it.id];

		if (node->source == name->source && names_fits(snapshot, node_dn(node), name))
			return it.id;
	}
	return NODE_NONE;
}

/* ---- containers ---- */

static uint32_t container_find(
		const struct snapshot *snapshot, unsigned source, uint32_t hash, struct span key)
{
	for (hash_each(&snapshot->containers_by_key, hash, it)) {
		const struct container *container = &snapshot->containers.items[it.id];

		if (container->source == source &&
				span_equal((struct span){container->key, container->key_len}, key))
			return it.id;
	}
	return NO_ID;
}

static uint32_t key_hash(struct span key)
{
	return (uint32_t)digest_quick(key);
}

static uint32_t container_make(
		struct snapshot *snapshot, unsigned source, uint32_t hash, struct span key)
{
	uint32_t id;

	if (snapshot->free_containers.count > 0) {
		id = snapshot->free_containers.items[--snapshot->free_containers.count];
	} else {
		id = (uint32_t)snapshot->containers.count;
		(void)vec_add(&snapshot->containers);
	}
	snapshot->containers.items[id] = (struct container){
			.key = mem_strndup(key.ptr, key.len),
			.key_len = (uint32_t)key.len,
			.hash = hash,
			.above = NO_ID,
			.source = (uint8_t)source,
	};
	hash_index_add(&snapshot->containers_by_key, hash, id);
	return id;
}

/* The container with that key, one more reference to it. Those above it are made with it. */
static uint32_t container_take(struct snapshot *snapshot, unsigned source, struct span key)
{
	uint32_t first = NO_ID, below = NO_ID;

	for (;;) {
		uint32_t hash = key_hash(key);
		uint32_t id = container_find(snapshot, source, hash, key);
		bool is_known = id != NO_ID;

		if (!is_known)
			id = container_make(snapshot, source, hash, key);
		snapshot->containers.items[id].refs++;
		if (below == NO_ID)
			first = id;
		else
			snapshot->containers.items[below].above = id;
		if (is_known || key.len == 0)
			return first;
		below = id;
		key = dn_key_above(key);
	}
}

static uint32_t container_of_name(struct snapshot *snapshot, const struct name *name)
{
	struct span key = dn_key_above(name->key);
	uint32_t last = snapshot->last_container;

	if (last != NO_ID) {
		struct container *container = &snapshot->containers.items[last];

		if (container->source == name->source &&
				span_equal((struct span){container->key, container->key_len},
						key)) {
			container->refs++;
			return last;
		}
	}
	return snapshot->last_container = container_take(snapshot, name->source, key);
}

static void container_drop(struct snapshot *snapshot, uint32_t id)
{
	while (id != NO_ID) {
		struct container *container = &snapshot->containers.items[id];
		uint32_t above = container->above;

		if (--container->refs > 0)
			return;
		hash_index_remove(&snapshot->containers_by_key, container->hash, id);
		mem_free(container->key);
		*container = (struct container){.above = NO_ID};
		*vec_add(&snapshot->free_containers) = id;
		if (snapshot->last_container == id)
			snapshot->last_container = NO_ID;
		id = above;
	}
}

/* ---- who has which name ---- */

/* Groups that hold a member by a name that now may mean somebody else. */
static void doubt_former(struct snapshot *snapshot, node_id id, const struct name *name)
{
	for (hash_each(&snapshot->formers_by_name, name->hash, it)) {
		const struct former *former = &snapshot->formers.items[it.id];

		if (former->node != id && snapshot->nodes[former->node].source == name->source &&
				names_fits(snapshot, span_of(former->dn), name))
			members_doubt(snapshot, former->node);
	}
}

static void displace(struct snapshot *snapshot, node_id holder)
{
	struct node *node = &snapshot->nodes[holder];

	hash_index_remove(&snapshot->names, node->name_hash, holder);
	node->nameless = true;
	snapshot->nameless += node_is_present(node);
	members_doubt(snapshot, holder);
}

void names_claim(struct snapshot *snapshot, node_id id, const struct name *name)
{
	node_id holder = names_find(snapshot, name);

	if (holder != NODE_NONE)
		displace(snapshot, holder);
	snapshot->nodes[id].name_hash = name->hash;
	snapshot->nodes[id].container = container_of_name(snapshot, name);
	hash_index_add(&snapshot->names, name->hash, id);
	doubt_former(snapshot, id, name);
	waits_join(snapshot, id, name);
}

void names_claim_for_ghost(struct snapshot *snapshot, node_id id, const struct name *name)
{
	struct node *node = &snapshot->nodes[id];

	node->name_hash = name->hash;
	node->container = container_of_name(snapshot, name);
	node->nameless = names_find(snapshot, name) != NODE_NONE;
	if (!node->nameless)
		hash_index_add(&snapshot->names, name->hash, id);
}

void names_release(struct snapshot *snapshot, node_id id)
{
	struct node *node = &snapshot->nodes[id];

	if (node->container == NO_ID)
		return;
	names_give_back(snapshot, id);
	if (node->nameless)
		snapshot->nameless -= node_is_present(node);
	else
		hash_index_remove(&snapshot->names, node->name_hash, id);
	node->nameless = false;
	container_drop(snapshot, node->container);
	node->container = NO_ID;
}

static node_id nameless_twin(const struct snapshot *snapshot, node_id id, const struct name *name)
{
	for (node_id i = 0; i < snapshot->limit; i++) {
		const struct node *node = &snapshot->nodes[i];

		if (i != id && node->nameless && node_is_present(node) &&
				node->name_hash == name->hash && node->source == name->source &&
				names_fits(snapshot, node_dn(node), name))
			return i;
	}
	return NODE_NONE;
}

void names_give_back(struct snapshot *snapshot, node_id id)
{
	struct node *node = &snapshot->nodes[id];
	AUTO(buf_release) struct buf key = {.max = DN_KEY_MAX};
	struct name name;
	struct err ignored;
	node_id twin;

	/* Two entries of one name are rare, so looking through all of them then is fine. */
	if (snapshot->nameless == 0 || node->nameless || node->container == NO_ID)
		return;
	if (names_read(node->source, node_dn(node), &key, &name, &ignored) != ERR_NONE)
		return;
	twin = nameless_twin(snapshot, id, &name);
	if (twin == NODE_NONE)
		return;
	names_release(snapshot, twin);
	names_claim(snapshot, twin, &name);
}

/* ---- former names ---- */

static void former_drop(struct snapshot *snapshot, uint32_t id)
{
	struct former *former = &snapshot->formers.items[id];

	hash_index_remove(&snapshot->formers_by_name, former->hash, id);
	mem_free(former->dn);
	*former = (struct former){.node = NODE_NONE, .next = NO_ID};
	*vec_add(&snapshot->free_formers) = id;
}

/* Keeps the latest few: how long a directory goes on using a former name is not known, but names do not change often. */
static void former_trim(struct snapshot *snapshot, node_id node)
{
	uint32_t *link = &snapshot->nodes[node].former;

	for (unsigned i = 0; i < SNAPSHOT_FORMER_NAMES_MAX && *link != NO_ID; i++)
		link = &snapshot->formers.items[*link].next;
	if (*link != NO_ID) {
		former_drop(snapshot, *link);
		*link = NO_ID;
	}
}

void names_remember(struct snapshot *snapshot, node_id id, struct span dn, uint32_t order)
{
	struct node *node = &snapshot->nodes[id];
	AUTO(buf_release) struct buf key = {.max = DN_KEY_MAX};
	struct name name;
	struct err ignored;
	uint32_t former;

	if (names_read(node->source, dn, &key, &name, &ignored) != ERR_NONE)
		return;
	if (snapshot->free_formers.count > 0) {
		former = snapshot->free_formers.items[--snapshot->free_formers.count];
	} else {
		former = (uint32_t)snapshot->formers.count;
		(void)vec_add(&snapshot->formers);
	}
	snapshot->formers.items[former] = (struct former){mem_strndup(dn.ptr, dn.len), name.hash,
			id, node->former, order ? order : snapshot->former_order + 1};
	if (snapshot->former_order < snapshot->formers.items[former].order)
		snapshot->former_order = snapshot->formers.items[former].order;
	node->former = former;
	hash_index_add(&snapshot->formers_by_name, name.hash, former);
	former_trim(snapshot, id);
}

void names_forget(struct snapshot *snapshot, node_id id)
{
	uint32_t former = snapshot->nodes[id].former;

	while (former != NO_ID) {
		uint32_t next = snapshot->formers.items[former].next;

		former_drop(snapshot, former);
		former = next;
	}
	snapshot->nodes[id].former = NO_ID;
}

node_id names_find_former(
		const struct snapshot *snapshot, const struct name *name, const struct group *group)
{
	const struct former *latest = NULL;

	for (hash_each(&snapshot->formers_by_name, name->hash, it)) {
		const struct former *former = &snapshot->formers.items[it.id];

		if (node_set_has(group->members, former->node) &&
				(!latest || latest->order < former->order) &&
				names_fits(snapshot, span_of(former->dn), name))
			latest = former;
	}
	return latest ? latest->node : NODE_NONE;
}

/* ---- containers that are renamed ---- */

static void move_node(struct snapshot *snapshot, node_id id, size_t keep, const char *above)
{
	struct node *node = &snapshot->nodes[id];
	AUTO(mem_freep) char *dn = dn_rebase(node_dn(node), keep, above);
	AUTO(buf_release) struct buf key = {.max = DN_KEY_MAX};
	struct name name;
	struct err ignored;

	/* Too long now: no event will ever name it so, it keeps the old name until it is read again. */
	if (names_read(node->source, span_of(dn), &key, &name, &ignored) != ERR_NONE)
		return;
	names_remember(snapshot, id, node_dn(node), 0);
	names_release(snapshot, id);
	node_set_block(node, span_of(dn), node_attributes(node));
	if (node_is_present(node)) {
		names_claim(snapshot, id, &name);
		effects_touch(snapshot, id, EFFECT_CONTENT | EFFECT_RECORD);
	} else {
		names_claim_for_ghost(snapshot, id, &name);
		effects_touch_parents(snapshot, id, EFFECT_RECORD);
	}
}

void names_move_below(struct snapshot *snapshot, node_id id, struct span old_key)
{
	unsigned source = snapshot->nodes[id].source;
	size_t depth = dn_key_depth(old_key), count = snapshot->containers.count;
	AUTO(mem_freep)
	uint16_t *keep = NULL; /* per container: RDNs of its nodes that stay; 0: not below */
	AUTO(mem_freep) char *above = NULL;

	if (old_key.len == 0 ||
			container_find(snapshot, source, key_hash(old_key), old_key) == NO_ID)
		return;
	above = mem_strdup(snapshot_dn(snapshot, id));
	keep = mem_array(count, sizeof(*keep));
	for (size_t i = 0; i < count; i++) {
		const struct container *container = &snapshot->containers.items[i];
		struct span key = {container->key, container->key_len};

		if (container->key && container->source == source && dn_key_is_under(key, old_key))
			keep[i] = (uint16_t)(dn_key_depth(key) + 1 - depth);
	}
	/* Containers made meanwhile are new names; a number used anew holds only nodes that were moved already. */
	for (node_id i = 0; i < snapshot->limit; i++) {
		const struct node *node = &snapshot->nodes[i];

		if (i != id && node->block && node->container < count && keep[node->container] > 0)
			move_node(snapshot, i, keep[node->container], above);
	}
}
