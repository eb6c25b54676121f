/* LDAP filters and addresses of servers: what is one, and where it goes wrong. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "rules/filter.h"
#include "rules/uri.h"

static const struct {
	const char *text, *normal;
} good[] = {
		{"(mail=*)", "(mail=*)"},
		{"(cn=dbx-*)", "(cn=dbx-*)"},
		{"(cn=a*b*c)", "(cn=a*b*c)"},
		{"(cn=)", "(cn=)"},
		{"(&)", "(&)"},
		{"(&(a=b)(|(c=d)(!(e=f))))", "(&(a=b)(|(c=d)(!(e=f))))"},
		{" (& (a=b)\n (c=d) ) ", "(&(a=b)(c=d))"},
		{"(cn=two words)", "(cn=two words)"},
		{"(n>=5)", "(n>=5)"},
		{"(n<=5)", "(n<=5)"},
		{"(n~=x)", "(n~=x)"},
		{"(uac:1.2.840.113556.1.4.803:=2)", "(uac:1.2.840.113556.1.4.803:=2)"},
		{"(ou:dn:=People)", "(ou:dn:=People)"},
		{"(:caseExactMatch:=x)", "(:caseExactMatch:=x)"},
		{"(cn=a\\28b\\29\\2a\\5C)", "(cn=a\\28b\\29\\2a\\5C)"},
		{"(cn;lang-de=x)", "(cn;lang-de=x)"},
		{"(2.5.4.3=x)", "(2.5.4.3=x)"},
};

static const struct {
	const char *text, *wrong;
	size_t offset;
} bad[] = {
		{"", "a filter stands in parentheses", 0},
		{"mail=*", "a filter stands in parentheses", 0},
		{"(mail=*", "the filter ends here", 7},
		{"(mail=*))", "the filter ends before this", 8},
		{"(mail)", "a comparison", 5},
		{"(=x)", "an attribute's name", 1},
		{"()", "an attribute's name", 1},
		{"(cn=a(b)", "a parenthesis inside a value", 5},
		{"(cn=a\\zz)", "a backslash is written", 5},
		{"(cn=a\\)", "a backslash is written", 5},
		{"(n>=a*)", "a star inside such a value", 5},
		{"(&(a=b)", "a closing parenthesis", 7},
		{"(&(a=b)x)", "a closing parenthesis", 7},
		{"(!a=b)", "a filter stands in parentheses", 2},
		{"(!(a=b)(c=d))", "a closing parenthesis", 7},
		{"(a:1.2=x)", "`:=` is expected", 6},
		{"(m\xc3\xa4il=x)", "a comparison", 2},
};

static void takes_filters(void **state)
{
	size_t offset;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct buf out;
		const char *wrong;

		buf_init(&out, FILTER_BYTES_MAX);
		wrong = filter_normalise(good[i].text, &out, &offset);
		if (wrong)
			fail_msg("%s: %s at %zu", good[i].text, wrong, offset);
		assert_string_equal(buf_text(&out), good[i].normal);
		buf_release(&out);
	}
}

static void says_where_a_filter_is_wrong(void **state)
{
	size_t offset;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct buf out;
		const char *wrong;

		buf_init(&out, FILTER_BYTES_MAX);
		wrong = filter_normalise(bad[i].text, &out, &offset);
		if (!wrong || !strstr(wrong, bad[i].wrong) || offset != bad[i].offset)
			fail_msg("%s: %s at %zu", bad[i].text, wrong ? wrong : "accepted", offset);
		buf_release(&out);
	}
}

static void bounds_filters(void **state)
{
	AUTO(mem_freep) char *text = mem_alloc(FILTER_BYTES_MAX + 10);
	struct buf out;
	size_t offset;

	(void)state;
	buf_init(&out, FILTER_BYTES_MAX);
	for (size_t i = 0; i < FILTER_BYTES_MAX; i++)
		text[i] = i % 2 ? '!' : '(';
	text[FILTER_BYTES_MAX] = '\0';
	assert_string_equal(filter_normalise(text, &out, &offset),
			"too many parentheses inside each other");
	buf_reset(&out);
	memset(text, 'a', FILTER_BYTES_MAX + 5);
	memcpy(text, "(cn=", 4);
	memcpy(text + FILTER_BYTES_MAX + 5, ")", 2);
	assert_string_equal(filter_normalise(text, &out, &offset), "the filter is too long");
	buf_release(&out);
}

/* wrong: a part of the message; NULL: it is fine */
struct address {
	const char *text, *wrong;
};
static const struct address ldap_uris[] = {
		{"ldap://ldap.example.com", NULL},
		{"LDAPS://ldap.example.com:636/", NULL},
		{"ldap://[2001:db8::1]:389", NULL},
		{"ldapi:///", NULL},
		{"ldapi://%2Frun%2Fslapd%2Fldapi", NULL},
		{"ldapi://%2Frun%2Fslapd%2Fldapi/", NULL},
		{"ldapi://run/slapd/ldapi", "%2F"},
		{"https://ldap.example.com", "scheme must be"},
		{"ldap.example.com", "lacks a scheme"},
		{"ldap://", "no host"},
		{"ldap:///dc=example", "no host"},
		{"ldap://host/dc=example", "a server only"},
		{"ldap://host?x", "a server only"},
		{"ldap://host:0", "port"},
		{"ldap://host:65536", "port"},
		{"ldap://host:", "port"},
		{"ldap://host:38x", "port"},
		{"ldap://user@host", "user name"},
		{"ldap://ho st", "character"},
		{"ldap://[2001:db8::1", "closing bracket"},
		{"ldap://[2001:db8::1]x", "behind the closing bracket"},
		{"ldap://[host]", "no IPv6"},
};
static const struct address hosts[] = {
		{"https://prod.example.com", NULL},
		{"https://prod.example.com:8443/", NULL},
		{"http://127.0.0.1:8080", NULL},
		{"http://localhost:8080", NULL},
		{"http://[::1]:8080", NULL},
		{"http://127.1", "this machine only"},
		{"http://127.0.0.1.example.com", "this machine only"},
		{"http://prod.example.com", "this machine only"},
		{"ftp://prod.example.com", "scheme must be https"},
		{"prod.example.com", "lacks a scheme"},
		{"https://prod.example.com/path", "without a path"},
		{"https://", "no host"},
		{"https://token@prod.example.com", "user name"},
};

static void check(const struct address *address, const char *got)
{
	if (address->wrong ? !got || !strstr(got, address->wrong) : got != NULL)
		fail_msg("%s: %s", address->text, got ? got : "accepted");
}

static void judges_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ldap_uris); i++)
		check(&ldap_uris[i], uri_check_ldap(ldap_uris[i].text));
	for (size_t i = 0; i < COUNT_OF(hosts); i++)
		check(&hosts[i], uri_check_http(hosts[i].text));
}

static void takes_addresses_apart(void **state)
{
	struct uri uri;

	(void)state;
	assert_null(uri_parse("ldap://[2001:db8::1]:389/x", &uri));
	assert_true(span_equal(uri.host, SPAN_LIT("2001:db8::1")));
	assert_int_equal(uri.port, 389);
	assert_true(span_equal(uri.rest, SPAN_LIT("/x")));
	assert_true(uri_scheme_is(&uri, "LDAP"));
	assert_false(uri_scheme_is(&uri, "ldaps"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(takes_filters),
			cmocka_unit_test(says_where_a_filter_is_wrong),
			cmocka_unit_test(bounds_filters),
			cmocka_unit_test(judges_addresses),
			cmocka_unit_test(takes_addresses_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
