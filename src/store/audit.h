/*
 * audit -- the chain of hashes over the record of every write.
 *
 * The hash of a line is SHA-256 over the text
 *     PREVIOUS HASH in hex, newline, SEQUENCE, newline, TIME in ms, newline, JSON
 * so that anybody can check an exported one with common tools. Sequence counts from 1; before the
 * first line the hash is 32 zero bytes. The last sequence and hash are kept apart, so that a cut
 * tail is seen. The chain shows changes that were not made through the store; who can write to the
 * file can also make a whole new chain, so keep exports elsewhere.
 */
#ifndef L2D_STORE_AUDIT_H
#define L2D_STORE_AUDIT_H

#include <sqlite3.h>

#include "base/buf.h"
#include "base/digest.h"

struct audit_head {
	uint64_t sequence;
	unsigned char hash[DIGEST_SIZE];
};

/* Moves *head on by one line. scratch: any buffer, its content is lost. */
void audit_advance(struct audit_head *head, int64_t time_ms, struct span json, struct buf *scratch);

/* The head as it is stored. Errors: ERR_STORE. */
MUST_CHECK enum err_code audit_load_head(sqlite3 *db, struct audit_head *ret, struct err *err);

/* As store_verify_audit. */
MUST_CHECK enum err_code audit_verify(sqlite3 *db, uint64_t *ret_count, struct err *err);

#endif
