/*
 * clock -- time: monotonic for waiting, wall clock for records; durations as people write them.
 */
#ifndef L2D_BASE_CLOCK_H
#define L2D_BASE_CLOCK_H

#include "base/mem.h"

#define CLOCK_TEXT_SIZE 32

uint64_t clock_monotonic_ns(void); /* CLOCK_MONOTONIC */
int64_t clock_wall_ms(void);       /* since the Unix epoch, UTC */

/* RFC 3339 in UTC with milliseconds, "2026-11-24T13:33:37.123Z". */
void clock_format(int64_t wall_ms, char ret[static CLOCK_TEXT_SIZE]);

/*
 * When that minute of the day (0..1439) comes next after now_ms, in the zone of the process (TZ). Where a change of the
 * clocks leaves the minute out it is the one that takes its place. 0: the time is none.
 */
int64_t clock_next_time_of_day(int minute, int64_t now_ms);

/*
 * Parses a duration with its unit: "1500ms", "30s", "15min", "1h", "30d", "2w", and sums such as
 * "1h30min". Returns false if text is none, or over 100 years. *ret_ms: milliseconds.
 */
bool clock_parse_duration(const char *text, int64_t *ret_ms);
/* The shortest exact form of the same, "90s" -> "1min30s". */
void clock_format_duration(int64_t ms, char ret[static CLOCK_TEXT_SIZE]);

#endif
