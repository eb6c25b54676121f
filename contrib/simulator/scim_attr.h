/*
 * scim_attr -- the attributes of users, groups and service principals that the simulator knows, by name and number.
 *
 * Names compare without regard to case (RFC 7643, section 2.1). Pure.
 */
#ifndef SIM_SCIM_ATTR_H
#define SIM_SCIM_ATTR_H

#include "base/mem.h"

enum attr {
	ATTR_NONE,
	ATTR_ID,
	ATTR_SCHEMAS,
	ATTR_USER_NAME,
	ATTR_APPLICATION_ID,
	ATTR_DISPLAY_NAME,
	ATTR_EXTERNAL_ID,
	ATTR_ACTIVE,
	ATTR_NAME,
	ATTR_GIVEN_NAME,
	ATTR_FAMILY_NAME,
	ATTR_EMAILS,
	ATTR_GROUPS,
	ATTR_ENTITLEMENTS,
	ATTR_ROLES,
	ATTR_MEMBERS,
	ATTR_META,
	ATTR_COUNT_
};

#define ATTR_BIT(attr) (UINT32_C(1) << (attr))
#define ATTR_ALL UINT32_MAX

/*
 * The attribute that a path names: "displayName", "name.givenName", "members.value", or one of these behind the URN
 * of a core schema and a colon. ATTR_NONE: none that we know.
 */
enum attr attr_parse(struct span name);

/* The name as the schema spells it; a sub-attribute with its parent. */
const char *attr_name(enum attr attr);

/* Bits of the attributes in a comma list; names that we do not know are passed over, as the service does. */
uint32_t attr_parse_list(const char *list);

/* The entitlements of a workspace: bit n stands for name n. */
#define ENTITLEMENT_COUNT 5
extern const char *const entitlement_names[ENTITLEMENT_COUNT];
uint32_t entitlement_bit(const char *name); /* 0: there is none of that name */

#endif
