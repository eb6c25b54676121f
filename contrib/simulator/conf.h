/*
 * conf -- workspace-conf: a map of texts by key, as stored. A key that was never set is absent.
 */
#ifndef SIM_CONF_H
#define SIM_CONF_H

#include "state.h"

const char *conf_text(const struct state *state, const struct workspace *workspace,
		const char *key); /* NULL: never set */
/* Whether it was set to that truth value, in whatever case. */
bool conf_is(const struct state *state, const struct workspace *workspace, const char *key,
		bool value);

#endif
