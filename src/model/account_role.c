#include "model/account_role.h"

#include "base/mem.h"
#include "base/text.h"

/* databricks-sdk-py service/iam.py: what assignable-roles tells of an account. */
static const char *const names[] = {ROLE_ACCOUNT_ADMIN, "billing.admin", "marketplace.admin",
		"tagPolicy.creator", "tagPolicy.manager", "tagPolicy.assigner"};
static const char *const rule_roles[] = {NULL, "roles/billing.admin", "roles/marketplace.admin",
		"roles/tagPolicy.creator", "roles/tagPolicy.manager", "roles/tagPolicy.assigner"};
_Static_assert(COUNT_OF(names) == COUNT_OF(rule_roles), "a role per name");

const char *const *account_roles(size_t *ret_count)
{
	*ret_count = COUNT_OF(names);
	return names;
}

const char *account_rule_role(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (text_equal(names[i], name))
			return rule_roles[i];
	}
	return NULL;
}
