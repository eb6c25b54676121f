/*
 * ip_set -- the IP access lists of one place taken together: whom they let in. Pure.
 *
 * As Databricks judges (Databricks' documentation, "IP access lists"): an enabled BLOCK list that holds the address rejects
 * it; else, if there is any enabled ALLOW list, one has to hold it.
 */
#ifndef L2D_SYNC_ACCESS_IP_SET_H
#define L2D_SYNC_ACCESS_IP_SET_H

#include "base/vec.h"
#include "model/ip_range.h"

struct ip_list {
	const char *label;
	bool block; /* else it allows */
	bool enabled;
	const struct ip_range *ranges;
	size_t count;
};
struct ip_set {
	VEC(struct ip_list) lists;
};

enum ip_verdict { IP_LET_IN, IP_BLOCKED, IP_NOT_ALLOWED };
/* Of every address of range; IP_BLOCKED: *ret_by is the list. */
enum ip_verdict ip_set_judge(
		const struct ip_set *set, struct ip_range range, const struct ip_list **ret_by);
size_t ip_set_count(const struct ip_set *
				set); /* addresses and blocks of all lists, disabled ones as well */

/*
 * Addresses in their one form: sorted, each once, 192.0.2.7 and 192.0.2.7/32 the same. Array in arena; what cannot be read
 * is left out (IPv6 of another's list) and counted in *ret_unread.
 */
size_t ip_ranges_of(const char *const *addresses, size_t count, struct arena *arena,
		const struct ip_range **ret, size_t *ret_unread);
/* Puts ranges in that form; how many are left. */
size_t ip_ranges_sort(struct ip_range *ranges, size_t count);
/* "192.0.2.0/24 198.51.100.7"; in arena. */
const char *ip_ranges_text(const struct ip_range *ranges, size_t count, struct arena *arena);
/* The other way round, of a text that it gave. */
size_t ip_ranges_of_text(const char *text, struct arena *arena, const struct ip_range **ret);
/* Whether every range of inner lies in one of outer. */
bool ip_ranges_hold(const struct ip_range *outer, size_t outer_count, const struct ip_range *inner,
		size_t inner_count);

#endif
