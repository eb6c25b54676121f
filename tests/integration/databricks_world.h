/*
 * databricks_world -- the simulator as a child process, and a client of it, for integration tests.
 */
#ifndef TESTS_DATABRICKS_WORLD_H
#define TESTS_DATABRICKS_WORLD_H

#include "base/vec.h"
#include "databricks/assignment.h"
#include "databricks/client.h"
#include "databricks/scim.h"

#include <sys/types.h>

#define WORLD_GUARD_MS 120000 /* a test that takes longer fails */

struct world {
	pid_t simulator;
	int output; /* of the simulator */
	char folder[64];
	json_t *about; /* the simulator's first line */
	struct settings settings;
	struct target_settings targets[2]; /* the account and its workspace "prod" */
	struct loop *loop;
	struct databricks *databricks;
	struct task woken, guard;
	struct loop_timer *guard_timer;
	bool timed_out;
	VEC(struct tape *) answers; /* kept by world_release */
};

/* What a world is made of; all may be left out. */
struct world_setup {
	const char *const *options; /* more of the simulator's, NULL-terminated */
	const char *faults;         /* its script of faults, JSON */
	unsigned share;             /* limits.share_percent */
};
void world_start(struct world *world, const struct world_setup *setup);
void world_stop(struct world *world);

/* The client is made anew, after a test changed the settings. */
void world_reconnect(struct world *world);

/* Runs the loop until the call is done, or all of count are. */
void world_wait(struct world *world, struct call *call);
void world_wait_all(struct world *world, struct call *calls, size_t count);
/* Runs the loop until *done. Whoever sets it wakes world->woken or calls loop_stop. */
void world_wait_for(struct world *world, const bool *done);

/* A call to a target (0 account, 1 workspace) that wakes the world. */
struct call world_call(struct world *world, unsigned target);

/* Releases a call but for its answer, whose texts then live as long as the world. */
void world_release(struct world *world, struct call *call);

/* Writes text to a file in the world's folder and returns its path, which is the world's. */
const char *world_write(struct world *world, const char *name, const char *text);
/* Lines of the simulator's request log that contain `needle`. */
size_t world_count_requests(struct world *world, const char *needle);

#endif
