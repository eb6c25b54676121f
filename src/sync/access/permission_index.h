/*
 * permission_index -- which permissions the rules want, by target and kind of object. Pure; loop thread only.
 *
 * It holds what grants say (of the files, and of each directory group that a `for_each:` matches) and answers what a given
 * object should have. Rules about one principal are merged: the level that gives what all of them give, with the rule
 * that gives most as its reason.
 */
#ifndef L2D_SYNC_ACCESS_PERMISSION_INDEX_H
#define L2D_SYNC_ACCESS_PERMISSION_INDEX_H

#include "directory/snapshot.h"
#include "rules/mapping.h"

struct permission_index;
struct permission_index *permission_index_new(const struct settings *settings); /* borrowed */
void permission_index_free(struct permission_index *index);

#define NODE_OF_FILES NODE_NONE /* what the files say without for_each */

/*
 * Replaces what was said under that node. The rules and all they point to are borrowed until the next call for that node.
 * Says through changed, once each, which (target, type) may have other wants now; more: some were added, not only dropped.
 */
void permission_index_set(struct permission_index *index, node_id node,
		const struct grant_rule *rules, size_t count,
		void (*changed)(void *context, unsigned target, enum securable_type type,
				bool more),
		void *context);

/* One rule's permission for one principal at one target. */
struct permission_want {
	node_id node;
	enum principal_kind kind;
	const char *name; /* of the principal, as the rule has it */
	const char *key;  /* "group/FOLDED NAME" */
	const struct permission_rule *rule;
	bool met; /* an object that it selects was found since permission_index_begin_look */
	struct permission_rule *own; /* rule, where no file has it as such: `tokens: {use: true}` */
};
/* All that is wanted of objects of that type there; borrowed until the next set. */
const struct permission_want *permission_index_at(const struct permission_index *index,
		unsigned target, enum securable_type type, size_t *ret_count);

/* Objects of that type are looked for there, and each that was found is told of: which wants select nothing is known then. */
void permission_index_begin_look(
		struct permission_index *index, unsigned target, enum securable_type type);
void permission_index_met(struct permission_index *index, unsigned target, enum securable_type type,
		const struct securable_facts *facts);

struct wanted_entry {
	const char *key; /* "group/FOLDED NAME" */
	enum principal_kind kind;
	const char *name;
	const char *level;
	struct why why;
};
struct wanted_acl {
	const struct wanted_entry *entries; /* by key, ascending; each once */
	size_t count;
	bool exclusive;
	struct why exclusive_why;
	bool matched;         /* any rule selects the object */
	bool named;           /* one of them by its id */
	const char *conflict; /* two owners are wanted: a sentence; NULL: none */
};
/* Sorts entries by key and merges those of one key; returns how many are left. */
size_t permission_index_merge(struct wanted_entry *entries, size_t count, enum securable_type type);
void permission_index_match(const struct permission_index *index, unsigned target,
		enum securable_type type, const struct securable_facts *facts, struct arena *arena,
		struct wanted_acl *ret);

#endif
