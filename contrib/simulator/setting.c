#include "setting.h"

#include "api.h"
#include "base/digest.h"
#include "record.h"
#include "who.h"

enum value_type { VALUE_BOOL, VALUE_TEXT, VALUE_ANY };

struct setting {
	enum api_host host;
	const char *type;
	const char *field;  /* in an answer of version 1 */
	const char *member; /* of the field; the one whose type we know */
	enum value_type of;
	const char *words;       /* of a text: those allowed, with blanks around each; NULL: any */
	const char *standard;    /* the field when it was never set; NULL: it has no such value */
	const char *newer_field; /* of version 2.1; NULL: boolean_val */
	bool plain;              /* no etag and no DELETE */
	bool lasting;            /* no DELETE */
};

#define IS_FALSE "{\"value\":false}"
#define IS_TRUE "{\"value\":true}"
#define ENFORCED "is_enforced"
#define NOT_ENFORCED "{\"is_enforced\":false}"
#define ACCESS_POLICY "aibi_dashboard_embedding_access_policy"
#define DOMAINS "aibi_dashboard_embedding_approved_domains"
#define UPDATE "automatic_cluster_update_workspace"
#define PROFILE "compliance_security_profile_workspace"
#define MONITORING "enhanced_security_monitoring_workspace"

static const struct setting settings[] = {
		{API_WORKSPACE, "restrict_workspace_admins", "restrict_workspace_admins", "status",
				VALUE_TEXT, " ALLOW_ALL RESTRICT_TOKENS_AND_JOB_RUN_AS ",
				"{\"status\":\"ALLOW_ALL\"}", "restrict_workspace_admins", false,
				false},
		{API_WORKSPACE, "default_namespace_ws", "namespace", "value", VALUE_TEXT, NULL,
				NULL, "string_val", false, false},
		{API_WORKSPACE, "disable_legacy_access", "disable_legacy_access", "value",
				VALUE_BOOL, NULL, IS_FALSE, NULL, false, false},
		{API_WORKSPACE, "disable_legacy_dbfs", "disable_legacy_dbfs", "value", VALUE_BOOL,
				NULL, IS_FALSE, NULL, false, false},
		{API_WORKSPACE, "enable-results-downloading", "boolean_val", "value", VALUE_BOOL,
				NULL, IS_TRUE, NULL, true, true},
		{API_WORKSPACE, "enable-export-notebook", "boolean_val", "value", VALUE_BOOL, NULL,
				IS_TRUE, NULL, true, true},
		{API_WORKSPACE, "enable-notebook-table-clipboard", "boolean_val", "value",
				VALUE_BOOL, NULL, IS_TRUE, NULL, true, true},
		{API_WORKSPACE, "sql_results_download", "boolean_val", "value", VALUE_BOOL, NULL,
				IS_TRUE, NULL, false, false},
		{API_WORKSPACE, "dashboard_email_subscriptions", "boolean_val", "value", VALUE_BOOL,
				NULL, IS_TRUE, NULL, false, false},
		{API_WORKSPACE, "default_warehouse_id", "string_val", "value", VALUE_TEXT, NULL,
				NULL, "string_val", false, false},
		{API_WORKSPACE, "automatic_cluster_update", UPDATE, "enabled", VALUE_BOOL, NULL,
				"{\"enabled\":false,\"can_toggle\":true}", UPDATE, false, true},
		{API_WORKSPACE, "shield_csp_enablement_ws_db", PROFILE, "is_enabled", VALUE_BOOL,
				NULL, "{\"is_enabled\":false}", NULL, false, true},
		{API_WORKSPACE, "shield_esm_enablement_ws_db", MONITORING, "is_enabled", VALUE_BOOL,
				NULL, "{\"is_enabled\":false}", NULL, false, true},
		{API_WORKSPACE, "aibi_dash_embed_ws_acc_policy", ACCESS_POLICY,
				"access_policy_type", VALUE_TEXT,
				" ALLOW_ALL_DOMAINS ALLOW_APPROVED_DOMAINS DENY_ALL_DOMAINS ",
				"{\"access_policy_type\":\"ALLOW_ALL_DOMAINS\"}", ACCESS_POLICY,
				false, false},
		{API_WORKSPACE, "aibi_dash_embed_ws_apprvd_domains", DOMAINS, "approved_domains",
				VALUE_ANY, NULL, "{\"approved_domains\":[]}", DOMAINS, false,
				false},
		{API_WORKSPACE, "llm_proxy_partner_powered", "boolean_val", "value", VALUE_BOOL,
				NULL, IS_TRUE, NULL, false, false},
		{API_ACCOUNT, "acct_ip_acl_enable", "acct_ip_acl_enable", "value", VALUE_BOOL, NULL,
				IS_TRUE, NULL, false, false},
		{API_ACCOUNT, "dcp_acct_enable", "personal_compute", "value", VALUE_TEXT,
				" ON DELEGATE ", "{\"value\":\"ON\"}", "personal_compute", false,
				false},
		{API_ACCOUNT, "disable_legacy_features", "disable_legacy_features", "value",
				VALUE_BOOL, NULL, IS_FALSE, NULL, false, false},
		{API_ACCOUNT, "shield_csp_enablement_ac", "csp_enablement_account", ENFORCED,
				VALUE_BOOL, NULL, NOT_ENFORCED, NULL, false, true},
		{API_ACCOUNT, "shield_esm_enablement_ac", "esm_enablement_account", ENFORCED,
				VALUE_BOOL, NULL, NOT_ENFORCED, NULL, false, true},
		{API_ACCOUNT, "llm_proxy_partner_powered", "boolean_val", "value", VALUE_BOOL, NULL,
				IS_TRUE, NULL, false, true},
		{API_ACCOUNT, "llm_proxy_partner_powered_enforce", "boolean_val", "value",
				VALUE_BOOL, NULL, IS_FALSE, NULL, false, true},
};

static const struct setting *find_setting(bool account, const char *type)
{
	for (size_t i = 0; i < COUNT_OF(settings); i++) {
		if ((settings[i].host == API_ACCOUNT) == account &&
				strcmp(settings[i].type, type) == 0)
			return &settings[i];
	}
	return NULL;
}

static struct record *stored(
		const struct state *state, const struct workspace *place, const char *type)
{
	return record_find(state, place, RECORD_SETTING, type);
}

/* What was set; NULL: nothing, or it was deleted. */
static json_t *value_set(const struct record *record)
{
	return record ? json_object_get(record->fields, "value") : NULL;
}

static bool is_set_to(const struct record *record, const char *member, const char *text)
{
	const char *have = json_string_value(json_object_get(value_set(record), member));

	return have && strcmp(have, text) == 0;
}

bool setting_account_lists_on(const struct state *state)
{
	const struct record *record = stored(state, NULL, "acct_ip_acl_enable");

	return !json_is_false(json_object_get(value_set(record), "value"));
}

bool setting_restricts_admins(const struct state *state, const struct workspace *workspace)
{
	return is_set_to(stored(state, workspace, "restrict_workspace_admins"), "status",
			"RESTRICT_TOKENS_AND_JOB_RUN_AS");
}

/* The setting that the call names, with what is known about it. */
struct target {
	const struct setting *setting;
	struct record *record;
	char etag[ETAG_SIZE];
};

/* Before anything was stored there is an etag, too, always the same. */
static void find_etag(const struct api_call *call, struct target *target)
{
	const char *stored_etag = target->record ? record_text(target->record, "etag") : NULL;
	char hex[DIGEST_HEX_SIZE];
	struct digest *digest;

	if (stored_etag) {
		(void)snprintf(target->etag, sizeof(target->etag), "%s", stored_etag);
		return;
	}
	digest = digest_new();
	digest_add_text(digest, call->state->account_id);
	digest_add_text(digest, call->place ? call->place->id_text : "");
	digest_add_text(digest, target->setting->type);
	digest_finish(digest, hex);
	(void)snprintf(target->etag, sizeof(target->etag), "RENUAAAB+/%.16s==", hex);
}

static bool find_target(struct api_call *call, struct target *ret)
{
	ret->setting = find_setting(!call->place, call->args[0]);
	if (!ret->setting)
		return api_refuse(call, 404, "NOT_FOUND", "Setting type %s does not exist",
				call->args[0]);
	ret->record = stored(call->state, call->place, ret->setting->type);
	find_etag(call, ret);
	return true;
}

/* What holds: as set, or the standard. NULL: never set, and there is none. Caller's. */
static json_t *value_now(const struct target *target)
{
	const json_t *value = value_set(target->record);

	if (value)
		return json_deep_copy(value);
	return target->setting->standard ? json_loads(target->setting->standard, 0, NULL) : NULL;
}

static void answer_setting(struct api_call *call, struct target *target)
{
	json_t *answer = json_object(), *value = value_now(target);

	target->record = stored(call->state, call->place, target->setting->type);
	find_etag(call, target);
	if (!target->setting->plain)
		object_text(answer, "etag", target->etag);
	object_text(answer, "setting_name", "default");
	if (value)
		(void)json_object_set_new(answer, target->setting->field, value);
	api_answer(call, answer);
}

static void get_setting(struct api_call *call)
{
	struct target target;

	if (!find_target(call, &target))
		return;
	if (!value_set(target.record) &&
			(!target.setting->standard || api_quirk(call, QUIRK_UNSET_SETTINGS_404)))
		(void)api_refuse_etag(call, 404, "NOT_FOUND", "Setting was never set", target.etag);
	else
		answer_setting(call, &target);
}

static bool check_value(struct api_call *call, const struct setting *setting, const json_t *value)
{
	const json_t *member = json_object_get(value, setting->member);
	const char *text = json_string_value(member);
	bool good = !member || setting->of == VALUE_ANY ||
			(setting->of == VALUE_BOOL ? json_is_boolean(member) : text != NULL);

	if (good && text && setting->words) {
		AUTO(mem_freep) char *word = mem_printf(" %s ", text);

		good = strstr(setting->words, word) != NULL;
	}
	return good ||
			api_refuse_value(call, "Value of %s.%s is not valid", setting->field,
					setting->member);
}

/* Only what the mask names changes. */
static json_t *merge_value(const struct target *target, json_t *wanted, const char *mask)
{
	json_t *merged = value_now(target), *value;
	const char *key;

	if (!merged)
		merged = json_object();
	json_object_foreach(wanted, key, value)
	{
		AUTO(mem_freep) char *path = mem_printf("%s.%s", target->setting->field, key);

		if (mask_names(mask, path) || mask_is(mask, target->setting->field))
			(void)json_object_set(merged, key, value);
	}
	return merged;
}

static void store_value(struct api_call *call, struct target *target, json_t *value)
{
	struct record_make make = {
			.kind = RECORD_SETTING,
			.place = call->place,
			.id = target->setting->type,
	};
	char etag[ETAG_SIZE];

	if (!target->record)
		target->record = record_make(call->state, &make);
	etag_make(etag);
	object_text(target->record->fields, "etag", etag);
	if (value)
		(void)json_object_set_new(target->record->fields, "value", value);
	else
		(void)json_object_del(target->record->fields, "value");
}

/* Whoever restricts the admins must be one of the account, with a place in the workspace. */
static bool check_restrictor(struct api_call *call, const struct setting *setting)
{
	if (strcmp(setting->type, "restrict_workspace_admins") != 0 ||
			(who_is_account_admin(call->request->caller) &&
					who_may_enter(call->state, call->place,
							call->request->caller)))
		return true;
	return api_refuse(call, 403, "PERMISSION_DENIED",
			"Only account admins who are members of the workspace may change "
			"restrict_workspace_admins");
}

/* Empty and stale ones fail alike, with the right one in the error; one that was never set is another error. */
static bool check_etag(struct api_call *call, const struct target *target, const char *etag)
{
	bool set = value_set(target->record) != NULL;

	if (target->setting->plain || (etag && strcmp(etag, target->etag) == 0))
		return true;
	if (!set && (!etag || !*etag))
		return api_refuse_etag(call, 404, "NOT_FOUND",
				"Setting was never set; use the etag of this error", target->etag);
	return api_refuse_etag(call, 409, "RESOURCE_CONFLICT",
			"The setting was changed since; use the etag of this error", target->etag);
}

static bool check_mask(struct api_call *call, const struct setting *setting, const char *mask)
{
	const char *at = mask;

	if (!mask || !*mask)
		return api_refuse_value(call, "field_mask is required");
	while (*at) {
		size_t len = strcspn(at, ",");
		AUTO(mem_freep) char *one = mem_strndup(at, len);

		if (!mask_names(one, setting->field))
			return api_refuse_value(call, "field_mask is not valid: %s", mask);
		at += len;
		at += *at == ',';
	}
	return true;
}

static void patch_setting(struct api_call *call)
{
	struct target target;
	json_t *wanted = json_object_get(call->body, "setting"), *value;
	const char *mask = NULL;
	bool missing = false;

	if (!find_target(call, &target) || !check_restrictor(call, target.setting) ||
			!api_take_bool(call, "allow_missing", &missing) ||
			!api_take_text(call, "field_mask", &mask))
		return;
	value = json_object_get(wanted, target.setting->field);
	if (!missing)
		(void)api_refuse_value(call, "allow_missing must be true");
	else if (!json_is_object(wanted))
		(void)api_refuse_value(call, "setting is required");
	else if (check_mask(call, target.setting, mask) &&
			check_value(call, target.setting, value) &&
			check_etag(call, &target,
					json_string_value(json_object_get(wanted, "etag")))) {
		store_value(call, &target, merge_value(&target, value, mask));
		answer_setting(call, &target);
	}
}

static void delete_setting(struct api_call *call)
{
	struct target target;

	if (!find_target(call, &target))
		return;
	if (target.setting->lasting) {
		(void)api_refuse(call, 404, "ENDPOINT_NOT_FOUND", "No API found for 'DELETE %s'",
				call->request->target);
		return;
	}
	if (!check_etag(call, &target, api_query(call, "etag")))
		return;
	store_value(call, &target, NULL);
	find_etag(call, &target);
	api_answer(call, json_pack("{s:s}", "etag", target.etag));
}

/* Version 2.1. */

static const char *newer_field(const struct setting *setting)
{
	return setting->newer_field ? setting->newer_field : "boolean_val";
}

/* A truth value or a text has another home there. */
static bool is_renamed(const struct setting *setting)
{
	return !setting->newer_field || strcmp(newer_field(setting), "string_val") == 0;
}

static void answer_newer(struct api_call *call, const struct target *target)
{
	const struct setting *setting = target->setting;
	AUTO(mem_freep) char *effective = mem_printf("effective_%s", newer_field(setting));
	json_t *answer = json_object(), *value = value_now(target), *shown = value;

	object_text(answer, "name", setting->type);
	if (value && is_renamed(setting))
		shown = json_pack("{s:O}", "value", json_object_get(value, setting->member));
	else
		json_incref(shown);
	if (shown && value_set(target->record))
		(void)json_object_set(answer, newer_field(setting), shown);
	if (shown)
		(void)json_object_set(answer, effective, shown);
	json_decref(shown);
	json_decref(value);
	api_answer(call, answer);
}

static void get_newer(struct api_call *call)
{
	struct target target;

	if (find_target(call, &target))
		answer_newer(call, &target);
}

static void patch_newer(struct api_call *call)
{
	struct target target;
	json_t *wanted, *value;

	if (!find_target(call, &target) || !check_restrictor(call, target.setting))
		return;
	wanted = json_object_get(call->body, newer_field(target.setting));
	if (!json_is_object(wanted)) {
		(void)api_refuse_value(call, "%s is required", newer_field(target.setting));
		return;
	}
	value = is_renamed(target.setting) ? json_pack("{s:O?}", target.setting->member,
							     json_object_get(wanted, "value"))
					   : json_incref(wanted);
	if (check_value(call, target.setting, value)) {
		store_value(call, &target, merge_value(&target, value, "*"));
		answer_newer(call, &target);
	}
	json_decref(value);
}

static void list_metadata(struct api_call *call)
{
	json_t *items = json_array();

	for (size_t i = 0; i < COUNT_OF(settings); i++) {
		if ((settings[i].host == API_ACCOUNT) == !call->place)
			(void)json_array_append_new(items,
					json_pack("{s:s, s:s, s:s}", "name", settings[i].type,
							"display_name", settings[i].type, "type",
							newer_field(&settings[i])));
	}
	api_answer_page(call, "settings_metadata", items);
}

#define TYPES "settings/types/{}/names/default"
#define WORKSPACE_TYPE "api/2.0/" TYPES
#define ACCOUNT_TYPE "api/2.0/accounts/*/" TYPES
#define ACCOUNT_NEWER "api/2.1/accounts/*/"

static const struct api_route routes[] = {
		{"GET", WORKSPACE_TYPE, API_WORKSPACE, API_ADMIN, get_setting, 0, 0},
		{"PATCH", WORKSPACE_TYPE, API_WORKSPACE, API_ADMIN, patch_setting, 0, 0},
		{"DELETE", WORKSPACE_TYPE, API_WORKSPACE, API_ADMIN, delete_setting, 0, 0},
		{"GET", ACCOUNT_TYPE, API_ACCOUNT, API_ADMIN, get_setting, 0, 0},
		{"PATCH", ACCOUNT_TYPE, API_ACCOUNT, API_ADMIN, patch_setting, 0, 0},
		{"DELETE", ACCOUNT_TYPE, API_ACCOUNT, API_ADMIN, delete_setting, 0, 0},
		{"GET", "api/2.1/settings/{}", API_WORKSPACE, API_ADMIN, get_newer, 0, 0},
		{"PATCH", "api/2.1/settings/{}", API_WORKSPACE, API_ADMIN, patch_newer, 0, 0},
		{"GET", "api/2.1/settings-metadata", API_WORKSPACE, API_ADMIN, list_metadata, 0, 0},
		{"GET", ACCOUNT_NEWER "settings/{}", API_ACCOUNT, API_ADMIN, get_newer, 0, 0},
		{"PATCH", ACCOUNT_NEWER "settings/{}", API_ACCOUNT, API_ADMIN, patch_newer, 0, 0},
		{"GET", ACCOUNT_NEWER "settings-metadata", API_ACCOUNT, API_ADMIN, list_metadata, 0,
				0},
};
const struct api_family setting_calls = API_FAMILY(routes);
