/*
 * account_workspace -- what the account says about a workspace beyond its name: where it is, its state and tags.
 */
#ifndef SIM_ACCOUNT_WORKSPACE_H
#define SIM_ACCOUNT_WORKSPACE_H

#include "sim.h"

/* The workspace as the account's API shows it. */
void account_workspace_show(
		struct buf *out, const struct sim *sim, const struct workspace *workspace);

/* Tags and status of a workspace's line in a state or seed file. */
void account_workspace_read(struct state *state, struct workspace *workspace, const json_t *line);
void account_workspace_set_tag(struct state *state, struct workspace *workspace, const char *key,
		const char *value);

#endif
