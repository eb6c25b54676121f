/*
 * federation_item -- federation policies of service principals: whose tokens of an identity provider Databricks takes.
 *
 * An item stands for all policies of one service principal. They are found by policy_id, which the rule chooses. Only those
 * that are ours are changed and deleted; one of the same id that somebody else made is left, and told.
 */
#ifndef L2D_SYNC_ACCESS_FEDERATION_ITEM_H
#define L2D_SYNC_ACCESS_FEDERATION_ITEM_H

#include "sync/access/item.h"

extern const struct item_class federation_class;

void federation_principal_changed(struct access *access, const struct object *object);
void federation_resolve(struct access *access); /* all of them */
/* Makes the item that a stored holding or an open intent is about; id: SCIM id of the service principal. */
struct item *federation_item(struct access *access, const char *id, const char *name);

#endif
