/*
 * http -- the ports: reads requests, lets faults and limits at them, sends answers.
 */
#ifndef SIM_HTTP_H
#define SIM_HTTP_H

#include "sim.h"

struct http;
/* Opens the account's port and one per workspace, and writes the numbers into sim. Errors: ERR_IO. */
MUST_CHECK enum err_code http_start(struct sim *sim, struct http **ret, struct err *err);
void http_stop(struct http *http); /* NULL is fine; after it no thread is left */

#endif
