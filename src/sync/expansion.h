/*
 * expansion -- what rules with `for_each:` give to the directory groups that they match, kept up with the directory.
 *
 * Evaluates such rules for every group that changed and hands the grants to subjects (assignments, entitlements, roles) and
 * to access (permissions, tokens). A group whose evaluation fails keeps what it had.
 */
#ifndef L2D_SYNC_EXPANSION_H
#define L2D_SYNC_EXPANSION_H

#include "sync/engine_state.h"

struct expansion *expansion_new(struct engine *engine);
void expansion_free(struct expansion *expansion); /* NULL is fine */
/* The node changed (new, other name, gone, other want): its grants are made anew, and whom they name is planned again.
 * Whether they are others now. Before snapshot_settle. */
bool expansion_update(struct expansion *expansion, node_id node, bool gone);
/* The last evaluation failed: what the rules give it is not known. */
bool expansion_is_unsure(const struct expansion *expansion, node_id node);
/* That of some group failed which gives to others by name: what the rules give to anybody is not known. */
bool expansion_is_blind(const struct expansion *expansion);
/* The rules that hold for a node now; borrowed until its next update. */
const struct grant_rule *expansion_rules(
		const struct expansion *expansion, node_id node, size_t *ret_count);

#endif
