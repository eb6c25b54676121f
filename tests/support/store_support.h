/*
 * store_support -- for tests: a store in a folder of its own with a loop, commits that are waited
 * for, and all that a store holds as text.
 */
#ifndef L2D_TESTS_STORE_SUPPORT_H
#define L2D_TESTS_STORE_SUPPORT_H

#include "base/buf.h"
#include "store/store.h"

struct store_support {
	struct loop *loop;
	struct store *store; /* open for writing, or NULL */
	char *folder;        /* temporary */
	char *path;          /* of the store in it */
};

/* A new folder and a new loop; opens the store unless told otherwise. Failures end the program with
 * a text. */
void store_support_init(struct store_support *support, bool open);
void store_support_open(struct store_support *support);
void store_support_close(struct store_support *support);
void store_support_reopen(struct store_support *support);
void store_support_release(
		struct store_support *support); /* closes, and removes folder and files */

/* Commits, and runs the loop until it is done. commit->err says why if it failed. */
enum err_code store_support_commit(
		struct loop *loop, struct store *store, struct store_batch *batch, struct err *err);
/* The same; a failure ends the program with its text. */
void store_support_must_commit(struct store_support *support, struct store_batch *batch);

/* Runs SQL on a file behind the store's back; a failure ends the program with its text. */
void store_support_sql(const char *path, const char *sql);

/* Entries, principals, members, grants, intents, holds, quarantine, removals: a line each, in the
 * order of reading. */
void store_support_dump(struct store *store, struct buf *ret);

#endif
