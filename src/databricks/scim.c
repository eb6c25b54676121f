#include "databricks/scim.h"

#include "base/buf.h"
#include "base/text.h"
#include "databricks/http.h"
#include "databricks/scim_internal.h"

#define SCHEMA_CORE "urn:ietf:params:scim:schemas:core:2.0:"
#define SCHEMA_PATCH "urn:ietf:params:scim:api:messages:2.0:PatchOp"

static const struct {
	const char *collection, *schema;
	const char *attributes; /* what a read asks for; an SP's applicationId comes only if named */
} kinds[] = {
		[PRINCIPAL_USER] = {"Users", SCHEMA_CORE "User",
				"id,userName,displayName,name,active,externalId"},
		[PRINCIPAL_GROUP] = {"Groups", SCHEMA_CORE "Group", "id,displayName,externalId"},
		[PRINCIPAL_SERVICE] = {"ServicePrincipals", SCHEMA_CORE "ServicePrincipal",
				"id,applicationId,displayName,active,externalId"},
};
_Static_assert(COUNT_OF(kinds) == PRINCIPAL_KIND_COUNT_, "a row per kind");

enum access { ACCESS_GET, ACCESS_LIST, ACCESS_PATCH, ACCESS_POST, ACCESS_DELETE };

static enum family family_of(const struct databricks *databricks, const struct call *call,
		enum access access, enum principal_kind kind)
{
	bool account = databricks_is_account(databricks, call->target);
	bool group = kind == PRINCIPAL_GROUP;

	switch (access) {
	case ACCESS_GET:
		return account ? FAMILY_ACCOUNT_SCIM_GET : FAMILY_WORKSPACE_SCIM_READ;
	case ACCESS_LIST:
		return account ? FAMILY_ACCOUNT_SCIM_LIST : FAMILY_WORKSPACE_SCIM_READ;
	case ACCESS_PATCH:
		if (account)
			return FAMILY_ACCOUNT_SCIM_PATCH;
		return group ? FAMILY_WORKSPACE_SCIM_PATCH : FAMILY_WORKSPACE_SCIM_PEOPLE;
	case ACCESS_POST:
		return account ? FAMILY_ACCOUNT_SCIM_WRITE : FAMILY_WORKSPACE_SCIM_POST;
	case ACCESS_DELETE:
		if (account)
			return FAMILY_ACCOUNT_SCIM_WRITE;
		return group ? FAMILY_WORKSPACE_SCIM_DELETE : FAMILY_WORKSPACE_SCIM_PEOPLE;
	}
	return FAMILY_ACCOUNT_SCIM_WRITE;
}

/* The path up to the collection; the caller adds to it and steals it. */
static void path_start(struct buf *path, const struct databricks *databricks, unsigned target,
		enum principal_kind kind)
{
	buf_init(path, SIZE_MAX / 2);
	if (databricks_is_account(databricks, target))
		buf_printf(path, "/api/2.0/accounts/%s/scim/v2/%s",
				databricks_account_id(databricks), kinds[kind].collection);
	else
		buf_printf(path, "/api/2.0/preview/scim/v2/%s", kinds[kind].collection);
}

static void path_add_id(struct buf *path, const char *id)
{
	AUTO(mem_freep) char *escaped = http_escape(id);

	buf_printf(path, "/%s", escaped);
}

/* `meta` tells account groups from local ones, which only a workspace has. */
static void path_add_attributes(
		struct buf *path, enum principal_kind kind, bool account, unsigned with)
{
	buf_printf(path, "?attributes=%s", kinds[kind].attributes);
	if (kind == PRINCIPAL_GROUP && !account)
		buf_add_text(path, ",meta");
	if (kind == PRINCIPAL_GROUP && (with & SCIM_WITH_MEMBERS))
		buf_add_text(path, ",members");
	if (with & SCIM_WITH_ROLES)
		buf_add_text(path, ",roles");
	if (!account && (with & SCIM_WITH_ENTITLEMENTS))
		buf_add_text(path, ",entitlements");
}

void scim_get(struct databricks *databricks, struct call *call, enum principal_kind kind,
		const char *id, unsigned with)
{
	struct buf path;

	path_start(&path, databricks, call->target, kind);
	path_add_id(&path, id);
	path_add_attributes(&path, kind, databricks_is_account(databricks, call->target), with);
	call_prepare(call, METHOD_GET, family_of(databricks, call, ACCESS_GET, kind),
			buf_steal(&path), NULL);
	/* Empty arrays are left out of answers (scim.md 2), so absent means none where members were asked for. */
	call->fill_members = kind == PRINCIPAL_GROUP && (with & SCIM_WITH_MEMBERS);
	call_send(databricks, call);
}

char *scim_filter(enum field by, const char *value)
{
	struct buf filter;

	buf_init(&filter, SIZE_MAX / 2);
	buf_printf(&filter, "%s eq \"", field_name(by));
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_add_char(&filter, '\\');
		buf_add_char(&filter, *value);
	}
	buf_add_char(&filter, '"');
	return buf_steal(&filter);
}

void scim_find(struct databricks *databricks, struct call *call, enum principal_kind kind,
		enum field by, const char *value, unsigned with)
{
	AUTO(mem_freep) char *filter = scim_filter(by, value);
	AUTO(mem_freep) char *escaped = http_escape(filter);
	struct buf path;

	path_start(&path, databricks, call->target, kind);
	path_add_attributes(&path, kind, databricks_is_account(databricks, call->target), with);
	buf_printf(&path, "&filter=%s", escaped);
	call_prepare(call, METHOD_GET, family_of(databricks, call, ACCESS_LIST, kind),
			buf_steal(&path), NULL);
	call_send(databricks, call);
}

void scim_send_page(struct databricks *databricks, struct call *call, enum principal_kind kind,
		unsigned with, const struct scim_page *page)
{
	struct buf path;

	path_start(&path, databricks, call->target, kind);
	path_add_attributes(&path, kind, databricks_is_account(databricks, call->target),
			with & ~(unsigned)SCIM_WITH_MEMBERS);
	buf_printf(&path, "&startIndex=%llu&count=%u", (unsigned long long)page->start,
			page->count);
	call_prepare(call, METHOD_GET, family_of(databricks, call, ACCESS_LIST, kind),
			buf_steal(&path), NULL);
	call_send(databricks, call);
}

/* ---- writes ---- */

static void set_text(json_t *object, const char *key, const char *value)
{
	if (value)
		(void)json_object_set_new(object, key, json_string(value));
}

static json_t *create_body(
		enum principal_kind kind, const char *const fields[FIELD_COUNT_], bool active)
{
	json_t *body = json_pack("{s:[s]}", "schemas", kinds[kind].schema);
	json_t *name = json_object();

	for (unsigned i = 0; i < FIELD_COUNT_; i++) {
		if (!principal_has_field(kind, (enum field)i))
			continue;
		if (i == FIELD_GIVEN_NAME)
			set_text(name, "givenName", fields[i]);
		else if (i == FIELD_FAMILY_NAME)
			set_text(name, "familyName", fields[i]);
		else
			set_text(body, field_name((enum field)i), fields[i]);
	}
	if (json_object_size(name) > 0)
		(void)json_object_set(body, "name", name);
	json_decref(name);
	if (kind != PRINCIPAL_GROUP)
		(void)json_object_set_new(body, "active", json_boolean(active));
	return body;
}

void scim_create(struct databricks *databricks, struct call *call, enum principal_kind kind,
		const char *const fields[FIELD_COUNT_], bool active)
{
	struct buf path;

	path_start(&path, databricks, call->target, kind);
	call_prepare(call, METHOD_POST, family_of(databricks, call, ACCESS_POST, kind),
			buf_steal(&path), create_body(kind, fields, active));
	call_send(databricks, call);
}

/* Sends one PATCH with operations, which is given away. */
static void send_patch(struct databricks *databricks, struct call *call, enum principal_kind kind,
		const char *id, json_t *operations)
{
	struct buf path;

	path_start(&path, databricks, call->target, kind);
	path_add_id(&path, id);
	call_prepare(call, METHOD_PATCH, family_of(databricks, call, ACCESS_PATCH, kind),
			buf_steal(&path),
			json_pack("{s:[s], s:o}", "schemas", SCHEMA_PATCH, "Operations",
					operations));
	call_send(databricks, call);
}

static void add_operation(json_t *operations, const char *op, const char *path, json_t *value)
{
	json_t *operation = json_pack("{s:s, s:s}", "op", op, "path", path);

	if (value)
		(void)json_object_set_new(operation, "value", value);
	(void)json_array_append_new(operations, operation);
}

void scim_update(struct databricks *databricks, struct call *call, enum principal_kind kind,
		const char *id, const struct scim_change *change)
{
	json_t *operations = json_array();

	for (unsigned i = 0; i < FIELD_COUNT_; i++) {
		if (change->fields[i] && principal_has_field(kind, (enum field)i))
			add_operation(operations, "replace", field_name((enum field)i),
					json_string(change->fields[i]));
	}
	/* A bool: strings were once taken, and are answered 500 by newer servers (scim.md 5). */
	if (change->set_active && kind != PRINCIPAL_GROUP)
		add_operation(operations, "replace", "active", json_boolean(change->active));
	send_patch(databricks, call, kind, id, operations);
}

/* [{"value": "1"}, ...] */
static json_t *value_list(const char *const *values, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, json_pack("{s:s}", "value", values[i]));
	return list;
}

/* `ATTRIBUTE[value eq "X"]`, and never with a value: the servers refuse one (scim.md 5). */
static void add_removal(json_t *operations, const char *attribute, const char *value)
{
	struct buf path;

	buf_init(&path, SIZE_MAX / 2);
	buf_printf(&path, "%s[value eq \"", attribute);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_add_char(&path, '\\');
		buf_add_char(&path, *value);
	}
	buf_add_text(&path, "\"]");
	add_operation(operations, "remove", buf_text(&path), NULL);
	buf_release(&path);
}

/* Removals first, so that groups that swap places are never in each other. */
void scim_change_members(struct databricks *databricks, struct call *call, const char *group_id,
		const struct scim_members_change *change)
{
	json_t *operations = json_array();

	for (size_t i = 0; i < change->remove_count; i++)
		add_removal(operations, "members", change->remove[i]);
	if (change->add_count)
		add_operation(operations, "add", "members",
				value_list(change->add, change->add_count));
	send_patch(databricks, call, PRINCIPAL_GROUP, group_id, operations);
}

/*
 * Additions first: then the attribute exists by the time something is removed from it. Roles go by filter, entitlements
 * by a list of values, as Terraform has both (scim.md 5); no client is known to remove entitlements by filter.
 */
void scim_change_values(struct databricks *databricks, struct call *call, enum principal_kind kind,
		const char *id, const struct scim_values_change *change)
{
	const char *attribute = change->attribute == SCIM_ROLES ? "roles" : "entitlements";
	json_t *operations = json_array();

	if (change->add_count)
		add_operation(operations, "add", attribute,
				value_list(change->add, change->add_count));
	if (change->attribute == SCIM_ROLES) {
		for (size_t i = 0; i < change->remove_count; i++)
			add_removal(operations, attribute, change->remove[i]);
	} else if (change->remove_count) {
		add_operation(operations, "remove", attribute,
				value_list(change->remove, change->remove_count));
	}
	send_patch(databricks, call, kind, id, operations);
	call->forgive_absent = change->add_count == 0;
}

void scim_delete(struct databricks *databricks, struct call *call, enum principal_kind kind,
		const char *id)
{
	struct buf path;

	path_start(&path, databricks, call->target, kind);
	path_add_id(&path, id);
	call_prepare(call, METHOD_DELETE, family_of(databricks, call, ACCESS_DELETE, kind),
			buf_steal(&path), NULL);
	call_send(databricks, call);
}
