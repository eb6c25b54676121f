#include "databricks/auth/google_key.h"

#include "base/clock.h"
#include "databricks/auth/jwt.h"

#include <openssl/bio.h>
#include <openssl/pem.h>

#define ASSERTION_LIFE_S 3600
#define TOKEN_URI "https://oauth2.googleapis.com/token"

void google_key_release(struct google_key *key)
{
	EVP_PKEY_free(key->key);
	mem_free(key->key_id);
	mem_free(key->client_email);
	mem_free(key->token_uri);
	*key = (struct google_key){0};
}

static enum err_code read_text(const struct credential *credential, const char *folder,
		struct secret *ret, struct err *err)
{
	const char *path = getenv("GOOGLE_APPLICATION_CREDENTIALS");
	struct secret text = {0};
	AUTO(mem_freep) char *reference = NULL;
	const char *start;
	enum err_code code;

	if (credential->type == AUTH_GOOGLE_ID)
		return secret_read_mounted(path ? path : "", ret, err);
	code = credential_secret(credential, AUTH_KEY_GOOGLE_CREDENTIALS, folder, &text, err);
	if (code != ERR_NONE)
		return code;
	start = text.text + strspn(text.text, " \t\r\n");
	if (*start == '{') {
		*ret = text;
		return ERR_NONE;
	}
	reference = mem_printf("file:%s", text.text);
	secret_release(&text);
	return secret_read(reference, folder, ret, err);
}

static char *member(const json_t *json, const char *name)
{
	return mem_strdup_or_null(json_string_value(json_object_get(json, name)));
}

static enum err_code take_json(const json_t *json, struct google_key *ret, struct err *err)
{
	const char *pem = json_string_value(json_object_get(json, "private_key"));
	BIO *bio;

	if (!json_is_object(json))
		return err_set(err, ERR_CONFIG, 0, "the Google key is no JSON object");
	ret->client_email = member(json, "client_email");
	ret->key_id = member(json, "private_key_id");
	ret->token_uri = member(json, "token_uri");
	if (!ret->token_uri)
		ret->token_uri = mem_strdup(TOKEN_URI);
	if (!pem || !ret->client_email)
		return err_set(err, ERR_CONFIG, 0,
				"the Google key lacks %s; is it a service account's?",
				pem ? "client_email" : "private_key");
	bio = BIO_new_mem_buf(pem, -1);
	ret->key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)(uintptr_t) "");
	BIO_free(bio);
	if (!ret->key)
		return err_set(err, ERR_CONFIG, 0, "private_key of the Google key is no PEM");
	return ERR_NONE;
}

enum err_code google_key_read(const struct credential *credential, const char *folder,
		struct google_key *ret, struct err *err)
{
	struct google_key key = {0};
	struct secret text = {0};
	enum err_code code = read_text(credential, folder, &text, err);
	json_t *json;

	if (code != ERR_NONE)
		return err_context(err, "google_credentials");
	json = json_loadb(text.text, text.len, JSON_REJECT_DUPLICATES, NULL);
	secret_release(&text);
	code = take_json(json, &key, err);
	json_decref(json);
	if (code != ERR_NONE) {
		google_key_release(&key);
		return code;
	}
	*ret = key;
	return ERR_NONE;
}

enum err_code google_key_assert(const struct google_key *key, const char *claim, const char *value,
		struct secret *ret, struct err *err)
{
	int64_t now_s = clock_wall_ms() / 1000, end_s = now_s + ASSERTION_LIFE_S;
	json_t *header = json_object();
	json_t *claims = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}", "iss", key->client_email,
			"sub", key->client_email, "aud", key->token_uri, "iat", (json_int_t)now_s,
			"exp", (json_int_t)end_s, claim, value);
	enum err_code code;

	if (key->key_id)
		(void)json_object_set_new(header, "kid", json_string(key->key_id));
	code = jwt_sign(JWT_RS256, key->key, header, claims, ret, err);
	json_decref(header);
	json_decref(claims);
	return code;
}
