/*
 * backend -- who answers `explain`, `approve` and the like: the running service through its socket,
 * or else an engine of our own on the same store. Both take the requests of doc/control.md and give
 * the same answers.
 */
#ifndef L2D_CLI_BACKEND_H
#define L2D_CLI_BACKEND_H

#include <jansson.h>

#include "cli/session.h"
#include "rules/config.h"

struct backend;
/*
 * alone: the mode of the engine if no service runs. It is made but not started. config: borrowed; alone, its
 * workspaces are discovered first.
 * Errors: those of control_client_new but ERR_NOT_FOUND, those of session_new.
 */
MUST_CHECK enum err_code backend_new(struct config *config, enum engine_mode alone,
		struct backend **ret, struct err *err);
bool backend_is_service(const struct backend *backend);
/* The engine of our own; NULL if it is the service. */
struct session *backend_session(const struct backend *backend);
/* As control_client_call. */
MUST_CHECK enum err_code backend_call(struct backend *backend, json_t *request, uint64_t timeout_ms,
		json_t **ret, struct err *err);
void backend_free(struct backend *backend); /* NULL is fine */
void backend_freep(struct backend **backend);

/* Whether a service listens beside that store. */
bool service_is_running(const struct settings *settings);

#define BACKEND_TIMEOUT_MS 60000 /* for an answer that needs no waiting of its own */

#endif
