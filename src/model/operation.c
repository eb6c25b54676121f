#include "model/operation.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"

#define DESCRIPTION_MAX 1024
#define NAMES_SHOWN 3

static const struct {
	const char *name;
	char mark;
} kinds[] = {
		[OP_CREATE] = {"create", '+'},
		[OP_ADOPT] = {"adopt", '='},
		[OP_UPDATE] = {"update", '~'},
		[OP_DEACTIVATE] = {"deactivate", '-'},
		[OP_DELETE] = {"delete", '-'},
		[OP_FORGET] = {"forget", '='},
		[OP_ADD_MEMBERS] = {"add_members", '+'},
		[OP_REMOVE_MEMBERS] = {"remove_members", '-'},
		[OP_ASSIGN] = {"assign", '+'},
		[OP_UNASSIGN] = {"unassign", '-'},
		[OP_ADD_ENTITLEMENTS] = {"add_entitlements", '+'},
		[OP_REMOVE_ENTITLEMENTS] = {"remove_entitlements", '-'},
		[OP_ADD_ROLES] = {"add_roles", '+'},
		[OP_REMOVE_ROLES] = {"remove_roles", '-'},
		[OP_SET_PERMISSIONS] = {"set_permissions", '+'},
		[OP_REMOVE_PERMISSIONS] = {"remove_permissions", '-'},
		[OP_CREATE_RESOURCE] = {"create_resource", '+'},
		[OP_ADOPT_RESOURCE] = {"adopt_resource", '='},
		[OP_CHANGE_RESOURCE] = {"change_resource", '~'},
		[OP_REMOVE_RESOURCE] = {"remove_resource", '-'},
		[OP_FORGET_RESOURCE] = {"forget_resource", '='},
};
_Static_assert(COUNT_OF(kinds) == OP_KIND_COUNT_, "a row per kind");

static const char *const resources[] = {
		[RESOURCE_NONE] = "principal",
		[RESOURCE_PERMISSIONS] = "permissions",
		[RESOURCE_RULE_SET] = "rule_set",
		[RESOURCE_CLUSTER_POLICY] = "cluster_policy",
		[RESOURCE_IP_ACCESS_LIST] = "ip_access_list",
		[RESOURCE_SETTING] = "setting",
		[RESOURCE_TOKEN] = "token",
		[RESOURCE_SECRET] = "secret",
		[RESOURCE_FEDERATION_POLICY] = "federation_policy",
		[RESOURCE_ON_BEHALF_TOKEN] = "on_behalf_token",
};
_Static_assert(COUNT_OF(resources) == RESOURCE_COUNT_, "a name per resource");

const char *resource_name(enum resource_kind resource)
{
	return resources[resource];
}

const char *operation_subject(const struct operation *op)
{
	if (op->resource == RESOURCE_NONE)
		return principal_kind_name(op->principal);
	if (op->resource == RESOURCE_PERMISSIONS)
		return securable_traits(op->securable)->name;
	return resources[op->resource];
}

bool operation_sets_permissions(const struct operation *op)
{
	return op->kind == OP_SET_PERMISSIONS || op->kind == OP_REMOVE_PERMISSIONS;
}

const char *operation_kind_name(enum operation_kind kind)
{
	return kind < OP_KIND_COUNT_ ? kinds[kind].name : "unknown";
}

bool operation_kind_parse(const char *name, enum operation_kind *ret)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (text_equal(name, kinds[i].name)) {
			*ret = (enum operation_kind)i;
			return true;
		}
	}
	return false;
}

static bool raises(const struct operation *op)
{
	for (size_t i = 0; op->values_before && i < op->member_count; i++) {
		if (op->values_before[i])
			return true;
	}
	return false;
}

char operation_mark(const struct operation *op)
{
	if (op->adopts)
		return '=';
	if (op->kind == OP_ASSIGN && op->values_before)
		return '~';
	if (op->kind == OP_SET_PERMISSIONS && raises(op))
		return '~';
	return op->kind < OP_KIND_COUNT_ ? kinds[op->kind].mark : '?';
}

/* `group "etl": CAN_VIEW, group "ops": CAN_MANAGE` */
static void add_permissions(struct buf *buf, const struct operation *op)
{
	for (size_t i = 0; i < op->member_count && i < NAMES_SHOWN; i++)
		buf_printf(buf, "%s%.*s \"%s\": %s", i ? ", " : "",
				(int)strcspn(op->members[i].key, "/"), op->members[i].key,
				op->members[i].name, op->values[i]);
	if (op->member_count > NAMES_SHOWN)
		buf_printf(buf, " and %zu more", op->member_count - NAMES_SHOWN);
}

static void add_parts(struct buf *buf, const struct operation *op)
{
	/* What goes, goes with all its parts. */
	for (size_t i = 0; op->kind != OP_REMOVE_RESOURCE && i < op->part_count; i++)
		buf_printf(buf, "%s%s", i ? ", " : ": ", op->parts[i].name);
}

static void add_names(struct buf *buf, const struct operation *op)
{
	size_t count = op->member_count ? op->member_count : op->value_count;

	for (size_t i = 0; i < count && i < NAMES_SHOWN; i++)
		buf_printf(buf, "%s%s", i ? ", " : "",
				op->member_count ? op->members[i].name : op->values[i]);
	if (count > NAMES_SHOWN)
		buf_printf(buf, " and %zu more", count - NAMES_SHOWN);
}

static void add_object(struct buf *buf, const struct operation *op, const struct settings *settings)
{
	buf_printf(buf, "%s \"%s\" in %s", operation_subject(op), op->object.name,
			settings->targets[op->target].name);
}

static void add_field_changes(struct buf *buf, const struct operation *op)
{
	const char *separator = ": ";

	for (size_t i = 0; i < op->field_count; i++) {
		const struct field_change *change = &op->fields[i];

		buf_printf(buf, "%s%s \"%s\" -> \"%s\"", separator, field_name(change->field),
				change->before ? change->before : "",
				change->after ? change->after : "");
		separator = ", ";
	}
	if (op->principal != PRINCIPAL_GROUP && op->active_before != op->active_after)
		buf_printf(buf, "%sactive %s -> %s", separator,
				op->active_before ? "true" : "false",
				op->active_after ? "true" : "false");
}

static void add_members_verb(struct buf *buf, const struct operation *op)
{
	bool adds = op->kind == OP_ADD_MEMBERS;

	buf_printf(buf, "%s %zu member%s %s ",
			op->adopts             ? "adopt"
					: adds ? "add"
					       : "remove",
			op->member_count, op->member_count == 1 ? "" : "s",
			op->adopts             ? "of"
					: adds ? "to"
					       : "from");
}

static void describe(struct buf *buf, const struct operation *op, const struct settings *settings)
{
	switch (op->kind) {
	case OP_CREATE:
	case OP_DELETE:
	case OP_DEACTIVATE:
	case OP_FORGET:
		buf_printf(buf, "%s ", operation_kind_name(op->kind));
		add_object(buf, op, settings);
		return;
	case OP_ADOPT:
	case OP_UPDATE:
		buf_printf(buf, "%s ", operation_kind_name(op->kind));
		add_object(buf, op, settings);
		add_field_changes(buf, op);
		return;
	case OP_ADD_MEMBERS:
	case OP_REMOVE_MEMBERS:
		add_members_verb(buf, op);
		break;
	case OP_ASSIGN:
	case OP_UNASSIGN:
		buf_printf(buf, "%s ",
				op->adopts ? "adopt assignment of" : operation_kind_name(op->kind));
		break;
	case OP_ADD_ENTITLEMENTS:
	case OP_ADD_ROLES:
		buf_printf(buf, "%s %s ", op->adopts ? "adopt" : "add",
				op->kind == OP_ADD_ROLES ? (op->adopts ? "roles of" : "roles to")
							 : (op->adopts ? "entitlements of"
								       : "entitlements to"));
		break;
	case OP_REMOVE_ENTITLEMENTS:
	case OP_REMOVE_ROLES:
		buf_add_text(buf,
				op->kind == OP_REMOVE_ROLES ? "remove roles from "
							    : "remove entitlements from ");
		break;
	case OP_SET_PERMISSIONS:
	case OP_REMOVE_PERMISSIONS:
		buf_printf(buf, "%s permissions of ",
				op->adopts                                       ? "adopt"
						: op->kind == OP_SET_PERMISSIONS ? "set"
										 : "remove");
		add_object(buf, op, settings);
		buf_add_text(buf, ": ");
		add_permissions(buf, op);
		return;
	case OP_CREATE_RESOURCE:
	case OP_ADOPT_RESOURCE:
	case OP_CHANGE_RESOURCE:
	case OP_REMOVE_RESOURCE:
	case OP_FORGET_RESOURCE:
		buf_printf(buf, "%.*s ", (int)strcspn(kinds[op->kind].name, "_"),
				kinds[op->kind].name);
		add_object(buf, op, settings);
		add_parts(buf, op);
		return;
	case OP_KIND_COUNT_:
		return;
	}
	add_object(buf, op, settings);
	buf_add_text(buf, ": ");
	add_names(buf, op);
}

const char *operation_describe(
		const struct operation *op, const struct settings *settings, struct arena *arena)
{
	const char *text;
	struct buf buf;

	buf_init(&buf, DESCRIPTION_MAX);
	describe(&buf, op, settings);
	text = arena_strdup(arena, buf_text(&buf));
	buf_release(&buf);
	return text;
}

static void digest_text_or_mark(struct digest *digest, const char *text)
{
	digest_add(digest, text ? "1" : "0", 1);
	if (text)
		digest_add_text(digest, text);
}

void operation_set_id(struct operation *op, const struct settings *settings, struct arena *arena)
{
	struct digest *digest = digest_new();
	char hex[DIGEST_HEX_SIZE];

	digest_add_text(digest, operation_kind_name(op->kind));
	digest_add_text(digest, operation_subject(op));
	digest_add_text(digest, settings->targets[op->target].name);
	digest_add_text(digest, op->object.key);
	for (size_t i = 0; i < op->field_count; i++) {
		digest_add_text(digest, field_name(op->fields[i].field));
		digest_text_or_mark(digest, op->fields[i].before);
		digest_text_or_mark(digest, op->fields[i].after);
	}
	digest_add(digest, op->active_after ? "1" : "0", 1);
	digest_add(digest, op->adopts ? "1" : "0", 1);
	for (size_t i = 0; i < op->member_count; i++)
		digest_add_text(digest, op->members[i].key);
	for (size_t i = 0; i < op->value_count; i++)
		digest_add_text(digest, op->values[i]);
	for (size_t i = 0; operation_sets_permissions(op) && i < op->member_count; i++)
		digest_text_or_mark(digest, op->values_before ? op->values_before[i] : NULL);
	if (op->values_before && !operation_sets_permissions(op))
		digest_text_or_mark(digest, op->values_before[0]);
	for (size_t i = 0; i < op->part_count; i++) {
		digest_add_text(digest, op->parts[i].name);
		digest_text_or_mark(digest, op->parts[i].before);
		digest_text_or_mark(digest, op->parts[i].after);
	}
	digest_finish(digest, hex);
	op->id = arena_strndup(arena, hex, 16);
}
