/*
 * ip_access_list -- lists of addresses that may (ALLOW) or may not (BLOCK) reach a workspace or the account.
 *
 * /api/2.0/ip-access-lists at a workspace, /api/2.0/accounts/ID/ip-access-lists at the account: the call's target decides.
 * Facts (databricks-sdk-py service/settings.py, terraform-provider-databricks access/): not paged, no etag; IPv4 addresses
 * and CIDRs only, 1000 over all lists of the place; a new list begins enabled. Label and type together are unique: 400
 * RESOURCE_ALREADY_EXISTS (ERR_CONFLICT). A change that would shut out the caller is refused with nothing changed:
 * ERR_REFUSED with REFUSAL_LOCK_OUT. The lists mean nothing until the place's switch is on: enableIpAccessLists of
 * workspace_setting.h, acct_ip_acl_enable at the account; then any enabled BLOCK match rejects, else an enabled ALLOW list
 * has to match if there is one. What is rejected gets 403: ERR_DENIED with REFUSAL_IP_BLOCKED.
 */
#ifndef L2D_DATABRICKS_IP_ACCESS_LIST_H
#define L2D_DATABRICKS_IP_ACCESS_LIST_H

#include "databricks/record.h"

#define IP_ACCESS_VALUES_MAX 1000 /* addresses and CIDRs over all lists of a place */

enum ip_access_type { IP_ACCESS_ALLOW, IP_ACCESS_BLOCK };
const char *ip_access_type_name(enum ip_access_type type); /* "ALLOW", "BLOCK" */

struct ip_access_list {
	const char *id;
	const char *label;
	enum ip_access_type type;
	struct texts addresses;
	bool enabled;
	int64_t address_count;
	const char *created_by_id, *updated_by_id; /* SCIM ids; NULL: not said */
	int64_t created_ms, updated_ms;
};

void ip_access_list_list(struct databricks *databricks, struct call *call);
/* In arena. Errors: those of the call, ERR_PROTO, ERR_INCOMPLETE. */
MUST_CHECK enum err_code ip_access_list_list_read(const struct call *call, struct arena *arena,
		const struct ip_access_list **ret, size_t *ret_count, struct err *err);
void ip_access_list_get(struct databricks *databricks, struct call *call, const char *id);
/* What get and create were answered with. Answers to replace and set_enabled may be empty: they are not read. */
MUST_CHECK enum err_code ip_access_list_read(const struct call *call, struct arena *arena,
		struct ip_access_list *ret, struct err *err);

/* Label, type and addresses of list; it begins enabled whatever list says. Over the limit: ERR_LIMIT without a call. */
void ip_access_list_create(struct databricks *databricks, struct call *call,
		const struct ip_access_list *list);
/* Label, type, addresses and enabled of list, whole, in place of what is there. */
void ip_access_list_replace(struct databricks *databricks, struct call *call,
		const struct ip_access_list *list);
void ip_access_list_set_enabled(
		struct databricks *databricks, struct call *call, const char *id, bool enabled);
void ip_access_list_delete(struct databricks *databricks, struct call *call, const char *id);

#endif
