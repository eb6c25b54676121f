/*
 * tape -- a JSON text (RFC 8259) as one flat array: what answers are read from.
 *
 * A group of 200 members is 1,400 values; a tree of them costs fifty times the memory of the text, and most of the time
 * that a reconcile takes. Here strings stay where they came, unescaped in place, and the values stand one behind the
 * other: an array or object is followed by what is in it, in an object each value behind its key.
 *
 * Strict: UTF-8 without NUL, no duplicate keys, no more than TAPE_DEPTH_MAX levels.
 * A finished tape may be read from any thread.
 */
#ifndef L2D_DATABRICKS_TAPE_H
#define L2D_DATABRICKS_TAPE_H

#include "base/buf.h"

#define TAPE_DEPTH_MAX 64
#define TAPE_KEYS_MAX 1000 /* in one object: they are compared with each other */

enum tape_type {
	TAPE_NULL,
	TAPE_FALSE,
	TAPE_TRUE,
	TAPE_NUMBER, /* text as it stands, not NUL-terminated */
	TAPE_TEXT,   /* unescaped, NUL-terminated */
	TAPE_ARRAY,
	TAPE_OBJECT
};

/* One value. Functions below take NULL for "no such value". */
struct tape_value {
	const char *text; /* of a NUMBER or TEXT; of others where they begin */
	uint32_t len;
	uint32_t type : 3;    /* enum tape_type */
	uint32_t extent : 29; /* values that it takes, itself included */
};

struct tape;
/*
 * text: len bytes and a NUL behind them, from mem_; given away, success or not. Empty or blank: *ret is NULL.
 * Errors: ERR_PROTO.
 */
MUST_CHECK enum err_code tape_parse(char *text, size_t len, struct tape **ret, struct err *err);
void tape_free(struct tape *tape); /* with all values and texts; NULL is fine */
/* Overwrites all texts: before tape_free, where an answer held a secret. NULL is fine. */
void tape_wipe(struct tape *tape);

const struct tape_value *tape_root(const struct tape *tape); /* NULL for a NULL tape */
bool tape_is(const struct tape_value *value, enum tape_type type);
/* The value behind that key; NULL if there is none, or it is null, or object is no object. */
const struct tape_value *tape_get(const struct tape_value *object, const char *key);
const char *tape_text(const struct tape_value *value); /* NULL: not TEXT */
/* A NUMBER without fraction and exponent that fits. */
bool tape_integer(const struct tape_value *value, int64_t *ret);

/* for (item = tape_first(array); item; item = tape_next(array, item)); nothing if array is none */
const struct tape_value *tape_first(const struct tape_value *array);
const struct tape_value *tape_next(const struct tape_value *array, const struct tape_value *item);
size_t tape_count(const struct tape_value *array); /* walks it */
/* for (key = tape_first_key(object); key; key = tape_next_key(object, key)) tape_value_of(key) */
const struct tape_value *tape_first_key(const struct tape_value *object);
const struct tape_value *tape_next_key(
		const struct tape_value *object, const struct tape_value *key);
const struct tape_value *tape_value_of(const struct tape_value *key);
/* The value as JSON text again, without blanks, keys in their order; "null" for NULL. */
void tape_write(const struct tape_value *value, struct buf *to);

#endif
