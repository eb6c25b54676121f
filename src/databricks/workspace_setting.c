#include "databricks/workspace_setting.h"

#include "base/text.h"
#include "databricks/http.h"

#include <stddef.h>

#define NAME_MAX_BYTES 128

/* ---- settings with an etag ---- */

#define SWITCH(name, account, field, no_etag)                                                      \
	{                                                                                          \
		name, account, field, SETTING_VALUE_BOOL, {NULL}, no_etag                          \
	}
static const struct setting_kind kinds[] = {
		{"restrict_workspace_admins", false, "restrict_workspace_admins.status",
				SETTING_VALUE_WORD,
				{"ALLOW_ALL", "RESTRICT_TOKENS_AND_JOB_RUN_AS", NULL}, false},
		{"default_namespace_ws", false, "namespace.value", SETTING_VALUE_TEXT, {NULL},
				false},
		{"default_warehouse_id", false, "string_val.value", SETTING_VALUE_TEXT, {NULL},
				false},
		SWITCH("disable_legacy_access", false, "disable_legacy_access.value", false),
		SWITCH("disable_legacy_dbfs", false, "disable_legacy_dbfs.value", false),
		SWITCH("sql_results_download", false, "boolean_val.value", false),
		SWITCH("dashboard_email_subscriptions", false, "boolean_val.value", false),
		SWITCH("automatic_cluster_update", false,
				"automatic_cluster_update_workspace.enabled", false),
		SWITCH("enable-results-downloading", false, "boolean_val.value", true),
		SWITCH("enable-export-notebook", false, "boolean_val.value", true),
		SWITCH("enable-notebook-table-clipboard", false, "boolean_val.value", true),
		{"dcp_acct_enable", true, "personal_compute.value", SETTING_VALUE_WORD,
				{"ON", "DELEGATE", NULL}, false},
		SWITCH("acct_ip_acl_enable", true, "acct_ip_acl_enable.value", false),
		SWITCH("disable_legacy_features", true, "disable_legacy_features.value", false),
		SWITCH("shield_csp_enablement_ac", true, "csp_enablement_account.is_enforced",
				false),
		SWITCH("shield_esm_enablement_ac", true, "esm_enablement_account.is_enforced",
				false),
};

const struct setting_kind *setting_kinds(size_t *ret_count)
{
	*ret_count = COUNT_OF(kinds);
	return kinds;
}

const struct setting_kind *setting_find(const char *name, bool account)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (kinds[i].account == account && text_equal(kinds[i].name, name))
			return &kinds[i];
	}
	return NULL;
}

static void prepare(struct databricks *databricks, struct call *call, enum method method,
		const struct setting_kind *kind, json_t *body)
{
	call_prepare(call, method, FAMILY_SETTING,
			record_path(databricks, call, "2.0", "/settings/types/%s/names/default",
					kind->name),
			body);
}

static void send_checked(
		struct databricks *databricks, struct call *call, const struct setting_kind *kind)
{
	if (databricks_is_account(databricks, call->target) == kind->account)
		call_send(databricks, call);
	else
		record_refuse(databricks, call, ERR_BUG, "setting \"%s\" is one of the %s",
				kind->name, kind->account ? "account" : "workspaces");
}

void setting_get(struct databricks *databricks, struct call *call, const struct setting_kind *kind)
{
	prepare(databricks, call, METHOD_GET, kind, NULL);
	send_checked(databricks, call, kind);
}

enum err_code setting_read(const struct call *call, const struct setting_kind *kind,
		struct arena *arena, struct setting_state *ret, struct err *err)
{
	const struct record_field fields[] = {
			{"etag", RECORD_TEXT, offsetof(struct setting_state, etag), false, NULL},
			{kind->field, RECORD_JSON, offsetof(struct setting_state, value), false,
					NULL},
	};
	const struct record_shape shape = {
			kind->name, sizeof(struct setting_state), fields, COUNT_OF(fields)};

	if (call->code == ERR_NOT_FOUND) {
		*ret = (struct setting_state){NULL, arena_strdup(arena, call->etag)};
		return ERR_NONE;
	}
	if (record_of_call(call, NULL, &shape, arena, ret, err) != ERR_NONE)
		return err->code;
	if (!ret->etag)
		ret->etag = "";
	return ERR_NONE;
}

/* {"restrict_workspace_admins": {"status": value}} */
static json_t *nested(const char *field, json_t *value)
{
	char outer[NAME_MAX_BYTES];
	size_t len = strcspn(field, ".");

	(void)snprintf(outer, sizeof(outer), "%.*s", (int)len, field);
	return json_pack("{s:{s:o}}", outer, field + len + 1, value);
}

void setting_set(struct databricks *databricks, struct call *call, const struct setting_kind *kind,
		const char *value, const char *etag)
{
	json_t *json = json_loads(value, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	json_t *setting;

	if (!json) {
		prepare(databricks, call, METHOD_PATCH, kind, NULL);
		record_refuse(databricks, call, ERR_CONFIG, "setting \"%s\": %.100s is no JSON",
				kind->name, value);
		return;
	}
	setting = nested(kind->field, json);
	(void)json_object_set_new(setting, "setting_name", json_string("default"));
	/* An empty one is refused with the one to use. */
	if (!kind->no_etag)
		(void)json_object_set_new(setting, "etag", json_string(etag));
	prepare(databricks, call, METHOD_PATCH, kind,
			json_pack("{s:b, s:s, s:o}", "allow_missing", 1, "field_mask", kind->field,
					"setting", setting));
	send_checked(databricks, call, kind);
}

static char *with_etag(const char *path, const char *etag)
{
	AUTO(mem_freep) char *escaped = http_escape(etag);

	return mem_printf("%.*s?etag=%s", (int)strcspn(path, "?"), path, escaped);
}

void setting_reset(struct databricks *databricks, struct call *call,
		const struct setting_kind *kind, const char *etag)
{
	char *path;

	prepare(databricks, call, METHOD_DELETE, kind, NULL);
	path = with_etag(call->path, etag);
	mem_free(call->path);
	call->path = path;
	if (kind->no_etag)
		record_refuse(databricks, call, ERR_UNSUPPORTED,
				"setting \"%s\" has no default to go back to", kind->name);
	else
		send_checked(databricks, call, kind);
}

bool setting_retry(struct databricks *databricks, struct call *call)
{
	bool reset = call->method == METHOD_DELETE;
	char *path;

	/* A reset of what was never set has nothing to do, so that only a conflict counts for it. */
	if (!call->done || call->retagged || !*call->etag ||
			(call->code != ERR_CONFLICT && (reset || call->code != ERR_NOT_FOUND)))
		return false;
	call->retagged = true;
	if (reset) {
		path = with_etag(call->path, call->etag);
		mem_free(call->path);
		call->path = path;
	} else {
		(void)json_object_set_new(json_object_get(call->body, "setting"), "etag",
				json_string(call->etag));
	}
	call_send(databricks, call);
	return true;
}

/* ---- settings without ---- */

static void plain_prepare(struct databricks *databricks, struct call *call, enum method method,
		const char *name, json_t *body)
{
	AUTO(mem_freep) char *escaped = http_escape(name);

	call_prepare(call, method, FAMILY_SETTING,
			record_path(databricks, call, "2.1", "/settings/%s", escaped), body);
}

void plain_setting_get(struct databricks *databricks, struct call *call, const char *name)
{
	plain_prepare(databricks, call, METHOD_GET, name, NULL);
	call_send(databricks, call);
}

static const char *json_text(const struct tape_value *value, struct arena *arena)
{
	struct buf buf;
	char *text;

	buf_init(&buf, RECORD_DOCUMENT_MAX);
	tape_write(value, &buf);
	text = buf.overflowed ? NULL : arena_strndup(arena, buf_text(&buf), buf.len);
	buf_release(&buf);
	return text;
}

/* The one object among the keys that is no twin; of one that was never set there is only the twin. */
static const char *value_field(const struct tape_value *root)
{
	const char *field = NULL;

	for (const struct tape_value *key = tape_first_key(root); key;
			key = tape_next_key(root, key)) {
		bool twin = text_starts_with(key->text, "effective_");

		if (tape_is(tape_value_of(key), TAPE_OBJECT) && (!twin || !field))
			field = twin ? key->text + strlen("effective_") : key->text;
	}
	return field;
}

enum err_code plain_setting_read(const struct call *call, struct arena *arena,
		struct plain_setting *ret, struct err *err)
{
	const struct tape_value *root = tape_root(call->answer), *value, *effective;
	struct plain_setting setting = {0};
	char twin[NAME_MAX_BYTES];

	if (record_check_answer(call, "setting", err) != ERR_NONE)
		return err->code;
	setting.name = arena_strdup(arena, tape_text(tape_get(root, "name")));
	setting.field = arena_strdup(arena, value_field(root));
	if (!setting.name || (setting.field && strlen(setting.field) + 16 > sizeof(twin)))
		return err_set(err, ERR_PROTO, call->status, "setting: without a usable name");
	if (setting.field) {
		(void)snprintf(twin, sizeof(twin), "effective_%s", setting.field);
		value = tape_get(root, setting.field);
		effective = tape_get(root, twin);
		setting.value = value ? json_text(value, arena) : NULL;
		setting.effective = effective ? json_text(effective, arena) : NULL;
	}
	*ret = setting;
	return ERR_NONE;
}

void plain_setting_set(struct databricks *databricks, struct call *call,
		const struct plain_setting *setting)
{
	json_t *value = json_loads(setting->value, JSON_REJECT_DUPLICATES, NULL);

	if (!json_is_object(value)) {
		json_decref(value);
		plain_prepare(databricks, call, METHOD_PATCH, setting->name, NULL);
		record_refuse(databricks, call, ERR_CONFIG,
				"setting \"%.80s\": the value is no JSON object", setting->name);
		return;
	}
	plain_prepare(databricks, call, METHOD_PATCH, setting->name,
			json_pack("{s:s, s:o}", "name", setting->name, setting->field, value));
	call_send(databricks, call);
}
