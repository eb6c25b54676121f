/*
 * record -- an object of an answer into a plain struct, by a table of its fields; and the paths that calls go to.
 *
 * For resources whose answers are flat: all texts are copied into the arena, so that a record outlives its answer.
 * Strict where it matters: a field of another type than the table says, a missing one that is required, and a text over
 * its bound make the whole answer unusable (ERR_PROTO). null is absent (RFC 8259 knows no difference that matters here).
 * Unknown keys are ignored.
 */
#ifndef L2D_DATABRICKS_RECORD_H
#define L2D_DATABRICKS_RECORD_H

#include "base/secret.h"
#include "databricks/client.h"
#include "databricks/tape.h"

#define RECORD_TEXT_MAX ((size_t)64 * 1024)           /* bytes of a TEXT, ID or WORD */
#define RECORD_DOCUMENT_MAX ((size_t)4 * 1024 * 1024) /* bytes of a DOCUMENT or JSON */
#define RECORD_COUNT_MAX ((size_t)1000000)            /* items of an array */

/* What a field becomes; absent: NULL, 0, false, no items. */
enum record_type {
	RECORD_TEXT,     /* const char * */
	RECORD_DOCUMENT, /* const char *, up to RECORD_DOCUMENT_MAX */
	RECORD_ID,       /* const char *: a text that is not empty, or a whole number, as text */
	RECORD_INTEGER,  /* int64_t; also digits in quotes, as some services send 64 bits */
	RECORD_BOOL,     /* bool */
	RECORD_TIME,     /* int64_t, ms since the epoch: a text as in RFC 3339 */
	RECORD_WORD,     /* int: index into words */
	RECORD_JSON,     /* const char *: any value, as JSON text without blanks */
	RECORD_TEXTS,    /* struct texts: an array of texts */
	RECORD_PAIRS,    /* struct pairs: an object of texts */
};

struct texts {
	const char *const *items;
	size_t count;
};
struct pair {
	const char *key, *value;
};
struct pairs {
	const struct pair *items;
	size_t count;
};

struct record_field {
	const char *key; /* a dot leads into an object: "oidc_policy.issuer" */
	enum record_type type;
	size_t offset; /* in the struct */
	bool required;
	const char *const *words; /* of RECORD_WORD, ended by NULL */
};
struct record_shape {
	const char *what;                  /* "IP access list": for errors */
	size_t size;                       /* of the struct */
	const struct record_field *fields; /* the first one is its id */
	size_t count;
};

/* Errors: ERR_PROTO (no object, wrong type, missing field, oversize). */
MUST_CHECK enum err_code record_read(const struct tape_value *json,
		const struct record_shape *shape, struct arena *arena, void *ret, struct err *err);
/* All items of an array, one behind the other; NULL (no such key) is none. Errors: ERR_PROTO, ERR_LIMIT. */
MUST_CHECK enum err_code record_read_array(const struct tape_value *array,
		const struct record_shape *shape, struct arena *arena, void **ret,
		size_t *ret_count, struct err *err);

/*
 * The record that a done call was answered with: the whole answer, or what is behind key. Errors: those of the call;
 * ERR_PROTO.
 */
MUST_CHECK enum err_code record_of_call(const struct call *call, const char *key_or_null,
		const struct record_shape *shape, struct arena *arena, void *ret, struct err *err);
/*
 * All records of a list that is not paged: behind key (absent: none), or the whole answer. Errors: those of the call;
 * ERR_PROTO; ERR_INCOMPLETE (it is paged after all, so something was not seen).
 */
MUST_CHECK enum err_code records_of_call(const struct call *call, const char *key_or_null,
		const struct record_shape *shape, struct arena *arena, void **ret,
		size_t *ret_count, struct err *err);
/* The call's own error, else ERR_PROTO if its answer is no object. */
MUST_CHECK enum err_code record_check_answer(
		const struct call *call, const char *what, struct err *err);

/*
 * Moves the text behind key from the answer into ret (NULL: nowhere) and overwrites the whole answer, which is gone then.
 * Errors: ERR_PROTO (no such text, empty, over SECRET_BYTES_MAX); the answer is overwritten all the same.
 */
MUST_CHECK enum err_code record_take_secret(struct call *call, const char *key, const char *what,
		struct secret *ret, struct err *err);

/* RFC 3339, as "2026-01-02T03:04:05.678Z" or with an offset, to ms since the epoch. */
bool record_parse_time(const char *text, int64_t *ret);

/*
 * "/api/VERSION/accounts/ID" or, where the call's target is a workspace, "/api/VERSION"; with what fmt says behind it.
 * Caller's, mem_free. Ids in it have been through http_escape.
 */
char *record_path(const struct databricks *databricks, const struct call *call, const char *version,
		const char *fmt, ...) PRINTF_LIKE(4, 5);
/* Ends the call unsent: it wakes with that error. For what would be a mistake to send. */
void record_refuse(struct databricks *databricks, struct call *call, enum err_code code,
		const char *fmt, ...) PRINTF_LIKE(4, 5);

#endif
