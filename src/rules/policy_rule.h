/*
 * policy_rule -- items of `cluster_policies:` as they were read. Private to rules/.
 */
#ifndef L2D_RULES_POLICY_RULE_H
#define L2D_RULES_POLICY_RULE_H

#include "base/vec.h"
#include "rules/loader.h"

#define POLICY_TEMPLATES_MAX 10000 /* of one policy */
#define POLICY_NAME_MAX 100        /* characters; Databricks' limit */
#define POLICY_JSON_MAX ((size_t)1024 * 1024)

/* Trees whose texts may be templates; NULL: not said. */
struct cluster_policy_source {
	const struct document_node *name, *description, *family;
	const struct document_node *definition, *overrides, *libraries;
	unsigned max_clusters_per_user;
	/* By node, in the order in which a walk through the trees above meets them. */
	const struct text_template *templates;
	size_t template_count;
};

/* Makes every policy for every workspace that is known, to find what is wrong before anything is done. */
MUST_CHECK enum err_code mapping_check_policies(const struct mapping *mapping, struct err *err);

#endif
