/*
 * report -- the JSON of status and explain (doc/control.md) for people. What is missing or of
 * another type is left out, never an error: the service may be of another version.
 */
#ifndef L2D_CLI_REPORT_H
#define L2D_CLI_REPORT_H

#include <jansson.h>

#include "cli/terminal.h"
#include "model/settings.h"

void report_status(const struct canvas *canvas, const json_t *status);
void report_explain(const struct canvas *canvas, const json_t *explain,
		const struct settings *settings);

#endif
