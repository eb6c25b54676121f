/*
 * roster -- one list of a target, read once for all items of a class that are there.
 *
 * Whoever of them wants to be read asks here; however many ask, one read answers them all, and refreshes the others on the
 * way. A read that fails puts off those that asked for it, each with its own back-off, and the first one that is due begins
 * the next. What a list says of an item that was written meanwhile is not believed.
 *
 *   roster_want -> read_next, read_next, ... (calls, or what ends with roster_go_on) -> show() for each item
 *
 * Private to sync/. Everything belongs to the loop thread.
 */
#ifndef L2D_SYNC_ACCESS_ROSTER_H
#define L2D_SYNC_ACCESS_ROSTER_H

#include "sync/access/item.h"

enum roster_slot { ROSTER_POLICIES, ROSTER_LISTS, ROSTER_CONF, ROSTER_TOKENS, ROSTER_COUNT_ };

struct roster_class {
	enum roster_slot slot;
	/*
	 * Asked when the read begins and after each answer (roster->step counts them): sends the next call (roster_prepare
	 * first) or starts what ends with roster_go_on, and returns true; false: all is read, or roster_fail was called. What
	 * it keeps lives in roster->fresh, and its head in roster->draft, which is roster->data when show is asked.
	 */
	bool (*read_next)(struct roster *roster);
	/* What was read of one item. false: it differs from what is ours, and a second read must agree. */
	bool (*show)(struct roster *roster, struct item *item);
	void (*cancel)(struct
			roster *roster); /* what is under way beside the call; NULL: nothing */
};

struct roster {
	struct task task; /* first */
	struct access *access;
	const struct roster_class *class; /* NULL: nobody asked yet */
	unsigned target;
	bool running, failed;
	unsigned step;
	uint64_t begun_ns;
	struct call call;
	bool waiting;        /* the next step has its time to come */
	bool calling;        /* ... with the call's answer */
	struct arena *arena; /* of data; NULL: never read */
	void *data;          /* of the class: the last list that was read whole; NULL: none */
	struct arena *fresh; /* of the read under way */
	void *draft;         /* of the class: the read under way; becomes data */
	struct err err;
	bool unsure; /* of the class: some rules of this target failed, so nothing counts as wanted by no rule */
};

struct roster *rosters_new(struct access *access);
void rosters_free(struct access *access); /* cancels; fine before rosters_new */
struct roster *roster_at(const struct access *access, unsigned target, enum roster_slot slot);
/* The item wants to be read (item->read_wanted is set). */
void roster_want(struct access *access, struct item *item);
bool roster_is_running(const struct access *access, const struct item *item); /* over that item */
/* A note in the plan for each list that could not be read. */
void rosters_list_failures(const struct access *access);
bool roster_has_failed(const struct access *access); /* some list could not be read the last time */

/* ---- for read_next ---- */
void roster_prepare(struct
		roster *roster); /* a call to the target, about to be filled; it wakes the roster */
void roster_go_on(struct roster *roster); /* what was started came to its end */
void roster_fail(struct roster *roster, const struct err *err);

/* ---- for show ---- */
/*
 * Whether what was read may be believed: now (NULL: not there) is what the item's last write of ours made, or differs for the
 * second time in the same way. held NULL: nothing is ours, so anything is believed.
 * KEEP: what we know stays (reads lag behind); LOOK_AGAIN: read once more, soon.
 */
enum roster_verdict { ROSTER_TAKE, ROSTER_KEEP, ROSTER_LOOK_AGAIN };
enum roster_verdict roster_judge(
		const struct access *access, struct item *item, const char *held, const char *now);

#endif
