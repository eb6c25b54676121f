/* What people decide and ask for: approve, reject, retry, sync; shapes in doc/control.md. */
#include "sync/report_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "sync/access/concern.h"
#include "sync/plan_file.h"

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
			operations, "reason", report_text(reason));
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
		json_array_append_new(operations, report_decision(decision));
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

	if (report_retry_items(engine, text_equal(who, "all") ? NULL : who, retried) &&
			!text_equal(who, "all")) {
		*ret = json_pack("{s:o}", "retried", retried);
		return ERR_NONE;
	}
	if (!text_equal(who, "all") &&
			report_find(engine, PRINCIPAL_KIND_COUNT_, who, &key, err) != ERR_NONE) {
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
	struct concern_state state = {0};
	struct object *first = NULL;

	if (report_find(engine, kind, name, &key, err) != ERR_NONE) {
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
		report_operations(engine, object, held, pending);
		pass_mark(engine, object);
		if (first)
			continue;
		first = object;
		concern_report(engine->access, object, held, pending, &state);
		concern_sync(engine->access, object);
	}
	json_decref(held);
	*ret = json_pack("{s:s, s:s, s:o}", "key", key, "name", shown, "operations", pending);
	return ERR_NONE;
}
