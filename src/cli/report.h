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
/* Rights on objects, as `explain` has them: of the principal that is called self, or of groups of his. */
void report_permissions(const struct canvas *canvas, const json_t *permissions, const char *self);
/* The answers to `who-can`, `explain PRINCIPAL OBJECT` and `diff`. */
void report_who_can(const struct canvas *canvas, const json_t *answer);
void report_ways(const struct canvas *canvas, const json_t *answer);
void report_diff(const struct canvas *canvas, const json_t *answer);
/* The same as comma-separated values, and explain. */
void csv_who_can(FILE *file, const json_t *answer);
void csv_ways(FILE *file, const json_t *answer);
void csv_diff(FILE *file, const json_t *answer);
void csv_explain(FILE *file, const json_t *explain);
/* A target a line; a check a line. */
void csv_status(FILE *file, const json_t *status);
void csv_doctor(FILE *file, const json_t *checks);

#endif
