/*
 * batch -- records on their way from the loop to the store's thread, in a compact form.
 *
 * A record says what to do and carries values in the order in which the statements of writer.c
 * number them. One buffer holds them all; it is filled by the loop thread (the store_put_ functions
 * of store.h), then handed over whole.
 */
#ifndef L2D_STORE_BATCH_H
#define L2D_STORE_BATCH_H

#include "base/buf.h"

/* Greatest size of a batch; a bigger one fails with ERR_LIMIT when it is committed. */
#define BATCH_BYTES_MAX ((size_t)128 * 1024 * 1024)
#define RECORD_VALUES_MAX 16

enum record_kind {
	RECORD_PUT_ENTRY,
	RECORD_DROP_ENTRY,
	RECORD_DROP_ALL_ENTRIES,
	RECORD_PUT_COOKIE,
	RECORD_DROP_COOKIE,
	RECORD_PUT_PRINCIPAL,
	RECORD_DROP_PRINCIPAL,
	RECORD_PUT_MEMBER,
	RECORD_DROP_MEMBER,
	RECORD_PUT_GRANT,
	RECORD_DROP_GRANT,
	RECORD_PUT_HOLDING,
	RECORD_DROP_HOLDING,
	RECORD_PUT_INTENT,
	RECORD_DROP_INTENT,
	RECORD_PUT_HOLD,
	RECORD_DROP_HOLD,
	RECORD_PUT_QUARANTINE,
	RECORD_DROP_QUARANTINE,
	RECORD_ADD_REMOVALS,
	RECORD_PUT_META,
	RECORD_DROP_META,
	RECORD_ADD_AUDIT, /* time in ms, JSON text */
	RECORD_KIND_COUNT_
};

enum value_kind {
	VALUE_NULL,
	VALUE_INT,
	VALUE_TEXT,
	VALUE_BLOB,
	VALUE_NAME /* of a source or target: stored as its number in table `name` */
};

struct value {
	enum value_kind kind;
	int64_t number;    /* VALUE_INT */
	struct span bytes; /* the others; points into the batch */
};

struct record {
	enum record_kind kind;
	size_t count;
	struct value values[RECORD_VALUES_MAX];
};

struct store_batch {
	struct buf bytes;
	size_t count;  /* records */
	size_t record; /* where the last one begins */
};

struct batch_cursor {
	const struct store_batch *batch;
	size_t at;
};
/* Reads the next record into *ret, whose values stay in the batch; false at the end. Start with .at
 * = 0. */
bool batch_next(struct batch_cursor *cursor, struct record *ret);

#endif
