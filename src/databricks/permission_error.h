/*
 * permission_error -- what the Permissions API, and what gets single objects, mean by their refusals: the statuses and
 * error codes do not tell (permissions.md 6), so the words of the message decide. Pure.
 */
#ifndef L2D_DATABRICKS_PERMISSION_ERROR_H
#define L2D_DATABRICKS_PERMISSION_ERROR_H

#include "databricks/client.h"

struct permission_error {
	enum err_code code;
	enum refusal refusal;
};
/* false: the message says nothing known, and status and error code count. */
bool permission_error_read(int status, const char *message, struct permission_error *ret);

/*
 * "Principal: GroupName(x) does not exist": who that is; *ret_name is part of the message. *ret_kind is
 * PRINCIPAL_KIND_COUNT_ for a kind that is not known.
 */
bool permission_error_principal(
		struct span message, enum principal_kind *ret_kind, struct span *ret_name);

#endif
