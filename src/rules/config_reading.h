/*
 * config_reading -- what reading ldap2dbx.yaml gathers. Private to the config*.c files.
 */
#ifndef L2D_RULES_CONFIG_READING_H
#define L2D_RULES_CONFIG_READING_H

#include "base/vec.h"
#include "model/settings.h"
#include "rules/schema.h"

struct config_reading {
	struct reader reader; /* first: readers of keys get its address */
	bool names_known;     /* of sources and workspaces, although something else is wrong */
	struct settings settings;
	unsigned version;
	VEC(struct source_settings) sources;
	struct target_settings account;
	VEC(struct target_settings) workspaces;
	struct texts protected_names[3]; /* by principal_kind */
	struct texts mappings;           /* as written; count 0: not given */
};

/* `read` functions and tables of the sections, see rules/schema.h. target is the struct
 * config_reading. */
schema_read_fn config_read_source, config_read_account, config_read_workspace;
extern const struct schema config_source_schema, config_account_schema, config_workspace_schema;
/* target is what the section is about: struct guard_settings, struct limit_settings, struct
 * settings. */
schema_read_fn config_read_limits, config_read_store, config_read_at, config_read_timezone;
extern const struct schema config_guard_schema, config_limits_schema;

/* The member is the struct target_settings; of discover the reader. */
schema_read_fn config_read_tags, config_read_workspace_settings, config_read_account_settings,
		config_read_discover;
extern const struct schema config_discover_schema;
/* The member is a struct egress_settings. */
schema_read_fn config_read_egress;
/* What it is read into is the struct sweep_settings. */
extern const struct schema config_tokens_schema;

/* Names of sources and workspaces: letters, digits, point, hyphen, underscore. */
MUST_CHECK enum err_code config_check_name(
		const struct document_node *node, const char *what, struct err *err);

#endif
