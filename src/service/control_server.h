/*
 * control_server -- the control socket of a running service: clients, lines, limits. Loop thread
 * only.
 *
 * Each client's requests are answered in order, one at a time; while one is worked on or its answer
 * is on the way, nothing more is read from that client, so a slow or greedy one costs a bounded
 * amount of memory and delays nobody.
 */
#ifndef L2D_SERVICE_CONTROL_SERVER_H
#define L2D_SERVICE_CONTROL_SERVER_H

#include "sync/engine.h"

#define CONTROL_CLIENTS_MAX 32
#define CONTROL_IDLE_MS 600000
/* Of all clients together, before an answer is replaced by an error. */
#define CONTROL_UNSENT_MAX ((size_t)128 * 1024 * 1024)

struct control_server;
/*
 * Listens at path. A socket file that is there is replaced: call it only while the store beside it
 * is locked by this process. path, engine: borrowed until control_server_free. Errors: ERR_CONFIG
 * (path too long), ERR_IO.
 */
MUST_CHECK enum err_code control_server_new(struct loop *loop, struct engine *engine,
		const char *path, struct control_server **ret, struct err *err);
/* Something moved in the engine: answers that wait for it are looked at. */
void control_server_look(struct control_server *server);
/* Disconnects all and removes the file. Its handles close in the loop's next turns. NULL is fine.
 */
void control_server_free(struct control_server *server);

#endif
