/*
 * Unity Catalog: securables and who owns them. One metastore for the account, seen from every workspace.
 *
 * Principals are those of the account, by name; a workspace's own groups, its admins and users are none here. An owner
 * who was deleted stays as a name.
 */
#include "api.h"
#include "base/clock.h"
#include "base/text.h"
#include "record.h"
#include "who.h"

#define METASTORE_ID "00000000-0000-4000-8000-000000000001"
#define SYSTEM_USER "System user"
#define OWNER "owner_name" /* a record's own "owner" is a principal, this one may be gone */
#define NAME_PARTS_MAX 3

enum {
	CATALOGS,
	SCHEMAS,
	TABLES,
	VOLUMES,
	FUNCTIONS,
	MODELS,
	EXTERNAL_LOCATIONS,
	STORAGE_CREDENTIALS,
	CREDENTIALS,
	CONNECTIONS,
	SHARES,
	RECIPIENTS,
	PROVIDERS,
	METASTORES
};
/* What there is of it: how it is called in paths and lists, of how many parts its names are. */
static const struct {
	const char *path, *key, *noun;
	size_t parts;
} types[] = {
		[CATALOGS] = {"catalogs", "catalogs", "Catalog", 1},
		[SCHEMAS] = {"schemas", "schemas", "Schema", 2},
		[TABLES] = {"tables", "tables", "Table", 3},
		[VOLUMES] = {"volumes", "volumes", "Volume", 3},
		[FUNCTIONS] = {"functions", "functions", "Function", 3},
		[MODELS] = {"models", "registered_models", "Registered model", 3},
		[EXTERNAL_LOCATIONS] = {"external-locations", "external_locations",
				"External location", 1},
		[STORAGE_CREDENTIALS] = {"storage-credentials", "storage_credentials",
				"Storage credential", 1},
		[CREDENTIALS] = {"credentials", "credentials", "Credential", 1},
		[CONNECTIONS] = {"connections", "connections", "Connection", 1},
		[SHARES] = {"shares", "shares", "Share", 1},
		[RECIPIENTS] = {"recipients", "recipients", "Recipient", 1},
		[PROVIDERS] = {"providers", "providers", "Provider", 1},
		[METASTORES] = {"metastores", "metastores", "Metastore", 1},
};

static struct record *find(const struct state *state, size_t type, const char *full_name)
{
	AUTO(mem_freep) char *id = mem_printf("%s/%s", types[type].path, full_name);

	return record_find(state, NULL, RECORD_SECURABLE, id);
}

/* The caller's. */
static json_t *show(const struct record *record)
{
	json_t *shown = json_copy(record->fields);

	object_text(shown, "owner", record_text(record, OWNER));
	(void)json_object_del(shown, OWNER);
	return shown;
}

static struct record *metastore(struct state *state)
{
	struct record *record = find(state, METASTORES, METASTORE_ID);
	struct record_make make = {.kind = RECORD_SECURABLE, .id = "metastores/" METASTORE_ID};

	if (record)
		return record;
	make.fields = json_pack("{s:s, s:s, s:s}", "metastore_id", METASTORE_ID, "name", "sample",
			OWNER, SYSTEM_USER);
	return record_make(state, &make);
}

static bool has_metastore(struct api_call *call)
{
	return api_quirk(call, QUIRK_FEDERATION) ||
			api_refuse(call, 404, "METASTORE_DOES_NOT_EXIST",
					"No metastore assigned for the current workspace.");
}

/* Who a name means; local groups and the workspace's own are unknown. */
static struct principal *find_principal(const struct state *state, const char *name)
{
	static const struct {
		enum kind kind;
		enum index_kind index;
	} forms[] = {{KIND_USER, INDEX_NAME}, {KIND_SP, INDEX_NAME}, {KIND_GROUP, INDEX_DISPLAY}};

	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		struct principal *who = state_find_text(state, forms[i].kind, forms[i].index, name);

		if (who)
			return who;
	}
	return NULL;
}

static bool owns(const struct state *state, const struct record *record,
		const struct principal *caller)
{
	const struct principal *owner =
			record ? find_principal(state, record_text(record, OWNER)) : NULL;

	return owner &&
			(owner == caller ||
					(owner->kind == KIND_GROUP && who_is_below(caller, owner)));
}

/* As long as nobody else is, the account's admins are the metastore's. */
static bool is_metastore_admin(struct api_call *call)
{
	const struct record *record = metastore(call->state);
	const struct principal *caller = call->request->caller;

	if (strcmp(record_text(record, OWNER), SYSTEM_USER) == 0)
		return who_is_account_admin(caller);
	return owns(call->state, record, caller);
}

/* Owns it, or what it is in. */
static bool owns_above(struct api_call *call, const struct record *record)
{
	const char *catalog = record_text(record, "catalog_name");
	const char *schema = record_text(record, "schema_name");
	const struct principal *caller = call->request->caller;
	AUTO(mem_freep)
	char *full = catalog && schema ? mem_printf("%s.%s", catalog, schema) : NULL;

	return owns(call->state, record, caller) ||
			(catalog &&
					owns(call->state, find(call->state, CATALOGS, catalog),
							caller)) ||
			(full && owns(call->state, find(call->state, SCHEMAS, full), caller));
}

static struct record *need(struct api_call *call)
{
	size_t type = (size_t)call->of;
	struct record *record;

	if (!has_metastore(call))
		return NULL;
	(void)metastore(call->state);
	record = find(call->state, type, call->args[0]);
	if (!record)
		(void)api_refuse(call, 404, "RESOURCE_DOES_NOT_EXIST", "%s '%s' does not exist.",
				types[type].noun, call->args[0]);
	return record;
}

static bool take_name(struct api_call *call, const char *key, json_t *fields, struct buf *full)
{
	const char *text = NULL;

	if (!api_take_text(call, key, &text))
		return false;
	if (!text || !*text || strchr(text, '.') || strchr(text, '/'))
		return api_refuse_value(call, "%s is not valid: %s", key, text ? text : "");
	object_text(fields, key, text);
	buf_printf(full, "%s%s", full->len ? "." : "", text);
	return true;
}

/* The catalog, the schema and the name itself, as many as it has. */
static bool take_names(struct api_call *call, json_t *fields, struct buf *full)
{
	static const char *const keys[NAME_PARTS_MAX] = {"catalog_name", "schema_name", "name"};
	size_t parts = types[call->of].parts;

	for (size_t i = 0; i < parts; i++) {
		const char *key = i + 1 == parts ? "name" : keys[i];

		if (i > 0 && !find(call->state, i - 1, buf_text(full)))
			return api_refuse(call, 404, "RESOURCE_DOES_NOT_EXIST",
					"%s '%s' does not exist.", types[i - 1].noun,
					buf_text(full));
		if (!take_name(call, key, fields, full))
			return false;
	}
	return !find(call->state, (size_t)call->of, buf_text(full)) ||
			api_refuse(call, 400, "RESOURCE_ALREADY_EXISTS", "%s '%s' already exists",
					types[call->of].noun, buf_text(full));
}

static void create(struct api_call *call)
{
	struct record_make make = {.kind = RECORD_SECURABLE};
	AUTO(buf_release) struct buf full;
	AUTO(mem_freep) char *id = NULL;
	json_t *fields = json_object();

	buf_init(&full, 4096);
	if (!has_metastore(call) || !take_names(call, fields, &full)) {
		json_decref(fields);
		return;
	}
	object_text(fields, "full_name", buf_text(&full));
	object_text(fields, OWNER, who_name(call->request->caller));
	object_text(fields, "metastore_id", METASTORE_ID);
	object_number(fields, "created_at", clock_wall_ms());
	make.id = id = mem_printf("%s/%s", types[call->of].path, buf_text(&full));
	make.fields = fields;
	api_answer(call, show(record_make(call->state, &make)));
}

static bool is_listed(struct api_call *call, const struct record *record)
{
	static const char *const keys[] = {"catalog_name", "schema_name"};
	size_t len = strlen(types[call->of].path);

	if (strncmp(record->id, types[call->of].path, len) != 0 || record->id[len] != '/')
		return false;
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		const char *want = api_query(call, keys[i]), *has = record_text(record, keys[i]);

		if (want && (!has || strcmp(want, has) != 0))
			return false;
	}
	return true;
}

/* There is no list of all: what is in a catalog or schema is asked for by that. */
static void list(struct api_call *call)
{
	size_t parts = types[call->of].parts;
	json_t *items;

	if (!has_metastore(call))
		return;
	(void)metastore(call->state);
	if ((parts > 1 && !api_query(call, "catalog_name")) ||
			(parts > 2 && !api_query(call, "schema_name"))) {
		(void)api_refuse_value(call, "Missing required field: %s",
				api_query(call, "catalog_name") ? "schema_name" : "catalog_name");
		return;
	}
	items = json_array();
	for (vec_each (record_list(call->state, NULL, RECORD_SECURABLE), record)) {
		if (!(*record)->revoked && is_listed(call, *record))
			(void)json_array_append_new(items, show(*record));
	}
	api_answer_page(call, types[call->of].key, items);
}

static void get(struct api_call *call)
{
	const struct record *record = need(call);

	if (record)
		api_answer(call, show(record));
}

/* Owners change all, who is above them or the metastore's admin the owner alone. */
static bool may_change(struct api_call *call, const struct record *record, bool owner_only)
{
	const struct principal *caller = call->request->caller;
	bool above = owns_above(call, record) || is_metastore_admin(call);

	if ((call->of != METASTORES && owns(call->state, record, caller)) || (owner_only && above))
		return true;
	if (call->of == METASTORES)
		return api_refuse(call, 403, "PERMISSION_DENIED",
				"User is not a metastore admin for Metastore '%s'.",
				record_text(record, "name"));
	return api_refuse(call, 403, "PERMISSION_DENIED", "User is not an owner of %s '%s'.",
			types[call->of].noun, call->args[0]);
}

static bool check_owner(struct api_call *call, const char *name)
{
	const struct principal *who = find_principal(call->state, name);
	const struct principal *caller = call->request->caller;

	if (!who)
		return api_refuse(call, 404, "PRINCIPAL_DOES_NOT_EXIST",
				"Could not find principal with name %s", name);
	if (call->of != FUNCTIONS || who->kind != KIND_GROUP || is_metastore_admin(call) ||
			who_is_below(caller, who))
		return true;
	return api_refuse(call, 403, "PERMISSION_DENIED", "User is not a member of group %s", name);
}

static void update(struct api_call *call)
{
	struct record *record = need(call);
	const char *owner = NULL, *comment = NULL;
	bool system;

	if (!record || !api_take_text(call, "owner", &owner) ||
			!api_take_text(call, "comment", &comment) ||
			!may_change(call, record, owner && !comment))
		return;
	system = owner && !*owner && call->of == METASTORES;
	if (owner && !system && !check_owner(call, owner))
		return;
	object_text(record->fields, "comment", comment);
	object_text(record->fields, OWNER, system ? SYSTEM_USER : owner);
	api_answer(call, show(record));
}

static void delete (struct api_call *call)
{
	struct record *record = need(call);

	if (!record || !may_change(call, record, true))
		return;
	record_drop(call->state, record);
	api_answer_empty(call);
}

static void get_summary(struct api_call *call)
{
	if (has_metastore(call))
		api_answer(call, show(metastore(call->state)));
}

#define UC "api/2.1/unity-catalog/"
#define ROUTE(method, path, handle, type)                                                          \
	{                                                                                          \
		method, UC path, API_WORKSPACE, API_ANYONE, handle, type, 0                        \
	}
#define SECURABLE(path, type)                                                                      \
	ROUTE("POST", path, create, type), ROUTE("GET", path, list, type),                         \
			ROUTE("GET", path "/{}", get, type),                                       \
			ROUTE("PATCH", path "/{}", update, type),                                  \
			ROUTE("DELETE", path "/{}", delete, type)

static const struct api_route routes[] = {
		SECURABLE("catalogs", CATALOGS),
		SECURABLE("schemas", SCHEMAS),
		SECURABLE("tables", TABLES),
		SECURABLE("volumes", VOLUMES),
		SECURABLE("functions", FUNCTIONS),
		SECURABLE("models", MODELS),
		SECURABLE("external-locations", EXTERNAL_LOCATIONS),
		SECURABLE("storage-credentials", STORAGE_CREDENTIALS),
		SECURABLE("credentials", CREDENTIALS),
		SECURABLE("connections", CONNECTIONS),
		SECURABLE("shares", SHARES),
		SECURABLE("recipients", RECIPIENTS),
		SECURABLE("providers", PROVIDERS),
		ROUTE("GET", "metastores", list, METASTORES),
		ROUTE("GET", "metastores/{}", get, METASTORES),
		ROUTE("PATCH", "metastores/{}", update, METASTORES),
		ROUTE("GET", "metastore_summary", get_summary, METASTORES),
};
const struct api_family unity_calls = API_FAMILY(routes);
