/*
 * client -- calls to one target (the account or a workspace): address, sign-in, budget, errors.
 *
 * A call is embedded in whoever makes it. It waits for its place in the budget of its endpoint family, signs in if
 * needed (one token request for all waiters), goes out over the shared HTTP engine, and wakes a task when it is done.
 * A 401 in flight leads to one new sign-in and one repeat, inside. Reads (GET) are repeated inside on what is transient
 * (429 and its disguises, 5xx, network), with back-off, jitter and Retry-After, up to CLIENT_READ_TIME_MAX_MS. Writes are
 * never repeated inside (but once after a 401 or 415, which had no effect): their owner looks at the object again first.
 * All on the loop thread.
 */
#ifndef L2D_DATABRICKS_CLIENT_H
#define L2D_DATABRICKS_CLIENT_H

#include <jansson.h>

#include "base/loop.h"
#include "model/settings.h"

#define CLIENT_BODY_MAX ((size_t)64 * 1024 * 1024) /* bytes of an answer */
#define CLIENT_READ_TIME_MAX_MS (5 * 60 * 1000)
#define CLIENT_RETRY_AFTER_MAX_S                                                                   \
	120 /* a read that is told to wait longer fails with ERR_THROTTLED and the time */

#define CALL_ETAG_SIZE 256 /* with the NUL; a longer one is taken for none */

/* Endpoint families with a budget each, per target (limits in budget.c with their sources). */
enum family {
	FAMILY_ACCOUNT_SCIM_GET,
	FAMILY_ACCOUNT_SCIM_LIST,
	FAMILY_ACCOUNT_SCIM_PATCH,
	FAMILY_ACCOUNT_SCIM_WRITE, /* POST, PUT, DELETE */
	FAMILY_WORKSPACE_SCIM_READ,
	FAMILY_WORKSPACE_SCIM_PATCH, /* of groups, as the next but one */
	FAMILY_WORKSPACE_SCIM_POST,
	FAMILY_WORKSPACE_SCIM_DELETE,
	FAMILY_WORKSPACE_SCIM_PEOPLE, /* PATCH and DELETE of users and service principals */
	FAMILY_ASSIGNMENT,
	FAMILY_ACCOUNT_OTHER, /* workspace list and other small reads */
	FAMILY_PERMISSIONS_GET,
	FAMILY_PERMISSIONS_WRITE, /* PUT and PATCH */
	FAMILY_OBJECT_LIST,       /* lists of clusters, jobs, ...: whatever finds objects */
	FAMILY_TOKEN,             /* token management */
	FAMILY_CLUSTER_POLICY,    /* with policy families */
	FAMILY_IP_LIST,           /* of a workspace or the account */
	FAMILY_SETTING,
	FAMILY_RULE_SET,   /* of the account, with assignable roles */
	FAMILY_CREDENTIAL, /* secrets and federation policies of service principals and the account */
	FAMILY_OAUTH,
	FAMILY_COUNT_
};
const char *family_name(
		enum family family); /* "account_scim_patch": as in `limits:`, logs and metrics */

/* Who goes first when a budget is short; bulk never takes the last fifth. */
enum lane { LANE_LEAVER, LANE_SINGLE, LANE_BULK, LANE_COUNT_ };

enum method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_PATCH, METHOD_DELETE };

/* Why a call was declined, where that decides what to do next. */
enum refusal {
	REFUSAL_OTHER,
	REFUSAL_LOCK_OUT, /* the change would shut out the caller's own address: nothing was changed */
	REFUSAL_IP_BLOCKED, /* an IP access list shuts us out: no matter of rights, repeating is no use */
	REFUSAL_QUOTA,  /* a number of objects is reached: repeating is no use */
	REFUSAL_ADMINS, /* the right of the admins cannot be taken */
};

struct tape;
struct databricks; /* everything that the clients of all targets share */
/*
 * settings is borrowed. Reads profile file and environment, resolves secrets late (at the first sign-in).
 * Errors: ERR_CONFIG (a target without host or credential, plain http to another machine, profile missing, ...).
 */
MUST_CHECK enum err_code databricks_new(struct loop *loop, const struct settings *settings,
		struct databricks **ret, struct err *err);
void databricks_free(struct databricks *
				databricks); /* all calls must be done or cancelled; NULL is fine */

struct call {
	/* filled by the caller (the scim_ and assignment_ functions do it) */
	unsigned target; /* index into settings.targets */
	enum family family;
	enum lane lane;
	enum method method;
	char *path; /* with query, e.g. "/api/2.0/accounts/ID/scim/v2/Users?count=100"; owned, mem_free by call_release */
	json_t *body; /* owned; NULL: none */
	struct task *wakes;
	/* filled when done */
	bool done;
	enum err_code code; /* ERR_NONE: status was 2xx */
	struct err err;
	enum refusal refusal;
	int status;          /* 0: no answer */
	struct tape *answer; /* parsed body (tape.h), owned; NULL: empty */
	char request_id[64]; /* of Databricks, "" if none */
	char org_id[24];     /* X-Databricks-Org-Id of the answer, "" if none */
	char etag[CALL_ETAG_SIZE]; /* the fresh one that an error brought (workspace_setting.h), "" if none */
	/* internal: of the scim_ functions, and of call_send */
	bool fill_members;   /* a group without `members` is one with none */
	bool forgive_absent; /* "no such attribute" to a removal is success */
	bool retagged;       /* its one repeat with a fresh etag is used up */
	struct call_state *state;
};

/*
 * Sends; call->wakes runs later, never inside. Errors come in the call, always by wake-up. The text names the thing:
 * `PATCH .../Groups/8214: HTTP 429 REQUEST_LIMIT_EXCEEDED: ...`.
 */
void call_send(struct databricks *databricks, struct call *call);
void call_cancel(struct
		call *call); /* no wake-up afterwards; fine on one that is done or was never sent */
void call_release(struct call *call); /* cancels, frees path, body and answer, zeroes */

/*
 * For who builds a call (scim, assignment, ...): frees what call holds of an earlier one and fills method, family, path (given
 * away) and body (given away, NULL: none). The caller has set target, lane and wakes.
 */
void call_prepare(struct call *call, enum method method, enum family family, char *path,
		json_t *body);
/* Ends a call without sending it: it wakes as if answered with code of err (NULL: success). */
void call_finish_unsent(
		struct databricks *databricks, struct call *call, const struct err *err_or_null);

/* ---- what is known of the targets ---- */
bool databricks_is_account(const struct databricks *databricks, unsigned target);
/* Of the account target, from settings, profile or environment; NULL without an account. */
const char *databricks_account_id(const struct databricks *databricks);
/* Decimal id of a workspace from settings, profile or environment; NULL: has to be asked (assignment.h). */
const char *databricks_workspace_id(const struct databricks *databricks, unsigned target);
struct loop *databricks_loop(const struct databricks *databricks);

/* ---- the state of the whole, for status and logs ---- */
enum sign_in_state { SIGN_IN_UNKNOWN, SIGN_IN_OK, SIGN_IN_REFUSED };
struct target_status {
	enum sign_in_state sign_in;
	const char *sign_in_error; /* borrowed until the next loop turn; NULL */
	const char *auth_type;
	const char *host;
	uint64_t calls, throttled, failed, in_flight, waiting;
};
void databricks_status(
		const struct databricks *databricks, unsigned target, struct target_status *ret);
uint64_t databricks_calls(
		const struct databricks *databricks); /* requests sent so far, all targets */

#endif
