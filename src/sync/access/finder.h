/*
 * finder -- looks for the objects that rules select: by list, by name, by path, through the tree. Each object that a rule
 * selects becomes an item (acl.h).
 *
 * A type at a target is looked for whole when a rule needs its list (globs, tags, creator, all) or names many; else each
 * selector by itself. Runs at a start that reads everything, at every reconcile, at `permissions_interval`, and for one type
 * at one target when its rules change.
 */
#ifndef L2D_SYNC_ACCESS_FINDER_H
#define L2D_SYNC_ACCESS_FINDER_H

#include "sync/access/item.h"

struct finder *finder_new(struct access *access);
void finder_free(struct finder *finder); /* cancels; NULL is fine */
/* All types at all targets that rules need. */
void finder_look(struct finder *finder);
/* One of them, soon. */
void finder_look_at(struct finder *finder, unsigned target, enum securable_type type);
/* One of them, when the directory has been read (finder_look_noted). */
void finder_note(struct finder *finder, unsigned target, enum securable_type type);
void finder_look_noted(struct finder *finder);
bool finder_is_running(const struct finder *finder);
/* Whether the last look at it came to its end: what it did not show is not there. */
bool finder_knows(const struct finder *finder, unsigned target, enum securable_type type);
/* Whether everything that was looked for was found out; *ret_err, if not: of one that was not. */
bool finder_is_complete(const struct finder *finder, const struct err **ret_err);
/* Of one type at one target, the last look failed: why; NULL: it did not. */
const struct err *finder_failure(
		const struct finder *finder, unsigned target, enum securable_type type);
/* For the plan that people see: which rules name an object that is not there. */
void finder_collect(const struct finder *finder);
/* A note in the plan for each look that failed. */
void finder_list_failures(const struct finder *finder);
/* Tries again what failed. Returns the time of the next try, 0: nothing failed. */
uint64_t finder_retry(struct finder *finder, uint64_t now);

#endif
