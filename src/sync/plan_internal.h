/*
 * plan_internal -- what the parts of plan.c share: the principal itself, members, grants, who is protected.
 *
 * Private to plan*.c. Pure, like plan.h.
 */
#ifndef L2D_SYNC_PLAN_INTERNAL_H
#define L2D_SYNC_PLAN_INTERNAL_H

#include "sync/plan.h"

struct planner {
	const struct plan_context *context;
	struct object *object;
	const struct wanted *wanted;
	struct object_plan *plan;
	uint64_t id; /* the object's, or of what it adopts; 0: not known */
};

/* ---- planner.c: one operation after the other ---- */

/* An id as text in the plan's arena; NULL for 0. */
const char *planner_id(const struct planner *p, uint64_t id);
/* A new operation at the end of the plan, about the object itself; valid until the next one is added. */
struct operation *planner_add(struct planner *p, enum operation_kind kind);
/* All of it is set: it gets its id. */
void planner_finish(struct planner *p, struct operation *op);
void planner_mark_removal(
		const struct planner *p, struct operation *op, enum guard_category category);
/* Why the object can't be planned; the last one counts. */
void planner_quarantine(struct planner *p, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* ---- plan_principal.c ---- */

/* Of one that is not ours yet: adopts or makes it, or says why not. */
void planner_new(struct planner *p);
/* Of one that is ours: fields that changed. */
void planner_update(struct planner *p);

/* ---- plan_members.c, plan_grants.c ---- */

void planner_members(struct planner *p);
void planner_grant_additions(struct planner *p);
void planner_grant_removals(struct planner *p);

/* ---- plan_protect.c ---- */

/* users, admins, account users: the platform's own. */
bool plan_is_system_group(enum principal_kind kind, const char *name);
/* The member with that id is protected, as far as lists told its name. */
bool planner_is_protected_member(const struct planner *p, uint64_t id);

#endif
