#include "directory/node_set.h"

#define ROOM_FIRST 2

/* Where node is, or where it would go. */
static uint32_t position(const struct node_set *set, uint32_t node)
{
	uint32_t low = 0, high = node_set_count(set);

	if (high == 0 || set->items[high - 1] < node)
		return high;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (set->items[middle] < node)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool node_set_has(const struct node_set *set, uint32_t node)
{
	uint32_t at = position(set, node);

	return at < node_set_count(set) && set->items[at] == node;
}

static struct node_set *resized(struct node_set *set, uint32_t room)
{
	uint32_t count = node_set_count(set);

	set = mem_resize(set, 1, sizeof(*set) + (size_t)room * sizeof(set->items[0]));
	set->count = count;
	set->room = room;
	return set;
}

bool node_set_add(struct node_set **set, uint32_t node)
{
	uint32_t count = node_set_count(*set);
	uint32_t at = position(*set, node);

	if (at < count && (*set)->items[at] == node)
		return false;
	if (!*set || count == (*set)->room)
		*set = resized(*set, count ? count + count / 2 + 1 : ROOM_FIRST);
	memmove(&(*set)->items[at + 1], &(*set)->items[at], (count - at) * sizeof(uint32_t));
	(*set)->items[at] = node;
	(*set)->count++;
	return true;
}

bool node_set_remove(struct node_set **set, uint32_t node)
{
	uint32_t count = node_set_count(*set);
	uint32_t at = position(*set, node);

	if (at == count || (*set)->items[at] != node)
		return false;
	if (count == 1) {
		node_set_free(set);
		return true;
	}
	memmove(&(*set)->items[at], &(*set)->items[at + 1], (count - at - 1) * sizeof(uint32_t));
	(*set)->count--;
	return true;
}

void node_set_free(struct node_set **set)
{
	mem_free(*set);
	*set = NULL;
}

static int compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

size_t node_ids_sort(uint32_t *items, size_t count)
{
	bool sorted = true;
	size_t kept = 0;

	for (size_t i = 1; i < count && sorted; i++)
		sorted = items[i - 1] <= items[i];
	if (!sorted)
		qsort(items, count, sizeof(*items), compare);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || items[kept - 1] != items[i])
			items[kept++] = items[i];
	}
	return kept;
}

struct node_set *node_set_of(uint32_t *items, size_t count)
{
	struct node_set *set;

	count = node_ids_sort(items, count);
	if (count == 0)
		return NULL;
	set = resized(NULL, (uint32_t)count);
	memcpy(set->items, items, count * sizeof(*items));
	set->count = (uint32_t)count;
	return set;
}
