/*
 * asks -- what the token, policy and settings half of the simulator asks the half that keeps objects and their ACLs,
 * and what it tells it. Every member may be NULL: then everybody may, and nobody is told.
 *
 * Threads: called with the simulator's lock held.
 */
#ifndef SIM_ASKS_H
#define SIM_ASKS_H

#include <jansson.h>

#include "state.h"

struct asks {
	/* Whether the ACL of authorization/tokens lets it make and use tokens; admins are not asked about. */
	bool (*may_use_tokens)(const struct state *state, const struct workspace *workspace,
			const struct principal *who);
	/* CAN_USE on a cluster policy; admins are not asked about. */
	bool (*may_use_policy)(const struct state *state, const struct workspace *workspace,
			const struct principal *who, const char *policy_id);
	/* The policy was deleted, and its ACL with it. */
	void (*policy_gone)(struct workspace *workspace, const char *policy_id);
	/* The cluster's document, {"cluster_id", "state", "policy_id", ...}; borrowed. NULL: no such cluster. */
	json_t *(*cluster)(
			struct state *state, struct workspace *workspace, const char *cluster_id);
	/* A new array of all of them. */
	json_t *(*clusters)(struct state *state, struct workspace *workspace);
};

#endif
