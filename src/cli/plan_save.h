/*
 * plan_save -- writes a plan file: whole or not at all, and for the eyes of its owner alone.
 */
#ifndef L2D_CLI_PLAN_SAVE_H
#define L2D_CLI_PLAN_SAVE_H

#include <jansson.h>

#include "base/err.h"

/* Replaces what is at path. Errors: ERR_IO. */
MUST_CHECK enum err_code plan_save(const char *path, const json_t *plan, struct err *err);

#endif
