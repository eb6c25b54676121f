/*
 * workspace_setting -- switches and limits of a workspace or the account, over the three interfaces that there are.
 *
 * workspace-conf (/api/2.0/workspace-conf): a flat map of texts, "true" and "90" included, of one workspace; no etag, no
 * removal ("false" or "" by convention, and some keys refuse ""). A key that was never set reads as null; one that this
 * cloud or tier does not have makes the whole call fail with 400 `Invalid keys: [...]` (terraform-provider-databricks
 * issues 1769, 2534), here ERR_UNSUPPORTED. Booleans come back as they were written, "TRue" too.
 *
 * settings with an etag (/api/2.0/settings/types/TYPE/names/default, below /api/2.0/accounts/ID at the account;
 * databricks-sdk-py service/settings.py, terraform-provider-databricks settings/generic_setting.go): a write with an old
 * etag fails and brings the fresh one (404 where the setting was never written, 409 else); with that it is tried once more.
 *
 * settings without (/api/2.1/settings/NAME; databricks-sdk-py service/settingsv2.py): a value field, and a twin that says
 * what holds after inheritance.
 */
#ifndef L2D_DATABRICKS_WORKSPACE_SETTING_H
#define L2D_DATABRICKS_WORKSPACE_SETTING_H

#include "databricks/record.h"

/* ---- workspace-conf ---- */

#define CONF_TOKENS_ENABLED "enableTokensConfig"
#define CONF_TOKEN_LIFETIME_DAYS "maxTokenLifetimeDays" /* 1 to 730; "0": no limit of its own */
#define CONF_IP_LISTS_ENABLED "enableIpAccessLists"
#define CONF_KEYS_MAX 100

struct conf_value {
	const char *key;
	const char *value; /* NULL: never set, or not known here */
	bool known;        /* false: this workspace has no such key */
};
/*
 * Reads keys (at most CONF_KEYS_MAX, copied). Those that the workspace does not know are left out and the rest is asked
 * again. done: called once, values in the order of keys, which end after the call.
 */
struct conf_reading;
struct conf_reading *conf_reading_start(struct databricks *databricks, unsigned target,
		const struct texts *keys,
		void (*done)(void *context, const struct conf_value *values, size_t count,
				const struct err *err_or_null),
		void *context);
void conf_reading_cancel(struct conf_reading *reading); /* NULL is fine */
/*
 * Writes values, each as text. The answer is empty. After an error read again before going on: nothing says whether the
 * good keys of a refused call were kept. ERR_UNSUPPORTED: a key that is not known here.
 */
void conf_write(struct databricks *databricks, struct call *call, const struct pairs *values);
/* Whether two values mean the same: booleans without regard to case; NULL, "" and "false" are all off. */
bool conf_equal(const char *a_or_null, const char *b_or_null);

/* ---- settings with an etag ---- */

enum setting_value { SETTING_VALUE_BOOL, SETTING_VALUE_WORD, SETTING_VALUE_TEXT };
struct setting_kind {
	const char *name;  /* its type in the path: "restrict_workspace_admins" */
	bool account;      /* at the account, else at a workspace */
	const char *field; /* where its value is: "restrict_workspace_admins.status" */
	enum setting_value value;
	const char *words[3]; /* of SETTING_VALUE_WORD, ended by NULL */
	bool no_etag;         /* neither etag nor reset */
};
/* All that this version knows; ret_count is written. */
const struct setting_kind *setting_kinds(size_t *ret_count);
const struct setting_kind *setting_find(const char *name, bool account); /* NULL: no such */

struct setting_state {
	const char *value; /* JSON text: "true", "\"ALLOW_ALL\""; NULL: never set, its default holds */
	const char *etag; /* "" if none */
};
/* The call's target has to be of the setting's level: ERR_BUG without a call. */
void setting_get(struct databricks *databricks, struct call *call, const struct setting_kind *kind);
/* One that was never set is none with its default, not an error. */
MUST_CHECK enum err_code setting_read(const struct call *call, const struct setting_kind *kind,
		struct arena *arena, struct setting_state *ret, struct err *err);
/* value: JSON text (ERR_CONFIG without a call if it is none). etag: of the last reading, "" if none. */
void setting_set(struct databricks *databricks, struct call *call, const struct setting_kind *kind,
		const char *value, const char *etag);
/* Back to the default. ERR_NOT_FOUND: it was never set. */
void setting_reset(struct databricks *databricks, struct call *call,
		const struct setting_kind *kind, const char *etag);
/*
 * After a setting_set or setting_reset is done: true if it failed for its etag the first time, and is on its way again
 * with the fresh one.
 */
bool setting_retry(struct databricks *databricks, struct call *call);

/* ---- settings without ---- */

struct plain_setting {
	const char *name;
	const char *field;     /* "boolean_val", "string_val", ...; NULL: none */
	const char *value;     /* JSON text of what is behind field */
	const char *effective; /* JSON text of what is behind "effective_" and field; NULL: not said */
};
void plain_setting_get(struct databricks *databricks, struct call *call, const char *name);
MUST_CHECK enum err_code plain_setting_read(const struct call *call, struct arena *arena,
		struct plain_setting *ret, struct err *err);
/* value: JSON text, as `{"value":true}`; ERR_CONFIG without a call if it is none. */
void plain_setting_set(struct databricks *databricks, struct call *call,
		const struct plain_setting *setting);

#endif
