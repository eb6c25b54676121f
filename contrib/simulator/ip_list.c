#include "ip_list.h"

#include <arpa/inet.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "conf.h"
#include "record.h"
#include "setting.h"

#define VALUES_MAX 1000 /* over all lists of a place, published */
#define LABEL_BYTES_MAX 1024

/* What a list is about to be. */
struct draft {
	const char *label, *type;
	json_t *addresses; /* borrowed */
	bool enabled, has_enabled;
};

bool ip_parse(const char *text, uint32_t *ret_address, uint32_t *ret_mask)
{
	const char *slash = strchr(text, '/');
	AUTO(mem_freep) char *host = slash ? mem_strndup(text, (size_t)(slash - text)) : NULL;
	struct in_addr address;
	int64_t bits = 32;

	if (inet_pton(AF_INET, slash ? host : text, &address) != 1 ||
			(slash && !text_parse_int(slash + 1, 0, 32, &bits)))
		return false;
	*ret_mask = bits == 0 ? 0 : UINT32_MAX << (32 - bits);
	*ret_address = ntohl(address.s_addr);
	return true;
}

bool ip_list_is_on(const struct state *state, const struct workspace *place)
{
	return place ? conf_is(state, place, "enableIpAccessLists", true)
		     : setting_account_lists_on(state);
}

static bool matches(const json_t *addresses, uint32_t address)
{
	size_t i;
	json_t *value;

	json_array_foreach(addresses, i, value)
	{
		uint32_t network, mask;

		if (ip_parse(json_string_value(value), &network, &mask) &&
				(network & mask) == (address & mask))
			return true;
	}
	return false;
}

/* One list's part of the verdict. */
struct verdict {
	bool blocked, allows, allowed;
};

static void judge(struct verdict *verdict, const char *type, const json_t *addresses,
		uint32_t address)
{
	bool match = matches(addresses, address);

	if (strcmp(type, "BLOCK") == 0) {
		verdict->blocked = verdict->blocked || match;
		return;
	}
	verdict->allows = true;
	verdict->allowed = verdict->allowed || match;
}

static bool is_in(const struct verdict *verdict)
{
	return !verdict->blocked && (!verdict->allows || verdict->allowed);
}

/* The lists as they would be with draft in place of changed (or beside all, if that is NULL). draft NULL: none. */
static bool admits_with(const struct state *state, const struct workspace *place,
		const struct record *changed, const struct draft *draft, uint32_t address)
{
	struct verdict verdict = {0};

	for (vec_each (record_list(state, place, RECORD_IP_LIST), list)) {
		const json_t *fields = (*list)->fields;

		if (*list != changed && json_is_true(json_object_get(fields, "enabled")))
			judge(&verdict, record_text(*list, "list_type"),
					json_object_get(fields, "ip_addresses"), address);
	}
	if (draft && draft->enabled)
		judge(&verdict, draft->type, draft->addresses, address);
	return is_in(&verdict);
}

bool ip_list_admits(const struct state *state, const struct workspace *place, uint32_t address)
{
	return admits_with(state, place, NULL, NULL, address);
}

static void ip_format(uint32_t address, char ret[static INET_ADDRSTRLEN])
{
	struct in_addr raw = {.s_addr = htonl(address)};

	(void)inet_ntop(AF_INET, &raw, ret, INET_ADDRSTRLEN);
}

uint32_t ip_of_request(const struct request *request)
{
	const struct options *options = &request->sim->options;
	const char *header = request->forwarded_for;
	uint32_t address, mask;

	if (header && options->quirks[QUIRK_TRUST_FORWARDED_FOR]) {
		AUTO(mem_freep) char *first = mem_strndup(header, strcspn(header, ", "));

		if (ip_parse(first, &address, &mask) && mask == UINT32_MAX)
			return address;
	}
	return options->egress_address ? options->egress_address : request->address;
}

bool ip_list_check(const struct request *request, struct answer *answer)
{
	const struct state *state = request->sim->state;
	uint32_t address = ip_of_request(request);
	char text[INET_ADDRSTRLEN], uuid[37];
	struct buf *out;

	if (!ip_list_is_on(state, request->host) || ip_list_admits(state, request->host, address))
		return true;
	ip_format(address, text);
	digest_uuid(uuid);
	out = answer_json(answer, 403);
	buf_printf(out,
			"{\"error_code\":403,\"message\":\"Source IP address: %s is blocked by "
			"Databricks IP ACL for %s: %s [ReqId: %s]\"}",
			text, request->host ? "workspace" : "account",
			request->host ? request->host->id_text : state->account_id, uuid);
	return false;
}

static bool refuse_lock_out(struct api_call *call)
{
	char text[INET_ADDRSTRLEN];

	ip_format(ip_of_request(call->request), text);
	return api_refuse(call, 400, "INVALID_STATE",
			"Your current IP %s will not be allowed to access the %s under current "
			"configuration",
			text, call->place ? "workspace" : "account");
}

bool ip_list_check_switch(struct api_call *call)
{
	return ip_list_admits(call->state, call->place, ip_of_request(call->request)) ||
			refuse_lock_out(call);
}

/* Lists that are not in force shut nobody out. */
static bool check_guard(
		struct api_call *call, const struct record *changed, const struct draft *draft)
{
	if (!ip_list_is_on(call->state, call->place) && !api_quirk(call, QUIRK_IP_GUARD_ALWAYS))
		return true;
	return admits_with(call->state, call->place, changed, draft,
			       ip_of_request(call->request)) ||
			refuse_lock_out(call);
}

static bool check_feature(struct api_call *call)
{
	return api_quirk(call, QUIRK_IP_LISTS) ||
			api_refuse(call, 403, "FEATURE_DISABLED",
					"IP access list is not available in the pricing tier of "
					"this workspace");
}

/* Takes what the body has; what it has not stays as it is in the draft. */
static bool read_draft(struct api_call *call, struct draft *draft)
{
	draft->has_enabled = json_is_boolean(json_object_get(call->body, "enabled"));
	return api_take_text(call, "label", &draft->label) &&
			api_take_text(call, "list_type", &draft->type) &&
			api_take_texts(call, "ip_addresses", &draft->addresses) &&
			api_take_bool(call, "enabled", &draft->enabled);
}

static bool check_form(struct api_call *call, const struct draft *draft)
{
	size_t i;
	json_t *value;
	uint32_t address, mask;

	if (!draft->label || !*draft->label || strlen(draft->label) > LABEL_BYTES_MAX)
		return api_refuse_value(call, "label is required and must not be empty");
	if (!draft->type ||
			(strcmp(draft->type, "ALLOW") != 0 && strcmp(draft->type, "BLOCK") != 0))
		return api_refuse_value(call, "list_type must be ALLOW or BLOCK, not %s",
				draft->type ? draft->type : "nothing");
	json_array_foreach(draft->addresses, i, value)
	{
		if (!ip_parse(json_string_value(value), &address, &mask))
			return api_refuse_value(call, "%s is not a valid IPv4 address or CIDR",
					json_string_value(value));
	}
	return true;
}

static bool check_label(
		struct api_call *call, const struct record *changed, const struct draft *draft)
{
	for (vec_each (record_list(call->state, call->place, RECORD_IP_LIST), list)) {
		if (*list != changed && strcmp(record_text(*list, "label"), draft->label) == 0 &&
				strcmp(record_text(*list, "list_type"), draft->type) == 0)
			return api_refuse(call, 400, "RESOURCE_ALREADY_EXISTS",
					"IP access list with type (%s) and label (%s) already "
					"exists",
					draft->type, draft->label);
	}
	return true;
}

static bool check_quota(
		struct api_call *call, const struct record *changed, const struct draft *draft)
{
	size_t count = json_array_size(draft->addresses);

	for (vec_each (record_list(call->state, call->place, RECORD_IP_LIST), list)) {
		if (*list != changed)
			count += json_array_size(json_object_get((*list)->fields, "ip_addresses"));
	}
	return count <= VALUES_MAX ||
			api_refuse(call, 400, "QUOTA_EXCEEDED",
					"Number of IP addresses in all lists exceeds the limit of "
					"%d",
					VALUES_MAX);
}

static bool check_draft(
		struct api_call *call, const struct record *changed, const struct draft *draft)
{
	return check_feature(call) && check_form(call, draft) &&
			check_label(call, changed, draft) && check_quota(call, changed, draft) &&
			check_guard(call, changed, draft);
}

static json_t *show(const struct record *list)
{
	json_t *object = json_copy(list->fields);
	json_t *addresses = json_object_get(object, "ip_addresses");

	object_text(object, "list_id", list->id);
	(void)json_object_set_new(object, "address_count",
			json_integer((json_int_t)json_array_size(addresses)));
	return object;
}

static void answer_list(struct api_call *call, const struct record *list)
{
	api_answer(call, json_pack("{s:o}", "ip_access_list", show(list)));
}

static void store_draft(struct api_call *call, struct record *list, const struct draft *draft)
{
	json_t *fields = list->fields;

	object_text(fields, "label", draft->label);
	object_text(fields, "list_type", draft->type);
	(void)json_object_set(fields, "ip_addresses", draft->addresses);
	(void)json_object_set_new(fields, "enabled", json_boolean(draft->enabled));
	object_number(fields, "updated_at", clock_wall_ms());
	object_number(fields, "updated_by", (int64_t)call->request->caller->id);
}

static void create_list(struct api_call *call)
{
	struct record_make make = {.kind = RECORD_IP_LIST, .place = call->place};
	json_t *none = json_array();
	struct draft draft = {.addresses = none};

	if (read_draft(call, &draft)) {
		draft.enabled = true;
		if (check_draft(call, NULL, &draft)) {
			struct record *list = record_make(call->state, &make);

			store_draft(call, list, &draft);
			object_number(list->fields, "created_at", clock_wall_ms());
			object_number(list->fields, "created_by",
					(int64_t)call->request->caller->id);
			answer_list(call, list);
		}
	}
	json_decref(none);
}

static struct record *find_list(struct api_call *call)
{
	struct record *list = record_find(call->state, call->place, RECORD_IP_LIST, call->args[0]);

	if (!list)
		(void)api_refuse(call, 404, "RESOURCE_DOES_NOT_EXIST",
				"Can't find an IP access list with id: %s.", call->args[0]);
	return list;
}

/* The fields of list that go on; borrowed from it, so they are held while it changes. */
static struct draft draft_of(const struct record *list)
{
	return (struct draft){
			.label = record_text(list, "label"),
			.type = record_text(list, "list_type"),
			.addresses = json_object_get(list->fields, "ip_addresses"),
			.enabled = json_is_true(json_object_get(list->fields, "enabled")),
	};
}

static void change_list(struct api_call *call, struct record *list, struct draft *draft)
{
	json_t *held = json_copy(list->fields); /* what the draft has from it outlives the change */

	if (check_draft(call, list, draft)) {
		store_draft(call, list, draft);
		answer_list(call, list);
	}
	json_decref(held);
}

static void replace_list(struct api_call *call)
{
	struct record *list = find_list(call);
	json_t *none = json_array();
	struct draft draft = {.addresses = none};

	if (list && read_draft(call, &draft)) {
		if (!draft.has_enabled)
			(void)api_refuse_value(call, "enabled is required");
		else
			change_list(call, list, &draft);
	}
	json_decref(none);
}

static void update_list(struct api_call *call)
{
	struct record *list = find_list(call);
	struct draft draft;

	if (!list)
		return;
	draft = draft_of(list);
	if (read_draft(call, &draft))
		change_list(call, list, &draft);
}

static void list_lists(struct api_call *call)
{
	json_t *lists = json_array(), *answer = json_object();

	for (vec_each (record_list(call->state, call->place, RECORD_IP_LIST), list))
		(void)json_array_append_new(lists, show(*list));
	if (json_array_size(lists) || !api_quirk(call, QUIRK_ABSENT_LISTS))
		(void)json_object_set(answer, "ip_access_lists", lists);
	json_decref(lists);
	if (check_feature(call))
		api_answer(call, json_incref(answer));
	json_decref(answer);
}

static void get_list(struct api_call *call)
{
	const struct record *list = find_list(call);

	if (list)
		answer_list(call, list);
}

static void delete_list(struct api_call *call)
{
	struct record *list = find_list(call);

	if (!list || !check_guard(call, list, NULL))
		return;
	record_drop(call->state, list);
	api_answer_empty(call);
}

#define LISTS "api/2.0/ip-access-lists"
#define ACCOUNT_LISTS "api/2.0/accounts/*/ip-access-lists"

static const struct api_route routes[] = {
		{"POST", LISTS, API_WORKSPACE, API_ADMIN, create_list, 0, 0},
		{"GET", LISTS, API_WORKSPACE, API_ADMIN, list_lists, 0, 0},
		{"GET", LISTS "/{}", API_WORKSPACE, API_ADMIN, get_list, 0, 0},
		{"PUT", LISTS "/{}", API_WORKSPACE, API_ADMIN, replace_list, 0, 0},
		{"PATCH", LISTS "/{}", API_WORKSPACE, API_ADMIN, update_list, 0, 0},
		{"DELETE", LISTS "/{}", API_WORKSPACE, API_ADMIN, delete_list, 0, 0},
		{"POST", ACCOUNT_LISTS, API_ACCOUNT, API_ADMIN, create_list, 0, 0},
		{"GET", ACCOUNT_LISTS, API_ACCOUNT, API_ADMIN, list_lists, 0, 0},
		{"GET", ACCOUNT_LISTS "/{}", API_ACCOUNT, API_ADMIN, get_list, 0, 0},
		{"PUT", ACCOUNT_LISTS "/{}", API_ACCOUNT, API_ADMIN, replace_list, 0, 0},
		{"PATCH", ACCOUNT_LISTS "/{}", API_ACCOUNT, API_ADMIN, update_list, 0, 0},
		{"DELETE", ACCOUNT_LISTS "/{}", API_ACCOUNT, API_ADMIN, delete_list, 0, 0},
};
const struct api_family ip_list_calls = API_FAMILY(routes);
