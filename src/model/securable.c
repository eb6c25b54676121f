#include "model/securable.h"

#define LEVELS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define USE_AND_MANAGE LEVELS("CAN_USE", "CAN_MANAGE")
#define QUERY_AND_MANAGE LEVELS("CAN_QUERY", "CAN_MANAGE")
#define READ_TO_MANAGE LEVELS("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE")
#define METADATA LEVELS("CAN_VIEW_METADATA", "CAN_EDIT_METADATA", "CAN_MANAGE")

static const struct securable_traits traits[SECURABLE_TYPE_COUNT_] = {
		[SECURABLE_ALERT] = {"alert", "alertsv2", READ_TO_MANAGE, .inherits = true,
				.has_creator = true},
		[SECURABLE_APP] = {"app", "apps", USE_AND_MANAGE, .has_creator = true},
		[SECURABLE_AUTHORIZATION] = {"authorization", "authorization", USE_AND_MANAGE,
				.root_id = "tokens"},
		[SECURABLE_CLUSTER] = {"cluster", "clusters",
				LEVELS("CAN_ATTACH_TO", "CAN_RESTART", "CAN_MANAGE"),
				.has_tags = true, .has_creator = true},
		[SECURABLE_CLUSTER_POLICY] = {"cluster_policy", "cluster-policies",
				LEVELS("CAN_USE"), .has_creator = true},
		[SECURABLE_DASHBOARD] = {"dashboard", "dashboards", READ_TO_MANAGE,
				.inherits = true},
		[SECURABLE_DATABASE_INSTANCE] = {"database_instance", "database-instances",
				USE_AND_MANAGE, .has_tags = true, .has_creator = true},
		[SECURABLE_DATABASE_PROJECT] = {"database_project", "database-projects",
				USE_AND_MANAGE, .has_creator = true},
		[SECURABLE_DIRECTORY] = {"directory", "directories", READ_TO_MANAGE,
				.in_tree = true, .inherits = true, .root_id = "0"},
		[SECURABLE_EXPERIMENT] = {"experiment", "experiments",
				LEVELS("CAN_READ", "CAN_EDIT", "CAN_MANAGE"), .inherits = true,
				.has_tags = true},
		[SECURABLE_FEATURE_TABLE] = {"feature_table", "feature-tables", .levels = METADATA},
		[SECURABLE_FILE] = {"file", "files", READ_TO_MANAGE, .in_tree = true,
				.inherits = true},
		[SECURABLE_GENIE_SPACE] = {"genie_space", "genie", READ_TO_MANAGE,
				.inherits = true},
		[SECURABLE_INSTANCE_POOL] = {"instance_pool", "instance-pools",
				LEVELS("CAN_ATTACH_TO", "CAN_MANAGE"), .has_tags = true},
		[SECURABLE_JOB] = {"job", "jobs",
				LEVELS("CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER"),
				.has_owner = true, .has_tags = true, .has_creator = true},
		[SECURABLE_KNOWLEDGE_ASSISTANT] = {"knowledge_assistant", "knowledge-assistants",
				QUERY_AND_MANAGE, .has_creator = true},
		[SECURABLE_LEGACY_ALERT] = {"legacy_alert", "alerts", READ_TO_MANAGE,
				.inherits = true, .has_creator = true},
		[SECURABLE_LEGACY_DASHBOARD] = {"legacy_dashboard", "dbsql-dashboards",
				READ_TO_MANAGE, .inherits = true, .has_tags = true,
				.has_creator = true},
		[SECURABLE_NOTEBOOK] = {"notebook", "notebooks", READ_TO_MANAGE, .in_tree = true,
				.inherits = true},
		[SECURABLE_PIPELINE] = {"pipeline", "pipelines",
				LEVELS("CAN_VIEW", "CAN_RUN", "CAN_MANAGE", "IS_OWNER"),
				.has_owner = true, .has_creator = true},
		[SECURABLE_QUERY] = {"query", "queries", READ_TO_MANAGE, .inherits = true,
				.has_tags = true, .has_creator = true},
		[SECURABLE_REGISTERED_MODEL] = {"registered_model", "registered-models",
				LEVELS("CAN_READ", "CAN_EDIT", "CAN_MANAGE_STAGING_VERSIONS",
						"CAN_MANAGE_PRODUCTION_VERSIONS", "CAN_MANAGE"),
				.has_tags = true, .root_id = "root"},
		[SECURABLE_REPO] = {"repo", "repos", READ_TO_MANAGE, .in_tree = true,
				.inherits = true},
		[SECURABLE_SERVING_ENDPOINT] = {"serving_endpoint", "serving-endpoints",
				LEVELS("CAN_VIEW", "CAN_QUERY", "CAN_MANAGE"), .has_tags = true,
				.has_creator = true},
		[SECURABLE_SQL_WAREHOUSE] = {"sql_warehouse", "warehouses",
				LEVELS("CAN_VIEW", "CAN_USE", "CAN_MONITOR", "CAN_MANAGE",
						"IS_OWNER"),
				.has_owner = true, .has_tags = true, .has_creator = true},
		[SECURABLE_SUPERVISOR_AGENT] = {"supervisor_agent", "supervisor-agents",
				QUERY_AND_MANAGE, .has_creator = true},
		[SECURABLE_VECTOR_SEARCH_ENDPOINT] = {"vector_search_endpoint",
				"vector-search-endpoints", USE_AND_MANAGE, .has_tags = true,
				.has_creator = true},
};

const struct securable_traits *securable_traits(enum securable_type type)
{
	return &traits[type];
}

bool securable_parse(const char *name, enum securable_type *ret)
{
	for (enum securable_type type = 0; type < SECURABLE_TYPE_COUNT_; type++) {
		if (strcmp(traits[type].name, name) == 0) {
			*ret = type;
			return true;
		}
	}
	return false;
}

/* 0: no level; levels count from 1. */
static size_t height(enum securable_type type, const char *level)
{
	const char *const *levels = traits[type].levels;

	for (size_t i = 0; level && levels[i]; i++) {
		if (strcmp(levels[i], level) == 0)
			return i + 1;
	}
	return 0;
}

bool securable_has_level(enum securable_type type, const char *level)
{
	return height(type, level) > 0;
}

static bool is_viewing_and_using(const char *a, const char *b)
{
	return (strcmp(a, "CAN_VIEW") == 0 && strcmp(b, "CAN_USE") == 0) ||
			(strcmp(a, "CAN_USE") == 0 && strcmp(b, "CAN_VIEW") == 0);
}

const char *securable_join_levels(enum securable_type type, const char *a, const char *b)
{
	size_t high_a = height(type, a), high_b = height(type, b);
	size_t high = high_a > high_b ? high_a : high_b;

	if (type == SECURABLE_SQL_WAREHOUSE && high_a && high_b && is_viewing_and_using(a, b))
		return traits[type].levels[2];
	return high ? traits[type].levels[high - 1] : NULL;
}

bool securable_level_covers(enum securable_type type, const char *has, const char *needs)
{
	if (!height(type, needs))
		return true;
	return height(type, has) &&
			height(type, securable_join_levels(type, has, needs)) == height(type, has);
}
