/*
 * canned_server -- an HTTP/1.1 server on the test's own loop that answers from a list, byte by byte as it is told.
 */
#ifndef TESTS_CANNED_SERVER_H
#define TESTS_CANNED_SERVER_H

#include "base/buf.h"
#include "base/loop.h"
#include "base/vec.h"

enum canned_end { CANNED_KEEP, CANNED_CLOSE, CANNED_HANG /* never answers */ };

struct canned_answer {
	const char *bytes; /* the whole answer, or what is left of it before the close; NULL: nothing */
	enum canned_end end;
};

/* What a request gets whose first line begins so, "GET /x": in no order, any number of times. */
struct canned_page {
	const char *request;
	int status; /* below 0: the first time 503, and then what stands behind the sign */
	const char *body;
};

struct canned_server {
	uv_tcp_t listener;
	struct loop *loop;
	char host[64]; /* "http://127.0.0.1:PORT" */
	/* in turn, of all connections together; then the last one again */
	struct canned_answer *answers;
	size_t answer_count, answered;
	const struct canned_page *pages; /* instead, if not NULL */
	size_t page_count;
	VEC(char *) requests; /* each as it came, head and body */
	size_t connections;
	struct canned_connection *open;
};

void canned_start(struct canned_server *server, struct loop *loop);
/* What the next requests get (copied); forgets the requests so far. */
void canned_say(struct canned_server *server, const struct canned_answer *answers, size_t count);
/* Answers by what is asked, with 404 RESOURCE_DOES_NOT_EXIST for all others; pages are borrowed. Forgets the requests. */
void canned_serve(struct canned_server *server, const struct canned_page *pages, size_t count);
void canned_stop(struct canned_server *server); /* the loop must run once more before loop_free */

/* An answer of static memory: status, extra header lines ("" or each with CRLF) and body. */
const char *canned_answer(int status, const char *headers, const char *body);

#endif
