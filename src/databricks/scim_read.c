#include "databricks/scim.h"

#include "base/text.h"
#include "databricks/scim_internal.h"

#include <inttypes.h>

/* One resource under way. */
struct reader {
	struct arena *arena;
	struct err *err;
	const char *id; /* for messages */
};

static enum err_code wrong_type(const struct reader *reader, const char *key, const char *wanted)
{
	return err_set(reader->err, ERR_PROTO, 0, "SCIM resource %s%s%s: \"%s\" is no %s",
			reader->id ? "\"" : "", reader->id ? reader->id : "without id",
			reader->id ? "\"" : "", key, wanted);
}

/* Text of key; absent and null leave *ret alone. */
static enum err_code read_text(const struct reader *reader, const json_t *object, const char *key,
		const char **ret)
{
	const json_t *value = json_object_get(object, key);

	if (!value || json_is_null(value))
		return ERR_NONE;
	if (!json_is_string(value))
		return wrong_type(reader, key, "text");
	*ret = arena_strndup(reader->arena, json_string_value(value), json_string_length(value));
	return ERR_NONE;
}

/* Ids are decimal text of up to 64 bits; where a number stands for one it is taken digit by digit. */
static enum err_code read_id(const struct reader *reader, const json_t *object, const char *key,
		const char **ret)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_integer(value)) {
		*ret = arena_printf(
				reader->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return ERR_NONE;
	}
	if (!json_is_string(value) || json_string_length(value) == 0)
		return wrong_type(reader, key, "id");
	*ret = arena_strndup(reader->arena, json_string_value(value), json_string_length(value));
	return ERR_NONE;
}

static enum err_code read_active(
		const struct reader *reader, const json_t *object, struct resource *ret)
{
	const json_t *value = json_object_get(object, "active");

	if (!value || json_is_null(value))
		return ERR_NONE;
	/* Databricks answers a bool; the text form is what older ones took in. */
	if (json_is_string(value) && text_equal_folded(json_string_value(value), "true"))
		ret->active = true;
	else if (json_is_string(value) && text_equal_folded(json_string_value(value), "false"))
		ret->active = false;
	else if (json_is_boolean(value))
		ret->active = json_is_true(value);
	else
		return wrong_type(reader, "active", "bool");
	ret->has_active = true;
	return ERR_NONE;
}

static enum err_code read_name(
		const struct reader *reader, const json_t *object, struct resource *ret)
{
	const json_t *name = json_object_get(object, "name");

	if (!name || json_is_null(name))
		return ERR_NONE;
	if (!json_is_object(name))
		return wrong_type(reader, "name", "object");
	if (read_text(reader, name, "givenName", &ret->fields[FIELD_GIVEN_NAME]) != ERR_NONE)
		return reader->err->code;
	return read_text(reader, name, "familyName", &ret->fields[FIELD_FAMILY_NAME]);
}

static enum err_code read_fields(const struct reader *reader, const json_t *object,
		enum principal_kind kind, struct resource *ret)
{
	for (unsigned i = 0; i < FIELD_COUNT_; i++) {
		if (i == FIELD_GIVEN_NAME || i == FIELD_FAMILY_NAME ||
				!principal_has_field(kind, (enum field)i))
			continue;
		if (read_text(reader, object, field_name((enum field)i), &ret->fields[i]) !=
				ERR_NONE)
			return reader->err->code;
	}
	return kind == PRINCIPAL_USER ? read_name(reader, object, ret) : ERR_NONE;
}

/* `Users/1`, relative as Databricks has it, or the end of an absolute reference (RFC 7643, section 2.4). */
static enum principal_kind kind_of_ref(const char *ref)
{
	static const char *const collections[] = {[PRINCIPAL_USER] = "Users/",
			[PRINCIPAL_GROUP] = "Groups/",
			[PRINCIPAL_SERVICE] = "ServicePrincipals/"};

	for (unsigned i = 0; ref && i < COUNT_OF(collections); i++) {
		const char *at = strstr(ref, collections[i]);

		if (at && (at == ref || at[-1] == '/'))
			return (enum principal_kind)i;
	}
	return PRINCIPAL_KIND_COUNT_;
}

static enum err_code read_members(
		const struct reader *reader, const json_t *object, struct resource *ret)
{
	const json_t *list = json_object_get(object, "members");
	struct scim_member *members;
	const json_t *item;
	size_t i;

	if (!list || json_is_null(list))
		return ERR_NONE;
	if (!json_is_array(list))
		return wrong_type(reader, "members", "array");
	members = arena_alloc(reader->arena, (json_array_size(list) + 1) * sizeof(*members));
	json_array_foreach(list, i, item)
	{
		if (!json_is_object(item))
			return wrong_type(reader, "members", "array of objects");
		if (read_id(reader, item, "value", &members[i].id) != ERR_NONE)
			return reader->err->code;
		members[i].kind = kind_of_ref(json_string_value(json_object_get(item, "$ref")));
	}
	ret->has_members = true;
	ret->members = members;
	ret->member_count = json_array_size(list);
	return ERR_NONE;
}

/* Values of `entitlements` and `roles`: [{"value": "x", "type": "direct"}]; elements without a value say nothing. */
static enum err_code read_values(const struct reader *reader, const json_t *object, const char *key,
		const char *const **ret, size_t *ret_count)
{
	const json_t *list = json_object_get(object, key);
	const char **values;
	const json_t *item;
	size_t i, count = 0;

	if (!list || json_is_null(list))
		return ERR_NONE;
	if (!json_is_array(list))
		return wrong_type(reader, key, "array");
	values = arena_alloc(reader->arena, (json_array_size(list) + 1) * sizeof(*values));
	json_array_foreach(list, i, item)
	{
		if (!json_is_object(item))
			return wrong_type(reader, key, "array of objects");
		if (read_text(reader, item, "value", &values[count]) != ERR_NONE)
			return reader->err->code;
		count += values[count] != NULL;
	}
	*ret = values;
	*ret_count = count;
	return ERR_NONE;
}

enum err_code scim_resource(const json_t *json, enum principal_kind kind, struct arena *arena,
		struct resource *ret, struct err *err)
{
	struct resource resource = {.kind = kind};
	struct reader reader = {.arena = arena, .err = err};

	if (!json_is_object(json))
		return err_set(err, ERR_PROTO, 0, "SCIM resource: expected an object");
	if (read_id(&reader, json, "id", &resource.id) != ERR_NONE)
		return err->code;
	reader.id = resource.id;
	if (read_fields(&reader, json, kind, &resource) != ERR_NONE ||
			read_active(&reader, json, &resource) != ERR_NONE ||
			read_members(&reader, json, &resource) != ERR_NONE ||
			read_values(&reader, json, "entitlements", &resource.entitlements,
					&resource.entitlement_count) != ERR_NONE ||
			read_values(&reader, json, "roles", &resource.roles,
					&resource.role_count) != ERR_NONE ||
			read_text(&reader, json_object_get(json, "meta"), "resourceType",
					&resource.resource_type) != ERR_NONE)
		return err->code;
	*ret = resource;
	return ERR_NONE;
}

enum err_code scim_read_list(const json_t *json, enum principal_kind kind, struct arena *arena,
		struct scim_answer *ret, struct err *err)
{
	const json_t *list = json_object_get(json, "Resources");
	const json_t *total = json_object_get(json, "totalResults");
	struct resource *resources;
	const json_t *item;
	size_t i;

	if (!json_is_object(json))
		return err_set(err, ERR_PROTO, 0, "SCIM list: expected an object");
	if (list && !json_is_null(list) && !json_is_array(list))
		return err_set(err, ERR_PROTO, 0, "SCIM list: \"Resources\" is no array");
	/* An object that is no list at all (another API, an error with status 200) must not look like an empty one. */
	if (!json_is_array(list) && !json_is_integer(total))
		return err_set(err, ERR_PROTO, 0,
				"SCIM list: neither \"Resources\" nor \"totalResults\"");
	resources = arena_alloc(arena, (json_array_size(list) + 1) * sizeof(*resources));
	json_array_foreach(list, i, item)
	{
		if (scim_resource(item, kind, arena, &resources[i], err) != ERR_NONE)
			return err->code;
	}
	ret->resources = resources;
	ret->count = json_array_size(list);
	ret->total = json_is_integer(total) && json_integer_value(total) >= 0
			? (uint64_t)json_integer_value(total)
			: SCIM_TOTAL_UNKNOWN;
	return ERR_NONE;
}

enum err_code scim_found(const struct call *call, enum principal_kind kind, struct arena *arena,
		const struct resource **ret, size_t *ret_count, struct err *err)
{
	struct scim_answer answer;

	if (scim_read_list(call->answer, kind, arena, &answer, err) != ERR_NONE)
		return err->code;
	*ret = answer.resources;
	*ret_count = answer.count;
	return ERR_NONE;
}

void scim_cursor_init(struct scim_cursor *cursor)
{
	*cursor = (struct scim_cursor){.start = 1, .total = SCIM_TOTAL_UNKNOWN};
}

/* How far what follows has moved up since the page before. */
static uint64_t shrunk_by(const struct scim_cursor *cursor, uint64_t total)
{
	if (cursor->total == SCIM_TOTAL_UNKNOWN || total == SCIM_TOTAL_UNKNOWN ||
			total >= cursor->total)
		return 0;
	return cursor->total - total;
}

enum err_code scim_cursor_advance(struct scim_cursor *cursor, uint64_t total, size_t returned,
		size_t fresh, bool *ret_more, struct err *err)
{
	uint64_t back = shrunk_by(cursor, total);

	cursor->total = total;
	cursor->seen += fresh;
	cursor->idle = fresh ? 0 : cursor->idle + 1;
	cursor->start += returned;
	cursor->start -= back < cursor->start ? back : cursor->start - 1;
	if (++cursor->pages > SCIM_LIST_PAGES_MAX ||
			(returned && cursor->idle > SCIM_LIST_IDLE_MAX))
		return err_set(err, ERR_INCOMPLETE, 0,
				"list does not end: %u pages, nothing new in the last %u",
				cursor->pages, cursor->idle);
	*ret_more = returned > 0 || (back > 0 && cursor->idle <= SCIM_LIST_IDLE_MAX);
	if (!*ret_more && total != SCIM_TOTAL_UNKNOWN && cursor->seen < total)
		return err_set(err, ERR_INCOMPLETE, 0,
				"list ended after %" PRIu64 " of %" PRIu64
				" resources: nothing follows from what is missing",
				cursor->seen, total);
	return ERR_NONE;
}
