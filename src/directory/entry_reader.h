/*
 * entry_reader -- a SearchResultEntry (RFC 4511, section 4.5.2) as a struct entry.
 */
#ifndef L2D_DIRECTORY_ENTRY_READER_H
#define L2D_DIRECTORY_ENTRY_READER_H

#include <ldap.h>

#include "directory/feed_search.h"
#include "model/entry.h"

struct entry_reading {
	struct entry entry; /* anchor NULL: entryUUID was not among the attributes */
	bool is_dynamic;    /* a group whose members the server computes */
	bool is_cut; /* over a limit of model/entry.h, or its DN is no UTF-8: the entry is there and cannot be taken in; only anchor and dn are set */
};

/*
 * Names become lower-case, without options; values of an attribute with options stand behind those without
 * ("cn;lang-de" behind "cn"). What the rules did not ask for is left out. Everything is copied into arena.
 * Errors: ERR_PROTO.
 */
MUST_CHECK enum err_code entry_read(LDAP *ld, LDAPMessage *message,
		const struct feed_search *search, struct arena *arena, struct entry_reading *ret,
		struct err *err);

#endif
