/*
 * closure -- which members a made group has, when groups nest. Pure.
 *
 * The rules make some nodes people (users, service principals) and some groups; other groups are only looked through.
 * Under NESTING_KEEP a made group below a made group stays a member of it, and a group that is looked through is
 * transparent: what is below it joins the made group above. Under NESTING_FLATTEN a group has all people below it and no
 * groups. Groups of one loop get the union of the loop's members, flat: all people below, no groups. A group is no
 * member of itself. A flattened group has no groups below it any more, so it never closes a loop.
 *
 * Databricks nests CLOSURE_DEPTH_MAX layers. A made group that is in no kept one is in the first layer, another one
 * layer below the deepest kept group that has it; one in the last layer is flattened, and what was below it starts
 * anew at the first.
 *
 *	snapshot or roles change -> closure_affected -> closure_members of those -> ... -> snapshot_settle
 */
#ifndef L2D_DIRECTORY_CLOSURE_H
#define L2D_DIRECTORY_CLOSURE_H

#include "directory/snapshot.h"
#include "model/search.h"

#define CLOSURE_DEPTH_MAX                                                                          \
	10 /* nested group layers, a fixed limit of the platform (Databricks, "Resource limits") */

enum node_role {
	ROLE_NONE,   /* out of scope, skipped, or nothing that can be a member */
	ROLE_PERSON, /* a user or service principal that the rules make */
	ROLE_MADE,   /* a group that the rules make */
	ROLE_THROUGH /* a group that is read but not made */
};
/* Asked for present nodes only. Nesting only of ROLE_MADE. */
struct node_roles {
	void *context;
	enum node_role (*role)(void *context, node_id node);
	enum nesting (*nesting)(void *context, node_id made_group);
};

struct closure;
struct closure *closure_new(const struct snapshot *snapshot,
		const struct node_roles *roles); /* both borrowed */
void closure_free(struct closure *closure);      /* NULL is fine */
/*
 * The members that group (ROLE_MADE) shall have: nodes of ROLE_PERSON and ROLE_MADE, ascending, each once; array in arena.
 * *ret_outside: how many direct or looked-through members are in no search or of ROLE_NONE (for the report).
 */
size_t closure_members(struct closure *closure, node_id group, struct arena *arena,
		const node_id **ret, size_t *ret_outside);
/*
 * Made groups whose members may differ since the last call, themselves included; ascending, in arena. To be called once
 * after a batch of changes: before snapshot_settle, because it reads snapshot_changes, and before closure_members.
 * changed: nodes whose role or nesting may have changed (more than that does no harm: the closure remembers the roles
 * that it was told); those of snapshot_changes need not be in it. Cost grows with what is above and below the changed
 * nodes, not with the snapshot.
 */
size_t closure_affected(struct closure *closure, const node_id *changed, size_t count,
		struct arena *arena, const node_id **ret);

#endif
