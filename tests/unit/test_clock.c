/* When a time of the day comes next, also where the clocks change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

#include <stdlib.h>
#include <time.h>

#define AT(hour, minute) ((hour)*60 + (minute))

/* Central European time: summer time from 29 March 2026, 01:00 UTC, to 25 October, 01:00 UTC. */
static const char zone[] = "CET-1CEST,M3.5.0,M10.5.0/3";

static void next_time_of_day(void **state)
{
	static const struct {
		const char *what, *zone;
		int minute;
		const char *now, *next;
	} cases[] = {
			{"later today", "UTC0", AT(3, 0), "2026-01-10T02:59:59",
					"2026-01-10T03:00:00"},
			{"it is that very time: tomorrow", "UTC0", AT(3, 0), "2026-01-10T03:00:00",
					"2026-01-11T03:00:00"},
			{"over the end of a year", "UTC0", AT(0, 0), "2026-12-31T12:00:00",
					"2027-01-01T00:00:00"},
			{"in the zone of the process", zone, AT(3, 0), "2026-01-10T00:00:00",
					"2026-01-10T02:00:00"},
			{"the day that has no such time", zone, AT(2, 30), "2026-03-29T00:30:00",
					"2026-03-29T01:30:00"},
			{"the day after it", zone, AT(2, 30), "2026-03-29T01:30:00",
					"2026-03-30T00:30:00"},
			{"the day when it comes twice", zone, AT(2, 30), "2026-10-24T22:00:00",
					"2026-10-25T00:30:00"},
			{"the day after that", zone, AT(2, 30), "2026-10-25T12:00:00",
					"2026-10-26T01:30:00"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[CLOCK_TEXT_SIZE];
		struct tm now = {0};

		assert_int_equal(setenv("TZ", cases[i].zone, 1), 0);
		tzset();
		assert_non_null(strptime(cases[i].now, "%Y-%m-%dT%H:%M:%S", &now));
		clock_format(clock_next_time_of_day(cases[i].minute, (int64_t)timegm(&now) * 1000),
				text);
		text[strlen("2026-01-01T00:00:00")] = '\0';
		if (strcmp(text, cases[i].next) != 0)
			fail_msg("%s: %s", cases[i].what, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(next_time_of_day)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
