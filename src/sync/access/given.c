/* given -- rows and items of what service principals are given. */
#include "sync/access/given.h"

#include "base/clock.h"
#include "base/text.h"

struct given_item *given_of(struct item *item)
{
	return (struct given_item *)item; /* item is its first member */
}

/* ---- rows ---- */

struct given_row *given_find(const struct given_item *set, const char *id)
{
	for (vec_each (&set->rows, row)) {
		if (text_equal((*row)->id, id))
			return *row;
	}
	return NULL;
}

struct given_row *given_make(struct given_item *set, const char *id)
{
	struct given_row *row = given_find(set, id);

	if (row)
		return row;
	row = mem_zalloc(set->kind->row_size);
	row->id = mem_strdup(id);
	*vec_add(&set->rows) = row;
	return row;
}

static void row_free(const struct given_item *set, struct given_row *row)
{
	if (set->kind->release_row)
		set->kind->release_row(row);
	mem_free(row->id);
	mem_free(row);
}

void given_sweep(struct given_item *set)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->rows.count; i++) {
		struct given_row *row = set->rows.items[i];

		if (row->there || row->held)
			set->rows.items[kept++] = row;
		else
			row_free(set, row);
	}
	set->rows.count = kept;
}

size_t given_count_held(const struct item *item)
{
	const struct given_item *set = (const struct given_item *)item;
	size_t count = 0;

	for (vec_each (&set->rows, row))
		count += (*row)->held;
	return count;
}

void given_drop(struct access *access, struct given_item *set, struct given_row *row)
{
	item_release_hold(access, &set->item, row->id);
	row->held = false;
}

void given_removed(struct access *access, struct item *item, const char *id)
{
	struct given_item *set = given_of(item);
	struct given_row *row = given_find(set, id);

	if (!row)
		return;
	given_drop(access, set, row);
	row->there = false;
	given_sweep(set);
}

/* ---- reading ---- */

bool given_begin_reading(struct given_item *set)
{
	bool fresh = set->item.written_ns &&
			clock_monotonic_ns() - set->item.written_ns < READ_LAG_NS;

	for (vec_each (&set->rows, row))
		(*row)->there = fresh && (*row)->held;
	return fresh;
}

void given_end_reading(struct access *access, struct given_item *set)
{
	for (vec_each (&set->rows, row)) {
		if ((*row)->held && !(*row)->there)
			given_drop(access, set, *row);
	}
	given_sweep(set);
}

void given_listed(void *context, const void *records, size_t count, const struct err *err)
{
	struct item_work *work = context;
	struct given_item *set = given_of(work->item);

	set->listing = NULL;
	if (!err)
		set->kind->take(work, records, count);
	call_finish_unsent(work->engine->databricks, &work->call, err);
}

void given_forget_all(struct item_work *work)
{
	struct given_item *set = given_of(work->item);

	for (vec_each (&set->rows, row))
		(*row)->there = false;
	given_end_reading(work->access, set);
	work->item->read_wanted = false;
}

/* ---- items ---- */

static char *key_of(const struct given_kind *kind, const char *id_or_owner)
{
	return mem_printf("%s/%s", kind->prefix, id_or_owner);
}

static struct given_item *item_new(struct access *access, const struct given_kind *kind,
		unsigned target, const char *key, const char *name)
{
	struct given_item *set = mem_zalloc(kind->item_size);

	set->item.class = kind->class;
	set->item.target = target;
	set->kind = kind;
	item_add(access, &set->item, key, name);
	return set;
}

struct item *given_item(struct access *access, const struct given_kind *kind, unsigned target,
		const char *id, const char *name)
{
	AUTO(mem_freep) char *key = key_of(kind, id);
	struct item *item = item_find(access, target, key);
	struct given_item *set;

	if (item)
		return item;
	set = item_new(access, kind, target, key, name && *name ? name : id);
	set->item.id = mem_strdup(id);
	return &set->item;
}

static const char *name_of(const struct access *access, const struct object *object)
{
	const char *name = object->fields[FIELD_DISPLAY_NAME];

	return name && *name ? name : pass_name(access->engine, object);
}

/* Of a principal that is not made yet. */
static struct item *promise(struct access *access, const struct given_kind *kind, unsigned target,
		const struct object *object, bool wanted)
{
	AUTO(mem_freep) char *key = key_of(kind, object->key);
	struct item *item = item_find(access, target, key);
	struct given_item *set;

	if (item || !wanted)
		return item;
	set = item_new(access, kind, target, key, name_of(access, object));
	set->owner = mem_strdup(object->key);
	/* There is nothing to be read of it. */
	set->item.read_wanted = false;
	set->item.observed = true;
	return &set->item;
}

/* Now that it is there. The item that stood for what was promised goes when it is looked at. */
static struct item *keep(struct access *access, const struct given_kind *kind, unsigned target,
		const struct object *object, bool wanted)
{
	struct item *former = promise(access, kind, target, object, false);
	AUTO(mem_freep) char *key = NULL;
	char id[ID_TEXT_SIZE];

	if (former)
		item_mark(access, former);
	if (wanted)
		return given_item(access, kind, target, id_text(object->id, id),
				name_of(access, object));
	key = key_of(kind, id_text(object->id, id));
	return item_find(access, target, key);
}

void given_item_changed(struct access *access, const struct given_kind *kind, unsigned target,
		const struct object *object, bool wanted)
{
	struct item *item = (object->id ? keep : promise)(access, kind, target, object, wanted);

	if (item)
		item_mark(access, item);
}

void given_account_changed(struct access *access, const struct given_kind *kind,
		const struct object *object,
		bool (*asks)(const struct access *access, const struct object *object))
{
	if (object->kind == PRINCIPAL_SERVICE && object->target == 0 &&
			access->engine->settings->has_account)
		given_item_changed(access, kind, 0, object, asks(access, object));
}

static unsigned home_of(const struct access *access, const struct item *item)
{
	return access->engine->settings->has_account ? 0 : item->target;
}

const struct object *given_owner(const struct access *access, const struct item *item)
{
	const struct given_item *set = (const struct given_item *)item;
	const struct object *object;

	if (item->id)
		return registry_find_id(access->engine->registry, home_of(access, item),
				PRINCIPAL_SERVICE, id_parse(item->id));
	object = registry_find(access->engine->registry, home_of(access, item), set->owner);
	/* Once it is there, its own item speaks. */
	return object && !object->id ? object : NULL;
}

struct sink_values given_values(const struct item *item, const struct object *owner)
{
	const char *name = owner->fields[FIELD_DISPLAY_NAME];

	return (struct sink_values){
			.workspace = NULL,
			.display_name = name ? name : item->name,
			.application_id = owner->fields[FIELD_APPLICATION_ID],
	};
}

const struct service_rule *given_rule(const struct access *access, const struct object *object)
{
	const struct want *want = object->node != NODE_NONE
			? desired_want(access->engine->desired, object->node)
			: NULL;
	const struct identity *identity =
			want ? want->identity : pass_listed(access->engine, object);

	if (!identity || object->leaving || (object->id && !object->ours))
		return NULL;
	if (!object->id && (object->quarantined_ms || (want && want->state != WANT_IN)))
		return NULL;
	return identity->service;
}

bool given_owner_is_ready(const struct access *access, const struct item *item)
{
	const struct object *object = item->id ? given_owner(access, item) : NULL;

	return object && object->id && !object->leaving;
}

void given_cancel(struct item *item)
{
	listing_cancel(STEAL(given_of(item)->listing));
}

void given_release(struct item *item)
{
	struct given_item *set = given_of(item);

	given_cancel(item);
	for (vec_each (&set->rows, row))
		row_free(set, *row);
	vec_release(&set->rows);
	mem_free(set->owner);
}
