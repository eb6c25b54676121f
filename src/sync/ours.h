/*
 * ours -- how much is ours at one place, by kind: what `status` shows, counted from a running engine or from the store.
 *
 * Tokens are nobody's of ours, so they are no part of it.
 */
#ifndef L2D_SYNC_OURS_H
#define L2D_SYNC_OURS_H

#include <jansson.h>

#include "model/operation.h"

struct ours {
	size_t principals[PRINCIPAL_KIND_COUNT_];
	size_t members, grants;
	size_t resources[RESOURCE_COUNT_]; /* permissions and roles: entries; others: things */
};

void ours_add(struct ours *sum, const struct ours *part);
/* Counts one holding of the store by the name of its resource; what this version does not know is left out. */
void ours_count_holding(struct ours *ours, const char *resource);
/* As doc/control.md says; new reference. */
json_t *ours_to_json(const struct ours *ours);

#endif
