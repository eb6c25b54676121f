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

static const char *state_of(const struct object *owner)
{
	if (!owner || !owner->ours)
		return "not_managed";
	return token_owner_leaves(owner) ? "leaver" : "in";
}

static json_t *time_json(int64_t ms)
{
	char text[CLOCK_TEXT_SIZE];

	if (ms <= 0)
		return json_null();
	clock_format(ms, text);
	return json_string(text);
}

static json_t *token_json(const struct access *access, unsigned target, const struct token_row *row)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	const struct object *owner = token_owner(access, target, row);
	char id[ID_TEXT_SIZE];

	return json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s, s:o, s:o, s:b, s:o}", "workspace",
			access->engine->settings->targets[target].name, "id", row->id, "comment",
			row->comment, "owner", token_owner_name(access, target, row, arena),
			"owner_id", row->owner ? id_text(row->owner, id) : "", "state",
			state_of(owner), "created", time_json(row->created_ms), "expires",
			time_json(row->expires_ms), "never_expires", row->expires_ms < 0,
			"last_used", time_json(row->last_used_ms));
}

json_t *engine_tokens(const struct engine *engine, const char *workspaces)
{
	const struct access *access = engine->access;
	json_t *list = json_array(), *unread = json_array();

	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		const struct target_settings *at = &engine->settings->targets[target];
		const struct token_item *tokens =
				(const struct token_item *)item_find(access, target, "tokens");

		if (!target_matches(at, workspaces))
			continue;
		if (!tokens || !tokens->item.observed) {
			(void)json_array_append_new(unread,
					json_pack("{s:s, s:s?}", "workspace", at->name, "reason",
							tokens ? tokens->item.reason : NULL));
			continue;
		}
		for (vec_each (&tokens->rows, row))
			(void)json_array_append_new(list, token_json(access, target, row));
	}
	return json_pack("{s:o, s:o}", "tokens", list, "unread", unread);
}

bool engine_revoke_token(struct engine *engine, const char *workspace, const char *id)
{
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		struct token_item *tokens;

		if (engine->settings->targets[target].is_account ||
				!text_equal(engine->settings->targets[target].name, workspace))
			continue;
		tokens = (struct token_item *)tokens_item(engine->access, target);
		*vec_add(&tokens->requested) = mem_strdup(id);
		/* The service's list may be of last night. */
		if (engine->options.mode == ENGINE_RUN)
			item_want_read(engine->access, &tokens->item);
		return true;
	}
	return false;
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
