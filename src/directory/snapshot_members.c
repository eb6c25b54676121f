#include "directory/snapshot_private.h"

#include "base/digest.h"

uint32_t text_hash(struct span text)
{
	return (uint32_t)digest_quick(text);
}

struct group *group_of(struct snapshot *snapshot, node_id id)
{
	struct node *node = &snapshot->nodes[id];

	if (!node->group)
		node->group = mem_zalloc(sizeof(*node->group));
	return node->group;
}

/* ---- edges ---- */

static void edge_made(struct snapshot *snapshot, node_id group, node_id member)
{
	(void)node_set_add(&snapshot->nodes[member].parents, group);
	effects_touch(snapshot, member, EFFECT_GROUPS);
}

static void edge_cut(struct snapshot *snapshot, node_id group, node_id member)
{
	(void)node_set_remove(&snapshot->nodes[member].parents, group);
	effects_touch(snapshot, member, EFFECT_GROUPS);
}

void members_set(struct snapshot *snapshot, node_id id, struct node_set *members)
{
	struct group *group = group_of(snapshot, id);
	struct node_set *old = group->members;
	const node_id *before = old ? old->items : NULL, *after = members ? members->items : NULL;
	uint32_t i = 0, k = 0, old_count = node_set_count(old), new_count = node_set_count(members);
	bool changed = false;

	group->members = members;
	while (i < old_count || k < new_count) {
		if (i < old_count && k < new_count && before[i] == after[k]) {
			i++;
			k++;
			continue;
		}
		changed = true;
		if (k == new_count || (i < old_count && before[i] < after[k]))
			edge_cut(snapshot, id, before[i++]);
		else
			edge_made(snapshot, id, after[k++]);
	}
	if (changed)
		effects_touch(snapshot, id, EFFECT_MEMBERS | EFFECT_RECORD);
	node_set_free(&old);
}

static void ghosts_drop(struct snapshot *snapshot, node_id id)
{
	struct group *group = snapshot->nodes[id].group;
	struct node_set *ghosts = group->ghosts;

	if (!ghosts)
		return;
	group->ghosts = NULL;
	for (uint32_t i = 0; i < ghosts->count; i++) {
		(void)node_set_remove(&snapshot->nodes[ghosts->items[i]].parents, id);
		*vec_add(&snapshot->loose) = ghosts->items[i];
	}
	node_set_free(&ghosts);
	effects_touch(snapshot, id, EFFECT_MEMBERS | EFFECT_RECORD);
}

void members_add_ghost(struct snapshot *snapshot, node_id group, node_id ghost)
{
	(void)node_set_add(&group_of(snapshot, group)->ghosts, ghost);
	(void)node_set_add(&snapshot->nodes[ghost].parents, group);
}

void members_park(struct snapshot *snapshot, node_id id)
{
	const struct node_set *parents = snapshot->nodes[id].parents;

	for (uint32_t i = 0; i < node_set_count(parents); i++) {
		struct group *group = snapshot->nodes[parents->items[i]].group;

		(void)node_set_remove(&group->members, id);
		(void)node_set_add(&group->ghosts, id);
		effects_touch(snapshot, parents->items[i], EFFECT_MEMBERS | EFFECT_RECORD);
	}
	if (parents)
		effects_touch(snapshot, id, EFFECT_GROUPS);
}

void members_restore(struct snapshot *snapshot, node_id id)
{
	const struct node_set *parents = snapshot->nodes[id].parents;

	for (uint32_t i = 0; i < node_set_count(parents); i++) {
		struct group *group = snapshot->nodes[parents->items[i]].group;

		(void)node_set_remove(&group->ghosts, id);
		(void)node_set_add(&group->members, id);
		effects_touch(snapshot, parents->items[i], EFFECT_MEMBERS | EFFECT_RECORD);
	}
	if (parents)
		effects_touch(snapshot, id, EFFECT_GROUPS);
}

void members_doubt(struct snapshot *snapshot, node_id id)
{
	const struct node_set *parents = snapshot->nodes[id].parents;

	for (uint32_t i = 0; i < node_set_count(parents); i++) {
		snapshot->nodes[parents->items[i]].group->values = 0;
		effects_touch(snapshot, parents->items[i], EFFECT_STALE);
	}
}

/* ---- values that wait ---- */

static uint32_t wait_find(
		const struct snapshot *snapshot, unsigned source, const struct missing *missing)
{
	for (hash_each(&snapshot->waits_by_name, missing->hash, it)) {
		const struct wait *wait = &snapshot->waits.items[it.id];

		if (snapshot->nodes[wait->group].source == source &&
				span_equal(span_of(wait->text), missing->text))
			return it.id;
	}
	return NO_ID;
}

static uint32_t wait_new(struct snapshot *snapshot)
{
	if (snapshot->free_waits.count > 0)
		return snapshot->free_waits.items[--snapshot->free_waits.count];
	(void)vec_add(&snapshot->waits);
	return (uint32_t)snapshot->waits.count - 1;
}

/* Other spellings of one name make lists of their own: all with the same hash, all found by waits_join. */
void waits_add(struct snapshot *snapshot, node_id id, const struct missing *missing)
{
	struct group *group = group_of(snapshot, id);
	uint32_t head = missing->is_name ? wait_find(snapshot, snapshot->nodes[id].source, missing)
					 : NO_ID;
	uint32_t wait = wait_new(snapshot);
	struct wait *waits = snapshot->waits.items;

	waits[wait] = (struct wait){
			.text = mem_strndup(missing->text.ptr, missing->text.len),
			.hash = missing->hash,
			.group = id,
			.position = (uint32_t)group->waits.count,
			.next = NO_ID,
			.previous = head,
			.is_name = missing->is_name,
	};
	*vec_add(&group->waits) = wait;
	if (head != NO_ID) {
		waits[wait].next = waits[head].next;
		if (waits[head].next != NO_ID)
			waits[waits[head].next].previous = wait;
		waits[head].next = wait;
	} else if (missing->is_name) {
		hash_index_add(&snapshot->waits_by_name, missing->hash, wait);
	}
}

static void wait_unlink(struct snapshot *snapshot, uint32_t id)
{
	struct wait *waits = snapshot->waits.items;
	struct wait *wait = &waits[id];

	if (wait->next != NO_ID)
		waits[wait->next].previous = wait->previous;
	if (wait->previous != NO_ID) {
		waits[wait->previous].next = wait->next;
	} else if (wait->is_name) {
		hash_index_remove(&snapshot->waits_by_name, wait->hash, id);
		if (wait->next != NO_ID)
			hash_index_add(&snapshot->waits_by_name, wait->hash, wait->next);
	}
}

static void wait_drop(struct snapshot *snapshot, uint32_t id)
{
	struct wait *wait = &snapshot->waits.items[id];
	struct group *group = snapshot->nodes[wait->group].group;
	uint32_t last = group->waits.items[--group->waits.count];

	group->waits.items[wait->position] = last;
	snapshot->waits.items[last].position = wait->position;
	wait_unlink(snapshot, id);
	mem_free(wait->text);
	wait->text = NULL;
	*vec_add(&snapshot->free_waits) = id;
	if (group->waits.count == 0)
		vec_release(&group->waits);
}

/* When groups come before their people every membership waits for a moment. */
void waits_settle(struct snapshot *snapshot)
{
	if (snapshot->free_waits.count < snapshot->waits.count || snapshot->waits.count == 0)
		return;
	vec_release(&snapshot->waits);
	vec_release(&snapshot->free_waits);
	hash_index_release(&snapshot->waits_by_name);
}

static void wait_join(struct snapshot *snapshot, uint32_t wait, node_id member)
{
	node_id id = snapshot->waits.items[wait].group;

	wait_drop(snapshot, wait);
	if (node_set_add(&snapshot->nodes[id].group->members, member))
		edge_made(snapshot, id, member);
	effects_touch(snapshot, id, EFFECT_MEMBERS | EFFECT_RECORD);
}

static uint32_t wait_find_fitting(const struct snapshot *snapshot, const struct name *name)
{
	for (hash_each(&snapshot->waits_by_name, name->hash, it)) {
		const struct wait *wait = &snapshot->waits.items[it.id];

		if (snapshot->nodes[wait->group].source == name->source &&
				names_fits(snapshot, span_of(wait->text), name))
			return it.id;
	}
	return NO_ID;
}

void waits_join(struct snapshot *snapshot, node_id id, const struct name *name)
{
	uint32_t wait = wait_find_fitting(snapshot, name);

	while (wait != NO_ID) {
		uint32_t next = snapshot->waits.items[wait].next;

		wait_join(snapshot, wait, id);
		wait = next != NO_ID ? next : wait_find_fitting(snapshot, name);
	}
}

static void waits_drop(struct snapshot *snapshot, node_id id)
{
	struct group *group = snapshot->nodes[id].group;

	if (group->waits.count == 0)
		return;
	while (group->waits.count > 0)
		wait_drop(snapshot, group->waits.items[group->waits.count - 1]);
	vec_release(&group->waits);
	effects_touch(snapshot, id, EFFECT_MEMBERS | EFFECT_RECORD);
}

/* ---- a group's values ---- */

static void resolve(struct snapshot *snapshot, node_id id, struct span value)
{
	struct work *work = snapshot->work;
	struct name name;
	struct err ignored;
	node_id member;

	if (names_read(snapshot->nodes[id].source, value, &work->key, &name, &ignored) !=
			ERR_NONE) {
		value.len = strnlen(value.ptr, value.len);
		*vec_add(&work->missing) = (struct missing){text_hash(value), false, value};
		return;
	}
	/* The empty DN stands for "no members" in classes that want at least one. */
	if (name.key.len == 0)
		return;
	member = names_find(snapshot, &name);
	if (member == NODE_NONE || !node_is_present(&snapshot->nodes[member]))
		member = names_find_former(snapshot, &name, snapshot->nodes[id].group);
	if (member == NODE_NONE)
		*vec_add(&work->missing) = (struct missing){name.hash, true, value};
	else
		*vec_add(&work->found) = member;
}

static int compare_missing(const void *a, const void *b)
{
	const struct missing *x = a, *y = b;
	size_t len = x->text.len < y->text.len ? x->text.len : y->text.len;
	int order;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	order = len ? memcmp(x->text.ptr, y->text.ptr, len) : 0;
	return order ? order : (x->text.len > y->text.len) - (x->text.len < y->text.len);
}

/* Sorts, and takes spellings of one name as one. */
static void missing_tidy(struct snapshot *snapshot, unsigned source)
{
	struct work *work = snapshot->work;
	struct missing *items = work->missing.items;
	size_t kept = 0;

	if (work->missing.count > 1)
		qsort(items, work->missing.count, sizeof(*items), compare_missing);
	for (size_t i = 0; i < work->missing.count; i++) {
		struct name name;
		struct err ignored;

		if (kept > 0 && items[kept - 1].hash == items[i].hash && items[i].is_name &&
				names_read(source, items[i].text, &work->key, &name, &ignored) ==
						ERR_NONE &&
				names_fits(snapshot, items[kept - 1].text, &name))
			continue;
		items[kept++] = items[i];
	}
	work->missing.count = kept;
}

static bool waits_are_missing(const struct snapshot *snapshot, const struct group *group)
{
	const struct work *work = snapshot->work;
	size_t count = group->waits.count;
	AUTO(mem_freep) struct missing *have = NULL;

	if (count != work->missing.count)
		return false;
	have = mem_array(count, sizeof(*have));
	for (size_t i = 0; i < count; i++) {
		const struct wait *wait = &snapshot->waits.items[group->waits.items[i]];

		have[i] = (struct missing){wait->hash, wait->is_name, span_of(wait->text)};
	}
	if (count > 1)
		qsort(have, count, sizeof(*have), compare_missing);
	for (size_t i = 0; i < count; i++) {
		if (compare_missing(&have[i], &work->missing.items[i]) != 0)
			return false;
	}
	return true;
}

static void waits_replace(struct snapshot *snapshot, node_id id)
{
	struct work *work = snapshot->work;
	struct group *group = snapshot->nodes[id].group;

	missing_tidy(snapshot, snapshot->nodes[id].source);
	if (waits_are_missing(snapshot, group))
		return;
	waits_drop(snapshot, id);
	for (size_t i = 0; i < work->missing.count; i++)
		waits_add(snapshot, id, &work->missing.items[i]);
	effects_touch(snapshot, id, EFFECT_MEMBERS | EFFECT_RECORD);
}

static const char *const member_attributes[] = MEMBER_ATTRIBUTES;

static const struct attribute *member_attribute(const struct entry *entry, size_t i)
{
	const struct attribute *attribute = &entry->attributes[i];

	return strcmp(attribute->name, member_attributes[0]) == 0 ||
					strcmp(attribute->name, member_attributes[1]) == 0
			? attribute
			: NULL;
}

/* The same for the same values in any order, never 0. */
static uint64_t digest_values(const struct entry *entry)
{
	uint64_t sum = 1;

	for (size_t i = 0; i < entry->count; i++) {
		const struct attribute *attribute = member_attribute(entry, i);

		for (size_t k = 0; attribute && k < attribute->count; k++)
			sum += digest_quick(attribute->values[k]);
	}
	return sum ? sum : 1;
}

void members_replace(struct snapshot *snapshot, node_id id, const struct entry *entry)
{
	struct work *work = snapshot->work;
	struct group *group = group_of(snapshot, id);
	uint64_t values = digest_values(entry);

	/* An enumeration brings every group again, and nearly all as they were. */
	if (group->values == values && !group->ghosts)
		return;
	work->found.count = work->missing.count = 0;
	for (size_t i = 0; i < entry->count; i++) {
		const struct attribute *attribute = member_attribute(entry, i);

		for (size_t k = 0; attribute && k < attribute->count; k++)
			resolve(snapshot, id, attribute->values[k]);
	}
	members_set(snapshot, id, node_set_of(work->found.items, work->found.count));
	ghosts_drop(snapshot, id);
	waits_replace(snapshot, id);
	group->values = values;
}

void members_clear(struct snapshot *snapshot, node_id id)
{
	if (!snapshot->nodes[id].group)
		return;
	members_set(snapshot, id, NULL);
	ghosts_drop(snapshot, id);
	waits_drop(snapshot, id);
	snapshot->nodes[id].group->values = 0;
}

void group_free(struct snapshot *snapshot, node_id id)
{
	struct group *group = snapshot->nodes[id].group;

	if (!group)
		return;
	node_set_free(&group->members);
	node_set_free(&group->ghosts);
	vec_release(&group->waits);
	vec_release(&group->texts);
	mem_free(group);
	snapshot->nodes[id].group = NULL;
}

/* ---- looking ---- */

const node_id *snapshot_members(const struct snapshot *snapshot, node_id group, size_t *ret_count)
{
	const struct group *of = snapshot->nodes[group].group;

	*ret_count = of ? node_set_count(of->members) : 0;
	return *ret_count ? of->members->items : NULL;
}

const node_id *snapshot_parents(const struct snapshot *snapshot, node_id node, size_t *ret_count)
{
	const struct node *of = &snapshot->nodes[node];

	/* The parents of one that is gone only keep a place for it. */
	*ret_count = node_is_present(of) ? node_set_count(of->parents) : 0;
	return *ret_count ? of->parents->items : NULL;
}

const char *const *snapshot_unresolved(
		const struct snapshot *snapshot, node_id id, size_t *ret_count)
{
	struct group *group = snapshot->nodes[id].group;

	*ret_count = 0;
	if (!group)
		return NULL;
	group->texts.count = 0;
	for (size_t i = 0; i < group->waits.count; i++)
		*vec_add(&group->texts) = snapshot->waits.items[group->waits.items[i]].text;
	for (uint32_t i = 0; i < node_set_count(group->ghosts); i++)
		*vec_add(&group->texts) = snapshot_dn(snapshot, group->ghosts->items[i]);
	*ret_count = group->texts.count;
	return group->texts.items;
}
