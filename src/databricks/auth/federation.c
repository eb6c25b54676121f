/*
 * Somebody else's ID token, exchanged at Databricks (RFC 8693) or at Entra ID: env-oidc, file-oidc, github-oidc,
 * azure-devops-oidc, github-oidc-azure. Source: databricks-sdk-go config/oidc*.go, config/experimental/auth/oidc.
 */
#include "databricks/auth/azure.h"

#include "base/text.h"
#include "databricks/answer.h"

#define ENTRA_AUDIENCE "api://AzureADTokenExchange"
#define DEVOPS_PATH                                                                                \
	"%s/%s/_apis/distributedtask/hubs/%s/plans/%s/jobs/%s/oidctoken?api-version=7.2-preview.1"

static const char *variable(const char *name)
{
	const char *text = getenv(name);

	return text && *text ? text : NULL;
}

/* ---- a token that is there already ---- */

static const char *variable_with_token(const struct credential *credential)
{
	const char *name = credential_text(credential, AUTH_KEY_OIDC_TOKEN_ENV);

	return name ? name : "DATABRICKS_OIDC_TOKEN";
}

static enum step_verdict take_from_variable(struct attempt *attempt, struct err *err)
{
	const char *name = variable_with_token(attempt->credential);
	const char *token = variable(name);

	if (!token) {
		(void)err_set(err, ERR_CONFIG, 0, "environment variable %s is not set", name);
		return STEP_FAILED;
	}
	secret_set(&attempt->held, span_of(token));
	return STEP_NOTHING;
}

static enum step_verdict take_from_file(struct attempt *attempt, struct err *err)
{
	const char *path = credential_text(attempt->credential, AUTH_KEY_OIDC_TOKEN_FILE);

	return secret_read_mounted(path, &attempt->held, err) == ERR_NONE ? STEP_NOTHING
									  : STEP_FAILED;
}

/* ---- a token that a CI system hands out ---- */

/* As configured; else what the host's metadata names; else the account, or the token endpoint itself (auth.md 3.10). */
static const char *audience_of(const struct attempt *attempt)
{
	const struct credential *credential = attempt->credential;

	if (credential->type == AUTH_GITHUB_OIDC_AZURE)
		return ENTRA_AUDIENCE;
	if (credential_has(credential, AUTH_KEY_TOKEN_AUDIENCE))
		return credential_text(credential, AUTH_KEY_TOKEN_AUDIENCE);
	if (attempt->memory->audience)
		return attempt->memory->audience;
	if (credential->is_account)
		return credential->account_id;
	return attempt->memory->token_endpoint;
}

static void add_bearer(struct attempt *attempt, const char *token)
{
	AUTO(mem_freep) char *bearer = mem_printf("Bearer %s", token);

	attempt_header(attempt, "Authorization", span_of(bearer));
	explicit_bzero(bearer, strlen(bearer));
}

static enum step_verdict ask_github(struct attempt *attempt, struct err *err)
{
	const char *url = variable("ACTIONS_ID_TOKEN_REQUEST_URL");
	AUTO(mem_freep) char *audience = http_escape(audience_of(attempt));

	if (!url || !variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN")) {
		(void)err_set(err, ERR_CONFIG, 0,
				"ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN are not set: give the job "
				"the permission `id-token: write`");
		return STEP_FAILED;
	}
	attempt_get(attempt,
			mem_printf("%s%caudience=%s", url, strchr(url, '?') ? '&' : '?', audience));
	add_bearer(attempt, variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN"));
	return STEP_ASK;
}

static const char *const devops_variables[] = {"SYSTEM_TEAMFOUNDATIONCOLLECTIONURI",
		"SYSTEM_TEAMPROJECTID", "SYSTEM_HOSTTYPE", "SYSTEM_PLANID", "SYSTEM_JOBID",
		"SYSTEM_ACCESSTOKEN"};

static const char *devops_lacks(void)
{
	for (size_t i = 0; i < COUNT_OF(devops_variables); i++) {
		if (!variable(devops_variables[i]))
			return devops_variables[i];
	}
	return NULL;
}

static enum step_verdict ask_devops(struct attempt *attempt, struct err *err)
{
	const char *lacks = devops_lacks();
	AUTO(mem_freep) char *root = NULL;
	size_t len;

	if (lacks) {
		(void)err_set(err, ERR_CONFIG, 0,
				"%s is not set: map System.AccessToken into the step's "
				"environment",
				lacks);
		return STEP_FAILED;
	}
	root = mem_strdup(variable("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"));
	len = strlen(root);
	while (len > 0 && root[len - 1] == '/')
		root[--len] = '\0';
	attempt->verb = "POST";
	attempt->url = mem_printf(DEVOPS_PATH, root, variable("SYSTEM_TEAMPROJECTID"),
			variable("SYSTEM_HOSTTYPE"), variable("SYSTEM_PLANID"),
			variable("SYSTEM_JOBID"));
	/* Empty, not absent: the service wants a Content-Length. */
	secret_set(&attempt->body, SPAN_LIT(""));
	attempt_header(attempt, "Content-Type", SPAN_LIT("application/json"));
	add_bearer(attempt, variable("SYSTEM_ACCESSTOKEN"));
	return STEP_ASK;
}

static enum err_code take_id_token(struct attempt *attempt, const struct http_request *request,
		const char *member, struct err *err)
{
	struct token_answer answer = {0};
	enum err_code code = token_answer_take(request, member, &answer, err);

	if (code == ERR_NONE)
		secret_set(&attempt->held, (struct span){answer.token.text, answer.token.len});
	token_answer_release(&answer);
	return code;
}

static enum err_code take_github(
		struct attempt *attempt, const struct http_request *request, struct err *err)
{
	return take_id_token(attempt, request, "value", err);
}

static enum err_code take_devops(
		struct attempt *attempt, const struct http_request *request, struct err *err)
{
	return take_id_token(attempt, request, "oidcToken", err);
}

/* ---- the exchange ---- */

static enum step_verdict ask_exchange(struct attempt *attempt, struct err *err)
{
	const char *client_id = credential_text(attempt->credential, AUTH_KEY_CLIENT_ID);
	struct buf form;

	(void)err;
	form_init(&form);
	form_add(&form, "grant_type", SPAN_LIT("urn:ietf:params:oauth:grant-type:token-exchange"));
	form_add(&form, "subject_token", (struct span){attempt->held.text, attempt->held.len});
	form_add(&form, "subject_token_type", SPAN_LIT("urn:ietf:params:oauth:token-type:jwt"));
	form_add_scopes(&form, attempt->credential);
	/* Left out, not empty, for a federation policy of the whole account. */
	if (client_id)
		form_add(&form, "client_id", span_of(client_id));
	attempt_post(attempt, mem_strdup(attempt->memory->token_endpoint), &form);
	return STEP_ASK;
}

static const struct signin_step variable_step = {
		.name = "ID token of the environment", .prepare = take_from_variable};
static const struct signin_step file_step = {
		.name = "ID token of the file", .prepare = take_from_file};
static const struct signin_step github_step = {
		.name = "ID token of GitHub", .prepare = ask_github, .take = take_github};
static const struct signin_step devops_step = {
		.name = "ID token of Azure DevOps", .prepare = ask_devops, .take = take_devops};
static const struct signin_step exchange_step = {.name = "token exchange",
		.is_token_request = true,
		.prepare = ask_exchange,
		.take = oauth_take_token};

static const char *lacks_variable(const struct credential *credential)
{
	return variable(variable_with_token(credential)) ? NULL : variable_with_token(credential);
}

static const char *lacks_github(const struct credential *credential)
{
	(void)credential;
	if (!variable("ACTIONS_ID_TOKEN_REQUEST_URL"))
		return "ACTIONS_ID_TOKEN_REQUEST_URL";
	return variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN") ? NULL : "ACTIONS_ID_TOKEN_REQUEST_TOKEN";
}

static const char *lacks_devops(const struct credential *credential)
{
	(void)credential;
	return devops_lacks();
}

#define EXCHANGE_STEPS(source)                                                                     \
	{                                                                                          \
		&oauth_metadata_step, &oauth_discovery_step, (source), &exchange_step              \
	}
static const struct signin_step *const variable_steps[] = EXCHANGE_STEPS(&variable_step);
static const struct signin_step *const file_steps[] = EXCHANGE_STEPS(&file_step);
static const struct signin_step *const github_steps[] = EXCHANGE_STEPS(&github_step);
static const struct signin_step *const devops_steps[] = EXCHANGE_STEPS(&devops_step);
/* No management token here, and no resource id (auth.md 3.8). */
static const struct signin_step *const github_azure_steps[] = {
		&azure_tenant_step, &github_step, &azure_token_step};

const struct signin_method env_oidc_method = {.lacks = lacks_variable,
		.steps = variable_steps,
		.step_count = COUNT_OF(variable_steps)};
const struct signin_method file_oidc_method = {.needs = {AUTH_KEY_OIDC_TOKEN_FILE},
		.need_count = 1,
		.steps = file_steps,
		.step_count = COUNT_OF(file_steps)};
const struct signin_method github_oidc_method = {
		.lacks = lacks_github, .steps = github_steps, .step_count = COUNT_OF(github_steps)};
const struct signin_method azure_devops_oidc_method = {
		.lacks = lacks_devops, .steps = devops_steps, .step_count = COUNT_OF(devops_steps)};
const struct signin_method github_oidc_azure_method = {.needs = {AUTH_KEY_AZURE_CLIENT_ID},
		.need_count = 1,
		.lacks = lacks_github,
		.steps = github_azure_steps,
		.step_count = COUNT_OF(github_azure_steps)};
