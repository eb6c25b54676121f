/*
 * rule_set -- who manages or uses a group or a service principal, and the account's roles: access-control rule sets.
 *
 * /api/2.0/preview/accounts/ID/access-control at the account, /api/2.0/preview/accounts/access-control through a
 * workspace: the call's target decides; names carry the account id either way, so the account has to be configured
 * (ERR_CONFIG without a call). Facts (databricks-sdk-py service/iam.py, terraform-provider-databricks
 * permissions/resource_access_control_rule_set.go): a rule set always exists and is replaced as a whole, so what others
 * put there goes back with it; a group is named by its SCIM id, a service principal by its APPLICATION id; principals are
 * named, not numbered, so a rename changes what is read. A stale etag: ERR_CONFLICT (read, put the change in anew, write).
 * A group that is not of the account is 400 with words, here ERR_NOT_FOUND.
 */
#ifndef L2D_DATABRICKS_RULE_SET_H
#define L2D_DATABRICKS_RULE_SET_H

#include "databricks/record.h"
#include "model/identity.h"

enum rule_set_kind { RULE_SET_ACCOUNT, RULE_SET_GROUP, RULE_SET_SERVICE };
struct rule_set_of {
	enum rule_set_kind kind;
	const char *id; /* group: SCIM id; service principal: application id; account: not looked at */
};

/* Roles as they are written. */
#define ROLE_GROUP_MANAGER "roles/group.manager"
#define ROLE_SERVICE_MANAGER "roles/servicePrincipal.manager"
#define ROLE_SERVICE_USER "roles/servicePrincipal.user"

/* "group.manager" of "roles/group.manager"; borrowed. */
const char *rule_role_name(const char *role);

struct rule_grant {
	const char *role;        /* "roles/group.manager" */
	struct texts principals; /* rule_principal's form */
};
struct rule_set {
	const char *name;
	const char *etag; /* never empty */
	const struct rule_grant *grants;
	size_t grant_count;
};

/* etag: the answer is at least as fresh; NULL: no need. */
void rule_set_get(struct databricks *databricks, struct call *call, const struct rule_set_of *of,
		const char *etag_or_null);
/* Also of rule_set_put's answer, with the new etag. In arena. Errors: those of the call, ERR_PROTO. */
MUST_CHECK enum err_code rule_set_read(const struct call *call, struct arena *arena,
		struct rule_set *ret, struct err *err);
/*
 * Puts grants in place of all that are there; none: all are taken. Rules of one role become one. etag: of the reading that
 * the grants come from (empty: ERR_BUG without a call).
 */
void rule_set_put(struct databricks *databricks, struct call *call, const struct rule_set_of *of,
		const struct rule_set *rule_set);

void rule_set_roles(struct databricks *databricks, struct call *call, const struct rule_set_of *of);
/* Names of the roles that can be given there. */
MUST_CHECK enum err_code rule_set_roles_read(
		const struct call *call, struct arena *arena, struct texts *ret, struct err *err);

/* "users/USERNAME", "groups/DISPLAYNAME", "servicePrincipals/APPLICATIONID", in arena. */
const char *rule_principal(struct arena *arena, enum principal_kind kind, const char *name);
/* The other way; the name is what follows the first slash, borrowed. false: of no such form. */
bool rule_principal_parse(
		const char *principal, enum principal_kind *ret_kind, const char **ret_name);

#endif
