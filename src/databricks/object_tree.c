#include "databricks/object_internal.h"

#include "base/log.h"
#include "base/table.h"
#include "base/text.h"

/* What is asked: the first character of a fan's item, the path behind it. */
#define LIST 'L'   /* a folder's content */
#define STATUS 'S' /* one object */

/*
 *   the folders in which globs begin, and single paths --> LIST or STATUS, a few at a time --> page()
 *         ^                                                        |
 *         +--------- folders in which something can match ---------+                 none left --> done()
 */
struct object_tree {
	const struct selector **selectors;
	size_t selector_count;
	struct object_sink sink;
	struct fan fan;
	struct arena *arena;
	struct table *folders; /* that were, or will be, listed */
	struct table *singles; /* paths asked for by STATUS */
	size_t found;
	bool telling, cancelled;
};

static struct object_tree *tree_of(struct fan *fan)
{
	return (struct object_tree *)((char *)fan - offsetof(struct object_tree, fan));
}

static void tree_free(struct object_tree *tree)
{
	fan_release(&tree->fan);
	arena_free(tree->arena);
	table_free(tree->folders);
	table_free(tree->singles);
	mem_free(tree->selectors);
	mem_free(tree);
}

static void tree_end(struct fan *fan, const struct err *err_or_null)
{
	struct object_tree *tree = tree_of(fan);
	struct object_sink sink = tree->sink;
	bool cancelled = tree->cancelled;
	struct err err;

	if (err_or_null)
		err = *err_or_null;
	tree_free(tree);
	if (!cancelled)
		sink.done(sink.context, err_or_null ? &err : NULL);
}

/* ---- what is asked ---- */

static size_t depth_of(const char *path)
{
	size_t depth = 0;

	for (; *path; path++)
		depth += *path == '/' && path[1];
	return depth;
}

static void add_question(struct object_tree *tree, char what, const char *path)
{
	struct table *known = what == LIST ? tree->folders : tree->singles;

	if (what == LIST && depth_of(path) >= OBJECT_TREE_DEPTH_MAX) {
		log_debug("workspace tree: a folder of more than %u levels is not entered",
				OBJECT_TREE_DEPTH_MAX);
		return;
	}
	if (!table_put(known, span_of(path), tree))
		fan_add(&tree->fan, mem_printf("%c%s", what, path));
}

static const char *folder_of(struct object_tree *tree, const struct selector *selector)
{
	return selector_folder(selector, tree->arena);
}

/* It is looked for by walking: what it matches is not known beforehand. */
static bool walks(const struct selector *selector)
{
	return selector->is_glob || selector->all;
}

/* How many single paths lie in each folder, but for "/" itself, which lies in none. */
static size_t *count_in(struct object_tree *tree, struct table *counts, const char *folder)
{
	size_t *count = table_find(counts, span_of(folder));

	if (!count) {
		count = arena_alloc(tree->arena, sizeof(*count));
		(void)table_put(counts, span_of(folder), count);
	}
	return count;
}

/* One list tells of all that is in a folder, so two single paths in it cost less that way. */
static void ask_for_singles(struct object_tree *tree)
{
	struct table *counts = table_new();

	for (size_t i = 0; i < tree->selector_count; i++) {
		const struct selector *selector = tree->selectors[i];

		if (!walks(selector) && selector->path[1])
			(*count_in(tree, counts, folder_of(tree, selector)))++;
	}
	for (size_t i = 0; i < tree->selector_count; i++) {
		const struct selector *selector = tree->selectors[i];
		const char *folder = folder_of(tree, selector);

		if (walks(selector))
			continue;
		if (selector->path[1] && *count_in(tree, counts, folder) > 1)
			add_question(tree, LIST, folder);
		else if (!selector->path[1] || !table_find(tree->folders, span_of(folder)))
			add_question(tree, STATUS, selector->path);
	}
	table_free(counts);
}

static void ask_first(struct object_tree *tree)
{
	for (size_t i = 0; i < tree->selector_count; i++) {
		if (walks(tree->selectors[i]))
			add_question(tree, LIST, folder_of(tree, tree->selectors[i]));
	}
	ask_for_singles(tree);
	arena_reset(tree->arena);
	fan_wake(&tree->fan);
}

static void tree_ask(struct fan *fan, struct call *call, const char *item)
{
	call_prepare(call, METHOD_GET, FAMILY_OBJECT_LIST,
			object_tree_path(*item == LIST ? "list" : "get-status", item + 1), NULL);
	call_send(fan->databricks, call);
}

/* ---- what is answered ---- */

static bool matches(const struct object_tree *tree, const struct found_object *object)
{
	for (size_t i = 0; i < tree->selector_count; i++) {
		if (tree->selectors[i]->type == object->type &&
				selector_matches(tree->selectors[i], &object->facts))
			return true;
	}
	return false;
}

static bool enters(const struct object_tree *tree, const char *folder)
{
	for (size_t i = 0; i < tree->selector_count; i++) {
		if (walks(tree->selectors[i]) && selector_enters_folder(tree->selectors[i], folder))
			return true;
	}
	return false;
}

/* Objects that were asked for by themselves, too, are told of then. */
static void take_node(struct object_tree *tree, const struct found_object *object, bool listed,
		struct found_object *objects, size_t *count)
{
	const char *path = object->facts.path;

	if (listed && object->type == SECURABLE_DIRECTORY && enters(tree, path))
		add_question(tree, LIST, path);
	if (listed && table_find(tree->singles, span_of(path)))
		return;
	if (matches(tree, object))
		objects[(*count)++] = *object;
}

static enum err_code take_list(struct object_tree *tree, const char *folder,
		const struct tape_value *answer, struct found_object **ret, size_t *ret_count,
		struct err *err)
{
	const struct tape_value *list = tape_get(answer, "objects");

	if (!tape_is(answer, TAPE_OBJECT) || (list && !tape_is(list, TAPE_ARRAY)))
		return err_set(err, ERR_PROTO, 0, "workspace tree: expected an object with a list");
	*ret = arena_alloc(tree->arena, (tape_count(list) + 1) * sizeof(**ret));
	*ret_count = 0;
	for (const struct tape_value *item = tape_first(list); item; item = tape_next(list, item)) {
		struct found_object object;
		bool is_one;

		if (object_read_node(item, tree->arena, &object, &is_one, err) != ERR_NONE)
			return err->code;
		/* Who asks for the content of what is no folder is told of the thing itself. */
		if (is_one && !text_equal(object.facts.path, folder))
			take_node(tree, &object, true, *ret, ret_count);
	}
	return ERR_NONE;
}

static enum err_code take_status(struct object_tree *tree, const struct tape_value *answer,
		struct found_object **ret, size_t *ret_count, struct err *err)
{
	struct found_object object;
	bool is_one;

	if (object_read_node(answer, tree->arena, &object, &is_one, err) != ERR_NONE)
		return err->code;
	*ret = arena_alloc(tree->arena, sizeof(**ret));
	*ret_count = 0;
	if (is_one)
		take_node(tree, &object, false, *ret, ret_count);
	return ERR_NONE;
}

static enum err_code tree_tell(struct object_tree *tree, const struct found_object *objects,
		size_t count, struct err *err)
{
	tree->found += count;
	if (tree->found > OBJECT_LIST_MAX || table_count(tree->folders) > OBJECT_TREE_FOLDERS_MAX)
		return err_set(err, ERR_LIMIT, 0,
				"workspace tree: more than %u objects or %u folders",
				OBJECT_LIST_MAX, OBJECT_TREE_FOLDERS_MAX);
	if (count) {
		tree->telling = true;
		tree->sink.page(tree->sink.context, objects, count);
		tree->telling = false;
	}
	return tree->cancelled ? err_set(err, ERR_CANCELLED, 0, "cancelled") : ERR_NONE;
}

static enum err_code tree_answer(
		struct fan *fan, struct call *call, const char *item, struct err *err)
{
	struct object_tree *tree = tree_of(fan);
	const struct tape_value *answer = tape_root(call->answer);
	struct found_object *objects = NULL;
	enum err_code code;
	size_t count = 0;

	/* Not there, gone since, or one of the folders that are shown and cannot be listed (ucx issue 230). */
	if (call->code == ERR_NOT_FOUND)
		return ERR_NONE;
	if (call->code != ERR_NONE) {
		*err = call->err;
		return err->code;
	}
	if (*item == LIST)
		code = take_list(tree, item + 1, answer, &objects, &count, err);
	else
		code = take_status(tree, answer, &objects, &count, err);
	if (code == ERR_NONE)
		code = tree_tell(tree, objects, count, err);
	arena_reset(tree->arena);
	return code;
}

/* ---- from outside ---- */

static bool is_of_tree(const struct selector *selector)
{
	bool has_path = selector->path && *selector->path == '/';

	return securable_traits(selector->type)->in_tree
			? has_path || selector->all
			: has_path && selector->type == SECURABLE_DASHBOARD;
}

struct object_tree *object_tree_start(struct databricks *databricks, unsigned target,
		const struct object_tree_query *query, const struct object_sink *sink)
{
	struct object_tree *tree = mem_zalloc(sizeof(*tree));

	tree->selectors = mem_array(query->count + 1, sizeof(*tree->selectors));
	for (size_t i = 0; i < query->count; i++) {
		if (is_of_tree(query->selectors[i]))
			tree->selectors[tree->selector_count++] = query->selectors[i];
	}
	tree->sink = *sink;
	tree->arena = arena_new();
	tree->folders = table_new();
	tree->singles = table_new();
	fan_init(&tree->fan, databricks, target);
	tree->fan.ask = tree_ask;
	tree->fan.answer = tree_answer;
	tree->fan.end = tree_end;
	ask_first(tree);
	return tree;
}

void object_tree_cancel(struct object_tree *tree)
{
	tree->cancelled = true;
	if (!tree->telling)
		tree_free(tree);
}
