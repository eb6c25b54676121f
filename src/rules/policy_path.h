/*
 * policy_path -- the attributes that a cluster policy can limit: fields of Databricks' Clusters API joined by points, and a
 * few computed ones.
 */
#ifndef L2D_RULES_POLICY_PATH_H
#define L2D_RULES_POLICY_PATH_H

#include "base/mem.h"

enum policy_value { POLICY_TEXT, POLICY_NUMBER, POLICY_FLAG };
struct policy_path {
	/* `*` as a segment: any index or *; `?` as the last one: one key of a map, points included; `KIND`: of init scripts. */
	const char *pattern;
	enum policy_value value;
	bool is_map;    /* values compare as texts */
	bool is_needed; /* every cluster has it */
};

enum policy_path_result {
	POLICY_PATH_KNOWN,
	POLICY_PATH_UNKNOWN,  /* new attributes appear: no error */
	POLICY_PATH_MALFORMED /* empty segments, blanks */
};
enum policy_path_result policy_path_find(const char *path, const struct policy_path **ret);
/* A known path that is near, for "did you mean"; NULL. */
const char *policy_path_likely(const char *path);
/* For "ssh_public_keys.2" or "init_scripts.0.s3.region": length of what stands in front of the index, and the index; 0: no
 * index. */
size_t policy_path_index(const char *path, unsigned *ret);

#endif
