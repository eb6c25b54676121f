#include "databricks/auth/method.h"

#include "base/log.h"
#include "base/text.h"
#include "databricks/auth/host.h"

#include <openssl/evp.h>
#include <stdarg.h>

void signin_headers_release(struct signin_headers *headers)
{
	for (size_t i = 0; i < headers->count; i++)
		secret_release(&headers->items[i].value);
	*headers = (struct signin_headers){0};
}

void signin_memory_release(struct signin_memory *memory)
{
	mem_free(memory->discovery_url);
	mem_free(memory->token_endpoint);
	mem_free(memory->tenant_id);
	mem_free(memory->audience);
	mem_free(memory->account_id);
	mem_free(memory->cloud);
	*memory = (struct signin_memory){0};
}

void attempt_forget_request(struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->header_count; i++)
		secret_release(&attempt->headers[i].value);
	attempt->header_count = 0;
	secret_release(&attempt->body);
	mem_free(STEAL(attempt->url));
	attempt->verb = NULL;
	attempt->direct = false;
}

void attempt_release(struct attempt *attempt)
{
	attempt_forget_request(attempt);
	secret_release(&attempt->held);
	signin_headers_release(&attempt->result);
}

/* ---- requests ---- */

void attempt_get(struct attempt *attempt, char *url)
{
	attempt->verb = "GET";
	attempt->url = url;
}

void attempt_post(struct attempt *attempt, char *url, struct buf *form)
{
	attempt->verb = "POST";
	attempt->url = url;
	secret_set(&attempt->body, (struct span){buf_text(form), form->len});
	buf_wipe(form);
	attempt_header(attempt, "Content-Type", SPAN_LIT("application/x-www-form-urlencoded"));
}

void attempt_header(struct attempt *attempt, const char *name, struct span value)
{
	if (attempt->header_count == COUNT_OF(attempt->headers))
		abort();
	attempt->headers[attempt->header_count].name = name;
	secret_set(&attempt->headers[attempt->header_count].value, value);
	attempt->header_count++;
}

/* "Basic" and base64 of id:secret (RFC 6749, section 2.3.1), unescaped as Databricks' SDKs send it. */
void attempt_basic_header(struct attempt *attempt, const char *id, const struct secret *secret)
{
	static const char scheme[] = "Basic ";
	size_t pair_len = strlen(id) + 1 + secret->len;
	size_t header_len = sizeof(scheme) + (pair_len + 2) / 3 * 4;
	char *pair = mem_alloc(pair_len + 1);
	char *header = mem_alloc(header_len);

	(void)snprintf(pair, pair_len + 1, "%s:%s", id, secret->text);
	memcpy(header, scheme, sizeof(scheme));
	(void)EVP_EncodeBlock((unsigned char *)header + strlen(scheme), (const unsigned char *)pair,
			(int)pair_len);
	attempt_header(attempt, "Authorization", span_of(header));
	explicit_bzero(pair, pair_len);
	explicit_bzero(header, header_len);
	mem_free(pair);
	mem_free(header);
}

/* With room from the start, so that no copy of a secret is left behind when it grows. */
void form_init(struct buf *form)
{
	buf_init(form, SIGNIN_FORM_MAX);
	buf_reserve(form, SIGNIN_FORM_MAX / 2);
}

static void form_text(struct buf *form, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
				c == '-' || c == '_' || c == '.' || c == '~')
			buf_add(form, &c, 1);
		else
			buf_printf(form, "%%%02X", (unsigned)(unsigned char)c);
	}
}

void form_add(struct buf *form, const char *name, struct span value)
{
	if (form->len)
		buf_add(form, "&", 1);
	form_text(form, span_of(name));
	buf_add(form, "=", 1);
	form_text(form, value);
}

/* ---- what comes of it ---- */

bool signin_is_header_safe(const char *text)
{
	for (; *text; text++) {
		if (*text <= ' ' || *text > '~')
			return false;
	}
	return true;
}

enum err_code attempt_result(struct attempt *attempt, const char *name, const char *prefix,
		const char *token, struct err *err)
{
	size_t at = attempt->result.count;
	struct buf line;

	if (at == SIGNIN_HEADERS_MAX)
		abort();
	if (!*token || !signin_is_header_safe(token) || !signin_is_header_safe(prefix))
		return err_set(err, ERR_PROTO, 0,
				"the token holds what no token has (blank, line end)");
	buf_init(&line, SIGNIN_TOKEN_MAX);
	buf_reserve(&line, strlen(prefix) + strlen(token) + 2);
	buf_printf(&line, "%s%s%s", prefix, *prefix ? " " : "", token);
	if (line.overflowed)
		return buf_wipe(&line),
		       err_set(err, ERR_LIMIT, 0, "the token is over %d bytes", SIGNIN_TOKEN_MAX);
	secret_set(&attempt->result.items[at].value, (struct span){line.ptr, line.len});
	attempt->result.items[at].name = name;
	attempt->result.count++;
	buf_wipe(&line);
	return ERR_NONE;
}

void attempt_life(struct attempt *attempt, int64_t life_s)
{
	if (life_s && (!attempt->result.life_s || life_s < attempt->result.life_s))
		attempt->result.life_s = life_s;
}

/* Not to a host in clear text, and not from https down to http on this machine. */
bool attempt_url_serves(const struct attempt *attempt, const char *url)
{
	if (!host_url_is_safe(url))
		return false;
	return text_starts_with(url, "https:") ||
			(attempt->credential->host &&
					!text_starts_with(attempt->credential->host, "https:"));
}

void attempt_warn(struct attempt *attempt, const char *format, ...)
{
	char text[300];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_event(LOG_WARNING, "sign-in lacks something that it can do without",
			{"target", attempt->credential->host}, {"error", text});
}
