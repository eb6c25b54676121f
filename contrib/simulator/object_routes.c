/*
 * Where objects are found over REST: one table. Declared in object_api.h.
 */
#include "object_api.h"

#define ROUTE(method, path, handle, kind, variant)                                                 \
	{                                                                                          \
		method, path, API_WORKSPACE, API_ANYONE, handle, kind, variant                     \
	}
/* Old services have verbs in their paths. */
#define VERBS(path, kind)                                                                          \
	ROUTE("POST", path "/create", object_create, kind, 0),                                     \
			ROUTE("GET", path "/list", object_list, kind, 0),                          \
			ROUTE("GET", path "/get", object_get, kind, KEY_BY_ID),                    \
			ROUTE("POST", path "/delete", object_delete, kind, 0)
#define VERB(path, kind, edit) ROUTE("POST", path, object_update, kind, edit)
/* Models and feature tables are called by name. */
#define NAMED(path, get, kind)                                                                     \
	ROUTE("POST", path "/create", object_create, kind, 0),                                     \
			ROUTE("GET", path "/search", object_list, kind, 0),                        \
			ROUTE("GET", get, object_get, kind, KEY_BY_NAME),                          \
			ROUTE("DELETE", path "/delete", object_delete, kind, 0)
/* Newer ones have resources: made and listed at the path, got and deleted below it. */
#define RESOURCES(path, kind, key)                                                                 \
	ROUTE("POST", path, object_create, kind, 0), ROUTE("GET", path, object_list, kind, 0),     \
			ROUTE("GET", path "/{}", object_get, kind, key),                           \
			ROUTE("DELETE", path "/{}", object_delete, kind, 0)
#define PATCHED(path, kind)                                                                        \
	RESOURCES(path, kind, KEY_BY_ID),                                                          \
			ROUTE("PATCH", path "/{}", object_update, kind, EDIT_MERGE)

static const struct api_route routes[] = {
		VERBS("api/*/clusters", OBJECT_CLUSTER),
		VERB("api/*/clusters/edit", OBJECT_CLUSTER, EDIT_MERGE),
		VERB("api/*/clusters/update", OBJECT_CLUSTER, EDIT_MERGE),
		ROUTE("POST", "api/*/clusters/permanent-delete", object_delete, OBJECT_CLUSTER, 1),
		VERBS("api/2.0/instance-pools", OBJECT_INSTANCE_POOL),
		VERB("api/2.0/instance-pools/edit", OBJECT_INSTANCE_POOL, EDIT_MERGE),
		VERBS("api/*/jobs", OBJECT_JOB),
		VERB("api/*/jobs/update", OBJECT_JOB, EDIT_MERGE),
		VERB("api/*/jobs/reset", OBJECT_JOB, EDIT_REPLACE),
		VERBS("api/2.0/mlflow/experiments", OBJECT_EXPERIMENT),
		ROUTE("POST", "api/2.0/mlflow/experiments/search", object_list, OBJECT_EXPERIMENT,
				0),
		ROUTE("GET", "api/2.0/mlflow/experiments/get-by-name", object_get,
				OBJECT_EXPERIMENT, KEY_BY_NAME),

		NAMED("api/2.0/mlflow/registered-models",
				"api/2.0/mlflow/databricks/registered-models/get",
				OBJECT_REGISTERED_MODEL),
		ROUTE("GET", "api/2.0/mlflow/registered-models/list", object_list,
				OBJECT_REGISTERED_MODEL, 0),
		NAMED("api/2.0/feature-store/feature-tables",
				"api/2.0/feature-store/feature-tables/get", OBJECT_FEATURE_TABLE),

		RESOURCES("api/2.0/pipelines", OBJECT_PIPELINE, KEY_BY_ID),
		ROUTE("PUT", "api/2.0/pipelines/{}", object_update, OBJECT_PIPELINE, EDIT_REPLACE),
		RESOURCES("api/2.0/sql/warehouses", OBJECT_WAREHOUSE, KEY_BY_ID),
		VERB("api/2.0/sql/warehouses/{}/edit", OBJECT_WAREHOUSE, EDIT_MERGE),
		RESOURCES("api/2.0/preview/sql/dashboards", OBJECT_LEGACY_DASHBOARD, KEY_BY_ID),
		VERB("api/2.0/preview/sql/dashboards/{}", OBJECT_LEGACY_DASHBOARD, EDIT_MERGE),
		RESOURCES("api/2.0/serving-endpoints", OBJECT_SERVING_ENDPOINT, KEY_BY_NAME),
		RESOURCES("api/2.0/vector-search/endpoints", OBJECT_VECTOR_SEARCH_ENDPOINT,
				KEY_BY_NAME),
		RESOURCES("api/2.0/database/instances", OBJECT_DATABASE_INSTANCE, KEY_BY_ID),
		RESOURCES("api/2.0/postgres/projects", OBJECT_DATABASE_PROJECT, KEY_BY_ID),
		RESOURCES("api/2.1/knowledge-assistants", OBJECT_KNOWLEDGE_ASSISTANT, KEY_BY_ID),
		RESOURCES("api/2.1/supervisor-agents", OBJECT_SUPERVISOR_AGENT, KEY_BY_ID),
		PATCHED("api/2.0/sql/queries", OBJECT_QUERY),
		PATCHED("api/2.0/sql/alerts", OBJECT_ALERT),
		PATCHED("api/2.0/alerts", OBJECT_ALERT_V2),
		PATCHED("api/2.0/lakeview/dashboards", OBJECT_DASHBOARD),
		PATCHED("api/2.0/genie/spaces", OBJECT_GENIE_SPACE),
		PATCHED("api/2.0/apps", OBJECT_APP),
};
const struct api_family object_calls = API_FAMILY(routes);
