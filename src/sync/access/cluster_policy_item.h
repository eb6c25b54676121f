/* cluster_policy_item -- the inside of a cluster policy's item, shared by cluster_policy*.c. */
#ifndef L2D_SYNC_ACCESS_CLUSTER_POLICY_ITEM_H
#define L2D_SYNC_ACCESS_CLUSTER_POLICY_ITEM_H

#include "sync/access/cluster_policy.h"
#include "sync/access/cluster_policy_face.h"
#include "sync/access/roster.h"

struct policy_item {
	struct item item;                       /* first; its id is that of ours */
	const struct cluster_policy_rule *rule; /* NULL: none wants it */
	struct wanted_policy wanted;            /* with rule; in arena */
	char *failure; /* the rule could not be evaluated for this workspace: a sentence; then `wanted` is empty */
	struct arena *arena;
	/* Ours. */
	char *held;            /* face text as read or written last; NULL: not ours */
	char *held_family;     /* as the rule named it then; NULL: none */
	char *former;          /* face text before us: it was adopted; NULL: we made it */
	enum policy_gone gone; /* what its rule said last */
	/* There. */
	struct arena *seen_arena;
	struct cluster_policy *seen; /* NULL: not there, or not read */
	char *usage;   /* who uses one that is to go, as a sentence; NULL: not asked */
	char *made_id; /* of a create that was answered just now */
};

/* What a read of a workspace's policies gives. */
struct policy_list {
	const struct cluster_policy *policies;
	size_t count;
	const struct policy_family *families;
	size_t family_count;
	bool families_read;
};

static inline struct policy_item *policy_of(struct item *item)
{
	return (struct policy_item *)item; /* item is its first member */
}

/*
 * The wanted one, with the id of its family. false: there is no family of that name, or families were not read yet.
 */
bool policy_wanted_face(struct access *access, struct policy_item *policy, struct arena *arena,
		struct policy_face *ret);
/* Of all rules for that name; wanted is copied. A second one puts the policy into doubt. */
void policy_set_rule(struct access *access, struct policy_item *policy,
		const struct cluster_policy_rule *rule, const struct wanted_policy *wanted);
#define POLICY_GONE_PART "gone" /* of an operation that makes one: what its rule says of its end */
const char *policy_gone_word(enum policy_gone gone); /* "": not said */
enum policy_gone policy_gone_of_word(const char *word_or_null);
/* What it would be if it were gone from the rules: deleted, or left. */
bool policy_would_stay(const struct policy_item *policy);
void policy_set_seen(struct policy_item *policy, const struct cluster_policy *seen_or_null);
void policy_hold(struct access *access, struct policy_item *policy);
void policy_drop_hold(struct access *access, struct policy_item *policy);

/* ---- cluster_policy_plan.c ---- */
void policy_plan(struct access *access, struct item *item, struct arena *arena,
		struct item_plan *ret);

/* ---- cluster_policy_work.c ---- */
extern const struct roster_class policy_roster;
void policy_choose(struct item_work *work, const struct item_plan *plan);
bool policy_write_next(struct item_work *work);
void policy_settle(struct access *access, struct item *item, const struct operation *op);
bool policy_shows(struct item *item, const struct operation *op);

#endif
