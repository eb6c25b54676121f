/*
 * credential -- what is known of one target's sign-in once settings, environment and profile are put together: where the
 * target is, the way to sign in, and each value that the way needs. Secrets are named, not held: they are read when needed.
 */
#ifndef L2D_DATABRICKS_AUTH_CREDENTIAL_H
#define L2D_DATABRICKS_AUTH_CREDENTIAL_H

#include "base/secret.h"
#include "model/auth_key.h"

/* In the order in which databricks-sdk-go tries them (config/auth_default.go); what it does not have comes last. */
enum auth_type {
	AUTH_PAT,
	AUTH_OAUTH_M2M,
	AUTH_METADATA_SERVICE,
	AUTH_GITHUB_OIDC,
	AUTH_AZURE_DEVOPS_OIDC,
	AUTH_ENV_OIDC,
	AUTH_FILE_OIDC,
	AUTH_GITHUB_OIDC_AZURE,
	AUTH_AZURE_MSI,
	AUTH_AZURE_CLIENT_SECRET,
	AUTH_GOOGLE_CREDENTIALS,
	AUTH_GOOGLE_ID,
	AUTH_AZURE_CLIENT_CERTIFICATE,
	AUTH_AZURE_WORKLOAD,
	AUTH_TYPE_COUNT_
};
const char *auth_type_name(enum auth_type type); /* "pat", "oauth-m2m", ... */

/* A value; at most one of text, reference and file is set. */
struct credential_value {
	char *text;                 /* what is no secret */
	char *reference;            /* a secret: base/secret.h */
	char *file, *section, *key; /* a secret in a profile file */
};

struct credential {
	char *host; /* normalised: "https://example.cloud.databricks.com", no slash at the end; NULL: the sign-in finds it out
		       (azure_workspace_resource_id) */
	char *account_id; /* NULL if not known; of the account for every target that falls back to it */
	char *workspace_id; /* NULL if not known */
	bool is_account;
	enum auth_type type;
	struct credential_value values[AUTH_KEY_COUNT_];
};

/* A value that is no secret; NULL: not given. Borrowed. */
const char *credential_text(const struct credential *credential, enum auth_key key);
bool credential_has(const struct credential *credential, enum auth_key key);
/*
 * Reads a secret now. folder: what relative files are relative to. Errors: ERR_CONFIG (not given, unreadable, open to
 * others, gone from the profile).
 */
MUST_CHECK enum err_code credential_secret(const struct credential *credential, enum auth_key key,
		const char *folder, struct secret *ret, struct err *err);

/* The same of what is no text. */
MUST_CHECK enum err_code credential_secret_bytes(const struct credential *credential,
		enum auth_key key, const char *folder, struct secret *ret, struct err *err);

/* Application id of the service principal that signs in, as far as the configuration tells; NULL: it does not. Borrowed. */
const char *credential_principal(const struct credential *credential);

void credential_release(struct credential *credential); /* safe on a zeroed one */

#endif
