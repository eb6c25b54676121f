#include "databricks/profile.h"

#include "base/buf.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTINGS_SECTION "__settings__"
#define DEFAULT_SECTION "DEFAULT"

/* What a target may be told; order of the columns as in the SDKs: key of the profile file, variable, group. */
enum attribute {
	ATTRIBUTE_HOST,
	ATTRIBUTE_ACCOUNT_ID,
	ATTRIBUTE_WORKSPACE_ID,
	ATTRIBUTE_TOKEN,
	ATTRIBUTE_CLIENT_ID,
	ATTRIBUTE_CLIENT_SECRET,
	ATTRIBUTE_AUTH_TYPE,
	ATTRIBUTE_SKIP_VERIFY,
	ATTRIBUTE_FIRST_OTHER_,
};
static const struct {
	const char *key, *variable;
	const char *group; /* as messages name it */
} attributes[] = {
		[ATTRIBUTE_HOST] = {"host", "DATABRICKS_HOST", NULL},
		[ATTRIBUTE_ACCOUNT_ID] = {"account_id", "DATABRICKS_ACCOUNT_ID", NULL},
		[ATTRIBUTE_WORKSPACE_ID] = {"workspace_id", "DATABRICKS_WORKSPACE_ID", NULL},
		[ATTRIBUTE_TOKEN] = {"token", "DATABRICKS_TOKEN", "pat"},
		[ATTRIBUTE_CLIENT_ID] = {"client_id", "DATABRICKS_CLIENT_ID", "oauth"},
		[ATTRIBUTE_CLIENT_SECRET] = {"client_secret", "DATABRICKS_CLIENT_SECRET", "oauth"},
		[ATTRIBUTE_AUTH_TYPE] = {"auth_type", "DATABRICKS_AUTH_TYPE", NULL},
		[ATTRIBUTE_SKIP_VERIFY] = {"skip_verify", NULL, NULL},
		/* known to the SDKs, not to this version: they count in the conflict check and are refused by name */
		{"username", "DATABRICKS_USERNAME", "basic"},
		{"password", "DATABRICKS_PASSWORD", "basic"},
		{"oidc_token_env", "DATABRICKS_OIDC_TOKEN_ENV", "env-oidc"},
		{"oidc_token_filepath", "DATABRICKS_OIDC_TOKEN_FILEPATH", "file-oidc"},
		{"databricks_id_token_filepath", "DATABRICKS_OIDC_TOKEN_FILE", "file-oidc"},
		{"google_service_account", "DATABRICKS_GOOGLE_SERVICE_ACCOUNT", "google"},
		{"google_credentials", "GOOGLE_CREDENTIALS", "google"},
		{"azure_workspace_resource_id", "DATABRICKS_AZURE_RESOURCE_ID", "azure"},
		{"azure_use_msi", "ARM_USE_MSI", "azure"},
		{"azure_client_id", "ARM_CLIENT_ID", "azure"},
		{"azure_client_secret", "ARM_CLIENT_SECRET", "azure"},
		{"azure_tenant_id", "ARM_TENANT_ID", "azure"},
		{"metadata_service_url", "DATABRICKS_METADATA_SERVICE_URL", "metadata-service"},
};
#define ATTRIBUTE_COUNT COUNT_OF(attributes)

static const char *const known_types[] = {"pat", "oauth-m2m", "basic", "metadata-service",
		"env-oidc", "file-oidc", "github-oidc", "azure-client-secret", "github-oidc-azure",
		"azure-cli", "azure-devops-oidc", "azure-msi", "external-browser", "databricks-cli",
		"runtime-oauth", "runtime", "google-credentials", "google-id", "model-serving"};

enum origin { ORIGIN_UNSET, ORIGIN_SETTINGS, ORIGIN_ENVIRONMENT, ORIGIN_PROFILE };

struct value {
	const char *text; /* borrowed: settings, environment or ini */
	enum origin origin;
};

/* A resolution under way. */
struct draft {
	const struct target_settings *target; /* where it is */
	const struct target_settings *auth;   /* whose sign-in: its own, or the account's */
	struct value values[ATTRIBUTE_COUNT];
	char *file;
	char *section; /* NULL: no profile read */
	struct ini ini;
};

const char *auth_type_name(enum auth_type type)
{
	return type == AUTH_PAT ? "pat" : "oauth-m2m";
}

/* ---- the file ---- */

static char *profile_path(void)
{
	const char *named = getenv("DATABRICKS_CONFIG_FILE");
	const char *home = getenv("HOME");

	if (!named || !*named)
		named = "~/.databrickscfg";
	if (named[0] == '~' && named[1] == '/' && home)
		return mem_printf("%s%s", home, named + 1);
	return mem_strdup(named);
}

/* *ret_found false: there is no such file, which is fine. */
static enum err_code read_whole(const char *path, struct buf *ret, bool *ret_found, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char bytes[4096];
	ssize_t got;

	*ret_found = false;
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return ERR_NONE;
	if (fd < 0)
		return err_errno(err, ERR_CONFIG, errno, "profile file \"%s\"", path);
	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		buf_add(ret, bytes, (size_t)got);
	(void)close(fd);
	explicit_bzero(bytes, sizeof(bytes));
	if (got < 0)
		return err_errno(err, ERR_CONFIG, errno, "profile file \"%s\"", path);
	if (ret->overflowed)
		return err_set(err, ERR_CONFIG, 0, "profile file \"%s\" is over %zu bytes", path,
				PROFILE_FILE_MAX);
	*ret_found = true;
	return ERR_NONE;
}

static void wipe(struct buf *buf)
{
	if (buf->ptr)
		explicit_bzero(buf->ptr, buf->room);
	buf_release(buf);
}

/* Reads one section of path; ret->found false if file or section is missing. */
static enum err_code read_section(const char *path, const char *section, bool *ret_file,
		struct ini *ret, struct err *err)
{
	struct buf text;
	enum err_code code;

	buf_init(&text, PROFILE_FILE_MAX);
	code = read_whole(path, &text, ret_file, err);
	if (code == ERR_NONE && memchr(buf_text(&text), '\0', text.len))
		code = err_set(err, ERR_CONFIG, 0, "profile file \"%s\" holds a NUL byte", path);
	if (code == ERR_NONE) {
		code = ini_read((struct span){buf_text(&text), text.len}, section, ret, err);
		if (code != ERR_NONE)
			(void)err_context(err, "profile file \"%s\"", path);
	}
	wipe(&text);
	return code;
}

/* ---- the three sources, one after the other ---- */

static void draft_set(struct draft *draft, size_t attribute, const char *text, enum origin origin)
{
	if (draft->values[attribute].origin == ORIGIN_UNSET && text && *text)
		draft->values[attribute] = (struct value){text, origin};
}

static void take_settings(struct draft *draft)
{
	const struct target_settings *target = draft->target;
	const struct auth_settings *auth = &draft->auth->auth;

	draft_set(draft, ATTRIBUTE_HOST, target->host, ORIGIN_SETTINGS);
	draft_set(draft, ATTRIBUTE_ACCOUNT_ID, target->account_id, ORIGIN_SETTINGS);
	draft_set(draft, ATTRIBUTE_WORKSPACE_ID, target->workspace_id, ORIGIN_SETTINGS);
	draft_set(draft, ATTRIBUTE_AUTH_TYPE, auth->type, ORIGIN_SETTINGS);
	draft_set(draft, ATTRIBUTE_TOKEN, auth->token, ORIGIN_SETTINGS);
	draft_set(draft, ATTRIBUTE_CLIENT_ID, auth->client_id, ORIGIN_SETTINGS);
	draft_set(draft, ATTRIBUTE_CLIENT_SECRET, auth->client_secret, ORIGIN_SETTINGS);
}

static void take_environment(struct draft *draft)
{
	for (size_t i = 0; i < ATTRIBUTE_COUNT; i++) {
		if (attributes[i].variable)
			draft_set(draft, i, getenv(attributes[i].variable), ORIGIN_ENVIRONMENT);
	}
}

/* The file is left alone if nobody named a profile and something about host or sign-in is known already. */
static bool file_is_skipped(const struct draft *draft)
{
	for (size_t i = 0; i < ATTRIBUTE_COUNT; i++) {
		if (draft->values[i].text && (i == ATTRIBUTE_HOST || attributes[i].group))
			return true;
	}
	return false;
}

static enum err_code choose_section(struct draft *draft, const char *named, struct err *err)
{
	struct ini settings = {0};
	const char *chosen = named;
	bool file;

	if (!named) {
		if (read_section(draft->file, SETTINGS_SECTION, &file, &settings, err) != ERR_NONE)
			return err->code;
		chosen = ini_get(&settings, "default_profile");
		if (!chosen || !*chosen)
			chosen = DEFAULT_SECTION;
	}
	draft->section = mem_strdup(chosen);
	ini_release(&settings);
	if (text_equal(draft->section, SETTINGS_SECTION))
		return err_set(err, ERR_CONFIG, 0,
				"\"%s\" is a reserved section name and cannot be used as a profile",
				SETTINGS_SECTION);
	return ERR_NONE;
}

static enum err_code take_profile(struct draft *draft, struct err *err)
{
	const char *named = draft->auth->profile ? draft->auth->profile
						 : getenv("DATABRICKS_CONFIG_PROFILE");
	bool file;

	if (named && !*named)
		named = NULL;
	if (!named && file_is_skipped(draft))
		return ERR_NONE;
	draft->file = profile_path();
	if (choose_section(draft, named, err) != ERR_NONE ||
			read_section(draft->file, draft->section, &file, &draft->ini, err) !=
					ERR_NONE)
		return err->code;
	if (file && !draft->ini.found && !text_equal(draft->section, DEFAULT_SECTION))
		return err_set(err, ERR_CONFIG, 0, "%s has no %s profile configured", draft->file,
				draft->section);
	for (size_t i = 0; i < ATTRIBUTE_COUNT; i++) {
		/* The account's profile lends its sign-in to a workspace, not its host. */
		if (draft->auth == draft->target || attributes[i].group || i == ATTRIBUTE_AUTH_TYPE)
			draft_set(draft, i, ini_get(&draft->ini, attributes[i].key),
					ORIGIN_PROFILE);
	}
	return ERR_NONE;
}

/* ---- the decision ---- */

static const char *origin_text(const struct draft *draft, size_t attribute, char *ret, size_t room)
{
	switch (draft->values[attribute].origin) {
	case ORIGIN_SETTINGS:
		(void)snprintf(ret, room, "%s in the configuration", attributes[attribute].key);
		break;
	case ORIGIN_ENVIRONMENT:
		(void)snprintf(ret, room, "%s in the environment", attributes[attribute].variable);
		break;
	case ORIGIN_PROFILE:
		(void)snprintf(ret, room, "%s in profile %s", attributes[attribute].key,
				draft->section);
		break;
	case ORIGIN_UNSET:
		ret[0] = '\0';
		break;
	}
	return ret;
}

static bool group_comes_before(const char *a, const char *b)
{
	return strcmp(a, b) < 0;
}

/* The groups that have a value, by name; at most COUNT are kept. */
static size_t groups_found(const struct draft *draft, size_t *ret_attributes, size_t room)
{
	size_t count = 0;

	for (size_t i = 0; i < ATTRIBUTE_COUNT; i++) {
		size_t at = 0;

		if (!draft->values[i].text || !attributes[i].group)
			continue;
		while (at < count &&
				group_comes_before(attributes[ret_attributes[at]].group,
						attributes[i].group))
			at++;
		if (count == room ||
				(at < count &&
						text_equal(attributes[ret_attributes[at]].group,
								attributes[i].group)))
			continue;
		for (size_t j = count++; j > at; j--)
			ret_attributes[j] = ret_attributes[j - 1];
		ret_attributes[at] = i;
	}
	return count;
}

static enum err_code fail_conflict(
		const struct draft *draft, const size_t *found, size_t count, struct err *err)
{
	struct buf names, places;
	char place[120];

	buf_init(&names, 120);
	buf_init(&places, 220);
	for (size_t i = 0; i < count; i++) {
		buf_printf(&names, "%s%s", i ? " and " : "", attributes[found[i]].group);
		buf_printf(&places, "%s%s", i ? ", " : "",
				origin_text(draft, found[i], place, sizeof(place)));
	}
	(void)err_set(err, ERR_CONFIG, 0,
			"more than one authorization method configured: %s (%s); name one with "
			"auth: type",
			buf_text(&names), buf_text(&places));
	buf_release(&names);
	buf_release(&places);
	return err->code;
}

static enum err_code type_of_name(const char *name, enum auth_type *ret, struct err *err)
{
	const char *near;

	if (text_equal(name, "pat") || text_equal(name, "oauth-m2m")) {
		*ret = text_equal(name, "pat") ? AUTH_PAT : AUTH_OAUTH_M2M;
		return ERR_NONE;
	}
	for (size_t i = 0; i < COUNT_OF(known_types); i++) {
		if (text_equal(name, known_types[i]))
			return err_set(err, ERR_CONFIG, 0,
					"auth type \"%s\" is not supported by this version (pat "
					"and oauth-m2m are)",
					name);
	}
	near = text_did_you_mean(name, known_types, COUNT_OF(known_types));
	return err_set(err, ERR_CONFIG, 0, "auth type \"%.60s\" not found%s%s%s", name,
			near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static enum err_code decide_type(const struct draft *draft, enum auth_type *ret, struct err *err)
{
	const struct value *named = &draft->values[ATTRIBUTE_AUTH_TYPE];
	size_t found[4];
	size_t count;
	char place[120];

	if (named->text) {
		if (type_of_name(named->text, ret, err) != ERR_NONE)
			return err_context(err, "%s",
					origin_text(draft, ATTRIBUTE_AUTH_TYPE, place,
							sizeof(place)));
		return ERR_NONE;
	}
	count = groups_found(draft, found, COUNT_OF(found));
	if (count == 0)
		return err_set(err, ERR_CONFIG, 0,
				"cannot configure default credentials: give it auth:, a profile: "
				"or DATABRICKS_* variables");
	if (count > 1)
		return fail_conflict(draft, found, count, err);
	if (found[0] >= ATTRIBUTE_FIRST_OTHER_)
		return err_set(err, ERR_CONFIG, 0,
				"sign-in by %s (%s) is not supported by this version (pat and "
				"oauth-m2m are)",
				attributes[found[0]].group,
				origin_text(draft, found[0], place, sizeof(place)));
	*ret = found[0] == ATTRIBUTE_TOKEN ? AUTH_PAT : AUTH_OAUTH_M2M;
	return ERR_NONE;
}

static void place_secret(
		const struct draft *draft, enum attribute attribute, struct secret_place *ret)
{
	const struct value *value = &draft->values[attribute];

	if (value->origin == ORIGIN_SETTINGS) {
		ret->reference = mem_strdup(value->text);
	} else if (value->origin == ORIGIN_ENVIRONMENT) {
		ret->reference = mem_printf("env:%s", attributes[attribute].variable);
	} else {
		ret->file = mem_strdup(draft->file);
		ret->section = mem_strdup(draft->section);
		ret->key = mem_strdup(attributes[attribute].key);
	}
}

static bool says_true(const char *text)
{
	return text &&
			(text_equal_folded(text, "true") || text_equal_folded(text, "t") ||
					text_equal(text, "1"));
}

static enum err_code fill_auth(const struct draft *draft, struct credential *ret, struct err *err)
{
	enum attribute secret;

	if (decide_type(draft, &ret->type, err) != ERR_NONE)
		return err->code;
	if (ret->type == AUTH_PAT && draft->auth != draft->target)
		return err_set(err, ERR_CONFIG, 0,
				"the account's personal access token cannot sign in here: give the "
				"workspace auth: of its own");
	secret = ret->type == AUTH_PAT ? ATTRIBUTE_TOKEN : ATTRIBUTE_CLIENT_SECRET;
	if (!draft->values[secret].text)
		return err_set(err, ERR_CONFIG, 0, "sign-in by %s lacks %s",
				auth_type_name(ret->type), attributes[secret].key);
	if (ret->type == AUTH_OAUTH_M2M && !draft->values[ATTRIBUTE_CLIENT_ID].text)
		return err_set(err, ERR_CONFIG, 0, "sign-in by oauth-m2m lacks client_id");
	ret->client_id = mem_strdup_or_null(draft->values[ATTRIBUTE_CLIENT_ID].text);
	place_secret(draft, secret, &ret->secret);
	return ERR_NONE;
}

static enum err_code fill(const struct draft *draft, struct credential *ret, struct err *err)
{
	AUTO(mem_freep) char *workspace_id = NULL;
	AUTO(mem_freep) char *account_id = NULL;
	const struct value *values = draft->values;

	if (says_true(values[ATTRIBUTE_SKIP_VERIFY].text))
		return err_set(err, ERR_CONFIG, 0,
				"skip_verify is not supported: certificates are always verified "
				"(ca_file helps)");
	if (!values[ATTRIBUTE_HOST].text)
		return err_set(err, ERR_CONFIG, 0,
				"has no host: give it host:, a profile: or DATABRICKS_HOST");
	if (profile_normalise_host(values[ATTRIBUTE_HOST].text, &ret->host, &workspace_id,
			    &account_id, err) != ERR_NONE)
		return err->code;
	ret->is_account = draft->target->is_account;
	ret->account_id = values[ATTRIBUTE_ACCOUNT_ID].text
			? mem_strdup(values[ATTRIBUTE_ACCOUNT_ID].text)
			: STEAL(account_id);
	ret->workspace_id = values[ATTRIBUTE_WORKSPACE_ID].text
			? mem_strdup(values[ATTRIBUTE_WORKSPACE_ID].text)
			: STEAL(workspace_id);
	if (ret->is_account && !ret->account_id)
		return err_set(err, ERR_CONFIG, 0,
				"has no account_id: give it account_id:, a profile: or "
				"DATABRICKS_ACCOUNT_ID");
	return fill_auth(draft, ret, err);
}

static bool has_own_auth(const struct target_settings *target)
{
	return target->auth.line > 0 || target->auth.type || target->auth.token ||
			target->auth.client_id || target->profile;
}

enum err_code credential_resolve(const struct settings *settings, size_t target,
		struct credential *ret, struct err *err)
{
	const struct target_settings *own = &settings->targets[target];
	struct draft draft = {.target = own, .auth = own};
	struct credential credential = {0};
	enum err_code code;

	if (!own->is_account && settings->has_account && !has_own_auth(own))
		draft.auth = &settings->targets[0];
	take_settings(&draft);
	take_environment(&draft);
	code = take_profile(&draft, err);
	if (code == ERR_NONE)
		code = fill(&draft, &credential, err);
	ini_release(&draft.ini);
	mem_free(draft.file);
	mem_free(draft.section);
	if (code == ERR_NONE) {
		*ret = credential;
		return ERR_NONE;
	}
	credential_release(&credential);
	if (own->is_account)
		return err_context(err, "account");
	return err_context(err, "workspace \"%s\"", own->name);
}

void credential_release(struct credential *credential)
{
	mem_free(credential->host);
	mem_free(credential->account_id);
	mem_free(credential->workspace_id);
	mem_free(credential->client_id);
	mem_free(credential->secret.reference);
	mem_free(credential->secret.file);
	mem_free(credential->secret.section);
	mem_free(credential->secret.key);
	*credential = (struct credential){0};
}

enum err_code secret_place_read(const struct secret_place *place, const char *folder,
		struct secret *ret, struct err *err)
{
	struct ini ini = {0};
	const char *value;
	bool file, found;

	if (place->reference)
		return secret_read(place->reference, folder, ret, err);
	if (read_section(place->file, place->section, &file, &ini, err) != ERR_NONE)
		return err->code;
	value = ini_get(&ini, place->key);
	found = value && *value;
	if (found)
		secret_set(ret, span_of(value));
	ini_release(&ini);
	if (!found)
		return err_set(err, ERR_CONFIG, 0, "profile %s in %s has no %s any more",
				place->section, place->file, place->key);
	return ERR_NONE;
}
