#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "model/dn.h"

/* Keys are written here as people read them: '/' for the end of an RDN, '+' between parts, '^' for the escape. */
static char *shown(const struct buf *key)
{
	char *text = mem_strndup(buf_text(key), key->len);

	for (size_t i = 0; i < key->len; i++) {
		if (text[i] == DN_KEY_END)
			text[i] = '/';
		else if (text[i] == '\x02')
			text[i] = '+';
		else if (text[i] == '\x03')
			text[i] = '^';
	}
	return text;
}

static void test_keys(void **state)
{
	static const struct {
		const char *text, *key;
	} cases[] = {
			{"", ""},
			{"  ", ""},
			{"uid=ada,ou=people,dc=example,dc=org",
					"dc=org/dc=example/ou=people/uid=ada/"},
			{"UID=Ada,OU=People,DC=Example,DC=Org",
					"dc=org/dc=example/ou=people/uid=ada/"},
			{" uid = Ada , ou = people,dc=x ", "dc=x/ou=people/uid=ada/"},
			{"cn=  two   spaces  ,dc=x", "dc=x/cn=two spaces/"},
			{"cn=\\20lead and trail\\20,dc=x", "dc=x/cn=lead and trail/"},
			{"cn=\\ lead,dc=x", "dc=x/cn=lead/"},
			{"cn=,dc=x", "dc=x/cn=/"},
			{"cn=\\20,dc=x", "dc=x/cn=/"},
			{"cn=Sample\\, Jo,dc=x", "dc=x/cn=sample, jo/"},
			{"cn=Sample\\2C Jo,dc=x", "dc=x/cn=sample, jo/"},
			{"cn=Sample\\2c  jo,dc=x", "dc=x/cn=sample, jo/"},
			{"cn=a\\+b,dc=x", "dc=x/cn=a+b/"},
			{"cn=a=b", "cn=a=b/"},
			{"cn=a\\=b", "cn=a=b/"},
			{"cn=\\#start", "cn=#start/"},
			{"cn=hash#in", "cn=hash#in/"},
			{"cn=a\\\\", "cn=a\\/"},
			{"cn=a\\\\,dc=x", "dc=x/cn=a\\/"},
			{"cn=M\xc3\xbcster,dc=x", "dc=x/cn=m\xc3\xbcster/"},
			{"cn=M\\C3\\9CSTER,dc=x", "dc=x/cn=m\xc3\xbcster/"},
			{"cn=Mu\xcc\x88ster,dc=x", "dc=x/cn=m\xc3\xbcster/"},
			{"cn=Stra\xc3\x9f"
			 "e",
					"cn=strasse/"},
			{"cn=a\xc2\xa0 b", "cn=a b/"},
			{"cn=\xef\xbc\xa1"
			 "da",
					"cn=ada/"},
			{"cn=\\ff\\FE", "cn=\xff\xfe/"},
			{"cn=a\\00B",
					"cn=a^\x10"
					"b/"},
			{"cn=a\\01\\02\\03", "cn=a^\x11^\x12^\x13/"},
			/* multi-valued RDNs */
			{"sn=b+cn=a,dc=x", "dc=x/cn=a+sn=b/"},
			{"cn=a + sn=b,dc=x", "dc=x/cn=a+sn=b/"},
			{"UID=SJ+CN=sample\\2C  jo,OU=People", "ou=people/cn=sample, jo+uid=sj/"},
			/* types */
			{"2.5.4.3=a", "cn=a/"},
			{"commonName=a,organizationalUnitName=b,0.9.2342.19200300.100.1.25=c",
					"dc=c/ou=b/cn=a/"},
			{"userid=a,o=b,c=DE", "c=de/o=b/uid=a/"},
			{"gn=a", "givenname=a/"},
			{"emailAddress=a@example.org", "email=a@example.org/"},
			{"E=a@example.org", "email=a@example.org/"},
			{"rfc822Mailbox=a", "mail=a/"},
			{"1.2.3.4=a", "1.2.3.4=a/"},
			{"x-own-type2=a", "x-own-type2=a/"},
			/* BER in hex */
			{"cn=#0403616263", "cn=abc/"},
			{"cn=#0C0341C39C", "cn=a\xc3\xbc/"},
			{"cn=#1303616263,dc=x", "dc=x/cn=abc/"},
			{"cn=#048103414243", "cn=abc/"},
			{"cn=#04820003414243", "cn=abc/"},
			{"cn=#0400", "cn=/"},
			{"cn=#3003020101", "cn=^#3003020101/"},
			{"cn=#0404616263", "cn=^#0404616263/"},
			{"cn=#0402616263", "cn=^#0402616263/"},
			{"cn=#AB", "cn=^#ab/"},
			/* an optional UID */
			{"uid=ada,dc=x#'0101'B", "dc=x/uid=ada/"},
			{"uid=ada,dc=x#''B", "dc=x/uid=ada/"},
			{"uid=ada,dc=x\\#'0101'B", "dc=x#'0101'b/uid=ada/"},
			{"uid=ada,dc=x\\\\#'01'B", "dc=x\\/uid=ada/"},
			{"uid=ada,dc=x'01'B", "dc=x'01'b/uid=ada/"},
			{"uid=ada,dc=#'0'B", "dc=/uid=ada/"},
	};
	AUTO(buf_release) struct buf key = {.max = DN_KEY_MAX};
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(mem_freep) char *got = NULL;

		if (dn_key(span_of(cases[i].text), &key, &err) != ERR_NONE)
			fail_msg("%s: %s", cases[i].text, err.text);
		got = shown(&key);
		if (strcmp(got, cases[i].key) != 0)
			fail_msg("%s: key %s, not %s", cases[i].text, got, cases[i].key);
	}
}

static void test_refused(void **state)
{
	static const char *const cases[] = {
			"nonsense",
			"cn=\"Sample, Jo\"",
			"cn=a;b=c",
			"cn=a<b>",
			"OID.2.5.4.3=a",
			"<GUID=00>",
			"cn=a,,dc=x",
			"cn=a,",
			",cn=a",
			"=a",
			"cn=a+",
			"+cn=a",
			"cn=a\\",
			"cn=a\\xy",
			"cn=a\\4",
			"cn=#",
			"cn=#0",
			"cn=#0g",
			"cn=#04 01",
			"cn;lang-de=a",
			"2=a",
			"2.=a",
			".2=a",
			"2..5=a",
			"1a=b",
			"c n=a",
			"c\xc3\xbc=a",
			"-a=b",
	};
	AUTO(buf_release) struct buf key = {.max = DN_KEY_MAX};
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (dn_key(span_of(cases[i]), &key, &err) != ERR_PROTO)
			fail_msg("%s was taken", cases[i]);
	}
	assert_int_equal(dn_key((struct span){"cn=a\0b", 6}, &key, &err), ERR_PROTO);
}

static void repeat(struct buf *text, const char *piece, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_add_text(text, piece);
}

static enum err_code key_of(const struct buf *text, size_t len, struct buf *key)
{
	struct err err;

	return dn_key((struct span){text->ptr, len}, key, &err);
}

static void test_limits(void **state)
{
	AUTO(buf_release) struct buf key = {.max = DN_KEY_MAX};
	AUTO(buf_release) struct buf text = {.max = DN_KEY_MAX};

	(void)state;
	repeat(&text, "cn=", 1);
	repeat(&text, "A", DN_TEXT_MAX - 2);
	assert_int_equal(key_of(&text, DN_TEXT_MAX, &key), ERR_NONE);
	assert_int_equal(key.len, DN_TEXT_MAX + 1);
	assert_int_equal(key_of(&text, DN_TEXT_MAX + 1, &key), ERR_LIMIT);

	buf_reset(&text);
	repeat(&text, "o=a,", DN_RDNS_MAX + 1);
	assert_int_equal(key_of(&text, text.len - 5, &key), ERR_NONE);
	assert_int_equal(dn_key_depth((struct span){key.ptr, key.len}), DN_RDNS_MAX);
	assert_int_equal(key_of(&text, text.len - 1, &key), ERR_LIMIT);

	buf_reset(&text);
	repeat(&text, "o=a+", DN_RDN_PARTS_MAX + 1);
	assert_int_equal(key_of(&text, text.len - 5, &key), ERR_NONE);
	assert_int_equal(key_of(&text, text.len - 1, &key), ERR_PROTO);

	/* U+FDFA is three octets and folds to 33. */
	buf_reset(&text);
	repeat(&text, "cn=", 1);
	repeat(&text, "\xef\xb7\xba", DN_TEXT_MAX / 3 - 1);
	assert_int_equal(key_of(&text, text.len, &key), ERR_LIMIT);
}

/* Plain and escaped spellings take different ways through the parser and must agree. */
static void test_fast_and_slow_agree(void **state)
{
	AUTO(buf_release) struct buf fast = {.max = DN_KEY_MAX};
	AUTO(buf_release) struct buf slow = {.max = DN_KEY_MAX};
	struct err err;

	(void)state;
	for (int c = 0x20; c < 0x7f; c++) {
		char plain[32], escaped[32];

		if (strchr("\"#+,;<>\\", c))
			continue;
		(void)snprintf(plain, sizeof(plain), "cn=X %c  Y%c,DC=z", c, c);
		(void)snprintf(escaped, sizeof(escaped), "2.5.4.3=x \\%02x y\\%02X,dc=\\5A",
				(unsigned)c, (unsigned)c);
		assert_int_equal(dn_key(span_of(plain), &fast, &err), ERR_NONE);
		assert_int_equal(dn_key(span_of(escaped), &slow, &err), ERR_NONE);
		assert_string_equal(buf_text(&fast), buf_text(&slow));
	}
}

static void test_above_and_under(void **state)
{
	AUTO(buf_release) struct buf key = {.max = DN_KEY_MAX};
	AUTO(buf_release) struct buf base = {.max = DN_KEY_MAX};
	struct span k, b;
	struct err err;

	(void)state;
	assert_int_equal(dn_key(span_of("uid=a,ou=p,dc=x"), &key, &err), ERR_NONE);
	k = (struct span){key.ptr, key.len};
	assert_int_equal(dn_key_depth(k), 3);
	assert_int_equal(dn_key(span_of("OU=P,DC=X"), &base, &err), ERR_NONE);
	b = (struct span){base.ptr, base.len};
	assert_true(span_equal(dn_key_above(k), b));
	assert_true(dn_key_is_under(k, b));
	assert_true(dn_key_is_under(k, k));
	assert_false(dn_key_is_under(b, k));
	assert_true(dn_key_is_under(k, SPAN_LIT("")));
	assert_int_equal(dn_key_above(dn_key_above(b)).len, 0);
	assert_int_equal(dn_key_above(SPAN_LIT("")).len, 0);
	/* ou=pp is not below ou=p */
	assert_int_equal(dn_key(span_of("uid=a,ou=pp,dc=x"), &key, &err), ERR_NONE);
	assert_false(dn_key_is_under((struct span){key.ptr, key.len}, b));
}

static void test_first_value(void **state)
{
	static const struct {
		const char *text, *value;
	} cases[] = {
			{"cn=Data\\, Eng,ou=x", "Data, Eng"},
			{"cn=Data\\2C Eng,ou=x", "Data, Eng"},
			{"CN=a+sn=b,ou=x", "a"},
			{"cn= \\20a b\\20 ,ou=x", " a b "},
			{"cn=M\\C3\\BCster", "M\xc3\xbcster"},
			{"cn=#0403414243", "ABC"},
			{"cn=a\\\\,ou=x", "a\\"},
			{"cn=two  spaces", "two  spaces"},
			{"cn=a=b", "a=b"},
			{"cn=", NULL},
			{"", NULL},
			{"nonsense", NULL},
			{"nonsense,cn=a", NULL},
			{"cn=a\\", NULL},
			{"cn=a\\00b", NULL},
			{"cn=#30", NULL},
			{"cn=#3", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(mem_freep) char *value = dn_first_value(span_of(cases[i].text));

		if (!value != !cases[i].value || (value && strcmp(value, cases[i].value) != 0))
			fail_msg("%s: %s", cases[i].text, value ? value : "none");
	}
	assert_null(dn_first_value((struct span){NULL, 0}));
}

static void test_rebase(void **state)
{
	static const struct {
		const char *text;
		size_t keep;
		const char *above, *ret;
	} cases[] = {
			{"uid=a,ou=old,dc=x", 1, "ou=new,dc=x", "uid=a,ou=new,dc=x"},
			{"cn=Sample\\, J,ou=q,ou=old,dc=x", 2, "ou=new,dc=x",
					"cn=Sample\\, J,ou=q,ou=new,dc=x"},
			{"uid=a,dc=x", 1, "", "uid=a"},
			{"uid=a,dc=x", 0, "dc=y", "dc=y"},
			{"uid=a", 5, "dc=y", "uid=a,dc=y"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(mem_freep)
		char *ret = dn_rebase(span_of(cases[i].text), cases[i].keep, cases[i].above);

		assert_string_equal(ret, cases[i].ret);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_keys),
			cmocka_unit_test(test_refused),
			cmocka_unit_test(test_limits),
			cmocka_unit_test(test_fast_and_slow_agree),
			cmocka_unit_test(test_above_and_under),
			cmocka_unit_test(test_first_value),
			cmocka_unit_test(test_rebase),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
