/*
 * Tokens of one's own (token/create, list, delete) and the admin's view of all (token-management), with tokens made
 * on behalf of service principals.
 */
#include "api.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/text.h"
#include "pat.h"
#include "conf.h"
#include "rule_set.h"
#include "setting.h"
#include "who.h"

#define S_PER_DAY INT64_C(86400)
#define COMMENT_BYTES_MAX 1024

/* The life of a new token in seconds; 0: without end. */
static bool read_lifetime(struct api_call *call, int64_t *ret)
{
	int64_t wanted = 0, days = 0, most;
	const char *text = conf_text(call->state, call->place, "maxTokenLifetimeDays");
	bool asked = json_is_integer(json_object_get(call->body, "lifetime_seconds")) ||
			json_is_string(json_object_get(call->body, "lifetime_seconds"));

	if (!text || !text_parse_int(text, 1, PAT_DAYS_MAX, &days))
		days = 0;
	if (!api_take_number(call, "lifetime_seconds", &wanted))
		return false;
	most = (days ? days : PAT_DAYS_MAX) * S_PER_DAY;
	if (!asked)
		*ret = days == 0 && api_quirk(call, QUIRK_ENDLESS_TOKENS) ? 0 : most;
	else if (wanted <= 0)
		return api_refuse_value(call, "lifetime_seconds must be positive");
	else if (wanted > most)
		return api_refuse_value(call,
				"lifetime_seconds exceeds the maximum token lifetime of %" PRId64
				" days",
				most / S_PER_DAY);
	else
		*ret = wanted;
	return true;
}

static bool check_enabled(struct api_call *call, const struct principal *owner)
{
	if (!pat_is_enabled(call->state, call->place))
		return api_refuse(call, 403, "FEATURE_DISABLED",
				"Personal access tokens are disabled for this workspace");
	if (!pat_is_allowed(call->state, call->place, owner))
		return api_refuse(call, 403, "PERMISSION_DENIED",
				"User %s does not have permission to use tokens.", who_name(owner));
	if (pat_count(call->request->sim, call->place, owner) >= PATS_MAX)
		return api_refuse(call, 400, "QUOTA_EXCEEDED",
				"The number of tokens of %s has reached the limit of %d",
				who_name(owner), PATS_MAX);
	return true;
}

/* The part that own tokens and tokens on behalf share; NULL: refused. */
static struct record *make_token(struct api_call *call, struct principal *owner)
{
	const struct principal *caller = call->request->caller;
	struct record_make make = {
			.kind = RECORD_TOKEN,
			.place = call->place,
			.owner = owner,
	};
	AUTO(mem_freep) char *secret = NULL;
	const char *comment = NULL;
	json_t *scopes = NULL;
	int64_t now = clock_wall_ms(), lifetime = 0;

	if (!read_lifetime(call, &lifetime) || !api_take_text(call, "comment", &comment) ||
			!api_take_texts(call, "scopes", &scopes) || !check_enabled(call, owner))
		return NULL;
	if (comment && strlen(comment) > COMMENT_BYTES_MAX) {
		(void)api_refuse_value(call, "comment is too long");
		return NULL;
	}
	make.secret = secret = record_random("dapi", 16);
	make.fields = json_pack("{s:I, s:I, s:I, s:s, s:s}", "creation_time", (json_int_t)now,
			"expiry_time", (json_int_t)(lifetime ? now + lifetime * 1000 : -1),
			"created_by_id", (json_int_t)caller->id, "created_by_username",
			who_name(caller), "comment", comment ? comment : "");
	if (json_array_size(scopes))
		(void)json_object_set(make.fields, "scopes", scopes);
	return record_make(call->state, &make);
}

static json_t *show_own(const struct record *token)
{
	static const char *const keys[] = {"comment", "creation_time", "expiry_time", "scopes"};
	json_t *object = object_pick(token->fields, keys, COUNT_OF(keys));

	object_text(object, "token_id", token->id);
	object_number(object, "last_accessed_time", token->used_ms);
	return object;
}

static json_t *show_managed(const struct record *token)
{
	static const char *const keys[] = {"comment", "creation_time", "expiry_time", "scopes",
			"created_by_id", "created_by_username"};
	json_t *object = object_pick(token->fields, keys, COUNT_OF(keys));
	int64_t used = token->used_ms;

	object_text(object, "token_id", token->id);
	object_number(object, "owner_id", (int64_t)token->owner->id);
	object_number(object, "workspace_id", (int64_t)token->place->id);
	object_number(object, "last_used_day", used - used % MS_PER_DAY);
	return object;
}

static void answer_made(struct api_call *call, const struct record *token, json_t *info)
{
	api_answer(call, json_pack("{s:s, s:o}", "token_value", token->secret, "token_info", info));
}

static void create_own(struct api_call *call)
{
	const struct record *token = make_token(call, call->request->caller);

	if (token)
		answer_made(call, token, show_own(token));
}

static bool is_shown(const struct api_call *call, const struct record *token)
{
	return pat_is_live(call->request->sim, token, clock_wall_ms());
}

static void answer_list(struct api_call *call, json_t *infos)
{
	json_t *answer = json_object();

	if (json_array_size(infos) || !api_quirk(call, QUIRK_ABSENT_LISTS))
		(void)json_object_set(answer, "token_infos", infos);
	json_decref(infos);
	api_answer(call, answer);
}

static void list_own(struct api_call *call)
{
	json_t *infos = json_array();

	for (vec_each (record_list(call->state, call->place, RECORD_TOKEN), token)) {
		if ((*token)->owner == call->request->caller && is_shown(call, *token))
			(void)json_array_append_new(infos, show_own(*token));
	}
	answer_list(call, infos);
}

static struct record *find_token(const struct api_call *call, const char *id)
{
	struct record *token = id ? record_find(call->state, call->place, RECORD_TOKEN, id) : NULL;

	return token && is_shown(call, token) ? token : NULL;
}

static struct record *find_own(struct api_call *call, const char *id, const char *code)
{
	struct record *token = find_token(call, id);

	if (token && token->owner == call->request->caller)
		return token;
	(void)api_refuse(call, 404, code, "secret not found");
	return NULL;
}

static void delete_own(struct api_call *call)
{
	const char *id = NULL;
	struct record *token;

	if (!api_take_text(call, "token_id", &id))
		return;
	token = find_own(call, id, "RESOURCE_DOES_NOT_EXIST");
	if (!token)
		return;
	record_revoke(token);
	api_answer_empty(call);
}

/* {"token": {...}, "update_mask": "comment,scopes"}: only these two may change. */
static bool change_token(struct api_call *call, struct record *token)
{
	static const char *const keys[] = {"comment", "scopes"};
	const json_t *wanted = json_object_get(call->body, "token");
	const char *mask = NULL;

	if (!api_take_text(call, "update_mask", &mask))
		return false;
	if (!json_is_object(wanted) || !mask || !*mask)
		return api_refuse_value(call, "token and update_mask are required");
	if (!mask_names(mask, "comment") && !mask_names(mask, "scopes"))
		return api_refuse_value(call, "update_mask is not valid: %s", mask);
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		json_t *value = json_object_get(wanted, keys[i]);

		if (!mask_names(mask, keys[i]))
			continue;
		if (value)
			(void)json_object_set(token->fields, keys[i], value);
		else
			(void)json_object_del(token->fields, keys[i]);
	}
	return true;
}

static void patch_own(struct api_call *call)
{
	struct record *token = find_own(call, call->args[0], "NOT_FOUND");

	if (token && change_token(call, token))
		api_answer_empty(call);
}

static const struct api_route token_routes[] = {
		{"POST", "api/2.0/token/create", API_WORKSPACE, API_ANYONE, create_own, 0, 0},
		{"GET", "api/2.0/token/list", API_WORKSPACE, API_ANYONE, list_own, 0, 0},
		{"POST", "api/2.0/token/delete", API_WORKSPACE, API_ANYONE, delete_own, 0, 0},
		{"PATCH", "api/2.0/token/{}", API_WORKSPACE, API_ANYONE, patch_own, 0, 0},
};
const struct api_family token_calls = API_FAMILY(token_routes);

static struct record *find_managed(struct api_call *call)
{
	struct record *token = find_token(call, call->args[0]);

	if (!token)
		(void)api_refuse(call, 404, "NOT_FOUND", "Token does not exist");
	return token;
}

/* Both filters go by the creator, who is not the owner of a token made on behalf of another. */
static bool filter_fits(const struct api_call *call, const struct record *token)
{
	const char *id = api_query(call, "created_by_id");
	const char *name = api_query(call, "created_by_username");
	const char *creator = record_text(token, "created_by_username");
	char text[ID_TEXT_SIZE];

	id_format((uint64_t)record_number(token, "created_by_id"), text);
	return (!id || strcmp(id, text) == 0) && (!name || text_equal_folded(name, creator));
}

static void list_managed(struct api_call *call)
{
	json_t *infos = json_array();

	for (vec_each (record_list(call->state, call->place, RECORD_TOKEN), token)) {
		if (is_shown(call, *token) && filter_fits(call, *token))
			(void)json_array_append_new(infos, show_managed(*token));
	}
	answer_list(call, infos);
}

static void get_managed(struct api_call *call)
{
	const struct record *token = find_managed(call);

	if (token)
		api_answer(call, json_pack("{s:o}", "token_info", show_managed(token)));
}

static void delete_managed(struct api_call *call)
{
	struct record *token = find_managed(call);

	if (!token)
		return;
	record_revoke(token);
	api_answer_empty(call);
}

static void patch_managed(struct api_call *call)
{
	struct record *token = find_managed(call);

	if (token && change_token(call, token))
		api_answer(call, show_managed(token));
}

/* A service principal by its application id, in this workspace. */
static struct principal *find_application(struct api_call *call, const char *id)
{
	struct principal *who = id ? state_find_text(call->state, KIND_SP, INDEX_NAME, id) : NULL;

	if (who && workspace_sees(call->state, call->place, who))
		return who;
	(void)api_refuse(call, 404, "RESOURCE_DOES_NOT_EXIST",
			"Service principal with application ID %s does not exist", id ? id : "");
	return NULL;
}

static bool is_uuid(const char *text)
{
	if (strlen(text) != 36)
		return false;
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !strchr("0123456789abcdefABCDEF", text[i]))
			return false;
	}
	return true;
}

static bool check_on_behalf(struct api_call *call, const char *application_id)
{
	if (call->request->sim->options.cloud == CLOUD_AZURE)
		return api_refuse(call, 403, "FEATURE_DISABLED",
				"On-behalf-of token creation for service principals is not enabled "
				"for this workspace");
	if (!application_id || !is_uuid(application_id))
		return api_refuse_value(call, "application_id is not valid: %s",
				application_id ? application_id : "");
	return true;
}

/* An admin who was restricted needs to be a user of the service principal. */
static bool check_restriction(struct api_call *call, const struct principal *who)
{
	if (!setting_restricts_admins(call->state, call->place) ||
			rule_set_gives(call->state, who, "roles/servicePrincipal.user",
					call->request->caller))
		return true;
	return api_refuse(call, 403, "PERMISSION_DENIED",
			"User %s does not have the role roles/servicePrincipal.user on service "
			"principal %s",
			who_name(call->request->caller), who->name);
}

static void create_on_behalf(struct api_call *call)
{
	const char *id = NULL;
	struct principal *owner;
	const struct record *token;

	if (!api_take_text(call, "application_id", &id) || !check_on_behalf(call, id))
		return;
	owner = find_application(call, id);
	if (!owner || !check_restriction(call, owner))
		return;
	token = make_token(call, owner);
	if (token)
		answer_made(call, token, show_managed(token));
}

static const struct api_route token_management_routes[] = {
		{"GET", "api/2.0/token-management/tokens", API_WORKSPACE, API_ADMIN, list_managed,
				0, 0},
		{"GET", "api/2.0/token-management/tokens/{}", API_WORKSPACE, API_ADMIN, get_managed,
				0, 0},
		{"DELETE", "api/2.0/token-management/tokens/{}", API_WORKSPACE, API_ADMIN,
				delete_managed, 0, 0},
		{"PATCH", "api/2.0/token-management/tokens/{}", API_WORKSPACE, API_ADMIN,
				patch_managed, 0, 0},
		{"POST", "api/2.0/token-management/on-behalf-of/tokens", API_WORKSPACE, API_ADMIN,
				create_on_behalf, 0, 0},
};
const struct api_family token_management_calls = API_FAMILY(token_management_routes);
