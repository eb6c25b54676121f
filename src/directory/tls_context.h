/*
 * tls_context -- how we speak TLS: whom we trust, what we show, which versions.
 *
 * Contexts are shared by all connections of the process with the same files, and made anew when a file changes. They are
 * kept until the process ends: libldap hands out no way to give one back, and loses some memory with each one that has a
 * client certificate.
 */
#ifndef L2D_DIRECTORY_TLS_CONTEXT_H
#define L2D_DIRECTORY_TLS_CONTEXT_H

#include <ldap.h>

#include "model/settings.h"

/*
 * Makes ld demand TLS 1.2 or newer and a certificate of a CA that the source names (or the system's), and show the
 * source's client certificate. Any thread. Errors: ERR_CONFIG (a file is missing, unreadable, or does not fit).
 */
MUST_CHECK enum err_code tls_context_set(
		LDAP *ld, const struct source_settings *source, struct err *err);

/* Whether ld speaks a version that we accept. Errors: ERR_IO. uri: for the text. */
MUST_CHECK enum err_code tls_context_check(LDAP *ld, const char *uri, struct err *err);

#endif
