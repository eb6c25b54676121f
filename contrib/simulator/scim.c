#include "scim.h"

#include "base/text.h"
#include "who.h"

/* What a workspace shows of its users and groups to those who are no admins. */
#define SEEN_BY_ALL (ATTR_BIT(ATTR_ID) | ATTR_BIT(ATTR_SCHEMAS) | ATTR_BIT(ATTR_DISPLAY_NAME))

static bool find_kind(const char *collection, enum kind *ret)
{
	for (int kind = 0; kind < KIND_COUNT_; kind++) {
		if (strcmp(kind_collection((enum kind)kind), collection) == 0) {
			*ret = (enum kind)kind;
			return true;
		}
	}
	return false;
}

static void answer_no_endpoint(const struct request *request, struct answer *answer)
{
	answer_api_error(answer, 404, "ENDPOINT_NOT_FOUND", "No API found for '%s %s'",
			request->method, request->target);
}

void scim_answer_missing(enum kind kind, const char *id, struct answer *answer)
{
	if (kind == KIND_SP)
		answer_scim_error(answer, 404, NULL, "Service principal with id %s not found", id);
	else
		answer_scim_error(answer, 404, NULL, "%s with id %s is not found",
				kind == KIND_USER ? "User" : "Group", id);
}

uint32_t scim_parse_attributes(const struct request *request)
{
	const char *wanted = request_parameter(request, "attributes");
	const char *unwanted = request_parameter(request, "excludedAttributes");
	uint32_t attributes = wanted && *wanted ? attr_parse_list(wanted) : ATTR_ALL;

	if (unwanted)
		attributes &= ~attr_parse_list(unwanted);
	if (request->limited)
		attributes &= SEEN_BY_ALL;
	return attributes;
}

/* A body that is no JSON object gets one sentence whatever is wrong with it. */
static json_t *parse_body(const struct request *request, struct answer *answer)
{
	json_error_t error;
	json_t *body = json_loadb(
			request->body.ptr ? request->body.ptr : "", request->body.len, 0, &error);
	struct scim_problem problem;

	if (json_is_object(body))
		return body;
	json_decref(body);
	(void)scim_refuse_syntax(&problem);
	answer_problem(answer, &problem);
	return NULL;
}

static void handle_collection(struct request *request, const struct scope *scope, enum kind kind,
		struct answer *answer)
{
	json_t *body;

	if (request_is(request, "GET")) {
		scim_read_list(request, scope, kind, answer);
		return;
	}
	if (!request_is(request, "POST")) {
		answer_no_endpoint(request, answer);
		return;
	}
	body = parse_body(request, answer);
	if (body && request->drop_members)
		(void)json_object_del(body, "members");
	if (body)
		scim_create(request, scope, kind, body, answer);
	json_decref(body);
}

/* What the request names, if it is there, of this kind and in sight. */
static struct principal *find_named(const struct scope *scope, enum kind kind, const char *id_text,
		struct answer *answer)
{
	uint64_t id;
	struct principal *who =
			id_parse(id_text, &id) ? state_find_id(scope->sim->state, id) : NULL;

	if (who && who->kind == kind && scope_sees(scope, who))
		return who;
	scim_answer_missing(kind, id_text, answer);
	return NULL;
}

static void handle_resource(struct request *request, const struct scope *scope, enum kind kind,
		const char *id, struct answer *answer)
{
	json_t *body = NULL;
	struct principal *who;
	bool put = request_is(request, "PUT");

	if (request_is(request, "GET")) {
		scim_read_one(request, scope, kind, id, answer);
		return;
	}
	if (!put && !request_is(request, "PATCH") && !request_is(request, "DELETE")) {
		answer_no_endpoint(request, answer);
		return;
	}
	who = find_named(scope, kind, id, answer);
	if (!who)
		return;
	if (request_is(request, "DELETE")) {
		scim_delete(request, scope, who, answer);
		return;
	}
	body = parse_body(request, answer);
	if (body && put)
		scim_put(request, scope, who, body, answer);
	else if (body)
		scim_patch(request, scope, who, body, answer);
	json_decref(body);
}

/* In a workspace only its admins get further than /Me and the names of users and groups. */
static bool check_caller(struct request *request, const struct scope *scope, const char *collection,
		struct answer *answer)
{
	struct workspace *workspace = scope->workspace;
	const char *wanted = request_parameter(request, "attributes");

	if (!workspace || who_is_admin(workspace, request->caller))
		return true;
	if (request_is(request, "GET") && strcmp(collection, "Me") == 0)
		return true;
	request->limited = request_is(request, "GET") &&
			strcmp(collection, "ServicePrincipals") != 0 &&
			!(wanted && attr_parse_list(wanted) & ~SEEN_BY_ALL);
	if (request->limited)
		return true;
	answer_scim_error(answer, 403, NULL, "/2.0/preview/scim/v2/%s is only accessible by admins",
			collection);
	return false;
}

void scim_handle(struct request *request, const struct scope *scope, char *const *tail,
		size_t count, struct answer *answer)
{
	enum kind kind;
	uint64_t id;

	if (count == 0 || count > 2 || !check_caller(request, scope, tail[0], answer)) {
		if (count == 0 || count > 2)
			answer_no_endpoint(request, answer);
		return;
	}
	if (count == 1 && scope->workspace && strcmp(tail[0], "Me") == 0 &&
			request_is(request, "GET")) {
		scim_read_me(request, scope, answer);
		return;
	}
	if (!find_kind(tail[0], &kind)) {
		answer_no_endpoint(request, answer);
		return;
	}
	if (count == 1)
		handle_collection(request, scope, kind, answer);
	else if (id_parse(tail[1], &id))
		handle_resource(request, scope, kind, tail[1], answer);
	else
		answer_scim_error(answer, 404, NULL, "Endpoint not supported.");
}
