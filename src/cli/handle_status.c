#include "cli/handlers.h"

#include "cli/backend.h"
#include "cli/common.h"
#include "cli/report.h"
#include "cli/store_status.h"
#include "service/control_client.h"
#include "service/control_protocol.h"

static enum err_code ask_status(const struct settings *settings, json_t **ret, struct err *err)
{
	AUTO(mem_freep) char *path = control_path(settings->store_path);
	struct control_client *client = NULL;
	enum err_code code = control_client_new(path, &client, err);

	if (code != ERR_NOT_FOUND && code != ERR_NONE)
		return code;
	if (code == ERR_NOT_FOUND) {
		code = store_status(settings, ret, err);
		return code == ERR_NOT_FOUND ? err_set(err, code, 0,
							       "nothing has run here yet: there is "
							       "no store \"%s\"",
							       settings->store_path)
					     : code;
	}
	code = control_client_call(client, json_pack("{s:s}", "command", "status"),
			BACKEND_TIMEOUT_MS, ret, err);
	control_client_free(client);
	return code;
}

int handle_status(const struct invocation *call)
{
	int code = EXIT_FAILED;
	AUTO(config_freep) struct config *config = load_config(call, &code);
	struct canvas canvas = canvas_for(call);
	json_auto_t *status = NULL;
	struct err err = {0};

	if (!config)
		return code;
	if (ask_status(config_settings(config), &status, &err) != ERR_NONE)
		return fail(&err);
	if (invocation_wants_json(call))
		print_json(status);
	else if (invocation_wants_csv(call))
		csv_status(stdout, status);
	else
		report_status(&canvas, status);
	return EXIT_DONE;
}
