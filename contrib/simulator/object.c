#include "object.h"

#include <time.h>

#include "base/clock.h"
#include "base/digest.h"
#include "object_stale.h"

static char *kind_key(enum object_kind kind, const char *text)
{
	return mem_printf("%d %s", (int)kind, text);
}

static struct object *find_in(const struct table *table, enum object_kind kind, const char *text)
{
	AUTO(mem_freep) char *key = kind_key(kind, text);

	return table_find(table, span_of(key));
}

struct object *object_find_for_acl(
		const struct object_store *store, enum object_kind kind, const char *id)
{
	return find_in(store->by_id, kind, id);
}

struct object *object_find(const struct object_store *store, enum object_kind kind, const char *id)
{
	struct object *object = find_in(store->by_id, kind, id);

	return object && !object->deleted ? object : NULL;
}

struct object *object_find_name(
		const struct object_store *store, enum object_kind kind, const char *name)
{
	return find_in(store->by_name, kind, name);
}

const char *object_tree_id(const struct object *object)
{
	return object->tree_id ? object->tree_id : object->id;
}

static char *random_letters(size_t count, bool hex)
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	unsigned char random[32];
	char *text = mem_zalloc(count + 1);

	digest_random(random, sizeof(random));
	for (size_t i = 0; i < count; i++)
		text[i] = letters[random[i % sizeof(random)] % (hex ? 16 : 36)];
	return text;
}

/* Month and day, time, something random. */
static char *cluster_id(const char *middle, size_t letters)
{
	AUTO(mem_freep) char *random = random_letters(letters, false);
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm parts;

	(void)gmtime_r(&now, &parts);
	return mem_printf("%02d%02d-%02d%02d%02d-%s%s", (parts.tm_mon + 1) % 100,
			parts.tm_mday % 100, parts.tm_hour % 100, parts.tm_min % 100,
			parts.tm_sec % 100, middle, random);
}

static char *new_id(struct object_store *store, enum object_kind kind, const char *name)
{
	char number[ID_TEXT_SIZE], uuid[37];

	switch (object_types[kind].shape) {
	case ID_CLUSTER:
		return cluster_id("", 8);
	case ID_POOL:
		return cluster_id("pool-", 8);
	case ID_HEX16:
		return random_letters(16, true);
	case ID_HEX32:
		return random_letters(32, true);
	case ID_UUID:
		digest_uuid(uuid);
		return mem_strdup(uuid);
	case ID_NAME:
		return mem_strdup(name);
	case ID_NUMBER:
	case ID_JSON_NUMBER:
		break;
	}
	id_format(state_new_id(store->state), number);
	return mem_strdup(number);
}

static void enter_name(struct object_store *store, struct object *object)
{
	AUTO(mem_freep) char *key = kind_key(object->kind, object->name);

	if (object_type(object)->unique)
		(void)table_put(store->by_name, span_of(key), object);
}

static void leave_name(struct object_store *store, struct object *object)
{
	AUTO(mem_freep) char *key = kind_key(object->kind, object->name);

	if (table_find(store->by_name, span_of(key)) == object)
		(void)table_remove(store->by_name, span_of(key));
}

/* Dashboards and the like have a number in the tree beside the id that they go by. */
static bool needs_tree_id(const struct object *object)
{
	const struct object_type *type = object_type(object);

	return type->tree_type && type->shape != ID_NUMBER && type->shape != ID_JSON_NUMBER;
}

struct object *object_make(struct object_store *store, const struct object_make *what)
{
	struct object *object = mem_zalloc(sizeof(*object));
	AUTO(mem_freep) char *key = NULL;
	char number[ID_TEXT_SIZE];

	object->kind = what->kind;
	object->name = mem_strdup(what->name ? what->name : "");
	object->id = what->id ? mem_strdup(what->id) : new_id(store, what->kind, object->name);
	object->creator = mem_strdup_or_null(what->creator);
	object->document = what->document ? what->document : json_object();
	object->parent = what->parent;
	object->sequence = ++store->sequence;
	object->created_ms = clock_wall_ms();
	if (needs_tree_id(object)) {
		id_format(state_new_id(store->state), number);
		object->tree_id = mem_strdup(number);
	}
	*vec_add(&store->lists[object->kind]) = object;
	key = kind_key(object->kind, object->id);
	if (*object->id)
		(void)table_put(store->by_id, span_of(key), object);
	enter_name(store, object);
	tree_enter(store, object);
	return object;
}

struct object *object_clone(const struct object *object)
{
	struct object *copy = mem_zalloc(sizeof(*copy));

	*copy = *object;
	copy->id = mem_strdup(object->id);
	copy->name = mem_strdup(object->name);
	copy->path = mem_strdup_or_null(object->path);
	copy->tree_id = mem_strdup_or_null(object->tree_id);
	copy->creator = mem_strdup_or_null(object->creator);
	copy->run_as = mem_strdup_or_null(object->run_as);
	copy->children = (struct objects){0};
	copy->document = json_deep_copy(object->document);
	copy->acl = (struct aces){0};
	aces_copy(&copy->acl, &object->acl);
	return copy;
}

void object_free(struct object *object)
{
	if (!object)
		return;
	mem_free(object->id);
	mem_free(object->name);
	mem_free(object->path);
	mem_free(object->tree_id);
	mem_free(object->creator);
	mem_free(object->run_as);
	vec_release(&object->children);
	vec_release(&object->acl);
	json_decref(object->document);
	mem_free(object);
}

static void drop_from(struct objects *list, const struct object *object)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i] == object) {
			list->count--;
			memmove(&list->items[i], &list->items[i + 1],
					(list->count - i) * sizeof(object));
			return;
		}
	}
}

static void remove_one(struct object_store *store, struct object *object)
{
	AUTO(mem_freep) char *key = kind_key(object->kind, object->id);

	object_stale_forget_parent(store, object);
	tree_leave(store, object);
	leave_name(store, object);
	drop_from(&store->lists[object->kind], object);
	if (object_type(object)->outlives || object->purged) {
		object->deleted = true;
		object->parent = NULL;
		*vec_add(&store->deleted) = object;
		return;
	}
	if (table_find(store->by_id, span_of(key)) == object)
		(void)table_remove(store->by_id, span_of(key));
	object_free(object);
}

void object_remove(struct object_store *store, struct object *object)
{
	/* The deepest first: folders hold folders. */
	while (object->children.count) {
		struct object *last = object->children.items[object->children.count - 1];

		while (last->children.count)
			last = last->children.items[last->children.count - 1];
		remove_one(store, last);
	}
	remove_one(store, object);
}

void object_change_id(struct object_store *store, struct object *object, const char *id)
{
	AUTO(mem_freep) char *old = kind_key(object->kind, object->id);
	AUTO(mem_freep) char *fresh = kind_key(object->kind, id);

	(void)table_remove(store->by_id, span_of(old));
	text_replace(&object->id, id);
	(void)table_put(store->by_id, span_of(fresh), object);
}

void object_rename(struct object_store *store, struct object *object, const char *name)
{
	char *copy = mem_strdup(name);

	tree_leave(store, object);
	leave_name(store, object);
	mem_free(object->name);
	object->name = copy;
	enter_name(store, object);
	tree_enter(store, object);
}

void object_grant_creator(struct object *object, struct principal *who)
{
	if (who && object_type(object)->creator != PERMISSION_NONE)
		aces_set(&object->acl, who, object_type(object)->creator);
}

json_t *object_cluster(struct state *state, struct workspace *workspace, const char *cluster_id)
{
	const struct object *object = object_find(workspace->objects, OBJECT_CLUSTER, cluster_id);

	(void)state;
	return object ? object->document : NULL;
}

json_t *object_clusters(struct state *state, struct workspace *workspace)
{
	json_t *array = json_array();

	(void)state;
	for (vec_each (&workspace->objects->lists[OBJECT_CLUSTER], object))
		(void)json_array_append(array, (*object)->document);
	return array;
}

json_t *document_get(const json_t *document, const char *path)
{
	const json_t *at = document;

	for (;;) {
		size_t len = strcspn(path, ".");
		AUTO(mem_freep) char *key = mem_strndup(path, len);
		json_t *next = json_object_get(at, key);

		if (!next || !path[len])
			return next;
		at = next;
		path += len + 1;
	}
}

const char *document_text(const json_t *document, const char *path)
{
	return json_string_value(document_get(document, path));
}

void document_set(json_t *document, const char *path, json_t *value)
{
	for (;;) {
		size_t len = strcspn(path, ".");
		AUTO(mem_freep) char *key = mem_strndup(path, len);
		json_t *next;

		if (!path[len]) {
			(void)json_object_set_new(document, key, value);
			return;
		}
		next = json_object_get(document, key);
		if (!json_is_object(next)) {
			next = json_object();
			(void)json_object_set_new(document, key, next);
		}
		document = next;
		path += len + 1;
	}
}

/* Rights on tokens and the roots of models: admins have theirs directly, so that it can be asked for in a PUT. */
static void make_roots(struct object_store *store)
{
	static const struct {
		enum object_kind kind;
		const char *id;
	} roots[] = {
			{OBJECT_TOKENS, "tokens"},
			{OBJECT_REGISTERED_MODEL, "root"},
			{OBJECT_FEATURE_TABLE, "root"},
			{OBJECT_PASSWORDS, "passwords"},
	};

	for (size_t i = 0; i < COUNT_OF(roots); i++) {
		struct object *object = object_make(store,
				&(struct object_make){.kind = roots[i].kind,
						.id = roots[i].id,
						.name = roots[i].id});
		bool use = roots[i].kind == OBJECT_PASSWORDS;

		if (use || roots[i].kind == OBJECT_TOKENS)
			aces_set(&object->acl, store->workspace->users, CAN_USE);
		aces_set(&object->acl, store->workspace->admins, use ? CAN_USE : CAN_MANAGE);
		/* Not among the objects that a list shows. */
		drop_from(&store->lists[roots[i].kind], object);
		*vec_add(&store->deleted) = object;
		leave_name(store, object);
	}
}

static void make_tree(struct object_store *store)
{
	static const char *const folders[] = {"Users", "Shared", "Repos"};

	store->root = object_make(store,
			&(struct object_make){.kind = OBJECT_DIRECTORY, .id = "0", .name = ""});
	aces_set(&store->root->acl, store->workspace->admins, CAN_MANAGE);
	for (size_t i = 0; i < COUNT_OF(folders); i++) {
		struct object *folder = object_make(store,
				&(struct object_make){.kind = OBJECT_DIRECTORY,
						.name = folders[i],
						.parent = store->root});

		if (strcmp(folders[i], "Shared") == 0)
			aces_set(&folder->acl, store->workspace->users, CAN_MANAGE);
	}
}

struct object_store *object_store_new(struct state *state, struct workspace *workspace)
{
	struct object_store *store = mem_zalloc(sizeof(*store));

	store->state = state;
	store->workspace = workspace;
	store->by_id = table_new();
	store->by_name = table_new();
	store->by_path = table_new();
	store->lagging = table_new();
	store->scopes = json_object();
	make_roots(store);
	make_tree(store);
	return store;
}

void object_store_free(struct object_store *store)
{
	if (!store)
		return;
	for (int kind = 0; kind < OBJECT_KIND_COUNT_; kind++) {
		for (vec_each (&store->lists[kind], object))
			object_free(*object);
		vec_release(&store->lists[kind]);
	}
	for (vec_each (&store->deleted, object))
		object_free(*object);
	vec_release(&store->deleted);
	table_free(store->by_id);
	table_free(store->by_name);
	table_free(store->by_path);
	for (table_each (store->lagging, it))
		mem_free(it.value);
	table_free(store->lagging);
	object_stale_free(store);
	json_decref(store->scopes);
	mem_free(store);
}
