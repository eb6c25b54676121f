/*
 * tokens -- what the parts of the verb `tokens` share: handle_tokens.c lists, tokens_revoke.c revokes and sweeps.
 */
#ifndef L2D_CLI_TOKENS_H
#define L2D_CLI_TOKENS_H

#include "cli/handlers.h"
#include "cli/session.h"
#include "rules/config.h"

struct token_command {
	const struct invocation *call;
	struct config *config;
	const struct settings *settings;
	const char *workspaces;
	const char *id, *owner; /* NULL: any */
	int64_t older_than_ms;  /* 0: any */
	bool even_guarded;
	bool sweeps;
	bool through_service;
};

/* An engine of our own reads directory and tokens; with mode ENGINE_APPLY it may revoke, too. */
MUST_CHECK enum err_code tokens_read(const struct token_command *command, enum engine_mode mode,
		struct session **ret, struct err *err);
/* Says which workspaces could not be listed; how many. tokens: of engine_tokens. */
size_t tokens_tell_unread(const json_t *tokens);
/* Leaves in tokens those that the options name, with their age. */
void tokens_select(const struct token_command *command, json_t *tokens);

/* `tokens revoke` and `tokens sweep`; the exit code. */
int tokens_revoke(struct token_command *command);

#endif
