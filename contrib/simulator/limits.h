/*
 * limits -- the published request rates as token buckets, one per family of calls and account or workspace, and the cap
 * on SCIM requests at once in a workspace.
 *
 * A rate per second may be used up at once; of a rate per minute ten seconds' worth may. Any thread.
 */
#ifndef SIM_LIMITS_H
#define SIM_LIMITS_H

#include "sim.h"

struct limits;
struct limits *limits_new(size_t workspaces);
void limits_free(struct limits *limits);

/*
 * Whether the request may be served; else the answer is filled, in the shape that the service gives it. An admitted
 * request is in flight until limits_leave.
 */
MUST_CHECK bool limits_enter(
		struct limits *limits, const struct request *request, struct answer *answer);
void limits_leave(struct limits *limits, const struct request *request);

#endif
