/*
 * cloud -- which cloud a host belongs to, and what Entra ID is called there.
 *
 * Source: databricks-sdk-py databricks/sdk/environments.py (suffixes, application ids), azure.py (environments).
 */
#ifndef L2D_DATABRICKS_AUTH_CLOUD_H
#define L2D_DATABRICKS_AUTH_CLOUD_H

#include "databricks/auth/credential.h"

enum cloud { CLOUD_AWS, CLOUD_AZURE, CLOUD_GCP };
/* By azure_workspace_resource_id, `cloud`, or the host's name; a host that no rule knows is on AWS. */
enum cloud cloud_of(const struct credential *credential);

/* Everything ends with a slash but the application id. */
struct azure_place {
	const char *login_url;            /* Entra */
	const char *management_url;       /* resource of the management token */
	const char *resource_manager_url; /* ARM */
	const char *databricks_app_id;    /* resource of the token for Databricks */
};
/* What is configured, else by the host's name, else by azure_environment, else of the public cloud. Borrowed. */
struct azure_place azure_place_of(const struct credential *credential);
/* Whether name is an environment's: PUBLIC, USGOVERNMENT, CHINA, also AzureUSGovernment, AzureChinaCloud. */
bool azure_environment_is_known(const char *name);

#endif
