/*
 * membership -- what an evaluation may ask about the graph around its entry, as a table of
 * functions.
 *
 * rules/ declares no knowledge of the snapshot; sync/ fills this table from it.
 */
#ifndef L2D_MODEL_MEMBERSHIP_H
#define L2D_MODEL_MEMBERSHIP_H

#include <stdbool.h>

struct membership {
	void *context;
	/*
	 * Whether the entry under evaluation is a member, directly or through other groups, of a
	 * group whose cn matches the glob (case folded).
	 */
	bool (*in_group)(void *context, const char *glob);
};

#endif
