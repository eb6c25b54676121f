/*
 * feed -- how one source's entries and their changes arrive.
 *
 * A feed is a thread with LDAP connections to one of the source's servers: content synchronisation (RFC 4533,
 * refreshAndPersist) for following, a connection for each search because a search that persists occupies it; and one
 * more for short searches, among them paged reads (RFC 2696) for complete enumerations. libldap blocks in TLS and bind,
 * and resolving names blocks, so nothing of it leaves that thread: it posts news, plain values in an arena that the
 * receiver owns from then on. The receiver drives a snapshot from them; the feed keeps no entries, only, while an
 * enumeration or a confirmation runs, the anchors that the sync session touched meanwhile, because a page may be older
 * than an event.
 *
 *   connect -> bind -> refresh of each search -> follow ... lost -> back-off with jitter, next URI -> connect
 *
 * What never happens: a FEED_REFRESHED after anything but a complete, error-free pass (result 0 with its done control,
 * or an empty page cookie); a cookie before the changes that it covers.
 *
 * A pass runs from FEED_REFRESHING to one of FEED_REFRESHED, FEED_SEARCH_FAILED, FEED_COOKIE_LOST. There is never more
 * than one over a search. Between the two, and after, changes may come: each holds by itself, whatever becomes of the
 * pass.
 *
 * Groups whose members the server computes (OpenLDAP: slapo-dynlist) come with them, also from events, which lack them.
 * But there is no event when what they compute changes: only an enumeration sees it.
 */
#ifndef L2D_DIRECTORY_FEED_H
#define L2D_DIRECTORY_FEED_H

#include "base/loop.h"
#include "model/entry.h"
#include "model/search.h"
#include "model/settings.h"

enum feed_news_kind {
	FEED_CONNECTED, /* text: the URI */
	FEED_LOST, /* err says why; again after each failed try. The next comes by itself, late after ERR_AUTH */
	FEED_REFRESHING, /* a pass over one search begins */
	FEED_CHANGES, /* changes in order, then the cookie that covers them, if one came (perhaps a cookie alone) */
	FEED_REFRESHED, /* the pass is complete; absent_are_gone says what absence means; cookie if one came, else
	                       the one from before stays good */
	FEED_CONFIRMED, /* the answer to feed_confirm: `anchors` were searched once more and are not there */
	FEED_SEARCH_FAILED, /* err: this pass ended incomplete; nothing may be concluded. A session starts again by itself,
	                       an enumeration only if the connection was lost, a confirmation never (feed_confirm) */
	FEED_COOKIE_LOST, /* err: our cookie is worth nothing any more: drop it; a full pass follows by itself */
	FEED_FINISHED, /* FEED_ONCE only: all searches were read, or err is set: the first failure */
};

enum feed_change_kind {
	FEED_UPSERT, /* add or modify: insert or replace by anchor (a refresh calls everything an add) */
	FEED_DELETE, /* by anchor, perhaps one never seen; entry.dn may be set or NULL */
	FEED_PRESENT /* unchanged since the cookie: mentioned, in a present phase */
};

struct feed_change {
	enum feed_change_kind kind;
	struct entry entry; /* FEED_DELETE, FEED_PRESENT: only the anchor is sure */
};

struct feed_news {
	struct letter letter; /* first: news travels by mailbox */
	enum feed_news_kind kind;
	unsigned source,
			search; /* search: id; SEARCHES_MAX where the news is about the whole source */
	struct arena *arena;    /* holds everything below */
	const struct feed_change *changes;
	size_t change_count;
	struct span cookie; /* ptr NULL: none came */
	bool absent_are_gone; /* FEED_REFRESHED: entries of this search that were not mentioned since FEED_REFRESHING are
	                         candidates for removal (after feed_confirm); else only what was deleted by name is gone.
	                         Never true when the server referred to another one for a part */
	bool enumeration; /* FEED_REFRESHING, FEED_REFRESHED, FEED_CHANGES, FEED_SEARCH_FAILED: of feed_enumerate or
	                         FEED_ONCE, not of the sync session */
	const char *const *anchors;
	size_t anchor_count;
	uint64_t ticket; /* FEED_CONFIRMED, and SEARCH_FAILED of a confirmation: what feed_confirm was given; else 0 */
	const char *text;
	struct err err;
	uint64_t received_ns; /* CLOCK_MONOTONIC when the first message of it was read */
};

enum feed_mode {
	FEED_FOLLOW, /* sync sessions that stay */
	FEED_ONCE /* paged read of each search, then FEED_FINISHED; no session, no retry. feed_confirm works still */
};

struct feed_options {
	enum feed_mode mode;
	const struct source_settings *source; /* borrowed until feed_free */
	unsigned source_index;
	const char *folder; /* what secret references are relative to */
	const struct search *const
			*searches; /* of this source, whole subtrees; borrowed until feed_free */
	size_t search_count;
	const struct span *cookies; /* per search, copied; ptr NULL: none, read everything */
};

struct feed;

/*
 * Starts the thread. News wakes `wakes`; take it with feed_take. Never fails: a server that cannot be reached is news.
 */
struct feed *feed_start(struct loop *loop, const struct feed_options *options, struct task *wakes);

/* All news, oldest first, linked by letter.next; NULL if there is none. Each is the caller's: feed_news_free. */
struct feed_news *feed_take(struct feed *feed);
struct feed_news *feed_news_next(const struct feed_news *news);
void feed_news_free(struct feed_news *news);

/*
 * Asks, on the same server, whether these anchors (text, copied) are really gone: searched once more by anchor, with the
 * search's own base and filter, in batches. Those found come as FEED_CHANGES; the others as one FEED_CONFIRMED with the
 * ticket. If the connection goes meanwhile, or is not there, FEED_SEARCH_FAILED with the ticket: nothing is known then, and
 * a following feed enumerates the search as soon as it can, so that what is gone comes up once more.
 */
void feed_confirm(struct feed *feed, unsigned search, const char *const *anchors, size_t count,
		uint64_t ticket);

/*
 * Reads a search of a following feed completely once more: REFRESHING, CHANGES, REFRESHED, all with `enumeration`. Waits
 * for its turn: one search at a time, none in the middle of a refresh. Entries that the session touched meanwhile come as
 * FEED_PRESENT.
 */
void feed_enumerate(struct feed *feed, unsigned search);

/* Ends the thread (within about a second) and joins it. News not taken is dropped. NULL is fine. */
void feed_free(struct feed *feed);

#endif
