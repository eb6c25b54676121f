#include "fault_presets.h"

#include "base/vec.h"

#define SCIM(status, detail)                                                                       \
	"{\"schemas\":[\"" SCIM_ERROR_URN "\"],\"detail\":\"" detail "\",\"status\":\"" status "\"}"
#define API(code, message) "{\"error_code\":\"" code "\",\"message\":\"" message "\"}"
#define HTML(text) "<html><body><h2>Error</h2><pre>" text "</pre></body></html>"

#define TOO_MANY SCIM("429", "REQUEST_LIMIT_EXCEEDED: Too many requests.")
#define JSON_TYPE "application/json"
#define HTML_TYPE "text/html;charset=utf-8"
#define TEXT_TYPE "text/plain"

static const struct {
	const char *name;
	unsigned status;
	const char *header, *value; /* NULL: none */
	const char *content_type, *body;
	bool after;
} answers[] = {
		{"throttle-sec", 429, "Retry-After", "3", JSON_TYPE, TOO_MANY, false},
		{"throttle-bare", 429, NULL, NULL, NULL, "", false},
		{"throttle-float", 429, "Retry-After", "1.58", JSON_TYPE, TOO_MANY, false},
		{"throttle-date", 429, "Retry-After", FAULT_DATE_IN_5_S, JSON_TYPE, TOO_MANY,
				false},
		{"throttle-neg", 429, "Retry-After", "-5", JSON_TYPE, TOO_MANY, false},
		{"throttle-huge", 429, "Retry-After", "99999999", JSON_TYPE, TOO_MANY, false},
		{"scim-500-limit", 500, NULL, NULL, JSON_TYPE,
				SCIM("500",
						"REQUEST_LIMIT_EXCEEDED: Workspace 1 exceeded the "
						"concurrent limit of 4 "
						"requests."),
				false},
		{"code-400-limit", 400, NULL, NULL, JSON_TYPE,
				API("REQUEST_LIMIT_EXCEEDED", "Request limit exceeded."), false},
		{"bucket-text", 429, NULL, NULL, JSON_TYPE,
				API("RESOURCE_EXHAUSTED",
						"GetUserPermissionsRequest RPC token bucket limit "
						"has been exceeded."),
				false},
		{"oauth-throttle", 400, NULL, NULL, JSON_TYPE,
				"{\"error\":\"invalid_request\",\"error_description\":"
				"\"Temporarily throttled, too many requests\"}",
				false},
		{"token-expired", 401, NULL, NULL, JSON_TYPE,
				API("UNAUTHORIZED", "Access token has expired"), false},
		{"500", 500, NULL, NULL, JSON_TYPE, API("INTERNAL_ERROR", "Internal error."),
				false},
		{"503", 503, NULL, NULL, JSON_TYPE,
				API("TEMPORARILY_UNAVAILABLE", "Please try again later."), false},
		{"503-html", 503, NULL, NULL, HTML_TYPE,
				HTML("No webapps are available to handle your request. Please try "
				     "again later."),
				false},
		{"503-retry-after", 503, "Retry-After", "2", JSON_TYPE,
				API("TEMPORARILY_UNAVAILABLE", "Please try again later."), false},
		{"504-applied", 504, NULL, NULL, JSON_TYPE,
				API("DEADLINE_EXCEEDED", "Deadline exceeded."), true},
		{"502-text", 502, NULL, NULL, TEXT_TYPE, "Bad Gateway", false},
		{"scim-null", 500, NULL, NULL, JSON_TYPE, SCIM("500", "null"), false},
		{"patch-conflict", 409, NULL, NULL, JSON_TYPE,
				API("ABORTED", "Concurrent change, try again."), false},
		{"ruleset-race", 409, NULL, NULL, JSON_TYPE,
				API("RESOURCE_CONFLICT", "Conflict with another RuleSet operation"),
				false},
		{"wrong-acl", 200, NULL, NULL, JSON_TYPE, "{}", false},
		{"perm-500", 500, NULL, NULL, JSON_TYPE,
				API("INTERNAL_ERROR", "Cannot modify permissions of directory 1"),
				false},
		{"late-principal", 404, NULL, NULL, JSON_TYPE,
				API("RESOURCE_DOES_NOT_EXIST", "Principal 1 not in workspace 1"),
				false},
		{"no-metastore", 400, NULL, NULL, JSON_TYPE,
				API("INVALID_REQUEST",
						"Permission assignment APIs are not available for "
						"this workspace."),
				false},
		{"item-error", 200, NULL, NULL, JSON_TYPE,
				"{\"permission_assignments\":[{\"error\":"
				"\"RESOURCE_DOES_NOT_EXIST: Principal not found in account.\"}]}",
				false},
		{"login-page", 200, NULL, NULL, HTML_TYPE, "<html><title>Login</title></html>",
				false},
		{"login-redirect", 302, "Location", "/login?next_url=%2F", NULL, "", false},
		{"private-link", 302, "Location",
				"/login.html?error=private-link-validation-error:1", NULL, "",
				false},
		{"quota", 400, NULL, NULL, JSON_TYPE,
				API("QUOTA_EXCEEDED", "The quota has been exceeded."), false},
		{"malformed-text", 400, NULL, NULL, TEXT_TYPE, "MALFORMED_REQUEST: a b", false},
		{"garbage-string", 404, NULL, NULL, JSON_TYPE, "\"just a string\"", false},
		{"garbage-number", 400, NULL, NULL, JSON_TYPE, "42", false},
		{"garbage-byte", 404, NULL, NULL, NULL, "\x80", false},
		{"garbage-big", 500, NULL, NULL, TEXT_TYPE, FAULT_TEN_MEGABYTES, false},
};

static const struct {
	const char *name;
	struct fault fault;
} others[] = {
		{"cut-before", {.cut = CUT_BEFORE}},
		{"lost-reply", {.cut = CUT_AFTER}},
		{"half-body", {.truncated = true}},
		{"slow-drip", {.drip_bytes = 1, .drip_ms = 5000}},
		{"stale-get", {.has_stale = true, .stale = {.get_reads = 3}}},
		{"flap", {.has_stale = true, .stale = {.flap = true}}},
		{"fresh-404", {.has_stale = true, .stale = {.get_reads = 3}}},
		{"ghost-delete", {.has_stale = true, .stale = {.get_ms = 60000, .list_ms = 60000}}},
		{"list-lag", {.has_stale = true, .stale = {.list_reads = 3}}},
		{"revoke-tokens", {.revoke_tokens = true}},
};

bool fault_preset(const char *name, struct fault *ret)
{
	if (strcmp(name, "group-no-members") == 0) {
		ret->has_answer = ret->after = ret->drop_members = true;
		ret->status = 500;
		ret->content_type = JSON_TYPE;
		ret->body = mem_strdup(SCIM("500", "Failed to update members of group"));
		return true;
	}
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		if (strcmp(others[i].name, name) == 0) {
			*ret = others[i].fault;
			return true;
		}
	}
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		if (strcmp(answers[i].name, name) != 0)
			continue;
		ret->has_answer = true;
		ret->after = answers[i].after;
		ret->status = answers[i].status;
		ret->content_type = answers[i].content_type;
		ret->body = mem_strdup(answers[i].body);
		if (answers[i].header)
			*vec_add(&ret->headers) =
					(struct answer_header){mem_strdup(answers[i].header),
							mem_strdup(answers[i].value)};
		return true;
	}
	return false;
}
