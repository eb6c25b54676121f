#include "databricks/token.h"

#include "databricks/http.h"

#include <stddef.h>

#define FIELD(key, type, member, required)                                                         \
	{                                                                                          \
		key, type, offsetof(struct token_info, member), required, NULL                     \
	}
static const struct record_field fields[] = {
		FIELD("token_id", RECORD_ID, id, true),
		FIELD("comment", RECORD_TEXT, comment, false),
		FIELD("owner_id", RECORD_ID, owner_id, false),
		FIELD("created_by_id", RECORD_ID, created_by_id, false),
		FIELD("created_by_username", RECORD_TEXT, created_by_name, false),
		FIELD("creation_time", RECORD_INTEGER, created_ms, false),
		FIELD("expiry_time", RECORD_INTEGER, expires_ms, false),
		FIELD("last_used_day", RECORD_INTEGER, last_used_ms, false),
		FIELD("workspace_id", RECORD_ID, workspace_id, false),
		FIELD("scopes", RECORD_TEXTS, scopes, false),
};
static const struct record_shape shape = {
		"token", sizeof(struct token_info), fields, COUNT_OF(fields)};

static void send_one(struct databricks *databricks, struct call *call, enum method method,
		const char *id)
{
	AUTO(mem_freep) char *escaped = http_escape(id);

	call_prepare(call, method, FAMILY_TOKEN,
			mem_printf("/api/2.0/token-management/tokens/%s", escaped), NULL);
	call_send(databricks, call);
}

void token_list(struct databricks *databricks, struct call *call)
{
	call_prepare(call, METHOD_GET, FAMILY_TOKEN, mem_strdup("/api/2.0/token-management/tokens"),
			NULL);
	call_send(databricks, call);
}

void token_list_own(struct databricks *databricks, struct call *call)
{
	call_prepare(call, METHOD_GET, FAMILY_TOKEN, mem_strdup("/api/2.0/token/list"), NULL);
	call_send(databricks, call);
}

#define TIME_MAX_MS INT64_C(253402300799000) /* the end of the year 9999 */

/* What cannot be a time says nothing. */
static int64_t time_or_none(int64_t ms)
{
	return ms >= 0 && ms <= TIME_MAX_MS ? ms : 0;
}

/* Whatever stands for "never" becomes one number. */
static void settle(struct token_info *token)
{
	token->expires_ms = token->expires_ms < 0 ? TOKEN_NEVER_EXPIRES
						  : time_or_none(token->expires_ms);
	token->created_ms = time_or_none(token->created_ms);
	token->last_used_ms = time_or_none(token->last_used_ms);
}

enum err_code token_list_read(const struct call *call, struct arena *arena,
		const struct token_info **ret, size_t *ret_count, struct err *err)
{
	struct token_info *tokens;
	void *records;
	size_t count;

	if (records_of_call(call, "token_infos", &shape, arena, &records, &count, err) != ERR_NONE)
		return err->code;
	tokens = records;
	for (size_t i = 0; i < count; i++)
		settle(&tokens[i]);
	*ret = tokens;
	*ret_count = count;
	return ERR_NONE;
}

void token_get(struct databricks *databricks, struct call *call, const char *id)
{
	send_one(databricks, call, METHOD_GET, id);
}

enum err_code token_read(const struct call *call, struct arena *arena, struct token_info *ret,
		struct err *err)
{
	if (record_of_call(call, "token_info", &shape, arena, ret, err) != ERR_NONE)
		return err->code;
	settle(ret);
	return ERR_NONE;
}

void token_delete(struct databricks *databricks, struct call *call, const char *id)
{
	send_one(databricks, call, METHOD_DELETE, id);
}

void token_create_on_behalf(
		struct databricks *databricks, struct call *call, const struct token_wish *wish)
{
	json_t *body = json_pack("{s:s, s:s*}", "application_id", wish->application_id, "comment",
			wish->comment);

	if (wish->lifetime_s > 0)
		(void)json_object_set_new(body, "lifetime_seconds", json_integer(wish->lifetime_s));
	call_prepare(call, METHOD_POST, FAMILY_TOKEN,
			mem_strdup("/api/2.0/token-management/on-behalf-of/tokens"), body);
	call_send(databricks, call);
}

enum err_code token_read_created(struct call *call, struct arena *arena, struct token_info *ret,
		struct secret *ret_value, struct err *err)
{
	struct token_info token;

	if (token_read(call, arena, &token, err) != ERR_NONE ||
			record_take_secret(call, "token_value", shape.what, ret_value, err) !=
					ERR_NONE)
		return err->code;
	*ret = token;
	return ERR_NONE;
}
