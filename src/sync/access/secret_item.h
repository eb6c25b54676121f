/*
 * secret_item -- OAuth secrets of service principals that rules want to have one, and their rotation.
 *
 * An item stands for one service principal. Databricks shows a secret once and cannot change one, so rotation is: make a
 * new one before the old one ends, deliver it (secret_sink.h), and only then delete those of ours that it replaces. Which
 * are ours is in the holdings, recorded as soon as the answer is there and again when it was delivered: one that was not
 * delivered is deleted and made anew. Secrets of others are never touched. Nothing here keeps, logs or plans the secret.
 */
#ifndef L2D_SYNC_ACCESS_SECRET_ITEM_H
#define L2D_SYNC_ACCESS_SECRET_ITEM_H

#include "sync/access/item.h"

extern const struct item_class secret_class;

/* That service principal is there, or its rule changed: it may have to have a secret. */
void secrets_principal_changed(struct access *access, const struct object *object);
void secrets_resolve(struct access *access); /* all of them */
void secrets_tick(struct access *access);
/* Makes the item that a stored holding or an open intent is about; id: SCIM id of the service principal. */
struct item *secret_item(struct access *access, const char *id, const char *name);

#endif
