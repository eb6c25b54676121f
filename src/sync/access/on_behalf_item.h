/*
 * on_behalf_item -- tokens that service principals own and that we make for them where a grant's rule asks, and their
 * rotation (credential.h).
 *
 * An item stands for one service principal in one workspace; all of a workspace are read by one list of its tokens. A
 * token's comment bears the mark of its intent, by which one whose answer was lost is known again.
 */
#ifndef L2D_SYNC_ACCESS_ON_BEHALF_ITEM_H
#define L2D_SYNC_ACCESS_ON_BEHALF_ITEM_H

#include "sync/access/item.h"

extern const struct item_class on_behalf_class;

/* Which grants ask for tokens. */
struct on_behalf_book;
struct on_behalf_book *on_behalf_book_new(void);
void on_behalf_book_free(struct on_behalf_book *book); /* NULL is fine */

/* The rules of that node, as access_set_node_rules. */
void on_behalf_set_rules(
		struct access *access, node_id node, const struct grant_rule *rules, size_t count);
/* That service principal is there, was assigned, or leaves. */
void on_behalf_principal_changed(struct access *access, const struct object *object);
void on_behalf_resolve(struct access *access); /* all of them */
/* Makes the item that a stored holding or an open intent is about; id: SCIM id of the service principal. */
struct item *on_behalf_item(
		struct access *access, unsigned target, const char *id, const char *name);
/* Whether it is one that was made here: this module alone says when it goes. */
bool on_behalf_is_ours(const struct access *access, unsigned target, const char *token_id);
/* Somebody revoked that one. */
void on_behalf_revoked(struct access *access, unsigned target, const char *token_id);

#endif
