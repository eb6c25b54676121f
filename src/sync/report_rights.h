/*
 * report_rights -- which groups of ours a principal is in, by which groups of the directory, and what it and they were granted.
 *
 * Private to sync/. Gathered from all its objects, then shown in an order that does not change from one question to the next.
 */
#ifndef L2D_SYNC_REPORT_RIGHTS_H
#define L2D_SYNC_REPORT_RIGHTS_H

#include <jansson.h>

#include "sync/engine_state.h"

struct rights;
struct rights *rights_new(const struct engine *engine); /* borrowed */
void rights_free(struct rights *rights);
void rights_gather(struct rights *rights, const struct object *object);
/* As doc/control.md says; new references. */
json_t *rights_groups(struct rights *rights);
json_t *rights_grants(struct rights *rights);

#endif
