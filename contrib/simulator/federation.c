#include "federation.h"

#include "api.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "jwt.h"
#include "record.h"

#define DEFAULT_CLAIM "sub"
#define ID_BYTES_MAX 128

/* NULL and true: the account. */
static bool find_owner(struct api_call *call, struct principal **ret)
{
	uint64_t id;

	*ret = NULL;
	if (!call->of)
		return true;
	*ret = id_parse(call->args[0], &id) ? state_find_id(call->state, id) : NULL;
	return (*ret && (*ret)->kind == KIND_SP) ||
			api_refuse(call, 404, "NOT_FOUND", "Service principal %s does not exist",
					call->args[0]);
}

/* Ids are unique per owner only, so a record's id has the owner in front. */
static char *record_id(const struct principal *owner, const char *policy_id)
{
	return mem_printf("%s/%s", owner ? owner->id_text : "account", policy_id);
}

static char *name_of(const struct state *state, const struct principal *owner, const char *id)
{
	return owner ? mem_printf("accounts/%s/servicePrincipals/%s/federationPolicies/%s",
				       state->account_id, owner->id_text, id)
		     : mem_printf("accounts/%s/federationPolicies/%s", state->account_id, id);
}

static json_t *show(const struct state *state, const struct record *policy)
{
	static const char *const keys[] = {"policy_id", "uid", "description", "oidc_policy",
			"create_time", "update_time"};
	json_t *object = object_pick(policy->fields, keys, COUNT_OF(keys));
	AUTO(mem_freep)
	char *name = name_of(state, policy->owner, record_text(policy, "policy_id"));

	object_text(object, "name", name);
	if (policy->owner)
		object_number(object, "service_principal_id", (int64_t)policy->owner->id);
	return object;
}

static bool check_texts(struct api_call *call, const json_t *texts, const char *what)
{
	size_t i;
	json_t *text;

	json_array_foreach(texts, i, text)
	{
		if (!json_string_length(text))
			return api_refuse_value(call, "%s must be non-empty texts", what);
	}
	return true;
}

/* What the policy would be, as a whole. */
static bool check_policy(struct api_call *call, const struct principal *owner, const json_t *oidc)
{
	const char *issuer = json_string_value(json_object_get(oidc, "issuer"));
	const json_t *subject = json_object_get(oidc, "subject");
	const json_t *audiences = json_object_get(oidc, "audiences");
	const char *keys = json_string_value(json_object_get(oidc, "jwks_json"));

	if (!json_is_object(oidc))
		return api_refuse_value(call, "oidc_policy is required");
	if (!issuer || !text_starts_with(issuer, "https://"))
		return api_refuse_value(call, "oidc_policy.issuer must be an https URL");
	if (audiences && !json_is_array(audiences))
		return api_refuse_value(call, "oidc_policy.audiences must be an array");
	if (!check_texts(call, audiences, "oidc_policy.audiences"))
		return false;
	if (owner && !json_string_length(subject))
		return api_refuse_value(call,
				"oidc_policy.subject is required for a service principal's policy");
	if (!owner && json_string_length(subject))
		return api_refuse_value(
				call, "oidc_policy.subject is not allowed in an account's policy");
	if (keys) {
		json_t *set = json_loads(keys, 0, NULL);
		bool good = json_is_array(json_object_get(set, "keys"));

		json_decref(set);
		return good || api_refuse_value(call, "oidc_policy.jwks_json is no key set");
	}
	return true;
}

static bool check_id(struct api_call *call, const char *id)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-/";

	return (*id && strlen(id) <= ID_BYTES_MAX && strspn(id, letters) == strlen(id)) ||
			api_refuse_value(call, "policy_id is not valid: %s", id);
}

static bool check_room(struct api_call *call, const struct principal *owner)
{
	size_t count = 0;

	for (vec_each (record_list(call->state, NULL, RECORD_FEDERATION), policy))
		count += (*policy)->owner == owner;
	return count < FEDERATION_POLICIES_MAX ||
			api_refuse(call, 400, "RESOURCE_LIMIT_EXCEEDED",
					"The maximum of %d federation policies is reached",
					FEDERATION_POLICIES_MAX);
}

static void touch(json_t *fields, const char *key)
{
	char now[CLOCK_TEXT_SIZE];

	clock_format(clock_wall_ms(), now);
	object_text(fields, key, now);
}

static void store_new(struct api_call *call, struct principal *owner, const char *policy_id)
{
	AUTO(mem_freep) char *id = record_id(owner, policy_id);
	struct record_make make = {.kind = RECORD_FEDERATION, .owner = owner, .id = id};
	static const char *const keys[] = {"description", "oidc_policy"};
	char uid[37];

	digest_uuid(uid);
	make.fields = object_pick(call->body, keys, COUNT_OF(keys));
	object_text(make.fields, "policy_id", policy_id);
	object_text(make.fields, "uid", uid);
	touch(make.fields, "create_time");
	touch(make.fields, "update_time");
	api_answer(call, show(call->state, record_make(call->state, &make)));
}

static void create_policy(struct api_call *call)
{
	struct principal *owner;
	const char *wanted = api_query(call, "policy_id");
	char uuid[37];

	digest_uuid(uuid);
	if (!wanted || !*wanted)
		wanted = uuid;
	if (!find_owner(call, &owner) || !check_id(call, wanted) ||
			!check_policy(call, owner, json_object_get(call->body, "oidc_policy")) ||
			!check_room(call, owner))
		return;
	{
		AUTO(mem_freep) char *id = record_id(owner, wanted);

		if (record_find(call->state, NULL, RECORD_FEDERATION, id)) {
			(void)api_refuse(call, 409, "ALREADY_EXISTS",
					"Federation policy %s already exists", wanted);
			return;
		}
	}
	store_new(call, owner, wanted);
}

static struct record *find_policy(struct api_call *call)
{
	struct principal *owner;
	const char *policy_id = call->args[call->of ? 1 : 0];
	struct record *policy;
	AUTO(mem_freep) char *id = NULL;

	if (!find_owner(call, &owner))
		return NULL;
	id = record_id(owner, policy_id);
	policy = record_find(call->state, NULL, RECORD_FEDERATION, id);
	if (!policy)
		(void)api_refuse(call, 404, "NOT_FOUND", "Federation policy %s does not exist",
				policy_id);
	return policy;
}

static void get_policy(struct api_call *call)
{
	const struct record *policy = find_policy(call);

	if (policy)
		api_answer(call, show(call->state, policy));
}

static void list_policies(struct api_call *call)
{
	struct principal *owner;
	json_t *items;

	if (!find_owner(call, &owner))
		return;
	items = json_array();
	for (vec_each (record_list(call->state, NULL, RECORD_FEDERATION), policy)) {
		if ((*policy)->owner == owner)
			(void)json_array_append_new(items, show(call->state, *policy));
	}
	api_answer_page(call, "policies", items);
}

static void merge_field(json_t *to, const json_t *from, const char *key)
{
	json_t *value = json_object_get(from, key);

	if (value)
		(void)json_object_set(to, key, value);
	else
		(void)json_object_del(to, key);
}

/* No mask: what the body has. "*": as if the body were all there is. */
static void merge(json_t *fields, const json_t *body, const char *mask)
{
	static const char *const parts[] = {
			"issuer", "audiences", "subject", "subject_claim", "jwks_uri", "jwks_json"};
	json_t *oidc = json_object_get(body, "oidc_policy");

	if (mask ? mask_names(mask, "description") : json_object_get(body, "description") != NULL)
		merge_field(fields, body, "description");
	if (mask ? mask_is(mask, "oidc_policy") || mask_is(mask, "*") : oidc != NULL) {
		merge_field(fields, body, "oidc_policy");
		return;
	}
	for (size_t i = 0; mask && i < COUNT_OF(parts); i++) {
		AUTO(mem_freep) char *path = mem_printf("oidc_policy.%s", parts[i]);
		json_t *have = json_object_get(fields, "oidc_policy");

		if (mask_names(mask, path))
			merge_field(have, oidc, parts[i]);
	}
}

static void update_policy(struct api_call *call)
{
	struct record *policy = find_policy(call);
	json_t *fields;

	if (!policy)
		return;
	fields = json_deep_copy(policy->fields);
	merge(fields, call->body, api_query(call, "update_mask"));
	if (check_policy(call, policy->owner, json_object_get(fields, "oidc_policy"))) {
		touch(fields, "update_time");
		(void)json_object_clear(policy->fields);
		(void)json_object_update(policy->fields, fields);
		api_answer(call, show(call->state, policy));
	}
	json_decref(fields);
}

static void delete_policy(struct api_call *call)
{
	struct record *policy = find_policy(call);

	if (!policy)
		return;
	record_drop(call->state, policy);
	api_answer_empty(call);
}

/* Token exchange. */

static bool audience_fits(const struct state *state, const json_t *oidc, const json_t *aud)
{
	json_t *standard = json_pack("[s]", state->account_id), *want, *have;
	const json_t *audiences = json_object_get(oidc, "audiences");
	size_t i, n;
	bool fits = false;

	json_array_foreach(json_array_size(audiences) ? audiences : standard, i, want)
	{
		if (json_is_string(aud))
			fits = fits || json_equal(aud, want);
		json_array_foreach(aud, n, have) fits = fits || json_equal(have, want);
	}
	json_decref(standard);
	return fits;
}

static const char *claim_of(const json_t *oidc, const json_t *claims)
{
	const char *claim = json_string_value(json_object_get(oidc, "subject_claim"));

	return json_string_value(json_object_get(claims, claim && *claim ? claim : DEFAULT_CLAIM));
}

/* Keys are fetched from nowhere: the policy brings them, or (a quirk) any signature will do. */
static bool signature_fits(const struct sim *sim, const json_t *oidc, const char *jwt)
{
	const char *keys = json_string_value(json_object_get(oidc, "jwks_json"));

	return keys ? jwt_is_signed_by(jwt, keys) : sim->options.quirks[QUIRK_UNSIGNED_FEDERATION];
}

static bool policy_fits(
		const struct sim *sim, const json_t *oidc, const json_t *claims, const char *jwt)
{
	const char *issuer = json_string_value(json_object_get(oidc, "issuer"));
	const char *iss = json_string_value(json_object_get(claims, "iss"));

	return text_equal(issuer, iss) &&
			audience_fits(sim->state, oidc, json_object_get(claims, "aud")) &&
			signature_fits(sim, oidc, jwt);
}

static struct principal *find_subject(const struct state *state, const char *name)
{
	struct principal *who = name ? state_find_text(state, KIND_USER, INDEX_NAME, name) : NULL;

	if (!who && name)
		who = state_find_text(state, KIND_SP, INDEX_NAME, name);
	return who && who->active ? who : NULL;
}

static struct principal *match(const struct sim *sim, const json_t *claims, const char *jwt,
		struct principal *owner)
{
	for (vec_each (record_list(sim->state, NULL, RECORD_FEDERATION), policy)) {
		const json_t *oidc = json_object_get((*policy)->fields, "oidc_policy");
		const char *subject = claim_of(oidc, claims);

		if ((*policy)->owner != owner || !policy_fits(sim, oidc, claims, jwt))
			continue;
		if (!owner)
			return find_subject(sim->state, subject);
		if (text_equal(subject, json_string_value(json_object_get(oidc, "subject"))))
			return owner;
	}
	return NULL;
}

struct principal *federation_check(
		const struct sim *sim, const char *jwt, const char *client_id, const char **ret_why)
{
	struct principal *owner = client_id
			? state_find_text(sim->state, KIND_SP, INDEX_NAME, client_id)
			: NULL;
	struct principal *who = NULL;
	json_t *claims = jwt_claims(jwt);
	json_int_t expires = json_integer_value(json_object_get(claims, "exp"));

	*ret_why = "No federation policy fits the token";
	if (!json_is_object(claims))
		*ret_why = "subject_token is no JWT";
	else if (expires * 1000 <= clock_wall_ms())
		*ret_why = "subject_token has expired";
	else if (!client_id || (owner && owner->active))
		who = match(sim, claims, jwt, owner);
	json_decref(claims);
	return who;
}

#define ACCOUNT_POLICIES "api/2.0/accounts/*/federationPolicies"
#define OWN_POLICIES "api/2.0/accounts/*/servicePrincipals/{}/federationPolicies"

static const struct api_route routes[] = {
		{"POST", ACCOUNT_POLICIES, API_ACCOUNT, API_ADMIN, create_policy, 0, 0},
		{"GET", ACCOUNT_POLICIES, API_ACCOUNT, API_ADMIN, list_policies, 0, 0},
		{"GET", ACCOUNT_POLICIES "/{}", API_ACCOUNT, API_ADMIN, get_policy, 0, 0},
		{"PATCH", ACCOUNT_POLICIES "/{}", API_ACCOUNT, API_ADMIN, update_policy, 0, 0},
		{"DELETE", ACCOUNT_POLICIES "/{}", API_ACCOUNT, API_ADMIN, delete_policy, 0, 0},
		{"POST", OWN_POLICIES, API_ACCOUNT, API_ADMIN, create_policy, 1, 0},
		{"GET", OWN_POLICIES, API_ACCOUNT, API_ADMIN, list_policies, 1, 0},
		{"GET", OWN_POLICIES "/{}", API_ACCOUNT, API_ADMIN, get_policy, 1, 0},
		{"PATCH", OWN_POLICIES "/{}", API_ACCOUNT, API_ADMIN, update_policy, 1, 0},
		{"DELETE", OWN_POLICIES "/{}", API_ACCOUNT, API_ADMIN, delete_policy, 1, 0},
};
const struct api_family federation_calls = API_FAMILY(routes);
