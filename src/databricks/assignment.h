/*
 * assignment -- workspaces of the account, and which account principals are in which workspace.
 *
 * Account form: /api/2.0/accounts/ID/workspaces/W/permissionassignments. Calls go to the account target and need the
 * workspace's numeric id. Without an account in the configuration there is no assignment: principals are made in each
 * workspace.
 */
#ifndef L2D_DATABRICKS_ASSIGNMENT_H
#define L2D_DATABRICKS_ASSIGNMENT_H

#include "databricks/client.h"
#include "model/identity.h"

/* The numeric id of a workspace target: from the settings, else X-Databricks-Org-Id of GET /Me (call->org_id). */
void assignment_ask_workspace_id(
		struct databricks *databricks, struct call *call, unsigned workspace);

/* GET /Me of a workspace target: whom we sign in as there. */
void assignment_ask_self(struct databricks *databricks, struct call *call);
/* The SCIM id that a done one was answered with; 0: none. */
uint64_t assignment_self_id(const struct call *call);

struct assignment {
	const char *principal_id;
	enum principal_kind kind;
	const char *name;  /* user_name, group_name or service_principal_name */
	const char *level; /* "USER" or "ADMIN" */
};
/* All assignments of a workspace; follows next_page_token. done's array ends after the call; NULL error = complete. */
struct assignment_list;
struct assignment_list *assignment_list_start(struct databricks *databricks,
		const char *workspace_id,
		void (*done)(void *context, const struct assignment *assignments, size_t count,
				const struct err *err_or_null),
		void *context);
void assignment_list_cancel(struct assignment_list *list);

/* level: "USER" or "ADMIN", nothing else is ever sent (anything else means removal to the service). */
void assignment_put(struct databricks *databricks, struct call *call, const char *workspace_id,
		const char *principal_id, const char *level);
/* An answer 200 may still carry an item error: turns it into call->err. Call it on every done assignment_put. */
MUST_CHECK enum err_code assignment_check_put(struct call *call, struct err *err);
void assignment_delete(struct databricks *databricks, struct call *call, const char *workspace_id,
		const char *principal_id);

#endif
