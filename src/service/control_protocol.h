/*
 * control_protocol -- what the control socket speaks (doc/control.md): one JSON object asks, one
 * answers.
 *
 * No socket in here: the server hands in lines, the command line without a service hands in
 * requests for an engine of its own, so both give the same answers. Loop thread only.
 */
#ifndef L2D_SERVICE_CONTROL_PROTOCOL_H
#define L2D_SERVICE_CONTROL_PROTOCOL_H

#include "sync/engine.h"

#define CONTROL_REQUEST_MAX ((size_t)1024 * 1024)     /* bytes of a line */
#define CONTROL_ANSWER_MAX ((size_t)64 * 1024 * 1024) /* bytes of a line */
#define CONTROL_IDS_MAX ((size_t)32 * 1024)           /* operation ids in one request */
#define CONTROL_TIMEOUT_MS 30000                      /* of sync, if the request says nothing */
#define CONTROL_TIMEOUT_MAX_MS 600000
#define CONTROL_QUESTION_MS                                                                        \
	300000 /* that a question about an object may take: lists of a workspace can be long */

/* An answer, or the promise of one: a sync is answered when its operations are settled, a question about an object when that
 * was read. Zeroed before use. */
struct control_reply {
	json_t *answer;            /* {"ok": ...}; NULL: it waits. Owned. */
	json_t *sync;              /* while it waits: the answer so far; owned */
	struct question *question; /* that it waits for; owned */
	uint64_t timeout_ms;
};
void control_reply_release(struct control_reply *reply); /* before the engine ends */

/* line: without its newline. Always either answers or waits; what is wrong with the line is in the
 * answer. */
void control_handle_line(struct engine *engine, struct span line, struct control_reply *ret);
void control_handle(struct engine *engine, const json_t *request, struct control_reply *ret);
/* Of a reply that waits: looks whether all is settled and answers then. Of a sync it costs one `explain`. */
void control_reply_look(struct engine *engine, struct control_reply *reply);
/* Its time is over: answers with the state "under_way", of a question with `timeout`. */
void control_reply_expire(struct control_reply *reply);

/* {"ok": false, "error": ...}; a new reference. */
json_t *control_error(const struct err *err);
/* The other direction: fills *err from such an answer, or hands out its result as a new reference.
 */
MUST_CHECK enum err_code control_result(json_t *answer, json_t **ret, struct err *err);

/* Where the socket of that store is. Caller's, mem_free. */
char *control_path(const char *store_path);

#endif
