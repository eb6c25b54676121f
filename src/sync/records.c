/* records -- the engine's state to and from the store. */
#include "sync/access/item.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "sync/plan_file.h"

struct store_batch *records_batch(struct engine *engine)
{
	if (!engine->batch)
		engine->batch = store_batch_new(engine->store);
	return engine->batch;
}

void records_flush(struct engine *engine)
{
	if (!engine->batch || !engine_may_write(engine))
		return;
	/* Nobody waits; a failure shows in the next intents, which then are not sent. */
	store_commit(engine->store, STEAL(engine->batch), NULL);
}

/* What is recorded faster than the store writes would pile up in memory. */
bool records_have_room(struct engine *engine, struct room *room, struct task *wakes)
{
	if (room->awaited && !room->commit.done)
		return false;
	room->awaited = false;
	if (!engine->store || store_backlog(engine->store) < BACKLOG_MAX)
		return true;
	room->commit.wakes = wakes;
	store_commit(engine->store, store_batch_new(engine->store), &room->commit);
	room->awaited = true;
	return false;
}

static const char *target_name(const struct engine *engine, unsigned target)
{
	return engine->settings->targets[target].name;
}

void records_principal(struct engine *engine, const struct object *object)
{
	char id[ID_TEXT_SIZE];
	struct store_principal record = {
			.target = target_name(engine, object->target),
			.kind = object->kind,
			.remote_id = id_text(object->id, id),
			.key = object->key,
			.origin = object->origin,
			.active = object->active,
			.left_ms = object->left_ms,
			.match = object->match,
			.gone = object->gone,
	};

	if (!engine_may_write(engine) || !object->id)
		return;
	for (size_t i = 0; i < FIELD_COUNT_; i++)
		record.fields[i] = object->fields[i];
	if (object->ours)
		store_put_principal(records_batch(engine), &record);
	else
		store_drop_principal(records_batch(engine), record.target, record.kind,
				record.remote_id);
}

void records_member(
		struct engine *engine, const struct object *group, uint64_t member, bool is_member)
{
	char group_id[ID_TEXT_SIZE], member_id[ID_TEXT_SIZE];
	struct store_member record = {target_name(engine, group->target),
			id_text(group->id, group_id), id_text(member, member_id)};

	if (!engine_may_write(engine))
		return;
	if (is_member)
		store_put_member(records_batch(engine), &record);
	else
		store_drop_member(records_batch(engine), &record);
}

void records_grant(struct engine *engine, const struct object *object,
		const struct held_grant *grant, bool is_held)
{
	char id[ID_TEXT_SIZE];
	struct store_grant record = {target_name(engine, grant->workspace), object->kind,
			id_text(object->id, id), grant->kind, grant->value, grant->former};

	if (!engine_may_write(engine))
		return;
	if (is_held)
		store_put_grant(records_batch(engine), &record);
	else
		store_drop_grant(records_batch(engine), &record);
}

/* Of what was let go without being held, until it is done: after a crash it must not count against the
 * allowance once more. */
#define HOLD_ID_PASSED "passed"

void records_decision(struct engine *engine, const struct decision *decision, bool present)
{
	static const enum hold_state states[] = {[VERDICT_GO] = HOLD_APPROVED,
			[VERDICT_HELD] = HOLD_WAITING,
			[VERDICT_REJECTED] = HOLD_REJECTED};
	struct store_hold record = {
			.operation_id = decision->key,
			.hold_id = decision->hold_id ? decision->hold_id : HOLD_ID_PASSED,
			.operation = decision->operation,
			.category = decision->category,
			.state = states[decision->verdict],
			.time_ms = decision->time_ms,
			.reason = decision->reason,
	};

	/* A leaver who went without being held needs no record: he has his own. */
	if (!engine_may_write(engine) ||
			(!decision->hold_id && text_starts_with(decision->key, "leaver:")))
		return;
	if (present)
		store_put_hold(records_batch(engine), &record);
	else
		store_drop_hold(records_batch(engine), decision->key);
}

void records_quarantine(struct engine *engine, const struct object *object)
{
	uint64_t now = clock_monotonic_ns();
	int64_t wait_ms =
			object->retry_ns > now ? (int64_t)((object->retry_ns - now) / 1000000) : 0;
	struct store_quarantine record = {
			.key = object->key,
			.name = pass_name(engine, object),
			.reason = object->reason,
			.since_ms = object->quarantined_ms,
			.retry_ms = clock_wall_ms() + wait_ms,
			.tries = object->tries,
	};

	if (!engine_may_write(engine))
		return;
	if (object->quarantined_ms)
		store_put_quarantine(records_batch(engine), &record);
	else
		store_drop_quarantine(records_batch(engine), object->key);
}

void records_audit(struct engine *engine, const char *event, const struct operation *op,
		const char *result, const char *request_id, const struct err *err)
{
	AUTO(buf_release) struct buf line = {.max = PLAN_FILE_BYTES_MAX};

	if (!engine_may_write(engine))
		return;
	buf_add_char(&line, '{');
	operation_add_json(&line, op, engine->settings);
	json_add_member(&line, "event", event);
	json_add_member(&line, "run", engine->run_id);
	json_add_member(&line, "result", result);
	json_add_member(&line, "request_id", request_id && *request_id ? request_id : NULL);
	json_add_member(&line, "error", err ? err->text : NULL);
	buf_add_char(&line, '}');
	store_add_audit(records_batch(engine), line.ptr);
}

/* ---- open intents ---- */

static struct operation *operation_copy(
		const struct engine *engine, const struct operation *op, struct arena *arena)
{
	struct operation *copy = arena_alloc(arena, sizeof(*copy));
	json_auto_t *json = operation_to_json(op, engine->settings);
	struct err err;

	if (operation_from_json(json, engine->settings, arena, copy, &err) != ERR_NONE)
		*copy = (struct operation){
				.id = arena_strdup(arena, op->id), .kind = OP_KIND_COUNT_};
	return copy;
}

struct open_intent *records_open_intent(struct engine *engine, const struct operation *op)
{
	struct open_intent *intent = mem_zalloc(sizeof(*intent));

	intent->arena = arena_new();
	intent->op = *operation_copy(engine, op, intent->arena);
	*vec_add(&engine->intents) = intent;
	return intent;
}

bool records_intent_is_of(const struct engine *engine, const struct open_intent *intent,
		const struct object *object)
{
	/* With an account a principal's grants are in other targets than itself. */
	return text_equal(intent->op.object.key, object->key) &&
			(intent->op.target == object->target ||
					(engine->settings->has_account && object->target == 0));
}

/* Whether what settled just now (see the header of records_close_intents) settles this one. */
static bool is_settled(const struct open_intent *intent, unsigned workspace)
{
	bool assignment = intent->op.kind == OP_ASSIGN || intent->op.kind == OP_UNASSIGN;

	return workspace == NO_WORKSPACE ? !assignment
					 : assignment && intent->op.target == workspace;
}

void records_close_intents(struct engine *engine, const struct object *object, unsigned workspace)
{
	size_t kept = 0;

	for (size_t i = 0; i < engine->intents.count; i++) {
		struct open_intent *intent = engine->intents.items[i];

		if (!records_intent_is_of(engine, intent, object) ||
				!is_settled(intent, workspace)) {
			engine->intents.items[kept++] = intent;
			continue;
		}
		if (engine_may_write(engine))
			store_drop_intent(records_batch(engine), intent->op.id);
		arena_free(intent->arena);
		mem_free(intent);
	}
	engine->intents.count = kept;
}

/* ---- loading ---- */

struct loading {
	struct engine *engine;
	struct err err;
	bool failed;
};

static bool find_target(const struct engine *engine, const char *name, unsigned *ret)
{
	for (unsigned i = 0; i < engine->settings->target_count; i++) {
		if (text_equal(engine->settings->targets[i].name, name)) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static void load_entry(void *context, const struct store_entry *entry)
{
	struct loading *loading = context;
	struct engine *engine = loading->engine;
	struct snapshot_record record = {.anchor = entry->anchor,
			.dn = entry->dn,
			.searches = entry->searches,
			.attributes = entry->attributes,
			.members = entry->members};

	for (unsigned i = 0; i < engine->settings->source_count; i++) {
		record.source = i;
		if (!text_equal(engine->settings->sources[i].name, entry->source))
			continue;
		if (!loading->failed &&
				snapshot_load(engine->snapshot, &record, &loading->err) != ERR_NONE)
			loading->failed = true;
		return;
	}
}

static void load_principal(void *context, const struct store_principal *record)
{
	struct loading *loading = context;
	struct registry *registry = loading->engine->registry;
	struct object *object;
	unsigned target;

	/* A target that left the configuration keeps its records, and is left alone. */
	if (!find_target(loading->engine, record->target, &target)) {
		if (loading->engine->homeless++ == 0)
			loading->engine->homeless_target =
					arena_strdup(loading->engine->feed_arena, record->target);
		return;
	}
	if (!id_parse(record->remote_id))
		return;
	object = registry_object(registry, target, record->kind, record->key);
	registry_bind(registry, object, id_parse(record->remote_id));
	object->ours = true;
	object->origin = record->origin;
	object->active = record->active;
	object->left_ms = record->left_ms;
	object->gone = record->gone;
	mem_free(object->match);
	object->match = mem_strdup_or_null(record->match);
	for (unsigned field = 0; field < FIELD_COUNT_; field++)
		registry_set_field(registry, object, (enum field)field, record->fields[field]);
}

static void load_member(void *context, const struct store_member *record)
{
	struct loading *loading = context;
	struct object *group;
	unsigned target;

	if (!find_target(loading->engine, record->target, &target))
		return;
	group = registry_find_id(loading->engine->registry, target, PRINCIPAL_GROUP,
			id_parse(record->group_id));
	if (group)
		ids_append(&group->members, id_parse(record->member_id));
}

/* The home of a principal that has a grant in a workspace: the account, or that workspace. */
static unsigned home_of(const struct engine *engine, unsigned workspace)
{
	return engine->settings->has_account ? 0 : workspace;
}

static void load_grant(void *context, const struct store_grant *record)
{
	struct loading *loading = context;
	struct engine *engine = loading->engine;
	struct held_grant grant = {.kind = record->grant};
	uint64_t id = id_parse(record->remote_id);
	struct object *object;

	if (!find_target(engine, record->target, &grant.workspace) || !id)
		return;
	object = registry_find_id(
			engine->registry, home_of(engine, grant.workspace), record->kind, id);
	/* Made there when there was no account yet, or as the workspace's own group. */
	if (!object)
		object = registry_find_id(engine->registry, grant.workspace, record->kind, id);
	if (!object) {
		/* A grant to a principal that is not ours: it has no record but its grants. */
		AUTO(mem_freep)
		char *key = mem_printf(
				"id/%s/%s", principal_kind_name(record->kind), record->remote_id);

		object = registry_object(engine->registry, home_of(engine, grant.workspace),
				record->kind, key);
		registry_bind(engine->registry, object, id);
		object->named_only = true;
		object->read_wanted = true; /* its name says whether a rule is about it */
	}
	grant.value = record->value;
	grant.former = record->former;
	object_put_grant(object, &grant);
}

static void load_intent(void *context, const struct store_intent *record)
{
	struct loading *loading = context;
	struct engine *engine = loading->engine;
	struct open_intent *intent = mem_zalloc(sizeof(*intent));
	json_error_t problem;
	json_auto_t *json = json_loads(record->operation, 0, &problem);
	struct err err;

	intent->arena = arena_new();
	if (!json ||
			operation_from_json(json, engine->settings, intent->arena, &intent->op,
					&err) != ERR_NONE) {
		log_event(LOG_WARNING,
				"an open intent of the journal is unreadable; its object is read "
				"with the others",
				{"op", record->operation_id});
		arena_free(intent->arena);
		mem_free(intent);
		return;
	}
	*vec_add(&engine->intents) = intent;
}

static void load_hold(void *context, const struct store_hold *record)
{
	struct loading *loading = context;
	struct engine *engine = loading->engine;
	struct arena *arena = arena_new();
	json_error_t problem;
	json_auto_t *json = json_loads(record->operation, 0, &problem);
	struct operation op;
	struct err err;

	if (json && operation_from_json(json, engine->settings, arena, &op, &err) == ERR_NONE) {
		const char *key = op.follows_leaver ? op.follows_leaver : op.object.key;
		struct object *owner = pass_owner(engine, op.target, key);
		struct item *item = op.resource != RESOURCE_NONE && !op.follows_leaver
				? item_of_operation(engine->access, &op)
				: NULL;

		if (item) {
			guard_load_hold(engine->guard, record, key, &op);
			access_hold_loaded(engine->access, item, record->operation_id);
		} else if (owner) {
			guard_load_hold(engine->guard, record, key, &op);
			/* The next plan of its owner says whether its reason still stands. */
			pass_remember_key(owner, record->operation_id);
		} else if (engine_may_write(engine)) {
			store_drop_hold(records_batch(engine), record->operation_id);
		}
	}
	arena_free(arena);
}

void records_take_doubt(struct engine *engine, struct object *object)
{
	const struct doubt *doubt =
			engine->doubts ? table_find(engine->doubts, span_of(object->key)) : NULL;

	if (!doubt)
		return;
	/* Tried at once after a start; what still fails comes back with its history. */
	object->quarantined_ms = doubt->since_ms;
	object->tries = doubt->tries;
	mem_free(object->reason);
	object->reason = mem_strdup_or_null(doubt->reason);
}

static void load_quarantine(void *context, const struct store_quarantine *record)
{
	struct loading *loading = context;
	struct engine *engine = loading->engine;
	struct doubt *doubt = arena_alloc(engine->feed_arena, sizeof(*doubt));
	bool known = false;

	*doubt = (struct doubt){record->since_ms, record->tries,
			arena_strdup(engine->feed_arena, record->reason)};
	if (!engine->doubts)
		engine->doubts = table_new();
	(void)table_put(engine->doubts, span_of(record->key), doubt);

	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		struct object *object = registry_find(engine->registry, target, record->key);

		if (!object)
			continue;
		known = true;
		records_take_doubt(engine, object);
	}
	/* Nothing is ours of it, so nothing would take the record away once its reason is gone. */
	if (!known && engine_may_write(engine))
		store_drop_quarantine(records_batch(engine), record->key);
}

static void load_removals(void *context, const struct store_removals *record)
{
	struct loading *loading = context;

	guard_load_removals(loading->engine->guard, record);
}

static enum err_code load_ours(struct engine *engine, struct loading *loading, struct err *err)
{
	int64_t since = clock_wall_ms() - engine->settings->guard.window_ms;

	if (store_each_principal(engine->store, load_principal, loading, err) != ERR_NONE ||
			store_each_member(engine->store, load_member, loading, err) != ERR_NONE ||
			store_each_grant(engine->store, load_grant, loading, err) != ERR_NONE ||
			access_load(engine->access, err) != ERR_NONE ||
			store_each_intent(engine->store, load_intent, loading, err) != ERR_NONE ||
			store_each_hold(engine->store, load_hold, loading, err) != ERR_NONE ||
			store_each_quarantine(engine->store, load_quarantine, loading, err) !=
					ERR_NONE ||
			store_each_removals(engine->store, since, load_removals, loading, err) !=
					ERR_NONE)
		return err->code;
	for (size_t i = 0; i < registry_count(engine->registry); i++)
		ids_sort(&registry_at(engine->registry, i)->members);
	return ERR_NONE;
}

static const char *get_meta(struct engine *engine, const char *name)
{
	struct err err;
	const char *value;

	if (store_get_meta(engine->store, name, engine->scratch, &value, &err) != ERR_NONE) {
		log_event(LOG_WARNING, "the store lost a note; everything is read again",
				{"error", err.text});
		return NULL;
	}
	return value;
}

/* What the stored entries and their search bits belong to. */
static void searches_digest(const struct engine *engine, char ret[static DIGEST_HEX_SIZE])
{
	struct digest *digest = digest_new();

	for (size_t i = 0; i < engine->search_count; i++)
		digest_add_text(digest, engine->searches[i].digest);
	digest_finish(digest, ret);
}

static enum err_code load_entries(struct engine *engine, struct loading *loading, struct err *err)
{
	char digest[DIGEST_HEX_SIZE];

	searches_digest(engine, digest);
	if (text_equal(get_meta(engine, "searches"), digest)) {
		if (store_each_entry(engine->store, load_entry, loading, err) != ERR_NONE)
			return err->code;
		snapshot_load_finish(engine->snapshot);
		if (!loading->failed)
			return ERR_NONE;
		log_event(LOG_WARNING, "stored entries are damaged; the directory is read anew",
				{"error", loading->err.text});
		snapshot_free(engine->snapshot);
		engine->snapshot = snapshot_new(engine->searches, engine->search_count);
	}
	if (engine_may_write(engine)) {
		store_drop_all_entries(records_batch(engine));
		store_put_meta(records_batch(engine), "searches", digest);
	}
	return ERR_NONE;
}

enum err_code records_load(struct engine *engine, bool *ret_clean, struct err *err)
{
	struct loading loading = {.engine = engine};
	const char *last;
	int64_t last_ms;

	if (load_ours(engine, &loading, err) != ERR_NONE)
		return err->code;
	/* A plan reads the directory anew: only what is ours matters to it. */
	if (engine->options.mode == ENGINE_RUN && load_entries(engine, &loading, err) != ERR_NONE)
		return err->code;
	last = get_meta(engine, "last_complete_ms");
	if (last && text_parse_int(last, 0, INT64_MAX, &last_ms))
		engine->last_complete_ms = last_ms;
	*ret_clean = engine->last_complete_ms &&
			text_equal(get_meta(engine, "config_digest"), engine->settings->digest) &&
			!get_meta(engine, "run_open") && engine->intents.count == 0;
	return ERR_NONE;
}

/* ---- whether rights are as the rules want them ---- */

#define META_RIGHTS "rights_open"

bool records_rights_are_open(struct engine *engine)
{
	return get_meta(engine, META_RIGHTS) != NULL;
}

void records_note_rights(struct engine *engine, bool open)
{
	store_put_meta(records_batch(engine), META_RIGHTS, open ? engine->run_id : NULL);
}
