#include "databricks/answer.h"

#include "base/buf.h"
#include "base/text.h"
#include "databricks/permission_error.h"

#include <errno.h>
#include <strings.h>

#define CODE_MAX 64
#define MESSAGE_MAX 240
#define CONCURRENT_WORDS "exceeded the concurrent limit of"

/* What could be read out of an error body. */
struct complaint {
	char code[CODE_MAX];       /* "RESOURCE_DOES_NOT_EXIST", "SCIM_404", "" */
	char message[MESSAGE_MAX]; /* one printable line */
	bool html;
	bool json;
};

static struct span trimmed(struct span text)
{
	while (text.len && strchr(" \t\r\n", text.ptr[0])) {
		text.ptr++;
		text.len--;
	}
	while (text.len && strchr(" \t\r\n", text.ptr[text.len - 1]))
		text.len--;
	return text;
}

/* Text from outside into a bounded, printable line; a character that is cut in half at the end goes as a whole. */
static void set_line(char *ret, size_t room, struct span text)
{
	AUTO(mem_freep) char *line = NULL;
	size_t len;

	text = trimmed(text);
	if (text.len > room * 4)
		text.len = room * 4;
	line = text_printable(text);
	len = strlen(line);
	if (len >= room) {
		len = room - 1;
		while (len > 0 && ((unsigned char)line[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(ret, line, len);
	ret[len] = '\0';
}

static void set_number(char *ret, size_t room, json_int_t number)
{
	(void)snprintf(ret, room, "%lld", (long long)number);
}

static const char *member(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* RFC 7644, section 3.12, as Databricks has it: the reason may sit in scimType, `status` is a string. */
static void read_scim(const json_t *body, const char *detail, int status, struct complaint *ret)
{
	const char *type = member(body, "scimType");
	AUTO(mem_freep) char *text = NULL;

	if (text_equal(detail, "null"))
		detail = "SCIM API Internal Error";
	text = type && *type ? mem_printf("%s %s", type, detail) : mem_strdup(detail);
	(void)snprintf(ret->code, sizeof(ret->code), "SCIM_%d", status);
	set_line(ret->message, sizeof(ret->message), span_of(text));
}

/*
 * error_code and message; `error` (API 1.2, OAuth) replaces message, error_description says more. errorCode and
 * errorSummary are what some token endpoints say instead.
 */
static void read_classic(const json_t *body, struct complaint *ret)
{
	const char *summary = member(body, "errorSummary");
	const json_t *code = json_object_get(body, summary ? "errorCode" : "error_code");
	const char *message = summary ? summary : member(body, "message");
	const char *error = member(body, "error");
	const char *description = member(body, "error_description");

	if (json_is_integer(code))
		set_number(ret->code, sizeof(ret->code), json_integer_value(code));
	else if (json_is_string(code))
		set_line(ret->code, sizeof(ret->code), span_of(json_string_value(code)));
	if (error && description) {
		set_line(ret->code, sizeof(ret->code), span_of(error));
		message = description;
	} else if (error) {
		message = error;
	}
	if (message)
		set_line(ret->message, sizeof(ret->message), span_of(message));
}

static void read_details(const json_t *body, struct answer_verdict *verdict)
{
	const json_t *details = json_object_get(body, "details");
	const json_t *item;
	size_t i;

	json_array_foreach(details, i, item)
	{
		const char *id = member(item, "request_id");

		const char *etag = member(json_object_get(item, "metadata"), "etag");

		if (id && strlen(id) < sizeof(verdict->request_id))
			set_line(verdict->request_id, sizeof(verdict->request_id), span_of(id));
		/* The first one counts (the provider for Terraform, settings/generic_setting.go). */
		if (etag && !verdict->etag[0] && strlen(etag) < sizeof(verdict->etag))
			set_line(verdict->etag, sizeof(verdict->etag), span_of(etag));
	}
}

/* `MALFORMED_REQUEST: some text` as a whole body. */
static bool read_coded_text(struct span text, struct complaint *ret)
{
	size_t len = 0;

	while (len < text.len &&
			(text.ptr[len] == '_' || (text.ptr[len] >= 'A' && text.ptr[len] <= 'Z')))
		len++;
	if (len == 0 || len + 1 >= text.len || len >= sizeof(ret->code) || text.ptr[len] != ':' ||
			text.ptr[len + 1] != ' ')
		return false;
	set_line(ret->code, sizeof(ret->code), (struct span){text.ptr, len});
	set_line(ret->message, sizeof(ret->message),
			(struct span){text.ptr + len + 2, text.len - len - 2});
	return true;
}

static bool between(struct span text, const char *open, const char *close, struct span *ret)
{
	const char *start = memmem(text.ptr, text.len, open, strlen(open));
	const char *end;

	if (!start)
		return false;
	start += strlen(open);
	end = memmem(start, (size_t)(text.ptr + text.len - start), close, strlen(close));
	if (!end)
		return false;
	*ret = (struct span){start, (size_t)(end - start)};
	return true;
}

static void read_html(struct span text, struct complaint *ret)
{
	struct span inner;

	ret->html = true;
	if (between(text, "<pre>", "</pre>", &inner) ||
			between(text, "<title>", "</title>", &inner))
		set_line(ret->message, sizeof(ret->message), inner);
	else
		set_line(ret->message, sizeof(ret->message), SPAN_LIT("an HTML page"));
}

/* Before the message is cut to a line: names are long. */
static void read_principal(struct span message, struct answer_verdict *verdict)
{
	struct span name;

	if (!permission_error_principal(message, &verdict->unknown_kind, &name))
		return;
	verdict->refusal = REFUSAL_PRINCIPAL;
	if (name.len < sizeof(verdict->unknown_name))
		memcpy(verdict->unknown_name, name.ptr, name.len);
}

static void read_complaint(
		const struct answer *answer, struct complaint *ret, struct answer_verdict *verdict)
{
	struct span text = trimmed(answer->body);
	json_t *body = NULL;
	const char *detail;

	*ret = (struct complaint){0};
	if (text.len == 0)
		return;
	if (text.ptr[0] == '<') {
		read_html(text, ret);
		return;
	}
	if (text.len <= ANSWER_ERROR_MAX)
		body = json_loadb(text.ptr, text.len, JSON_DECODE_ANY, NULL);
	if (json_is_object(body)) {
		ret->json = true;
		detail = member(body, "detail");
		if (detail && *detail)
			read_scim(body, detail, answer->status, ret);
		else
			read_classic(body, ret);
		if (member(body, "message"))
			read_principal(span_of(member(body, "message")), verdict);
		read_details(body, verdict);
	} else if (!read_coded_text(text, ret)) {
		set_line(ret->message, sizeof(ret->message), text);
	}
	json_decref(body);
}

/* ---- meaning ---- */

/*
 * What counts whatever the status says: an error code, in its own key or as "CODE: " in a text, or words of a message;
 * with `where`, only for calls whose path holds it.
 */
static const struct meaning {
	const char *code, *words, *where;
	enum err_code meaning;
	enum refusal refusal;
} meanings[] = {
		{NULL, CONCURRENT_WORDS, NULL, ERR_THROTTLED, REFUSAL_OTHER},
		{"REQUEST_LIMIT_EXCEEDED", NULL, NULL, ERR_THROTTLED, REFUSAL_OTHER},
		{"RESOURCE_EXHAUSTED", NULL, NULL, ERR_THROTTLED, REFUSAL_OTHER},
		{"TOO_MANY_REQUESTS", NULL, NULL, ERR_THROTTLED, REFUSAL_OTHER},
		{NULL, "RPC token bucket limit has been exceeded", NULL, ERR_THROTTLED,
				REFUSAL_OTHER},
		{NULL, "Temporarily throttled", NULL, ERR_THROTTLED, REFUSAL_OTHER},
		/* A path that this host does not have must never be read as an object that is gone. */
		{"ENDPOINT_NOT_FOUND", "No API found for", NULL, ERR_UNSUPPORTED, REFUSAL_OTHER},
		{NULL, "Endpoint not supported", NULL, ERR_UNSUPPORTED, REFUSAL_OTHER},
		{"FEATURE_DISABLED", "not available in the pricing tier", NULL, ERR_UNSUPPORTED,
				REFUSAL_OTHER},
		{"NOT_IMPLEMENTED", NULL, NULL, ERR_UNSUPPORTED, REFUSAL_OTHER},
		/* Not on every cloud, or token usage is off (databricks/cli issue 596). */
		{NULL, "token creation for service principals is not enabled", NULL,
				ERR_UNSUPPORTED, REFUSAL_OTHER},
		/* Keys that this cloud or tier does not have (terraform-provider-databricks issue 1769). */
		{NULL, "Invalid keys: [", "/workspace-conf", ERR_UNSUPPORTED, REFUSAL_OTHER},
		{"QUOTA_EXCEEDED", NULL, NULL, ERR_REFUSED, REFUSAL_QUOTA},
		{"RESOURCE_LIMIT_EXCEEDED", NULL, NULL, ERR_REFUSED, REFUSAL_QUOTA},
		{NULL, "will not be allowed to access", "/ip-access-lists", ERR_REFUSED,
				REFUSAL_LOCK_OUT},
		/* terraform-provider-databricks issue 489: the switch asks the same as the lists. */
		{NULL, "will not be allowed to access", "/workspace-conf", ERR_REFUSED,
				REFUSAL_LOCK_OUT},
		{NULL, "is blocked by Databricks IP ACL", NULL, ERR_DENIED, REFUSAL_IP_BLOCKED},
		{NULL, "Cannot change permissions for group 'admins'", NULL, ERR_REFUSED,
				REFUSAL_ADMINS},
		{"RESOURCE_DOES_NOT_EXIST", "Principal not found in account", NULL, ERR_NOT_FOUND,
				REFUSAL_OTHER},
		/* 400 for a resource that is not there, or is a group of the workspace only. */
		{NULL, "not found", "/access-control/", ERR_NOT_FOUND, REFUSAL_OTHER},
		{"RESOURCE_ALREADY_EXISTS", NULL, NULL, ERR_CONFLICT, REFUSAL_OTHER},
		{"ALREADY_EXISTS", NULL, NULL, ERR_CONFLICT, REFUSAL_OTHER},
		{NULL, "already exists", "/policies/clusters/", ERR_CONFLICT, REFUSAL_OTHER},
		{"RESOURCE_CONFLICT", NULL, NULL, ERR_CONFLICT, REFUSAL_OTHER},
		{"ABORTED", NULL, NULL, ERR_CONFLICT, REFUSAL_OTHER},
		{"PRIVATE_LINK_VALIDATION_ERROR", NULL, NULL, ERR_DENIED, REFUSAL_OTHER},
		{"PERMISSION_DENIED", NULL, NULL, ERR_DENIED, REFUSAL_OTHER},
		/* 403 of a token that is dead (databricks-sdk-go issue 1046). */
		{NULL, "Invalid access token", NULL, ERR_AUTH, REFUSAL_OTHER},
		/* Right after a delete, with another spelling of the name; passes by itself. */
		{NULL, "Principal not found for id", NULL, ERR_CONFLICT, REFUSAL_OTHER},
		/* Assignments: the workspace learns of a principal, or of its metastore, after a while. */
		{NULL, " not in workspace ", NULL, ERR_CONFLICT, REFUSAL_OTHER},
		{NULL, "Permission assignment APIs are not available", NULL, ERR_SERVER,
				REFUSAL_OTHER},
		{NULL, "Permission assignments not supported for current workspace", NULL,
				ERR_SERVER, REFUSAL_OTHER},
		/* 500 for good: a group that is managed elsewhere, or a body that we built wrongly. */
		{NULL, "Error in performing the patch operation on group resource", NULL,
				ERR_REFUSED, REFUSAL_OTHER},
		{NULL, "cannot be cast to class", NULL, ERR_REFUSED, REFUSAL_OTHER},
};

/* "CODE: " at the start or after a blank: names in a message do not look like that. */
static bool names_code(const char *message, const char *code)
{
	size_t len = strlen(code);

	for (const char *at = message; (at = strstr(at, code)); at += len) {
		if ((at == message || at[-1] == ' ') && at[len] == ':')
			return true;
	}
	return false;
}

static const struct meaning *meaning_of(const struct complaint *complaint, const char *what)
{
	for (size_t i = 0; i < COUNT_OF(meanings); i++) {
		const char *code = meanings[i].code, *words = meanings[i].words;
		const char *where = meanings[i].where;

		if (where && !strstr(what, where))
			continue;
		if ((code &&
				    (text_equal(complaint->code, code) ||
						    names_code(complaint->message, code))) ||
				(words && strstr(complaint->message, words)))
			return &meanings[i];
	}
	return NULL;
}

static enum err_code code_of_status(int status, const struct complaint *complaint)
{
	switch (status) {
	case 401:
		return ERR_AUTH;
	case 403:
		return ERR_DENIED;
	case 404:
		/* A web page instead of JSON: the wrong kind of host, which says nothing about the object. */
		return complaint->html ? ERR_PROTO : ERR_NOT_FOUND;
	case 408:
	case 504:
		return ERR_TIMEOUT;
	case 409:
	case 412:
		return ERR_CONFLICT;
	case 429:
		return ERR_THROTTLED;
	case 499:
		return ERR_SERVER;
	case 501:
		return ERR_UNSUPPORTED;
	case 505:
		return ERR_REFUSED;
	default:
		return status >= 500 ? ERR_SERVER : ERR_REFUSED;
	}
}

static enum err_code code_of(const struct answer *answer, const struct complaint *complaint,
		struct answer_verdict *verdict)
{
	const struct meaning *meaning;
	struct permission_error permission;

	/* The object is fine, and the workspace may yet learn of who was named. */
	if (verdict->refusal == REFUSAL_PRINCIPAL)
		return ERR_CONFLICT;
	if (permission_error_read(answer->status, complaint->message, &permission)) {
		verdict->refusal = permission.refusal;
		return permission.code;
	}
	meaning = meaning_of(complaint, answer->what);
	if (!meaning)
		return code_of_status(answer->status, complaint);
	verdict->refusal = meaning->refusal;
	return meaning->meaning;
}

/* 5xx may come after the work was done; 503 says that nobody took the request up, and throttling that it was declined. */
static bool effect_is_unknown(const struct answer *answer, enum err_code code)
{
	if (!answer->is_write || code == ERR_THROTTLED)
		return false;
	return answer->status == 408 || answer->status == 499 ||
			(answer->status >= 500 && answer->status != 501 && answer->status != 503);
}

static enum err_code judge_redirect(const struct answer *answer, struct err *err)
{
	if (strstr(answer->location, "error=private-link-validation-error"))
		return err_set(err, ERR_DENIED, 403,
				"%s: PRIVATE_LINK_VALIDATION_ERROR: this workspace is reached "
				"through its private link only",
				answer->what);
	return err_set(err, ERR_PROTO, answer->status,
			"%s: HTTP %d sends us elsewhere (wrong host, or not signed in)",
			answer->what, answer->status);
}

enum err_code answer_check(
		const struct answer *answer, struct answer_verdict *verdict, struct err *err)
{
	struct complaint complaint;
	enum err_code code;

	*verdict = (struct answer_verdict){0};
	if (answer->status >= 200 && answer->status < 300)
		return ERR_NONE;
	if (answer->status < 400)
		return judge_redirect(answer, err);
	read_complaint(answer, &complaint, verdict);
	verdict->absent_attribute =
			strstr(complaint.message, "No such attribute with the name") != NULL;
	verdict->concurrency = strstr(complaint.message, CONCURRENT_WORDS) != NULL;
	code = code_of(answer, &complaint, verdict);
	(void)err_set(err, code, answer->status, "%s: HTTP %d%s%s%s%s", answer->what,
			answer->status, *complaint.code ? " " : "", complaint.code,
			*complaint.message ? ": " : "", complaint.message);
	err->retry_after_s = answer_retry_after(answer->retry_after, answer->now_ms);
	err->effect_unknown = effect_is_unknown(answer, code);
	return code;
}

enum err_code answer_json(struct span body, json_t **ret, struct err *err)
{
	struct span text = trimmed(body);
	json_error_t error;
	json_t *json;

	if (text.len == 0) {
		*ret = NULL;
		return ERR_NONE;
	}
	if (text.ptr[0] == '<')
		return err_set(err, ERR_PROTO, 0,
				"expected JSON, got an HTML page (wrong host, or not signed in)");
	/* jansson bounds the depth at JSON_PARSER_MAX_DEPTH (2048). */
	json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!json)
		return err_set(err, ERR_PROTO, 0, "expected JSON: %s at byte %d", error.text,
				error.position);
	*ret = json;
	return ERR_NONE;
}

/* ---- Retry-After (RFC 9110, section 10.2.3) ---- */

static uint32_t seconds_until(int64_t then_s, int64_t now_ms)
{
	int64_t left_s = then_s - now_ms / 1000;

	if (left_s <= 0)
		return 0;
	return left_s > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : (uint32_t)left_s;
}

/* "5" and, as seen on the wire, "1.58", which is rounded up. */
static bool parse_seconds(const char *value, uint32_t *ret)
{
	uint64_t whole = 0;
	const char *p = value;
	bool fraction = false;

	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (whole < RETRY_AFTER_MAX_S)
			whole = whole * 10 + (uint64_t)(*p - '0');
	}
	if (*p == '.') {
		for (p++; *p >= '0' && *p <= '9'; p++)
			fraction = fraction || *p != '0';
	}
	if (*p)
		return false;
	whole += fraction;
	*ret = whole > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : (uint32_t)whole;
	return true;
}

uint32_t answer_retry_after(const char *value, int64_t now_ms)
{
	struct tm parts = {0};
	uint32_t seconds;
	const char *end;

	if (parse_seconds(value, &seconds))
		return seconds;
	end = strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &parts);
	if (!end || *end)
		return 0;
	return seconds_until((int64_t)timegm(&parts), now_ms);
}
