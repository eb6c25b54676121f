#include "sync/ours.h"

#include "base/text.h"

/* Names of the JSON, a public interface. */
static const char *const resource_keys[RESOURCE_COUNT_] = {
		[RESOURCE_PERMISSIONS] = "permissions",
		[RESOURCE_RULE_SET] = "roles",
		[RESOURCE_CLUSTER_POLICY] = "cluster_policies",
		[RESOURCE_IP_ACCESS_LIST] = "ip_access_lists",
		[RESOURCE_SETTING] = "settings",
		[RESOURCE_SECRET] = "secrets",
		[RESOURCE_FEDERATION_POLICY] = "federation_policies",
		[RESOURCE_ON_BEHALF_TOKEN] = "on_behalf_tokens",
};

void ours_add(struct ours *sum, const struct ours *part)
{
	for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_; kind++)
		sum->principals[kind] += part->principals[kind];
	sum->members += part->members;
	sum->grants += part->grants;
	for (unsigned resource = 0; resource < RESOURCE_COUNT_; resource++)
		sum->resources[resource] += part->resources[resource];
}

void ours_count_holding(struct ours *ours, const char *resource)
{
	for (unsigned type = 0; type < SECURABLE_TYPE_COUNT_; type++) {
		if (text_equal(resource, securable_traits((enum securable_type)type)->path)) {
			ours->resources[RESOURCE_PERMISSIONS]++;
			return;
		}
	}
	for (unsigned kind = RESOURCE_NONE + 1; kind < RESOURCE_COUNT_; kind++) {
		if (text_equal(resource, resource_name((enum resource_kind)kind)))
			ours->resources[kind]++;
	}
}

json_t *ours_to_json(const struct ours *ours)
{
	json_t *json = json_pack("{s:I, s:I, s:I, s:I, s:I}", "users",
			(json_int_t)ours->principals[PRINCIPAL_USER], "groups",
			(json_int_t)ours->principals[PRINCIPAL_GROUP], "service_principals",
			(json_int_t)ours->principals[PRINCIPAL_SERVICE], "members",
			(json_int_t)ours->members, "grants", (json_int_t)ours->grants);

	for (unsigned resource = 0; resource < RESOURCE_COUNT_; resource++) {
		if (resource_keys[resource])
			(void)json_object_set_new(json, resource_keys[resource],
					json_integer((json_int_t)ours->resources[resource]));
	}
	return json;
}
