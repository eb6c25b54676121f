/*
 * feed_harness -- a throw-away slapd, a feed, and a receiver that does with the news what a receiver must do.
 */
#ifndef L2D_TESTS_FEED_HARNESS_H
#define L2D_TESTS_FEED_HARNESS_H

#include "base/table.h"
#include "base/vec.h"
#include "directory/feed.h"
#include "proxy.h"

#define BASE "dc=example,dc=com"
#define PEOPLE "ou=people," BASE
#define GROUPS "ou=groups," BASE
#define SERVICE "cn=ldap2dbx," BASE

/* ---- server ---- */

struct server {
	char dir[80];
	int port;
	char uri[80], ldaps_uri[80], ldapi_uri[160], ca_file[120];
	char client_cert[120], client_key[120];
};
/* options: of tests/support/slapd, ends with NULL. people: how many entries uid=pNNNNN below PEOPLE. */
void server_up(struct server *server, const char *const *options, unsigned people);
void server_action(struct server *server, const char *action); /* restart, kill, down */
/* Applies LDIF changes as the administrator, who is bound over ldapi. Fails the test if the server refuses. */
void server_modify(const struct server *server, const char *ldif);
void server_modify_config(const struct server *server, const char *ldif); /* as cn=config */
/* How often the log has text. */
unsigned server_logged(const struct server *server, const char *text);

/* ---- receiver ---- */

#define WATCHED_MAX 4
struct picture_entry {
	char *dn;
	size_t members, cn_count;
	char first_cn[40];
	bool mentioned;
};
struct watch {
	struct table *entries; /* anchor -> struct picture_entry: what a receiver would hold */
	char *cookie;          /* the last one, as the store would keep it; NULL: none */
	/* counts since watcher_forget: */
	unsigned refreshing, refreshed, failed, cookie_lost;
	unsigned upserts, deletes, presents, page_changes, page_presents;
	unsigned enumerations, enumerations_failed;
	bool absent_were_gone; /* of the last FEED_REFRESHED */
	bool refreshed_with_cookie;
	bool cookie_with_change; /* the last cookie came in the same news as a change */
	unsigned confirmed, confirm_failed, gone_count;
	uint64_t ticket;
	char gone[40]; /* the first of FEED_CONFIRMED */
	struct err err;
};

struct watcher {
	struct loop *loop;
	struct task news, deadline;
	struct loop_timer *timer;
	struct feed *feed;
	struct source_settings source;
	const char *uris[4];
	struct search searches[WATCHED_MAX];
	const struct search *search_list[WATCHED_MAX];
	size_t count;
	struct watch watches[WATCHED_MAX];
	unsigned connected, lost, finished;
	char uri[160];  /* of the last FEED_CONNECTED */
	struct err err; /* of the last FEED_LOST or FEED_FINISHED */
	bool (*until)(struct watcher *watcher);
	bool timed_out;
};

/* Settings for uri, with a simple bind as SERVICE, and no search. */
void watcher_init(struct watcher *watcher, const char *uri);
void watcher_add_search(struct watcher *watcher, const char *base, const char *filter,
		const char *const *attributes);
void watcher_start(struct watcher *watcher,
		enum feed_mode mode);       /* with the cookies that the watches hold */
void watcher_stop(struct watcher *watcher); /* pictures and cookies stay */
void watcher_release(struct watcher *watcher);
void watcher_forget(struct watcher *watcher); /* counts to zero */
/* Runs the loop until condition holds; fails the test after a while. */
void watcher_wait(struct watcher *watcher, bool (*condition)(struct watcher *watcher),
		const char *what);
#define WAIT_FOR(watcher, condition) watcher_wait((watcher), (condition), #condition)

/* Whether the picture of search has an entry of that DN. */
bool watcher_has(const struct watcher *watcher, size_t search, const char *dn);
const char *watcher_anchor(
		const struct watcher *watcher, size_t search, const char *dn); /* NULL: none */
size_t watcher_members(const struct watcher *watcher, size_t search, const char *dn);

/* Borrowed until the picture changes; NULL: none. */
const struct picture_entry *watcher_find(
		const struct watcher *watcher, size_t search, const char *dn);

/* Conditions. */
bool all_refreshed(struct watcher *watcher);
bool is_connected(struct watcher *watcher);
bool is_lost(struct watcher *watcher);
bool is_finished(struct watcher *watcher);
bool first_failed(struct watcher *watcher);

#endif
