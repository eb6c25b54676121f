#include "base/err.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const names[] = {
		[ERR_NONE] = "none",
		[ERR_CONFIG] = "config",
		[ERR_USAGE] = "usage",
		[ERR_PROTO] = "protocol",
		[ERR_REFUSED] = "refused",
		[ERR_AUTH] = "auth",
		[ERR_DENIED] = "denied",
		[ERR_NOT_FOUND] = "not-found",
		[ERR_CONFLICT] = "conflict",
		[ERR_THROTTLED] = "throttled",
		[ERR_TIMEOUT] = "timeout",
		[ERR_IO] = "io",
		[ERR_SERVER] = "server",
		[ERR_STORE] = "store",
		[ERR_LIMIT] = "limit",
		[ERR_INCOMPLETE] = "incomplete",
		[ERR_CANCELLED] = "cancelled",
		[ERR_BUG] = "bug",
};
_Static_assert(sizeof(names) / sizeof(names[0]) == ERR_COUNT_, "a name per code");

static void err_clear(struct err *err, enum err_code code, int detail)
{
	err->code = code;
	err->detail = detail;
	err->retry_after_s = 0;
	err->effect_unknown = false;
}

enum err_code err_set(struct err *err, enum err_code code, int detail, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list args;

	/* The arguments may point into the old text, so it is built aside. */
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	text_repair_in_place(text); /* of a server, or cut within a character */
	memcpy(err->text, text, sizeof(text));
	err_clear(err, code, detail);
	return code;
}

enum err_code err_errno(struct err *err, enum err_code code, int number, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	char reason[80];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return err_set(err, code, number, "%.300s: %s", text,
			strerror_r(number, reason, sizeof(reason)));
}

enum err_code err_context(struct err *err, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list args;
	size_t used;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	used = strlen(text);
	if (snprintf(text + used, sizeof(text) - used, ": %s", err->text) >=
			0) { /* cut if too long */
		text_repair_in_place(text);
		memcpy(err->text, text, sizeof(text));
	}
	return err->code;
}

bool err_is_transient(const struct err *err)
{
	switch (err->code) {
	case ERR_CONFLICT:
	case ERR_THROTTLED:
	case ERR_TIMEOUT:
	case ERR_IO:
	case ERR_SERVER:
	case ERR_INCOMPLETE:
		return true;
	case ERR_NONE:
	case ERR_CONFIG:
	case ERR_USAGE:
	case ERR_PROTO:
	case ERR_REFUSED:
	case ERR_AUTH:
	case ERR_DENIED:
	case ERR_NOT_FOUND:
	case ERR_STORE:
	case ERR_LIMIT:
	case ERR_CANCELLED:
	case ERR_BUG:
	case ERR_COUNT_:
		break;
	}
	return false;
}

const char *err_code_name(enum err_code code)
{
	return code < ERR_COUNT_ ? names[code] : "unknown";
}
