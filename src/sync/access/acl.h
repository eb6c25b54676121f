/*
 * acl -- access control lists of securables: which entries rules want, which are ours, which are there.
 *
 * An item stands for one object that a rule selects, or of which an entry is ours. Entries are merged in by PATCH, one
 * request for all of an object; PATCH cannot take one away, so removing reads the list, drops ours and replaces the rest.
 */
#ifndef L2D_SYNC_ACCESS_ACL_H
#define L2D_SYNC_ACCESS_ACL_H

#include "sync/access/item.h"

/* The finder met an object; an item is made if a rule selects it. round: of the look. */
void acl_found(struct access *access, unsigned target, enum securable_type type,
		const struct securable_facts *facts, uint64_t round);
/* That look is over: items that it did not meet are no longer what rules select, or gone: they are read again. */
void acl_missing(struct access *access, unsigned target, enum securable_type type, uint64_t round);
/* Rules of that type changed there: all items of it are planned again. */
void acl_rules_changed(struct access *access, unsigned target, enum securable_type type);
/* Makes the item that a stored holding or an open intent is about. */
struct item *acl_item(struct access *access, unsigned target, enum securable_type type,
		const char *id, const char *name);

/* Those principals' entries went with them; items of other classes are left alone. */
void acl_forget_principal(struct access *access, struct item *item, const struct concern *concern);

/* ---- for explain and who-can ---- */
struct acl_view_entry {
	const char *key; /* "group/FOLDED NAME" */
	const char *name;
	const char *direct, *inherited, *from; /* as read */
	const char *held, *former;             /* ours */
	const char *wanted;                    /* NULL: no rule */
	struct why why;
};
/* Of an item of this class: everybody who is wanted, ours or there. Array in arena. */
size_t acl_view(struct access *access, struct item *item, struct arena *arena,
		const struct acl_view_entry **ret);

#endif
