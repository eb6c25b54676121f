/*
 * lookup -- one object of a workspace as a person names it, and its access control list as it is now.
 *
 * Objects that are items are found without a call, all others in Databricks: by name or path where the type has such a call,
 * else in its list, at last by id. The list of rights is read for the question, so that what others did a minute ago is in it;
 * where it cannot be read, what the item knows must do.
 */
#ifndef L2D_SYNC_ACCESS_LOOKUP_H
#define L2D_SYNC_ACCESS_LOOKUP_H

#include "sync/access/acl.h"

#define LOOKUP_HITS_MAX 1000 /* objects of one name that are told apart; more are not counted */

struct lookup_query {
	/* "/PATH", "TYPE:NAME", "TYPE:ID", "TYPE:/PATH" or "TYPE/ID" */
	const char *object;
	const char *workspace; /* pattern of target_matches; NULL: every one */
};

struct lookup_object {
	unsigned target;
	const char *kind; /* for people: the type's name, "group", "account"; static */
	bool has_roles; /* entries are roles, which are no ladder (role_lookup.h), and type says nothing */
	enum securable_type type;
	const char *id, *name;
	bool is_item; /* a rule selects it, or an entry is ours */
	const char *stale; /* why its list could not be read now, so that entries are as known; NULL: they are fresh */
	const struct acl_view_entry *entries;
	size_t count;
};

struct lookup;
/*
 * Begins. wakes runs when it is done, never inside. The texts of query are copied.
 * Errors: ERR_USAGE (no such type, no such workspace, a text that names no object).
 */
MUST_CHECK enum err_code lookup_new(struct access *access, const struct lookup_query *query,
		struct task *wakes, struct lookup **ret, struct err *err);
void lookup_free(struct lookup *lookup); /* cancels; NULL is fine */
bool lookup_is_done(const struct lookup *lookup);
/*
 * Of one that is done. *ret lives as long as the lookup. Errors: ERR_NOT_FOUND, ERR_USAGE (several: the text lists them),
 * those of calls.
 */
MUST_CHECK enum err_code lookup_result(
		const struct lookup *lookup, const struct lookup_object **ret, struct err *err);

#endif
