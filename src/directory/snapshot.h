/*
 * snapshot -- all entries in scope, by anchor and by DN, with the membership graph over them.
 *
 * Pure: no clock, no I/O. One thread, for looking as well: lookups keep caches. Memberships are held between entries,
 * never between names: a member value is resolved to an entry when it is read, and follows that entry through renames
 * (directories rewrite or forget such values without an event). A value that names the former DN of a member still means
 * that member. Values that resolve to nothing wait, and join when an entry of that name appears.
 *
 * An entry is in the snapshot as long as at least one search contains it. It is a node: a small number that stays the
 * same while it is there, may be reused after snapshot_settle, and never leaves this process. When it goes, its groups
 * keep a place for it: it is a member again when the same entry (anchor) comes back, because leaving a filter changes
 * nothing in the group. Another entry that takes its name does not inherit the place; whether the directory means the
 * newcomer is then unknown, and the group gets EFFECT_STALE.
 */
#ifndef L2D_DIRECTORY_SNAPSHOT_H
#define L2D_DIRECTORY_SNAPSHOT_H

#include "base/mem.h"
#include "model/entry.h"
#include "model/search.h"

typedef uint32_t node_id;
#define NODE_NONE UINT32_MAX

#define SNAPSHOT_NODES_MAX ((size_t)16 * 1000 * 1000)
#define SNAPSHOT_ENTRY_BYTES_MAX                                                                   \
	((size_t)64 * 1024 * 1024)  /* attributes of one entry, packed, without members */
#define SNAPSHOT_FORMER_NAMES_MAX 4 /* former DNs remembered of one entry, the latest */
#define SNAPSHOT_GLOBS_MAX 1024     /* different globs kept ready for snapshot_in_group */

struct snapshot;
/* searches: all of the configuration, borrowed until snapshot_free. */
struct snapshot *snapshot_new(const struct search *searches, size_t count);
void snapshot_free(struct snapshot *snapshot); /* NULL is fine */

/* ---- taking changes in ---- */

/*
 * An entry as search delivered it: inserted or replaced by (source of the search, anchor). Marks it as mentioned.
 * What only other searches that contain the entry ask for (attributes, members) stays as it is.
 * Two entries of one DN in one source (delete and add whose order got lost): the newer keeps the name.
 * A changed DN is the new place of everything below the former one, too: directories rename a container with one event.
 * Errors: ERR_PROTO (its anchor or DN is none), ERR_LIMIT; nothing is changed then.
 */
MUST_CHECK enum err_code snapshot_upsert(struct snapshot *snapshot, unsigned search,
		const struct entry *entry, struct err *err);
/* No longer in that search. An unknown anchor is ignored. */
void snapshot_remove(struct snapshot *snapshot, unsigned search, const char *anchor);
/* A pass over search begins: nothing of it is mentioned yet. */
void snapshot_refresh_begin(struct snapshot *snapshot, unsigned search);
void snapshot_mention(struct snapshot *snapshot, unsigned search, const char *anchor);
/* Anchors of that search not mentioned since; array and texts in arena. */
size_t snapshot_unmentioned(const struct snapshot *snapshot, unsigned search, struct arena *arena,
		const char *const **ret);

/* ---- what changed, since the last snapshot_settle ---- */

enum snapshot_effect {
	EFFECT_CONTENT = 1, /* its attributes or DN changed, or it is new */
	EFFECT_GONE = 2, /* in no search any more; node and content can still be read until snapshot_settle */
	EFFECT_GROUPS = 4, /* the set of groups that it belongs to, directly or not, may have changed */
	EFFECT_MEMBERS =
			8, /* a group: its direct members, or those of a group below it, may have changed */
	EFFECT_SEARCHES = 16, /* which searches contain it */
	EFFECT_RECORD = 32, /* what snapshot_record says of it changed: the store is behind. With EFFECT_MEMBERS: its
	                         own members, not only those of a group below it */
	EFFECT_STALE = 64 /* a group: the directory may have changed its members without an event (somebody took the
	                         name of one of them): read it again, by feed_confirm for example */
};
struct snapshot_change {
	node_id node;
	unsigned effects;
};
/* Each node at most once, in ascending order; borrowed until the next change. */
const struct snapshot_change *snapshot_changes(const struct snapshot *snapshot, size_t *ret_count);
/* Forgets the list of changes and frees nodes that are gone. */
void snapshot_settle(struct snapshot *snapshot);

/* ---- looking ---- */

size_t snapshot_count(const struct snapshot *snapshot);
node_id snapshot_limit(const struct snapshot *snapshot); /* nodes are below this number */
bool snapshot_is_present(const struct snapshot *snapshot, node_id node);
node_id snapshot_find_anchor(const struct snapshot *snapshot, unsigned source, const char *anchor);
node_id snapshot_find_dn(const struct snapshot *snapshot, unsigned source, const char *dn);
const char *snapshot_anchor(const struct snapshot *snapshot, node_id node);
const char *snapshot_dn(
		const struct snapshot *snapshot, node_id node); /* follows renamed containers */
/* The DN is borrowed until the node changes. Anchor, DN, source: also of a node that is gone, until snapshot_settle. */
unsigned snapshot_source(const struct snapshot *snapshot, node_id node);
uint64_t snapshot_searches(const struct snapshot *snapshot, node_id node); /* bit per search id */
/* First value of the cn (of its values in octet order), folded as text_fold does; NULL if it has none. */
const char *snapshot_folded_cn(const struct snapshot *snapshot, node_id node);
/* The entry without its member attributes; values borrowed from the snapshot until the node changes, rest in arena. */
MUST_CHECK enum err_code snapshot_entry(const struct snapshot *snapshot, node_id node,
		struct arena *arena, struct entry *ret, struct err *err);

/* Direct members that are in the snapshot, ascending; and member values that resolve to nothing. Borrowed. */
const node_id *snapshot_members(const struct snapshot *snapshot, node_id group, size_t *ret_count);
const char *const *snapshot_unresolved(
		const struct snapshot *snapshot, node_id group, size_t *ret_count);
/* Groups that have node as a direct member, ascending. Borrowed. */
const node_id *snapshot_parents(const struct snapshot *snapshot, node_id node, size_t *ret_count);
/* Whether node is a member, directly or not, of a group whose cn matches glob (folded by the callee). Loops end. */
bool snapshot_in_group(const struct snapshot *snapshot, node_id node, const char *glob);

/* ---- keeping ---- */

/* One node as the store keeps it; everything in arena. Members by anchor, so that renames do not touch groups. */
struct snapshot_record {
	unsigned source;
	const char *anchor;
	const char *dn;
	uint64_t searches;
	struct span attributes; /* entry_pack without member attributes */
	struct span members; /* members' anchors, unresolved values, its own former DNs, packed; opaque */
};
void snapshot_record(const struct snapshot *snapshot, node_id node, struct arena *arena,
		struct snapshot_record *ret);
/*
 * Fills an empty snapshot from records in any order; members are resolved after the last one, in
 * snapshot_load_finish, which also clears the list of changes.
 * Errors: ERR_STORE (a record is damaged: throw all records and cookies away and read the directory anew), ERR_LIMIT.
 */
MUST_CHECK enum err_code snapshot_load(
		struct snapshot *snapshot, const struct snapshot_record *record, struct err *err);
void snapshot_load_finish(struct snapshot *snapshot);

#endif
