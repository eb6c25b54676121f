#include "model/auth_key.h"

#include "base/text.h"

#define IN_AUTH .in_auth = true
#define SECRET .in_auth = true, .is_secret = true

const struct auth_key_row auth_keys[AUTH_KEY_COUNT_] = {
		[AUTH_KEY_HOST] = {"host", .variable = "DATABRICKS_HOST"},
		[AUTH_KEY_ACCOUNT_ID] = {"account_id", .variable = "DATABRICKS_ACCOUNT_ID"},
		[AUTH_KEY_WORKSPACE_ID] = {"workspace_id", .variable = "DATABRICKS_WORKSPACE_ID"},
		[AUTH_KEY_TYPE] = {"auth_type", .variable = "DATABRICKS_AUTH_TYPE"},
		[AUTH_KEY_CLOUD] = {"cloud", .variable = "DATABRICKS_CLOUD", IN_AUTH},
		[AUTH_KEY_DISCOVERY_URL] = {"discovery_url", .variable = "DATABRICKS_DISCOVERY_URL",
				IN_AUTH},
		[AUTH_KEY_SKIP_VERIFY] = {.name = "skip_verify"},
		[AUTH_KEY_TOKEN] = {"token", .variable = "DATABRICKS_TOKEN", .group = "pat",
				SECRET},
		[AUTH_KEY_USERNAME] = {"username", .variable = "DATABRICKS_USERNAME",
				.group = "basic"},
		[AUTH_KEY_PASSWORD] = {"password", .variable = "DATABRICKS_PASSWORD",
				.group = "basic", .is_secret = true},
		[AUTH_KEY_CLIENT_ID] = {"client_id", .variable = "DATABRICKS_CLIENT_ID",
				.group = "oauth", IN_AUTH},
		[AUTH_KEY_CLIENT_SECRET] = {"client_secret", .variable = "DATABRICKS_CLIENT_SECRET",
				.group = "oauth", SECRET},
		[AUTH_KEY_SCOPES] = {"scopes", IN_AUTH},
		[AUTH_KEY_TOKEN_AUDIENCE] = {"token_audience", .other_name = "audience",
				.variable = "DATABRICKS_TOKEN_AUDIENCE", IN_AUTH},
		[AUTH_KEY_OIDC_TOKEN_ENV] = {"oidc_token_env",
				.variable = "DATABRICKS_OIDC_TOKEN_ENV", .group = "env-oidc",
				IN_AUTH},
		[AUTH_KEY_OIDC_TOKEN_FILE] = {"oidc_token_filepath",
				.other_name = "databricks_id_token_filepath",
				.variable = "DATABRICKS_OIDC_TOKEN_FILEPATH",
				.other_variable = "DATABRICKS_OIDC_TOKEN_FILE",
				.group = "file-oidc", IN_AUTH},
		[AUTH_KEY_METADATA_SERVICE_URL] = {"metadata_service_url",
				.variable = "DATABRICKS_METADATA_SERVICE_URL",
				.group = "metadata-service", IN_AUTH},
		[AUTH_KEY_GOOGLE_SERVICE_ACCOUNT] = {"google_service_account",
				.variable = "DATABRICKS_GOOGLE_SERVICE_ACCOUNT", .group = "google",
				IN_AUTH},
		[AUTH_KEY_GOOGLE_CREDENTIALS] = {"google_credentials",
				.variable = "GOOGLE_CREDENTIALS", .group = "google", SECRET},
		[AUTH_KEY_AZURE_RESOURCE_ID] = {"azure_workspace_resource_id",
				.variable = "DATABRICKS_AZURE_RESOURCE_ID", .group = "azure",
				IN_AUTH},
		[AUTH_KEY_AZURE_USE_MSI] = {"azure_use_msi", .variable = "ARM_USE_MSI",
				.group = "azure", IN_AUTH},
		[AUTH_KEY_AZURE_CLIENT_ID] = {"azure_client_id", .variable = "ARM_CLIENT_ID",
				.group = "azure", IN_AUTH},
		[AUTH_KEY_AZURE_CLIENT_SECRET] = {"azure_client_secret",
				.variable = "ARM_CLIENT_SECRET", .group = "azure", SECRET},
		[AUTH_KEY_AZURE_TENANT_ID] = {"azure_tenant_id", .variable = "ARM_TENANT_ID",
				.group = "azure", IN_AUTH},
		[AUTH_KEY_AZURE_ENVIRONMENT] = {"azure_environment", .variable = "ARM_ENVIRONMENT",
				IN_AUTH},
		[AUTH_KEY_AZURE_CERTIFICATE] = {"azure_client_certificate", SECRET},
		[AUTH_KEY_AZURE_CERTIFICATE_PASSWORD] = {"azure_client_certificate_password",
				SECRET},
		[AUTH_KEY_AZURE_FEDERATED_TOKEN_FILE] = {"azure_federated_token_file", IN_AUTH},
		[AUTH_KEY_AZURE_LOGIN_URL] = {"azure_login_url", IN_AUTH},
		[AUTH_KEY_AZURE_MANAGEMENT_URL] = {"azure_management_url", IN_AUTH},
		[AUTH_KEY_AZURE_RESOURCE_MANAGER_URL] = {"azure_resource_manager_url", IN_AUTH},
		[AUTH_KEY_AZURE_LOGIN_APP_ID] = {"azure_databricks_app_id", IN_AUTH},
		[AUTH_KEY_GOOGLE_IAM_URL] = {"google_iam_url", IN_AUTH},
};

/* A type draws on values of at most two groups. */
static const struct {
	const char *type, *groups[2];
} type_groups[] = {
		{"pat", {"pat"}},
		{"oauth-m2m", {"oauth"}},
		{"metadata-service", {"metadata-service"}},
		{"github-oidc", {"oauth"}},
		{"azure-devops-oidc", {"oauth"}},
		{"env-oidc", {"env-oidc", "oauth"}},
		{"file-oidc", {"file-oidc", "oauth"}},
		{"github-oidc-azure", {"azure"}},
		{"azure-msi", {"azure"}},
		{"azure-client-secret", {"azure"}},
		{"azure-client-certificate", {"azure"}},
		{"azure-workload", {"azure"}},
		{"google-credentials", {"google"}},
		{"google-id", {"google"}},
};

bool auth_type_takes_group(const char *type, const char *group)
{
	for (size_t i = 0; i < COUNT_OF(type_groups); i++) {
		if (text_equal(type_groups[i].type, type))
			return text_equal(type_groups[i].groups[0], group) ||
					text_equal(type_groups[i].groups[1], group);
	}
	return false;
}
