/*
 * profile -- where a target is and how we sign in there: settings, DATABRICKS_* variables and ~/.databrickscfg together.
 *
 * The rules are those of Databricks' SDKs: what the settings say comes first, then the environment (an empty variable
 * counts as unset), then the profile file for what is still open. A profile is named by the settings or by
 * DATABRICKS_CONFIG_PROFILE; without a name `default_profile` of [__settings__], else [DEFAULT], and then only if settings
 * and environment said nothing about host or sign-in. [DEFAULT] is not inherited by other profiles. Two ways to sign in at
 * once are an error unless a type is named. A workspace without sign-in of its own uses that of the account.
 *
 * This version signs in with `pat` and `oauth-m2m`; the other types are refused by name.
 */
#ifndef L2D_DATABRICKS_PROFILE_H
#define L2D_DATABRICKS_PROFILE_H

#include "base/secret.h"
#include "model/settings.h"

#define PROFILE_FILE_MAX ((size_t)1024 * 1024) /* bytes */

enum auth_type { AUTH_PAT, AUTH_OAUTH_M2M };
const char *auth_type_name(enum auth_type type); /* "pat", "oauth-m2m" */

/* Where a secret is read from when it is needed: a reference of base/secret.h, or a key of a profile. */
struct secret_place {
	char *reference;
	char *file, *section, *key;
};

struct credential {
	char *host; /* normalised: "https://example.cloud.databricks.com", no slash at the end */
	char *account_id; /* NULL if not known; of the account for every target that falls back to it */
	char *workspace_id; /* NULL if not known */
	bool is_account;
	enum auth_type type;
	char *client_id;
	struct secret_place secret; /* token or client secret */
};

/*
 * The credential of settings->targets[target]. Owned by the caller (credential_release).
 * Errors: ERR_CONFIG, text names the target and where each value came from.
 */
MUST_CHECK enum err_code credential_resolve(const struct settings *settings, size_t target,
		struct credential *ret, struct err *err);
void credential_release(struct credential *credential); /* safe on a zeroed one */

/* Reads the secret now. folder: as in secret_read. Errors: ERR_CONFIG. */
MUST_CHECK enum err_code secret_place_read(const struct secret_place *place, const char *folder,
		struct secret *ret, struct err *err);

/*
 * Normalises a host as people write it: "https://" if no scheme, without port 443, slash at the end and query (whose ids go
 * to *ret_workspace_id and *ret_account_id if it has any). Errors: ERR_CONFIG (no host, user info, http to another machine).
 */
MUST_CHECK enum err_code profile_normalise_host(const char *text, char **ret,
		char **ret_workspace_id, char **ret_account_id, struct err *err);

/* Whether url is https, or http to this very machine. */
bool profile_url_is_safe(const char *url);

/*
 * One section of a profile file, keys in lower case. Values are borrowed from the reader's memory until ini_release.
 * Errors: ERR_CONFIG (a line that is neither section, key nor comment; a key twice in the section).
 */
struct ini_entry {
	const char *key, *value;
};
struct ini {
	char *text; /* owned; wiped on release */
	size_t text_len;
	struct ini_entry *entries;
	size_t count;
	bool found; /* the section is there */
};
MUST_CHECK enum err_code ini_read(
		struct span text, const char *section, struct ini *ret, struct err *err);
const char *ini_get(const struct ini *ini, const char *key); /* NULL: absent */
void ini_release(struct ini *ini);

#endif
