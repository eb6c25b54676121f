#include "databricks/auth/credential.h"

#include "databricks/auth/profile_file.h"

static const char *const type_names[AUTH_TYPE_COUNT_] = {
		[AUTH_PAT] = "pat",
		[AUTH_OAUTH_M2M] = "oauth-m2m",
		[AUTH_METADATA_SERVICE] = "metadata-service",
		[AUTH_GITHUB_OIDC] = "github-oidc",
		[AUTH_AZURE_DEVOPS_OIDC] = "azure-devops-oidc",
		[AUTH_ENV_OIDC] = "env-oidc",
		[AUTH_FILE_OIDC] = "file-oidc",
		[AUTH_GITHUB_OIDC_AZURE] = "github-oidc-azure",
		[AUTH_AZURE_MSI] = "azure-msi",
		[AUTH_AZURE_CLIENT_SECRET] = "azure-client-secret",
		[AUTH_GOOGLE_CREDENTIALS] = "google-credentials",
		[AUTH_GOOGLE_ID] = "google-id",
		[AUTH_AZURE_CLIENT_CERTIFICATE] = "azure-client-certificate",
		[AUTH_AZURE_WORKLOAD] = "azure-workload",
};

const char *auth_type_name(enum auth_type type)
{
	return type_names[type];
}

const char *credential_text(const struct credential *credential, enum auth_key key)
{
	return credential->values[key].text;
}

bool credential_has(const struct credential *credential, enum auth_key key)
{
	const struct credential_value *value = &credential->values[key];

	return value->text || value->reference || value->file;
}

const char *credential_principal(const struct credential *credential)
{
	switch (credential->type) {
	case AUTH_OAUTH_M2M:
	case AUTH_GITHUB_OIDC:
	case AUTH_AZURE_DEVOPS_OIDC:
	case AUTH_ENV_OIDC:
	case AUTH_FILE_OIDC:
		return credential_text(credential, AUTH_KEY_CLIENT_ID);
	case AUTH_GITHUB_OIDC_AZURE:
	case AUTH_AZURE_MSI:
	case AUTH_AZURE_CLIENT_SECRET:
	case AUTH_AZURE_CLIENT_CERTIFICATE:
	case AUTH_AZURE_WORKLOAD:
		return credential_text(credential, AUTH_KEY_AZURE_CLIENT_ID);
	case AUTH_PAT:
	case AUTH_METADATA_SERVICE:
	case AUTH_GOOGLE_CREDENTIALS:
	case AUTH_GOOGLE_ID:
	case AUTH_TYPE_COUNT_:
		break;
	}
	return NULL;
}

enum err_code credential_secret(const struct credential *credential, enum auth_key key,
		const char *folder, struct secret *ret, struct err *err)
{
	const struct credential_value *value = &credential->values[key];

	if (value->reference)
		return secret_read(value->reference, folder, ret, err);
	if (value->file)
		return profile_file_secret(value->file, value->section, value->key, ret, err);
	return err_set(err, ERR_CONFIG, 0, "sign-in by %s lacks %s",
			auth_type_name(credential->type), auth_keys[key].name);
}

enum err_code credential_secret_bytes(const struct credential *credential, enum auth_key key,
		const char *folder, struct secret *ret, struct err *err)
{
	const struct credential_value *value = &credential->values[key];

	if (value->reference)
		return secret_read_bytes(value->reference, folder, ret, err);
	return credential_secret(credential, key, folder, ret, err);
}

void credential_release(struct credential *credential)
{
	for (size_t i = 0; i < AUTH_KEY_COUNT_; i++) {
		mem_free(credential->values[i].text);
		mem_free(credential->values[i].reference);
		mem_free(credential->values[i].file);
		mem_free(credential->values[i].section);
		mem_free(credential->values[i].key);
	}
	mem_free(credential->host);
	mem_free(credential->account_id);
	mem_free(credential->workspace_id);
	*credential = (struct credential){0};
}
