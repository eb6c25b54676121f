/* oauth-m2m, and the way to the token endpoint that every OAuth method goes (auth.md 1.6, 3.2, 3.3). */
#include "databricks/auth/method.h"

#include "base/clock.h"
#include "base/text.h"
#include "databricks/answer.h"

#define METADATA_MAX_MS 5000
#define DISCOVERY_PATH ".well-known/oauth-authorization-server"
#define ACCOUNT_HOLE "{account_id}"

/* ---- metadata of the host ---- */

static enum step_verdict ask_metadata(struct attempt *attempt, struct err *err)
{
	const struct credential *credential = attempt->credential;

	(void)err;
	if (attempt->memory->token_endpoint || attempt->memory->discovery_url)
		return STEP_NOTHING;
	if (credential_has(credential, AUTH_KEY_DISCOVERY_URL)) {
		attempt->memory->discovery_url =
				mem_strdup(credential_text(credential, AUTH_KEY_DISCOVERY_URL));
		return STEP_NOTHING;
	}
	attempt_get(attempt,
			mem_printf("%s/.well-known/databricks-config", attempt->credential->host));
	return STEP_ASK;
}

static void keep(char **place, const json_t *json)
{
	const char *text = json_string_value(json);

	if (text && *text && !*place)
		*place = mem_strdup(text);
}

/* `oidc_endpoint` with {account_id} filled in; whatever is wrong with it, the usual URL is tried instead. */
static void keep_discovery_url(struct attempt *attempt, const char *root)
{
	const char *account_id = attempt->credential->account_id ? attempt->credential->account_id
								 : attempt->memory->account_id;
	const char *hole = root ? strstr(root, ACCOUNT_HOLE) : NULL;
	char *url = NULL;
	size_t len;

	if (hole && account_id)
		url = mem_printf("%.*s%s%s", (int)(hole - root), root, account_id,
				hole + strlen(ACCOUNT_HOLE));
	else if (root && *root && !hole)
		url = mem_strdup(root);
	if (!url)
		return;
	len = strlen(url);
	while (len > 0 && url[len - 1] == '/')
		url[--len] = '\0';
	if (attempt_url_serves(attempt, url))
		attempt->memory->discovery_url = mem_printf("%s/%s", url, DISCOVERY_PATH);
	mem_free(url);
}

static enum err_code take_metadata(
		struct attempt *attempt, const struct http_request *request, struct err *err)
{
	json_t *json = answer_object(request);
	const json_t *audiences = json_object_get(json, "token_federation_default_oidc_audiences");

	(void)err;
	keep(&attempt->memory->account_id, json_object_get(json, "account_id"));
	keep(&attempt->memory->cloud, json_object_get(json, "cloud"));
	keep(&attempt->memory->audience, json_array_get(audiences, 0));
	keep_discovery_url(attempt, json_string_value(json_object_get(json, "oidc_endpoint")));
	json_decref(json);
	return ERR_NONE;
}

const struct signin_step oauth_metadata_step = {.name = "metadata of the host",
		.is_optional = true,
		.time_max_ms = METADATA_MAX_MS,
		.prepare = ask_metadata,
		.take = take_metadata};

/* ---- discovery ---- */

static char *usual_url(const struct attempt *attempt, const char *tail)
{
	const struct credential *credential = attempt->credential;

	if (credential->is_account)
		return mem_printf("%s/oidc/accounts/%s/%s", credential->host,
				credential->account_id, tail);
	return mem_printf("%s/oidc/%s", credential->host, tail);
}

static enum step_verdict ask_discovery(struct attempt *attempt, struct err *err)
{
	(void)err;
	if (attempt->memory->token_endpoint)
		return STEP_NOTHING;
	attempt_get(attempt,
			attempt->memory->discovery_url ? mem_strdup(attempt->memory->discovery_url)
						       : usual_url(attempt, DISCOVERY_PATH));
	return STEP_ASK;
}

static enum err_code take_discovery(
		struct attempt *attempt, const struct http_request *request, struct err *err)
{
	json_t *json;
	const char *endpoint;

	if (request->status == 429 || request->status >= 500) {
		(void)err_set(err, request->status == 429 ? ERR_THROTTLED : ERR_SERVER,
				request->status, "HTTP %d", request->status);
		err->retry_after_s = answer_retry_after(request->retry_after, clock_wall_ms());
		return err->code;
	}
	json = answer_object(request);
	endpoint = json_string_value(json_object_get(json, "token_endpoint"));
	attempt->memory->token_endpoint = endpoint && attempt_url_serves(attempt, endpoint)
			? mem_strdup(endpoint)
			: usual_url(attempt, "v1/token");
	json_decref(json);
	return ERR_NONE;
}

const struct signin_step oauth_discovery_step = {
		.name = "discovery", .prepare = ask_discovery, .take = take_discovery};

/* ---- client credentials ---- */

/* Configured with commas or blanks, sent with blanks (RFC 6749, section 3.3). */
void form_add_scopes(struct buf *form, const struct credential *credential)
{
	const char *scopes = credential_text(credential, AUTH_KEY_SCOPES);
	char *text = mem_strdup(scopes ? scopes : "all-apis");
	size_t len = 0;

	for (const char *c = text; *c; c++) {
		bool gap = *c == ',' || *c == ' ';

		if (!gap)
			text[len++] = *c;
		else if (len && text[len - 1] != ' ')
			text[len++] = ' ';
	}
	while (len && text[len - 1] == ' ')
		len--;
	form_add(form, "scope", (struct span){text, len});
	mem_free(text);
}

static enum step_verdict ask_token(struct attempt *attempt, struct err *err)
{
	struct secret secret = {0};
	struct buf form;

	if (credential_secret(attempt->credential, AUTH_KEY_CLIENT_SECRET, attempt->folder, &secret,
			    err) != ERR_NONE)
		return STEP_FAILED;
	form_init(&form);
	form_add(&form, "grant_type", SPAN_LIT("client_credentials"));
	form_add_scopes(&form, attempt->credential);
	attempt_post(attempt, mem_strdup(attempt->memory->token_endpoint), &form);
	attempt_basic_header(
			attempt, credential_text(attempt->credential, AUTH_KEY_CLIENT_ID), &secret);
	secret_release(&secret);
	return STEP_ASK;
}

enum err_code oauth_take_token(
		struct attempt *attempt, const struct http_request *request, struct err *err)
{
	struct token_answer answer = {0};
	enum err_code code = token_answer_take(request, "access_token", &answer, err);

	if (code == ERR_NONE)
		code = attempt_result(
				attempt, "Authorization", answer.type, answer.token.text, err);
	if (code == ERR_NONE)
		attempt_life(attempt, answer.life_s);
	token_answer_release(&answer);
	return code;
}

static const struct signin_step token_step = {.name = "token request",
		.is_token_request = true,
		.prepare = ask_token,
		.take = oauth_take_token};
static const struct signin_step *const steps[] = {
		&oauth_metadata_step, &oauth_discovery_step, &token_step};
const struct signin_method oauth_m2m_method = {
		.needs = {AUTH_KEY_CLIENT_ID, AUTH_KEY_CLIENT_SECRET},
		.need_count = 2,
		.steps = steps,
		.step_count = COUNT_OF(steps)};
