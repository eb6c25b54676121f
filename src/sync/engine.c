#include "sync/access/item.h"
#include "sync/expansion.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "databricks/profile.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS (24 * 60 * MINUTE_MS)

static const char *const phase_names[] = {
		[ENGINE_STARTING] = "starting",
		[ENGINE_READING_DIRECTORY] = "reading directory",
		[ENGINE_READING_DATABRICKS] = "reading Databricks",
		[ENGINE_PLANNED] = "planned",
		[ENGINE_APPLYING] = "applying",
		[ENGINE_FOLLOWING] = "following",
		[ENGINE_DONE] = "done",
		[ENGINE_FAILED] = "failed",
};

const char *engine_phase_name(enum engine_phase phase)
{
	return phase_names[phase];
}

enum engine_phase engine_phase(const struct engine *engine)
{
	return engine->phase;
}

const struct err *engine_error(const struct engine *engine)
{
	return &engine->err;
}

const struct plan *engine_plan(const struct engine *engine)
{
	return &engine->plan;
}

void engine_tell(struct engine *engine)
{
	if (engine->options.wakes)
		task_wake(engine->options.wakes);
}

void engine_set_phase(struct engine *engine, enum engine_phase phase)
{
	if (engine->phase == phase)
		return;
	log_debug("phase: %s -> %s", engine_phase_name(engine->phase), engine_phase_name(phase));
	engine->phase = phase;
	engine_tell(engine);
}

void engine_fail(struct engine *engine, const struct err *err)
{
	engine->err = *err;
	engine_set_phase(engine, ENGINE_FAILED);
}

bool engine_may_write(const struct engine *engine)
{
	return engine->options.mode != ENGINE_PLAN;
}

bool engine_may_change(const struct engine *engine)
{
	return engine_may_write(engine) && engine->settings->mode == MODE_ENFORCE;
}

static bool directory_is_complete(const struct engine *engine)
{
	for (size_t i = 0; i < engine->search_count; i++) {
		if (!engine->search_states[i].complete)
			return false;
	}
	return engine->leavers_confirmed;
}

bool engine_removals_allowed(const struct engine *engine)
{
	return directory_is_complete(engine) && inventory_is_complete(engine);
}

bool engine_removals_allowed_at(const struct engine *engine, unsigned target)
{
	return directory_is_complete(engine) && inventory_is_complete_at(engine, target);
}

/* ---- making ---- */

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
				credential.client_id)
			names[count++] = arena_strdup(engine->feed_arena, credential.client_id);
		credential_release(&credential);
	}
	settings->protected_names[PRINCIPAL_SERVICE] = names;
	settings->protected_counts[PRINCIPAL_SERVICE] = count;
}

static void ticked(struct task *task);
static void wind_up(struct task *task);
static void trim(struct task *task);

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
	task_init(&engine->trim, loop, trim);
	task_init(&engine->wind_up, loop, wind_up);
	task_init(&engine->ticked, loop, ticked);
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

/* ---- time ---- */

void engine_tick_at(struct engine *engine, uint64_t monotonic_ns)
{
	uint64_t now = clock_monotonic_ns();

	if (engine->stopping) /* the timer counts the stop down */
		return;
	if (engine->tick_ns && engine->tick_ns <= monotonic_ns)
		return;
	engine->tick_ns = monotonic_ns;
	loop_timer_start(engine->tick, monotonic_ns > now ? (monotonic_ns - now) / 1000000 + 1 : 1);
}

static int64_t next_time_of_day(const struct settings *settings, int64_t now_ms)
{
	time_t now = (time_t)(now_ms / 1000);
	struct tm day;

	if (settings->reconcile_minute < 0 || !localtime_r(&now, &day))
		return 0;
	day.tm_hour = settings->reconcile_minute / 60;
	day.tm_min = settings->reconcile_minute % 60;
	day.tm_sec = 0;
	day.tm_isdst = -1;
	if ((int64_t)mktime(&day) * 1000 <= now_ms) {
		day.tm_mday++;
		day.tm_isdst = -1;
	}
	return (int64_t)mktime(&day) * 1000;
}

static void schedule_reconcile(struct engine *engine)
{
	int64_t now = clock_wall_ms();

	engine->next_reconcile_ms = next_time_of_day(engine->settings, now);
}

/* The wall clock may step: it is looked at again every minute at the latest. */
static void arm_reconcile(struct engine *engine)
{
	int64_t wait = engine->next_reconcile_ms - clock_wall_ms();

	if (!engine->next_reconcile_ms || engine->options.mode != ENGINE_RUN)
		return;
	wait = wait < 1 ? 1 : wait > MINUTE_MS ? MINUTE_MS : wait;
	engine_tick_at(engine, clock_monotonic_ns() + (uint64_t)wait * 1000000);
}

static void wake_delayed(struct engine *engine, uint64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < engine->delayed.count; i++) {
		struct object *object = engine->delayed.items[i];

		if (object->retry_ns <= now) {
			object->delayed = false;
			pass_mark(engine, object);
			continue;
		}
		engine->delayed.items[kept++] = object;
		engine_tick_at(engine, object->retry_ns);
	}
	engine->delayed.count = kept;
}

static void retry_workspaces(struct engine *engine, uint64_t now)
{
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		struct workspace_state *state = &engine->workspaces[target];

		if (!state->retry_ns)
			continue;
		if (state->retry_ns > now) {
			engine_tick_at(engine, state->retry_ns);
			continue;
		}
		state->retry_ns = 0;
		(void)inventory_workspace_ready(engine, target);
	}
}

static void wake_refused(struct engine *engine, uint64_t now)
{
	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		struct object *object = registry_at(engine->registry, i);

		if (object->refused.count == 0)
			continue;
		if (object->refused_until_ns > now) {
			engine_tick_at(engine, object->refused_until_ns);
			continue;
		}
		ids_release(&object->refused);
		object->verify = object->read_wanted = object->id != 0;
		pass_mark(engine, object);
	}
}

static void ticked(struct task *task)
{
	struct engine *engine = (struct engine *)((char *)task - offsetof(struct engine, ticked));
	uint64_t now = clock_monotonic_ns();

	engine->tick_ns = 0;
	if (engine->stopping)
		return;
	wake_delayed(engine, now);
	retry_workspaces(engine, now);
	wake_refused(engine, now);
	access_tick(engine->access, now);
	discovery_tick(engine, now);
	if (engine->next_reconcile_ms && clock_wall_ms() >= engine->next_reconcile_ms)
		engine_reconcile(engine);
	if (engine->options.mode == ENGINE_RUN && !inventory_is_complete(engine) &&
			!engine->inventory && engine->started && now >= engine->inventory_retry_ns)
		inventory_start(engine, false);
	arm_reconcile(engine);
	task_wake(&engine->pass);
}

/* ---- phases ---- */

void engine_start(struct engine *engine)
{
	engine->started = true;
	if (engine_may_write(engine))
		records_note_rights(engine, true);
	if (engine->options.mode == ENGINE_RUN) {
		store_put_meta(records_batch(engine), "run_open", engine->run_id);
		intake_evaluate_all(engine);
		schedule_reconcile(engine);
		arm_reconcile(engine);
	}
	/* An object that an open intent is about is looked at before anything is done to it. */
	for (size_t i = 0; i < engine->intents.count; i++) {
		const struct operation *op = &engine->intents.items[i]->op;
		struct object *object = registry_find(engine->registry, op->target, op->object.key);

		if (!object && engine->settings->has_account)
			object = registry_find(engine->registry, 0, op->object.key);
		if (!object && op->kind == OP_CREATE)
			object = registry_object(engine->registry, op->target, op->principal,
					op->object.key);
		if (object)
			object->read_wanted = true;
		if (op->kind == OP_ASSIGN || op->kind == OP_UNASSIGN)
			(void)inventory_workspace_ready(engine, op->target);
	}
	access_start(engine->access);
	discovery_remember(engine);
	if (engine->options.old_targets)
		discovery_start(engine);
	intake_start(engine);
	if (!engine->inventory_ready)
		inventory_start(engine, true);
	records_flush(engine);
	engine_set_phase(engine, ENGINE_READING_DIRECTORY);
	engine_advance(engine);
}

static void tell_strays(const struct engine *engine)
{
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		size_t count = pass_count_strays(engine, target);

		if (count)
			log_event(LOG_WARNING,
					"principals of ours were made under another configuration, "
					"where this was their place; they are left alone",
					{"target", engine->settings->targets[target].name},
					{"count", log_int(count)});
	}
	if (engine->homeless)
		log_event(LOG_WARNING,
				"principals of ours are in targets that are not configured any "
				"more; they are left alone",
				{"target", engine->homeless_target},
				{"count", log_int(engine->homeless)});
}

static bool searches_settled(const struct engine *engine)
{
	for (size_t i = 0; i < engine->search_count; i++) {
		if (!engine->search_states[i].settled || engine->search_states[i].confirming)
			return false;
	}
	return true;
}

/* ---- leavers that nobody announced ---- */

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

/* ---- what comes next ---- */

static bool workspaces_known(struct engine *engine)
{
	bool known = true;

	for (size_t i = 0; engine->settings->has_account && i < subjects_count(engine->subjects);
			i++) {
		const struct subject *subject = subjects_at(engine->subjects, i);

		for (size_t g = 0; g < subject->count; g++) {
			unsigned workspace = subject->grants[g].target;

			if (subject->grants[g].kind == GRANT_ASSIGNMENT &&
					engine->workspaces[workspace].err.code == ERR_NONE &&
					!inventory_workspace_ready(engine, workspace))
				known = false;
		}
	}
	return known && (!engine->powers_wanted || inventory_powers_settled(engine));
}

static bool workspaces_wait(const struct engine *engine)
{
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		if (engine->workspaces[target].retry_ns)
			return true;
	}
	return false;
}

static void note_complete(struct engine *engine)
{
	char text[24];

	if (!engine_may_write(engine) || !engine_removals_allowed(engine))
		return;
	engine->last_complete_ms = clock_wall_ms();
	store_put_meta(records_batch(engine), "last_complete_ms",
			log_int_text(engine->last_complete_ms, text));
	store_put_meta(records_batch(engine), "config_digest", engine->settings->digest);
	records_flush(engine);
}

/* A reconcile has not seen all of the directory yet. */
static bool is_reading_directory(const struct engine *engine)
{
	for (size_t i = 0; i < engine->search_count; i++) {
		if (engine->search_states[i].enumerating || engine->search_states[i].confirming)
			return true;
	}
	return false;
}

/* What a first load or a reconcile needed goes back to the system once the store is done with it, too. */
static void trim(struct task *task)
{
	struct engine *engine = (struct engine *)((char *)task - offsetof(struct engine, trim));

	if (!engine->trim_room.wakes) {
		engine->trim_room.done = false;
		engine->trim_room.wakes = task;
		store_commit(engine->store, store_batch_new(engine->store), &engine->trim_room);
	} else if (engine->trim_room.done) {
		engine->trim_room.wakes = NULL;
		mem_trim();
	}
}

static void advance_run(struct engine *engine)
{
	if (engine->phase != ENGINE_FOLLOWING) {
		engine_set_phase(engine, ENGINE_FOLLOWING);
		engine->reconciling = true;
	}
	if (!engine->inventory && !inventory_is_complete(engine))
		engine_tick_at(engine, engine->inventory_retry_ns);
	if (engine->reconciling && engine_removals_allowed(engine) && pass_is_idle(engine) &&
			pass_count_retries(engine) == 0 &&
			(!inventory_is_known_at(engine, 0, UINT64_MAX) ||
					workspaces_known(engine)) &&
			!inventory_is_running(engine) && !workspaces_wait(engine) &&
			!is_reading_directory(engine)) {
		engine->reconciling = false;
		access_reconciled(engine->access);
		note_complete(engine);
		task_wake(&engine->trim);
		log_event(LOG_NOTICE, "in sync",
				{"operations", log_int(engine->progress.operations_done)},
				{"calls", log_int(databricks_calls(engine->databricks))},
				{"held", log_int(guard_held_count(engine->guard))});
		engine_tell(engine);
	}
}

static bool some_target_is_known(const struct engine *engine)
{
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		if (inventory_is_complete_at(engine, target))
			return true;
	}
	return false;
}

static void advance_once(struct engine *engine)
{
	/* A plan against an unknown Databricks would make everybody twice. */
	if (!some_target_is_known(engine)) {
		if (engine->phase == ENGINE_FAILED)
			return;
		(void)err_context(&engine->err, "Databricks could not be read whole");
		engine_set_phase(engine, ENGINE_FAILED);
		return;
	}
	if (!pass_is_idle(engine) || pass_count_retries(engine) || engine->leavers_asked ||
			!workspaces_known(engine) || inventory_is_running(engine))
		return;
	if (engine->phase == ENGINE_READING_DIRECTORY ||
			engine->phase == ENGINE_READING_DATABRICKS) {
		pass_build_plan(engine);
		engine_set_phase(engine,
				engine->options.mode == ENGINE_PLAN ? ENGINE_DONE : ENGINE_PLANNED);
	} else if (engine->phase == ENGINE_APPLYING) {
		note_complete(engine);
		engine_set_phase(engine, ENGINE_DONE);
	}
}

void engine_advance(struct engine *engine)
{
	if (engine->stopping || !engine->started)
		return;
	if (!engine->directory_ready) {
		if (!searches_settled(engine))
			return;
		engine->directory_ready = true;
		access_directory_read(engine->access);
		inventory_directory_read(engine);
		pass_mark_all(engine);
		if (engine->options.mode == ENGINE_RUN)
			tell_strays(engine);
		engine_ask_for_missing(engine);
		if (engine->phase == ENGINE_READING_DIRECTORY)
			engine_set_phase(engine, ENGINE_READING_DATABRICKS);
	}
	if (!engine->inventory_ready)
		return;
	if (engine->options.mode == ENGINE_RUN)
		advance_run(engine);
	else
		advance_once(engine);
}

void engine_go(struct engine *engine, const struct operation *allowed, size_t allowed_count)
{
	engine->restricted = allowed != NULL;
	engine->allowed = allowed;
	engine->allowed_count = allowed_count;
	engine_set_phase(engine, ENGINE_APPLYING);
	pass_keep_shown(engine);
	pass_mark_all(engine);
}

void engine_reconcile(struct engine *engine)
{
	if (engine->stopping || !engine->started)
		return;
	schedule_reconcile(engine);
	arm_reconcile(engine);
	log_event(LOG_NOTICE, "reconcile begins", {"run", engine->run_id});
	engine->reconciling = true;
	discovery_start(engine);
	intake_enumerate(engine);
	inventory_start(engine, true);
	if (engine->directory_ready)
		access_read(engine->access);
}

/* ---- the end ---- */

static void close_run(struct engine *engine)
{
	if (!engine->store || !engine->started || !engine_may_write(engine))
		return;
	if (engine->options.mode == ENGINE_RUN)
		store_put_meta(records_batch(engine), "run_open", NULL);
	if (access_is_settled(engine->access))
		records_note_rights(engine, false);
	records_flush(engine);
}

static void stop_now(struct engine *engine)
{
	if (engine->stopped)
		return;
	engine->stopped = true;
	if (engine->works + engine->access->works == 0)
		close_run(engine);
	engine_tell(engine);
}

static void wind_up(struct task *task)
{
	struct engine *engine = (struct engine *)((char *)task - offsetof(struct engine, wind_up));

	if (!engine->stopping)
		return;
	stop_now(engine);
}

static void stop_timed_out(struct task *task)
{
	stop_now((struct engine *)((char *)task - offsetof(struct engine, ticked)));
}

void engine_stop(struct engine *engine, uint64_t timeout_ms)
{
	if (engine->stopping)
		return;
	engine->stopping = true;
	for (size_t i = 0; i < engine->settings->source_count; i++) {
		feed_free(engine->sources[i].feed);
		engine->sources[i].feed = NULL;
	}
	inventory_cancel(engine);
	call_cancel(&engine->discovery.call);
	keep_all(engine);
	records_flush(engine);
	if (engine->works + engine->access->works == 0) {
		task_wake(&engine->wind_up);
		return;
	}
	/* The tick has no other use any more. */
	task_cancel(&engine->ticked);
	engine->ticked.run = stop_timed_out;
	loop_timer_start(engine->tick, timeout_ms);
}

bool engine_is_stopped(const struct engine *engine)
{
	return engine->stopped;
}

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

void engine_progress(const struct engine *engine, struct engine_progress *ret)
{
	*ret = engine->progress;
	ret->calls = databricks_calls(engine->databricks);
	ret->held = guard_held_count(engine->guard);
	ret->operations_left = engine->dirty.count + engine->ready.count - engine->ready_from +
			engine->works;
	ret->operations_left += engine->access->dirty.count + engine->access->ready.count -
			engine->access->ready_from + engine->access->works;
	ret->quarantined = access_count_quarantined(engine->access);
	for (size_t i = 0; i < registry_count(engine->registry); i++)
		ret->quarantined += registry_at(engine->registry, i)->quarantined_ms != 0;
}
