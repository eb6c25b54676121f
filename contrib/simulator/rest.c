#include "rest.h"

#include <inttypes.h>
#include <stdarg.h>

static bool segment_fits(const char *pattern, size_t len, const char *segment)
{
	if (len == 1 && *pattern == '*')
		return true;
	return strlen(segment) == len && memcmp(segment, pattern, len) == 0;
}

bool rest_path_fits(const struct request *request, const char *path, const char **args)
{
	size_t arg = 0;

	for (size_t i = 0; i < request->segment_count; i++) {
		size_t len = strcspn(path, "/");
		const char *segment = request->segments[i];

		if (len == 2 && memcmp(path, "**", 2) == 0)
			return true;
		if (len == 2 && memcmp(path, "{}", 2) == 0) {
			if (!*segment || arg == REST_ARGS_MAX)
				return false;
			args[arg++] = segment;
		} else if (!segment_fits(path, len, segment)) {
			return false;
		}
		path += len;
		if (!*path)
			return i + 1 == request->segment_count;
		path++;
	}
	return false;
}

static void serve(const struct rest_route *route, struct rest_call *call)
{
	struct span body = call->request->body;

	call->of = route->of;
	call->variant = route->variant;
	call->body = body.len ? json_loadb(body.ptr, body.len, 0, NULL) : json_object();
	if (json_is_object(call->body))
		route->handle(call);
	else
		rest_refuse_with(call, 400, "MALFORMED_REQUEST", "Could not parse request object");
	json_decref(call->body);
}

bool rest_serve(const struct rest_route *routes, size_t count, struct request *request,
		struct answer *answer)
{
	struct rest_call call = {
			.request = request,
			.answer = answer,
			.workspace = request->host,
			.state = request->sim->state,
	};

	for (size_t i = 0; request->host && i < count; i++) {
		memset(call.args, 0, sizeof(call.args));
		if (request_is(request, routes[i].method) &&
				rest_path_fits(request, routes[i].path, call.args)) {
			serve(&routes[i], &call);
			return true;
		}
	}
	return false;
}

void rest_refuse_with(
		struct rest_call *call, unsigned status, const char *code, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	answer_api_error(call->answer, status, code, "%s", text);
}

void rest_refuse(struct rest_call *call, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	answer_api_error(call->answer, 400, "INVALID_PARAMETER_VALUE", "%s", text);
}

void rest_answer(struct rest_call *call, json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT);

	buf_add_text(answer_json(call->answer, 200), text ? text : "{}");
	free(text); /* jansson's */
	json_decref(value);
}

void rest_answer_empty(struct rest_call *call)
{
	buf_add_text(answer_json(call->answer, 200), "{}");
}

const char *rest_parameter(struct rest_call *call, const char *name)
{
	const char *sent = request_parameter(call->request, name);
	const json_t *value = json_object_get(call->body, name);
	char number[24];

	if (sent)
		return sent;
	if (json_is_integer(value)) {
		(void)snprintf(number, sizeof(number), "%" PRId64,
				(int64_t)json_integer_value(value));
		(void)json_object_set_new(call->body, name, json_string(number));
		value = json_object_get(call->body, name);
	}
	return json_string_value(value);
}

bool rest_quirk(const struct rest_call *call, enum quirk quirk)
{
	return call->request->sim->options.quirks[quirk];
}
