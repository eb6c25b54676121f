/* rule_set_item -- which roles on groups and service principals are given, adopted and taken back, and how. */
#include "sync/access/rule_set_item.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "databricks/rule_set.h"
#include "sync/access/acl_item.h"

#define RULE_SET_RANK 60
#define SECOND_LOOK_NS (2 * SECOND_NS)

/* One grant's role on one group or service principal. All but node borrowed until the next set of that node. */
struct rule_want {
	node_id node;
	enum principal_kind of_kind;
	const char *of_name;
	const char *role;
	const struct grant_rule *grant;
};
struct rule_book {
	VEC(struct rule_want) wants;
};

/* One principal in one role. */
struct rule_row {
	char *key;  /* "roles/group.manager/group/FOLDED NAME" */
	char *role; /* "roles/group.manager" */
	enum principal_kind kind;
	char *name;
	bool there; /* as read or written */
	bool held;  /* ours */
};
struct rule_set_item {
	struct item item; /* first */
	enum principal_kind of_kind;
	VEC(struct rule_row) rows;
};

struct rule_book *rule_book_new(void)
{
	return mem_zalloc(sizeof(struct rule_book));
}

void rule_book_free(struct rule_book *book)
{
	if (!book)
		return;
	vec_release(&book->wants);
	mem_free(book);
}

static struct rule_set_item *of(struct item *item)
{
	return (struct rule_set_item *)item; /* item is its first member */
}

/* ---- rows ---- */

static char *row_key(const char *role, enum principal_kind kind, const char *name)
{
	AUTO(mem_freep) char *principal = access_principal_key(kind, name);

	return mem_printf("%s/%s", role, principal);
}

static struct rule_row *find_row(struct rule_set_item *set, const char *key)
{
	for (vec_each (&set->rows, row)) {
		if (text_equal(row->key, key))
			return row;
	}
	return NULL;
}

static struct rule_row *make_row(struct rule_set_item *set, const char *role,
		enum principal_kind kind, const char *name)
{
	char *key = row_key(role, kind, name);
	struct rule_row *row = find_row(set, key);

	if (row) {
		mem_free(key);
		return row;
	}
	row = vec_add(&set->rows);
	*row = (struct rule_row){.key = key,
			.role = mem_strdup(role),
			.kind = kind,
			.name = mem_strdup(name)};
	return row;
}

static void row_release(struct rule_row *row)
{
	mem_free(row->key);
	mem_free(row->role);
	mem_free(row->name);
}

static void sweep_rows(struct rule_set_item *set)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->rows.count; i++) {
		struct rule_row *row = &set->rows.items[i];

		if (row->there || row->held)
			set->rows.items[kept++] = *row;
		else
			row_release(row);
	}
	set->rows.count = kept;
}

static void release(struct item *item)
{
	for (vec_each (&of(item)->rows, row))
		row_release(row);
	vec_release(&of(item)->rows);
}

static size_t count_held(const struct item *item)
{
	const struct rule_set_item *set = (const struct rule_set_item *)item;
	size_t count = 0;

	for (vec_each (&set->rows, row))
		count += row->held;
	return count;
}

/* ---- whose rule set ---- */

static const struct object *service_by_display_name(
		const struct registry *registry, const char *name)
{
	for (size_t i = 0; i < registry_count(registry); i++) {
		const struct object *object = registry_at(registry, i);

		if (object->target == 0 && object->kind == PRINCIPAL_SERVICE && object->id &&
				text_equal_folded(object->fields[FIELD_DISPLAY_NAME], name))
			return object;
	}
	return NULL;
}

static const char *id_of_object(const struct object *object, struct arena *arena)
{
	char id[ID_TEXT_SIZE];

	if (!object || !object->id)
		return NULL;
	if (object->kind == PRINCIPAL_SERVICE)
		return arena_strdup(arena, object->fields[FIELD_APPLICATION_ID]);
	return arena_strdup(arena, id_text(object->id, id));
}

static const char *id_of_foreign(const struct foreign *foreign, struct arena *arena)
{
	char id[ID_TEXT_SIZE];

	if (!foreign)
		return NULL;
	return arena_strdup(arena,
			foreign->kind == PRINCIPAL_SERVICE ? foreign->name
							   : id_text(foreign->id, id));
}

/* The id that its rule set is named by; in arena; NULL: not known (yet). */
static const char *find_id(const struct access *access, enum principal_kind kind, const char *name,
		struct arena *arena)
{
	const struct registry *registry = access->engine->registry;
	const char *id = id_of_object(access_principal(access, 0, kind, name), arena);
	bool several;

	if (!id)
		id = id_of_foreign(registry_foreign_by_name(registry, 0, kind, name), arena);
	if (id || kind != PRINCIPAL_SERVICE)
		return id;
	id = id_of_object(service_by_display_name(registry, name), arena);
	return id ? id
		  : id_of_foreign(registry_foreign_service(registry, 0, name, &several), arena);
}

static struct item *find_by_id(const struct access *access, const char *id)
{
	for (vec_each (&access->items, item)) {
		if ((*item)->class == &rule_set_class && text_equal((*item)->id, id))
			return *item;
	}
	return NULL;
}

static struct item *make_item(
		struct access *access, enum principal_kind kind, const char *id, const char *name)
{
	AUTO(mem_freep) char *principal = access_principal_key(kind, name);
	AUTO(mem_freep) char *key = mem_printf("rule_set/%s", principal);
	struct item *item = id ? find_by_id(access, id) : NULL;
	struct rule_set_item *set;

	item = item ? item : item_find(access, 0, key);
	if (item)
		return item;
	set = mem_zalloc(sizeof(*set));
	set->item.class = &rule_set_class;
	set->item.id = mem_strdup_or_null(id);
	set->of_kind = kind;
	item_add(access, &set->item, key, name);
	return &set->item;
}

struct item *rule_set_item(struct access *access, const char *id, const char *name)
{
	return make_item(access, id_parse(id) ? PRINCIPAL_GROUP : PRINCIPAL_SERVICE, id, name);
}

/* ---- rules ---- */

static void mark_all(struct access *access)
{
	for (vec_each (&access->items, item)) {
		if ((*item)->class == &rule_set_class)
			item_mark(access, *item);
	}
}

static void resolve(struct access *access, const struct rule_want *want)
{
	struct arena *arena = arena_new();
	const char *id = find_id(access, want->of_kind, want->of_name, arena);
	struct item *item = make_item(access, want->of_kind, id, want->of_name);

	if (id && !item->id) {
		item->id = mem_strdup(id);
		item->observed = false;
		item_want_read(access, item);
	}
	arena_free(arena);
}

void rule_sets_resolve(struct access *access)
{
	for (vec_each (&access->rules->wants, want))
		resolve(access, want);
}

void rule_sets_principal_changed(struct access *access, const struct object *object)
{
	if (object->kind == PRINCIPAL_USER || access->rules->wants.count == 0)
		return;
	for (vec_each (&access->rules->wants, want)) {
		if (want->of_kind == object->kind &&
				(text_equal_folded(want->of_name, object_name(object)) ||
						text_equal_folded(want->of_name,
								object->fields[FIELD_DISPLAY_NAME])))
			resolve(access, want);
	}
	/* One that is named by its display name has its application id now. */
	if (object->kind == PRINCIPAL_SERVICE)
		mark_all(access);
}

static void add_wants(struct rule_book *book, struct rule_want want, const char *const *names,
		size_t count)
{
	for (size_t i = 0; i < count; i++) {
		want.of_name = names[i];
		*vec_add(&book->wants) = want;
	}
}

void rule_sets_set_rules(
		struct access *access, node_id node, const struct grant_rule *rules, size_t count)
{
	struct rule_book *book = access->rules;
	size_t kept = 0, before = book->wants.count;

	if (!access->engine->settings->has_account)
		return;
	for (size_t i = 0; i < before; i++) {
		if (book->wants.items[i].node != node)
			book->wants.items[kept++] = book->wants.items[i];
	}
	book->wants.count = kept;
	for (size_t i = 0; i < count; i++) {
		const struct grant_rule *rule = &rules[i];
		struct rule_want want = {.node = node, .grant = rule};

		want.of_kind = PRINCIPAL_GROUP;
		want.role = ROLE_GROUP_MANAGER;
		add_wants(book, want, rule->manages_groups, rule->manages_group_count);
		want.of_kind = PRINCIPAL_SERVICE;
		want.role = ROLE_SERVICE_MANAGER;
		add_wants(book, want, rule->manages_services, rule->manages_service_count);
		want.role = ROLE_SERVICE_USER;
		add_wants(book, want, rule->uses_services, rule->uses_service_count);
	}
	if (kept == before && before == book->wants.count)
		return;
	rule_sets_resolve(access);
	mark_all(access);
}

/* ---- planning ---- */

struct rule_planner {
	struct access *access;
	struct rule_set_item *set;
	struct arena *arena;
	struct item_plan *plan;
	const struct rule_want **wants; /* of this rule set */
	size_t count;
};

static bool is_of(const struct rule_planner *p, const struct rule_want *want)
{
	const struct item *item = &p->set->item;
	const char *id;

	if (want->of_kind != p->set->of_kind)
		return false;
	id = find_id(p->access, want->of_kind, want->of_name, p->arena);
	if (id || item->id)
		return text_equal(id, item->id);
	return text_equal_folded(want->of_name, item->name);
}

static void find_wants(struct rule_planner *p)
{
	const struct rule_book *book = p->access->rules;

	p->wants = arena_alloc(p->arena, (book->wants.count + 1) * sizeof(*p->wants));
	for (size_t i = 0; i < book->wants.count; i++) {
		if (is_of(p, &book->wants.items[i]))
			p->wants[p->count++] = &book->wants.items[i];
	}
}

/* Rule sets name a service principal by its application id, rules perhaps by its display name. */
static const char *grantee(const struct rule_planner *p, const struct grant_rule *grant)
{
	const char *id = grant->kind == PRINCIPAL_SERVICE
			? find_id(p->access, grant->kind, grant->name, p->arena)
			: NULL;

	return id ? id : grant->name;
}

static const struct rule_want *find_want(const struct rule_planner *p, const struct rule_row *row)
{
	for (size_t i = 0; i < p->count; i++) {
		if (text_equal(p->wants[i]->role, row->role) &&
				p->wants[i]->grant->kind == row->kind &&
				text_equal_folded(grantee(p, p->wants[i]->grant), row->name))
			return p->wants[i];
	}
	return NULL;
}

static const char *leaver_key(
		const struct rule_planner *p, enum principal_kind kind, const char *name)
{
	const struct object *object = access_principal(p->access, 0, kind, name);

	return object && object->leaving && kind != PRINCIPAL_GROUP ? object->key : NULL;
}

static bool is_untouchable(const struct rule_planner *p, const struct rule_row *row)
{
	return plan_is_protected(p->access->engine->settings, row->kind, row->name);
}

static struct operation *add_operation(struct rule_planner *p, enum operation_kind kind,
		const char *role, enum principal_kind principal, const char *name)
{
	AUTO(mem_freep) char *key = access_principal_key(principal, name);
	struct operation *op = item_operation(&p->set->item, p->plan, kind, NULL, p->arena);
	struct principal_ref *members = arena_alloc(p->arena, sizeof(*members));
	const char **levels = arena_alloc(p->arena, sizeof(*levels));

	members[0] = (struct principal_ref){
			arena_strdup(p->arena, key), NULL, arena_strdup(p->arena, name)};
	levels[0] = arena_strdup(p->arena, role);
	op->object.name = arena_printf(
			p->arena, "%s %s", principal_kind_name(p->set->of_kind), p->set->item.name);
	op->members = members;
	op->values = levels;
	op->member_count = op->value_count = 1;
	return op;
}

static void plan_want(struct rule_planner *p, const struct rule_want *want)
{
	const struct grant_rule *grant = want->grant;
	const char *name = grantee(p, grant);
	AUTO(mem_freep) char *key = row_key(want->role, grant->kind, name);
	const struct rule_row *row = find_row(p->set, key);
	struct operation *op;

	if ((row && row->there && row->held) || leaver_key(p, grant->kind, name))
		return;
	op = add_operation(p, OP_SET_PERMISSIONS, want->role, grant->kind, name);
	op->adopts = row && row->there;
	op->why = grant->why;
	op->why.entry = arena_strdup(p->arena, grant->why.entry);
	item_operation_done(p->access, op, p->arena);
}

static bool is_repeated(const struct rule_planner *p, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (text_equal(p->wants[i]->role, p->wants[at]->role) &&
				p->wants[i]->grant->kind == p->wants[at]->grant->kind &&
				text_equal_folded(p->wants[i]->grant->name,
						p->wants[at]->grant->name))
			return true;
	}
	return false;
}

static void plan_removals(struct rule_planner *p)
{
	for (vec_each (&p->set->rows, row)) {
		const struct rule_want *want = find_want(p, row);
		const char *leaver = leaver_key(p, row->kind, row->name);
		struct operation *op;

		if (!row->held || (want && !leaver) || is_untouchable(p, row) ||
				access_is_unsure(p->access, 0, row->kind, row->name))
			continue;
		op = add_operation(p, OP_REMOVE_PERMISSIONS, row->role, row->kind, row->name);
		if (want)
			op->why = want->grant->why;
		item_removes(op, GUARD_PERMISSIONS, leaver);
		item_operation_done(p->access, op, p->arena);
	}
}

/* Neither there nor about to be made. */
static bool is_unknown(const struct rule_planner *p)
{
	const struct item *item = &p->set->item;

	return !item->id && engine_removals_allowed_at(p->access->engine, 0) &&
			!access_principal(p->access, 0, p->set->of_kind, item->name);
}

static void plan(struct access *access, struct item *item, struct arena *arena,
		struct item_plan *ret)
{
	struct rule_planner p = {.access = access, .set = of(item), .arena = arena, .plan = ret};

	find_wants(&p);
	if (p.count && is_unknown(&p)) {
		ret->quarantine = arena_printf(arena,
				"%s:%u: %s \"%s\" is not in the account; nobody can be made its "
				"manager or user",
				p.wants[0]->grant->why.file, p.wants[0]->grant->why.line,
				principal_kind_name(p.set->of_kind), item->name);
		return;
	}
	for (size_t i = 0; i < p.count; i++) {
		if (!is_repeated(&p, i))
			plan_want(&p, p.wants[i]);
	}
	if (engine_removals_allowed_at(access->engine, 0))
		plan_removals(&p);
	if (ret->operations.count && item->id && !item->observed)
		ret->wants_read = true;
	item->disposable = !p.count && !count_held(item);
}

/* ---- reading ---- */

static struct rule_set_of name_of(const struct item *item)
{
	return (struct rule_set_of){((const struct rule_set_item *)item)->of_kind == PRINCIPAL_GROUP
					? RULE_SET_GROUP
					: RULE_SET_SERVICE,
			item->id};
}

static bool has_entry(const struct rule_set *have, const struct rule_row *row)
{
	for (size_t i = 0; i < have->grant_count; i++) {
		const struct rule_grant *grant = &have->grants[i];

		for (size_t j = 0; j < grant->principals.count; j++) {
			enum principal_kind kind;
			const char *name;

			if (text_equal(grant->role, row->role) &&
					rule_principal_parse(
							grant->principals.items[j], &kind, &name) &&
					kind == row->kind && text_equal_folded(name, row->name))
				return true;
		}
	}
	return false;
}

static uint64_t difference(const struct rule_set_item *set, const struct rule_set *have)
{
	uint64_t digest = 0;

	for (vec_each (&set->rows, row)) {
		if (row->held && !has_entry(have, row))
			digest = digest * 31 + digest_quick(span_of(row->key));
	}
	return digest ? digest | 1 : 0;
}

static void drop_hold(struct access *access, struct rule_set_item *set, struct rule_row *row)
{
	item_release_hold(access, &set->item, row->key);
	row->held = false;
}

static void take(struct access *access, struct rule_set_item *set, const struct rule_set *have)
{
	for (vec_each (&set->rows, row))
		row->there = false;
	for (size_t i = 0; i < have->grant_count; i++) {
		const struct rule_grant *grant = &have->grants[i];

		for (size_t j = 0; j < grant->principals.count; j++) {
			enum principal_kind kind;
			const char *name;

			if (rule_principal_parse(grant->principals.items[j], &kind, &name))
				make_row(set, grant->role, kind, name)->there = true;
		}
	}
	for (vec_each (&set->rows, row)) {
		/* Somebody else took it away: what is wanted is planned anew. */
		if (row->held && !row->there)
			drop_hold(access, set, row);
	}
	sweep_rows(set);
}

static bool read_next(struct item_work *work)
{
	struct item *item = work->item;
	struct rule_set_of name = name_of(item);
	bool fresh = item->written_ns && clock_monotonic_ns() - item->written_ns < READ_LAG_NS;
	struct rule_set have;
	uint64_t differs;
	struct err err;

	if (!item->id)
		return false; /* nothing to read yet */
	if (work->step == 0) {
		item_work_prepare(work);
		rule_set_get(work->engine->databricks, &work->call, &name, NULL);
		return true;
	}
	if (rule_set_read(&work->call, work->arena, &have, &err) != ERR_NONE) {
		item_retry_later(work->access, item, &err);
		return false;
	}
	differs = difference(of(item), &have);
	if (differs && fresh)
		return false;
	if (differs && item->suspect != differs) {
		item->suspect = differs;
		item_delay(work->access, item, SECOND_LOOK_NS);
		return false;
	}
	if (differs)
		log_event(LOG_NOTICE, "drift: a rule set changed in Databricks by another hand",
				{"item", item->key}, {"name", item->name});
	item->suspect = 0;
	take(work->access, of(item), &have);
	return false;
}

/* ---- writing ---- */

static void choose(struct item_work *work, const struct item_plan *plan)
{
	for (vec_each (&plan->operations, op)) {
		enum principal_kind kind = acl_kind_of_key(op->members[0].key);

		if (!item_may_go(work, op))
			continue;
		if (op->adopts)
			item_done_without_call(work, op);
		else if (!work->item->id)
			continue; /* it is told of when it is there */
		else if (op->kind == OP_REMOVE_PERMISSIONS ||
				access_principal_is_there(
						work->access, 0, kind, op->members[0].name))
			*vec_add(&work->ops) = *op;
		else
			item_wait_for(work->access, work->item, op->members[0].key);
	}
}

static bool concerns(const struct operation *op, const char *role, const char *principal)
{
	enum principal_kind kind;
	const char *name;

	return text_equal(op->values[0], role) && rule_principal_parse(principal, &kind, &name) &&
			kind == acl_kind_of_key(op->members[0].key) &&
			text_equal_folded(name, op->members[0].name);
}

static bool is_touched(const struct item_work *work, const char *role, const char *principal)
{
	for (vec_each (&work->ops, op)) {
		if (concerns(op, role, principal))
			return true;
	}
	return false;
}

static const struct texts *one_text(struct arena *arena, const char *text)
{
	struct texts *texts = arena_alloc(arena, sizeof(*texts));
	const char **items = arena_alloc(arena, sizeof(*items));

	items[0] = text;
	*texts = (struct texts){items, 1};
	return texts;
}

/* All that is there but what our operations are about, then what they give: rules of one role become one when sent. */
static void merge(struct item_work *work, struct rule_set *set)
{
	size_t room = work->ops.count + 1, count = 0;
	struct rule_grant *grants;

	for (size_t i = 0; i < set->grant_count; i++)
		room += set->grants[i].principals.count;
	grants = arena_alloc(work->arena, room * sizeof(*grants));
	for (size_t i = 0; i < set->grant_count; i++) {
		const struct rule_grant *grant = &set->grants[i];

		for (size_t j = 0; j < grant->principals.count; j++) {
			if (!is_touched(work, grant->role, grant->principals.items[j]))
				grants[count++] = (struct rule_grant){grant->role,
						*one_text(work->arena, grant->principals.items[j])};
		}
	}
	for (vec_each (&work->ops, op)) {
		if (op->kind == OP_SET_PERMISSIONS)
			grants[count++] = (struct rule_grant){op->values[0],
					*one_text(work->arena,
							rule_principal(work->arena,
									acl_kind_of_key(op->members[0].key),
									op->members[0].name))};
	}
	set->grants = grants;
	set->grant_count = count;
}

static bool write_next(struct item_work *work)
{
	struct rule_set_of name = name_of(work->item);
	struct rule_set set;
	struct err err;

	if (work->step == 0) {
		item_work_prepare(work);
		rule_set_get(work->engine->databricks, &work->call, &name, NULL);
		return true;
	}
	if (work->step > 1)
		return false;
	if (rule_set_read(&work->call, work->arena, &set, &err) != ERR_NONE) {
		for (vec_each (&work->ops, op))
			store_drop_intent(records_batch(work->engine), op->id);
		work->ops.count = 0;
		item_retry_later(work->access, work->item, &err);
		return false;
	}
	merge(work, &set);
	item_work_prepare(work);
	rule_set_put(work->engine->databricks, &work->call, &name, &set);
	return true;
}

static void settle(struct access *access, struct item *item, const struct operation *op)
{
	struct rule_set_item *set = of(item);
	struct rule_row *row = make_row(set, op->values[0], acl_kind_of_key(op->members[0].key),
			op->members[0].name);

	if (op->kind == OP_REMOVE_PERMISSIONS) {
		row->there = false;
		drop_hold(access, set, row);
	} else {
		row->there = row->held = true;
		item_hold(access, item, row->key, row->name, NULL);
	}
	if (!op->adopts)
		item->written_ns = clock_monotonic_ns();
	sweep_rows(set);
}

static bool shows(struct item *item, const struct operation *op)
{
	AUTO(mem_freep)
	char *key = row_key(
			op->values[0], acl_kind_of_key(op->members[0].key), op->members[0].name);
	const struct rule_row *row = find_row(of(item), key);

	return (row && row->there) == (op->kind == OP_SET_PERMISSIONS);
}

/* The group or service principal is gone, and with it what was ours of its rule set. A stale etag: it is read again. */
static bool failed(struct item_work *work)
{
	struct rule_set_item *set = of(work->item);

	if (work->stage == ITEM_WRITE)
		return work->call.code == ERR_CONFLICT;
	if (work->call.code != ERR_NOT_FOUND)
		return false;
	if (work->item->suspect != 1) {
		work->item->suspect = 1;
		item_delay(work->access, work->item, SECOND_LOOK_NS);
		return true;
	}
	for (vec_each (&set->rows, row)) {
		if (row->held)
			drop_hold(work->access, set, row);
		row->there = false;
	}
	sweep_rows(set);
	work->item->read_wanted = work->item->observed = false;
	mem_free(STEAL(work->item->id));
	return true;
}

/* part: "roles/group.manager/group/FOLDED NAME"; value: the name as it is spelled. */
static void load(struct access *access, struct item *item, const struct store_holding *holding)
{
	const char *slash = strchr(holding->part, '/');
	const char *principal = slash ? strchr(slash + 1, '/') : NULL;
	AUTO(mem_freep) char *role = NULL;
	struct rule_row *row;

	(void)access;
	if (!principal || !holding->value)
		return;
	role = mem_strndup(holding->part, (size_t)(principal - holding->part));
	row = make_row(of(item), role, acl_kind_of_key(principal + 1), holding->value);
	row->there = row->held = true;
}

const struct item_class rule_set_class = {
		.resource = RESOURCE_RULE_SET,
		.rank = RULE_SET_RANK,
		.plan = plan,
		.read_next = read_next,
		.choose = choose,
		.write_next = write_next,
		.settle = settle,
		.failed = failed,
		.shows = shows,
		.load = load,
		.count_ours = count_held,
		.release = release,
};
