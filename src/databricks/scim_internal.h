/*
 * scim_internal -- what the files of scim share.
 */
#ifndef L2D_DATABRICKS_SCIM_INTERNAL_H
#define L2D_DATABRICKS_SCIM_INTERNAL_H

#include "databricks/scim.h"
#include "databricks/tape.h"

/* One page of a collection. start counts from 1 (RFC 7644, section 3.4.2.4). */
struct scim_page {
	uint64_t start;
	unsigned count;
};
void scim_send_page(struct databricks *databricks, struct call *call, enum principal_kind kind,
		unsigned with, const struct scim_page *page);

/* `userName eq "x"`, quotes and backslashes escaped. Caller's, mem_free. */
char *scim_filter(enum field by, const char *value);

/* A ListResponse as read. */
struct scim_answer {
	const struct resource *resources;
	size_t count;
	uint64_t total; /* totalResults; SCIM_TOTAL_UNKNOWN: not said */
};
#define SCIM_TOTAL_UNKNOWN UINT64_MAX
/* Any thread. Strings are the tape's, arrays in arena. Errors: ERR_PROTO. */
MUST_CHECK enum err_code scim_read_resource(const struct tape_value *json, enum principal_kind kind,
		struct arena *arena, struct resource *ret, struct err *err);
MUST_CHECK enum err_code scim_read_list(const struct tape_value *json, enum principal_kind kind,
		struct arena *arena, struct scim_answer *ret, struct err *err);

/* ---- where a list stands; pure ---- */

/*
 * Advances by what came, not by what was asked for. When the total shrinks between pages, what follows has moved up, so
 * the next page starts that much earlier; repeats are dropped by id. The end is an empty page, and only if as much was
 * seen as the last total says.
 */
struct scim_cursor {
	uint64_t start; /* of the next page */
	uint64_t seen;  /* different ids */
	uint64_t total; /* of the last page; SCIM_TOTAL_UNKNOWN */
	unsigned idle;  /* pages in a row without a new id */
	unsigned pages;
};
#define SCIM_LIST_PAGES_MAX 100000U
#define SCIM_LIST_IDLE_MAX 3U
void scim_cursor_init(struct scim_cursor *cursor);
/*
 * A page came: total as in it, returned items of which fresh were new. *ret_more: another page follows. Errors:
 * ERR_INCOMPLETE (less was seen than the total says, or the pages repeat without an end).
 */
MUST_CHECK enum err_code scim_cursor_advance(struct scim_cursor *cursor, uint64_t total,
		size_t returned, size_t fresh, bool *ret_more, struct err *err);

#endif
