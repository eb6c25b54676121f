/*
 * policy_definition -- whether a cluster policy's definition says something that Databricks can execute.
 *
 * Databricks stores any JSON object and fails only when a cluster uses it ("malformed policy definition"), so this is
 * checked here: the grammar of Databricks' "Compute policy reference" and the fields of its Clusters API.
 */
#ifndef L2D_RULES_POLICY_DEFINITION_H
#define L2D_RULES_POLICY_DEFINITION_H

#include "rules/document.h"

/* What is no error but likely a mistake; called in the order of the file. */
typedef void policy_warn_fn(void *context, const struct document_node *node, const char *text);

struct policy_check {
	bool templates; /* texts with ${ are not known yet and pass */
	bool overrides; /* over a family's definition: an element may leave its type to the family */
	policy_warn_fn *warn; /* NULL: nobody wants to know */
	void *context;
};
/* Errors: ERR_CONFIG with the place. */
MUST_CHECK enum err_code policy_definition_check(const struct policy_check *check,
		const struct document_node *definition, struct err *err);
/* The same for `libraries`: a list of library objects. */
MUST_CHECK enum err_code policy_libraries_check(const struct policy_check *check,
		const struct document_node *libraries, struct err *err);

#endif
