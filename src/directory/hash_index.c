#include "directory/hash_index.h"

#define ROOM_FIRST 16

void hash_index_release(struct hash_index *index)
{
	mem_free(index->slots);
	*index = (struct hash_index){0};
}

static void place(struct hash_index *index, struct hash_slot slot)
{
	size_t mask = index->room - 1;
	size_t i = slot.hash & mask;

	while (index->slots[i].id != HASH_INDEX_NONE)
		i = (i + 1) & mask;
	index->slots[i] = slot;
}

static void grow(struct hash_index *index)
{
	struct hash_slot *old = index->slots;
	size_t old_room = index->room;

	index->room = old_room ? old_room * 2 : ROOM_FIRST;
	index->slots = mem_resize(NULL, index->room, sizeof(*index->slots));
	for (size_t i = 0; i < index->room; i++)
		index->slots[i].id = HASH_INDEX_NONE;
	for (size_t i = 0; i < old_room; i++) {
		if (old[i].id != HASH_INDEX_NONE)
			place(index, old[i]);
	}
	mem_free(old);
}

void hash_index_add(struct hash_index *index, uint32_t hash, uint32_t id)
{
	if (index->count + 1 > index->room - index->room / 4)
		grow(index);
	place(index, (struct hash_slot){hash, id});
	index->count++;
}

void hash_index_remove(struct hash_index *index, uint32_t hash, uint32_t id)
{
	size_t mask = index->room - 1;
	size_t gap = hash & mask;

	if (index->count == 0)
		return;
	while (index->slots[gap].id != id || index->slots[gap].hash != hash) {
		if (index->slots[gap].id == HASH_INDEX_NONE)
			return;
		gap = (gap + 1) & mask;
	}
	for (size_t i = (gap + 1) & mask; index->slots[i].id != HASH_INDEX_NONE;
			i = (i + 1) & mask) {
		size_t home = index->slots[i].hash & mask;

		/* Only an item whose home is not between the gap and itself may move into the gap. */
		if (((i - home) & mask) >= ((i - gap) & mask)) {
			index->slots[gap] = index->slots[i];
			gap = i;
		}
	}
	index->slots[gap].id = HASH_INDEX_NONE;
	index->count--;
}

static void settle(struct hash_iterator *it)
{
	const struct hash_index *index = it->index;

	it->id = HASH_INDEX_NONE;
	for (; index->slots[it->slot].id != HASH_INDEX_NONE;
			it->slot = (it->slot + 1) & (index->room - 1)) {
		if (index->slots[it->slot].hash == it->hash) {
			it->id = index->slots[it->slot].id;
			return;
		}
	}
}

struct hash_iterator hash_first(const struct hash_index *index, uint32_t hash)
{
	struct hash_iterator it = {index, 0, hash, HASH_INDEX_NONE};

	if (index->count > 0) {
		it.slot = hash & (index->room - 1);
		settle(&it);
	}
	return it;
}

void hash_next(struct hash_iterator *it)
{
	it->slot = (it->slot + 1) & (it->index->room - 1);
	settle(it);
}
