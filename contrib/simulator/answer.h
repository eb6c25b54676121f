/*
 * answer -- one HTTP answer in the making, and the shapes that errors take.
 */
#ifndef SIM_ANSWER_H
#define SIM_ANSWER_H

#include "base/buf.h"
#include "base/vec.h"
#include "scim_patch.h"

#define ANSWER_BYTES_MAX ((size_t)512 * 1024 * 1024)

#define SCIM_ERROR_URN "urn:ietf:params:scim:api:messages:2.0:Error"

struct answer_header {
	char *name, *value;
};

struct answer {
	unsigned status;
	const char *content_type; /* static; NULL: none */
	struct buf body;
	struct {
		struct answer_header *items;
		size_t count, room;
	} headers;
};

void answer_init(struct answer *answer);
void answer_release(struct answer *answer);
void answer_reset(struct answer *answer); /* as new */
void answer_add_header(struct answer *answer, const char *name, const char *value);

/* Sets the status and returns the body to write JSON into. */
struct buf *answer_json(struct answer *answer, unsigned status);

/* {"schemas": [...], "detail": ..., "status": "404"}: SCIM's own shape (RFC 7644, section 3.12). scim_type: or NULL. */
void answer_scim_error(struct answer *answer, unsigned status, const char *scim_type,
		const char *fmt, ...) PRINTF_LIKE(4, 5);
void answer_problem(struct answer *answer, const struct scim_problem *problem);
/* {"error_code": ..., "message": ...}: the shape of every other API. */
void answer_api_error(struct answer *answer, unsigned status, const char *code, const char *fmt,
		...) PRINTF_LIKE(4, 5);
/* {"error": ..., "error_description": ...}: the token endpoint's (RFC 6749, section 5.2). */
void answer_oauth_error(
		struct answer *answer, unsigned status, const char *error, const char *description);
/* The page of a gateway that knows no such path on this host. */
void answer_html_error(struct answer *answer, unsigned status, const char *text);

#endif
