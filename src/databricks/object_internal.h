/*
 * object_internal -- what the files of object_list share: how each type is listed and looked up, how one object is read,
 * and questions of which a few are under way at a time.
 */
#ifndef L2D_DATABRICKS_OBJECT_INTERNAL_H
#define L2D_DATABRICKS_OBJECT_INTERNAL_H

#include "base/vec.h"
#include "databricks/object_list.h"
#include "databricks/tape.h"

/* ---- how an object is read ---- */

/*
 * Where its facts stand: "a.b" is b in a, "a|b" is a or, where that is not there, b; NULL: nowhere. An object without id
 * is an error.
 */
struct object_keys {
	const char *id, *name, *creator, *tags, *path;
	const char *folder; /* path of the folder: with the name behind it, that of the object */
	/* Whether rights are not set on this one. NULL: never. */
	bool (*is_passed_over)(const struct tape_value *item);
};

enum paging {
	PAGING_NONE,
	PAGING_TOKEN,      /* page_token in the query, next_page_token in the answer */
	PAGING_NEXT_TOKEN, /* next_page_token in both */
	PAGING_BODY,       /* page_token in the body */
	PAGING_NUMBER,     /* page in the query, from 1; count in the answer */
};

struct object_listing {
	enum method method;
	enum family family;
	enum paging paging;
	const char *path;  /* with all of the query but the page; NULL: the type has no list */
	const char *array; /* the list in the answer */
	/* Added to path, with the escaped name between them, to find by name; NULL: cannot. */
	const char *filter, *filter_end;
	const char *get;     /* path that gets one by name, which follows: NULL: none */
	const char *get_key; /* where it stands in that answer; NULL: it is the answer */
	struct object_keys keys;
	const char *get_id; /* id in the answer to get, where the list has none; NULL: as keys */
};
const struct object_listing *object_listing(enum securable_type type);

/* Any number of pages may be read into one arena. Strings are the tape's or in arena. */
struct object_reader {
	enum securable_type type;
	const struct object_keys *keys;
	struct arena *arena;
	struct err *err;
};
/* false in *ret_is_one: rights are not set on it. Errors: ERR_PROTO. */
MUST_CHECK enum err_code object_read(const struct object_reader *reader,
		const struct tape_value *item, struct found_object *ret, bool *ret_is_one);
/* The objects of a page; a missing list is an empty one. Errors: ERR_PROTO. */
MUST_CHECK enum err_code object_read_page(const struct object_reader *reader,
		const struct tape_value *answer, const char *array, struct found_object **ret,
		size_t *ret_count);
/*
 * One of the tree: an item of workspace/list, or get-status. false in *ret_is_one: a type that is not known or has no rights.
 */
MUST_CHECK enum err_code object_read_node(const struct tape_value *item, struct arena *arena,
		struct found_object *ret, bool *ret_is_one, struct err *err);
/* "/Users/x" for "/Workspace/Users/x"; both name the same. In arena, or path itself. */
const char *object_plain_path(const char *path);
/* "/api/2.0/workspace/" + call + "?path=" + path. Caller's, mem_free. */
char *object_tree_path(const char *call, const char *path);

/* ---- questions ---- */

#define FAN_CALLS 8

/*
 * Items of which each is a question: ask fills and sends a call for one; answer is told when that is done, and may add more.
 * The last one added is asked first. end: once, when all are answered or an answer returned an error; the fan's owner then
 * releases it.
 */
struct fan {
	struct databricks *databricks;
	void (*ask)(struct fan *fan, struct call *call, const char *item);
	enum err_code (*answer)(
			struct fan *fan, struct call *call, const char *item, struct err *err);
	void (*end)(struct fan *fan, const struct err *err_or_null);
	struct task task;
	struct call calls[FAN_CALLS];
	char *items[FAN_CALLS]; /* under way; NULL: that call is free */
	VEC(char *) waiting;
};
/* ask, answer and end are filled in by the owner. */
void fan_init(struct fan *fan, struct databricks *databricks, unsigned target);
void fan_add(struct fan *fan, char *item); /* item is given away; wakes the fan */
void fan_wake(struct fan *fan);            /* also an empty one, which ends */
void fan_release(struct fan *fan);

#endif
