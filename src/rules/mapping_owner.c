/* What can be said of owners before anything is read: an object has one. */
#include "rules/loader.h"

#include "base/text.h"

#define OWNER "IS_OWNER"

/* The one text by which the selector means a single object, '\0' and NULL if it may mean others. */
static const char *literal_of(const struct selector *selector, char *ret_by)
{
	const char *texts[] = {selector->id, selector->path, selector->name};
	const char *found = NULL;

	*ret_by = '\0';
	if (selector->all || selector->creator || selector->tag_count || selector->is_glob)
		return NULL;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		if (!texts[i])
			continue;
		if (found)
			return NULL;
		found = texts[i];
		*ret_by = "ipn"[i];
	}
	return found;
}

static bool mean_the_same(const struct selector *a, const struct selector *b)
{
	char by_a, by_b;
	const char *text_a = literal_of(a, &by_a), *text_b = literal_of(b, &by_b);

	return a->type == b->type && text_a && text_b && by_a == by_b && text_equal(text_a, text_b);
}

static const struct target_settings *common_target(const struct settings *settings,
		const struct permission_rule *a, const struct permission_rule *b)
{
	for (size_t i = 0; i < settings->target_count; i++) {
		const struct target_settings *target = &settings->targets[i];

		if (target_matches_any(target, a->in, a->in_count) &&
				target_matches_any(target, b->in, b->in_count))
			return target;
	}
	return NULL;
}

struct owner {
	const struct grant_rule *grant;
	const struct permission_rule *rule;
};
struct owner_list {
	struct owner *items;
	size_t count, room;
};

static enum err_code compare(const struct loader *loader, const struct owner *first,
		const struct owner *second, struct err *err)
{
	const struct target_settings *target;
	char by;

	if (first->grant->kind == second->grant->kind &&
			text_equal_folded(first->grant->name, second->grant->name))
		return ERR_NONE;
	if (!mean_the_same(&first->rule->selector, &second->rule->selector))
		return ERR_NONE;
	target = common_target(loader->settings, first->rule, second->rule);
	if (!target)
		return ERR_NONE;
	return err_set(err, ERR_CONFIG, 0,
			"%.160s:%u: %s `%.80s` in %s has an owner already, \"%.80s\" by %.160s:%u; "
			"an object has exactly one",
			second->rule->why.file, second->rule->why.line,
			securable_traits(second->rule->selector.type)->name,
			literal_of(&second->rule->selector, &by), target->name, first->grant->name,
			first->rule->why.file, first->rule->why.line);
}

enum err_code mapping_check_owners(const struct loader *loader, struct err *err)
{
	struct owner_list owners = {0};
	enum err_code code = ERR_NONE;
	char by;

	for (vec_each (&loader->grants, grant)) {
		for (size_t i = 0; i < grant->permission_count; i++) {
			const struct permission_rule *rule = &grant->permissions[i];

			if (text_equal(rule->level, OWNER) && literal_of(&rule->selector, &by))
				*vec_add(&owners) = (struct owner){grant, rule};
		}
	}
	for (size_t i = 0; i < owners.count && code == ERR_NONE; i++) {
		for (size_t j = 0; j < i && code == ERR_NONE; j++)
			code = compare(loader, &owners.items[j], &owners.items[i], err);
	}
	vec_release(&owners);
	return code;
}
