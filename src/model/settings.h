/*
 * settings -- ldap2dbx.yaml as values: where things are and what is allowed. Filled by
 * rules/config.
 *
 * Everything lives in the arena of the loaded configuration and is read-only afterwards, so any
 * thread may read it. Secrets are kept as references (base/secret.h), never as values.
 */
#ifndef L2D_MODEL_SETTINGS_H
#define L2D_MODEL_SETTINGS_H

#include "model/auth_key.h"
#include "model/selector.h"

enum source_type { SOURCE_AUTO, SOURCE_OPENLDAP };
enum source_feed { SOURCE_FEED_AUTO, SOURCE_FEED_SYNCREPL };
enum source_tls { SOURCE_TLS_AUTO, SOURCE_TLS_STARTTLS, SOURCE_TLS_NONE };

struct source_settings {
	const char *name;
	const char *const *uris; /* ldap://, ldaps://, ldapi://; tried in this order */
	size_t uri_count;
	enum source_tls tls;       /* auto: StartTLS on ldap:// to another machine; none: clear text
				      allowed */
	const char *ca_file;       /* PEM, absolute; NULL: the system's */
	const char *bind_dn;       /* NULL with SASL EXTERNAL */
	const char *bind_password; /* secret reference */
	bool sasl_external;
	const char *cert_file, *key_file; /* client certificate, absolute; NULL: none */
	enum source_type type;
	enum source_feed feed;
	unsigned page_size;           /* entries per page of a paged read; default 1000 */
	int64_t connect_timeout_ms;   /* default 10 s */
	int64_t operation_timeout_ms; /* default 120 s: silence after which an operation is given up
				       */
	int64_t reconnect_max_ms;     /* cap of the back-off; default 60 s */
	unsigned line;
};

/* Sign-in as given in the file; what is missing comes from profile and environment (databricks/auth/profile.h). */
struct auth_settings {
	const char *values[AUTH_KEY_COUNT_]; /* secrets are references; NULL: not given */
	unsigned line;                       /* 0: no auth: in the file */
};

/* One item of `settings:` of a target. */
struct setting {
	const char *name;  /* as Databricks calls it */
	const char *value; /* as it is written: "true", "90", a text */
	unsigned line;
};

/* `egress:`: the addresses that Databricks sees us come from; each is valid for ip_range_parse. */
struct egress_settings {
	const char *const *addresses;
	size_t count; /* 0: not said */
	unsigned line;
};

struct target_settings {
	const char *name; /* "account", or the workspace's name in the file */
	bool is_account;
	const char *host;         /* NULL: from profile or environment */
	const char *profile;      /* section of ~/.databrickscfg */
	const char *account_id;   /* account only */
	const char *workspace_id; /* decimal; NULL: asked of the workspace */
	const char *ca_file;      /* PEM, absolute; NULL: the system's */
	struct auth_settings auth;
	const struct tag *tags; /* workspaces */
	size_t tag_count;
	/*
	 * Workspaces: keys of /api/2.0/workspace-conf, and typed settings where the key has no counterpart there. Account:
	 * acct_ip_acl_enable. setting_find_known (rules/setting.h) tells which is which.
	 */
	const struct setting *settings;
	size_t setting_count;
	struct egress_settings egress; /* in place of that of all; see target_egress */
	bool discovered; /* not in the file: the account's list told of it (workspace_id and host are set) */
	unsigned line;
};
/*
 * Whether pattern means the workspace: its name, a glob of names, or tag:KEY=VALUE with a glob for the value (tag:KEY: it has
 * the tag). Never the account. Without regard to case.
 */
bool target_matches(const struct target_settings *target, const char *pattern);
/* Whether one of them does. */
bool target_matches_any(
		const struct target_settings *target, const char *const *patterns, size_t count);

/* `discover: workspaces:` of the account: which of its workspaces are targets beside those of the file. */
struct discover_settings {
	bool workspaces;
	const char *const *match; /* globs of names; count 0: all */
	size_t match_count;
	const char *const *exclude; /* globs of names */
	size_t exclude_count;
	const struct tag *tags; /* all must be there; values are globs */
	size_t tag_count;
	unsigned line;
};

/* An allowance: a share of what is ours, or a number. */
struct allowance {
	bool is_share;
	unsigned value; /* percent or count */
};
enum guard_category {
	GUARD_USERS,
	GUARD_GROUPS,
	GUARD_MEMBERS,
	GUARD_PERMISSIONS, /* assignments, entitlements, roles, entries of access control lists */
	GUARD_TOKENS,      /* tokens that are revoked, or die with the right to use them */
	GUARD_POLICIES,    /* cluster policies */
	GUARD_LISTS,       /* IP access lists */
	GUARD_CATEGORY_COUNT_
};
struct guard_settings {
	int64_t window_ms; /* default 1 h */
	struct allowance allowances
			[GUARD_CATEGORY_COUNT_]; /* default 5 %, 5 %, 20 %, 10 %, 20, 0, 0 */
	unsigned minimum; /* removals of a kind that always pass, but policies and lists; default 10 */
};

/* A rate set by name for one endpoint family of databricks/budget.h. */
struct rate_override {
	const char *family;
	double per_second;
	unsigned line; /* in ldap2dbx.yaml, for whoever knows the families and finds this one unknown */
};
struct limit_settings {
	unsigned share_percent; /* of the published budgets; default 80; 0 = unlimited (`limits:
				   off`, for tests) */
	const struct rate_override *overrides;
	size_t override_count;
};

/* `tokens: sweep:`: which tokens are revoked on schedule. */
struct sweep_settings {
	bool on;
	int minute; /* of the day, in the zone of `reconcile:`; -1: interval_ms says when */
	int64_t interval_ms; /* 0: minute says when */
	bool leavers;        /* of people who are no longer in the directory */
	bool never_expiring;
	int64_t older_than_ms; /* since they were made; 0: not said */
	bool others;           /* also of owners whom no rule manages */
	unsigned line;         /* in ldap2dbx.yaml */
};

enum leaver_action { LEAVER_KEEP, LEAVER_DEACTIVATE, LEAVER_DELETE };
enum sync_mode { MODE_ENFORCE, MODE_OBSERVE };

struct settings {
	/* Workspaces that were discovered once and are not in the list now: they have their names when they come back. */
	const struct target_settings *vanished;
	size_t vanished_count;
	const char *path;   /* of ldap2dbx.yaml, absolute */
	const char *folder; /* of it: relative names are relative to this */
	struct source_settings *sources;
	size_t source_count;
	/* targets[0] is the account if has_account; the workspaces follow in the order of the file, then those that were
	 * discovered. */
	struct target_settings *targets;
	size_t target_count;
	bool has_account;
	struct discover_settings discover;
	const char *store_path; /* absolute; from `store: sqlite:PATH` */
	int reconcile_minute;   /* of the day, 0..1439; -1: no `reconcile:` */
	const char *timezone;   /* IANA name; NULL: UTC */
	struct guard_settings guard;
	struct limit_settings limits;
	int64_t permissions_interval_ms; /* how often objects that are new are looked for; default 15 min */
	struct sweep_settings sweep;
	struct egress_settings egress; /* towards targets that say nothing of their own */
	enum sync_mode mode;
	const char *const *protected_names[3]; /* by principal_kind: userName, displayName,
						  application id */
	size_t protected_counts[3];
	/* SHA-256 (hex) over this file and all mapping files: what a plan file is bound to. */
	char digest[65];
};

const struct egress_settings *target_egress(
		const struct settings *settings, const struct target_settings *target);

/* "users", "groups", "members", "permissions", "tokens", "policies", "lists" */
const char *guard_category_name(enum guard_category category);

#endif
