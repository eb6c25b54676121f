/*
 * http -- one HTTP engine for all targets: curl multi on the loop.
 *
 * HTTP/2 over TLS where it is offered, connections kept and shared, an idle one not used again after 50 s. TLS is always
 * verified; plain http is refused by the callers except to this machine. No redirect is followed, no netrc is read;
 * HTTPS_PROXY and NO_PROXY count as curl has them. Nothing of curl shows in this header.
 *
 * libcurl repeats a request on its own when a kept connection dies before the first byte of the answer, whatever the
 * method. A write might have had its effect by then, so unless may_repeat is set the second sending is stopped and the
 * request fails with `sent` set.
 *
 * Loop thread only. A request is embedded in its owner; it wakes a task when it is done, never inside http_send.
 */
#ifndef L2D_DATABRICKS_HTTP_H
#define L2D_DATABRICKS_HTTP_H

#include "base/loop.h"

#define HTTP_HEADERS_MAX 12
#define HTTP_STALL_S 60                    /* without progress, then given up */
#define HTTP_TIME_MAX_MS (15 * 60 * 1000L) /* for one request in all */
#define HTTP_IDLE_S 50                     /* a kept connection is not used after this */

struct http;
struct http *http_new(struct loop *loop);
void http_free(struct http *http); /* all requests must be done or cancelled; NULL is fine */

struct http_header {
	const char *name, *value;
};

struct http_request {
	/* filled by the caller; borrowed until it is done, headers only during http_send */
	const char *method;
	const char *url;
	const char *ca_file;                          /* PEM; NULL: the system's */
	struct http_header headers[HTTP_HEADERS_MAX]; /* a NULL name ends them */
	struct span body;                             /* ptr NULL: none */
	size_t answer_max;    /* bytes of the answer's body, unpacked; more is ERR_LIMIT */
	uint64_t time_max_ms; /* 0: HTTP_TIME_MAX_MS */
	bool may_repeat;      /* sending it twice does no harm */
	bool direct;          /* never by a proxy, whatever the environment says */
	struct task *wakes;
	/* filled when done */
	bool done;
	bool sent; /* a connection stood and sending began: an effect is possible */
	bool permanent; /* with an error: the same will happen again at once (certificate, URL, too big) */
	enum err_code code; /* ERR_NONE: an answer came whole, whatever its status */
	struct err err;     /* ERR_IO, ERR_TIMEOUT, ERR_LIMIT, ERR_CONFIG (CA file) */
	int status;         /* may be set with an error: the body was cut */
	char *answer;       /* NUL-terminated, owned (http_release) */
	size_t answer_len;
	uint64_t took_ns;
	char retry_after[64], request_id[64], org_id[24], content_type[64], location[512],
			www_authenticate[512];
	/* internal */
	struct transfer *state;
};

void http_send(struct http *http, struct http_request *request);
void http_cancel(struct
		http_request *request); /* no wake-up afterwards; fine on one that is done or was never sent */
void http_release(struct http_request *request); /* cancels and frees the answer */

/* text percent-encoded as a part of a path or query (RFC 3986, unreserved characters stay). Caller's, mem_free. */
char *http_escape(const char *text);

#endif
