/*
 * setting -- typed settings of a workspace and of the account: version 1 with etags (api/2.0/settings/types), version 2.1
 * without (api/2.1/settings). Both show the same values.
 */
#ifndef SIM_SETTING_H
#define SIM_SETTING_H

#include "state.h"

/* acct_ip_acl_enable: on until it is switched off. */
bool setting_account_lists_on(const struct state *state);
/* restrict_workspace_admins is RESTRICT_TOKENS_AND_JOB_RUN_AS. */
bool setting_restricts_admins(const struct state *state, const struct workspace *workspace);

#endif
