#include "sync/access/finder.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "databricks/object_list.h"
#include "sync/access/acl.h"
#include "sync/access/concern.h"
#include "sync/access/permission_index.h"

#define RETRY_NS (30 * SECOND_NS)
#define MISSING_SHOWN 10 /* rules that name what is not there */
#define FINDS_MAX 4 /* selectors of a type that are looked up one by one; more of them: its list */

/* One type at one target. */
struct place {
	struct finder *finder;
	unsigned target;
	enum securable_type type;
	bool wanted;  /* to be looked for */
	bool running; /* lists, walks or finds are under way */
	bool again;   /* its rules changed meanwhile */
	bool known, failed, unsupported;
	size_t open;    /* lists, walks and finds under way */
	uint64_t round; /* counts the looks: what an item was seen in last */
	uint64_t retry_ns;
	struct err err;
	VEC(struct object_list *) lists; /* started by this look, to be cancelled */
	struct object_tree *tree;
	struct arena *arena; /* of the selectors: rules may change while a look runs */
};

struct finder {
	struct access *access;
	struct place *places;
	size_t count, running;
};

struct finder *finder_new(struct access *access)
{
	struct finder *finder = mem_zalloc(sizeof(*finder));

	finder->access = access;
	finder->count = access->engine->settings->target_count * SECURABLE_TYPE_COUNT_;
	finder->places = mem_array(finder->count, sizeof(*finder->places));
	for (size_t i = 0; i < finder->count; i++)
		finder->places[i] = (struct place){.finder = finder,
				.target = (unsigned)(i / SECURABLE_TYPE_COUNT_),
				.type = (enum securable_type)(i % SECURABLE_TYPE_COUNT_)};
	return finder;
}

static struct place *place_at(
		const struct finder *finder, unsigned target, enum securable_type type)
{
	return &finder->places[(size_t)target * SECURABLE_TYPE_COUNT_ + type];
}

void finder_free(struct finder *finder)
{
	if (!finder)
		return;
	for (size_t i = 0; i < finder->count; i++) {
		struct place *place = &finder->places[i];

		for (vec_each (&place->lists, list))
			object_list_cancel(*list);
		vec_release(&place->lists);
		if (place->tree)
			object_tree_cancel(place->tree);
	}
	for (size_t i = 0; i < finder->count; i++)
		arena_free(finder->places[i].arena);
	mem_free(finder->places);
	mem_free(finder);
}

/* ---- what was found ---- */

static void take_page(void *context, const struct found_object *objects, size_t count)
{
	struct place *place = context;

	for (size_t i = 0; i < count; i++) {
		/* A walk may meet objects of other types that rules select there, too. */
		if (objects[i].type == place->type && objects[i].facts.id)
			acl_found(place->finder->access, place->target, objects[i].type,
					&objects[i].facts, place->round);
	}
	engine_tell(place->finder->access->engine);
}

static bool is_wanted(void *context, const struct found_object *object)
{
	struct place *place = context;
	struct access *access = place->finder->access;
	size_t count;
	const struct permission_want *wants = permission_index_at(
			access->permissions, place->target, place->type, &count);

	for (size_t i = 0; i < count; i++) {
		if (selector_matches(&wants[i].rule->selector, &object->facts))
			return true;
	}
	return false;
}

static void start(struct place *place);

static void finish(struct place *place)
{
	struct finder *finder = place->finder;
	struct engine *engine = finder->access->engine;

	place->running = false;
	place->lists.count = 0;
	place->tree = NULL;
	arena_free(STEAL(place->arena));
	finder->running--;
	place->known = !place->failed;
	place->retry_ns = 0;
	if (place->failed) {
		place->retry_ns = clock_monotonic_ns() + RETRY_NS;
		engine_tick_at(engine, place->retry_ns);
		log_event(engine->options.mode == ENGINE_RUN ? LOG_WARNING : LOG_DEBUG,
				"objects could not be looked for; no permission on what was not "
				"seen is removed",
				{"type", securable_traits(place->type)->name},
				{"target", engine->settings->targets[place->target].name},
				{"error", place->err.text});
	} else if (!place->unsupported) {
		acl_missing(finder->access, place->target, place->type, place->round);
	}
	if (place->again && !engine->stopping)
		start(place);
	task_wake(&engine->pass);
	engine_advance(engine);
}

static void take_end(void *context, const struct err *err)
{
	struct place *place = context;

	if (err && err->code == ERR_UNSUPPORTED) {
		place->unsupported = true;
	} else if (err) {
		place->failed = true;
		place->err = *err;
	}
	if (--place->open == 0)
		finish(place);
}

/* ---- looking ---- */

static const struct permission_want *wants_of(const struct place *place, size_t *ret_count)
{
	return permission_index_at(
			place->finder->access->permissions, place->target, place->type, ret_count);
}

static const struct selector *copy(const struct selector *selector, struct arena *arena)
{
	struct selector *ret = arena_alloc(arena, sizeof(*ret));
	struct tag *tags = arena_alloc(arena, (selector->tag_count + 1) * sizeof(*tags));

	*ret = *selector;
	ret->id = arena_strdup(arena, selector->id);
	ret->path = arena_strdup(arena, selector->path);
	ret->name = arena_strdup(arena, selector->name);
	ret->creator = arena_strdup(arena, selector->creator);
	for (size_t i = 0; i < selector->tag_count; i++)
		tags[i] = (struct tag){arena_strdup(arena, selector->tags[i].key),
				arena_strdup(arena, selector->tags[i].value)};
	ret->tags = tags;
	return ret;
}

/* Of one that asks for a single text only: what it asks for. NULL: it is another kind. */
static char *simple_key(const struct selector *selector)
{
	bool simple = !selector->all && !selector->creator && !selector->tag_count;

	if (!simple || !!selector->id + !!selector->path + !!selector->name != 1)
		return NULL;
	return mem_printf("%c%c%s", selector->is_glob ? '*' : '=',
			selector->id                     ? 'i'
					: selector->path ? 'p'
							 : 'n',
			selector->id                     ? selector->id
					: selector->path ? selector->path
							 : selector->name);
}

static bool is_known(const struct selector *const *selectors, size_t count, struct table *simple,
		const struct selector *selector)
{
	AUTO(mem_freep) char *key = simple_key(selector);

	if (key)
		return table_put(simple, span_of(key), simple) != NULL;
	for (size_t i = 0; i < count; i++) {
		if (selector_equal(selectors[i], selector))
			return true;
	}
	return false;
}

/* Different selectors, each once. */
static size_t selectors_of(
		const struct place *place, struct arena *arena, const struct selector ***ret)
{
	size_t count, kept = 0;
	const struct permission_want *wants = wants_of(place, &count);
	const struct selector **selectors = arena_alloc(arena, (count + 1) * sizeof(*selectors));
	const struct concern *only = concern_only(place->finder->access);
	struct table *simple = table_new();

	for (size_t i = 0; i < count; i++) {
		const struct selector *selector = &wants[i].rule->selector;

		if (only && !concern_has_want(only, &wants[i]))
			continue;
		if (!is_known(selectors, kept, simple, selector))
			selectors[kept++] = copy(selector, arena);
	}
	table_free(simple);
	*ret = selectors;
	return kept;
}

/* What needs no looking: the object is named by its id, or is one of the fixed ones. */
static bool is_given(struct place *place, const struct selector *selector)
{
	struct securable_facts facts = {.id = selector->id};

	if (place->type == SECURABLE_AUTHORIZATION)
		facts.id = facts.name = selector->name ? selector->name : selector->id;
	if (!facts.id)
		return false;
	acl_found(place->finder->access, place->target, place->type, &facts, place->round);
	return true;
}

static void start_list(struct place *place, const struct object_sink *sink)
{
	place->open++;
	*vec_add(&place->lists) = object_list_start(place->finder->access->engine->databricks,
			place->target, place->type, sink);
}

static void start_tree(struct place *place, const struct selector *const *selectors, size_t count,
		const struct object_sink *sink)
{
	struct object_tree_query query = {selectors, count};

	place->open++;
	place->tree = object_tree_start(
			place->finder->access->engine->databricks, place->target, &query, sink);
}

static void start_finds(struct place *place, const struct selector *const *selectors, size_t count,
		const struct object_sink *sink)
{
	for (size_t i = 0; i < count; i++) {
		place->open++;
		*vec_add(&place->lists) =
				object_find_start(place->finder->access->engine->databricks,
						place->target, selectors[i], sink);
	}
}

/* Splits the selectors into those that are looked up by themselves and those that need more. */
static void look(struct place *place, const struct selector **selectors, size_t count,
		struct arena *arena)
{
	struct object_sink sink = {take_page, take_end, is_wanted, place};
	bool in_tree = securable_traits(place->type)->in_tree;
	const struct selector **single = arena_alloc(arena, (count + 1) * sizeof(*single));
	const struct selector **broad = arena_alloc(arena, (count + 1) * sizeof(*broad));
	size_t single_count = 0, broad_count = 0;

	for (size_t i = 0; i < count; i++) {
		if (is_given(place, selectors[i]))
			continue;
		if (!selectors[i]->is_glob && object_can_find(selectors[i]))
			single[single_count++] = selectors[i];
		else
			broad[broad_count++] = selectors[i];
	}
	if (!in_tree && (broad_count || single_count > FINDS_MAX)) {
		start_list(place, &sink);
		return;
	}
	/* A walk lists a folder once, however many of the paths lie in it. */
	if (in_tree && single_count + broad_count > 1) {
		for (size_t i = 0; i < single_count; i++)
			broad[broad_count++] = single[i];
		single_count = 0;
	}
	if (broad_count)
		start_tree(place, broad, broad_count, &sink);
	start_finds(place, single, single_count, &sink);
}

static void start(struct place *place)
{
	const struct selector **selectors;
	size_t count;

	place->arena = arena_new();
	count = selectors_of(place, place->arena, &selectors);
	place->again = false;
	place->wanted = count > 0;
	place->failed = place->unsupported = false;
	place->running = true;
	place->finder->running++;
	place->round++;
	permission_index_begin_look(place->finder->access->permissions, place->target, place->type);
	place->open = 1; /* until all have begun */
	look(place, selectors, count, place->arena);
	if (--place->open == 0)
		finish(place);
}

void finder_look_at(struct finder *finder, unsigned target, enum securable_type type)
{
	struct place *place = place_at(finder, target, type);

	if (finder->access->engine->settings->targets[target].is_account)
		return;
	if (place->running)
		place->again = true;
	else
		start(place);
}

/* Also where nothing is wanted any more: what is ours there is then known to be selected by no rule. */
void finder_look(struct finder *finder)
{
	for (size_t i = 0; i < finder->count; i++)
		finder_look_at(finder, finder->places[i].target, finder->places[i].type);
}

void finder_note(struct finder *finder, unsigned target, enum securable_type type)
{
	place_at(finder, target, type)->again = true;
}

void finder_look_noted(struct finder *finder)
{
	for (size_t i = 0; i < finder->count; i++) {
		struct place *place = &finder->places[i];

		if (place->again && !place->running)
			finder_look_at(finder, place->target, place->type);
	}
}

bool finder_is_running(const struct finder *finder)
{
	return finder->running > 0;
}

bool finder_knows(const struct finder *finder, unsigned target, enum securable_type type)
{
	return place_at(finder, target, type)->known;
}

bool finder_is_complete(const struct finder *finder, const struct err **ret_err)
{
	for (size_t i = 0; i < finder->count; i++) {
		if (finder->places[i].failed) {
			*ret_err = &finder->places[i].err;
			return false;
		}
	}
	return true;
}

const struct err *finder_failure(
		const struct finder *finder, unsigned target, enum securable_type type)
{
	const struct place *place = place_at(finder, target, type);

	return place->failed ? &place->err : NULL;
}

void finder_list_failures(const struct finder *finder)
{
	struct engine *engine = finder->access->engine;

	for (size_t i = 0; i < finder->count; i++) {
		const struct place *place = &finder->places[i];

		if (place->failed)
			pass_list_note(engine, NOTE_INCOMPLETE,
					arena_printf(engine->plan_arena,
							"in %s objects of type %s could not be "
							"looked for; no permission on what was not "
							"seen is planned: %s",
							engine->settings->targets[place->target]
									.name,
							securable_traits(place->type)->name,
							place->err.text));
	}
}

uint64_t finder_retry(struct finder *finder, uint64_t now)
{
	uint64_t next = 0;

	for (size_t i = 0; i < finder->count; i++) {
		struct place *place = &finder->places[i];

		if (!place->retry_ns || place->running)
			continue;
		if (place->retry_ns <= now)
			start(place);
		else if (!next || place->retry_ns < next)
			next = place->retry_ns;
	}
	return next;
}

/* ---- rules that select nothing ---- */

/* Of a glob, a tag or a creator that is no surprise; of a name or a path it is. */
static bool is_missing(const struct permission_want *want)
{
	const struct selector *selector = &want->rule->selector;

	return !want->met && (selector->name || selector->path) && !selector->is_glob &&
			!selector->creator && !selector->tag_count &&
			selector->type != SECURABLE_AUTHORIZATION;
}

/* A policy that is made by a rule, and by this plan perhaps. */
static bool is_being_made(const struct place *place, const struct selector *selector)
{
	AUTO(mem_freep) char *key = NULL;

	if (place->type != SECURABLE_CLUSTER_POLICY || !selector->name)
		return false;
	key = mem_printf("cluster_policy/%s", selector->name);
	return item_find(place->finder->access, place->target, key) != NULL;
}

static void note_missing(const struct place *place, size_t *count)
{
	struct engine *engine = place->finder->access->engine;
	struct arena *arena = engine->plan_arena;
	const struct permission_want *wants;
	size_t want_count;

	wants = wants_of(place, &want_count);
	for (size_t i = 0; i < want_count; i++) {
		const struct permission_rule *rule = wants[i].rule;

		if (!is_missing(&wants[i]) || is_being_made(place, &rule->selector) ||
				(*count)++ >= MISSING_SHOWN)
			continue;
		pass_list_note(engine, NOTE_INFO,
				arena_printf(arena, "%s:%u: there is no %s in %s", rule->why.file,
						rule->why.line,
						selector_describe(&rule->selector, arena),
						engine->settings->targets[place->target].name));
	}
}

void finder_collect(const struct finder *finder)
{
	struct engine *engine = finder->access->engine;
	size_t count = 0;

	for (size_t i = 0; i < finder->count; i++) {
		const struct place *place = &finder->places[i];

		if (place->known && !place->running && !place->unsupported &&
				!engine->options.only_name)
			note_missing(place, &count);
	}
	if (count > MISSING_SHOWN)
		pass_list_note(engine, NOTE_INFO,
				arena_printf(engine->plan_arena,
						"%zu more permissions name objects that are not "
						"there",
						count - MISSING_SHOWN));
}
