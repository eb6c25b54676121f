#include "cli/handlers.h"

#include "cli/common.h"

struct check_report {
	const struct mapping_test_result *results;
	size_t count, failed;
	size_t searches, grants;
	const char *const *warnings;
	size_t warning_count;
};

static json_t *failures_json(const struct check_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->count; i++) {
		const struct mapping_test_result *result = &report->results[i];

		if (!result->passed)
			(void)json_array_append_new(list,
					json_pack("{s:s, s:i, s:s?}", "file", result->file, "line",
							(int)result->line, "text", result->text));
	}
	return list;
}

static json_t *warnings_json(const struct check_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->warning_count; i++)
		(void)json_array_append_new(list, json_string(report->warnings[i]));
	return list;
}

static json_t *faults_json(struct faults *faults)
{
	json_t *list = json_array();

	for (size_t i = 0; i < FAULTS_SHOWN && faults_at(faults, i); i++)
		(void)json_array_append_new(list, json_string(faults_at(faults, i)));
	return list;
}

static void print_as_json(const struct check_report *report, const struct settings *settings,
		struct faults *faults, const struct err *err)
{
	json_auto_t *json = json_pack("{s:b, s:s?, s:o, s:I, s:o, s:o}", "ok",
			err->code == ERR_NONE && !report->failed, "error",
			err->code ? err->text : NULL, "errors", faults_json(faults), "error_count",
			(json_int_t)faults_count(faults), "failed_tests", failures_json(report),
			"warnings", warnings_json(report));

	if (settings)
		(void)json_object_update_new(json,
				json_pack("{s:s, s:i, s:i, s:i, s:i, s:i}", "config_hash",
						settings->digest, "sources",
						(int)settings->source_count, "targets",
						(int)settings->target_count, "searches",
						(int)report->searches, "grants",
						(int)report->grants, "tests", (int)report->count));
	print_json(json);
}

static void print_count(size_t count, const char *noun, const char *more)
{
	(void)printf("%zu %s%s%s", count, noun,
			count == 1                                    ? ""
					: strcmp(noun, "search") == 0 ? "es"
								      : "s",
			more);
}

static void print_as_text(const struct check_report *report, const struct settings *settings)
{
	for (size_t i = 0; i < report->warning_count; i++)
		complain("%s", report->warnings[i]);
	for (size_t i = 0; i < report->count; i++) {
		const struct mapping_test_result *result = &report->results[i];

		if (!result->passed)
			complain("%s:%u: test failed: %s", result->file, result->line,
					result->text ? result->text : "");
	}
	print_foreign(stdout, settings->path);
	(void)printf(": %s\n  ", report->failed ? "tests failed" : "good");
	print_count(settings->source_count, "source", ", ");
	print_count(settings->target_count, "target", ", ");
	print_count(report->searches, "search", ", ");
	print_count(report->grants, "grant", ", ");
	print_count(report->count, "test", "");
	(void)printf(" (%zu failed)\n", report->failed);
}

/* Those that a rule names; the ones for containers are ours. */
static size_t count_searches(const struct mapping *mapping)
{
	size_t count, shown = 0;
	const struct search *searches = mapping_searches(mapping, &count);

	for (size_t i = 0; i < count; i++)
		shown += searches[i].purpose != SEARCH_CONTAINERS;
	return shown;
}

static int report_on(
		const struct invocation *call, const struct config *config, struct faults *faults)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	const struct mapping *mapping = config_mapping(config);
	struct check_report report = {0};
	struct err none = {0};
	size_t eaches;

	report.warnings = mapping_warnings(mapping, &report.warning_count);
	report.searches = count_searches(mapping);
	(void)mapping_grants(mapping, &report.grants);
	(void)mapping_for_each(mapping, &eaches);
	report.grants += eaches;
	report.failed = mapping_run_tests(mapping, arena, &report.results, &report.count);
	if (invocation_wants_json(call))
		print_as_json(&report, config_settings(config), faults, &none);
	else
		print_as_text(&report, config_settings(config));
	return report.failed ? EXIT_CONFIGURATION : EXIT_DONE;
}

int handle_check(const struct invocation *call)
{
	AUTO(faults_freep) struct faults *faults = faults_new();
	AUTO(config_freep) struct config *config = NULL;
	const struct check_report nothing = {0};
	struct err err = {0};

	if (read_config(call, faults, &config, &err) == ERR_NONE)
		return report_on(call, config, faults);
	if (invocation_wants_json(call))
		print_as_json(&nothing, NULL, faults, &err);
	else
		complain_of_faults(faults, &err);
	return exit_code_of(err.code);
}
