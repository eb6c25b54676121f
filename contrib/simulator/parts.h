/*
 * parts -- lets the parts of the simulator that do not know each other meet: objects with their ACLs on one side,
 * tokens, policies and settings on the other. Each says in a table of functions what it wants to know (struct hooks in
 * sim.h, struct asks); here they are filled in.
 */
#ifndef SIM_PARTS_H
#define SIM_PARTS_H

#include "sim.h"

void parts_join(struct sim *sim);

#endif
