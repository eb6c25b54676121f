#include "databricks/federation_policy.h"

#include "base/text.h"
#include "databricks/http.h"

#include <stddef.h>

#define PAGE_COUNT 100

#define FIELD(key, type, member, required)                                                         \
	{                                                                                          \
		key, type, offsetof(struct federation_policy, member), required, NULL              \
	}
static const struct record_field fields[] = {
		FIELD("name", RECORD_ID, name, true),
		FIELD("policy_id", RECORD_ID, id, false),
		FIELD("uid", RECORD_ID, uid, false),
		FIELD("service_principal_id", RECORD_ID, service_id, false),
		FIELD("description", RECORD_TEXT, description, false),
		FIELD("oidc_policy.issuer", RECORD_TEXT, issuer, false),
		FIELD("oidc_policy.audiences", RECORD_TEXTS, audiences, false),
		FIELD("oidc_policy.subject", RECORD_TEXT, subject, false),
		FIELD("oidc_policy.subject_claim", RECORD_TEXT, subject_claim, false),
		FIELD("oidc_policy.jwks_uri", RECORD_TEXT, jwks_uri, false),
		FIELD("oidc_policy.jwks_json", RECORD_DOCUMENT, jwks_json, false),
		FIELD("create_time", RECORD_TIME, created_ms, false),
		FIELD("update_time", RECORD_TIME, updated_ms, false),
};
static const struct record_shape shape = {
		"federation policy", sizeof(struct federation_policy), fields, COUNT_OF(fields)};

static char *path_of(const struct databricks *databricks, const char *service_id, const char *tail)
{
	AUTO(mem_freep) char *escaped = service_id ? http_escape(service_id) : mem_strdup("");
	const char *account = databricks_account_id(databricks);

	return mem_printf("/api/2.0/accounts/%s%s%s/federationPolicies%s", account ? account : "",
			service_id ? "/servicePrincipals/" : "", escaped, tail);
}

struct listing *federation_policy_list_start(struct databricks *databricks,
		const char *service_id_or_null,
		void (*done)(void *context, const void *items, size_t count,
				const struct err *err_or_null),
		void *context)
{
	AUTO(mem_freep) char *query = mem_printf("?page_size=%d", PAGE_COUNT);
	struct listing_setup setup = {.target = 0,
			.lane = LANE_SINGLE,
			.family = FAMILY_CREDENTIAL,
			.path = path_of(databricks, service_id_or_null, query),
			.key = "policies",
			.shape = &shape,
			.done = done,
			.context = context};

	return listing_start(databricks, &setup);
}

static json_t *body_of(const struct federation_policy *policy)
{
	json_t *audiences = policy->audiences.count ? json_array() : NULL;

	for (size_t i = 0; i < policy->audiences.count; i++)
		(void)json_array_append_new(audiences, json_string(policy->audiences.items[i]));
	return json_pack("{s:s*, s:{s:s*, s:o*, s:s*, s:s*, s:s*, s:s*}}", "description",
			policy->description, "oidc_policy", "issuer", policy->issuer, "audiences",
			audiences, "subject", policy->subject, "subject_claim",
			policy->subject_claim, "jwks_uri", policy->jwks_uri, "jwks_json",
			policy->jwks_json);
}

static bool id_is_well_formed(const char *id)
{
	return id && *id && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-/") == strlen(id);
}

/* What the service would refuse; NULL: nothing. */
static const char *fault_of(const struct federation_policy *policy)
{
	if (!id_is_well_formed(policy->id))
		return "policy_id takes lower-case letters, digits, - and /";
	if (!policy->issuer || !text_starts_with(policy->issuer, "https://"))
		return "the issuer has to be an https URL";
	if (policy->service_id && !policy->subject)
		return "one of a service principal needs a subject";
	if (!policy->service_id && policy->subject)
		return "one of the account has no subject";
	return NULL;
}

static void send_checked(
		struct databricks *databricks, struct call *call, const char *id, const char *fault)
{
	if (!databricks_account_id(databricks))
		fault = "it is the account's, which is not configured";
	if (fault)
		record_refuse(databricks, call, ERR_CONFIG, "federation policy \"%.80s\": %s",
				id ? id : "", fault);
	else
		call_send(databricks, call);
}

static void prepare(struct databricks *databricks, struct call *call, enum method method,
		const struct federation_policy *policy, json_t *body)
{
	AUTO(mem_freep) char *escaped = http_escape(policy->id ? policy->id : "");
	AUTO(mem_freep)
	char *tail = mem_printf("%s%s%s", method == METHOD_POST ? "?policy_id=" : "/", escaped,
			method == METHOD_PATCH ? "?update_mask=description,oidc_policy" : "");

	call->target = 0;
	call_prepare(call, method, FAMILY_CREDENTIAL, path_of(databricks, policy->service_id, tail),
			body);
}

void federation_policy_create(struct databricks *databricks, struct call *call,
		const struct federation_policy *policy)
{
	prepare(databricks, call, METHOD_POST, policy, body_of(policy));
	send_checked(databricks, call, policy->id, fault_of(policy));
}

void federation_policy_update(struct databricks *databricks, struct call *call,
		const struct federation_policy *policy)
{
	prepare(databricks, call, METHOD_PATCH, policy, body_of(policy));
	send_checked(databricks, call, policy->id, fault_of(policy));
}

void federation_policy_delete(struct databricks *databricks, struct call *call,
		const char *service_id_or_null, const char *id)
{
	struct federation_policy policy = {.id = id, .service_id = service_id_or_null};

	prepare(databricks, call, METHOD_DELETE, &policy, NULL);
	send_checked(databricks, call, id, NULL);
}

enum err_code federation_policy_read(const struct call *call, struct arena *arena,
		struct federation_policy *ret, struct err *err)
{
	return record_of_call(call, NULL, &shape, arena, ret, err);
}
