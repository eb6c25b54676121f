#include "base/clock.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#define DURATION_MAX_MS (INT64_C(100) * 366 * 86400 * 1000)

static const struct {
	const char *unit;
	int64_t ms;
} units[] = {{"w", INT64_C(604800000)}, {"d", 86400000}, {"h", 3600000}, {"min", 60000},
		{"s", 1000}, {"ms", 1}};

uint64_t clock_monotonic_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

int64_t clock_wall_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void clock_format(int64_t wall_ms, char ret[static CLOCK_TEXT_SIZE])
{
	int64_t ms = wall_ms % 1000;
	time_t seconds = (time_t)(wall_ms / 1000 - (ms < 0));
	struct tm parts;
	char text[24];

	if (!gmtime_r(&seconds, &parts) ||
			strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts) == 0)
		text[0] = '\0';
	(void)snprintf(ret, CLOCK_TEXT_SIZE, "%s.%03dZ", text, (int)(ms < 0 ? ms + 1000 : ms));
}

/* mktime normalises what it is given, so each day starts from the numbers that were asked for. */
static int64_t time_of_day(struct tm day, int days_later, int minute)
{
	day.tm_mday += days_later;
	day.tm_hour = minute / 60;
	day.tm_min = minute % 60;
	day.tm_sec = 0;
	day.tm_isdst = -1;
	return (int64_t)mktime(&day) * 1000;
}

int64_t clock_next_time_of_day(int minute, int64_t now_ms)
{
	time_t now = (time_t)(now_ms / 1000);
	struct tm day;
	int64_t next = 0;

	if (!localtime_r(&now, &day))
		return 0;
	for (int later = 0; later <= 2 && next <= now_ms; later++)
		next = time_of_day(day, later, minute);
	return next;
}

static bool take_number(const char **text, int64_t *ret)
{
	const char *p = *text;
	int64_t n = 0;

	if (!isdigit((unsigned char)*p))
		return false;
	for (; isdigit((unsigned char)*p); p++) {
		n = n * 10 + (*p - '0');
		if (n > DURATION_MAX_MS)
			return false;
	}
	*text = p;
	*ret = n;
	return true;
}

static bool take_unit(const char **text, int64_t *ret)
{
	size_t len = 0;

	while (isalpha((unsigned char)(*text)[len]))
		len++;
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		if (strlen(units[i].unit) == len && memcmp(units[i].unit, *text, len) == 0) {
			*text += len;
			*ret = units[i].ms;
			return true;
		}
	}
	return false;
}

bool clock_parse_duration(const char *text, int64_t *ret_ms)
{
	int64_t total = 0;

	do {
		int64_t number, unit, part;

		if (!take_number(&text, &number) || !take_unit(&text, &unit))
			return false;
		if (__builtin_mul_overflow(number, unit, &part) ||
				__builtin_add_overflow(total, part, &total) ||
				total > DURATION_MAX_MS)
			return false;
	} while (*text);
	*ret_ms = total;
	return true;
}

void clock_format_duration(int64_t ms, char ret[static CLOCK_TEXT_SIZE])
{
	size_t used = 0;

	(void)snprintf(ret, CLOCK_TEXT_SIZE, "0s");
	for (size_t i = 1; i < COUNT_OF(units); i++) {
		int64_t n = ms / units[i].ms;

		if (n <= 0)
			continue;
		ms -= n * units[i].ms;
		used += (size_t)snprintf(ret + used, CLOCK_TEXT_SIZE - used, "%" PRId64 "%s", n,
				units[i].unit);
		if (used >= CLOCK_TEXT_SIZE)
			return;
	}
}
