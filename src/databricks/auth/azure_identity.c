/*
 * azure-msi: the identity that Azure gives to this machine -- a virtual machine's (IMDS), App Service's and Functions', or
 * Azure Arc's, whichever the environment names. Sources: databricks-sdk-go config/auth_azure_msi.go; learn.microsoft.com
 * "How to use managed identities" of each.
 */
#include "databricks/auth/azure.h"

#include "base/text.h"

#include <sys/stat.h>

#define IMDS_HOST "http://169.254.169.254"
#define IMDS_PATH "/metadata/identity/oauth2/token?api-version=2018-02-01"
#define IDENTITY_TIME_MAX_MS 10000
#define ARC_KEY_FOLDER "/var/opt/azcmagent/tokens/"

enum identity_place { PLACE_IMDS, PLACE_APP_SERVICE, PLACE_ARC };

static const char *variable(const char *name)
{
	const char *text = getenv(name);

	return text && *text ? text : NULL;
}

static enum identity_place place_of(void)
{
	if (!variable("IDENTITY_ENDPOINT"))
		return PLACE_IMDS;
	if (variable("IDENTITY_HEADER"))
		return PLACE_APP_SERVICE;
	return variable("IMDS_ENDPOINT") ? PLACE_ARC : PLACE_IMDS;
}

static char *with_parameters(const struct attempt *attempt, const char *start, const char *resource)
{
	AUTO(mem_freep) char *escaped = http_escape(resource);
	const char *id = credential_text(attempt->credential, AUTH_KEY_AZURE_CLIENT_ID);
	AUTO(mem_freep) char *escaped_id = id ? http_escape(id) : NULL;

	return mem_printf("%s&resource=%s%s%s", start, escaped, id ? "&client_id=" : "",
			id ? escaped_id : "");
}

static void ask_imds(struct attempt *attempt, const char *resource)
{
	const char *host = variable("AZURE_POD_IDENTITY_AUTHORITY_HOST");
	AUTO(mem_freep) char *start = mem_printf("%s" IMDS_PATH, host ? host : IMDS_HOST);

	attempt_get(attempt, with_parameters(attempt, start, resource));
	attempt_header(attempt, "Metadata", SPAN_LIT("true"));
}

static void ask_app_service(struct attempt *attempt, const char *resource)
{
	AUTO(mem_freep)
	char *start = mem_printf("%s?api-version=2019-08-01", variable("IDENTITY_ENDPOINT"));

	attempt_get(attempt, with_parameters(attempt, start, resource));
	attempt_header(attempt, "X-IDENTITY-HEADER", span_of(variable("IDENTITY_HEADER")));
}

/* Arc wants to see that we may read a file of its: the challenge names it, attempt->held is its content. */
static void ask_arc(struct attempt *attempt, const char *resource, bool with_key)
{
	AUTO(mem_freep)
	char *start = mem_printf("%s?api-version=2020-06-01", variable("IDENTITY_ENDPOINT"));

	attempt_get(attempt, with_parameters(attempt, start, resource));
	attempt_header(attempt, "Metadata", SPAN_LIT("true"));
	if (with_key) {
		AUTO(mem_freep) char *basic = mem_printf("Basic %s", attempt->held.text);

		attempt_header(attempt, "Authorization", span_of(basic));
		explicit_bzero(basic, strlen(basic));
	}
}

static enum step_verdict ask_identity(struct attempt *attempt, const char *resource)
{
	switch (place_of()) {
	case PLACE_IMDS:
		ask_imds(attempt, resource);
		break;
	case PLACE_APP_SERVICE:
		ask_app_service(attempt, resource);
		break;
	case PLACE_ARC:
		ask_arc(attempt, resource, true);
		break;
	}
	attempt->direct = true;
	return STEP_ASK;
}

/* ---- Arc's challenge, before each token: the key is good for one request ---- */

static enum step_verdict ask_challenge(struct attempt *attempt, struct err *err)
{
	(void)err;
	if (place_of() != PLACE_ARC)
		return STEP_NOTHING;
	ask_arc(attempt, azure_place_of(attempt->credential).databricks_app_id, false);
	attempt->direct = true;
	return STEP_ASK;
}

static enum step_verdict ask_arm_challenge(struct attempt *attempt, struct err *err)
{
	return attempt->credential->host ? STEP_NOTHING : ask_challenge(attempt, err);
}

/* Only a key file of the agent's own folder is read, whatever the answer says. */
static enum err_code take_challenge(
		struct attempt *attempt, const struct http_request *request, struct err *err)
{
	const char *start = strstr(request->www_authenticate, "realm=");
	AUTO(mem_freep) char *path = NULL;
	const char *folder = variable("LDAP2DBX_ARC_KEY_FOLDER");
	size_t len;

	if (request->status != 401 || !start)
		return err_set(err, request->status >= 500 ? ERR_SERVER : ERR_AUTH, request->status,
				"Azure Arc's agent asks for no key (HTTP %d)", request->status);
	start += strlen("realm=");
	start += *start == '"';
	len = strcspn(start, "\" ,");
	path = mem_strndup(start, len);
	if (!folder)
		folder = ARC_KEY_FOLDER;
	if (!text_starts_with(path, folder) || strstr(path, "..") || len < 4 ||
			strcmp(path + len - 4, ".key") != 0)
		return err_set(err, ERR_PROTO, 0,
				"Azure Arc's agent names a key file outside %s: \"%.200s\"", folder,
				path);
	return secret_read_mounted(path, &attempt->held, err);
}

static const struct signin_step challenge_step = {.name = "challenge of Azure Arc",
		.time_max_ms = IDENTITY_TIME_MAX_MS,
		.prepare = ask_challenge,
		.take = take_challenge};

static const struct signin_step arm_challenge_step = {.name = "challenge of Azure Arc",
		.time_max_ms = IDENTITY_TIME_MAX_MS,
		.prepare = ask_arm_challenge,
		.take = take_challenge};

/* ---- tokens ---- */

static enum step_verdict ask_databricks_token(struct attempt *attempt, struct err *err)
{
	(void)err;
	return ask_identity(attempt, azure_place_of(attempt->credential).databricks_app_id);
}

static enum step_verdict ask_management_token(struct attempt *attempt, struct err *err)
{
	(void)err;
	return ask_identity(attempt, azure_place_of(attempt->credential).management_url);
}

static enum step_verdict ask_arm_token(struct attempt *attempt, struct err *err)
{
	(void)err;
	if (attempt->credential->host)
		return STEP_NOTHING;
	return ask_identity(attempt, azure_place_of(attempt->credential).resource_manager_url);
}

/* IMDS answers 404 and 410 while it is updated (learn.microsoft.com, "Retry guidance"). */
static enum err_code mend(const struct http_request *request, enum err_code code, struct err *err)
{
	if (code != ERR_NONE && (request->status == 404 || request->status == 410)) {
		err->code = ERR_SERVER;
		return ERR_SERVER;
	}
	return code;
}

static enum err_code take_token(
		struct attempt *attempt, const struct http_request *request, struct err *err)
{
	return mend(request, azure_take_token(attempt, request, err), err);
}

static enum err_code take_management(
		struct attempt *attempt, const struct http_request *request, struct err *err)
{
	return mend(request, azure_take_management(attempt, request, err), err);
}

static enum err_code take_arm_token(
		struct attempt *attempt, const struct http_request *request, struct err *err)
{
	return mend(request, azure_take_arm_token(attempt, request, err), err);
}

static const struct signin_step token_step = {.name = "token of the managed identity",
		.is_token_request = true,
		.time_max_ms = IDENTITY_TIME_MAX_MS,
		.prepare = ask_databricks_token,
		.take = take_token};
static const struct signin_step management_step = {
		.name = "management token of the managed identity",
		.is_token_request = true,
		.time_max_ms = IDENTITY_TIME_MAX_MS,
		.prepare = ask_management_token,
		.take = take_management};
static const struct signin_step arm_step = {
		.name = "resource manager's token of the managed identity",
		.is_token_request = true,
		.time_max_ms = IDENTITY_TIME_MAX_MS,
		.prepare = ask_arm_token,
		.take = take_arm_token};

static bool wants_identity(const struct credential *credential)
{
	const char *text = credential_text(credential, AUTH_KEY_AZURE_USE_MSI);

	return text &&
			(text_equal_folded(text, "true") || text_equal_folded(text, "t") ||
					text_equal(text, "1"));
}

static const char *lacks(const struct credential *credential)
{
	if (!wants_identity(credential))
		return "azure_use_msi: true";
	return azure_lacks_place(credential);
}

static const struct signin_step *const steps[] = {&arm_challenge_step, &arm_step, &azure_host_step,
		&challenge_step, &token_step, &challenge_step, &management_step,
		&azure_resource_id_step};
const struct signin_method azure_msi_method = {
		.lacks = lacks, .steps = steps, .step_count = COUNT_OF(steps)};
