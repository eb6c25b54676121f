#include "databricks/object_internal.h"

#include "base/log.h"
#include "base/text.h"
#include "databricks/http.h"

#define KEY_MAX 64 /* of a part of a key below */

static bool is_text(const struct tape_value *object, const char *key, const char *text)
{
	return text_equal(tape_text(tape_get(object, key)), text);
}

/* Those of jobs, pipelines and the like take their rights from there (permissions.md 3). */
static bool is_service_cluster(const struct tape_value *item)
{
	static const char *const sources[] = {
			"JOB", "MODELS", "PIPELINE", "PIPELINE_MAINTENANCE", "SQL"};

	for (size_t i = 0; i < COUNT_OF(sources); i++) {
		if (is_text(item, "cluster_source", sources[i]))
			return true;
	}
	return false;
}

/* The endpoints that come with the platform have an empty id. */
static bool is_system_endpoint(const struct tape_value *item)
{
	const struct tape_value *id = tape_get(item, "id");

	return !id || (tape_is(id, TAPE_TEXT) && id->len == 0);
}

/* Their rights are the notebook's. */
static bool is_notebook_experiment(const struct tape_value *item)
{
	const struct tape_value *tags = tape_get(item, "tags");

	for (const struct tape_value *tag = tape_first(tags); tag; tag = tape_next(tags, tag)) {
		if ((is_text(tag, "key", "mlflow.experimentType") &&
				    is_text(tag, "value", "NOTEBOOK")) ||
				(is_text(tag, "key", "mlflow.experiment.sourceType") &&
						is_text(tag, "value", "REPO_NOTEBOOK")))
			return true;
	}
	return false;
}

/*
 * Paths, sizes of pages and keys as in Databricks' SDKs (permissions.md 3). Sizes are the greatest that are known to be
 * taken; jobs and pipelines refuse greater ones.
 */
static const struct object_listing listings[SECURABLE_TYPE_COUNT_] = {
		[SECURABLE_ALERT] = {METHOD_GET, FAMILY_SQL_LIST, PAGING_TOKEN,
				"/api/2.0/alerts?page_size=100", "alerts",
				.keys = {.id = "id",
						.name = "display_name",
						.creator = "owner_user_name",
						.folder = "parent_path"}},
		[SECURABLE_APP] = {METHOD_GET, FAMILY_OBJECT_LIST, PAGING_TOKEN, "/api/2.0/apps",
				"apps", .get = "/api/2.0/apps/",
				.keys = {.id = "name", .name = "name", .creator = "creator"}},
		[SECURABLE_CLUSTER] = {METHOD_GET, FAMILY_OBJECT_LIST, PAGING_TOKEN,
				"/api/2.1/clusters/list?page_size=100", "clusters",
				.keys = {.id = "cluster_id",
						.name = "cluster_name",
						.creator = "creator_user_name",
						.tags = "custom_tags",
						.is_passed_over = is_service_cluster}},
		[SECURABLE_CLUSTER_POLICY] = {METHOD_GET, FAMILY_OBJECT_LIST, PAGING_NONE,
				"/api/2.0/policies/clusters/list", "policies",
				.keys = {.id = "policy_id",
						.name = "name",
						.creator = "creator_user_name"}},
		[SECURABLE_DASHBOARD] = {METHOD_GET, FAMILY_OBJECT_LIST, PAGING_TOKEN,
				"/api/2.0/lakeview/dashboards?page_size=100", "dashboards",
				.keys = {.id = "dashboard_id",
						.name = "display_name",
						.path = "path"}},
		[SECURABLE_DATABASE_INSTANCE] = {METHOD_GET, FAMILY_OBJECT_LIST, PAGING_TOKEN,
				"/api/2.0/database/instances?page_size=100", "database_instances",
				.get = "/api/2.0/database/instances/",
				.keys = {.id = "name",
						.name = "name",
						.creator = "creator",
						.tags = "custom_tags"}},
		/* "name" is "projects/ID"; the Permissions API wants the bare id. */
		[SECURABLE_DATABASE_PROJECT] = {METHOD_GET, FAMILY_OBJECT_LIST, PAGING_TOKEN,
				"/api/2.0/postgres/projects?page_size=100", "projects",
				.get = "/api/2.0/postgres/projects/",
				.keys = {.id = "project_id|name",
						.name = "project_id|name",
						.creator = "status.owner"}},
		[SECURABLE_EXPERIMENT] = {METHOD_POST, FAMILY_OBJECT_LIST, PAGING_BODY,
				"/api/2.0/mlflow/experiments/search", "experiments",
				.get = "/api/2.0/mlflow/experiments/"
				       "get-by-name?experiment_name=",
				.get_key = "experiment",
				.keys = {.id = "experiment_id",
						.name = "name",
						.tags = "tags",
						.path = "name",
						.is_passed_over = is_notebook_experiment}},
		[SECURABLE_FEATURE_TABLE] = {METHOD_GET, FAMILY_OBJECT_LIST, PAGING_TOKEN,
				"/api/2.0/feature-store/feature-tables/search?max_results=200",
				"feature_tables", .keys = {.id = "id", .name = "name"}},
		[SECURABLE_GENIE_SPACE] = {METHOD_GET, FAMILY_OBJECT_LIST, PAGING_TOKEN,
				"/api/2.0/genie/spaces?page_size=100", "spaces",
				.keys = {.id = "space_id",
						.name = "title",
						.folder = "parent_path"}},
		[SECURABLE_INSTANCE_POOL] = {METHOD_GET, FAMILY_OBJECT_LIST, PAGING_NONE,
				"/api/2.0/instance-pools/list", "instance_pools",
				.keys = {.id = "instance_pool_id",
						.name = "instance_pool_name",
						.tags = "custom_tags"}},
		[SECURABLE_JOB] = {METHOD_GET, FAMILY_OBJECT_LIST, PAGING_TOKEN,
				"/api/2.2/jobs/list?limit=100", "jobs",
				.filter = "&name=", .filter_end = "",
				.keys = {.id = "job_id",
						.name = "settings.name",
						.creator = "creator_user_name",
						.tags = "settings.tags"}},
		[SECURABLE_KNOWLEDGE_ASSISTANT] = {METHOD_GET, FAMILY_OBJECT_LIST, PAGING_TOKEN,
				"/api/2.1/knowledge-assistants?page_size=100",
				"knowledge_assistants",
				.keys = {.id = "id", .name = "display_name", .creator = "creator"}},
		[SECURABLE_LEGACY_ALERT] = {METHOD_GET, FAMILY_SQL_LIST, PAGING_TOKEN,
				"/api/2.0/sql/alerts?page_size=100", "results",
				.keys = {.id = "id",
						.name = "display_name",
						.creator = "owner_user_name"}},
		[SECURABLE_LEGACY_DASHBOARD] = {METHOD_GET, FAMILY_SQL_LIST, PAGING_NUMBER,
				"/api/2.0/preview/sql/dashboards?page_size=100", "results",
				.keys = {.id = "id",
						.name = "name",
						.creator = "user.email",
						.tags = "tags"}},
		/* name LIKE is the only filter; as a pattern, a name finds more than itself at worst. */
		[SECURABLE_PIPELINE] = {METHOD_GET, FAMILY_OBJECT_LIST, PAGING_TOKEN,
				"/api/2.0/pipelines?max_results=100", "statuses",
				.filter = "&filter=name%20LIKE%20%27", .filter_end = "%27",
				.keys = {.id = "pipeline_id",
						.name = "name",
						.creator = "creator_user_name"}},
		[SECURABLE_QUERY] = {METHOD_GET, FAMILY_SQL_LIST, PAGING_TOKEN,
				"/api/2.0/sql/queries?page_size=100", "results",
				.keys = {.id = "id",
						.name = "display_name",
						.creator = "owner_user_name",
						.tags = "tags"}},
		/* The id that rights are set by is only told to who asks for the model itself. */
		[SECURABLE_REGISTERED_MODEL] = {METHOD_GET, FAMILY_OBJECT_LIST, PAGING_TOKEN,
				"/api/2.0/mlflow/registered-models/list?max_results=1000",
				"registered_models",
				.get = "/api/2.0/mlflow/databricks/registered-models/get?name=",
				.get_key = "registered_model_databricks", .get_id = "id",
				.keys = {.name = "name", .tags = "tags"}},
		[SECURABLE_REPO] = {METHOD_GET, FAMILY_OBJECT_LIST, PAGING_NEXT_TOKEN,
				"/api/2.0/repos", "repos", .keys = {.id = "id", .path = "path"}},
		[SECURABLE_SERVING_ENDPOINT] = {METHOD_GET, FAMILY_OBJECT_LIST, PAGING_NONE,
				"/api/2.0/serving-endpoints", "endpoints",
				.get = "/api/2.0/serving-endpoints/",
				.keys = {.id = "id",
						.name = "name",
						.creator = "creator",
						.tags = "tags",
						.is_passed_over = is_system_endpoint}},
		[SECURABLE_SQL_WAREHOUSE] = {METHOD_GET, FAMILY_OBJECT_LIST, PAGING_TOKEN,
				"/api/2.0/sql/warehouses", "warehouses",
				.keys = {.id = "id",
						.name = "name",
						.creator = "creator_name",
						.tags = "tags.custom_tags"}},
		[SECURABLE_SUPERVISOR_AGENT] = {METHOD_GET, FAMILY_OBJECT_LIST, PAGING_TOKEN,
				"/api/2.1/supervisor-agents?page_size=100", "supervisor_agents",
				.keys = {.id = "id|supervisor_agent_id",
						.name = "display_name",
						.creator = "creator"}},
		[SECURABLE_VECTOR_SEARCH_ENDPOINT] = {METHOD_GET, FAMILY_OBJECT_LIST, PAGING_TOKEN,
				"/api/2.0/vector-search/endpoints", "endpoints",
				.get = "/api/2.0/vector-search/endpoints/",
				.keys = {.id = "id",
						.name = "name",
						.creator = "creator",
						.tags = "custom_tags"}},
};

const struct object_listing *object_listing(enum securable_type type)
{
	return &listings[type];
}

/* ---- values ---- */

/* "a.b" */
static const struct tape_value *look_up(
		const struct tape_value *object, const char *key, size_t len)
{
	while (object) {
		const char *dot = memchr(key, '.', len);
		size_t part = dot ? (size_t)(dot - key) : len;
		char name[KEY_MAX];

		(void)snprintf(name, sizeof(name), "%.*s", (int)part, key);
		object = tape_get(object, name);
		if (!dot)
			break;
		key += part + 1;
		len -= part + 1;
	}
	return object;
}

/* "a.b|c": the first that is there, and no empty text. */
static const struct tape_value *value_of(const struct tape_value *object, const char *keys)
{
	while (keys) {
		size_t len = strcspn(keys, "|");
		const struct tape_value *value = look_up(object, keys, len);

		if (value && !(tape_is(value, TAPE_TEXT) && value->len == 0))
			return value;
		keys = keys[len] ? keys + len + 1 : NULL;
	}
	return NULL;
}

static enum err_code wrong(const struct object_reader *reader, const char *key, const char *what)
{
	return err_set(reader->err, ERR_PROTO, 0, "list of %s objects: %s %s",
			securable_traits(reader->type)->name, key, what);
}

/* Ids of 64 bits are taken digit by digit and never become numbers. */
static enum err_code read_id(const struct object_reader *reader, const struct tape_value *item,
		const char *keys, const char **ret)
{
	const struct tape_value *value = value_of(item, keys);

	if (!value)
		return wrong(reader, keys, "is not there");
	if (tape_is(value, TAPE_NUMBER) && strspn(value->text, "0123456789") >= value->len)
		*ret = arena_strndup(reader->arena, value->text, value->len);
	else if (tape_is(value, TAPE_TEXT))
		*ret = value->text;
	else
		return wrong(reader, keys, "is no id");
	if (reader->type == SECURABLE_DATABASE_PROJECT && text_starts_with(*ret, "projects/"))
		*ret += strlen("projects/");
	return ERR_NONE;
}

/* Text; what is not there leaves *ret alone. */
static enum err_code read_text(const struct object_reader *reader, const struct tape_value *item,
		const char *keys, const char **ret)
{
	const struct tape_value *value = value_of(item, keys);

	if (!value)
		return ERR_NONE;
	if (!tape_is(value, TAPE_TEXT))
		return wrong(reader, keys, "is no text");
	*ret = value->text;
	return ERR_NONE;
}

/* ---- tags: {"k": "v"}, [{"key": "k", "value": "v"}] or ["k"] ---- */

static void add_tag(struct tag *tags, size_t *count, const char *key, const char *value)
{
	if (key && *count < OBJECT_TAGS_MAX)
		tags[(*count)++] = (struct tag){key, value ? value : ""};
}

static size_t read_tag_list(const struct tape_value *list, struct tag *tags)
{
	size_t count = 0;

	for (const struct tape_value *item = tape_first(list); item; item = tape_next(list, item)) {
		if (tape_is(item, TAPE_TEXT))
			add_tag(tags, &count, item->text, NULL);
		else
			add_tag(tags, &count, tape_text(tape_get(item, "key")),
					tape_text(tape_get(item, "value")));
	}
	return count;
}

static size_t read_tag_map(const struct tape_value *map, struct tag *tags)
{
	size_t count = 0;

	for (const struct tape_value *key = tape_first_key(map); key; key = tape_next_key(map, key))
		add_tag(tags, &count, key->text, tape_text(key + 1));
	return count;
}

static enum err_code read_tags(const struct object_reader *reader, const struct tape_value *item,
		struct securable_facts *ret)
{
	const struct tape_value *value = value_of(item, reader->keys->tags);
	size_t room = OBJECT_TAGS_MAX;
	struct tag *tags;

	if (!value)
		return ERR_NONE;
	if (!tape_is(value, TAPE_ARRAY) && !tape_is(value, TAPE_OBJECT))
		return wrong(reader, reader->keys->tags, "are no tags");
	/* A value takes one place or more of the tape. */
	if (value->extent < room)
		room = value->extent;
	tags = arena_alloc(reader->arena, room * sizeof(*tags));
	ret->tag_count = tape_is(value, TAPE_ARRAY) ? read_tag_list(value, tags)
						    : read_tag_map(value, tags);
	ret->tags = tags;
	return ERR_NONE;
}

/* ---- paths ---- */

const char *object_plain_path(const char *path)
{
	static const char prefix[] = "/Workspace";
	size_t len = sizeof(prefix) - 1;

	if (!text_starts_with(path, prefix))
		return path;
	if (path[len] == '/')
		return path + len;
	return path[len] ? path : "/";
}

char *object_tree_path(const char *call, const char *path)
{
	AUTO(mem_freep) char *escaped = http_escape(path);

	return mem_printf("/api/2.0/workspace/%s?path=%s", call, escaped);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static enum err_code read_path(const struct object_reader *reader, const struct tape_value *item,
		struct securable_facts *ret)
{
	const char *folder = NULL, *path = NULL;

	if (read_text(reader, item, reader->keys->path, &path) != ERR_NONE ||
			read_text(reader, item, reader->keys->folder, &folder) != ERR_NONE)
		return reader->err->code;
	if (path && *path == '/') {
		ret->path = object_plain_path(path);
	} else if (folder && *folder == '/' && ret->name) {
		folder = object_plain_path(folder);
		ret->path = arena_printf(
				reader->arena, "%s/%s", folder[1] ? folder : "", ret->name);
	}
	return ERR_NONE;
}

/* ---- objects ---- */

enum err_code object_read(const struct object_reader *reader, const struct tape_value *item,
		struct found_object *ret, bool *ret_is_one)
{
	const struct object_keys *keys = reader->keys;
	struct securable_facts facts = {0};

	if (!tape_is(item, TAPE_OBJECT))
		return wrong(reader, "an item", "is no object");
	*ret_is_one = !keys->is_passed_over || !keys->is_passed_over(item);
	if (!*ret_is_one)
		return ERR_NONE;
	if ((keys->id && read_id(reader, item, keys->id, &facts.id) != ERR_NONE) ||
			read_text(reader, item, keys->name, &facts.name) != ERR_NONE ||
			read_text(reader, item, keys->creator, &facts.creator) != ERR_NONE ||
			read_tags(reader, item, &facts) != ERR_NONE ||
			read_path(reader, item, &facts) != ERR_NONE)
		return reader->err->code;
	if (!facts.id && !facts.name)
		return wrong(reader, keys->name, "is not there");
	if (reader->type == SECURABLE_DATABASE_PROJECT)
		facts.name = facts.id;
	if (!facts.name)
		facts.name = facts.path ? last_part(facts.path) : "";
	*ret = (struct found_object){reader->type, facts};
	return ERR_NONE;
}

enum err_code object_read_page(const struct object_reader *reader, const struct tape_value *answer,
		const char *array, struct found_object **ret, size_t *ret_count)
{
	const struct tape_value *list = tape_get(answer, array);
	struct found_object *objects;
	size_t count = 0;

	if (!tape_is(answer, TAPE_OBJECT))
		return wrong(reader, "the answer", "is no object");
	if (list && !tape_is(list, TAPE_ARRAY))
		return wrong(reader, array, "is no array");
	objects = arena_alloc(reader->arena, (tape_count(list) + 1) * sizeof(*objects));
	for (const struct tape_value *item = tape_first(list); item; item = tape_next(list, item)) {
		bool is_one;

		if (object_read(reader, item, &objects[count], &is_one) != ERR_NONE)
			return reader->err->code;
		count += is_one;
	}
	*ret = objects;
	*ret_count = count;
	return ERR_NONE;
}

/* ---- the tree ---- */

/* LIBRARY has no rights of its own; others come and go (permissions.md 3, "Path -> id"). */
static bool type_of_node(const struct tape_value *item, enum securable_type *ret)
{
	static const struct {
		const char *name;
		enum securable_type type;
	} types[] = {{"NOTEBOOK", SECURABLE_NOTEBOOK}, {"DIRECTORY", SECURABLE_DIRECTORY},
			{"FILE", SECURABLE_FILE}, {"REPO", SECURABLE_REPO},
			{"DASHBOARD", SECURABLE_DASHBOARD}};
	const char *name = tape_text(tape_get(item, "object_type"));

	for (size_t i = 0; i < COUNT_OF(types); i++) {
		if (text_equal(name, types[i].name)) {
			*ret = types[i].type;
			/* A Git folder outside of /Repos: a repo of the same id. */
			if (*ret == SECURABLE_DIRECTORY &&
					tape_is(tape_get(tape_get(item, "directory_info"),
								"is_git_folder"),
							TAPE_TRUE))
				*ret = SECURABLE_REPO;
			return true;
		}
	}
	log_debug("workspace tree: an object of type \"%.40s\" is passed over", name ? name : "");
	return false;
}

enum err_code object_read_node(const struct tape_value *item, struct arena *arena,
		struct found_object *ret, bool *ret_is_one, struct err *err)
{
	static const struct object_keys by_number = {.id = "object_id", .path = "path"};
	static const struct object_keys by_resource = {.id = "resource_id", .path = "path"};
	struct object_reader reader = {.arena = arena, .err = err};

	*ret_is_one = false;
	if (!tape_is(item, TAPE_OBJECT))
		return err_set(err, ERR_PROTO, 0, "workspace tree: an item that is no object");
	if (!type_of_node(item, &reader.type))
		return ERR_NONE;
	reader.keys = reader.type == SECURABLE_DASHBOARD ? &by_resource : &by_number;
	if (reader.type == SECURABLE_DASHBOARD && !value_of(item, "resource_id"))
		return ERR_NONE;
	if (object_read(&reader, item, ret, ret_is_one) != ERR_NONE)
		return err->code;
	if (!ret->facts.path)
		return err_set(err, ERR_PROTO, 0, "workspace tree: an object without path");
	return ERR_NONE;
}
