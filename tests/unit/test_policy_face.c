/* What a cluster policy says: equal meaning is equal text, and what differs is named. */
#include "sync/access/cluster_policy_face.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_json_by_meaning(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} pairs[] = {
			{"{\"a\":1,\"b\":{\"c\":true,\"d\":null}}",
					"{ \"b\": {\"d\":null, \"c\":true},\n\"a\":1 }", true},
			{"{\"a\":1}", "{\"a\":1.0}", true},
			{"{\"a\":1}", "{\"a\":1.5}", false},
			{"{\"a\":1}", "{\"a\":\"1\"}", false},
			{"{\"a\":[1,2]}", "{\"a\":[2,1]}", false},
			{"{\"a\":\"\\u00e4\"}", "{\"a\":\"\xc3\xa4\"}", true},
			{"no json", "no json", true},
			{"no json", "{}", false},
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		if (text_equal(policy_json_meaning(pairs[i].a, arena),
				    policy_json_meaning(pairs[i].b, arena)) != pairs[i].same)
			fail_msg("%s and %s", pairs[i].a, pairs[i].b);
	}
	assert_null(policy_json_meaning(NULL, arena));
	arena_free(arena);
}

static const struct wanted_policy plain = {.name = "standard",
		.definition = "{\"a\":{\"type\":\"fixed\",\"value\":1}}",
		.max_clusters_per_user = 2,
		.libraries = "[{\"jar\":\"x\"},{\"pypi\":{\"package\":\"y\"}}]"};

static size_t differences(const struct cluster_policy *seen, const struct wanted_policy *wanted,
		const char *family, const char **ret_first)
{
	struct arena *arena = arena_new();
	const struct part_change *changes;
	struct policy_face now, then;
	static char first[64];
	size_t count;

	policy_face_of_seen(seen, arena, &now);
	policy_face_of_wanted(wanted, family, arena, &then);
	count = policy_face_compare(&now, &then, arena, &changes);
	(void)snprintf(first, sizeof(first), "%s", count ? changes[0].name : "");
	*ret_first = first;
	arena_free(arena);
	return count;
}

static void test_same_policy(void **state)
{
	const char *first;
	struct cluster_policy seen = {.id = "A",
			.name = "standard",
			.description = "",
			.definition = "{ \"a\": {\"value\": 1, \"type\": \"fixed\"} }",
			.family_overrides = "",
			.max_clusters_per_user = 2,
			.libraries = "[{\"pypi\":{\"package\":\"y\"}}, {\"jar\":\"x\"}, "
				     "{\"jar\":\"x\"}]",
			.auto_enforcement = "{}"};

	(void)state;
	assert_int_equal(differences(&seen, &plain, NULL, &first), 0);
	seen.definition = "{\"a\":{\"type\":\"fixed\",\"value\":1,\"hidden\":false}}";
	assert_int_equal(differences(&seen, &plain, NULL, &first), 0);
	seen.definition = "{\"a\":{\"type\":\"fixed\",\"value\":1,\"hidden\":true}}";
	assert_int_equal(differences(&seen, &plain, NULL, &first), 1);
	seen.definition = plain.definition;
	seen.max_clusters_per_user = 0;
	assert_int_equal(differences(&seen, &plain, NULL, &first), 1);
	assert_string_equal(first, "max_clusters_per_user");
	seen.name = "Standard";
	assert_int_equal(differences(&seen, &plain, NULL, &first), 2);
	assert_string_equal(first, "name");
}

/* An element that is not optional and not hidden says so by default; types have had other names. */
static void test_defaults_of_elements(void **state)
{
	static const struct wanted_policy wanted = {.name = "own",
			.definition = "{\"a\":{\"type\":\"allowlist\",\"values\":[1],"
				      "\"isOptional\":false},\"b\":[]}"};
	struct cluster_policy seen = {.id = "A",
			.name = "own",
			.definition = "{\"a\":{\"type\":\"whitelist\",\"values\":[1.0]},\"b\":[]}"};
	const char *first;

	(void)state;
	assert_int_equal(differences(&seen, &wanted, NULL, &first), 0);
	seen.definition = "{\"a\":{\"type\":\"blacklist\",\"values\":[1]},\"b\":[]}";
	assert_int_equal(differences(&seen, &wanted, NULL, &first), 1);
}

/* A server that says more of a library than was asked for; a kind that we do not know is not nothing. */
static void test_libraries(void **state)
{
	static const struct {
		const char *seen;
		size_t differences;
	} cases[] = {
			{"[{\"jar\":\"x\",\"status\":{\"a\":[1]}},{\"pypi\":{\"package\":\"y\","
			 "\"repo\":null,"
			 "\"hash\":\"h\"}}]",
					0},
			{"[{\"egg\":null,\"jar\":\"x\"},{\"pypi\":{\"package\":\"y\"},\"maven\":"
			 "null}]",
					0},
			{"[{\"jar\":\"x\"},{\"pypi\":{\"package\":\"y\",\"repo\":\"r\"}}]", 1},
			{"[{\"jar\":\"x\"},{\"pypi\":{\"package\":\"y\"}},{\"wheelhouse\":\"z\"}]",
					1},
			{"[{\"jar\":\"x\"},{\"pypi\":{\"package\":\"y\"}},null,7]", 1},
			{NULL, 1},
	};
	struct cluster_policy seen = {.id = "A",
			.name = "standard",
			.definition = plain.definition,
			.max_clusters_per_user = 2};
	const char *first;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		seen.libraries = cases[i].seen;
		if (differences(&seen, &plain, NULL, &first) != cases[i].differences)
			fail_msg("%s: %s", cases[i].seen, first);
	}
}

/* Of a family a read shows the merged definition, which is nobody's. */
static void test_family(void **state)
{
	static const struct wanted_policy wanted = {.name = "own",
			.family = "Personal Compute",
			.overrides = "{\"b\":{\"type\":\"unlimited\"}}"};
	struct cluster_policy seen = {.id = "A",
			.name = "own",
			.definition = "{\"merged\":{}}",
			.family_id = "personal-vm",
			.family_overrides = "{\"b\" : {\"type\":\"unlimited\"}}"};
	const char *first;

	(void)state;
	assert_int_equal(differences(&seen, &wanted, "personal-vm", &first), 0);
	assert_int_equal(differences(&seen, &wanted, "job-cluster", &first), 1);
	assert_string_equal(first, "policy_family_id");
	seen.family_overrides = "{}";
	assert_int_equal(differences(&seen, &wanted, "personal-vm", &first), 1);
	assert_string_equal(first, "policy_family_definition_overrides");
}

static void test_kept_and_read_back(void **state)
{
	struct arena *arena = arena_new();
	struct policy_face face, back;
	const struct part_change *changes;
	char *text;

	(void)state;
	policy_face_of_wanted(&plain, NULL, arena, &face);
	text = policy_face_text(&face);
	assert_true(policy_face_read(text, arena, &back));
	assert_int_equal(policy_face_compare(&face, &back, arena, &changes), 0);
	assert_int_equal(policy_face_compare(NULL, &face, arena, &changes), 4);
	assert_null(changes[0].before);
	assert_false(policy_face_read("[]", arena, &back));
	assert_false(policy_face_read(NULL, arena, &back));
	mem_free(text);
	arena_free(arena);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_json_by_meaning),
			cmocka_unit_test(test_same_policy),
			cmocka_unit_test(test_defaults_of_elements),
			cmocka_unit_test(test_libraries),
			cmocka_unit_test(test_family),
			cmocka_unit_test(test_kept_and_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
