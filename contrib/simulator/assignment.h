/*
 * assignment -- the account's list of workspaces, and who of the account may use which workspace: the account's form
 * of the API and the workspace's own.
 */
#ifndef SIM_ASSIGNMENT_H
#define SIM_ASSIGNMENT_H

#include "sim.h"

/* tail: what stands behind ".../accounts/{id}/workspaces". Lock held: for writing unless it is a GET. */
bool workspaces_handle(
		struct request *request, char *const *tail, size_t count, struct answer *answer);

/* tail: what stands behind "/api/2.0/preview/permissionassignments" on a workspace's host. */
bool assignment_handle_workspace(
		struct request *request, char *const *tail, size_t count, struct answer *answer);

#endif
