/*
 * who -- what a principal is at an account or in a workspace: its admin, one of its users, and what it is called.
 */
#ifndef SIM_WHO_H
#define SIM_WHO_H

#include "state.h"

/* By a seat of its own or of a group above it. */
bool who_is_admin(const struct workspace *workspace, const struct principal *who);
/* By the role account_admin of its own or of a group above it. */
bool who_is_account_admin(const struct principal *who);
/* May sign in there: active, not deleted, seen by the workspace. */
bool who_may_enter(const struct state *state, const struct workspace *workspace,
		const struct principal *who);
bool who_is_below(const struct principal *who, const struct principal *group);
/* A user's name, a service principal's application id, a group's display name. */
const char *who_name(const struct principal *who);

#endif
