#include "cli/help.h"

#include "base/buf.h"

#define COLUMN 26

static void print_option(FILE *out, const struct option_spec *option)
{
	AUTO(mem_freep)
	char *letter = option->letter ? mem_printf("-%c, ", option->letter) : mem_strdup("    ");
	AUTO(mem_freep)
	char *left = mem_printf("%s--%s%s%s", letter, option->name, option->argument ? " " : "",
			option->argument ? option->argument : "");

	(void)fprintf(out, "  %-*s %s\n", COLUMN, left, option->help);
}

static void print_options(FILE *out, const struct command *command, bool global)
{
	for (unsigned i = 0; i < OPTION_COUNT_; i++) {
		enum option_id id = (enum option_id)i;
		bool is_global = command_takes(NULL, id);

		if (global ? is_global : !is_global && command_takes(command, id))
			print_option(out, option_spec(id));
	}
}

void help_print_all(FILE *out)
{
	(void)fputs("Keeps Databricks true to an LDAP directory.\n\n"
		    "Usage: ldap2dbx VERB [ARGUMENT...] [OPTION...]\n\nVerbs:\n",
			out);
	for (const struct command *command = commands; command->name; command++)
		(void)fprintf(out, "  %-11s %s\n", command->name, command->summary);
	(void)fputs("\nOptions of every verb:\n", out);
	print_options(out, NULL, true);
	(void)fputs("\nExit codes: 0 done or nothing to do, 1 failed, 2 changes (plan), 3 only "
		    "held ones,\n"
		    "4 partly failed or quarantined, 64 usage, 78 configuration.\n"
		    "More on one verb: ldap2dbx VERB --help\n",
			out);
}

void help_print_command(FILE *out, const struct command *command)
{
	(void)fprintf(out, "Usage: ldap2dbx %s%s%s [OPTION...]\n\n%s.\n", command->name,
			*command->arguments ? " " : "", command->arguments, command->summary);
	if (command->details)
		(void)fprintf(out, "\n%s\n", command->details);
	if (command->options) {
		(void)fputs("\nOptions:\n", out);
		print_options(out, command, false);
	}
	(void)fputs("\nOptions of every verb:\n", out);
	print_options(out, NULL, true);
}

void help_print_list(FILE *out)
{
	for (unsigned i = 0; i < OPTION_COUNT_; i++) {
		if (command_takes(NULL, (enum option_id)i))
			(void)fprintf(out, "option * --%s\n", option_spec((enum option_id)i)->name);
	}
	for (const struct command *command = commands; command->name; command++) {
		(void)fprintf(out, "verb %s\n", command->name);
		for (unsigned i = 0; i < OPTION_COUNT_; i++) {
			enum option_id id = (enum option_id)i;

			if (!command_takes(NULL, id) && command_takes(command, id))
				(void)fprintf(out, "option %s --%s\n", command->name,
						option_spec(id)->name);
		}
	}
}
