/*
 * jwt -- JSON Web Tokens that we sign (RFC 7515, RFC 7519): RS256 and PS256 (RFC 7518, section 3.3 and 3.5).
 */
#ifndef L2D_DATABRICKS_AUTH_JWT_H
#define L2D_DATABRICKS_AUTH_JWT_H

#include "base/secret.h"

#include <jansson.h>
#include <openssl/evp.h>

/* base64url without padding (RFC 7515, section 2). Caller's, mem_free. */
char *jwt_base64url(const void *bytes, size_t len);

enum jwt_algorithm { JWT_RS256, JWT_PS256 };
/*
 * Signs claims; header's "alg" and "typ" are set here. key: an RSA private key of 2048 bits or more. Both objects are
 * borrowed. The token goes to *ret. Errors: ERR_CONFIG (no such key), ERR_BUG.
 */
MUST_CHECK enum err_code jwt_sign(enum jwt_algorithm algorithm, EVP_PKEY *key, json_t *header,
		const json_t *claims, struct secret *ret, struct err *err);

/* "exp" of a token as it is, unverified: when it ends, in seconds since 1970; 0: it does not say. */
int64_t jwt_expiry(const char *token);

#endif
