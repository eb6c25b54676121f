#include "base/log.h"
#include "base/text.h"
#include "cli/handlers.h"
#include "cli/terminal.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Before anything else happens: secrets will be in this memory, and files will be made. */
static void protect_process(void)
{
	const struct rlimit none = {0, 0};

	(void)umask(077);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	/* Configuration comes from our own files alone (ldap.conf(5)). */
	(void)setenv("LDAPNOINIT", "1", 1);
}

/* The service tells what it does; elsewhere the result is the report, and the log is for what goes
 * wrong. */
static enum log_level default_level(const struct invocation *call)
{
	const char *verb = call->command->name;
	bool writes = text_equal(verb, "apply") || text_equal(verb, "sync");

	if (text_equal(verb, "run") || (writes && !isatty(STDERR_FILENO)))
		return LOG_INFO;
	return LOG_WARNING;
}

static void set_up_log(const struct invocation *call)
{
	static const struct {
		const char *name;
		enum log_format format;
	} formats[] = {{"auto", LOG_AUTO}, {"text", LOG_TEXT}, {"logfmt", LOG_LOGFMT},
			{"json", LOG_JSON}};
	const char *wanted = invocation_value(call, OPTION_LOG_FORMAT, "auto");
	enum log_level level = default_level(call);
	enum log_format format = LOG_AUTO;

	/* Both words were checked against the table of options. */
	if (invocation_has(call, OPTION_LOG_LEVEL))
		(void)log_level_parse(invocation_value(call, OPTION_LOG_LEVEL, ""), &level);
	for (size_t i = 0; i < COUNT_OF(formats); i++) {
		if (text_equal(formats[i].name, wanted))
			format = formats[i].format;
	}
	log_setup(level, format);
}

static int run_verb(const struct invocation *call)
{
	if (!invocation_has(call, OPTION_HELP))
		return call->command->run(call);
	return handle_help(&(struct invocation){.command = command_find("help"),
			.args = {call->command->name},
			.arg_count = 1});
}

int main(int argc, char *argv[])
{
	struct invocation call;
	struct err err = {0};
	int code;

	protect_process();
	mem_tune();
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	if (invocation_parse(argc, argv, &call, &err) != ERR_NONE) {
		complain("%s", err.text);
		return exit_code_of(err.code);
	}
	set_up_log(&call);
	code = run_verb(&call);
	/* A report that did not arrive whole is a failure, whatever it said. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		if (errno != EPIPE)
			complain("cannot write to standard output: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return code;
}
