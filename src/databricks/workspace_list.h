/*
 * workspace_list -- the workspaces of the account, and at which address each is reached.
 *
 * GET /api/2.0/accounts/ID/workspaces: a bare array, not paged (databricks-sdk-py service/provisioning.py). A workspace's
 * host is `workspace_url` where the answer has it. Else, by the SDK's table (databricks-sdk-py environments.py), it is the
 * deployment name in the DNS zone of the account's host, if that is an "accounts." or "accounts-dod." host. Any other
 * account host serves both levels: the workspace is reached there, by the header X-Databricks-Workspace-Id, which
 * client.h sends for every target whose workspace_id is known.
 */
#ifndef L2D_DATABRICKS_WORKSPACE_LIST_H
#define L2D_DATABRICKS_WORKSPACE_LIST_H

#include "databricks/record.h"

struct workspace_info {
	const char *id;   /* decimal */
	const char *name; /* need not be unique */
	const char *deployment;
	const char *url;    /* as answered; NULL: not */
	const char *status; /* "RUNNING", ...; words that this version does not know may come */
	const char *cloud, *region, *pricing_tier;
	const char *azure_subscription_id, *azure_resource_group;
	struct pairs tags;
	int64_t created_ms;
	/* worked out */
	bool usable;      /* RUNNING, and a host is known */
	bool routed;      /* host is the account's: reached by the header only */
	const char *host; /* normalised as profile.h does; NULL: none can be told */
};

/* call->target has to be the account: ERR_CONFIG without a call. */
void workspace_list(struct databricks *databricks, struct call *call);
/* In arena; account_host as in struct target_status. Errors: those of the call, ERR_PROTO, ERR_INCOMPLETE. */
MUST_CHECK enum err_code workspace_list_read(const struct call *call, const char *account_host,
		struct arena *arena, const struct workspace_info **ret, size_t *ret_count,
		struct err *err);

#endif
