/*
 * role_lookup -- who has which role on a group, a service principal, the account or a workspace, as it is now.
 *
 * Of a group and a service principal that is its rule set; of the account its rule set and who is account_admin over SCIM
 * (three lists with roles); of a workspace its assignments, and entitlements and instance profiles (three lists there). All is
 * read for the question; what is ours and what rules want is put beside it.
 */
#ifndef L2D_SYNC_ACCESS_ROLE_LOOKUP_H
#define L2D_SYNC_ACCESS_ROLE_LOOKUP_H

#include "sync/access/lookup.h"

/* "group:NAME", "group/ID", "service_principal:NAME or APPLICATION ID", "workspace:NAME", "account": not an object of lookup.h. */
bool role_lookup_is_meant(const char *object);

struct role_lookup;
/* As lookup_new. Errors: ERR_USAGE (nothing named, no such workspace, no account). */
MUST_CHECK enum err_code role_lookup_new(struct access *access, const struct lookup_query *query,
		struct task *wakes, struct role_lookup **ret, struct err *err);
void role_lookup_free(struct role_lookup *lookup); /* cancels; NULL is fine */
bool role_lookup_is_done(const struct role_lookup *lookup);
/* As lookup_result; entries are by principal and role. */
MUST_CHECK enum err_code role_lookup_result(const struct role_lookup *lookup,
		const struct lookup_object **ret, struct err *err);

#endif
