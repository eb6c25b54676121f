#include "rules/uri.h"

#include "base/text.h"

#include <ctype.h>
#include <strings.h>

static const char *parse_port(struct span text, unsigned *ret)
{
	AUTO(mem_freep) char *digits = mem_strndup(text.ptr, text.len);
	int64_t port;

	if (!text_parse_int(digits, 1, 65535, &port) || text.len > 5)
		return "its port must be a number from 1 to 65535";
	*ret = (unsigned)port;
	return NULL;
}

static bool is_host_character(char c)
{
	return isalnum((unsigned char)c) || strchr("-._%", c) != NULL;
}

static const char *parse_authority(struct span text, struct uri *ret)
{
	const char *end = text.ptr + text.len, *colon;

	if (memchr(text.ptr, '@', text.len))
		return "it must not hold a user name or password";
	if (text.len && text.ptr[0] == '[') {
		const char *close = memchr(text.ptr, ']', text.len);

		if (!close)
			return "its IPv6 address lacks the closing bracket";
		ret->host = (struct span){text.ptr + 1, (size_t)(close - text.ptr - 1)};
		colon = close + 1;
		if (strspn(ret->host.ptr, "0123456789abcdefABCDEF:.") < ret->host.len ||
				ret->host.len < 2)
			return "what stands in brackets is no IPv6 address";
	} else {
		colon = memchr(text.ptr, ':', text.len);
		colon = colon ? colon : end;
		ret->host = (struct span){text.ptr, (size_t)(colon - text.ptr)};
		for (size_t i = 0; i < ret->host.len; i++) {
			if (!is_host_character(ret->host.ptr[i]))
				return "its host name holds a character that none may have";
		}
	}
	if (colon == end)
		return NULL;
	if (*colon != ':')
		return "something stands behind the closing bracket of its address";
	return parse_port((struct span){colon + 1, (size_t)(end - colon - 1)}, &ret->port);
}

const char *uri_parse(const char *text, struct uri *ret)
{
	const char *sep = strstr(text, "://");
	size_t len;

	*ret = (struct uri){0};
	if (!sep || sep == text)
		return "it lacks a scheme such as https:// or ldaps://";
	ret->scheme = (struct span){text, (size_t)(sep - text)};
	sep += strlen("://");
	len = strcspn(sep, "/?#");
	ret->rest = span_of(sep + len);
	return parse_authority((struct span){sep, len}, ret);
}

bool uri_scheme_is(const struct uri *uri, const char *scheme)
{
	return uri->scheme.len == strlen(scheme) &&
			strncasecmp(uri->scheme.ptr, scheme, uri->scheme.len) == 0;
}

/* 127.0.0.0/8 in its full form only: others resolve differently from one library to the next. */
static bool is_loopback_v4(const char *host)
{
	unsigned parts = 0;

	if (!text_starts_with(host, "127."))
		return false;
	for (const char *part = host; part; parts++) {
		const char *dot = strchr(part, '.');
		AUTO(mem_freep)
		char *digits = mem_strndup(part, dot ? (size_t)(dot - part) : strlen(part));
		int64_t value;

		if (!text_parse_int(digits, 0, 255, &value))
			return false;
		part = dot ? dot + 1 : NULL;
	}
	return parts == 4;
}

bool uri_host_is_loopback(struct span host)
{
	AUTO(mem_freep) char *text = mem_strndup(host.ptr, host.len);

	return strcasecmp(text, "localhost") == 0 || strcmp(text, "::1") == 0 ||
			is_loopback_v4(text);
}

const char *uri_check_ldap(const char *text)
{
	struct uri uri;
	const char *wrong = uri_parse(text, &uri);

	if (wrong)
		return wrong;
	if (uri_scheme_is(&uri, "ldapi")) {
		if (uri.rest.len > 1)
			return "the path of a socket is written with %2F for each /, as in "
			       "ldapi://%2Frun%2Fslapd%2Fldapi";
		return NULL;
	}
	if (!uri_scheme_is(&uri, "ldap") && !uri_scheme_is(&uri, "ldaps"))
		return "its scheme must be ldap, ldaps or ldapi";
	if (uri.host.len == 0)
		return "it names no host";
	if (uri.rest.len > 1 || (uri.rest.len == 1 && uri.rest.ptr[0] != '/'))
		return "it names a server only; branch and filter belong to `search:`";
	return NULL;
}

const char *uri_check_http(const char *text)
{
	struct uri uri;
	const char *wrong = uri_parse(text, &uri);

	if (wrong)
		return wrong;
	if (uri.host.len == 0)
		return "it names no host";
	if (uri.rest.len > 1 || (uri.rest.len == 1 && uri.rest.ptr[0] != '/'))
		return "it names a host only, without a path";
	if (uri_scheme_is(&uri, "https"))
		return NULL;
	if (!uri_scheme_is(&uri, "http"))
		return "its scheme must be https";
	return uri_host_is_loopback(uri.host)
			? NULL
			: "plain http is for this machine only (127.0.0.1, localhost); write https";
}
