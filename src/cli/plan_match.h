/*
 * plan_match -- what of a plan file still holds: its operations against those that a plan made now
 * contains.
 *
 * An operation of the file that no operation of the plan is part of has moved on: it was done
 * meanwhile, or its object changed so that it would be another one now. Pure.
 */
#ifndef L2D_CLI_PLAN_MATCH_H
#define L2D_CLI_PLAN_MATCH_H

#include "sync/plan_file.h"

struct plan_match {
	bool *stale; /* by index into the file's operations: moved on */
	size_t stale_count;
	size_t go, held;  /* operations of the plan that the file covers: free to go, held */
	size_t uncovered; /* operations of the plan that the file does not name: left alone */
};
/* Linear in both, but for many operations on the same object. The result is the caller's:
 * plan_match_release. */
void plan_match(const struct plan_file *file, const struct plan *plan, struct plan_match *ret);
void plan_match_release(struct plan_match *match);

#endif
