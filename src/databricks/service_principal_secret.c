#include "databricks/service_principal_secret.h"

#include "base/text.h"
#include "databricks/http.h"

#include <inttypes.h>
#include <stddef.h>

#define PAGE_COUNT 100

#define FIELD(key, type, member, required)                                                         \
	{                                                                                          \
		key, type, offsetof(struct service_secret, member), required, NULL                 \
	}
static const struct record_field fields[] = {
		FIELD("id", RECORD_ID, id, true),
		FIELD("secret_hash", RECORD_TEXT, hash, false),
		FIELD("status", RECORD_TEXT, status, false),
		FIELD("create_time", RECORD_TIME, created_ms, false),
		FIELD("update_time", RECORD_TIME, updated_ms, false),
		FIELD("expire_time", RECORD_TIME, expires_ms, false),
		FIELD("scopes", RECORD_TEXTS, scopes, false),
};
static const struct record_shape shape = {"service principal secret", sizeof(struct service_secret),
		fields, COUNT_OF(fields)};

bool service_secret_is_active(const struct service_secret *secret)
{
	return text_equal(secret->status, "ACTIVE");
}

static char *path_of(const struct databricks *databricks, unsigned target, const char *service_id)
{
	AUTO(mem_freep) char *escaped = http_escape(service_id);

	if (databricks_is_account(databricks, target))
		return mem_printf("/api/2.0/accounts/%s/servicePrincipals/%s/credentials/secrets",
				databricks_account_id(databricks), escaped);
	return mem_printf("/api/2.0/accounts/servicePrincipals/%s/credentials/secrets", escaped);
}

struct listing *service_secret_list_start(struct databricks *databricks, unsigned target,
		const char *service_id,
		void (*done)(void *context, const void *items, size_t count,
				const struct err *err_or_null),
		void *context)
{
	AUTO(mem_freep) char *path = path_of(databricks, target, service_id);
	struct listing_setup setup = {.target = target,
			.lane = LANE_SINGLE,
			.family = FAMILY_CREDENTIAL,
			.path = mem_printf("%s?page_size=%d", path, PAGE_COUNT),
			.key = "secrets",
			.shape = &shape,
			.done = done,
			.context = context};

	return listing_start(databricks, &setup);
}

void service_secret_create(struct databricks *databricks, struct call *call, const char *service_id,
		int64_t lifetime_s)
{
	AUTO(mem_freep) char *lifetime = mem_printf("%" PRId64 "s", lifetime_s);
	json_t *body = json_pack("{s:s*}", "lifetime", lifetime_s ? lifetime : NULL);

	call_prepare(call, METHOD_POST, FAMILY_CREDENTIAL,
			path_of(databricks, call->target, service_id), body);
	if (lifetime_s < 0 || lifetime_s > SERVICE_SECRET_LIFETIME_MAX_S)
		record_refuse(databricks, call, ERR_LIMIT, "a secret lives 1 s to 730 days, not %s",
				lifetime);
	else
		call_send(databricks, call);
}

enum err_code service_secret_read_created(struct call *call, struct arena *arena,
		struct service_secret *ret, struct secret *ret_value, struct err *err)
{
	struct service_secret secret;

	if (record_of_call(call, NULL, &shape, arena, &secret, err) != ERR_NONE ||
			record_take_secret(call, "secret", shape.what, ret_value, err) != ERR_NONE)
		return err->code;
	*ret = secret;
	return ERR_NONE;
}

void service_secret_delete(struct databricks *databricks, struct call *call, const char *service_id,
		const char *secret_id)
{
	AUTO(mem_freep) char *path = path_of(databricks, call->target, service_id);
	AUTO(mem_freep) char *escaped = http_escape(secret_id);

	call_prepare(call, METHOD_DELETE, FAMILY_CREDENTIAL, mem_printf("%s/%s", path, escaped),
			NULL);
	call_send(databricks, call);
}
