#include "object_persist.h"

#include "base/json_out.h"

static const char *const object_key = "object";
static const char *const scopes_key = "secret_scopes";

static void add_json(struct buf *out, const char *key, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT);

	json_add_key(out, key);
	buf_add_text(out, text ? text : "null");
	free(text); /* jansson's */
}

static void add_acl(struct buf *out, const struct object *object)
{
	json_add_key(out, "acl");
	buf_add_char(out, '[');
	for (vec_each (&object->acl, ace)) {
		if (ace->who->deleted)
			continue;
		json_add_comma(out);
		buf_add_char(out, '{');
		json_add_member(out, "id", ace->who->id_text);
		json_add_member(out, "level", permission_name(ace->level));
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

static void write_object(const struct object_store *store, const struct object *object,
		struct buf *out, FILE *file)
{
	bool alive_home = object->home_of && !object->home_of->deleted;

	buf_printf(out, "{\"%s\":{", object_key);
	json_add_member(out, "workspace", store->workspace->id_text);
	json_add_member(out, "kind", object_type(object)->answer_type);
	json_add_member(out, "id", object->id);
	json_add_member(out, "name", object->name);
	json_add_member(out, "tree_id", object->tree_id);
	json_add_member(out, "creator", object->creator);
	json_add_member(out, "run_as", object->run_as);
	json_add_member(out, "home_of", alive_home ? object->home_of->id_text : NULL);
	if (object->parent) {
		json_add_member(out, "parent_kind", object_type(object->parent)->answer_type);
		json_add_member(out, "parent", object->parent->id);
	}
	json_add_key(out, "created_ms");
	json_add_number(out, (uint64_t)object->created_ms);
	if (object->deleted)
		buf_add_text(out, ",\"deleted\":true");
	if (object->purged)
		buf_add_text(out, ",\"purged\":true");
	add_acl(out, object);
	add_json(out, "document", object->document);
	buf_add_text(out, "}}\n");
	(void)fwrite(out->ptr, 1, out->len, file);
	buf_reset(out);
}

static int by_sequence(const void *a, const void *b)
{
	const struct object *const *left = a, *const *right = b;

	return ((*left)->sequence > (*right)->sequence) - ((*left)->sequence < (*right)->sequence);
}

/* What other things hang on comes first, in the order in which it was made. */
static const enum object_kind holders[] = {OBJECT_DIRECTORY, OBJECT_REPO, OBJECT_NOTEBOOK};

static bool is_holder(int kind)
{
	for (size_t i = 0; i < COUNT_OF(holders); i++) {
		if ((int)holders[i] == kind)
			return true;
	}
	return false;
}

void objects_write(const struct object_store *store, struct buf *line, FILE *file)
{
	struct objects first = {0};

	for (vec_each (&store->deleted, object))
		write_object(store, *object, line, file);
	for (size_t i = 0; i < COUNT_OF(holders); i++) {
		for (vec_each (&store->lists[holders[i]], object))
			*vec_add(&first) = *object;
	}
	qsort(first.items, first.count, sizeof(*first.items), by_sequence);
	for (vec_each (&first, object))
		write_object(store, *object, line, file);
	vec_release(&first);
	for (int kind = 0; kind < OBJECT_KIND_COUNT_; kind++) {
		for (vec_each (&store->lists[kind], object)) {
			if (!is_holder(kind))
				write_object(store, *object, line, file);
		}
	}
	if (json_object_size(store->scopes)) {
		buf_printf(line, "{\"%s\":{", scopes_key);
		json_add_member(line, "workspace", store->workspace->id_text);
		add_json(line, "scopes", store->scopes);
		buf_add_text(line, "}}\n");
		(void)fwrite(line->ptr, 1, line->len, file);
		buf_reset(line);
	}
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static bool read_kind(const json_t *object, const char *key, enum object_kind *ret)
{
	const char *text = text_of(object, key);

	for (int kind = 0; text && kind < OBJECT_KIND_COUNT_; kind++) {
		if (strcmp(object_types[kind].answer_type, text) == 0) {
			*ret = (enum object_kind)kind;
			return true;
		}
	}
	return false;
}

static struct principal *read_principal(
		const struct state *state, const json_t *object, const char *key)
{
	const char *text = text_of(object, key);
	uint64_t id;

	return text && id_parse(text, &id) ? state_find_id(state, id) : NULL;
}

static void read_acl(const struct state *state, const json_t *object, struct aces *ret)
{
	json_t *list = json_object_get(object, "acl"), *item;
	size_t i;

	ret->count = 0;
	json_array_foreach(list, i, item)
	{
		struct principal *who = read_principal(state, item, "id");
		const char *name = text_of(item, "level");
		enum permission level = name ? permission_parse(name) : PERMISSION_NONE;

		if (who && level != PERMISSION_NONE)
			aces_set(ret, who, level);
	}
}

/* What every workspace has of itself is there already and only gets its id. */
static struct object *find_fixed(struct object_store *store, enum object_kind kind,
		struct object *parent, const char *id, const char *name)
{
	struct object *found = object_find_for_acl(store, kind, id);

	if (found)
		return found;
	if (kind != OBJECT_DIRECTORY || !parent)
		return NULL;
	for (vec_each (&parent->children, child)) {
		if ((*child)->kind == kind && strcmp((*child)->name, name) == 0) {
			object_change_id(store, *child, id);
			return *child;
		}
	}
	return NULL;
}

static bool read_object(struct object_store *store, const json_t *line)
{
	const char *id = text_of(line, "id"), *name = text_of(line, "name");
	const char *parent_id = text_of(line, "parent");
	enum object_kind kind, parent_kind = OBJECT_DIRECTORY;
	struct object *object, *parent = NULL;
	const char *tree_id = text_of(line, "tree_id");

	if (!read_kind(line, "kind", &kind) || !id || !name)
		return false;
	(void)read_kind(line, "parent_kind", &parent_kind);
	if (parent_id)
		parent = object_find_for_acl(store, parent_kind, parent_id);
	if (parent_id && !parent)
		return false;
	object = find_fixed(store, kind, parent, id, name);
	if (!object)
		object = object_make(store,
				&(struct object_make){
						.kind = kind,
						.id = id,
						.name = name,
						.creator = text_of(line, "creator"),
						.parent = parent,
						.document = json_deep_copy(
								json_object_get(line, "document")),
				});
	if (tree_id)
		text_replace(&object->tree_id, tree_id);
	text_replace(&object->run_as, text_of(line, "run_as"));
	object->home_of = read_principal(store->state, line, "home_of");
	if (json_object_get(line, "created_ms"))
		object->created_ms = json_integer_value(json_object_get(line, "created_ms"));
	if (json_object_get(line, "acl"))
		read_acl(store->state, line, &object->acl);
	object->purged = json_is_true(json_object_get(line, "purged"));
	if (json_is_true(json_object_get(line, "deleted")) && !object->deleted)
		object_remove(store, object);
	return true;
}

bool objects_owns_line(const char *key)
{
	return strcmp(key, object_key) == 0 || strcmp(key, scopes_key) == 0;
}

bool objects_read_line(struct state *state, const char *key, const json_t *object, bool *ret_good)
{
	const char *text = text_of(object, "workspace");
	struct workspace *workspace;
	uint64_t id;

	if (!objects_owns_line(key))
		return false;
	workspace = text && id_parse(text, &id) ? state_find_workspace(state, id) : NULL;
	*ret_good = workspace != NULL;
	if (workspace && strcmp(key, object_key) == 0)
		*ret_good = read_object(workspace->objects, object);
	else if (workspace)
		(void)json_object_update(
				workspace->objects->scopes, json_object_get(object, "scopes"));
	return true;
}
