/* pass_listing -- the plan that people see: all operations, and what a reader must know beside them. */
#include "sync/access/item.h"

void pass_list_note(struct engine *engine, int kind, const char *text)
{
	struct plan_note *note = vec_add(&engine->plan_notes);

	*note = (struct plan_note){.text = arena_strdup(engine->plan_arena, text)};
	note->kind = (__typeof__(note->kind))kind;
}

/* Containers of a source whose other searches failed as well. */
static bool says_nothing_new(const struct engine *engine, const struct search *search)
{
	for (size_t i = 0; search->purpose == SEARCH_CONTAINERS && i < engine->search_count; i++) {
		if (engine->searches[i].source == search->source &&
				engine->searches[i].purpose != SEARCH_CONTAINERS &&
				!engine->search_states[i].complete)
			return true;
	}
	return false;
}

static void note_directory(struct engine *engine)
{
	for (size_t i = 0; i < engine->search_count; i++) {
		const struct search_state *state = &engine->search_states[i];

		if (state->complete || says_nothing_new(engine, &engine->searches[i]))
			continue;
		pass_list_note(engine, NOTE_INCOMPLETE,
				arena_printf(engine->plan_arena,
						"search \"%s\" below \"%s\" of source \"%s\" "
						"(%s:%u) is incomplete: %s; no "
						"removal is planned",
						engine->searches[i].filter,
						engine->searches[i].base,
						engine->settings->sources
								[engine->searches[i].source]
										.name,
						engine->searches[i].file, engine->searches[i].line,
						state->err.code != ERR_NONE ? state->err.text
									    : "not read"));
	}
}

static void note_targets(struct engine *engine)
{
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		if (!inventory_is_complete_at(engine, target))
			pass_list_note(engine, NOTE_INCOMPLETE,
					arena_printf(engine->plan_arena,
							"%s could not be read whole; nothing is "
							"planned there: %s",
							engine->settings->targets[target].name,
							engine->workspaces[target].err.text));
	}
}

/* What the configuration no longer has a place for. */
static void note_strays(struct engine *engine)
{
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		size_t count = pass_count_strays(engine, target);

		if (count)
			pass_list_note(engine, NOTE_INFO,
					arena_printf(engine->plan_arena,
							"%zu principals of ours in %s were made "
							"under "
							"another configuration, where it was their "
							"place; "
							"they are left alone",
							count,
							engine->settings->targets[target].name));
	}
	if (engine->homeless)
		pass_list_note(engine, NOTE_INFO,
				arena_printf(engine->plan_arena,
						"%zu principals of ours are in targets that are "
						"not "
						"configured any more (%s); they are left alone",
						engine->homeless, engine->homeless_target));
}

static void note_entries(struct engine *engine)
{
	for (node_id node = 0; node < snapshot_limit(engine->snapshot); node++) {
		const struct want *want = desired_want(engine->desired, node);

		if (want && want->state == WANT_UNSURE &&
				snapshot_is_present(engine->snapshot, node))
			pass_list_note(engine, NOTE_SKIPPED,
					arena_printf(engine->plan_arena, "\"%s\": %s",
							snapshot_dn(engine->snapshot, node),
							want->reason ? want->reason : "skipped"));
	}
}

static void count_summary(struct plan_summary *summary, const struct operation *op)
{
	summary->held += op->held_by != NULL;
	if (op->held_by)
		return;
	switch (operation_mark(op)) {
	case '+':
		summary->add++;
		break;
	case '~':
		summary->change++;
		break;
	case '-':
		summary->remove++;
		break;
	default:
		summary->adopt++;
		break;
	}
}

void pass_list_operation(struct engine *engine, const struct operation *op)
{
	*vec_add(&engine->plan_operations) = *op;
	count_summary(&engine->plan.summary, op);
}

static void collect(struct engine *engine, struct object *object)
{
	struct object_plan plan = {0};

	pass_plan(engine, object, engine->plan_arena, &plan);
	pass_mark_held(engine, &plan, engine->plan_arena);
	for (vec_each (&plan.operations, op))
		pass_list_operation(engine, op);
	if (plan.quarantine)
		pass_list_note(engine, NOTE_QUARANTINE, plan.quarantine);
	else if (object->named_only && !object->id && object->quarantined_ms && object->reason)
		pass_list_note(engine, NOTE_QUARANTINE, object->reason); /* a grant names nobody */
	object_plan_release(&plan);
}

void pass_build_plan(struct engine *engine)
{
	arena_free(engine->plan_arena);
	engine->plan_arena = arena_new();
	engine->plan_operations.count = engine->plan_notes.count = 0;
	engine->plan = (struct plan){.complete = engine_removals_allowed(engine) &&
					access_is_complete(engine->access)};
	note_directory(engine);
	note_targets(engine);
	note_strays(engine);
	for (int groups = 0; groups <= 1; groups++) {
		for (size_t i = 0; i < registry_count(engine->registry); i++) {
			struct object *object = registry_at(engine->registry, i);

			if ((object->kind == PRINCIPAL_GROUP) == (groups != 0))
				collect(engine, object);
		}
	}
	access_collect(engine->access);
	note_entries(engine);
	engine->plan.operations = engine->plan_operations.items;
	engine->plan.count = engine->plan_operations.count;
	engine->plan.notes = engine->plan_notes.items;
	engine->plan.note_count = engine->plan_notes.count;
}
