/*
 * command -- the verbs of the command line: one table that parses, helps, completes and lists.
 *
 * Every option is known by one row, every verb by one row that names its options; nothing about
 * either is written a second time. Pure but for the handlers.
 */
#ifndef L2D_CLI_COMMAND_H
#define L2D_CLI_COMMAND_H

#include "base/mem.h"

/* Exit codes: a public interface (doc/ldap2dbx.1). */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_CHANGES = 2,       /* plan: there is something to do */
	EXIT_HELD = 3,          /* nothing to do but what is held */
	EXIT_PARTLY = 4,        /* some of it failed, is quarantined, or could not be read whole */
	EXIT_USAGE = 64,        /* EX_USAGE of sysexits.h */
	EXIT_CONFIGURATION = 78 /* EX_CONFIG */
};
/* What the process ends with after an error of that kind. */
int exit_code_of(enum err_code code);

enum option_id {
	OPTION_CONFIG,
	OPTION_OUTPUT,
	OPTION_LOG_LEVEL,
	OPTION_LOG_FORMAT,
	OPTION_NO_COLOR,
	OPTION_HELP,
	OPTION_OUT,
	OPTION_AUTO_APPROVE,
	OPTION_FULL,
	OPTION_DRY_RUN,
	OPTION_REASON,
	OPTION_TIMEOUT,
	OPTION_FROM,
	OPTION_WORKSPACE,
	OPTION_ID,
	OPTION_OWNER,
	OPTION_OLDER_THAN,
	OPTION_LIST,
	OPTION_EXPAND,
	OPTION_INCLUDE_PROTECTED,
	OPTION_COUNT_
};

struct option_spec {
	const char *name;         /* without the dashes */
	char letter;              /* 0: none */
	const char *argument;     /* as help shows it; "FILE" completes file names; NULL: a flag */
	const char *const *words; /* the values allowed, NULL-terminated; NULL: any */
	const char *help;
};
const struct option_spec *option_spec(enum option_id id);

struct invocation;
struct command {
	const char *name;
	const char *arguments; /* as help shows them, "" for none */
	const char *summary;   /* one line */
	const char *details;   /* more lines for its own help; NULL: none */
	uint32_t options;      /* bits by option_id, besides the global ones */
	unsigned min_args, max_args;
	const char *const *
			words; /* what the first argument may be, NULL-terminated; NULL: anything */
	int (*run)(const struct invocation *call); /* returns the exit code */
	bool has_csv;                              /* -o csv */
};
/* All verbs, in the order in which help shows them; ends with one whose name is NULL. */
extern const struct command commands[];
const struct command *command_find(const char *name);
bool command_takes(
		const struct command *command, enum option_id option); /* its own or a global one */

#define ARGUMENTS_MAX 8
struct invocation {
	const struct command *command;
	const char *values[OPTION_COUNT_]; /* NULL: not given; "" for a flag that is */
	const char *args[ARGUMENTS_MAX];
	unsigned arg_count;
};

/*
 * Reads a command line: `ldap2dbx [OPTION...] VERB [ARGUMENT...]`, options anywhere, "--" ends
 * them. argv is borrowed for the life of *ret. Without a verb command is `help`; with --help only
 * the verb and the options count. Errors: ERR_USAGE, with the nearest word that exists.
 */
MUST_CHECK enum err_code invocation_parse(
		int argc, char *const argv[], struct invocation *ret, struct err *err);

bool invocation_has(const struct invocation *call, enum option_id option);
/* What was given, or fallback. */
const char *invocation_value(
		const struct invocation *call, enum option_id option, const char *fallback);
bool invocation_wants_json(const struct invocation *call);
bool invocation_wants_csv(const struct invocation *call);

#define CONFIG_DEFAULT "/etc/ldap2dbx/ldap2dbx.yaml"

#endif
