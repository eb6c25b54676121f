/*
 * scim_filter -- the part of SCIM's filter language (RFC 7644, section 3.4.2.2) that Databricks takes: eq, ne, co and
 * sw, joined by and/or, without parentheses. Values may stand in double quotes, in single quotes, or bare.
 *
 * Pure; a finished filter may be read from any thread.
 */
#ifndef SIM_SCIM_FILTER_H
#define SIM_SCIM_FILTER_H

#include "scim_attr.h"

#define FILTER_BYTES_MAX ((size_t)64 * 1024)

enum filter_op { FILTER_EQ, FILTER_NE, FILTER_CO, FILTER_SW, FILTER_AND, FILTER_OR };

struct filter_node {
	enum filter_op op;
	enum attr attr;     /* of a comparison */
	char *value;        /* of a comparison, as written, without quotes and escapes */
	char *folded;       /* the same without regard to case */
	size_t left, right; /* of and/or: indices into items */
};

struct filter {
	struct filter_node *items; /* the last one is the root */
	size_t count, room;
};

/*
 * On success fills *ret (filter_release). On failure *ret is empty and *ret_problem a static sentence that says what is
 * wrong, in the service's words where they are known.
 */
MUST_CHECK bool filter_parse(const char *text, struct filter *ret, const char **ret_problem);
void filter_release(struct filter *filter);

/* The n-th value of an attribute of the object looked at; NULL behind the last one. Booleans are "true" and "false". */
typedef const char *filter_value_fn(const void *object, enum attr attr, size_t n);

/*
 * Names, mail addresses and application ids compare without regard to case, ids and externalId exactly. "ne" holds for
 * an object without the attribute.
 */
bool filter_matches(const struct filter *filter, filter_value_fn *value, const void *object);

#endif
