/* What rules for service principals say beside the principal itself: `listed:`, `secrets:`, `federation_policies:`. */
#include "rules/loader.h"

#include "base/text.h"
#include "rules/sink.h"
#include "rules/uri.h"

#define HOUR (INT64_C(60) * 60 * 1000)
#define DAY (24 * HOUR)
#define POLICY_ID_MAX 64
#define SERVICE_PLACES (PLACE_DISPLAY_NAME | PLACE_APPLICATION_ID)

#define TEXT_JSON "{\"type\":\"string\",\"minLength\":1}"

/* The rule's service_rule, made when the first key asks for it. */
static struct service_rule *service_of(struct reader *reader, struct rule *rule)
{
	if (!rule->service)
		rule->service = arena_alloc(reader->arena, sizeof(*rule->service));
	return rule->service;
}

static enum err_code need_account(
		struct reader *reader, const struct document_node *node, struct err *err)
{
	if (loader_of(reader)->settings->has_account)
		return ERR_NONE;
	return document_error_at_key(node, err,
			"`%s` are made through the account, but no `account:` is configured",
			node->key);
}

/* ---- secrets ---- */

static enum err_code read_sink(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	return sink_parse(reader->arena, loader_of(reader)->settings->folder, node, SERVICE_PLACES,
			target, err);
}

static const struct schema_key secret_keys[] = {
		{"lifetime", SCHEMA_DURATION, .offset = offsetof(struct service_rule, lifetime_ms),
				.min = HOUR, .max = 730 * DAY, .preset = "90d",
				.about = "Of each secret."},
		{"rotate_before", SCHEMA_DURATION,
				.offset = offsetof(struct service_rule, rotate_before_ms),
				.min = HOUR, .max = 730 * DAY, .preset = "14d",
				.about = "A new one is made so long before the old one expires."},
		{"write_to", SCHEMA_OWN, true, offsetof(struct service_rule, write_to),
				.read = read_sink, .json = SINK_JSON,
				.about = "Where the secret goes, file:PATH or command:PROGRAM; "
					 "${displayName} and ${applicationId} are filled in."},
};
const struct schema mapping_secrets_schema = SCHEMA("`secrets`", secret_keys);

enum err_code mapping_read_secrets(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct rule *rule = target;
	struct service_rule *service = service_of(reader, rule);
	enum err_code code = need_account(reader, node, err);

	if (code == ERR_NONE)
		code = schema_read(reader, &mapping_secrets_schema, node, service, err);
	if (code != ERR_NONE)
		return code;
	service->has_secret = true;
	service->secret_why = (struct why){.file = node->file, .line = node->key_line};
	if (service->rotate_before_ms >= service->lifetime_ms)
		return document_error_at_key(
				node, err, "`rotate_before` must be shorter than `lifetime`");
	return ERR_NONE;
}

/* ---- federation policies ---- */

static enum err_code read_policy_id(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	const char *text;
	enum err_code code = schema_text(node, &text, err);

	(void)reader;
	if (code != ERR_NONE)
		return code;
	if (strlen(text) > POLICY_ID_MAX ||
			strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(text))
		return document_error(node, err,
				"`policy_id` is up to %d lower-case letters, digits and hyphens, "
				"not "
				"`%.80s`",
				POLICY_ID_MAX, text);
	*(const char **)target = text;
	return ERR_NONE;
}

static enum err_code read_https(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	const char *text;
	enum err_code code = schema_text(node, &text, err);

	(void)reader;
	if (code != ERR_NONE)
		return code;
	if (!text_starts_with(text, "https://") || strlen(text) == strlen("https://") ||
			strpbrk(text, " \t"))
		return document_error(node, err, "`%s` must be an https address, not `%.120s`",
				node->key, text);
	*(const char **)target = text;
	return ERR_NONE;
}

static enum err_code read_subject(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	const char *text;
	enum err_code code = schema_text(node, &text, err);

	(void)reader;
	if (code == ERR_NONE)
		code = sink_check_places(node, SERVICE_PLACES, err);
	if (code == ERR_NONE)
		*(const char **)target = text;
	return code;
}

struct federation_reading {
	struct federation_rule rule;
	struct texts audiences;
};
#define POLICY(member) offsetof(struct federation_reading, rule.member)
#define HTTPS_JSON "{\"type\":\"string\",\"pattern\":\"^https://.\"}"
static const struct schema_key federation_keys[] = {
		{"policy_id", SCHEMA_OWN, true, POLICY(id), .read = read_policy_id,
				.json = "{\"type\":\"string\",\"pattern\":\"^[a-z0-9-]+$\"}",
				.about = "Name of the policy within its service principal."},
		{"issuer", SCHEMA_OWN, true, POLICY(issuer), .read = read_https, .json = HTTPS_JSON,
				.about = "https address that the tokens name as iss."},
		{"subject", SCHEMA_OWN, true, POLICY(subject), .read = read_subject,
				.json = TEXT_JSON,
				.about = "What the tokens must say in the claim; ${displayName} "
					 "and "
					 "${applicationId} are filled in."},
		{"audiences", SCHEMA_TEXTS,
				.offset = offsetof(struct federation_reading, audiences),
				.about = "One of them must be the tokens' aud; left out: the "
					 "account's id."},
		{"subject_claim", SCHEMA_TEXT, .offset = POLICY(subject_claim),
				.about = "The claim; left out: sub."},
		{"description", SCHEMA_TEXT, .offset = POLICY(description),
				.about = "Text for people."},
		{"jwks_uri", SCHEMA_OWN, .offset = POLICY(jwks_uri), .read = read_https,
				.json = HTTPS_JSON,
				.about = "Where the issuer's keys are; left out: at its well-known "
					 "address."},
};
const struct schema mapping_federation_schema =
		SCHEMA("this item of `federation_policies`", federation_keys);

static enum err_code read_policy(struct reader *reader, const struct document_node *node,
		const struct federation_rule *others, size_t count, struct federation_rule *ret,
		struct err *err)
{
	struct federation_reading reading = {.rule.why = {.file = node->file, .line = node->line}};
	enum err_code code = schema_read(reader, &mapping_federation_schema, node, &reading, err);

	if (code != ERR_NONE)
		return code;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(others[i].id, reading.rule.id) == 0)
			return document_error(document_get(node, "policy_id"), err,
					"`%s` is there twice, first in line %u", reading.rule.id,
					others[i].why.line);
	}
	reading.rule.audiences = reading.audiences.items;
	reading.rule.audience_count = reading.audiences.count;
	*ret = reading.rule;
	return ERR_NONE;
}

enum err_code mapping_read_federation(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct rule *rule = target;
	struct service_rule *service = service_of(reader, rule);
	enum err_code code = need_account(reader, node, err);
	struct federation_rule *policies;

	if (code == ERR_NONE && node->kind != DOCUMENT_LIST)
		return document_error(node, err, "`federation_policies` must be a list, this is %s",
				document_describe(node));
	policies = arena_alloc(reader->arena, node->count * sizeof(*policies));
	for (size_t i = 0; i < node->count && code == ERR_NONE; i++)
		code = read_policy(reader, node->children[i], policies, i, &policies[i], err);
	service->policies = policies;
	service->policy_count = node->count;
	service->has_policies = true;
	return code;
}

/* ---- listed ---- */

static enum err_code read_plain(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	enum err_code code = schema_text(node, target, err);

	(void)reader;
	if (code == ERR_NONE && strstr(node->text, "${"))
		return document_error(node, err,
				"`%s` of a listed service principal is a plain text; there is no "
				"entry to fill ${...}",
				node->key);
	return code;
}

static enum err_code read_application_id(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	static const char pattern[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	const char *text;
	enum err_code code = schema_text(node, &text, err);
	bool ok;

	(void)reader;
	if (code != ERR_NONE)
		return code;
	ok = strlen(text) == strlen(pattern);
	for (size_t i = 0; ok && pattern[i]; i++)
		ok = pattern[i] == '-' ? text[i] == '-'
				       : strchr("0123456789abcdefABCDEF", text[i]) != NULL;
	if (!ok)
		return document_error(node, err, "`applicationId` is a UUID, not `%.80s`", text);
	*(const char **)target = text;
	return ERR_NONE;
}

static const struct schema_key listed_keys[] = {
		{"displayName", SCHEMA_OWN, true,
				offsetof(struct identity, fields[FIELD_DISPLAY_NAME]),
				.read = read_plain, .json = TEXT_JSON,
				.about = "Name of the service principal."},
		{"applicationId", SCHEMA_OWN,
				.offset = offsetof(struct identity, fields[FIELD_APPLICATION_ID]),
				.read = read_application_id,
				.json = "{\"type\":\"string\",\"pattern\":\"^[0-9a-fA-F-]{36}$\"}",
				.about = "UUID, of the cloud's own application where it needs one; "
					 "Databricks makes one if left out."},
};
const struct schema mapping_listed_schema = SCHEMA("this item of `listed`", listed_keys);

static enum err_code check_double(const struct loader *loader, const struct document_node *node,
		const struct identity *identity, struct err *err)
{
	const char *name = identity->fields[FIELD_DISPLAY_NAME];
	const char *id = identity->fields[FIELD_APPLICATION_ID];

	for (vec_each (&loader->listed, other)) {
		const char *other_id = other->fields[FIELD_APPLICATION_ID];
		bool same_id = id && other_id && text_equal_folded(id, other_id);

		if (!same_id &&
				((id && other_id) ||
						!text_equal_folded(name,
								other->fields[FIELD_DISPLAY_NAME])))
			continue;
		return document_error(node, err,
				"service principal `%.80s` is listed twice, first in %.120s line "
				"%u",
				name, other->why.file, other->why.line);
	}
	return ERR_NONE;
}

static enum err_code list_one(struct loader *loader, const struct document_node *node,
		const struct rule *rule, struct err *err)
{
	struct identity identity = {.kind = PRINCIPAL_SERVICE,
			.active = true,
			.service = rule->service,
			.why = {.file = node->file, .line = node->line}};
	enum err_code code =
			schema_read(&loader->reader, &mapping_listed_schema, node, &identity, err);

	if (code == ERR_NONE)
		code = check_double(loader, node, &identity, err);
	if (code == ERR_NONE)
		*vec_add(&loader->listed) = identity;
	return code;
}

/* Several secrets must not go to one place. */
static enum err_code check_sink(const struct rule *rule, const struct document_node *node,
		bool several, struct err *err)
{
	const struct document_node *secrets = document_get(node, "secrets");

	if (!secrets || !several || (sink_places(rule->service->write_to.text) & SERVICE_PLACES))
		return ERR_NONE;
	return document_error(document_get(secrets, "write_to"), err,
			"each service principal has a secret of its own; put ${displayName} or "
			"${applicationId} into `write_to` so that they do not overwrite each "
			"other");
}

enum err_code mapping_finish_service(struct loader *loader, const struct rule *rule,
		const struct document_node *node, bool *ret_listed, struct err *err)
{
	static const char *const of_directory[] = {
			"search", "when", "service_principal", "external_id"};
	const struct document_node *listed = document_get(node, "listed");
	bool list = listed && listed->kind == DOCUMENT_LIST;
	enum err_code code = ERR_NONE;

	*ret_listed = listed != NULL;
	if (!listed) {
		for (size_t i = 0; i < COUNT_OF(of_directory); i += 2) {
			if (!document_get(node, of_directory[i]))
				return document_error_at_key(node, err,
						"this item of `service_principals` lacks `%s`, or "
						"`listed` in place of a search",
						of_directory[i]);
		}
		return check_sink(rule, node, true, err);
	}
	for (size_t i = 0; i < COUNT_OF(of_directory); i++) {
		if (document_get(node, of_directory[i]))
			return document_error_at_key(document_get(node, of_directory[i]), err,
					"`%s` is for service principals of the directory, not for "
					"`listed`",
					of_directory[i]);
	}
	if (list && listed->count == 0)
		return document_error(listed, err, "`listed` names no service principal");
	for (size_t i = 0; i < (list ? listed->count : 1) && code == ERR_NONE; i++)
		code = list_one(loader, list ? listed->children[i] : listed, rule, err);
	return code == ERR_NONE ? check_sink(rule, node, list && listed->count > 1, err) : code;
}
