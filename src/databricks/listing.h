/*
 * listing -- a paged collection as one array: pages are asked for until there is no next_page_token.
 *
 * The end is an answer without a token, or with an empty one; the number of items in a page says nothing: an empty one may
 * have a successor (databricks-sdk-py, service/oauth2.py). Repeats are dropped by id. What does not come
 * whole is an error, never a shorter list.
 */
#ifndef L2D_DATABRICKS_LISTING_H
#define L2D_DATABRICKS_LISTING_H

#include "databricks/record.h"

#define LISTING_PAGES_MAX 10000U

/*
 * Called once, unless the listing was cancelled before. items: an array of the shape's struct, which ends with its texts
 * after the call; NULL and 0 with an error (ERR_INCOMPLETE, ERR_LIMIT, ERR_PROTO, those of the calls).
 */
typedef void listing_done_fn(
		void *context, const void *items, size_t count, const struct err *err_or_null);

struct listing_setup {
	unsigned target;
	enum lane lane;
	enum family family;
	char *path;                       /* with its query, if any; given away */
	const char *key;                  /* of the array in each page; absent: an empty page */
	const struct record_shape *shape; /* its first field is a const char * */
	listing_done_fn *done;
	void *context;
};

struct listing;
struct listing *listing_start(struct databricks *databricks, const struct listing_setup *setup);
/* Frees; no callback afterwards. After done it is freed already. NULL is fine. */
void listing_cancel(struct listing *listing);

#endif
