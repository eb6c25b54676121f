/*
 * sync_control -- the values of LDAP content synchronisation on the wire (RFC 4533, section 2), and entryUUID as text.
 *
 * Pure: octets in, plain values out. What is decoded is copied into the caller's arena.
 */
#ifndef L2D_DIRECTORY_SYNC_CONTROL_H
#define L2D_DIRECTORY_SYNC_CONTROL_H

#include "base/buf.h"

#define SYNC_UUID_SIZE 16
#define SYNC_ANCHOR_SIZE 37 /* 36 characters and NUL */
#define SYNC_COOKIE_MAX                                                                            \
	((size_t)16 * 1024)   /* bytes: 41 per server id, of which OpenLDAP knows 4096 in theory */
#define SYNC_ID_SET_MAX 65536 /* ids of one message; slapd sends 256 */

/* ---- entryUUID (RFC 4530) ---- */

/* The 16 octets as text: lower-case hex with hyphens. */
void anchor_from_octets(struct span uuid, char ret[static SYNC_ANCHOR_SIZE]);
/* The attribute's value brought to the same form; false if it is none (RFC 9562, section 4). */
bool anchor_from_text(struct span text, char ret[static SYNC_ANCHOR_SIZE]);

/* ---- Sync Request Control, section 2.2 ---- */

/*
 * Whether cookie has the form that OpenLDAP gives its cookies: "csn=" with whole change sequence numbers among its
 * fields. slapd takes a damaged cookie for none, yet ends the full content that follows with a delete phase, so that
 * what vanished meanwhile would stay for ever: such a cookie must not be sent.
 */
bool sync_cookie_is_plausible(struct span cookie);
/* Mode refreshAndPersist, reloadHint FALSE; cookie.ptr NULL: none. Appends to ret. Errors: ERR_BUG. */
MUST_CHECK enum err_code sync_request_encode(struct span cookie, struct buf *ret, struct err *err);

/* ---- Sync State Control, section 2.3 ---- */

enum sync_state_kind { SYNC_PRESENT, SYNC_ADD, SYNC_MODIFY, SYNC_DELETE };
struct sync_state {
	enum sync_state_kind kind;
	const char *anchor;
	struct span cookie; /* ptr NULL: none */
};
/* Errors of this and the next two: ERR_PROTO (not what the RFC says, or over a limit above). */
MUST_CHECK enum err_code sync_state_decode(
		struct span value, struct arena *arena, struct sync_state *ret, struct err *err);

/* ---- Sync Done Control, section 2.4 ---- */

struct sync_done {
	struct span cookie;
	bool refresh_deletes; /* a delete phase ended: only what was named is gone */
};
MUST_CHECK enum err_code sync_done_decode(
		struct span value, struct arena *arena, struct sync_done *ret, struct err *err);

/* ---- Sync Info Message, section 2.5 ---- */

enum sync_info_kind {
	SYNC_INFO_NEW_COOKIE,
	SYNC_INFO_REFRESH_DELETE,
	SYNC_INFO_REFRESH_PRESENT,
	SYNC_INFO_ID_SET
};
struct sync_info {
	enum sync_info_kind kind;
	struct span cookie;
	bool refresh_done;    /* of REFRESH_DELETE and REFRESH_PRESENT: the persist stage begins */
	bool refresh_deletes; /* of ID_SET: the ids are gone; else they are present */
	const char *const *anchors; /* of ID_SET */
	size_t anchor_count;
};
MUST_CHECK enum err_code sync_info_decode(
		struct span value, struct arena *arena, struct sync_info *ret, struct err *err);

#endif
