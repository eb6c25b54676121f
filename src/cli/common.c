#include "cli/common.h"

#include "cli/plan_text.h"
#include "sync/discover.h"
#include "sync/plan_file.h"

#include <errno.h>
#include <unistd.h>

int fail(const struct err *err)
{
	complain("%s", err->text);
	return exit_code_of(err->code);
}

enum err_code read_config(const struct invocation *call, struct faults *faults, struct config **ret,
		struct err *err)
{
	if (!invocation_has(call, OPTION_CONFIG) && access(CONFIG_DEFAULT, F_OK) != 0 &&
			errno == ENOENT) {
		(void)err_set(err, ERR_CONFIG, ENOENT,
				"%s is not there; say which file with --config FILE",
				CONFIG_DEFAULT);
		(void)faults_note(faults, err);
		return ERR_CONFIG;
	}
	return config_load(invocation_value(call, OPTION_CONFIG, CONFIG_DEFAULT), faults, ret, err);
}

void complain_of_faults(struct faults *faults, const struct err *err)
{
	size_t count = faults_count(faults);

	if (!count)
		complain("%s", err->text);
	for (size_t i = 0; i < FAULTS_SHOWN && faults_at(faults, i); i++)
		complain("%s", faults_at(faults, i));
	if (count > FAULTS_SHOWN)
		complain("... and %zu more", count - FAULTS_SHOWN);
}

struct config *load_config(const struct invocation *call, int *ret_exit)
{
	AUTO(faults_freep) struct faults *faults = faults_new();
	struct config *config = NULL;
	struct err err = {0};

	if (read_config(call, faults, &config, &err) == ERR_NONE) {
		/* So that what is said of workspaces that were discovered can be shown with their names. */
		discover_remembered(config);
		return config;
	}
	complain_of_faults(faults, &err);
	*ret_exit = exit_code_of(err.code);
	return NULL;
}

void config_freep(struct config **config)
{
	config_free(*config);
}

struct canvas canvas_for(const struct invocation *call)
{
	return canvas_of(stdout, invocation_has(call, OPTION_NO_COLOR));
}

void print_json(const json_t *json)
{
	(void)json_dumpf(json, stdout, JSON_INDENT(2));
	(void)fputc('\n', stdout);
}

enum err_code check_may_write(const struct settings *settings, struct err *err)
{
	if (settings->mode != MODE_OBSERVE)
		return ERR_NONE;
	return err_set(err, ERR_CONFIG, 0,
			"%s: `mode: observe` writes nothing; set `mode: enforce` to let it write",
			settings->path);
}

struct operation *operations_from_json(const json_t *list, const struct settings *settings,
		struct arena *arena, size_t *ret_count, size_t *ret_unknown)
{
	struct operation *operations =
			arena_alloc(arena, (json_array_size(list) + 1) * sizeof(*operations));
	size_t index, count = 0;
	const json_t *json;
	struct err err;

	json_array_foreach(list, index, json)
	{
		if (operation_from_json(json, settings, arena, &operations[count], &err) ==
				ERR_NONE)
			count++;
	}
	*ret_count = count;
	*ret_unknown = json_array_size(list) - count;
	return operations;
}

void print_operations_json(const struct canvas *canvas, const json_t *list,
		const struct settings *settings, bool full)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	size_t count, unknown;
	const struct operation *operations =
			operations_from_json(list, settings, arena, &count, &unknown);

	operations_print(canvas, operations, count, settings, full);
	if (unknown)
		(void)fprintf(canvas->file,
				"    ... and %zu that name what this configuration does not know "
				"(-o json shows them)\n",
				unknown);
}
