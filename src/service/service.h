/*
 * service -- `ldap2dbx run`: an engine that follows, its control socket, signals, systemd.
 *
 * SIGTERM and SIGINT end it in order (at most 8 s for calls that are under way), a second one at
 * once. SIGHUP checks the configuration on disk and logs whether a restart would take it. Health is
 * progress: READY=1 comes when directory and Databricks have been compared whole, and the watchdog
 * is fed only while the work that there is moves.
 *
 * With `discover:` the account's workspaces are listed before the engine is made, or remembered if the account does not
 * answer; when a reconcile sees others, the engine ends in order and another one with the new targets takes its place.
 */
#ifndef L2D_SERVICE_SERVICE_H
#define L2D_SERVICE_SERVICE_H

#include "rules/config.h"

/* Runs until told to end. Errors: as engine_new and as control_server_new, or what made the engine
 * give up. */
MUST_CHECK enum err_code service_run(struct config *config, struct err *err);

#endif
