/*
 * --objects: what lives in the workspaces at the start, made as the APIs would make it. Declared in object_api.h.
 */
#include "object_api.h"

#include <inttypes.h>

#include "permissions.h"

#define SEED_COUNT_MAX 100000

struct seed {
	struct sim *sim;
	struct api_call *call;
	const struct object_type *type;
	enum object_kind kind;
	struct err *err;
};

static bool fail(struct seed *seed, const char *where, const char *what)
{
	(void)err_set(seed->err, ERR_CONFIG, 0, "objects: %s: %s", where, what);
	return false;
}

static bool find_kind(const char *name, enum object_kind *ret)
{
	for (int kind = 0; kind < OBJECT_KIND_COUNT_; kind++) {
		const struct object_type *type = &object_types[kind];

		if (strcmp(type->type, name) == 0 ||
				(type->alias && strcmp(type->alias, name) == 0)) {
			*ret = (enum object_kind)kind;
			return true;
		}
	}
	return false;
}

/* "settings.name" within what goes under "settings" is "name". */
static const char *inner_key(const struct object_type *type, const char *key)
{
	size_t len = type->under ? strlen(type->under) : 0;

	return len && strncmp(key, type->under, len) == 0 && key[len] == '.' ? key + len + 1 : key;
}

/* {"team": "etl"} in the shape that this type has. */
static json_t *shape_tags(const struct object_type *type, json_t *tags)
{
	json_t *array, *value;
	const char *key;

	if (type->tags == TAGS_MAP || !json_is_object(tags))
		return json_deep_copy(tags);
	array = json_array();
	json_object_foreach(tags, key, value)(void) json_array_append_new(array,
			type->tags == TAGS_PAIRS
					? json_pack("{s:s, s:O}", "key", key, "value", value)
					: json_string(key));
	return array;
}

static const char *text_of(const json_t *item, const char *key)
{
	return json_string_value(json_object_get(item, key));
}

static json_t *body_of(const struct seed *seed, const json_t *item)
{
	static const char *const ours[] = {
			"name", "creator", "tags", "id", "acl", "count", "folder", "purged"};
	const struct object_type *type = seed->type;
	json_t *body = json_deep_copy(item);
	const char *folder = text_of(item, "folder");

	for (size_t i = 0; i < COUNT_OF(ours); i++)
		(void)json_object_del(body, ours[i]);
	if (text_of(item, "name"))
		document_set(body, inner_key(type, type->name_key),
				json_string(text_of(item, "name")));
	if (type->tags != TAGS_NONE && json_object_get(item, "tags"))
		document_set(body, inner_key(type, type->tags_key),
				shape_tags(type, json_object_get(item, "tags")));
	if (folder && type->parent_key)
		document_set(body, type->parent_key, json_string(folder));
	return type->wrap ? json_pack("{s:o}", type->wrap, body) : body;
}

/* Made by ourselves, then as if the creator had done it. One that is not known leaves only the name behind. */
static void set_creator(const struct seed *seed, struct object *object, const char *name)
{
	const struct api_call *call = seed->call;
	struct ace *ours = aces_find(&object->acl, call->request->caller);
	struct principal *who;

	if (!name)
		return;
	who = permissions_find_user(call->state, call->place, name);
	if (ours && who && !aces_find(&object->acl, who))
		ours->who = who;
	else if (ours && who != ours->who)
		*ours = object->acl.items[--object->acl.count];
	text_replace(&object->creator, name);
	if (seed->type->creator_key)
		document_set(object->document, seed->type->creator_key, json_string(name));
}

static bool set_acl(struct seed *seed, struct object *object, const json_t *list)
{
	const struct acl_request change = {.object = object, .list = list};

	return !list || permissions_change(seed->call, &change);
}

/* Folders that are not there yet are made on the way. */
static struct object *make_in_tree(struct seed *seed, const char *path, const json_t *item)
{
	struct object_store *store = seed->call->place->objects;
	AUTO(mem_freep) char *clean = tree_normalise(path);
	AUTO(mem_freep) char *above = NULL;
	const char *slash = strrchr(clean, '/');
	struct object *parent, *object;

	if (seed->kind == OBJECT_DIRECTORY)
		return tree_make_folders(store, clean, text_of(item, "creator"));
	above = mem_strndup(clean, (size_t)(slash - clean));
	parent = tree_make_folders(store, above, NULL);
	if (!parent || tree_find(store, clean))
		return NULL;
	object = object_make(store,
			&(struct object_make){
					.kind = seed->kind,
					.id = text_of(item, "id"),
					.name = slash + 1,
					.creator = text_of(item, "creator"),
					.parent = parent,
					.document = body_of(seed, item),
			});
	if (seed->kind == OBJECT_REPO)
		object_complete(object);
	return object;
}

static bool is_tree_kind(enum object_kind kind)
{
	return kind == OBJECT_DIRECTORY || kind == OBJECT_NOTEBOOK || kind == OBJECT_FILE ||
			kind == OBJECT_REPO;
}

static struct object *make_object(struct seed *seed, const json_t *item)
{
	struct object_store *store = seed->call->place->objects;
	const char *path = text_of(item, "path"), *folder = text_of(item, "folder");
	json_t *body;
	struct object *object;

	if (is_tree_kind(seed->kind)) {
		object = path ? make_in_tree(seed, path, item) : NULL;
		return object && set_acl(seed, object, json_object_get(item, "acl")) ? object
										     : NULL;
	}
	if (folder)
		(void)tree_make_folders(store, folder, NULL);
	body = body_of(seed, item);
	object = object_build(seed->call, seed->kind, body, text_of(item, "id"));
	json_decref(body);
	if (!object || !set_acl(seed, object, json_object_get(item, "acl")))
		return NULL;
	set_creator(seed, object, text_of(item, "creator"));
	if (json_is_true(json_object_get(item, "purged"))) {
		object->purged = true;
		object_remove(store, object);
	}
	return object;
}

static const char *name_of(const json_t *item)
{
	const char *name = text_of(item, "name");

	if (!name)
		name = text_of(item, "path");
	return name ? name : "an item without name";
}

static bool make_one(struct seed *seed, const json_t *item)
{
	answer_reset(seed->call->answer);
	if (make_object(seed, item))
		return true;
	return fail(seed, name_of(item),
			seed->call->answer->body.len ? buf_text(&seed->call->answer->body)
						     : "cannot be made");
}

static bool make_scope(struct seed *seed, json_t *item)
{
	struct api_call *call = seed->call;
	const char *name = text_of(item, "name"), *principal;
	json_t *acls = json_object(), *level;
	struct principal *who;

	json_object_foreach(json_object_get(item, "acls"), principal, level)
	{
		who = permissions_find_user(call->state, call->place, principal);
		if (!who)
			who = workspace_find_group(call->place, principal);
		if (who)
			(void)json_object_set(acls, who->id_text, level);
	}
	if (!json_object_size(acls))
		(void)json_object_set_new(
				acls, call->request->caller->id_text, json_string("MANAGE"));
	if (name)
		(void)json_object_set_new(call->place->objects->scopes, name,
				json_pack("{s:O}", "acls", acls));
	json_decref(acls);
	return name || fail(seed, "secret-scopes", "a scope needs a name");
}

/* "etl-#" is "etl-7". */
static void number_texts(json_t *item, int64_t number)
{
	static const char *const keys[] = {"name", "path", "id", "url"};

	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		const char *text = text_of(item, keys[i]);
		const char *hash = text ? strchr(text, '#') : NULL;

		if (hash)
			(void)json_object_set_new(item, keys[i],
					json_sprintf("%.*s%" PRId64 "%s", (int)(hash - text), text,
							number, hash + 1));
	}
}

static json_t *as_object(const struct seed *seed, json_t *item)
{
	if (json_is_object(item))
		return json_deep_copy(item);
	return json_pack("{s:O}", seed->type && is_tree_kind(seed->kind) ? "path" : "name", item);
}

static bool make_items(struct seed *seed, json_t *item)
{
	json_int_t count = 1;

	if (json_is_object(item) && json_object_get(item, "count"))
		count = json_integer_value(json_object_get(item, "count"));
	if (count < 0 || count > SEED_COUNT_MAX || !(json_is_object(item) || json_is_string(item)))
		return fail(seed, seed->type ? seed->type->type : "secret-scopes",
				"an item is an object or a name, its count at most 100000");
	for (json_int_t i = 1; i <= count; i++) {
		json_t *one = as_object(seed, item);
		bool good;

		number_texts(one, i);
		good = seed->type ? make_one(seed, one) : make_scope(seed, one);
		json_decref(one);
		if (!good)
			return false;
	}
	return true;
}

static bool make_section(struct seed *seed, const char *name, json_t *items)
{
	bool scopes = strcmp(name, "secret-scopes") == 0;
	size_t i;
	json_t *item;

	seed->type = NULL;
	if (!scopes && !find_kind(name, &seed->kind))
		return fail(seed, name, "no such type of object");
	if (!scopes)
		seed->type = &object_types[seed->kind];
	if (!json_is_array(items))
		return fail(seed, name, "not a list");
	json_array_foreach(items, i, item)
	{
		if (!make_items(seed, item))
			return false;
	}
	return true;
}

static bool make_workspace(struct seed *seed, const char *name, json_t *sections)
{
	struct request request = {.sim = seed->sim, .method = "POST", .target = "/"};
	struct answer answer;
	struct api_call call = {.request = &request, .answer = &answer, .state = seed->sim->state};
	const char *section;
	json_t *items;
	bool good = true;

	for (vec_each (&seed->sim->state->workspaces, workspace)) {
		if (strcmp((*workspace)->name, name) == 0)
			call.place = request.host = *workspace;
	}
	if (!call.place)
		return fail(seed, name, "no such workspace");
	request.caller = seed->sim->state->self;
	call.body = json_object();
	answer_init(&answer);
	seed->call = &call; /* cppcheck-suppress autoVariables */
	json_object_foreach(sections, section, items)
	{
		good = good && make_section(seed, section, items);
	}
	seed->call = NULL;
	answer_release(&answer);
	json_decref(call.body);
	return good;
}

enum err_code objects_seed(struct sim *sim, const char *path, struct err *err)
{
	struct seed seed = {.sim = sim, .err = err};
	json_error_t where;
	json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &where), *sections;
	const char *name;
	bool good = true;

	if (!root)
		return err_set(err, ERR_CONFIG, 0, "objects: %s:%d: %s", path, where.line,
				where.text);
	json_object_foreach(root, name, sections)
	{
		good = good && make_workspace(&seed, name, sections);
	}
	json_decref(root);
	return good ? ERR_NONE : err->code;
}
