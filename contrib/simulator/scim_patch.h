/*
 * scim_patch -- reads a PATCH body (RFC 7644, section 3.5.2) as strictly as Databricks does.
 *
 * Only the form is judged here: which attribute an operation means and whether its value may be there. What the value
 * does is the business of scim_change. Pure.
 */
#ifndef SIM_SCIM_PATCH_H
#define SIM_SCIM_PATCH_H

#include <jansson.h>

#include "scim_attr.h"

#define PATCH_OPERATIONS_MAX 10000

/* What goes into a SCIM error (RFC 7644, section 3.12); status 0 means none. */
struct scim_problem {
	unsigned status;
	char scim_type[80]; /* "": left out */
	char detail[400];
};
/* Fills *ret and returns false. scim_type may be NULL. */
bool scim_refuse(struct scim_problem *ret, unsigned status, const char *scim_type, const char *fmt,
		...) PRINTF_LIKE(4, 5);
/* 400 with the sentence that stands for any body that does not fit the schema. */
bool scim_refuse_syntax(struct scim_problem *ret);

enum patch_verb { PATCH_ADD, PATCH_REMOVE, PATCH_REPLACE };

struct patch_op {
	enum patch_verb verb;
	enum attr attr;   /* ATTR_NONE: no path; value is an object of attributes */
	char *only_value; /* of a path such as members[value eq "1"]; NULL: no such filter */
	json_t *value;    /* borrowed from the body; NULL: absent */
};

struct patch {
	struct patch_op *items;
	size_t count, room;
};

/* On success fills *ret, which points into body (patch_release). On failure fills *ret_problem. */
MUST_CHECK bool patch_parse(json_t *body, struct patch *ret, struct scim_problem *ret_problem);
void patch_release(struct patch *patch);

/*
 * The values of a multi-valued attribute: an array of objects, each with a text "value"; objects without one are passed
 * over ([{}] is how one client says "none"). *ret_values gets borrowed texts. Returns false on any other form.
 */
struct json_texts {
	const char **items;
	size_t count, room;
};
MUST_CHECK bool json_read_values(const json_t *value, struct json_texts *ret_values);

/* A truth value in any of the forms that clients send: true, "true", [{"value": "true"}]. */
MUST_CHECK bool json_read_bool(const json_t *value, bool *ret);

#endif
