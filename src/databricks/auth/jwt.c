#include "databricks/auth/jwt.h"

#include "base/buf.h"

#include <openssl/rsa.h>

#define JWT_MAX ((size_t)32 * 1024)
#define RSA_BITS_MIN 2048

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *jwt_base64url(const void *bytes, size_t len)
{
	const unsigned char *in = bytes;
	char *text = mem_alloc((len + 2) / 3 * 4 + 1);
	size_t at = 0;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t three = (uint32_t)in[i] << 16;

		if (i + 1 < len)
			three |= (uint32_t)in[i + 1] << 8;
		if (i + 2 < len)
			three |= in[i + 2];
		text[at++] = alphabet[three >> 18];
		text[at++] = alphabet[three >> 12 & 63];
		if (i + 1 < len)
			text[at++] = alphabet[three >> 6 & 63];
		if (i + 2 < len)
			text[at++] = alphabet[three & 63];
	}
	text[at] = '\0';
	return text;
}

static void add_part(struct buf *token, const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);
	char *encoded = jwt_base64url(text, strlen(text));

	buf_add_text(token, encoded);
	mem_free(encoded);
	free(text);
}

/* The signature's bytes, mem_free; NULL on failure. */
static unsigned char *signature_of(enum jwt_algorithm algorithm, EVP_PKEY *key,
		const struct buf *text, size_t *ret_len)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_context = NULL;
	unsigned char *signature = NULL;
	bool good = context &&
			EVP_DigestSignInit(context, &key_context, EVP_sha256(), NULL, key) == 1;

	if (good && algorithm == JWT_PS256)
		good = EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1 &&
				EVP_PKEY_CTX_set_rsa_pss_saltlen(
						key_context, RSA_PSS_SALTLEN_DIGEST) == 1;
	good = good &&
			EVP_DigestSign(context, NULL, ret_len, (const unsigned char *)text->ptr,
					text->len) == 1;
	if (good) {
		signature = mem_alloc(*ret_len);
		good = EVP_DigestSign(context, signature, ret_len, (const unsigned char *)text->ptr,
				       text->len) == 1;
	}
	EVP_MD_CTX_free(context);
	if (!good) {
		mem_free(signature);
		return NULL;
	}
	return signature;
}

enum err_code jwt_sign(enum jwt_algorithm algorithm, EVP_PKEY *key, json_t *header,
		const json_t *claims, struct secret *ret, struct err *err)
{
	unsigned char *signature;
	struct buf token;
	size_t len = 0;
	char *encoded;

	if (EVP_PKEY_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_bits(key) < RSA_BITS_MIN)
		return err_set(err, ERR_CONFIG, 0,
				"the private key is no RSA key of %d bits or more", RSA_BITS_MIN);
	(void)json_object_set_new(
			header, "alg", json_string(algorithm == JWT_RS256 ? "RS256" : "PS256"));
	(void)json_object_set_new(header, "typ", json_string("JWT"));
	buf_init(&token, JWT_MAX);
	buf_reserve(&token, JWT_MAX / 2);
	add_part(&token, header);
	buf_add_char(&token, '.');
	add_part(&token, claims);
	signature = signature_of(algorithm, key, &token, &len);
	if (!signature) {
		buf_wipe(&token);
		return err_set(err, ERR_BUG, 0, "signing failed");
	}
	encoded = jwt_base64url(signature, len);
	buf_add_char(&token, '.');
	buf_add_text(&token, encoded);
	secret_set(ret, (struct span){token.ptr, token.len});
	buf_wipe(&token);
	mem_free(encoded);
	mem_free(signature);
	return ERR_NONE;
}

/* The bytes that base64url text stands for, NUL-terminated, mem_free; NULL if it is none. */
static char *decode(struct span text)
{
	char *bytes = mem_alloc(text.len / 4 * 3 + 4);
	uint32_t bits = 0;
	unsigned count = 0;
	size_t at = 0;

	for (size_t i = 0; i < text.len; i++) {
		const char *place = text.ptr[i] ? strchr(alphabet, text.ptr[i]) : NULL;

		if (!place) {
			mem_free(bytes);
			return NULL;
		}
		bits = bits << 6 | (uint32_t)(place - alphabet);
		count += 6;
		if (count >= 8) {
			count -= 8;
			bytes[at++] = (char)(bits >> count & 255);
		}
	}
	bytes[at] = '\0';
	return bytes;
}

int64_t jwt_expiry(const char *token)
{
	const char *start = strchr(token, '.');
	const char *end = start ? strchr(start + 1, '.') : NULL;
	char *claims = end ? decode((struct span){start + 1, (size_t)(end - start - 1)}) : NULL;
	json_t *json = claims ? json_loads(claims, JSON_REJECT_DUPLICATES, NULL) : NULL;
	double expiry = json_number_value(json_object_get(json, "exp"));

	json_decref(json);
	mem_free(claims);
	return expiry > 0 && expiry < 1e12 ? (int64_t)expiry : 0;
}
