/*
 * signin -- one target's headers that sign its calls in, fetched by a method (method.h) and renewed.
 *
 * A token is renewed in the background when it gets old and, ahead of its end, before the next call; one sign-in serves all
 * waiters. Trouble on the way is retried with back-off for up to a minute; a refused credential is tried again once a minute
 * at most, with its secrets read anew. Loop thread only.
 */
#ifndef L2D_DATABRICKS_AUTH_SIGNIN_H
#define L2D_DATABRICKS_AUTH_SIGNIN_H

#include "databricks/budget.h"
#include "databricks/auth/method.h"
#include "databricks/http.h"
#include "databricks/auth/credential.h"

#define SIGNIN_TRY_MS 60000     /* how long one sign-in is retried */
#define SIGNIN_REFUSED_MS 60000 /* between tries of a refused credential */
#define SIGNIN_MARGIN_MS                                                                           \
	40000 /* a token counts as over this long before its end (or a quarter of its life) */
#define SIGNIN_ANSWER_MAX ((size_t)1024 * 1024)

struct signin;
struct signin_setup {
	struct loop *loop;
	struct http *http;
	struct credential *credential; /* borrowed; its host is filled in if the sign-in finds it */
	const char *folder;            /* what secret files are relative to; borrowed */
	const char *ca_file;           /* borrowed; NULL */
	const char *user_agent;        /* borrowed */
	struct budget *budget; /* shared by all targets: its FAMILY_OAUTH paces token requests */
	struct task *wakes;    /* whenever an answer of signin_get may have changed */
};
struct signin *signin_new(const struct signin_setup *setup);
void signin_free(struct signin *signin); /* NULL is fine */

enum signin_answer { SIGNIN_READY, SIGNIN_WAIT, SIGNIN_FAILED };
/*
 * READY: *ret_headers is what each call carries, borrowed until the next turn of the loop, and *ret_serial numbers it.
 * WAIT: a sign-in is under way, setup.wakes follows. FAILED: err says why (ERR_AUTH, or what is transient).
 */
MUST_CHECK enum signin_answer signin_get(struct signin *signin,
		const struct signin_headers **ret_headers, uint64_t *ret_serial, struct err *err);

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

#endif
