/*
 * session -- an engine of our own for the length of one command: `plan`, `apply`, and the rest
 * while no service runs.
 *
 * Shows progress on a terminal from the first second on. SIGINT and SIGTERM end an APPLY in order:
 * no new call is sent, those in flight are waited for and written down.
 */
#ifndef L2D_CLI_SESSION_H
#define L2D_CLI_SESSION_H

#include "sync/engine.h"

#define SESSION_STOP_MS 8000

struct session;
/* How long the account's list of workspaces may take. */
#define DISCOVER_MS 60000
/* wakes of options is the session's. Errors: as engine_new, with what to do about a store that
 * somebody else holds. */
MUST_CHECK enum err_code session_new(
		const struct engine_options *options, struct session **ret, struct err *err);
struct engine *session_engine(const struct session *session);
/* Starts it if it is not, and runs until the phase is reached (or a later one). Errors: the
 * engine's, ERR_CANCELLED. */
MUST_CHECK enum err_code session_run(
		struct session *session, enum engine_phase until, struct err *err);
/* Runs until is_done(context), which is asked whenever the engine tells of something; for an engine that was started. */
MUST_CHECK enum err_code session_wait(struct session *session, bool (*is_done)(const void *context),
		const void *context, struct err *err);
/* Ends the engine if it was started, waits for it, frees all. NULL is fine. */
void session_free(struct session *session);
void session_freep(struct session **session);

#endif
