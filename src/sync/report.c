/* report -- the engine's state as JSON, for people and the control socket; shapes in
 * doc/control.md. */
#include "config.h"
#include "sync/engine_state.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "sync/plan_file.h"
#include "sync/report_rights.h"

#define MEMBERS_SHOWN 20
#define MATCHES_SHOWN 10

static json_t *text_or_null(const char *text)
{
	AUTO(mem_freep) char *repaired = NULL;

	if (!text)
		return json_null();
	if (!text_is_utf8(span_of(text)))
		text = repaired = text_repair(span_of(text));
	return json_string(text);
}

static json_t *time_or_null(int64_t ms)
{
	char text[CLOCK_TEXT_SIZE];

	if (!ms)
		return json_null();
	clock_format(ms, text);
	return json_string(text);
}

static json_t *error_or_null(const struct err *err)
{
	return text_or_null(err->code == ERR_NONE ? NULL : err->text);
}

static const char *target_name(const struct engine *engine, unsigned target)
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
						"error", error_or_null(&state->err)));
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
						text_or_null(state->uri), "since",
						time_or_null(state->since_ms), "last_event",
						time_or_null(state->last_event_ms), "error",
						error_or_null(&state->err), "searches",
						searches_of(engine, i)));
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
				json_pack("{s:s, s:o, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:o}",
						"name", target_name(engine, i), "host",
						text_or_null(status.host), "sign_in",
						states[status.sign_in], "auth_type",
						text_or_null(status.auth_type), "calls",
						(json_int_t)status.calls, "throttled",
						(json_int_t)status.throttled, "failed",
						(json_int_t)status.failed, "in_flight",
						(json_int_t)status.in_flight, "waiting",
						(json_int_t)status.waiting, "error",
						text_or_null(error)));
	}
	return list;
}

static json_t *counts_of(const struct engine *engine)
{
	size_t kinds[PRINCIPAL_KIND_COUNT_] = {0}, members = 0, grants = 0;

	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		const struct object *object = registry_at(engine->registry, i);

		grants += object->grants.count;
		if (!object->ours)
			continue;
		kinds[object->kind]++;
		members += object->members.count;
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "users", (json_int_t)kinds[PRINCIPAL_USER],
			"groups", (json_int_t)kinds[PRINCIPAL_GROUP], "service_principals",
			(json_int_t)kinds[PRINCIPAL_SERVICE], "members", (json_int_t)members,
			"grants", (json_int_t)grants);
}

static json_t *quarantine_item(const struct engine *engine, const struct object *object)
{
	uint64_t now = clock_monotonic_ns();
	int64_t wait_ms =
			object->retry_ns > now ? (int64_t)((object->retry_ns - now) / 1000000) : 0;

	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:i}", "key", object->key, "name",
			pass_name(engine, object), "reason", text_or_null(object->reason), "since",
			time_or_null(object->quarantined_ms), "retry",
			time_or_null(clock_wall_ms() + wait_ms), "tries", (int)object->tries);
}

static json_t *quarantine_of(const struct engine *engine)
{
	json_t *list = json_array();

	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		if (registry_at(engine->registry, i)->quarantined_ms)
			json_array_append_new(list,
					quarantine_item(engine, registry_at(engine->registry, i)));
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
			time_or_null(decision->time_ms), "reason", text_or_null(decision->reason),
			"operations");
	json_array_append_new(holds, hold);
	return hold;
}

static json_t *decision_operation(const struct decision *decision)
{
	json_error_t problem;
	json_t *operation =
			json_loads(decision->operation ? decision->operation : "{}", 0, &problem);

	if (!operation)
		operation = json_object();
	/* What a person approves is the decision: an operation, or all that follows from one
	 * leaving. */
	json_object_set_new(operation, "id", json_string(decision->key));
	json_object_set_new(operation, "held", text_or_null(decision->hold_id));
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
				json_object_get(hold, "operations"), decision_operation(decision));
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
			engine_phase_name(engine->phase), "since", time_or_null(engine->started_ms),
			"error",
			engine->phase == ENGINE_FAILED ? error_or_null(&engine->err) : json_null(),
			"sources", sources_of(engine), "targets", targets_of(engine), "counts",
			counts_of(engine), "work", "queued", (json_int_t)queued, "in_flight",
			(json_int_t)engine->works, "done",
			(json_int_t)engine->progress.operations_done, "failed",
			(json_int_t)engine->progress.operations_failed, "last_complete",
			time_or_null(engine->last_complete_ms), "next_reconcile",
			time_or_null(engine->next_reconcile_ms), "holds",
			holds_list(engine, VERDICT_HELD, false), "rejected",
			holds_list(engine, VERDICT_REJECTED, false), "quarantine",
			quarantine_of(engine));
}

/* ---- who is meant ---- */

static bool is_meant(const struct engine *engine, const struct object *object, const char *who,
		const char *folded)
{
	const struct want *want = object->node == NODE_NONE
			? NULL
			: desired_want(engine->desired, object->node);
	const char *slash = strchr(object->key, '/');
	char id[ID_TEXT_SIZE];

	if (text_equal(object->key, who) || (slash && text_equal(slash + 1, who)) ||
			(object->id && text_equal(id_text(object->id, id), who)))
		return true;
	for (unsigned i = 0; i < FIELD_COUNT_; i++) {
		AUTO(mem_freep)
		char *held = object->fields[i] ? text_fold(span_of(object->fields[i])) : NULL;
		const char *wanted = want && want->identity ? want->identity->fields[i] : NULL;

		if (i == FIELD_GIVEN_NAME || i == FIELD_FAMILY_NAME)
			continue;
		if (text_equal(held, folded) || (wanted && text_equal_folded(wanted, who)))
			return true;
	}
	return object->node != NODE_NONE &&
			text_equal_folded(snapshot_dn(engine->snapshot, object->node), who);
}

/* An entry that no rule makes a principal of has only a DN and an anchor; say why there is nothing more. */
static enum err_code not_an_object(const struct engine *engine, const char *who, struct err *err)
{
	for (unsigned source = 0; source < engine->settings->source_count; source++) {
		node_id node = snapshot_find_dn(engine->snapshot, source, who);
		const struct want *want;

		if (node == NODE_NONE)
			node = snapshot_find_anchor(engine->snapshot, source, who);
		if (node == NODE_NONE)
			continue;
		want = desired_want(engine->desired, node);
		return err_set(err, ERR_NOT_FOUND, 0, "entry \"%s\" is in no rule's scope%s%s",
				snapshot_dn(engine->snapshot, node),
				want && want->reason ? ": " : "",
				want && want->reason ? want->reason : "");
	}
	return err_set(err, ERR_NOT_FOUND, 0,
			"nothing is known of \"%s\"; an entry that no rule takes is found by its "
			"DN",
			who);
}

/* kind: PRINCIPAL_KIND_COUNT_ for any. All objects of one principal share a key; several keys are several principals. */
static enum err_code find_meant(const struct engine *engine, enum principal_kind kind,
		const char *who, const char **ret_key, struct err *err)
{
	AUTO(mem_freep) char *folded = text_fold(span_of(who));
	const char *key = NULL;
	char several[256] = "";
	size_t used = 0, found = 0;

	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		const struct object *object = registry_at(engine->registry, i);

		if ((kind != PRINCIPAL_KIND_COUNT_ && object->kind != kind) ||
				!is_meant(engine, object, who, folded) ||
				text_equal(object->key, key))
			continue;
		/* A name that only a grant knows gives way to the entry that stands for it. */
		if (key && text_starts_with(object->key, "name/"))
			continue;
		found = key && text_starts_with(key, "name/") ? 1 : found + 1;
		key = object->key;
		if (found <= MATCHES_SHOWN && used < sizeof(several))
			used += (size_t)snprintf(several + used, sizeof(several) - used,
					"%s%s \"%s\" (%s)", used ? ", " : "",
					principal_kind_name(object->kind),
					pass_name(engine, object), object->key);
	}
	if (found == 0)
		return not_an_object(engine, who, err);
	if (found > 1)
		return err_set(err, ERR_USAGE, 0,
				"\"%s\" names %zu principals, name one of them by its key: %s", who,
				found, several);
	*ret_key = key;
	return ERR_NONE;
}

/* ---- explain ---- */

static json_t *entry_of(const struct engine *engine, const struct object *object)
{
	if (object->node == NODE_NONE)
		return json_null();
	return json_pack("{s:s, s:s, s:s}", "source",
			engine->settings->sources[snapshot_source(engine->snapshot, object->node)]
					.name,
			"dn", snapshot_dn(engine->snapshot, object->node), "anchor",
			snapshot_anchor(engine->snapshot, object->node));
}

static json_t *fields_of(const char *const fields[FIELD_COUNT_])
{
	json_t *json = json_object();

	for (unsigned i = 0; i < FIELD_COUNT_; i++) {
		if (fields[i])
			json_object_set_new(
					json, field_name((enum field)i), json_string(fields[i]));
	}
	return json;
}

static json_t *wanted_of(const struct want *want)
{
	json_t *json;

	if (!want || !want->identity)
		return json_null();
	json = fields_of(want->identity->fields);
	if (want->identity->kind != PRINCIPAL_GROUP)
		json_object_set_new(json, "active", json_boolean(want->state == WANT_IN));
	return json;
}

static json_t *principal_of(const struct engine *engine, const struct object *object)
{
	const char *fields[FIELD_COUNT_];
	char id[ID_TEXT_SIZE];

	for (unsigned i = 0; i < FIELD_COUNT_; i++)
		fields[i] = object->fields[i];
	return json_pack("{s:s, s:o, s:s, s:b, s:o}", "target", target_name(engine, object->target),
			"id", object->id ? json_string(id_text(object->id, id)) : json_null(),
			"origin",
			!object->ours                                      ? "foreign"
					: object->origin == ORIGIN_CREATED ? "created"
									   : "adopted",
			"active", object->kind == PRINCIPAL_GROUP || object->active, "fields",
			fields_of(fields));
}

static int compare_names(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static json_t *members_of(const struct engine *engine, const struct object *group)
{
	const char **names;
	json_t *list = json_array();
	size_t count = 0;

	if (group->kind != PRINCIPAL_GROUP)
		return json_decref(list), json_null();
	names = mem_array(group->members.count, sizeof(*names));
	for (size_t i = 0; i < group->members.count; i++) {
		const struct object *member = NULL;

		for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_ && !member; kind++)
			member = registry_find_id(engine->registry, group->target,
					(enum principal_kind)kind, group->members.items[i]);
		if (member)
			names[count++] = object_name(member);
	}
	if (count)
		qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count && i < MEMBERS_SHOWN; i++)
		json_array_append_new(list, json_string(names[i]));
	mem_free(names);
	return json_pack("{s:I, s:o}", "count", (json_int_t)group->members.count, "names", list);
}

static void add_operations(
		struct engine *engine, struct object *object, json_t *held, json_t *pending)
{
	struct arena *arena = arena_new();
	struct object_plan plan = {0};

	pass_plan(engine, object, arena, &plan);
	pass_mark_held(engine, &plan, arena);
	for (vec_each (&plan.operations, op))
		json_array_append_new(op->held_by ? held : pending,
				operation_to_json(op, engine->settings));
	object_plan_release(&plan);
	arena_free(arena);
}

static const char *state_of(const struct engine *engine, const struct object *object,
		const json_t *held, const json_t *pending)
{
	if (object->quarantined_ms)
		return "quarantined";
	if (json_array_size(pending) || object->work || object->dirty || object->read_wanted)
		return "pending";
	if (json_array_size(held))
		return "held";
	if (plan_is_protected(engine->settings, object->kind, object_name(object)))
		return "protected";
	if (!object->ours && !object->named_only)
		return "not_ours";
	return object->leaving || object->left_ms ? "leaver" : "in_sync";
}

static json_t *explain_key(struct engine *engine, const char *key)
{
	json_t *principals = json_array(), *held = json_array(), *pending = json_array();
	struct rights *rights = rights_new(engine);
	json_t *groups, *grants;
	struct object *first = NULL;
	const struct want *want;

	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		struct object *object = registry_find(engine->registry, target, key);

		if (!object)
			continue;
		if (!first || (object->ours && !first->ours))
			first = object;
		json_array_append_new(principals, principal_of(engine, object));
		rights_gather(rights, object);
		add_operations(engine, object, held, pending);
	}
	groups = rights_groups(rights);
	grants = rights_grants(rights);
	rights_free(rights);
	if (!first)
		return json_null();
	want = first->node == NODE_NONE ? NULL : desired_want(engine->desired, first->node);
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			"name", pass_name(engine, first), "kind", principal_kind_name(first->kind),
			"key", key, "state", state_of(engine, first, held, pending), "entry",
			entry_of(engine, first), "rule",
			want && want->identity
					? json_pack("{s:s, s:i}", "file", want->identity->why.file,
							  "line", (int)want->identity->why.line)
					: json_null(),
			"wanted", wanted_of(want), "principals", principals, "groups", groups,
			"members", members_of(engine, first), "grants", grants, "held", held,
			"quarantine",
			first->quarantined_ms ? quarantine_item(engine, first) : json_null(),
			"pending", pending);
}

enum err_code engine_explain(
		const struct engine *engine, const char *who, json_t **ret, struct err *err)
{
	const char *key;
	struct engine *planner;

	if (find_meant(engine, PRINCIPAL_KIND_COUNT_, who, &key, err) != ERR_NONE)
		return err->code;
	/* Planning marks nothing; only its scratch memory is not const. */
	memcpy(&planner, &engine, sizeof(planner));
	*ret = explain_key(planner, key);
	return ERR_NONE;
}

/* ---- decisions ---- */

static bool selector_has(const char *selector, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = selector; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0'))
			return true;
	}
	return false;
}

/* Holds of which something still waits. The table borrows decisions. */
static struct table *open_holds(const struct engine *engine)
{
	struct table *open = table_new();
	struct decision *decision;

	for (size_t i = 0; (decision = guard_at(engine->guard, i)); i++) {
		if (decision->verdict == VERDICT_HELD)
			(void)table_put(open, span_of(decision->hold_id), decision);
	}
	return open;
}

/* What was rejected stays so unless it is named: by itself, or by its hold once nothing of that waits any more. */
static bool is_selected(const struct decision *decision, const char *selector,
		const struct table *open_holds)
{
	if (decision->verdict == VERDICT_REJECTED)
		return selector_has(selector, decision->key) ||
				(selector_has(selector, decision->hold_id) &&
						!table_find(open_holds,
								span_of(decision->hold_id)));
	return decision->verdict == VERDICT_HELD &&
			(selector_has(selector, "all") || selector_has(selector, decision->key) ||
					selector_has(selector, decision->hold_id) ||
					selector_has(selector,
							guard_category_name(decision->category)));
}

static void wake_decided(struct engine *engine, const struct decision *decision, bool approved)
{
	if (approved && text_starts_with(decision->key, "leaver:"))
		pass_let_leave(engine, decision->object_key, decision->time_ms);
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		struct object *object =
				registry_find(engine->registry, target, decision->object_key);

		if (object)
			pass_mark(engine, object);
	}
}

static void keep_decision(
		struct engine *engine, struct decision *decision, bool approved, const char *reason)
{
	int64_t now = clock_wall_ms();
	struct store_removals removals = {now, decision->category, 1};

	if (approved) {
		guard_approve(engine->guard, decision, now);
		store_add_removals(records_batch(engine), &removals);
	} else {
		guard_reject(engine->guard, decision, reason, now);
	}
	records_decision(engine, decision, true);
	wake_decided(engine, decision, approved);
	log_event(LOG_NOTICE, approved ? "removal approved" : "removal rejected",
			{"hold", decision->hold_id}, {"op", decision->key}, {"reason", reason});
}

static void audit_decision(
		struct engine *engine, const json_t *operations, bool approved, const char *reason)
{
	json_auto_t *line = json_pack("{s:s, s:s, s:O, s:o}", "event",
			approved ? "approve" : "reject", "run", engine->run_id, "operations",
			operations, "reason", text_or_null(reason));
	AUTO(mem_freep) char *text = json_dumps(line, JSON_COMPACT);

	if (text)
		store_add_audit(records_batch(engine), text);
}

static enum err_code decide(struct engine *engine, const char *selector, const char *reason,
		bool approve, bool dry, json_t **ret, struct err *err)
{
	json_t *operations = json_array();
	struct table *open = open_holds(engine);
	struct decision *decision;

	for (size_t i = 0; (decision = guard_at(engine->guard, i)); i++) {
		if (!is_selected(decision, selector, open))
			continue;
		json_array_append_new(operations, decision_operation(decision));
		if (!dry)
			keep_decision(engine, decision, approve, reason);
	}
	table_free(open);
	if (json_array_size(operations) == 0) {
		json_decref(operations);
		return err_set(err, ERR_NOT_FOUND, 0,
				"nothing is held under \"%s\"; `status` lists what is", selector);
	}
	if (!dry) {
		audit_decision(engine, operations, approve, reason);
		/* What follows from an approved leaving hangs on groups: everybody is looked at
		 * again. */
		pass_mark_all(engine);
		records_flush(engine);
	}
	*ret = json_pack("{s:o, s:[]}", "operations", operations, "gone");
	return ERR_NONE;
}

enum err_code engine_approve(struct engine *engine, const char *selector, bool dry, json_t **ret,
		struct err *err)
{
	return decide(engine, selector, NULL, true, dry, ret, err);
}

enum err_code engine_reject(struct engine *engine, const char *selector, const char *reason,
		json_t **ret, struct err *err)
{
	return decide(engine, selector, reason, false, false, ret, err);
}

/* ---- retry and sync ---- */

enum err_code engine_retry(struct engine *engine, const char *who, json_t **ret, struct err *err)
{
	json_t *retried = json_array();
	const char *key = NULL;

	if (!text_equal(who, "all") &&
			find_meant(engine, PRINCIPAL_KIND_COUNT_, who, &key, err) != ERR_NONE) {
		json_decref(retried);
		return err->code;
	}
	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		struct object *object = registry_at(engine->registry, i);

		if (!object->quarantined_ms || (key && !text_equal(key, object->key)))
			continue;
		json_array_append_new(retried,
				json_pack("{s:s, s:s}", "key", object->key, "name",
						pass_name(engine, object)));
		object->retry_ns = 0;
		object->tries = 0;
		pass_mark(engine, object);
	}
	*ret = json_pack("{s:o}", "retried", retried);
	return ERR_NONE;
}

enum err_code engine_sync(struct engine *engine, enum principal_kind kind, const char *name,
		json_t **ret, struct err *err)
{
	json_t *held = json_array(), *pending = json_array();
	const char *key, *shown = name;

	if (find_meant(engine, kind, name, &key, err) != ERR_NONE) {
		json_decref(held);
		json_decref(pending);
		return err->code;
	}
	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		struct object *object = registry_find(engine->registry, target, key);

		if (!object)
			continue;
		shown = pass_name(engine, object);
		object->retry_ns = 0;
		object->read_wanted = object->id != 0;
		add_operations(engine, object, held, pending);
		pass_mark(engine, object);
	}
	json_decref(held);
	*ret = json_pack("{s:s, s:s, s:o}", "key", key, "name", shown, "operations", pending);
	return ERR_NONE;
}
