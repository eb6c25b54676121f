/*
 * handlers -- what the verbs do, one function per verb, for the table in command.c. Each returns
 * the exit code and has said everything that is to be said: results on standard output, the rest on
 * standard error.
 */
#ifndef L2D_CLI_HANDLERS_H
#define L2D_CLI_HANDLERS_H

#include "cli/command.h"

int handle_check(const struct invocation *call);
int handle_plan(const struct invocation *call);
int handle_apply(const struct invocation *call);
int handle_run(const struct invocation *call);
int handle_sync(const struct invocation *call);
int handle_status(const struct invocation *call);
int handle_explain(const struct invocation *call);
int handle_who_can(const struct invocation *call);
int handle_diff(const struct invocation *call);
int handle_doctor(const struct invocation *call);
int handle_approve(const struct invocation *call);
int handle_reject(const struct invocation *call);
int handle_retry(const struct invocation *call);
int handle_tokens(const struct invocation *call);
int handle_audit(const struct invocation *call);
int handle_schema(const struct invocation *call);
int handle_completion(const struct invocation *call);
int handle_version(const struct invocation *call);
int handle_help(const struct invocation *call);

#endif
