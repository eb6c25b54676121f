/* secret_item -- which secrets are made and deleted, and how they are delivered. */
#include "sync/access/secret_item.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "databricks/service_principal_secret.h"
#include "sync/access/secret_sink.h"

#define SECRET_RANK 70
#define MINUTE_NS (60 * SECOND_NS)
#define VALUE_DELIVERED "delivered"
#define VALUE_MADE "made" /* and not delivered */

struct secret_row {
	char *id;
	int64_t expires_ms; /* 0: never */
	bool there, active;
	bool held, delivered;
};
struct secret_item {
	struct item item; /* first; id: of the service principal */
	VEC(struct secret_row) rows;
	int64_t next_ms; /* wall clock: a new one is due; 0: none */
	struct listing *listing;
	struct sink_delivery *delivery;
	struct err listing_err;
};

static struct secret_item *of(struct item *item)
{
	return (struct secret_item *)item; /* item is its first member */
}

/* ---- rows ---- */

static struct secret_row *find_row(struct secret_item *set, const char *id)
{
	for (vec_each (&set->rows, row)) {
		if (text_equal(row->id, id))
			return row;
	}
	return NULL;
}

static struct secret_row *make_row(struct secret_item *set, const char *id)
{
	struct secret_row *row = find_row(set, id);

	if (row)
		return row;
	row = vec_add(&set->rows);
	*row = (struct secret_row){.id = mem_strdup(id)};
	return row;
}

static void sweep_rows(struct secret_item *set)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->rows.count; i++) {
		if (set->rows.items[i].there || set->rows.items[i].held)
			set->rows.items[kept++] = set->rows.items[i];
		else
			mem_free(set->rows.items[i].id);
	}
	set->rows.count = kept;
}

static void cancel(struct item *item)
{
	listing_cancel(STEAL(of(item)->listing));
	sink_cancel(STEAL(of(item)->delivery));
}

static void release(struct item *item)
{
	cancel(item);
	for (vec_each (&of(item)->rows, row))
		mem_free(row->id);
	vec_release(&of(item)->rows);
}

static size_t count_held(const struct item *item)
{
	const struct secret_item *set = (const struct secret_item *)item;
	size_t count = 0;

	for (vec_each (&set->rows, row))
		count += row->held;
	return count;
}

static void hold(struct access *access, struct item *item, const struct secret_row *row)
{
	AUTO(mem_freep)
	char *value = mem_printf("%s %lld", row->delivered ? VALUE_DELIVERED : VALUE_MADE,
			(long long)row->expires_ms);

	item_hold(access, item, row->id, value, NULL);
}

static void drop_hold(struct access *access, struct item *item, struct secret_row *row)
{
	item_release_hold(access, item, row->id);
	row->held = false;
}

/* value: "delivered EXPIRES_MS" */
static void load(struct access *access, struct item *item, const struct store_holding *holding)
{
	const char *space = holding->value ? strchr(holding->value, ' ') : NULL;
	struct secret_row *row = make_row(of(item), holding->part);

	(void)access;
	row->held = row->there = row->active = true;
	row->delivered = holding->value && text_starts_with(holding->value, VALUE_DELIVERED);
	if (space)
		(void)text_parse_int(space + 1, 0, INT64_MAX, &row->expires_ms);
}

/* ---- items ---- */

struct item *secret_item(struct access *access, const char *id, const char *name)
{
	AUTO(mem_freep) char *key = mem_printf("secret/%s", id);
	struct item *item = item_find(access, 0, key);
	struct secret_item *set;

	if (item)
		return item;
	set = mem_zalloc(sizeof(*set));
	set->item.class = &secret_class;
	set->item.id = mem_strdup(id);
	item_add(access, &set->item, key, name && *name ? name : id);
	return &set->item;
}

static const struct identity *identity_of(const struct access *access, const struct object *object)
{
	const struct want *want = object->node != NODE_NONE
			? desired_want(access->engine->desired, object->node)
			: NULL;

	return want ? want->identity : pass_listed(access->engine, object);
}

void secrets_principal_changed(struct access *access, const struct object *object)
{
	const struct identity *identity;
	char id[ID_TEXT_SIZE];
	struct item *item;

	if (object->kind != PRINCIPAL_SERVICE || object->target != 0 || !object->id ||
			!access->engine->settings->has_account)
		return;
	identity = identity_of(access, object);
	if (identity && identity->service && identity->service->has_secret)
		item = secret_item(access, id_text(object->id, id),
				object->fields[FIELD_DISPLAY_NAME]);
	else {
		AUTO(mem_freep) char *key = mem_printf("secret/%s", id_text(object->id, id));

		item = item_find(access, 0, key);
	}
	if (item)
		item_mark(access, item);
}

void secrets_resolve(struct access *access)
{
	const struct registry *registry = access->engine->registry;

	for (size_t i = 0; i < registry_count(registry); i++)
		secrets_principal_changed(access, registry_at(registry, i));
}

/* The wall clock may step: it is looked at again every minute at the latest. */
void secrets_tick(struct access *access)
{
	int64_t now = clock_wall_ms();

	for (vec_each (&access->items, item)) {
		struct secret_item *set = (*item)->class == &secret_class ? of(*item) : NULL;
		uint64_t wait;

		if (!set || !set->next_ms)
			continue;
		if (set->next_ms <= now) {
			set->next_ms = 0;
			item_want_read(access, *item);
			continue;
		}
		wait = (uint64_t)(set->next_ms - now) * 1000000;
		engine_tick_at(access->engine,
				clock_monotonic_ns() + (wait < MINUTE_NS ? wait : MINUTE_NS));
	}
}

/* ---- planning ---- */

struct secret_planner {
	struct access *access;
	struct secret_item *set;
	struct arena *arena;
	struct item_plan *plan;
	const struct object *object;     /* NULL: the service principal is not ours any more */
	const struct service_rule *rule; /* NULL: no secret is wanted */
	int64_t now_ms;
};

static bool is_usable(const struct secret_planner *p, const struct secret_row *row)
{
	int64_t due = row->expires_ms - p->rule->rotate_before_ms;

	return row->held && row->delivered && row->active && (!row->expires_ms || due > p->now_ms);
}

/* Of those that need no replacement the one that lasts longest. */
static const struct secret_row *find_current(const struct secret_planner *p)
{
	const struct secret_row *found = NULL;

	for (vec_each (&p->set->rows, row)) {
		if (!is_usable(p, row))
			continue;
		if (!found ||
				(found->expires_ms &&
						(!row->expires_ms ||
								row->expires_ms >
										found->expires_ms)))
			found = row;
	}
	return found;
}

static const char *sink_of(const struct secret_planner *p)
{
	struct sink_values values = {NULL, p->object->fields[FIELD_DISPLAY_NAME],
			p->object->fields[FIELD_APPLICATION_ID]};

	return sink_text(&p->rule->write_to, &values, p->arena);
}

static void add_creation(struct secret_planner *p)
{
	struct part_change *parts = arena_alloc(p->arena, 2 * sizeof(*parts));
	const char *sink = sink_of(p);
	char lifetime[CLOCK_TEXT_SIZE];
	struct operation *op;

	if (!sink) {
		p->plan->quarantine = arena_printf(p->arena,
				"the secret of service principal \"%s\" has no place yet: a value "
				"in `write_to` is not known",
				p->set->item.name);
		return;
	}
	clock_format_duration(p->rule->lifetime_ms, lifetime);
	parts[0] = (struct part_change){"lifetime", NULL, arena_strdup(p->arena, lifetime)};
	parts[1] = (struct part_change){"write to", NULL, sink};
	op = item_operation(
			&p->set->item, p->plan, OP_CREATE_RESOURCE, &p->rule->secret_why, p->arena);
	op->parts = parts;
	op->part_count = 2;
	item_operation_done(p->access, op, p->arena);
}

static void add_removal(struct secret_planner *p, const struct secret_row *row, bool guarded)
{
	struct part_change *part = arena_alloc(p->arena, sizeof(*part));
	struct operation *op = item_operation(&p->set->item, p->plan, OP_REMOVE_RESOURCE,
			p->rule ? &p->rule->secret_why : NULL, p->arena);

	*part = (struct part_change){"id", arena_strdup(p->arena, row->id), NULL};
	op->parts = part;
	op->part_count = 1;
	if (guarded)
		item_removes(op, GUARD_TOKENS,
				p->object && p->object->leaving ? p->object->key : NULL);
	item_operation_done(p->access, op, p->arena);
}

static void find_rule(struct secret_planner *p)
{
	const struct identity *identity;

	p->object = registry_find_id(p->access->engine->registry, 0, PRINCIPAL_SERVICE,
			id_parse(p->set->item.id));
	identity = p->object ? identity_of(p->access, p->object) : NULL;
	if (identity && identity->service && identity->service->has_secret && p->object->ours &&
			!p->object->leaving)
		p->rule = identity->service;
}

/* What replaces them was delivered; one that was not is of no use to anybody. */
static void plan_removals(struct secret_planner *p, const struct secret_row *current)
{
	bool known = engine_removals_allowed_at(p->access->engine, 0);

	for (vec_each (&p->set->rows, row)) {
		if (!row->held || row == current)
			continue;
		if (!row->delivered || current)
			add_removal(p, row, false);
		else if (!p->rule && known && p->object &&
				!access_is_unsure(p->access, 0, PRINCIPAL_SERVICE,
						object_name(p->object)))
			add_removal(p, row, true);
	}
}

static void plan(struct access *access, struct item *item, struct arena *arena,
		struct item_plan *ret)
{
	struct secret_planner p = {.access = access,
			.set = of(item),
			.arena = arena,
			.plan = ret,
			.now_ms = clock_wall_ms()};
	const struct secret_row *current;

	find_rule(&p);
	current = p.rule ? find_current(&p) : NULL;
	p.set->next_ms = p.rule && current && current->expires_ms
			? current->expires_ms - p.rule->rotate_before_ms
			: 0;
	plan_removals(&p, current);
	if (p.rule && !current)
		add_creation(&p);
	if (ret->operations.count && !item->observed)
		ret->wants_read = true;
	if (p.set->next_ms && access->engine->options.mode == ENGINE_RUN)
		engine_tick_at(access->engine, clock_monotonic_ns() + SECOND_NS);
	item->disposable = !p.rule && !count_held(item);
}

/* ---- reading ---- */

static void take(struct access *access, struct secret_item *set,
		const struct service_secret *secrets, size_t count)
{
	bool fresh = set->item.written_ns &&
			clock_monotonic_ns() - set->item.written_ns < READ_LAG_NS;

	for (vec_each (&set->rows, row))
		row->there = fresh && row->held;
	for (size_t i = 0; i < count; i++) {
		struct secret_row *row = make_row(set, secrets[i].id);

		row->there = true;
		row->active = service_secret_is_active(&secrets[i]);
		row->expires_ms = secrets[i].expires_ms;
	}
	for (vec_each (&set->rows, row)) {
		if (row->held && !row->there)
			drop_hold(access, &set->item, row);
	}
	sweep_rows(set);
}

static void listed(void *context, const void *items, size_t count, const struct err *err)
{
	struct item_work *work = context;
	struct secret_item *set = of(work->item);

	set->listing = NULL;
	if (!err)
		take(work->access, set, items, count);
	call_finish_unsent(work->engine->databricks, &work->call, err);
}

static bool read_next(struct item_work *work)
{
	struct secret_item *set = of(work->item);

	if (work->step > 0)
		return false;
	item_work_prepare(work);
	set->listing = service_secret_list_start(
			work->engine->databricks, 0, work->item->id, listed, work);
	return true;
}

/* ---- writing ---- */

/* One at a time, what deletes a spare one first: there may be five. */
static void choose(struct item_work *work, const struct item_plan *plan)
{
	for (vec_each (&plan->operations, op)) {
		if (work->ops.count == 0 && item_may_go(work, op))
			*vec_add(&work->ops) = *op;
	}
}

static void delivered(void *context, const struct err *err)
{
	struct item_work *work = context;

	of(work->item)->delivery = NULL;
	call_finish_unsent(work->engine->databricks, &work->call, err);
}

static enum sink_kind kind_of_sink(const struct item_work *work)
{
	struct secret_planner p = {.access = work->access, .set = of(work->item)};

	find_rule(&p);
	return p.rule ? p.rule->write_to.kind : SINK_FILE;
}

/* The holding is on its way before the secret is anywhere else: a crash leaves one to be deleted, not one to be lost. */
static bool deliver(struct item_work *work)
{
	struct secret_item *set = of(work->item);
	struct service_secret made;
	struct secret value = {0};
	struct secret_row *row;
	struct err err;

	if (service_secret_read_created(&work->call, work->arena, &made, &value, &err) !=
			ERR_NONE) {
		item_work_prepare(work);
		call_finish_unsent(work->engine->databricks, &work->call, &err);
		return true;
	}
	row = make_row(set, made.id);
	row->there = row->held = row->active = true;
	row->expires_ms = made.expires_ms;
	hold(work->access, work->item, row);
	records_flush(work->engine);
	work->scratch = arena_strdup(work->arena, made.id);
	item_work_prepare(work);
	set->delivery = sink_deliver(work->engine->loop, kind_of_sink(work),
			work->ops.items[0].parts[1].after, &value, delivered, work);
	secret_release(&value);
	return true;
}

static int64_t lifetime_s(const struct operation *op)
{
	int64_t lifetime_ms = 0;

	(void)clock_parse_duration(op->parts[0].after, &lifetime_ms);
	return lifetime_ms / 1000;
}

static bool write_next(struct item_work *work)
{
	const struct operation *op = &work->ops.items[0];
	bool creates = op->kind == OP_CREATE_RESOURCE;

	if (work->step == 0) {
		item_work_prepare(work);
		if (creates)
			service_secret_create(work->engine->databricks, &work->call, work->item->id,
					lifetime_s(op));
		else
			service_secret_delete(work->engine->databricks, &work->call, work->item->id,
					op->parts[0].before);
		return true;
	}
	if (creates && work->step == 1)
		return deliver(work);
	if (creates) {
		struct secret_row *row = find_row(of(work->item), work->scratch);

		if (row) {
			row->delivered = true;
			hold(work->access, work->item, row);
		}
	}
	return false;
}

static void settle(struct access *access, struct item *item, const struct operation *op)
{
	struct secret_row *row = op->kind == OP_REMOVE_RESOURCE
			? find_row(of(item), op->parts[0].before)
			: NULL;

	item->written_ns = clock_monotonic_ns();
	if (!row)
		return;
	drop_hold(access, item, row);
	row->there = false;
	sweep_rows(of(item));
}

static bool shows(struct item *item, const struct operation *op)
{
	return op->kind == OP_REMOVE_RESOURCE && !find_row(of(item), op->parts[0].before);
}

static void forget_all(struct item_work *work)
{
	for (vec_each (&of(work->item)->rows, row)) {
		if (row->held)
			drop_hold(work->access, work->item, row);
		row->there = false;
	}
	sweep_rows(of(work->item));
	work->item->read_wanted = false;
}

/* A secret that is gone is what was wanted. With the service principal its secrets are gone. */
static bool failed(struct item_work *work)
{
	if (work->call.code != ERR_NOT_FOUND)
		return false;
	if (work->stage == ITEM_READ)
		forget_all(work);
	return work->stage == ITEM_READ || work->ops.items[0].kind == OP_REMOVE_RESOURCE;
}

static int64_t due_ms(const struct access *access, const struct item *item)
{
	(void)access;
	return ((const struct secret_item *)item)->next_ms;
}

const struct item_class secret_class = {
		.resource = RESOURCE_SECRET,
		.rank = SECRET_RANK,
		.plan = plan,
		.read_next = read_next,
		.choose = choose,
		.write_next = write_next,
		.settle = settle,
		.failed = failed,
		.shows = shows,
		.load = load,
		.count_ours = count_held,
		.due_ms = due_ms,
		.cancel = cancel,
		.release = release,
};
