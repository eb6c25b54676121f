/* on_behalf_item -- which tokens are made and revoked, and how they are delivered. */
#include "sync/access/on_behalf_item.h"

#include "base/clock.h"
#include "base/text.h"
#include "databricks/token.h"
#include "sync/access/acl_item.h"
#include "sync/access/secret_sink.h"

#define ON_BEHALF_RANK 75
#define MINUTE_NS (60 * SECOND_NS)
#define RIGHT_WAIT_NS (SECOND_NS / 4)
#define VALUE_DELIVERED "delivered"
#define VALUE_MADE "made" /* and not delivered */
#define MARK "ldap2dbx "

struct behalf_row {
	char *id, *comment;
	int64_t made_ms, expires_ms; /* expires_ms 0: never */
	int64_t asked_ms; /* the lifetime that was asked for; what the workspace gives may be less */
	bool there, held, delivered;
};
struct behalf_item {
	struct item item; /* first; id: of the service principal */
	VEC(struct behalf_row) rows;
	int64_t next_ms; /* wall clock: a new one is due; 0: none */
	struct sink_delivery *delivery;
};

struct behalf_wish {
	node_id node;
	const struct grant_rule *
			grant; /* with tokens->on_behalf_of; borrowed until the next set of that node */
};
struct on_behalf_book {
	VEC(struct behalf_wish) wishes;
};

struct on_behalf_book *on_behalf_book_new(void)
{
	return mem_zalloc(sizeof(struct on_behalf_book));
}

void on_behalf_book_free(struct on_behalf_book *book)
{
	if (!book)
		return;
	vec_release(&book->wishes);
	mem_free(book);
}

static struct behalf_item *of(struct item *item)
{
	return (struct behalf_item *)item; /* item is its first member */
}

/* ---- rows ---- */

static struct behalf_row *find_row(struct behalf_item *set, const char *id)
{
	for (vec_each (&set->rows, row)) {
		if (text_equal(row->id, id))
			return row;
	}
	return NULL;
}

static struct behalf_row *make_row(struct behalf_item *set, const char *id)
{
	struct behalf_row *row = find_row(set, id);

	if (row)
		return row;
	row = vec_add(&set->rows);
	*row = (struct behalf_row){.id = mem_strdup(id)};
	return row;
}

static void row_release(struct behalf_row *row)
{
	mem_free(row->id);
	mem_free(row->comment);
}

static void sweep_rows(struct behalf_item *set)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->rows.count; i++) {
		if (set->rows.items[i].there || set->rows.items[i].held)
			set->rows.items[kept++] = set->rows.items[i];
		else
			row_release(&set->rows.items[i]);
	}
	set->rows.count = kept;
}

static void cancel(struct item *item)
{
	sink_cancel(STEAL(of(item)->delivery));
}

static void release(struct item *item)
{
	cancel(item);
	for (vec_each (&of(item)->rows, row))
		row_release(row);
	vec_release(&of(item)->rows);
}

static size_t count_held(const struct item *item)
{
	const struct behalf_item *set = (const struct behalf_item *)item;
	size_t count = 0;

	for (vec_each (&set->rows, row))
		count += row->held;
	return count;
}

static void hold(struct access *access, struct item *item, struct behalf_row *row)
{
	AUTO(mem_freep)
	char *value = mem_printf("%s %lld %lld %lld", row->delivered ? VALUE_DELIVERED : VALUE_MADE,
			(long long)row->expires_ms, (long long)row->made_ms,
			(long long)row->asked_ms);

	row->held = true;
	item_hold(access, item, row->id, value, NULL);
}

static void drop_hold(struct access *access, struct item *item, struct behalf_row *row)
{
	item_release_hold(access, item, row->id);
	row->held = false;
}

/* value: "delivered EXPIRES_MS MADE_MS ASKED_MS" */
static void load(struct access *access, struct item *item, const struct store_holding *holding)
{
	struct behalf_row *row = make_row(of(item), holding->part);
	int64_t *numbers[] = {&row->expires_ms, &row->made_ms, &row->asked_ms};
	AUTO(mem_freep) char *value = mem_strdup(holding->value ? holding->value : "");
	char *place = NULL;
	const char *word = strtok_r(value, " ", &place);

	(void)access;
	row->held = row->there = true;
	row->delivered = text_equal(word, VALUE_DELIVERED);
	for (size_t i = 0; word && i < COUNT_OF(numbers); i++) {
		word = strtok_r(NULL, " ", &place);
		if (word)
			(void)text_parse_int(word, 0, INT64_MAX, numbers[i]);
	}
}

/* ---- items ---- */

struct item *on_behalf_item(
		struct access *access, unsigned target, const char *id, const char *name)
{
	AUTO(mem_freep) char *key = mem_printf("on_behalf_token/%s", id);
	struct item *item = item_find(access, target, key);
	struct behalf_item *set;

	if (item)
		return item;
	set = mem_zalloc(sizeof(*set));
	set->item.class = &on_behalf_class;
	set->item.target = target;
	set->item.id = mem_strdup(id);
	item_add(access, &set->item, key, name && *name ? name : id);
	return &set->item;
}

/* A grant names a service principal by its application id or by its display name. */
static const struct object *principal_named(
		const struct access *access, unsigned target, const char *name)
{
	const struct registry *registry = access->engine->registry;
	unsigned home = access->engine->settings->has_account ? 0 : target;
	const struct object *found = access_principal(access, target, PRINCIPAL_SERVICE, name);

	if (found && found->id)
		return found;
	for (size_t i = 0; i < registry_count(registry); i++) {
		const struct object *object = registry_at(registry, i);

		if (object->target == home && object->kind == PRINCIPAL_SERVICE && object->id &&
				text_equal_folded(object->fields[FIELD_DISPLAY_NAME], name))
			return object;
	}
	return found;
}

static bool applies(const struct access *access, unsigned target, const struct behalf_wish *wish)
{
	const struct target_settings *settings = &access->engine->settings->targets[target];

	return !settings->is_account &&
			target_matches_any(settings, wish->grant->tokens->in,
					wish->grant->tokens->in_count);
}

static void want_for(
		struct access *access, const struct behalf_wish *wish, const struct object *object)
{
	const char *name = object->fields[FIELD_DISPLAY_NAME];
	char id[ID_TEXT_SIZE];

	for (unsigned target = 0; target < access->engine->settings->target_count; target++) {
		if (applies(access, target, wish) &&
				(target == object->target || object->target == 0))
			item_mark(access,
					on_behalf_item(access, target, id_text(object->id, id),
							name ? name : object_name(object)));
	}
}

/* Where the rule's principals live: the account, else each workspace. */
static void want_all(struct access *access, const struct behalf_wish *wish)
{
	const struct settings *settings = access->engine->settings;
	size_t homes = settings->has_account ? 1 : settings->target_count;

	for (unsigned home = 0; home < homes; home++) {
		const struct object *object = principal_named(access, home, wish->grant->name);

		if (object && object->id && object->target == home)
			want_for(access, wish, object);
	}
}

static void mark_items(struct access *access)
{
	for (vec_each (&access->items, item)) {
		if ((*item)->class == &on_behalf_class)
			item_mark(access, *item);
	}
}

void on_behalf_set_rules(
		struct access *access, node_id node, const struct grant_rule *rules, size_t count)
{
	struct on_behalf_book *book = access->on_behalf;
	size_t kept = 0, before = book->wishes.count;

	for (size_t i = 0; i < before; i++) {
		if (book->wishes.items[i].node != node)
			book->wishes.items[kept++] = book->wishes.items[i];
	}
	book->wishes.count = kept;
	for (size_t i = 0; i < count; i++) {
		if (!rules[i].tokens || !rules[i].tokens->on_behalf_of)
			continue;
		*vec_add(&book->wishes) = (struct behalf_wish){node, &rules[i]};
		want_all(access, &book->wishes.items[book->wishes.count - 1]);
	}
	if (kept != before)
		mark_items(access);
}

void on_behalf_principal_changed(struct access *access, const struct object *object)
{
	char id[ID_TEXT_SIZE];

	if (object->kind != PRINCIPAL_SERVICE || !object->id)
		return;
	(void)id_text(object->id, id);
	for (vec_each (&access->on_behalf->wishes, wish)) {
		if (principal_named(access, object->target, wish->grant->name) == object)
			want_for(access, wish, object);
	}
	for (vec_each (&access->items, item)) {
		if ((*item)->class == &on_behalf_class && text_equal((*item)->id, id))
			item_mark(access, *item);
	}
}

void on_behalf_resolve(struct access *access)
{
	for (vec_each (&access->on_behalf->wishes, wish))
		want_all(access, wish);
}

/* The wall clock may step: it is looked at again every minute at the latest. */
void on_behalf_tick(struct access *access)
{
	int64_t now = clock_wall_ms();

	for (vec_each (&access->items, item)) {
		struct behalf_item *set = (*item)->class == &on_behalf_class ? of(*item) : NULL;
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

/* NULL: no token of ours. */
static struct behalf_row *find_token(const struct access *access, unsigned target,
		const char *token_id, struct item **ret_item)
{
	for (vec_each (&access->items, item)) {
		struct behalf_row *row;

		if ((*item)->class != &on_behalf_class || (*item)->target != target)
			continue;
		row = find_row(of(*item), token_id);
		if (!row || !row->held)
			continue;
		*ret_item = *item;
		return row;
	}
	return NULL;
}

bool on_behalf_is_ours(const struct access *access, unsigned target, const char *token_id)
{
	struct item *item;

	return find_token(access, target, token_id, &item) != NULL;
}

void on_behalf_revoked(struct access *access, unsigned target, const char *token_id)
{
	struct item *item;
	struct behalf_row *row = find_token(access, target, token_id, &item);

	if (!row)
		return;
	drop_hold(access, item, row);
	item_want_read(access, item);
}

/* ---- planning ---- */

struct behalf_planner {
	struct access *access;
	struct behalf_item *set;
	struct arena *arena;
	struct item_plan *plan;
	const struct object *object;       /* NULL: not known (any more) */
	const struct grant_rule *grant;    /* NULL: no token is wanted */
	const struct on_behalf_rule *rule; /* of it */
	bool open; /* some rule's principal is not known yet: it may be this one */
	struct why why;
	int64_t now_ms;
};

/* Where several grants ask, the first one says how. */
static void find_rule(struct behalf_planner *p)
{
	const struct engine *engine = p->access->engine;
	unsigned target = p->set->item.target, home = engine->settings->has_account ? 0 : target;
	uint64_t id = id_parse(p->set->item.id);

	p->object = registry_find_id(engine->registry, home, PRINCIPAL_SERVICE, id);
	for (vec_each (&p->access->on_behalf->wishes, wish)) {
		const struct object *object;

		if (!applies(p->access, target, wish))
			continue;
		object = principal_named(p->access, target, wish->grant->name);
		if (!object || !object->id)
			p->open = true;
		else if (object->id == id && !object->leaving && !p->grant) {
			p->object = object;
			p->grant = wish->grant;
		}
	}
	if (!p->grant)
		return;
	p->rule = p->grant->tokens->on_behalf_of;
	p->why = p->grant->tokens->why;
	if (!p->why.entry)
		p->why.entry = p->grant->why.entry;
}

/*
 * When the row is to be replaced. A workspace may give less than what was asked for; less than rotate_before, even: then it
 * is a third of what it gave, lest each were due as soon as it is made.
 */
static int64_t due_of(const struct behalf_planner *p, const struct behalf_row *row)
{
	int64_t life = row->expires_ms - row->made_ms;
	bool cut = row->asked_ms == p->rule->lifetime_ms && life <= p->rule->rotate_before_ms;

	return row->expires_ms - (cut ? life / 3 : p->rule->rotate_before_ms);
}

/* Of those that need no replacement the one that lasts longest. */
static const struct behalf_row *find_current(const struct behalf_planner *p)
{
	const struct behalf_row *found = NULL;

	for (vec_each (&p->set->rows, row)) {
		if (!row->held || !row->delivered ||
				(row->expires_ms && due_of(p, row) <= p->now_ms))
			continue;
		if (!found || !row->expires_ms ||
				(found->expires_ms && row->expires_ms > found->expires_ms))
			found = row;
	}
	return found;
}

static const char *find_replaced(const struct behalf_planner *p)
{
	const struct behalf_row *last = NULL;

	for (vec_each (&p->set->rows, row)) {
		if (row->held && row->delivered && (!last || row->made_ms > last->made_ms))
			last = row;
	}
	return last ? arena_strdup(p->arena, last->id) : NULL;
}

static const char *sink_of(const struct behalf_planner *p)
{
	const struct settings *settings = p->access->engine->settings;
	struct sink_values values = {settings->targets[p->set->item.target].name,
			p->object->fields[FIELD_DISPLAY_NAME],
			p->object->fields[FIELD_APPLICATION_ID]};

	return sink_text(&p->rule->write_to, &values, p->arena);
}

/* What it replaces is part of it, so that no two operations that make a token have the same id. */
static void add_creation(struct behalf_planner *p)
{
	struct part_change *parts = arena_alloc(p->arena, 3 * sizeof(*parts));
	const char *sink = sink_of(p);
	char lifetime[CLOCK_TEXT_SIZE];
	struct operation *op;

	if (!sink) {
		p->plan->quarantine = arena_printf(p->arena,
				"the token for service principal \"%s\" has no place yet: a value "
				"in `write_to` is not known",
				p->set->item.name);
		return;
	}
	clock_format_duration(p->rule->lifetime_ms, lifetime);
	parts[0] = (struct part_change){"lifetime", NULL, arena_strdup(p->arena, lifetime)};
	parts[1] = (struct part_change){"write to", NULL, sink};
	parts[2] = (struct part_change){"replaces", find_replaced(p), NULL};
	op = item_operation(&p->set->item, p->plan, OP_CREATE_RESOURCE, &p->why, p->arena);
	op->parts = parts;
	op->part_count = parts[2].before ? 3 : 2;
	item_operation_done(p->access, op, p->arena);
}

static void add_removal(struct behalf_planner *p, const struct behalf_row *row, bool guarded)
{
	struct part_change *part = arena_alloc(p->arena, sizeof(*part));
	struct operation *op = item_operation(&p->set->item, p->plan, OP_REMOVE_RESOURCE,
			p->grant ? &p->why : NULL, p->arena);

	*part = (struct part_change){"id", arena_strdup(p->arena, row->id), NULL};
	op->parts = part;
	op->part_count = 1;
	if (guarded)
		item_removes(op, GUARD_TOKENS,
				p->object && p->object->leaving ? p->object->key : NULL);
	item_operation_done(p->access, op, p->arena);
}

static bool may_remove(const struct behalf_planner *p)
{
	unsigned target = p->set->item.target;

	return !p->rule && !p->open && engine_removals_allowed_at(p->access->engine, target) &&
			!(p->object &&
					access_is_unsure(p->access, target, PRINCIPAL_SERVICE,
							object_name(p->object)));
}

/* What replaces them was delivered; one that was not is of no use to anybody. */
static void plan_removals(struct behalf_planner *p, const struct behalf_row *current)
{
	for (vec_each (&p->set->rows, row)) {
		if (!row->held || row == current)
			continue;
		if (!row->delivered || current)
			add_removal(p, row, false);
		else if (may_remove(p))
			add_removal(p, row, true);
	}
}

static void plan_creation(struct behalf_planner *p)
{
	if (p->object->fields[FIELD_APPLICATION_ID] &&
			access_principal_is_there(p->access, p->set->item.target, PRINCIPAL_SERVICE,
					object_name(p->object)))
		add_creation(p);
	else
		p->plan->pending = true;
}

static void plan(struct access *access, struct item *item, struct arena *arena,
		struct item_plan *ret)
{
	struct behalf_planner p = {.access = access,
			.set = of(item),
			.arena = arena,
			.plan = ret,
			.now_ms = clock_wall_ms()};
	const struct behalf_row *current;

	find_rule(&p);
	current = p.rule ? find_current(&p) : NULL;
	p.set->next_ms = current && current->expires_ms ? due_of(&p, current) : 0;
	plan_removals(&p, current);
	if (p.rule && !current)
		plan_creation(&p);
	if (ret->operations.count && !item->observed)
		ret->wants_read = true;
	if (p.set->next_ms && access->engine->options.mode == ENGINE_RUN)
		engine_tick_at(access->engine, clock_monotonic_ns() + SECOND_NS);
	item->disposable = !p.rule && !count_held(item);
}

/* ---- reading ---- */

static void take_row(struct behalf_item *set, const struct token_info *info)
{
	struct behalf_row *row = make_row(set, info->id);

	row->there = true;
	mem_free(row->comment);
	row->comment = mem_strdup_or_null(info->comment);
	row->made_ms = info->created_ms;
	if (info->expires_ms)
		row->expires_ms = info->expires_ms > 0 ? info->expires_ms : 0;
}

static void take(struct access *access, struct behalf_item *set, const struct token_info *infos,
		size_t count)
{
	bool fresh = set->item.written_ns &&
			clock_monotonic_ns() - set->item.written_ns < READ_LAG_NS;
	uint64_t owner = id_parse(set->item.id);

	for (vec_each (&set->rows, row))
		row->there = fresh && row->held;
	for (size_t i = 0; i < count; i++) {
		if (infos[i].owner_id && id_parse(infos[i].owner_id) == owner)
			take_row(set, &infos[i]);
	}
	for (vec_each (&set->rows, row)) {
		if (row->held && !row->there)
			drop_hold(access, &set->item, row);
	}
	sweep_rows(set);
}

/* An intent's stray is ours from now on, and was not delivered: the next plan revokes it. */
static void claim_strays(struct item_work *work)
{
	const struct engine *engine = work->engine;
	struct behalf_item *set = of(work->item);

	for (vec_each (&engine->intents, intent)) {
		const struct operation *op = &(*intent)->op;
		AUTO(mem_freep) char *mark = mem_printf("%s%s", MARK, op->id);

		if (op->resource != RESOURCE_ON_BEHALF_TOKEN || op->target != set->item.target ||
				!text_equal(op->object.key, set->item.key))
			continue;
		for (vec_each (&set->rows, row)) {
			if (!row->held && text_equal(row->comment, mark))
				hold(work->access, work->item, row);
		}
	}
}

static bool read_next(struct item_work *work)
{
	const struct token_info *infos;
	struct err err;
	size_t count;

	if (work->step == 0) {
		item_work_prepare(work);
		token_list(work->engine->databricks, &work->call);
		return true;
	}
	if (token_list_read(&work->call, work->arena, &infos, &count, &err) != ERR_NONE) {
		item_retry_later(work->access, work->item, &err);
		return false;
	}
	take(work->access, of(work->item), infos, count);
	claim_strays(work);
	return false;
}

/* ---- writing ---- */

/* The right to use tokens is given by an item of its own: a token is refused before that went through. */
static bool rights_are_under_way(const struct access *access, unsigned target)
{
	if (!access_is_ready(access))
		return true;
	for (vec_each (&access->items, place)) {
		const struct item *item = *place;

		if (item->class == &acl_class && item->target == target &&
				item->securable == SECURABLE_AUTHORIZATION &&
				!item->quarantined_ms &&
				(item->dirty || item->ready || item->delayed || item->work))
			return true;
	}
	return false;
}

/* One at a time, what revokes a spare one first. */
static void choose(struct item_work *work, const struct item_plan *plan)
{
	for (vec_each (&plan->operations, op)) {
		if (work->ops.count || !item_may_go(work, op))
			continue;
		if (op->kind == OP_CREATE_RESOURCE &&
				rights_are_under_way(work->access, work->item->target)) {
			item_delay(work->access, work->item, RIGHT_WAIT_NS);
			return;
		}
		*vec_add(&work->ops) = *op;
	}
}

static void delivered(void *context, const struct err *err)
{
	struct item_work *work = context;

	of(work->item)->delivery = NULL;
	call_finish_unsent(work->engine->databricks, &work->call, err);
}

static void find_work_rule(const struct item_work *work, struct behalf_planner *ret)
{
	*ret = (struct behalf_planner){.access = work->access, .set = of(work->item)};
	find_rule(ret);
}

static int64_t lifetime_ms(const struct operation *op)
{
	int64_t lifetime = 0;

	(void)clock_parse_duration(op->parts[0].after, &lifetime);
	return lifetime;
}

static bool create(struct item_work *work)
{
	const struct operation *op = &work->ops.items[0];
	struct behalf_planner p;
	struct token_wish wish = {.lifetime_s = lifetime_ms(op) / 1000,
			.comment = arena_printf(work->arena, "%s%s", MARK, op->id)};

	find_work_rule(work, &p);
	if (p.object)
		wish.application_id =
				arena_strdup(work->arena, p.object->fields[FIELD_APPLICATION_ID]);
	token_create_on_behalf(work->engine->databricks, &work->call, &wish);
	return true;
}

/* The holding is on its way before the token is anywhere else: a crash leaves one to be revoked, not one to be lost. */
static bool deliver(struct item_work *work)
{
	struct behalf_item *set = of(work->item);
	struct behalf_planner p;
	struct token_info made;
	struct secret value = {0};
	struct behalf_row *row;
	struct err err;

	if (token_read_created(&work->call, work->arena, &made, &value, &err) != ERR_NONE) {
		err.effect_unknown = true;
		item_work_prepare(work);
		call_finish_unsent(work->engine->databricks, &work->call, &err);
		return true;
	}
	row = make_row(set, made.id);
	row->there = true;
	row->made_ms = made.created_ms ? made.created_ms : clock_wall_ms();
	row->expires_ms = made.expires_ms > 0 ? made.expires_ms : 0;
	row->asked_ms = lifetime_ms(&work->ops.items[0]);
	hold(work->access, work->item, row);
	records_flush(work->engine);
	work->scratch = arena_strdup(work->arena, made.id);
	find_work_rule(work, &p);
	item_work_prepare(work);
	set->delivery = sink_deliver(work->engine->loop, p.rule ? p.rule->write_to.kind : SINK_FILE,
			work->ops.items[0].parts[1].after, &value, delivered, work);
	secret_release(&value);
	return true;
}

static bool write_next(struct item_work *work)
{
	const struct operation *op = &work->ops.items[0];
	bool creates = op->kind == OP_CREATE_RESOURCE;
	struct behalf_row *row;

	if (work->step == 0) {
		item_work_prepare(work);
		if (creates)
			return create(work);
		token_delete(work->engine->databricks, &work->call, op->parts[0].before);
		return true;
	}
	if (creates && work->step == 1)
		return deliver(work);
	row = creates ? find_row(of(work->item), work->scratch) : NULL;
	if (row) {
		row->delivered = true;
		hold(work->access, work->item, row);
	}
	return false;
}

static void settle(struct access *access, struct item *item, const struct operation *op)
{
	struct behalf_row *row = op->kind == OP_REMOVE_RESOURCE
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
	AUTO(mem_freep) char *mark = mem_printf("%s%s", MARK, op->id);

	if (op->kind == OP_REMOVE_RESOURCE)
		return !find_row(of(item), op->parts[0].before);
	for (vec_each (&of(item)->rows, row)) {
		if (text_equal(row->comment, mark))
			return true;
	}
	return false;
}

/* Says what is to be done about a refusal; a token that is gone is what was wanted. */
static bool failed(struct item_work *work)
{
	struct err *err = &work->call.err;
	bool creates = work->stage == ITEM_WRITE && work->ops.items[0].kind == OP_CREATE_RESOURCE;

	if (work->stage != ITEM_WRITE)
		return false;
	if (!creates)
		return work->call.code == ERR_NOT_FOUND;
	if (work->scratch)
		return false; /* it was made: the place that it goes to is to blame */
	if (err->code == ERR_DENIED)
		(void)err_context(err,
				"service principal \"%s\" needs CAN_USE on "
				"authorization/tokens there before it can have a token (`tokens: "
				"{use: true}`)",
				work->item->name);
	else if (err->code == ERR_NOT_FOUND)
		(void)err_context(err,
				"the workspace must know service principal \"%s\" before it "
				"can have a token there (`workspaces:`)",
				work->item->name);
	else if (err->code == ERR_UNSUPPORTED)
		(void)err_context(err,
				"this workspace makes no tokens on behalf of service "
				"principals");
	return false;
}

static int64_t due_ms(const struct access *access, const struct item *item)
{
	(void)access;
	return ((const struct behalf_item *)item)->next_ms;
}

const struct item_class on_behalf_class = {
		.resource = RESOURCE_ON_BEHALF_TOKEN,
		.rank = ON_BEHALF_RANK,
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
