#include "scim.h"

/* Reads a text attribute; null counts as absent. */
static bool read_text(
		const json_t *body, const char *key, const char **ret, struct scim_problem *problem)
{
	const json_t *value = json_object_get(body, key);

	*ret = NULL;
	if (!value || json_is_null(value))
		return true;
	if (!json_is_string(value))
		return scim_refuse_syntax(problem);
	if (json_string_length(value) > NAME_BYTES_MAX)
		return scim_refuse(problem, 400, "invalidValue", "%s is too long", key);
	*ret = json_string_length(value) ? json_string_value(value) : NULL;
	return true;
}

static const json_t *present(const json_t *body, const char *key)
{
	const json_t *value = json_object_get(body, key);

	return json_is_null(value) ? NULL : value;
}

bool entitlements_read(const json_t *value, uint32_t *ret, struct scim_problem *problem)
{
	struct json_texts names = {0};
	bool good = json_read_values(value, &names);

	if (!good)
		(void)scim_refuse_syntax(problem);
	*ret = 0;
	for (size_t i = 0; good && i < names.count; i++) {
		uint32_t bit = entitlement_bit(names.items[i]);

		if (!bit)
			good = scim_refuse(problem, 400, "invalidValue", "Unknown entitlement: %s",
					names.items[i]);
		*ret |= bit;
	}
	vec_release(&names);
	return good;
}

/* Clients send one address, or none; more than the first one has no effect on the service either. */
static bool read_email(const json_t *body, const char **ret, struct scim_problem *problem)
{
	const json_t *emails = present(body, "emails");

	*ret = NULL;
	if (!emails)
		return true;
	if (!json_is_array(emails))
		return scim_refuse_syntax(problem);
	return json_array_size(emails) == 0 ||
			read_text(json_array_get(emails, 0), "value", ret, problem);
}

static bool read_person(const json_t *body, struct resource *ret, struct scim_problem *problem)
{
	const json_t *name = present(body, "name");

	if (name && !json_is_object(name))
		return scim_refuse_syntax(problem);
	return read_text(body, "userName", &ret->user_name, problem) &&
			read_email(body, &ret->email, problem) &&
			read_text(name, "givenName", &ret->given_name, problem) &&
			read_text(name, "familyName", &ret->family_name, problem);
}

static bool read_lists(const json_t *body, enum kind kind, struct resource *ret,
		struct scim_problem *problem)
{
	const json_t *roles = present(body, "roles"), *entitlements = present(body, "entitlements");

	if (kind == KIND_GROUP && present(body, "members")) {
		struct json_texts ignored = {0};
		bool good;

		ret->members = json_object_get(body, "members");
		good = json_read_values(ret->members, &ignored);
		vec_release(&ignored);
		if (!good)
			return scim_refuse_syntax(problem);
	}
	if (roles && !json_read_values(roles, &ret->roles))
		return scim_refuse_syntax(problem);
	return !entitlements || entitlements_read(entitlements, &ret->entitlements, problem);
}

bool resource_read(const json_t *body, enum kind kind, struct resource *ret,
		struct scim_problem *problem)
{
	const json_t *active = present(body, "active");
	struct resource resource = {.active = true};

	if (active && kind != KIND_GROUP) {
		resource.has_active = true;
		if (!json_read_bool(active, &resource.active))
			return scim_refuse_syntax(problem);
	}
	if (!read_text(body, "displayName", &resource.display_name, problem) ||
			!read_text(body, "externalId", &resource.external_id, problem) ||
			(kind == KIND_SP &&
					!read_text(body, "applicationId", &resource.application_id,
							problem)) ||
			(kind == KIND_USER && !read_person(body, &resource, problem)) ||
			!read_lists(body, kind, &resource, problem)) {
		resource_release(&resource);
		return false;
	}
	*ret = resource;
	return true;
}

void resource_release(struct resource *resource)
{
	vec_release(&resource->roles);
}
