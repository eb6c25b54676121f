/*
 * loader -- what reading mapping files gathers until all of them are read. Private to the
 * mapping_*.c files.
 */
#ifndef L2D_RULES_LOADER_H
#define L2D_RULES_LOADER_H

#include "base/vec.h"
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

struct loader {
	struct reader reader; /* first: readers of keys get its address */
	const struct settings *settings;
	struct compiler compiler;
	VEC(const struct rule *) rules[PRINCIPAL_KIND_COUNT_];
	VEC(struct grant_rule) grants;
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
schema_read_fn mapping_read_grant, mapping_read_test;
extern const struct schema mapping_users_schema, mapping_groups_schema,
		mapping_service_principals_schema, mapping_grant_schema, mapping_test_schema;

/* A list of globs of workspace names, each of which must match one. */
schema_read_fn mapping_read_workspace_globs;
/* The same check for one glob. */
MUST_CHECK enum err_code mapping_check_workspace_glob(const struct loader *loader,
		const struct document_node *node, const char *glob, struct err *err);

/* Turns rules into searches. Errors: ERR_CONFIG (more than SEARCHES_MAX). */
MUST_CHECK enum err_code mapping_build_searches(struct loader *loader, struct err *err);

#endif
