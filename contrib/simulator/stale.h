/*
 * stale -- reads that lag: an object's former state is kept beside it and shown for a number of reads or a time.
 *
 * "Not there" is a former state as well (a new object that answers 404), and so is "still there" (a deleted one that
 * answers 200). Writes always act on the truth. GET and LIST lag apart from each other.
 */
#ifndef SIM_STALE_H
#define SIM_STALE_H

#include "state.h"

struct stale_rule {
	unsigned get_reads; /* so many GETs show the former state */
	uint32_t get_ms;    /* or all within this time */
	bool flap;          /* then one GET shows the new, one the old once more */
	unsigned list_reads;
	uint32_t list_ms;
};

/* Where a rule stands: how often and until when what was is shown. */
struct stale_count {
	unsigned get_left;
	uint64_t get_until_ns;
	unsigned flap_left; /* 2: the next shows the new, 1: the next shows the old, 0: done */
	unsigned list_left;
	uint64_t list_until_ns;
	bool list_now; /* what the list in progress shows; for the caller */
};
void stale_count_start(struct stale_count *count, const struct stale_rule *rule);
/* Counts one read; whether it shows what was. */
bool stale_count_get(struct stale_count *count);
bool stale_count_list(struct stale_count *count);

/* What a write is about to change, or NULL if no rule asks for it. */
struct principal *stale_before(const struct stale_rule *rule, const struct principal *who);
/* before: given away; NULL: who was not there. rule NULL: nothing happens. Lock held for writing. */
void stale_commit(struct state *state, const struct stale_rule *rule, struct principal *who,
		struct principal *before);

/*
 * The state that a GET of id shows now, counting it as a read: the truth, a former state, or NULL for 404. Any number
 * of threads that hold the lock for reading.
 */
const struct principal *stale_get(struct state *state, uint64_t id);

/* Whether any list may differ from the truth; and, counted once per list, what to show in place of one object. */
bool stale_any(const struct state *state);
struct stale_list {
	const struct principal **
			items; /* former states of objects of this kind that are gone but still shown */
	size_t count, room;
};
void stale_list_begin(struct state *state, enum kind kind, struct stale_list *ret_ghosts);
void stale_list_end(struct state *state); /* other lists wait between the two */
const struct principal *stale_in_list(const struct principal *who); /* NULL: not shown yet */

#endif
