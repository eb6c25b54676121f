/*
 * service_principal_secret -- OAuth secrets of a service principal.
 *
 * /api/2.0/accounts/ID/servicePrincipals/SPID/credentials/secrets at the account,
 * /api/2.0/accounts/servicePrincipals/SPID/... through a workspace that it is in: the target decides. SPID is the SCIM id,
 * not the application id. Facts (databricks-sdk-py service/oauth2.py): the secret is in the answer to its creation and
 * nowhere else; there is no update, so rotation is a second one, then the removal of the first; at most 5 each; no longer
 * than 730 days. Nothing guards against doing a creation twice: whoever does not learn its end (effect_unknown) lists, and
 * deletes what is new.
 */
#ifndef L2D_DATABRICKS_SERVICE_PRINCIPAL_SECRET_H
#define L2D_DATABRICKS_SERVICE_PRINCIPAL_SECRET_H

#include "databricks/listing.h"

#define SERVICE_SECRETS_MAX 5
#define SERVICE_SECRET_LIFETIME_MAX_S (INT64_C(730) * 86400)

struct service_secret {
	const char *id;
	const char *hash;
	const char *status; /* only "ACTIVE" is one to count on */
	int64_t created_ms, updated_ms;
	int64_t expires_ms;  /* 0: never */
	struct texts scopes; /* none: all */
};
bool service_secret_is_active(const struct service_secret *secret);

/* items: struct service_secret. */
struct listing *service_secret_list_start(struct databricks *databricks, unsigned target,
		const char *service_id,
		void (*done)(void *context, const void *items, size_t count,
				const struct err *err_or_null),
		void *context);

/* lifetime_s: 1 to SERVICE_SECRET_LIFETIME_MAX_S, 0: the longest; else ERR_LIMIT without a call. */
void service_secret_create(struct databricks *databricks, struct call *call, const char *service_id,
		int64_t lifetime_s);
/*
 * The secret, once: what the answer held of it is overwritten. ret_value is the caller's (secret_release). Errors: those of
 * the call; ERR_PROTO.
 */
MUST_CHECK enum err_code service_secret_read_created(struct call *call, struct arena *arena,
		struct service_secret *ret, struct secret *ret_value, struct err *err);
void service_secret_delete(struct databricks *databricks, struct call *call, const char *service_id,
		const char *secret_id);

#endif
