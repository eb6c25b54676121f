#include "databricks/permission.h"

#include "base/table.h"
#include "base/text.h"
#include "databricks/http.h"
#include "databricks/tape.h"

#define OWNER "IS_OWNER"
#define ADMINS "admins"

static const char *const name_keys[PRINCIPAL_KIND_COUNT_] = {
		[PRINCIPAL_USER] = "user_name",
		[PRINCIPAL_GROUP] = "group_name",
		[PRINCIPAL_SERVICE] = "service_principal_name",
};

/* ---- levels ---- */

/* Legacy SQL objects once called it CAN_VIEW; the Permissions API answers, and wants, CAN_READ (permissions.md 2). */
static const char *translate_level(enum securable_type type, const char *level)
{
	bool legacy = type == SECURABLE_QUERY || type == SECURABLE_LEGACY_ALERT ||
			type == SECURABLE_LEGACY_DASHBOARD;

	return legacy && text_equal(level, "CAN_VIEW") ? "CAN_READ" : level;
}

/* Of any type, low to high, for levels that securable_traits does not know of the type (permissions.md 6). */
static size_t height(const char *level)
{
	static const char *const order[] = {"CAN_VIEW", "CAN_READ", "CAN_RUN", "CAN_QUERY",
			"CAN_USE", "CAN_EDIT", "CAN_ATTACH_TO", "CAN_RESTART", "CAN_MONITOR",
			"CAN_MANAGE_RUN", "CAN_MANAGE_STAGING_VERSIONS",
			"CAN_MANAGE_PRODUCTION_VERSIONS", "CAN_MANAGE", OWNER};

	for (size_t i = 0; level && i < COUNT_OF(order); i++) {
		if (strcmp(level, order[i]) == 0)
			return i + 1;
	}
	return 0;
}

static const char *join_levels(enum securable_type type, const char *a, const char *b)
{
	if (!a || !b)
		return a ? a : b;
	if (securable_has_level(type, a) && securable_has_level(type, b))
		return securable_join_levels(type, a, b);
	return height(a) >= height(b) ? a : b;
}

/* ---- asking ---- */

static char *object_path(const struct permission_object *object, const char *tail)
{
	AUTO(mem_freep) char *id = http_escape(object->id);

	return mem_printf("/api/2.0/permissions/%s/%s%s", securable_traits(object->type)->path, id,
			tail);
}

/* Sends what was prepared; without an id the path would be that of something else. */
static void send_for(struct databricks *databricks, struct call *call,
		const struct permission_object *object)
{
	struct err err;

	if (*object->id) {
		call_send(databricks, call);
		return;
	}
	(void)err_set(&err, ERR_BUG, 0, "permissions of a %s without id",
			securable_traits(object->type)->name);
	call_finish_unsent(databricks, call, &err);
}

void permission_get(struct databricks *databricks, struct call *call,
		const struct permission_object *object)
{
	call_prepare(call, METHOD_GET, FAMILY_PERMISSIONS_GET, object_path(object, ""), NULL);
	send_for(databricks, call, object);
}

void permission_ask_levels(struct databricks *databricks, struct call *call,
		const struct permission_object *object)
{
	call_prepare(call, METHOD_GET, FAMILY_PERMISSIONS_GET,
			object_path(object, "/permissionLevels"), NULL);
	send_for(databricks, call, object);
}

/* ---- changing ---- */

/* Kind and folded name: what tells principals apart. */
static char *principal_key(enum principal_kind kind, const char *name)
{
	AUTO(mem_freep) char *folded = text_fold(span_of(name));

	return mem_printf("%u:%s", (unsigned)kind, folded);
}

static bool is_root(const struct permission_object *object)
{
	return text_equal(object->id, securable_traits(object->type)->root_id);
}

static enum err_code check_grant(const struct acl_grant *grant, struct table *seen, struct err *err)
{
	AUTO(mem_freep) char *key = NULL;

	if (!grant->name || !*grant->name || !grant->level || !*grant->level)
		return err_set(err, ERR_BUG, 0, "a permission without principal or level");
	key = principal_key(grant->kind, grant->name);
	if (table_put(seen, span_of(key), seen))
		return err_set(err, ERR_BUG, 0, "two permissions for %s \"%.100s\"",
				principal_kind_name(grant->kind), grant->name);
	if (text_equal(grant->level, OWNER) && grant->kind == PRINCIPAL_GROUP)
		return err_set(err, ERR_BUG, 0, "group \"%.100s\" as owner", grant->name);
	return ERR_NONE;
}

static enum err_code check_grants(const struct acl_change *change, size_t *ret_owners,
		bool *ret_admins, struct err *err)
{
	struct table *seen = table_new();
	enum err_code code = ERR_NONE;

	for (size_t i = 0; i < change->count && code == ERR_NONE; i++) {
		const struct acl_grant *grant = &change->grants[i];

		code = check_grant(grant, seen, err);
		if (code == ERR_NONE) {
			*ret_owners += text_equal(grant->level, OWNER);
			*ret_admins = *ret_admins ||
					(grant->kind == PRINCIPAL_GROUP &&
							text_equal_folded(grant->name, ADMINS) &&
							text_equal(grant->level, "CAN_MANAGE"));
		}
	}
	table_free(seen);
	return code;
}

static enum err_code check_change(const struct permission_object *object,
		const struct acl_change *change, bool replaces, struct err *err)
{
	size_t owners = 0;
	bool admins = false;

	if (change->count > PERMISSION_ENTRIES_MAX)
		return err_set(err, ERR_LIMIT, 0, "%zu permissions of one object, at most %d",
				change->count, PERMISSION_ENTRIES_MAX);
	if (check_grants(change, &owners, &admins, err) != ERR_NONE)
		return err->code;
	if (owners > 1)
		return err_set(err, ERR_BUG, 0, "%zu owners of one object", owners);
	if (replaces && is_root(object) && !admins)
		return err_set(err, ERR_BUG, 0,
				"permissions of %s %s without the entry of the group \"" ADMINS
				"\"",
				securable_traits(object->type)->name, object->id);
	return ERR_NONE;
}

static json_t *change_body(enum securable_type type, const struct acl_change *change)
{
	json_t *list = json_array();

	for (size_t i = 0; i < change->count; i++) {
		const struct acl_grant *grant = &change->grants[i];

		(void)json_array_append_new(list,
				json_pack("{s:s, s:s}", name_keys[grant->kind], grant->name,
						"permission_level",
						translate_level(type, grant->level)));
	}
	return json_pack("{s:o}", "access_control_list", list);
}

static void send_change(struct databricks *databricks, struct call *call,
		const struct permission_object *object, const struct acl_change *change,
		enum method method)
{
	struct err err;
	bool refused = check_change(object, change, method == METHOD_PUT, &err) != ERR_NONE;

	call_prepare(call, method, FAMILY_PERMISSIONS_WRITE, object_path(object, ""),
			refused ? NULL : change_body(object->type, change));
	if (refused)
		call_finish_unsent(databricks, call, &err);
	else if (method == METHOD_PATCH && change->count == 0)
		call_finish_unsent(databricks, call, NULL);
	else
		send_for(databricks, call, object);
}

void permission_merge(struct databricks *databricks, struct call *call,
		const struct permission_object *object, const struct acl_change *change)
{
	send_change(databricks, call, object, change, METHOD_PATCH);
}

void permission_replace(struct databricks *databricks, struct call *call,
		const struct permission_object *object, const struct acl_change *change)
{
	send_change(databricks, call, object, change, METHOD_PUT);
}

/* ---- reading ---- */

/* One list under way. */
struct reader {
	enum securable_type type;
	struct arena *arena;
	struct err *err;
	struct table *places; /* principal_key -> its entry */
	struct acl_entry *entries;
	size_t count, unreadable;
};

static enum err_code wrong(const struct reader *reader, const char *what)
{
	return err_set(reader->err, ERR_PROTO, 0, "permissions of a %s: %s",
			securable_traits(reader->type)->name, what);
}

/* false: inherited. Who does not say is direct unless it says from where it comes. */
static bool is_direct(const struct tape_value *permission)
{
	const struct tape_value *inherited = tape_get(permission, "inherited");

	if (tape_is(inherited, TAPE_TRUE) || tape_is(inherited, TAPE_FALSE))
		return tape_is(inherited, TAPE_FALSE);
	return tape_count(tape_get(permission, "inherited_from_object")) == 0;
}

static enum err_code add_level(const struct reader *reader, const struct tape_value *permission,
		struct acl_entry *entry)
{
	const char *level = tape_text(tape_get(permission, "permission_level"));
	const char *before = entry->inherited;

	if (!level || !*level)
		return wrong(reader, "an entry without level");
	level = translate_level(reader->type, level);
	if (is_direct(permission)) {
		entry->direct = join_levels(reader->type, entry->direct, level);
		return ERR_NONE;
	}
	entry->inherited = join_levels(reader->type, before, level);
	if (!text_equal(entry->inherited, before))
		entry->from = tape_text(tape_first(tape_get(permission, "inherited_from_object")));
	return ERR_NONE;
}

/* all_permissions, or the flat permission_level of older interfaces. */
static enum err_code add_levels(
		const struct reader *reader, const struct tape_value *item, struct acl_entry *entry)
{
	const struct tape_value *list = tape_get(item, "all_permissions");

	if (!list)
		return tape_get(item, "permission_level") ? add_level(reader, item, entry)
							  : ERR_NONE;
	if (!tape_is(list, TAPE_ARRAY))
		return wrong(reader, "\"all_permissions\" is no array");
	for (const struct tape_value *permission = tape_first(list); permission;
			permission = tape_next(list, permission)) {
		if (add_level(reader, permission, entry) != ERR_NONE)
			return reader->err->code;
	}
	return ERR_NONE;
}

/* The entry of that principal: one that was there already, should the answer name it twice. */
static struct acl_entry *entry_of(struct reader *reader, enum principal_kind kind, const char *name)
{
	AUTO(mem_freep) char *key = principal_key(kind, name);
	struct acl_entry *entry = table_find(reader->places, span_of(key));

	if (entry)
		return entry;
	entry = &reader->entries[reader->count++];
	*entry = (struct acl_entry){.kind = kind,
			.name = name,
			.folded = arena_strdup(reader->arena, strchr(key, ':') + 1)};
	(void)table_put(reader->places, span_of(key), entry);
	return entry;
}

static enum err_code read_entry(struct reader *reader, const struct tape_value *item)
{
	if (!tape_is(item, TAPE_OBJECT))
		return wrong(reader, "an entry that is no object");
	for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_; kind++) {
		const struct tape_value *name = tape_get(item, name_keys[kind]);

		if (!name)
			continue;
		if (!tape_is(name, TAPE_TEXT))
			return wrong(reader, "a name that is no text");
		if (name->len)
			return add_levels(reader, item,
					entry_of(reader, (enum principal_kind)kind, name->text));
	}
	reader->unreadable++;
	return ERR_NONE;
}

/* An entry with neither a direct nor an inherited level says nothing. */
static void drop_empty_entries(struct reader *reader)
{
	size_t kept = 0;

	for (size_t i = 0; i < reader->count; i++) {
		if (reader->entries[i].direct || reader->entries[i].inherited)
			reader->entries[kept++] = reader->entries[i];
	}
	reader->count = kept;
}

static enum err_code read_list(struct reader *reader, const struct tape_value *list)
{
	size_t count = tape_count(list);

	if (list && !tape_is(list, TAPE_ARRAY))
		return wrong(reader, "\"access_control_list\" is no array");
	if (count > PERMISSION_ENTRIES_MAX)
		return err_set(reader->err, ERR_LIMIT, 0,
				"permissions of a %s: %zu entries, at most %d",
				securable_traits(reader->type)->name, count,
				PERMISSION_ENTRIES_MAX);
	reader->entries = arena_alloc(reader->arena, (count + 1) * sizeof(*reader->entries));
	for (const struct tape_value *item = tape_first(list); item; item = tape_next(list, item)) {
		if (read_entry(reader, item) != ERR_NONE)
			return reader->err->code;
	}
	drop_empty_entries(reader);
	return ERR_NONE;
}

enum err_code permission_acl(const struct call *call, enum securable_type type, struct arena *arena,
		struct acl *ret, struct err *err)
{
	const struct tape_value *answer = tape_root(call->answer);
	const struct tape_value *list = tape_get(answer, "access_control_list");
	struct reader reader = {.type = type, .arena = arena, .err = err};
	enum err_code code;

	/* An empty list may be left out; what has no object_id either is no list and must not look like an empty one. */
	if (!tape_is(answer, TAPE_OBJECT) || (!list && !tape_get(answer, "object_id")))
		return wrong(&reader, "expected an object with a list");
	reader.places = table_new();
	code = read_list(&reader, list);
	table_free(reader.places);
	if (code == ERR_NONE)
		*ret = (struct acl){.type = type,
				.entries = reader.entries,
				.count = reader.count,
				.unreadable = reader.unreadable};
	return code;
}

enum err_code permission_levels(const struct call *call, struct arena *arena,
		const char *const **ret, size_t *ret_count, struct err *err)
{
	const struct tape_value *list = tape_get(tape_root(call->answer), "permission_levels");
	size_t count = 0, all = tape_count(list);
	const char **levels;

	if (!tape_is(list, TAPE_ARRAY))
		return err_set(err, ERR_PROTO, 0, "permission levels: expected a list");
	if (all > PERMISSION_ENTRIES_MAX)
		return err_set(err, ERR_LIMIT, 0, "permission levels: %zu of them", all);
	levels = arena_alloc(arena, (all + 1) * sizeof(*levels));
	for (const struct tape_value *item = tape_first(list); item; item = tape_next(list, item)) {
		levels[count] = tape_text(tape_get(item, "permission_level"));
		if (!levels[count++])
			return err_set(err, ERR_PROTO, 0, "permission levels: one without a name");
	}
	*ret = levels;
	*ret_count = count;
	return ERR_NONE;
}

/* ---- what is in a list ---- */

const struct acl_entry *acl_find(const struct acl *acl, enum principal_kind kind, const char *name)
{
	AUTO(mem_freep) char *folded = text_fold(span_of(name));
	const struct acl_entry *found = NULL;

	for (size_t i = 0; i < acl->count; i++) {
		const struct acl_entry *entry = &acl->entries[i];

		if (entry->kind != kind)
			continue;
		if (strcmp(entry->name, name) == 0)
			return entry;
		if (strcmp(entry->folded, folded) == 0)
			found = entry;
	}
	return found;
}

const struct acl_entry *acl_owner(const struct acl *acl)
{
	for (size_t i = 0; i < acl->count; i++) {
		if (text_equal(acl->entries[i].direct, OWNER))
			return &acl->entries[i];
	}
	return NULL;
}

struct acl_grant *acl_grants(
		const struct acl *acl, size_t more, struct arena *arena, size_t *ret_count)
{
	struct acl_grant *grants = arena_alloc(arena, (acl->count + more + 1) * sizeof(*grants));
	size_t count = 0;

	for (size_t i = 0; i < acl->count; i++) {
		const struct acl_entry *entry = &acl->entries[i];

		if (entry->direct)
			grants[count++] =
					(struct acl_grant){entry->kind, entry->name, entry->direct};
	}
	*ret_count = count;
	return grants;
}

bool permission_unknown_principal(
		const struct call *call, enum principal_kind *ret_kind, const char **ret_name)
{
	if (call->refusal != REFUSAL_PRINCIPAL || !call->unknown_name)
		return false;
	*ret_kind = call->unknown_kind;
	*ret_name = call->unknown_name;
	return true;
}
