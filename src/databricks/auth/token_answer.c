#include "databricks/auth/method.h"

#include "base/clock.h"
#include "base/text.h"
#include "databricks/answer.h"

void token_answer_release(struct token_answer *answer)
{
	secret_release(&answer->token);
}

json_t *answer_object(const struct http_request *request)
{
	json_t *json = NULL;
	struct err ignored;

	if (request->code != ERR_NONE || request->status < 200 || request->status > 299 ||
			answer_json((struct span){request->answer, request->answer_len}, &json,
					&ignored) != ERR_NONE)
		return NULL;
	if (json_is_object(json))
		return json;
	json_decref(json);
	return NULL;
}

/* A number, or a string of digits as Entra and Databricks' own test server have it. False: there, but neither. */
static bool read_seconds(const json_t *json, int64_t *ret)
{
	*ret = 0;
	if (json_is_number(json)) {
		double value = json_number_value(json);

		*ret = value < 0 ? 0 : value < INT64_C(1) << 40 ? (int64_t)value : INT64_C(1) << 40;
		return true;
	}
	return !json_is_string(json) ||
			text_parse_int(json_string_value(json), 0, INT64_C(1) << 40, ret);
}

/* Seconds from now: expires_in; else expires_on, which is a time. */
static enum err_code read_life(
		const json_t *json, int64_t now_s, int64_t *ret_life_s, struct err *err)
{
	int64_t seconds, at;

	if (!read_seconds(json_object_get(json, "expires_in"), &seconds))
		return err_set(err, ERR_PROTO, 0, "the answer holds no usable expires_in");
	if (!read_seconds(json_object_get(json, "expires_on"), &at))
		return err_set(err, ERR_PROTO, 0, "the answer holds no usable expires_on");
	if (!seconds && at) {
		if (at <= now_s)
			return err_set(err, ERR_PROTO, 0,
					"the answer holds a token that is over already; is this "
					"machine's clock right?");
		seconds = at - now_s;
	}
	*ret_life_s = seconds < INT32_MAX ? seconds : INT32_MAX;
	return ERR_NONE;
}

static enum err_code read_success(const json_t *json, const char *member, int64_t now_s,
		struct token_answer *ret, struct err *err)
{
	const char *token = json_string_value(json_object_get(json, member));
	const char *type = json_string_value(json_object_get(json, "token_type"));

	if (!token || !*token || !signin_is_header_safe(token) || strlen(token) > SIGNIN_TOKEN_MAX)
		return err_set(err, ERR_PROTO, 0, "the answer holds no usable %s", member);
	if (!type || !*type)
		type = "Bearer";
	if (!signin_is_header_safe(type) || strlen(type) >= sizeof(ret->type))
		return err_set(err, ERR_PROTO, 0, "the answer holds no usable token_type");
	if (read_life(json, now_s, &ret->life_s, err) != ERR_NONE)
		return err->code;
	(void)snprintf(ret->type, sizeof(ret->type), "%s", type);
	secret_set(&ret->token, span_of(token));
	return ERR_NONE;
}

static enum err_code read_refusal(const struct token_response *response, struct err *err)
{
	struct answer answer = {.what = "sign-in",
			.status = response->status,
			.body = response->body,
			.location = "",
			.retry_after = response->retry_after,
			.now_ms = response->now_s * 1000};
	struct answer_verdict verdict;
	enum err_code code = answer_check(&answer, &verdict, err);

	if (code == ERR_NONE)
		return err_set(err, ERR_PROTO, response->status, "sign-in: HTTP %d without a token",
				response->status);
	if (code == ERR_THROTTLED || code == ERR_SERVER || code == ERR_TIMEOUT)
		return code;
	err->code = ERR_AUTH;
	return ERR_AUTH;
}

enum err_code token_answer_read(const struct token_response *response, const char *member,
		struct token_answer *ret, struct err *err)
{
	json_t *json = NULL;
	enum err_code code;

	if (response->status < 200 || response->status > 299)
		return read_refusal(response, err);
	code = answer_json(response->body, &json, err);
	if (code == ERR_NONE)
		code = json_is_object(json) ? read_success(json, member, response->now_s, ret, err)
					    : err_set(err, ERR_PROTO, response->status,
							      "the answer is no object");
	json_decref(json);
	return code;
}

enum err_code token_answer_take(const struct http_request *request, const char *member,
		struct token_answer *ret, struct err *err)
{
	struct token_response response = {.status = request->status,
			.body = {request->answer, request->answer_len},
			.retry_after = request->retry_after,
			.now_s = clock_wall_ms() / 1000};

	return token_answer_read(&response, member, ret, err);
}
