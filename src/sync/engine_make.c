#include "sync/access/item.h"
#include "sync/expansion.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/table.h"
#include "databricks/auth/profile.h"

static enum err_code open_store(struct engine *engine, struct err *err)
{
	enum store_mode mode = engine->options.mode == ENGINE_PLAN ? STORE_READ : STORE_WRITE;
	enum err_code code = store_open(
			engine->loop, engine->settings->store_path, mode, &engine->store, err);

	/* A plan before the first run: nothing is ours yet. */
	return mode == STORE_READ && code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static void make_parts(struct engine *engine)
{
	size_t targets = engine->settings->target_count;

	engine->snapshot = snapshot_new(engine->searches, engine->search_count);
	engine->registry = registry_new();
	engine->guard = guard_new(engine->settings);
	engine->sources = mem_array(engine->settings->source_count, sizeof(*engine->sources));
	engine->search_states = mem_array(engine->search_count, sizeof(*engine->search_states));
	engine->workspaces = mem_array(targets, sizeof(*engine->workspaces));
	engine->by_node = mem_array(targets, sizeof(*engine->by_node));
	for (unsigned target = 0; target < targets; target++) {
		engine->workspaces[target].engine = engine;
		engine->workspaces[target].target = target;
	}
	engine->feed_arena = arena_new();
	engine->scratch = arena_new();
	engine->plan_arena = arena_new();
}

/* Whoever we sign in as must not lock himself out. An OAuth client's id is its service principal's application id. */
static void protect_ourselves(struct engine *engine)
{
	struct settings *settings = &engine->own_settings;
	size_t count = settings->protected_counts[PRINCIPAL_SERVICE];
	const char **names = arena_alloc(
			engine->feed_arena, (count + settings->target_count) * sizeof(*names));

	for (size_t i = 0; i < count; i++)
		names[i] = settings->protected_names[PRINCIPAL_SERVICE][i];
	for (size_t target = 0; target < settings->target_count; target++) {
		struct credential credential = {0};
		struct err err;

		if (credential_resolve(settings, target, &credential, &err) == ERR_NONE &&
				credential_principal(&credential))
			names[count++] = arena_strdup(
					engine->feed_arena, credential_principal(&credential));
		credential_release(&credential);
	}
	settings->protected_names[PRINCIPAL_SERVICE] = names;
	settings->protected_counts[PRINCIPAL_SERVICE] = count;
}

static enum err_code fill(struct engine *engine, struct err *err)
{
	bool clean = false;

	if (subjects_new(engine->options.config, &engine->subjects, err) != ERR_NONE)
		return err->code;
	make_parts(engine);
	protect_ourselves(engine);
	engine->access = access_new(engine);
	if (open_store(engine, err) != ERR_NONE ||
			databricks_new(engine->loop, engine->settings, &engine->databricks, err) !=
					ERR_NONE)
		return err->code;
	if (engine->store && records_load(engine, &clean, err) != ERR_NONE)
		return err->code;
	engine->desired = desired_new(engine->options.config, engine->snapshot);
	engine->expansion = expansion_new(engine);
	if (clean && engine->options.mode == ENGINE_RUN && !records_rights_are_open(engine))
		access_trust_store(engine->access);
	/* What was complete and ended well is still the truth; everything else is read again. */
	engine->inventory_ready = clean && engine->options.mode == ENGINE_RUN;
	for (unsigned target = 0; target < engine->settings->target_count; target++)
		engine->workspaces[target].lists_settled =
				engine->workspaces[target].lists_complete = engine->inventory_ready;
	return ERR_NONE;
}

enum err_code engine_new(struct loop *loop, const struct engine_options *options,
		struct engine **ret, struct err *err)
{
	struct engine *engine = mem_zalloc(sizeof(*engine));

	engine->options = *options;
	engine->loop = loop;
	engine->own_settings = *config_settings(options->config);
	engine->settings = &engine->own_settings;
	engine->mapping = config_mapping(options->config);
	engine->searches = mapping_searches(engine->mapping, &engine->search_count);
	engine->started_ms = clock_wall_ms();
	digest_uuid(engine->run_id);
	task_init(&engine->pass, loop, pass_run);
	task_init(&engine->news, loop, intake_run);
	task_init(&engine->keep, loop, keep_run);
	task_init(&engine->trim, loop, engine_trim);
	task_init(&engine->wind_up, loop, engine_wind_up);
	task_init(&engine->ticked, loop, engine_ticked);
	discovery_init(engine);
	engine->tick = loop_timer_new(loop, &engine->ticked);
	/* Times of day are the user's; set before any thread of ours reads the environment. */
	if (engine->settings->timezone && setenv("TZ", engine->settings->timezone, 1) == 0)
		tzset();
	if (fill(engine, err) != ERR_NONE) {
		engine_free(engine);
		return err->code;
	}
	*ret = engine;
	return ERR_NONE;
}

/* ---- the end ---- */

static void free_states(struct engine *engine)
{
	for (size_t i = 0; engine->sources && i < engine->settings->source_count; i++) {
		feed_free(engine->sources[i].feed);
		mem_free(engine->sources[i].uri);
	}
	for (size_t i = 0; engine->search_states && i < engine->search_count; i++)
		mem_free(engine->search_states[i].cookie);
	for (size_t i = 0; engine->workspaces && i < engine->settings->target_count; i++) {
		table_free(engine->workspaces[i].levels);
		vec_release(&engine->by_node[i]);
	}
	for (vec_each (&engine->intents, intent)) {
		arena_free((*intent)->arena);
		mem_free(*intent);
	}
	table_free(engine->doubts);
	mem_free(engine->sources);
	mem_free(engine->search_states);
	mem_free(engine->workspaces);
	mem_free(engine->by_node);
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	if (engine->workspaces)
		inventory_cancel(engine);
	if (engine->store)
		records_flush(engine);
	/* Drained first: a work's commit lives in the work. */
	store_close(engine->store);
	if (engine->registry)
		worker_cancel_all(engine);
	access_free(engine->access);
	if (engine->discovery.answered.loop)
		discovery_release(engine);
	expansion_free(engine->expansion);
	databricks_free(engine->databricks);
	free_states(engine);
	desired_free(engine->desired);
	snapshot_free(engine->snapshot);
	registry_free(engine->registry);
	guard_free(engine->guard);
	subjects_free(engine->subjects);
	vec_release(&engine->intents);
	vec_release(&engine->dirty);
	vec_release(&engine->notes);
	mem_free(engine->noted);
	vec_release(&engine->ready);
	vec_release(&engine->asking);
	vec_release(&engine->delayed);
	vec_release(&engine->plan_operations);
	vec_release(&engine->plan_notes);
	arena_free(engine->feed_arena);
	arena_free(engine->scratch);
	arena_free(engine->plan_arena);
	task_cancel(&engine->pass);
	task_cancel(&engine->news);
	task_cancel(&engine->keep);
	task_cancel(&engine->trim);
	task_cancel(&engine->wind_up);
	task_cancel(&engine->ticked);
	loop_timer_free(engine->tick);
	mem_free(engine);
}
