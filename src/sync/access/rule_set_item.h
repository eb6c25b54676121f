/*
 * rule_set_item -- who manages and uses groups and service principals of the account, and who has the account's own roles:
 * access-control rule sets.
 *
 * An item stands for the rule set of one group or service principal that a grant names (manages_groups, manages_services,
 * uses_services), for the account's (roles but account_admin), or for one in which an entry is ours. A rule set is replaced
 * as a whole under its etag, so a write reads it, puts ours in or takes ours out, and puts the rest back as it was. Entries of
 * others stay theirs.
 */
#ifndef L2D_SYNC_ACCESS_RULE_SET_ITEM_H
#define L2D_SYNC_ACCESS_RULE_SET_ITEM_H

#include "sync/access/acl.h"

extern const struct item_class rule_set_class;

struct rule_book; /* what grants say */
struct rule_book *rule_book_new(void);
void rule_book_free(struct rule_book *book); /* NULL is fine */

/* The rules of that node, as access_set_node_rules. */
void rule_sets_set_rules(
		struct access *access, node_id node, const struct grant_rule *rules, size_t count);
/* Principals were read or made: items whose group or service principal was not known look again. */
void rule_sets_resolve(struct access *access);
void rule_sets_principal_changed(struct access *access, const struct object *object);
/* Makes the item that a stored holding is about; id: SCIM id of a group, application id, account's id. */
struct item *rule_set_item(struct access *access, const char *id, const char *name);
/* That of an open intent, by its key: its name is for people. */
struct item *rule_set_item_of_key(struct access *access, const char *id, const char *key);
void rule_set_load(struct access *access, struct item *item, const struct store_holding *holding);
void rule_set_release(struct item *item);
/* "account", "group", "service_principal"; static. */
const char *rule_set_of_what(const struct item *item);
size_t rule_set_count_held(const struct item *item);
/* As acl_view; the levels are roles without "roles/", and an entry is a principal in one role. */
size_t rule_set_view(struct access *access, struct item *item, struct arena *arena,
		const struct acl_view_entry **ret);

#endif
