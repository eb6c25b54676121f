#include "jwt.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/mem.h"

#define P256_BYTES 32

struct part {
	unsigned char *bytes;
	size_t len;
};

/* base64url without padding (RFC 7515, section 2). bytes is NULL if it is none; mem_free. */
static struct part decode(struct span text)
{
	static const char digits[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct part part = {.bytes = mem_zalloc(text.len + 1)};
	unsigned held = 0, bits = 0;

	for (size_t i = 0; i < text.len; i++) {
		const char *at = text.ptr[i] ? strchr(digits, text.ptr[i]) : NULL;

		if (!at) {
			mem_free(part.bytes);
			return (struct part){0};
		}
		held = (held << 6 | (unsigned)(at - digits)) & 0xffffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			part.bytes[part.len++] = (unsigned char)(held >> bits & 0xff);
		}
	}
	return part;
}

/* The three parts between the dots. */
static bool split(const char *jwt, struct span ret[static 3])
{
	for (int i = 0; i < 3; i++) {
		size_t len = strcspn(jwt, ".");

		ret[i] = (struct span){jwt, len};
		jwt += len;
		if (*jwt != (i < 2 ? '.' : '\0'))
			return false;
		jwt += i < 2;
	}
	return true;
}

static json_t *decode_json(struct span text)
{
	struct part part = decode(text);
	json_t *value = part.bytes ? json_loadb((const char *)part.bytes, part.len, 0, NULL) : NULL;

	mem_free(part.bytes);
	return value;
}

json_t *jwt_claims(const char *jwt)
{
	struct span parts[3];

	return strlen(jwt) <= JWT_BYTES_MAX && split(jwt, parts) ? decode_json(parts[1]) : NULL;
}

static BIGNUM *read_number(const json_t *key, const char *name)
{
	const char *text = json_string_value(json_object_get(key, name));
	struct part part = text ? decode(span_of(text)) : (struct part){0};
	BIGNUM *number = part.bytes ? BN_bin2bn(part.bytes, (int)part.len, NULL) : NULL;

	mem_free(part.bytes);
	return number;
}

static EVP_PKEY *make_key(const char *type, OSSL_PARAM_BLD *build)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (!params || !context || EVP_PKEY_fromdata_init(context) != 1 ||
			EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(context);
	return key;
}

static EVP_PKEY *read_rsa(const json_t *jwk)
{
	BIGNUM *n = read_number(jwk, "n"), *e = read_number(jwk, "e");
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	if (n && e && build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
			OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		key = make_key("RSA", build);
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(e);
	return key;
}

/* An uncompressed point: 4, x, y. */
static EVP_PKEY *read_ec(const json_t *jwk)
{
	unsigned char point[1 + 2 * P256_BYTES] = {4};
	BIGNUM *x = read_number(jwk, "x"), *y = read_number(jwk, "y");
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	if (x && y && build && BN_bn2binpad(x, point + 1, P256_BYTES) == P256_BYTES &&
			BN_bn2binpad(y, point + 1 + P256_BYTES, P256_BYTES) == P256_BYTES &&
			OSSL_PARAM_BLD_push_utf8_string(
					build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
			OSSL_PARAM_BLD_push_octet_string(
					build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) == 1)
		key = make_key("EC", build);
	OSSL_PARAM_BLD_free(build);
	BN_free(x);
	BN_free(y);
	return key;
}

/* A JWT has both numbers of an ECDSA signature side by side (RFC 7518, section 3.4); the library wants DER. */
static struct part ec_to_der(const struct part *raw)
{
	struct part der = {0};
	ECDSA_SIG *sig;
	BIGNUM *r, *s;
	int len;

	if (raw->len != (size_t)2 * P256_BYTES)
		return der;
	sig = ECDSA_SIG_new();
	r = BN_bin2bn(raw->bytes, P256_BYTES, NULL);
	s = BN_bin2bn(raw->bytes + P256_BYTES, P256_BYTES, NULL);
	if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
		unsigned char *at;

		len = i2d_ECDSA_SIG(sig, NULL);
		der.bytes = mem_zalloc((size_t)(len > 0 ? len : 1));
		at = der.bytes;
		len = i2d_ECDSA_SIG(sig, &at);
		der.len = len > 0 ? (size_t)len : 0;
	}
	ECDSA_SIG_free(sig);
	return der;
}

static bool verify(EVP_PKEY *key, struct span message, const struct part *signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = context && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
			EVP_DigestVerify(context, signature->bytes, signature->len,
					(const unsigned char *)message.ptr, message.len) == 1;

	EVP_MD_CTX_free(context);
	return good;
}

static bool fits(const json_t *jwk, const json_t *header, const char *type)
{
	const char *kid = json_string_value(json_object_get(header, "kid"));
	const char *has = json_string_value(json_object_get(jwk, "kid"));
	const char *kty = json_string_value(json_object_get(jwk, "kty"));

	return kty && strcmp(kty, type) == 0 && (!kid || !has || strcmp(kid, has) == 0);
}

static bool verify_with(const json_t *keys, const json_t *header, struct span message,
		const struct part *raw)
{
	const char *alg = json_string_value(json_object_get(header, "alg"));
	bool ec = alg && strcmp(alg, "ES256") == 0, good = false;
	struct part der = ec ? ec_to_der(raw) : (struct part){0};
	size_t i;
	json_t *jwk;

	if (!ec && !(alg && strcmp(alg, "RS256") == 0))
		return false;
	json_array_foreach(keys, i, jwk)
	{
		EVP_PKEY *key = fits(jwk, header, ec ? "EC" : "RSA")
				? (ec ? read_ec(jwk) : read_rsa(jwk))
				: NULL;

		good = good || (key && verify(key, message, ec ? &der : raw));
		EVP_PKEY_free(key);
	}
	mem_free(der.bytes);
	return good;
}

bool jwt_is_signed_by(const char *jwt, const char *keys)
{
	json_t *set = json_loads(keys, 0, NULL), *header = NULL;
	struct part signature = {0};
	struct span parts[3];
	bool good = false;

	if (strlen(jwt) <= JWT_BYTES_MAX && split(jwt, parts)) {
		header = decode_json(parts[0]);
		signature = decode(parts[2]);
		if (header && signature.bytes)
			good = verify_with(json_object_get(set, "keys"), header,
					(struct span){jwt, parts[0].len + 1 + parts[1].len},
					&signature);
	}
	mem_free(signature.bytes);
	json_decref(header);
	json_decref(set);
	return good;
}
