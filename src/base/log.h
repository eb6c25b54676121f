/*
 * log -- one line per event: a short sentence, then key=value pairs.
 *
 * error = a person must act, warning = we go on differently, notice = a state changed, info = the
 * CHANGE lines, debug = off by default. Only service/, cli/, the feed's connection states and the
 * executor log above debug. Never a token, a password or a whole entry. Lines go to standard error:
 * text on a terminal, logfmt elsewhere (JSON on request). Any thread may log; lines are written
 * whole.
 */
#ifndef L2D_BASE_LOG_H
#define L2D_BASE_LOG_H

#include "base/mem.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG, LOG_LEVEL_COUNT_ };
enum log_format { LOG_AUTO, LOG_TEXT, LOG_LOGFMT, LOG_JSON };

struct log_field {
	const char *key;   /* documented in the manual: a public interface */
	const char *value; /* NULL: the field is left out */
};

void log_setup(enum log_level level, enum log_format format);
bool log_level_parse(const char *name, enum log_level *ret);
bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *sentence, const struct log_field *fields,
		size_t count);

/* log_event(LOG_NOTICE, "connected", {"source", name}, {"uri", uri}); values are text; log_int
 * makes one of a number */
#define log_event(level, sentence, ...)                                                            \
	do {                                                                                       \
		if (log_enabled(level)) {                                                          \
			const struct log_field fields_[] = {__VA_ARGS__};                          \
			log_write((level), (sentence), fields_, COUNT_OF(fields_));                \
		}                                                                                  \
	} while (0)
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2); /* free text, for developers */

/* Text of a number for a field: valid until the end of the full expression's statement block (a
 * compound literal). */
#define log_int(n) (log_int_text((int64_t)(n), (char[24]){0}))
const char *log_int_text(int64_t n, char *buffer);

#endif
