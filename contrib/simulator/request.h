/*
 * request -- one request from sign-in to answer: takes the lock, finds who is responsible for the path.
 */
#ifndef SIM_REQUEST_H
#define SIM_REQUEST_H

#include "sim.h"

/* Whether the path begins with these words, joined by slashes; "*" stands for any one. */
bool request_path_begins(const struct request *request, const char *pattern);

/*
 * With the quirk unified-host: the workspace that a request to the account's host is for, by its header. NULL: none, or
 * the path is the account's. The list of workspaces does not change while we serve, so no lock is needed.
 */
struct workspace *request_unified_workspace(const struct request *request);

void request_serve(struct request *request, struct answer *answer);

#endif
