/*
 * changes -- makes COUNT changes in the directory, one person's displayName each, with a pause after each.
 *
 * usage: changes URI BIND_DN PASSWORD FIRST COUNT PAUSE_MS
 *
 * For the company of tests/bench/company. Prints one line per change: CLOCK_MONOTONIC in nanoseconds when it was sent,
 * and when the server had confirmed it.
 */
#include <inttypes.h>
#include <lber.h>
#include <ldap.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"

#define NS_PER_MS 1000000L

static int change(LDAP *ld, int64_t person)
{
	char dn[80], name[80], *values[] = {name, NULL}, type[] = "displayName";
	LDAPMod mod = {.mod_op = LDAP_MOD_REPLACE, .mod_type = type, .mod_values = values};
	LDAPMod *mods[] = {&mod, NULL};
	uint64_t begun = clock_monotonic_ns();
	int result;

	(void)snprintf(dn, sizeof(dn), "uid=p%07" PRId64 ",ou=People,dc=example,dc=com", person);
	(void)snprintf(name, sizeof(name), "Sample %" PRIx64, begun);
	result = ldap_modify_ext_s(ld, dn, mods, NULL, NULL);
	if (result == LDAP_SUCCESS)
		printf("%" PRIu64 " %" PRIu64 "\n", begun, clock_monotonic_ns());
	else
		fprintf(stderr, "changes: %s: %s\n", dn, ldap_err2string(result));
	return result;
}

int main(int argc, char **argv)
{
	int version = LDAP_VERSION3, result;
	int64_t first, count, pause_ms;
	struct berval password;
	LDAP *ld = NULL;

	if (argc != 7 || !text_parse_int(argv[4], 0, INT32_MAX, &first) ||
			!text_parse_int(argv[5], 1, INT32_MAX, &count) ||
			!text_parse_int(argv[6], 0, 60000, &pause_ms)) {
		fputs("usage: changes URI BIND_DN PASSWORD FIRST COUNT PAUSE_MS\n", stderr);
		return 64;
	}
	password = (struct berval){.bv_val = argv[3], .bv_len = strlen(argv[3])};
	result = ldap_initialize(&ld, argv[1]);
	if (result == LDAP_SUCCESS) {
		(void)ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version);
		result = ldap_sasl_bind_s(
				ld, argv[2], LDAP_SASL_SIMPLE, &password, NULL, NULL, NULL);
	}
	if (result != LDAP_SUCCESS)
		fprintf(stderr, "changes: %s: %s\n", argv[1], ldap_err2string(result));
	for (int64_t i = 0; result == LDAP_SUCCESS && i < count; i++) {
		struct timespec pause = {pause_ms / 1000, pause_ms % 1000 * NS_PER_MS};

		result = change(ld, first + i);
		(void)nanosleep(&pause, NULL);
	}
	if (ld)
		(void)ldap_unbind_ext_s(ld, NULL, NULL);
	return result == LDAP_SUCCESS ? 0 : 1;
}
