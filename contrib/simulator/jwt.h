/*
 * jwt -- signed tokens of other issuers (RFC 7515, RFC 7519): their claims, and whether one of an issuer's keys
 * (RFC 7517) signed them. RS256 and ES256.
 */
#ifndef SIM_JWT_H
#define SIM_JWT_H

#include <jansson.h>
#include <stdbool.h>

#define JWT_BYTES_MAX 65536

/* The claims without a look at the signature; NULL: no JWT. Caller's. */
json_t *jwt_claims(const char *jwt);
/* keys: a key set, {"keys": [...]}, as text. */
bool jwt_is_signed_by(const char *jwt, const char *keys);

#endif
