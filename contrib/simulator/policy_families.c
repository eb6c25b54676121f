/*
 * Families of cluster policies: ready definitions that a policy can start from. What they are called is published, what
 * is in them changes by version: ours are samples of the right form.
 */
#include "policy.h"

#define NODES                                                                                      \
	"\"node_type_id\":{\"type\":\"allowlist\",\"values\":[\"i3.xlarge\",\"i3.2xlarge\"],"      \
	"\"defaultValue\":\"i3.xlarge\"}"
#define LATEST "\"spark_version\":{\"type\":\"unlimited\",\"defaultValue\":\"auto:latest-lts\"}"
#define NO_POOL "\"instance_pool_id\":{\"type\":\"forbidden\",\"hidden\":true}"

const struct policy_family policy_families[] = {
		{"personal-vm", "Personal Compute",
				"Use with small-to-medium data or libraries like pandas and "
				"scikit-learn.",
				"{\"num_workers\":{\"type\":\"fixed\",\"value\":0,\"hidden\":true},"
				"\"data_security_mode\":{\"type\":\"allowlist\",\"values\":"
				"[\"SINGLE_USER\",\"LEGACY_SINGLE_USER\"],\"defaultValue\":"
				"\"SINGLE_USER\",\"hidden\":true}," LATEST "," NODES "," NO_POOL
				"}"},
		{"power-user", "Power User Compute",
				"Use for larger data and more complex transformations.",
				"{\"autotermination_minutes\":{\"type\":\"unlimited\","
				"\"defaultValue\":4320,\"isOptional\":true}," LATEST "," NODES
				"," NO_POOL "}"},
		{"shared-compute", "Shared Compute", "Share compute with your team.",
				"{\"data_security_mode\":{\"type\":\"fixed\",\"value\":"
				"\"USER_ISOLATION\",\"hidden\":true}," LATEST "," NODES "}"},
		{"job-cluster", "Job Compute", "Use with all jobs.",
				"{\"cluster_type\":{\"type\":\"fixed\",\"value\":\"job\"}," LATEST
				"," NODES "}"},
};
const size_t policy_family_count = COUNT_OF(policy_families);

const struct policy_family *policy_family_find(const char *id)
{
	for (size_t i = 0; i < policy_family_count; i++) {
		if (strcmp(policy_families[i].id, id) == 0)
			return &policy_families[i];
	}
	return NULL;
}
