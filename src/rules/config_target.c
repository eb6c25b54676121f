/* `account:` and `workspaces:`. */
#include "rules/config_reading.h"

#include "base/text.h"
#include "rules/ip_addresses.h"
#include "rules/uri.h"

static const char *const auth_types[] = {"pat", "oauth-m2m", "metadata-service", "github-oidc",
		"azure-devops-oidc", "env-oidc", "file-oidc", "github-oidc-azure", "azure-msi",
		"azure-client-secret", "azure-client-certificate", "azure-workload",
		"google-credentials", "google-id", NULL};
static const char *const auth_types_later[] = {
		"azure-cli", "databricks-cli", "basic", "external-browser", NULL};

#define HOST_JSON "{\"type\":\"string\",\"pattern\":\"^https?://\"}"
#define SETTINGS_JSON                                                                              \
	"{\"type\":\"object\",\"additionalProperties\":{\"type\":[\"string\",\"boolean\","         \
	"\"number\"]}}"
#define ID_JSON "{\"type\":[\"string\",\"integer\"]}"

/* A target while it is read. */
struct target_reading {
	struct target_settings t;
	int auth_type; /* index into auth_types; -1: not given */
};

static enum err_code read_host(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	const char *text, *wrong;
	size_t len;
	enum err_code code = schema_text(node, &text, err);

	if (code != ERR_NONE)
		return code;
	wrong = uri_check_http(text);
	if (wrong)
		return document_error(node, err, "`%.120s` is no host: %s", text, wrong);
	len = strlen(text);
	*(const char **)target =
			text[len - 1] == '/' ? arena_strndup(reader->arena, text, len - 1) : text;
	return ERR_NONE;
}

static enum err_code read_account_id(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	const char *text;
	enum err_code code = schema_text(node, &text, err);

	(void)reader;
	if (code != ERR_NONE)
		return code;
	for (const char *c = text; *c; c++) {
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-",
				    *c) ||
				c - text > 64)
			return document_error(node, err,
					"`account_id` is a UUID, as the account console shows it, "
					"not `%.80s`",
					text);
	}
	*(const char **)target = text;
	return ERR_NONE;
}

static enum err_code read_workspace_id(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	const char *text;
	int64_t number;
	enum err_code code = schema_text(node, &text, err);

	(void)reader;
	if (code == ERR_NONE && !text_parse_int(text, 1, INT64_MAX, &number))
		return document_error(node, err, "`workspace_id` is a number, not `%.80s`", text);
	if (code == ERR_NONE)
		*(const char **)target = text;
	return code;
}

#define TARGET(member) offsetof(struct target_reading, t.member)
static const struct schema_key auth_rows[] = {
		{"type", SCHEMA_CHOICE, .offset = offsetof(struct target_reading, auth_type),
				.choices = auth_types, .later = auth_types_later,
				.about = "Way to sign in; left out: by what is given."},
		{"cloud", SCHEMA_TEXT, .offset = TARGET(auth.values[AUTH_KEY_CLOUD]),
				.about = "AWS, AZURE or GCP; left out: by the host's name."},
		{"discovery_url", SCHEMA_TEXT,
				.offset = TARGET(auth.values[AUTH_KEY_DISCOVERY_URL]),
				.about = "URL of the OIDC discovery document; left out: asked of "
					 "the host."},
		{"token", SCHEMA_SECRET, .offset = TARGET(auth.values[AUTH_KEY_TOKEN]),
				.about = "Reference to a personal access token."},
		{"client_id", SCHEMA_TEXT, .offset = TARGET(auth.values[AUTH_KEY_CLIENT_ID]),
				.about = "Application id of the service principal that signs in."},
		{"client_secret", SCHEMA_SECRET,
				.offset = TARGET(auth.values[AUTH_KEY_CLIENT_SECRET]),
				.about = "Reference to its OAuth secret."},
		{"scopes", SCHEMA_TEXT, .offset = TARGET(auth.values[AUTH_KEY_SCOPES]),
				.about = "OAuth scopes, with commas; left out: all-apis."},
		{"token_audience", SCHEMA_TEXT,
				.offset = TARGET(auth.values[AUTH_KEY_TOKEN_AUDIENCE]),
				.about = "Audience of the ID token that is asked of a CI system."},
		{"oidc_token_env", SCHEMA_TEXT,
				.offset = TARGET(auth.values[AUTH_KEY_OIDC_TOKEN_ENV]),
				.about = "Name of the variable that holds the ID token; left out: "
					 "DATABRICKS_OIDC_TOKEN."},
		{"oidc_token_filepath", SCHEMA_FILE,
				.offset = TARGET(auth.values[AUTH_KEY_OIDC_TOKEN_FILE]),
				.about = "File that holds the ID token; read at each sign-in."},
		{"metadata_service_url", SCHEMA_TEXT,
				.offset = TARGET(auth.values[AUTH_KEY_METADATA_SERVICE_URL]),
				.about = "Address on this machine that hands out tokens."},
		{"google_service_account", SCHEMA_TEXT,
				.offset = TARGET(auth.values[AUTH_KEY_GOOGLE_SERVICE_ACCOUNT]),
				.about = "E-mail of the Google service account to act as."},
		{"google_credentials", SCHEMA_SECRET,
				.offset = TARGET(auth.values[AUTH_KEY_GOOGLE_CREDENTIALS]),
				.about = "Reference to a Google service account's key (JSON)."},
		{"azure_workspace_resource_id", SCHEMA_TEXT,
				.offset = TARGET(auth.values[AUTH_KEY_AZURE_RESOURCE_ID]),
				.about = "Azure resource id of the workspace, for a service "
					 "principal that is no user of it yet."},
		{"azure_use_msi", SCHEMA_TEXT,
				.offset = TARGET(auth.values[AUTH_KEY_AZURE_USE_MSI]),
				.about = "Signs in as this machine's managed identity."},
		{"azure_client_id", SCHEMA_TEXT,
				.offset = TARGET(auth.values[AUTH_KEY_AZURE_CLIENT_ID]),
				.about = "Application (client) id in Entra ID."},
		{"azure_client_secret", SCHEMA_SECRET,
				.offset = TARGET(auth.values[AUTH_KEY_AZURE_CLIENT_SECRET]),
				.about = "Reference to its client secret."},
		{"azure_tenant_id", SCHEMA_TEXT,
				.offset = TARGET(auth.values[AUTH_KEY_AZURE_TENANT_ID]),
				.about = "Entra tenant; left out: asked of the host."},
		{"azure_environment", SCHEMA_TEXT,
				.offset = TARGET(auth.values[AUTH_KEY_AZURE_ENVIRONMENT]),
				.about = "PUBLIC, USGOVERNMENT or CHINA; left out: by the host's "
					 "name."},
		{"azure_client_certificate", SCHEMA_SECRET,
				.offset = TARGET(auth.values[AUTH_KEY_AZURE_CERTIFICATE]),
				.about = "Reference to certificate and private key (PEM or "
					 "PKCS#12)."},
		{"azure_client_certificate_password", SCHEMA_SECRET,
				.offset = TARGET(auth.values[AUTH_KEY_AZURE_CERTIFICATE_PASSWORD]),
				.about = "Reference to the password of the certificate."},
		{"azure_federated_token_file", SCHEMA_FILE,
				.offset = TARGET(auth.values[AUTH_KEY_AZURE_FEDERATED_TOKEN_FILE]),
				.about = "File with a federated token; left out: "
					 "AZURE_FEDERATED_TOKEN_FILE, as AKS sets it."},
		{"azure_login_url", SCHEMA_TEXT,
				.offset = TARGET(auth.values[AUTH_KEY_AZURE_LOGIN_URL]),
				.about = "Entra's address, if neither host nor environment tell."},
		{"azure_management_url", SCHEMA_TEXT,
				.offset = TARGET(auth.values[AUTH_KEY_AZURE_MANAGEMENT_URL]),
				.about = "Resource of the management token, likewise."},
		{"azure_resource_manager_url", SCHEMA_TEXT,
				.offset = TARGET(auth.values[AUTH_KEY_AZURE_RESOURCE_MANAGER_URL]),
				.about = "Address of the Azure Resource Manager, likewise."},
		{"azure_databricks_app_id", SCHEMA_TEXT,
				.offset = TARGET(auth.values[AUTH_KEY_AZURE_LOGIN_APP_ID]),
				.about = "Entra application id of Databricks, likewise."},
		{"google_iam_url", SCHEMA_TEXT,
				.offset = TARGET(auth.values[AUTH_KEY_GOOGLE_IAM_URL]),
				.about = "Address of Google's IAM credentials service, if it is "
					 "another."},
};
static const struct schema auth_schema = SCHEMA("`auth`", auth_rows);

#define TARGET_KEYS                                                                                \
	{"host", SCHEMA_OWN, .offset = TARGET(host), .read = read_host, .json = HOST_JSON,         \
			.about = "https address; left out: from the profile or DATABRICKS_HOST."}, \
			{"profile", SCHEMA_TEXT, .offset = TARGET(profile),                        \
					.about = "Section of ~/.databrickscfg."},                  \
			{"auth", SCHEMA_SECTION, .section = &auth_schema,                          \
					.about = "How to sign in; what is missing comes from "     \
						 "profile and environment."},                      \
			{"egress", SCHEMA_OWN, .offset = TARGET(egress),                           \
					.read = config_read_egress, .json = IP_ADDRESSES_JSON,     \
					.about = "Addresses that we come from here; left out: as " \
						 "for all."},                                      \
	{                                                                                          \
		"ca_file", SCHEMA_FILE, .offset = TARGET(ca_file),                                 \
					.about = "Certificates that are trusted, PEM; left out: "  \
						 "the system's."                                   \
	}

static const struct schema_key account_keys[] = {
		TARGET_KEYS,
		{"account_id", SCHEMA_OWN, .offset = TARGET(account_id), .read = read_account_id,
				.json = ID_JSON, .about = "UUID of the account."},
		{"discover", SCHEMA_OWN, .section = &config_discover_schema,
				.read = config_read_discover,
				.about = "What is found out from the account."},
		{"settings", SCHEMA_OWN, .offset = offsetof(struct target_reading, t),
				.read = config_read_account_settings, .json = SETTINGS_JSON,
				.about = "Settings of the account that are kept so, by Databricks' "
					 "names."},
};
const struct schema config_account_schema = SCHEMA("`account`", account_keys);

static const struct schema_key workspace_keys[] = {
		TARGET_KEYS,
		{"workspace_id", SCHEMA_OWN, .offset = TARGET(workspace_id),
				.read = read_workspace_id, .json = ID_JSON,
				.about = "Number of the workspace; left out: asked of it."},
		{"tags", SCHEMA_OWN, .offset = offsetof(struct target_reading, t),
				.read = config_read_tags, .json = SETTINGS_JSON,
				.about = "Words of yours by which rules choose workspaces, and "
					 "variables of cluster policies."},
		{"settings", SCHEMA_OWN, .offset = offsetof(struct target_reading, t),
				.read = config_read_workspace_settings, .json = SETTINGS_JSON,
				.about = "Settings of the workspace that are kept so, by "
					 "Databricks' names."},
};
const struct schema config_workspace_schema = SCHEMA("this workspace", workspace_keys);

/* Two ways to sign in at once, or a key that the named way has no use for. */
static enum err_code check_auth(const struct target_reading *reading,
		const struct document_node *node, struct err *err)
{
	const struct document_node *auth = document_get(node, "auth");
	const char *type = reading->auth_type >= 0 ? auth_types[reading->auth_type] : NULL;
	const struct auth_key_row *first = NULL;

	for (size_t i = 0; i < AUTH_KEY_COUNT_; i++) {
		const struct auth_key_row *row = &auth_keys[i];

		if (!reading->t.auth.values[i] || !row->group)
			continue;
		if (type && !auth_type_takes_group(type, row->group))
			return document_error(document_get(auth, row->name), err,
					"`%s` does not go with `type: %s`", row->name, type);
		if (!type && first && !text_equal(first->group, row->group))
			return document_error(auth, err,
					"`%s` and `%s` are two ways to sign in; keep one of them, "
					"or name one with `type:`",
					first->name, row->name);
		first = first ? first : row;
	}
	return ERR_NONE;
}

static enum err_code read_target(struct reader *reader, const struct schema *schema,
		const struct document_node *node, struct target_settings *target, struct err *err)
{
	struct target_reading reading = {.t = *target, .auth_type = -1};
	const struct document_node *auth;
	enum err_code code = schema_read(reader, schema, node, &reading, err);

	if (code != ERR_NONE)
		return code;
	auth = document_get(node, "auth");
	code = check_auth(&reading, node, err);
	if (code != ERR_NONE)
		return code;
	if (reading.auth_type >= 0)
		reading.t.auth.values[AUTH_KEY_TYPE] = auth_types[reading.auth_type];
	reading.t.auth.line = auth ? auth->key_line : 0;
	*target = reading.t;
	return ERR_NONE;
}

enum err_code config_read_account(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct config_reading *config = target;

	config->settings.has_account = true;
	config->account = (struct target_settings){
			.name = "account", .is_account = true, .line = node->key_line};
	return read_target(reader, &config_account_schema, node, &config->account, err);
}

enum err_code config_read_workspace(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct config_reading *config = target;
	struct target_settings workspace = {.name = node->key, .line = node->key_line};
	struct document_node key = document_key(node);
	enum err_code code = config_check_name(node, "workspace", err);

	if (code == ERR_NONE && strcmp(node->key, "account") == 0)
		return document_error(&key, err,
				"a workspace can't be named `account`, which means the account "
				"itself");
	if (code == ERR_NONE)
		code = read_target(reader, &config_workspace_schema, node, &workspace, err);
	if (code == ERR_NONE)
		*vec_add(&config->workspaces) = workspace;
	return code;
}
