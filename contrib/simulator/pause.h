/*
 * pause -- lets requests wait without a thread each: a connection is suspended and taken up again when its time has
 * come.
 */
#ifndef SIM_PAUSE_H
#define SIM_PAUSE_H

#include <microhttpd.h>

#include "base/mem.h"

struct pause;
struct pause *pause_start(void);
/* Resumes whatever waits, and from then on everything at once. */
void pause_stop(struct pause *pause);
void pause_free(struct pause *pause);

/* Suspends the connection until CLOCK_MONOTONIC due_ns. Called from its handler or content reader. */
void pause_connection(struct pause *pause, struct MHD_Connection *connection, uint64_t due_ns);

#endif
