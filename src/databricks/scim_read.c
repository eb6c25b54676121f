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
static enum err_code read_text(const struct reader *reader, const struct tape_value *object,
		const char *key, const char **ret)
{
	const struct tape_value *value = tape_get(object, key);

	if (!value)
		return ERR_NONE;
	if (!tape_is(value, TAPE_TEXT))
		return wrong_type(reader, key, "text");
	*ret = value->text;
	return ERR_NONE;
}

/* Ids are decimal text of up to 64 bits; where a number stands for one it is taken digit by digit. */
static enum err_code read_id(const struct reader *reader, const struct tape_value *object,
		const char *key, const char **ret)
{
	const struct tape_value *value = tape_get(object, key);

	if (tape_is(value, TAPE_NUMBER)) {
		if (strspn(value->text, "0123456789") < value->len)
			return wrong_type(reader, key, "id");
		*ret = arena_strndup(reader->arena, value->text, value->len);
		return ERR_NONE;
	}
	if (!tape_is(value, TAPE_TEXT) || value->len == 0)
		return wrong_type(reader, key, "id");
	*ret = value->text;
	return ERR_NONE;
}

static enum err_code read_active(
		const struct reader *reader, const struct tape_value *object, struct resource *ret)
{
	const struct tape_value *value = tape_get(object, "active");

	if (!value)
		return ERR_NONE;
	/* Databricks answers a bool; the text form is what older ones took in. */
	if (tape_is(value, TAPE_TEXT) && text_equal_folded(value->text, "true"))
		ret->active = true;
	else if (tape_is(value, TAPE_TEXT) && text_equal_folded(value->text, "false"))
		ret->active = false;
	else if (tape_is(value, TAPE_TRUE) || tape_is(value, TAPE_FALSE))
		ret->active = tape_is(value, TAPE_TRUE);
	else
		return wrong_type(reader, "active", "bool");
	ret->has_active = true;
	return ERR_NONE;
}

static enum err_code read_name(
		const struct reader *reader, const struct tape_value *object, struct resource *ret)
{
	const struct tape_value *name = tape_get(object, "name");

	if (!name)
		return ERR_NONE;
	if (!tape_is(name, TAPE_OBJECT))
		return wrong_type(reader, "name", "object");
	if (read_text(reader, name, "givenName", &ret->fields[FIELD_GIVEN_NAME]) != ERR_NONE)
		return reader->err->code;
	return read_text(reader, name, "familyName", &ret->fields[FIELD_FAMILY_NAME]);
}

static enum err_code read_fields(const struct reader *reader, const struct tape_value *object,
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
		const struct reader *reader, const struct tape_value *object, struct resource *ret)
{
	const struct tape_value *list = tape_get(object, "members");
	struct scim_member *members;
	size_t count = 0;

	if (!list)
		return ERR_NONE;
	if (!tape_is(list, TAPE_ARRAY))
		return wrong_type(reader, "members", "array");
	members = arena_alloc(reader->arena, (tape_count(list) + 1) * sizeof(*members));
	for (const struct tape_value *item = tape_first(list); item; item = tape_next(list, item)) {
		if (!tape_is(item, TAPE_OBJECT))
			return wrong_type(reader, "members", "array of objects");
		if (read_id(reader, item, "value", &members[count].id) != ERR_NONE)
			return reader->err->code;
		members[count++].kind = kind_of_ref(tape_text(tape_get(item, "$ref")));
	}
	ret->has_members = true;
	ret->members = members;
	ret->member_count = count;
	return ERR_NONE;
}

enum way { WAY_DIRECT, WAY_INDIRECT };
struct values {
	const char *const *items;
	size_t count;
};

/*
 * Values of `entitlements` and `roles`: [{"value": "x", "type": "direct"}]; elements without a value say nothing. What comes
 * through a group is "indirect": not the principal's own, and nothing that could be given to it or taken away.
 */
static enum err_code read_values(const struct reader *reader, const struct tape_value *object,
		const char *key, enum way way, struct values *ret)
{
	const struct tape_value *list = tape_get(object, key);
	const char **values;
	size_t count = 0;

	if (!list)
		return ERR_NONE;
	if (!tape_is(list, TAPE_ARRAY))
		return wrong_type(reader, key, "array");
	values = arena_alloc(reader->arena, (tape_count(list) + 1) * sizeof(*values));
	for (const struct tape_value *item = tape_first(list); item; item = tape_next(list, item)) {
		if (!tape_is(item, TAPE_OBJECT))
			return wrong_type(reader, key, "array of objects");
		if (read_text(reader, item, "value", &values[count]) != ERR_NONE)
			return reader->err->code;
		if (text_equal(tape_text(tape_get(item, "type")), "indirect") ==
				(way == WAY_INDIRECT))
			count += values[count] != NULL;
	}
	*ret = (struct values){values, count};
	return ERR_NONE;
}

static enum err_code read_rights(
		const struct reader *reader, const struct tape_value *object, struct resource *ret)
{
	struct values entitlements = {0}, roles = {0}, inherited = {0};

	if (read_values(reader, object, "entitlements", WAY_DIRECT, &entitlements) != ERR_NONE ||
			read_values(reader, object, "roles", WAY_DIRECT, &roles) != ERR_NONE ||
			read_values(reader, object, "roles", WAY_INDIRECT, &inherited) != ERR_NONE)
		return reader->err->code;
	ret->entitlements = entitlements.items;
	ret->entitlement_count = entitlements.count;
	ret->roles = roles.items;
	ret->role_count = roles.count;
	ret->inherited_roles = inherited.items;
	ret->inherited_role_count = inherited.count;
	return ERR_NONE;
}

enum err_code scim_read_resource(const struct tape_value *json, enum principal_kind kind,
		struct arena *arena, struct resource *ret, struct err *err)
{
	struct resource resource = {.kind = kind};
	struct reader reader = {.arena = arena, .err = err};

	if (!tape_is(json, TAPE_OBJECT))
		return err_set(err, ERR_PROTO, 0, "SCIM resource: expected an object");
	if (read_id(&reader, json, "id", &resource.id) != ERR_NONE)
		return err->code;
	reader.id = resource.id;
	if (read_fields(&reader, json, kind, &resource) != ERR_NONE ||
			read_active(&reader, json, &resource) != ERR_NONE ||
			read_members(&reader, json, &resource) != ERR_NONE ||
			read_rights(&reader, json, &resource) != ERR_NONE ||
			read_text(&reader, tape_get(json, "meta"), "resourceType",
					&resource.resource_type) != ERR_NONE)
		return err->code;
	*ret = resource;
	return ERR_NONE;
}

enum err_code scim_resource(const struct call *call, enum principal_kind kind, struct arena *arena,
		struct resource *ret, struct err *err)
{
	if (scim_read_resource(tape_root(call->answer), kind, arena, ret, err) != ERR_NONE)
		return err->code;
	/* Empty arrays are left out of answers (scim.md 2): absent means none where members were asked for. */
	ret->has_members = ret->has_members || call->fill_members;
	return ERR_NONE;
}

enum err_code scim_read_list(const struct tape_value *json, enum principal_kind kind,
		struct arena *arena, struct scim_answer *ret, struct err *err)
{
	const struct tape_value *list = tape_get(json, "Resources");
	struct resource *resources;
	size_t count = 0;
	int64_t total;
	bool has_total = tape_integer(tape_get(json, "totalResults"), &total);

	if (!tape_is(json, TAPE_OBJECT))
		return err_set(err, ERR_PROTO, 0, "SCIM list: expected an object");
	if (list && !tape_is(list, TAPE_ARRAY))
		return err_set(err, ERR_PROTO, 0, "SCIM list: \"Resources\" is no array");
	/* An object that is no list at all (another API, an error with status 200) must not look like an empty one. */
	if (!list && !has_total)
		return err_set(err, ERR_PROTO, 0,
				"SCIM list: neither \"Resources\" nor \"totalResults\"");
	resources = arena_alloc(arena, (tape_count(list) + 1) * sizeof(*resources));
	for (const struct tape_value *item = tape_first(list); item; item = tape_next(list, item)) {
		if (scim_read_resource(item, kind, arena, &resources[count], err) != ERR_NONE)
			return err->code;
		count++;
	}
	ret->resources = resources;
	ret->count = count;
	ret->total = has_total && total >= 0 ? (uint64_t)total : SCIM_TOTAL_UNKNOWN;
	return ERR_NONE;
}

enum err_code scim_found(const struct call *call, enum principal_kind kind, struct arena *arena,
		const struct resource **ret, size_t *ret_count, struct err *err)
{
	struct scim_answer answer;

	if (scim_read_list(tape_root(call->answer), kind, arena, &answer, err) != ERR_NONE)
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
