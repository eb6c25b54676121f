/*
 * enumeration -- reads searches completely, page by page (RFC 2696), one at a time.
 *
 * Only result 0 with an empty page cookie is a complete listing. A second paged search on the same connection would kill
 * the first, so searches wait in a queue. While one is read, what the search's sync session touches is not sent from the
 * pages, which may be older (feed_search.h).
 */
#ifndef L2D_DIRECTORY_ENUMERATION_H
#define L2D_DIRECTORY_ENUMERATION_H

#include "directory/connection.h"
#include "directory/feed_search.h"
#include "directory/outbox.h"

struct enumeration {
	struct outbox *outbox;
	struct feed_search *searches; /* by position, as the queue has them */
	VEC(size_t) queue;
	unsigned page_size;
	struct connection *connection; /* while a listing is under way */
	size_t current;                /* position of its search */
	struct request request;
	struct batch batch;
	struct berval *page_cookie; /* NULL: first page */
	bool referred;
	bool started_over;        /* the server forgot our place once */
	struct err first_failure; /* of all listings since the last enumeration_init */
};

void enumeration_init(struct enumeration *enumeration, struct outbox *outbox,
		struct feed_search *searches, unsigned page_size);
void enumeration_release(struct enumeration *enumeration);

/* Queues a search; once is enough while it waits. */
void enumeration_add(struct enumeration *enumeration, size_t position);
/* Starts the next one whose search is not in the middle of a refresh. */
void enumeration_start_if_due(struct enumeration *enumeration, struct connection *connection);
/* The connection is gone. The listing under way failed; again: it goes back into the queue, else it is not repeated. */
void enumeration_lost(struct enumeration *enumeration, const struct err *err, bool again);
void enumeration_settle(struct enumeration *enumeration, bool idle);
bool enumeration_is_over(
		const struct enumeration *enumeration); /* nothing under way and nothing queued */

#endif
