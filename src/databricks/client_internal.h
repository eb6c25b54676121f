/*
 * client_internal -- what client.c, which shares budgets and sign-ins out, and call.c, which lives one call's life, share.
 */
#ifndef L2D_DATABRICKS_CLIENT_INTERNAL_H
#define L2D_DATABRICKS_CLIENT_INTERNAL_H

#include "databricks/budget.h"
#include "databricks/client.h"
#include "databricks/http.h"
#include "databricks/auth/credential.h"
#include "databricks/auth/signin.h"

#define NS_PER_MS UINT64_C(1000000)

/*
 *              +------------------ 401 once, 415 once, throttled read -------------+
 *              v                                                                   |
 *   send --> QUEUED --(signed in, token and slot)--> SENT --> PARSING (big) --> judged --> done
 *              ^                                                                   |
 *              +------------- timer ------------- PAUSED <--- transient read ------+
 */
enum call_stage { STAGE_QUEUED, STAGE_SENT, STAGE_PARSING, STAGE_PAUSED };

struct call_state {
	struct databricks *databricks;
	struct call *call;               /* NULL: cancelled while the pool works on it */
	struct call_state *next, **link; /* in its queue */
	enum call_stage stage;
	struct task task;
	struct http_request request;
	char *url, *body;
	struct loop_timer *pause; /* NULL until first needed */
	uint64_t first_ns;        /* of the first sending; 0 */
	unsigned attempts;
	uint64_t serial;       /* of the header it was sent with */
	bool renewed, retyped; /* its one repeat after 401, after 415 is used up */
	/* the pool's part */
	uv_work_t work;
	struct tape *parsed;
	enum err_code parse_code;
	struct err parse_err;
};

struct queue {
	struct call_state *head, **tail;
};

struct target {
	const struct target_settings *settings;
	struct credential credential;
	struct signin *signin;
	struct budget budget;
	struct queue queues[LANE_COUNT_][FAMILY_COUNT_];
	uint64_t waiting, calls, throttled, failed, in_flight;
	char *user_agent;
	bool scim_type; /* it wants application/scim+json */
};

struct databricks {
	struct loop *loop;
	struct http *http;
	const struct settings *settings;
	struct target *targets;
	struct budget sign_ins; /* FAMILY_OAUTH of all targets together */
	struct task pump;
	struct loop_timer *timer; /* wakes the pump when the next token is due */
	uint64_t calls;
};

/* Takes a call off its queue, to be transmitted or failed by who took it. */
void call_dequeue(struct call_state *state);
/* Puts it there; first: it has waited for its turn already. */
void call_enqueue(struct call_state *state, bool first);
/* Sends it now: token, slot and the headers that sign it in are there. */
void call_transmit(struct call_state *state, const struct signin_headers *headers);
/* Ends it with err, which is copied. */
void call_fail(struct call_state *state, const struct err *err);

#endif
