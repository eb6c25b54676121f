#include "databricks/auth/profile.h"

#include "base/text.h"
#include "databricks/auth/host.h"
#include "databricks/auth/ini.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <unistd.h>

static const char *const variables[] = {"DATABRICKS_HOST", "DATABRICKS_ACCOUNT_ID",
		"DATABRICKS_WORKSPACE_ID", "DATABRICKS_TOKEN", "DATABRICKS_CLIENT_ID",
		"DATABRICKS_CLIENT_SECRET", "DATABRICKS_AUTH_TYPE", "DATABRICKS_CONFIG_PROFILE",
		"DATABRICKS_CONFIG_FILE", "DATABRICKS_USERNAME", "DATABRICKS_PASSWORD",
		"DATABRICKS_OIDC_TOKEN_ENV", "DATABRICKS_OIDC_TOKEN_FILEPATH",
		"DATABRICKS_OIDC_TOKEN_FILE", "DATABRICKS_GOOGLE_SERVICE_ACCOUNT",
		"GOOGLE_CREDENTIALS", "DATABRICKS_AZURE_RESOURCE_ID", "ARM_USE_MSI",
		"ARM_CLIENT_ID", "ARM_CLIENT_SECRET", "ARM_TENANT_ID",
		"DATABRICKS_METADATA_SERVICE_URL"};

#define ACCOUNT_ID "11111111-1111-4111-8111-111111111111"

static char folder[] = "/tmp/l2d-profile.XXXXXX";
static char file[64];

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(file, sizeof(file), "%s/.databrickscfg", folder);
	return setenv("HOME", folder, 1);
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(file);
	return rmdir(folder);
}

static void write_file(const char *text)
{
	FILE *out;

	(void)unlink(file);
	if (!text)
		return;
	out = fopen(file, "w");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

struct variable {
	const char *name, *value;
};

static void set_environment(const struct variable *set)
{
	for (size_t i = 0; i < COUNT_OF(variables); i++)
		assert_int_equal(unsetenv(variables[i]), 0);
	for (; set && set->name; set++)
		assert_int_equal(setenv(set->name, set->value, 1), 0);
}

static enum err_code resolve(struct target_settings *targets, size_t count, size_t target,
		struct credential *ret, struct err *err)
{
	struct settings settings = {.targets = targets,
			.target_count = count,
			.has_account = targets[0].is_account};

	return credential_resolve(&settings, target, ret, err);
}

static const struct credential_value *secret_of(const struct credential *credential)
{
	return &credential->values[credential->type == AUTH_PAT ? AUTH_KEY_TOKEN
								: AUTH_KEY_CLIENT_SECRET];
}

#define HOST "https://w.example.com"
#define WORKSPACE .name = "dev"

static void values_come_from_settings_environment_and_profile(void **state)
{
	static const struct {
		const char *about;
		const char *file;
		struct variable environment[4];
		struct target_settings target;
		/* expected */
		const char *host, *type, *client_id, *reference, *section;
	} cases[] = {
			{"DEFAULT is used when nothing is said",
					"[DEFAULT]\nhost = " HOST "/\ntoken = t\n", {{0}},
					{WORKSPACE}, HOST, "pat", NULL, NULL, "DEFAULT"},
			{"keys above any section are DEFAULT's", "host: " HOST "\ntoken: t\n",
					{{0}}, {WORKSPACE}, HOST, "pat", NULL, NULL, "DEFAULT"},
			{"default_profile is used",
					"[__settings__]\ndefault_profile =  qa \n[qa]\nhost=" HOST
					"\ntoken=t\n",
					{{0}}, {WORKSPACE}, HOST, "pat", NULL, NULL, "qa"},
			{"a named profile", "[qa]\nhost=" HOST "\nclient_id=c\nclient_secret=s\n",
					{{0}}, {WORKSPACE, .profile = "qa"}, HOST, "oauth-m2m", "c",
					NULL, "qa"},
			{"a profile named by the environment", "[qa]\nhost=" HOST "\ntoken=s\n",
					{{"DATABRICKS_CONFIG_PROFILE", "qa"}}, {WORKSPACE}, HOST,
					"pat", NULL, NULL, "qa"},
			{"the environment goes before the profile",
					"[qa]\nhost=https://other.example.com\ntoken=s\n",
					{{"DATABRICKS_HOST", HOST}, {"DATABRICKS_TOKEN", "t"}},
					{WORKSPACE, .profile = "qa"}, HOST, "pat", NULL,
					"env:DATABRICKS_TOKEN", NULL},
			{"an empty variable is unset", "[DEFAULT]\nhost=" HOST "\ntoken=s\n",
					{{"DATABRICKS_HOST", ""}}, {WORKSPACE}, HOST, "pat", NULL,
					NULL, "DEFAULT"},
			{"settings go before the environment", NULL,
					{{"DATABRICKS_HOST", "https://other.example.com"},
							{"DATABRICKS_TOKEN", "t"}},
					{WORKSPACE, .host = HOST,
							.auth = {.values[AUTH_KEY_TOKEN] =
											"env:MINE",
									.line = 3}},
					HOST, "pat", NULL, "env:MINE", NULL},
			{"a type settles two ways",
					"[prod]\nhost=" HOST "\nclient_id=c\nclient_secret=s\n",
					{{"DATABRICKS_TOKEN", "t"},
							{"DATABRICKS_AUTH_TYPE", "oauth-m2m"}},
					{WORKSPACE, .profile = "prod"}, HOST, "oauth-m2m", "c",
					NULL, "prod"},
			{"a missing file is silent", NULL, {{"DATABRICKS_TOKEN", "t"}},
					{WORKSPACE, .host = HOST, .profile = "x"}, HOST, "pat",
					NULL, "env:DATABRICKS_TOKEN", NULL},
			{"comments",
					"# one\n; two\n[DEFAULT] \n host = " HOST
					" # three\n token = a#b\n",
					{{0}}, {WORKSPACE}, HOST, "pat", NULL, NULL, "DEFAULT"},
			{"keys fold, unknown ones are ignored",
					"[DEFAULT]\nHost=" HOST "\nTOKEN=t\ncluster_id=7\n", {{0}},
					{WORKSPACE}, HOST, "pat", NULL, NULL, "DEFAULT"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct target_settings target = cases[i].target;
		struct credential credential;
		struct err err;

		write_file(cases[i].file);
		set_environment(cases[i].environment);
		if (resolve(&target, 1, 0, &credential, &err) != ERR_NONE)
			fail_msg("%s: %s", cases[i].about, err.text);
		assert_string_equal(credential.host, cases[i].host);
		assert_string_equal(auth_type_name(credential.type), cases[i].type);
		assert_true(text_equal(credential_text(&credential, AUTH_KEY_CLIENT_ID),
				cases[i].client_id));
		assert_true(text_equal(secret_of(&credential)->reference, cases[i].reference));
		assert_true(text_equal(secret_of(&credential)->section, cases[i].section));
		credential_release(&credential);
	}
}

static void what_cannot_work_is_refused_with_its_reason(void **state)
{
	static const struct {
		const char *file;
		struct variable environment[4];
		struct target_settings target;
		const char *text;
	} cases[] = {
			{"[DEFAULT]\nhost=" HOST "\n[qa]\ntoken=t\n", {{0}},
					{WORKSPACE, .profile = "qa"}, "has no host"},
			{"[__settings__]\ndefault_profile = __settings__\n", {{0}}, {WORKSPACE},
					"reserved section name"},
			{"[DEFAULT]\ntoken=t\n", {{"DATABRICKS_HOST", HOST}}, {WORKSPACE},
					"cannot configure default credentials"},
			{"[DEFAULT]\nhost=" HOST "\ntoken=t\n", {{0}}, {WORKSPACE, .host = HOST},
					"cannot configure default credentials"},
			{"[prod]\nhost=" HOST "\nclient_id=c\nclient_secret=s\n",
					{{"DATABRICKS_TOKEN", "t"}}, {WORKSPACE, .profile = "prod"},
					"more than one authorization method configured: oauth and "
					"pat (client_id in profile prod, "
					"DATABRICKS_TOKEN in the environment)"},
			{"[qa]\nhost=" HOST "\n", {{0}}, {WORKSPACE, .profile = "prod"},
					"has no prod profile configured"},
			{"[qa]\nhost=" HOST "\nauth_type=databricks-cli\n", {{0}},
					{WORKSPACE, .profile = "qa"},
					"auth type \"databricks-cli\" is none for a "
					"service"},
			{"[qa]\nhost=" HOST "\nauth_type=oauth-m3m\n", {{0}},
					{WORKSPACE, .profile = "qa"},
					"did you mean \"oauth-m2m\"?"},
			{"[qa]\nhost=" HOST "\nazure_client_id=a\n", {{0}},
					{WORKSPACE, .profile = "qa"},
					"sign-in by azure (azure_client_id in profile qa) is not "
					"possible: github-oidc-azure lacks "
					"ACTIONS_ID_TOKEN_REQUEST_URL, azure-msi lacks "
					"azure_use_msi: true, azure-client-secret lacks "
					"azure_client_secret"},
			{NULL, {{"DATABRICKS_USERNAME", "u"}}, {WORKSPACE, .host = HOST},
					"sign-in by basic (DATABRICKS_USERNAME in"},
			{NULL,
					{{"DATABRICKS_CLIENT_ID", "c"},
							{"DATABRICKS_OIDC_TOKEN_FILEPATH", "/x"}},
					{WORKSPACE, .host = HOST}, "file-oidc and oauth"},
			{NULL, {{"DATABRICKS_CLIENT_ID", "c"}}, {WORKSPACE, .host = HOST},
					"lacks client_secret"},
			{NULL, {{"DATABRICKS_CLIENT_SECRET", "c"}}, {WORKSPACE, .host = HOST},
					"lacks client_id"},
			{NULL, {{"DATABRICKS_TOKEN", "t"}},
					{WORKSPACE, .host = "http://w.example.com"}, "only https"},
			{NULL, {{"DATABRICKS_TOKEN", "t"}},
					{.name = "account", .is_account = true, .host = HOST},
					"has no account_id"},
			{"[qa]\nhost=" HOST "\ntoken=t\nskip_verify = true\n", {{0}},
					{WORKSPACE, .profile = "qa"}, "skip_verify"},
			{"[qa]\ntoken=a\ntoken=b\n", {{0}}, {WORKSPACE, .profile = "qa"},
					"line 3: \"token\" is there twice"},
			{"[qa]\ntoken\n", {{0}}, {WORKSPACE, .profile = "qa"}, "line 2 is neither"},
			{"[qa\n", {{0}}, {WORKSPACE, .profile = "qa"}, "line 1: \"[\" without"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct target_settings target = cases[i].target;
		struct credential credential;
		struct err err;

		write_file(cases[i].file);
		set_environment(cases[i].environment);
		if (resolve(&target, 1, 0, &credential, &err) != ERR_CONFIG)
			fail_msg("case %zu is taken", i);
		if (!strstr(err.text, cases[i].text))
			fail_msg("case %zu: %s", i, err.text);
		assert_true(text_starts_with(
				err.text, target.is_account ? "account: " : "workspace \"dev\": "));
	}
}

static void a_workspace_borrows_the_accounts_sign_in(void **state)
{
	struct target_settings targets[] = {
			{.name = "account",
					.is_account = true,
					.host = "accounts.example.com",
					.account_id = ACCOUNT_ID,
					.auth = {.values[AUTH_KEY_CLIENT_ID] = "c",
							.values[AUTH_KEY_CLIENT_SECRET] = "file:x",
							.line = 4}},
			{.name = "prod", .host = HOST, .workspace_id = "77"},
			{.name = "dev", .profile = "DEV"},
	};
	struct credential credential;
	struct err err;

	(void)state;
	set_environment(NULL);
	write_file("[DEV]\nhost = " HOST "/?o=123\ntoken = t\n[ACC]\nhost = "
		   "https://accounts.example.com\naccount_id = a\n"
		   "client_id = p\nclient_secret = q\n");
	assert_int_equal(resolve(targets, 3, 1, &credential, &err), ERR_NONE);
	assert_string_equal(credential.host, HOST);
	assert_string_equal(credential_text(&credential, AUTH_KEY_CLIENT_ID), "c");
	assert_string_equal(secret_of(&credential)->reference, "file:x");
	assert_string_equal(credential.workspace_id, "77");
	assert_false(credential.is_account);
	credential_release(&credential);

	assert_int_equal(resolve(targets, 3, 2, &credential, &err), ERR_NONE);
	assert_int_equal(credential.type, AUTH_PAT);
	assert_string_equal(credential.workspace_id, "123");
	credential_release(&credential);

	/* by the account's profile as well, but not its host */
	targets[0] = (struct target_settings){
			.name = "account", .is_account = true, .profile = "ACC"};
	assert_int_equal(resolve(targets, 3, 0, &credential, &err), ERR_NONE);
	assert_string_equal(credential.account_id, "a");
	credential_release(&credential);
	assert_int_equal(resolve(targets, 3, 1, &credential, &err), ERR_NONE);
	assert_string_equal(credential.host, HOST);
	assert_string_equal(credential_text(&credential, AUTH_KEY_CLIENT_ID), "p");
	assert_string_equal(secret_of(&credential)->section, "ACC");
	credential_release(&credential);
	targets[1].host = NULL;
	assert_int_equal(resolve(targets, 3, 1, &credential, &err), ERR_CONFIG);

	targets[1].host = HOST;
	targets[0] = (struct target_settings){.name = "account",
			.is_account = true,
			.host = HOST,
			.account_id = ACCOUNT_ID,
			.auth = {.values[AUTH_KEY_TOKEN] = "env:X", .line = 4}};
	assert_int_equal(resolve(targets, 3, 1, &credential, &err), ERR_CONFIG);
	assert_non_null(strstr(err.text, "personal access token cannot sign in here"));
}

static void secrets_of_a_profile_are_read_late(void **state)
{
	struct target_settings target = {WORKSPACE, .profile = "qa"};
	struct credential credential;
	struct secret secret = {0};
	struct err err;

	(void)state;
	set_environment(NULL);
	write_file("[qa]\nhost=" HOST "\ntoken=one\n");
	assert_int_equal(resolve(&target, 1, 0, &credential, &err), ERR_NONE);
	assert_int_equal(credential_secret(&credential, AUTH_KEY_TOKEN, NULL, &secret, &err),
			ERR_NONE);
	assert_string_equal(secret.text, "one");
	write_file("[qa]\nhost=" HOST "\ntoken=two\n");
	assert_int_equal(credential_secret(&credential, AUTH_KEY_TOKEN, NULL, &secret, &err),
			ERR_NONE);
	assert_string_equal(secret.text, "two");
	write_file("[qa]\nhost=" HOST "\n");
	assert_int_equal(credential_secret(&credential, AUTH_KEY_TOKEN, NULL, &secret, &err),
			ERR_CONFIG);
	secret_release(&secret);
	credential_release(&credential);
}

static void hosts_are_normalised(void **state)
{
	static const struct {
		const char *text, *host, *workspace_id, *account_id;
	} cases[] = {
			{"adb-1.2.azuredatabricks.net/", "https://adb-1.2.azuredatabricks.net",
					NULL, NULL},
			{"https://h.example.com:443", "https://h.example.com", NULL, NULL},
			{"https://h.example.com:8443/", "https://h.example.com:8443", NULL, NULL},
			{"https://h.example.com/a/b//", "https://h.example.com/a/b", NULL, NULL},
			{"https://h.example.com/?o=123#x", "https://h.example.com", "123", NULL},
			{"https://h.example.com/?x=1&a=acc&w=5&o=6", "https://h.example.com", "5",
					"acc"},
			{"HTTPS://h.example.com", "https://h.example.com", NULL, NULL},
			{"http://127.0.0.1:8080", "http://127.0.0.1:8080", NULL, NULL},
			{"http://[::1]:8080/", "http://[::1]:8080", NULL, NULL},
			{"http://localhost", "http://localhost", NULL, NULL},
			{"http://127.1.2.3:443", "http://127.1.2.3:443", NULL, NULL},
			{"", NULL, NULL, NULL},
			{"https://", NULL, NULL, NULL},
			{"http://h.example.com", NULL, NULL, NULL},
			{"http://127.0.0.1.example.com", NULL, NULL, NULL},
			{"http://localhost.example.com", NULL, NULL, NULL},
			{"http://localhost@h.example.com", NULL, NULL, NULL},
			{"http://h.example.com#@localhost", NULL, NULL, NULL},
			{"http://h.example.com\\@localhost", NULL, NULL, NULL},
			{"ftp://h.example.com", NULL, NULL, NULL},
			{"https://u:p@h.example.com", NULL, NULL, NULL},
			{"https://h.example.com:port", NULL, NULL, NULL},
			{"https://h.example.com:", NULL, NULL, NULL},
			{"https://[::1", NULL, NULL, NULL},
			{"https://h example.com", NULL, NULL, NULL},
			{"https://h.example.com/\r\nX: y", NULL, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *host = NULL, *workspace_id = NULL, *account_id = NULL;
		struct err err;
		enum err_code code = host_normalise(
				cases[i].text, &host, &workspace_id, &account_id, &err);

		if (code != (cases[i].host ? ERR_NONE : ERR_CONFIG))
			fail_msg("\"%s\": %s", cases[i].text, code == ERR_NONE ? host : err.text);
		assert_true(text_equal(host, cases[i].host));
		assert_true(text_equal(workspace_id, cases[i].workspace_id));
		assert_true(text_equal(account_id, cases[i].account_id));
		mem_free(host);
		mem_free(workspace_id);
		mem_free(account_id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(values_come_from_settings_environment_and_profile),
			cmocka_unit_test(what_cannot_work_is_refused_with_its_reason),
			cmocka_unit_test(a_workspace_borrows_the_accounts_sign_in),
			cmocka_unit_test(secrets_of_a_profile_are_read_late),
			cmocka_unit_test(hosts_are_normalised),
	};

	return cmocka_run_group_tests_name("profile", tests, set_up, tear_down);
}
