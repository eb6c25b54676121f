/* token_report -- tokens as people ask for them: lists, and what is to be revoked. */
#include "sync/access/token_item.h"

#include "base/clock.h"
#include "base/text.h"

void engine_want_tokens(struct engine *engine, const char *workspaces)
{
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		if (target_matches(&engine->settings->targets[target], workspaces))
			(void)tokens_item(engine->access, target);
	}
}

/* What the directory says of the owner, whether or not he is ours already. */
static const char *state_of(
		const struct access *access, unsigned target, const struct token_row *row)
{
	const struct object *owner = token_owner(access, target, row);
	const char *name = token_owner_known(access, target, row);
	enum principal_kind kind = owner ? owner->kind : PRINCIPAL_USER;
	const struct want *want;
	node_id node;

	if (token_owner_leaves(owner))
		return "leaver";
	if (owner && owner->ours)
		return "in";
	node = owner && owner->node != NODE_NONE ? owner->node
			: name ? desired_find_name(access->engine->desired, kind, name)
			       : NODE_NONE;
	want = node != NODE_NONE ? desired_want(access->engine->desired, node) : NULL;
	return want && want->state == WANT_IN ? "in" : "not_managed";
}

static const char *guarded_word(const struct access *access, const struct token_item *tokens,
		const struct token_row *row)
{
	static const char *const words[] = {[TOKEN_FREE] = NULL,
			[TOKEN_PROTECTED] = "protected",
			[TOKEN_NAMELESS] = "unknown",
			[TOKEN_OUR_OWN] = "own"};

	return words[token_guarded(access, tokens, row)];
}

static json_t *time_json(int64_t ms)
{
	char text[CLOCK_TEXT_SIZE];

	if (ms <= 0)
		return json_null();
	clock_format(ms, text);
	return json_string(text);
}

static json_t *token_json(const struct access *access, const struct token_item *tokens,
		const struct token_row *row)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	unsigned target = tokens->item.target;
	char id[ID_TEXT_SIZE];

	return json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s, s:s?, s:o, s:o, s:b, s:o}", "workspace",
			access->engine->settings->targets[target].name, "id", row->id, "comment",
			row->comment, "owner", token_owner_name(access, target, row, arena),
			"owner_id", row->owner ? id_text(row->owner, id) : "", "state",
			state_of(access, target, row), "guarded", guarded_word(access, tokens, row),
			"created", time_json(row->created_ms), "expires",
			time_json(row->expires_ms), "never_expires", row->expires_ms < 0,
			"last_used", time_json(row->last_used_ms));
}

/* ---- lists ---- */

static int by_owner(const void *left, const void *right)
{
	static const char *const keys[] = {"owner", "owner_id", "created", "id"};
	const json_t *a = *(json_t *const *)left, *b = *(json_t *const *)right;
	int order = 0;

	for (size_t i = 0; i < COUNT_OF(keys) && order == 0; i++) {
		const char *x = json_string_value(json_object_get(a, keys[i]));
		const char *y = json_string_value(json_object_get(b, keys[i]));

		order = strcmp(x ? x : "", y ? y : "");
	}
	return order;
}

static void add_tokens(const struct access *access, const struct token_item *tokens, json_t *list)
{
	size_t count = tokens->rows.count;
	json_t **sorted = mem_array(count + 1, sizeof(json_t *));

	for (size_t i = 0; i < count; i++)
		sorted[i] = token_json(access, tokens, &tokens->rows.items[i]);
	qsort(sorted, count, sizeof(json_t *), by_owner);
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, sorted[i]);
	mem_free(sorted);
}

json_t *engine_tokens(const struct engine *engine, const char *workspaces)
{
	const struct access *access = engine->access;
	json_t *list = json_array(), *unread = json_array();

	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		const struct target_settings *at = &engine->settings->targets[target];
		struct token_item *tokens =
				(struct token_item *)item_find(access, target, "tokens");

		if (!target_matches(at, workspaces))
			continue;
		if (!tokens || !tokens->item.observed) {
			(void)json_array_append_new(unread,
					json_pack("{s:s, s:s?}", "workspace", at->name, "reason",
							tokens ? tokens->item.reason : NULL));
			continue;
		}
		token_name_foreign(access, tokens);
		add_tokens(access, tokens, list);
	}
	return json_pack("{s:o, s:o}", "tokens", list, "unread", unread);
}

/* ---- what a person wants ---- */

static void request(struct token_item *tokens, const char *id, bool even_guarded)
{
	for (vec_each (&tokens->requests, request)) {
		if (!text_equal(request->id, id))
			continue;
		request->even_guarded = request->even_guarded || even_guarded;
		request->asked_ns = clock_monotonic_ns();
		return;
	}
	*vec_add(&tokens->requests) =
			(struct token_request){mem_strdup(id), even_guarded, clock_monotonic_ns()};
}

bool engine_revoke_token(
		struct engine *engine, const char *workspace, const char *id, bool even_guarded)
{
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		struct token_item *tokens;

		if (engine->settings->targets[target].is_account ||
				!text_equal(engine->settings->targets[target].name, workspace))
			continue;
		tokens = (struct token_item *)tokens_item(engine->access, target);
		request(tokens, id, even_guarded);
		/* The service's list may be of last night. */
		if (engine->options.mode == ENGINE_RUN)
			item_want_read(engine->access, &tokens->item);
		return true;
	}
	return false;
}

json_t *engine_revocations(const struct engine *engine)
{
	json_t *list = json_array();

	for (vec_each (&engine->access->items, item)) {
		const struct token_item *tokens = token_item_of(*item);

		for (size_t i = 0; tokens && i < tokens->requests.count; i++)
			(void)json_array_append_new(list,
					json_pack("{s:s, s:s, s:s?}", "workspace",
							engine->settings->targets[(*item)->target]
									.name,
							"id", tokens->requests.items[i].id,
							"reason", (*item)->reason));
	}
	return json_pack("{s:o}", "waiting", list);
}

void engine_sweep_tokens(struct engine *engine, const char *workspaces)
{
	for (vec_each (&engine->access->items, item)) {
		if ((*item)->class == &token_class &&
				target_matches(&engine->settings->targets[(*item)->target],
						workspaces))
			item_want_read(engine->access, *item);
	}
}

const struct operation *engine_token_operations(
		struct engine *engine, bool requested_only, size_t *ret_count)
{
	struct access *access = engine->access;
	struct operation *list = NULL;
	size_t count = 0, room = 0;

	for (vec_each (&access->items, item)) {
		struct item_plan plan;

		if ((*item)->class != &token_class)
			continue;
		item_make_plan(access, *item, engine->plan_arena, &plan);
		if (count + plan.operations.count > room) {
			struct operation *more = arena_alloc(engine->plan_arena,
					(count + plan.operations.count) * 2 * sizeof(*list));

			room = (count + plan.operations.count) * 2;
			if (count)
				memcpy(more, list, count * sizeof(*list));
			list = more;
		}
		for (vec_each (&plan.operations, op)) {
			if (!requested_only || !op->is_removal)
				list[count++] = *op;
		}
		item_plan_release(&plan);
	}
	*ret_count = count;
	return list ? list : arena_alloc(engine->plan_arena, sizeof(*list));
}
