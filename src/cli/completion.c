/* Completion scripts. Words of our own tables need no quoting: letters, digits and dashes. */
#include "cli/help.h"

#include "base/text.h"

static void print_words(FILE *out, const char *const *words)
{
	for (size_t i = 0; words && words[i]; i++)
		(void)fprintf(out, "%s%s", i ? " " : "", words[i]);
}

static void print_verbs(FILE *out)
{
	for (const struct command *command = commands; command->name; command++)
		(void)fprintf(out, "%s%s", command == commands ? "" : " ", command->name);
}

/* What the first argument may be: for help, any verb. */
static bool has_argument_words(const struct command *command)
{
	return command->words || text_equal(command->name, "help");
}

static void print_argument_words(FILE *out, const struct command *command)
{
	if (command->words)
		print_words(out, command->words);
	else if (has_argument_words(command))
		print_verbs(out);
}

static bool takes_file(const struct command *command)
{
	return strstr(command->arguments, "FILE") != NULL;
}

static void print_option_names(FILE *out, const struct command *command)
{
	for (unsigned i = 0; i < OPTION_COUNT_; i++) {
		if (command_takes(command, (enum option_id)i))
			(void)fprintf(out, "--%s ", option_spec((enum option_id)i)->name);
	}
}

/* ---- bash ---- */

static void bash_option_values(FILE *out)
{
	(void)fputs("\tcase $prev in\n", out);
	for (unsigned i = 0; i < OPTION_COUNT_; i++) {
		const struct option_spec *option = option_spec((enum option_id)i);

		if (!option->argument)
			continue;
		(void)fprintf(out, "\t--%s", option->name);
		if (option->letter)
			(void)fprintf(out, "|-%c", option->letter);
		if (text_equal(option->argument, "FILE")) {
			(void)fputs(") COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n", out);
			continue;
		}
		(void)fputs(") COMPREPLY=($(compgen -W '", out);
		print_words(out, option->words);
		(void)fputs("' -- \"$cur\")); return ;;\n", out);
	}
	(void)fputs("\tesac\n", out);
}

static void bash_print(FILE *out)
{
	(void)fputs("# bash completion for ldap2dbx\n_ldap2dbx()\n{\n"
		    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= "
		    "word skip=\n"
		    "\tCOMPREPLY=()\n",
			out);
	bash_option_values(out);
	(void)fputs("\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
		    "\t\tif [ -n \"$skip\" ]; then skip=; continue; fi\n"
		    "\t\tcase $word in\n\t\t",
			out);
	for (unsigned i = 0, shown = 0; i < OPTION_COUNT_; i++) {
		const struct option_spec *option = option_spec((enum option_id)i);

		if (!option->argument)
			continue;
		(void)fprintf(out, "%s--%s", shown++ ? "|" : "", option->name);
		if (option->letter)
			(void)fprintf(out, "|-%c", option->letter);
	}
	(void)fputs(") skip=1 ;;\n\t\t-*) ;;\n\t\t*) verb=$word; break "
		    ";;\n\t\tesac\n\tdone\n\tcase $verb in\n",
			out);
	for (const struct command *command = commands; command->name; command++) {
		(void)fprintf(out, "\t%s) COMPREPLY=($(compgen %s-W '", command->name,
				takes_file(command) ? "-f " : "");
		print_option_names(out, command);
		print_argument_words(out, command);
		(void)fputs("' -- \"$cur\")) ;;\n", out);
	}
	(void)fputs("\t*) COMPREPLY=($(compgen -W '", out);
	print_option_names(out, NULL);
	print_verbs(out);
	(void)fputs("' -- \"$cur\")) ;;\n\tesac\n}\ncomplete -o filenames -F _ldap2dbx ldap2dbx\n",
			out);
}

/* ---- zsh ---- */

/* Inside '...[...]' a bracket or colon would end the text; our help texts hold neither quotes nor
 * brackets. */
static void zsh_option_named(FILE *out, const struct option_spec *option, const char *name)
{
	(void)fprintf(out, " \\\n\t\t\t'%s[%s]", name, option->help);
	if (option->argument && text_equal(option->argument, "FILE")) {
		(void)fputs(":file:_files", out);
	} else if (option->words) {
		(void)fprintf(out, ":%s:(", option->name);
		print_words(out, option->words);
		(void)fputc(')', out);
	} else if (option->argument) {
		(void)fprintf(out, ":%s: ", option->name);
	}
	(void)fputc('\'', out);
}

static void zsh_option(FILE *out, const struct option_spec *option)
{
	AUTO(mem_freep)
	char *name = mem_printf("--%s%s", option->name, option->argument ? "=" : "");
	const char letter[] = {'-', option->letter, option->argument ? '+' : '\0', '\0'};

	zsh_option_named(out, option, name);
	if (option->letter)
		zsh_option_named(out, option, letter);
}

static void zsh_arguments(FILE *out, const struct command *command)
{
	(void)fprintf(out, "\t\t%s)\n\t\t_arguments", command->name);
	for (unsigned i = 0; i < OPTION_COUNT_; i++) {
		if (command_takes(command, (enum option_id)i))
			zsh_option(out, option_spec((enum option_id)i));
	}
	if (takes_file(command)) {
		(void)fputs(" \\\n\t\t\t'1::file:_files'", out);
	} else if (has_argument_words(command)) {
		(void)fputs(" \\\n\t\t\t'1::what:(", out);
		print_argument_words(out, command);
		(void)fputs(")'", out);
	}
	(void)fputs(" ;;\n", out);
}

static void zsh_print(FILE *out)
{
	(void)fputs("#compdef ldap2dbx\n# zsh completion for ldap2dbx\n_ldap2dbx() {\n"
		    "\tlocal curcontext=$curcontext state line\n\tlocal -a verbs\n\tverbs=(\n",
			out);
	for (const struct command *command = commands; command->name; command++)
		(void)fprintf(out, "\t\t'%s:%s'\n", command->name, command->summary);
	(void)fputs("\t)\n\t_arguments -C", out);
	for (unsigned i = 0; i < OPTION_COUNT_; i++) {
		if (command_takes(NULL, (enum option_id)i))
			zsh_option(out, option_spec((enum option_id)i));
	}
	(void)fputs(" \\\n\t\t\t'1:verb:->verb' '*::argument:->argument'\n\tcase $state in\n"
		    "\tverb) _describe verb verbs ;;\n\targument)\n\t\tcase $line[1] in\n",
			out);
	for (const struct command *command = commands; command->name; command++)
		zsh_arguments(out, command);
	(void)fputs("\t\tesac ;;\n\tesac\n}\nif [ \"$funcstack[1]\" = _ldap2dbx ]; "
		    "then\n\t_ldap2dbx \"$@\"\nelse\n"
		    "\tcompdef _ldap2dbx ldap2dbx\nfi\n",
			out);
}

/* ---- fish ---- */

static void fish_option(FILE *out, const struct command *command, const struct option_spec *option)
{
	(void)fputs("complete -c ldap2dbx", out);
	if (command)
		(void)fprintf(out, " -n '__fish_seen_subcommand_from %s'", command->name);
	(void)fprintf(out, " -l %s", option->name);
	if (option->letter)
		(void)fprintf(out, " -s %c", option->letter);
	if (option->argument)
		(void)fputs(text_equal(option->argument, "FILE") ? " -r -F" : " -x", out);
	if (option->words) {
		(void)fputs(" -a '", out);
		print_words(out, option->words);
		(void)fputc('\'', out);
	}
	(void)fprintf(out, " -d '%s'\n", option->help);
}

static void fish_command(FILE *out, const struct command *command)
{
	(void)fputs("complete -c ldap2dbx -n 'not __fish_seen_subcommand_from ", out);
	print_verbs(out);
	(void)fprintf(out, "' -a %s -d '%s'\n", command->name, command->summary);
	if (takes_file(command)) {
		(void)fprintf(out, "complete -c ldap2dbx -n '__fish_seen_subcommand_from %s' -F\n",
				command->name);
	} else if (has_argument_words(command)) {
		(void)fprintf(out, "complete -c ldap2dbx -n '__fish_seen_subcommand_from %s' -a '",
				command->name);
		print_argument_words(out, command);
		(void)fputs("'\n", out);
	}
	for (unsigned i = 0; i < OPTION_COUNT_; i++) {
		enum option_id id = (enum option_id)i;

		if (!command_takes(NULL, id) && command_takes(command, id))
			fish_option(out, command, option_spec(id));
	}
}

static void fish_print(FILE *out)
{
	(void)fputs("# fish completion for ldap2dbx\ncomplete -c ldap2dbx -f\n", out);
	for (unsigned i = 0; i < OPTION_COUNT_; i++) {
		if (command_takes(NULL, (enum option_id)i))
			fish_option(out, NULL, option_spec((enum option_id)i));
	}
	for (const struct command *command = commands; command->name; command++)
		fish_command(out, command);
}

void completion_print(FILE *out, const char *shell)
{
	if (text_equal(shell, "bash"))
		bash_print(out);
	else if (text_equal(shell, "zsh"))
		zsh_print(out);
	else
		fish_print(out);
}
