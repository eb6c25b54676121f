/*
 * access -- what rules say about rights beyond membership: permissions, tokens, rule sets, cluster policies, IP access
 * lists, secrets of service principals.
 *
 * Everything here is a plain value with its `why`. What comes from the mapping itself lives as long as it; what a
 * function evaluates lives in the caller's arena and borrows from the mapping. Nothing here knows which workspaces there
 * are: `in` holds patterns, and target_matches (model/settings.h) says whether one means a workspace, also one that was
 * discovered after the files were read. A rule with in_count 0 is for no workspace.
 */
#ifndef L2D_RULES_ACCESS_H
#define L2D_RULES_ACCESS_H

#include "model/identity.h"
#include "model/selector.h"
#include "model/settings.h"

struct mapping;
struct evaluator;

/* One item of a grant's `permissions:`. */
struct permission_rule {
	struct selector selector;
	const char *level; /* of the type's levels: securable_has_level holds */
	bool exclusive;    /* other direct entries of these objects go as well */
	/* Of the item; else of the grant's `workspaces:`; else "*". */
	const char *const *in;
	size_t in_count;
	struct why why;
};

/* Where a secret goes that Databricks shows once. */
enum sink_kind { SINK_FILE, SINK_COMMAND };
struct sink {
	enum sink_kind kind;
	/*
	 * The absolute path of a file, or a command: the absolute path of a program and its arguments, parted by spaces, no
	 * shell; it gets the secret on its standard input. May hold the places ${workspace}, ${displayName} and
	 * ${applicationId}, see sink_text.
	 */
	const char *text;
};
struct sink_values {
	const char *workspace; /* name in ldap2dbx.yaml; NULL where secrets belong to no workspace */
	const char *display_name;   /* of the service principal */
	const char *application_id; /* of the service principal; NULL: not known yet */
};
/*
 * The text with its places filled, in arena; NULL if one is needed whose value is NULL. Characters of a value that could
 * leave the folder or begin another argument (all but letters, digits and . _ @ -) become underscores.
 */
const char *sink_text(
		const struct sink *sink, const struct sink_values *values, struct arena *arena);
/* The same for people: a place whose value is not known yet stays as it is written. NULL: too long. */
const char *sink_shown(
		const struct sink *sink, const struct sink_values *values, struct arena *arena);

/* `on_behalf_of:` of a grant's `tokens:`; the principal is a service principal. */
struct on_behalf_rule {
	int64_t lifetime_ms;
	int64_t rotate_before_ms; /* a new one is made so long before the old one expires */
	struct sink write_to;
};

/* `tokens:` of a grant. */
struct token_rule {
	bool use;                /* CAN_USE on authorization/tokens */
	int64_t max_lifetime_ms; /* older tokens of these principals are revoked; 0: not said */
	const struct on_behalf_rule *on_behalf_of; /* NULL: none */
	/* Of the grant's `workspaces:`, else "*". */
	const char *const *in;
	size_t in_count;
	struct why why;
};

/* One item of `federation_policies:` of a service principal. */
struct federation_rule {
	const char *id; /* `policy_id`: by which it is found again, unique within its service principal */
	const char *issuer;
	const char *subject;       /* may hold places, see federation_subject */
	const char *subject_claim; /* NULL: Databricks' default, sub */
	const char *description;   /* NULL: none */
	const char *jwks_uri;      /* NULL: the issuer's own */
	const char *const *audiences;
	size_t audience_count; /* 0: Databricks' default, the account's id */
	struct why why;
};

/* The subject with ${displayName} and ${applicationId} filled, as they are; in arena; NULL as with sink_text. */
const char *federation_subject(const struct federation_rule *rule, const struct sink_values *values,
		struct arena *arena);
const char *federation_subject_shown(const struct federation_rule *rule,
		const struct sink_values *values, struct arena *arena); /* as sink_shown */

/* `secrets:` and `federation_policies:` of a rule of `service_principals:`. */
struct service_rule {
	bool has_secret;
	int64_t lifetime_ms;      /* of a secret */
	int64_t rotate_before_ms; /* a new one is made so long before the old one expires */
	struct sink write_to;
	struct why secret_why;
	const struct federation_rule *policies;
	size_t policy_count;
	bool has_policies; /* `federation_policies:` is there, if only as []: those that are ours and not in it go */
};
/*
 * Service principals that a mapping lists without a directory entry: `listed:`. kind, displayName, applicationId (may be
 * NULL), active true, `service` and `why` are set; externalId never is.
 */
const struct identity *mapping_listed_services(const struct mapping *mapping, size_t *ret_count);

/* ---- cluster policies ---- */

enum policy_gone { POLICY_GONE_DEFAULT, POLICY_GONE_KEEP, POLICY_GONE_DELETE };
/* One item of `cluster_policies:`. What may hold templates is made per workspace by evaluate_cluster_policy. */
struct cluster_policy_rule {
	const char *const *in; /* "*" if not said */
	size_t in_count;
	bool adopt; /* also one that others made */
	enum policy_gone gone;
	struct why why;
	const struct cluster_policy_source *source; /* opaque */
};
const struct cluster_policy_rule *mapping_cluster_policies(
		const struct mapping *mapping, size_t *ret_count);

struct wanted_policy {
	const char *name;
	const char *description; /* NULL: none */
	const char *definition;  /* JSON text, one line; NULL: family is given */
	const char *family;    /* id, or name where no id is so called, of a policy family; NULL */
	const char *overrides; /* JSON text over the family's definition; NULL: none */
	const char *libraries; /* JSON text, an array; NULL: none */
	unsigned max_clusters_per_user; /* 0: no limit */
};
/*
 * The policy as workspace should have it. Errors: ERR_CONFIG (an expression failed, a name came out nil, what came out is
 * no valid definition), with file and line in front.
 */
MUST_CHECK enum err_code evaluate_cluster_policy(struct evaluator *evaluator,
		const struct cluster_policy_rule *rule, const struct target_settings *workspace,
		struct arena *arena, struct wanted_policy *ret, struct err *err);

/* ---- IP access lists ---- */

/* One item of `ip_access_lists:`. Every address is valid for ip_range_parse. */
struct ip_list_rule {
	const char *label;
	bool block; /* BLOCK, else ALLOW */
	bool enabled;
	bool account; /* for the account; then in_count is 0 */
	const char *const *in;
	size_t in_count;
	const char *const *addresses;
	size_t address_count;
	/* Addresses that must stay able to reach these targets, whatever all lists together say. */
	const char *const *must_keep;
	size_t must_keep_count;
	struct why why;
};
const struct ip_list_rule *mapping_ip_access_lists(
		const struct mapping *mapping, size_t *ret_count);

/* ---- grants for each group ---- */

/* One item of `grants:` with `for_each:`. */
struct grant_each;
const struct grant_each *const *mapping_for_each(const struct mapping *mapping, size_t *ret_count);
/* Whether it gives to somebody by name (`to:`), not to the group that it is made for. */
bool grant_each_names_others(const struct grant_each *each);
struct why grant_each_why(const struct grant_each *each);

enum each_result {
	EACH_UNMATCHED, /* the pattern does not match cn */
	EACH_MATCHED,   /* *ret is filled */
	EACH_FAILED /* err says why, with file and line: this group keeps what it has from this rule */
};
struct grant_rule;
/*
 * What the rule gives for one directory group. cn: of its entry. display_name: of the group that a rule makes of it; NULL:
 * none does, and then only a rule with `to:` can match. Pure and the same for the same input; *ret lives in arena and
 * borrows from the mapping.
 */
MUST_CHECK enum each_result evaluate_for_each(struct evaluator *evaluator,
		const struct grant_each *each, const char *cn, const char *display_name,
		struct arena *arena, struct grant_rule *ret, struct err *err);

/* ---- what is no error, but to be looked at ---- */

/* "FILE:LINE:COLUMN: sentence", in the order of the files. */
const char *const *mapping_warnings(const struct mapping *mapping, size_t *ret_count);

#endif
