#include "rules/setting.h"

#define FLAG(key)                                                                                  \
	{                                                                                          \
		key, SETTING_CONF, SETTING_BOOL, false, false, NULL, 0, NULL                       \
	}
#define TEXT(key)                                                                                  \
	{                                                                                          \
		key, SETTING_CONF, SETTING_TEXT, false, false, NULL, 0, NULL                       \
	}
#define NUMBER(key, max)                                                                           \
	{                                                                                          \
		key, SETTING_CONF, SETTING_NUMBER, false, false, NULL, max, NULL                   \
	}
#define TYPED(key, field)                                                                          \
	{                                                                                          \
		key, SETTING_TYPED, SETTING_BOOL, false, false, field, 0, NULL                     \
	}
#define PLAIN(key)                                                                                 \
	{                                                                                          \
		key, SETTING_TYPED, SETTING_BOOL, false, true, "boolean_val.value", 0, NULL        \
	}

static const char *const admin_limits[] = {"ALLOW_ALL", "RESTRICT_TOKENS_AND_JOB_RUN_AS", NULL};
static const char *const personal_compute[] = {"ON", "DELEGATE", NULL};
static const char *const results_formats[] = {"ALLOW", "DISABLE", NULL};

static const struct known_setting known[] = {FLAG("enableTokensConfig"),
		NUMBER("maxTokenLifetimeDays", 730), NUMBER("maxUserInactiveDays", 3650),
		FLAG("enableIpAccessLists"), FLAG("enableWorkspaceFilesystem"),
		FLAG("enableVerboseAuditLogs"), FLAG("enforceUserIsolation"),
		FLAG("enforceWorkspaceViewAcls"), FLAG("enforceClusterViewAcls"),
		FLAG("enableJobViewAcls"), FLAG("enableResultsDownloading"),
		FLAG("enableExportNotebook"), FLAG("enableNotebookTableClipboard"),
		FLAG("enableUploadDataUis"), FLAG("enableWebTerminal"),
		FLAG("enableDbfsFileBrowser"),
		FLAG("storeInteractiveNotebookResultsInCustomerAccount"),
		FLAG("enableDeprecatedGlobalInitScripts"),
		FLAG("enableDeprecatedClusterNamedInitScripts"),
		FLAG("enableLibraryAndInitScriptOnSharedCluster"), FLAG("enableEnforceImdsV2"),
		FLAG("enablePipelinesDataSample"), FLAG("enableProjectTypeInWorkspace"),
		FLAG("enableProjectsAllowList"), TEXT("projectsAllowList"),
		FLAG("enableAclsConfig"), FLAG("enableFileStoreEndpoint"),
		TEXT("projectsAllowListPermissions"),
		{"reposIpynbResultsExportPermissions", SETTING_CONF, SETTING_CHOICE, false, false,
				NULL, 0, results_formats},
		FLAG("enable-X-Frame-Options"), FLAG("enable-X-Content-Type-Options"),
		FLAG("enable-X-XSS-Protection"), FLAG("enableDatabricksAutologgingAdminConf"),
		FLAG("mlflowRunArtifactDownloadEnabled"),
		FLAG("mlflowModelServingEndpointCreationEnabled"),
		FLAG("mlflowModelRegistryEmailNotificationsEnabled"),
		TEXT("customerApprovedWSLoginExpirationTime"),
		TEXT("enableLegacyNotebookVisualizations"), TEXT("rStudioUserDefaultHomeBase"),
		FLAG("enableDcs"), FLAG("enableGp3"),
		{"restrict_workspace_admins", SETTING_TYPED, SETTING_CHOICE, false, false,
				"restrict_workspace_admins.status", 0, admin_limits},
		TYPED("disable_legacy_access", "disable_legacy_access.value"),
		TYPED("disable_legacy_dbfs", "disable_legacy_dbfs.value"),
		TYPED("sql_results_download", "boolean_val.value"),
		TYPED("dashboard_email_subscriptions", "boolean_val.value"),
		PLAIN("enable-results-downloading"), PLAIN("enable-export-notebook"),
		PLAIN("enable-notebook-table-clipboard"),
		TYPED("automatic_cluster_update", "automatic_cluster_update_workspace.enabled"),
		{"default_namespace_ws", SETTING_TYPED, SETTING_TEXT, false, false,
				"namespace.value", 0, NULL},
		{"default_warehouse_id", SETTING_TYPED, SETTING_TEXT, false, false,
				"string_val.value", 0, NULL},
		{"acct_ip_acl_enable", SETTING_TYPED, SETTING_BOOL, true, false,
				"acct_ip_acl_enable.value", 0, NULL},
		{"dcp_acct_enable", SETTING_TYPED, SETTING_CHOICE, true, false,
				"personal_compute.value", 0, personal_compute},
		{"disable_legacy_features", SETTING_TYPED, SETTING_BOOL, true, false,
				"disable_legacy_features.value", 0, NULL}};

const struct known_setting *settings_known(size_t *ret_count)
{
	*ret_count = COUNT_OF(known);
	return known;
}

const struct known_setting *setting_find_known(const char *name, bool account)
{
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (known[i].account == account && strcmp(known[i].name, name) == 0)
			return &known[i];
	}
	return NULL;
}
