/*
 * plan -- what must be done to one object so that it is as wanted. Pure: same inputs, same
 * operations, same order.
 *
 * The order within an object is the order in which its operations are carried out: make or adopt,
 * fields, members, grants; for somebody who leaves: grants, then the account. What is not complete
 * (a directory search, a list) comes in as removals_allowed = false, and then no removal is
 * planned: unknown is not gone.
 */
#ifndef L2D_SYNC_PLAN_H
#define L2D_SYNC_PLAN_H

#include "model/operation.h"
#include "sync/object.h"
#include "sync/subject.h"

enum wanted_state {
	WANTED_PRESENT, /* identity says how */
	WANTED_NAMED,   /* only grants: the principal itself is somebody else's */
	WANTED_LEAVING, /* out of scope, inactive or gone */
	WANTED_UNSURE   /* leave as it is */
};

struct wanted {
	enum wanted_state state;
	const struct identity *identity; /* PRESENT; LEAVING: may be NULL */
	struct object *const *members;   /* groups: objects at the same target */
	size_t member_count;
	const struct wanted_grant *grants;
	size_t grant_count;
	struct why why;
};

/* What a group of the account may do in workspaces, by assignments. */
enum power {
	POWER_NONE,
	POWER_ADMIN,     /* it administers one */
	POWER_UNKNOWN,   /* that is being read */
	POWER_UNREADABLE /* a workspace does not tell */
};

struct plan_context {
	const struct settings *settings;
	struct registry *registry;
	enum leaver_action leavers;
	bool removals_allowed;
	bool grants_unsure; /* a rule that may give to it could not be made: what it was given stays */
	bool lists_known; /* foreign principals were read since the start: who is protected is known by id */
	uint64_t now_ns;     /* CLOCK_MONOTONIC, for refused members */
	struct arena *arena; /* of everything in the plan but keys of objects and texts of the rules */
	/* What people call an object that may not be made yet. */
	const char *(*name_of)(void *context, const struct object *object);
	/* Level that a principal has in a workspace by somebody else's hand, NULL: none. */
	const char *(*assigned_level)(void *context, unsigned workspace, uint64_t id);
	/* *ret_workspace: with POWER_ADMIN and POWER_UNREADABLE, which. */
	enum power (*power_of)(void *context, uint64_t group, unsigned *ret_workspace);
	/* DN of another entry that claims the object's name at its target, NULL: none. */
	const char *(*rival_of)(void *context, const struct object *object);
	/* DN of the object's entry, NULL: it has none now. */
	const char *(*entry_of)(void *context, const struct object *object);
	void *context; /* of all of these */
};

struct object_plan {
	VEC(struct operation) operations;
	const char *quarantine;   /* why this object can't be planned; in arena, NULL: it can */
	struct object *waits_for; /* a wanted member that is about to be made: plan again when it
				     is; NULL */
	bool waits_for_power;     /* nothing is planned until a workspace answers */
	bool leaving;             /* WANTED_LEAVING and ours */
	size_t extra_members;     /* foreign members of a group, shown and left */
};
void object_plan_release(struct object_plan *plan);

void plan_object(const struct plan_context *context, struct object *object,
		const struct wanted *wanted, struct object_plan *ret);

/* Whether a protected principal is meant: its name is in settings or one of the platform's own.
 * Never touched. */
bool plan_is_protected(const struct settings *settings, enum principal_kind kind, const char *name);

#endif
