/*
 * permission -- the access control list of one object: read, merged into, replaced (Databricks REST reference,
 * "Permissions API": /api/2.0/permissions/TYPE/ID).
 *
 * Each permission_ function but the readers fills and sends a call; when it is done, permission_acl reads its answer, which
 * is the whole list after a write, too. There is no removal of one entry: read, drop, replace. Merging gives each principal
 * named the level, in either direction, and leaves the others alone.
 *
 * What a refusal is about stands in call->refusal; the ones that belong here:
 *   REFUSAL_PRINCIPAL   ERR_CONFLICT    a principal is not known in this workspace (yet): nothing was set, the object is
 *                                       fine; who it is: permission_unknown_principal. Wait for minutes, or leave it out.
 *   REFUSAL_OWNER       ERR_REFUSED     not exactly one owner: the request has to name one (an object may have lost its own)
 *   REFUSAL_OWNER_LOST  ERR_REFUSED     a warehouse without owner: replace with IS_OWNER if it was not in, else without
 *   REFUSAL_AMBIGUOUS   ERR_REFUSED     two entries for one principal, as the service sees it
 *   REFUSAL_ADMINS      ERR_REFUSED     a root object's direct entry for `admins` was missing (securable_traits, root_id)
 *   REFUSAL_MANAGE      ERR_DENIED      our credential may not manage this object
 *   REFUSAL_METASTORE   ERR_DENIED      the owner of a pipeline in Unity Catalog changes by a metastore admin only
 *   REFUSAL_ELSEWHERE   ERR_REFUSED     rights come from another object (experiments of notebooks)
 * An object that is gone is ERR_NOT_FOUND, whatever the status (purged clusters answer 400); a type that this workspace has
 * not is ERR_UNSUPPORTED.
 */
#ifndef L2D_DATABRICKS_PERMISSION_H
#define L2D_DATABRICKS_PERMISSION_H

#include "databricks/client.h"
#include "model/identity.h"
#include "model/securable.h"

#define PERMISSION_ENTRIES_MAX 5000 /* of one object, read or written; no published number */

/* Which object. The id is what the Permissions API wants: for dashboards the id of the dashboard, for apps the name. */
struct permission_object {
	enum securable_type type;
	const char *id;
};

/* What a principal has on an object. At least one of direct and inherited is there. */
struct acl_entry {
	enum principal_kind kind;
	const char *name; /* userName, display name or application id, in the service's spelling */
	const char *direct;    /* level; NULL: none */
	const char *inherited; /* the highest level; NULL: none */
	const char *from;   /* object that gives it: "/directories/12", "/jobs/"; NULL: not said */
	const char *folded; /* name as acl_find compares it */
};

struct acl {
	enum securable_type type;
	const struct acl_entry *
			entries; /* in the answer's order, which means nothing; one for a principal */
	size_t count;
	size_t unreadable; /* entries of principals that are neither user, group nor service principal: permission_replace
			      would lose them */
};

void permission_get(struct databricks *databricks, struct call *call,
		const struct permission_object *object);

/*
 * The list that a call to get, merge or replace was answered with. Strings are the answer's or constant, arrays in arena.
 * Old names of levels are translated (legacy SQL objects: CAN_VIEW is CAN_READ). The object's id in the answer is not
 * looked at: for dashboards it is another one. Errors: ERR_PROTO (no list, wrong types), ERR_LIMIT.
 */
MUST_CHECK enum err_code permission_acl(const struct call *call, enum securable_type type,
		struct arena *arena, struct acl *ret, struct err *err);

/* A principal's entry: by the exact name, else without regard to case; NULL: none. */
const struct acl_entry *acl_find(const struct acl *acl, enum principal_kind kind, const char *name);
/* The entry with direct IS_OWNER; NULL: the object has no owner, or its type knows none. */
const struct acl_entry *acl_owner(const struct acl *acl);

/* A direct entry as it is written. */
struct acl_grant {
	enum principal_kind kind;
	const char *name;
	const char *level;
};
/*
 * The direct entries of acl as permission_replace takes them, with room for `more` behind them, in arena. As they are, they
 * change nothing; at the three root objects they have the entry of `admins` that must stay.
 */
struct acl_grant *acl_grants(
		const struct acl *acl, size_t more, struct arena *arena, size_t *ret_count);

struct acl_change {
	const struct acl_grant *grants;
	size_t count;
};
/*
 * PATCH and PUT. A mistake of ours ends the call unsent, with ERR_BUG: a principal named twice (names fold), an empty name
 * or level, two owners, a group as owner, a root object's replacement without CAN_MANAGE for `admins`; ERR_LIMIT: over
 * PERMISSION_ENTRIES_MAX. A merge of nothing is answered without a request, and has no list then.
 */
void permission_merge(struct databricks *databricks, struct call *call,
		const struct permission_object *object, const struct acl_change *change);
void permission_replace(struct databricks *databricks, struct call *call,
		const struct permission_object *object, const struct acl_change *change);

/* Of a call with REFUSAL_PRINCIPAL; false for all others. *ret_name is the call's. */
bool permission_unknown_principal(
		const struct call *call, enum principal_kind *ret_kind, const char **ret_name);

/* The levels that can be set on an object; the answer: permission_levels. */
void permission_ask_levels(struct databricks *databricks, struct call *call,
		const struct permission_object *object);
/* Strings are the answer's, the array in arena. Errors: ERR_PROTO, ERR_LIMIT. */
MUST_CHECK enum err_code permission_levels(const struct call *call, struct arena *arena,
		const char *const **ret, size_t *ret_count, struct err *err);

#endif
