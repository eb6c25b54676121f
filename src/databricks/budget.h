/*
 * budget -- how fast one target may be called: a token bucket and a cap on what is in flight for each endpoint family.
 *
 * The published numbers are times the share of the settings; they are shared with everybody else who uses the account.
 * Bursts are sized so that burst + one window of the rate stays within the published number. A 429 pauses the family
 * and halves its rate, which then grows back over a minute. Bulk leaves the last fifth of burst and slots to the others.
 *
 * Pure: the time is a parameter (monotonic ns), nothing is called. One struct per target.
 */
#ifndef L2D_DATABRICKS_BUDGET_H
#define L2D_DATABRICKS_BUDGET_H

#include "databricks/client.h"

#define BUDGET_NEVER UINT64_MAX        /* not a matter of time: wait until a slot is given back */
#define BUDGET_PAUSE_MAX_S 600U        /* a longer Retry-After is cut to this */
#define BUDGET_IN_FLIGHT_UNLIMITED 32U /* per family where `limits: off` took the rates away */

struct bucket {
	double rate;     /* tokens a second when nothing is amiss; 0: no rate */
	double capacity; /* greatest level */
	double reserve;  /* what bulk leaves */
	double level;
	double factor;      /* of the rate, 1 when nothing is amiss */
	uint64_t filled_ns; /* when level was right */
	uint64_t paused_until_ns;
	unsigned pauses; /* in a row, without a call that went well */
	unsigned slots, slots_max, in_flight;
	uint64_t slots_since_ns; /* when slots was last changed */
};

struct budget {
	struct bucket buckets[FAMILY_COUNT_];
	unsigned scim_slots,
			scim_in_flight; /* all workspace SCIM families together; scim_slots 0: no such cap */
};

/* Whether limits names only families that there are. Errors: ERR_CONFIG. */
MUST_CHECK enum err_code budget_check(const struct limit_settings *limits, struct err *err);

/* What is published of that family, a second; 0: there is none of that name. */
double budget_published_rate(const char *family);

void budget_init(struct budget *budget, const struct limit_settings *limits, uint64_t now_ns);

/*
 * Takes a token and a slot for one call, or says when to ask again: *ret_when_ns, BUDGET_NEVER if it depends on
 * budget_done. Nothing is taken with false.
 */
bool budget_take(struct budget *budget, enum family family, enum lane lane, uint64_t now_ns,
		uint64_t *ret_when_ns);

/* The call is over: its slot is free. went_well: an answer that was no throttling. */
void budget_done(struct budget *budget, enum family family, bool went_well);

/*
 * The server said to slow down: pauses the family for retry_after_s, or if that is 0 for a time that grows with each
 * pause in a row; halves its rate, or with `concurrency` takes a slot away. jitter in [0, 1) spreads the return. While a
 * pause runs, further answers of the same burst only make it longer.
 */
void budget_throttled(struct budget *budget, enum family family, uint64_t now_ns,
		uint32_t retry_after_s, bool concurrency, double jitter);

/* Pauses a family without a change of its rate (503 with Retry-After). */
void budget_pause(struct budget *budget, enum family family, uint64_t now_ns,
		uint32_t retry_after_s, double jitter);

#endif
