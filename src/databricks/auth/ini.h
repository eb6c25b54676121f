/*
 * ini -- one section of a profile file: [section], then "key = value" or "key: value"; comments by # and ;.
 */
#ifndef L2D_DATABRICKS_AUTH_INI_H
#define L2D_DATABRICKS_AUTH_INI_H

#include "base/err.h"
#include "base/mem.h"

struct ini_entry {
	const char *key,
			*value; /* borrowed from the reader's memory until ini_release; keys in lower case */
};
struct ini {
	char *text; /* owned; wiped on release */
	size_t text_len;
	struct ini_entry *entries;
	size_t count;
	bool found; /* the section is there */
};
/* Errors: ERR_CONFIG (a line that is neither section, key nor comment; a key twice in the section). */
MUST_CHECK enum err_code ini_read(
		struct span text, const char *section, struct ini *ret, struct err *err);
const char *ini_get(const struct ini *ini, const char *key); /* NULL: absent */
void ini_release(struct ini *ini);

#endif
