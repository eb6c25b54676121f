/*
 * writer -- carries out batches within transactions: prepared statements, numbers of names, the
 * audit's chain.
 *
 * After the store has opened, a writer belongs to the store's thread. What it remembers of the file
 * (names, head of the audit) follows a rollback.
 */
#ifndef L2D_STORE_WRITER_H
#define L2D_STORE_WRITER_H

#include <sqlite3.h>

#include "store/batch.h"

struct writer;
/* db: borrowed, must be of the current schema. *ret: the caller's, writer_free. Errors: ERR_STORE.
 */
MUST_CHECK enum err_code writer_new(sqlite3 *db, struct writer **ret, struct err *err);
void writer_free(struct writer *writer); /* NULL is fine */

MUST_CHECK enum err_code writer_begin(struct writer *writer, struct err *err);
/* Within a transaction. After a failure only writer_rollback may follow. */
MUST_CHECK enum err_code writer_apply(
		struct writer *writer, const struct store_batch *batch, struct err *err);
/* Durable on success; on failure everything since writer_begin is undone. */
MUST_CHECK enum err_code writer_commit(struct writer *writer, struct err *err);
void writer_rollback(struct writer *writer);

/*
 * Between transactions: work that can wait but not for ever. Moves the write-ahead log into the
 * file, and sweeps out memberships of principals that are gone. Less is put off if nobody waits
 * (idle).
 */
void writer_tidy(struct writer *writer, bool idle);

/* Forgets removals that no guard's window reaches. */
MUST_CHECK enum err_code writer_prune(struct writer *writer, int64_t now_ms, struct err *err);

#endif
