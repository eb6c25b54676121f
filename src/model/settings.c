#include "model/settings.h"

#include "base/text.h"

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

const struct egress_settings *target_egress(
		const struct settings *settings, const struct target_settings *target)
{
	return target->egress.count ? &target->egress : &settings->egress;
}

#define TAG_PREFIX "tag:"

static bool matches_tag(const struct target_settings *target, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : strlen(text);
	AUTO(mem_freep) char *key = mem_strndup(text, len);

	for (size_t i = 0; i < target->tag_count; i++) {
		if (text_equal_folded(target->tags[i].key, key))
			return !equals || text_matches_glob(equals + 1, target->tags[i].value);
	}
	return false;
}

bool target_matches(const struct target_settings *target, const char *pattern)
{
	if (target->is_account)
		return false;
	if (text_starts_with(pattern, TAG_PREFIX))
		return matches_tag(target, pattern + strlen(TAG_PREFIX));
	return text_matches_glob(pattern, target->name);
}

bool target_matches_any(
		const struct target_settings *target, const char *const *patterns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (target_matches(target, patterns[i]))
			return true;
	}
	return false;
}
