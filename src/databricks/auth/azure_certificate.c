/* The assertion that a client certificate signs (learn.microsoft.com, certificate-credentials). */
#include "databricks/auth/azure.h"

#include "base/clock.h"
#include "base/digest.h"
#include "databricks/auth/certificate.h"
#include "databricks/auth/jwt.h"

#define ASSERTION_LIFE_S 300

enum err_code azure_certificate_assertion(
		struct attempt *attempt, const char *url, struct buf *form, struct err *err)
{
	const char *client_id = azure_client_id(attempt->credential);
	int64_t now_s = clock_wall_ms() / 1000, end_s = now_s + ASSERTION_LIFE_S;
	struct certificate certificate = {0};
	struct secret assertion = {0};
	json_t *header, *claims;
	char jti[37];
	enum err_code code;

	if (certificate_read(attempt->credential, attempt->folder, &certificate, err) != ERR_NONE)
		return err->code;
	digest_uuid(jti);
	header = json_pack("{s:s}", "x5t#S256", certificate.thumbprint);
	claims = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "aud", url, "iss", client_id,
			"sub", client_id, "jti", jti, "nbf", (json_int_t)now_s, "iat",
			(json_int_t)now_s, "exp", (json_int_t)end_s);
	code = jwt_sign(JWT_PS256, certificate.key, header, claims, &assertion, err);
	if (code == ERR_NONE) {
		form_add(form, "client_assertion_type",
				SPAN_LIT("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
		form_add(form, "client_assertion", (struct span){assertion.text, assertion.len});
	}
	json_decref(header);
	json_decref(claims);
	secret_release(&assertion);
	certificate_release(&certificate);
	return code;
}
