#include "request.h"

#include "api.h"
#include "assignment.h"
#include "ip_list.h"
#include "oauth.h"
#include "scim.h"
#include "who.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static char *decode(const char *text, size_t len, bool plus_is_blank)
{
	char *out = mem_zalloc(len + 1);
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '%' && i + 2 < len && hex_digit(text[i + 1]) >= 0 &&
				hex_digit(text[i + 2]) >= 0) {
			out[at++] = (char)(unsigned char)(hex_digit(text[i + 1]) * 16 +
					hex_digit(text[i + 2]));
			i += 2;
		} else {
			out[at++] = plus_is_blank && text[i] == '+' ? ' ' : text[i];
		}
	}
	return out;
}

static void parse_parameter(struct request *request, const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals ? (size_t)(equals - text) : len;
	struct parameter *parameter;

	if (len == 0)
		return;
	if (request->parameter_count == QUERY_PARAMETERS_MAX) {
		request->malformed = true;
		return;
	}
	parameter = &request->parameters[request->parameter_count++];
	parameter->name = decode(text, name_len, true);
	parameter->value = equals ? decode(equals + 1, len - name_len - 1, true) : mem_strdup("");
}

void request_parse_target(struct request *request)
{
	const char *at = request->target;

	while (*at == '/') {
		size_t len = strcspn(++at, "/?");

		if (request->segment_count == PATH_SEGMENTS_MAX) {
			request->malformed = true;
			return;
		}
		request->segments[request->segment_count++] = decode(at, len, false);
		at += len;
	}
	if (*at != '?')
		return;
	for (at++;; at++) {
		size_t len = strcspn(at, "&");

		parse_parameter(request, at, len);
		at += len;
		if (!*at)
			return;
	}
}

void request_release(struct request *request)
{
	for (size_t i = 0; i < request->segment_count; i++)
		mem_free(request->segments[i]);
	for (size_t i = 0; i < request->parameter_count; i++) {
		mem_free(request->parameters[i].name);
		mem_free(request->parameters[i].value);
	}
	request->segment_count = request->parameter_count = 0;
}

const char *request_parameter(const struct request *request, const char *name)
{
	for (size_t i = 0; i < request->parameter_count; i++) {
		if (strcmp(request->parameters[i].name, name) == 0)
			return request->parameters[i].value;
	}
	return NULL;
}

bool request_is(const struct request *request, const char *method)
{
	return strcmp(request->method, method) == 0;
}

bool request_path_begins(const struct request *request, const char *pattern)
{
	for (size_t i = 0;; i++) {
		size_t len = strcspn(pattern, "/");
		const char *segment = i < request->segment_count ? request->segments[i] : NULL;

		if (!segment ||
				(!(len == 1 && *pattern == '*') &&
						!(strlen(segment) == len &&
								memcmp(segment, pattern, len) ==
										0)))
			return false;
		if (!pattern[len])
			return true;
		pattern += len + 1;
	}
}

enum route {
	ROUTE_NONE,
	ROUTE_ACCOUNT_SCIM,
	ROUTE_NEWER_SCIM,
	ROUTE_WORKSPACES,
	ROUTE_WORKSPACE_SCIM,
	ROUTE_MIRRORED_SCIM,
	ROUTE_ASSIGNMENT
};

static const struct {
	const char *begins;
	enum route route;
	bool account;  /* on the account's host, else on a workspace's */
	unsigned skip; /* segments before the tail */
} routes[] = {
		{"api/2.0/accounts/*/scim/v2", ROUTE_ACCOUNT_SCIM, true, 6},
		{"api/2.1/accounts/*/scim/v2", ROUTE_NEWER_SCIM, true, 6},
		{"api/2.0/accounts/*/workspaces", ROUTE_WORKSPACES, true, 5},
		{"api/2.0/preview/scim/v2", ROUTE_WORKSPACE_SCIM, false, 5},
		{"api/2.0/account/scim/v2", ROUTE_MIRRORED_SCIM, false, 5},
		{"api/2.0/preview/permissionassignments", ROUTE_ASSIGNMENT, false, 4},
};

static bool find_route(const struct request *request, size_t *ret)
{
	for (size_t i = 0; i < COUNT_OF(routes); i++) {
		if (request_path_begins(request, routes[i].begins)) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* What the path has for an account id; NULL: it is none of the account's. */
static const char *account_segment(const struct request *request)
{
	for (size_t i = 2; i < 4 && i + 1 < request->segment_count; i++) {
		if (strcmp(request->segments[i], "accounts") == 0)
			return request->segments[i + 1];
	}
	return NULL;
}

struct workspace *request_unified_workspace(const struct request *request)
{
	const struct state *state = request->sim->state;
	const char *account = account_segment(request);
	uint64_t id;

	if (!request->sim->options.quirks[QUIRK_UNIFIED_HOST] || !request->workspace_id ||
			(account && strcmp(account, state->account_id) == 0))
		return NULL;
	return id_parse(request->workspace_id, &id) ? state_find_workspace(state, id) : NULL;
}

/* A path of the other kind of host meets a gateway's page, not JSON. */
static bool check_host(const struct request *request, bool of_account, struct answer *answer)
{
	const struct state *state = request->sim->state;
	const char *account = account_segment(request);

	if (of_account == (request->host != NULL)) {
		answer_html_error(answer, 404, "Not Found");
		return false;
	}
	if (!of_account || !account)
		return true;
	if (!*account) {
		AUTO(mem_freep)
		char *text = mem_printf(
				"HTTP method %s is not supported by this URL", request->method);

		answer_html_error(answer, 405, text);
		return false;
	}
	if (strcmp(account, state->account_id) != 0) {
		answer_api_error(answer, 404, "NOT_FOUND", "Account %s does not exist", account);
		return false;
	}
	return true;
}

/* The header belongs to calls of a workspace and has to name it. */
static bool check_header(const struct request *request, struct answer *answer)
{
	if (!request->workspace_id || !request->sim->options.quirks[QUIRK_STRICT_HEADERS])
		return true;
	if (!request->host) {
		answer_api_error(answer, 400, "INVALID_PARAMETER_VALUE",
				"X-Databricks-Workspace-Id is not allowed on an account-level "
				"path");
		return false;
	}
	if (strcmp(request->workspace_id, request->host->id_text) == 0)
		return true;
	answer_api_error(answer, 403, "PERMISSION_DENIED", "Unauthorized access to Org: %s",
			request->workspace_id);
	return false;
}

static bool call_route(struct request *request, size_t route, struct answer *answer)
{
	char *const *tail = request->segments + routes[route].skip;
	size_t count = request->segment_count - routes[route].skip;
	struct scope scope = {.sim = request->sim};

	switch (routes[route].route) {
	case ROUTE_WORKSPACE_SCIM:
		scope.workspace = request->host;
		scim_handle(request, &scope, tail, count, answer);
		return true;
	case ROUTE_NEWER_SCIM:
		scope.newer = true;
		scim_handle(request, &scope, tail, count, answer);
		return true;
	case ROUTE_ACCOUNT_SCIM:
	case ROUTE_MIRRORED_SCIM:
		scim_handle(request, &scope, tail, count, answer);
		return true;
	case ROUTE_WORKSPACES:
		return workspaces_handle(request, tail, count, answer);
	case ROUTE_ASSIGNMENT:
		return assignment_handle_workspace(request, tail, count, answer);
	case ROUTE_NONE:
		break;
	}
	return false;
}

static void answer_no_endpoint(const struct request *request, struct answer *answer)
{
	answer_api_error(answer, 404, "ENDPOINT_NOT_FOUND", "No API found for '%s %s'",
			request->method, request->target);
}

/* The account's SCIM seen from a workspace is for admins of either. */
static bool check_mirror(const struct request *request, size_t route, struct answer *answer)
{
	if (routes[route].route != ROUTE_MIRRORED_SCIM ||
			who_is_admin(request->host, request->caller) ||
			who_is_account_admin(request->caller))
		return true;
	answer_scim_error(answer, 403, NULL, "This API is only accessible by admins");
	return false;
}

static bool sign_in(struct request *request, bool of_account, struct answer *answer)
{
	return check_host(request, of_account, answer) && oauth_check(request, answer) &&
			ip_list_check(request, answer) && check_header(request, answer);
}

static void serve_locked(struct request *request, struct answer *answer)
{
	const char *args[API_ARGS_MAX] = {0};
	const struct api_route *api;
	bool elsewhere;
	size_t route;

	if (oauth_handle(request, answer))
		return;
	api = api_find(request, args, &elsewhere);
	if (api) {
		if (sign_in(request, !request->host, answer))
			api_serve(request, api, args, answer);
	} else if (find_route(request, &route)) {
		if (sign_in(request, routes[route].account, answer) &&
				check_mirror(request, route, answer) &&
				!call_route(request, route, answer))
			answer_no_endpoint(request, answer);
	} else if (elsewhere) {
		answer_html_error(answer, 404, "Not Found");
	} else if (!request->host || sign_in(request, false, answer)) {
		answer_no_endpoint(request, answer);
	}
}

static bool is_scim(const struct request *request)
{
	return request_path_begins(request, "api/*/*/*/scim/v2") ||
			request_path_begins(request, "api/*/*/scim/v2");
}

/* In a workspace, to look at folders or rights may make the folders of users: all but SCIM counts as a change. */
static bool only_reads(const struct request *request)
{
	return request_is(request, "GET") && (!request->host || is_scim(request));
}

void request_serve(struct request *request, struct answer *answer)
{
	struct sim *sim = request->sim;

	if (request->malformed) {
		answer_api_error(answer, 400, "MALFORMED_REQUEST",
				"The request's path or query is too long");
		return;
	}
	if (only_reads(request))
		(void)pthread_rwlock_rdlock(&sim->lock);
	else
		(void)pthread_rwlock_wrlock(&sim->lock);
	serve_locked(request, answer);
	if (sim->options.quirks[QUIRK_TEXT_PLAIN] && is_scim(request) && answer->content_type)
		answer->content_type = "text/plain;charset=utf-8";
	(void)pthread_rwlock_unlock(&sim->lock);
	if (request->host)
		answer_add_header(answer, "X-Databricks-Org-Id", request->host->id_text);
}
