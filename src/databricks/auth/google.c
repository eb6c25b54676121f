/*
 * google-credentials and google-id: an ID token for the Databricks host, and an access token of the same service account for
 * what Databricks does in Google Cloud. Sources: databricks-sdk-go config/auth_gcp_google_credentials.go,
 * config/auth_gcp_google_id.go; developers.google.com identity/protocols/oauth2/service-account; cloud.google.com
 * iam/docs/reference/credentials/rest.
 */
#include "databricks/auth/google_key.h"
#include "databricks/auth/method.h"

#include "base/clock.h"
#include "base/text.h"
#include "databricks/answer.h"
#include "databricks/auth/host.h"

#define ACCESS_HEADER "X-Databricks-GCP-SA-Access-Token"
#define SCOPES                                                                                     \
	"https://www.googleapis.com/auth/cloud-platform https://www.googleapis.com/auth/compute"
#define METADATA_PATH                                                                              \
	"http://%s/computeMetadata/v1/instance/service-accounts/default/token?scopes="             \
	"https://www.googleapis.com/auth/cloud-platform"
#define METADATA_HOST "169.254.169.254"
#define ID_TOKEN_LIFE_S 3600

/* ---- with a service account's key ---- */

/* Fills in what an assertion asks for: an ID token for an audience, or an access token by scope. */
static enum step_verdict ask_with_key(
		struct attempt *attempt, const char *claim, const char *value, struct err *err)
{
	struct google_key key = {0};
	struct secret assertion = {0};
	enum step_verdict verdict = STEP_FAILED;
	struct buf form;

	if (google_key_read(attempt->credential, attempt->folder, &key, err) != ERR_NONE)
		return STEP_FAILED;
	if (!attempt_url_serves(attempt, key.token_uri)) {
		(void)err_set(err, ERR_CONFIG, 0,
				"token_uri of the Google key is no https address");
	} else if (google_key_assert(&key, claim, value, &assertion, err) == ERR_NONE) {
		form_init(&form);
		form_add(&form, "grant_type",
				SPAN_LIT("urn:ietf:params:oauth:grant-type:jwt-bearer"));
		form_add(&form, "assertion", (struct span){assertion.text, assertion.len});
		attempt_post(attempt, mem_strdup(key.token_uri), &form);
		verdict = STEP_ASK;
	}
	secret_release(&assertion);
	google_key_release(&key);
	return verdict;
}

static enum step_verdict ask_id_token(struct attempt *attempt, struct err *err)
{
	return ask_with_key(attempt, "target_audience", attempt->credential->host, err);
}

static enum step_verdict ask_access_token(struct attempt *attempt, struct err *err)
{
	return ask_with_key(attempt, "scope", SCOPES, err);
}

static enum err_code take(struct attempt *attempt, const struct http_request *request,
		const char *member, bool is_id_token, struct err *err)
{
	struct token_answer answer = {0};
	enum err_code code = token_answer_take(request, member, &answer, err);

	if (code == ERR_NONE && is_id_token)
		code = attempt_result(attempt, "Authorization", "Bearer", answer.token.text, err);
	else if (code == ERR_NONE)
		code = attempt_result(attempt, ACCESS_HEADER, "", answer.token.text, err);
	if (code == ERR_NONE)
		attempt_life(attempt, answer.life_s ? answer.life_s : ID_TOKEN_LIFE_S);
	token_answer_release(&answer);
	return code;
}

static enum err_code take_id_token(
		struct attempt *attempt, const struct http_request *request, struct err *err)
{
	return take(attempt, request, "id_token", true, err);
}

/* Databricks' SDKs go on without this one, and warn: calls that do not touch Google Cloud need none. */
static enum err_code take_access_token(
		struct attempt *attempt, const struct http_request *request, struct err *err)
{
	if (request->code != ERR_NONE ||
			take(attempt, request, "access_token", false, err) != ERR_NONE)
		attempt_warn(attempt, "no Google access token: %s",
				request->code != ERR_NONE ? request->err.text : err->text);
	return ERR_NONE;
}

static const struct signin_step id_token_step = {.name = "ID token of Google",
		.is_token_request = true,
		.prepare = ask_id_token,
		.take = take_id_token};
static const struct signin_step access_token_step = {.name = "access token of Google",
		.is_token_request = true,
		.is_optional = true,
		.prepare = ask_access_token,
		.take = take_access_token};
static const struct signin_step *const key_steps[] = {&id_token_step, &access_token_step};
const struct signin_method google_credentials_method = {.needs = {AUTH_KEY_GOOGLE_CREDENTIALS},
		.need_count = 1,
		.steps = key_steps,
		.step_count = COUNT_OF(key_steps)};

/* ---- acting as a service account: application default credentials, then IAM ---- */

/* A key file that GOOGLE_APPLICATION_CREDENTIALS names, else the machine's own identity. */
static enum step_verdict ask_default(struct attempt *attempt, struct err *err)
{
	const char *path = getenv("GOOGLE_APPLICATION_CREDENTIALS");
	const char *host = getenv("GCE_METADATA_HOST");

	if (path && *path)
		return ask_with_key(attempt, "scope", SCOPES, err);
	attempt_get(attempt, mem_printf(METADATA_PATH, host && *host ? host : METADATA_HOST));
	attempt_header(attempt, "Metadata-Flavor", SPAN_LIT("Google"));
	attempt->direct = true;
	return STEP_ASK;
}

static enum err_code take_default(
		struct attempt *attempt, const struct http_request *request, struct err *err)
{
	struct token_answer answer = {0};
	enum err_code code = token_answer_take(request, "access_token", &answer, err);

	if (code == ERR_NONE)
		secret_set(&attempt->held, (struct span){answer.token.text, answer.token.len});
	token_answer_release(&answer);
	return code;
}

static enum step_verdict ask_iam(
		struct attempt *attempt, const char *verb, json_t *json, struct err *err)
{
	const struct credential *credential = attempt->credential;
	const char *root = credential_text(credential, AUTH_KEY_GOOGLE_IAM_URL);
	AUTO(mem_freep)
	char *email = http_escape(credential_text(credential, AUTH_KEY_GOOGLE_SERVICE_ACCOUNT));
	AUTO(mem_freep) char *bearer = mem_printf("Bearer %s", attempt->held.text);
	char *url = mem_printf("%s/v1/projects/-/serviceAccounts/%s:%s",
			root ? root : "https://iamcredentials.googleapis.com", email, verb);
	char *body = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	attempt->verb = "POST";
	attempt->url = url;
	secret_set(&attempt->body, span_of(body));
	free(body);
	attempt_header(attempt, "Content-Type", SPAN_LIT("application/json"));
	attempt_header(attempt, "Authorization", span_of(bearer));
	explicit_bzero(bearer, strlen(bearer));
	if (!attempt_url_serves(attempt, url)) {
		(void)err_set(err, ERR_CONFIG, 0, "%s: tokens are asked for by https only", url);
		return STEP_FAILED;
	}
	return STEP_ASK;
}

static enum step_verdict ask_generated_id(struct attempt *attempt, struct err *err)
{
	return ask_iam(attempt, "generateIdToken",
			json_pack("{s:s, s:b}", "audience", attempt->credential->host,
					"includeEmail", 1),
			err);
}

static enum step_verdict ask_generated_access(struct attempt *attempt, struct err *err)
{
	return ask_iam(attempt, "generateAccessToken",
			json_pack("{s:[s, s], s:s}", "scope",
					"https://www.googleapis.com/auth/cloud-platform",
					"https://www.googleapis.com/auth/compute", "lifetime",
					"3600s"),
			err);
}

static enum err_code take_generated_id(
		struct attempt *attempt, const struct http_request *request, struct err *err)
{
	return take(attempt, request, "token", true, err);
}

static enum err_code take_generated_access(
		struct attempt *attempt, const struct http_request *request, struct err *err)
{
	if (request->code != ERR_NONE ||
			take(attempt, request, "accessToken", false, err) != ERR_NONE)
		attempt_warn(attempt, "no Google access token: %s",
				request->code != ERR_NONE ? request->err.text : err->text);
	return ERR_NONE;
}

static const struct signin_step default_step = {.name = "Google's default credentials",
		.is_token_request = true,
		.prepare = ask_default,
		.take = take_default};
static const struct signin_step generated_id_step = {.name = "ID token of Google's IAM",
		.is_token_request = true,
		.prepare = ask_generated_id,
		.take = take_generated_id};
static const struct signin_step generated_access_step = {.name = "access token of Google's IAM",
		.is_token_request = true,
		.is_optional = true,
		.prepare = ask_generated_access,
		.take = take_generated_access};
static const struct signin_step *const id_steps[] = {
		&default_step, &generated_id_step, &generated_access_step};
const struct signin_method google_id_method = {.needs = {AUTH_KEY_GOOGLE_SERVICE_ACCOUNT},
		.need_count = 1,
		.steps = id_steps,
		.step_count = COUNT_OF(id_steps)};
