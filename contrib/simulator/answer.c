#include "answer.h"

#include <stdarg.h>

#include "base/json_out.h"

void answer_init(struct answer *answer)
{
	*answer = (struct answer){.status = 200};
	buf_init(&answer->body, ANSWER_BYTES_MAX);
}

void answer_release(struct answer *answer)
{
	buf_release(&answer->body);
	for (vec_each (&answer->headers, header)) {
		mem_free(header->name);
		mem_free(header->value);
	}
	vec_release(&answer->headers);
}

void answer_reset(struct answer *answer)
{
	answer_release(answer);
	answer_init(answer);
}

void answer_add_header(struct answer *answer, const char *name, const char *value)
{
	*vec_add(&answer->headers) = (struct answer_header){
			.name = mem_strdup(name),
			.value = mem_strdup(value),
	};
}

struct buf *answer_json(struct answer *answer, unsigned status)
{
	buf_reset(&answer->body);
	answer->status = status;
	answer->content_type = "application/json";
	return &answer->body;
}

static void put_scim_error(
		struct answer *answer, unsigned status, const char *scim_type, const char *detail)
{
	struct buf *out = answer_json(answer, status);

	buf_add_text(out, "{\"schemas\":[\"" SCIM_ERROR_URN "\"]");
	json_add_member(out, "detail", detail);
	buf_printf(out, ",\"status\":\"%u\"", status);
	json_add_member(out, "scimType", scim_type);
	buf_add_char(out, '}');
}

void answer_scim_error(
		struct answer *answer, unsigned status, const char *scim_type, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	put_scim_error(answer, status, scim_type, text);
}

void answer_problem(struct answer *answer, const struct scim_problem *problem)
{
	put_scim_error(answer, problem->status, problem->scim_type[0] ? problem->scim_type : NULL,
			problem->detail);
}

void answer_api_error(
		struct answer *answer, unsigned status, const char *code, const char *fmt, ...)
{
	char text[512];
	struct buf *out;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	out = answer_json(answer, status);
	buf_add_char(out, '{');
	json_add_member(out, "error_code", code);
	json_add_member(out, "message", text);
	buf_add_char(out, '}');
}

void answer_oauth_error(
		struct answer *answer, unsigned status, const char *error, const char *description)
{
	struct buf *out = answer_json(answer, status);

	buf_add_char(out, '{');
	json_add_member(out, "error", error);
	json_add_member(out, "error_description", description);
	buf_add_char(out, '}');
}

void answer_html_error(struct answer *answer, unsigned status, const char *text)
{
	buf_reset(&answer->body);
	answer->status = status;
	answer->content_type = "text/html;charset=utf-8";
	buf_printf(&answer->body,
			"<html>\n<head><title>Error %u %s</title></head>\n"
			"<body><h2>HTTP ERROR %u</h2><pre>    %s</pre></body>\n</html>\n",
			status, text, status, text);
}
