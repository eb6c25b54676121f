/*
 * google_key -- a Google service account's key: a JSON file with client_email, private_key and token_uri.
 */
#ifndef L2D_DATABRICKS_AUTH_GOOGLE_KEY_H
#define L2D_DATABRICKS_AUTH_GOOGLE_KEY_H

#include "databricks/auth/credential.h"

#include <openssl/evp.h>

struct google_key {
	EVP_PKEY *key;
	char *key_id, *client_email, *token_uri;
};
/*
 * Reads google_credentials -- JSON, or the path of a file with it, as the SDKs take it -- or for google-id the file that
 * GOOGLE_APPLICATION_CREDENTIALS names. Caller's, google_key_release. Errors: ERR_CONFIG.
 */
MUST_CHECK enum err_code google_key_read(const struct credential *credential, const char *folder,
		struct google_key *ret, struct err *err);
void google_key_release(struct google_key *key);

/* Signs an assertion for token_uri that lives for an hour, with one claim more. Errors: ERR_CONFIG. */
MUST_CHECK enum err_code google_key_assert(const struct google_key *key, const char *claim,
		const char *value, struct secret *ret, struct err *err);

#endif
