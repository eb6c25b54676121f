/*
 * object -- one principal at the target where it is made: what we know of it and what is ours of
 * it.
 *
 * With an account a principal has one object, in the account; without one it has an object in each
 * workspace. The registry holds all of them, by key and by remote id, and beside them the foreign
 * principals that were seen in Databricks (name, id, external id), from which adoption chooses.
 * Loop thread only; no I/O.
 */
#ifndef L2D_SYNC_OBJECT_H
#define L2D_SYNC_OBJECT_H

#include "base/vec.h"
#include "directory/snapshot.h"
#include "model/identity.h"
#include "store/store.h"
#include "sync/ids.h"

/* A grant that is ours. */
struct held_grant {
	unsigned workspace; /* target */
	enum grant_kind kind;
	const char *value;
	const char *former; /* assignment: level to give back, NULL: none */
};

/* What a read of a workspace said about this principal there. */
struct seen_grants {
	unsigned workspace;
	char **entitlements;
	size_t entitlement_count;
	char **roles;
	size_t role_count;
};

struct work; /* worker.h */

/* There is one for every person: members stand in an order that leaves no gaps. */
struct object {
	char *key;
	unsigned target;
	enum principal_kind kind;
	node_id node;   /* NODE_NONE: no entry */
	uint32_t index; /* in the registry */

	/* As last confirmed, by an answer to our write or by reads. */
	uint64_t id; /* 0: not known to exist */
	char *fields[FIELD_COUNT_];
	bool ours;
	bool active;
	bool actual_known;
	bool powerful;      /* as read: holds admin roles */
	enum gone gone : 8; /* what the rule said last, for when the entry is gone */
	enum origin origin : 8;

	/* Work */
	bool named_only;  /* only a grant names it: it is looked up, never made */
	bool dirty;       /* in the engine's queue of those to be planned */
	bool ready;       /* in that of those to be taken up */
	bool read_wanted; /* reads come before the next plan */
	bool read_early;  /* before it was known what the directory gives it */
	bool verify;      /* members were added and no answer showed them: read them back */
	bool looked_up;   /* it was looked for since the start, and since it had its id */
	bool planned;     /* a plan was computed since it was last dirty */
	bool leaving;     /* at the last plan: it is a leaver */
	bool delayed;     /* in the engine's list of those that wait for retry_ns */
	bool doubted;     /* quarantined by its plan, not by an answer */
	bool conflicted;  /* its last creation met one of the same name */
	unsigned misses;  /* reads in a row that did not find it */
	unsigned tries;
	struct work *work;      /* under way */
	uint64_t written_ns;    /* last write of ours that was confirmed */
	uint64_t retry_ns;      /* not before; 0: at once */
	uint64_t suspect;       /* digest of a read that differed from what we hold; a second
					 one must agree */
	uint64_t reported;      /* mode observe: digest of the operations that were told last */
	int64_t quarantined_ms; /* since; 0: not */
	char *reason;           /* of the quarantine */
	VEC(struct object *) waiters; /* groups that wait for this member's id */
	VEC(char *) decided; /* keys of the guard's decisions that hang on this object's plan */

	/* As last confirmed, the rest. */
	struct why why; /* the rule that made it last, without entry */
	char *gone_dn;  /* DN of the entry that is gone; NULL: not gone, or not known */
	char *match;    /* of the identity that it was last in sync with */
	int64_t left_ms;
	struct ids members; /* ours */
	struct ids actual;  /* as read, with actual_known; foreign ones included */
	VEC(struct held_grant) grants;
	VEC(struct seen_grants) seen; /* per workspace that was read */

	/* Members that Databricks took and dropped; left out of plans until refused_until_ns. */
	struct ids refused;
	uint64_t refused_until_ns;
	unsigned refusals; /* in a row */
};

struct foreign {
	enum principal_kind kind;
	uint64_t id;
	const char *name; /* userName, displayName, applicationId */
	const char *external_id;
	const char *display_name;
	bool active;
	const char *given_name, *family_name; /* users */
};

struct registry;
struct registry *registry_new(void);
void registry_free(struct registry *registry);

struct object *registry_find(const struct registry *registry, unsigned target, const char *key);
/* Finds or makes. */
struct object *registry_object(struct registry *registry, unsigned target, enum principal_kind kind,
		const char *key);
struct object *registry_find_id(const struct registry *registry, unsigned target,
		enum principal_kind kind, uint64_t id);
/*
 * Who has that id as a member of group: of the group's own target, else of the account (target 0) if there is one, whose
 * principals may be in a workspace's own groups. NULL: nobody that we know.
 */
struct object *registry_find_member(const struct registry *registry, const struct object *group,
		bool has_account, uint64_t id);
/* The object of ours that has this name (folded by the callee) at the target, or NULL. */
struct object *registry_find_name(const struct registry *registry, unsigned target,
		enum principal_kind kind, const char *name);
size_t registry_count(const struct registry *registry);
struct object *registry_at(const struct registry *registry, size_t index); /* in order of making */
void registry_drop(struct registry *registry,
		struct object *object); /* frees it; the last takes its index */

/*
 * The object is (or became) the principal of that id. If another object had the id (a grant's name
 * that an entry now stands for), what is ours of that one moves over and it loses the id.
 */
void registry_bind(struct registry *registry, struct object *object, uint64_t id);
void registry_unbind(struct registry *registry,
		struct object *object); /* id 0, not ours, nothing known of it */
/* Sets the name field that registry_find_name looks for, and any other field; value NULL clears. */
void registry_set_field(struct registry *registry, struct object *object, enum field field,
		const char *value);

/* Foreign principals: what the last complete read saw that is not ours. */
void registry_foreign_put(struct registry *registry, unsigned target,
		const struct foreign *foreign); /* copied */
const struct foreign *registry_foreign_by_name(const struct registry *registry, unsigned target,
		enum principal_kind kind, const char *name);
const struct foreign *registry_foreign_by_external_id(const struct registry *registry,
		unsigned target, enum principal_kind kind, const char *external_id);
/* A service principal by its display name, which several may have: *ret_several. */
const struct foreign *registry_foreign_service(const struct registry *registry, unsigned target,
		const char *display_name, bool *ret_several);
/* In no order, until the next change; *ret_target where it is. */
size_t registry_foreign_count(const struct registry *registry);
const struct foreign *registry_foreign_at(
		const struct registry *registry, size_t index, unsigned *ret_target);
void registry_foreign_drop(
		struct registry *registry, unsigned target, enum principal_kind kind, uint64_t id);
void registry_foreign_drop_target(
		struct registry *registry, unsigned target); /* before reading anew */

struct held_grant *object_grant(
		struct object *object, unsigned workspace, enum grant_kind kind, const char *value);
void object_put_grant(struct object *object,
		const struct held_grant *grant); /* strings copied; one assignment per workspace */
void object_drop_grant(
		struct object *object, unsigned workspace, enum grant_kind kind, const char *value);
/* A value that we took away: what an earlier read showed is no more to be adopted. */
void object_unsee(struct object *object, const struct held_grant *grant);
struct seen_grants *object_seen(struct object *object, unsigned workspace); /* NULL: not read */
void object_set_seen(struct object *object, unsigned workspace, const char *const *entitlements,
		size_t entitlement_count, const char *const *roles, size_t role_count);
/* userName, displayName or application id as known; else the key. */
const char *object_name(const struct object *object);

#endif
