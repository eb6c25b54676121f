/*
 * connection -- one LDAP connection to one server, and the operations under way on it.
 *
 * Opening blocks, within the timeouts of the source: resolve, connect, TLS, bind. From then on nothing blocks: searches
 * are sent, and connection_read hands each message to the request that it answers. A heartbeat notices a server that
 * fell silent (a persistent search does not). Everything belongs to the feed's thread.
 */
#ifndef L2D_DIRECTORY_CONNECTION_H
#define L2D_DIRECTORY_CONNECTION_H

#include <ldap.h>

#include "directory/waker.h"
#include "model/settings.h"

#define CONNECTION_BURST                                                                           \
	256 /* messages that one connection_read hands out before it comes up for air */

#define REQUEST_STAYS (-1)

/* An operation under way; embedded in whoever asked, zeroed before the first use. */
struct request {
	int msgid; /* 0: not under way */
	int64_t silence_ms; /* given up when the server is silent about it for so long; 0: the source's operation
	                       timeout, REQUEST_STAYS: never */
	uint64_t heard_ns;
	/* Takes one message, which stays the connection's. At a SearchResultDone msgid is 0 already. */
	void (*handle)(struct request *request, LDAPMessage *message);
	struct request *next;
};

/* What to ask. */
struct query {
	const char *base;
	int scope;            /* LDAP_SCOPE_... */
	const char *filter;   /* NULL: any entry */
	char **attributes;    /* ends with NULL */
	LDAPControl *control; /* NULL: none */
};

/* The end of a search. */
struct search_end {
	int code;
	char *said;             /* diagnostic message, may be NULL */
	LDAPControl **controls; /* may be NULL */
};

struct connection;

/*
 * Connects and binds. uri: one of the source's. folder: what secret references are relative to.
 * Errors: those of dial and outcome_set; ERR_CONFIG (TLS settings, secret); ERR_AUTH (the bind was refused, or would
 * have gone in clear text: trying again soon may lock the account); ERR_CANCELLED.
 */
MUST_CHECK enum err_code connection_open(const struct source_settings *source, const char *uri,
		const char *folder, struct waker *waker, struct connection **ret, struct err *err);
void connection_close(
		struct connection *connection); /* requests under way are forgotten; NULL is fine */

LDAP *connection_ldap(struct connection *connection);
int connection_fd(const struct connection *connection);

/* Sends a search; its messages come to request->handle. Errors: ERR_CONFIG (filter), ERR_IO, ERR_BUG. */
MUST_CHECK enum err_code connection_search(struct connection *connection, const struct query *query,
		struct request *request, struct err *err);
/* Gives an operation up: nothing of it is handed out any more. Does nothing if it is not under way. */
void connection_abandon(struct connection *connection, struct request *request);
/* For handlers: the connection is to be given up because of *err; connection_read reports it. The first one counts. */
void connection_break(struct connection *connection, const struct err *err);

/*
 * Hands out what has arrived, up to CONNECTION_BURST messages. *ret_more: there may be more at once; else poll the
 * descriptor. Errors: why the connection is lost; connection_close it.
 */
MUST_CHECK enum err_code connection_read(
		struct connection *connection, bool *ret_more, struct err *err);
/*
 * To be called when there is nothing to read: sends a heartbeat if it is time. *ret_wait_ms: when to call again.
 * Errors: ERR_TIMEOUT (an operation, or the heartbeat, stays unanswered): the connection is lost.
 */
MUST_CHECK enum err_code connection_check(
		struct connection *connection, int64_t *ret_wait_ms, struct err *err);
/* We did not read for so long, for reasons of our own: silence in that time is not the server's. */
void connection_excuse(struct connection *connection, uint64_t pause_ns);

/* Reads a SearchResultDone; search_end_release. Errors: ERR_PROTO. */
MUST_CHECK enum err_code search_end_read(
		LDAP *ld, LDAPMessage *message, struct search_end *ret, struct err *err);
void search_end_release(struct search_end *end);

#endif
