#include "databricks/object_internal.h"

#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "databricks/http.h"

#define PAGES_MAX 10000U
#define BODY_RESULTS 1000 /* experiments of a page; the API takes 3000 at most */

/*
 *   list:  ASK --> page() --> ASK ... --> done()
 *   models, whose ids are not in the list:  ASK ... --> a question for each that is wanted --> page() each --> done()
 *   find:  ASK --> page() --> done()
 */
struct object_list {
	struct databricks *databricks;
	enum securable_type type;
	const struct object_listing *listing;
	const struct selector *selector; /* find; NULL: list */
	bool by_get;                     /* find: the answer is the object, no list */
	struct object_sink sink;
	struct call call;
	struct task task;
	char *path;     /* with the filter; a page is added to it */
	char *token;    /* of the page that was asked for; NULL: the first */
	struct fan fan; /* of models */
	struct arena *arena;
	struct table *ids;
	size_t found; /* by number of objects, whether wanted or not */
	unsigned pages;
	bool telling, cancelled; /* page() runs; and the list was cancelled in it: freed after it */
};

static void list_free(struct object_list *list)
{
	call_release(&list->call);
	task_cancel(&list->task);
	fan_release(&list->fan);
	arena_free(list->arena);
	table_free(list->ids);
	mem_free(list->path);
	mem_free(list->token);
	mem_free(list);
}

static void list_end(struct object_list *list, const struct err *err_or_null)
{
	struct object_sink sink = list->sink;
	bool cancelled = list->cancelled;
	struct err err;

	if (err_or_null)
		err = *err_or_null;
	list_free(list);
	if (!cancelled)
		sink.done(sink.context, err_or_null ? &err : NULL);
}

/* false: the list was cancelled by whom it was told. */
static bool list_tell(struct object_list *list, const struct found_object *objects, size_t count)
{
	if (!count)
		return true;
	list->telling = true;
	list->sink.page(list->sink.context, objects, count);
	list->telling = false;
	return !list->cancelled;
}

static struct object_reader reader_of(
		const struct object_list *list, const struct object_keys *keys, struct err *err)
{
	return (struct object_reader){list->type, keys, list->arena, err};
}

/* ---- asking ---- */

static json_t *page_body(const char *token)
{
	json_t *body = json_pack("{s:i}", "max_results", BODY_RESULTS);

	if (token)
		(void)json_object_set_new(body, "page_token", json_string(token));
	return body;
}

static char *page_path(const struct object_list *list)
{
	static const char *const names[] = {[PAGING_TOKEN] = "page_token",
			[PAGING_NEXT_TOKEN] = "next_page_token",
			[PAGING_NUMBER] = "page"};
	AUTO(mem_freep) char *escaped = NULL;

	if (!list->token || list->listing->paging == PAGING_BODY)
		return mem_strdup(list->path);
	escaped = http_escape(list->token);
	return mem_printf("%s%c%s=%s", list->path, strchr(list->path, '?') ? '&' : '?',
			names[list->listing->paging], escaped);
}

static void list_ask(struct object_list *list)
{
	bool in_body = list->listing->paging == PAGING_BODY && !list->by_get;

	call_prepare(&list->call, list->by_get ? METHOD_GET : list->listing->method,
			list->listing->family, page_path(list),
			in_body ? page_body(list->token) : NULL);
	list->call.reads = true;
	call_send(list->databricks, &list->call);
}

/* ---- pages ---- */

/* The token of the next page, caller's; NULL: this was the last. */
static char *next_token(const struct object_list *list, const struct tape_value *answer)
{
	const char *token = tape_text(tape_get(answer, "next_page_token"));
	int64_t total, size, page;

	if (list->listing->paging == PAGING_NONE)
		return NULL;
	if (list->listing->paging != PAGING_NUMBER)
		return token && *token ? mem_strdup(token) : NULL;
	if (!tape_integer(tape_get(answer, "count"), &total) ||
			!tape_integer(tape_get(answer, "page_size"), &size) || size <= 0)
		return NULL;
	page = list->pages;
	return page < total / size + (total % size > 0) ? mem_printf("%lld", (long long)page + 1)
							: NULL;
}

/* Goes on to the next page. *ret_more: there is one. */
static enum err_code list_advance(struct object_list *list, const struct tape_value *answer,
		bool *ret_more, struct err *err)
{
	char *token;

	list->pages++;
	token = next_token(list, answer);
	if (token && (list->pages >= PAGES_MAX || text_equal(token, list->token))) {
		mem_free(token);
		return err_set(err, ERR_INCOMPLETE, 0, "list of %s objects does not end: %u pages",
				securable_traits(list->type)->name, list->pages);
	}
	mem_free(list->token);
	list->token = token;
	*ret_more = token != NULL;
	return ERR_NONE;
}

/* Objects that the last page had already go, and those that a search was not for; in place. */
static size_t drop_others(struct object_list *list, struct found_object *objects, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		const struct securable_facts *facts = &objects[i].facts;
		const char *key = facts->id ? facts->id : facts->name;

		if (table_put(list->ids, span_of(key), list))
			continue;
		list->found++;
		if (!list->selector || selector_matches(list->selector, facts))
			objects[kept++] = objects[i];
	}
	return kept;
}

/* Those of which the id has to be asked for. */
static void add_questions(
		struct object_list *list, const struct found_object *objects, size_t count)
{
	list->telling = true;
	for (size_t i = 0; i < count && !list->cancelled; i++) {
		if (!list->sink.wants || list->sink.wants(list->sink.context, &objects[i]))
			fan_add(&list->fan, mem_strdup(objects[i].facts.name));
	}
	list->telling = false;
}

static enum err_code read_page(struct object_list *list, const struct tape_value *answer,
		struct found_object **ret, size_t *ret_count, struct err *err)
{
	struct object_reader reader = reader_of(list, &list->listing->keys, err);

	if (object_read_page(&reader, answer, list->listing->array, ret, ret_count) != ERR_NONE)
		return err->code;
	*ret_count = drop_others(list, *ret, *ret_count);
	if (list->found > OBJECT_LIST_MAX)
		return err_set(err, ERR_LIMIT, 0, "list of %s objects: more than %u",
				securable_traits(list->type)->name, OBJECT_LIST_MAX);
	return ERR_NONE;
}

static void list_take_page(struct object_list *list)
{
	struct tape *tape = STEAL(list->call.answer);
	struct found_object *objects;
	struct err err = {.code = ERR_NONE};
	bool more = false;
	size_t count;

	if (read_page(list, tape_root(tape), &objects, &count, &err) == ERR_NONE &&
			list_advance(list, tape_root(tape), &more, &err) == ERR_NONE) {
		/* The next page is on its way while this one is worked on. */
		if (more)
			list_ask(list);
		if (list->listing->get_id)
			add_questions(list, objects, count);
		else
			(void)list_tell(list, objects, count);
	}
	tape_free(tape);
	arena_reset(list->arena);
	if (err.code != ERR_NONE)
		list_end(list, &err);
	else if (list->cancelled || (!more && !list->listing->get_id))
		list_end(list, NULL);
	else if (!more)
		fan_wake(&list->fan);
}

/* ---- one by its name ---- */

static enum err_code read_one(struct object_list *list, const struct tape_value *answer,
		struct found_object *ret, bool *ret_is_one, struct err *err)
{
	const struct object_listing *listing = list->listing;
	struct object_keys keys = listing->keys;
	struct object_reader reader = reader_of(list, &keys, err);

	if (listing->get_id)
		keys.id = listing->get_id;
	return object_read(&reader, listing->get_key ? tape_get(answer, listing->get_key) : answer,
			ret, ret_is_one);
}

static void list_take_one(struct object_list *list)
{
	struct err err = {.code = ERR_NONE};
	struct found_object object;
	bool is_one = false;

	if (read_one(list, tape_root(list->call.answer), &object, &is_one, &err) == ERR_NONE &&
			is_one && selector_matches(list->selector, &object.facts))
		(void)list_tell(list, &object, 1);
	list_end(list, err.code != ERR_NONE ? &err : NULL);
}

/* ---- one by its path ---- */

static enum err_code read_node(struct object_list *list, struct found_object *ret, bool *ret_is_one,
		struct err *err)
{
	const struct selector *selector = list->selector;

	if (object_read_node(tape_root(list->call.answer), list->arena, ret, ret_is_one, err) !=
			ERR_NONE)
		return err->code;
	if (*ret_is_one && ret->type == selector->type)
		return ERR_NONE;
	/* A Git folder is a directory, too. */
	if (*ret_is_one && ret->type == SECURABLE_REPO && selector->type == SECURABLE_DIRECTORY &&
			text_equal(tape_text(tape_get(tape_root(list->call.answer), "object_type")),
					"DIRECTORY")) {
		ret->type = SECURABLE_DIRECTORY;
		return ERR_NONE;
	}
	return err_set(err, ERR_NOT_FOUND, 0, "\"%.200s\" is no %s but a %s", selector->path,
			securable_traits(selector->type)->name,
			*ret_is_one ? securable_traits(ret->type)->name : "thing without rights");
}

static void list_take_node(struct object_list *list)
{
	struct err err = {.code = ERR_NONE};
	struct found_object object;
	bool is_one;

	if (read_node(list, &object, &is_one, &err) == ERR_NONE)
		(void)list_tell(list, &object, 1);
	list_end(list, err.code != ERR_NONE ? &err : NULL);
}

/* ---- running ---- */

static bool is_by_path(const struct object_list *list)
{
	return list->selector && list->selector->path && list->type != SECURABLE_EXPERIMENT;
}

/* What is not there by itself is nothing; a collection that is not there is a feature that the workspace has not. */
static void list_fail(struct object_list *list)
{
	struct err err = list->call.err;

	if (err.code == ERR_NOT_FOUND && list->by_get) {
		list_end(list, NULL);
		return;
	}
	if (err.code == ERR_NOT_FOUND)
		err.code = ERR_UNSUPPORTED;
	list_end(list, &err);
}

static void list_run(struct task *task)
{
	struct object_list *list =
			(struct object_list *)((char *)task - offsetof(struct object_list, task));

	if (!list->call.done)
		return;
	list->call.done = false;
	if (list->call.code != ERR_NONE)
		list_fail(list);
	else if (is_by_path(list))
		list_take_node(list);
	else if (list->by_get)
		list_take_one(list);
	else
		list_take_page(list);
}

static struct object_list *list_of(struct fan *fan)
{
	return (struct object_list *)((char *)fan - offsetof(struct object_list, fan));
}

static char *get_path(const struct object_listing *listing, const char *name)
{
	AUTO(mem_freep) char *escaped = http_escape(name);

	return mem_printf("%s%s", listing->get, escaped);
}

static void ask_for_model(struct fan *fan, struct call *call, const char *item)
{
	call_prepare(call, METHOD_GET, FAMILY_OBJECT_LIST, get_path(list_of(fan)->listing, item),
			NULL);
	call_send(fan->databricks, call);
}

static enum err_code take_model(
		struct fan *fan, struct call *call, const char *item, struct err *err)
{
	struct object_list *list = list_of(fan);
	struct found_object object;
	bool is_one, told = true;

	(void)item;
	/* Deleted since it was listed. */
	if (call->code == ERR_NOT_FOUND)
		return ERR_NONE;
	if (call->code != ERR_NONE) {
		*err = call->err;
		return err->code;
	}
	if (read_one(list, tape_root(call->answer), &object, &is_one, err) != ERR_NONE)
		return err->code;
	if (is_one)
		told = list_tell(list, &object, 1);
	arena_reset(list->arena);
	return told ? ERR_NONE : err_set(err, ERR_CANCELLED, 0, "cancelled");
}

/* Between two pages all questions may be answered: that is not the end. */
static void models_end(struct fan *fan, const struct err *err_or_null)
{
	struct object_list *list = list_of(fan);

	if (err_or_null || (!list->call.state && !list->call.done))
		list_end(list, err_or_null);
}

static struct object_list *list_new(struct databricks *databricks, unsigned target,
		enum securable_type type, const struct object_sink *sink)
{
	struct object_list *list = mem_zalloc(sizeof(*list));

	list->databricks = databricks;
	list->type = type;
	list->listing = object_listing(type);
	list->sink = *sink;
	list->arena = arena_new();
	list->ids = table_new();
	task_init(&list->task, databricks_loop(databricks), list_run);
	list->call.target = target;
	list->call.lane = LANE_BULK;
	list->call.wakes = &list->task;
	fan_init(&list->fan, databricks, target);
	list->fan.ask = ask_for_model;
	list->fan.answer = take_model;
	list->fan.end = models_end;
	return list;
}

/* A mistake of the caller: told as every error, by wake-up. */
static void list_refuse(struct object_list *list, const char *what)
{
	struct err err;

	(void)err_set(&err, ERR_BUG, 0, "%s objects cannot be %s",
			securable_traits(list->type)->name, what);
	call_finish_unsent(list->databricks, &list->call, &err);
}

bool object_can_list(enum securable_type type)
{
	return object_listing(type)->path != NULL;
}

struct object_list *object_list_start(struct databricks *databricks, unsigned target,
		enum securable_type type, const struct object_sink *sink)
{
	struct object_list *list = list_new(databricks, target, type, sink);

	list->path = mem_strdup_or_null(list->listing->path);
	if (list->path)
		list_ask(list);
	else
		list_refuse(list, "listed");
	return list;
}

/* In the filter of pipelines a name stands in quotes and is a pattern. */
static bool fits_filter(const char *name)
{
	return strpbrk(name, "'\\%") == NULL;
}

bool object_can_find(const struct selector *selector)
{
	const struct object_listing *listing = object_listing(selector->type);

	if (selector->is_glob || selector->all || selector->id)
		return false;
	if (selector->path)
		return securable_traits(selector->type)->in_tree ||
				selector->type == SECURABLE_DASHBOARD ||
				selector->type == SECURABLE_EXPERIMENT;
	if (!selector->name || !*selector->name)
		return false;
	return listing->get ||
			(listing->filter &&
					(selector->type == SECURABLE_JOB ||
							fits_filter(selector->name)));
}

static char *find_path(const struct object_list *list)
{
	const struct object_listing *listing = list->listing;
	const char *name = list->selector->name ? list->selector->name : list->selector->path;
	AUTO(mem_freep) char *escaped = NULL;

	if (is_by_path(list))
		return object_tree_path("get-status", list->selector->path);
	if (listing->get)
		return get_path(listing, name);
	escaped = http_escape(name);
	return mem_printf("%s%s%s%s", listing->path, listing->filter, escaped, listing->filter_end);
}

struct object_list *object_find_start(struct databricks *databricks, unsigned target,
		const struct selector *selector, const struct object_sink *sink)
{
	struct object_list *list = list_new(databricks, target, selector->type, sink);

	if (!object_can_find(selector)) {
		list_refuse(list, "found that way");
		return list;
	}
	list->selector = selector;
	list->by_get = is_by_path(list) || list->listing->get;
	list->path = find_path(list);
	list_ask(list);
	return list;
}

void object_list_cancel(struct object_list *list)
{
	list->cancelled = true;
	if (!list->telling)
		list_free(list);
}
