/*
 * principal_read -- what a principal has of its own by Databricks' word, read for a question: roles at the account,
 * entitlements and roles in every workspace.
 *
 * One call for each target, all at once; a workspace that does not know the principal gives it nothing. What does not come
 * within PRINCIPAL_READ_MS is left unread, and that is told: a question must be answered while Databricks is away. Nothing
 * that the engine knows is changed by it.
 */
#ifndef L2D_SYNC_ACCESS_PRINCIPAL_READ_H
#define L2D_SYNC_ACCESS_PRINCIPAL_READ_H

#include "sync/engine_state.h"

#define PRINCIPAL_READ_MS 5000

struct principal_read;
/* Begins; wakes runs when it is done, never inside. key: of its objects; copied. */
struct principal_read *principal_read_new(
		struct engine *engine, const char *key, struct task *wakes);
void principal_read_free(struct principal_read *read); /* cancels; NULL is fine */
bool principal_read_is_done(const struct principal_read *read);
/* What was read of that object there; NULL: nothing was. Lives as long as the read. */
const struct seen_grants *principal_read_seen(
		const struct principal_read *read, const struct object *object, unsigned target);
/* The index-th target that could not be read, and why; false: there are no more. */
bool principal_read_unread(const struct principal_read *read, size_t index, unsigned *ret_target,
		const char **ret_reason);

#endif
