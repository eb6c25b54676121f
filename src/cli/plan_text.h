/*
 * plan_text -- a plan for people: grouped by target and kind, one line per object and change, each
 * with its why.
 *
 * What is removed is always shown to the last name. Of everything else long lists are cut, and say
 * so, unless full. Names come from the directory and from Databricks: nothing of them reaches the
 * terminal unescaped.
 */
#ifndef L2D_CLI_PLAN_TEXT_H
#define L2D_CLI_PLAN_TEXT_H

#include "cli/terminal.h"
#include "sync/engine.h"

#define PLAN_LINES_SHOWN 100 /* of one kind of change in one section, without full */
#define PLAN_NAMES_SHOWN 20  /* of members added to one group, without full */

/* Operations alone, as approve and sync show them. Memberships of one group are shown together. */
void operations_print(const struct canvas *canvas, const struct operation *operations, size_t count,
		const struct settings *settings, bool full);
/* The whole: operations, notes, and the line "Plan: ...". calls: requests made to find it out. */
void plan_print(const struct canvas *canvas, const struct plan *plan,
		const struct settings *settings, uint64_t calls, bool full);

/* An operation a line as comma-separated values (doc/ldap2dbx.1). */
void plan_csv(FILE *file, const struct plan *plan, const struct settings *settings);

#endif
