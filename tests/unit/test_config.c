/* ldap2dbx.yaml: values, defaults, and the place and remedy of every mistake. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/text.h"
#include "rules_support.h"

#include <jansson.h>
#include <stdio.h>

#define HEAD "version: 1\n"
#define SOURCE "sources: {corp: {uri: ldaps://h, bind: {dn: \"cn=x\", password: \"env:P\"}}}\n"
#define TARGET "workspaces: {prod: {host: \"https://prod.example.com\"}}\n"
#define STORE "store: sqlite:state.db\n"
#define REST HEAD TARGET STORE

static void has_defaults(void **state)
{
	struct config *config = support_must_load(support_config, support_users);
	const struct settings *s = config_settings(config);
	const struct source_settings *source = &s->sources[0];

	(void)state;
	assert_int_equal(s->source_count, 1);
	assert_string_equal(source->name, "corp");
	assert_int_equal(source->uri_count, 1);
	assert_string_equal(source->uris[0], "ldaps://ldap.example.com");
	assert_int_equal(source->tls, SOURCE_TLS_AUTO);
	assert_int_equal(source->type, SOURCE_AUTO);
	assert_int_equal(source->feed, SOURCE_FEED_AUTO);
	assert_int_equal(source->page_size, 1000);
	assert_int_equal(source->connect_timeout_ms, 10000);
	assert_int_equal(source->operation_timeout_ms, 120000);
	assert_int_equal(source->reconnect_max_ms, 60000);
	assert_null(source->ca_file);
	assert_false(source->sasl_external);
	assert_int_equal(source->line, 3);
	assert_int_equal(s->target_count, 4);
	assert_true(s->has_account);
	assert_string_equal(s->targets[0].name, "account");
	assert_true(s->targets[0].is_account);
	assert_string_equal(s->targets[2].name, "dev-a");
	assert_int_equal(s->reconcile_minute, -1);
	assert_null(s->timezone);
	assert_int_equal(s->guard.window_ms, 3600000);
	assert_true(s->guard.allowances[GUARD_USERS].is_share);
	assert_int_equal(s->guard.allowances[GUARD_USERS].value, 5);
	assert_int_equal(s->guard.allowances[GUARD_GROUPS].value, 5);
	assert_int_equal(s->guard.allowances[GUARD_MEMBERS].value, 20);
	assert_int_equal(s->guard.allowances[GUARD_PERMISSIONS].value, 10);
	assert_int_equal(s->guard.minimum, 10);
	assert_int_equal(s->limits.share_percent, 80);
	assert_int_equal(s->limits.override_count, 0);
	assert_int_equal(s->mode, MODE_ENFORCE);
	assert_int_equal(s->protected_counts[0], 0);
	assert_int_equal(strlen(s->digest), 64);
	assert_int_equal(mapping_leavers(config_mapping(config)), LEAVER_DEACTIVATE);
	config_free(config);
}

static const char full[] = HEAD
		"sources:\n"
		"  corp:\n"
		"    uri: [ldap://one.example.com:389, \"ldap://[2001:db8::1]\"]\n"
		"    bind: {dn: \"cn=x\", password: file:secret}\n"
		"    tls: starttls\n"
		"    type: openldap\n"
		"    feed: syncrepl\n"
		"    page_size: 500\n"
		"    connect_timeout: 5s\n"
		"    operation_timeout: 1min30s\n"
		"    reconnect_max: 2min\n"
		"  local:\n"
		"    uri: ldapi:///\n"
		"    bind: {sasl: external}\n"
		"    ca_file: /dev/null\n"
		"account:\n"
		"  host: https://accounts.example.com/\n"
		"  account_id: 00000000-0000-0000-0000-000000000000\n"
		"  profile: ACC\n"
		"  auth: {type: oauth-m2m, client_id: abc, client_secret: \"credential:dbx\"}\n"
		"workspaces:\n"
		"  prod: {host: \"http://127.0.0.1:8080\", workspace_id: 123, auth: {token: "
		"\"env:T\"}}\n"
		"store: sqlite:/var/lib/x/state.db\n"
		"reconcile: {at: 02:30, timezone: Europe/Berlin}\n"
		"guard: {window: 2h, users: 7, groups: 0%, members: 100%, permissions: 3, minimum: "
		"0}\n"
		"limits: {share: 50%, account_scim_patch: 2/s, oauth_x: 30/min}\n"
		"mode: observe\n"
		"protected: {users: a@example.com, groups: [g, h], service_principals: [x]}\n";

static void reads_every_key(void **state)
{
	AUTO(mem_freep)
	char *mapping = mem_printf("version: 1\nusers:\n"
				   "- search: {source: local, base: \"dc=x\", filter: (a=b)}\n"
				   "  user: {userName: \"${mail}\"}\n");
	struct config *config = support_must_load(full, mapping);
	const struct settings *s = config_settings(config);

	(void)state;
	assert_int_equal(s->sources[0].uri_count, 2);
	assert_int_equal(s->sources[0].tls, SOURCE_TLS_STARTTLS);
	assert_int_equal(s->sources[0].type, SOURCE_OPENLDAP);
	assert_int_equal(s->sources[0].feed, SOURCE_FEED_SYNCREPL);
	assert_int_equal(s->sources[0].page_size, 500);
	assert_int_equal(s->sources[0].operation_timeout_ms, 90000);
	assert_string_equal(s->sources[0].bind_dn, "cn=x");
	assert_string_equal(s->sources[0].bind_password, "file:secret");
	assert_true(s->sources[1].sasl_external);
	assert_null(s->sources[1].bind_dn);
	assert_string_equal(s->sources[1].ca_file, "/dev/null");
	assert_string_equal(s->targets[0].host, "https://accounts.example.com");
	assert_string_equal(s->targets[0].profile, "ACC");
	assert_string_equal(s->targets[0].auth.values[AUTH_KEY_TYPE], "oauth-m2m");
	assert_string_equal(s->targets[0].auth.values[AUTH_KEY_CLIENT_SECRET], "credential:dbx");
	assert_int_equal(s->targets[0].auth.line, 21);
	assert_string_equal(s->targets[1].workspace_id, "123");
	assert_string_equal(s->targets[1].auth.values[AUTH_KEY_TOKEN], "env:T");
	assert_null(s->targets[1].auth.values[AUTH_KEY_TYPE]);
	assert_string_equal(s->store_path, "/var/lib/x/state.db");
	assert_int_equal(s->reconcile_minute, 150);
	assert_string_equal(s->timezone, "Europe/Berlin");
	assert_int_equal(s->guard.window_ms, 7200000);
	assert_false(s->guard.allowances[GUARD_USERS].is_share);
	assert_int_equal(s->guard.allowances[GUARD_USERS].value, 7);
	assert_int_equal(s->guard.minimum, 0);
	assert_int_equal(s->limits.share_percent, 50);
	assert_int_equal(s->limits.override_count, 2);
	assert_string_equal(s->limits.overrides[0].family, "account_scim_patch");
	assert_true(s->limits.overrides[0].per_second > 1.99 &&
			s->limits.overrides[0].per_second < 2.01);
	assert_true(s->limits.overrides[1].per_second > 0.49 &&
			s->limits.overrides[1].per_second < 0.51);
	assert_int_equal(s->mode, MODE_OBSERVE);
	assert_string_equal(s->protected_names[PRINCIPAL_USER][0], "a@example.com");
	assert_int_equal(s->protected_counts[PRINCIPAL_GROUP], 2);
	assert_string_equal(s->protected_names[PRINCIPAL_SERVICE][0], "x");
	config_free(config);
}

static void relative_names_are_relative_to_the_file(void **state)
{
	struct config *config = support_must_load(support_config, support_users);
	const struct settings *s = config_settings(config);
	AUTO(mem_freep) char *expected = mem_printf("%s/state.db", s->folder);

	(void)state;
	assert_int_equal(s->path[0], '/');
	assert_string_equal(s->store_path, expected);
	config_free(config);
}

static void limits_can_be_switched_off(void **state)
{
	struct config *config = support_must_load(REST SOURCE "limits: off\n", support_users);

	(void)state;
	assert_int_equal(config_settings(config)->limits.share_percent, 0);
	config_free(config);
}

/* The digest is what a plan is bound to: any byte of any file changes it, the folder's name does
 * not. */
static void digest_covers_all_files(void **state)
{
	AUTO(mem_freep) char *other_config = mem_printf("%s# x\n", support_config);
	AUTO(mem_freep) char *other_mapping = mem_printf("%s# x\n", support_users);
	struct config *a = support_must_load(support_config, support_users);
	struct config *b = support_must_load(support_config, support_users);
	struct config *c = support_must_load(other_config, support_users);
	struct config *d = support_must_load(support_config, other_mapping);

	(void)state;
	assert_string_equal(config_settings(a)->digest, config_settings(b)->digest);
	assert_string_not_equal(config_settings(a)->digest, config_settings(c)->digest);
	assert_string_not_equal(config_settings(a)->digest, config_settings(d)->digest);
	assert_string_not_equal(config_settings(c)->digest, config_settings(d)->digest);
	config_free(a);
	config_free(b);
	config_free(c);
	config_free(d);
}

/* Keys of one source, workspace ... around which the rest is right; the message begins behind
 * "ldap2dbx.yaml:". */
struct mistake {
	const char *text, *message;
};

static const struct mistake whole[] = {
		{"", "1:1: the configuration lacks `version`"},
		{"- x\n", "1:1: a map is expected here, this is a list"},
		{"version: 2\n", "1:10: `version` must be a whole number from 1 to 1, not `2`"},
		{HEAD SOURCE TARGET, "1:1: the configuration lacks `store`"},
		{REST "sources: {}\n", "4:1: `sources` names no directory"},
		{REST "sources:\n", "4:9: `sources` must be a map, this is no value"},
		{HEAD STORE SOURCE, "1:1: nothing to write to: add `account:` or `workspaces:`"},
		{REST SOURCE "acount: {}\n", "5:1: unknown key `acount`, did you mean `account`?"},
		{REST SOURCE "zzz: 1\n",
				"5:1: unknown key `zzz`; known: version, sources, account, "
				"workspaces"},
		{REST SOURCE "admin: {listen: x}\n",
				"5:1: `admin` is not executed by this version; remove it"},
		{REST SOURCE "mode: obsrve\n",
				"5:7: unknown value `obsrve`, did you mean `observe`?"},
		{REST SOURCE "reconcile: {}\n", "5:1: `reconcile` lacks `at`"},
		{REST SOURCE "reconcile: {at: 2:00}\n",
				"5:17: `at` must be a time of the day such as \"02:00\""},
		{REST SOURCE "reconcile: {at: 24:00}\n",
				"5:17: `at` must be from \"00:00\" to \"23:59\""},
		{REST SOURCE "reconcile: {at: \"02:00\", timezone: Mars/Base}\n",
				"5:36: `Mars/Base` is no time zone; write one such as "
				"Europe/Berlin"},
		{REST SOURCE "reconcile: {at: \"02:00\", timezone: ../x}\n",
				"5:36: `../x` is no time zone"},
		{REST SOURCE "guard: {users: 5 %}\n",
				"5:16: `users` must be a share such as 5% or a number"},
		{REST SOURCE "guard: {users: 101%}\n",
				"5:16: `users` must be a share such as 5% or a number"},
		{REST SOURCE "guard: {window: 60}\n",
				"5:17: `window` must be a duration with its unit"},
		{REST SOURCE "guard: {window: 1s}\n", "5:17: `window` must be from 1min to"},
		{REST SOURCE "guard: {tokens: many}\n",
				"5:17: `tokens` must be a share such as 5% or a number"},
		{REST SOURCE "egress: [192.0.2.1, nowhere]\n",
				"5:21: `nowhere`: it is no IPv4 address such as 192.0.2.7"},
		{REST SOURCE "egress: []\n", "5:9: `egress` names no address"},
		{REST SOURCE "guard: {minimum: -1}\n",
				"5:18: `minimum` must be a whole number from 0"},
		{REST SOURCE "limits: on\n",
				"5:9: `limits` must be a map such as {share: 80%}, or off"},
		{REST SOURCE "limits: {share: 0%}\n",
				"5:17: `share` must be from 1% to 100%, not `0%`"},
		{REST SOURCE "limits: {shar: 5%}\n",
				"5:10: unknown key `shar`, did you mean `share`?"},
		{REST SOURCE "limits: {scim_x: 2}\n",
				"5:18: `scim_x` must be a rate such as 2/s or 255/min"},
		{REST SOURCE "limits: {scim_x: -2/s}\n", "5:18: `scim_x` must be a rate"},
		{REST SOURCE "limits: {scim_x: nan/s}\n", "5:18: `scim_x` must be a rate"},
		{REST SOURCE "protected: {users: [a, {b: c}]}\n",
				"5:24: a text is expected here, this is a map"},
		{REST SOURCE "protected: [a]\n", "5:12: `protected` must be a map, this is a list"},
		{REST SOURCE "mappings: []\n", "5:11: `mappings` names no file"},
		{HEAD TARGET SOURCE "store: postgresql://x\n",
				"4:8: `store: postgresql:` is not executed by this"},
		{HEAD TARGET SOURCE "store: /var/x\n",
				"4:8: `store` must be sqlite:PATH with the path of a file"},
		{HEAD TARGET SOURCE "store: \"sqlite:\"\n", "4:8: `store` must be sqlite:PATH"},
};

static const struct mistake sources[] = {
		{"{uri: ldaps://h}", "5:9: this source lacks `bind`"},
		{"{uri: ldaps://h, bind: {}}",
				"`bind` needs `dn` and `password`, or `sasl: external`"},
		{"{uri: ldaps://h, bind: {dn: \"cn=x\"}}",
				"`bind` lacks `password`, a reference such as"},
		{"{uri: ldaps://h, bind: {dn: \"cn=x\", password: hunter}}",
				"`password` must be a reference, file:PATH, env:NAME or "
				"credential:NAME, never the secret"},
		{"{uri: ldaps://h, bind: {dn: nonsense, password: \"env:P\"}}",
				"`dn` is no distinguished name: "},
		{"{uri: ldaps://h, bind: {dn: \"cn=x\", password: \"env:P\", sasl: external}}",
				"`sasl: external` signs in without `dn` and `password`; remove "
				"them"},
		{"{uri: ldaps://h, bind: {sasl: external}}", "needs `cert_file` and `key_file`"},
		{"{uri: ldaps://h, bind: {sasl: gssapi}}",
				"unknown value `gssapi`; known: external"},
		{"{uri: ldaps://h, cert_file: /dev/null, bind: {sasl: external}}",
				"`cert_file` and `key_file` go together; add the missing one"},
		{"{uri: ldaps://h, ca_file: none.pem, bind: {sasl: external}}",
				"`ca_file`: file \""},
		{"{uri: ldaps://h, tls: starttls, bind: {dn: \"cn=x\", password: \"env:P\"}}",
				"`tls: starttls` goes with ldap://, not with ldaps://h"},
		{"{uri: ldaps://h, tls: none, bind: {dn: \"cn=x\", password: \"env:P\"}}",
				"`tls: none`, but ldaps://h is TLS; write ldap://"},
		{"{uri: ldaps://h/dc=x, bind: {}}",
				"`ldaps://h/dc=x` is no address of a directory: it names a"},
		{"{uri: [], bind: {}}", "`uri` names no server"},
		{"{srv: corp.example, uri: ldaps://h, bind: {}}",
				"5:16: `srv` is not executed by this version; name the servers "
				"with `uri:`"},
		{"{uri: ldaps://h, type: active-directory}",
				"`type: active-directory` is not executed by this"},
		{"{uri: ldaps://h, type: opendlap}",
				"unknown value `opendlap`, did you mean `openldap`?"},
		{"{uri: ldaps://h, feed: poll}", "`feed: poll` is not executed by this version"},
		{"{uri: ldaps://h, page_size: 0}",
				"`page_size` must be a whole number from 1 to 100000, not `0`"},
		{"{uri: ldaps://h, page_size: [1]}",
				"`page_size` must be a number, this is a list"},
		{"{uri: ldaps://h, connect_timeout: 10}",
				"`connect_timeout` must be a duration with its unit"},
		{"{uri: ldaps://h, reconnect_max: 2h}",
				"`reconnect_max` must be from 100ms to 1h, not `2h`"},
		{"{uri: \"\"}", "`uri` is empty; give a value or remove the key"},
		{"[a]", "`corp` must be a map, this is a list"},
};

static const struct mistake targets[] = {
		{"account: {host: accounts.example.com}\n",
				"5:17: `accounts.example.com` is no host: it lacks a"},
		{"account: {host: \"http://accounts.example.com\"}\n",
				"plain http is for this machine only"},
		{"account: {account_id: \"a b\"}\n",
				"`account_id` is a UUID, as the account console shows it"},
		{"account: {auth: {type: basic}}\n",
				"`type: basic` is not executed by this version"},
		{"account: {auth: {type: oauth}}\n",
				"unknown value `oauth`; known: pat, oauth-m2m"},
		{"account: {auth: {token: abc}}\n", "`token` must be a reference"},
		{"account: {auth: {token: \"env:T\", client_id: x}}\n",
				"`token` and `client_id` are two ways to sign in; keep one"},
		{"account: {auth: {type: pat, client_id: x}}\n",
				"`client_id` does not go with `type: pat`"},
		{"account: {auth: {type: oauth-m2m, token: \"env:T\"}}\n",
				"`token` does not go with `type: oauth-m2m`"},
		{"account: {workspace_id: 1}\n", "5:11: unknown key `workspace_id`"},
		{"account:\n", "`account` must be a map, this is no value"},
};

static const struct mistake workspaces[] = {
		{"{\"a b\": {}}", "4:14: `a b` is no name for a workspace; use up to 64 letters"},
		{"{account: {}}", "4:14: a workspace can't be named `account`"},
		{"{p: {workspace_id: x}}", "4:32: `workspace_id` is a number, not `x`"},
		{"{p: {acount_id: x}}", "4:18: unknown key `acount_id`"},
		{"[p]", "4:13: `workspaces` must be a map, this is a list"},
};

static unsigned unexpected;

static void expect(const char *text, const struct mistake *mistake)
{
	struct config *config = NULL;
	struct err err;

	if (support_load(text, support_users, &config, &err) == ERR_NONE) {
		config_free(config);
		(void)snprintf(err.text, sizeof(err.text), "nothing");
	}
	if (text_starts_with(err.text, "ldap2dbx.yaml:") && strstr(err.text, mistake->message))
		return;
	print_error("%s\nsays: %s\nnot: %s\n", text, err.text, mistake->message);
	unexpected++;
}

static void says_what_is_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(whole); i++)
		expect(whole[i].text, &whole[i]);
	for (size_t i = 0; i < COUNT_OF(sources); i++) {
		AUTO(mem_freep)
		char *text = mem_printf(REST "sources:\n        corp: %s\n", sources[i].text);

		expect(text, &sources[i]);
	}
	for (size_t i = 0; i < COUNT_OF(targets); i++) {
		AUTO(mem_freep) char *text = mem_printf(REST SOURCE "%s", targets[i].text);

		expect(text, &targets[i]);
	}
	for (size_t i = 0; i < COUNT_OF(workspaces); i++) {
		AUTO(mem_freep)
		char *text = mem_printf(HEAD SOURCE STORE "workspaces: %s\n", workspaces[i].text);

		expect(text, &workspaces[i]);
	}
	assert_int_equal(unexpected, 0);
}

static void a_secret_is_never_shown(void **state)
{
	struct config *config = NULL;
	struct err err;

	(void)state;
	assert_int_equal(support_load(REST SOURCE "account: {auth: {token: dapi-very-secret}}\n",
					 support_users, &config, &err),
			ERR_CONFIG);
	assert_null(strstr(err.text, "dapi-very-secret"));
}

static void wants_mapping_files(void **state)
{
	struct config *config = NULL;
	struct err err;

	(void)state;
	assert_int_equal(support_load(support_config, NULL, &config, &err), ERR_CONFIG);
	assert_string_equal(err.text,
			"mappings: no mapping file; write the rules into one such as "
			"mappings/main.yaml");
	assert_int_equal(
			config_load("/nonexistent/ldap2dbx.yaml", NULL, &config, &err), ERR_CONFIG);
	assert_string_equal(err.text, "/nonexistent/ldap2dbx.yaml: No such file or directory");
}

static void mappings_may_be_elsewhere(void **state)
{
	AUTO(mem_freep) char *text = mem_printf("%smappings: [mappings/a.yaml]\n", support_config);
	AUTO(mem_freep) char *wrong = mem_printf("%smappings: other.yaml\n", support_config);
	struct config *config = support_must_load(text, support_users);
	struct err err;
	size_t count;

	(void)state;
	(void)mapping_searches(config_mapping(config), &count);
	assert_int_equal(count, 2);
	config_free(config);
	assert_int_equal(support_load(wrong, support_users, &config, &err), ERR_CONFIG);
	assert_string_equal(err.text, "other.yaml: No such file or directory");
}

/* Every key of the list is a property of the schema at its place, and the other way round their
 * numbers agree. */
static size_t count_properties(const json_t *schema)
{
	const json_t *properties = json_object_get(schema, "properties"), *value;
	const json_t *all = json_object_get(schema, "allOf");
	size_t count = json_object_size(properties), alternative = 0, i;
	const char *key;

	json_object_foreach((json_t *)(uintptr_t)properties, key, value) count +=
			count_properties(value);
	json_array_foreach(all, i, value) count += count_properties(value);
	/* Of alternatives one has the keys. */
	json_array_foreach(json_object_get(schema, "anyOf"), i, value)
	{
		size_t here = count_properties(value);

		alternative = here > alternative ? here : alternative;
	}
	count += alternative;
	if (json_is_object(json_object_get(schema, "items")))
		count += count_properties(json_object_get(schema, "items"));
	if (json_is_object(json_object_get(schema, "additionalProperties")))
		count += count_properties(json_object_get(schema, "additionalProperties"));
	return count;
}

static void check_schema(const char *text, const char *const *keys, size_t key_count)
{
	json_error_t error;
	json_t *schema = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (!schema)
		fail_msg("line %d: %s", error.line, error.text);
	assert_int_equal(count_properties(schema), key_count);
	for (size_t i = 0; i < key_count; i++) {
		const char *dot = strrchr(keys[i], '.');
		AUTO(mem_freep) char *property = mem_printf("\"%s\":{", dot ? dot + 1 : keys[i]);

		if (!strstr(text, property))
			fail_msg("%s is not in the schema", keys[i]);
	}
	json_decref(schema);
}

static void schemas_agree_with_the_tables(void **state)
{
	struct arena *arena = arena_new();
	const char *const *keys;
	size_t count;

	(void)state;
	keys = config_key_list(arena, &count);
	assert_string_equal(keys[0], "version");
	check_schema(config_schema(), keys, count);
	keys = mapping_key_list(arena, &count);
	check_schema(mapping_schema(), keys, count);
	arena_free(arena);
}

/* Each line: what a fault says, in the order of the places. */
static void faults_are(
		const char *config, const char *mapping, const char *const *words, size_t count)
{
	struct config *loaded = NULL;
	struct err err;

	support_faults = faults_new();
	assert_int_equal(support_load(config, mapping, &loaded, &err), ERR_CONFIG);
	for (size_t i = 0; i < count; i++) {
		const char *text = faults_at(support_faults, i);

		if (!text || !strstr(text, words[i]))
			fail_msg("fault %zu is \"%s\", not \"%s\"", i, text ? text : "none",
					words[i]);
	}
	if (faults_count(support_faults) != count)
		fail_msg("one more: \"%s\"", faults_at(support_faults, count));
	faults_free(support_faults);
	support_faults = NULL;
}

static void all_faults_are_told_by_place(void **state)
{
	static const char config[] =
			"version: 1\n"
			"sources:\n"
			"  corp: {uri: \"ldap://a.example.com\", bind: {dn: \"cn=x\", "
			"password: \"file:x\"}}\n"
			"account: {host: \"https://accounts.example.com\", account_id: "
			"00000000-0000-0000-0000-000000000000}\n"
			"workspaces: {dev: {host: \"https://d.example.com\"}}\n"
			"mode: maybe\n"
			"stor: sqlite:x\n"
			"guard: {window: 1, users: many}\n";
	static const char mapping[] =
			"version: 1\n"
			"grants:\n"
			"- to: {group: a}\n"
			"  workspaces: {prod: USER}\n"
			"users:\n"
			"- search: {source: corp, base: \"dc=x\", filter: \"(a=b\"}\n"
			"  user: {userName: \"${mail\"}\n"
			"- search: {source: other, base: \"dc=x\", filter: \"(a=b)\"}\n"
			"  usr: {userName: \"${mail}\"}\n"
			"cluster_policies: 7\n";
	static const char *const words[] = {"ldap2dbx.yaml:6:7: ", "ldap2dbx.yaml:7:1: ",
			"ldap2dbx.yaml:8:", "ldap2dbx.yaml:8:", "a.yaml:4:16: unknown workspace",
			"a.yaml:6:", "a.yaml:7:", "a.yaml:8:", "a.yaml:9:3: unknown key `usr`",
			"a.yaml:10:"};

	(void)state;
	faults_are(config, mapping, words, COUNT_OF(words));
}

/* A source that could not be read is no reason to call every search of it wrong. */
static void no_fault_is_the_shadow_of_another(void **state)
{
	static const char config[] =
			"version: 1\n"
			"sources:\n"
			"  corp: {uri: \"http://a.example.com\", bind: {sasl: external}}\n"
			"account: {host: \"https://accounts.example.com\", account_id: "
			"00000000-0000-0000-0000-000000000000}\n"
			"store: sqlite:x\n"
			"mode: maybe\n";
	static const char mapping[] = "version: 1\n"
				      "users:\n"
				      "- search: {source: corp, base: \"dc=x\", filter: (a=b)}\n"
				      "  user: {userName: \"${mail}\"}\n"
				      "grants: 7\n";
	static const char *const words[] = {"ldap2dbx.yaml:3:", "ldap2dbx.yaml:6:"};

	(void)state;
	faults_are(config, mapping, words, COUNT_OF(words));
}

static void faults_are_counted_beyond_what_is_kept(void **state)
{
	AUTO(faults_freep) struct faults *faults = faults_new();
	struct err err;

	(void)state;
	assert_false(faults_note(NULL, &err));
	for (unsigned i = 0; i < FAULTS_MAX + 5; i++) {
		(void)err_set(&err, ERR_CONFIG, 0, "a:b.yaml:%u:1: x", FAULTS_MAX + 5 - i);
		assert_true(faults_note(faults, &err));
	}
	assert_true(faults_note(faults, &err) || faults_count(faults) == FAULTS_MAX + 5);
	assert_string_equal(faults_at(faults, 0), "a:b.yaml:6:1: x");
	assert_null(faults_at(faults, FAULTS_MAX));
	assert_true(faults_between(faults, "a:b.yaml", 6, 7));
	assert_false(faults_between(faults, "a:b.yaml", 1, 6));
	assert_false(faults_between(faults, "a", 1, 100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(all_faults_are_told_by_place),
			cmocka_unit_test(no_fault_is_the_shadow_of_another),
			cmocka_unit_test(faults_are_counted_beyond_what_is_kept),
			cmocka_unit_test(has_defaults),
			cmocka_unit_test(reads_every_key),
			cmocka_unit_test(relative_names_are_relative_to_the_file),
			cmocka_unit_test(limits_can_be_switched_off),
			cmocka_unit_test(digest_covers_all_files),
			cmocka_unit_test(says_what_is_wrong),
			cmocka_unit_test(a_secret_is_never_shown),
			cmocka_unit_test(wants_mapping_files),
			cmocka_unit_test(mappings_may_be_elsewhere),
			cmocka_unit_test(schemas_agree_with_the_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
