#include "databricks/scim_internal.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct tape *tape_of(const char *text)
{
	struct tape *tape = NULL;
	struct err err;

	assert_int_equal(tape_parse(mem_strdup(text), strlen(text), &tape, &err), ERR_NONE);
	return tape;
}

static void a_whole_user_is_read(void **state)
{
	struct tape *tape = tape_of(
			"{\"schemas\":[\"x\"],\"id\":\"9007199254740993\",\"userName\":"
			"\"ada@example.com\",\"active\":true,"
			"\"displayName\":\"Ada "
			"Sample\",\"name\":{\"givenName\":\"Ada\",\"familyName\":null},"
			"\"emails\":[{\"value\":\"ada@example.com\"}],\"entitlements\":[{"
			"\"value\":\"workspace-access\","
			"\"type\":\"direct\"},{}],\"roles\":[{\"value\":\"account_admin\"}],"
			"\"unknown\":{\"a\":[1]}}");
	struct arena *arena = arena_new();
	struct resource resource;
	struct err err;

	(void)state;
	assert_int_equal(
			scim_read_resource(tape_root(tape), PRINCIPAL_USER, arena, &resource, &err),
			ERR_NONE);
	assert_string_equal(resource.id, "9007199254740993");
	assert_string_equal(resource.fields[FIELD_USER_NAME], "ada@example.com");
	assert_string_equal(resource.fields[FIELD_DISPLAY_NAME], "Ada Sample");
	assert_string_equal(resource.fields[FIELD_GIVEN_NAME], "Ada");
	assert_null(resource.fields[FIELD_FAMILY_NAME]);
	assert_null(resource.fields[FIELD_EXTERNAL_ID]);
	assert_true(resource.has_active && resource.active);
	assert_false(resource.has_members);
	assert_int_equal(resource.entitlement_count, 1);
	assert_string_equal(resource.entitlements[0], "workspace-access");
	assert_int_equal(resource.role_count, 1);
	assert_string_equal(resource.roles[0], "account_admin");
	assert_null(resource.resource_type);
	tape_free(tape);
	arena_free(arena);
}

static void what_comes_through_groups_is_not_its_own(void **state)
{
	struct tape *tape = tape_of("{\"id\":\"1\",\"entitlements\":["
				    "{\"value\":\"workspace-access\",\"type\":\"indirect\"},"
				    "{\"value\":\"allow-cluster-create\"}],\"roles\":["
				    "{\"value\":\"arn:own\",\"type\":\"direct\"},"
				    "{\"value\":\"account_admin\",\"type\":\"indirect\"}]}");
	struct arena *arena = arena_new();
	struct resource resource;
	struct err err;

	(void)state;
	assert_int_equal(
			scim_read_resource(tape_root(tape), PRINCIPAL_USER, arena, &resource, &err),
			ERR_NONE);
	assert_int_equal(resource.entitlement_count, 1);
	assert_string_equal(resource.entitlements[0], "allow-cluster-create");
	assert_int_equal(resource.role_count, 1);
	assert_string_equal(resource.roles[0], "arn:own");
	assert_int_equal(resource.inherited_role_count, 1);
	assert_string_equal(resource.inherited_roles[0], "account_admin");
	tape_free(tape);
	arena_free(arena);
}

static void members_tell_their_kind(void **state)
{
	static const struct {
		const char *ref;
		enum principal_kind kind;
	} cases[] = {{"\"Users/1\"", PRINCIPAL_USER}, {"\"Groups/1\"", PRINCIPAL_GROUP},
			{"\"ServicePrincipals/1\"", PRINCIPAL_SERVICE},
			{"\"https://h.example.com/scim/v2/Groups/1\"", PRINCIPAL_GROUP},
			{"\"SuperUsers/1\"", PRINCIPAL_KIND_COUNT_},
			{"\"1\"", PRINCIPAL_KIND_COUNT_}, {"null", PRINCIPAL_KIND_COUNT_},
			{"7", PRINCIPAL_KIND_COUNT_}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(mem_freep)
		char *text = mem_printf("{\"id\":5,\"meta\":{\"resourceType\":\"WorkspaceGroup\"},"
					"\"members\":["
					"{\"value\":\"1\",\"$ref\":%s,\"display\":\"x\"},{"
					"\"value\":9007199254740993}]}",
				cases[i].ref);
		struct tape *tape = tape_of(text);
		struct arena *arena = arena_new();
		struct resource resource;
		struct err err;

		assert_int_equal(scim_read_resource(tape_root(tape), PRINCIPAL_GROUP, arena,
						 &resource, &err),
				ERR_NONE);
		assert_string_equal(resource.id, "5");
		assert_true(resource.has_members);
		assert_int_equal(resource.member_count, 2);
		assert_string_equal(resource.members[0].id, "1");
		assert_int_equal(resource.members[0].kind, cases[i].kind);
		assert_string_equal(resource.members[1].id, "9007199254740993");
		assert_string_equal(resource.resource_type, "WorkspaceGroup");
		tape_free(tape);
		arena_free(arena);
	}
}

static void what_is_no_resource_is_refused(void **state)
{
	static const char *const cases[] = {"{}", "[]", "null", "7", "{\"id\":\"\"}",
			"{\"id\":null}", "{\"id\":1.5}", "{\"id\":\"1\",\"userName\":7}",
			"{\"id\":\"1\",\"active\":\"yes\"}", "{\"id\":\"1\",\"name\":\"Ada\"}",
			"{\"id\":\"1\",\"name\":{\"givenName\":[]}}", "{\"id\":\"1\",\"roles\":{}}",
			"{\"id\":\"1\",\"roles\":[\"x\"]}", "{\"id\":\"1\",\"members\":{}}",
			"{\"id\":\"1\",\"members\":[\"5\"]}", "{\"id\":\"1\",\"members\":[{}]}",
			"{\"id\":\"1\",\"entitlements\":[{\"value\":1}]}"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct tape *tape = tape_of(cases[i]);
		struct arena *arena = arena_new();
		struct resource resource;
		struct err err;

		if (scim_read_resource(tape_root(tape), PRINCIPAL_USER, arena, &resource, &err) !=
				ERR_PROTO)
			fail_msg("%s is taken", cases[i]);
		tape_free(tape);
		arena_free(arena);
	}
}

static void lists_are_told_from_other_objects(void **state)
{
	static const struct {
		const char *text;
		enum err_code code;
		size_t count;
		uint64_t total;
	} cases[] = {
			{"{\"totalResults\":5,\"startIndex\":1,\"itemsPerPage\":1,\"Resources\":[{"
			 "\"id\":\"1\"}]}",
					ERR_NONE, 1, 5},
			{"{\"totalResults\":5,\"startIndex\":9,\"itemsPerPage\":0}", ERR_NONE, 0,
					5},
			{"{\"Resources\":[]}", ERR_NONE, 0, SCIM_TOTAL_UNKNOWN},
			{"{\"totalResults\":-1,\"Resources\":[]}", ERR_NONE, 0, SCIM_TOTAL_UNKNOWN},
			{"{}", ERR_PROTO, 0, 0},
			{"{\"error_code\":\"X\",\"message\":\"x\"}", ERR_PROTO, 0, 0},
			{"[]", ERR_PROTO, 0, 0},
			{"{\"totalResults\":5,\"Resources\":{}}", ERR_PROTO, 0, 0},
			{"{\"totalResults\":5,\"Resources\":[{\"userName\":\"x\"}]}", ERR_PROTO, 0,
					0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct tape *tape = tape_of(cases[i].text);
		struct arena *arena = arena_new();
		struct scim_answer answer;
		struct err err;

		if (scim_read_list(tape_root(tape), PRINCIPAL_USER, arena, &answer, &err) !=
				cases[i].code)
			fail_msg("%s", cases[i].text);
		if (cases[i].code == ERR_NONE) {
			assert_int_equal(answer.count, cases[i].count);
			assert_true(answer.total == cases[i].total);
		}
		tape_free(tape);
		arena_free(arena);
	}
}

static void filters_are_quoted(void **state)
{
	static const struct {
		enum field by;
		const char *value, *filter;
	} cases[] = {{FIELD_USER_NAME, "a@example.com", "userName eq \"a@example.com\""},
			{FIELD_DISPLAY_NAME, "O'Sample \"x\" \\",
					"displayName eq \"O'Sample \\\"x\\\" \\\\\""},
			{FIELD_EXTERNAL_ID, "", "externalId eq \"\""}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(mem_freep) char *filter = scim_filter(cases[i].by, cases[i].value);

		assert_string_equal(filter, cases[i].filter);
	}
}

/* Pages as a server answers them, and where the client then asks. */
static void the_cursor_misses_nothing(void **state)
{
	static const struct {
		const char *about;
		struct {
			uint64_t total;
			size_t returned, fresh;
			uint64_t next; /* startIndex of the next page; 0: the end; UINT64_MAX: an error */
		} pages[8];
	} cases[] = {
			{"five by two", {{5, 2, 2, 3}, {5, 2, 2, 5}, {5, 1, 1, 6}, {5, 0, 0, 0}}},
			{"less than asked for in the middle",
					{{5, 1, 1, 2}, {5, 3, 3, 5}, {5, 1, 1, 6}, {5, 0, 0, 0}}},
			{"nothing there", {{0, 0, 0, 0}}},
			{"no total",
					{{SCIM_TOTAL_UNKNOWN, 2, 2, 3},
							{SCIM_TOTAL_UNKNOWN, 0, 0, 0}}},
			{"repeats", {{4, 2, 2, 3}, {4, 2, 1, 5}, {4, 1, 1, 6}, {4, 0, 0, 0}}},
			{"cut short", {{5, 2, 2, 3}, {5, 0, 0, UINT64_MAX}}},
			/* two that were seen are deleted: what follows has moved up by two */
			{"shrinks", {{6, 3, 3, 4}, {4, 1, 1, 3}, {4, 2, 1, 5}, {4, 0, 0, 0}}},
			{"shrinks at the end",
					{{6, 3, 3, 4}, {6, 3, 3, 7}, {5, 0, 0, 6}, {5, 0, 0, 0}}},
			{"grows", {{2, 2, 2, 3}, {3, 1, 1, 4}, {3, 0, 0, 0}}},
			{"one page for ever",
					{{9, 2, 2, 3}, {9, 2, 0, 5}, {9, 2, 0, 7}, {9, 2, 0, 9},
							{9, 2, 0, UINT64_MAX}}},
			{"shrinks for ever",
					{{9, 2, 2, 3}, {8, 0, 0, 2}, {7, 0, 0, 1}, {6, 0, 0, 1},
							{5, 0, 0, UINT64_MAX}}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct scim_cursor cursor;
		bool more = true;

		scim_cursor_init(&cursor);
		for (size_t j = 0; more; j++) {
			struct err err;
			enum err_code code = scim_cursor_advance(&cursor, cases[i].pages[j].total,
					cases[i].pages[j].returned, cases[i].pages[j].fresh, &more,
					&err);
			uint64_t next = code != ERR_NONE ? UINT64_MAX : more ? cursor.start : 0;

			if (next != cases[i].pages[j].next)
				fail_msg("%s, page %zu: %llu", cases[i].about, j,
						(unsigned long long)next);
			if (code != ERR_NONE) {
				assert_int_equal(code, ERR_INCOMPLETE);
				break;
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(a_whole_user_is_read),
			cmocka_unit_test(what_comes_through_groups_is_not_its_own),
			cmocka_unit_test(members_tell_their_kind),
			cmocka_unit_test(what_is_no_resource_is_refused),
			cmocka_unit_test(lists_are_told_from_other_objects),
			cmocka_unit_test(filters_are_quoted),
			cmocka_unit_test(the_cursor_misses_nothing),
	};

	return cmocka_run_group_tests_name("scim_read", tests, NULL, NULL);
}
