/*
 * profile_file -- one section of a file like ~/.databrickscfg, read whenever something of it is needed; its text holds
 * secrets, so it is wiped after.
 */
#ifndef L2D_DATABRICKS_AUTH_PROFILE_FILE_H
#define L2D_DATABRICKS_AUTH_PROFILE_FILE_H

#include "base/secret.h"
#include "databricks/auth/ini.h"

#define PROFILE_FILE_MAX ((size_t)1024 * 1024) /* bytes */

/* $DATABRICKS_CONFIG_FILE, or ~/.databrickscfg. Caller's, mem_free. */
char *profile_file_path(void);

/*
 * Reads one section. *ret_file false: there is no such file, which is fine; ret->found false: no file or no section.
 * ret is the caller's (ini_release). Errors: ERR_CONFIG.
 */
MUST_CHECK enum err_code profile_file_read(const char *path, const char *section, bool *ret_file,
		struct ini *ret, struct err *err);

/* Reads one value. Errors: ERR_CONFIG (it is gone). */
MUST_CHECK enum err_code profile_file_secret(const char *path, const char *section, const char *key,
		struct secret *ret, struct err *err);

#endif
