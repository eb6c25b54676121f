#include "databricks/scim.h"

#include "base/table.h"
#include "databricks/scim_internal.h"

#define PAGE_COUNT 5000U     /* asked for per page; servers may return less */
#define READ_INLINE_MAX 100U /* a longer page is read on the pool */

/*
 *   ASK --> ANSWERED --> READING (pool) --> page() --> ASK ... --> done()
 */
struct scim_list {
	struct databricks *databricks;
	enum principal_kind kind;
	unsigned with;
	void (*page)(void *context, const struct resource *resources, size_t count);
	void (*done)(void *context, const struct err *err_or_null);
	void *context;
	struct call call;
	struct task task;
	struct scim_cursor cursor;
	struct table *ids;
	bool reading;   /* the pool has it */
	bool telling;   /* page() runs */
	bool cancelled; /* while one of these: freed after it */
	/* the pool's part */
	uv_work_t work;
	json_t *json;
	struct arena *arena;
	struct scim_answer answer;
	enum err_code code;
	struct err err;
};

static void list_free(struct scim_list *list)
{
	json_decref(list->json);
	arena_free(list->arena);
	table_free(list->ids);
	mem_free(list);
}

static void list_end(struct scim_list *list, const struct err *err_or_null)
{
	void (*done)(void *context, const struct err *err_or_null) = list->done;
	void *context = list->context;
	struct err err;

	if (err_or_null)
		err = *err_or_null;
	call_release(&list->call);
	task_cancel(&list->task);
	list_free(list);
	done(context, err_or_null ? &err : NULL);
}

static void list_ask(struct scim_list *list)
{
	struct scim_page page = {list->cursor.start, PAGE_COUNT};

	scim_send_page(list->databricks, &list->call, list->kind, list->with, &page);
}

/* Repeats are dropped in place: the array is in our own arena. */
static size_t drop_repeats(struct scim_list *list, struct resource *resources, size_t count)
{
	size_t fresh = 0;

	for (size_t i = 0; i < count; i++) {
		struct span id = span_of(resources[i].id);

		if (table_find(list->ids, id))
			continue;
		(void)table_put(list->ids, id, list);
		resources[fresh++] = resources[i];
	}
	return fresh;
}

static void list_take_page(struct scim_list *list)
{
	struct resource *resources = (struct resource *)(uintptr_t)list->answer.resources;
	size_t fresh;
	bool more;

	if (list->code != ERR_NONE) {
		list_end(list, &list->err);
		return;
	}
	fresh = drop_repeats(list, resources, list->answer.count);
	list->code = scim_cursor_advance(&list->cursor, list->answer.total, list->answer.count,
			fresh, &more, &list->err);
	/* The next page is on its way while this one is worked on. */
	if (list->code == ERR_NONE && more)
		list_ask(list);
	list->telling = true;
	if (fresh)
		list->page(list->context, resources, fresh);
	list->telling = false;
	if (list->cancelled) {
		list_free(list);
		return;
	}
	arena_reset(list->arena);
	if (list->code != ERR_NONE)
		list_end(list, &list->err);
	else if (!more)
		list_end(list, NULL);
}

/* The tree goes here as well: taking down a big one costs as much as building it. */
static void list_read(struct scim_list *list)
{
	list->code = scim_read_list(list->json, list->kind, list->arena, &list->answer, &list->err);
	json_decref(STEAL(list->json));
}

static void read_on_pool(uv_work_t *work)
{
	list_read(work->data);
}

static void read_done(uv_work_t *work, int status)
{
	struct scim_list *list = work->data;

	(void)status;
	list->reading = false;
	if (list->cancelled)
		list_free(list);
	else
		list_take_page(list);
}

static void list_run(struct task *task)
{
	struct scim_list *list =
			(struct scim_list *)((char *)task - offsetof(struct scim_list, task));

	if (!list->call.done || list->reading)
		return;
	list->call.done = false;
	if (list->call.code != ERR_NONE) {
		list_end(list, &list->call.err);
		return;
	}
	list->json = STEAL(list->call.answer);
	list->work.data = list;
	if (json_array_size(json_object_get(list->json, "Resources")) > READ_INLINE_MAX &&
			uv_queue_work(loop_uv(databricks_loop(list->databricks)), &list->work,
					read_on_pool, read_done) == 0) {
		list->reading = true;
		return;
	}
	list_read(list);
	list_take_page(list);
}

struct scim_list *scim_list_start(struct databricks *databricks, unsigned target,
		enum principal_kind kind, unsigned with,
		void (*page)(void *context, const struct resource *resources, size_t count),
		void (*done)(void *context, const struct err *err_or_null), void *context)
{
	struct scim_list *list = mem_zalloc(sizeof(*list));

	list->databricks = databricks;
	list->kind = kind;
	list->with = with;
	list->page = page;
	list->done = done;
	list->context = context;
	task_init(&list->task, databricks_loop(databricks), list_run);
	list->call.target = target;
	list->call.lane = LANE_BULK;
	list->call.wakes = &list->task;
	list->ids = table_new();
	list->arena = arena_new();
	scim_cursor_init(&list->cursor);
	list_ask(list);
	return list;
}

void scim_list_cancel(struct scim_list *list)
{
	call_release(&list->call);
	task_cancel(&list->task);
	list->cancelled = list->reading || list->telling;
	if (list->reading)
		(void)uv_cancel((uv_req_t *)&list->work);
	else if (!list->telling)
		list_free(list);
}
