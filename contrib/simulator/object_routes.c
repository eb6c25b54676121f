/*
 * Where objects are found over REST: one table. Declared in object_api.h.
 */
#include "object_api.h"

#define ID KEY_BY_ID
#define NAME KEY_BY_NAME

/* Old services have verbs in their paths. */
static const struct rest_route routes[] = {
		{"POST", "api/*/clusters/create", object_create, OBJECT_CLUSTER, 0},
		{"GET", "api/*/clusters/list", object_list, OBJECT_CLUSTER, 0},
		{"GET", "api/*/clusters/get", object_get, OBJECT_CLUSTER, ID},
		{"POST", "api/*/clusters/edit", object_update, OBJECT_CLUSTER, EDIT_MERGE},
		{"POST", "api/*/clusters/update", object_update, OBJECT_CLUSTER, EDIT_MERGE},
		{"POST", "api/*/clusters/delete", object_delete, OBJECT_CLUSTER, 0},
		{"POST", "api/*/clusters/permanent-delete", object_delete, OBJECT_CLUSTER, 1},

		{"POST", "api/2.0/instance-pools/create", object_create, OBJECT_INSTANCE_POOL, 0},
		{"GET", "api/2.0/instance-pools/list", object_list, OBJECT_INSTANCE_POOL, 0},
		{"GET", "api/2.0/instance-pools/get", object_get, OBJECT_INSTANCE_POOL, ID},
		{"POST", "api/2.0/instance-pools/edit", object_update, OBJECT_INSTANCE_POOL,
				EDIT_MERGE},
		{"POST", "api/2.0/instance-pools/delete", object_delete, OBJECT_INSTANCE_POOL, 0},

		{"POST", "api/*/jobs/create", object_create, OBJECT_JOB, 0},
		{"GET", "api/*/jobs/list", object_list, OBJECT_JOB, 0},
		{"GET", "api/*/jobs/get", object_get, OBJECT_JOB, ID},
		{"POST", "api/*/jobs/update", object_update, OBJECT_JOB, EDIT_MERGE},
		{"POST", "api/*/jobs/reset", object_update, OBJECT_JOB, EDIT_REPLACE},
		{"POST", "api/*/jobs/delete", object_delete, OBJECT_JOB, 0},

		{"POST", "api/2.0/mlflow/experiments/create", object_create, OBJECT_EXPERIMENT, 0},
		{"GET", "api/2.0/mlflow/experiments/list", object_list, OBJECT_EXPERIMENT, 0},
		{"POST", "api/2.0/mlflow/experiments/search", object_list, OBJECT_EXPERIMENT, 0},
		{"GET", "api/2.0/mlflow/experiments/get", object_get, OBJECT_EXPERIMENT, ID},
		{"GET", "api/2.0/mlflow/experiments/get-by-name", object_get, OBJECT_EXPERIMENT,
				NAME},
		{"POST", "api/2.0/mlflow/experiments/delete", object_delete, OBJECT_EXPERIMENT, 0},

		{"POST", "api/2.0/mlflow/registered-models/create", object_create,
				OBJECT_REGISTERED_MODEL, 0},
		{"GET", "api/2.0/mlflow/registered-models/list", object_list,
				OBJECT_REGISTERED_MODEL, 0},
		{"GET", "api/2.0/mlflow/registered-models/search", object_list,
				OBJECT_REGISTERED_MODEL, 0},
		{"GET", "api/2.0/mlflow/databricks/registered-models/get", object_get,
				OBJECT_REGISTERED_MODEL, NAME},
		{"DELETE", "api/2.0/mlflow/registered-models/delete", object_delete,
				OBJECT_REGISTERED_MODEL, 0},

		{"POST", "api/2.0/feature-store/feature-tables/create", object_create,
				OBJECT_FEATURE_TABLE, 0},
		{"GET", "api/2.0/feature-store/feature-tables/search", object_list,
				OBJECT_FEATURE_TABLE, 0},
		{"GET", "api/2.0/feature-store/feature-tables/get", object_get,
				OBJECT_FEATURE_TABLE, NAME},
		{"DELETE", "api/2.0/feature-store/feature-tables/delete", object_delete,
				OBJECT_FEATURE_TABLE, 0},

		/* Newer ones have resources. */
		{"POST", "api/2.0/pipelines", object_create, OBJECT_PIPELINE, 0},
		{"GET", "api/2.0/pipelines", object_list, OBJECT_PIPELINE, 0},
		{"GET", "api/2.0/pipelines/{}", object_get, OBJECT_PIPELINE, ID},
		{"PUT", "api/2.0/pipelines/{}", object_update, OBJECT_PIPELINE, EDIT_REPLACE},
		{"DELETE", "api/2.0/pipelines/{}", object_delete, OBJECT_PIPELINE, 0},

		{"POST", "api/2.0/sql/warehouses", object_create, OBJECT_WAREHOUSE, 0},
		{"GET", "api/2.0/sql/warehouses", object_list, OBJECT_WAREHOUSE, 0},
		{"GET", "api/2.0/sql/warehouses/{}", object_get, OBJECT_WAREHOUSE, ID},
		{"POST", "api/2.0/sql/warehouses/{}/edit", object_update, OBJECT_WAREHOUSE,
				EDIT_MERGE},
		{"DELETE", "api/2.0/sql/warehouses/{}", object_delete, OBJECT_WAREHOUSE, 0},

		{"POST", "api/2.0/sql/queries", object_create, OBJECT_QUERY, 0},
		{"GET", "api/2.0/sql/queries", object_list, OBJECT_QUERY, 0},
		{"GET", "api/2.0/sql/queries/{}", object_get, OBJECT_QUERY, ID},
		{"PATCH", "api/2.0/sql/queries/{}", object_update, OBJECT_QUERY, EDIT_MERGE},
		{"DELETE", "api/2.0/sql/queries/{}", object_delete, OBJECT_QUERY, 0},

		{"POST", "api/2.0/sql/alerts", object_create, OBJECT_ALERT, 0},
		{"GET", "api/2.0/sql/alerts", object_list, OBJECT_ALERT, 0},
		{"GET", "api/2.0/sql/alerts/{}", object_get, OBJECT_ALERT, ID},
		{"PATCH", "api/2.0/sql/alerts/{}", object_update, OBJECT_ALERT, EDIT_MERGE},
		{"DELETE", "api/2.0/sql/alerts/{}", object_delete, OBJECT_ALERT, 0},

		{"POST", "api/2.0/alerts", object_create, OBJECT_ALERT_V2, 0},
		{"GET", "api/2.0/alerts", object_list, OBJECT_ALERT_V2, 0},
		{"GET", "api/2.0/alerts/{}", object_get, OBJECT_ALERT_V2, ID},
		{"PATCH", "api/2.0/alerts/{}", object_update, OBJECT_ALERT_V2, EDIT_MERGE},
		{"DELETE", "api/2.0/alerts/{}", object_delete, OBJECT_ALERT_V2, 0},

		{"POST", "api/2.0/preview/sql/dashboards", object_create, OBJECT_LEGACY_DASHBOARD,
				0},
		{"GET", "api/2.0/preview/sql/dashboards", object_list, OBJECT_LEGACY_DASHBOARD, 0},
		{"GET", "api/2.0/preview/sql/dashboards/{}", object_get, OBJECT_LEGACY_DASHBOARD,
				ID},
		{"POST", "api/2.0/preview/sql/dashboards/{}", object_update,
				OBJECT_LEGACY_DASHBOARD, EDIT_MERGE},
		{"DELETE", "api/2.0/preview/sql/dashboards/{}", object_delete,
				OBJECT_LEGACY_DASHBOARD, 0},

		{"POST", "api/2.0/lakeview/dashboards", object_create, OBJECT_DASHBOARD, 0},
		{"GET", "api/2.0/lakeview/dashboards", object_list, OBJECT_DASHBOARD, 0},
		{"GET", "api/2.0/lakeview/dashboards/{}", object_get, OBJECT_DASHBOARD, ID},
		{"PATCH", "api/2.0/lakeview/dashboards/{}", object_update, OBJECT_DASHBOARD,
				EDIT_MERGE},
		{"DELETE", "api/2.0/lakeview/dashboards/{}", object_delete, OBJECT_DASHBOARD, 0},

		{"POST", "api/2.0/genie/spaces", object_create, OBJECT_GENIE_SPACE, 0},
		{"GET", "api/2.0/genie/spaces", object_list, OBJECT_GENIE_SPACE, 0},
		{"GET", "api/2.0/genie/spaces/{}", object_get, OBJECT_GENIE_SPACE, ID},
		{"PATCH", "api/2.0/genie/spaces/{}", object_update, OBJECT_GENIE_SPACE, EDIT_MERGE},
		{"DELETE", "api/2.0/genie/spaces/{}", object_delete, OBJECT_GENIE_SPACE, 0},

		{"POST", "api/2.0/serving-endpoints", object_create, OBJECT_SERVING_ENDPOINT, 0},
		{"GET", "api/2.0/serving-endpoints", object_list, OBJECT_SERVING_ENDPOINT, 0},
		{"GET", "api/2.0/serving-endpoints/{}", object_get, OBJECT_SERVING_ENDPOINT, NAME},
		{"DELETE", "api/2.0/serving-endpoints/{}", object_delete, OBJECT_SERVING_ENDPOINT,
				0},

		{"POST", "api/2.0/vector-search/endpoints", object_create,
				OBJECT_VECTOR_SEARCH_ENDPOINT, 0},
		{"GET", "api/2.0/vector-search/endpoints", object_list,
				OBJECT_VECTOR_SEARCH_ENDPOINT, 0},
		{"GET", "api/2.0/vector-search/endpoints/{}", object_get,
				OBJECT_VECTOR_SEARCH_ENDPOINT, NAME},
		{"DELETE", "api/2.0/vector-search/endpoints/{}", object_delete,
				OBJECT_VECTOR_SEARCH_ENDPOINT, 0},

		{"POST", "api/2.0/apps", object_create, OBJECT_APP, 0},
		{"GET", "api/2.0/apps", object_list, OBJECT_APP, 0},
		{"GET", "api/2.0/apps/{}", object_get, OBJECT_APP, ID},
		{"PATCH", "api/2.0/apps/{}", object_update, OBJECT_APP, EDIT_MERGE},
		{"DELETE", "api/2.0/apps/{}", object_delete, OBJECT_APP, 0},

		{"POST", "api/2.0/database/instances", object_create, OBJECT_DATABASE_INSTANCE, 0},
		{"GET", "api/2.0/database/instances", object_list, OBJECT_DATABASE_INSTANCE, 0},
		{"GET", "api/2.0/database/instances/{}", object_get, OBJECT_DATABASE_INSTANCE, ID},
		{"DELETE", "api/2.0/database/instances/{}", object_delete, OBJECT_DATABASE_INSTANCE,
				0},

		{"POST", "api/2.0/postgres/projects", object_create, OBJECT_DATABASE_PROJECT, 0},
		{"GET", "api/2.0/postgres/projects", object_list, OBJECT_DATABASE_PROJECT, 0},
		{"GET", "api/2.0/postgres/projects/{}", object_get, OBJECT_DATABASE_PROJECT, ID},
		{"DELETE", "api/2.0/postgres/projects/{}", object_delete, OBJECT_DATABASE_PROJECT,
				0},

		{"POST", "api/2.1/knowledge-assistants", object_create, OBJECT_KNOWLEDGE_ASSISTANT,
				0},
		{"GET", "api/2.1/knowledge-assistants", object_list, OBJECT_KNOWLEDGE_ASSISTANT, 0},
		{"GET", "api/2.1/knowledge-assistants/{}", object_get, OBJECT_KNOWLEDGE_ASSISTANT,
				ID},
		{"DELETE", "api/2.1/knowledge-assistants/{}", object_delete,
				OBJECT_KNOWLEDGE_ASSISTANT, 0},

		{"POST", "api/2.1/supervisor-agents", object_create, OBJECT_SUPERVISOR_AGENT, 0},
		{"GET", "api/2.1/supervisor-agents", object_list, OBJECT_SUPERVISOR_AGENT, 0},
		{"GET", "api/2.1/supervisor-agents/{}", object_get, OBJECT_SUPERVISOR_AGENT, ID},
		{"DELETE", "api/2.1/supervisor-agents/{}", object_delete, OBJECT_SUPERVISOR_AGENT,
				0},
};

bool objects_handle(struct request *request, struct answer *answer)
{
	return rest_serve(routes, COUNT_OF(routes), request, answer);
}
