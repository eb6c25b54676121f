/*
 * selector -- how a rule names securables: by name, glob, path, tag, creator or id. Pure.
 *
 * What a selector can be made of depends on the type (model/securable.h); whoever reads rules checks that, not this
 * module. Names and paths compare byte by byte, as Databricks does. Globs know * ? [...] and \ before a character that is
 * meant; in paths * stays in one folder, and `**` as a whole segment is any number of folders: none included between
 * others, everything below as the last one.
 */
#ifndef L2D_MODEL_SELECTOR_H
#define L2D_MODEL_SELECTOR_H

#include "model/securable.h"

#define SELECTOR_TAGS_MAX 16

struct tag {
	const char *key;
	const char *value; /* in a selector: a glob */
};

/* All that is not NULL must hold. Either all, or id, or path, or any of name, tags and creator. */
struct selector {
	enum securable_type type;
	bool all;
	const char *id;
	const char *path; /* begins with /, without /Workspace in front and without / behind; or a glob of such */
	const char *name;    /* or a glob */
	const char *creator; /* or a glob, which folds case */
	const struct tag *tags;
	size_t tag_count;
	bool is_glob; /* path or name has wildcards: more than one object may be meant */
};

/* What a list of objects tells about one of them. NULL: not told, and then nothing that asks for it matches. */
struct securable_facts {
	const char *id, *path, *name, *creator;
	const struct tag *tags;
	size_t tag_count;
};
bool selector_matches(const struct selector *selector, const struct securable_facts *facts);

/* Whether text has an unquoted wildcard. */
bool selector_is_glob(const char *text);
/*
 * The folder under which everything lies that the selector's path can match: "/Teams" for "/Teams/x-*", "/" at least. In
 * arena. For a path without wildcards the folder that holds it.
 */
const char *selector_folder(const struct selector *selector, struct arena *arena);
/* Whether something below the folder can match the path: what a walk through the tree may skip otherwise. */
bool selector_enters_folder(const struct selector *selector, const char *folder);
/* "job nightly-*", "directory /Teams/etl", "cluster with tag env=prod", "every sql_warehouse". In arena. */
const char *selector_describe(const struct selector *selector, struct arena *arena);
/* Whether two mean the same. */
bool selector_equal(const struct selector *a, const struct selector *b);

#endif
