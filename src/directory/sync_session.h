/*
 * sync_session -- one search under content synchronisation (RFC 4533, refreshAndPersist).
 *
 *   IDLE --start--> REFRESH --refreshDelete | refreshPresent--> PERSIST
 *     ^                |                                           |
 *     |                +--4096, 53, damaged cookie: forget it------+--> start again at once, without a cookie
 *     +------ any other end: FEED_SEARCH_FAILED, start again after the back-off ------+
 *
 * A refresh only ends in FEED_REFRESHED when the server says that it is over. No cookie leaves a refresh before its end.
 */
#ifndef L2D_DIRECTORY_SYNC_SESSION_H
#define L2D_DIRECTORY_SYNC_SESSION_H

#include "directory/backoff.h"
#include "directory/connection.h"
#include "directory/dynamic_group.h"
#include "directory/feed_search.h"
#include "directory/outbox.h"
#include "directory/sync_control.h"

enum session_state { SESSION_IDLE, SESSION_REFRESH, SESSION_PERSIST };

struct sync_session {
	struct request request;
	struct feed_search *search;
	struct outbox *outbox;
	struct connection *connection; /* while not IDLE: its own */
	struct connection *pages;      /* while not IDLE: the one for short searches */
	enum session_state state;
	struct buf cookie; /* what the next start sends; empty: none */
	bool has_cookie;
	bool sent_cookie;   /* with the search under way */
	bool content_came;  /* entries or deleted ids in this refresh */
	bool present_phase; /* of this refresh: absence means something */
	bool referred;      /* part of the content is elsewhere: absence means nothing */
	struct batch batch;
	struct span held_cookie; /* in scratch: comes after the dynamic groups that are being read */
	struct dynamic_groups dynamic;
	struct arena *scratch; /* of one message */
	struct arena *held;    /* of held_cookie */
	struct backoff backoff;
	uint64_t due_ns; /* not to be started before */
	uint64_t cookie_due_ns; /* a batch with nothing but a cookie may wait till then; 0: no such batch */
};

/* cookie: copied; ptr NULL: none. retry_max_ms: cap of the back-off. */
void sync_session_init(struct sync_session *session, struct feed_search *search,
		struct outbox *outbox, struct span cookie, int64_t retry_max_ms);
void sync_session_release(struct sync_session *session);

/* Whether it is idle, due, and no enumeration of the search is under way. */
bool sync_session_is_due(const struct sync_session *session, uint64_t now_ns);
/* Starts it. connection: for the search that stays; pages: for short ones. Both borrowed until it is idle again. */
void sync_session_start(struct sync_session *session, struct connection *connection,
		struct connection *pages);
/* The connection is gone: what was under way ended incomplete because of *err. Due again at once. */
void sync_session_lost(struct sync_session *session, const struct err *err);
/*
 * Everything that had arrived was handed out: sends what should not wait any longer. idle: nothing more came for a
 * while, so that a half-filled batch of a refresh goes too.
 */
void sync_session_settle(struct sync_session *session, uint64_t now_ns, bool idle);
/* When start_if_due or settle has something to do next; 0: not known. */
uint64_t sync_session_due_ns(const struct sync_session *session);

#endif
