/*
 * entry -- one directory object as read: its anchor, its DN, the attributes that were asked for.
 *
 * An entry is a plain value in somebody's arena. Attribute names are lower-case and without options; values are octets
 * in no particular order (RFC 4511 4.1.7).
 */
#ifndef L2D_MODEL_ENTRY_H
#define L2D_MODEL_ENTRY_H

#include "base/buf.h"

#define ENTRY_ANCHOR_MAX 128        /* bytes of an anchor's canonical text */
#define ENTRY_ATTRIBUTES_MAX 256    /* attributes of one entry */
#define ENTRY_VALUES_MAX 2000000    /* values of one attribute */
#define ENTRY_VALUE_BYTES_MAX 65536 /* bytes of one value */

struct attribute {
	const char *name;
	const struct span *values;
	size_t count; /* at least 1 */
};

struct entry {
	const char *anchor; /* canonical text: entryUUID in lower case with hyphens */
	const char *dn;     /* as received */
	const struct attribute *attributes;
	size_t count;
};

/* The attribute of that name (any case), or NULL. */
const struct attribute *entry_find(const struct entry *entry, const char *name);
/* Its first value, or a span with ptr NULL. */
struct span entry_first(const struct entry *entry, const char *name);

/*
 * Attributes as one compact block, for keeping many entries. Names and values are sorted, so equal content gives equal
 * bytes: compare or hash the block to see whether an entry changed. skip: names to leave out (lower-case), may be NULL.
 * A value that came twice is one. ret: appended to; its limit bounds the block.
 */
void entry_pack(const struct entry *entry, const char *const *skip, size_t skip_count,
		struct buf *ret);
/*
 * The reverse, without anchor and DN, which are NULL. Names and values point into block, the arrays into arena.
 * Errors: ERR_STORE (block is damaged).
 */
MUST_CHECK enum err_code entry_unpack(
		struct span block, struct arena *arena, struct entry *ret, struct err *err);
/* First value of the attribute of that name (lower-case) in a block, without unpacking it; ptr NULL if it has none. */
struct span entry_block_first(struct span block, const char *name);

#endif
