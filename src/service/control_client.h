/*
 * control_client -- asks a running service through its control socket; blocking, for the command
 * line.
 */
#ifndef L2D_SERVICE_CONTROL_CLIENT_H
#define L2D_SERVICE_CONTROL_CLIENT_H

#include <jansson.h>

#include "base/mem.h"

struct control_client;
/* Errors: ERR_NOT_FOUND (nobody listens there: no service runs), ERR_DENIED (another user's),
 * ERR_IO. */
MUST_CHECK enum err_code control_client_new(
		const char *path, struct control_client **ret, struct err *err);
/* Over a connected stream socket, which it closes in the end. */
struct control_client *control_client_from(int fd);
/*
 * Sends request (its reference is taken over) and waits for the answer at most timeout_ms. *ret:
 * the result, a new reference. Errors: those of the service, by code; ERR_TIMEOUT, ERR_IO,
 * ERR_PROTO (then the client is of no more use).
 */
MUST_CHECK enum err_code control_client_call(struct control_client *client, json_t *request,
		uint64_t timeout_ms, json_t **ret, struct err *err);
void control_client_free(struct control_client *client); /* NULL is fine */

#endif
