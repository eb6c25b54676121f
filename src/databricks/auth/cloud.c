#include "databricks/auth/cloud.h"

#include "base/text.h"

#include <strings.h>

#define DATABRICKS_APP_ID "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"

enum azure_environment { AZURE_PUBLIC, AZURE_USGOVERNMENT, AZURE_CHINA, AZURE_NONE };

static const struct {
	const char *name, *login_url, *management_url, *resource_manager_url;
} environments[] = {
		[AZURE_PUBLIC] = {"PUBLIC", "https://login.microsoftonline.com/",
				"https://management.core.windows.net/",
				"https://management.azure.com/"},
		[AZURE_USGOVERNMENT] = {"USGOVERNMENT", "https://login.microsoftonline.us/",
				"https://management.core.usgovcloudapi.net/",
				"https://management.usgovcloudapi.net/"},
		[AZURE_CHINA] = {"CHINA", "https://login.chinacloudapi.cn/",
				"https://management.core.chinacloudapi.cn/",
				"https://management.chinacloudapi.cn/"},
};

/* The first that matches counts. */
static const struct zone {
	const char *suffix;
	enum cloud cloud;
	enum azure_environment environment;
	const char *app_id;
} zones[] = {
		{".dev.databricks.com", CLOUD_AWS, AZURE_NONE, NULL},
		{".staging.cloud.databricks.com", CLOUD_AWS, AZURE_NONE, NULL},
		{".cloud.databricks.us", CLOUD_AWS, AZURE_NONE, NULL},
		{".cloud.databricks.com", CLOUD_AWS, AZURE_NONE, NULL},
		{".dev.azuredatabricks.net", CLOUD_AZURE, AZURE_PUBLIC,
				"62a912ac-b58e-4c1d-89ea-b2dbfc7358fc"},
		{".staging.azuredatabricks.net", CLOUD_AZURE, AZURE_PUBLIC,
				"4a67d088-db5c-48f1-9ff2-0aace800ae68"},
		{".azuredatabricks.net", CLOUD_AZURE, AZURE_PUBLIC, DATABRICKS_APP_ID},
		{".databricks.azure.us", CLOUD_AZURE, AZURE_USGOVERNMENT, DATABRICKS_APP_ID},
		{".databricks.azure.cn", CLOUD_AZURE, AZURE_CHINA, DATABRICKS_APP_ID},
		/* The account consoles of the national clouds, by names that the SDKs do not know. */
		{".azuredatabricks.us", CLOUD_AZURE, AZURE_USGOVERNMENT, DATABRICKS_APP_ID},
		{".azuredatabricks.cn", CLOUD_AZURE, AZURE_CHINA, DATABRICKS_APP_ID},
		{".dev.gcp.databricks.com", CLOUD_GCP, AZURE_NONE, NULL},
		{".staging.gcp.databricks.com", CLOUD_GCP, AZURE_NONE, NULL},
		{".gcp.databricks.com", CLOUD_GCP, AZURE_NONE, NULL},
};

static const struct zone *zone_of(const char *host)
{
	size_t len = host ? strlen(host) : 0;

	for (size_t i = 0; i < COUNT_OF(zones); i++) {
		size_t suffix_len = strlen(zones[i].suffix);

		if (len > suffix_len && strcasecmp(host + len - suffix_len, zones[i].suffix) == 0)
			return &zones[i];
	}
	return NULL;
}

enum cloud cloud_of(const struct credential *credential)
{
	static const char *const names[] = {
			[CLOUD_AWS] = "AWS", [CLOUD_AZURE] = "AZURE", [CLOUD_GCP] = "GCP"};
	const char *named = credential_text(credential, AUTH_KEY_CLOUD);
	const struct zone *zone = zone_of(credential->host);

	if (credential_has(credential, AUTH_KEY_AZURE_RESOURCE_ID))
		return CLOUD_AZURE;
	for (size_t i = 0; named && i < COUNT_OF(names); i++) {
		if (text_equal_folded(named, names[i]))
			return (enum cloud)i;
	}
	return zone ? zone->cloud : CLOUD_AWS;
}

/* Upper case, a leading AZURE and a trailing CLOUD do not matter: AzureChinaCloud is CHINA. */
static enum azure_environment environment_of_name(const char *name)
{
	size_t len;

	if (strncasecmp(name, "AZURE", 5) == 0)
		name += 5;
	len = strlen(name);
	if (len >= 5 && strcasecmp(name + len - 5, "CLOUD") == 0)
		len -= 5;
	if (len == 0)
		return AZURE_PUBLIC;
	for (size_t i = 0; i < COUNT_OF(environments); i++) {
		if (strlen(environments[i].name) == len &&
				strncasecmp(environments[i].name, name, len) == 0)
			return (enum azure_environment)i;
	}
	return AZURE_NONE;
}

bool azure_environment_is_known(const char *name)
{
	return environment_of_name(name) != AZURE_NONE;
}

struct azure_place azure_place_of(const struct credential *credential)
{
	static const enum auth_key keys[] = {AUTH_KEY_AZURE_LOGIN_URL,
			AUTH_KEY_AZURE_MANAGEMENT_URL, AUTH_KEY_AZURE_RESOURCE_MANAGER_URL,
			AUTH_KEY_AZURE_LOGIN_APP_ID};
	const struct zone *zone = zone_of(credential->host);
	const char *named = credential_text(credential, AUTH_KEY_AZURE_ENVIRONMENT);
	enum azure_environment environment = AZURE_NONE;
	const char *values[COUNT_OF(keys)];

	if (zone)
		environment = zone->environment;
	else if (named)
		environment = environment_of_name(named);
	if (environment == AZURE_NONE)
		environment = AZURE_PUBLIC;
	values[0] = environments[environment].login_url;
	values[1] = environments[environment].management_url;
	values[2] = environments[environment].resource_manager_url;
	values[3] = zone && zone->app_id ? zone->app_id : DATABRICKS_APP_ID;
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		if (credential_has(credential, keys[i]))
			values[i] = credential_text(credential, keys[i]);
	}
	return (struct azure_place){values[0], values[1], values[2], values[3]};
}
