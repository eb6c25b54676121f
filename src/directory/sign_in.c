#include "directory/sign_in.h"

#include "base/secret.h"
#include "base/text.h"
#include "directory/dial.h"
#include "directory/outcome.h"
#include "directory/tls_context.h"

#include <openldap.h>
#include <unistd.h>

/* From this libldap on an asynchronous handshake returns half done and a plain one is bounded; before, the reverse. */
#define BOUNDED_HANDSHAKE_VERSION 20610

struct attempt {
	const struct source_settings *source;
	const char *uri;
	struct dialled dialled;
	LDAP *ld;
};

static void said_by(LDAP *ld, char **ret)
{
	*ret = NULL;
	(void)ldap_get_option(ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, (void *)ret);
}

/* ---- options ---- */

static bool handshake_wants_async(void)
{
	LDAPAPIInfo info = {.ldapai_info_version = LDAP_API_INFO_VERSION};
	bool async = true;

	if (ldap_get_option(NULL, LDAP_OPT_API_INFO, &info) == LDAP_OPT_SUCCESS) {
		async = info.ldapai_vendor_version < BOUNDED_HANDSHAKE_VERSION;
		ldap_memfree(info.ldapai_vendor_name);
		ber_memvfree((void **)info.ldapai_extensions);
	}
	return async;
}

static void set_common(const struct attempt *attempt)
{
	const int version = LDAP_VERSION3;
	const struct timeval patience = {attempt->source->connect_timeout_ms / 1000,
			attempt->source->connect_timeout_ms % 1000 * 1000};
	LDAP *ld = attempt->ld;

	(void)ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version);
	/* A chased referral would bind anonymously somewhere else, and block. */
	(void)ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
	(void)ldap_set_option(ld, LDAP_OPT_RESTART, LDAP_OPT_ON);
	(void)ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &patience);
	(void)ldap_set_option(ld, LDAP_OPT_TIMEOUT, &patience);
	(void)ldap_set_option(ld, LDAP_OPT_CONNECT_ASYNC,
			handshake_wants_async() ? LDAP_OPT_ON : LDAP_OPT_OFF);
}

/* ---- TLS ---- */

static enum err_code handshake_failed(const struct attempt *attempt, int result, struct err *err)
{
	char *said;

	if (result == LDAP_TIMEOUT)
		return err_set(err, ERR_TIMEOUT, result,
				"TLS with \"%s\" failed: no answer in time", attempt->uri);
	said_by(attempt->ld, &said);
	/* The library does not tell one reason from another, so all are named. */
	(void)err_set(err, ERR_IO, result,
			"TLS with \"%s\" failed (%s): its certificate must come from a CA in %s, "
			"be valid now and bear the "
			"name in the URI, and TLS must be 1.2 or newer",
			attempt->uri, said && *said ? said : "no reason given",
			attempt->source->ca_file ? attempt->source->ca_file
						 : "the system's list (or set ca:)");
	ldap_memfree(said);
	return err->code;
}

static enum err_code start_tls(const struct attempt *attempt, struct err *err)
{
	int result = ldap_start_tls_s(attempt->ld, NULL, NULL);

	if (result == LDAP_SUCCESS)
		return tls_context_check(attempt->ld, attempt->uri, err);
	/* Any answer of the server but success leaves the connection usable, in clear text: it must not be used. */
	if (result == LDAP_CONNECT_ERROR || result == LDAP_TIMEOUT || result < 0)
		return handshake_failed(attempt, result, err);
	(void)outcome_set(err, result, "the server does not offer it", "StartTLS with \"%s\"",
			attempt->uri);
	return err_set(err, ERR_CONFIG, result,
			"%s; nothing was sent in clear text: give the server a certificate, use "
			"ldaps://, or set tls: none",
			err->text);
}

static enum err_code secure(const struct attempt *attempt, struct err *err)
{
	bool is_ldaps = text_starts_with(attempt->uri, "ldaps:");
	bool wanted = attempt->source->tls == SOURCE_TLS_STARTTLS ||
			(attempt->source->tls == SOURCE_TLS_AUTO && !attempt->dialled.is_local);
	int result;

	if (!is_ldaps && (!wanted || attempt->dialled.is_unix))
		return ERR_NONE;
	if (tls_context_set(attempt->ld, attempt->source, err) != ERR_NONE)
		return err->code;
	if (!is_ldaps)
		return start_tls(attempt, err);
	result = ldap_install_tls(attempt->ld);
	return result == LDAP_SUCCESS ? tls_context_check(attempt->ld, attempt->uri, err)
				      : handshake_failed(attempt, result, err);
}

/* ---- bind ---- */

static enum err_code bind_refused(
		const struct attempt *attempt, const char *who, int result, struct err *err)
{
	char *said;

	said_by(attempt->ld, &said);
	(void)outcome_set(err, result, said, "bind as %s at \"%s\"", who, attempt->uri);
	ldap_memfree(said);
	/* What the server declined for good must not be tried fast: it may lock the account. */
	if (err->code != ERR_SERVER && err->code != ERR_IO && err->code != ERR_TIMEOUT)
		err->code = ERR_AUTH;
	return err->code;
}

static enum err_code bind_external(const struct attempt *attempt, struct err *err)
{
	static char empty[] = "";
	/* An initial response of no octets; without one the server asks for it: saslBindInProgress. */
	struct berval response = {0, empty};
	int result = ldap_sasl_bind_s(attempt->ld, NULL, "EXTERNAL", &response, NULL, NULL, NULL);

	return result == LDAP_SUCCESS ? ERR_NONE
				      : bind_refused(attempt, "SASL EXTERNAL", result, err);
}

static enum err_code bind_simple(const struct attempt *attempt, const char *folder, struct err *err)
{
	const struct source_settings *source = attempt->source;
	struct secret password = {0};
	struct berval credential;
	char who[200];
	int result;

	if (source->tls != SOURCE_TLS_NONE && !attempt->dialled.is_local &&
			!ldap_tls_inplace(attempt->ld))
		return err_set(err, ERR_CONFIG, 0,
				"bind at \"%s\": refused to send the password in clear text; use "
				"ldaps://, or set tls: starttls",
				attempt->uri);
	if (!source->bind_password)
		return err_set(err, ERR_CONFIG, 0, "source \"%s\": bind has a dn and no password",
				source->name);
	if (secret_read(source->bind_password, folder, &password, err) != ERR_NONE)
		return err_context(err, "source \"%s\": bind password", source->name);
	credential = (struct berval){password.len, password.text};
	result = ldap_sasl_bind_s(attempt->ld, source->bind_dn, LDAP_SASL_SIMPLE, &credential, NULL,
			NULL, NULL);
	secret_release(&password);
	(void)snprintf(who, sizeof(who), "\"%s\"", source->bind_dn);
	return result == LDAP_SUCCESS ? ERR_NONE : bind_refused(attempt, who, result, err);
}

static enum err_code sign_in_on(const struct attempt *attempt, const char *folder, struct err *err)
{
	set_common(attempt);
	if (secure(attempt, err) != ERR_NONE)
		return err->code;
	if (attempt->source->sasl_external)
		return bind_external(attempt, err);
	/* Without a bind the session is anonymous (RFC 4513, section 4). */
	return attempt->source->bind_dn ? bind_simple(attempt, folder, err) : ERR_NONE;
}

enum err_code sign_in(const struct source_settings *source, const char *uri, const char *folder,
		struct waker *waker, LDAP **ret, struct err *err)
{
	struct attempt attempt = {.source = source, .uri = uri};
	enum err_code code;
	int result;

	if (dial(uri, source->connect_timeout_ms, waker, &attempt.dialled, err) != ERR_NONE)
		return err->code;
	result = ldap_init_fd(attempt.dialled.fd,
			attempt.dialled.is_unix ? LDAP_PROTO_IPC : LDAP_PROTO_TCP, uri,
			&attempt.ld);
	if (result != LDAP_SUCCESS) {
		(void)close(attempt.dialled.fd);
		return outcome_set(err, result, NULL, "connecting to \"%s\"", uri);
	}
	waker_guard(waker, attempt.dialled.fd);
	code = sign_in_on(&attempt, folder, err);
	waker_guard(waker, -1);
	if (code == ERR_NONE) {
		*ret = attempt.ld;
		return ERR_NONE;
	}
	(void)ldap_unbind_ext(attempt.ld, NULL, NULL);
	return waker_stopped(waker)
			? err_set(err, ERR_CANCELLED, 0, "connecting to \"%s\" was stopped", uri)
			: code;
}
