#include "sync/access/ip_set.h"

#include <stdlib.h>

#include "base/buf.h"

#define ADDRESS_BITS 32

static bool is_allowed_by_one(const struct ip_set *set, struct ip_range range, bool *ret_meets)
{
	*ret_meets = false;
	for (vec_each (&set->lists, list)) {
		for (size_t i = 0; i < list->count && list->enabled && !list->block; i++) {
			if (ip_range_holds(list->ranges[i], range))
				return true;
			*ret_meets = *ret_meets || ip_range_meets(list->ranges[i], range);
		}
	}
	return false;
}

/* Two halves may be in different lists; it goes on only where some list holds a part, so depth and width are bounded. */
static bool is_allowed(const struct ip_set *set, struct ip_range range)
{
	bool meets;
	struct ip_range low = {range.address, range.length + 1}, high = low;

	if (is_allowed_by_one(set, range, &meets))
		return true;
	if (!meets || range.length >= ADDRESS_BITS)
		return false;
	high.address |= UINT32_C(1) << (ADDRESS_BITS - high.length);
	return is_allowed(set, low) && is_allowed(set, high);
}

enum ip_verdict ip_set_judge(
		const struct ip_set *set, struct ip_range range, const struct ip_list **ret_by)
{
	bool some_allow = false;

	for (vec_each (&set->lists, list)) {
		some_allow = some_allow || (list->enabled && !list->block);
		for (size_t i = 0; i < list->count && list->enabled && list->block; i++) {
			if (ip_range_meets(list->ranges[i], range)) {
				*ret_by = list;
				return IP_BLOCKED;
			}
		}
	}
	return !some_allow || is_allowed(set, range) ? IP_LET_IN : IP_NOT_ALLOWED;
}

size_t ip_set_count(const struct ip_set *set)
{
	size_t count = 0;

	for (vec_each (&set->lists, list))
		count += list->count;
	return count;
}

static int compare(const void *left, const void *right)
{
	const struct ip_range *a = left, *b = right;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return a->length < b->length ? -1 : a->length > b->length;
}

size_t ip_ranges_sort(struct ip_range *ranges, size_t count)
{
	size_t kept = 0;

	qsort(ranges, count, sizeof(*ranges), compare);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || compare(&ranges[i], &ranges[kept - 1]) != 0)
			ranges[kept++] = ranges[i];
	}
	return kept;
}

size_t ip_ranges_of(const char *const *addresses, size_t count, struct arena *arena,
		const struct ip_range **ret, size_t *ret_unread)
{
	struct ip_range *ranges = arena_alloc(arena, (count + 1) * sizeof(*ranges));
	size_t read = 0;

	*ret_unread = 0;
	for (size_t i = 0; i < count; i++) {
		if (!ip_range_parse(addresses[i], &ranges[read]))
			read++;
		else
			++*ret_unread;
	}
	*ret = ranges;
	return ip_ranges_sort(ranges, read);
}

size_t ip_ranges_of_text(const char *text, struct arena *arena, const struct ip_range **ret)
{
	VEC(const char *) addresses = {0};
	size_t count, unread;

	while (*text) {
		size_t length = strcspn(text, " ");

		*vec_add(&addresses) = arena_strndup(arena, text, length);
		text += length + (text[length] == ' ');
	}
	count = ip_ranges_of(addresses.items, addresses.count, arena, ret, &unread);
	vec_release(&addresses);
	return count;
}

const char *ip_ranges_text(const struct ip_range *ranges, size_t count, struct arena *arena)
{
	const char *text;
	struct buf buf;

	buf_init(&buf, (count + 1) * sizeof(" 255.255.255.255/32"));
	for (size_t i = 0; i < count; i++) {
		uint32_t a = ranges[i].address;

		buf_printf(&buf, "%s%u.%u.%u.%u", i ? " " : "", a >> 24, a >> 16 & 255,
				a >> 8 & 255, a & 255);
		if (ranges[i].length < ADDRESS_BITS)
			buf_printf(&buf, "/%u", ranges[i].length);
	}
	text = arena_strdup(arena, buf_text(&buf));
	buf_release(&buf);
	return text;
}

bool ip_ranges_hold(const struct ip_range *outer, size_t outer_count, const struct ip_range *inner,
		size_t inner_count)
{
	for (size_t i = 0; i < inner_count; i++) {
		bool held = false;

		for (size_t j = 0; j < outer_count && !held; j++)
			held = ip_range_holds(outer[j], inner[i]);
		if (!held)
			return false;
	}
	return true;
}
