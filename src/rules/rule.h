/*
 * rule -- the inside of struct mapping: rules as they were compiled. Private to rules/.
 */
#ifndef L2D_RULES_RULE_H
#define L2D_RULES_RULE_H

#include "model/entry.h"
#include "rules/evaluate.h"
#include "rules/mapping.h"
#include "rules/schema.h"
#include "rules/template.h"

/* `search:` and `through:` */
struct search_rule {
	int source; /* index in the settings, -1: left out */
	const char *base;
	const char *filter;
	int scope;
	const struct document_node *node;
};

struct rule {
	enum principal_kind kind;
	const char *file;
	unsigned line;
	struct search_rule search;
	struct search_rule *through; /* groups */
	size_t through_count;
	const struct expression *when;               /* NULL: always */
	const struct template *fields[FIELD_COUNT_]; /* NULL: no rule for it */
	const struct template *active;               /* NULL: true */
	const struct template *match;                /* NULL: nobody takes over a name */
	int external_id;                             /* enum external_id_choice */
	enum nesting nesting;
	int gone; /* index into gone_choices; -1: not said */
	int level;
	struct texts workspaces; /* `in:` */
	bool adopt;
	bool exclusive;
	struct service_rule *service; /* service principals; NULL: no secrets, no policies */
};
enum external_id_choice { EXTERNAL_ID_ANCHOR, EXTERNAL_ID_NONE };
enum level_choice { LEVEL_ACCOUNT, LEVEL_WORKSPACE };

/* One item of `tests:`. */
struct expectation {
	bool active_field; /* it is about `active`, not about field */
	enum field field;
	const char *text; /* NULL: nil is expected */
	const char *name; /* as written */
};
struct test {
	const char *file;
	unsigned line;
	int kind; /* enum principal_kind */
	struct entry entry;
	struct texts groups;      /* cn of the groups that the entry is in */
	const char *group;        /* not NULL: about grants for the directory group of this cn */
	const char *display_name; /* of the group that is made of it; NULL: the cn */
	struct texts gives;
	bool skipped; /* no identity is expected */
	const struct expectation *expectations;
	size_t expectation_count;
};

struct mapping {
	const struct rule *const *rules[PRINCIPAL_KIND_COUNT_];
	size_t rule_counts[PRINCIPAL_KIND_COUNT_];
	const struct search *searches;
	size_t search_count;
	const struct grant_rule *grants;
	size_t grant_count;
	const struct grant_each *const *eaches;
	size_t each_count;
	const struct cluster_policy_rule *policies;
	size_t policy_count;
	const struct ip_list_rule *lists;
	size_t list_count;
	const struct identity *listed;
	size_t listed_count;
	const char *const *warnings;
	size_t warning_count;
	/* Contents of the files that rules name: they count in the configuration's digest. */
	const struct span *definitions;
	size_t definition_count;
	const struct settings *settings;
	const struct test *tests;
	size_t test_count;
	const struct expression *const *expressions; /* by index */
	size_t expression_count;
	enum leaver_action leavers;
};

/* One mapping file, read already. */
struct mapping_file {
	const char *shown_as;
	struct span text;
};

struct mapping_files {
	const struct mapping_file *items;
	size_t count;
};

/* Everything in arena, which must also hold what files point to. settings: for names of sources and
 * workspaces. faults: as in faults.h; NULL: the first is the end. */
MUST_CHECK enum err_code mapping_load(struct arena *arena, const struct settings *settings,
		const struct mapping_files *files, struct faults *faults, struct mapping **ret,
		struct err *err);

/* As evaluate_entry, for a rule that is known. */
void evaluate_rule(struct evaluator *evaluator, const struct rule *rule, const struct entry *entry,
		const struct membership *membership, struct arena *arena, struct evaluation *ret);

/* The table that mapping files are read by. */
extern const struct schema mapping_file_schema;

#endif
