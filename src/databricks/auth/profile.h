/*
 * profile -- where a target is and how we sign in there: settings, DATABRICKS_* variables and ~/.databrickscfg together.
 *
 * The rules are those of Databricks' SDKs (databricks-sdk-go config/config.go): what the settings say comes first, then the
 * environment (an empty variable counts as unset), then the profile file for what is still open. A profile is named by the
 * settings or by DATABRICKS_CONFIG_PROFILE; without a name `default_profile` of [__settings__], else [DEFAULT], and then
 * only if settings and environment said nothing about host or sign-in. [DEFAULT] is not inherited by other profiles. Two
 * ways to sign in at once are an error unless a type is named. A workspace without sign-in of its own uses that of the
 * account.
 */
#ifndef L2D_DATABRICKS_AUTH_PROFILE_H
#define L2D_DATABRICKS_AUTH_PROFILE_H

#include "databricks/auth/credential.h"
#include "model/settings.h"

/*
 * The credential of settings->targets[target]. Owned by the caller (credential_release).
 * Errors: ERR_CONFIG, text names the target and where each value came from.
 */
MUST_CHECK enum err_code credential_resolve(const struct settings *settings, size_t target,
		struct credential *ret, struct err *err);

#endif
