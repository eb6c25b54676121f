/*
 * ids -- sets of Databricks ids: sorted arrays of 64-bit numbers, 8 bytes each. Pure.
 *
 * Databricks writes ids as decimal text of up to 64 bits; in memory they are numbers because a
 * million memberships have to fit, and they are never computed with. 0 is no id.
 */
#ifndef L2D_SYNC_IDS_H
#define L2D_SYNC_IDS_H

#include "base/mem.h"

#define ID_TEXT_SIZE 21

/* Decimal digits only, not zero, within 64 bits; 0 if text is anything else. */
uint64_t id_parse(const char *text);
const char *id_text(uint64_t id, char ret[static ID_TEXT_SIZE]);

struct ids {
	uint64_t *items; /* ascending, each once */
	uint32_t count, room;
};
void ids_release(struct ids *ids);
bool ids_contain(const struct ids *ids, uint64_t id);
bool ids_add(struct ids *ids, uint64_t id);    /* false: was there */
bool ids_remove(struct ids *ids, uint64_t id); /* false: was not there */
/* For filling in bulk: append in any order, then sort once, which also gives spare memory back. */
void ids_expect(struct ids *ids, size_t count); /* so many will be appended to an empty one */
void ids_append(struct ids *ids, uint64_t id);
void ids_sort(struct ids *ids);
bool ids_equal(const struct ids *a, const struct ids *b);

#endif
