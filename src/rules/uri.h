/*
 * uri -- addresses of servers in the configuration: what they are made of, and whether they are
 * this machine.
 */
#ifndef L2D_RULES_URI_H
#define L2D_RULES_URI_H

#include "base/mem.h"

struct uri {
	struct span scheme; /* as written */
	struct span host;   /* without the brackets of an IPv6 address; may be empty */
	unsigned port;      /* 0: not given */
	struct span rest;   /* path, query, fragment as written; may be empty */
};

/* SCHEME://[HOST][:PORT][REST]. Returns NULL, or what is wrong (static). User information is
 * refused. */
const char *uri_parse(const char *text, struct uri *ret);
/* Whether host is a name or address of this machine's loopback. */
bool uri_host_is_loopback(struct span host);
bool uri_scheme_is(const struct uri *uri, const char *scheme); /* any case */

/* One of ldap://HOST[:PORT], ldaps://HOST[:PORT], ldapi://[PATH with %2F for /]. NULL, or what is
 * wrong (static). */
const char *uri_check_ldap(const char *text);
/* https://HOST[:PORT], or http to loopback. NULL, or what is wrong (static). */
const char *uri_check_http(const char *text);

#endif
