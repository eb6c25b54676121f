#include "object_stale.h"

#include "base/clock.h"

#define NS_PER_MS UINT64_C(1000000)

/* One for each object that was written under a rule; the last write counts. */
struct object_lag {
	enum object_kind kind;
	char *id, *name;
	struct object *before; /* owned; NULL: was not there */
	struct stale_count count;
};

struct object *object_stale_before(const struct stale_rule *rule, const struct object *object)
{
	return rule && object ? object_clone(object) : NULL;
}

static void lag_free(struct object_lag *lag)
{
	mem_free(lag->id);
	mem_free(lag->name);
	object_free(lag->before);
	mem_free(lag);
}

static struct object_lag *find_lag(
		const struct object_store *store, enum object_kind kind, const char *text)
{
	for (size_t i = store->lagging_objects.count; i-- > 0;) {
		struct object_lag *lag = store->lagging_objects.items[i];

		if (lag->kind == kind &&
				(strcmp(lag->id, text) == 0 || strcmp(lag->name, text) == 0))
			return lag;
	}
	return NULL;
}

void object_stale_commit(struct object_store *store, const struct object_stale_what *what,
		struct object *before)
{
	struct object_lag *lag;

	if (!what->rule)
		return;
	lag = find_lag(store, what->kind, what->id);
	if (!lag) {
		lag = mem_zalloc(sizeof(*lag));
		lag->kind = what->kind;
		lag->id = mem_strdup(what->id);
		lag->name = mem_strdup(what->name);
		*vec_add(&store->lagging_objects) = lag;
	}
	object_free(lag->before);
	lag->before = before;
	stale_count_start(&lag->count, what->rule);
}

struct object *object_stale_get(struct object_store *store, enum object_kind kind, const char *text,
		struct object *truth)
{
	struct object_lag *lag = store->lagging_objects.count ? find_lag(store, kind, text) : NULL;

	return lag && stale_count_get(&lag->count) ? lag->before : truth;
}

static bool is_in(const struct objects *list, const char *id)
{
	for (vec_each (list, object)) {
		if (strcmp((*object)->id, id) == 0)
			return true;
	}
	return false;
}

static int by_sequence(const void *a, const void *b)
{
	const struct object *const *left = a, *const *right = b;

	return ((*left)->sequence > (*right)->sequence) - ((*left)->sequence < (*right)->sequence);
}

/* Whether the list shows of an object what it was; each lag is counted once. */
static bool take_lags(struct object_store *store, enum object_kind kind, struct objects *ret)
{
	bool any = false;

	for (vec_each (&store->lagging_objects, item)) {
		struct object_lag *lag = *item;

		lag->count.list_now = lag->kind == kind && stale_count_list(&lag->count);
		any = any || lag->count.list_now;
		if (lag->count.list_now && lag->before && !is_in(&store->lists[kind], lag->id))
			*vec_add(ret) = lag->before; /* deleted, and still there */
	}
	return any;
}

void object_stale_list(struct object_store *store, enum object_kind kind, struct objects *ret)
{
	bool any;

	*ret = (struct objects){0};
	any = take_lags(store, kind, ret);
	for (vec_each (&store->lists[kind], object)) {
		struct object_lag *lag = any ? find_lag(store, kind, (*object)->id) : NULL;
		struct object *shown = lag && lag->count.list_now ? lag->before : *object;

		if (shown)
			*vec_add(ret) = shown;
	}
	if (any && ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), by_sequence);
}

void object_stale_forget_parent(struct object_store *store, const struct object *parent)
{
	for (vec_each (&store->lagging_objects, lag)) {
		if ((*lag)->before && (*lag)->before->parent == parent)
			(*lag)->before->parent = NULL;
	}
}

void object_stale_free(struct object_store *store)
{
	for (vec_each (&store->lagging_objects, lag))
		lag_free(*lag);
	vec_release(&store->lagging_objects);
}
