/*
 * setting -- which settings of a workspace and of the account are known, and what they hold.
 *
 * Source: the exporter of Databricks' Terraform provider for /api/2.0/workspace-conf, and the settings API of Databricks'
 * SDKs for the typed ones.
 */
#ifndef L2D_RULES_SETTING_H
#define L2D_RULES_SETTING_H

#include "model/settings.h"

enum setting_api {
	SETTING_CONF, /* /api/2.0/workspace-conf: every value a text */
	SETTING_TYPED /* /api/2.0/settings/types/NAME/names/default, with etag; of the account below accounts/ID */
};
enum setting_type { SETTING_BOOL, SETTING_NUMBER, SETTING_TEXT, SETTING_CHOICE };
struct known_setting {
	const char *name; /* key, or type in the path */
	enum setting_api api;
	enum setting_type type;
	bool account;               /* of the account, else of workspaces */
	bool without_etag;          /* typed: GET and PATCH only, no etag */
	const char *field;          /* typed: where the value is, "boolean_val.value" */
	int64_t max;                /* number */
	const char *const *choices; /* choice: ends with NULL */
};

/* NULL: not known. Static. */
const struct known_setting *setting_find_known(const char *name, bool account);
const struct known_setting *settings_known(size_t *ret_count);

#endif
