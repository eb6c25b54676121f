#include "scim_attr.h"

#include <strings.h>

static const struct {
	const char *name;
	enum attr attr;
} names[] = {
		{"id", ATTR_ID},
		{"schemas", ATTR_SCHEMAS},
		{"userName", ATTR_USER_NAME},
		{"applicationId", ATTR_APPLICATION_ID},
		{"displayName", ATTR_DISPLAY_NAME},
		{"externalId", ATTR_EXTERNAL_ID},
		{"active", ATTR_ACTIVE},
		{"name", ATTR_NAME},
		{"name.givenName", ATTR_GIVEN_NAME},
		{"name.familyName", ATTR_FAMILY_NAME},
		{"emails", ATTR_EMAILS},
		{"emails.value", ATTR_EMAILS},
		{"groups", ATTR_GROUPS},
		{"groups.value", ATTR_GROUPS},
		{"entitlements", ATTR_ENTITLEMENTS},
		{"entitlements.value", ATTR_ENTITLEMENTS},
		{"roles", ATTR_ROLES},
		{"roles.value", ATTR_ROLES},
		{"members", ATTR_MEMBERS},
		{"members.value", ATTR_MEMBERS},
		{"meta", ATTR_META},
		{"meta.resourceType", ATTR_META},
};

static const char *const urns[] = {
		"urn:ietf:params:scim:schemas:core:2.0:User:",
		"urn:ietf:params:scim:schemas:core:2.0:Group:",
		"urn:ietf:params:scim:schemas:core:2.0:ServicePrincipal:",
};

static struct span skip_urn(struct span name)
{
	for (size_t i = 0; i < COUNT_OF(urns); i++) {
		size_t len = strlen(urns[i]);

		if (name.len > len && strncasecmp(name.ptr, urns[i], len) == 0)
			return (struct span){name.ptr + len, name.len - len};
	}
	return name;
}

enum attr attr_parse(struct span name)
{
	name = skip_urn(name);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strlen(names[i].name) == name.len &&
				strncasecmp(names[i].name, name.ptr, name.len) == 0)
			return names[i].attr;
	}
	return ATTR_NONE;
}

const char *attr_name(enum attr attr)
{
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (names[i].attr == attr)
			return names[i].name;
	}
	return "";
}

uint32_t attr_parse_list(const char *list)
{
	uint32_t bits = 0;

	while (*list) {
		size_t len = strcspn(list, ",");
		struct span name = {list, len};

		while (name.len && *name.ptr == ' ')
			name = (struct span){name.ptr + 1, name.len - 1};
		while (name.len && name.ptr[name.len - 1] == ' ')
			name.len--;
		bits |= ATTR_BIT(attr_parse(name));
		list += len;
		list += *list == ',';
	}
	if (bits & (ATTR_BIT(ATTR_GIVEN_NAME) | ATTR_BIT(ATTR_FAMILY_NAME)))
		bits |= ATTR_BIT(ATTR_NAME);
	return bits & ~ATTR_BIT(ATTR_NONE);
}

const char *const entitlement_names[ENTITLEMENT_COUNT] = {
		"workspace-access",
		"databricks-sql-access",
		"workspace-consume",
		"allow-cluster-create",
		"allow-instance-pool-create",
};

uint32_t entitlement_bit(const char *name)
{
	for (uint32_t i = 0; i < ENTITLEMENT_COUNT; i++) {
		if (strcmp(entitlement_names[i], name) == 0)
			return UINT32_C(1) << i;
	}
	return 0;
}
