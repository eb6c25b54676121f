#include "client_secret.h"

#include "api.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "rule_set.h"
#include "who.h"

static bool is_live(const struct record *secret)
{
	int64_t expiry = record_number(secret, "expires_ms");

	return !secret->revoked && (expiry == 0 || expiry > clock_wall_ms());
}

struct principal *secret_check(const struct state *state, const char *client_id, const char *secret)
{
	const struct record *record = record_find_secret(state, RECORD_SECRET, secret);

	if (!record || !is_live(record) || record->owner->deleted || !record->owner->active ||
			!text_equal_folded(record->owner->name, client_id))
		return NULL;
	return record->owner;
}

/* What lists show in place of the secret. */
static json_t *make_fields(const char *secret, int64_t lifetime_s) /* 0: without end */
{
	char hash[DIGEST_HEX_SIZE], made[CLOCK_TEXT_SIZE];
	int64_t now_ms = clock_wall_ms(), expires_ms = now_ms + lifetime_s * 1000;
	json_t *fields;

	digest_sha256_hex(span_of(secret), hash);
	clock_format(now_ms, made);
	fields = json_pack("{s:s, s:s, s:s, s:s}", "secret_hash", hash, "status", "ACTIVE",
			"create_time", made, "update_time", made);
	if (lifetime_s) {
		char expires[CLOCK_TEXT_SIZE];

		clock_format(expires_ms, expires);
		object_text(fields, "expire_time", expires);
		object_number(fields, "expires_ms", expires_ms);
	}
	return fields;
}

void secret_adopt_own(struct state *state)
{
	struct record_make make = {
			.kind = RECORD_SECRET,
			.owner = state->self,
			.secret = state->client_secret,
	};

	if (record_find_secret(state, RECORD_SECRET, state->client_secret))
		return;
	make.fields = make_fields(state->client_secret, 0);
	(void)record_make(state, &make);
}

/* By its numeric id, not by its application id. The workspace's form knows only those that are in it. */
static struct principal *find_owner(struct api_call *call)
{
	uint64_t id;
	struct principal *who =
			id_parse(call->args[0], &id) ? state_find_id(call->state, id) : NULL;

	if (who && who->kind == KIND_SP &&
			(!call->place || workspace_sees(call->state, call->place, who))) {
		if (!call->place || who_is_admin(call->place, call->request->caller) ||
				rule_set_gives(call->state, who, "roles/servicePrincipal.manager",
						call->request->caller))
			return who;
		(void)api_refuse(call, 403, "PERMISSION_DENIED",
				"Only managers of the service principal may do this");
		return NULL;
	}
	(void)api_refuse(call, 404, "NOT_FOUND", "Service principal %s does not exist",
			call->args[0]);
	return NULL;
}

/* "3600s". A number alone stands in some documents, but is not the form. */
static bool read_lifetime(struct api_call *call, int64_t *ret)
{
	const char *text = NULL;
	size_t len;

	if (!api_take_text(call, "lifetime", &text))
		return false;
	*ret = SECRET_SECONDS_MAX;
	if (!text)
		return true;
	len = strlen(text);
	if (len && text[len - 1] == 's') {
		AUTO(mem_freep) char *digits = mem_strndup(text, len - 1);

		if (text_parse_int(digits, 1, SECRET_SECONDS_MAX, ret))
			return true;
	} else if (api_quirk(call, QUIRK_BARE_LIFETIME) &&
			text_parse_int(text, 1, SECRET_SECONDS_MAX, ret)) {
		return true;
	}
	return api_refuse_value(call, "lifetime is not valid: %s", text);
}

static size_t count_live(const struct api_call *call, const struct principal *owner)
{
	size_t count = 0;

	for (vec_each (record_list(call->state, NULL, RECORD_SECRET), secret))
		count += (*secret)->owner == owner && is_live(*secret);
	return count;
}

static json_t *show(const struct record *secret)
{
	static const char *const keys[] = {"secret_hash", "status", "create_time", "update_time",
			"expire_time", "scopes"};
	json_t *object = object_pick(secret->fields, keys, COUNT_OF(keys));

	object_text(object, "id", secret->id);
	return object;
}

static void create_secret(struct api_call *call)
{
	struct principal *owner = find_owner(call);
	struct record_make make = {.kind = RECORD_SECRET, .owner = owner};
	AUTO(mem_freep) char *text = NULL;
	json_t *scopes = NULL, *answer;
	int64_t lifetime;

	if (!owner || !read_lifetime(call, &lifetime) || !api_take_texts(call, "scopes", &scopes))
		return;
	if (count_live(call, owner) >= SECRETS_MAX) {
		(void)api_refuse(call, 400, "RESOURCE_LIMIT_EXCEEDED",
				"Service principal %s has the maximum of %d secrets",
				owner->id_text, SECRETS_MAX);
		return;
	}
	make.secret = text = record_random("dose", 16);
	make.fields = make_fields(text, lifetime);
	if (json_array_size(scopes))
		(void)json_object_set(make.fields, "scopes", scopes);
	answer = show(record_make(call->state, &make));
	object_text(answer, "secret", text);
	api_answer(call, answer);
}

static void list_secrets(struct api_call *call)
{
	const struct principal *owner = find_owner(call);
	json_t *items;

	if (!owner)
		return;
	items = json_array();
	for (vec_each (record_list(call->state, NULL, RECORD_SECRET), secret)) {
		if ((*secret)->owner == owner && is_live(*secret))
			(void)json_array_append_new(items, show(*secret));
	}
	api_answer_page(call, "secrets", items);
}

static void delete_secret(struct api_call *call)
{
	const struct principal *owner = find_owner(call);
	struct record *secret;

	if (!owner)
		return;
	secret = record_find(call->state, NULL, RECORD_SECRET, call->args[1]);
	if (!secret || secret->owner != owner || !is_live(secret)) {
		(void)api_refuse(call, 404, "NOT_FOUND", "Secret %s does not exist", call->args[1]);
		return;
	}
	record_revoke(secret);
	buf_reset(&call->answer->body);
	call->answer->content_type = NULL;
}

#define SECRETS "servicePrincipals/{}/credentials/secrets"
#define ACCOUNT_SECRETS "api/2.0/accounts/*/" SECRETS
#define WORKSPACE_SECRETS "api/2.0/accounts/" SECRETS

static const struct api_route routes[] = {
		{"POST", ACCOUNT_SECRETS, API_ACCOUNT, API_ADMIN, create_secret, 0, 0},
		{"GET", ACCOUNT_SECRETS, API_ACCOUNT, API_ADMIN, list_secrets, 0, 0},
		{"DELETE", ACCOUNT_SECRETS "/{}", API_ACCOUNT, API_ADMIN, delete_secret, 0, 0},
		{"POST", WORKSPACE_SECRETS, API_WORKSPACE, API_ANYONE, create_secret, 0, 0},
		{"GET", WORKSPACE_SECRETS, API_WORKSPACE, API_ANYONE, list_secrets, 0, 0},
		{"DELETE", WORKSPACE_SECRETS "/{}", API_WORKSPACE, API_ANYONE, delete_secret, 0, 0},
};
const struct api_family secret_calls = API_FAMILY(routes);
