#include "directory/outcome.h"

#include "base/mem.h"
#include "base/text.h"

#include <ldap.h>
#include <stdarg.h>

struct outcome {
	int code;
	enum err_code means;
	const char *name;
	const char *remedy; /* NULL: nothing that a person could do */
};

static const struct outcome outcomes[] = {
		{LDAP_OPERATIONS_ERROR, ERR_SERVER, "operationsError", NULL},
		{LDAP_PROTOCOL_ERROR, ERR_PROTO, "protocolError", NULL},
		{LDAP_TIMELIMIT_EXCEEDED, ERR_INCOMPLETE, "incomplete: time limit exceeded",
				"lift the server's time limit for our bind DN (OpenLDAP: a limits "
				"line with time=unlimited)"},
		{LDAP_SIZELIMIT_EXCEEDED, ERR_INCOMPLETE, "incomplete: size limit exceeded",
				"lift the server's size limit for our bind DN (OpenLDAP: a limits "
				"line with size=unlimited)"},
		{LDAP_ADMINLIMIT_EXCEEDED, ERR_INCOMPLETE,
				"incomplete: administrative limit exceeded",
				"lift the server's limits for our bind DN, or narrow the filter to "
				"indexed attributes"},
		{LDAP_AUTH_METHOD_NOT_SUPPORTED, ERR_AUTH, "authMethodNotSupported",
				"use another kind of bind (SASL EXTERNAL needs ldapi:// or a "
				"client certificate)"},
		{LDAP_STRONG_AUTH_REQUIRED, ERR_AUTH, "strongerAuthRequired",
				"use ldaps:// or tls: starttls"},
		{LDAP_REFERRAL, ERR_REFUSED, "referral",
				"name the server that holds this part in uri:"},
		{LDAP_UNAVAILABLE_CRITICAL_EXTENSION, ERR_CONFIG, "unavailableCriticalExtension",
				"load the overlay syncprov on this database (OpenLDAP: "
				"slapo-syncprov(5))"},
		{LDAP_CONFIDENTIALITY_REQUIRED, ERR_AUTH, "confidentialityRequired",
				"use ldaps:// or tls: starttls"},
		{LDAP_SASL_BIND_IN_PROGRESS, ERR_BUG, "saslBindInProgress", NULL},
		{LDAP_INAPPROPRIATE_MATCHING, ERR_CONFIG, "inappropriateMatching",
				"correct the filter"},
		{LDAP_INVALID_SYNTAX, ERR_CONFIG, "invalidAttributeSyntax", "correct the filter"},
		{LDAP_NO_SUCH_OBJECT, ERR_NOT_FOUND, "noSuchObject",
				"the base does not exist, or the bind DN may not read it; nothing "
				"is taken as gone"},
		{LDAP_INVALID_DN_SYNTAX, ERR_CONFIG, "invalidDNSyntax", "correct the DN"},
		{LDAP_INAPPROPRIATE_AUTH, ERR_AUTH, "inappropriateAuthentication",
				"check bind: dn and password"},
		{LDAP_INVALID_CREDENTIALS, ERR_AUTH, "invalidCredentials",
				"check bind: dn and password"},
		{LDAP_INSUFFICIENT_ACCESS, ERR_DENIED, "insufficientAccessRights",
				"give the bind DN read access"},
		{LDAP_BUSY, ERR_SERVER, "busy", NULL},
		{LDAP_UNAVAILABLE, ERR_SERVER, "unavailable", NULL},
		{LDAP_UNWILLING_TO_PERFORM, ERR_REFUSED, "unwillingToPerform", NULL},
		{LDAP_OTHER, ERR_SERVER, "other", NULL},
		{LDAP_SYNC_REFRESH_REQUIRED, ERR_CONFLICT, "e-syncRefreshRequired", NULL},
		{LDAP_SERVER_DOWN, ERR_IO, "connection lost", NULL},
		{LDAP_LOCAL_ERROR, ERR_IO, "local error", NULL},
		{LDAP_ENCODING_ERROR, ERR_BUG, "encoding error", NULL},
		{LDAP_DECODING_ERROR, ERR_PROTO, "answer not understood", NULL},
		{LDAP_TIMEOUT, ERR_TIMEOUT, "no answer in time", NULL},
		{LDAP_FILTER_ERROR, ERR_CONFIG, "malformed filter", "write it as RFC 4515 says"},
		{LDAP_CONNECT_ERROR, ERR_IO, "connection failed", NULL},
};

static const struct outcome *find(int code)
{
	static const struct outcome unknown = {0, ERR_SERVER, "unexpected result", NULL};

	for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
		if (outcomes[i].code == code)
			return &outcomes[i];
	}
	return &unknown;
}

enum err_code outcome_set(struct err *err, int code, const char *said, const char *fmt, ...)
{
	const struct outcome *outcome = find(code);
	bool speaks = said && *said;
	AUTO(mem_freep) char *fit = text_printable(span_of(speaks ? said : ""));
	char doing[300];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(doing, sizeof(doing), fmt, args);
	va_end(args);
	return err_set(err, outcome->means, code, "%.180s: %s (%d)%s%.90s%s%s", doing,
			outcome->name, code, speaks ? ": " : "", fit, outcome->remedy ? "; " : "",
			outcome->remedy ? outcome->remedy : "");
}
