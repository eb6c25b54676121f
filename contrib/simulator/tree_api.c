/*
 * The workspace API: folders, notebooks, files, and repos. Declared in object_api.h.
 */
#include "object_api.h"

#include "base/text.h"

static void refuse_path(struct api_call *call, const char *path)
{
	(void)api_refuse(call, 404, "RESOURCE_DOES_NOT_EXIST", "Path (%s) doesn't exist.", path);
}

static const char *need_path(struct api_call *call)
{
	const char *path = api_parameter(call, "path");

	if (path && *path == '/')
		return path;
	(void)api_refuse_value(call,
			path ? "Path (%s) must start with '/'" : "Missing required field: path%s",
			path ? path : "");
	return NULL;
}

/* A number as a number, whatever its size. */
static json_t *number_of(const char *text)
{
	int64_t number = 0;

	(void)text_parse_int(text, 0, INT64_MAX, &number);
	return json_integer(number);
}

static bool has_resource_id(const struct object *object)
{
	return object->tree_id != NULL;
}

static json_t *info_of(const struct object *object)
{
	json_t *info = json_pack("{s:s, s:s, s:o}", "object_type", object_type(object)->tree_type,
			"path", object->path, "object_id", number_of(object_tree_id(object)));

	(void)json_object_set_new(info, "resource_id",
			json_string(has_resource_id(object) ? object->id : object_tree_id(object)));
	(void)json_object_set_new(info, "created_at", json_integer(object->created_ms));
	(void)json_object_set_new(info, "modified_at", json_integer(object->created_ms));
	if (object->kind == OBJECT_NOTEBOOK)
		(void)json_object_set_new(info, "language", json_string("PYTHON"));
	if (object->kind == OBJECT_FILE)
		(void)json_object_set_new(info, "size", json_integer(0));
	if (json_is_true(json_object_get(object->document, "git_cli_enabled"))) {
		(void)json_object_set_new(info, "object_type", json_string("DIRECTORY"));
		(void)json_object_set_new(
				info, "directory_info", json_pack("{s:b}", "is_git_folder", 1));
	}
	return info;
}

/* Queries and the like are files to old answers, and not there in the newer. */
static bool is_in_tree(const struct api_call *call, const struct object *object)
{
	const struct object_type *type = object_type(object);

	if (!type->tree_type || !object->path)
		return false;
	return object->kind == OBJECT_FILE || strcmp(type->tree_type, "FILE") != 0 ||
			api_quirk(call, QUIRK_SQL_IN_TREE);
}

static bool is_folder(const struct object *object)
{
	return object->kind == OBJECT_DIRECTORY || object->kind == OBJECT_REPO;
}

static struct object *need_object(struct api_call *call)
{
	const char *path = need_path(call);
	struct object *object = path ? tree_find(call->place->objects, path) : NULL;

	if (path && (!object || !is_in_tree(call, object))) {
		refuse_path(call, path);
		return NULL;
	}
	return object;
}

/* The names of the folders at the top are no secret, what is in them is. */
static bool is_seen(const struct api_call *call, const struct object *object)
{
	bool top = !object->parent || !object->parent->parent || object->home_of;

	return top || object_is_visible(call, object);
}

static void get_status(struct api_call *call)
{
	struct object *object = need_object(call);

	if (!object)
		return;
	if (is_seen(call, object))
		api_answer(call, info_of(object));
	else
		refuse_path(call, api_parameter(call, "path"));
}

static void list(struct api_call *call)
{
	struct object *object;
	json_t *array, *answer = json_object();

	tree_make_homes(call->place->objects);
	object = need_object(call);
	if (!object || !is_seen(call, object)) {
		if (object)
			refuse_path(call, api_parameter(call, "path"));
		json_decref(answer);
		return;
	}
	array = json_array();
	if (!is_folder(object))
		(void)json_array_append_new(array, info_of(object));
	for (size_t i = 0; is_folder(object) && i < object->children.count; i++) {
		const struct object *child = object->children.items[i];

		if (is_in_tree(call, child) && is_seen(call, child))
			(void)json_array_append_new(array, info_of(child));
	}
	if (json_array_size(array))
		(void)json_object_set(answer, "objects", array);
	json_decref(array);
	api_answer(call, answer);
}

/* The deepest folder on the way that is there: what is new below it needs a right on it. */
static struct object *nearest(struct object_store *store, const char *path)
{
	AUTO(mem_freep) char *clean = tree_normalise(path);
	struct object *object = tree_find(store, clean);

	while (!object && *clean) {
		*strrchr(clean, '/') = '\0';
		object = tree_find(store, *clean ? clean : "/");
	}
	return object ? object : store->root;
}

static bool may_write(struct api_call *call, const char *path)
{
	return object_may(call, nearest(call->place->objects, path), CAN_EDIT, "write to");
}

static void refuse_in_the_way(struct api_call *call, const char *path)
{
	(void)api_refuse(call, 400, "RESOURCE_ALREADY_EXISTS",
			"Path (%s) already exists and is not a directory.", path);
}

static void make_directories(struct api_call *call)
{
	const char *path = need_path(call);
	struct object_store *store = call->place->objects;
	struct object *there = path ? tree_find(store, path) : NULL;

	if (!path || (!there && !may_write(call, path)))
		return;
	if (tree_make_folders(store, path, call->request->caller->name))
		api_answer_empty(call);
	else
		refuse_in_the_way(call, path);
}

/* What format a thing is imported in tells what it becomes: files stay files, sources become notebooks. */
static enum object_kind imported_kind(struct api_call *call, const char *path)
{
	const char *format = api_parameter(call, "format");
	bool raw = format && strcmp(format, "RAW") == 0;
	bool by_name = format && strcmp(format, "AUTO") == 0;
	const char *dot = strrchr(path, '.');
	bool source = dot &&
			(strcmp(dot, ".py") == 0 || strcmp(dot, ".ipynb") == 0 ||
					strcmp(dot, ".sql") == 0);

	if (raw || (by_name && !source))
		return OBJECT_FILE;
	return OBJECT_NOTEBOOK;
}

static void import(struct api_call *call)
{
	const char *path = need_path(call), *slash;
	struct object_store *store = call->place->objects;
	AUTO(mem_freep) char *clean = path ? tree_normalise(path) : NULL;
	AUTO(mem_freep) char *above = NULL;
	struct object *parent, *there;
	bool overwrite = json_is_true(json_object_get(call->body, "overwrite"));

	if (!path)
		return;
	slash = strrchr(clean, '/');
	above = mem_strndup(clean, (size_t)(slash - clean));
	parent = tree_find(store, *above ? above : "/");
	there = tree_find(store, clean);
	if (!parent || !is_folder(parent)) {
		(void)api_refuse(call, 404, "RESOURCE_DOES_NOT_EXIST",
				"The parent folder (%s) does not exist.", above);
	} else if (there && (!overwrite || is_folder(there))) {
		(void)api_refuse(call, 400, "RESOURCE_ALREADY_EXISTS", "Path (%s) already exists.",
				path);
	} else if (object_may(call, parent, CAN_EDIT, "write to")) {
		if (!there)
			(void)object_make(store,
					&(struct object_make){
							.kind = imported_kind(call, clean),
							.name = slash + 1,
							.creator = call->request->caller->name,
							.parent = parent,
					});
		api_answer_empty(call);
	}
}

static bool is_fixed(const struct object *object)
{
	return !object->parent ||
			(!object->parent->parent && object->kind == OBJECT_DIRECTORY &&
					(strcmp(object->path, "/Users") == 0 ||
							strcmp(object->path, "/Shared") == 0 ||
							strcmp(object->path, "/Repos") == 0));
}

static void delete (struct api_call *call)
{
	struct object *object = need_object(call);
	bool recursive = json_is_true(json_object_get(call->body, "recursive"));

	if (!object || !object_may(call, object, CAN_MANAGE, "delete"))
		return;
	if (is_fixed(object)) {
		(void)api_refuse(call, 400, "BAD_REQUEST", "Folder %s is protected", object->path);
	} else if (is_folder(object) && object->children.count && !recursive) {
		(void)api_refuse(call, 400, "DIRECTORY_NOT_EMPTY", "Folder (%s) is not empty",
				object->path);
	} else {
		object_remove(call->place->objects, object);
		api_answer_empty(call);
	}
}

/* "https://git.example.com/team/etl.git" is called etl. */
static char *repo_name(const char *url)
{
	const char *slash = strrchr(url, '/');
	const char *name = slash ? slash + 1 : url;
	size_t len = strlen(name);

	if (len > 4 && strcmp(name + len - 4, ".git") == 0)
		len -= 4;
	return mem_strndup(name, len);
}

static void create_repo(struct api_call *call)
{
	struct object_store *store = call->place->objects;
	const char *url = api_parameter(call, "url"), *path = api_parameter(call, "path");
	AUTO(mem_freep) char *name = url ? repo_name(url) : NULL;
	AUTO(mem_freep) char *clean = NULL;
	AUTO(mem_freep) char *above = NULL;
	struct object *parent, *repo;
	char *slash;

	if (!url || !*name) {
		(void)api_refuse_value(call, "Missing required field: url");
		return;
	}
	above = path ? tree_normalise(path)
		     : mem_printf("/Repos/%s/%s", call->request->caller->name, name);
	clean = mem_strdup(above);
	slash = strrchr(above, '/');
	*slash = '\0';
	parent = tree_find(store, *above ? above : "/");
	if (!parent || parent->kind != OBJECT_DIRECTORY) {
		refuse_path(call, above);
	} else if (tree_find(store, clean)) {
		(void)api_refuse(call, 400, "RESOURCE_ALREADY_EXISTS",
				"Repo with path %s already exists", clean);
	} else if (object_may(call, parent, CAN_EDIT, "create in")) {
		repo = object_make(store,
				&(struct object_make){
						.kind = OBJECT_REPO,
						.name = slash + 1,
						.creator = call->request->caller->name,
						.parent = parent,
						.document = json_deep_copy(call->body),
				});
		object_complete(repo);
		api_answer(call, object_render(call, repo, false));
	}
}

static const struct api_route routes[] = {
		{"GET", "api/2.0/workspace/get-status", API_WORKSPACE, API_ANYONE, get_status, 0,
				0},
		{"GET", "api/2.0/workspace/list", API_WORKSPACE, API_ANYONE, list, 0, 0},
		{"POST", "api/2.0/workspace/mkdirs", API_WORKSPACE, API_ANYONE, make_directories, 0,
				0},
		{"POST", "api/2.0/workspace/import", API_WORKSPACE, API_ANYONE, import, 0, 0},
		{"POST", "api/2.0/workspace/delete", API_WORKSPACE, API_ANYONE, delete, 0, 0},
		{"POST", "api/2.0/repos", API_WORKSPACE, API_ANYONE, create_repo, 0, 0},
		{"GET", "api/2.0/repos", API_WORKSPACE, API_ANYONE, object_list, OBJECT_REPO, 0},
		{"GET", "api/2.0/repos/{}", API_WORKSPACE, API_ANYONE, object_get, OBJECT_REPO,
				KEY_BY_ID},
		{"PATCH", "api/2.0/repos/{}", API_WORKSPACE, API_ANYONE, object_update, OBJECT_REPO,
				EDIT_MERGE},
		{"DELETE", "api/2.0/repos/{}", API_WORKSPACE, API_ANYONE, object_delete,
				OBJECT_REPO, 0},
};

const struct api_family tree_calls = API_FAMILY(routes);
