/*
 * search -- what the rules want to know of a directory; what the feeds deliver.
 */
#ifndef L2D_MODEL_SEARCH_H
#define L2D_MODEL_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#define SEARCHES_MAX 64 /* of all sources together: a set of searches is one uint64_t */

enum search_purpose {
	SEARCH_USERS,
	SEARCH_GROUPS,
	SEARCH_SERVICE_PRINCIPALS,
	SEARCH_THROUGH,    /* groups that are read but not made: looked through */
	SEARCH_CONTAINERS, /* organisational units above the entries: only their names matter
			      (renames) */
	SEARCH_PURPOSE_COUNT_
};

/* How a group's members reach Databricks. */
enum nesting { NESTING_KEEP, NESTING_FLATTEN };

struct search {
	unsigned id;     /* index in the list of all searches, below SEARCHES_MAX */
	unsigned source; /* index of the source in the settings */
	enum search_purpose purpose;
	unsigned rule;                 /* index of the rule among those of its kind */
	const char *base;              /* DN */
	const char *filter;            /* RFC 4515 */
	const char *const *attributes; /* lower-case, without those that the feed asks for by itself
					  (anchor) */
	size_t attribute_count;
	/* SHA-256 over source, base, filter and attributes: what a stored cookie is bound to. */
	char digest[65];
	const char *file; /* where the rule stands */
	unsigned line;
};

/* Attributes that hold members by DN, lower-case. */
#define MEMBER_ATTRIBUTES                                                                          \
	{                                                                                          \
		"member", "uniquemember"                                                           \
	}

#endif
