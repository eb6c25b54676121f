/*
 * digest -- hashes: a quick keyed one for tables and change detection in this process, SHA-256 for
 * what is kept.
 */
#ifndef L2D_BASE_DIGEST_H
#define L2D_BASE_DIGEST_H

#include "base/mem.h"

#define DIGEST_SIZE 32
#define DIGEST_HEX_SIZE (DIGEST_SIZE * 2 + 1)

/* SipHash-1-3 (Aumasson, Bernstein) under a random key of this process. Never store the result. */
uint64_t digest_quick(struct span bytes);
/* The same of a name without regard to case: equal for names that text_equal_folded calls equal. */
uint32_t digest_quick_folded(const char *name);

/* SHA-256 of bytes, and as lower-case hex with NUL. */
void digest_sha256(struct span bytes, unsigned char ret[static DIGEST_SIZE]);
void digest_sha256_hex(struct span bytes, char ret[static DIGEST_HEX_SIZE]);

/* The same over several pieces. */
struct digest;
struct digest *digest_new(void);
void digest_add(struct digest *digest, const void *bytes, size_t len);
void digest_add_text(struct digest *digest,
		const char *text); /* with its NUL, so that pieces do not run together */
void digest_finish(struct digest *digest, char ret[static DIGEST_HEX_SIZE]); /* frees it */

/* Random bytes from the system; ends the process if there are none. */
void digest_random(void *ret, size_t len);
/* A random UUID, version 4 (RFC 9562), as text of 36 characters and NUL. */
void digest_uuid(char ret[static 37]);

#endif
