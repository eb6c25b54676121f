/*
 * tree -- the folders of a workspace: paths, homes, and what lies where. Declared in object.h.
 */
#include "object.h"

#include "base/text.h"

/* "//Workspace//Users/x/" is "/Users/x". */
char *tree_normalise(const char *path)
{
	char *out = mem_zalloc(strlen(path) + 2);
	size_t len = 0;

	for (const char *at = path; *at;) {
		size_t run;

		at += strspn(at, "/");
		run = strcspn(at, "/");
		if (run == 0)
			break;
		if (!(len == 0 && run == strlen("Workspace") &&
				    memcmp(at, "Workspace", run) == 0)) {
			out[len++] = '/';
			memcpy(out + len, at, run);
			len += run;
		}
		at += run;
	}
	if (len == 0)
		out[0] = '/';
	return out;
}

/* How it is called in its folder. */
static char *file_name(const struct object *object)
{
	if (object->kind == OBJECT_DASHBOARD)
		return mem_printf("%s.lvdash.json", object->name);
	if (object->kind == OBJECT_EXPERIMENT) {
		const char *slash = strrchr(object->name, '/');

		return mem_strdup(slash ? slash + 1 : object->name);
	}
	return mem_strdup(object->name);
}

void tree_enter(struct object_store *store, struct object *object)
{
	AUTO(mem_freep) char *name = file_name(object);
	bool deep;

	if (!object_type(object)->in_folder || (object->parent && !object->parent->path)) {
		object->path = NULL;
		return;
	}
	if (!object->parent) {
		if (object->kind != OBJECT_DIRECTORY)
			return; /* in no folder */
		object->path = mem_strdup("/");
	} else {
		deep = strcmp(object->parent->path, "/") != 0;
		object->path = mem_printf("%s/%s", deep ? object->parent->path : "", name);
		*vec_add(&object->parent->children) = object;
	}
	/* Two queries of one name may lie in one folder: the first has the path. */
	if (!table_find(store->by_path, span_of(object->path)))
		(void)table_put(store->by_path, span_of(object->path), object);
}

void tree_leave(struct object_store *store, struct object *object)
{
	struct objects *list = object->parent ? &object->parent->children : NULL;

	if (!object->path)
		return;
	if (table_find(store->by_path, span_of(object->path)) == object)
		(void)table_remove(store->by_path, span_of(object->path));
	mem_free(object->path);
	object->path = NULL;
	for (size_t i = 0; list && i < list->count; i++) {
		if (list->items[i] == object) {
			list->count--;
			memmove(&list->items[i], &list->items[i + 1],
					(list->count - i) * sizeof(object));
			return;
		}
	}
}

static struct object *find(const struct object_store *store, const char *path)
{
	return table_find(store->by_path, span_of(path));
}

static struct object *make_folder(
		struct object_store *store, struct object *parent, const char *name)
{
	return object_make(store,
			&(struct object_make){
					.kind = OBJECT_DIRECTORY, .name = name, .parent = parent});
}

static struct object *make_home(
		struct object_store *store, const char *above, struct principal *who)
{
	AUTO(mem_freep) char *path = mem_printf("%s/%s", above, who->name);
	struct object *parent = find(store, above), *home = find(store, path);

	if (!home && parent)
		home = make_folder(store, parent, who->name);
	if (home)
		home->home_of = who;
	return home;
}

static struct principal *find_person(const struct object_store *store, const char *name)
{
	static const enum kind kinds[] = {KIND_USER, KIND_SP};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct principal *who = state_find_text(store->state, kinds[i], INDEX_NAME, name);

		for (; who; who = who->next_in_index[INDEX_NAME]) {
			if (acl_knows(store->state, store->workspace, who))
				return who;
		}
	}
	return NULL;
}

/* Whoever the workspace knows has a folder in /Users and one in /Repos. */
static void make_home_on_path(struct object_store *store, const char *path)
{
	static const char *const places[] = {"/Users", "/Repos"};

	for (size_t i = 0; i < COUNT_OF(places); i++) {
		size_t len = strlen(places[i]);
		AUTO(mem_freep) char *name = NULL;
		struct principal *who;

		if (strncmp(path, places[i], len) != 0 || path[len] != '/')
			continue;
		name = mem_strndup(path + len + 1, strcspn(path + len + 1, "/"));
		who = find_person(store, name);
		if (who && strcmp(who->name, name) == 0)
			(void)make_home(store, places[i], who);
	}
}

struct object *tree_find(struct object_store *store, const char *path)
{
	AUTO(mem_freep) char *clean = tree_normalise(path);

	make_home_on_path(store, clean);
	return find(store, clean);
}

void tree_make_homes(struct object_store *store)
{
	static const enum kind kinds[] = {KIND_USER, KIND_SP};

	if (store->homes_generation == store->state->generation)
		return;
	store->homes_generation = store->state->generation;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		for (vec_each (workspace_list(store->state, store->workspace, kinds[i]), who)) {
			(void)make_home(store, "/Users", *who);
			(void)make_home(store, "/Repos", *who);
		}
	}
}

struct object *tree_home(struct object_store *store, const struct principal *who)
{
	AUTO(mem_freep) char *path = mem_printf("/Users/%s", who->name ? who->name : "");
	struct object *home = tree_find(store, path);

	return home ? home : store->root;
}

struct object *tree_make_folders(struct object_store *store, const char *path, const char *creator)
{
	AUTO(mem_freep) char *clean = tree_normalise(path);
	struct object *at = store->root;

	make_home_on_path(store, clean);
	for (const char *rest = clean + 1; *rest;) {
		size_t len = strcspn(rest, "/");
		AUTO(mem_freep) char *prefix = mem_strndup(clean, (size_t)(rest - clean) + len);
		AUTO(mem_freep) char *name = mem_strndup(rest, len);
		struct object *next = find(store, prefix);

		if (!next) {
			next = make_folder(store, at, name);
			next->creator = mem_strdup_or_null(creator);
		}
		if (next->kind != OBJECT_DIRECTORY && next->kind != OBJECT_REPO)
			return NULL;
		at = next;
		rest += len + (rest[len] == '/');
	}
	return at;
}
