/* help, completion, schema, version: what needs neither configuration nor network. */
#include "cli/handlers.h"

#include "base/text.h"
#include "cli/help.h"
#include "cli/terminal.h"
#include "rules/config.h"

#include "config.h"

#include <jansson.h>
#include <uv.h>

int handle_help(const struct invocation *call)
{
	const struct command *command = call->arg_count ? command_find(call->args[0]) : NULL;

	if (invocation_has(call, OPTION_LIST)) {
		help_print_list(stdout);
	} else if (command) {
		help_print_command(stdout, command);
	} else if (call->arg_count) {
		complain("unknown verb \"%s\"; `ldap2dbx help` lists them", call->args[0]);
		return EXIT_USAGE;
	} else {
		help_print_all(stdout);
	}
	return EXIT_DONE;
}

int handle_completion(const struct invocation *call)
{
	completion_print(stdout, call->args[0]);
	return EXIT_DONE;
}

int handle_schema(const struct invocation *call)
{
	(void)puts(text_equal(call->args[0], "config") ? config_schema() : mapping_schema());
	return EXIT_DONE;
}

int handle_version(const struct invocation *call)
{
	(void)call;
	(void)printf("ldap2dbx %s (libuv %s, jansson %s)\n", PACKAGE_VERSION, uv_version_string(),
			jansson_version_str());
	return EXIT_DONE;
}
