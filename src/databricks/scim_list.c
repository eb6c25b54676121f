#include "databricks/scim.h"

#include "base/table.h"
#include "databricks/scim_internal.h"

#define PAGE_COUNT 5000U /* asked for per page; servers may return less */
#define NUMBERS_FIRST 1024U

/* Ids that were seen: all but those that are no numbers without their text. */
struct id_set {
	uint64_t *numbers; /* open addressing; 0: free */
	size_t room, count;
	struct table *others;
};

/*
 *   ASK --> page() --> ASK ... --> done()
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
	struct id_set ids;
	struct arena *arena;
	bool telling;   /* page() runs */
	bool cancelled; /* while it does: freed after it */
};

/* ---- ids ---- */

/* 0: not a number, or not as a number would be written. */
static uint64_t number_of(const char *id)
{
	uint64_t number = 0;

	if (*id == '0')
		return 0;
	for (; *id; id++) {
		if (*id < '0' || *id > '9' || __builtin_mul_overflow(number, 10, &number) ||
				__builtin_add_overflow(number, (uint64_t)(*id - '0'), &number))
			return 0;
	}
	return number;
}

static uint64_t *place_of(uint64_t *numbers, size_t room, uint64_t number)
{
	size_t i = (size_t)((number * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (room - 1);

	while (numbers[i] && numbers[i] != number)
		i = (i + 1) & (room - 1);
	return &numbers[i];
}

static void ids_grow(struct id_set *ids)
{
	size_t room = ids->room ? ids->room * 2 : NUMBERS_FIRST;
	uint64_t *numbers = mem_array(room, sizeof(*numbers));

	for (size_t i = 0; i < ids->room; i++) {
		if (ids->numbers[i])
			*place_of(numbers, room, ids->numbers[i]) = ids->numbers[i];
	}
	mem_free(ids->numbers);
	ids->numbers = numbers;
	ids->room = room;
}

/* false: it was there already. */
static bool ids_add(struct id_set *ids, const char *id)
{
	uint64_t number = number_of(id), *place;

	if (!number) {
		if (!ids->others)
			ids->others = table_new();
		return !table_put(ids->others, span_of(id), ids);
	}
	if (ids->count >= ids->room / 2)
		ids_grow(ids);
	place = place_of(ids->numbers, ids->room, number);
	if (*place)
		return false;
	*place = number;
	ids->count++;
	return true;
}

/* ---- pages ---- */

static void list_free(struct scim_list *list)
{
	arena_free(list->arena);
	mem_free(list->ids.numbers);
	table_free(list->ids.others);
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
		if (ids_add(&list->ids, resources[i].id))
			resources[fresh++] = resources[i];
	}
	return fresh;
}

static void list_take_page(
		struct scim_list *list, const struct scim_answer *answer, struct tape *tape)
{
	struct resource *resources = (struct resource *)(uintptr_t)answer->resources;
	size_t fresh = drop_repeats(list, resources, answer->count);
	struct err err = {.code = ERR_NONE};
	bool more = false;

	/* The next page is on its way while this one is worked on. */
	if (scim_cursor_advance(&list->cursor, answer->total, answer->count, fresh, &more, &err) ==
					ERR_NONE &&
			more)
		list_ask(list);
	list->telling = true;
	if (fresh)
		list->page(list->context, resources, fresh);
	list->telling = false;
	tape_free(tape);
	if (list->cancelled) {
		list_free(list);
		return;
	}
	arena_reset(list->arena);
	if (err.code != ERR_NONE)
		list_end(list, &err);
	else if (!more)
		list_end(list, NULL);
}

static void list_run(struct task *task)
{
	struct scim_list *list =
			(struct scim_list *)((char *)task - offsetof(struct scim_list, task));
	struct scim_answer answer;
	struct tape *tape;
	struct err err;

	if (!list->call.done)
		return;
	list->call.done = false;
	if (list->call.code != ERR_NONE) {
		list_end(list, &list->call.err);
		return;
	}
	tape = STEAL(list->call.answer);
	if (scim_read_list(tape_root(tape), list->kind, list->arena, &answer, &err) == ERR_NONE) {
		list_take_page(list, &answer, tape);
		return;
	}
	tape_free(tape);
	list_end(list, &err);
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
	list->arena = arena_new();
	scim_cursor_init(&list->cursor);
	list_ask(list);
	return list;
}

void scim_list_cancel(struct scim_list *list)
{
	call_release(&list->call);
	task_cancel(&list->task);
	list->cancelled = list->telling;
	if (!list->telling)
		list_free(list);
}
