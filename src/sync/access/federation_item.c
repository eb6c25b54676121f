/* federation_item -- which federation policies are made, changed, adopted and deleted. */
#include "sync/access/federation_item.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "databricks/federation_policy.h"
#include "sync/access/given.h"

#define FEDERATION_RANK 71
#define AUDIENCES_MAX ((size_t)64 * 1024) /* bytes of all of one policy */
#define CLAIM_PRESET "sub"

/* In the order of the parts of an operation, behind the id. */
enum policy_field {
	POLICY_ISSUER,
	POLICY_SUBJECT,
	POLICY_CLAIM,
	POLICY_DESCRIPTION,
	POLICY_AUDIENCES, /* sorted, one a line; NULL: the account's id */
	POLICY_JWKS,
	POLICY_FIELD_COUNT_
};
static const char *const part_names[] = {
		"issuer", "subject", "subject_claim", "description", "audiences", "jwks_uri"};
_Static_assert(COUNT_OF(part_names) == POLICY_FIELD_COUNT_, "a name per field");

struct policy_row {
	struct given_row given;            /* first */
	char *fields[POLICY_FIELD_COUNT_]; /* as read or written */
};
/* A policy as it should be; texts in an arena or of the rule. */
struct policy_wish {
	const char *id;
	const char *fields[POLICY_FIELD_COUNT_];
	struct why why;
};

static const struct given_kind federation_kind;

/* ---- rows ---- */

static struct policy_row *find_row(const struct given_item *set, const char *id)
{
	return (struct policy_row *)given_find(set, id);
}

static struct policy_row *make_row(struct given_item *set, const char *id)
{
	return (struct policy_row *)given_make(set, id);
}

static void set_fields(struct policy_row *row, const char *const *fields)
{
	for (unsigned i = 0; i < POLICY_FIELD_COUNT_; i++)
		mem_replace_text(&row->fields[i], fields[i]);
}

static void release_row(struct given_row *row)
{
	static const char *const nothing[POLICY_FIELD_COUNT_] = {0};

	set_fields((struct policy_row *)row, nothing);
}

/* What it says is read before anything is planned. */
static void load(struct access *access, struct item *item, const struct store_holding *holding)
{
	struct given_row *row = given_make(given_of(item), holding->part);

	(void)access;
	row->held = row->there = true;
}

/* ---- items ---- */

struct item *federation_item(struct access *access, const char *id, const char *name)
{
	return given_item(access, &federation_kind, 0, id, name);
}

static const struct service_rule *rule_of(const struct access *access, const struct object *object)
{
	const struct service_rule *rule = given_rule(access, object);

	return rule && rule->has_policies ? rule : NULL;
}

static bool asks(const struct access *access, const struct object *object)
{
	return rule_of(access, object) != NULL;
}

void federation_principal_changed(struct access *access, const struct object *object)
{
	given_account_changed(access, &federation_kind, object, asks);
}

void federation_resolve(struct access *access)
{
	const struct registry *registry = access->engine->registry;

	for (size_t i = 0; i < registry_count(registry); i++)
		federation_principal_changed(access, registry_at(registry, i));
}

/* ---- what is wanted ---- */

static int compare_texts(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static const char *join_audiences(const char *const *audiences, size_t count, struct arena *arena)
{
	const char **sorted = arena_alloc(arena, (count + 1) * sizeof(*sorted));
	const char *text;
	struct buf buf;

	if (count == 0)
		return NULL;
	memcpy(sorted, audiences, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare_texts);
	buf_init(&buf, AUDIENCES_MAX);
	for (size_t i = 0; i < count; i++)
		buf_printf(&buf, "%s%s", i ? "\n" : "", sorted[i]);
	text = arena_strdup(arena, buf_text(&buf));
	buf_release(&buf);
	return text;
}

/* The default is read back as the account's id, or not at all. */
static const char *read_audiences(
		const struct access *access, const struct texts *audiences, struct arena *arena)
{
	const char *account = databricks_account_id(access->engine->databricks);

	if (audiences->count == 1 && text_equal(audiences->items[0], account))
		return NULL;
	return join_audiences(audiences->items, audiences->count, arena);
}

static const char *not_empty(const char *text)
{
	return text && *text ? text : NULL;
}

struct federation_planner {
	struct access *access;
	struct given_item *set;
	struct arena *arena;
	struct item_plan *plan;
	const struct object *object;
	const struct service_rule *rule;
};

/* false: a place in its subject cannot be filled yet. */
static bool make_wish(const struct federation_planner *p, const struct federation_rule *rule,
		struct policy_wish *ret)
{
	struct sink_values values = given_values(&p->set->item, p->object);
	const char *subject = (p->object->id ? federation_subject : federation_subject_shown)(
			rule, &values, p->arena);

	*ret = (struct policy_wish){.id = rule->id, .why = rule->why};
	ret->fields[POLICY_ISSUER] = rule->issuer;
	ret->fields[POLICY_SUBJECT] = subject;
	ret->fields[POLICY_CLAIM] = rule->subject_claim ? rule->subject_claim : CLAIM_PRESET;
	ret->fields[POLICY_DESCRIPTION] = not_empty(rule->description);
	ret->fields[POLICY_AUDIENCES] =
			join_audiences(rule->audiences, rule->audience_count, p->arena);
	ret->fields[POLICY_JWKS] = not_empty(rule->jwks_uri);
	return subject != NULL;
}

static bool is_so(const struct policy_row *row, const struct policy_wish *wish)
{
	for (unsigned i = 0; i < POLICY_FIELD_COUNT_; i++) {
		if (!text_equal(row->fields[i], wish->fields[i]))
			return false;
	}
	return true;
}

/* ---- planning ---- */

/* The id, and what changes; of a new one all that it has. */
static void add_operation(struct federation_planner *p, enum operation_kind kind, const char *id,
		const struct policy_row *row, const struct policy_wish *wish)
{
	struct part_change *parts =
			arena_alloc(p->arena, (POLICY_FIELD_COUNT_ + 1) * sizeof(*parts));
	struct operation *op = item_operation(
			&p->set->item, p->plan, kind, wish ? &wish->why : NULL, p->arena);
	size_t count = 1;

	parts[0] = (struct part_change){"policy_id", row ? arena_strdup(p->arena, id) : NULL,
			wish ? arena_strdup(p->arena, id) : NULL};
	for (unsigned i = 0; wish && i < POLICY_FIELD_COUNT_; i++) {
		const char *before = row ? row->fields[i] : NULL;

		if (!text_equal(before, wish->fields[i]))
			parts[count++] = (struct part_change){part_names[i],
					arena_strdup(p->arena, before),
					arena_strdup(p->arena, wish->fields[i])};
	}
	op->parts = parts;
	op->part_count = count;
	op->object.name = arena_printf(p->arena, "%s of %s", id, p->set->item.name);
	if (kind == OP_REMOVE_RESOURCE)
		item_removes(op, GUARD_PERMISSIONS, NULL);
	op->adopts = kind == OP_ADOPT_RESOURCE;
	item_operation_done(p->access, op, p->arena);
}

static void plan_policy(struct federation_planner *p, const struct federation_rule *rule)
{
	const struct policy_row *row = find_row(p->set, rule->id);
	struct policy_wish wish;

	if (!make_wish(p, rule, &wish)) {
		p->plan->note = arena_printf(p->arena,
				"%s:%u: the subject of federation policy \"%s\" of \"%s\" is not "
				"known yet",
				rule->why.file, rule->why.line, rule->id, p->set->item.name);
		return;
	}
	if (!row || !row->given.there)
		add_operation(p, OP_CREATE_RESOURCE, rule->id, NULL, &wish);
	else if (is_so(row, &wish) && !row->given.held)
		add_operation(p, OP_ADOPT_RESOURCE, rule->id, row, &wish);
	else if (!is_so(row, &wish) && row->given.held)
		add_operation(p, OP_CHANGE_RESOURCE, rule->id, row, &wish);
	else if (!row->given.held)
		p->plan->note = arena_printf(p->arena,
				"%s:%u: somebody else made a federation policy \"%s\" of \"%s\" "
				"that says something else; it is left alone",
				rule->why.file, rule->why.line, rule->id, p->set->item.name);
}

static bool is_wanted(const struct federation_planner *p, const char *id)
{
	for (size_t i = 0; i < p->rule->policy_count; i++) {
		if (text_equal(p->rule->policies[i].id, id))
			return true;
	}
	return false;
}

static void plan(struct access *access, struct item *item, struct arena *arena,
		struct item_plan *ret)
{
	struct federation_planner p = {
			.access = access, .set = given_of(item), .arena = arena, .plan = ret};

	p.object = given_owner(access, item);
	p.rule = p.object ? rule_of(access, p.object) : NULL;
	item->disposable = !p.rule && !given_count_held(item);
	/* Without a rule they are as they are; with the service principal they go. */
	if (!p.rule)
		return;
	if (!item->observed) {
		/* What the last life wrote is so until the next reading, and rules that changed bring one. */
		ret->wants_read = item->read_wanted || !access->known_from_store;
		if (!ret->wants_read && given_count_held(item) != p.rule->policy_count)
			ret->wants_read = true;
		return;
	}
	for (size_t i = 0; i < p.rule->policy_count; i++)
		plan_policy(&p, &p.rule->policies[i]);
	if (!engine_removals_allowed_at(access->engine, 0) ||
			access_is_unsure(access, 0, PRINCIPAL_SERVICE, object_name(p.object)))
		return;
	for (vec_each (&p.set->rows, row)) {
		if ((*row)->held && !is_wanted(&p, (*row)->id))
			add_operation(&p, OP_REMOVE_RESOURCE, (*row)->id,
					(const struct policy_row *)*row, NULL);
	}
}

/* ---- reading ---- */

static void take(struct item_work *work, const void *records, size_t count)
{
	const struct federation_policy *policies = records;
	struct given_item *set = given_of(work->item);
	bool fresh = given_begin_reading(set);

	for (size_t i = 0; i < count; i++) {
		const struct federation_policy *policy = &policies[i];
		const char *fields[POLICY_FIELD_COUNT_] = {[POLICY_ISSUER] = policy->issuer,
				[POLICY_SUBJECT] = policy->subject,
				[POLICY_CLAIM] = not_empty(policy->subject_claim)
						? policy->subject_claim
						: CLAIM_PRESET,
				[POLICY_DESCRIPTION] = not_empty(policy->description),
				[POLICY_AUDIENCES] = read_audiences(
						work->access, &policy->audiences, work->arena),
				[POLICY_JWKS] = not_empty(policy->jwks_uri)};
		struct policy_row *row = make_row(set, policy->id);

		/* Inside the window what we wrote is the truth. */
		if (!fresh || !row->given.held)
			set_fields(row, fields);
		row->given.there = true;
	}
	given_end_reading(work->access, set);
}

static bool read_next(struct item_work *work)
{
	if (work->step > 0 || !work->item->id)
		return false;
	item_work_prepare(work);
	given_of(work->item)->listing = federation_policy_list_start(
			work->engine->databricks, work->item->id, given_listed, work);
	return true;
}

/* ---- writing ---- */

static void choose(struct item_work *work, const struct item_plan *plan)
{
	if (!given_owner_is_ready(work->access, work->item))
		return;
	for (vec_each (&plan->operations, op)) {
		if (!item_may_go(work, op))
			continue;
		if (op->kind == OP_ADOPT_RESOURCE)
			item_done_without_call(work, op);
		else if (work->ops.count == 0)
			*vec_add(&work->ops) = *op;
	}
}

static const char *id_of(const struct operation *op)
{
	return op->parts[0].after ? op->parts[0].after : op->parts[0].before;
}

/* The policy as it is after the operation: what is there, and what changes. */
static void fields_after(struct given_item *set, const struct operation *op, const char **ret)
{
	const struct policy_row *row = find_row(set, id_of(op));

	for (unsigned i = 0; i < POLICY_FIELD_COUNT_; i++) {
		ret[i] = row && row->given.there ? row->fields[i] : NULL;
		for (size_t j = 1; j < op->part_count; j++) {
			if (text_equal(op->parts[j].name, part_names[i]))
				ret[i] = op->parts[j].after;
		}
	}
}

static struct texts split_audiences(const char *joined, struct arena *arena)
{
	char *text = joined ? arena_strdup(arena, joined) : NULL;
	size_t room = text ? strlen(text) + 1 : 1, count = 0;
	const char **items = arena_alloc(arena, room * sizeof(*items));

	while (text) {
		char *end = strchr(text, '\n');

		items[count++] = text;
		if (end)
			*end = '\0';
		text = end ? end + 1 : NULL;
	}
	return (struct texts){items, count};
}

static void send_policy(struct item_work *work, const struct operation *op)
{
	const char *fields[POLICY_FIELD_COUNT_];
	struct federation_policy policy = {.id = id_of(op), .service_id = work->item->id};

	fields_after(given_of(work->item), op, fields);
	policy.issuer = fields[POLICY_ISSUER];
	policy.subject = fields[POLICY_SUBJECT];
	policy.subject_claim = fields[POLICY_CLAIM];
	policy.description = fields[POLICY_DESCRIPTION];
	policy.audiences = split_audiences(fields[POLICY_AUDIENCES], work->arena);
	policy.jwks_uri = fields[POLICY_JWKS];
	(op->kind == OP_CREATE_RESOURCE ? federation_policy_create : federation_policy_update)(
			work->engine->databricks, &work->call, &policy);
}

static bool write_next(struct item_work *work)
{
	const struct operation *op = &work->ops.items[0];

	if (work->step > 0)
		return false;
	item_work_prepare(work);
	if (op->kind == OP_REMOVE_RESOURCE)
		federation_policy_delete(
				work->engine->databricks, &work->call, work->item->id, id_of(op));
	else
		send_policy(work, op);
	return true;
}

static void settle(struct access *access, struct item *item, const struct operation *op)
{
	const char *fields[POLICY_FIELD_COUNT_];
	struct policy_row *row;

	if (op->kind != OP_ADOPT_RESOURCE)
		item->written_ns = clock_monotonic_ns();
	if (op->kind == OP_REMOVE_RESOURCE) {
		given_removed(access, item, id_of(op));
		return;
	}
	fields_after(given_of(item), op, fields);
	row = make_row(given_of(item), id_of(op));
	if (op->kind != OP_ADOPT_RESOURCE)
		set_fields(row, fields);
	row->given.there = row->given.held = true;
	item_hold(access, item, row->given.id, "policy", NULL);
}

static bool shows(struct item *item, const struct operation *op)
{
	const char *fields[POLICY_FIELD_COUNT_];
	const struct policy_row *row = find_row(given_of(item), id_of(op));

	if (op->kind == OP_REMOVE_RESOURCE || !row || !row->given.there)
		return op->kind == OP_REMOVE_RESOURCE && (!row || !row->given.there);
	fields_after(given_of(item), op, fields);
	for (unsigned i = 0; i < POLICY_FIELD_COUNT_; i++) {
		if (!text_equal(row->fields[i], fields[i]))
			return false;
	}
	return true;
}

static bool failed(struct item_work *work)
{
	if (work->call.code != ERR_NOT_FOUND)
		return false;
	if (work->stage == ITEM_WRITE)
		return work->ops.items[0].kind == OP_REMOVE_RESOURCE;
	given_forget_all(work);
	return true;
}

static const struct given_kind federation_kind = {.class = &federation_class,
		.prefix = "federation",
		.item_size = sizeof(struct given_item),
		.row_size = sizeof(struct policy_row),
		.release_row = release_row,
		.take = take};

const struct item_class federation_class = {
		.resource = RESOURCE_FEDERATION_POLICY,
		.rank = FEDERATION_RANK,
		.plan = plan,
		.read_next = read_next,
		.choose = choose,
		.write_next = write_next,
		.settle = settle,
		.failed = failed,
		.shows = shows,
		.load = load,
		.count_ours = given_count_held,
		.cancel = given_cancel,
		.release = given_release,
};
