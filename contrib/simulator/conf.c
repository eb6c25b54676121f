#include "conf.h"

#include <strings.h>

#include "api.h"
#include "base/text.h"
#include "ip_list.h"
#include "record.h"

#define DAYS_MAX 730
#define RECORD_ID "conf"

enum conf_type { CONF_BOOL, CONF_DAYS, CONF_TEXT };

/* strict: "" is refused. A number of days may be 0, which is no limit of the workspace's own. */
static const struct {
	const char *name;
	enum conf_type type;
	bool strict;
} keys[] = {
		{"enableTokensConfig", CONF_BOOL, false},
		{"maxTokenLifetimeDays", CONF_DAYS, true},
		{"maxUserInactiveDays", CONF_DAYS, false},
		{"enableIpAccessLists", CONF_BOOL, true},
		{"enableWorkspaceFilesystem", CONF_BOOL, false},
		{"enableVerboseAuditLogs", CONF_BOOL, false},
		{"enforceUserIsolation", CONF_BOOL, false},
		{"enforceWorkspaceViewAcls", CONF_BOOL, false},
		{"enforceClusterViewAcls", CONF_BOOL, false},
		{"enableJobViewAcls", CONF_BOOL, false},
		{"enableResultsDownloading", CONF_BOOL, false},
		{"enableExportNotebook", CONF_BOOL, false},
		{"enableNotebookTableClipboard", CONF_BOOL, false},
		{"enableUploadDataUis", CONF_BOOL, false},
		{"enableWebTerminal", CONF_BOOL, false},
		{"enableDbfsFileBrowser", CONF_BOOL, false},
		{"storeInteractiveNotebookResultsInCustomerAccount", CONF_BOOL, false},
		{"enableDeprecatedGlobalInitScripts", CONF_BOOL, false},
		{"enableDeprecatedClusterNamedInitScripts", CONF_BOOL, false},
		{"enableLibraryAndInitScriptOnSharedCluster", CONF_BOOL, false},
		{"enableEnforceImdsV2", CONF_BOOL, false},
		{"enablePipelinesDataSample", CONF_BOOL, false},
		{"enableProjectTypeInWorkspace", CONF_BOOL, false},
		{"enableProjectsAllowList", CONF_BOOL, false},
		{"projectsAllowList", CONF_TEXT, false},
		{"enableAclsConfig", CONF_BOOL, false},
		{"enableFileStoreEndpoint", CONF_BOOL, false},
		{"projectsAllowListPermissions", CONF_TEXT, false},
		{"reposIpynbResultsExportPermissions", CONF_TEXT, false},
		{"enable-X-Frame-Options", CONF_BOOL, false},
		{"enable-X-Content-Type-Options", CONF_BOOL, false},
		{"enable-X-XSS-Protection", CONF_BOOL, false},
		{"enableDatabricksAutologgingAdminConf", CONF_BOOL, false},
		{"mlflowRunArtifactDownloadEnabled", CONF_BOOL, false},
		{"mlflowModelServingEndpointCreationEnabled", CONF_BOOL, false},
		{"mlflowModelRegistryEmailNotificationsEnabled", CONF_BOOL, false},
		{"customerApprovedWSLoginExpirationTime", CONF_TEXT, false},
		{"enableLegacyNotebookVisualizations", CONF_TEXT, false},
		{"rStudioUserDefaultHomeBase", CONF_TEXT, false},
		{"enableDcs", CONF_BOOL, false},
		{"enableGp3", CONF_BOOL, true},
};

static size_t find_key(const char *name)
{
	size_t i = 0;

	while (i < COUNT_OF(keys) && strcmp(keys[i].name, name) != 0)
		i++;
	return i;
}

static const struct record *find_conf(const struct state *state, const struct workspace *workspace)
{
	return record_find(state, workspace, RECORD_CONF, RECORD_ID);
}

const char *conf_text(const struct state *state, const struct workspace *workspace, const char *key)
{
	const struct record *conf = find_conf(state, workspace);

	return conf ? record_text(conf, key) : NULL;
}

bool conf_is(const struct state *state, const struct workspace *workspace, const char *key,
		bool value)
{
	const char *text = conf_text(state, workspace, key);

	return text && strcasecmp(text, value ? "true" : "false") == 0;
}

static bool refuse_keys(struct api_call *call, const json_t *bad)
{
	char *text = json_dumps(bad, 0);
	bool refused = json_array_size(bad) > 0;

	if (refused)
		(void)api_refuse(call, 400, "INVALID_REQUEST", "Invalid keys: %s", text);
	free(text); /* jansson's */
	return refused;
}

static void read_conf(struct api_call *call)
{
	const char *wanted = api_query(call, "keys");
	json_t *answer = json_object(), *bad = json_array();

	while (wanted && *wanted) {
		size_t len = strcspn(wanted, ",");
		AUTO(mem_freep) char *name = mem_strndup(wanted, len);
		const char *value = conf_text(call->state, call->place, name);

		if (find_key(name) == COUNT_OF(keys))
			(void)json_array_append_new(bad, json_string(name));
		else
			(void)json_object_set_new(
					answer, name, value ? json_string(value) : json_null());
		wanted += len;
		wanted += *wanted == ',';
	}
	if (!json_object_size(answer) && !json_array_size(bad))
		(void)api_refuse(call, 400, "INVALID_REQUEST", "At least one key is required");
	else if (!refuse_keys(call, bad))
		api_answer(call, json_incref(answer));
	json_decref(answer);
	json_decref(bad);
}

static bool value_is_good(size_t key, const char *text)
{
	int64_t days;

	if (*text == '\0')
		return !keys[key].strict;
	if (keys[key].type == CONF_BOOL)
		return strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0;
	return keys[key].type == CONF_TEXT || text_parse_int(text, 0, DAYS_MAX, &days);
}

/* Whether all is well; the bad keys come before the bad values. */
static bool check_all(struct api_call *call)
{
	json_t *bad_keys = json_array(), *bad_values = json_object(), *value;
	const char *name;
	bool good;

	json_object_foreach(call->body, name, value)
	{
		size_t key = find_key(name);

		if (key == COUNT_OF(keys))
			(void)json_array_append_new(bad_keys, json_string(name));
		else if (!json_is_string(value) || !value_is_good(key, json_string_value(value)))
			(void)json_object_set(bad_values, name, value);
	}
	good = !refuse_keys(call, bad_keys);
	if (good && json_object_size(bad_values)) {
		char *text = json_dumps(bad_values, JSON_COMPACT);

		good = api_refuse(call, 400, "INVALID_REQUEST", "Some values are not allowed: %s",
				text);
		free(text); /* jansson's */
	}
	json_decref(bad_keys);
	json_decref(bad_values);
	return good;
}

/* All or nothing. Lists that would shut the caller out cannot be switched on. */
static void change_conf(struct api_call *call)
{
	struct record *conf = record_find(call->state, call->place, RECORD_CONF, RECORD_ID);
	const char *lists = json_string_value(json_object_get(call->body, "enableIpAccessLists"));
	struct record_make make = {.kind = RECORD_CONF, .place = call->place, .id = RECORD_ID};

	if (!json_object_size(call->body)) {
		(void)api_refuse(call, 400, "INVALID_REQUEST", "At least one key is required");
		return;
	}
	if (!check_all(call) ||
			(lists && strcasecmp(lists, "true") == 0 && !ip_list_check_switch(call)))
		return;
	if (!conf)
		conf = record_make(call->state, &make);
	(void)json_object_update(conf->fields, call->body);
	call->answer->status = 204;
	call->answer->content_type = NULL;
}

static const struct api_route conf_routes[] = {
		{"GET", "api/2.0/workspace-conf", API_WORKSPACE, API_ADMIN, read_conf, 0, 0},
		{"PATCH", "api/2.0/workspace-conf", API_WORKSPACE, API_ADMIN, change_conf, 0, 0},
};
const struct api_family conf_calls = API_FAMILY(conf_routes);
