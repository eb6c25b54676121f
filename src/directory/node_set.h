/*
 * node_set -- a set of node numbers as one ascending array: four bytes each, and nothing at all for the empty set.
 *
 * The empty set is the NULL pointer. Adding the greatest number so far, the usual case while entries arrive, appends.
 */
#ifndef L2D_DIRECTORY_NODE_SET_H
#define L2D_DIRECTORY_NODE_SET_H

#include "base/mem.h"

struct node_set {
	uint32_t count, room;
	uint32_t items[]; /* ascending, each once */
};

bool node_set_has(const struct node_set *set, uint32_t node);
bool node_set_add(struct node_set **set, uint32_t node);    /* false: it was there */
bool node_set_remove(struct node_set **set, uint32_t node); /* false: it was not there */
void node_set_free(struct node_set **set);                  /* makes it empty */
/* The set of these numbers in any order, doubles allowed; items is sorted in place. */
struct node_set *node_set_of(uint32_t *items, size_t count);

static inline uint32_t node_set_count(const struct node_set *set)
{
	return set ? set->count : 0;
}

/* Sorts ascending and drops doubles; returns how many are left. */
size_t node_ids_sort(uint32_t *items, size_t count);

#endif
