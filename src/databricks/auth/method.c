#include "databricks/auth/method.h"

static const struct signin_method *const methods[AUTH_TYPE_COUNT_] = {
		[AUTH_PAT] = &pat_method,
		[AUTH_OAUTH_M2M] = &oauth_m2m_method,
		[AUTH_METADATA_SERVICE] = &metadata_service_method,
		[AUTH_GITHUB_OIDC] = &github_oidc_method,
		[AUTH_AZURE_DEVOPS_OIDC] = &azure_devops_oidc_method,
		[AUTH_ENV_OIDC] = &env_oidc_method,
		[AUTH_FILE_OIDC] = &file_oidc_method,
		[AUTH_GITHUB_OIDC_AZURE] = &github_oidc_azure_method,
		[AUTH_AZURE_MSI] = &azure_msi_method,
		[AUTH_AZURE_CLIENT_SECRET] = &azure_client_secret_method,
		[AUTH_GOOGLE_CREDENTIALS] = &google_credentials_method,
		[AUTH_GOOGLE_ID] = &google_id_method,
		[AUTH_AZURE_CLIENT_CERTIFICATE] = &azure_client_certificate_method,
		[AUTH_AZURE_WORKLOAD] = &azure_workload_method,
};

const struct signin_method *signin_method_of(enum auth_type type)
{
	return methods[type];
}

const char *signin_method_lacks(enum auth_type type, const struct credential *credential)
{
	const struct signin_method *method = methods[type];

	for (size_t i = 0; i < method->need_count; i++) {
		if (!credential_has(credential, method->needs[i]))
			return auth_keys[method->needs[i]].name;
	}
	return method->lacks ? method->lacks(credential) : NULL;
}
