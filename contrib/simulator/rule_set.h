/*
 * rule_set -- access-control rule sets: who manages, uses or assumes a group, a service principal, the account itself.
 * Principals are kept by id and shown by name, so that a rename shows at once.
 */
#ifndef SIM_RULE_SET_H
#define SIM_RULE_SET_H

#include "state.h"

/* Whether the rule set of a service principal or group gives who that role, by itself or by a group above it. */
bool rule_set_gives(const struct state *state, const struct principal *resource, const char *role,
		const struct principal *who);

#endif
