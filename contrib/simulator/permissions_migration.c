/*
 * Permission migration: what a workspace's own group has is given to a group of the account, too. Rights alone, no
 * members.
 */
#include "object_api.h"
#include "permissions.h"

#define MIGRATED_MAX 1000

static struct principal *find_source(struct api_call *call, const char *name)
{
	struct principal *who = name ? workspace_find_group(call->place, name) : NULL;

	if (who && who->home && who->system == SYSTEM_NONE)
		return who;
	(void)api_refuse_value(call, "Workspace group %s is not a workspace local group",
			name ? name : "");
	return NULL;
}

static struct principal *find_target(struct api_call *call, const char *name)
{
	struct principal *who = name ? workspace_find_group(call->place, name) : NULL;

	if (who && !who->home)
		return who;
	(void)api_refuse(call, 404, "RESOURCE_DOES_NOT_EXIST",
			"Account group %s does not exist in this workspace", name ? name : "");
	return NULL;
}

/* Whether there was something to give. */
static bool migrate_one(struct object *object, const struct principal *from, struct principal *to)
{
	const struct ace *has = aces_find(&object->acl, from);
	const struct ace *got = aces_find(&object->acl, to);

	if (!has || (got && got->level >= has->level))
		return false;
	aces_set(&object->acl, to, has->level);
	return true;
}

static void migrate(struct api_call *call)
{
	const char *from_name = NULL, *to_name = NULL;
	int64_t size = MIGRATED_MAX, id = 0, count = 0;
	struct principal *from, *to;

	if (!api_take_text(call, "from_workspace_group_name", &from_name) ||
			!api_take_text(call, "to_account_group_name", &to_name) ||
			!api_take_number(call, "workspace_id", &id) ||
			!api_take_number(call, "size", &size))
		return;
	if ((uint64_t)id != call->place->id || size < 1) {
		(void)api_refuse_value(call, "workspace_id must be that of this workspace");
		return;
	}
	from = find_source(call, from_name);
	to = from ? find_target(call, to_name) : NULL;
	if (!to)
		return;
	for (int kind = 0; kind < OBJECT_KIND_COUNT_; kind++) {
		for (vec_each (&call->place->objects->lists[kind], object)) {
			if (count < size && migrate_one(*object, from, to))
				count++;
		}
	}
	/* No number at all where there is nothing left. */
	api_answer(call,
			count ? json_pack("{s:I}", "permissions_migrated", (json_int_t)count)
			      : json_object());
}

static const struct api_route routes[] = {
		{"POST", "api/2.0/permissionmigration", API_WORKSPACE, API_ADMIN, migrate, 0, 0},
};
const struct api_family migration_calls = API_FAMILY(routes);
