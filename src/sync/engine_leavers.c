#include "sync/engine_state.h"

#include "base/log.h"

static bool is_missing(const struct object *object)
{
	return object->ours && object->node == NODE_NONE && !object->named_only && !object->left_ms;
}

static size_t missing_of(struct engine *engine, const struct search *search, struct arena *arena,
		const char ***ret)
{
	const char *source = engine->settings->sources[search->source].name;
	const char **anchors = arena_alloc(
			arena, (registry_count(engine->registry) + 1) * sizeof(*anchors));
	size_t length = strlen(source), count = 0;

	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		const struct object *object = registry_at(engine->registry, i);
		bool group_search = search->purpose == SEARCH_GROUPS;

		if (is_missing(object) && (object->kind == PRINCIPAL_GROUP) == group_search &&
				strncmp(object->key, source, length) == 0 &&
				object->key[length] == '/')
			anchors[count++] = object->key + length + 1;
	}
	*ret = anchors;
	return count;
}

void engine_ask_for_missing(struct engine *engine)
{
	engine->leavers_ticket = ++engine->next_ticket;
	engine->leavers_asked = 0;
	engine->leavers_confirmed = true;
	for (unsigned i = 0; i < engine->search_count; i++) {
		const struct search *search = &engine->searches[i];
		struct arena *arena = arena_new();
		const char **anchors;
		size_t count = 0;

		if (search->purpose == SEARCH_USERS || search->purpose == SEARCH_GROUPS ||
				search->purpose == SEARCH_SERVICE_PRINCIPALS)
			count = missing_of(engine, search, arena, &anchors);
		if (count && engine->search_states[i].complete) {
			feed_confirm(engine->sources[search->source].feed, i, anchors, count,
					engine->leavers_ticket);
			engine->leavers_asked++;
			engine->leavers_confirmed = false;
		}
		arena_free(arena);
	}
}

void engine_leavers_answered(struct engine *engine, const struct err *err)
{
	if (err) {
		log_event(LOG_WARNING,
				"missing entries could not be searched for once more; nobody is "
				"removed",
				{"error", err->text});
		engine->leavers_ticket = 0; /* the others' answers do not make it whole */
		engine->leavers_asked = 0;
		engine_advance(engine);
		return;
	}
	if (engine->leavers_asked == 0 || --engine->leavers_asked > 0)
		return;
	engine->leavers_confirmed = true;
	pass_mark_all(engine);
	engine_advance(engine);
}
