#include "databricks/auth/host.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <strings.h>

#define HOST_MAX 2048

static bool is_loopback(struct span name)
{
	char text[64];
	struct in_addr v4;
	struct in6_addr v6;

	if (name.len == 0 || name.len >= sizeof(text))
		return false;
	memcpy(text, name.ptr, name.len);
	text[name.len] = '\0';
	if (strcasecmp(text, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, text, &v4) == 1)
		return (ntohl(v4.s_addr) >> 24) == 127;
	if (inet_pton(AF_INET6, text, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6);
	return false;
}

/* The name in "name", "name:port", "[::1]:port"; empty if it is none. *ret_port: from the colon on, "" if there is none. */
static struct span split_authority(struct span authority, struct span *ret_port)
{
	const char *end = authority.ptr + authority.len;
	const char *colon;

	*ret_port = (struct span){end, 0};
	if (authority.len && authority.ptr[0] == '[') {
		const char *close = memchr(authority.ptr, ']', authority.len);

		if (!close)
			return (struct span){authority.ptr, 0};
		*ret_port = (struct span){close + 1, (size_t)(end - close - 1)};
		return (struct span){authority.ptr + 1, (size_t)(close - authority.ptr - 1)};
	}
	colon = memchr(authority.ptr, ':', authority.len);
	if (!colon)
		return authority;
	*ret_port = (struct span){colon, (size_t)(end - colon)};
	return (struct span){authority.ptr, (size_t)(colon - authority.ptr)};
}

static bool port_is_well_formed(struct span port)
{
	if (port.len == 0)
		return true;
	if (port.ptr[0] != ':' || port.len < 2 || port.len > 6)
		return false;
	for (size_t i = 1; i < port.len; i++) {
		if (port.ptr[i] < '0' || port.ptr[i] > '9')
			return false;
	}
	return true;
}

static struct span authority_of(const char *url)
{
	const char *start = strstr(url, "://");

	if (!start)
		return (struct span){url, 0};
	start += 3;
	return (struct span){start, strcspn(start, "/?#")};
}

bool host_url_is_safe(const char *url)
{
	struct span port, name = split_authority(authority_of(url), &port);

	if (name.len == 0 || !port_is_well_formed(port) || memchr(name.ptr, '@', name.len))
		return false;
	if (strncasecmp(url, "https://", 8) == 0)
		return true;
	return strncasecmp(url, "http://", 7) == 0 && is_loopback(name);
}

/* `?o=123&a=uuid` as the browser shows it: o, w and workspace_id name the workspace, a and account_id the account. */
static void take_ids(const char *query, char **ret_workspace_id, char **ret_account_id)
{
	while (*query && *query != '#') {
		const char *name = query + 1;
		size_t len = strcspn(name, "&#");
		const char *equals = memchr(name, '=', len);

		query = name + len;
		if (equals) {
			struct span key = {name, (size_t)(equals - name)};
			struct span value = {equals + 1, len - key.len - 1};
			bool workspace = span_equal(key, SPAN_LIT("o")) ||
					span_equal(key, SPAN_LIT("w")) ||
					span_equal(key, SPAN_LIT("workspace_id"));
			bool account = span_equal(key, SPAN_LIT("a")) ||
					span_equal(key, SPAN_LIT("account_id"));

			if (value.len && workspace && !*ret_workspace_id)
				*ret_workspace_id = mem_strndup(value.ptr, value.len);
			if (value.len && account && !*ret_account_id)
				*ret_account_id = mem_strndup(value.ptr, value.len);
		}
	}
}

static enum err_code check_characters(const char *text, struct err *err)
{
	if (strlen(text) > HOST_MAX)
		return err_set(err, ERR_CONFIG, 0, "host is over %d bytes", HOST_MAX);
	for (const char *p = text; *p; p++) {
		if (*p <= ' ' || *p > '~' || strchr("\"<>\\^`{|}@", *p))
			return err_set(err, ERR_CONFIG, 0,
					"host \"%.100s\" holds a character that no host has", text);
	}
	return ERR_NONE;
}

enum err_code host_normalise(const char *text, char **ret, char **ret_workspace_id,
		char **ret_account_id, struct err *err)
{
	AUTO(mem_freep)
	char *url = strstr(text, "://") ? mem_strdup(text) : mem_printf("https://%s", text);
	struct span authority, name, port, path;
	bool tls = strncasecmp(url, "https://", 8) == 0;

	if (check_characters(text, err) != ERR_NONE)
		return err->code;
	authority = authority_of(url);
	name = split_authority(authority, &port);
	if (name.len == 0 || !port_is_well_formed(port))
		return err_set(err, ERR_CONFIG, 0, "host \"%.100s\" is no host", text);
	if (!tls && !host_url_is_safe(url))
		return err_set(err, ERR_CONFIG, 0,
				"host \"%.100s\": only https, or http to this machine (127.0.0.1, "
				"::1, localhost)",
				text);
	path = (struct span){authority.ptr + authority.len,
			strcspn(authority.ptr + authority.len, "?#")};
	take_ids(path.ptr + path.len, ret_workspace_id, ret_account_id);
	while (path.len && path.ptr[path.len - 1] == '/')
		path.len--;
	if (tls && span_equal(port, SPAN_LIT(":443")))
		authority.len -= port.len;
	*ret = mem_printf("%s%.*s%.*s", tls ? "https://" : "http://", (int)authority.len,
			authority.ptr, (int)path.len, path.ptr);
	return ERR_NONE;
}
