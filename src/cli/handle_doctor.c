/* doctor: whether everything that a synchronisation needs is there. */
#include "cli/handlers.h"

#include "base/clock.h"
#include "base/text.h"
#include "cli/common.h"
#include "cli/report.h"
#include "cli/report_text.h"
#include "cli/session.h"
#include "sync/discover.h"
#include "sync/doctor.h"

#define TIMEOUT_MAX_MS 600000

static void print_check(const struct canvas *canvas, const json_t *check)
{
	const char *state = text_at(check, "state");
	enum paint paint = text_equal(state, "problem") ? PAINT_REMOVE
			: text_equal(state, "warning")  ? PAINT_CHANGE
			: text_equal(state, "ok")       ? PAINT_ADD
							: PAINT_DIM;

	(void)fprintf(canvas->file, "  %s%-8s%s", paint_on(canvas, paint), state ? state : "?",
			paint_off(canvas));
	print_if(canvas, " ", text_at(check, "check"), ": ");
	print_foreign(canvas->file, text_at(check, "text"));
	(void)fputc('\n', canvas->file);
}

static void print_checks(const struct canvas *canvas, const json_t *checks)
{
	const char *area = NULL, *name = NULL;
	size_t i, problems = 0, warnings = 0;
	const json_t *check;

	json_array_foreach(checks, i, check)
	{
		if (!text_equal(area, text_at(check, "area")) ||
				!text_equal(name, text_at(check, "name"))) {
			area = text_at(check, "area");
			name = text_at(check, "name");
			(void)fputs(paint_on(canvas, PAINT_BOLD), canvas->file);
			print_if(canvas, "", area, " ");
			print_if(canvas, "", name, "");
			(void)fprintf(canvas->file, "%s\n", paint_off(canvas));
		}
		print_check(canvas, check);
		problems += text_equal(text_at(check, "state"), "problem");
		warnings += text_equal(text_at(check, "state"), "warning");
	}
	(void)fprintf(canvas->file, "%zu problem%s, %zu warning%s\n", problems,
			problems == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
}

/* What cannot be had for want of an answer is a finding, too. */
static void discover(struct config *config, json_t *checks, bool *ret_ok)
{
	struct err err;

	if (discover_now(config, DISCOVER_MS, &err) == ERR_NONE)
		return;
	*ret_ok = false;
	(void)json_array_append_new(checks,
			json_pack("{s:s, s:s, s:s, s:s, s:s}", "area", "databricks", "name",
					"account", "check", "discover", "state", "problem", "text",
					err.text));
}

int handle_doctor(const struct invocation *call)
{
	int code = EXIT_FAILED;
	AUTO(config_freep) struct config *config = NULL;
	const char *timeout = invocation_value(call, OPTION_TIMEOUT, "2min");
	json_auto_t *result = NULL, *found = json_array();
	struct canvas canvas = canvas_for(call);
	int64_t timeout_ms;
	struct err err = {0};
	bool ok = true;

	if (!clock_parse_duration(timeout, &timeout_ms) || timeout_ms > TIMEOUT_MAX_MS) {
		complain("--timeout: \"%s\" is no duration up to 10min; say 30s or 2min", timeout);
		return EXIT_USAGE;
	}
	config = load_config(call, &code);
	if (!config)
		return code;
	discover(config, found, &ok);
	if (doctor_run(config, (uint64_t)timeout_ms, &result, &err) != ERR_NONE)
		return fail(&err);
	(void)json_array_extend(json_object_get(result, "checks"), found);
	ok = ok && json_is_true(json_object_get(result, "ok"));
	(void)json_object_set_new(result, "ok", json_boolean(ok));
	if (invocation_wants_json(call))
		print_json(result);
	else if (invocation_wants_csv(call))
		csv_doctor(stdout, json_object_get(result, "checks"));
	else
		print_checks(&canvas, json_object_get(result, "checks"));
	return ok ? EXIT_DONE : EXIT_FAILED;
}
