/* The command line: parsing, help, listing, completion. The handlers are not linked: the table is
 * what is tested. */
#include "base/buf.h"
#include "base/text.h"
#include "cli/handlers.h"
#include "cli/help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define HANDLER(name)                                                                              \
	int handle_##name(const struct invocation *call)                                           \
	{                                                                                          \
		(void)call;                                                                        \
		return 0;                                                                          \
	}
HANDLER(check)
HANDLER(plan)
HANDLER(apply)
HANDLER(run)
HANDLER(sync)
HANDLER(status)
HANDLER(explain)
HANDLER(who_can)
HANDLER(diff)
HANDLER(doctor)
HANDLER(tokens)
HANDLER(approve)
HANDLER(reject)
HANDLER(retry)
HANDLER(audit)
HANDLER(schema)
HANDLER(completion)
HANDLER(version)
HANDLER(help)

#define WORDS_MAX 8

static enum err_code parse(const char *const *words, struct invocation *ret, struct err *err)
{
	static char copies[WORDS_MAX + 1][64];
	char *argv[WORDS_MAX + 2] = {copies[WORDS_MAX]};
	int argc = 1;

	for (size_t i = 0; i < WORDS_MAX && words[i]; i++) {
		(void)snprintf(copies[i], sizeof(copies[i]), "%s", words[i]);
		argv[argc++] = copies[i];
	}
	return invocation_parse(argc, argv, ret, err);
}

static void test_good_lines(void **state)
{
	static const struct {
		const char *words[WORDS_MAX + 1];
		const char *verb;
		enum option_id option; /* OPTION_COUNT_: none is looked at */
		const char *value;
		unsigned arg_count;
	} cases[] = {
			{{NULL}, "help", OPTION_COUNT_, NULL, 0},
			{{"--help"}, "help", OPTION_HELP, "", 0},
			{{"--version"}, "version", OPTION_COUNT_, NULL, 0},
			{{"plan"}, "plan", OPTION_OUTPUT, NULL, 0},
			{{"plan", "-o", "json"}, "plan", OPTION_OUTPUT, "json", 0},
			{{"plan", "-ojson"}, "plan", OPTION_OUTPUT, "json", 0},
			{{"plan", "--output=json"}, "plan", OPTION_OUTPUT, "json", 0},
			{{"plan", "--output", "json"}, "plan", OPTION_OUTPUT, "json", 0},
			{{"-o", "json", "plan"}, "plan", OPTION_OUTPUT, "json", 0},
			{{"plan", "-o", "json", "-o", "text"}, "plan", OPTION_OUTPUT, "text", 0},
			{{"plan", "--out=a=b"}, "plan", OPTION_OUT, "a=b", 0},
			{{"--config", "x.yaml", "run"}, "run", OPTION_CONFIG, "x.yaml", 0},
			{{"run", "-c", "x.yaml"}, "run", OPTION_CONFIG, "x.yaml", 0},
			{{"apply", "--auto-approve"}, "apply", OPTION_AUTO_APPROVE, "", 0},
			{{"apply", "plan.json"}, "apply", OPTION_AUTO_APPROVE, NULL, 1},
			{{"explain", "--", "--odd-name"}, "explain", OPTION_COUNT_, NULL, 1},
			{{"explain", "-"}, "explain", OPTION_COUNT_, NULL, 1},
			{{"explain", "ada", "job:x", "-w", "prod"}, "explain", OPTION_WORKSPACE,
					"prod", 2},
			{{"who-can", "job:x", "-o", "csv"}, "who-can", OPTION_OUTPUT, "csv", 1},
			{{"sync"}, "sync", OPTION_COUNT_, NULL, 0},
			{{"sync", "user", "ada"}, "sync", OPTION_COUNT_, NULL, 2},
			{{"sync", "service-principal", "etl"}, "sync", OPTION_COUNT_, NULL, 2},
			/* With --help nothing else has to be complete. */
			{{"explain", "--help"}, "explain", OPTION_HELP, "", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct invocation call;
		struct err err = {0};

		assert_int_equal(parse(cases[i].words, &call, &err), ERR_NONE);
		assert_string_equal(call.command->name, cases[i].verb);
		assert_int_equal(call.arg_count, cases[i].arg_count);
		if (cases[i].option != OPTION_COUNT_)
			assert_true(text_equal(call.values[cases[i].option], cases[i].value));
	}
}

static void test_bad_lines(void **state)
{
	static const struct {
		const char *words[WORDS_MAX + 1];
		const char *says;
	} cases[] = {
			{{"pln"}, "unknown verb \"pln\"; did you mean \"plan\"?"},
			{{"statsu"}, "did you mean \"status\"?"},
			{{"frobnicate"}, "unknown verb \"frobnicate\"; `ldap2dbx help` lists them"},
			{{"plan", "--otput", "json"},
					"unknown option --otput; did you mean --output?"},
			{{"plan", "--xyzzy"},
					"unknown option --xyzzy; `ldap2dbx plan --help` lists "
					"them"},
			{{"--confg", "x", "plan"},
					"unknown option --confg; did you mean --config?"},
			{{"plan", "-x"}, "unknown option -x"},
			{{"plan", "-o"}, "--output needs a FORMAT behind it"},
			{{"plan", "-o", "jsn"},
					"--output: \"jsn\" is not known; did you mean \"json\"?"},
			{{"plan", "-o", "protobuf"},
					"--output: \"protobuf\" is not known; it may be text, "
					"json"},
			{{"check", "-o", "csv"}, "`check` has no CSV form; say -o json"},
			{{"diff", "ada"}, "`diff` needs PRINCIPAL PRINCIPAL"},
			{{"plan", "--full=yes"}, "--full takes no value"},
			{{"plan", "--auto-approve"}, "`plan` does not take --auto-approve"},
			{{"run", "now"}, "`run` does not know what to do with \"now\""},
			{{"explain"},
					"`explain` needs PRINCIPAL [OBJECT]: ldap2dbx explain "
					"PRINCIPAL "
					"[OBJECT]"},
			{{"audit", "verfy"},
					"audit: \"verfy\" is not known; did you mean \"verify\"?"},
			{{"sync", "usr", "ada"},
					"sync: \"usr\" is not known; did you mean \"user\"?"},
			{{"explain", "a", "b", "c"},
					"`explain` does not know what to do with \"c\""},
			{{"plan", "--log-level", "loud"}, "--log-level: \"loud\" is not known"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct invocation call = {0};
		struct err err = {0};

		assert_int_equal(parse(cases[i].words, &call, &err), ERR_USAGE);
		if (!strstr(err.text, cases[i].says))
			fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].says);
		assert_null(call.command);
	}
}

static void test_too_many_arguments(void **state)
{
	char *argv[] = {(char[]){"x"}, (char[]){"plan"}, (char[]){"1"}, (char[]){"2"},
			(char[]){"3"}, (char[]){"4"}, (char[]){"5"}, (char[]){"6"}, (char[]){"7"},
			(char[]){"8"}, (char[]){"9"}};
	struct invocation call;
	struct err err = {0};

	(void)state;
	assert_int_equal(invocation_parse(COUNT_OF(argv), argv, &call, &err), ERR_USAGE);
	assert_non_null(strstr(err.text, "too many arguments, from \"9\" on"));
}

static void test_exit_codes(void **state)
{
	(void)state;
	assert_int_equal(exit_code_of(ERR_NONE), 0);
	assert_int_equal(exit_code_of(ERR_USAGE), 64);
	assert_int_equal(exit_code_of(ERR_CONFIG), 78);
	assert_int_equal(exit_code_of(ERR_STORE), 1);
	assert_int_equal(exit_code_of(ERR_NOT_FOUND), 1);
}

/* What a printing function writes; caller's, free. */
static char *printed(void (*print)(FILE *, const char *), const char *argument)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	print(file, argument);
	assert_int_equal(fclose(file), 0);
	return text;
}

static void print_help(FILE *file, const char *verb)
{
	if (verb)
		help_print_command(file, command_find(verb));
	else
		help_print_all(file);
}

static void print_list(FILE *file, const char *unused)
{
	(void)unused;
	help_print_list(file);
}

static void test_help_names_every_verb(void **state)
{
	char *text = printed(print_help, NULL);

	(void)state;
	for (const struct command *command = commands; command->name; command++)
		assert_non_null(strstr(text, command->summary));
	free(text);
}

static void test_help_of_a_verb(void **state)
{
	char *text = printed(print_help, "plan");

	(void)state;
	assert_non_null(strstr(text, "Usage: ldap2dbx plan [OPTION...]\n"));
	assert_non_null(strstr(text,
			"  -o, --output FORMAT        text (default), json, or csv where it is a "
			"list\n"));
	assert_non_null(strstr(text, "      --out FILE"));
	assert_null(strstr(text, "--auto-approve"));
	free(text);
}

static void test_list(void **state)
{
	char *text = printed(print_list, NULL);

	(void)state;
	assert_non_null(strstr(text, "option * --config\n"));
	assert_non_null(strstr(text,
			"verb plan\noption plan --output\noption plan --out\noption plan "
			"--full\n"));
	assert_null(strstr(text, "option plan --config"));
	free(text);
}

/* Completion scripts quote help texts with ' and, for zsh, put them in brackets. */
static void test_texts_need_no_quoting(void **state)
{
	(void)state;
	for (const struct command *command = commands; command->name; command++)
		assert_null(strpbrk(command->summary, "'[]\\`$"));
	for (unsigned i = 0; i < OPTION_COUNT_; i++)
		assert_null(strpbrk(option_spec((enum option_id)i)->help, "'[]\\`$"));
}

static void test_completion_knows_every_verb(void **state)
{
	static const char *const shells[] = {"bash", "zsh", "fish"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(shells); i++) {
		char *text = printed(completion_print, shells[i]);

		for (const struct command *command = commands; command->name; command++)
			assert_non_null(strstr(text, command->name));
		assert_non_null(strstr(text, "auto-approve"));
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_good_lines),
			cmocka_unit_test(test_bad_lines),
			cmocka_unit_test(test_too_many_arguments),
			cmocka_unit_test(test_exit_codes),
			cmocka_unit_test(test_help_names_every_verb),
			cmocka_unit_test(test_help_of_a_verb),
			cmocka_unit_test(test_list),
			cmocka_unit_test(test_texts_need_no_quoting),
			cmocka_unit_test(test_completion_knows_every_verb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
