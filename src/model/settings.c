#include "model/settings.h"

static const char *const category_names[] = {[GUARD_USERS] = "users",
		[GUARD_GROUPS] = "groups",
		[GUARD_MEMBERS] = "members",
		[GUARD_PERMISSIONS] = "permissions",
		[GUARD_TOKENS] = "tokens",
		[GUARD_POLICIES] = "policies",
		[GUARD_LISTS] = "lists"};
_Static_assert(COUNT_OF(category_names) == GUARD_CATEGORY_COUNT_, "a name per category");

const char *guard_category_name(enum guard_category category)
{
	return category < GUARD_CATEGORY_COUNT_ ? category_names[category] : "unknown";
}
