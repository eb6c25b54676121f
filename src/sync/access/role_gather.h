/*
 * role_gather -- who has which role, as it was read, beside what is ours and what rules want: the entries of role_lookup.h.
 *
 * Private to sync/access. Texts are copied into the arena.
 */
#ifndef L2D_SYNC_ACCESS_ROLE_GATHER_H
#define L2D_SYNC_ACCESS_ROLE_GATHER_H

#include "databricks/rule_set.h"
#include "sync/access/acl.h"

struct role_gather {
	struct access *access;
	struct arena *arena;
	unsigned target;                    /* the account, or the workspace that is asked about */
	bool is_workspace;                  /* every grant there counts; else roles alone */
	VEC(struct acl_view_entry) entries; /* one for each principal in each role */
};

void role_gather_release(struct role_gather *gather);
void role_gather_rule_set(struct role_gather *gather, const struct rule_set *set);
/* What the item of the rule set knows; fresh: what is there was read anew. */
void role_gather_known(struct role_gather *gather, struct item *item, bool fresh);
/* Of the principal of that id; grant: where, and what; its former is not looked at. */
void role_gather_grant(struct role_gather *gather, enum principal_kind kind, const char *id,
		const char *name, const struct held_grant *grant);
/* What rules want and nobody showed. A level that is covered by a higher one is there. */
void role_gather_missing(struct role_gather *gather);
/* By principal and role; *ret lives until the next change. */
size_t role_gather_sort(struct role_gather *gather, const struct acl_view_entry **ret);

#endif
