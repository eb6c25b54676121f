/*
 * object_stale -- reads of objects and their ACLs that lag: what an object was is kept beside it and shown for a number
 * of reads or a time. stale.h does the same for principals; the rules are the same.
 *
 * Threads: the caller holds the simulator's lock for writing, as all handlers of a workspace's objects do.
 */
#ifndef SIM_OBJECT_STALE_H
#define SIM_OBJECT_STALE_H

#include "object.h"
#include "stale.h"

/* What a write is about to change, or NULL if no rule asks for it. object NULL: it is about to be made. */
struct object *object_stale_before(const struct stale_rule *rule, const struct object *object);
/* before is given away; NULL: it was not there. rule NULL: nothing happens. */
struct object_stale_what {
	const struct stale_rule *rule;
	enum object_kind kind;
	const char *id, *name;
};
void object_stale_commit(struct object_store *store, const struct object_stale_what *what,
		struct object *before);

/*
 * What a GET shows in place of the truth (NULL: no such object), counted as a read. text is what it asked for: an id,
 * or a name.
 */
struct object *object_stale_get(struct object_store *store, enum object_kind kind, const char *text,
		struct object *truth);
/* What a list shows in place of the truth, in order of creation. Counted as one list. vec_release. */
void object_stale_list(struct object_store *store, enum object_kind kind, struct objects *ret);

/* The parent of what is only shown may be going. */
void object_stale_forget_parent(struct object_store *store, const struct object *parent);
void object_stale_free(struct object_store *store);

#endif
