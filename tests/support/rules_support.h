/*
 * rules_support -- configurations for tests, from texts.
 */
#ifndef L2D_TESTS_RULES_SUPPORT_H
#define L2D_TESTS_RULES_SUPPORT_H

#include "rules/config.h"

/* One source `corp`, an account, workspaces prod, dev-a and dev-b; nothing that must exist outside
 * of it. */
extern const char support_config[];
/* As the head of a mapping file: version and one users rule without `when`. */
extern const char support_users[];

/*
 * Loads texts from a folder of their own, that is removed again: ldap2dbx.yaml and mappings/a.yaml.
 * mapping NULL: no mapping file. In err the folder's name is left out, so that messages begin with
 * "ldap2dbx.yaml:" or "mappings/a.yaml:".
 */
/* What support_load notes faults in; NULL (as it is at first): the first is the end. */
extern struct faults *support_faults;
enum err_code support_load(
		const char *config, const char *mapping, struct config **ret, struct err *err);
/* The same, and the test fails with the message if it does not load. */
struct config *support_must_load(const char *config, const char *mapping);

#endif
