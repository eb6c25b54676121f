/*
 * notify -- what systemd is told: ready, status, stopping, watchdog. Without systemd all of it does
 * nothing.
 */
#ifndef L2D_SERVICE_NOTIFY_H
#define L2D_SERVICE_NOTIFY_H

#include "sync/engine.h"

struct notify {
	uint64_t watchdog_ms; /* interval of feeding; 0: no watchdog */
	bool ready;
	uint64_t fingerprint; /* of the progress last seen */
	uint64_t moved_ns;    /* when it last changed */
	char status[200];
};
void notify_init(struct notify *notify);
/* Looks at the engine and tells what changed. now_ns: CLOCK_MONOTONIC. */
void notify_look(struct notify *notify, const struct engine *engine, uint64_t now_ns);
/* Feeds the watchdog, unless work is there and nothing has moved for NOTIFY_STALL_MS. Returns
 * whether it fed. */
bool notify_feed(struct notify *notify, const struct engine *engine, uint64_t now_ns);
void notify_stopping(const struct notify *notify);

/* Longer than the longest pause that the executor makes between two tries. */
#define NOTIFY_STALL_MS ((uint64_t)15 * 60 * 1000)

#endif
