/*
 * secret_item -- OAuth secrets of service principals that rules want to have one, and their rotation (credential.h).
 *
 * An item stands for one service principal. A secret has no text of ours at Databricks, so one whose answer was lost is known
 * again by what the intent says: it was not there before, and its lifetime is to the second what was asked for, which is a
 * little less than what the rule says, and not the same twice.
 */
#ifndef L2D_SYNC_ACCESS_SECRET_ITEM_H
#define L2D_SYNC_ACCESS_SECRET_ITEM_H

#include "sync/access/item.h"

extern const struct item_class secret_class;

/* That service principal is there, or its rule changed: it may have to have a secret. */
void secrets_principal_changed(struct access *access, const struct object *object);
void secrets_resolve(struct access *access); /* all of them */
/* Makes the item that a stored holding or an open intent is about; id: SCIM id of the service principal. */
struct item *secret_item(struct access *access, const char *id, const char *name);

#endif
