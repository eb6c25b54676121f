/*
 * report_rights -- which groups of ours a principal is in, by which groups of the directory, and what it and they were granted.
 *
 * Private to sync/. Gathered from all its objects, then shown in an order that does not change from one question to the next.
 */
#ifndef L2D_SYNC_REPORT_RIGHTS_H
#define L2D_SYNC_REPORT_RIGHTS_H

#include <jansson.h>

#include "sync/access/acl.h"

struct rights;
struct principal_read;
/* Both borrowed. read: what was read for the question goes before what is known; NULL: nothing was. */
struct rights *rights_new(const struct engine *engine, const struct principal_read *read);
void rights_free(struct rights *rights);
void rights_gather(struct rights *rights, const struct object *object);
/* A group that it is in; via as in doc/control.md, NULL: its entry is a member of the group's. NULL: there are no more. */
const struct object *rights_group(const struct rights *rights, size_t index, const char **ret_via);
/* As doc/control.md says; new references. */
json_t *rights_groups(struct rights *rights);
json_t *rights_grants(struct rights *rights);
json_t *rights_permissions(struct rights *rights); /* roles of rule sets, too */
json_t *rights_tokens(const struct rights *rights);

/*
 * One entry of a list of rights, as doc/control.md says: level, direct, inherited, from, ours, former, wanted, file, line,
 * state. A new reference; more fields may be put in.
 */
json_t *rights_entry(enum securable_type type, const struct acl_view_entry *entry);
/* What the entry gives, direct and inherited together; NULL: nothing. */
const char *rights_level(enum securable_type type, const struct acl_view_entry *entry);
/* In place of a type: the entry is a role, or a grant. They are no ladder: one does not cover another. */
#define RIGHTS_OF_ROLES SECURABLE_TYPE_COUNT_
/* What two entries of one principal give together, in arena; either may be NULL. */
const char *rights_join(
		enum securable_type type, const char *a, const char *b, struct arena *arena);

#endif
