/*
 * fake_script -- makes of ldap2dbx a program around a cardboard engine, for tests of the command line. What the engine
 * shows and does stands in the JSON file that FAKE_ENGINE names:
 *
 *   {"operations": [as in a plan file], "notes": [text], "incomplete": bool, "summary": {as in a plan file},
 *    "failed": number, "quarantined": number, "failure": text, "explain_state": text, "answer": object}
 *
 * Operations with a "held" are held, and can be approved. A go does all others but `failed` of them.
 */
#include "fake_engine.h"

#include "base/text.h"
#include "sync/plan_file.h"

#include <stdlib.h>

static struct arena *arena;
static json_t *script, *by_id;

static size_t number(const json_t *object, const char *name)
{
	return (size_t)json_integer_value(json_object_get(object, name));
}

static void take_operations(const struct settings *settings)
{
	const json_t *list = json_object_get(script, "operations");
	struct operation *operations =
			arena_alloc(arena, (json_array_size(list) + 1) * sizeof(*operations));
	size_t index, held = 0;
	json_t *json;
	struct err err;

	by_id = json_object();
	json_array_foreach(list, index, json)
	{
		if (operation_from_json(json, settings, arena, &operations[index], &err) !=
				ERR_NONE) {
			(void)fprintf(stderr, "fake engine: %s\n", err.text);
			abort();
		}
		(void)json_object_set(by_id, operations[index].id, json);
		operations[index].held_by = json_string_value(json_object_get(json, "held"));
		if (operations[index].held_by && held < COUNT_OF(fake.held))
			fake.held[held++] = operations[index].id;
	}
	fake.operations = by_id;
	fake.plan.operations = operations;
	fake.plan.count = json_array_size(list);
	fake.progress.held = held;
	fake.progress.operations_failed = number(script, "failed");
	fake.progress.operations_done = fake.plan.count - held - fake.progress.operations_failed;
	fake.progress.quarantined = number(script, "quarantined");
	fake.progress.calls = 14;
}

static void take_notes(void)
{
	const json_t *list = json_object_get(script, "notes");
	struct plan_note *notes = arena_alloc(arena, (json_array_size(list) + 1) * sizeof(*notes));
	size_t index;
	const json_t *json;

	json_array_foreach(list, index, json)
	{
		notes[index].kind = NOTE_INFO;
		notes[index].text = json_string_value(json);
	}
	fake.plan.notes = notes;
	fake.plan.note_count = json_array_size(list);
}

static void opened(const struct engine_options *options)
{
	const json_t *summary;
	const char *failure;

	arena = arena_new();
	script = json_load_file(getenv("FAKE_ENGINE"), 0, NULL);
	if (!script) {
		(void)fputs("fake engine: FAKE_ENGINE names no JSON file\n", stderr);
		abort();
	}
	take_operations(config_settings(options->config));
	take_notes();
	summary = json_object_get(script, "summary");
	fake.plan.summary = (struct plan_summary){number(summary, "add"), number(summary, "change"),
			number(summary, "remove"), number(summary, "adopt"),
			number(summary, "held")};
	fake.plan.complete = !json_is_true(json_object_get(script, "incomplete"));
	fake.explain_state = json_string_value(json_object_get(script, "explain_state"));
	fake.answer = json_object_get(script, "answer");
	failure = json_string_value(json_object_get(script, "failure"));
	if (failure)
		(void)err_set(&fake.failure, ERR_AUTH, 0, "%s", failure);
}

static void closed(void)
{
	json_decref(by_id);
	json_decref(script);
	arena_free(arena);
}

__attribute__((constructor)) static void install(void)
{
	fake.opened = opened;
	(void)atexit(closed);
}
