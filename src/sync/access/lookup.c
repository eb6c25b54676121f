#include "sync/access/lookup.h"

#include "base/text.h"
#include "databricks/object_list.h"
#include "databricks/permission.h"
#include "sync/access/acl_item.h"

#define HITS_SHOWN 10

struct hit {
	unsigned target;
	enum securable_type type;
	struct securable_facts facts; /* in the arena */
};

/* One way to the object at one workspace: a find, a list, or an attempt with the name as the id. */
struct probe {
	struct lookup *lookup;
	unsigned target;
	enum securable_type type;
	struct selector selector;
	struct object_list *list; /* under way */
	struct call call;
	bool running;
};

enum stage { STAGE_OBJECTS, STAGE_IDS, STAGE_READ, STAGE_DONE };

struct lookup {
	struct access *access;
	struct task *wakes;
	struct task moved;
	struct arena *arena;
	bool has_type;
	enum securable_type type;
	const char *path, *name, *id; /* what the object may be called; NULL: not so */
	const char *shown;
	bool *targets; /* which workspaces are meant */
	enum stage stage;
	VEC(struct probe *) probes;
	size_t open; /* probes under way */
	VEC(struct hit) hits;
	struct call read;
	struct err err; /* code ERR_NONE: none. Of one place that could not be asked */
	struct lookup_object object;
};

static struct databricks *databricks_of(const struct lookup *lookup)
{
	return lookup->access->engine->databricks;
}

/* ---- what is asked ---- */

static enum err_code no_such_type(const char *word, struct err *err)
{
	const char *names[SECURABLE_TYPE_COUNT_];
	const char *nearest;

	for (unsigned i = 0; i < SECURABLE_TYPE_COUNT_; i++)
		names[i] = securable_traits((enum securable_type)i)->name;
	nearest = text_did_you_mean(word, names, COUNT_OF(names));
	return err_set(err, ERR_USAGE, 0,
			"\"%.60s\" is no type of object%s%s%s; say TYPE:NAME, TYPE/ID or a path "
			"that begins "
			"with /",
			word, nearest ? ", did you mean \"" : "", nearest ? nearest : "",
			nearest ? "\"" : "");
}

static const char *tree_path(struct arena *arena, const char *text)
{
	size_t len;

	if (text_starts_with(text, "/Workspace/"))
		text += strlen("/Workspace");
	len = strlen(text);
	while (len > 1 && text[len - 1] == '/')
		len--;
	return arena_strndup(arena, text, len);
}

static enum err_code parse_object(struct lookup *lookup, const char *object, struct err *err)
{
	const char *rest = object + strcspn(object, ":/");
	AUTO(mem_freep) char *type = mem_strndup(object, (size_t)(rest - object));

	lookup->shown = arena_strdup(lookup->arena, object);
	if (object[0] == '/') {
		lookup->path = tree_path(lookup->arena, object);
		return ERR_NONE;
	}
	if (!securable_parse(type, &lookup->type))
		return no_such_type(type, err);
	if (!*rest || !rest[1])
		return err_set(err, ERR_USAGE, 0,
				"\"%.200s\" names no object; say %s:NAME or %s/ID", object, type,
				type);
	lookup->has_type = true;
	if (rest[0] == ':' && rest[1] == '/')
		lookup->path = tree_path(lookup->arena, rest + 1);
	else if (rest[0] == ':')
		lookup->name = arena_strdup(lookup->arena, rest + 1);
	lookup->id = lookup->path ? NULL : arena_strdup(lookup->arena, rest + 1);
	return ERR_NONE;
}

static enum err_code choose_targets(struct lookup *lookup, const char *workspace, struct err *err)
{
	const struct settings *settings = lookup->access->engine->settings;
	bool any = false;

	lookup->targets = arena_alloc(lookup->arena, (settings->target_count + 1) * sizeof(bool));
	for (size_t i = 0; i < settings->target_count; i++) {
		lookup->targets[i] = !settings->targets[i].is_account &&
				(!workspace || target_matches(&settings->targets[i], workspace));
		any = any || lookup->targets[i];
	}
	if (!any)
		return err_set(err, ERR_USAGE, 0, "no workspace is called \"%.100s\"",
				workspace ? workspace : "");
	return ERR_NONE;
}

/* ---- hits ---- */

static void add_hit(struct lookup *lookup, unsigned target, enum securable_type type,
		const struct securable_facts *facts)
{
	struct tag *tags;

	for (vec_each (&lookup->hits, known)) {
		if (known->target == target && known->type == type &&
				text_equal(known->facts.id, facts->id))
			return;
	}
	if (lookup->hits.count == LOOKUP_HITS_MAX)
		return;
	tags = arena_alloc(lookup->arena, (facts->tag_count + 1) * sizeof(*tags));
	for (size_t i = 0; i < facts->tag_count; i++)
		tags[i] = (struct tag){arena_strdup(lookup->arena, facts->tags[i].key),
				arena_strdup(lookup->arena, facts->tags[i].value)};
	*vec_add(&lookup->hits) = (struct hit){target, type,
			{arena_strdup(lookup->arena, facts->id),
					arena_strdup(lookup->arena, facts->path),
					arena_strdup(lookup->arena, facts->name),
					arena_strdup(lookup->arena, facts->creator), tags,
					facts->tag_count}};
}

static bool is_named(const struct lookup *lookup, const struct securable_facts *facts)
{
	if (lookup->path)
		return text_equal(facts->path, lookup->path) ||
				text_equal(facts->name, lookup->path);
	return text_equal(facts->id, lookup->id) ||
			(lookup->name && text_equal(facts->name, lookup->name));
}

static void find_items(struct lookup *lookup)
{
	for (vec_each (&lookup->access->items, place)) {
		struct item *item = *place;
		struct securable_facts facts;

		if (item->class != &acl_class || !lookup->targets[item->target] ||
				(lookup->has_type && item->securable != lookup->type))
			continue;
		acl_facts((struct acl_item *)item, &facts);
		if (!facts.name)
			facts.name = item->name;
		if (is_named(lookup, &facts))
			add_hit(lookup, item->target, item->securable, &facts);
	}
}

/* ---- looking in Databricks ---- */

static void note_error(struct lookup *lookup, unsigned target, const struct err *err)
{
	if (err->code == ERR_NOT_FOUND || err->code == ERR_UNSUPPORTED)
		return;
	lookup->err = *err;
	(void)err_context(
			&lookup->err, "%s", lookup->access->engine->settings->targets[target].name);
}

static void probe_ended(struct probe *probe)
{
	probe->running = false;
	if (--probe->lookup->open == 0)
		task_wake(&probe->lookup->moved);
}

static void take_page(void *context, const struct found_object *objects, size_t count)
{
	struct probe *probe = context;

	for (size_t i = 0; i < count; i++) {
		if (objects[i].facts.id && is_named(probe->lookup, &objects[i].facts))
			add_hit(probe->lookup, probe->target, objects[i].type, &objects[i].facts);
	}
}

static void take_end(void *context, const struct err *err)
{
	struct probe *probe = context;

	probe->list = NULL;
	if (err)
		note_error(probe->lookup, probe->target, err);
	probe_ended(probe);
}

static bool is_of_interest(void *context, const struct found_object *object)
{
	struct probe *probe = context;

	return is_named(probe->lookup, &object->facts);
}

static struct probe *probe_new(struct lookup *lookup, unsigned target, enum securable_type type)
{
	struct probe *probe = arena_alloc(lookup->arena, sizeof(*probe));

	*probe = (struct probe){.lookup = lookup, .target = target, .type = type, .running = true};
	*vec_add(&lookup->probes) = probe;
	lookup->open++;
	return probe;
}

/* By itself if the type can be asked so, else in its list; what has neither is tried by id. */
static void look_for(struct lookup *lookup, unsigned target, enum securable_type type)
{
	struct selector selector = {.type = type,
			.path = lookup->path,
			.name = lookup->path ? NULL : lookup->name};
	struct object_sink sink = {take_page, take_end, is_of_interest, NULL};
	bool can_find;

	if (!selector.path && !selector.name)
		return;
	can_find = object_can_find(&selector);
	if (!can_find && (!object_can_list(type) || (!lookup->has_type && lookup->path)))
		return;
	sink.context = probe_new(lookup, target, type);
	((struct probe *)sink.context)->selector = selector;
	((struct probe *)sink.context)->list = can_find
			? object_find_start(databricks_of(lookup), target,
					  &((struct probe *)sink.context)->selector, &sink)
			: object_list_start(databricks_of(lookup), target, type, &sink);
}

static void look_everywhere(struct lookup *lookup)
{
	const struct settings *settings = lookup->access->engine->settings;

	for (unsigned target = 0; target < settings->target_count; target++) {
		for (unsigned type = 0; lookup->targets[target] && type < SECURABLE_TYPE_COUNT_;
				type++) {
			const struct securable_traits *traits =
					securable_traits((enum securable_type)type);

			if (lookup->has_type ? type == lookup->type : traits->in_tree)
				look_for(lookup, target, (enum securable_type)type);
		}
	}
}

static void try_as_id(struct lookup *lookup)
{
	const struct settings *settings = lookup->access->engine->settings;
	struct permission_object object = {lookup->type, lookup->id};

	for (unsigned target = 0; target < settings->target_count; target++) {
		struct probe *probe;

		if (!lookup->targets[target])
			continue;
		probe = probe_new(lookup, target, lookup->type);
		probe->call.target = target;
		probe->call.lane = LANE_SINGLE;
		probe->call.wakes = &lookup->moved;
		permission_get(databricks_of(lookup), &probe->call, &object);
	}
}

/* Of the attempts by id: whether all have come back. */
static bool take_ids(struct lookup *lookup)
{
	struct securable_facts facts = {.id = lookup->id, .name = lookup->name};

	for (vec_each (&lookup->probes, place)) {
		struct probe *probe = *place;

		if (!probe->running || !probe->call.done)
			continue;
		probe->running = false;
		lookup->open--;
		if (probe->call.code == ERR_NONE)
			add_hit(lookup, probe->target, probe->type, &facts);
		else if (probe->call.status != 400) /* a name is no number */
			note_error(lookup, probe->target, &probe->call.err);
	}
	return lookup->open == 0;
}

/* ---- the list of the one that it is ---- */

static void read_list(struct lookup *lookup)
{
	const struct hit *hit = &lookup->hits.items[0];
	struct permission_object object = {hit->type, hit->facts.id};

	lookup->read.target = hit->target;
	lookup->read.lane = LANE_SINGLE;
	lookup->read.wakes = &lookup->moved;
	permission_get(databricks_of(lookup), &lookup->read, &object);
}

static size_t view_of_rules(
		struct lookup *lookup, const struct hit *hit, struct acl_view_entry **ret)
{
	struct wanted_acl wanted;
	struct acl_view_entry *view;

	permission_index_match(lookup->access->permissions, hit->target, hit->type, &hit->facts,
			lookup->arena, &wanted);
	view = arena_alloc(lookup->arena, (wanted.count + 1) * sizeof(*view));
	for (size_t i = 0; i < wanted.count; i++)
		view[i] = (struct acl_view_entry){.key = wanted.entries[i].key,
				.name = wanted.entries[i].name,
				.wanted = wanted.entries[i].level,
				.why = wanted.entries[i].why};
	*ret = view;
	return wanted.count;
}

/* What was just read takes the place of what was known. */
static size_t put_over(struct lookup *lookup, const struct acl *acl,
		const struct acl_view_entry *known, size_t count, struct acl_view_entry **ret)
{
	struct acl_view_entry *view =
			arena_alloc(lookup->arena, (count + acl->count + 1) * sizeof(*view));

	for (size_t i = 0; i < count; i++) {
		view[i] = known[i];
		view[i].key = arena_strdup(lookup->arena, known[i].key);
		view[i].name = arena_strdup(lookup->arena, known[i].name);
		view[i].direct = view[i].inherited = view[i].from = NULL;
	}
	for (size_t i = 0; i < acl->count; i++) {
		const struct acl_entry *entry = &acl->entries[i];
		AUTO(mem_freep) char *key = access_principal_key(entry->kind, entry->name);
		size_t at = 0;

		while (at < count && !text_equal(view[at].key, key))
			at++;
		if (at == count)
			view[count++] = (struct acl_view_entry){
					.key = arena_strdup(lookup->arena, key)};
		view[at].name = entry->name;
		view[at].direct = entry->direct;
		view[at].inherited = entry->inherited;
		view[at].from = entry->from;
	}
	*ret = view;
	return count;
}

static int compare_entries(const void *a, const void *b)
{
	const struct acl_view_entry *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void copy_texts(struct lookup *lookup, struct acl_view_entry *entry)
{
	const char **texts[] = {&entry->key, &entry->name, &entry->direct, &entry->inherited,
			&entry->from, &entry->held, &entry->former, &entry->wanted};

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		*texts[i] = arena_strdup(lookup->arena, *texts[i]);
	entry->why.file = arena_strdup(lookup->arena, entry->why.file);
	entry->why.entry = NULL;
}

static void make_object(struct lookup *lookup)
{
	const struct hit *hit = &lookup->hits.items[0];
	const char *key = arena_printf(
			lookup->arena, "%s/%s", securable_traits(hit->type)->name, hit->facts.id);
	struct item *item = item_find(lookup->access, hit->target, key);
	struct acl_view_entry *view;
	const struct acl_view_entry *known;
	struct acl acl;
	struct err err;
	size_t count;

	count = item ? acl_view(lookup->access, item, lookup->arena, &known)
		     : view_of_rules(lookup, hit, &view);
	if (!item)
		known = view;
	if (permission_acl(&lookup->read, hit->type, lookup->arena, &acl, &err) == ERR_NONE) {
		count = put_over(lookup, &acl, known, count, &view);
	} else {
		if (!item || !item->observed) {
			lookup->err = err;
			return;
		}
		lookup->object.stale = arena_strdup(lookup->arena, err.text);
		view = arena_alloc(lookup->arena, (count + 1) * sizeof(*view));
		memcpy(view, known, count * sizeof(*view));
	}
	for (size_t i = 0; i < count; i++)
		copy_texts(lookup, &view[i]);
	if (count)
		qsort(view, count, sizeof(*view), compare_entries);
	lookup->object.target = hit->target;
	lookup->object.type = hit->type;
	lookup->object.kind = securable_traits(hit->type)->name;
	lookup->object.id = hit->facts.id;
	lookup->object.name = hit->facts.path                 ? hit->facts.path
			: hit->facts.name && *hit->facts.name ? hit->facts.name
							      : hit->facts.id;
	lookup->object.is_item = item != NULL;
	lookup->object.entries = view;
	lookup->object.count = count;
}

/* ---- from stage to stage ---- */

static void finish(struct lookup *lookup)
{
	lookup->stage = STAGE_DONE;
	task_wake(lookup->wakes);
}

static int compare_hits(const void *left, const void *right)
{
	const struct hit *a = left, *b = right;

	if (a->target != b->target)
		return a->target < b->target ? -1 : 1;
	return a->type != b->type ? (a->type < b->type ? -1 : 1) : strcmp(a->facts.id, b->facts.id);
}

static void hits_known(struct lookup *lookup)
{
	/* Lists answer in no order. */
	if (lookup->hits.count)
		qsort(lookup->hits.items, lookup->hits.count, sizeof(*lookup->hits.items),
				compare_hits);
	if (lookup->hits.count != 1) {
		finish(lookup);
		return;
	}
	lookup->stage = STAGE_READ;
	read_list(lookup);
}

static void moved(struct task *task)
{
	struct lookup *lookup = (struct lookup *)((char *)task - offsetof(struct lookup, moved));

	switch (lookup->stage) {
	case STAGE_OBJECTS:
		if (lookup->open)
			return;
		if (lookup->hits.count || !lookup->id) {
			hits_known(lookup);
			return;
		}
		lookup->stage = STAGE_IDS;
		try_as_id(lookup);
		return;
	case STAGE_IDS:
		if (take_ids(lookup))
			hits_known(lookup);
		return;
	case STAGE_READ:
		if (!lookup->read.done)
			return;
		make_object(lookup);
		finish(lookup);
		return;
	case STAGE_DONE:
		return;
	}
}

enum err_code lookup_new(struct access *access, const struct lookup_query *query,
		struct task *wakes, struct lookup **ret, struct err *err)
{
	struct lookup *lookup = mem_zalloc(sizeof(*lookup));

	lookup->access = access;
	lookup->wakes = wakes;
	lookup->arena = arena_new();
	task_init(&lookup->moved, access->engine->loop, moved);
	if (parse_object(lookup, query->object, err) != ERR_NONE ||
			choose_targets(lookup, query->workspace, err) != ERR_NONE) {
		lookup_free(lookup);
		return err->code;
	}
	find_items(lookup);
	if (!lookup->hits.count)
		look_everywhere(lookup);
	task_wake(&lookup->moved);
	*ret = lookup;
	return ERR_NONE;
}

void lookup_free(struct lookup *lookup)
{
	if (!lookup)
		return;
	for (vec_each (&lookup->probes, probe)) {
		if ((*probe)->list)
			object_list_cancel((*probe)->list);
		call_release(&(*probe)->call);
	}
	vec_release(&lookup->probes);
	vec_release(&lookup->hits);
	call_release(&lookup->read);
	task_cancel(&lookup->moved);
	arena_free(lookup->arena);
	mem_free(lookup);
}

bool lookup_is_done(const struct lookup *lookup)
{
	return lookup->stage == STAGE_DONE;
}

static enum err_code several(const struct lookup *lookup, struct err *err)
{
	char text[320] = "";
	size_t used = 0;

	for (size_t i = 0; i < lookup->hits.count && i < HITS_SHOWN && used < sizeof(text); i++) {
		const struct hit *hit = &lookup->hits.items[i];

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s/%s in %s",
				used ? ", " : "", securable_traits(hit->type)->name, hit->facts.id,
				lookup->access->engine->settings->targets[hit->target].name);
	}
	return err_set(err, ERR_USAGE, 0,
			"\"%.80s\" names %zu objects, say which by TYPE/ID and --workspace: %s",
			lookup->shown, lookup->hits.count, text);
}

enum err_code lookup_result(
		const struct lookup *lookup, const struct lookup_object **ret, struct err *err)
{
	if (lookup->hits.count > 1)
		return several(lookup, err);
	if (lookup->object.id) {
		*ret = &lookup->object;
		return ERR_NONE;
	}
	if (lookup->err.code != ERR_NONE) {
		*err = lookup->err;
		return err->code;
	}
	return err_set(err, ERR_NOT_FOUND, 0,
			"there is no object \"%.200s\" in any workspace asked", lookup->shown);
}
