/*
 * schema -- what keys a map may have, as a table that reads, checks, defaults and describes them.
 *
 * One table per kind of map is all that is known about its keys: reading a file, the "did you mean"
 * of an unknown key, the JSON Schema for editors and the list of keys that the manual is checked
 * against come from it. Values are written into the struct that the table describes, at the key's
 * offset.
 */
#ifndef L2D_RULES_SCHEMA_H
#define L2D_RULES_SCHEMA_H

#include "base/buf.h"
#include "rules/document.h"
#include "rules/faults.h"

#define SCHEMA_JSON_MAX ((size_t)256 * 1024)
#define SCHEMA_ITEMS_MAX 10000 /* items of one list or map */

/* Texts in the order of the file. */
struct texts {
	const char *const *items;
	size_t count;
};

struct reader {
	struct arena *arena;
	const char *folder;    /* relative paths are relative to it; absolute */
	struct faults *faults; /* NULL: the first fault ends the reading */
};

/* How a key is read and what its member of the struct is. */
enum schema_type {
	SCHEMA_TEXT,     /* const char *; not empty */
	SCHEMA_FLAG,     /* bool: true or false */
	SCHEMA_NUMBER,   /* unsigned in [min, max] */
	SCHEMA_DURATION, /* int64_t, milliseconds in [min, max]; written with a unit */
	SCHEMA_CHOICE,   /* int-sized enum: index into choices */
	SCHEMA_SECRET,   /* const char *: a reference, base/secret.h */
	SCHEMA_FILE,     /* const char *: made absolute; the file must be readable now */
	SCHEMA_TEXTS,    /* struct texts: one text or a list of them */
	SCHEMA_SECTION,  /* the struct that section describes */
	SCHEMA_NAMED, /* a map with names of the user's for keys: read is called for each value */
	SCHEMA_LIST,  /* a list: read is called for each item */
	SCHEMA_OWN,   /* read is called; json describes it */
	SCHEMA_LATER  /* in the grammar but not executed by this version: refused */
};

/* OWN with a section: what the value is. */
enum schema_form { SCHEMA_ONE, SCHEMA_ONE_OR_LIST, SCHEMA_SEVERAL };

struct schema;
/* For NAMED and LIST target is the whole struct, not the member: items are gathered there. */
typedef enum err_code schema_read_fn(struct reader *reader, const struct document_node *node,
		void *target, struct err *err);

struct schema_key {
	const char *name;
	enum schema_type type;
	bool required;
	size_t offset;
	const char *preset; /* the default, as one would write it; NULL: the member keeps what it
			       had */
	const char *about;  /* one sentence for editors and the manual */
	int64_t min, max;   /* NUMBER, DURATION; max 0: no bound */
	const char *const *choices; /* CHOICE: ended by NULL */
	const char *const *later;   /* CHOICE: values of the grammar that are not executed yet; NULL
				       or ended by NULL */
	const struct schema *section; /* SECTION; NAMED, LIST, OWN: what an item is, for the
					 descriptions */
	enum schema_form form;
	schema_read_fn *read;
	const char *json;   /* OWN, and items without section: a JSON Schema, one object */
	const char *remedy; /* LATER: what to do instead of removing it; NULL */
};
struct schema {
	const char *name; /* of such a map, for messages: "an item of `users`" */
	const struct schema_key *keys;
	size_t count;
};
#define SCHEMA_KEY_LATER(key)                                                                      \
	{                                                                                          \
		.name = (key), .type = SCHEMA_LATER                                                \
	}
#define SCHEMA(name, keys)                                                                         \
	{                                                                                          \
		name, keys, COUNT_OF(keys)                                                         \
	}

/*
 * Reads node into target by the table. Errors: ERR_CONFIG with place: not a map, unknown key, a key
 * that is not executed yet, one that is missing, a wrong value. With reader->faults all that are wrong are noted there, and
 * err is one of them; members that had a fault are as they were.
 */
MUST_CHECK enum err_code schema_read(struct reader *reader, const struct schema *schema,
		const struct document_node *node, void *target, struct err *err);

/* Single values, for `read` functions. */
MUST_CHECK enum err_code schema_text(
		const struct document_node *node, const char **ret, struct err *err);
MUST_CHECK enum err_code schema_texts(struct reader *reader, const struct document_node *node,
		struct texts *ret, struct err *err);
MUST_CHECK enum err_code schema_choice(const struct document_node *node, const char *const *choices,
		int *ret, struct err *err);
/* Milliseconds in [min, max], 0: no bound. */
MUST_CHECK enum err_code schema_duration(const struct document_node *node, int64_t min, int64_t max,
		int64_t *ret, struct err *err);
/* "unknown WHAT `word`; did you mean `x`?", or the list of what is known. */
enum err_code schema_unknown(const struct document_node *node, const char *what, const char *word,
		const char *const *known, size_t count, struct err *err);

/* The table as JSON Schema (2020-12); caller's, mem_free. */
char *schema_to_json(const struct schema *schema, const char *title);
/* One line per key into ret, "sources.NAME.bind.dn", items of lists as "users[].when"; in arena. */
struct texts schema_key_list(const struct schema *schema, struct arena *arena);

#endif
