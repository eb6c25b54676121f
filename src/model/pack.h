/*
 * pack -- numbers and bytes in blocks that we keep: little-endian base 128 numbers, bytes behind their length.
 *
 * Blocks come back from a disk, so reading believes nothing: a reader remembers the first damage, later reads give
 * nothing, and the caller asks once.
 */
#ifndef L2D_MODEL_PACK_H
#define L2D_MODEL_PACK_H

#include "base/buf.h"

#define PACK_NUMBER_MAX UINT32_MAX

void pack_add_number(struct buf *buf, size_t number); /* at most PACK_NUMBER_MAX */
void pack_add_span(struct buf *buf, struct span bytes);

struct pack_reader {
	struct span rest;
	bool damaged;
};
size_t pack_read_number(struct pack_reader *reader, size_t max); /* greater than max: damaged, 0 */
struct span pack_read_bytes(
		struct pack_reader *reader, size_t len); /* exactly len; borrowed from the block */
struct span pack_read_span(struct pack_reader *reader, size_t max);

#endif
