/*
 * confirmation -- asks the server once more for entries that seem to be gone: by anchor, within the search's own base
 * and filter, in batches, one after the other. What it does not find is gone twice.
 */
#ifndef L2D_DIRECTORY_CONFIRMATION_H
#define L2D_DIRECTORY_CONFIRMATION_H

#include "directory/connection.h"
#include "directory/enumeration.h"
#include "directory/feed_search.h"
#include "directory/outbox.h"

#define CONFIRMATION_BATCH 100 /* anchors in one filter, far below any size limit */

struct confirmation; /* one question */
struct confirmations {
	struct outbox *outbox;
	struct feed_search *searches;
	VEC(struct confirmation *) queue; /* the first is under way while connection is set */
	struct connection *connection;
	struct request request;
	struct batch batch;
	bool referred;
};

void confirmations_init(struct confirmations *confirmations, struct outbox *outbox,
		struct feed_search *searches);
void confirmations_release(struct confirmations *confirmations);

/* Queues a question. anchors (each from mem_strdup, in an array from mem_alloc) are given away. */
void confirmations_add(struct confirmations *confirmations, size_t position, char **anchors,
		size_t count, uint64_t ticket);
void confirmations_start_if_due(struct confirmations *confirmations, struct connection *connection);
/*
 * No connection, or no more: every question is answered with FEED_SEARCH_FAILED. again: takes the searches that were asked
 * about, so that what seemed to be gone comes up once more; NULL: not wanted.
 */
void confirmations_lost(struct confirmations *confirmations, const struct err *err,
		struct enumeration *again);
void confirmations_settle(struct confirmations *confirmations);

#endif
