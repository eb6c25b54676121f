/*
 * mapping -- compiled sync rules: which searches, what becomes of an entry, who is granted what.
 */
#ifndef L2D_RULES_MAPPING_H
#define L2D_RULES_MAPPING_H

#include "model/identity.h"
#include "model/search.h"
#include "model/settings.h"
#include "rules/access.h"

struct mapping;

/*
 * All searches of all rules, `through` ones included, plus one SEARCH_CONTAINERS per distinct base of a source; ids are
 * indices. All searches of one source ask for the same attributes (what its rules' expressions name, objectClass, cn),
 * GROUPS and THROUGH for those that hold members as well, CONTAINERS for none.
 */
const struct search *mapping_searches(const struct mapping *mapping, size_t *ret_count);

/*
 * What `grants:` say, one per list item without `for_each:` (mapping_for_each), in the order of the files. Of a grant's
 * workspaces the first pattern that matches a workspace counts (target_matches).
 */
struct workspace_level {
	const char *glob;  /* of workspace names, or tag:KEY=GLOB */
	const char *level; /* "USER" or "ADMIN" */
};
struct grant_rule {
	enum principal_kind kind; /* of `to:` */
	const char *name;         /* displayName, userName or application id, as written */
	const struct workspace_level *workspaces;
	size_t workspace_count;
	const char *const *entitlements; /* hold in the workspaces that `workspaces` names */
	size_t entitlement_count;
	const char *const *
			roles; /* "account_admin": account; an instance profile's ARN: workspaces */
	size_t role_count;
	const struct permission_rule *permissions;
	size_t permission_count;
	const struct token_rule *tokens; /* NULL: no `tokens:` */
	/* Rule sets of the account: which groups and service principals it manages, which service principals it may use.
	 * Display names; of service principals also application ids. */
	const char *const *manages_groups;
	size_t manages_group_count;
	const char *const *manages_services;
	size_t manages_service_count;
	const char *const *uses_services;
	size_t uses_service_count;
	struct why why;
};
const struct grant_rule *mapping_grants(const struct mapping *mapping, size_t *ret_count);

enum leaver_action mapping_leavers(const struct mapping *mapping);

/* One result line of `tests:`. */
struct mapping_test_result {
	const char *file;
	unsigned line;
	bool passed;
	const char *text; /* what differed; NULL if passed */
};
/*
 * Runs all `tests:` of the mapping files, each against the rules of its kind in its own file, or of all files if that has
 * none. Filters are not evaluated: the first rule that takes the entry counts. Results in arena. Returns how many failed.
 */
size_t mapping_run_tests(const struct mapping *mapping, struct arena *arena,
		const struct mapping_test_result **ret, size_t *ret_count);

#endif
