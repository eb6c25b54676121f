/*
 * certificate -- a client certificate with its private key, from PEM or PKCS#12.
 */
#ifndef L2D_DATABRICKS_AUTH_CERTIFICATE_H
#define L2D_DATABRICKS_AUTH_CERTIFICATE_H

#include "databricks/auth/credential.h"

#include <openssl/evp.h>

struct certificate {
	EVP_PKEY *key;
	char *thumbprint;    /* base64url SHA-256 of the DER (RFC 7515, section 4.1.8) */
	int64_t not_after_s; /* seconds since 1970 */
};
/*
 * Reads azure_client_certificate (and its password). Caller's, certificate_release. Errors: ERR_CONFIG (unreadable, no key or
 * no certificate in it, wrong password, key and certificate do not belong together, over or not valid yet).
 */
MUST_CHECK enum err_code certificate_read(const struct credential *credential, const char *folder,
		struct certificate *ret, struct err *err);
void certificate_release(struct certificate *certificate);

#endif
