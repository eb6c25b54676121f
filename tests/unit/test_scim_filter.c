#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scim_filter.h"

/* An object with one value per attribute, and two members. */
static const char *value_of(const void *object, enum attr attr, size_t n)
{
	static const char *const values[ATTR_COUNT_] = {
			[ATTR_USER_NAME] = "ada@example.com",
			[ATTR_DISPLAY_NAME] = "Ada Stra\xc3\x9f"
					      "e \"x\"",
			[ATTR_EXTERNAL_ID] = "Key",
			[ATTR_ACTIVE] = "true",
	};

	(void)object;
	if (attr == ATTR_MEMBERS)
		return n == 0 ? "11" : n == 1 ? "12" : NULL;
	if (n)
		return NULL;
	return values[attr];
}

static void test_matching(void **state)
{
	static const struct {
		const char *text;
		bool holds;
	} cases[] = {
			{"userName eq \"ada@example.com\"", true},
			{"USERNAME Eq 'ADA@EXAMPLE.COM'", true},
			{"userName eq ada@example.com", true},
			{"  userName\teq  \"ada@example.com\"  ", true},
			{"userName ne \"ada@example.com\"", false},
			{"userName co \"EXAMPLE\"", true},
			{"userName sw \"ada@\"", true},
			{"userName sw \"da@\"", false},
			{"displayName eq \"ADA STRASSE \\\"x\\\"\"", true},
			{"displayName eq 'ada stra\xc3\x9f"
			 "e \"x\"'",
					true},
			{"externalId eq \"Key\"", true},
			{"externalId eq \"key\"", false},
			{"active eq true", true},
			{"active eq \"false\"", false},
			{"id eq \"1\"", false},
			{"id ne \"1\"", true},
			{"members.value eq \"12\"", true},
			{"members eq \"13\"", false},
			{"userName eq a or userName eq ada@example.com", true},
			{"userName eq a and userName eq ada@example.com", false},
			/* "and" binds tighter, whatever the order */
			{"active eq true or userName eq a and userName eq b", true},
			{"userName eq a and userName eq b or active eq true", true},
			{"active eq true and userName eq a or userName eq b", false},
			{"urn:ietf:params:scim:schemas:core:2.0:User:userName eq ada@example.com",
					true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct filter filter;
		const char *problem = NULL;

		if (!filter_parse(cases[i].text, &filter, &problem))
			fail_msg("%s: %s", cases[i].text, problem);
		if (filter_matches(&filter, value_of, NULL) != cases[i].holds)
			fail_msg("%s: not as expected", cases[i].text);
		filter_release(&filter);
	}
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text, *problem;
	} cases[] = {
			{"word", "Given filter operator is not supported"},
			{"userName pr", "Given filter operator is not supported"},
			{"userName ew \"x\"", "Given filter operator is not supported"},
			{"not userName eq \"x\"", "Given filter operator is not supported"},
			{"colour eq \"x\"", "Unknown attribute in filter"},
			{"name eq \"x\"", "Unknown attribute in filter"},
			{"", "Invalid filter"},
			{"   ", "Invalid filter"},
			{"userName eq", "Invalid filter"},
			{"userName eq \"x", "Invalid filter"},
			{"userName eq \"x\\\"", "Invalid filter"},
			{"userName eq \"x\"y", "Invalid filter"},
			{"(userName eq \"x\")", "Invalid filter"},
			{"userName eq \"x\" and", "Invalid filter"},
			{"userName eq \"x\" or or userName eq \"y\"",
					"Given filter operator is not supported"},
			{"userName eq \"x\" userName eq \"y\"", "Invalid filter"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct filter filter;
		const char *problem = NULL;

		if (filter_parse(cases[i].text, &filter, &problem))
			fail_msg("%s: taken", cases[i].text);
		assert_string_equal(problem, cases[i].problem);
	}
}

static void test_length_limit(void **state)
{
	char *text = mem_alloc(FILTER_BYTES_MAX + 2);
	struct filter filter;
	const char *problem;
	static const char start[] = "userName eq ";

	(void)state;
	memset(text, 'x', FILTER_BYTES_MAX + 1);
	memcpy(text, start, strlen(start));
	text[FILTER_BYTES_MAX + 1] = '\0';
	assert_false(filter_parse(text, &filter, &problem));
	text[FILTER_BYTES_MAX] = '\0';
	assert_true(filter_parse(text, &filter, &problem));
	filter_release(&filter);
	mem_free(text);
}

static void test_many_nodes(void **state)
{
	char text[4096] = "userName eq ada@example.com";
	struct filter filter;
	const char *problem;
	size_t len = strlen(text);

	(void)state;
	for (int i = 0; i < 100; i++) {
		(void)snprintf(text + len, sizeof(text) - len, " or userName eq %d", i);
		len += strlen(text + len);
	}
	assert_true(filter_parse(text, &filter, &problem));
	assert_int_equal(filter.count, 201);
	assert_true(filter_matches(&filter, value_of, NULL));
	filter_release(&filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_matching),
			cmocka_unit_test(test_refusals),
			cmocka_unit_test(test_length_limit),
			cmocka_unit_test(test_many_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
