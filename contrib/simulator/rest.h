/*
 * rest -- a workspace's JSON APIs as tables of routes: method, path, handler.
 *
 * Each family of calls has one table in a file of its own; request.c asks the families in turn.
 */
#ifndef SIM_REST_H
#define SIM_REST_H

#include "sim.h"

#define REST_ARGS_MAX 3

struct rest_call {
	struct request *request;
	struct answer *answer;
	struct workspace *workspace;
	struct state *state;
	const char *args[REST_ARGS_MAX]; /* what the braces of the route stood for */
	json_t *body;                    /* an object, empty if none was sent */
	int of;                          /* the route's */
	int variant;                     /* the route's */
};

struct rest_route {
	const char *method;
	const char *path; /* without the leading slash; "*" is any segment, "{}" one that the handler gets,
			     at the end "**" one or more */
	void (*handle)(struct rest_call *call);
	int of;      /* whatever tells uses of one handler apart */
	int variant; /* more of that */
};

/*
 * Serves the first route that fits; false: none does. A body that is not JSON is refused here. Signed in, lock held for
 * writing.
 */
bool rest_serve(const struct rest_route *routes, size_t count, struct request *request,
		struct answer *answer);

/* Whether the whole path is of that form; args get what the braces stand for. */
bool rest_path_fits(const struct request *request, const char *path, const char **args);

/* {"error_code": "INVALID_PARAMETER_VALUE", ...} with status 400. */
void rest_refuse(struct rest_call *call, const char *fmt, ...) PRINTF_LIKE(2, 3);
void rest_refuse_with(struct rest_call *call, unsigned status, const char *code, const char *fmt,
		...) PRINTF_LIKE(4, 5);
/* The answer is this value; taken over. */
void rest_answer(struct rest_call *call, json_t *value);
void rest_answer_empty(struct rest_call *call); /* {} */

/* A text or a number, from the body or from the query, as text; NULL: not there. Lives as long as the call. */
const char *rest_parameter(struct rest_call *call, const char *name);
bool rest_quirk(const struct rest_call *call, enum quirk quirk);

#endif
