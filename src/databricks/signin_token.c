#include "databricks/signin.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "databricks/answer.h"

bool signin_is_header_safe(const char *text)
{
	for (; *text; text++) {
		if (*text <= ' ' || *text > '~')
			return false;
	}
	return true;
}

static enum err_code read_success(
		const json_t *json, struct secret *ret_header, int64_t *ret_life_s, struct err *err)
{
	const char *token = json_string_value(json_object_get(json, "access_token"));
	const char *type = json_string_value(json_object_get(json, "token_type"));
	const json_t *expires = json_object_get(json, "expires_in");
	int64_t life_s = 0;
	struct buf line;

	if (!token || !*token || !signin_is_header_safe(token) ||
			(type && !signin_is_header_safe(type)))
		return err_set(err, ERR_PROTO, 0,
				"the token endpoint's answer holds no usable access_token");
	/* A number, or as Databricks' own test server has it a string. */
	if (json_is_number(expires))
		life_s = json_number_value(expires) < INT32_MAX
				? (int64_t)json_number_value(expires)
				: INT32_MAX;
	else if (json_is_string(expires) &&
			!text_parse_int(json_string_value(expires), 0, INT32_MAX, &life_s))
		return err_set(err, ERR_PROTO, 0,
				"the token endpoint's answer holds no usable expires_in");
	buf_init(&line, SIGNIN_TOKEN_MAX);
	buf_printf(&line, "%s %s", type && *type ? type : "Bearer", token);
	if (line.overflowed)
		return err_set(err, ERR_LIMIT, 0, "the access token is over %d bytes",
				SIGNIN_TOKEN_MAX);
	secret_set(ret_header, (struct span){line.ptr, line.len});
	explicit_bzero(line.ptr, line.room);
	buf_release(&line);
	*ret_life_s = life_s < 0 ? 0 : life_s;
	return ERR_NONE;
}

/* Okta-style servers say errorCode and errorSummary; anything else goes through the common reader. */
static enum err_code read_refusal(
		int status, struct span body, const char *retry_after, struct err *err)
{
	struct answer answer = {.what = "sign-in",
			.status = status,
			.body = body,
			.location = "",
			.retry_after = retry_after,
			.now_ms = clock_wall_ms()};
	struct answer_verdict verdict;
	enum err_code code = answer_check(&answer, &verdict, err);

	if (code == ERR_NONE)
		return err_set(err, ERR_PROTO, status, "sign-in: HTTP %d without a token", status);
	if (code == ERR_THROTTLED || code == ERR_SERVER || code == ERR_TIMEOUT)
		return code;
	err->code = ERR_AUTH;
	return ERR_AUTH;
}

enum err_code signin_read_token(int status, struct span body, const char *retry_after,
		struct secret *ret_header, int64_t *ret_life_s, struct err *err)
{
	json_t *json = NULL;
	enum err_code code;

	if (status < 200 || status > 299)
		return read_refusal(status, body, retry_after, err);
	code = answer_json(body, &json, err);
	if (code == ERR_NONE)
		code = json_is_object(json)
				? read_success(json, ret_header, ret_life_s, err)
				: err_set(err, ERR_PROTO, status,
						  "the token endpoint's answer is no object");
	json_decref(json);
	return code;
}
