#include "databricks/workspace_setting.h"

#include "base/text.h"
#include "base/vec.h"
#include "databricks/http.h"

#include <strings.h>

#define CONF_PATH "/api/2.0/workspace-conf"

/*
 *   ask all --> done()
 *     ^  \ some keys are not known here
 *     +---+
 */
struct conf_reading {
	struct databricks *databricks;
	void (*done)(void *context, const struct conf_value *values, size_t count,
			const struct err *err_or_null);
	void *context;
	struct call call;
	struct task task;
	struct arena *arena;
	struct conf_value *values;
	size_t count;
};

static void reading_free(struct conf_reading *reading)
{
	task_cancel(&reading->task);
	call_release(&reading->call);
	arena_free(reading->arena);
	mem_free(reading);
}

static void reading_end(struct conf_reading *reading, const struct err *err_or_null)
{
	struct conf_reading ended = *reading;
	struct err err;

	if (err_or_null)
		err = *err_or_null;
	reading->arena = NULL;
	reading_free(reading);
	ended.done(ended.context, err_or_null ? NULL : ended.values, err_or_null ? 0 : ended.count,
			err_or_null ? &err : NULL);
	arena_free(ended.arena);
}

/* The keys that are still believed in, with commas between; "" if there are none. */
static char *keys_of(const struct conf_reading *reading)
{
	struct buf keys;

	buf_init(&keys, SIZE_MAX / 2);
	for (size_t i = 0; i < reading->count; i++) {
		AUTO(mem_freep) char *escaped = http_escape(reading->values[i].key);

		if (reading->values[i].known)
			buf_printf(&keys, "%s%s", keys.len ? "," : "", escaped);
	}
	return buf_steal(&keys);
}

static void reading_ask(struct conf_reading *reading)
{
	AUTO(mem_freep) char *keys = keys_of(reading);

	call_prepare(&reading->call, METHOD_GET, FAMILY_SETTING,
			mem_printf(CONF_PATH "?keys=%s", keys), NULL);
	if (*keys)
		call_send(reading->databricks, &reading->call);
	else
		call_finish_unsent(reading->databricks, &reading->call, NULL);
}

/*
 * Gives up the keys that the refusal names in quotes. The text may have been cut, so this may take more than one turn;
 * false: it named none of ours.
 */
static bool reading_drop(struct conf_reading *reading, const char *text)
{
	bool dropped = false;

	for (size_t i = 0; i < reading->count; i++) {
		AUTO(mem_freep) char *quoted = mem_printf("\"%s\"", reading->values[i].key);

		if (reading->values[i].known && strstr(text, quoted)) {
			reading->values[i].known = false;
			dropped = true;
		}
	}
	return dropped;
}

static enum err_code reading_take(struct conf_reading *reading, struct err *err)
{
	const struct tape_value *root = tape_root(reading->call.answer);

	if (root && !tape_is(root, TAPE_OBJECT))
		return err_set(err, ERR_PROTO, reading->call.status,
				"workspace-conf: expected an object");
	for (size_t i = 0; i < reading->count; i++) {
		struct conf_value *value = &reading->values[i];
		const struct tape_value *found = tape_get(root, value->key);

		if (found && (!tape_is(found, TAPE_TEXT) || found->len > RECORD_TEXT_MAX))
			return err_set(err, ERR_PROTO, reading->call.status,
					"workspace-conf: \"%.80s\" is no text", value->key);
		value->value = found ? arena_strndup(reading->arena, found->text, found->len)
				     : NULL;
	}
	return ERR_NONE;
}

static void reading_run(struct task *task)
{
	struct conf_reading *reading =
			(struct conf_reading *)((char *)task - offsetof(struct conf_reading, task));
	struct err err;

	if (!reading->call.done)
		return;
	if (reading->call.code == ERR_UNSUPPORTED && reading_drop(reading, reading->call.err.text))
		reading_ask(reading);
	else if (reading->call.code != ERR_NONE)
		reading_end(reading, &reading->call.err);
	else if (reading_take(reading, &err) != ERR_NONE)
		reading_end(reading, &err);
	else
		reading_end(reading, NULL);
}

struct conf_reading *conf_reading_start(struct databricks *databricks, unsigned target,
		const struct texts *keys,
		void (*done)(void *context, const struct conf_value *values, size_t count,
				const struct err *err_or_null),
		void *context)
{
	struct conf_reading *reading = mem_zalloc(sizeof(*reading));

	reading->databricks = databricks;
	reading->done = done;
	reading->context = context;
	reading->arena = arena_new();
	reading->count = keys->count < CONF_KEYS_MAX ? keys->count : CONF_KEYS_MAX;
	reading->values = arena_alloc(
			reading->arena, (reading->count + 1) * sizeof(*reading->values));
	for (size_t i = 0; i < reading->count; i++)
		reading->values[i] = (struct conf_value){
				arena_strdup(reading->arena, keys->items[i]), NULL, true};
	task_init(&reading->task, databricks_loop(databricks), reading_run);
	reading->call.target = target;
	reading->call.lane = LANE_BULK;
	reading->call.wakes = &reading->task;
	reading_ask(reading);
	return reading;
}

void conf_reading_cancel(struct conf_reading *reading)
{
	if (reading)
		reading_free(reading);
}

void conf_write(struct databricks *databricks, struct call *call, const struct pairs *values)
{
	json_t *body = json_object();

	for (size_t i = 0; i < values->count; i++)
		(void)json_object_set_new(
				body, values->items[i].key, json_string(values->items[i].value));
	call_prepare(call, METHOD_PATCH, FAMILY_SETTING, mem_strdup(CONF_PATH), body);
	if (values->count)
		call_send(databricks, call);
	else
		call_finish_unsent(databricks, call, NULL);
}

static const char *meaning(const char *value)
{
	if (!value || !*value || strcasecmp(value, "false") == 0)
		return "false";
	return strcasecmp(value, "true") == 0 ? "true" : value;
}

bool conf_equal(const char *a_or_null, const char *b_or_null)
{
	return text_equal(meaning(a_or_null), meaning(b_or_null));
}
