#include "databricks/auth/azure.h"

#include "base/text.h"
#include "databricks/answer.h"

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define ARM_API_VERSION "2018-04-01"

static const char *text_or_variable(
		const struct credential *credential, enum auth_key key, const char *variable)
{
	const char *text = credential_text(credential, key);

	if (!text && credential->type == AUTH_AZURE_WORKLOAD)
		text = getenv(variable);
	return text && *text ? text : NULL;
}

const char *azure_client_id(const struct credential *credential)
{
	return text_or_variable(credential, AUTH_KEY_AZURE_CLIENT_ID, "AZURE_CLIENT_ID");
}

const char *azure_tenant_id(const struct attempt *attempt)
{
	const char *tenant = text_or_variable(
			attempt->credential, AUTH_KEY_AZURE_TENANT_ID, "AZURE_TENANT_ID");

	return tenant ? tenant : attempt->memory->tenant_id;
}

const char *azure_lacks_place(const struct credential *credential)
{
	return credential->host || credential_has(credential, AUTH_KEY_AZURE_RESOURCE_ID)
			? NULL
			: "host or azure_workspace_resource_id";
}

static const char *login_url(const struct attempt *attempt)
{
	const struct credential *credential = attempt->credential;
	const char *url = NULL;

	if (credential->type == AUTH_AZURE_WORKLOAD &&
			!credential_has(credential, AUTH_KEY_AZURE_LOGIN_URL))
		url = getenv("AZURE_AUTHORITY_HOST");
	return url && *url ? url : azure_place_of(credential).login_url;
}

/* With exactly one slash between both. */
static char *join(const char *root, const char *rest)
{
	size_t len = strlen(root);

	while (len > 0 && root[len - 1] == '/')
		len--;
	return mem_printf("%.*s/%s", (int)len, root, rest + strspn(rest, "/"));
}

/* ---- tenant ---- */

static enum step_verdict ask_tenant(struct attempt *attempt, struct err *err)
{
	if (azure_tenant_id(attempt))
		return STEP_NOTHING;
	if (!attempt->credential->host) {
		(void)err_set(err, ERR_CONFIG, 0,
				"azure_tenant_id is needed where no host is given");
		return STEP_FAILED;
	}
	attempt_get(attempt, mem_printf("%s/aad/auth", attempt->credential->host));
	return STEP_ASK;
}

/* The host leads on to {login}/{tenant}/oauth2/authorize: the tenant is what stands first in that path. */
static enum err_code take_tenant(
		struct attempt *attempt, const struct http_request *request, struct err *err)
{
	const char *at = strstr(request->location, "://");
	const char *path = at ? strchr(at + 3, '/') : NULL;
	size_t len = path ? strcspn(path + 1, "/?#") : 0;

	if (request->status >= 500 || request->status == 429)
		return err_set(err, ERR_SERVER, request->status, "HTTP %d", request->status);
	if (request->status < 300 || request->status > 399 || len == 0)
		return err_set(err, ERR_AUTH, request->status,
				"the host does not tell its Entra tenant (HTTP %d); set "
				"azure_tenant_id",
				request->status);
	mem_free(attempt->memory->tenant_id);
	attempt->memory->tenant_id = mem_strndup(path + 1, len);
	return ERR_NONE;
}

const struct signin_step azure_tenant_step = {
		.name = "tenant of the host", .prepare = ask_tenant, .take = take_tenant};

/* ---- tokens ---- */

static enum err_code add_file_assertion(struct attempt *attempt, struct buf *form, struct err *err)
{
	const char *path =
			credential_text(attempt->credential, AUTH_KEY_AZURE_FEDERATED_TOKEN_FILE);
	struct secret token = {0};

	if (!path)
		path = getenv("AZURE_FEDERATED_TOKEN_FILE");
	if (!path)
		return err_set(err, ERR_CONFIG, 0,
				"azure_federated_token_file is not set, nor is "
				"AZURE_FEDERATED_TOKEN_FILE");
	if (secret_read_mounted(path, &token, err) != ERR_NONE)
		return err->code;
	form_add(form, "client_assertion_type", SPAN_LIT(ASSERTION_TYPE));
	form_add(form, "client_assertion", (struct span){token.text, token.len});
	secret_release(&token);
	return ERR_NONE;
}

/* What proves who we are: a secret, a signed assertion, or somebody else's token. */
static enum err_code add_proof(
		struct attempt *attempt, const char *url, struct buf *form, struct err *err)
{
	enum auth_type type = attempt->credential->type;
	struct secret secret = {0};

	if (type == AUTH_AZURE_CLIENT_CERTIFICATE)
		return azure_certificate_assertion(attempt, url, form, err);
	if (type == AUTH_AZURE_WORKLOAD)
		return add_file_assertion(attempt, form, err);
	if (type == AUTH_GITHUB_OIDC_AZURE) {
		form_add(form, "client_assertion_type", SPAN_LIT(ASSERTION_TYPE));
		form_add(form, "client_assertion",
				(struct span){attempt->held.text, attempt->held.len});
		return ERR_NONE;
	}
	if (credential_secret(attempt->credential, AUTH_KEY_AZURE_CLIENT_SECRET, attempt->folder,
			    &secret, err) != ERR_NONE)
		return err->code;
	form_add(form, "client_secret", (struct span){secret.text, secret.len});
	secret_release(&secret);
	return ERR_NONE;
}

/*
 * An assertion names the endpoint that it is for, and goes to the v2 one, where a resource is written as a scope
 * (certificate-credentials). A secret and a federated token go to the v1 endpoint, as Databricks' SDKs have it.
 */
static enum step_verdict ask_token(struct attempt *attempt, const char *resource, struct err *err)
{
	bool v2 = attempt->credential->type == AUTH_AZURE_CLIENT_CERTIFICATE;
	AUTO(mem_freep) char *login = join(login_url(attempt), azure_tenant_id(attempt));
	char *url = mem_printf("%s/oauth2/%stoken", login, v2 ? "v2.0/" : "");
	AUTO(mem_freep) char *scope = NULL;
	struct buf form;

	if (!attempt_url_serves(attempt, url)) {
		(void)err_set(err, ERR_CONFIG, 0, "%s: tokens are asked for by https only", url);
		mem_free(url);
		return STEP_FAILED;
	}
	form_init(&form);
	form_add(&form, "grant_type", SPAN_LIT("client_credentials"));
	form_add(&form, "client_id", span_of(azure_client_id(attempt->credential)));
	if (v2) {
		scope = join(resource, ".default");
		form_add(&form, "scope", span_of(scope));
	} else {
		form_add(&form, "resource", span_of(resource));
	}
	if (add_proof(attempt, url, &form, err) != ERR_NONE) {
		buf_wipe(&form);
		mem_free(url);
		return STEP_FAILED;
	}
	attempt_post(attempt, url, &form);
	return STEP_ASK;
}

static enum step_verdict ask_databricks_token(struct attempt *attempt, struct err *err)
{
	return ask_token(attempt, azure_place_of(attempt->credential).databricks_app_id, err);
}

static enum step_verdict ask_management_token(struct attempt *attempt, struct err *err)
{
	return ask_token(attempt, azure_place_of(attempt->credential).management_url, err);
}

static enum step_verdict ask_arm_token(struct attempt *attempt, struct err *err)
{
	if (attempt->credential->host)
		return STEP_NOTHING;
	return ask_token(attempt, azure_place_of(attempt->credential).resource_manager_url, err);
}

/* prefix NULL: as the answer's token_type has it -- always Bearer, whatever Entra says (auth.md, case 17). */
static enum err_code take_for(struct attempt *attempt, const struct http_request *request,
		const char *header, struct err *err)
{
	bool bare = strcmp(header, "Authorization") != 0;
	struct token_answer answer = {0};
	enum err_code code = token_answer_take(request, "access_token", &answer, err);

	if (code == ERR_NONE)
		code = attempt_result(
				attempt, header, bare ? "" : "Bearer", answer.token.text, err);
	if (code == ERR_NONE)
		attempt_life(attempt, answer.life_s);
	attempt->result.margin_s = AZURE_MARGIN_S;
	token_answer_release(&answer);
	return code;
}

enum err_code azure_take_token(
		struct attempt *attempt, const struct http_request *request, struct err *err)
{
	return take_for(attempt, request, "Authorization", err);
}

enum err_code azure_take_management(
		struct attempt *attempt, const struct http_request *request, struct err *err)
{
	return take_for(attempt, request, AZURE_MANAGEMENT_HEADER, err);
}

enum err_code azure_take_arm_token(
		struct attempt *attempt, const struct http_request *request, struct err *err)
{
	struct token_answer answer = {0};
	enum err_code code = token_answer_take(request, "access_token", &answer, err);

	if (code == ERR_NONE)
		secret_set(&attempt->held, (struct span){answer.token.text, answer.token.len});
	token_answer_release(&answer);
	return code;
}

const struct signin_step azure_token_step = {.name = "token request to Entra ID",
		.is_token_request = true,
		.prepare = ask_databricks_token,
		.take = azure_take_token};
const struct signin_step azure_management_step = {
		.name = "request of the management token to Entra ID",
		.is_token_request = true,
		.prepare = ask_management_token,
		.take = azure_take_management};
const struct signin_step azure_arm_token_step = {
		.name = "request of the resource manager's token to Entra ID",
		.is_token_request = true,
		.prepare = ask_arm_token,
		.take = azure_take_arm_token};

/* ---- the workspace ---- */

static enum step_verdict ask_host(struct attempt *attempt, struct err *err)
{
	AUTO(mem_freep) char *bearer = NULL;
	AUTO(mem_freep) char *root = NULL;

	(void)err;
	if (attempt->credential->host)
		return STEP_NOTHING;
	root = join(azure_place_of(attempt->credential).resource_manager_url,
			credential_text(attempt->credential, AUTH_KEY_AZURE_RESOURCE_ID));
	attempt_get(attempt, mem_printf("%s?api-version=" ARM_API_VERSION, root));
	bearer = mem_printf("Bearer %s", attempt->held.text);
	attempt_header(attempt, "Authorization", span_of(bearer));
	explicit_bzero(bearer, strlen(bearer));
	secret_release(&attempt->held);
	return STEP_ASK;
}

static enum err_code take_host(
		struct attempt *attempt, const struct http_request *request, struct err *err)
{
	json_t *json = answer_object(request);
	const json_t *properties = json_object_get(json, "properties");
	const char *url = json_string_value(json_object_get(properties, "workspaceUrl"));
	enum err_code code = ERR_NONE;

	if (url && *url)
		attempt->credential->host = mem_printf("https://%s", url);
	else if (request->status >= 500 || request->status == 429)
		code = err_set(err, ERR_SERVER, request->status, "HTTP %d", request->status);
	else
		code = err_set(err, ERR_AUTH, request->status,
				"cannot resolve the Azure Databricks workspace (HTTP %d): %.*s",
				request->status,
				request->answer_len < 200 ? (int)request->answer_len : 200,
				request->answer ? request->answer : "");
	json_decref(json);
	return code;
}

const struct signin_step azure_host_step = {
		.name = "address of the workspace", .prepare = ask_host, .take = take_host};

static enum step_verdict add_resource_id(struct attempt *attempt, struct err *err)
{
	const char *id = credential_text(attempt->credential, AUTH_KEY_AZURE_RESOURCE_ID);

	if (id && attempt_result(attempt, AZURE_RESOURCE_ID_HEADER, "", id, err) != ERR_NONE)
		return STEP_FAILED;
	return STEP_NOTHING;
}

const struct signin_step azure_resource_id_step = {
		.name = "resource id of the workspace", .prepare = add_resource_id};

/* ---- methods ---- */

static const char *lacks_workload(const struct credential *credential)
{
	struct credential as_workload = *credential;
	const char *file = getenv("AZURE_FEDERATED_TOKEN_FILE");

	as_workload.type = AUTH_AZURE_WORKLOAD;
	if (!azure_client_id(&as_workload))
		return "azure_client_id or AZURE_CLIENT_ID";
	if (!credential_has(credential, AUTH_KEY_AZURE_FEDERATED_TOKEN_FILE) && (!file || !*file))
		return "azure_federated_token_file or AZURE_FEDERATED_TOKEN_FILE";
	return azure_lacks_place(credential);
}

static const struct signin_step *const steps[] = {&azure_tenant_step, &azure_arm_token_step,
		&azure_host_step, &azure_token_step, &azure_management_step,
		&azure_resource_id_step};
const struct signin_method azure_client_secret_method = {
		.needs = {AUTH_KEY_AZURE_CLIENT_ID, AUTH_KEY_AZURE_CLIENT_SECRET},
		.need_count = 2,
		.lacks = azure_lacks_place,
		.steps = steps,
		.step_count = COUNT_OF(steps)};
const struct signin_method azure_client_certificate_method = {
		.needs = {AUTH_KEY_AZURE_CLIENT_ID, AUTH_KEY_AZURE_CERTIFICATE},
		.need_count = 2,
		.lacks = azure_lacks_place,
		.steps = steps,
		.step_count = COUNT_OF(steps)};
const struct signin_method azure_workload_method = {
		.lacks = lacks_workload, .steps = steps, .step_count = COUNT_OF(steps)};
