#include "databricks/auth/profile.h"

#include "base/buf.h"
#include "base/text.h"
#include "databricks/auth/host.h"
#include "databricks/auth/method.h"
#include "databricks/auth/profile_file.h"

#define SETTINGS_SECTION "__settings__"
#define DEFAULT_SECTION "DEFAULT"

enum origin { ORIGIN_UNSET, ORIGIN_SETTINGS, ORIGIN_ENVIRONMENT, ORIGIN_PROFILE };

struct value {
	const char *text; /* borrowed: settings, environment or ini */
	enum origin origin;
};

/* A resolution under way. */
struct draft {
	const struct target_settings *target; /* where it is */
	const struct target_settings *auth;   /* whose sign-in: its own, or the account's */
	struct value values[AUTH_KEY_COUNT_];
	char *file;
	char *section; /* NULL: no profile read */
	struct ini ini;
};

/* ---- the three sources, one after the other ---- */

static void draft_set(struct draft *draft, size_t key, const char *text, enum origin origin)
{
	if (draft->values[key].origin == ORIGIN_UNSET && text && *text)
		draft->values[key] = (struct value){text, origin};
}

static void take_settings(struct draft *draft)
{
	const struct target_settings *target = draft->target;
	const struct auth_settings *auth = &draft->auth->auth;

	draft_set(draft, AUTH_KEY_HOST, target->host, ORIGIN_SETTINGS);
	draft_set(draft, AUTH_KEY_ACCOUNT_ID, target->account_id, ORIGIN_SETTINGS);
	draft_set(draft, AUTH_KEY_WORKSPACE_ID, target->workspace_id, ORIGIN_SETTINGS);
	for (size_t i = 0; i < AUTH_KEY_COUNT_; i++)
		draft_set(draft, i, auth->values[i], ORIGIN_SETTINGS);
}

static void take_environment(struct draft *draft)
{
	for (size_t i = 0; i < AUTH_KEY_COUNT_; i++) {
		if (auth_keys[i].variable)
			draft_set(draft, i, getenv(auth_keys[i].variable), ORIGIN_ENVIRONMENT);
		if (auth_keys[i].other_variable)
			draft_set(draft, i, getenv(auth_keys[i].other_variable),
					ORIGIN_ENVIRONMENT);
	}
}

/* The file is left alone if nobody named a profile and something about host or sign-in is known already. */
static bool file_is_skipped(const struct draft *draft)
{
	for (size_t i = 0; i < AUTH_KEY_COUNT_; i++) {
		if (draft->values[i].text && (i == AUTH_KEY_HOST || auth_keys[i].group))
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
		if (profile_file_read(draft->file, SETTINGS_SECTION, &file, &settings, err) !=
				ERR_NONE)
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

static bool key_tells_place(enum auth_key key)
{
	return key == AUTH_KEY_HOST || key == AUTH_KEY_ACCOUNT_ID || key == AUTH_KEY_WORKSPACE_ID ||
			key == AUTH_KEY_DISCOVERY_URL || key == AUTH_KEY_AZURE_RESOURCE_ID;
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
	draft->file = profile_file_path();
	if (choose_section(draft, named, err) != ERR_NONE ||
			profile_file_read(draft->file, draft->section, &file, &draft->ini, err) !=
					ERR_NONE)
		return err->code;
	if (file && !draft->ini.found && !text_equal(draft->section, DEFAULT_SECTION))
		return err_set(err, ERR_CONFIG, 0, "%s has no %s profile configured", draft->file,
				draft->section);
	for (size_t i = 0; i < AUTH_KEY_COUNT_; i++) {
		/* The account's profile lends its sign-in to a workspace, not its place. */
		if (draft->auth != draft->target && key_tells_place((enum auth_key)i))
			continue;
		draft_set(draft, i, ini_get(&draft->ini, auth_keys[i].name), ORIGIN_PROFILE);
		if (auth_keys[i].other_name)
			draft_set(draft, i, ini_get(&draft->ini, auth_keys[i].other_name),
					ORIGIN_PROFILE);
	}
	return ERR_NONE;
}

/* ---- the decision ---- */

static const char *origin_text(const struct draft *draft, size_t key, char *ret, size_t room)
{
	switch (draft->values[key].origin) {
	case ORIGIN_SETTINGS:
		(void)snprintf(ret, room, "%s in the configuration", auth_keys[key].name);
		break;
	case ORIGIN_ENVIRONMENT:
		(void)snprintf(ret, room, "%s in the environment", auth_keys[key].variable);
		break;
	case ORIGIN_PROFILE:
		(void)snprintf(ret, room, "%s in profile %s", auth_keys[key].name, draft->section);
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
static size_t groups_found(const struct draft *draft, size_t *ret_keys, size_t room)
{
	size_t count = 0;

	for (size_t i = 0; i < AUTH_KEY_COUNT_; i++) {
		size_t at = 0;

		if (!draft->values[i].text || !auth_keys[i].group)
			continue;
		while (at < count &&
				group_comes_before(
						auth_keys[ret_keys[at]].group, auth_keys[i].group))
			at++;
		if (count == room ||
				(at < count &&
						text_equal(auth_keys[ret_keys[at]].group,
								auth_keys[i].group)))
			continue;
		for (size_t j = count++; j > at; j--)
			ret_keys[j] = ret_keys[j - 1];
		ret_keys[at] = i;
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
		buf_printf(&names, "%s%s", i ? " and " : "", auth_keys[found[i]].group);
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
	static const char *const others[] = {"basic", "azure-cli", "databricks-cli",
			"external-browser", "runtime", "runtime-oauth", "model-serving"};
	const char *names[AUTH_TYPE_COUNT_], *near;

	for (size_t i = 0; i < AUTH_TYPE_COUNT_; i++) {
		names[i] = auth_type_name((enum auth_type)i);
		if (text_equal(name, names[i])) {
			*ret = (enum auth_type)i;
			return ERR_NONE;
		}
	}
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		if (text_equal(name, others[i]))
			return err_set(err, ERR_CONFIG, 0,
					"auth type \"%s\" is none for a service that runs by "
					"itself; "
					"oauth-m2m is",
					name);
	}
	near = text_did_you_mean(name, names, COUNT_OF(names));
	return err_set(err, ERR_CONFIG, 0, "auth type \"%.60s\" not found%s%s%s", name,
			near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* What each way lacks that could use what there is. */
static enum err_code fail_incomplete(const struct draft *draft, const struct credential *credential,
		size_t found, struct err *err)
{
	const char *group = auth_keys[found].group;
	struct buf ways;
	char place[120];

	buf_init(&ways, 300);
	for (size_t i = 0; i < AUTH_TYPE_COUNT_; i++) {
		const char *name = auth_type_name((enum auth_type)i);

		if (auth_type_takes_group(name, group))
			buf_printf(&ways, "%s%s lacks %s", ways.len ? ", " : ": ", name,
					signin_method_lacks((enum auth_type)i, credential));
	}
	(void)err_set(err, ERR_CONFIG, 0, "sign-in by %s (%s) is not possible%s", group,
			origin_text(draft, found, place, sizeof(place)), buf_text(&ways));
	buf_release(&ways);
	return err->code;
}

/* The first way whose every input is there, as the SDKs try them. */
static enum err_code find_type(const struct draft *draft, const struct credential *credential,
		enum auth_type *ret, struct err *err)
{
	size_t found[4];
	size_t count = groups_found(draft, found, COUNT_OF(found));

	if (count > 1)
		return fail_conflict(draft, found, count, err);
	for (size_t i = 0; i < AUTH_TYPE_COUNT_; i++) {
		const char *name = auth_type_name((enum auth_type)i);

		/* What is given decides: a runner's variables alone do not outdo it. */
		if (count == 1 && !auth_type_takes_group(name, auth_keys[found[0]].group))
			continue;
		if (!signin_method_lacks((enum auth_type)i, credential)) {
			*ret = (enum auth_type)i;
			return ERR_NONE;
		}
	}
	if (count == 0)
		return err_set(err, ERR_CONFIG, 0,
				"cannot configure default credentials: give it auth:, a profile: "
				"or DATABRICKS_* variables");
	return fail_incomplete(draft, credential, found[0], err);
}

static enum err_code decide_type(
		const struct draft *draft, struct credential *credential, struct err *err)
{
	const struct value *named = &draft->values[AUTH_KEY_TYPE];
	const char *lacks;
	char place[120];

	if (!named->text)
		return find_type(draft, credential, &credential->type, err);
	if (type_of_name(named->text, &credential->type, err) != ERR_NONE)
		return err_context(
				err, "%s", origin_text(draft, AUTH_KEY_TYPE, place, sizeof(place)));
	lacks = signin_method_lacks(credential->type, credential);
	if (lacks)
		return err_set(err, ERR_CONFIG, 0, "sign-in by %s lacks %s",
				auth_type_name(credential->type), lacks);
	return ERR_NONE;
}

static void place_value(const struct draft *draft, size_t key, struct credential_value *ret)
{
	const struct value *value = &draft->values[key];

	if (!value->text)
		return;
	if (!auth_keys[key].is_secret) {
		ret->text = mem_strdup(value->text);
	} else if (value->origin == ORIGIN_SETTINGS) {
		ret->reference = mem_strdup(value->text);
	} else if (value->origin == ORIGIN_ENVIRONMENT) {
		ret->reference = mem_printf("env:%s", auth_keys[key].variable);
	} else {
		ret->file = mem_strdup(draft->file);
		ret->section = mem_strdup(draft->section);
		ret->key = mem_strdup(auth_keys[key].name);
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
	for (size_t i = 0; i < AUTH_KEY_COUNT_; i++)
		place_value(draft, i, &ret->values[i]);
	if (decide_type(draft, ret, err) != ERR_NONE)
		return err->code;
	if (ret->type == AUTH_PAT && draft->auth != draft->target)
		return err_set(err, ERR_CONFIG, 0,
				"the account's personal access token cannot sign in here: give the "
				"workspace auth: of its own");
	return ERR_NONE;
}

static enum err_code fill(const struct draft *draft, struct credential *ret, struct err *err)
{
	AUTO(mem_freep) char *workspace_id = NULL;
	AUTO(mem_freep) char *account_id = NULL;
	const struct value *values = draft->values;

	if (says_true(values[AUTH_KEY_SKIP_VERIFY].text))
		return err_set(err, ERR_CONFIG, 0,
				"skip_verify is not supported: certificates are always verified "
				"(ca_file helps)");
	if (!values[AUTH_KEY_HOST].text)
		return err_set(err, ERR_CONFIG, 0,
				"has no host: give it host:, a profile: or DATABRICKS_HOST");
	if (host_normalise(values[AUTH_KEY_HOST].text, &ret->host, &workspace_id, &account_id,
			    err) != ERR_NONE)
		return err->code;
	ret->is_account = draft->target->is_account;
	ret->account_id = values[AUTH_KEY_ACCOUNT_ID].text
			? mem_strdup(values[AUTH_KEY_ACCOUNT_ID].text)
			: STEAL(account_id);
	ret->workspace_id = values[AUTH_KEY_WORKSPACE_ID].text
			? mem_strdup(values[AUTH_KEY_WORKSPACE_ID].text)
			: STEAL(workspace_id);
	if (ret->is_account && !ret->account_id)
		return err_set(err, ERR_CONFIG, 0,
				"has no account_id: give it account_id:, a profile: or "
				"DATABRICKS_ACCOUNT_ID");
	return fill_auth(draft, ret, err);
}

static bool has_own_auth(const struct target_settings *target)
{
	return target->auth.line > 0 || target->profile;
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
