/*
 * hash_index -- from a hash to the numbers filed under it; eight bytes a slot and no keys.
 *
 * Different things may share a hash, so whoever looks something up compares the candidates with what is meant:
 *	for (hash_each(&index, hash, it)) if (is_it(it.id)) ...
 * The index must not be changed in the loop.
 */
#ifndef L2D_DIRECTORY_HASH_INDEX_H
#define L2D_DIRECTORY_HASH_INDEX_H

#include "base/mem.h"

#define HASH_INDEX_NONE UINT32_MAX

struct hash_slot {
	uint32_t hash, id; /* id HASH_INDEX_NONE: free */
};
struct hash_index {
	struct hash_slot
			*slots; /* linear probing, deletion by moving back; {0} is an empty index */
	size_t room, count;     /* room: a power of two, or 0 */
};

void hash_index_release(struct hash_index *index);
void hash_index_add(struct hash_index *index, uint32_t hash, uint32_t id);
void hash_index_remove(
		struct hash_index *index, uint32_t hash, uint32_t id); /* absent: nothing happens */

struct hash_iterator {
	const struct hash_index *index;
	size_t slot;
	uint32_t hash, id;
};
struct hash_iterator hash_first(const struct hash_index *index, uint32_t hash);
void hash_next(struct hash_iterator *it); /* it->id becomes HASH_INDEX_NONE at the end */
#define hash_each(index, hash, it)                                                                 \
	struct hash_iterator it = hash_first(index, hash);                                         \
	it.id != HASH_INDEX_NONE;                                                                  \
	hash_next(&it)

#endif
