/*
 * store_private -- the inside of an open store, for store.c and load.c.
 */
#ifndef L2D_STORE_STORE_PRIVATE_H
#define L2D_STORE_STORE_PRIVATE_H

#include <sqlite3.h>

#include "store/store.h"
#include "store/store_thread.h"

struct store {
	enum store_mode mode;
	char *path;
	int lock_fd; /* -1 with STORE_READ */
	/*
	 * Two connections, so that the loop never meets the thread within SQLite: this one only
	 * reads, on the thread that opened the store. With STORE_READ it is in a transaction for as
	 * long as the store is open.
	 */
	sqlite3 *reader;
	/* STORE_WRITE only: */
	sqlite3 *writer_db;
	struct writer *writer; /* the store thread's once it runs */
	struct store_thread *thread;
	struct mailbox *done;
	struct task completions;
	size_t backlog;     /* records submitted and not done */
	struct err failure; /* of the last commit; code ERR_NONE: healthy */
};

#endif
