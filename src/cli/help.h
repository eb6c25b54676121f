/*
 * help -- help texts, the listing for scripts and the completion scripts, all from the table in
 * command.h.
 */
#ifndef L2D_CLI_HELP_H
#define L2D_CLI_HELP_H

#include <stdio.h>

#include "cli/command.h"

void help_print_all(FILE *out);
void help_print_command(FILE *out, const struct command *command);
/* One line per verb ("verb NAME") and per option of it ("option VERB --NAME"); global ones have the
 * verb "*". */
void help_print_list(FILE *out);
/* shell: "bash", "zsh" or "fish". */
void completion_print(FILE *out, const char *shell);

#endif
