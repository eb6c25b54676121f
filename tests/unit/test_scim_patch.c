#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scim_patch.h"

#define URN "urn:ietf:params:scim:api:messages:2.0:PatchOp"

static json_t *read_body(const char *text)
{
	json_error_t error;
	json_t *body = json_loads(text, 0, &error);

	if (!body)
		fail_msg("%s: %s", text, error.text);
	return body;
}

static void test_forms(void **state)
{
	static const struct {
		const char *text;
		enum patch_verb verb;
		enum attr attr;
		const char *only_value;
	} cases[] = {
			{"{'schemas':['" URN
			 "'],'Operations':[{'op':'add','path':'members','value':[{'value':'1'}]}]}",
					PATCH_ADD, ATTR_MEMBERS, NULL},
			{"{'Operations':[{'op':'Add','value':{'members':[]}}]}", PATCH_ADD,
					ATTR_NONE, NULL},
			{"{'Operations':[{'op':'add','path':null,'value':{}}]}", PATCH_ADD,
					ATTR_NONE, NULL},
			{"{'Operations':[{'op':'remove','path':'members[value eq \\\"7\\\"]'}]}",
					PATCH_REMOVE, ATTR_MEMBERS, "7"},
			{"{'Operations':[{'op':'remove','path':'MEMBERS[VALUE EQ \\\"7\\\"]'}]}",
					PATCH_REMOVE, ATTR_MEMBERS, "7"},
			{"{'Operations':[{'op':'remove','path':'roles[value eq \\\"a b\\\"]'}]}",
					PATCH_REMOVE, ATTR_ROLES, "a b"},
			{"{'Operations':[{'op':'remove','path':'entitlements','value':[{'value':'x'"
			 "}]}]}",
					PATCH_REMOVE, ATTR_ENTITLEMENTS, NULL},
			{"{'Operations':[{'op':'REPLACE','path':'displayname','value':'x'}]}",
					PATCH_REPLACE, ATTR_DISPLAY_NAME, NULL},
			{"{'Operations':[{'op':'replace','path':'urn:ietf:params:scim:schemas:core:"
			 "2.0:User:name.givenName',"
			 "'value':'x'}]}",
					PATCH_REPLACE, ATTR_GIVEN_NAME, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *text = mem_strdup(cases[i].text);
		struct scim_problem problem;
		struct patch patch;
		json_t *body;

		for (char *c = text; *c; c++)
			*c = *c == '\'' ? '"' : *c;
		body = read_body(text);
		if (!patch_parse(body, &patch, &problem))
			fail_msg("%s: %s", text, problem.detail);
		assert_int_equal(patch.count, 1);
		assert_int_equal(patch.items[0].verb, cases[i].verb);
		assert_int_equal(patch.items[0].attr, cases[i].attr);
		if (cases[i].only_value)
			assert_string_equal(patch.items[0].only_value, cases[i].only_value);
		else
			assert_null(patch.items[0].only_value);
		patch_release(&patch);
		json_decref(body);
		mem_free(text);
	}
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text;
		unsigned status;
		const char *scim_type;
	} cases[] = {
			{"{}", 400, "invalidSyntax"},
			{"{'operations':[{'op':'remove','path':'members'}]}", 400, "invalidSyntax"},
			{"{'Operations':{}}", 400, "invalidSyntax"},
			{"{'Operations':[]}", 400, "invalidSyntax"},
			{"{'Operations':['x']}", 400, "invalidSyntax"},
			{"{'Operations':[{'path':'members'}]}", 400, "invalidSyntax"},
			{"{'Operations':[{'op':'copy','path':'members'}]}", 400, "invalidSyntax"},
			{"{'Operations':[{'op':'add','path':7,'value':1}]}", 400, "invalidSyntax"},
			{"{'Operations':[{'op':'add','path':'','value':1}]}", 400, "invalidSyntax"},
			{"{'Operations':[{'op':'add','path':'members'}]}", 400, "invalidSyntax"},
			{"{'Operations':[{'op':'add','value':[1]}]}", 400, "invalidSyntax"},
			{"{'Operations':[{'op':'remove'}]}", 400, "noTarget"},
			{"{'Operations':[{'op':'remove','path':'members','value':[{'value':'1'}]}]"
			 "}",
					400, "invalidSyntax"},
			{"{'Operations':[{'op':'remove','path':'members[value eq "
			 "\\\"1\\\"]','value':''}]}",
					400, "invalidSyntax"},
			{"{'Operations':[{'op':'remove','path':'members[value eq \\\"1\\\"'}]}",
					400, "invalidPath"},
			{"{'Operations':[{'op':'remove','path':'members[value ne \\\"1\\\"]'}]}",
					400, "invalidFilter"},
			{"{'Operations':[{'op':'remove','path':'members[value eq \\\"1\\\" or "
			 "value eq \\\"2\\\"]'}]}",
					400, "invalidFilter"},
			{"{'Operations':[{'op':'remove','path':'members[display eq \\\"1\\\"]'}]}",
					400, "invalidFilter"},
			{"{'Operations':[{'op':'remove','path':'members[]'}]}", 400,
					"invalidFilter"},
			{"{'Operations':[{'op':'replace','path':'colour','value':'x'}]}", 400,
					"invalidPath"},
			{"{'schemas':'x','Operations':[{'op':'remove','path':'members'}]}", 400,
					"invalidSyntax"},
			{"{'schemas':['urn:ietf:params:scim:schemas:core:2.0:Group'],"
			 "'Operations':[{'op':'remove','path':'members'}]}",
					500, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *text = mem_strdup(cases[i].text);
		struct scim_problem problem;
		struct patch patch;
		json_t *body;

		for (char *c = text; *c; c++)
			*c = *c == '\'' ? '"' : *c;
		body = read_body(text);
		if (patch_parse(body, &patch, &problem))
			fail_msg("%s: taken", text);
		if (problem.status != cases[i].status ||
				strcmp(problem.scim_type, cases[i].scim_type) != 0)
			fail_msg("%s: %u %s", text, problem.status, problem.scim_type);
		json_decref(body);
		mem_free(text);
	}
}

static void test_values(void **state)
{
	struct json_texts values = {0};
	static const char *const bad[] = {
			"{}", "\"1\"", "[1]", "[\"1\"]", "[{\"value\":1}]", "null"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		json_t *value = json_loads(bad[i], JSON_DECODE_ANY, NULL);

		if (json_read_values(value, &values))
			fail_msg("%s: taken", bad[i]);
		json_decref(value);
	}
	values.count = 0;
	json_t *value = json_loads(
			"[{\"value\":\"a\",\"display\":1},{},{\"value\":\"b\"}]", 0, NULL);

	assert_true(json_read_values(value, &values));
	assert_int_equal(values.count, 2);
	assert_string_equal(values.items[1], "b");
	mem_free(values.items);
	json_decref(value);
}

static void test_bools(void **state)
{
	static const struct {
		const char *text;
		int want; /* -1: refused */
	} cases[] = {
			{"true", 1},
			{"false", 0},
			{"\"true\"", 1},
			{"\"FALSE\"", 0},
			{"[{\"value\":\"false\"}]", 0},
			{"[{\"value\":true}]", 1},
			{"\"no\"", -1},
			{"0", -1},
			{"null", -1},
			{"[]", -1},
			{"[true]", -1},
			{"[{\"value\":true},{\"value\":true}]", -1},
			{"{}", -1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		json_t *value = json_loads(cases[i].text, JSON_DECODE_ANY, NULL);
		bool got = false;
		bool good = json_read_bool(value, &got);

		if (good != (cases[i].want >= 0) || (good && got != (cases[i].want == 1)))
			fail_msg("%s", cases[i].text);
		json_decref(value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_forms),
			cmocka_unit_test(test_refusals),
			cmocka_unit_test(test_values),
			cmocka_unit_test(test_bools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
