/*
 * host -- addresses of targets as people write them.
 */
#ifndef L2D_DATABRICKS_AUTH_HOST_H
#define L2D_DATABRICKS_AUTH_HOST_H

#include "base/err.h"
#include "base/mem.h"

/*
 * Normalises a host as people write it: "https://" if no scheme, without port 443, slash at the end and query (whose ids go
 * to *ret_workspace_id and *ret_account_id if it has any). Errors: ERR_CONFIG (no host, user info, http to another machine).
 */
MUST_CHECK enum err_code host_normalise(const char *text, char **ret, char **ret_workspace_id,
		char **ret_account_id, struct err *err);

/* Whether url is https, or http to this very machine. */
bool host_url_is_safe(const char *url);

#endif
