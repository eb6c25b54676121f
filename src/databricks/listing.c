#include "databricks/listing.h"

#include "base/table.h"
#include "base/text.h"
#include "databricks/http.h"

/*
 *   ask --> take --> ask ... --> done()
 */
struct listing {
	struct databricks *databricks;
	struct listing_setup setup;
	struct call call;
	struct task task;
	struct arena *arena;
	struct table *ids;
	char *items;
	size_t count, room;
	char *token; /* that the last page was asked for with; NULL for the first */
	unsigned pages;
};

static void listing_free(struct listing *listing)
{
	task_cancel(&listing->task);
	call_release(&listing->call);
	arena_free(listing->arena);
	table_free(listing->ids);
	mem_free(listing->items);
	mem_free(listing->token);
	mem_free(listing->setup.path);
	mem_free(listing);
}

static void listing_end(struct listing *listing, const struct err *err_or_null)
{
	struct listing_setup setup = listing->setup;
	char *items = STEAL(listing->items);
	struct arena *arena = STEAL(listing->arena);
	size_t count = listing->count;
	struct err err;

	if (err_or_null)
		err = *err_or_null;
	listing_free(listing);
	setup.done(setup.context, err_or_null ? NULL : items, err_or_null ? 0 : count,
			err_or_null ? &err : NULL);
	mem_free(items);
	arena_free(arena);
}

static void listing_ask(struct listing *listing)
{
	AUTO(mem_freep) char *escaped = listing->token ? http_escape(listing->token) : NULL;
	const char *path = listing->setup.path;

	call_prepare(&listing->call, METHOD_GET, listing->setup.family,
			escaped ? mem_printf("%s%cpage_token=%s", path,
						  strchr(path, '?') ? '&' : '?', escaped)
				: mem_strdup(path),
			NULL);
	call_send(listing->databricks, &listing->call);
}

static void listing_add(struct listing *listing, const void *record)
{
	size_t size = listing->setup.shape->size;
	const char *id = *(const char *const *)(const void *)((const char *)record +
			listing->setup.shape->fields[0].offset);

	if (table_put(listing->ids, span_of(id), listing))
		return;
	if (listing->count == listing->room) {
		listing->room = listing->room ? listing->room * 2 : 64;
		listing->items = mem_resize(listing->items, listing->room, size);
	}
	memcpy(listing->items + listing->count++ * size, record, size);
}

static enum err_code listing_take(
		struct listing *listing, const struct tape_value *page, struct err *err)
{
	const struct record_shape *shape = listing->setup.shape;
	void *records;
	size_t count;

	if (!tape_is(page, TAPE_OBJECT))
		return err_set(err, ERR_PROTO, 0, "%s: expected an object with a list",
				shape->what);
	if (record_read_array(tape_get(page, listing->setup.key), shape, listing->arena, &records,
			    &count, err) != ERR_NONE)
		return err->code;
	for (size_t i = 0; i < count; i++)
		listing_add(listing, (const char *)records + i * shape->size);
	if (listing->count > RECORD_COUNT_MAX)
		return err_set(err, ERR_LIMIT, 0, "%s: over %zu of them", shape->what,
				RECORD_COUNT_MAX);
	if (++listing->pages > LISTING_PAGES_MAX)
		return err_set(err, ERR_INCOMPLETE, 0, "%s: over %u pages", shape->what,
				LISTING_PAGES_MAX);
	return ERR_NONE;
}

/* Whether a page follows; its token is kept. One that is the last one's again would never end. */
static enum err_code listing_turn(struct listing *listing, const struct tape_value *page,
		bool *ret_more, struct err *err)
{
	const struct tape_value *value = tape_get(page, "next_page_token");
	const char *token = tape_text(value);

	if (value && !token)
		return err_set(err, ERR_PROTO, 0, "%s: next_page_token is no text",
				listing->setup.shape->what);
	*ret_more = token && *token;
	if (!*ret_more)
		return ERR_NONE;
	if (text_equal(token, listing->token))
		return err_set(err, ERR_INCOMPLETE, 0, "%s: a page leads to itself",
				listing->setup.shape->what);
	mem_free(listing->token);
	listing->token = mem_strdup(token);
	return ERR_NONE;
}

static void listing_run(struct task *task)
{
	struct listing *listing = (struct listing *)((char *)task - offsetof(struct listing, task));
	const struct tape_value *page;
	bool more = false;
	struct err err;

	if (!listing->call.done)
		return;
	page = tape_root(listing->call.answer);
	if (listing->call.code != ERR_NONE)
		listing_end(listing, &listing->call.err);
	else if (listing_take(listing, page, &err) != ERR_NONE ||
			listing_turn(listing, page, &more, &err) != ERR_NONE)
		listing_end(listing, &err);
	else if (more)
		listing_ask(listing);
	else
		listing_end(listing, NULL);
}

struct listing *listing_start(struct databricks *databricks, const struct listing_setup *setup)
{
	struct listing *listing = mem_zalloc(sizeof(*listing));

	listing->databricks = databricks;
	listing->setup = *setup;
	task_init(&listing->task, databricks_loop(databricks), listing_run);
	listing->call.target = setup->target;
	listing->call.lane = setup->lane;
	listing->call.wakes = &listing->task;
	listing->arena = arena_new();
	listing->ids = table_new();
	listing_ask(listing);
	return listing;
}

void listing_cancel(struct listing *listing)
{
	if (listing)
		listing_free(listing);
}
