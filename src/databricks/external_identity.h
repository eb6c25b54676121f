/*
 * external_identity -- whom the identity provider brings: automatic identity management.
 *
 * GET /api/2.0/identity/accounts/ID/external-groups/XID, external-users/XID (databricks-sdk-py service/iamv2.py): XID is the
 * id in the identity provider. Answered only where automatic identity management is on, an error otherwise; there is no
 * endpoint for the switch itself. A read may provision whom it names: ask only for one that is there already.
 */
#ifndef L2D_DATABRICKS_EXTERNAL_IDENTITY_H
#define L2D_DATABRICKS_EXTERNAL_IDENTITY_H

#include "databricks/client.h"

/* call->target has to be the account; kind: users and groups. */
void external_identity_get(struct databricks *databricks, struct call *call,
		enum principal_kind kind, const char *external_id);

#endif
