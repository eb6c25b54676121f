/*
 * rates -- the published request rates as token buckets, one per family of calls and account or workspace, and the cap
 * on SCIM requests at once in a workspace.
 *
 * A rate per second may be used up at once; of a rate per minute ten seconds' worth may. Any thread.
 */
#ifndef SIM_RATES_H
#define SIM_RATES_H

#include "sim.h"

struct rates;
struct rates *rates_new(size_t workspaces);
void rates_free(struct rates *rates);

/*
 * Whether the request may be served; else the answer is filled, in the shape that the service gives it. An admitted
 * request is in flight until rates_leave.
 */
MUST_CHECK bool rates_enter(
		struct rates *rates, const struct request *request, struct answer *answer);
void rates_leave(struct rates *rates, const struct request *request);

#endif
