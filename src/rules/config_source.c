/* `sources:`. */
#include "rules/config_reading.h"

#include "model/dn.h"
#include "rules/uri.h"

static const char *const tls_choices[] = {[SOURCE_TLS_AUTO] = "auto",
		[SOURCE_TLS_STARTTLS] = "starttls",
		[SOURCE_TLS_NONE] = "none",
		NULL};
static const char *const types[] = {[SOURCE_AUTO] = "auto", [SOURCE_OPENLDAP] = "openldap", NULL};
static const char *const types_later[] = {"active-directory", "389ds", "generic", NULL};
static const char *const feeds[] = {
		[SOURCE_FEED_AUTO] = "auto", [SOURCE_FEED_SYNCREPL] = "syncrepl", NULL};
static const char *const feeds_later[] = {"dirsync", "poll", NULL};
static const char *const mechanisms[] = {"external", NULL};

#define URI_JSON                                                                                   \
	"{\"type\":[\"string\",\"array\"],\"items\":{\"type\":\"string\",\"pattern\":\"^ldap[is]?" \
	"://\"}}"
#define DN_JSON "{\"type\":\"string\",\"minLength\":1}"
#define SECOND 1000
#define HOUR (3600 * SECOND)

/* One source while it is read. */
struct source_reading {
	struct source_settings s; /* first: the tables' offsets are of this */
	struct texts uris;
	int sasl; /* index into mechanisms; -1: not given */
};

static enum err_code read_uris(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct texts *uris = target;
	enum err_code code = schema_texts(reader, node, uris, err);

	if (code == ERR_NONE && uris->count == 0)
		return document_error(node, err, "`uri` names no server");
	for (size_t i = 0; i < uris->count && code == ERR_NONE; i++) {
		const char *wrong = uri_check_ldap(uris->items[i]);

		if (wrong)
			code = document_error(
					node->kind == DOCUMENT_LIST ? node->children[i] : node, err,
					"`%.120s` is no address of a directory: %s", uris->items[i],
					wrong);
	}
	return code;
}

static enum err_code read_dn(struct reader *reader, const struct document_node *node, void *target,
		struct err *err)
{
	struct err why;
	struct buf key;
	enum err_code code = schema_text(node, target, err);

	(void)reader;
	if (code != ERR_NONE)
		return code;
	buf_init(&key, DN_KEY_MAX);
	if (dn_key(span_of(node->text), &key, &why) != ERR_NONE)
		code = document_error(node, err, "`dn` is no distinguished name: %.200s", why.text);
	buf_release(&key);
	return code;
}

static const struct schema_key bind_keys[] = {
		{"dn", SCHEMA_OWN, .offset = offsetof(struct source_reading, s.bind_dn),
				.read = read_dn, .json = DN_JSON,
				.about = "Who signs in, with a password."},
		{"password", SCHEMA_SECRET,
				.offset = offsetof(struct source_reading, s.bind_password),
				.about = "Reference to the password."},
		{"sasl", SCHEMA_CHOICE, .offset = offsetof(struct source_reading, sasl),
				.choices = mechanisms,
				.about = "external: by the client certificate, or over ldapi by "
					 "the user of the process."},
};
static const struct schema bind_schema = SCHEMA("`bind`", bind_keys);

#define SOURCE(member) offsetof(struct source_reading, s.member)
static const struct schema_key source_keys[] = {
		{"uri", SCHEMA_OWN, true, offsetof(struct source_reading, uris), .read = read_uris,
				.json = URI_JSON,
				.about = "ldap://, ldaps:// or ldapi:// addresses; tried in this "
					 "order."},
		{"bind", SCHEMA_SECTION, true, .section = &bind_schema, .about = "How to sign in."},
		{"tls", SCHEMA_CHOICE, .offset = SOURCE(tls), .choices = tls_choices,
				.preset = "auto",
				.about = "auto: StartTLS on ldap:// to another machine; none: "
					 "clear text is allowed."},
		{"ca_file", SCHEMA_FILE, .offset = SOURCE(ca_file),
				.about = "Certificates that are trusted, PEM; left out: the "
					 "system's."},
		{"cert_file", SCHEMA_FILE, .offset = SOURCE(cert_file),
				.about = "Client certificate, PEM."},
		{"key_file", SCHEMA_FILE, .offset = SOURCE(key_file), .about = "Its key, PEM."},
		{"type", SCHEMA_CHOICE, .offset = SOURCE(type), .choices = types,
				.later = types_later, .preset = "auto",
				.about = "Kind of server; auto asks it."},
		{"feed", SCHEMA_CHOICE, .offset = SOURCE(feed), .choices = feeds,
				.later = feeds_later, .preset = "auto",
				.about = "How changes arrive."},
		{"page_size", SCHEMA_NUMBER, .offset = SOURCE(page_size), .min = 1, .max = 100000,
				.preset = "1000", .about = "Entries per page of a paged read."},
		{"connect_timeout", SCHEMA_DURATION, .offset = SOURCE(connect_timeout_ms),
				.min = 100, .max = HOUR, .preset = "10s", .about = "Per address."},
		{"operation_timeout", SCHEMA_DURATION, .offset = SOURCE(operation_timeout_ms),
				.min = 100, .max = HOUR, .preset = "120s",
				.about = "Silence after which an operation is given up."},
		{"reconnect_max", SCHEMA_DURATION, .offset = SOURCE(reconnect_max_ms), .min = 100,
				.max = HOUR, .preset = "60s",
				.about = "Longest pause between two attempts to connect."},
		{"srv", SCHEMA_LATER, .remedy = "name the servers with `uri:`"},
};
const struct schema config_source_schema = SCHEMA("this source", source_keys);

static enum err_code check_bind(const struct source_reading *reading,
		const struct document_node *node, struct err *err)
{
	const struct source_settings *s = &reading->s;
	const struct document_node *bind = document_get(node, "bind");

	if (reading->sasl >= 0 && (s->bind_dn || s->bind_password))
		return document_error(bind, err,
				"`sasl: external` signs in without `dn` and `password`; remove "
				"them");
	if (reading->sasl < 0 && !s->bind_dn)
		return document_error(
				bind, err, "`bind` needs `dn` and `password`, or `sasl: external`");
	if (reading->sasl < 0 && !s->bind_password)
		return document_error(bind, err,
				"`bind` lacks `password`, a reference such as file:ldap-password");
	return ERR_NONE;
}

static enum err_code check_address(const struct source_reading *reading, const char *text,
		const struct document_node *node, struct err *err)
{
	bool ldapi, ldaps;
	struct uri uri;

	(void)uri_parse(text, &uri);
	ldapi = uri_scheme_is(&uri, "ldapi");
	ldaps = uri_scheme_is(&uri, "ldaps");
	if (reading->sasl >= 0 && !ldapi && !reading->s.cert_file)
		return document_error(document_get(node, "bind"), err,
				"`sasl: external` over %.80s needs `cert_file` and `key_file`",
				text);
	if (reading->s.tls == SOURCE_TLS_STARTTLS && (ldaps || ldapi))
		return document_error(document_get(node, "tls"), err,
				"`tls: starttls` goes with ldap://, not with %.80s", text);
	if (reading->s.tls == SOURCE_TLS_NONE && ldaps)
		return document_error(document_get(node, "tls"), err,
				"`tls: none`, but %.80s is TLS; write ldap://", text);
	return ERR_NONE;
}

static enum err_code check_source(const struct source_reading *reading,
		const struct document_node *node, struct err *err)
{
	const struct source_settings *s = &reading->s;
	enum err_code code = check_bind(reading, node, err);

	if (code == ERR_NONE && !s->cert_file != !s->key_file)
		code = document_error_at_key(node, err,
				"`cert_file` and `key_file` go together; add the missing one");
	for (size_t i = 0; i < reading->uris.count && code == ERR_NONE; i++)
		code = check_address(reading, reading->uris.items[i], node, err);
	return code;
}

enum err_code config_read_source(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct config_reading *config = target;
	struct source_reading reading = {
			.s = {.name = node->key, .line = node->key_line}, .sasl = -1};
	enum err_code code = config_check_name(node, "source", err);

	if (code == ERR_NONE)
		code = schema_read(reader, &config_source_schema, node, &reading, err);
	if (code == ERR_NONE)
		code = check_source(&reading, node, err);
	if (code != ERR_NONE)
		return code;
	reading.s.uris = reading.uris.items;
	reading.s.uri_count = reading.uris.count;
	reading.s.sasl_external = reading.sasl >= 0;
	*vec_add(&config->sources) = reading.s;
	return ERR_NONE;
}
