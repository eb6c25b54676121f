/* A mapping file of any content: it is read, or refused; what it says about tests is run. */
#include "rules/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct source_settings source = {.name = "corp"};
	static struct target_settings targets[] = {
			{.name = "account", .is_account = true}, {.name = "prod"}};
	static const struct settings settings = {.folder = "/",
			.sources = &source,
			.source_count = 1,
			.targets = targets,
			.target_count = 2,
			.has_account = true};
	const struct mapping_file file = {"fuzz.yaml", {(const char *)data, size}};
	const struct mapping_files files = {&file, 1};
	struct faults *faults = faults_new();
	const struct mapping_test_result *results;
	struct arena *arena = arena_new();
	struct mapping *mapping;
	struct err err;
	size_t count;

	if (mapping_load(arena, &settings, &files, faults, &mapping, &err) == ERR_NONE)
		(void)mapping_run_tests(mapping, arena, &results, &count);
	(void)faults_at(faults, 0);
	faults_free(faults);
	arena_free(arena);
	return 0;
}
