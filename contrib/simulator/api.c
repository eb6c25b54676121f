#include "api.h"

#include <stdarg.h>

#include "base/digest.h"
#include "base/text.h"
#include "who.h"

static const struct api_family *const families[] = {
		&token_calls,
		&token_management_calls,
		&policy_calls,
		&policy_use_calls,
		&ip_list_calls,
		&conf_calls,
		&setting_calls,
		&secret_calls,
		&federation_calls,
		&rule_set_calls,
		&account_workspace_calls,
		&permission_calls,
		&object_calls,
		&tree_calls,
		&owner_calls,
		&scope_calls,
		&policy_job_calls,
		&legacy_permission_calls,
		&unity_calls,
		&migration_calls,
		&external_identity_calls,
		&identity_calls,
		&identity_assignment_calls,
};

static bool path_fits(const struct request *request, const char *path, const char **args)
{
	size_t arg = 0;

	for (size_t i = 0; i < request->segment_count; i++) {
		size_t len = strcspn(path, "/");
		const char *segment = request->segments[i];

		if (len == 2 && memcmp(path, "**", 2) == 0)
			return true;
		if (len == 2 && memcmp(path, "{}", 2) == 0) {
			if (!*segment || arg == API_ARGS_MAX)
				return false;
			args[arg++] = segment;
		} else if (!(len == 1 && *path == '*') &&
				(strlen(segment) != len || memcmp(segment, path, len) != 0)) {
			return false;
		}
		path += len;
		if (!*path)
			return i + 1 == request->segment_count;
		path++;
	}
	return false;
}

const struct api_route *api_find(
		const struct request *request, const char **ret_args, bool *ret_elsewhere)
{
	enum api_host host = request->host ? API_WORKSPACE : API_ACCOUNT;

	*ret_elsewhere = false;
	for (size_t i = 0; i < COUNT_OF(families); i++) {
		for (size_t n = 0; n < families[i]->count; n++) {
			const struct api_route *route = &families[i]->routes[n];

			if (!path_fits(request, route->path, ret_args))
				continue;
			if (route->host == host && request_is(request, route->method))
				return route;
			*ret_elsewhere = *ret_elsewhere || route->host != host;
		}
	}
	return NULL;
}

/* Whoever is let in at the account's host is its admin. */
static bool check_right(struct api_call *call, const struct api_route *route)
{
	if (route->who == API_ANYONE || !call->place ||
			who_is_admin(call->place, call->request->caller))
		return true;
	return api_refuse(call, 403, "PERMISSION_DENIED", "Only workspace admins may do this");
}

void api_serve(struct request *request, const struct api_route *route, const char *const *args,
		struct answer *answer)
{
	struct api_call call = {
			.request = request,
			.answer = answer,
			.state = request->sim->state,
			.place = request->host,
			.of = route->of,
			.variant = route->variant,
	};

	memcpy(call.args, args, sizeof(call.args));
	if (!check_right(&call, route))
		return;
	call.body = request->body.len ? json_loadb(request->body.ptr, request->body.len, 0, NULL)
				      : json_object();
	if (json_is_object(call.body))
		route->handle(&call);
	else
		(void)api_refuse(&call, 400, "MALFORMED_REQUEST", "Could not parse request object");
	json_decref(call.body);
}

bool api_refuse(struct api_call *call, unsigned status, const char *code, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	answer_api_error(call->answer, status, code, "%s", text);
	return false;
}

bool api_refuse_value(struct api_call *call, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	answer_api_error(call->answer, 400, "INVALID_PARAMETER_VALUE", "%s", text);
	return false;
}

bool api_refuse_etag(struct api_call *call, unsigned status, const char *code, const char *text,
		const char *etag)
{
	json_t *answer = json_pack("{s:s, s:s, s:[{s:s, s:s, s:s, s:{s:s}}]}", "error_code", code,
			"message", text, "details", "@type",
			"type.googleapis.com/google.rpc.ErrorInfo", "reason", code, "domain",
			"databricks.com", "metadata", "etag", etag);

	api_answer(call, answer);
	call->answer->status = status;
	return false;
}

void api_answer(struct api_call *call, json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT);

	buf_add_text(answer_json(call->answer, 200), text ? text : "{}");
	free(text); /* jansson's */
	json_decref(value);
}

void api_answer_empty(struct api_call *call)
{
	buf_add_text(answer_json(call->answer, 200), "{}");
}

/* Page tokens carry the size, because the query has to be the same from page to page: "p100.50". */
static bool read_page(struct api_call *call, int64_t *ret_first, int64_t *ret_count)
{
	const char *most = api_query(call, "max_results"); /* the older word */
	const char *size = most ? most : api_query(call, "page_size");
	const char *token = api_query(call, "page_token");
	const char *dot = token ? strchr(token, '.') : NULL;
	AUTO(mem_freep) char *first = dot ? mem_strndup(token, (size_t)(dot - token)) : NULL;
	int64_t meant;

	*ret_first = 0;
	*ret_count = API_PAGE_MAX;
	if (size && !text_parse_int(size, 1, API_PAGE_MAX, ret_count))
		return api_refuse_value(call, "page_size is not valid: %s", size);
	if (!token || !*token)
		return true;
	if (!dot || first[0] != 'p' || !text_parse_int(first + 1, 0, INT32_MAX, ret_first) ||
			!text_parse_int(dot + 1, 1, API_PAGE_MAX, &meant))
		return api_refuse_value(call, "page_token is not valid");
	if (meant != *ret_count)
		return api_refuse_value(call, "page_size differs from that of the earlier request");
	return true;
}

void api_answer_page(struct api_call *call, const char *key, json_t *items)
{
	const char *token = api_query(call, "page_token");
	bool empty = api_quirk(call, QUIRK_EMPTY_PAGES) && !(token && *token);
	int64_t first, count, total = (int64_t)json_array_size(items);
	json_t *answer, *page;

	if (!read_page(call, &first, &count)) {
		json_decref(items);
		return;
	}
	answer = json_object();
	page = json_array();
	for (int64_t i = first; !empty && i < total && i < first + count; i++)
		(void)json_array_append(page, json_array_get(items, (size_t)i));
	if (json_array_size(page) || !api_quirk(call, QUIRK_ABSENT_LISTS))
		(void)json_object_set(answer, key, page);
	if (empty || first + count < total) {
		AUTO(mem_freep)
		char *next = mem_printf("p%lld.%lld", (long long)(empty ? 0 : first + count),
				(long long)count);

		object_text(answer, "next_page_token", next);
	}
	json_decref(page);
	json_decref(items);
	api_answer(call, answer);
}

static json_t *member(const struct api_call *call, const char *key)
{
	json_t *value = json_object_get(call->body, key);

	return json_is_null(value) ? NULL : value;
}

static bool refuse_type(struct api_call *call, const char *key)
{
	return api_refuse(call, 400, "MALFORMED_REQUEST",
			"Could not parse request object: Unexpected type of \"%s\"", key);
}

bool api_take_text(struct api_call *call, const char *key, const char **ret)
{
	const json_t *value = member(call, key);

	if (value && !json_is_string(value))
		return refuse_type(call, key);
	if (value)
		*ret = json_string_value(value);
	return true;
}

/* Numbers of 64 bits may come as text (proto3's JSON form). */
bool api_take_number(struct api_call *call, const char *key, int64_t *ret)
{
	const json_t *value = member(call, key);

	if (!value)
		return true;
	if (json_is_integer(value)) {
		*ret = (int64_t)json_integer_value(value);
		return true;
	}
	return (json_is_string(value) &&
			       text_parse_int(json_string_value(value), INT64_MIN, INT64_MAX,
					       ret)) ||
			refuse_type(call, key);
}

bool api_take_bool(struct api_call *call, const char *key, bool *ret)
{
	const json_t *value = member(call, key);

	if (value && !json_is_boolean(value))
		return refuse_type(call, key);
	if (value)
		*ret = json_is_true(value);
	return true;
}

bool api_take_texts(struct api_call *call, const char *key, json_t **ret)
{
	json_t *value = member(call, key), *item;
	size_t i;

	if (!value)
		return true;
	if (!json_is_array(value))
		return refuse_type(call, key);
	json_array_foreach(value, i, item)
	{
		if (!json_is_string(item))
			return refuse_type(call, key);
	}
	*ret = value;
	return true;
}

const char *api_query(const struct api_call *call, const char *name)
{
	return request_parameter(call->request, name);
}

const char *api_parameter(struct api_call *call, const char *name)
{
	const char *sent = api_query(call, name);
	const json_t *value = json_object_get(call->body, name);

	if (!sent && json_is_integer(value)) {
		(void)json_object_set_new(call->body, name,
				json_sprintf("%lld", (long long)json_integer_value(value)));
		value = json_object_get(call->body, name);
	}
	return sent ? sent : json_string_value(value);
}

bool api_quirk(const struct api_call *call, enum quirk quirk)
{
	return call->request->sim->options.quirks[quirk];
}

bool mask_names(const char *mask, const char *field)
{
	size_t field_len = strlen(field);

	while (*mask) {
		size_t len = strcspn(mask, ",");

		if ((len == 1 && *mask == '*') ||
				(len >= field_len && memcmp(mask, field, field_len) == 0 &&
						(len == field_len || mask[field_len] == '.')))
			return true;
		mask += len;
		mask += *mask == ',';
	}
	return false;
}

bool mask_is(const char *mask, const char *field)
{
	size_t field_len = strlen(field);

	while (*mask) {
		size_t len = strcspn(mask, ",");

		if (len == field_len && memcmp(mask, field, len) == 0)
			return true;
		mask += len;
		mask += *mask == ',';
	}
	return false;
}

void etag_make(char ret[static ETAG_SIZE])
{
	uint64_t random;

	digest_random(&random, sizeof(random));
	(void)snprintf(ret, ETAG_SIZE, "RENUAAAB+/%016llx==", (unsigned long long)random);
}

void object_text(json_t *object, const char *key, const char *text)
{
	if (text)
		(void)json_object_set_new(object, key, json_string(text));
}

void object_number(json_t *object, const char *key, int64_t number)
{
	if (number)
		(void)json_object_set_new(object, key, json_integer(number));
}

json_t *object_pick(const json_t *fields, const char *const *keys, size_t count)
{
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++) {
		json_t *value = json_object_get(fields, keys[i]);

		if (value)
			(void)json_object_set(object, keys[i], value);
	}
	return object;
}
