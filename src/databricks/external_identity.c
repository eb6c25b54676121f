#include "databricks/external_identity.h"

#include "databricks/http.h"
#include "databricks/record.h"

void external_identity_get(struct databricks *databricks, struct call *call,
		enum principal_kind kind, const char *external_id)
{
	AUTO(mem_freep) char *escaped = http_escape(external_id);

	call_prepare(call, METHOD_GET, FAMILY_ACCOUNT_OTHER,
			mem_printf("/api/2.0/identity/accounts/%s/external-%s/%s",
					databricks_account_id(databricks),
					kind == PRINCIPAL_USER ? "users" : "groups", escaped),
			NULL);
	if (databricks_is_account(databricks, call->target))
		call_send(databricks, call);
	else
		record_refuse(databricks, call, ERR_CONFIG,
				"external identities are those of the account: it is not "
				"configured");
}
