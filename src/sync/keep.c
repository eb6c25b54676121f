/*
 * keep -- the snapshot's entries into the store, and the cookies behind them.
 *
 * A cookie is stored behind all entries that it covers. While absences of a search are being confirmed its newest cookie
 * waits, because it stands for removals that are not decided yet.
 *
 * While a pass runs, entries are only noted: members that come one after the other change a big group's record a
 * hundred times. What was noted is written after it, a slice per turn of the loop.
 */
#include "sync/engine_state.h"

#define KEEP_SLICE 1000

static const char *source_name(const struct engine *engine, unsigned source)
{
	return engine->settings->sources[source].name;
}

static bool keeps_entries(const struct engine *engine)
{
	return engine->options.mode == ENGINE_RUN;
}

static void put_entry(struct engine *engine, node_id node, struct arena *arena)
{
	struct snapshot_record record;
	struct store_entry entry;

	arena_reset(arena);
	snapshot_record(engine->snapshot, node, arena, &record);
	entry = (struct store_entry){source_name(engine, record.source), record.anchor, record.dn,
			record.searches, record.attributes, record.members};
	store_put_entry(records_batch(engine), &entry);
	if (store_batch_bytes(engine->batch) > BATCH_BYTES)
		records_flush(engine);
}

static bool is_refreshing(const struct engine *engine)
{
	for (size_t i = 0; i < engine->search_count; i++) {
		if (engine->search_states[i].refreshing)
			return true;
	}
	return false;
}

static bool is_noted(const struct engine *engine, node_id node)
{
	return node < engine->noted_room && engine->noted[node];
}

static void note(struct engine *engine, node_id node)
{
	if (is_noted(engine, node))
		return;
	if (node >= engine->noted_room) {
		size_t room = snapshot_limit(engine->snapshot);

		room += room / 2;
		engine->noted = mem_resize(engine->noted, room, sizeof(*engine->noted));
		memset(engine->noted + engine->noted_room, 0, room - engine->noted_room);
		engine->noted_room = room;
	}
	engine->noted[node] = true;
	*vec_add(&engine->notes) = node;
}

void keep_changes(struct engine *engine, const struct snapshot_change *changes, size_t count)
{
	bool later = is_refreshing(engine);
	struct arena *arena;

	if (!keeps_entries(engine))
		return;
	arena = arena_new();
	for (size_t i = 0; i < count; i++) {
		node_id node = changes[i].node;

		if (changes[i].effects & EFFECT_GONE) {
			/* Its number may be another's from now on. */
			if (is_noted(engine, node))
				engine->noted[node] = false;
			store_drop_entry(records_batch(engine),
					source_name(engine,
							snapshot_source(engine->snapshot, node)),
					snapshot_anchor(engine->snapshot, node));
		} else if (changes[i].effects & EFFECT_RECORD) {
			if (later)
				note(engine, node);
			else
				put_entry(engine, node, arena);
		}
	}
	arena_free(arena);
}

/* ---- cookies ---- */

static bool may_put_cookie(const struct engine *engine, const struct search_state *state)
{
	return !state->confirming && state->complete && engine->notes.count == 0;
}

static void put_cookie(struct engine *engine, unsigned search, struct span cookie)
{
	store_put_cookie(records_batch(engine), engine->searches[search].digest, cookie);
}

void keep_cookie(struct engine *engine, unsigned search, struct span cookie)
{
	struct search_state *state = &engine->search_states[search];

	if (!cookie.ptr || !keeps_entries(engine))
		return;
	mem_free(STEAL(state->cookie));
	if (may_put_cookie(engine, state)) {
		put_cookie(engine, search, cookie);
		return;
	}
	state->cookie = mem_strndup(cookie.ptr, cookie.len);
	state->cookie_len = cookie.len;
}

void keep_waiting_cookies(struct engine *engine)
{
	for (unsigned i = 0; i < engine->search_count; i++) {
		struct search_state *state = &engine->search_states[i];

		if (!state->cookie || !may_put_cookie(engine, state))
			continue;
		put_cookie(engine, i, (struct span){state->cookie, state->cookie_len});
		mem_free(STEAL(state->cookie));
	}
}

void keep_drop_cookie(struct engine *engine, unsigned search)
{
	if (keeps_entries(engine))
		store_drop_cookie(records_batch(engine), engine->searches[search].digest);
	mem_free(STEAL(engine->search_states[search].cookie));
}

/* ---- what was noted ---- */

void keep_pass(struct engine *engine, unsigned search, bool runs)
{
	engine->search_states[search].refreshing = runs;
	if (engine->notes.count && !is_refreshing(engine))
		task_wake(&engine->keep);
}

static void write_notes(struct engine *engine, size_t slice)
{
	struct arena *arena = arena_new();

	for (size_t i = 0; i < slice && engine->notes.count > 0; i++) {
		node_id node = engine->notes.items[--engine->notes.count];

		if (!is_noted(engine, node))
			continue;
		engine->noted[node] = false;
		put_entry(engine, node, arena);
	}
	arena_free(arena);
}

static void notes_done(struct engine *engine)
{
	vec_release(&engine->notes);
	mem_free(STEAL(engine->noted));
	engine->noted_room = 0;
	keep_waiting_cookies(engine);
}

void keep_run(struct task *task)
{
	struct engine *engine = (struct engine *)((char *)task - offsetof(struct engine, keep));

	if (is_refreshing(engine) || engine->stopping)
		return;
	if (!records_have_room(engine, &engine->keep_room, task))
		return;
	write_notes(engine, KEEP_SLICE);
	if (engine->notes.count == 0)
		notes_done(engine);
	else
		task_wake(task);
	records_flush(engine);
}

void keep_all(struct engine *engine)
{
	if (engine->notes.count == 0 || !keeps_entries(engine) || is_refreshing(engine))
		return;
	write_notes(engine, SIZE_MAX);
	notes_done(engine);
}
