/*
 * cluster_policy -- cluster policies as the mapping has them: made, edited, adopted where a rule says so, and deleted when no
 * rule wants them any more.
 *
 * An item stands for one policy of one workspace that a rule wants or that is ours. Ours is told by its id, so a policy that
 * somebody renamed is still ours; what is not ours is told by its name. Whether it goes when its rule goes is remembered
 * with the holding, for the rule that said so is gone then.
 */
#ifndef L2D_SYNC_ACCESS_CLUSTER_POLICY_H
#define L2D_SYNC_ACCESS_CLUSTER_POLICY_H

#include "sync/access/item.h"

extern const struct item_class cluster_policy_class;

/* The policies that rules want, workspace by workspace; what was loaded keeps its item. */
void cluster_policy_start(struct access *access);
/* The item of that name, made if there is none: of a stored holding or an open intent. */
struct item *cluster_policy_item(struct access *access, unsigned target, const char *name);

#endif
