/* report_status -- what the engine does, what is ours, held and quarantined, and what is due when; shapes in doc/control.md. */
#include "config.h"
#include "sync/access/item.h"
#include "sync/report_internal.h"

#include "base/clock.h"
#include "base/text.h"
#include "sync/access/finder.h"
#include "sync/ours.h"

static const char *purpose_name(enum search_purpose purpose)
{
	static const char *const names[] = {[SEARCH_USERS] = "users",
			[SEARCH_GROUPS] = "groups",
			[SEARCH_SERVICE_PRINCIPALS] = "service_principals",
			[SEARCH_THROUGH] = "through",
			[SEARCH_CONTAINERS] = "containers"};

	return names[purpose];
}

static json_t *searches_of(const struct engine *engine, unsigned source)
{
	json_t *list = json_array();

	for (size_t i = 0; i < engine->search_count; i++) {
		const struct search *search = &engine->searches[i];
		const struct search_state *state = &engine->search_states[i];
		size_t entries = 0;

		if (search->source != source)
			continue;
		for (node_id node = 0; node < snapshot_limit(engine->snapshot); node++)
			entries += snapshot_is_present(engine->snapshot, node) &&
					(snapshot_searches(engine->snapshot, node) >> i & 1);
		json_array_append_new(list,
				json_pack("{s:s, s:s, s:s, s:b, s:I, s:o}", "purpose",
						purpose_name(search->purpose), "base", search->base,
						"filter", search->filter, "complete",
						state->complete, "entries", (json_int_t)entries,
						"error", report_error(&state->err)));
	}
	return list;
}

static json_t *sources_of(const struct engine *engine)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < engine->settings->source_count; i++) {
		const struct source_state *state = &engine->sources[i];

		json_array_append_new(list,
				json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "name",
						engine->settings->sources[i].name, "state",
						state->state ? state->state : "connecting", "uri",
						report_text(state->uri), "since",
						report_time(state->since_ms), "last_event",
						report_time(state->last_event_ms), "error",
						report_error(&state->err), "searches",
						searches_of(engine, i)));
	}
	return list;
}

/* What is ours at the target: principals that are made there, grants that hold there, and what is no principal. */
static struct ours ours_at(const struct engine *engine, unsigned target)
{
	struct ours ours = {0};

	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		const struct object *object = registry_at(engine->registry, i);

		for (size_t j = 0; j < object->grants.count; j++)
			ours.grants += object->grants.items[j].workspace == target;
		if (!object->ours || object->target != target)
			continue;
		ours.principals[object->kind]++;
		ours.members += object->members.count;
	}
	access_count_resources(engine->access, target, ours.resources);
	return ours;
}

static json_t *counts_of(const struct engine *engine)
{
	struct ours sum = {0};

	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		struct ours ours = ours_at(engine, target);

		ours_add(&sum, &ours);
	}
	return ours_to_json(&sum);
}

/* The tokens there, of whomever; null: nobody asked. */
static json_t *tokens_at(const struct engine *engine, unsigned target)
{
	const struct item *item = item_find(engine->access, target, "tokens");

	return item && item->observed ? json_integer((json_int_t)item->class->count_ours(item))
				      : json_null();
}

static size_t held_at(const struct engine *engine, unsigned target)
{
	const struct decision *decision;
	size_t count = 0;

	for (size_t i = 0; (decision = guard_at(engine->guard, i)); i++)
		count += decision->verdict == VERDICT_HELD && decision->target == target;
	return count;
}

static size_t quarantined_at(const struct engine *engine, unsigned target)
{
	size_t count = 0;

	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		const struct object *object = registry_at(engine->registry, i);

		count += object->target == target && object->quarantined_ms;
	}
	for (vec_each (&engine->access->items, item))
		count += (*item)->target == target && (*item)->quarantined_ms;
	return count;
}

/* ---- when ---- */

/* The wall clock's time of a moment of the monotonic one; 0 stays 0. */
static int64_t wall_of(uint64_t monotonic_ns)
{
	int64_t away = (int64_t)monotonic_ns - (int64_t)clock_monotonic_ns();

	return monotonic_ns ? clock_wall_ms() + away / 1000000 : 0;
}

static void earliest(int64_t *first, int64_t ms)
{
	if (ms && (!*first || ms < *first))
		*first = ms;
}

static int64_t next_retry(const struct engine *engine, unsigned target)
{
	uint64_t first = engine->workspaces[target].retry_ns;

	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		const struct object *object = registry_at(engine->registry, i);

		if (object->target == target && object->retry_ns &&
				(!first || object->retry_ns < first))
			first = object->retry_ns;
	}
	for (vec_each (&engine->access->items, item)) {
		if ((*item)->target == target && (*item)->retry_ns &&
				(!first || (*item)->retry_ns < first))
			first = (*item)->retry_ns;
	}
	return wall_of(first);
}

static int64_t next_of(const struct engine *engine, unsigned target, bool of_tokens)
{
	int64_t first = 0;

	for (vec_each (&engine->access->items, item)) {
		if ((*item)->target == target && (*item)->class->due_ms &&
				((*item)->class->resource == RESOURCE_TOKEN) == of_tokens)
			earliest(&first, (*item)->class->due_ms(engine->access, *item));
	}
	return first;
}

/* Where there are permissions to look after: when objects are looked for the next time. */
static int64_t next_look(const struct engine *engine, unsigned target)
{
	uint64_t interval = (uint64_t)engine->settings->permissions_interval_ms * 1000000;

	if (!engine->access->found_ns || !interval || engine->settings->targets[target].is_account)
		return 0;
	return wall_of(engine->access->found_ns + interval);
}

/* Of a service; a single command has no later. */
static json_t *due_at(const struct engine *engine, unsigned target)
{
	bool is_account = engine->settings->targets[target].is_account;
	bool runs = engine->options.mode == ENGINE_RUN;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "reconcile",
			report_time(engine->next_reconcile_ms), "permissions",
			report_time(runs ? next_look(engine, target) : 0), "tokens",
			report_time(runs ? next_of(engine, target, true) : 0), "secrets",
			report_time(runs ? next_of(engine, target, false) : 0), "workspaces",
			report_time(is_account ? wall_of(engine->discovery.retry_ns) : 0), "retry",
			report_time(runs ? next_retry(engine, target) : 0));
}

static int64_t last_read(const struct engine *engine, unsigned target)
{
	const struct workspace_state *state = &engine->workspaces[target];

	return wall_of(inventory_is_assigned_to(engine, target) ? state->assignments_ns
								: state->lists_ns);
}

/* Objects of which it is not known which there are. */
static json_t *unseen_at(const struct engine *engine, unsigned target)
{
	json_t *list = json_array();

	for (unsigned type = 0; engine->access->finder && type < SECURABLE_TYPE_COUNT_; type++) {
		const struct err *err = finder_failure(
				engine->access->finder, target, (enum securable_type)type);

		if (err)
			json_array_append_new(list,
					json_pack("{s:s, s:o}", "type",
							securable_traits((enum securable_type)type)
									->name,
							"error", report_text(err->text)));
	}
	return list;
}

static const char *trouble_at(
		const struct engine *engine, unsigned target, const struct target_status *status)
{
	const struct err *workspace = &engine->workspaces[target].err;

	return status->sign_in_error                  ? status->sign_in_error
			: workspace->code != ERR_NONE ? workspace->text
						      : NULL;
}

static json_t *target_of(const struct engine *engine, unsigned target)
{
	static const char *const states[] = {[SIGN_IN_UNKNOWN] = "none",
			[SIGN_IN_OK] = "ok",
			[SIGN_IN_REFUSED] = "failed"};
	struct ours ours = ours_at(engine, target);
	struct target_status status;

	databricks_status(engine->databricks, target, &status);
	return json_pack("{s:s, s:o, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:b, s:o, s:o, s:o, "
			 "s:I, s:I, s:o, s:o}",
			"name", report_target(engine, target), "host", report_text(status.host),
			"sign_in", states[status.sign_in], "auth_type",
			report_text(status.auth_type), "calls", (json_int_t)status.calls,
			"throttled", (json_int_t)status.throttled, "failed",
			(json_int_t)status.failed, "in_flight", (json_int_t)status.in_flight,
			"waiting", (json_int_t)status.waiting, "error",
			report_text(trouble_at(engine, target, &status)), "discovered",
			engine->settings->targets[target].discovered, "ours", ours_to_json(&ours),
			"tokens", tokens_at(engine, target), "unseen", unseen_at(engine, target),
			"held", (json_int_t)held_at(engine, target), "quarantined",
			(json_int_t)quarantined_at(engine, target), "last_read",
			report_time(last_read(engine, target)), "due", due_at(engine, target));
}

static json_t *targets_of(const struct engine *engine)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < engine->settings->target_count; i++)
		(void)json_array_append_new(list, target_of(engine, i));
	return list;
}

/* Principals at targets that are not configured any more. */
static json_t *elsewhere(const struct engine *engine)
{
	return engine->homeless ? json_pack("{s:I, s:s}", "count", (json_int_t)engine->homeless,
						  "target", engine->homeless_target)
				: json_null();
}

static json_t *quarantine_of(const struct engine *engine)
{
	json_t *list = json_array();

	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		if (registry_at(engine->registry, i)->quarantined_ms)
			json_array_append_new(list,
					report_quarantine(
							engine, registry_at(engine->registry, i)));
	}
	for (vec_each (&engine->access->items, item)) {
		if ((*item)->quarantined_ms)
			json_array_append_new(list, report_quarantined_item(engine, *item));
	}
	return list;
}

static json_t *hold_of(json_t *holds, const struct decision *decision)
{
	size_t index;
	json_t *hold;

	json_array_foreach(holds, index, hold)
	{
		if (text_equal(json_string_value(json_object_get(hold, "id")), decision->hold_id))
			return hold;
	}
	hold = json_pack("{s:s, s:s, s:i, s:o, s:o, s:[]}", "id", decision->hold_id, "category",
			guard_category_name(decision->category), "count", 0, "since",
			report_time(decision->time_ms), "reason", report_text(decision->reason),
			"operations");
	json_array_append_new(holds, hold);
	return hold;
}

static json_t *holds_list(const struct engine *engine, enum verdict verdict, bool with_operations)
{
	json_t *holds = json_array(), *hold;
	const struct decision *decision;
	size_t index;

	for (size_t i = 0; (decision = guard_at(engine->guard, i)); i++) {
		if (decision->verdict != verdict)
			continue;
		hold = hold_of(holds, decision);
		json_object_set_new(hold, "count",
				json_integer(json_integer_value(json_object_get(hold, "count")) +
						1));
		json_array_append_new(
				json_object_get(hold, "operations"), report_decision(decision));
	}
	json_array_foreach(holds, index, hold)
	{
		if (!with_operations)
			json_object_del(hold, "operations");
	}
	return holds;
}

json_t *engine_holds(const struct engine *engine)
{
	return json_pack("{s:o}", "holds", holds_list(engine, VERDICT_HELD, true));
}

json_t *engine_status(const struct engine *engine)
{
	const struct access *access = engine->access;
	size_t queued = engine->dirty.count + engine->ready.count - engine->ready_from +
			access->dirty.count + access->ready.count - access->ready_from +
			pass_count_retries(engine);
	size_t in_flight = engine->works + access->works;

	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:I, s:I, s:I, s:I}, "
			 "s:o, "
			 "s:o, s:o, s:o, s:o}",
			"version", PACKAGE_VERSION, "mode",
			engine->settings->mode == MODE_OBSERVE ? "observe" : "enforce", "phase",
			engine_phase_name(engine->phase), "since", report_time(engine->started_ms),
			"error",
			engine->phase == ENGINE_FAILED ? report_error(&engine->err) : json_null(),
			"sources", sources_of(engine), "targets", targets_of(engine), "counts",
			counts_of(engine), "elsewhere", elsewhere(engine), "work", "queued",
			(json_int_t)queued, "in_flight", (json_int_t)in_flight, "done",
			(json_int_t)engine->progress.operations_done, "failed",
			(json_int_t)engine->progress.operations_failed, "last_complete",
			report_time(engine->last_complete_ms), "next_reconcile",
			report_time(engine->next_reconcile_ms), "holds",
			holds_list(engine, VERDICT_HELD, false), "rejected",
			holds_list(engine, VERDICT_REJECTED, false), "quarantine",
			quarantine_of(engine));
}
