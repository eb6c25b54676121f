/*
 * What an evaluation costs: a users rule as mappings have them (scope by group, five fields, one of them a pattern), and
 * the least there is. One line a figure. Argument: number of evaluations (default 100,000).
 */
#include "base/clock.h"
#include "base/text.h"
#include "rules/rule.h"

static char source_name[] = "corp", workspace_name[] = "prod";
static struct source_settings sources[] = {{.name = source_name}};
static struct target_settings targets[] = {
		{.name = "account", .is_account = true}, {.name = workspace_name}};
static const struct settings settings = {.folder = "/",
		.sources = sources,
		.source_count = 1,
		.targets = targets,
		.target_count = 2,
		.has_account = true};

static const char usual[] = "version: 1\n"
			    "users:\n"
			    "- search: {base: \"dc=x\", filter: (a=b)}\n"
			    "  when: in_group(\"dbx-*\") and employeeType ~= \"intern\"\n"
			    "  user:\n"
			    "    userName: ${lower(mail)}\n"
			    "    displayName: ${displayName or givenName .. \" \" .. sn}\n"
			    "    name: {givenName: \"${givenName}\", familyName: '${match(sn, "
			    "\"^(\\\\w+)\")}'}\n"
			    "    active: ${enabled ~= \"FALSE\"}\n";
static const char least[] = "version: 1\n"
			    "users:\n"
			    "- search: {base: \"dc=x\", filter: (a=b)}\n"
			    "  user: {userName: \"${mail}\"}\n";

static bool in_group(void *context, const char *glob)
{
	(void)context;
	return glob[0] == 'd';
}

static void must(enum err_code code, const struct err *err)
{
	if (code == ERR_NONE)
		return;
	(void)fprintf(stderr, "%s\n", err->text);
	exit(1);
}

static void evaluate_person(struct evaluator *evaluator, const struct mapping *mapping, size_t i,
		struct arena *arena)
{
	static const struct membership membership = {NULL, in_group};
	char mail[64];
	struct span values[] = {{mail, 0}, SPAN_LIT("Ada"), SPAN_LIT("Sample"), SPAN_LIT("staff"),
			SPAN_LIT("person")};
	const struct attribute attributes[] = {{"cn", &values[1], 1},
			{"employeetype", &values[3], 1}, {"givenname", &values[1], 1},
			{"mail", &values[0], 1}, {"objectclass", &values[4], 1},
			{"sn", &values[2], 1}};
	const struct entry entry = {"11111111-2222-3333-4444-555555555555", "uid=ada,dc=x",
			attributes, COUNT_OF(attributes)};
	struct evaluation evaluation;

	values[0].len = (size_t)snprintf(mail, sizeof(mail), "Person.%zu@Example.com", i);
	evaluate_rule(evaluator, mapping->rules[PRINCIPAL_USER][0], &entry, &membership, arena,
			&evaluation);
	if (evaluation.result != EVALUATED) {
		(void)fprintf(stderr, "%s\n",
				evaluation.reason ? evaluation.reason : "out of scope");
		exit(1);
	}
}

static void measure(const char *what, const char *text, size_t count)
{
	const struct mapping_file file = {"bench.yaml", span_of(text)};
	const struct mapping_files files = {&file, 1};
	struct arena *arena = arena_new(), *pass = arena_new();
	struct evaluator *evaluator;
	struct mapping *mapping;
	struct err err;
	uint64_t begin;
	double ms;

	must(mapping_load(arena, &settings, &files, NULL, &mapping, &err), &err);
	evaluator = evaluator_new(mapping);
	begin = clock_monotonic_ns();
	for (size_t i = 0; i < count; i++) {
		if (i % 1000 == 0)
			arena_reset(pass);
		evaluate_person(evaluator, mapping, i, pass);
	}
	ms = (double)(clock_monotonic_ns() - begin) / 1e6;
	(void)printf("evaluate %-34s %9.3f ms  %8.3f us each\n", what, ms,
			ms * 1000 / (double)count);
	evaluator_free(evaluator);
	arena_free(pass);
	arena_free(arena);
}

int main(int argc, char **argv)
{
	int64_t count = 100000;

	if (argc > 1 && !text_parse_int(argv[1], 1, INT32_MAX, &count)) {
		(void)fprintf(stderr, "usage: %s [EVALUATIONS]\n", argv[0]);
		return 64;
	}
	measure("a usual users rule", usual, (size_t)count);
	measure("userName only", least, (size_t)count);
	return 0;
}
