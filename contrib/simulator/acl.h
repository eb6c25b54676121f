/*
 * acl -- levels of permission, and who holds which on an object: directly, from the folders above it, from the root of
 * its type, as the owner of a home folder, as an admin.
 */
#ifndef SIM_ACL_H
#define SIM_ACL_H

#include "state.h"

/* From low to high within each type of object; the order of the ones that no type has together means nothing. */
enum permission {
	PERMISSION_NONE,
	CAN_CREATE,
	CAN_VIEW_METADATA,
	CAN_EDIT_METADATA,
	CAN_VIEW,
	CAN_READ,
	CAN_RUN,
	CAN_QUERY,
	CAN_USE,
	CAN_EDIT,
	CAN_ATTACH_TO,
	CAN_RESTART,
	CAN_MONITOR,
	CAN_MANAGE_RUN,
	CAN_MANAGE_STAGING_VERSIONS,
	CAN_MANAGE_PRODUCTION_VERSIONS,
	CAN_MANAGE,
	IS_OWNER,
	PERMISSION_COUNT_
};
#define PERMISSION_BIT(level) (UINT32_C(1) << (level))

const char *permission_name(enum permission level);
const char *permission_description(enum permission level);
enum permission permission_parse(const char *name); /* NONE: there is none of that name */

/* One direct entry. Principals are never freed before the state is, so a deleted one may stand here; it does not show. */
struct ace {
	struct principal *who;
	enum permission level;
};
struct aces {
	struct ace *items;
	size_t count, room;
};

struct ace *aces_find(const struct aces *aces, const struct principal *who); /* NULL: none */
void aces_set(struct aces *aces, struct principal *who, enum permission level);
void aces_copy(struct aces *to, const struct aces *from); /* to is overwritten */

/* Whether the workspace knows it, so that it may stand in an ACL and shows there. */
bool acl_knows(const struct state *state, const struct workspace *workspace,
		const struct principal *who);
bool acl_is_admin(const struct workspace *workspace, const struct principal *who);
/* Membership over any number of groups, the workspace's own system groups included. */
bool acl_is_in_group(const struct state *state, const struct workspace *workspace,
		const struct principal *who, const struct principal *group);
bool acl_has_entitlement(const struct state *state, const struct workspace *workspace,
		const struct principal *who, const char *entitlement);

/* One principal's part of an object's ACL. */
struct holding {
	struct principal *who;
	enum permission direct; /* NONE: only inherited */
	struct {
		struct inherited {
			enum permission level;
			char from[64]; /* "/directories/17" */
		} * items;
		size_t count, room;
	} inherited;
};
struct holdings {
	struct holding *items;
	size_t count, room;
};

struct object;
/* Everything that is to be shown: direct entries in their order, then the inherited ones, admins last. */
void acl_gather(const struct state *state, const struct workspace *workspace,
		const struct object *object, bool root_as_zero, struct holdings *ret);
void holdings_release(struct holdings *holdings);

/* The highest level that who has by itself or by a group; an admin has CAN_MANAGE of everything. */
enum permission acl_effective(const struct state *state, const struct workspace *workspace,
		const struct object *object, const struct principal *who);
struct principal *acl_owner(const struct state *state, const struct workspace *workspace,
		const struct object *object); /* who has IS_OWNER; NULL: nobody alive */

#endif
