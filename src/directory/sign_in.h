/*
 * sign_in -- a libldap handle that is connected, secured and bound.
 */
#ifndef L2D_DIRECTORY_SIGN_IN_H
#define L2D_DIRECTORY_SIGN_IN_H

#include <ldap.h>

#include "directory/waker.h"
#include "model/settings.h"

/*
 * Blocks, each phase for at most the source's connect timeout; ends early when waker is stopped. The password is read
 * just before it is sent and wiped after. TLS is 1.2 or newer, with the server's certificate and name verified. A simple
 * bind is never sent in clear text, except on this machine or with `tls: none`.
 * Process-wide, once: LDAPNOINIT is expected in the environment before the first call.
 * Errors: as connection_open (connection.h). The handle is the caller's (ldap_unbind_ext).
 */
MUST_CHECK enum err_code sign_in(const struct source_settings *source, const char *uri,
		const char *folder, struct waker *waker, LDAP **ret, struct err *err);

#endif
