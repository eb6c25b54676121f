/*
 * answer -- what an HTTP answer of Databricks means: a code to act on and a sentence.
 *
 * The bodies come in many families (classic JSON, SCIM, API 1.2, `CODE: text`, HTML, empty, garbage) and throttling
 * comes in disguise (400 and 500 with REQUEST_LIMIT_EXCEEDED). Pure, but for the wall clock that is passed in.
 */
#ifndef L2D_DATABRICKS_ANSWER_H
#define L2D_DATABRICKS_ANSWER_H

#include <jansson.h>

#include "base/mem.h"
#include "databricks/client.h"

#define RETRY_AFTER_MAX_S 86400U /* more than a day is cut to this */
#define ANSWER_NAME_SIZE 512     /* of a principal that is not known; a longer name is not told */
#define ANSWER_ERROR_MAX ((size_t)256 * 1024) /* bytes of an error body that are looked at */

struct answer {
	const char *what; /* "PATCH .../Groups/8214", for the text */
	bool is_write;    /* its effect matters: sets effect_unknown where it is */
	int status;
	struct span body;
	const char *location, *retry_after; /* header values, "" if absent */
	int64_t now_ms;                     /* wall clock, for a date in Retry-After */
};

struct answer_verdict {
	bool absent_attribute; /* "No such attribute": what a removal names is not there (scim.md 5) */
	bool concurrency;      /* throttled for what is in flight, not for the rate */
	enum refusal refusal;
	enum principal_kind unknown_kind; /* with REFUSAL_PRINCIPAL */
	char unknown_name[ANSWER_NAME_SIZE];
	char request_id[64];       /* from the body, "" if none */
	char etag[CALL_ETAG_SIZE]; /* ErrorInfo's metadata.etag, "" if none */
};

/*
 * ERR_NONE for 2xx; the body of those is for answer_json. Else sets err: ERR_AUTH (401), ERR_DENIED (403, private link),
 * ERR_NOT_FOUND (404 of an object), ERR_CONFLICT (409 and its kin, and what passes by itself), ERR_THROTTLED, ERR_TIMEOUT
 * (408, 504), ERR_SERVER (5xx), ERR_UNSUPPORTED (a feature or a path that is not there), ERR_REFUSED (other 4xx), ERR_PROTO (redirect, HTML where JSON should be).
 * err->detail is the HTTP status, err->retry_after_s what Retry-After asked for.
 */
MUST_CHECK enum err_code answer_check(
		const struct answer *answer, struct answer_verdict *verdict, struct err *err);

/*
 * The JSON of a 2xx body; NULL with ERR_NONE if it is empty. Errors: ERR_PROTO (HTML, no JSON, a key twice). Any thread.
 * The result is the caller's (json_decref).
 */
MUST_CHECK enum err_code answer_json(struct span body, json_t **ret, struct err *err);

/* Seconds that a Retry-After header asks for: whole or decimal seconds or an HTTP date; 0 if it says nothing usable. */
uint32_t answer_retry_after(const char *value, int64_t now_ms);

#endif
