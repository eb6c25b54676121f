#include "cli/handlers.h"

#include "cli/common.h"
#include "service/service.h"

#include "base/log.h"

int handle_run(const struct invocation *call)
{
	int code = EXIT_FAILED;
	AUTO(config_freep) struct config *config = load_config(call, &code);
	struct err err = {0};

	if (!config)
		return code;
	if (service_run(config, &err) == ERR_NONE)
		return EXIT_DONE;
	log_event(LOG_ERROR, "the service ends", {"error", err.text},
			{"code", err_code_name(err.code)});
	return exit_code_of(err.code);
}
