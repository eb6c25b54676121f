/*
 * oauth -- sign-in: host metadata, discovery, the token endpoint for machines, and the check of every API call.
 *
 * A token from a workspace works there only; one from the account works on the account and in workspaces where its
 * principal has a place. A personal access token works in its workspace only.
 */
#ifndef SIM_OAUTH_H
#define SIM_OAUTH_H

#include "sim.h"

struct tokens;
struct tokens *tokens_new(void);
void tokens_free(struct tokens *tokens);
void tokens_revoke_all(struct tokens *tokens); /* any thread */

/* Answers paths that need no sign-in; false: this is none. Lock held for reading. */
bool oauth_handle(struct request *request, struct answer *answer);

/* Sets request->caller, or fills the answer (401, 403) and returns false. Lock held. */
MUST_CHECK bool oauth_check(struct request *request, struct answer *answer);

#endif
