/*
 * desired -- what the directory and the rules want, entry by entry: snapshot + rules -> identities.
 * Pure.
 *
 * Only entries whose content, searches or (if the rule asked for groups) groups changed are
 * evaluated again. The identities are kept mapped; members are computed from the snapshot's graph
 * when somebody asks.
 */
#ifndef L2D_SYNC_DESIRED_H
#define L2D_SYNC_DESIRED_H

#include "directory/closure.h"
#include "directory/snapshot.h"
#include "model/identity.h"
#include "rules/config.h"

enum want_state {
	WANT_NONE,   /* nothing is known: desired_want says NULL */
	WANT_OUT,    /* in no rule's scope: whoever has this entry's principal is a leaver */
	WANT_IN,     /* identity says what it should be */
	WANT_LEAVER, /* a rule maps it, but as inactive */
	WANT_UNSURE  /* a name came out nil or an expression failed: nothing is changed; reason says
			why */
};

struct want {
	/* IN, LEAVER; UNSURE: the last one that was sure, or NULL. Without why.entry: snapshot_dn */
	struct identity *identity;
	char *reason;
	enum want_state state;
	bool read_groups;
	bool is_group; /* the identity's kind is PRINCIPAL_GROUP */
};

struct desired;
/* All borrowed until desired_free. */
struct desired *desired_new(const struct config *config, const struct snapshot *snapshot);
void desired_free(struct desired *desired);

/*
 * Takes the snapshot's changes in (before snapshot_settle). Nodes whose want changed, made groups
 * whose members may have changed, and some who claim the same name as a changed one, ascending and each once; borrowed until the next call.
 */
const node_id *desired_update(struct desired *desired, const struct snapshot_change *changes,
		size_t count, size_t *ret_count);

/* NULL: nothing is known of the node (it is out). Borrowed until the next desired_update. */
const struct want *desired_want(const struct desired *desired, node_id node);
/* The nodes that shall be members of this made group, ascending, in arena; *ret_outside as
 * closure_members. */
size_t desired_members(struct desired *desired, node_id group, struct arena *arena,
		const node_id **ret, size_t *ret_outside);
/* The node's kind of principal by the searches that contain it; PRINCIPAL_KIND_COUNT_: none. */
enum principal_kind desired_kind(const struct desired *desired, node_id node);

/* Those who claim one name (userName, displayName, ...) of one kind, in a ring: the next; node itself if nobody else claims its
 * name, NODE_NONE if it claims none. */
node_id desired_next_claim(const struct desired *desired, node_id node);

/* How many wants are UNSURE without an identity. */
size_t desired_nameless(const struct desired *desired);

struct desired_counts {
	size_t in, leavers, unsure, skipped;
};
void desired_count(const struct desired *desired, struct desired_counts *ret);

#endif
