/*
 * claims -- which entries want the same name. Pure.
 *
 * Entries of one kind that claim one name (folded as everywhere) stand in a ring, so that whoever is looked at knows at once
 * whether somebody else claims it as well. Entering and leaving cost the same however many claims there are; leaving a ring
 * costs its length.
 */
#ifndef L2D_SYNC_CLAIMS_H
#define L2D_SYNC_CLAIMS_H

#include "directory/snapshot.h"
#include "model/identity.h"

struct claims;
/* name_of: the name that a node claims now, and of which kind; asked for nodes that have entered, and at entering. */
struct claims *claims_new(
		const char *(*name_of)(void *context, node_id node, enum principal_kind *ret_kind),
		void *context);
void claims_free(struct claims *claims); /* NULL is fine */

void claims_enter(struct claims *claims, node_id node); /* not in a ring */
/* name_of must still say what it said at entering. Returns its neighbour in the ring; NODE_NONE: it was alone, or in none. */
node_id claims_leave(struct claims *claims, node_id node);
bool claims_contain(const struct claims *claims, node_id node);
/* The next in the ring: node itself if nobody else claims its name, NODE_NONE if it claims none. */
node_id claims_next(const struct claims *claims, node_id node);

#endif
