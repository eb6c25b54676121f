/* token_book -- when tokens are looked at: what grants say of their lifetimes, the clock of the sweep, and news of owners. */
#include "sync/access/token_item.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"

#define MINUTE_NS (60 * SECOND_NS)
#define LOOKS_PER_LIFETIME 10 /* a list is read anew that often within the shortest lifetime */

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
	/* Whatever else there is to wake up for, the clock of the sweep starts now. */
	if (settings->sweep.on && access->engine->options.mode == ENGINE_RUN)
		engine_tick_at(access->engine, clock_monotonic_ns());
}

/* ---- news ---- */

void tokens_mark_all(struct access *access)
{
	for (vec_each (&access->items, item)) {
		if (token_item_of(*item))
			item_mark(access, *item);
	}
}

static bool owns_some(const struct token_item *tokens, const struct object *object)
{
	for (vec_each (&tokens->rows, row)) {
		if (row->owner == object->id)
			return true;
	}
	return false;
}

void tokens_owner_changed(struct access *access, const struct object *object)
{
	const struct engine *engine = access->engine;
	/* The service's list may be of last night: the leaver may have made one since. */
	bool anew = engine->options.mode == ENGINE_RUN && engine->settings->sweep.on &&
			engine->settings->sweep.leavers && object->leaving &&
			object->kind != PRINCIPAL_GROUP;

	for (vec_each (&access->items, item)) {
		const struct token_item *tokens = token_item_of(*item);

		if (tokens && anew)
			item_want_read(access, *item);
		else if (tokens && owns_some(tokens, object))
			item_mark(access, *item);
	}
}

uint64_t token_group_mark(const char *key)
{
	uint64_t mark = digest_quick(span_of(key));

	return mark ? mark : 1;
}

void tokens_group_changed(struct access *access, const struct object *group)
{
	uint64_t mark;

	if (access->tokens->limits.count == 0)
		return;
	mark = token_group_mark(group->key);
	for (vec_each (&access->items, item)) {
		const struct token_item *tokens = token_item_of(*item);

		if (tokens && ids_contain(&tokens->groups, mark))
			item_mark(access, *item);
	}
}

/* ---- time ---- */

/* The wall clock may step: it is looked at again every minute at the latest. */
void tokens_wake_at(struct access *access, int64_t wall_ms, int64_t now_ms)
{
	uint64_t wait = MINUTE_NS;

	if (wall_ms <= now_ms)
		wait = 1;
	else if (wall_ms - now_ms < (int64_t)(MINUTE_NS / 1000000))
		wait = (uint64_t)(wall_ms - now_ms) * 1000000;
	engine_tick_at(access->engine, clock_monotonic_ns() + wait);
}

static int64_t next_sweep(const struct sweep_settings *sweep, int64_t now_ms)
{
	return sweep->interval_ms ? now_ms + sweep->interval_ms
				  : clock_next_time_of_day(sweep->minute, now_ms);
}

static void read_all(struct access *access)
{
	for (vec_each (&access->items, item)) {
		if (token_item_of(*item))
			item_want_read(access, *item);
	}
}

static void sweep(struct access *access, int64_t now_ms)
{
	struct token_book *book = access->tokens;
	const struct sweep_settings *settings = &access->engine->settings->sweep;

	if (book->next_sweep_ms && now_ms >= book->next_sweep_ms) {
		log_event(LOG_NOTICE, "sweep of tokens begins", {"run", access->engine->run_id});
		book->next_sweep_ms = 0;
		read_all(access);
	}
	if (!book->next_sweep_ms)
		book->next_sweep_ms = next_sweep(settings, now_ms);
	tokens_wake_at(access, book->next_sweep_ms, now_ms);
}

/* How old a list of tokens may be before those that were made since could have become too old; 0: no grant limits them. */
static uint64_t age_max_ns(const struct access *access)
{
	int64_t shortest = 0, least = access->engine->settings->permissions_interval_ms;

	for (vec_each (&access->tokens->limits, limit)) {
		int64_t lifetime = limit->grant->tokens->max_lifetime_ms;

		if (!shortest || lifetime < shortest)
			shortest = lifetime;
	}
	if (!shortest)
		return 0;
	shortest /= LOOKS_PER_LIFETIME;
	return (uint64_t)(shortest > least ? shortest : least) * 1000000;
}

static void look_at(
		struct access *access, struct token_item *tokens, uint64_t age_max, int64_t now_ms)
{
	uint64_t now = clock_monotonic_ns();

	if (tokens->next_ms && tokens->next_ms <= now_ms) {
		tokens->next_ms = 0;
		item_want_read(access, &tokens->item);
	} else if (tokens->next_ms) {
		tokens_wake_at(access, tokens->next_ms, now_ms);
	}
	if (!age_max || !tokens->item.observed || tokens->item.read_wanted)
		return;
	if (now - tokens->asked_ns >= age_max)
		item_want_read(access, &tokens->item);
	else
		engine_tick_at(access->engine, tokens->asked_ns + age_max);
}

void tokens_tick(struct access *access)
{
	int64_t now = clock_wall_ms();
	uint64_t age_max;

	if (access->engine->options.mode != ENGINE_RUN)
		return;
	if (access->engine->settings->sweep.on)
		sweep(access, now);
	age_max = age_max_ns(access);
	for (vec_each (&access->items, item)) {
		if (token_item_of(*item))
			look_at(access, token_item_of(*item), age_max, now);
	}
}
