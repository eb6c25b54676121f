/*
 * vec -- a growable array of any type: VEC(struct op *) ops = {0}; *vec_add(&ops) = op;
 * vec_release(&ops).
 *
 * The struct is open: items[0..count). Adding may move the items.
 */
#ifndef L2D_BASE_VEC_H
#define L2D_BASE_VEC_H

#include "base/mem.h"

#define VEC(type)                                                                                  \
	struct {                                                                                   \
		type *items;                                                                       \
		size_t count, room;                                                                \
	}

/* Makes room for one more and returns the address of the new, uninitialised last item. */
#define vec_add(vec)                                                                               \
	((void)((vec)->count == (vec)->room                                                        \
					 ? ((vec)->room = (vec)->room ? (vec)->room * 2 : 8,       \
							   (vec)->items = mem_resize((vec)->items, \
									   (vec)->room,            \
									   sizeof(*(vec)->items))) \
					 : NULL),                                                  \
			&(vec)->items[(vec)->count++])

/* Empties it and gives its memory back. */
#define vec_release(vec)                                                                           \
	do {                                                                                       \
		mem_free((vec)->items);                                                            \
		(vec)->items = NULL;                                                               \
		(vec)->count = (vec)->room = 0;                                                    \
	} while (0)

/* for (vec_each(&ops, op)) -- op is a pointer to each item in turn. */
#define vec_each(vec, item)                                                                        \
	__typeof__(*(vec)->items) *item = (vec)->items;                                            \
	item &&item < (vec)->items + (vec)->count;                                                 \
	item++

#endif
