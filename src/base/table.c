#include "base/table.h"

#include "base/digest.h"

struct slot {
	uint64_t hash;
	char *key; /* NULL: free */
	size_t key_len;
	void *value;
};

struct table {
	struct slot *slots; /* linear probing, deletion by moving back: no tombstones */
	size_t room;        /* a power of two, or 0 */
	size_t count;
};

struct table *table_new(void)
{
	return mem_zalloc(sizeof(struct table));
}

void table_free(struct table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->room; i++)
		mem_free(table->slots[i].key);
	mem_free(table->slots);
	mem_free(table);
}

size_t table_count(const struct table *table)
{
	return table->count;
}

static size_t slot_of(const struct table *table, uint64_t hash, struct span key)
{
	size_t i = hash & (table->room - 1);

	while (table->slots[i].key) {
		const struct slot *slot = &table->slots[i];

		if (slot->hash == hash && slot->key_len == key.len &&
				memcmp(slot->key, key.ptr, key.len) == 0)
			break;
		i = (i + 1) & (table->room - 1);
	}
	return i;
}

void *table_find(const struct table *table, struct span key)
{
	if (table->count == 0)
		return NULL;
	return table->slots[slot_of(table, digest_quick(key), key)].value;
}

static void table_grow(struct table *table)
{
	struct slot *old = table->slots;
	size_t old_room = table->room;

	table->room = old_room ? old_room * 2 : 16;
	table->slots = mem_array(table->room, sizeof(*table->slots));
	for (size_t i = 0; i < old_room; i++) {
		if (old[i].key)
			table->slots[slot_of(table, old[i].hash,
					(struct span){old[i].key, old[i].key_len})] = old[i];
	}
	mem_free(old);
}

void *table_put(struct table *table, struct span key, void *value)
{
	uint64_t hash = digest_quick(key);
	struct slot *slot;
	void *former;

	if (table->count + 1 > table->room - table->room / 4)
		table_grow(table);
	slot = &table->slots[slot_of(table, hash, key)];
	former = slot->value;
	if (!slot->key) {
		*slot = (struct slot){hash, mem_strndup(key.ptr, key.len), key.len, NULL};
		table->count++;
	}
	slot->value = value;
	return former;
}

void *table_remove(struct table *table, struct span key)
{
	size_t mask = table->room - 1;
	size_t gap, i;
	void *value;

	if (table->count == 0)
		return NULL;
	gap = slot_of(table, digest_quick(key), key);
	if (!table->slots[gap].key)
		return NULL;
	value = table->slots[gap].value;
	mem_free(table->slots[gap].key);
	for (i = (gap + 1) & mask; table->slots[i].key; i = (i + 1) & mask) {
		size_t home = table->slots[i].hash & mask;

		/* Only an item whose home is not between the gap and itself may move into the gap.
		 */
		if (((i - home) & mask) >= ((i - gap) & mask)) {
			table->slots[gap] = table->slots[i];
			gap = i;
		}
	}
	table->slots[gap] = (struct slot){0};
	table->count--;
	return value;
}

struct table_iterator table_first(const struct table *table)
{
	return (struct table_iterator){.table = table};
}

bool table_next(struct table_iterator *it)
{
	while (it->slot < it->table->room) {
		const struct slot *slot = &it->table->slots[it->slot++];

		if (slot->key) {
			it->key = (struct span){slot->key, slot->key_len};
			it->value = slot->value;
			return true;
		}
	}
	return false;
}
