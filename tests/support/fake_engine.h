/*
 * fake_engine -- stands in for sync/engine.c in tests of what is around it: it steps through the
 * phases on the loop, answers what it was told to, and remembers what it was asked.
 */
#ifndef L2D_TESTS_FAKE_ENGINE_H
#define L2D_TESTS_FAKE_ENGINE_H

#include "sync/engine.h"

struct fake_engine {
	/* What it does. */
	struct plan plan;
	struct engine_progress progress;
	struct err failure;        /* code not ERR_NONE: it fails instead of reaching PLANNED */
	const char *explain_state; /* of everybody; NULL: nobody is known */
	const char *held[8];  /* ids of operations that are held, NULL where one was taken away */
	const json_t *answer; /* to every question about an object; NULL: its name */
	bool mute;            /* no such question is ever answered */
	bool stuck;           /* never gets further than STARTING */
	const json_t *operations; /* by id, for those in held; NULL: only their ids are told */
	void (*opened)(const struct engine_options *options); /* NULL, or called by engine_new */
	size_t padding;                                       /* bytes of filling in each status */
	/* What it was asked. */
	unsigned started, stopped, freed, went, reconciled, synced, retried, approved, rejected,
			revoked, revoked_guarded, swept;
	size_t allowed_count;
	char last_selector[128], last_reason[128], last_name[128];
};
extern struct fake_engine fake;
void fake_engine_reset(void);

#endif
