/*
 * ldif-apply -- writes LDIF changes to a server and says at which instant the server had confirmed
 * each.
 *
 * usage: ldif-apply URI [BIND_DN PASSWORD] <CHANGES    without BIND_DN: SASL EXTERNAL, as over
 * ldapi ldif-apply --now                              prints the clock only
 *
 * Prints one line per record: CLOCK_MONOTONIC in nanoseconds, a space, the DN. ldapmodify(1) ends
 * some milliseconds after the change, so a latency measured from its end would flatter, or be
 * negative.
 */
#include "base/clock.h"

#include <inttypes.h>
#include <ldap.h>
#include <ldif.h>

static int complain(const char *what, const char *dn, int result)
{
	fprintf(stderr, "ldif-apply: %s%s%s: %s\n", what, dn ? " " : "", dn ? dn : "",
			ldap_err2string(result));
	return 1;
}

static int apply_record(LDAP *ld, const LDIFRecord *record)
{
	switch (record->lr_op) {
	case LDAP_REQ_ADD:
		return ldap_add_ext_s(ld, record->lr_dn.bv_val, record->lrop_mods, NULL, NULL);
	case LDAP_REQ_MODIFY:
		return ldap_modify_ext_s(ld, record->lr_dn.bv_val, record->lrop_mods, NULL, NULL);
	case LDAP_REQ_DELETE:
		return ldap_delete_ext_s(ld, record->lr_dn.bv_val, NULL, NULL);
	case LDAP_REQ_MODRDN:
		return ldap_rename_s(ld, record->lr_dn.bv_val, record->lrop_newrdn.bv_val,
				record->lrop_newsup.bv_val, record->lrop_delold, NULL, NULL);
	default:
		return LDAP_NOT_SUPPORTED;
	}
}

static int apply_text(LDAP *ld, struct berval *text, unsigned long line)
{
	LDIFRecord record = {0};
	int result = ldap_parse_ldif_record(text, line, &record, "ldif-apply", LDIF_DEFAULT_ADD);

	if (result != LDAP_SUCCESS)
		return 1;
	result = apply_record(ld, &record);
	if (result == LDAP_SUCCESS)
		printf("%" PRIu64 " %s\n", clock_monotonic_ns(), record.lr_dn.bv_val);
	else
		(void)complain("the server refused", record.lr_dn.bv_val, result);
	ldap_ldif_record_done(&record);
	return result == LDAP_SUCCESS ? 0 : 1;
}

static int apply_all(LDAP *ld, FILE *changes)
{
	LDIFFP ldif = {.fp = changes};
	char *text = NULL;
	int size = 0;
	unsigned long line = 0;
	int failed = 0;

	while (!failed && ldif_read_record(&ldif, &line, &text, &size) > 0) {
		struct berval record = {.bv_val = text, .bv_len = strlen(text)};

		failed = apply_text(ld, &record, line);
	}
	ber_memfree(text);
	return failed;
}

static int bind_as(LDAP *ld, const char *dn, char *password)
{
	struct berval secret = {.bv_val = password, .bv_len = password ? strlen(password) : 0};
	char nothing[] = "";
	struct berval nobody = {.bv_val = nothing, .bv_len = 0};

	return ldap_sasl_bind_s(ld, dn, dn ? LDAP_SASL_SIMPLE : "EXTERNAL", dn ? &secret : &nobody,
			NULL, NULL, NULL);
}

int main(int argc, char **argv)
{
	int version = LDAP_VERSION3;
	LDAP *ld = NULL;
	int result, failed;

	if (argc == 2 && strcmp(argv[1], "--now") == 0) {
		printf("%" PRIu64 "\n", clock_monotonic_ns());
		return 0;
	}
	if (argc != 2 && argc != 4) {
		fputs("usage: ldif-apply URI [BIND_DN PASSWORD] <CHANGES | ldif-apply --now\n",
				stderr);
		return 64;
	}
	result = ldap_initialize(&ld, argv[1]);
	if (result != LDAP_SUCCESS)
		return complain("cannot use", argv[1], result);
	(void)ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version);
	result = bind_as(ld, argc == 4 ? argv[2] : NULL, argc == 4 ? argv[3] : NULL);
	failed = result == LDAP_SUCCESS ? apply_all(ld, stdin)
					: complain("cannot bind at", argv[1], result);
	(void)ldap_unbind_ext_s(ld, NULL, NULL);
	return failed;
}
