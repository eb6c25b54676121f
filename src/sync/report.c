/* report -- values that the reports of the engine's state share, as JSON; shapes in doc/control.md. */
#include "sync/access/item.h"
#include "sync/report_internal.h"

#include "base/clock.h"
#include "base/text.h"

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
