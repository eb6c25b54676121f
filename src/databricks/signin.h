/*
 * signin -- one target's way to an Authorization header: a token as it is (pat) or fetched and renewed (oauth-m2m).
 *
 * OAuth goes host metadata, discovery document, token endpoint; where one of the first two is missing the usual URL is
 * taken. A token is renewed in the background when it gets old and, ahead of its end, before the next call; one request
 * serves all waiters. Trouble on the way is retried with back-off for up to a minute; a refused credential is tried again
 * once a minute at most, with the secret read anew. Loop thread only.
 */
#ifndef L2D_DATABRICKS_SIGNIN_H
#define L2D_DATABRICKS_SIGNIN_H

#include "databricks/budget.h"
#include "databricks/http.h"
#include "databricks/profile.h"

#define SIGNIN_TRY_MS 60000     /* how long one sign-in is retried */
#define SIGNIN_REFUSED_MS 60000 /* between tries of a refused credential */
#define SIGNIN_MARGIN_MS                                                                           \
	40000 /* a token counts as over this long before its end (or a quarter of its life) */
#define SIGNIN_TOKEN_MAX 65536 /* bytes of an Authorization header */
#define SIGNIN_ANSWER_MAX ((size_t)1024 * 1024)

struct signin;
struct signin_setup {
	struct loop *loop;
	struct http *http;
	const struct credential *credential; /* borrowed */
	const char *folder;                  /* what secret files are relative to; borrowed */
	const char *ca_file;                 /* borrowed; NULL */
	const char *user_agent;              /* borrowed */
	struct budget *budget; /* shared by all targets: its FAMILY_OAUTH paces token requests */
	struct task *wakes;    /* whenever an answer of signin_get may have changed */
};
struct signin *signin_new(const struct signin_setup *setup);
void signin_free(struct signin *signin); /* NULL is fine */

enum signin_answer { SIGNIN_READY, SIGNIN_WAIT, SIGNIN_FAILED };
/*
 * READY: *ret_header is the value of the Authorization header, borrowed until the next turn of the loop, and *ret_serial
 * numbers it. WAIT: a sign-in is under way, setup.wakes follows. FAILED: err says why (ERR_AUTH, or what is transient).
 */
MUST_CHECK enum signin_answer signin_get(struct signin *signin, const char **ret_header,
		uint64_t *ret_serial, struct err *err);

/* A call with header number serial got 401. The first to say so makes the next signin_get sign in anew. */
void signin_reject(struct signin *signin, uint64_t serial);
/* A call was answered 401 with a fresh header as well. Three such in a row count as a refused credential. */
void signin_reject_again(struct signin *signin, const struct err *err);
/* A call was accepted. */
void signin_confirm(struct signin *signin);

enum sign_in_state signin_state(const struct signin *signin);
const char *signin_error(const struct signin
				*signin); /* NULL: none; borrowed until the next turn of the loop */
uint64_t signin_requests(const struct signin *signin); /* token requests sent */

/*
 * A token endpoint's answer: header value and life. life_s 0: it does not end. Errors: ERR_PROTO, ERR_AUTH (refused),
 * ERR_THROTTLED, ERR_SERVER. Pure.
 */
MUST_CHECK enum err_code signin_read_token(int status, struct span body, const char *retry_after,
		struct secret *ret_header, int64_t *ret_life_s, struct err *err);

/* Whether text can stand in a header: printable ASCII without blanks. */
bool signin_is_header_safe(const char *text);

#endif
