/*
 * snapshot_private -- how a snapshot is built inside; for the snapshot*.c files and nobody else.
 *
 *	snapshot.c          entries in and out, looking
 *	snapshot_content.c  attributes of an entry that several searches may share
 *	snapshot_names.c    DN -> node, former DNs, containers and their renames
 *	snapshot_members.c  edges between nodes, values that wait for a name
 *	snapshot_effects.c  what changed, carried up and down the graph
 *	snapshot_globs.c    snapshot_in_group
 *	snapshot_record.c   to the store and back
 *
 * Memory is the measure: a node is 80 bytes and one block of text, an edge is four bytes on either side. A node is
 *	free      not used
 *	present   in at least one search
 *	gone      since the last settle; content can still be read
 *	ghost     gone for longer, kept because groups keep a place for it (their `ghosts`)
 */
#ifndef L2D_DIRECTORY_SNAPSHOT_PRIVATE_H
#define L2D_DIRECTORY_SNAPSHOT_PRIVATE_H

#include "base/table.h"
#include "base/vec.h"
#include "directory/hash_index.h"
#include "directory/node_set.h"
#include "directory/snapshot.h"
#include "model/dn.h"

#define NO_ID UINT32_MAX

struct group {
	struct node_set *members; /* present */
	struct node_set *ghosts;  /* gone or ghosts */
	VEC(uint32_t) waits;      /* indices in snapshot->waits */
	uint64_t values; /* over the member values read last; 0: they are to be resolved anew */
	VEC(const char *) texts; /* what snapshot_unresolved showed last */
};

struct node {
	char *block; /* DN, NUL, anchor, NUL, packed attributes; NULL: the node is free */
	struct node_set *parents;
	struct group *group; /* NULL: never had members */
	char *folded_cn;     /* made when asked for; a mark if it has none */
	uint64_t searches, mentioned;
	uint32_t name_hash, anchor_hash;
	uint32_t container;
	uint32_t former; /* the latest of its former names, or NO_ID */
	uint32_t attributes_len;
	uint16_t dn_len;
	uint8_t anchor_len;
	uint8_t source;
	uint8_t effects;
	bool nameless; /* a newer entry has its DN: it cannot be found by it */
};

/* A DN above some node's; nested like the directory. Tells in one step whether anything is below a renamed entry. */
struct container {
	char *key; /* NULL: free */
	uint32_t key_len, hash;
	uint32_t above;
	uint32_t refs; /* nodes and containers directly below */
	uint8_t source;
};

struct former {
	char *dn;
	uint32_t hash;
	node_id node;
	uint32_t next;  /* the one before of the same node */
	uint32_t order; /* of being remembered, over all nodes */
};

/* A member value that no entry in the snapshot answers to. Those of one name form a list, the first is in the index. */
struct wait {
	char *text;
	uint32_t hash;
	node_id group;
	uint32_t position; /* in group->waits */
	uint32_t next, previous;
	bool is_name; /* false: not even a DN; such values are only listed */
};

struct changes {
	VEC(node_id) touched;  /* effects != 0 */
	VEC(node_id) down, up; /* EFFECT_GROUPS, EFFECT_MEMBERS still to be carried on */
	VEC(struct snapshot_change) list;
	bool listed;
};

struct missing {
	uint32_t hash;
	bool is_name;
	struct span text;
};

/* What functions write that only look; apart, so that a const snapshot can have it. */
struct work {
	struct buf key, other_key; /* of names_read; of name comparisons */
	struct buf block;
	struct arena *arena;
	VEC(node_id) found;
	VEC(struct missing) missing;
	struct changes changes;
	struct table *glob_table; /* text as given -> struct glob */
	VEC(struct glob *) globs;
	VEC(uint32_t) marks; /* per node: the walk that saw it last */
	VEC(node_id) stack;
	uint32_t walk;
};

/* Members of a loaded group, as they came: resolved when all nodes are there. */
struct pending {
	node_id node;
	char *members;
	size_t len;
};

struct snapshot {
	const struct search *searches;
	size_t search_count;
	struct node *nodes;
	uint32_t limit, room;
	size_t present, nameless;
	VEC(node_id) free_nodes;
	VEC(node_id) loose; /* ghosts that may have lost their last place: looked at by settle */
	struct hash_index anchors, names, containers_by_key, formers_by_name, waits_by_name;
	VEC(struct container) containers;
	VEC(struct former) formers;
	VEC(struct wait) waits;
	VEC(uint32_t) free_containers, free_formers, free_waits;
	uint32_t former_order;   /* the greatest given */
	uint32_t last_container; /* entries come in the order of the tree: mostly this one again */
	VEC(struct pending) pending; /* while loading */
	struct work *work;
};

static inline bool node_is_present(const struct node *node)
{
	return node->searches != 0;
}
static inline struct span node_dn(const struct node *node)
{
	return (struct span){node->block, node->dn_len};
}
static inline struct span node_anchor(const struct node *node)
{
	return (struct span){node->block + node->dn_len + 1, node->anchor_len};
}
static inline struct span node_attributes(const struct node *node)
{
	return (struct span){node->block + node->dn_len + 1 + node->anchor_len + 1,
			node->attributes_len};
}

/* ---- snapshot.c ---- */

#define SEARCH_BIT(search) ((uint64_t)1 << (search))
/* Any node of that anchor, also a gone one or a ghost. */
node_id node_find(const struct snapshot *snapshot, unsigned source, struct span anchor);
/* A new node with that anchor, neither named nor in any search. */
node_id node_new(struct snapshot *snapshot, unsigned source, struct span anchor);
void node_free(struct snapshot *snapshot, node_id id);
/* Replaces DN and attributes; they may point into the present block. */
void node_set_block(struct node *node, struct span dn, struct span attributes);

/* ---- snapshot_content.c ---- */

/* Whether an entry keeps to the limits of model/entry.h. Errors: ERR_PROTO, ERR_LIMIT. */
MUST_CHECK enum err_code content_check(const struct entry *entry, struct err *err);
bool content_asks_members(const struct snapshot *snapshot, uint64_t searches); /* any of them */
bool content_has_members(const struct entry *entry);
/*
 * Into work->block: entry as search delivered it, and of the present content what only others (searches) ask for.
 * entry NULL: search contains it no more, what only that one asked for is left out; others is not empty then.
 */
void content_build(struct snapshot *snapshot, node_id id, unsigned search, uint64_t others,
		const struct entry *entry);
/* DN and attributes of a node become dn and what is in work->block. */
void content_take(struct snapshot *snapshot, node_id id, struct span dn);
void content_forget_cn(struct node *node);

/* ---- snapshot_names.c ---- */

/* A DN that is looked up. */
struct name {
	unsigned source;
	uint32_t hash;
	struct span text;
	struct span key; /* in the buf given to names_read */
};
MUST_CHECK enum err_code names_read(unsigned source, struct span text, struct buf *key,
		struct name *ret, struct err *err);
bool names_fits(const struct snapshot *snapshot, struct span text, const struct name *name);
/* The node that has the name: present, gone or ghost; NODE_NONE if there is none. */
node_id names_find(const struct snapshot *snapshot, const struct name *name);
/* The member of group that had the name last, if not now; or NODE_NONE. */
node_id names_find_former(const struct snapshot *snapshot, const struct name *name,
		const struct group *group);
/* name is id's from now on: whoever had it loses it, values that waited for it join. */
void names_claim(struct snapshot *snapshot, node_id id, const struct name *name);
/* The same where a ghost comes from the store: it takes the name only if nobody has it. */
void names_claim_for_ghost(struct snapshot *snapshot, node_id id, const struct name *name);
void names_release(struct snapshot *snapshot, node_id id);
/* If an older entry lost the DN of id to it, that one has it again. */
void names_give_back(struct snapshot *snapshot, node_id id);
/* dn was its name; order: 0 for the latest of all, else as it was when stored. */
void names_remember(struct snapshot *snapshot, node_id id, struct span dn, uint32_t order);
void names_forget(struct snapshot *snapshot, node_id id); /* all former names */
/* Everything below old_key moves below the present DN of id. */
void names_move_below(struct snapshot *snapshot, node_id id, struct span old_key);

/* ---- snapshot_members.c ---- */

struct group *group_of(struct snapshot *snapshot, node_id id); /* makes it if need be */
void members_replace(struct snapshot *snapshot, node_id group, const struct entry *entry);
void members_clear(struct snapshot *snapshot, node_id group);
void members_set(struct snapshot *snapshot, node_id group,
		struct node_set *members); /* takes members */
void members_park(struct snapshot *snapshot,
		node_id id); /* id is gone: its groups keep a place for it */
void members_restore(struct snapshot *snapshot, node_id id); /* id is back */
void members_add_ghost(struct snapshot *snapshot, node_id group, node_id ghost);
/* Groups with id as a member may mean somebody else by now: what they say next is resolved anew. */
void members_doubt(struct snapshot *snapshot, node_id id);
void waits_join(struct snapshot *snapshot, node_id id, const struct name *name);
void waits_add(struct snapshot *snapshot, node_id group, const struct missing *missing);
void waits_settle(struct snapshot *snapshot); /* gives memory back that no value needs any more */
void group_free(struct snapshot *snapshot, node_id id);
uint32_t text_hash(struct span text); /* for values that are no names */

/* ---- snapshot_effects.c ---- */

void effects_touch(const struct snapshot *snapshot, node_id id, unsigned effects);
void effects_touch_parents(const struct snapshot *snapshot, node_id id, unsigned effects);
void effects_touch_members(const struct snapshot *snapshot, node_id id, unsigned effects);
void effects_release(struct changes *changes);

/* ---- snapshot_globs.c ---- */

void globs_forget_node(const struct snapshot *snapshot, node_id id); /* its cn changed */
void globs_release(struct work *work);

#endif
