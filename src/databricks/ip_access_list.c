#include "databricks/ip_access_list.h"

#include "databricks/http.h"

#include <stddef.h>

static const char *const type_names[] = {
		[IP_ACCESS_ALLOW] = "ALLOW", [IP_ACCESS_BLOCK] = "BLOCK", NULL};
_Static_assert(sizeof(enum ip_access_type) == sizeof(int), "read as RECORD_WORD");

#define FIELD(key, type, member, required, words)                                                  \
	{                                                                                          \
		key, type, offsetof(struct ip_access_list, member), required, words                \
	}
static const struct record_field fields[] = {
		FIELD("list_id", RECORD_ID, id, true, NULL),
		FIELD("label", RECORD_TEXT, label, true, NULL),
		FIELD("list_type", RECORD_WORD, type, true, type_names),
		FIELD("ip_addresses", RECORD_TEXTS, addresses, false, NULL),
		FIELD("enabled", RECORD_BOOL, enabled, true, NULL),
		FIELD("address_count", RECORD_INTEGER, address_count, false, NULL),
		FIELD("created_by", RECORD_ID, created_by_id, false, NULL),
		FIELD("updated_by", RECORD_ID, updated_by_id, false, NULL),
		FIELD("created_at", RECORD_INTEGER, created_ms, false, NULL),
		FIELD("updated_at", RECORD_INTEGER, updated_ms, false, NULL),
};
static const struct record_shape shape = {
		"IP access list", sizeof(struct ip_access_list), fields, COUNT_OF(fields)};

const char *ip_access_type_name(enum ip_access_type type)
{
	return type_names[type];
}

static void prepare(struct databricks *databricks, struct call *call, enum method method,
		const char *id_or_null, json_t *body)
{
	AUTO(mem_freep) char *escaped = id_or_null ? http_escape(id_or_null) : mem_strdup("");

	call_prepare(call, method, FAMILY_IP_LIST,
			record_path(databricks, call, "2.0", "/ip-access-lists%s%s",
					id_or_null ? "/" : "", escaped),
			body);
}

void ip_access_list_list(struct databricks *databricks, struct call *call)
{
	prepare(databricks, call, METHOD_GET, NULL, NULL);
	call_send(databricks, call);
}

enum err_code ip_access_list_list_read(const struct call *call, struct arena *arena,
		const struct ip_access_list **ret, size_t *ret_count, struct err *err)
{
	void *records;

	if (records_of_call(call, "ip_access_lists", &shape, arena, &records, ret_count, err) !=
			ERR_NONE)
		return err->code;
	*ret = records;
	return ERR_NONE;
}

void ip_access_list_get(struct databricks *databricks, struct call *call, const char *id)
{
	prepare(databricks, call, METHOD_GET, id, NULL);
	call_send(databricks, call);
}

enum err_code ip_access_list_read(const struct call *call, struct arena *arena,
		struct ip_access_list *ret, struct err *err)
{
	return record_of_call(call, "ip_access_list", &shape, arena, ret, err);
}

static json_t *body_of(const struct ip_access_list *list)
{
	json_t *addresses = json_array();

	for (size_t i = 0; i < list->addresses.count; i++)
		(void)json_array_append_new(addresses, json_string(list->addresses.items[i]));
	return json_pack("{s:s, s:s, s:o}", "label", list->label, "list_type",
			type_names[list->type], "ip_addresses", addresses);
}

static void send_list(
		struct databricks *databricks, struct call *call, const struct ip_access_list *list)
{
	if (list->addresses.count > IP_ACCESS_VALUES_MAX)
		record_refuse(databricks, call, ERR_LIMIT,
				"IP access list \"%.100s\": over %d addresses", list->label,
				IP_ACCESS_VALUES_MAX);
	else
		call_send(databricks, call);
}

void ip_access_list_create(
		struct databricks *databricks, struct call *call, const struct ip_access_list *list)
{
	prepare(databricks, call, METHOD_POST, NULL, body_of(list));
	send_list(databricks, call, list);
}

void ip_access_list_replace(
		struct databricks *databricks, struct call *call, const struct ip_access_list *list)
{
	json_t *body = body_of(list);

	(void)json_object_set_new(body, "enabled", json_boolean(list->enabled));
	prepare(databricks, call, METHOD_PUT, list->id, body);
	send_list(databricks, call, list);
}

void ip_access_list_set_enabled(
		struct databricks *databricks, struct call *call, const char *id, bool enabled)
{
	prepare(databricks, call, METHOD_PATCH, id, json_pack("{s:b}", "enabled", (int)enabled));
	call_send(databricks, call);
}

void ip_access_list_delete(struct databricks *databricks, struct call *call, const char *id)
{
	prepare(databricks, call, METHOD_DELETE, id, NULL);
	call_send(databricks, call);
}
