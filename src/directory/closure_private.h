/*
 * closure_private -- how a closure is built inside; for the closure*.c files and nobody else.
 */
#ifndef L2D_DIRECTORY_CLOSURE_PRIVATE_H
#define L2D_DIRECTORY_CLOSURE_PRIVATE_H

#include "base/vec.h"
#include "directory/closure.h"

#define NO_PLACE UINT32_MAX

/* Where a kept or looked-through group stands in the nesting; worked out when asked for, forgotten at each change. */
struct place {
	node_id node;
	uint32_t order, low; /* of Tarjan's search for strongly connected components */
	bool is_open;        /* its component is not complete */
	bool is_made;
	bool in_loop;
	uint8_t layer; /* made: its own, 1 and up; looked through: the deepest kept group right above, 0 for none */
};

struct frame {
	uint32_t place;
	const node_id *parents;
	size_t count, next;
};

struct closure {
	const struct snapshot *snapshot;
	const struct node_roles *roles;
	uint32_t limit;      /* room of the arrays below, one element per node */
	uint32_t *place_of;  /* index in places, or NO_PLACE */
	uint32_t *marks;     /* the walk that saw it last */
	uint32_t *far_marks; /* the same, of walks that tell near from far */
	uint8_t *told;       /* role and nesting when last looked at; 0: never */
	bool is_comparing; /* what was told and what is differ: nothing is noted until all is compared */
	uint32_t walk;
	VEC(struct place) places;
	VEC(uint32_t) open; /* places whose component is not complete */
	VEC(struct frame) frames;
	VEC(node_id) stack;
	VEC(node_id) found;
};

enum node_role closure_role(struct closure *closure, node_id node);
bool closure_is_kept(struct closure *closure, node_id made_group);
void closure_grow(struct closure *closure);
uint32_t closure_walk(struct closure *closure); /* a new number for marks */

/* Whether a made group has people only: by its rule, because of a loop, or because it is in the last layer. */
bool closure_is_flat(struct closure *closure, node_id made_group);
void closure_forget_places(struct closure *closure);

#endif
