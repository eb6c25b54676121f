/*
 * loader -- what reading mapping files gathers until all of them are read. Private to the
 * mapping_*.c files.
 */
#ifndef L2D_RULES_LOADER_H
#define L2D_RULES_LOADER_H

#include "base/vec.h"
#include "rules/evaluate_text.h"
#include "rules/rule.h"

/* Attributes that the rules of one source may name: what one entry may have, less what is always read. */
#define ATTRIBUTES_NAMED_MAX (ENTRY_ATTRIBUTES_MAX - 4)

typedef VEC(const char *) name_vec;
/* Unless it is there. */
static inline void loader_add_name(name_vec *names, const char *name)
{
	for (vec_each (names, known)) {
		if (strcmp(*known, name) == 0)
			return;
	}
	*vec_add(names) = name;
}

struct each_reading {
	VEC(struct text_template) templates;
	struct variables variables;      /* in all texts */
	struct variables sink_variables; /* in write_to */
};

struct loader {
	struct reader reader; /* first: readers of keys get its address */
	const struct settings *settings;
	struct compiler compiler;
	VEC(const struct rule *) rules[PRINCIPAL_KIND_COUNT_];
	VEC(struct grant_rule) grants;
	VEC(const struct grant_each *) eaches;
	VEC(struct cluster_policy_rule) policies;
	VEC(struct ip_list_rule) lists;
	VEC(const struct document_node *) list_nodes; /* of the same index */
	VEC(struct identity) listed;
	VEC(const char *) warnings;
	VEC(struct span) definitions; /* contents of files that rules name */
	/* While an item with `for_each:` is read: its templates. NULL: texts take none. */
	struct each_reading *each;
	VEC(struct test) tests;
	VEC(struct search) searches;
	name_vec *attributes; /* per source: names that its rules use, lower-case, each once */
	const struct document_node *leavers_node; /* where they were said */
	int leavers;
};

static inline struct loader *loader_of(struct reader *reader)
{
	return (struct loader *)reader;
}

/* Sections of mapping files; `read` functions of the tables, see rules/schema.h. */
schema_read_fn mapping_read_users, mapping_read_groups, mapping_read_service_principals;
schema_read_fn mapping_read_grant, mapping_read_test, mapping_read_policy, mapping_read_list;
extern const struct schema mapping_policy_schema, mapping_list_schema;
extern const struct schema mapping_users_schema, mapping_groups_schema,
		mapping_service_principals_schema, mapping_grant_schema, mapping_test_schema;

/* Of `service_principals:`; the member is the struct rule. */
schema_read_fn mapping_read_secrets, mapping_read_federation;
extern const struct schema mapping_secrets_schema, mapping_federation_schema, mapping_listed_schema;
/* What the item's keys must be together; takes what is `listed:`, then it is no rule for entries. */
MUST_CHECK enum err_code mapping_finish_service(struct loader *loader, const struct rule *rule,
		const struct document_node *node, bool *ret_listed, struct err *err);

/* A list of patterns of workspaces (target_matches), each of which must mean one; the member is a struct texts. */
schema_read_fn mapping_read_workspaces;
/* The same check for one pattern. With `discover:` there may be others than those of the settings, and all is right. */
MUST_CHECK enum err_code mapping_check_workspace(const struct settings *settings,
		const struct document_node *node, const char *pattern, struct err *err);
/* "FILE:LINE:COLUMN: ..." for mapping_warnings. */
void loader_warn(struct loader *loader, const struct document_node *node, const char *fmt, ...)
		PRINTF_LIKE(3, 4);

/* No two grants make somebody owner of the same object. Errors: ERR_CONFIG, with both places. */
MUST_CHECK enum err_code mapping_check_owners(const struct loader *loader, struct err *err);
/* What can be said of all lists together: quota, addresses that must be kept. */
MUST_CHECK enum err_code mapping_check_lists(struct loader *loader, struct err *err);
/* Turns rules into searches. Errors: ERR_CONFIG (more than SEARCHES_MAX). */
MUST_CHECK enum err_code mapping_build_searches(struct loader *loader, struct err *err);

#endif
