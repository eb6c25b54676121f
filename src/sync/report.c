/* report -- the engine's state as JSON, for people and the control socket; shapes in
 * doc/control.md. */
#include "config.h"
#include "sync/report_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "sync/access/acl.h"
#include "sync/access/finder.h"
#include "sync/plan_file.h"

json_t *report_text(const char *text)
{
	AUTO(mem_freep) char *repaired = NULL;

	if (!text)
		return json_null();
	if (!text_is_utf8(span_of(text)))
		text = repaired = text_repair(span_of(text));
	return json_string(text);
}

json_t *report_time(int64_t ms)
{
	char text[CLOCK_TEXT_SIZE];

	if (!ms)
		return json_null();
	clock_format(ms, text);
	return json_string(text);
}

json_t *report_error(const struct err *err)
{
	return report_text(err->code == ERR_NONE ? NULL : err->text);
}

const char *report_target(const struct engine *engine, unsigned target)
{
	return engine->settings->targets[target].name;
}

/* ---- status ---- */

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

/* What is ours at the target: principals that are made there, grants that hold there, rights on its objects. */
static json_t *ours_at(const struct engine *engine, unsigned target)
{
	size_t kinds[PRINCIPAL_KIND_COUNT_] = {0}, members = 0, grants = 0, permissions = 0;

	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		const struct object *object = registry_at(engine->registry, i);

		for (size_t j = 0; j < object->grants.count; j++)
			grants += object->grants.items[j].workspace == target;
		if (!object->ours || object->target != target)
			continue;
		kinds[object->kind]++;
		members += object->members.count;
	}
	for (vec_each (&engine->access->items, item)) {
		if ((*item)->target == target && (*item)->class->resource == RESOURCE_PERMISSIONS)
			permissions += acl_count_held(*item);
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "users",
			(json_int_t)kinds[PRINCIPAL_USER], "groups",
			(json_int_t)kinds[PRINCIPAL_GROUP], "service_principals",
			(json_int_t)kinds[PRINCIPAL_SERVICE], "members", (json_int_t)members,
			"grants", (json_int_t)grants, "permissions", (json_int_t)permissions);
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

static json_t *targets_of(const struct engine *engine)
{
	static const char *const states[] = {[SIGN_IN_UNKNOWN] = "none",
			[SIGN_IN_OK] = "ok",
			[SIGN_IN_REFUSED] = "failed"};
	json_t *list = json_array();

	for (unsigned i = 0; i < engine->settings->target_count; i++) {
		const struct err *workspace = &engine->workspaces[i].err;
		struct target_status status;
		const char *error;

		databricks_status(engine->databricks, i, &status);
		error = status.sign_in_error                  ? status.sign_in_error
				: workspace->code != ERR_NONE ? workspace->text
							      : NULL;
		json_array_append_new(list,
				json_pack("{s:s, s:o, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:b, "
					  "s:o, s:o}",
						"name", report_target(engine, i), "host",
						report_text(status.host), "sign_in",
						states[status.sign_in], "auth_type",
						report_text(status.auth_type), "calls",
						(json_int_t)status.calls, "throttled",
						(json_int_t)status.throttled, "failed",
						(json_int_t)status.failed, "in_flight",
						(json_int_t)status.in_flight, "waiting",
						(json_int_t)status.waiting, "error",
						report_text(error), "discovered",
						engine->settings->targets[i].discovered, "ours",
						ours_at(engine, i), "unseen",
						unseen_at(engine, i)));
	}
	return list;
}

static json_t *counts_of(const struct engine *engine)
{
	size_t kinds[PRINCIPAL_KIND_COUNT_] = {0}, members = 0, grants = 0, permissions = 0;

	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		const struct object *object = registry_at(engine->registry, i);

		grants += object->grants.count;
		if (!object->ours)
			continue;
		kinds[object->kind]++;
		members += object->members.count;
	}
	for (vec_each (&engine->access->items, item)) {
		if ((*item)->class->resource == RESOURCE_PERMISSIONS)
			permissions += acl_count_held(*item);
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "users",
			(json_int_t)kinds[PRINCIPAL_USER], "groups",
			(json_int_t)kinds[PRINCIPAL_GROUP], "service_principals",
			(json_int_t)kinds[PRINCIPAL_SERVICE], "members", (json_int_t)members,
			"grants", (json_int_t)grants, "permissions", (json_int_t)permissions);
}

json_t *report_quarantine(const struct engine *engine, const struct object *object)
{
	uint64_t now = clock_monotonic_ns();
	int64_t wait_ms =
			object->retry_ns > now ? (int64_t)((object->retry_ns - now) / 1000000) : 0;

	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:i}", "key", object->key, "name",
			pass_name(engine, object), "reason", report_text(object->reason), "since",
			report_time(object->quarantined_ms), "retry",
			report_time(clock_wall_ms() + wait_ms), "tries", (int)object->tries);
}

/* "TARGET/KEY": an item's key is unique at its target only. Caller's, mem_free. */
static char *item_address(const struct engine *engine, const struct item *item)
{
	return mem_printf("%s/%s", report_target(engine, item->target), item->key);
}

json_t *report_quarantined_item(const struct engine *engine, const struct item *item)
{
	AUTO(mem_freep) char *key = item_address(engine, item);
	AUTO(mem_freep)
	char *name = mem_printf("%s \"%s\" in %s", item_resource_name(item), item->name,
			report_target(engine, item->target));
	uint64_t now = clock_monotonic_ns();
	int64_t wait_ms = item->retry_ns > now ? (int64_t)((item->retry_ns - now) / 1000000) : 0;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:i}", "key", report_text(key), "name",
			report_text(name), "reason", report_text(item->reason), "since",
			report_time(item->quarantined_ms), "retry",
			report_time(clock_wall_ms() + wait_ms), "tries", (int)item->tries);
}

size_t report_retry_items(struct engine *engine, const char *key, json_t *retried)
{
	size_t count = 0;

	for (vec_each (&engine->access->items, place)) {
		struct item *item = *place;
		AUTO(mem_freep) char *address = item_address(engine, item);

		if (!item->quarantined_ms || (key && !text_equal(key, address)))
			continue;
		json_array_append_new(retried,
				json_pack("{s:o, s:o}", "key", report_text(address), "name",
						report_text(item->name)));
		item->retry_ns = 0;
		item->tries = 0;
		item_mark(engine->access, item);
		count++;
	}
	return count;
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

json_t *report_decision(const struct decision *decision)
{
	json_error_t problem;
	json_t *operation =
			json_loads(decision->operation ? decision->operation : "{}", 0, &problem);

	if (!operation)
		operation = json_object();
	/* What a person approves is the decision: an operation, or all that follows from one
	 * leaving. */
	json_object_set_new(operation, "id", json_string(decision->key));
	json_object_set_new(operation, "held", report_text(decision->hold_id));
	return operation;
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
	size_t queued = engine->dirty.count + engine->ready.count - engine->ready_from +
			pass_count_retries(engine);

	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:{s:I, s:I, s:I, s:I}, s:o, "
			 "s:o, s:o, s:o, s:o}",
			"version", PACKAGE_VERSION, "mode",
			engine->settings->mode == MODE_OBSERVE ? "observe" : "enforce", "phase",
			engine_phase_name(engine->phase), "since", report_time(engine->started_ms),
			"error",
			engine->phase == ENGINE_FAILED ? report_error(&engine->err) : json_null(),
			"sources", sources_of(engine), "targets", targets_of(engine), "counts",
			counts_of(engine), "work", "queued", (json_int_t)queued, "in_flight",
			(json_int_t)engine->works, "done",
			(json_int_t)engine->progress.operations_done, "failed",
			(json_int_t)engine->progress.operations_failed, "last_complete",
			report_time(engine->last_complete_ms), "next_reconcile",
			report_time(engine->next_reconcile_ms), "holds",
			holds_list(engine, VERDICT_HELD, false), "rejected",
			holds_list(engine, VERDICT_REJECTED, false), "quarantine",
			quarantine_of(engine));
}
