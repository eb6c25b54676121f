/*
 * pat -- personal access tokens: how long they live, who may make and use them, and how they end. Each works in one
 * workspace only.
 *
 * Threads: the caller holds the simulator's lock, for writing if tokens are made or end.
 */
#ifndef SIM_PAT_H
#define SIM_PAT_H

#include "record.h"
#include "sim.h"

#define PATS_MAX 600       /* per user and workspace, published */
#define PAT_DAYS_MAX 730   /* longest life of a new one, published */
#define PAT_UNUSED_DAYS 90 /* then it ends by itself, published */
#define MS_PER_DAY INT64_C(86400000)

/* Counts for lists and quotas, and lets its owner in: neither revoked, nor expired, nor unused for too long. */
bool pat_is_live(const struct sim *sim, const struct record *pat, int64_t now_ms);

/* enableTokensConfig of the workspace. */
bool pat_is_enabled(const struct state *state, const struct workspace *workspace);
/* Admin, or let by the ACL of authorization/tokens. */
bool pat_is_allowed(const struct state *state, const struct workspace *workspace,
		const struct principal *who);
size_t pat_count(const struct sim *sim, const struct workspace *workspace,
		const struct principal *owner);
/* Whether any was ever made there by a call: before, the object authorization/tokens does not exist. */
bool pat_was_made(const struct state *state, const struct workspace *workspace);

/* Our own token of the workspace, if it is not among its tokens yet. */
void pat_adopt_own(struct state *state, struct workspace *workspace);

/*
 * Ends, for good, every token of those who may not use tokens any more; what changes the ACL of authorization/tokens
 * calls it. has_right is asked about each owner. Returns how many ended.
 */
size_t tokens_revoke_without_right(struct state *state, struct workspace *workspace,
		bool (*has_right)(const struct state *state, const struct workspace *workspace,
				const struct principal *who));

/* The same for one who is known to have lost the right. */
void pat_end_all(struct sim *sim, struct workspace *workspace, struct principal *owner);

#endif
