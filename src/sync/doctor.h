/*
 * doctor -- whether everything that a synchronisation needs is there: directories, sign-ins, rights, names that clash, what
 * is about to expire. Reads only: the one request that is a write names a group that cannot exist.
 *
 * Works beside a running service; nothing of the store is locked.
 */
#ifndef L2D_SYNC_DOCTOR_H
#define L2D_SYNC_DOCTOR_H

#include <jansson.h>

#include "rules/config.h"

#define DOCTOR_EXPIRY_DAYS 14 /* what ends within these is told */

/*
 * Blocks, with a loop of its own. *ret as doc/ldap2dbx.1 says: {"ok": bool, "checks": [{"area": "directory" | "databricks" |
 * "configuration", "name", "check", "state": "ok" | "info" | "warning" | "problem", "text"}]}; a new reference. What cannot
 * be found out is a check of its own, never an error. Errors: ERR_CONFIG.
 */
MUST_CHECK enum err_code doctor_run(
		const struct config *config, uint64_t timeout_ms, json_t **ret, struct err *err);

#endif
