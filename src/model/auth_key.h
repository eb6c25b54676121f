/*
 * auth_key -- what a target can be told of how to sign in, by the names that Databricks' SDKs use: key of ~/.databrickscfg
 * and of `auth:`, environment variable, and the authorization method that it counts for when two compete.
 *
 * Source: databricks-sdk-go config/config.go (names, variables, groups). Keys without a group are our own; they never take
 * part in a conflict, so that an environment that works with the SDKs works here.
 */
#ifndef L2D_MODEL_AUTH_KEY_H
#define L2D_MODEL_AUTH_KEY_H

#include <stdbool.h>
#include <stddef.h>

enum auth_key {
	AUTH_KEY_HOST,
	AUTH_KEY_ACCOUNT_ID,
	AUTH_KEY_WORKSPACE_ID,
	AUTH_KEY_TYPE,
	AUTH_KEY_CLOUD,
	AUTH_KEY_DISCOVERY_URL,
	AUTH_KEY_SKIP_VERIFY,
	AUTH_KEY_TOKEN,
	AUTH_KEY_USERNAME,
	AUTH_KEY_PASSWORD,
	AUTH_KEY_CLIENT_ID,
	AUTH_KEY_CLIENT_SECRET,
	AUTH_KEY_SCOPES,
	AUTH_KEY_TOKEN_AUDIENCE,
	AUTH_KEY_OIDC_TOKEN_ENV,
	AUTH_KEY_OIDC_TOKEN_FILE,
	AUTH_KEY_METADATA_SERVICE_URL,
	AUTH_KEY_GOOGLE_SERVICE_ACCOUNT,
	AUTH_KEY_GOOGLE_CREDENTIALS,
	AUTH_KEY_AZURE_RESOURCE_ID,
	AUTH_KEY_AZURE_USE_MSI,
	AUTH_KEY_AZURE_CLIENT_ID,
	AUTH_KEY_AZURE_CLIENT_SECRET,
	AUTH_KEY_AZURE_TENANT_ID,
	AUTH_KEY_AZURE_ENVIRONMENT,
	/* ours: the SDKs have no such attributes */
	AUTH_KEY_AZURE_CERTIFICATE,
	AUTH_KEY_AZURE_CERTIFICATE_PASSWORD,
	AUTH_KEY_AZURE_FEDERATED_TOKEN_FILE,
	AUTH_KEY_AZURE_LOGIN_URL,
	AUTH_KEY_AZURE_MANAGEMENT_URL,
	AUTH_KEY_AZURE_RESOURCE_MANAGER_URL,
	AUTH_KEY_AZURE_LOGIN_APP_ID,
	AUTH_KEY_GOOGLE_IAM_URL,
	AUTH_KEY_COUNT_
};

struct auth_key_row {
	const char *name;                      /* in profile files and in `auth:` */
	const char *other_name;                /* a second name in profile files; NULL */
	const char *variable, *other_variable; /* NULL: none */
	const char *group;                     /* authorization method, as messages name it; NULL */
	bool is_secret; /* given by reference in the configuration, held in locked memory, never shown */
	bool in_auth; /* may stand in `auth:` of the configuration */
};
extern const struct auth_key_row auth_keys[AUTH_KEY_COUNT_];

/* Whether values of a group have a say in the way to sign in that is called type ("oauth-m2m"). */
bool auth_type_takes_group(const char *type, const char *group);

#endif
