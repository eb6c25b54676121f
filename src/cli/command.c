#include "cli/command.h"

#include "base/text.h"
#include "cli/handlers.h"

#include <stdio.h>

static const char *const output_words[] = {"text", "json", "csv", NULL};
static const char *const level_words[] = {"error", "warning", "notice", "info", "debug", NULL};
static const char *const format_words[] = {"auto", "text", "logfmt", "json", NULL};

static const struct option_spec options[] = {
		[OPTION_CONFIG] = {"config", 'c', "FILE", NULL,
				"the configuration (default " CONFIG_DEFAULT ")"},
		[OPTION_OUTPUT] = {"output", 'o', "FORMAT", output_words,
				"text (default), json, or csv where it is a list"},
		[OPTION_LOG_LEVEL] = {"log-level", 0, "LEVEL", level_words,
				"error, warning, notice, info or debug"},
		[OPTION_LOG_FORMAT] = {"log-format", 0, "FORMAT", format_words,
				"auto (default), text, logfmt or json"},
		[OPTION_NO_COLOR] = {"no-color", 0, NULL, NULL,
				"no colours, as NO_COLOR in the environment"},
		[OPTION_HELP] = {"help", 'h', NULL, NULL, "explain the verb and its options"},
		[OPTION_OUT] = {"out", 0, "FILE", NULL, "also write the plan to FILE, for apply"},
		[OPTION_AUTO_APPROVE] = {"auto-approve", 0, NULL, NULL,
				"do not ask; needed where nobody can be asked"},
		[OPTION_FULL] = {"full", 0, NULL, NULL, "show every name, however many there are"},
		[OPTION_DRY_RUN] = {"dry-run", 'n', NULL, NULL, "only show what it stands for"},
		[OPTION_REASON] = {"reason", 0, "TEXT", NULL,
				"why; kept with the decision and in the audit"},
		[OPTION_TIMEOUT] = {"timeout", 0, "DURATION", NULL,
				"wait so long for the end (at most 10min)"},
		[OPTION_FROM] = {"from", 0, "NUMBER", NULL, "begin at this sequence number"},
		[OPTION_WORKSPACE] = {"workspace", 'w', "NAME", NULL,
				"only there; a name, a glob or tag:KEY=VALUE"},
		[OPTION_ID] = {"id", 0, "ID", NULL, "the token with that id"},
		[OPTION_OWNER] = {"owner", 0, "NAME", NULL,
				"tokens of that userName, application id or Databricks id"},
		[OPTION_OLDER_THAN] = {"older-than", 0, "DURATION", NULL,
				"tokens that were made longer ago, 90d for example"},
		[OPTION_LIST] = {"list", 0, NULL, NULL,
				"verbs and options, one a line, for scripts"},
		[OPTION_EXPAND] = {"expand", 0, NULL, NULL, "groups as the people in them, too"},
		[OPTION_INCLUDE_PROTECTED] = {"include-protected", 0, NULL, NULL,
				"also tokens of protected or unknown owners, and our own"},
};
_Static_assert(COUNT_OF(options) == OPTION_COUNT_, "a row per option");

#define BIT(option) (UINT32_C(1) << (option))
#define GLOBAL_OPTIONS                                                                             \
	(BIT(OPTION_CONFIG) | BIT(OPTION_LOG_LEVEL) | BIT(OPTION_LOG_FORMAT) |                     \
			BIT(OPTION_NO_COLOR) | BIT(OPTION_HELP))

static const char *const sync_words[] = {"user", "group", "service-principal", NULL};
static const char *const audit_words[] = {"verify", "export", NULL};
static const char *const tokens_words[] = {"list", "revoke", "sweep", NULL};
static const char *const schema_words[] = {"config", "mapping", NULL};
static const char *const shell_words[] = {"bash", "zsh", "fish", NULL};

const struct command commands[] = {
		{"check", "", "check configuration, mappings, expressions and tests; no network",
				"Ends with 0, or with 78 and each fault as FILE:LINE:COLUMN: what "
				"is wrong.",
				BIT(OPTION_OUTPUT), 0, 0, NULL, handle_check, false},
		{"doctor", "", "every directory, sign-in, right, clash and expiry; changes nothing",
				"Reads all that the rules search for, and tries what our "
				"credential "
				"may do. Works beside\n"
				"the service. Ends with 0 if all is fine, 1 if there are problems.",
				BIT(OPTION_OUTPUT) | BIT(OPTION_TIMEOUT), 0, 0, NULL, handle_doctor,
				true},
		{"plan", "", "show what would change, and why; changes nothing",
				"Ends with 0 if there is nothing to do, 2 if there are changes, 3 "
				"if only held ones,\n"
				"4 if nothing is to do but something is quarantined or could not "
				"be read whole.",
				BIT(OPTION_OUTPUT) | BIT(OPTION_OUT) | BIT(OPTION_FULL), 0, 0, NULL,
				handle_plan, true},
		{"apply", "[FILE]", "carry out a plan file, or plan, show, ask and carry out",
				"With FILE (from `plan --out FILE`): exactly that, without a "
				"question; refused if the\n"
				"configuration is another one by now, and what has moved on "
				"meanwhile is left out.\n"
				"Removals that the guard holds are never carried out by it: see "
				"approve.",
				BIT(OPTION_AUTO_APPROVE) | BIT(OPTION_FULL), 0, 1, NULL,
				handle_apply, false},
		{"run", "", "the service: follow the directory and keep Databricks true", NULL, 0,
				0, 0, NULL, handle_run, false},
		{"sync", "[user|group|service-principal NAME]", "bring one principal in order now",
				"Through the service if it runs, else alone. Without a name: "
				"everything, by the service.",
				BIT(OPTION_OUTPUT) | BIT(OPTION_TIMEOUT), 0, 2, sync_words,
				handle_sync, false},
		{"status", "", "what it does, how far it is, what is held", NULL,
				BIT(OPTION_OUTPUT), 0, 0, NULL, handle_status, true},
		{"explain", "PRINCIPAL [OBJECT]",
				"one principal: directory entry, rule, Databricks, and why",
				"PRINCIPAL: userName, display name, application id, Databricks id, "
				"DN, anchor or key.\n"
				"OBJECT: how it comes to its rights there; see who-can.\n"
				"-o csv: its rights, a line each.\n"
				"Without a running service directory and Databricks are read "
				"anew.",
				BIT(OPTION_OUTPUT) | BIT(OPTION_WORKSPACE), 1, 2, NULL,
				handle_explain, true},
		{"who-can", "OBJECT [LEVEL]", "access review: who has which rights on an object",
				"OBJECT: job:NAME, job:ID, TYPE/ID or a path such as /Shared/etl.\n"
				"LEVEL: only who has at least that, such as CAN_MANAGE.\n"
				"The list of rights is read from Databricks now; what no rule "
				"asked "
				"for is marked.\n"
				"-o csv: an entry a line, or a person with --expand.",
				BIT(OPTION_OUTPUT) | BIT(OPTION_WORKSPACE) | BIT(OPTION_EXPAND), 1,
				2, NULL, handle_who_can, true},
		{"diff", "PRINCIPAL PRINCIPAL",
				"what one of two principals has and the other has not", NULL,
				BIT(OPTION_OUTPUT), 2, 2, NULL, handle_diff, true},
		{"approve", "ID|CATEGORY|all", "let held removals go",
				"Shows them and asks. Exactly those shown are let go, none that "
				"come later.\n"
				"CATEGORY: users, groups, members, permissions, tokens, policies "
				"or lists.",
				BIT(OPTION_OUTPUT) | BIT(OPTION_DRY_RUN) |
						BIT(OPTION_AUTO_APPROVE) | BIT(OPTION_FULL),
				1, 1, NULL, handle_approve, false},
		{"reject", "ID|CATEGORY|all", "keep what held removals would remove", NULL,
				BIT(OPTION_OUTPUT) | BIT(OPTION_REASON) | BIT(OPTION_DRY_RUN) |
						BIT(OPTION_AUTO_APPROVE) | BIT(OPTION_FULL),
				1, 1, NULL, handle_reject, false},
		{"retry", "NAME|all", "try quarantined work again now", NULL, BIT(OPTION_OUTPUT), 1,
				1, NULL, handle_retry, false},
		{"audit", "verify|export", "prove or print the record of every write",
				"verify: follows the chain of hashes from the first line to the "
				"last.\n"
				"export: JSON lines on standard output, oldest first.",
				BIT(OPTION_FROM), 1, 1, audit_words, handle_audit, false},
		{"tokens", "list|revoke|sweep", "personal access tokens of all workspaces",
				"list: whose they are, whether the directory still has him, age, "
				"expiry, last use.\n"
				"revoke: those that --id, --owner and --older-than name together; "
				"shows them and asks.\n"
				"Those of protected or unknown owners, and our own, need "
				"--include-protected.\n"
				"sweep: those that lifetimes of grants and the sweep of the "
				"configuration name.",
				BIT(OPTION_OUTPUT) | BIT(OPTION_WORKSPACE) | BIT(OPTION_ID) |
						BIT(OPTION_OWNER) | BIT(OPTION_OLDER_THAN) |
						BIT(OPTION_INCLUDE_PROTECTED) |
						BIT(OPTION_AUTO_APPROVE) | BIT(OPTION_FULL),
				1, 1, tokens_words, handle_tokens, true},
		{"schema", "config|mapping",
				"JSON Schema of ldap2dbx.yaml or of a mapping file, for editors",
				NULL, 0, 1, 1, schema_words, handle_schema, false},
		{"completion", "bash|zsh|fish", "completion script for a shell", NULL, 0, 1, 1,
				shell_words, handle_completion, false},
		{"version", "", "version of this program and of its libraries", NULL, 0, 0, 0, NULL,
				handle_version, false},
		{"help", "[VERB]", "this, or one verb in detail", NULL, BIT(OPTION_LIST), 0, 1,
				NULL, handle_help, false},
		{NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL, false},
};

int exit_code_of(enum err_code code)
{
	if (code == ERR_NONE)
		return EXIT_DONE;
	if (code == ERR_USAGE)
		return EXIT_USAGE;
	return code == ERR_CONFIG ? EXIT_CONFIGURATION : EXIT_FAILED;
}

const struct option_spec *option_spec(enum option_id id)
{
	return &options[id];
}

const struct command *command_find(const char *name)
{
	for (const struct command *command = commands; command->name; command++) {
		if (text_equal(command->name, name))
			return command;
	}
	return NULL;
}

bool command_takes(const struct command *command, enum option_id option)
{
	return (((command ? command->options : 0) | GLOBAL_OPTIONS) & BIT(option)) != 0;
}

bool invocation_has(const struct invocation *call, enum option_id option)
{
	return call->values[option] != NULL;
}

const char *invocation_value(
		const struct invocation *call, enum option_id option, const char *fallback)
{
	return call->values[option] ? call->values[option] : fallback;
}

bool invocation_wants_json(const struct invocation *call)
{
	return text_equal(call->values[OPTION_OUTPUT], "json");
}

bool invocation_wants_csv(const struct invocation *call)
{
	return text_equal(call->values[OPTION_OUTPUT], "csv");
}

/* ---- parsing ---- */

struct parser {
	int argc;
	char *const *argv;
	int at;
	struct invocation *call;
};

static enum err_code unknown_option(const struct parser *parser, const char *name, struct err *err)
{
	const char *names[OPTION_COUNT_];
	const char *nearest;
	size_t count = 0;

	for (unsigned i = 0; i < OPTION_COUNT_; i++) {
		if (command_takes(parser->call->command, (enum option_id)i) ||
				!parser->call->command)
			names[count++] = options[i].name;
	}
	nearest = text_did_you_mean(name, names, count);
	if (nearest)
		return err_set(err, ERR_USAGE, 0, "unknown option --%s; did you mean --%s?", name,
				nearest);
	return err_set(err, ERR_USAGE, 0, "unknown option --%s; `ldap2dbx%s%s --help` lists them",
			name, parser->call->command ? " " : "",
			parser->call->command ? parser->call->command->name : "");
}

static bool is_listed(const char *word, const char *const *words, size_t *ret_count)
{
	size_t count = 0;
	bool found = false;

	for (; words[count]; count++)
		found = found || text_equal(word, words[count]);
	*ret_count = count;
	return found;
}

static enum err_code check_word(
		const char *what, const char *word, const char *const *words, struct err *err)
{
	const char *nearest;
	size_t count;

	if (!words || is_listed(word, words, &count))
		return ERR_NONE;
	nearest = text_did_you_mean(word, words, count);
	if (nearest)
		return err_set(err, ERR_USAGE, 0, "%s: \"%s\" is not known; did you mean \"%s\"?",
				what, word, nearest);
	return err_set(err, ERR_USAGE, 0, "%s: \"%s\" is not known; it may be %s%s%s%s", what, word,
			words[0], count > 1 ? ", " : "", count > 1 ? words[1] : "",
			count > 2 ? ", ..." : "");
}

/* given: the value behind "=" or glued to the letter; NULL: the next word of the line, if the
 * option takes one. */
static enum err_code take_option(
		struct parser *parser, enum option_id id, const char *given, struct err *err)
{
	const struct option_spec *option = &options[id];
	AUTO(mem_freep) char *what = mem_printf("--%s", option->name);

	if (!option->argument && given)
		return err_set(err, ERR_USAGE, 0, "%s takes no value", what);
	if (option->argument && !given) {
		if (parser->at + 1 >= parser->argc)
			return err_set(err, ERR_USAGE, 0, "%s needs a %s behind it", what,
					option->argument);
		given = parser->argv[++parser->at];
	}
	parser->call->values[id] = given ? given : "";
	return check_word(what, given, option->words, err);
}

static enum err_code take_long(struct parser *parser, const char *text, struct err *err)
{
	const char *equals = strchr(text, '=');
	AUTO(mem_freep)
	char *name = mem_strndup(text, equals ? (size_t)(equals - text) : strlen(text));

	for (unsigned i = 0; i < OPTION_COUNT_; i++) {
		if (text_equal(options[i].name, name))
			return take_option(
					parser, (enum option_id)i, equals ? equals + 1 : NULL, err);
	}
	return unknown_option(parser, name, err);
}

static enum err_code take_short(struct parser *parser, const char *text, struct err *err)
{
	for (unsigned i = 0; i < OPTION_COUNT_; i++) {
		if (options[i].letter && options[i].letter == text[0])
			return take_option(
					parser, (enum option_id)i, text[1] ? text + 1 : NULL, err);
	}
	return err_set(err, ERR_USAGE, 0, "unknown option -%s; `ldap2dbx --help` lists them", text);
}

static enum err_code take_word(struct parser *parser, const char *word, struct err *err)
{
	struct invocation *call = parser->call;
	const char *names[32];
	const char *nearest;
	size_t count = 0;

	if (call->command) {
		if (call->arg_count == ARGUMENTS_MAX)
			return err_set(err, ERR_USAGE, 0, "too many arguments, from \"%s\" on",
					word);
		call->args[call->arg_count++] = word;
		return ERR_NONE;
	}
	call->command = command_find(word);
	if (call->command)
		return ERR_NONE;
	while (commands[count].name) {
		if (count == COUNT_OF(names))
			break;
		names[count] = commands[count].name;
		count++;
	}
	nearest = text_did_you_mean(word, names, count);
	if (nearest)
		return err_set(err, ERR_USAGE, 0, "unknown verb \"%s\"; did you mean \"%s\"?", word,
				nearest);
	return err_set(err, ERR_USAGE, 0, "unknown verb \"%s\"; `ldap2dbx help` lists them", word);
}

static enum err_code check_arguments(const struct invocation *call, struct err *err)
{
	const struct command *command = call->command;

	for (unsigned i = 0; i < OPTION_COUNT_; i++) {
		if (call->values[i] && !command_takes(command, (enum option_id)i))
			return err_set(err, ERR_USAGE, 0,
					"`%s` does not take --%s; `ldap2dbx %s --help` lists what "
					"it takes",
					command->name, options[i].name, command->name);
	}
	if (invocation_wants_csv(call) && !command->has_csv)
		return err_set(err, ERR_USAGE, 0, "`%s` has no CSV form; say -o json",
				command->name);
	if (call->arg_count < command->min_args)
		return err_set(err, ERR_USAGE, 0, "`%s` needs %s: ldap2dbx %s %s", command->name,
				command->arguments, command->name, command->arguments);
	if (call->arg_count > command->max_args)
		return err_set(err, ERR_USAGE, 0,
				"`%s` does not know what to do with \"%s\": ldap2dbx %s %s",
				command->name, call->args[command->max_args], command->name,
				command->arguments);
	return call->arg_count ? check_word(command->name, call->args[0], command->words, err)
			       : ERR_NONE;
}

static enum err_code take(struct parser *parser, bool *no_more_options, struct err *err)
{
	const char *text = parser->argv[parser->at];

	if (*no_more_options || text[0] != '-' || text[1] == '\0')
		return take_word(parser, text, err);
	if (text[1] != '-')
		return take_short(parser, text + 1, err);
	if (text[2] != '\0')
		return take_long(parser, text + 2, err);
	*no_more_options = true;
	return ERR_NONE;
}

enum err_code invocation_parse(
		int argc, char *const argv[], struct invocation *ret, struct err *err)
{
	struct invocation call = {0};
	struct parser parser = {.argc = argc, .argv = argv, .call = &call};
	bool no_more_options = false;

	for (parser.at = 1; parser.at < argc; parser.at++) {
		if (text_equal(argv[parser.at], "--version") && !no_more_options && !call.command) {
			call.command = command_find("version");
			continue;
		}
		if (take(&parser, &no_more_options, err) != ERR_NONE)
			return err->code;
	}
	if (!call.command)
		call.command = command_find("help");
	else if (!invocation_has(&call, OPTION_HELP) && check_arguments(&call, err) != ERR_NONE)
		return err->code;
	*ret = call;
	return ERR_NONE;
}
