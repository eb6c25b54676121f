/*
 * account_role -- the roles that the account itself gives: account_admin over SCIM, the others through its rule set.
 */
#ifndef L2D_MODEL_ACCOUNT_ROLE_H
#define L2D_MODEL_ACCOUNT_ROLE_H

#include <stddef.h>

#define ROLE_ACCOUNT_ADMIN "account_admin"

/* All of them as rules write them; static. */
const char *const *account_roles(size_t *ret_count);
/* As the account's rule set writes it: "roles/billing.admin" of "billing.admin"; static. NULL: it is none of its roles. */
const char *account_rule_role(const char *name);

#endif
