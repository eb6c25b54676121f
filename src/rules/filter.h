/*
 * filter -- LDAP search filters (RFC 4515): is it one, and where does it go wrong.
 */
#ifndef L2D_RULES_FILTER_H
#define L2D_RULES_FILTER_H

#include "base/buf.h"

#define FILTER_BYTES_MAX ((size_t)32 * 1024)
#define FILTER_DEPTH_MAX 50

/*
 * Puts text into ret (initialised by the caller with FILTER_BYTES_MAX) without the white space
 * between its parts, which the grammar does not know but folded lines bring. Returns NULL, or what
 * is wrong (static) with *ret_offset: where.
 */
const char *filter_normalise(const char *text, struct buf *ret, size_t *ret_offset);

#endif
