/*
 * encoding -- short forms in which ids lie in the tables, and back.
 *
 * Pure. Text that is not exactly in the common form stays text, so that every id comes back byte
 * for byte.
 */
#ifndef L2D_STORE_ENCODING_H
#define L2D_STORE_ENCODING_H

#include "base/digest.h"
#include "base/mem.h"

#define ENCODING_ID_SIZE 24 /* a decimal int64_t with NUL */
#define ENCODING_UUID_BYTES 16
#define ENCODING_UUID_SIZE 37 /* as text with NUL */

/* Decimal without sign, leading zeros or anything else, up to INT64_MAX; false: not in this form.
 */
bool encoding_parse_id(const char *text, int64_t *ret);
/* The reverse, for numbers from 0; returns its first character, somewhere within buffer. */
const char *encoding_format_id(int64_t number, char buffer[static ENCODING_ID_SIZE]);

/* A UUID in the text form of RFC 9562 in lower case; false: not in this form. */
bool encoding_parse_uuid(const char *text, char ret[static ENCODING_UUID_BYTES]);
void encoding_format_uuid(
		const char bytes[static ENCODING_UUID_BYTES], char ret[static ENCODING_UUID_SIZE]);

/* SHA-256 over the search's digest, a NUL, and the cookie: a cookie under the wrong search is
 * damaged, too. */
void encoding_cookie_checksum(const char *search_digest, struct span cookie,
		unsigned char ret[static DIGEST_SIZE]);

#endif
