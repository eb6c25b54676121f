/*
 * outbox -- the feed's news on their way to the mailbox: changes gathered into batches, and single pieces of news.
 *
 * A batch gathers the changes of one reader (a sync session, an enumeration, a confirmation). What is there at once goes
 * out together; nobody waits for more than what has already arrived, except in a bulk, which fills its batches.
 */
#ifndef L2D_DIRECTORY_OUTBOX_H
#define L2D_DIRECTORY_OUTBOX_H

#include "base/vec.h"
#include "directory/feed.h"

#define BATCH_CHANGES_MAX 500
#define BATCH_BYTES_MAX ((size_t)1024 * 1024) /* about: the last entry may pass it */
#define MAILBOX_LETTERS_MAX 16

struct outbox {
	struct mailbox *box;
	unsigned source;
	uint64_t blocked_ns; /* time spent waiting for room in the mailbox since it was last set to 0 */
};

/* A new piece of news with an arena of its own, in which it lies. */
struct feed_news *outbox_news(
		const struct outbox *outbox, enum feed_news_kind kind, unsigned search);
/* Gives news away. Waits while the mailbox is full; drops it if the feed is being freed. */
void outbox_post(struct outbox *outbox, struct feed_news *news);
/* The common case: news that only say why. */
void outbox_post_error(struct outbox *outbox, enum feed_news_kind kind, unsigned search,
		const struct err *err);

struct batch {
	struct outbox *outbox;
	unsigned search;
	bool enumeration;
	struct feed_news *news; /* NULL: empty */
	VEC(struct feed_change) changes;
	struct span cookie; /* in the arena of news */
};
void batch_init(struct batch *batch, struct outbox *outbox, unsigned search, bool enumeration);
void batch_release(struct batch *batch); /* drops what was not flushed */
/* Where the contents of the next change belong. */
struct arena *batch_arena(struct batch *batch);
/* Adds a change whose content lies in batch_arena, and sends the batch if it is full. */
void batch_add(struct batch *batch, enum feed_change_kind kind, const struct entry *entry);
/* A change of which only the anchor is known (copied). */
void batch_add_anchor(struct batch *batch, enum feed_change_kind kind, const char *anchor);
/* The cookie that covers everything added so far (copied). */
void batch_set_cookie(struct batch *batch, struct span cookie);
void batch_flush(struct batch *batch);

#endif
