/*
 * operation -- one change to Databricks as a value: what, where, on whom, with what precondition,
 * and why.
 *
 * Operations are what a plan lists, a guard holds, a journal remembers, and `apply` carries out.
 * They live in an arena.
 */
#ifndef L2D_MODEL_OPERATION_H
#define L2D_MODEL_OPERATION_H

#include "model/identity.h"
#include "model/securable.h"
#include "model/settings.h"

enum operation_kind {
	OP_CREATE, /* make the principal */
	OP_ADOPT, /* it is there already: ours from now on; with fields that differ it is one PATCH,
		     else no call */
	OP_UPDATE,     /* fields, or active=true again */
	OP_DEACTIVATE, /* active=false */
	OP_DELETE,
	OP_FORGET,      /* only our record goes; no call */
	OP_ADD_MEMBERS, /* to a group */
	OP_REMOVE_MEMBERS,
	OP_ASSIGN, /* to a workspace with a level */
	OP_UNASSIGN,
	OP_ADD_ENTITLEMENTS,
	OP_REMOVE_ENTITLEMENTS,
	OP_ADD_ROLES,
	OP_REMOVE_ROLES,
	/* of a resource that is no principal */
	OP_SET_PERMISSIONS, /* one access control entry for each member, `values` are their levels */
	OP_REMOVE_PERMISSIONS,
	OP_CREATE_RESOURCE,
	OP_ADOPT_RESOURCE,
	OP_CHANGE_RESOURCE,
	OP_REMOVE_RESOURCE,
	OP_FORGET_RESOURCE, /* only our record goes; no call */
	OP_KIND_COUNT_
};

/* What is no principal and is kept as rules say. */
enum resource_kind {
	RESOURCE_NONE,        /* a principal */
	RESOURCE_PERMISSIONS, /* the access control list of a securable */
	RESOURCE_RULE_SET, /* the same of a group or service principal in the account; levels are roles */
	RESOURCE_CLUSTER_POLICY,
	RESOURCE_IP_ACCESS_LIST,
	RESOURCE_SETTING, /* of a workspace */
	RESOURCE_TOKEN,
	RESOURCE_SECRET, /* of a service principal */
	RESOURCE_FEDERATION_POLICY,
	RESOURCE_ON_BEHALF_TOKEN, /* of a service principal in a workspace, made for it */
	RESOURCE_COUNT_
};

/* A principal as an operation names it. */
struct principal_ref {
	const char *key; /* "SOURCE/ANCHOR" for what the directory holds, "name/KIND/FOLDED NAME"
			    for what only a rule names; in permissions "KIND/FOLDED NAME" */
	const char *remote_id; /* decimal text; NULL: not known yet */
	const char *name;      /* userName, displayName or application id, for people */
};

struct field_change {
	enum field field;
	const char *before; /* NULL: not there */
	const char *after;
};

/* A named part of a resource. */
struct part_change {
	const char *name;
	const char *before; /* NULL: not there */
	const char *after;
};

struct operation {
	const char *id; /* digest of kind, target, object and content: the same change has the same
			   id in every plan */
	enum operation_kind kind;
	enum principal_kind principal;
	unsigned target; /* index into settings.targets */
	struct principal_ref object;
	const struct field_change *fields; /* create, adopt, update */
	size_t field_count;
	bool active_before, active_after;    /* users and service principals */
	const struct principal_ref *members; /* members operations */
	size_t member_count;
	const char *const *
			values; /* entitlements, roles; assign: {level}; permissions: the level of each member */
	/* assign: the former level, stored to come back on removal; permissions: the level of each member
	 * before, which comes back on removal, NULL: none. Else NULL. */
	const char *const *values_before;
	size_t value_count;
	enum resource_kind resource;     /* other than RESOURCE_NONE: `principal` means nothing */
	enum securable_type securable;   /* RESOURCE_PERMISSIONS: of what */
	const struct part_change *parts; /* resources */
	size_t part_count;
	bool adopts; /* it is so in Databricks already: only our record changes, no call is made */
	struct why why;
	const char *note; /* what to know before it is done, such as who loses by it; in no digest; NULL */
	/* Removals only: what it counts as, and the user whose leaving it follows from (key; counts
	 * under `users` only). */
	bool is_removal;
	enum guard_category category;
	unsigned weight; /* how many the guard counts it as; 0: one */
	const char *follows_leaver;
	const char *held_by; /* id of the hold, NULL: free to go */
};

/* "user", "job", "cluster_policy", ...: what the operation is about. */
const char *operation_subject(const struct operation *op);
/* "cluster_policy", "token", ...; permissions have the name of their securable instead. */
const char *resource_name(enum resource_kind resource);
bool operation_sets_permissions(
		const struct operation *op); /* of a securable or rule set, or removes them */
/* Stable names for files, logs and metrics: "create", "add_members", ... */
const char *operation_kind_name(enum operation_kind kind);
bool operation_kind_parse(const char *name, enum operation_kind *ret);
/* How a plan marks it: '+', '~', '-', '='. */
char operation_mark(const struct operation *op);
/* One line for people: `add 2 members to group "data-engineers" in account`. In arena. */
const char *operation_describe(
		const struct operation *op, const struct settings *settings, struct arena *arena);
/* Fills op->id from the rest, in arena. */
void operation_set_id(struct operation *op, const struct settings *settings, struct arena *arena);

#endif
