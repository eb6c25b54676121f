/* token_plan -- which tokens of a workspace go, and why. */
#include "sync/access/token_item.h"

#include "base/clock.h"
#include "base/text.h"
#include "databricks/token.h"
#include "sync/access/on_behalf_item.h"

#define COMMENT_SHOWN 60

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

static const struct settings *settings_of(const struct token_planner *p)
{
	return p->access->engine->settings;
}

/* ---- who holds a grant with a lifetime ---- */

static bool applies_here(const struct token_planner *p, const struct token_limit *limit)
{
	const struct token_rule *rule = limit->grant->tokens;

	return target_matches_any(
			&settings_of(p)->targets[p->tokens->item.target], rule->in, rule->in_count);
}

static void find_holders_of(
		struct token_planner *p, const struct grant_rule *grant, struct ids *ret)
{
	struct access *access = p->access;
	unsigned target = p->tokens->item.target;

	(void)token_add_holders(access, target, grant->kind, grant->name, ret, &p->tokens->groups);
	if (!access_principal(access, target, grant->kind, grant->name)) {
		AUTO(mem_freep) char *key = access_principal_key(grant->kind, grant->name);

		item_wait_for(access, &p->tokens->item, key);
	}
	ids_sort(ret);
}

static void find_holders(struct token_planner *p)
{
	const struct token_book *book = p->access->tokens;

	p->holders = arena_alloc(p->arena, (book->limits.count + 1) * sizeof(*p->holders));
	ids_release(&p->tokens->groups);
	for (size_t i = 0; i < book->limits.count; i++) {
		p->holders[i] = (struct ids){0};
		if (applies_here(p, &book->limits.items[i]))
			find_holders_of(p, book->limits.items[i].grant, &p->holders[i]);
	}
	ids_sort(&p->tokens->groups);
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

/* ---- reasons ---- */

/* Older than that; if it is not yet, the item is looked at again when it is. */
static bool is_older(struct token_planner *p, const struct token_row *row, int64_t limit_ms)
{
	int64_t end;

	if (!row->created_ms || limit_ms <= 0)
		return false;
	end = row->created_ms + limit_ms; /* both are bounded where they were read */
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
	const struct sweep_settings *sweep = &settings_of(p)->sweep;
	struct token_reason reason = {.why = {.file = settings_of(p)->path, .line = sweep->line}};

	/* Whom the directory never knew has not left it. */
	if (!sweep->on || (!sweep->others && (!owner || !owner->ours)))
		return reason;
	if (sweep->leavers && token_owner_leaves(owner))
		reason.text = "its owner left the directory";
	else if (sweep->never_expiring && row->expires_ms == TOKEN_NEVER_EXPIRES)
		reason.text = "it never expires";
	else if (is_older(p, row, sweep->older_than_ms))
		reason.text = older_text(p, sweep->older_than_ms);
	return reason;
}

static bool has_expired(const struct token_planner *p, const struct token_row *row)
{
	return row->expires_ms > 0 && row->expires_ms <= p->now_ms;
}

static struct token_reason reason_of(
		struct token_planner *p, const struct token_row *row, const struct object *owner)
{
	unsigned target = p->tokens->item.target;
	const struct grant_rule *grant;
	struct token_reason reason = {0};

	if (token_request_of(p->tokens, row)) {
		reason.text = "asked for on the command line";
		return reason;
	}
	if (!engine_removals_allowed_at(p->access->engine, target) || is_unsure(p, owner) ||
			has_expired(p, row) || on_behalf_is_ours(p->access, target, row->id))
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

/* ---- whose tokens are left alone ---- */

static bool is_protected(
		const struct settings *settings, const struct object *owner, const char *name)
{
	if (owner)
		return plan_is_protected(settings, owner->kind, name);
	return plan_is_protected(settings, PRINCIPAL_USER, name) ||
			plan_is_protected(settings, PRINCIPAL_SERVICE, name);
}

enum token_guarded token_guarded(const struct access *access, const struct token_item *tokens,
		const struct token_row *row)
{
	unsigned target = tokens->item.target;
	const char *name = token_owner_known(access, target, row);

	if (row->owner && row->owner == tokens->own_id)
		return TOKEN_OUR_OWN;
	if (!name)
		return TOKEN_NAMELESS;
	return is_protected(access->engine->settings, token_owner(access, target, row), name)
			? TOKEN_PROTECTED
			: TOKEN_FREE;
}

static bool is_untouchable(const struct token_planner *p, const struct token_row *row)
{
	const struct token_request *request = token_request_of(p->tokens, row);

	return !(request && request->even_guarded) &&
			token_guarded(p->access, p->tokens, row) != TOKEN_FREE;
}

/* ---- operations ---- */

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

static void fill_parts(const struct token_planner *p, struct operation *op,
		const struct token_row *row, const char *owner, const char *reason)
{
	const struct part_change parts[] = {{"id", row->id, NULL}, {"owner", owner, NULL},
			{"comment", row->comment ? row->comment : "", NULL},
			{"created", time_text(p, row->created_ms), NULL},
			{"expires", time_text(p, row->expires_ms), NULL}, {"reason", reason, NULL}};
	struct part_change *copy = arena_alloc(p->arena, sizeof(parts));

	for (size_t i = 0; i < COUNT_OF(parts); i++)
		copy[i] = (struct part_change){
				parts[i].name, arena_strdup(p->arena, parts[i].before), NULL};
	op->parts = copy;
	op->part_count = COUNT_OF(parts);
	op->object.remote_id = copy[0].before;
	op->object.name = row->comment && *row->comment
			? arena_printf(p->arena, "%.*s of %s", COMMENT_SHOWN, row->comment, owner)
			: arena_printf(p->arena, "%.12s of %s", row->id, owner);
}

static void add_removal(struct token_planner *p, const struct token_row *row,
		const struct object *owner, const struct token_reason *reason)
{
	struct item *item = &p->tokens->item;
	struct operation *op =
			item_operation(item, p->plan, OP_REMOVE_RESOURCE, &reason->why, p->arena);

	fill_parts(p, op, row, token_owner_name(p->access, item->target, row, p->arena),
			reason->text);
	/* A person who names a token has decided already. */
	if (!token_request_of(p->tokens, row))
		item_removes(op, GUARD_TOKENS, token_owner_leaves(owner) ? owner->key : NULL);
	item_operation_done(p->access, op, p->arena);
}

static void plan_row(struct token_planner *p, const struct token_row *row)
{
	const struct object *owner = token_owner(p->access, p->tokens->item.target, row);
	struct token_reason reason;

	if (is_untouchable(p, row))
		return;
	reason = reason_of(p, row, owner);
	if (reason.text)
		add_removal(p, row, owner, &reason);
}

/* Our own at last: whoever may have signed in with it does the others first. */
static void plan_rows(struct token_planner *p)
{
	for (int own = 0; own <= 1; own++) {
		for (vec_each (&p->tokens->rows, row)) {
			bool is_own = row->owner && row->owner == p->tokens->own_id;

			if (is_own == (own != 0))
				plan_row(p, row);
		}
	}
}

void token_plan(struct access *access, struct item *item, struct arena *arena,
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
	plan_rows(&p);
	release_holders(&p);
	if (access->engine->options.mode == ENGINE_RUN) {
		if (p.tokens->next_ms)
			tokens_wake_at(access, p.tokens->next_ms, p.now_ms);
		if (access->tokens->limits.count)
			tokens_wake_at(access, INT64_MAX, p.now_ms);
	}
}
