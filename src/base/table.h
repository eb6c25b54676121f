/*
 * table -- a hash table from bytes to a pointer.
 *
 * Keys are copied in. Values are the caller's: the table never frees them. Keyed by SipHash with a
 * random key per process, so that names from outside cannot be chosen to collide. Iteration order
 * is unspecified: sort before anything is shown or hashed.
 */
#ifndef L2D_BASE_TABLE_H
#define L2D_BASE_TABLE_H

#include "base/mem.h"

struct table;
struct table *table_new(void);
void table_free(struct table *table); /* NULL is fine */
size_t table_count(const struct table *table);
void *table_find(const struct table *table, struct span key); /* NULL: absent */
void *table_put(struct table *table, struct span key,
		void *value); /* value not NULL; returns the former one or NULL */
void *table_remove(struct table *table, struct span key); /* returns the value taken out, or NULL */

/* for (table_each(table, it)) { it.key, it.value } -- the table must not be changed in the loop. */
struct table_iterator {
	const struct table *table;
	size_t slot;
	struct span key;
	void *value;
};
struct table_iterator table_first(const struct table *table);
bool table_next(struct table_iterator *it); /* false at the end */
#define table_each(t, it)                                                                          \
	struct table_iterator it = table_first(t);                                                 \
	table_next(&it);

#endif
