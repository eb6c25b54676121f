/*
 * cluster_policy_face -- what a cluster policy says, in a form in which equal meaning is equal text. Pure.
 *
 * Databricks keeps a definition as it was sent, so definitions are compared as JSON: blanks, the order of keys and 1.0 for 1
 * mean nothing. Libraries are a set. An empty text, `{}` as overrides, `[]` as libraries and 0 clusters are as if not given.
 * Under a family there are overrides and no definition, though a read shows the merged one.
 */
#ifndef L2D_SYNC_ACCESS_CLUSTER_POLICY_FACE_H
#define L2D_SYNC_ACCESS_CLUSTER_POLICY_FACE_H

#include "databricks/cluster_policy.h"
#include "model/operation.h"
#include "rules/access.h"

enum policy_part {
	POLICY_NAME,
	POLICY_DESCRIPTION,
	POLICY_DEFINITION,
	POLICY_FAMILY, /* its id */
	POLICY_OVERRIDES,
	POLICY_LIBRARIES,
	POLICY_MAX_CLUSTERS,
	POLICY_PART_COUNT_
};
struct policy_face {
	const char *parts[POLICY_PART_COUNT_]; /* NULL: not given */
};

/* family_id: of the rule's family; NULL: it has none. All in arena. */
void policy_face_of_wanted(const struct wanted_policy *policy, const char *family_id,
		struct arena *arena, struct policy_face *ret);
void policy_face_of_seen(
		const struct cluster_policy *policy, struct arena *arena, struct policy_face *ret);
/* What differs, as an operation lists it; before NULL: nothing is there. In arena. */
size_t policy_face_compare(const struct policy_face *before_or_null,
		const struct policy_face *after, struct arena *arena,
		const struct part_change **ret);
/* One JSON object of what is given, for a holding; caller's, mem_free. */
char *policy_face_text(const struct policy_face *face);
/* Reads it back, in arena; false: it is none. */
bool policy_face_read(const char *text, struct arena *arena, struct policy_face *ret);

/* JSON text in its one form: keys sorted, no blanks; what is no JSON comes back as it is. In arena; NULL for NULL. */
const char *policy_json_meaning(const char *text, struct arena *arena);

#endif
