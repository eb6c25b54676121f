#include "databricks/auth/certificate.h"

#include "base/text.h"
#include "databricks/auth/jwt.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <time.h>

void certificate_release(struct certificate *certificate)
{
	EVP_PKEY_free(certificate->key);
	mem_free(certificate->thumbprint);
	*certificate = (struct certificate){0};
}

/* Without a password OpenSSL would ask the terminal for one. */
static int give_password(char *room, int size, int writing, void *context)
{
	const struct secret *password = context;

	(void)writing;
	if (!password->text || password->len > (size_t)size)
		return -1;
	memcpy(room, password->text, password->len);
	return (int)password->len;
}

static void read_pem(const struct secret *file, struct secret *password, EVP_PKEY **ret_key,
		X509 **ret_x509)
{
	BIO *bio = BIO_new_mem_buf(file->text, (int)file->len);

	*ret_key = PEM_read_bio_PrivateKey(bio, NULL, give_password, password);
	BIO_free(bio);
	bio = BIO_new_mem_buf(file->text, (int)file->len);
	*ret_x509 = PEM_read_bio_X509(bio, NULL, give_password, password);
	BIO_free(bio);
}

static void read_pkcs12(const struct secret *file, const struct secret *password,
		EVP_PKEY **ret_key, X509 **ret_x509)
{
	BIO *bio = BIO_new_mem_buf(file->text, (int)file->len);
	PKCS12 *pkcs12 = d2i_PKCS12_bio(bio, NULL);

	if (pkcs12)
		(void)PKCS12_parse(pkcs12, password->text ? password->text : "", ret_key, ret_x509,
				NULL);
	PKCS12_free(pkcs12);
	BIO_free(bio);
}

static int64_t seconds_of(const ASN1_TIME *time)
{
	struct tm parts;

	return time && ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

static enum err_code describe(EVP_PKEY *key, X509 *x509, struct certificate *ret, struct err *err)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (!key)
		return err_set(err, ERR_CONFIG, 0,
				"no private key can be read from it (PEM or PKCS#12; is the "
				"password right?)");
	if (!x509)
		return err_set(err, ERR_CONFIG, 0, "there is no certificate in it");
	if (X509_check_private_key(x509, key) != 1)
		return err_set(err, ERR_CONFIG, 0,
				"its private key is not that of its first certificate");
	if (X509_cmp_current_time(X509_get0_notBefore(x509)) > 0)
		return err_set(err, ERR_CONFIG, 0, "the certificate is not valid yet");
	if (X509_cmp_current_time(X509_get0_notAfter(x509)) < 0)
		return err_set(err, ERR_CONFIG, 0,
				"the certificate has expired: register a new one in Entra ID");
	if (X509_digest(x509, EVP_sha256(), digest, &len) != 1)
		return err_set(err, ERR_BUG, 0, "no thumbprint");
	ret->thumbprint = jwt_base64url(digest, len);
	ret->not_after_s = seconds_of(X509_get0_notAfter(x509));
	return ERR_NONE;
}

enum err_code certificate_read(const struct credential *credential, const char *folder,
		struct certificate *ret, struct err *err)
{
	struct secret file = {0}, password = {0};
	struct certificate certificate = {0};
	X509 *x509 = NULL;
	enum err_code code = credential_secret_bytes(
			credential, AUTH_KEY_AZURE_CERTIFICATE, folder, &file, err);

	if (code == ERR_NONE && credential_has(credential, AUTH_KEY_AZURE_CERTIFICATE_PASSWORD))
		code = credential_secret(credential, AUTH_KEY_AZURE_CERTIFICATE_PASSWORD, folder,
				&password, err);
	if (code == ERR_NONE) {
		if (memmem(file.text, file.len, "-----BEGIN", strlen("-----BEGIN")))
			read_pem(&file, &password, &certificate.key, &x509);
		else
			read_pkcs12(&file, &password, &certificate.key, &x509);
		code = describe(certificate.key, x509, &certificate, err);
		if (code != ERR_NONE)
			(void)err_context(err, "azure_client_certificate");
	}
	X509_free(x509);
	secret_release(&file);
	secret_release(&password);
	if (code != ERR_NONE) {
		certificate_release(&certificate);
		return code;
	}
	*ret = certificate;
	return ERR_NONE;
}
