/*
 * common -- what most verbs begin and end with.
 */
#ifndef L2D_CLI_COMMON_H
#define L2D_CLI_COMMON_H

#include <jansson.h>

#include "cli/command.h"
#include "cli/terminal.h"
#include "rules/config.h"
#include "sync/engine.h"

/* Says what is wrong on standard error; returns the exit code for it. */
int fail(const struct err *err);

/* As config_load, of what the command line names. If it names nothing and nothing is at the usual
 * place, the text says how to name one. */
MUST_CHECK enum err_code read_config(const struct invocation *call, struct faults *faults,
		struct config **ret, struct err *err);
#define FAULTS_SHOWN 20
/* Those of a configuration, a line each; err if there are none. */
void complain_of_faults(struct faults *faults, const struct err *err);

/* The configuration that the command line names; a failure has been told, then *ret_exit is the
 * exit code. NULL then. */
struct config *load_config(const struct invocation *call, int *ret_exit);
void config_freep(struct config **config);

/* Standard output as a canvas, and whether --full was given. */
struct canvas canvas_for(const struct invocation *call);

/* A JSON value on standard output, indented, with a newline. */
void print_json(const json_t *json);

/* Refuses with ERR_CONFIG what would write under `mode: observe`. */
MUST_CHECK enum err_code check_may_write(const struct settings *settings, struct err *err);

/*
 * Operations of an answer as values in arena; those that these settings cannot name are left out
 * and counted. The service may run with a configuration that has changed on disk since.
 */
struct operation *operations_from_json(const json_t *list, const struct settings *settings,
		struct arena *arena, size_t *ret_count, size_t *ret_unknown);
/* Prints a list of operations as JSON says them, as a plan shows them. */
void print_operations_json(const struct canvas *canvas, const json_t *list,
		const struct settings *settings, bool full);

#endif
