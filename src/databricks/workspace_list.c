#include "databricks/workspace_list.h"

#include "base/text.h"
#include "databricks/auth/host.h"

#include <stddef.h>

#define FIELD(key, type, member, required)                                                         \
	{                                                                                          \
		key, type, offsetof(struct workspace_info, member), required, NULL                 \
	}
static const struct record_field fields[] = {
		FIELD("workspace_id", RECORD_ID, id, true),
		FIELD("workspace_name", RECORD_TEXT, name, false),
		FIELD("deployment_name", RECORD_TEXT, deployment, false),
		FIELD("workspace_url", RECORD_TEXT, url, false),
		FIELD("workspace_status", RECORD_TEXT, status, false),
		FIELD("cloud", RECORD_TEXT, cloud, false),
		FIELD("location", RECORD_TEXT, region, false),
		FIELD("aws_region", RECORD_TEXT, region, false),
		FIELD("pricing_tier", RECORD_TEXT, pricing_tier, false),
		FIELD("azure_workspace_info.subscription_id", RECORD_TEXT, azure_subscription_id,
				false),
		FIELD("azure_workspace_info.resource_group", RECORD_TEXT, azure_resource_group,
				false),
		FIELD("custom_tags", RECORD_PAIRS, tags, false),
		FIELD("creation_time", RECORD_INTEGER, created_ms, false),
};
static const struct record_shape shape = {
		"workspace", sizeof(struct workspace_info), fields, COUNT_OF(fields)};

/* The first that ends the account's host counts. */
static const char *const zones[] = {".dev.databricks.com", ".staging.cloud.databricks.com",
		".cloud.databricks.us", ".cloud.databricks.com", ".dev.azuredatabricks.net",
		".staging.azuredatabricks.net", ".azuredatabricks.net", ".databricks.azure.us",
		".databricks.azure.cn", ".dev.gcp.databricks.com", ".staging.gcp.databricks.com",
		".gcp.databricks.com"};
#define ZONE_OTHERWISE ".cloud.databricks.com"

void workspace_list(struct databricks *databricks, struct call *call)
{
	call_prepare(call, METHOD_GET, FAMILY_ACCOUNT_OTHER,
			record_path(databricks, call, "2.0", "/workspaces"), NULL);
	if (databricks_is_account(databricks, call->target))
		call_send(databricks, call);
	else
		record_refuse(databricks, call, ERR_CONFIG,
				"a list of workspaces needs the account: it is not configured");
}

static const char *zone_of(const char *host)
{
	size_t len = strlen(host);

	for (size_t i = 0; i < COUNT_OF(zones); i++) {
		size_t tail = strlen(zones[i]);

		if (len > tail && text_equal(host + len - tail, zones[i]))
			return zones[i];
	}
	return ZONE_OTHERWISE;
}

/* NULL: none can be told. Caller's, mem_free. */
static char *raw_host(const struct workspace_info *workspace, const char *account_host)
{
	bool local = text_starts_with(account_host, "http://");

	/* An account on this very machine has its workspaces there, too. */
	if (workspace->url && *workspace->url)
		return strstr(workspace->url, "://") || !local
				? mem_strdup(workspace->url)
				: mem_printf("http://%s", workspace->url);
	if (!text_starts_with(account_host, "https://accounts.") &&
			!text_starts_with(account_host, "https://accounts-dod."))
		return mem_strdup(account_host);
	if (!workspace->deployment || !*workspace->deployment)
		return NULL;
	return mem_printf("https://%s%s", workspace->deployment, zone_of(account_host));
}

/* What is no host leaves the workspace without one: the others are none the worse for it. */
static void locate(struct workspace_info *workspace, const char *account_host, struct arena *arena)
{
	AUTO(mem_freep) char *raw = raw_host(workspace, account_host);
	AUTO(mem_freep) char *host = NULL;
	AUTO(mem_freep) char *workspace_id = NULL;
	AUTO(mem_freep) char *account_id = NULL;
	struct err err;

	if (raw && host_normalise(raw, &host, &workspace_id, &account_id, &err) == ERR_NONE)
		workspace->host = arena_strdup(arena, host);
	workspace->routed = text_equal(workspace->host, account_host);
	workspace->usable = workspace->host && text_equal(workspace->status, "RUNNING");
}

enum err_code workspace_list_read(const struct call *call, const char *account_host,
		struct arena *arena, const struct workspace_info **ret, size_t *ret_count,
		struct err *err)
{
	struct workspace_info *workspaces;
	void *records;
	size_t count;

	if (records_of_call(call, NULL, &shape, arena, &records, &count, err) != ERR_NONE)
		return err->code;
	workspaces = records;
	for (size_t i = 0; i < count; i++)
		locate(&workspaces[i], account_host, arena);
	*ret = workspaces;
	*ret_count = count;
	return ERR_NONE;
}
