/*
 * request_log -- one line of JSON per request, written whole and at once.
 */
#ifndef SIM_REQUEST_LOG_H
#define SIM_REQUEST_LOG_H

#include "sim.h"

struct request_log;
MUST_CHECK enum err_code request_log_open(
		const char *path, struct request_log **ret, struct err *err);
void request_log_close(struct request_log *log); /* NULL is fine */

/* read_ns: CLOCK_MONOTONIC when the request had been read. status 0: the connection was cut. log NULL: nothing.
 * With --log-bodies also what was sent and, of a 201, the id in the answer (made, not sent yet): tests/bench/replay
 * sends it all again. */
void request_log_write(struct request_log *log, const struct request *request, uint64_t read_ns,
		unsigned status, size_t bytes, const struct answer *answer);

#endif
