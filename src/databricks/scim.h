/*
 * scim -- users, groups and service principals over SCIM 2.0 (RFC 7643, 7644) as Databricks speaks it, at account level
 * (/api/2.0/accounts/ID/scim/v2) and at workspace level (/api/2.0/preview/scim/v2).
 *
 * Each scim_ function fills and sends a call; when it is done, scim_resource reads its answer. The call's target decides
 * the level. Ids are decimal text of up to 64 bits and never become numbers.
 */
#ifndef L2D_DATABRICKS_SCIM_H
#define L2D_DATABRICKS_SCIM_H

#include "databricks/client.h"
#include "model/identity.h"

/* Members that one PATCH carries at most; no published number (field practice: 20 to 100). */
#define SCIM_MEMBERS_PER_PATCH 100

struct scim_member {
	const char *id;
	enum principal_kind kind; /* by $ref; PRINCIPAL_KIND_COUNT_: not said */
};

/* A resource as read. Strings are the answer's: they live as long as that. NULL and 0: not in the answer. */
struct resource {
	enum principal_kind kind;
	const char *id;
	const char *fields[FIELD_COUNT_];
	bool has_active, active;
	bool has_members; /* false: the answer cannot say (account-level lists) */
	const struct scim_member *members;
	size_t member_count;
	const char *const *entitlements; /* its own; not those that come through groups */
	size_t entitlement_count;
	const char *const *roles; /* its own */
	size_t role_count;
	const char *const *inherited_roles; /* through groups, as far as the answer tells */
	size_t inherited_role_count;
	const char *resource_type; /* meta.resourceType: "Group", "WorkspaceGroup", NULL */
};
/*
 * The resource that a call was answered with, good until the call is released or sent again; arrays in arena.
 * Errors: ERR_PROTO (no id, wrong types). Unknown keys are ignored.
 */
MUST_CHECK enum err_code scim_resource(const struct call *call, enum principal_kind kind,
		struct arena *arena, struct resource *ret, struct err *err);

/* What a read asks for. */
#define SCIM_WITH_MEMBERS 1 /* groups: only by id; lists with members time out (field experience) */
#define SCIM_WITH_ROLES 2
#define SCIM_WITH_ENTITLEMENTS 4 /* workspace level only */

/*
 * Reads a whole collection page by page. Advances by items returned, drops repeats by id, ends at an empty page.
 * page: called on the loop for each page with parsed resources; they end after the call. done: called once; on error
 * nothing may be concluded from what was not seen.
 */
struct scim_list;
struct scim_list *scim_list_start(struct databricks *databricks, unsigned target,
		enum principal_kind kind, unsigned with,
		void (*page)(void *context, const struct resource *resources, size_t count),
		void (*done)(void *context, const struct err *err_or_null), void *context);
void scim_list_cancel(struct
		scim_list *list); /* frees; no callback afterwards. After done: the list is freed already */

void scim_get(struct databricks *databricks, struct call *call, enum principal_kind kind,
		const char *id, unsigned with);
/* By name field or externalId, case-blind where the service is. The answer is a list: scim_found reads it. */
void scim_find(struct databricks *databricks, struct call *call, enum principal_kind kind,
		enum field by, const char *value, unsigned with);
/* Resources of a list answer, as scim_resource. Errors: ERR_PROTO. */
MUST_CHECK enum err_code scim_found(const struct call *call, enum principal_kind kind,
		struct arena *arena, const struct resource **ret, size_t *ret_count,
		struct err *err);

/* fields with NULL are left out. members: ids for a new group, at most SCIM_MEMBERS_PER_PATCH. */
void scim_create(struct databricks *databricks, struct call *call, enum principal_kind kind,
		const char *const fields[FIELD_COUNT_], bool active);
/* One PATCH: each field given is replaced; active sent as a JSON bool if set_active. */
struct scim_change {
	const char *fields[FIELD_COUNT_];
	bool set_active, active;
};
void scim_update(struct databricks *databricks, struct call *call, enum principal_kind kind,
		const char *id, const struct scim_change *change);
/* One PATCH: removals before additions, together at most SCIM_MEMBERS_PER_PATCH. */
struct scim_members_change {
	const char *const *add;
	size_t add_count;
	const char *const *remove;
	size_t remove_count;
};
void scim_change_members(struct databricks *databricks, struct call *call, const char *group_id,
		const struct scim_members_change *change);
/* One PATCH on `entitlements` or `roles`, value by value. */
enum scim_list_attribute { SCIM_ENTITLEMENTS, SCIM_ROLES };
struct scim_values_change {
	enum scim_list_attribute attribute;
	const char *const *add;
	size_t add_count;
	const char *const *remove;
	size_t remove_count;
};
void scim_change_values(struct databricks *databricks, struct call *call, enum principal_kind kind,
		const char *id, const struct scim_values_change *change);
void scim_delete(struct databricks *databricks, struct call *call, enum principal_kind kind,
		const char *id);

#endif
