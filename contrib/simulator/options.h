/*
 * options -- the command line.
 */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include "base/err.h"
#include "base/mem.h"
#include "base/vec.h"

#define WORKSPACES_MAX 1000

enum quirk {
	QUIRK_ABSENT_LISTS,
	QUIRK_ACCOUNT_LIST_MEMBERS,
	QUIRK_ACCOUNT_ENTITLEMENTS_IGNORED,
	QUIRK_ACL_AFTER_DELETE,
	QUIRK_ACL_AMBIGUOUS,
	QUIRK_ACL_ANY_LEVEL,
	QUIRK_ACL_BY_NAME,
	QUIRK_ACL_CASE,
	QUIRK_ACL_GROUP_OWNER,
	QUIRK_ACL_OWNERLESS_500,
	QUIRK_ACL_PARTIAL,
	QUIRK_ACL_ROOT_ZERO,
	QUIRK_ACL_UNKNOWN_400,
	QUIRK_ACTIVE_STRICT,
	QUIRK_AIM,
	QUIRK_BARE_LIFETIME,
	QUIRK_DEAD_TOKEN_403,
	QUIRK_EMPTY_PAGES,
	QUIRK_ENDLESS_TOKENS,
	QUIRK_CHANGE_OWNER_RUNNING,
	QUIRK_DASHBOARD_ID,
	QUIRK_EXPIRES_IN_TEXT,
	QUIRK_FEDERATED_400,
	QUIRK_FEDERATION,
	QUIRK_FILL_EMAILS,
	QUIRK_FIND_INACTIVE,
	QUIRK_IDENTITY_LIMITS,
	QUIRK_INDIRECT_SEEN,
	QUIRK_IP_GUARD_ALWAYS,
	QUIRK_IP_LISTS,
	QUIRK_LINK_USERS,
	QUIRK_LIST_COERCED,
	QUIRK_MASK_IGNORED,
	QUIRK_NESTING_LIMIT,
	QUIRK_OWNER_LOWERED,
	QUIRK_OWNER_MOVES,
	QUIRK_PASSWORDS,
	QUIRK_PATCH_NO_CONTENT,
	QUIRK_RESTRICT_ADMINS,
	QUIRK_RETRY_AFTER,
	QUIRK_RUN_AS_ADMIN,
	QUIRK_SQL_IN_TREE,
	QUIRK_STRICT_HEADERS,
	QUIRK_STRICT_REMOVE,
	QUIRK_WAREHOUSE_ENTITLED,
	QUIRK_WAREHOUSE_TOGGLE,
	QUIRK_TEXT_PLAIN,
	QUIRK_TOKENS_ACL_LATE,
	QUIRK_TRUST_FORWARDED_FOR,
	QUIRK_UNIFIED_HOST,
	QUIRK_UNSET_SETTINGS_404,
	QUIRK_UNSIGNED_FEDERATION,
	QUIRK_UNUSED_TOKENS_END,
	QUIRK_WIDE_IDS,
	QUIRK_WORKSPACE_URL,
	QUIRK_COUNT_
};

enum cloud { CLOUD_AWS, CLOUD_AZURE, CLOUD_GCP };

struct workspace_option {
	char *name;
	uint16_t port; /* 0: any */
};

struct tag_option {
	char *workspace, *key, *value;
};

struct options {
	uint16_t port; /* of the account; 0: any */
	char *account_id;
	struct {
		struct workspace_option *items;
		size_t count, room;
	} workspaces;
	struct {
		struct tag_option *items;
		size_t count, room;
	} tags; /* of workspaces */
	char *state_file, *seed_file, *faults_file, *log_file;
	char *objects_file;
	uint32_t acl_lag; /* so often is a new principal unknown to ACLs */
	bool limits;
	bool log_bodies; /* in the request log */
	uint32_t latency_ms;
	uint32_t token_lifetime_s;
	uint32_t page_max; /* no list page is longer */
	enum cloud cloud;
	uint32_t egress_address; /* where requests pretend to come from; 0: the connection says */
	bool quirks[QUIRK_COUNT_];
	bool help;
};

/* Errors: ERR_USAGE. */
MUST_CHECK enum err_code options_parse(int argc, char **argv, struct options *ret, struct err *err);
void options_release(struct options *options);
void options_print_help(void);
/* "on"/"off" by name, for the fault script too. */
bool options_set_quirk(struct options *options, const char *name, bool on);
const char *cloud_name(enum cloud cloud); /* "AWS" */

#endif
