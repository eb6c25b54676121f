#include "sync/plan_internal.h"

#include "base/text.h"

/* The platform's own groups (Databricks: users and admins in a workspace, account users in the
 * account). */
static const char *const system_groups[] = {"users", "admins", "account users"};

bool plan_is_system_group(enum principal_kind kind, const char *name)
{
	for (size_t i = 0; kind == PRINCIPAL_GROUP && name && i < COUNT_OF(system_groups); i++) {
		if (text_equal_folded(name, system_groups[i]))
			return true;
	}
	return false;
}

bool plan_is_protected(const struct settings *settings, enum principal_kind kind, const char *name)
{
	if (!name)
		return false;
	if (plan_is_system_group(kind, name))
		return true;
	for (size_t i = 0; i < settings->protected_counts[kind]; i++) {
		if (text_equal_folded(name, settings->protected_names[kind][i]))
			return true;
	}
	return false;
}

static bool has_name(
		const struct planner *p, enum principal_kind kind, const char *name, uint64_t id)
{
	unsigned target = p->object->target;

	for (;; target = 0) {
		const struct object *known =
				registry_find_name(p->context->registry, target, kind, name);
		const struct foreign *foreign =
				registry_foreign_by_name(p->context->registry, target, kind, name);

		if ((known && known->id == id) || (foreign && foreign->id == id))
			return true;
		if (target == 0 || !p->context->settings->has_account)
			return false;
	}
}

/* The places of the protected are not touched either: through them they may be what they are. */
bool planner_is_protected_member(const struct planner *p, uint64_t id)
{
	const struct settings *settings = p->context->settings;

	for (size_t i = 0; i < COUNT_OF(system_groups); i++) {
		if (has_name(p, PRINCIPAL_GROUP, system_groups[i], id))
			return true;
	}
	for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_; kind++) {
		for (size_t i = 0; i < settings->protected_counts[kind]; i++) {
			if (has_name(p, (enum principal_kind)kind,
					    settings->protected_names[kind][i], id))
				return true;
		}
	}
	return false;
}
