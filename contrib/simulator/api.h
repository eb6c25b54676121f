/*
 * api -- JSON APIs other than SCIM, as tables of routes. Each family of calls has one table in a file of its own;
 * api.c knows the families.
 */
#ifndef SIM_API_H
#define SIM_API_H

#include "sim.h"

#define API_ARGS_MAX 3
#define API_PAGE_MAX 10000
#define ETAG_SIZE 40

enum api_host { API_ACCOUNT, API_WORKSPACE };
enum api_who {
	API_ADMIN,
	API_ANYONE
}; /* who may call: anyone who got past sign-in decides in the handler */

struct api_call {
	struct request *request;
	struct answer *answer;
	struct state *state;
	struct workspace *place;        /* NULL: the account */
	const char *args[API_ARGS_MAX]; /* what the braces of the route stood for */
	json_t *body;                   /* an object, empty if none was sent */
	int of, variant;                /* the route's */
};

struct api_route {
	const char *method;
	const char *path; /* without the leading slash; "*" is any segment, "{}" one that the handler gets,
			     at the end "**" one or more */
	enum api_host host;
	enum api_who who;
	void (*handle)(struct api_call *call);
	int of;      /* whatever tells uses of one handler apart */
	int variant; /* more of that */
};
struct api_family {
	const struct api_route *routes;
	size_t count;
};
#define API_FAMILY(table)                                                                          \
	{                                                                                          \
		(table), COUNT_OF(table)                                                           \
	}

/* NULL: none of ours. *ret_elsewhere: the path is one of the other kind of host. args: API_ARGS_MAX. */
const struct api_route *api_find(
		const struct request *request, const char **ret_args, bool *ret_elsewhere);
/* Signed in, lock held: for writing unless it is a GET. */
void api_serve(struct request *request, const struct api_route *route, const char *const *args,
		struct answer *answer);

/* Errors in the shape {"error_code", "message"}. Each returns false, for handlers that check step by step. */
bool api_refuse(struct api_call *call, unsigned status, const char *code, const char *fmt, ...)
		PRINTF_LIKE(4, 5);
bool api_refuse_value(struct api_call *call, const char *fmt, ...)
		PRINTF_LIKE(2, 3); /* 400 INVALID_PARAMETER_VALUE */
/* The error and, in an ErrorInfo of its details, the etag that would have been right. */
bool api_refuse_etag(struct api_call *call, unsigned status, const char *code, const char *text,
		const char *etag);

void api_answer(struct api_call *call, json_t *value); /* taken over */
void api_answer_empty(struct api_call *call);          /* {} */
/* {key: items}, or the page of it that page_size (max_results) and page_token ask for. items: an array, taken over. */
void api_answer_page(struct api_call *call, const char *key, json_t *items);

/* Members of the body. *ret is left alone if there is none or it is null; false: refused, wrong type. */
MUST_CHECK bool api_take_text(struct api_call *call, const char *key, const char **ret);
MUST_CHECK bool api_take_number(struct api_call *call, const char *key, int64_t *ret);
MUST_CHECK bool api_take_bool(struct api_call *call, const char *key, bool *ret);
/* An array of texts, borrowed. */
MUST_CHECK bool api_take_texts(struct api_call *call, const char *key, json_t **ret);
/* From the query; NULL: not sent. */
const char *api_query(const struct api_call *call, const char *name);
/* A text or a number, from the query or from the body, as text; NULL: not there. Lives as long as the call. */
const char *api_parameter(struct api_call *call, const char *name);
bool api_quirk(const struct api_call *call, enum quirk quirk);

/* A comma list without blanks, such as an update mask, names this field (or "*", or something below the field). */
bool mask_names(const char *mask, const char *field);
bool mask_is(const char *mask, const char *field); /* the field itself is in it */

/* Opaque, as the vendor's: with "+", "/" and "=" in it, which a query has to escape. */
void etag_make(char ret[static ETAG_SIZE]);

/* Members of an answer; nothing at all for NULL and, of numbers, 0. */
void object_text(json_t *object, const char *key, const char *text);
void object_number(json_t *object, const char *key, int64_t number);
/* The fields named, as they are there. */
json_t *object_pick(const json_t *fields, const char *const *keys, size_t count);

extern const struct api_family token_calls, token_management_calls, policy_calls, policy_use_calls,
		ip_list_calls, conf_calls, setting_calls, secret_calls, federation_calls,
		rule_set_calls, account_workspace_calls, permission_calls, object_calls, tree_calls,
		owner_calls, scope_calls, policy_job_calls, legacy_permission_calls, unity_calls,
		migration_calls, identity_calls, identity_assignment_calls, external_identity_calls;

#endif
