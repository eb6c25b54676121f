/*
 * store_status -- what `status` says while no service runs: read from the store, without an engine.
 */
#ifndef L2D_CLI_STORE_STATUS_H
#define L2D_CLI_STORE_STATUS_H

#include <jansson.h>

#include "model/settings.h"

/* *ret: as in doc/control.md with the phase "stopped", a new reference. Errors: ERR_NOT_FOUND (no
 * store yet), ERR_STORE. */
MUST_CHECK enum err_code store_status(
		const struct settings *settings, json_t **ret, struct err *err);

#endif
