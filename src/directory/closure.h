/*
 * closure -- which members a made group has, when groups nest. Pure.
 *
 * The rules make some nodes people (users, service principals) and some groups; other groups are only looked through.
 * Under NESTING_KEEP a made group below a made group stays a member of it, and a group that is looked through is
 * transparent: what is below it joins the made group above. Under NESTING_FLATTEN a group has all people below it and no
 * groups. Groups of one loop get the union of the loop's members, flat. Databricks nests CLOSURE_DEPTH_MAX layers; a
 * group deeper than that below another made group is flattened into the last one that fits.
 */
#ifndef L2D_DIRECTORY_CLOSURE_H
#define L2D_DIRECTORY_CLOSURE_H

#include "directory/snapshot.h"
#include "model/search.h"

#define CLOSURE_DEPTH_MAX 10 /* nested group layers, a fixed limit of the platform (Databricks, "Resource limits") */

enum node_role {
	ROLE_NONE,   /* out of scope, skipped, or nothing that can be a member */
	ROLE_PERSON, /* a user or service principal that the rules make */
	ROLE_MADE,   /* a group that the rules make */
	ROLE_THROUGH /* a group that is read but not made */
};
struct node_roles {
	void *context;
	enum node_role (*role)(void *context, node_id node);
	enum nesting (*nesting)(void *context, node_id made_group);
};

struct closure;
struct closure *closure_new(const struct snapshot *snapshot, const struct node_roles *roles); /* both borrowed */
void closure_free(struct closure *closure);
/*
 * The members that group (ROLE_MADE) shall have: nodes of ROLE_PERSON and ROLE_MADE, ascending, each once; array in arena.
 * *ret_outside: how many direct or looked-through members are in no search or of ROLE_NONE (for the report).
 */
size_t closure_members(struct closure *closure, node_id group, struct arena *arena, const node_id **ret, size_t *ret_outside);
/*
 * Made groups whose members may differ after these changes (of the snapshot, and of roles: changed_roles), node itself
 * included; ascending, in arena. Cost grows with what is above and below the changed nodes, not with the snapshot.
 */
size_t closure_affected(struct closure *closure, const node_id *changed, size_t count, struct arena *arena, const node_id **ret);

#endif
