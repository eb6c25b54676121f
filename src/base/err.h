/*
 * err -- what went wrong: a code to act on, a number from the source, a sentence for a person.
 *
 * The function that detects a failure sets it; a caller that knows more puts context in front; the
 * outermost one logs it, once. Decisions look at the code, never at the text. An err is a plain
 * value and never allocates. The err parameter of a function is the last one and is never NULL; it
 * is written on failure only.
 */
#ifndef L2D_BASE_ERR_H
#define L2D_BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

#define MUST_CHECK __attribute__((warn_unused_result))
/* Counted from 1: which parameter is the format, which the first value for it. */
#define PRINTF_LIKE(fmt_index, first_index) __attribute__((format(printf, fmt_index, first_index)))

enum err_code {
	ERR_NONE,
	ERR_CONFIG,  /* a file, an expression or a setting of the user is wrong */
	ERR_USAGE,   /* the command line is wrong, or names what is not there */
	ERR_PROTO,   /* the other side answered what its protocol does not allow */
	ERR_REFUSED, /* the other side understood and declined for good: do not repeat as it is */
	ERR_UNSUPPORTED, /* the other side has not this feature: tier, cloud, version, switched off */
	ERR_AUTH,        /* our credential was not accepted */
	ERR_DENIED,      /* our credential has not the right */
	ERR_NOT_FOUND,   /* the thing named is not there */
	ERR_CONFLICT,  /* somebody else changed it, or the name is taken: read again, then decide */
	ERR_THROTTLED, /* slow down; retry_after_s says how long, if the server said */
	ERR_TIMEOUT,
	ERR_IO,         /* connection, file system */
	ERR_SERVER,     /* the other side failed for now (5xx, busy) */
	ERR_STORE,      /* our own database */
	ERR_LIMIT,      /* a named bound of ours was reached */
	ERR_INCOMPLETE, /* an enumeration did not come whole: nothing may be concluded from absence
			 */
	ERR_CANCELLED,
	ERR_BUG,
	ERR_COUNT_
};

struct err {
	enum err_code code;
	int detail;             /* LDAP resultCode, HTTP status, SQLite code or errno; 0 if none */
	uint32_t retry_after_s; /* with ERR_THROTTLED and ERR_SERVER: what the server asked for; 0 =
				   not said */
	bool effect_unknown; /* a request may have had its effect although this failed: look before
				repeating */
	char text[400];      /* never a secret */
};

/* Sets all of *err (retry_after_s 0, effect_unknown false) and returns code, so that `return
 * err_set(...)` is one line. */
enum err_code err_set(struct err *err, enum err_code code, int detail, const char *fmt, ...)
		PRINTF_LIKE(4, 5);

/* As err_set, with the text of errno value number behind the sentence and number as detail. */
enum err_code err_errno(struct err *err, enum err_code code, int number, const char *fmt, ...)
		PRINTF_LIKE(4, 5);

/* Puts "doing X: " in front of the text; returns err->code. */
enum err_code err_context(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Whether trying the same again later can help: throttled, timeout, I/O, server, conflict,
 * incomplete. */
bool err_is_transient(const struct err *err);

/* Stable lower-case name of a code for logs and JSON ("throttled"). */
const char *err_code_name(enum err_code code);

#endif
