/*
 * permissions_change -- a change of an ACL on its way: what permissions_change.c reads, whom it names
 * (permissions_principal.c), who may own (permissions_owner.c).
 */
#ifndef SIM_PERMISSIONS_CHANGE_H
#define SIM_PERMISSIONS_CHANGE_H

#include "permissions.h"

struct entry {
	struct principal *who;
	enum permission level;
};

/* Nothing of it is in effect before all of it was found good. */
struct change {
	struct api_call *call;
	const struct acl_request *request;
	struct object *object;
	struct principal *old_owner;
	struct {
		struct entry *items;
		size_t count, room;
	} entries;
	struct aces after;
};

/* Whom an entry names, in one of three ways; NULL: nobody that these ACLs know, and the refusal is written. */
struct principal *change_read_principal(struct change *change, const json_t *item);
const char *principal_text(const struct principal *who); /* as ACLs call it */
const char *principal_word(const struct principal *who); /* "UserName", for texts */

/* Exactly one owner, and who may make whom that. false: refused. May add the old owner to what comes after. */
bool change_check_owner(struct change *change);

#endif
