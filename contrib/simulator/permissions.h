/*
 * permissions -- the Permissions API of a workspace: /api/2.0/permissions/{type}/{id}, read, replaced, merged.
 *
 * What other parts of the simulator need of it, and what it needs of them, is here as well.
 */
#ifndef SIM_PERMISSIONS_H
#define SIM_PERMISSIONS_H

#include "object.h"
#include "api.h"

#define ACL_ENTRIES_MAX 10000 /* of one request; the service publishes no number */

/* With --acl-lag: whoever is there at the start is known to the ACLs at once. */
void permissions_settle(struct sim *sim);

/*
 * Whether who holds CAN_USE or CAN_MANAGE on authorization/tokens: by itself, by a group, as an admin. Only such a
 * principal may create personal access tokens or use them. Lock held.
 */
bool permissions_may_use_tokens(const struct state *state, const struct workspace *workspace,
		const struct principal *who);

/* CAN_USE on a cluster policy, or an admin. */
bool permissions_may_use_policy(const struct state *state, const struct workspace *workspace,
		const struct principal *who, const char *policy_id);

/*
 * An access_control_list as a request has it. Reads and checks every entry, and changes nothing unless all are good.
 * put: replaces the direct entries, else merges. caller NULL: nobody's rights are checked. A refusal is written into
 * the call's answer.
 */
struct acl_request {
	struct object *object;
	const json_t *list; /* NULL: empty */
	const struct principal *caller;
	bool put;
};
MUST_CHECK bool permissions_change(struct api_call *call, const struct acl_request *change);

/* Whether admins may hand jobs and the like to themselves only. */
bool permissions_admins_restricted(const struct api_call *call);

/* The principal that a name in an ACL means in this workspace; NULL: it is not known there. */
struct principal *permissions_find_user(
		const struct state *state, const struct workspace *workspace, const char *name);
struct principal *permissions_find_service_principal(
		const struct state *state, const struct workspace *workspace, const char *name);

#endif
