#include "object.h"

#define BIT(level) PERMISSION_BIT(level)
#define FILE_LEVELS (BIT(CAN_READ) | BIT(CAN_RUN) | BIT(CAN_EDIT) | BIT(CAN_MANAGE))
#define USE_LEVELS (BIT(CAN_USE) | BIT(CAN_MANAGE))
#define QUERY_LEVELS (BIT(CAN_QUERY) | BIT(CAN_MANAGE))
#define JOB_LEVELS (BIT(CAN_VIEW) | BIT(CAN_MANAGE_RUN) | BIT(CAN_MANAGE) | BIT(IS_OWNER))
#define PIPELINE_LEVELS (BIT(CAN_VIEW) | BIT(CAN_RUN) | BIT(CAN_MANAGE) | BIT(IS_OWNER))
#define CLUSTER_LEVELS (BIT(CAN_ATTACH_TO) | BIT(CAN_RESTART) | BIT(CAN_MANAGE))
#define WAREHOUSE_LEVELS                                                                           \
	(BIT(CAN_VIEW) | BIT(CAN_USE) | BIT(CAN_MONITOR) | BIT(CAN_MANAGE) | BIT(IS_OWNER))
#define MODEL_LEVELS                                                                               \
	(BIT(CAN_READ) | BIT(CAN_EDIT) | BIT(CAN_MANAGE_STAGING_VERSIONS) |                        \
			BIT(CAN_MANAGE_PRODUCTION_VERSIONS) | BIT(CAN_MANAGE))

#define MISSING(status, code, before, after)                                                       \
	.missing_status = status, .missing_code = code, .missing_before = before,                  \
	.missing_after = after
#define GONE(before, after) MISSING(404, "RESOURCE_DOES_NOT_EXIST", before, after)
#define NOT_FOUND(before, after) MISSING(404, "NOT_FOUND", before, after)
#define OLD_GONE(before, after) MISSING(400, "INVALID_PARAMETER_VALUE", before, after)
#define NODE GONE("Node ID ", " does not exist.")
#define TYPE(in_path, in_answers, word, all_levels, of_creator)                                    \
	.type = in_path, .answer_type = in_answers, .noun = word, .levels = (all_levels),          \
	.creator = of_creator
#define ID(of_shape, id, name) .shape = of_shape, .id_key = id, .name_key = name
#define PAGED(parameter, usual, most)                                                              \
	.paging = PAGING_TOKEN, .size_parameter = parameter, .size_default = usual, .size_max = most
#define TAGGED(how, key) .tags = how, .tags_key = key

/* Lists and ids: one description each. Levels, words and who gets what: permissions API. */
const struct object_type object_types[OBJECT_KIND_COUNT_] = {
		[OBJECT_CLUSTER] =
				{
						TYPE("clusters", "cluster", "Cluster",
								CLUSTER_LEVELS, CAN_MANAGE),
						ID(ID_CLUSTER, "cluster_id", "cluster_name"),
						.array_key = "clusters",
						PAGED("page_size", 20, 100),
						TAGGED(TAGS_MAP, "custom_tags"),
						.creator_key = "creator_user_name",
						.creating = CREATE_ANSWERS_ID,
						OLD_GONE("Cluster ", " does not exist"),
				},
		[OBJECT_CLUSTER_POLICY] =
				{
						TYPE("cluster-policies", "cluster-policy", "Policy",
								BIT(CAN_USE), PERMISSION_NONE),
						ID(ID_HEX16, "policy_id", "name"),
						.creator_key = "creator_user_name",
						GONE("Can't find a cluster policy with id: ", "."),
				},
		[OBJECT_INSTANCE_POOL] =
				{
						TYPE("instance-pools", "instance-pool",
								"Instance pool",
								BIT(CAN_ATTACH_TO) |
										BIT(CAN_MANAGE),
								CAN_MANAGE),
						ID(ID_POOL, "instance_pool_id",
								"instance_pool_name"),
						.array_key = "instance_pools",
						TAGGED(TAGS_MAP, "custom_tags"),
						.unique = true,
						.creating = CREATE_ANSWERS_ID,
						GONE("Can't find an instance pool with id: ", "."),
				},
		[OBJECT_JOB] =
				{
						TYPE("jobs", "job", "Job", JOB_LEVELS, IS_OWNER),
						ID(ID_JSON_NUMBER, "job_id", "settings.name"),
						.array_key = "jobs",
						PAGED("limit", 20, 100),
						TAGGED(TAGS_MAP, "settings.tags"),
						.outlives = true,
						.creator_key = "creator_user_name",
						.under = "settings",
						.creating = CREATE_ANSWERS_ID,
						OLD_GONE("Job ", " does not exist."),
				},
		[OBJECT_PIPELINE] =
				{
						TYPE("pipelines", "pipelines", "Pipeline",
								PIPELINE_LEVELS, IS_OWNER),
						ID(ID_UUID, "pipeline_id", "name"),
						.array_key = "statuses",
						PAGED("max_results", 25, 100),
						TAGGED(TAGS_MAP, "spec.tags"),
						.unique = true,
						.outlives = true,
						.creator_key = "creator_user_name",
						.under = "spec",
						.creating = CREATE_ANSWERS_ID,
						GONE("The specified pipeline ", " was not found."),
				},
		[OBJECT_DIRECTORY] =
				{
						TYPE("directories", "directory", "Directory",
								FILE_LEVELS, PERMISSION_NONE),
						ID(ID_NUMBER, "object_id", "name"),
						.in_folder = true,
						.tree_type = "DIRECTORY",
						NODE,
				},
		[OBJECT_NOTEBOOK] =
				{
						TYPE("notebooks", "notebook", "Notebook",
								FILE_LEVELS, PERMISSION_NONE),
						ID(ID_NUMBER, "object_id", "name"),
						.in_folder = true,
						.tree_type = "NOTEBOOK",
						NODE,
				},
		[OBJECT_FILE] =
				{
						TYPE("files", "file", "File", FILE_LEVELS,
								PERMISSION_NONE),
						ID(ID_NUMBER, "object_id", "name"),
						.in_folder = true,
						.tree_type = "FILE",
						NODE,
				},
		[OBJECT_REPO] =
				{
						TYPE("repos", "repo", "Repo", FILE_LEVELS,
								PERMISSION_NONE),
						ID(ID_JSON_NUMBER, "id", "name"),
						.array_key = "repos",
						.in_folder = true,
						.tree_type = "REPO",
						.paging = PAGING_NEXT,
						.size_default = 20,
						GONE("Repo ", " does not exist."),
				},
		[OBJECT_TOKENS] =
				{
						TYPE("authorization", "tokens", "Tokens",
								USE_LEVELS, PERMISSION_NONE),
						ID(ID_NAME, "id", "name"),
						GONE("Object ", " does not exist."),
				},
		[OBJECT_PASSWORDS] =
				{
						TYPE("authorization", "passwords", "Passwords",
								BIT(CAN_USE), PERMISSION_NONE),
						ID(ID_NAME, "id", "name"),
						GONE("Object ", " does not exist."),
				},
		[OBJECT_WAREHOUSE] =
				{
						TYPE("sql/warehouses", "warehouses",
								"SQL warehouse", WAREHOUSE_LEVELS,
								IS_OWNER),
						.alias = "warehouses",
						ID(ID_HEX16, "id", "name"),
						.array_key = "warehouses",
						PAGED("page_size", 0, 1000),
						TAGGED(TAGS_PAIRS, "tags.custom_tags"),
						.unique = true,
						.creator_key = "creator_name",
						.creating = CREATE_ANSWERS_ID,
						.size_coerced = true,
						GONE("SQL warehouse ", " does not exist."),
				},
		[OBJECT_QUERY] =
				{
						TYPE("sql/queries", "query", "Query", FILE_LEVELS,
								CAN_MANAGE),
						.alias = "queries",
						ID(ID_UUID, "id", "display_name"),
						.array_key = "results",
						PAGED("page_size", 20, 100),
						TAGGED(TAGS_WORDS, "tags"),
						.in_folder = true,
						.tree_type = "FILE",
						.creator_key = "owner_user_name",
						.wrap = "query",
						.parent_key = "parent_path",
						GONE("Query ", " does not exist."),
				},
		[OBJECT_ALERT] =
				{
						TYPE("sql/alerts", "alert", "Alert", FILE_LEVELS,
								CAN_MANAGE),
						.alias = "alerts",
						ID(ID_UUID, "id", "display_name"),
						.array_key = "results",
						PAGED("page_size", 20, 100),
						.in_folder = true,
						.tree_type = "FILE",
						.creator_key = "owner_user_name",
						.wrap = "alert",
						.parent_key = "parent_path",
						GONE("Alert ", " does not exist."),
				},
		[OBJECT_ALERT_V2] =
				{
						TYPE("alertsv2", "alertv2", "Alert", FILE_LEVELS,
								CAN_MANAGE),
						ID(ID_NUMBER, "id", "display_name"),
						.array_key = "alerts",
						PAGED("page_size", 20, 100),
						.in_folder = true,
						.tree_type = "FILE",
						.creator_key = "owner_user_name",
						.parent_key = "parent_path",
						NOT_FOUND("Alert ", " not found."),
				},
		[OBJECT_LEGACY_DASHBOARD] =
				{
						TYPE("dbsql-dashboards", "dbsql-dashboard",
								"Dashboard", FILE_LEVELS,
								CAN_MANAGE),
						.alias = "sql/dashboards",
						ID(ID_UUID, "id", "name"),
						.array_key = "results",
						TAGGED(TAGS_WORDS, "tags"),
						.in_folder = true,
						.creator_key = "user.email",
						.parent_key = "parent",
						.paging = PAGING_NUMBER,
						.size_parameter = "page_size",
						.size_default = 25,
						.size_max = 250,
						GONE("Dashboard ", " does not exist."),
				},
		[OBJECT_DASHBOARD] =
				{
						TYPE("dashboards", "dashboard", "Dashboard",
								FILE_LEVELS, CAN_MANAGE),
						ID(ID_HEX32, "dashboard_id", "display_name"),
						.array_key = "dashboards",
						PAGED("page_size", 20, 1000),
						.in_folder = true,
						.tree_type = "DASHBOARD",
						.parent_key = "parent_path",
						.size_coerced = true,
						GONE("Unable to find dashboard [dashboardId=", "]"),
				},
		[OBJECT_GENIE_SPACE] =
				{
						TYPE("genie", "genie-space", "Genie space",
								FILE_LEVELS, CAN_MANAGE),
						ID(ID_HEX32, "space_id", "title"),
						.array_key = "spaces",
						PAGED("page_size", 20, 100),
						.in_folder = true,
						.outlives = true,
						.tree_type = "FILE",
						.parent_key = "parent_path",
						GONE("Unable to get space ", "."),
				},
		[OBJECT_EXPERIMENT] =
				{
						TYPE("experiments", "mlflowExperiment",
								"Experiment",
								BIT(CAN_READ) | BIT(CAN_EDIT) |
										BIT(CAN_MANAGE),
								CAN_MANAGE),
						ID(ID_NUMBER, "experiment_id", "name"),
						.array_key = "experiments",
						PAGED("max_results", 0, 1000),
						TAGGED(TAGS_PAIRS, "tags"),
						.in_folder = true,
						.unique = true,
						.tree_type = "MLFLOW_EXPERIMENT",
						.get_wrap = "experiment",
						.creating = CREATE_ANSWERS_ID,
						.size_coerced = true,
						NODE,
				},
		[OBJECT_REGISTERED_MODEL] =
				{
						TYPE("registered-models", "registered-model",
								"Registered model", MODEL_LEVELS,
								CAN_MANAGE),
						ID(ID_HEX32, "id", "name"),
						.array_key = "registered_models",
						PAGED("max_results", 100, 1000),
						TAGGED(TAGS_PAIRS, "tags"),
						.unique = true,
						.by_name = true,
						.creator_key = "user_id",
						.get_wrap = "registered_model_databricks",
						.made_wrap = "registered_model",
						GONE("RegisteredModel ", " does not exist."),
				},
		[OBJECT_SERVING_ENDPOINT] =
				{
						TYPE("serving-endpoints", "serving-endpoint",
								"Endpoint",
								BIT(CAN_VIEW) | BIT(CAN_QUERY) |
										BIT(CAN_MANAGE),
								CAN_MANAGE),
						ID(ID_HEX32, "id", "name"),
						.array_key = "endpoints",
						TAGGED(TAGS_PAIRS, "tags"),
						.unique = true,
						.by_name = true,
						.creator_key = "creator",
						GONE("Endpoint with name '", "' does not exist."),
				},
		[OBJECT_VECTOR_SEARCH_ENDPOINT] =
				{
						TYPE("vector-search-endpoints",
								"vector-search-endpoints",
								"Endpoint",
								BIT(CAN_CREATE) | USE_LEVELS,
								CAN_MANAGE),
						ID(ID_UUID, "id", "name"),
						.array_key = "endpoints",
						TAGGED(TAGS_PAIRS, "custom_tags"),
						.unique = true,
						.by_name = true,
						.creator_key = "creator",
						.paging = PAGING_TOKEN,
						.size_default = 50,
						NOT_FOUND("Vector search endpoint ", " not found."),
				},
		[OBJECT_APP] =
				{
						TYPE("apps", "apps", "App", USE_LEVELS, CAN_MANAGE),
						ID(ID_NAME, "id", "name"),
						.array_key = "apps",
						PAGED("page_size", 20, 100),
						.unique = true,
						.creator_key = "creator",
						GONE("App ", " does not exist or is deleted."),
				},
		[OBJECT_DATABASE_INSTANCE] =
				{
						TYPE("database-instances", "database-instances",
								"Database instance",
								BIT(CAN_CREATE) | USE_LEVELS,
								CAN_MANAGE),
						ID(ID_NAME, "uid", "name"),
						.array_key = "database_instances",
						PAGED("page_size", 50, 100),
						TAGGED(TAGS_PAIRS, "custom_tags"),
						.unique = true,
						.creator_key = "creator",
						NOT_FOUND("Database instance ", " not found."),
				},
		[OBJECT_DATABASE_PROJECT] =
				{
						TYPE("database-projects", "database-projects",
								"Project", USE_LEVELS, CAN_MANAGE),
						ID(ID_NAME, "project_id", "project_id"),
						.array_key = "projects",
						PAGED("page_size", 50, 100),
						.unique = true,
						.creator_key = "status.owner",
						.creating = CREATE_ANSWERS_OPERATION,
						NOT_FOUND("project ", " not found."),
				},
		[OBJECT_KNOWLEDGE_ASSISTANT] =
				{
						TYPE("knowledge-assistants", "knowledge-assistants",
								"Knowledge assistant", QUERY_LEVELS,
								CAN_MANAGE),
						ID(ID_UUID, "id", "display_name"),
						.array_key = "knowledge_assistants",
						PAGED("page_size", 20, 100),
						.creator_key = "creator",
						.size_coerced = true,
						NOT_FOUND("Knowledge assistant ", " not found."),
				},
		[OBJECT_SUPERVISOR_AGENT] =
				{
						TYPE("supervisor-agents", "supervisor-agents",
								"Supervisor agent", QUERY_LEVELS,
								CAN_MANAGE),
						ID(ID_UUID, "id", "display_name"),
						.array_key = "supervisor_agents",
						PAGED("page_size", 20, 100),
						.creator_key = "creator",
						.size_coerced = true,
						NOT_FOUND("Supervisor agent ", " not found."),
				},
		[OBJECT_FEATURE_TABLE] =
				{
						TYPE("feature-tables", "feature-table",
								"Feature table",
								BIT(CAN_VIEW_METADATA) |
										BIT(CAN_EDIT_METADATA) |
										BIT(CAN_MANAGE),
								CAN_MANAGE),
						ID(ID_HEX32, "id", "name"),
						.array_key = "feature_tables",
						PAGED("max_results", 100, 200),
						.unique = true,
						.by_name = true,
						.creator_key = "creator_id",
						.get_wrap = "feature_table",
						.made_wrap = "feature_table",
						GONE("Feature table ", " does not exist."),
				},
};
