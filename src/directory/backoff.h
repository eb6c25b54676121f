/*
 * backoff -- how long to wait before the next try: doubling, capped, with jitter.
 *
 * The wait lies between half and the whole of the doubled time, so that many clients of one server that came back do not
 * return in step, and none returns at once.
 */
#ifndef L2D_DIRECTORY_BACKOFF_H
#define L2D_DIRECTORY_BACKOFF_H

#include <stdint.h>

struct backoff {
	uint64_t first_ms, max_ms; /* whole wait before the second try, and greatest */
	unsigned failures;         /* in a row; 0 after a success */
};

/* The wait after the failures counted so far (at least one). random: any 32 random bits decide the jitter. Pure. */
uint64_t backoff_delay_ms(const struct backoff *backoff, uint32_t random);
/* Counts one more failure and says how long to wait. */
uint64_t backoff_fail_ms(struct backoff *backoff);

#endif
