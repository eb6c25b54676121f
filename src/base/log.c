#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)16 * 1024)

static const char *const level_names[] = {"error", "warning", "notice", "info", "debug"};
_Static_assert(COUNT_OF(level_names) == LOG_LEVEL_COUNT_, "a name per level");

static _Atomic enum log_level threshold = LOG_INFO;
static _Atomic enum log_format chosen = LOG_AUTO;

void log_setup(enum log_level level, enum log_format format)
{
	if (format == LOG_AUTO)
		format = isatty(STDERR_FILENO) ? LOG_TEXT : LOG_LOGFMT;
	atomic_store(&threshold, level);
	atomic_store(&chosen, format);
}

bool log_level_parse(const char *name, enum log_level *ret)
{
	for (size_t i = 0; i < COUNT_OF(level_names); i++) {
		if (text_equal(name, level_names[i])) {
			*ret = (enum log_level)i;
			return true;
		}
	}
	return false;
}

bool log_enabled(enum log_level level)
{
	return level <= atomic_load(&threshold);
}

static bool needs_quotes(const char *value)
{
	return *value == '\0' || strpbrk(value, " \"=\\\t\r\n") != NULL;
}

static void add_quoted(struct buf *line, const char *value)
{
	buf_add_char(line, '"');
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;

		if (c == '"' || c == '\\')
			buf_add_char(line, '\\');
		if (c < 0x20)
			buf_printf(line, "\\u%04x", c);
		else
			buf_add_char(line, (char)c);
	}
	buf_add_char(line, '"');
}

static void add_value(struct buf *line, const char *value)
{
	if (needs_quotes(value))
		add_quoted(line, value);
	else
		buf_add_text(line, value);
}

static void add_json(struct buf *line, const char *key, const char *value)
{
	buf_add_char(line, ',');
	add_quoted(line, key);
	buf_add_char(line, ':');
	add_quoted(line, value);
}

void log_write(enum log_level level, const char *sentence, const struct log_field *fields,
		size_t count)
{
	enum log_format format = atomic_load(&chosen);
	char time[CLOCK_TEXT_SIZE];
	struct buf line;

	clock_format(clock_wall_ms(), time);
	buf_init(&line, LINE_MAX_BYTES);
	if (format == LOG_JSON) {
		buf_printf(&line, "{\"time\":\"%s\"", time);
		add_json(&line, "level", level_names[level]);
		add_json(&line, "msg", sentence);
	} else if (format == LOG_TEXT) {
		buf_printf(&line, "%s %-7s %s", time, level_names[level], sentence);
	} else {
		buf_printf(&line, "time=%s level=%s msg=", time, level_names[level]);
		add_value(&line, sentence);
	}
	for (size_t i = 0; i < count; i++) {
		AUTO(mem_freep) char *value = NULL;

		if (!fields[i].value)
			continue;
		value = text_printable(span_of(fields[i].value));
		if (format == LOG_JSON) {
			add_json(&line, fields[i].key, value);
		} else {
			buf_printf(&line, " %s=", fields[i].key);
			add_value(&line, value);
		}
	}
	buf_add_text(&line, format == LOG_JSON ? "}\n" : "\n");
	/* One write per line: lines of several threads do not mix. A full disk or closed pipe must
	 * not stop the work. */
	if (write(STDERR_FILENO, line.ptr, line.len) < 0) {
		/* there is no other place to say it */
	}
	buf_release(&line);
}

void log_debug(const char *fmt, ...)
{
	char text[1024];
	va_list args;

	if (!log_enabled(LOG_DEBUG))
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_write(LOG_DEBUG, text, NULL, 0);
}

const char *log_int_text(int64_t n, char *buffer)
{
	(void)snprintf(buffer, 24, "%" PRId64, n);
	return buffer;
}
