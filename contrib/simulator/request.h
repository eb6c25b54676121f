/*
 * request -- one request from sign-in to answer: takes the lock, finds who is responsible for the path.
 */
#ifndef SIM_REQUEST_H
#define SIM_REQUEST_H

#include "sim.h"

/* Whether the path begins with these words, joined by slashes; "*" stands for any one. */
bool request_path_begins(const struct request *request, const char *pattern);

void request_serve(struct request *request, struct answer *answer);

#endif
