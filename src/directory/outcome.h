/*
 * outcome -- what an LDAP result code means for us, and what to do about it.
 */
#ifndef L2D_DIRECTORY_OUTCOME_H
#define L2D_DIRECTORY_OUTCOME_H

#include "base/err.h"

/*
 * Sets *err for result code (RFC 4511, appendix A; negative: libldap's own), which is not success. The text is
 * "<fmt...>: <name> (<code>): <what the server said>; <remedy>". said: the diagnostic message, NULL or "" for none.
 * Codes of err: ERR_INCOMPLETE for the limits (3, 4, 11), ERR_NOT_FOUND for 32, ERR_AUTH for a refused credential,
 * ERR_CONFIG for what a person must change, ERR_CONFLICT for 4096, ERR_IO, ERR_TIMEOUT and ERR_SERVER for what passes.
 */
enum err_code outcome_set(struct err *err, int code, const char *said, const char *fmt, ...)
		PRINTF_LIKE(4, 5);

#endif
