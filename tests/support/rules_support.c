#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "rules_support.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

const char support_config[] =
		"version: 1\n"
		"sources:\n"
		"  corp:\n"
		"    uri: ldaps://ldap.example.com\n"
		"    bind: {dn: \"cn=reader,dc=example,dc=com\", password: \"env:LDAP_PASSWORD\"}\n"
		"account: {host: \"https://accounts.example.com\"}\n"
		"workspaces:\n"
		"  prod: {host: \"https://prod.example.com\"}\n"
		"  dev-a: {host: \"https://a.example.com\"}\n"
		"  dev-b: {host: \"https://b.example.com\"}\n"
		"store: sqlite:state.db\n";

const char support_users[] = "version: 1\n"
			     "users:\n"
			     "- search: {base: \"ou=people,dc=example,dc=com\", filter: (mail=*)}\n"
			     "  user: {userName: \"${mail}\"}\n";

static void write_file(const char *folder, const char *name, const char *text)
{
	AUTO(mem_freep) char *path = mem_printf("%s/%s", folder, name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void remove_file(const char *folder, const char *name)
{
	AUTO(mem_freep) char *path = mem_printf("%s/%s", folder, name);

	(void)unlink(path);
}

static void cut_folder(const char *folder, struct err *err)
{
	AUTO(mem_freep) char *prefix = mem_printf("%s/", folder);
	char *found;

	while ((found = strstr(err->text, prefix)))
		memmove(found, found + strlen(prefix), strlen(found + strlen(prefix)) + 1);
}

struct faults *support_faults;

enum err_code support_load(
		const char *config, const char *mapping, struct config **ret, struct err *err)
{
	char folder[] = "/tmp/rules-XXXXXX";
	AUTO(mem_freep) char *path = NULL;
	AUTO(mem_freep) char *mappings = NULL;
	enum err_code code;

	assert_non_null(mkdtemp(folder));
	path = mem_printf("%s/ldap2dbx.yaml", folder);
	mappings = mem_printf("%s/mappings", folder);
	write_file(folder, "ldap2dbx.yaml", config);
	assert_int_equal(mkdir(mappings, 0700), 0);
	if (mapping)
		write_file(folder, "mappings/a.yaml", mapping);
	code = config_load(path, support_faults, ret, err);
	if (code != ERR_NONE)
		cut_folder(folder, err);
	remove_file(folder, "mappings/a.yaml");
	remove_file(folder, "ldap2dbx.yaml");
	(void)rmdir(mappings);
	(void)rmdir(folder);
	return code;
}

struct config *support_must_load(const char *config, const char *mapping)
{
	struct config *ret = NULL;
	struct err err;

	if (support_load(config, mapping, &ret, &err) != ERR_NONE)
		fail_msg("%s", err.text);
	return ret;
}
