/*
 * dynamic_group -- re-reads groups whose members the server computes (OpenLDAP: slapo-dynlist, groupOfURLs).
 *
 * A search returns the computed members; a sync event of the same entry brings none, and taken at its word it would empty
 * the group. So in the persist stage such an entry is read once more by an ordinary search. Until that is done, cookies
 * of later events must be kept back: they cover the change that is still missing.
 */
#ifndef L2D_DIRECTORY_DYNAMIC_GROUP_H
#define L2D_DIRECTORY_DYNAMIC_GROUP_H

#include "directory/connection.h"
#include "directory/feed_search.h"
#include "directory/outbox.h"

struct dynamic_groups {
	const struct feed_search *search;
	struct batch *batch; /* the session's: where changes go */
	struct connection *connection;
	struct request request;
	VEC(struct dynamic_group *)
	waiting;        /* the first is being read while the request is under way */
	struct err err; /* set: reading failed; the session must begin again from its last cookie */
};

void dynamic_groups_init(struct dynamic_groups *groups, const struct feed_search *search,
		struct batch *batch);
/* Forgets everything; a read under way is abandoned if connection is still alive. */
void dynamic_groups_reset(struct dynamic_groups *groups, bool alive);
void dynamic_groups_release(struct dynamic_groups *groups);

/* An event said that this entry was added or changed. */
void dynamic_groups_read(struct dynamic_groups *groups, struct connection *connection,
		const struct entry *entry);
/* Another event named anchor: what is read from before it must not follow it. */
void dynamic_groups_overtaken(struct dynamic_groups *groups, const char *anchor);
/* Whether cookies must be kept back. */
bool dynamic_groups_pending(const struct dynamic_groups *groups);

#endif
