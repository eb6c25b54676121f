/*
 * securable -- the kinds of objects in a workspace that have an access control list, and the levels that each knows.
 *
 * Source of paths, levels and owners: Databricks REST reference "Permissions API" and the definitions in Databricks'
 * Terraform provider (permissions/permission_definitions.go).
 */
#ifndef L2D_MODEL_SECURABLE_H
#define L2D_MODEL_SECURABLE_H

#include "base/mem.h"

enum securable_type {
	SECURABLE_ALERT,
	SECURABLE_APP,
	SECURABLE_AUTHORIZATION, /* "tokens", "passwords" */
	SECURABLE_CLUSTER,
	SECURABLE_CLUSTER_POLICY,
	SECURABLE_DASHBOARD,
	SECURABLE_DATABASE_INSTANCE,
	SECURABLE_DATABASE_PROJECT,
	SECURABLE_DIRECTORY,
	SECURABLE_EXPERIMENT,
	SECURABLE_FEATURE_TABLE,
	SECURABLE_FILE,
	SECURABLE_GENIE_SPACE,
	SECURABLE_INSTANCE_POOL,
	SECURABLE_JOB,
	SECURABLE_KNOWLEDGE_ASSISTANT,
	SECURABLE_LEGACY_ALERT,
	SECURABLE_LEGACY_DASHBOARD,
	SECURABLE_NOTEBOOK,
	SECURABLE_PIPELINE,
	SECURABLE_QUERY,
	SECURABLE_REGISTERED_MODEL,
	SECURABLE_REPO,
	SECURABLE_SERVING_ENDPOINT,
	SECURABLE_SQL_WAREHOUSE,
	SECURABLE_SUPERVISOR_AGENT,
	SECURABLE_VECTOR_SEARCH_ENDPOINT,
	SECURABLE_TYPE_COUNT_
};

struct securable_traits {
	const char *name;           /* in rules, plans and logs: "cluster_policy" */
	const char *path;           /* in /api/2.0/permissions/PATH/ID: "cluster-policies" */
	const char *const *levels;  /* low to high, ends with NULL */
	bool has_owner;             /* IS_OWNER exists, and exactly one has it */
	bool in_tree;               /* found by its path in the workspace's tree */
	bool inherits;              /* from the folder it is in */
	bool has_tags, has_creator; /* what its list tells: what a rule can select it by */
	const char *root_id; /* the object where `admins` has a direct entry that a replacement must carry; NULL: none */
};

const struct securable_traits *securable_traits(enum securable_type type);
/* By the name in rules. */
MUST_CHECK bool securable_parse(const char *name, enum securable_type *ret);
/* Whether the type knows the level. */
bool securable_has_level(enum securable_type type, const char *level);
/*
 * The one level that gives what both give; borrowed from the traits. NULL is no level. Two levels of a warehouse, CAN_VIEW
 * and CAN_USE, are not comparable: who needs both gets CAN_MONITOR. a and b must be levels of the type.
 */
const char *securable_join_levels(enum securable_type type, const char *a, const char *b);
/* Whether `has` gives all that `needs` gives. NULL is no level: covers nothing, is covered by everything. */
bool securable_level_covers(enum securable_type type, const char *has, const char *needs);

#endif
