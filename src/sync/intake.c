/*
 * intake -- directory news into snapshot, desired and store, and the objects that they concern into
 * the queue.
 */
#include "sync/expansion.h"

#include "base/clock.h"
#include "base/log.h"

static const struct search *search_of(const struct engine *engine, unsigned id)
{
	return &engine->searches[id];
}

static const char *source_name(const struct engine *engine, unsigned source)
{
	return engine->settings->sources[source].name;
}

/* ---- from snapshot to objects ---- */

/* A group whose members may have changed without an event: its entry is searched for once more. */
static void read_again(struct engine *engine, node_id group)
{
	const char *anchor = snapshot_anchor(engine->snapshot, group);
	uint64_t searches = snapshot_searches(engine->snapshot, group);
	unsigned source = snapshot_source(engine->snapshot, group);

	for (unsigned i = 0; i < engine->search_count; i++) {
		if ((searches >> i & 1) && engine->searches[i].purpose != SEARCH_CONTAINERS &&
				engine->sources[source].feed)
			feed_confirm(engine->sources[source].feed, i, &anchor, 1,
					++engine->next_ticket);
	}
}

/* Takes over what the snapshot says has changed. */
static void digest_changes(struct engine *engine)
{
	const struct snapshot_change *changes;
	const node_id *nodes;
	size_t count, node_count;
	bool rules_changed = false;

	changes = snapshot_changes(engine->snapshot, &count);
	if (count == 0)
		return;
	keep_changes(engine, changes, count);
	nodes = desired_update(engine->desired, changes, count, &node_count);
	for (size_t i = 0; i < count; i++) {
		if (changes[i].effects & (EFFECT_CONTENT | EFFECT_SEARCHES | EFFECT_GONE))
			rules_changed = expansion_update(engine->expansion, changes[i].node,
							changes[i].effects & EFFECT_GONE) ||
					rules_changed;
	}
	for (size_t i = 0; i < node_count; i++) {
		if (snapshot_is_present(engine->snapshot, nodes[i]))
			pass_mark_node(engine, nodes[i]);
	}
	for (size_t i = 0; i < count; i++) {
		if (changes[i].effects & EFFECT_GONE)
			pass_node_gone(engine, changes[i].node);
		else if (changes[i].effects & EFFECT_STALE)
			read_again(engine, changes[i].node);
	}
	snapshot_settle(engine->snapshot);
	if (node_count || rules_changed)
		pass_mark_subjects(engine);
}

void intake_evaluate_all(struct engine *engine)
{
	VEC(struct snapshot_change) all = {0};
	size_t count;

	for (node_id node = 0; node < snapshot_limit(engine->snapshot); node++) {
		if (snapshot_is_present(engine->snapshot, node))
			*vec_add(&all) = (struct snapshot_change){node,
					EFFECT_CONTENT | EFFECT_GROUPS | EFFECT_MEMBERS |
							EFFECT_SEARCHES};
	}
	(void)desired_update(engine->desired, all.items, all.count, &count);
	for (vec_each (&all, change))
		(void)expansion_update(engine->expansion, change->node, false);
	vec_release(&all);
}

static void take_change(struct engine *engine, unsigned search, const struct feed_change *change)
{
	struct err err;

	switch (change->kind) {
	case FEED_UPSERT:
		if (snapshot_upsert(engine->snapshot, search, &change->entry, &err) != ERR_NONE)
			log_event(LOG_WARNING, "entry left out", {"entry", change->entry.dn},
					{"error", err.text});
		engine->progress.entries++;
		engine->search_states[search].entries++;
		break;
	case FEED_DELETE:
		snapshot_remove(engine->snapshot, search, change->entry.anchor);
		break;
	case FEED_PRESENT:
		snapshot_mention(engine->snapshot, search, change->entry.anchor);
		break;
	}
}

/* A folder that comes or goes takes what is below it along without a word (OpenLDAP tells the subtree's
 * move as one change): only reading everything again shows who. Not while a search is read whole for the first time. */
static bool moves_others(
		const struct engine *engine, unsigned search, const struct feed_change *change)
{
	const struct search *of = search_of(engine, search);
	bool is_known;

	if (of->purpose != SEARCH_CONTAINERS || !engine->search_states[search].complete ||
			change->kind == FEED_PRESENT)
		return false;
	is_known = snapshot_find_anchor(engine->snapshot, of->source, change->entry.anchor) !=
			NODE_NONE;
	return is_known == (change->kind == FEED_DELETE);
}

static void enumerate(struct engine *engine, unsigned search)
{
	engine->search_states[search].enumerating = true;
	feed_enumerate(engine->sources[engine->searches[search].source].feed, search);
}

static void enumerate_people_and_groups(struct engine *engine, unsigned source)
{
	log_event(LOG_NOTICE, "a folder came or went: what may be below it is read again",
			{"source", source_name(engine, source)});
	for (unsigned i = 0; i < engine->search_count; i++) {
		if (engine->searches[i].source == source &&
				engine->searches[i].purpose != SEARCH_CONTAINERS)
			enumerate(engine, i);
	}
}

static void take_changes(struct engine *engine, const struct feed_news *news)
{
	bool others_moved = false;

	for (size_t i = 0; i < news->change_count; i++) {
		others_moved |= !news->enumeration &&
				moves_others(engine, news->search, &news->changes[i]);
		take_change(engine, news->search, &news->changes[i]);
	}
	engine->sources[news->source].last_event_ms = clock_wall_ms();
	digest_changes(engine);
	keep_cookie(engine, news->search, news->cookie);
	if (others_moved && engine->options.mode == ENGINE_RUN)
		enumerate_people_and_groups(engine, news->source);
}

/* ---- completeness ---- */

static void settle_search(struct engine *engine, unsigned search, bool complete)
{
	struct search_state *state = &engine->search_states[search];

	state->settled = true;
	if (complete && !state->complete) {
		/* Removals that could not be planned until now. */
		state->complete = true;
		state->err.code = ERR_NONE;
		if (engine->directory_ready) {
			/* While it was incomplete nobody could be asked for. */
			engine_ask_for_missing(engine);
			pass_mark_all(engine);
		}
	} else if (complete && engine->directory_ready && !engine->leavers_confirmed &&
			engine->leavers_asked == 0) {
		engine_ask_for_missing(engine);
	}
	engine_advance(engine);
}

static void confirm_absent(struct engine *engine, unsigned search)
{
	struct search_state *state = &engine->search_states[search];
	struct arena *arena = arena_new();
	const char *const *anchors;
	size_t count = snapshot_unmentioned(engine->snapshot, search, arena, &anchors);

	if (count == 0) {
		settle_search(engine, search, true);
		keep_waiting_cookies(engine);
	} else {
		log_event(LOG_NOTICE,
				"entries missing from a complete read are searched for once more",
				{"source", source_name(engine, search_of(engine, search)->source)},
				{"base", search_of(engine, search)->base},
				{"count", log_int(count)});
		state->confirming = true;
		state->ticket = ++engine->next_ticket;
		feed_confirm(engine->sources[search_of(engine, search)->source].feed, search,
				anchors, count, state->ticket);
	}
	arena_free(arena);
}

static void refreshed(struct engine *engine, const struct feed_news *news)
{
	struct search_state *state = &engine->search_states[news->search];

	state->enumerating = state->enumerating && !news->enumeration;
	keep_pass(engine, news->search, false);
	/* It waits until the search is settled. */
	if (news->cookie.ptr) {
		mem_free(state->cookie);
		state->cookie = mem_strndup(news->cookie.ptr, news->cookie.len);
		state->cookie_len = news->cookie.len;
	}
	if (news->absent_are_gone) {
		confirm_absent(engine, news->search);
		return;
	}
	settle_search(engine, news->search, true);
	keep_waiting_cookies(engine);
}

static void confirmed(struct engine *engine, const struct feed_news *news)
{
	struct search_state *state = &engine->search_states[news->search];

	if (news->ticket && news->ticket == engine->leavers_ticket) {
		engine_leavers_answered(engine, NULL);
		return;
	}
	if (news->ticket != state->ticket)
		return; /* of a pass that another one overtook */
	for (size_t i = 0; i < news->anchor_count; i++)
		snapshot_remove(engine->snapshot, news->search, news->anchors[i]);
	state->confirming = false;
	digest_changes(engine);
	settle_search(engine, news->search, true);
	keep_waiting_cookies(engine);
}

static void search_failed(struct engine *engine, const struct feed_news *news)
{
	struct search_state *state = &engine->search_states[news->search];

	if (news->ticket && news->ticket == engine->leavers_ticket) {
		engine_leavers_answered(engine, &news->err);
		return;
	}
	state->err = news->err;
	if (!news->ticket)
		keep_pass(engine, news->search, false);
	state->enumerating = state->enumerating && !news->enumeration;
	if (news->ticket && news->ticket == state->ticket) {
		/* Nothing is known of the absent ones: the next pass asks again, and until then
		 * nobody is removed. */
		state->confirming = false;
		state->complete = false;
	}
	log_event(LOG_WARNING, "a search is incomplete: nothing is concluded from what is missing",
			{"source", source_name(engine, news->source)},
			{"base", search_of(engine, news->search)->base},
			{"filter", search_of(engine, news->search)->filter},
			{"error", news->err.text});
	settle_search(engine, news->search, false);
}

/* ---- the connection ---- */

static void set_state(struct source_state *source, const char *state)
{
	source->state = state;
	source->since_ms = clock_wall_ms();
}

static void lost(struct engine *engine, const struct feed_news *news)
{
	struct source_state *source = &engine->sources[news->source];
	enum log_level level = news->err.code == ERR_AUTH || news->err.code == ERR_CONFIG
			? LOG_ERROR
			: LOG_WARNING;

	set_state(source, news->err.code == ERR_AUTH ? "failed" : "waiting");
	source->err = news->err;
	log_event(level, "directory connection lost; tried again",
			{"source", source_name(engine, news->source)}, {"error", news->err.text});
	for (unsigned i = 0; i < engine->search_count; i++) {
		if (engine->searches[i].source != news->source)
			continue;
		if (!engine->search_states[i].complete)
			engine->search_states[i].err = news->err;
		engine->search_states[i].settled = true;
		keep_pass(engine, i, false);
	}
	engine_advance(engine);
}

static bool all_following(const struct engine *engine, unsigned source)
{
	for (size_t i = 0; i < engine->search_count; i++) {
		if (engine->searches[i].source == source && !engine->search_states[i].complete)
			return false;
	}
	return true;
}

static void finished(struct engine *engine, const struct feed_news *news)
{
	struct source_state *source = &engine->sources[news->source];

	source->finished = true;
	for (size_t i = 0; i < engine->search_count; i++) {
		struct search_state *state = &engine->search_states[i];

		if (engine->searches[i].source != news->source || state->settled)
			continue;
		if (news->err.code != ERR_NONE && !state->complete)
			state->err = news->err;
		state->settled = true;
	}
	engine_advance(engine);
}

static void take_news(struct engine *engine, const struct feed_news *news)
{
	struct source_state *source = &engine->sources[news->source];

	switch (news->kind) {
	case FEED_CONNECTED:
		mem_free(source->uri);
		source->uri = mem_strdup(news->text);
		source->err.code = ERR_NONE;
		set_state(source, "reading");
		log_event(LOG_NOTICE, "connected to the directory",
				{"source", source_name(engine, news->source)}, {"uri", news->text});
		break;
	case FEED_LOST:
		lost(engine, news);
		break;
	case FEED_REFRESHING:
		snapshot_refresh_begin(engine->snapshot, news->search);
		keep_pass(engine, news->search, true);
		engine->search_states[news->search].entries = 0;
		break;
	case FEED_CHANGES:
		take_changes(engine, news);
		break;
	case FEED_REFRESHED:
		refreshed(engine, news);
		if (all_following(engine, news->source))
			set_state(source, "following");
		break;
	case FEED_CONFIRMED:
		confirmed(engine, news);
		break;
	case FEED_SEARCH_FAILED:
		search_failed(engine, news);
		break;
	case FEED_COOKIE_LOST:
		keep_pass(engine, news->search, false);
		keep_drop_cookie(engine, news->search);
		break;
	case FEED_FINISHED:
		finished(engine, news);
		break;
	}
}

void intake_run(struct task *task)
{
	struct engine *engine = (struct engine *)((char *)task - offsetof(struct engine, news));

	for (size_t i = 0; i < engine->settings->source_count; i++) {
		struct feed_news *news =
				engine->sources[i].feed ? feed_take(engine->sources[i].feed) : NULL;

		while (news) {
			struct feed_news *next = feed_news_next(news);

			if (!engine->stopping)
				take_news(engine, news);
			feed_news_free(news);
			news = next;
		}
	}
	engine_tell(engine);
	/* Planned now, in the same turn: every turn costs latency. The flush goes out with the
	 * first intents. */
	if (engine->directory_ready && engine->dirty.count)
		engine->pass.run(&engine->pass);
	records_flush(engine);
}

void intake_start(struct engine *engine)
{
	struct arena *arena = engine->feed_arena;

	for (unsigned i = 0; i < engine->settings->source_count; i++) {
		const struct search **searches =
				arena_alloc(arena, (engine->search_count + 1) * sizeof(*searches));
		struct span *cookies =
				arena_alloc(arena, (engine->search_count + 1) * sizeof(*cookies));
		struct feed_options options = {
				.mode = engine->options.mode == ENGINE_RUN ? FEED_FOLLOW
									   : FEED_ONCE,
				.source = &engine->settings->sources[i],
				.source_index = i,
				.folder = engine->settings->folder,
				.searches = searches,
				.cookies = cookies,
		};

		for (size_t s = 0; s < engine->search_count; s++) {
			struct span *cookie = &cookies[options.search_count];
			struct err err;

			if (engine->searches[s].source != i)
				continue;
			if (engine->options.mode == ENGINE_RUN &&
					snapshot_count(engine->snapshot) &&
					store_get_cookie(engine->store, engine->searches[s].digest,
							arena, cookie, &err) != ERR_NONE)
				*cookie = (struct span){0};
			/* What the store holds is complete as of its cookie. */
			if (cookie->ptr)
				engine->search_states[s].complete =
						engine->search_states[s].settled = true;
			searches[options.search_count++] = &engine->searches[s];
		}
		set_state(&engine->sources[i], "connecting");
		engine->sources[i].feed = feed_start(engine->loop, &options, &engine->news);
	}
}

void intake_enumerate(struct engine *engine)
{
	for (unsigned s = 0; s < engine->search_count; s++)
		enumerate(engine, s);
}
