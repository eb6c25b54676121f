#include "sync/ids.h"

#include <inttypes.h>
#include <stdio.h>

uint64_t id_parse(const char *text)
{
	uint64_t id = 0;

	for (; *text; text++) {
		if (*text < '0' || *text > '9' || __builtin_mul_overflow(id, 10, &id) ||
				__builtin_add_overflow(id, (uint64_t)(*text - '0'), &id))
			return 0;
	}
	return id;
}

const char *id_text(uint64_t id, char ret[static ID_TEXT_SIZE])
{
	(void)snprintf(ret, ID_TEXT_SIZE, "%" PRIu64, id);
	return ret;
}

void ids_release(struct ids *ids)
{
	mem_free(ids->items);
	*ids = (struct ids){0};
}

static size_t lower_bound(const struct ids *ids, uint64_t id)
{
	size_t low = 0, high = ids->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ids->items[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool ids_contain(const struct ids *ids, uint64_t id)
{
	size_t at = lower_bound(ids, id);

	return at < ids->count && ids->items[at] == id;
}

static void ids_reserve(struct ids *ids)
{
	if (ids->count < ids->room)
		return;
	ids->room = ids->room < 4 ? 4 : ids->room + ids->room / 2;
	ids->items = mem_resize(ids->items, ids->room, sizeof(*ids->items));
}

bool ids_add(struct ids *ids, uint64_t id)
{
	size_t at = lower_bound(ids, id);

	if (at < ids->count && ids->items[at] == id)
		return false;
	ids_reserve(ids);
	memmove(ids->items + at + 1, ids->items + at, (ids->count - at) * sizeof(*ids->items));
	ids->items[at] = id;
	ids->count++;
	return true;
}

bool ids_remove(struct ids *ids, uint64_t id)
{
	size_t at = lower_bound(ids, id);

	if (at == ids->count || ids->items[at] != id)
		return false;
	ids->count--;
	memmove(ids->items + at, ids->items + at + 1, (ids->count - at) * sizeof(*ids->items));
	return true;
}

void ids_expect(struct ids *ids, size_t count)
{
	if (count == 0 || count > UINT32_MAX)
		return;
	ids->room = (uint32_t)count;
	ids->items = mem_resize(ids->items, ids->room, sizeof(*ids->items));
}

void ids_append(struct ids *ids, uint64_t id)
{
	ids_reserve(ids);
	ids->items[ids->count++] = id;
}

static int compare(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

static bool is_sorted(const struct ids *ids)
{
	for (uint32_t i = 1; i < ids->count; i++) {
		if (ids->items[i - 1] >= ids->items[i])
			return false;
	}
	return true;
}

static void ids_trim(struct ids *ids)
{
	if (ids->room == ids->count || ids->count == 0)
		return;
	ids->room = ids->count;
	ids->items = mem_resize(ids->items, ids->room, sizeof(*ids->items));
}

void ids_sort(struct ids *ids)
{
	uint32_t kept = 0;

	if (!is_sorted(ids)) {
		qsort(ids->items, ids->count, sizeof(*ids->items), compare);
		for (uint32_t i = 0; i < ids->count; i++) {
			if (kept == 0 || ids->items[kept - 1] != ids->items[i])
				ids->items[kept++] = ids->items[i];
		}
		ids->count = kept;
	}
	ids_trim(ids);
}

bool ids_equal(const struct ids *a, const struct ids *b)
{
	return a->count == b->count &&
			(a->count == 0 ||
					memcmp(a->items, b->items, a->count * sizeof(*a->items)) ==
							0);
}
