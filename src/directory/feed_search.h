/*
 * feed_search -- one search as the feed runs it: what to ask for, and which entries changed while it is read twice.
 *
 * While an enumeration or a confirmation reads pages of a search, its sync session goes on. A page may be older than an
 * event that arrived before it, so for that time the search remembers what the session touched, and how.
 */
#ifndef L2D_DIRECTORY_FEED_SEARCH_H
#define L2D_DIRECTORY_FEED_SEARCH_H

#include "base/table.h"
#include "directory/outbox.h"
#include "model/search.h"

#define FEED_SEARCH_WATCHERS_MAX 2 /* an enumeration and a confirmation */

enum touch { TOUCH_NONE, TOUCH_UPSERT, TOUCH_DELETE };

struct feed_search {
	const struct search *search; /* borrowed */
	char **attributes;           /* what to ask the server for, ends with NULL */
	bool has_members;            /* the rules want member attributes */
	struct batch *pages
			[FEED_SEARCH_WATCHERS_MAX]; /* of the readers of pages under way; NULL: free place */
	struct table *touched; /* anchor -> enum touch; NULL while nobody watches */
	/* A pass of the sync session, or a complete enumeration, is under way: there is one set of mentions per search. */
	bool session_refreshing, enumerating;
};

void feed_search_init(struct feed_search *search, const struct search *wanted);
void feed_search_release(struct feed_search *search);

/* From here on until unwatch, touches are remembered. pages: where the reader gathers what it read. */
void feed_search_watch(struct feed_search *search, struct batch *pages);
void feed_search_unwatch(struct feed_search *search, const struct batch *pages);
/*
 * The session is about to pass on a change of anchor. What was read from pages before is sent first, so that it cannot
 * arrive behind the change.
 */
void feed_search_touch(struct feed_search *search, const char *anchor, enum touch how);
enum touch feed_search_touched(const struct feed_search *search, const char *anchor);

/* Whether the rules asked for the attribute (lower-case), so that it belongs into entries. */
bool feed_search_wants(const struct feed_search *search, struct span name);
/* Puts "source, base, filter, place in the file" in front of an error. */
enum err_code feed_search_context(const struct feed_search *search, struct err *err);

#endif
