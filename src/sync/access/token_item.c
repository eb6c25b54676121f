/* token_item -- reading the tokens of a workspace, and which of them go. */
#include "sync/access/token_item.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "databricks/assignment.h"
#include "databricks/token.h"
#include "sync/access/on_behalf_item.h"

#define TOKENS_PER_WRITE 50 /* journalled together, revoked one by one */
#define COMMENT_SHOWN 60
#define MINUTE_NS (60 * SECOND_NS)

struct token_limit {
	node_id node;
	const struct grant_rule *
			grant; /* with tokens->max_lifetime_ms; borrowed until the next set of that node */
};
struct token_book {
	VEC(struct token_limit) limits;
	int64_t next_sweep_ms; /* wall clock; 0: not known */
};

struct token_book *token_book_new(void)
{
	return mem_zalloc(sizeof(struct token_book));
}

void token_book_free(struct token_book *book)
{
	if (!book)
		return;
	vec_release(&book->limits);
	mem_free(book);
}

/* ---- items ---- */

struct item *tokens_item(struct access *access, unsigned target)
{
	struct item *item = item_find(access, target, "tokens");
	struct token_item *tokens;

	if (item)
		return item;
	tokens = mem_zalloc(sizeof(*tokens));
	tokens->item.class = &token_class;
	tokens->item.target = target;
	item_add(access, &tokens->item, "tokens", "tokens");
	return &tokens->item;
}

static void row_release(struct token_row *row)
{
	mem_free(row->id);
	mem_free(row->comment);
	mem_free(row->created_by);
	mem_free(row->foreign_name);
}

static void drop_rows(struct token_item *tokens)
{
	for (vec_each (&tokens->rows, row))
		row_release(row);
	tokens->rows.count = 0;
}

static void release(struct item *item)
{
	struct token_item *tokens = (struct token_item *)item;

	drop_rows(tokens);
	vec_release(&tokens->rows);
	for (vec_each (&tokens->requested, id))
		mem_free(*id);
	vec_release(&tokens->requested);
}

size_t token_count(const struct item *item)
{
	return ((const struct token_item *)item)->rows.count;
}

enum tokens_known tokens_ask(struct access *access, unsigned target)
{
	struct item *item = tokens_item(access, target);

	if (item->observed)
		return TOKENS_KNOWN;
	if (item->tries || item->quarantined_ms)
		return TOKENS_FAILED;
	item_want_read(access, item);
	return TOKENS_ASKED;
}

/* Those who asked how many tokens die look again. */
static void mark_askers(struct access *access, unsigned target)
{
	for (vec_each (&access->items, item)) {
		if ((*item)->target == target && (*item)->securable == SECURABLE_AUTHORIZATION &&
				(*item)->class->resource == RESOURCE_PERMISSIONS)
			item_mark(access, *item);
		if ((*item)->target == target && (*item)->class->resource == RESOURCE_SETTING)
			item_mark(access, *item);
	}
}

/* ---- rules ---- */

static bool has_limit(const struct grant_rule *rule)
{
	return rule->tokens && rule->tokens->max_lifetime_ms > 0;
}

static void note_limit(struct access *access, node_id node, const struct grant_rule *rule)
{
	const struct settings *settings = access->engine->settings;

	*vec_add(&access->tokens->limits) = (struct token_limit){node, rule};
	for (unsigned target = 0; target < settings->target_count; target++) {
		if (target_matches_any(&settings->targets[target], rule->tokens->in,
				    rule->tokens->in_count))
			item_mark(access, tokens_item(access, target));
	}
}

void tokens_set_rules(
		struct access *access, node_id node, const struct grant_rule *rules, size_t count)
{
	struct token_book *book = access->tokens;
	size_t kept = 0, before = book->limits.count;

	for (size_t i = 0; i < before; i++) {
		if (book->limits.items[i].node != node)
			book->limits.items[kept++] = book->limits.items[i];
	}
	book->limits.count = kept;
	for (size_t i = 0; i < count; i++) {
		if (has_limit(&rules[i]))
			note_limit(access, node, &rules[i]);
	}
	if (kept != before)
		tokens_mark_all(access);
}

void tokens_prepare(struct access *access)
{
	const struct settings *settings = access->engine->settings;

	for (unsigned target = 0; settings->sweep.on && target < settings->target_count; target++) {
		if (!settings->targets[target].is_account)
			(void)tokens_item(access, target);
	}
}

static struct token_item *as_tokens(struct item *item)
{
	return item->class == &token_class ? (struct token_item *)item : NULL;
}

void tokens_mark_all(struct access *access)
{
	for (vec_each (&access->items, item)) {
		if (as_tokens(*item))
			item_mark(access, *item);
	}
}

void tokens_owner_changed(struct access *access, const struct object *object)
{
	for (vec_each (&access->items, item)) {
		const struct token_item *tokens = as_tokens(*item);

		for (size_t i = 0; tokens && i < tokens->rows.count; i++) {
			if (tokens->rows.items[i].owner != object->id)
				continue;
			item_mark(access, *item);
			break;
		}
	}
}

/* ---- time ---- */

static int64_t next_sweep(const struct sweep_settings *sweep, int64_t now_ms)
{
	time_t now = (time_t)(now_ms / 1000);
	struct tm day;

	if (sweep->interval_ms)
		return now_ms + sweep->interval_ms;
	if (!localtime_r(&now, &day))
		return 0;
	day.tm_hour = sweep->minute / 60;
	day.tm_min = sweep->minute % 60;
	day.tm_sec = 0;
	day.tm_isdst = -1;
	if ((int64_t)mktime(&day) * 1000 <= now_ms) {
		day.tm_mday++;
		day.tm_isdst = -1;
	}
	return (int64_t)mktime(&day) * 1000;
}

static void sweep(struct access *access, int64_t now_ms)
{
	struct token_book *book = access->tokens;
	const struct sweep_settings *settings = &access->engine->settings->sweep;

	if (book->next_sweep_ms && now_ms >= book->next_sweep_ms) {
		log_event(LOG_NOTICE, "sweep of tokens begins", {"run", access->engine->run_id});
		book->next_sweep_ms = 0;
		for (vec_each (&access->items, item)) {
			if (as_tokens(*item))
				item_want_read(access, *item);
		}
	}
	if (!book->next_sweep_ms)
		book->next_sweep_ms = next_sweep(settings, now_ms);
}

/* The wall clock may step: it is looked at again every minute at the latest. */
static void wake_at(struct access *access, int64_t wall_ms, int64_t now_ms)
{
	uint64_t wait = wall_ms > now_ms ? (uint64_t)(wall_ms - now_ms) * 1000000 : 1;

	engine_tick_at(access->engine,
			clock_monotonic_ns() + (wait < MINUTE_NS ? wait : MINUTE_NS));
}

void tokens_tick(struct access *access)
{
	int64_t now = clock_wall_ms();

	if (access->engine->options.mode != ENGINE_RUN)
		return;
	if (access->engine->settings->sweep.on) {
		sweep(access, now);
		wake_at(access, access->tokens->next_sweep_ms, now);
	}
	for (vec_each (&access->items, item)) {
		struct token_item *tokens = as_tokens(*item);

		if (!tokens || !tokens->next_ms)
			continue;
		if (tokens->next_ms <= now) {
			tokens->next_ms = 0;
			item_want_read(access, *item);
		} else {
			wake_at(access, tokens->next_ms, now);
		}
	}
}

/* ---- reading ---- */

static uint64_t id_or_none(const char *text)
{
	return text ? id_parse(text) : 0;
}

static void take_list(struct token_item *tokens, const struct token_info *infos, size_t count)
{
	drop_rows(tokens);
	for (size_t i = 0; i < count; i++)
		*vec_add(&tokens->rows) = (struct token_row){.id = mem_strdup(infos[i].id),
				.comment = mem_strdup_or_null(infos[i].comment),
				.created_by = mem_strdup_or_null(infos[i].created_by_name),
				.owner = id_or_none(infos[i].owner_id ? infos[i].owner_id
								      : infos[i].created_by_id),
				.creator = id_or_none(infos[i].created_by_id),
				.created_ms = infos[i].created_ms,
				.expires_ms = infos[i].expires_ms,
				.last_used_ms = infos[i].last_used_ms};
}

static bool asks_who_we_are(const struct item_work *work)
{
	return work->scratch == NULL && ((struct token_item *)work->item)->own_id == 0;
}

static bool read_next(struct item_work *work)
{
	static char list_is_under_way;
	struct token_item *tokens = (struct token_item *)work->item;
	const struct token_info *infos;
	struct err err;
	size_t count;

	if (work->step == 0 && asks_who_we_are(work)) {
		item_work_prepare(work);
		assignment_ask_self(work->engine->databricks, &work->call);
		return true;
	}
	if (!work->scratch) {
		if (work->step)
			tokens->own_id = assignment_self_id(&work->call);
		work->scratch = &list_is_under_way;
		item_work_prepare(work);
		token_list(work->engine->databricks, &work->call);
		return true;
	}
	if (token_list_read(&work->call, work->arena, &infos, &count, &err) != ERR_NONE) {
		item_retry_later(work->access, work->item, &err);
		return false;
	}
	take_list(tokens, infos, count);
	mark_askers(work->access, work->item->target);
	return false;
}

/* ---- which go ---- */

struct token_planner {
	struct access *access;
	struct token_item *tokens;
	struct arena *arena;
	struct item_plan *plan;
	int64_t now_ms;
	struct ids *holders; /* by limit */
};

/* A reason to revoke a token. */
struct token_reason {
	const char *text; /* NULL: none */
	struct why why;
};

static bool is_requested(const struct token_item *tokens, const struct token_row *row)
{
	for (vec_each (&tokens->requested, id)) {
		if (text_equal(*id, row->id))
			return true;
	}
	return false;
}

static bool applies_here(const struct token_planner *p, const struct token_limit *limit)
{
	const struct token_rule *rule = limit->grant->tokens;

	return target_matches_any(&p->access->engine->settings->targets[p->tokens->item.target],
			rule->in, rule->in_count);
}

static void find_holders(struct token_planner *p)
{
	const struct token_book *book = p->access->tokens;

	p->holders = arena_alloc(p->arena, (book->limits.count + 1) * sizeof(*p->holders));
	for (size_t i = 0; i < book->limits.count; i++) {
		const struct grant_rule *grant = book->limits.items[i].grant;

		p->holders[i] = (struct ids){0};
		if (!applies_here(p, &book->limits.items[i]))
			continue;
		token_add_holders(p->access, p->tokens->item.target, grant->kind, grant->name,
				&p->holders[i]);
		ids_sort(&p->holders[i]);
	}
}

static void release_holders(struct token_planner *p)
{
	for (size_t i = 0; i < p->access->tokens->limits.count; i++)
		ids_release(&p->holders[i]);
}

/* The shortest lifetime that a grant of the owner's sets. */
static const struct grant_rule *limit_of(const struct token_planner *p, const struct token_row *row)
{
	const struct token_book *book = p->access->tokens;
	const struct grant_rule *found = NULL;

	for (size_t i = 0; row->owner && i < book->limits.count; i++) {
		const struct grant_rule *grant = book->limits.items[i].grant;

		if (ids_contain(&p->holders[i], row->owner) &&
				(!found ||
						grant->tokens->max_lifetime_ms <
								found->tokens->max_lifetime_ms))
			found = grant;
	}
	return found;
}

/* Older than that; if it is not yet, the item is looked at again when it is. */
static bool is_older(struct token_planner *p, const struct token_row *row, int64_t limit_ms)
{
	int64_t end = row->created_ms + limit_ms;

	if (!row->created_ms || limit_ms <= 0)
		return false;
	if (end <= p->now_ms)
		return true;
	if (!p->tokens->next_ms || end < p->tokens->next_ms)
		p->tokens->next_ms = end;
	return false;
}

static const char *older_text(const struct token_planner *p, int64_t limit_ms)
{
	char text[CLOCK_TEXT_SIZE];

	clock_format_duration(limit_ms, text);
	return arena_printf(p->arena, "older than %s", text);
}

/* What the directory says is in doubt: nobody loses a token by a rule. */
static bool is_unsure(const struct token_planner *p, const struct object *owner)
{
	const struct want *want = owner && owner->node != NODE_NONE
			? desired_want(p->access->engine->desired, owner->node)
			: NULL;

	return want && want->state == WANT_UNSURE;
}

static struct token_reason reason_by_sweep(
		struct token_planner *p, const struct token_row *row, const struct object *owner)
{
	const struct settings *settings = p->access->engine->settings;
	const struct sweep_settings *sweep = &settings->sweep;
	struct token_reason reason = {.why = {.file = settings->path, .line = sweep->line}};

	if (!sweep->on)
		return reason;
	if (sweep->leavers && token_owner_leaves(owner))
		reason.text = "its owner left the directory";
	else if (sweep->never_expiring && row->expires_ms == TOKEN_NEVER_EXPIRES)
		reason.text = "it never expires";
	else if (is_older(p, row, sweep->older_than_ms))
		reason.text = older_text(p, sweep->older_than_ms);
	return reason;
}

static struct token_reason reason_of(
		struct token_planner *p, const struct token_row *row, const struct object *owner)
{
	const struct grant_rule *grant;
	struct token_reason reason = {0};

	if (is_requested(p->tokens, row)) {
		reason.text = "asked for on the command line";
		return reason;
	}
	if (!engine_removals_allowed_at(p->access->engine, p->tokens->item.target) ||
			is_unsure(p, owner) ||
			on_behalf_is_ours(p->access, p->tokens->item.target, row->id))
		return reason;
	reason = reason_by_sweep(p, row, owner);
	grant = reason.text ? NULL : limit_of(p, row);
	if (!grant || !is_older(p, row, grant->tokens->max_lifetime_ms))
		return reason;
	reason.text = older_text(p, grant->tokens->max_lifetime_ms);
	reason.why = grant->tokens->why;
	if (!reason.why.entry)
		reason.why.entry = grant->why.entry;
	return reason;
}

static bool is_untouchable(const struct token_planner *p, const struct token_row *row,
		const struct object *owner)
{
	const struct settings *settings = p->access->engine->settings;
	const char *name = token_owner_known(p->access, p->tokens->item.target, row);

	if (row->owner && row->owner == p->tokens->own_id)
		return true;
	/* Nobody knows whether he is protected. */
	if (!name)
		return !is_requested(p->tokens, row);
	if (owner)
		return plan_is_protected(settings, owner->kind, name);
	return plan_is_protected(settings, PRINCIPAL_USER, name) ||
			plan_is_protected(settings, PRINCIPAL_SERVICE, name);
}

static const char *time_text(const struct token_planner *p, int64_t ms)
{
	char text[CLOCK_TEXT_SIZE];

	if (ms == TOKEN_NEVER_EXPIRES)
		return "never";
	if (ms <= 0)
		return "not said";
	clock_format(ms, text);
	return arena_strndup(p->arena, text, strlen("2026-01-01"));
}

static void add_removal(struct token_planner *p, const struct token_row *row,
		const struct object *owner, const struct token_reason *reason)
{
	struct item *item = &p->tokens->item;
	const char *name = token_owner_name(p->access, item->target, row, p->arena);
	struct part_change parts[] = {{"id", row->id, NULL}, {"owner", name, NULL},
			{"comment", row->comment ? row->comment : "", NULL},
			{"created", time_text(p, row->created_ms), NULL},
			{"expires", time_text(p, row->expires_ms), NULL},
			{"reason", reason->text, NULL}};
	struct part_change *copy = arena_alloc(p->arena, sizeof(parts));
	struct operation *op =
			item_operation(item, p->plan, OP_REMOVE_RESOURCE, &reason->why, p->arena);

	for (size_t i = 0; i < COUNT_OF(parts); i++)
		copy[i] = (struct part_change){
				parts[i].name, arena_strdup(p->arena, parts[i].before), NULL};
	op->parts = copy;
	op->part_count = COUNT_OF(parts);
	op->object.remote_id = copy[0].before;
	op->object.name = row->comment && *row->comment
			? arena_printf(p->arena, "%.*s of %s", COMMENT_SHOWN, row->comment, name)
			: arena_printf(p->arena, "%.12s of %s", row->id, name);
	/* A person who names a token has decided already. */
	if (!is_requested(p->tokens, row))
		item_removes(op, GUARD_TOKENS, token_owner_leaves(owner) ? owner->key : NULL);
	item_operation_done(p->access, op, p->arena);
}

static void plan(struct access *access, struct item *item, struct arena *arena,
		struct item_plan *ret)
{
	struct token_planner p = {.access = access,
			.tokens = (struct token_item *)item,
			.arena = arena,
			.plan = ret,
			.now_ms = clock_wall_ms()};

	if (!item->observed) {
		ret->wants_read = true;
		return;
	}
	p.tokens->next_ms = 0;
	token_name_foreign(access, p.tokens);
	find_holders(&p);
	for (vec_each (&p.tokens->rows, row)) {
		const struct object *owner = token_owner(access, item->target, row);
		struct token_reason reason;

		if (is_untouchable(&p, row, owner))
			continue;
		reason = reason_of(&p, row, owner);
		if (reason.text)
			add_removal(&p, row, owner, &reason);
	}
	release_holders(&p);
	if (p.tokens->next_ms && access->engine->options.mode == ENGINE_RUN)
		wake_at(access, p.tokens->next_ms, p.now_ms);
}

/* ---- writing ---- */

static void choose(struct item_work *work, const struct item_plan *plan)
{
	for (vec_each (&plan->operations, op)) {
		if (work->ops.count < TOKENS_PER_WRITE && item_may_go(work, op))
			*vec_add(&work->ops) = *op;
	}
}

/* The first of what is left is under way; the others are journalled, too. */
static bool write_next(struct item_work *work)
{
	if (work->step) {
		item_done_without_call(work, &work->ops.items[0]);
		work->ops.count--;
		memmove(work->ops.items, work->ops.items + 1,
				work->ops.count * sizeof(*work->ops.items));
	}
	if (work->ops.count == 0)
		return false;
	item_work_prepare(work);
	token_delete(work->engine->databricks, &work->call, work->ops.items[0].object.remote_id);
	return true;
}

static void drop_requested(struct token_item *tokens, const char *id)
{
	size_t kept = 0;

	for (size_t i = 0; i < tokens->requested.count; i++) {
		if (text_equal(tokens->requested.items[i], id))
			mem_free(tokens->requested.items[i]);
		else
			tokens->requested.items[kept++] = tokens->requested.items[i];
	}
	tokens->requested.count = kept;
}

static void settle(struct access *access, struct item *item, const struct operation *op)
{
	struct token_item *tokens = (struct token_item *)item;
	size_t kept = 0;

	on_behalf_revoked(access, item->target, op->object.remote_id);
	for (size_t i = 0; i < tokens->rows.count; i++) {
		if (text_equal(tokens->rows.items[i].id, op->object.remote_id))
			row_release(&tokens->rows.items[i]);
		else
			tokens->rows.items[kept++] = tokens->rows.items[i];
	}
	tokens->rows.count = kept;
	drop_requested(tokens, op->object.remote_id);
}

/* A token that is not there any more is what was wanted; the list that is read next says so. */
static bool failed(struct item_work *work)
{
	if (work->stage == ITEM_READ)
		mark_askers(work->access, work->item->target);
	return work->stage == ITEM_WRITE && work->call.code == ERR_NOT_FOUND;
}

static bool shows(struct item *item, const struct operation *op)
{
	const struct token_item *tokens = (struct token_item *)item;

	for (vec_each (&tokens->rows, row)) {
		if (text_equal(row->id, op->object.remote_id))
			return false;
	}
	return op->kind == OP_REMOVE_RESOURCE;
}

const struct item_class token_class = {
		.resource = RESOURCE_TOKEN,
		.rank = 90,
		.plan = plan,
		.read_next = read_next,
		.choose = choose,
		.write_next = write_next,
		.settle = settle,
		.failed = failed,
		.shows = shows,
		.release = release,
};
