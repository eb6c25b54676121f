/* `tests:` of mapping files: reading them, and running them without a directory. */
#include "rules/mapping_test.h"

#include "base/text.h"
#include "model/membership.h"

#include <strings.h>

#define DIFFERENCES_MAX ((size_t)2000)

static const char *const kinds[] = {[PRINCIPAL_USER] = "user",
		[PRINCIPAL_GROUP] = "group",
		[PRINCIPAL_SERVICE] = "service_principal",
		NULL};

#define ENTRY_JSON "{\"type\":\"object\"}"
#define EXPECT_JSON "{\"type\":[\"object\",\"string\"]}"

static enum err_code read_attribute(struct reader *reader, const struct document_node *node,
		struct attribute *ret, struct err *err)
{
	struct document_node key = document_key(node);
	struct texts texts;
	struct span *values;
	enum err_code code;

	if (!attribute_name_is_valid(span_of(node->key)))
		return document_error(&key, err,
				"`%.80s` is no attribute's name (letters, digits and hyphens)",
				node->key);
	code = schema_texts(reader, node, &texts, err);
	if (code != ERR_NONE)
		return code;
	if (texts.count == 0)
		return document_error(node, err, "`%s` has no value; leave it out", node->key);
	values = arena_alloc(reader->arena, texts.count * sizeof(*values));
	for (size_t i = 0; i < texts.count; i++)
		values[i] = span_of(texts.items[i]);
	*ret = (struct attribute){node->key, values, texts.count};
	return ERR_NONE;
}

static enum err_code read_entry(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct entry *entry = target;
	struct attribute *attributes;

	if (node->kind != DOCUMENT_MAP)
		return document_error(node, err, "`entry` must be a map of attributes, this is %s",
				document_describe(node));
	if (node->count > ENTRY_ATTRIBUTES_MAX)
		return document_error(node, err, "more than %d attributes", ENTRY_ATTRIBUTES_MAX);
	attributes = arena_alloc(reader->arena, node->count * sizeof(*attributes));
	for (size_t i = 0; i < node->count; i++) {
		enum err_code code = read_attribute(reader, node->children[i], &attributes[i], err);

		if (code != ERR_NONE)
			return code;
	}
	*entry = (struct entry){
			"00000000-0000-0000-0000-000000000000", "cn=test", attributes, node->count};
	return ERR_NONE;
}

/* A scalar as it would be compared; NULL for null: nothing is expected to come out. */
static enum err_code expect_text(const struct document_node *node, const char *name,
		struct expectation *ret, struct err *err)
{
	if (node->kind != DOCUMENT_SCALAR)
		return document_error(node, err, "`%s` must be a text, this is %s", name,
				document_describe(node));
	ret->name = name;
	ret->text = document_is_null(node) ? NULL : node->text;
	return ERR_NONE;
}

static enum err_code expect_field(struct reader *reader, const struct document_node *node,
		const char *name, struct expectation *ret, struct err *err)
{
	const char *known[FIELD_COUNT_ + 1];
	struct document_node key = document_key(node);

	(void)reader;
	for (unsigned field = 0; field < FIELD_COUNT_; field++) {
		known[field] = field_name(field);
		if (strcmp(known[field], name) == 0) {
			ret->field = field;
			return expect_text(node, name, ret, err);
		}
	}
	known[FIELD_COUNT_] = "active";
	if (strcmp(name, "active") != 0)
		return schema_unknown(&key, "key", name, known, COUNT_OF(known), err);
	ret->active_field = true;
	return expect_text(node, name, ret, err);
}

typedef VEC(struct expectation) expectation_vec;

static enum err_code expect_all(struct reader *reader, const struct document_node *map,
		const char *prefix, expectation_vec *expectations, struct err *err)
{
	enum err_code code = ERR_NONE;

	for (size_t i = 0; i < map->count && code == ERR_NONE; i++) {
		const struct document_node *node = map->children[i];
		const char *name = arena_printf(reader->arena, "%s%s", prefix, node->key);
		struct expectation expectation = {0};

		if (!*prefix && strcmp(name, "name") == 0 && node->kind == DOCUMENT_MAP) {
			code = expect_all(reader, node, "name.", expectations, err);
			continue;
		}
		code = expect_field(reader, node, name, &expectation, err);
		if (code == ERR_NONE)
			*vec_add(expectations) = expectation;
	}
	return code;
}

static bool is_skipped(const struct document_node *node)
{
	const struct document_node *skipped = document_get(node, "skipped");

	if (node->kind == DOCUMENT_SCALAR)
		return strcmp(node->text, "none") == 0;
	return skipped && node->count == 1 && skipped->kind == DOCUMENT_SCALAR &&
			strcmp(skipped->text, "true") == 0;
}

static enum err_code read_expect(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct test *test = target;
	expectation_vec expectations = {0};
	struct expectation *copy;
	enum err_code code;

	test->skipped = is_skipped(node);
	if (test->skipped)
		return ERR_NONE;
	if (node->kind != DOCUMENT_MAP || node->count == 0)
		return document_error(
				node, err, "`expect` must be a map of what comes out, or none");
	code = expect_all(reader, node, "", &expectations, err);
	copy = arena_alloc(reader->arena, expectations.count * sizeof(*copy));
	if (expectations.count)
		memcpy(copy, expectations.items, expectations.count * sizeof(*copy));
	test->expectations = copy;
	test->expectation_count = expectations.count;
	vec_release(&expectations);
	return code;
}

static const struct schema_key test_keys[] = {
		{"expect", SCHEMA_OWN, .read = read_expect, .json = EXPECT_JSON,
				.about = "Fields that must come out so; none: the entry is not in "
					 "scope."},
		{"entry", SCHEMA_OWN, .offset = offsetof(struct test, entry), .read = read_entry,
				.json = ENTRY_JSON,
				.about = "Attributes with a text or a list of texts."},
		{"groups", SCHEMA_TEXTS, .offset = offsetof(struct test, groups),
				.about = "Names (cn) of the groups that the entry is in, for "
					 "in_group."},
		{"kind", SCHEMA_CHOICE, .offset = offsetof(struct test, kind), .choices = kinds,
				.preset = "user",
				.about = "Which rules are tried, in their order; search filters "
					 "are not looked at."},
		{"group", SCHEMA_TEXT, .offset = offsetof(struct test, group),
				.about = "In place of entry: cn of a directory group, for grants "
					 "with for_each."},
		{"displayName", SCHEMA_TEXT, .offset = offsetof(struct test, display_name),
				.about = "With group: name of the group that is made of it; left "
					 "out: the cn."},
		{"gives", SCHEMA_TEXTS, .offset = offsetof(struct test, gives),
				.about = "With group: what grants with for_each must give it, such "
					 "as CAN_READ directory /Shared; [] is nothing."},
};
const struct schema mapping_test_schema = SCHEMA("this item of `tests`", test_keys);

/* A test is about an entry or about a group's name, and has only the keys of that. */
static enum err_code check_keys(const struct document_node *node, struct err *err)
{
	static const char *const of_entry[] = {"entry", "expect", "groups", "kind"},
				 *const of_group[] = {"group", "gives", "displayName"};
	bool group = document_get(node, "group") != NULL;
	const char *const *needed = group ? of_group : of_entry;

	for (size_t i = 0; i < COUNT_OF(of_entry) && group; i++) {
		const struct document_node *other = document_get(node, of_entry[i]);

		if (other)
			return document_error_at_key(other, err,
					"`%s` and `group` exclude each other; make it two tests",
					of_entry[i]);
	}
	for (size_t i = 1; i < COUNT_OF(of_group) && !group; i++) {
		const struct document_node *other = document_get(node, of_group[i]);

		if (other)
			return document_error_at_key(
					other, err, "`%s` goes with `group`", of_group[i]);
	}
	for (size_t i = 0; i < 2; i++) {
		if (!document_get(node, needed[i]))
			return document_error_at_key(node, err, "%s lacks `%s`%s",
					mapping_test_schema.name, needed[i],
					group || i ? "" : " or `group`");
	}
	return ERR_NONE;
}

enum err_code mapping_read_test(struct reader *reader, const struct document_node *node,
		void *target, struct err *err)
{
	struct test test = {.file = node->file, .line = node->line};
	enum err_code code = schema_read(reader, &mapping_test_schema, node, &test, err);

	(void)target;
	if (code == ERR_NONE)
		code = check_keys(node, err);
	if (code == ERR_NONE)
		*vec_add(&loader_of(reader)->tests) = test;
	return code;
}

static bool test_in_group(void *context, const char *glob)
{
	const struct test *test = context;

	for (size_t i = 0; i < test->groups.count; i++) {
		if (text_matches_glob(glob, test->groups.items[i]))
			return true;
	}
	return false;
}

static bool file_has_rule(const struct mapping *mapping, const struct test *test)
{
	for (size_t i = 0; i < mapping->rule_counts[test->kind]; i++) {
		if (strcmp(mapping->rules[test->kind][i]->file, test->file) == 0)
			return true;
	}
	return false;
}

/*
 * The first rule that takes the entry; rules of other files only if the test's own has none of that
 * kind. If none takes it: what the first one said that could not tell.
 */
static void evaluate_test(const struct mapping *mapping, struct evaluator *evaluator,
		struct test *test, struct arena *arena, struct evaluation *ret)
{
	const struct membership membership = {test, test_in_group};
	bool own_file = file_has_rule(mapping, test);

	*ret = (struct evaluation){.result = EVALUATED_OUT};
	for (size_t i = 0; i < mapping->rule_counts[test->kind]; i++) {
		const struct rule *rule = mapping->rules[test->kind][i];
		struct evaluation evaluation;

		if (own_file && strcmp(rule->file, test->file) != 0)
			continue;
		evaluate_rule(evaluator, rule, &test->entry, &membership, arena, &evaluation);
		if (evaluation.result == EVALUATED || ret->result == EVALUATED_OUT)
			*ret = evaluation;
		if (evaluation.result == EVALUATED)
			return;
	}
}

static void compare(const struct expectation *expected, const struct identity *identity,
		struct buf *differences)
{
	const char *got = expected->active_field ? (identity->active ? "true" : "false")
						 : identity->fields[expected->field];
	bool same = expected->active_field && expected->text ? strcasecmp(got, expected->text) == 0
							     : text_equal(got, expected->text);

	if (!same)
		buf_printf(differences, "%s%s is %s%s%s, expected %s%s%s",
				differences->len ? "; " : "", expected->name, got ? "\"" : "",
				got ? got : "nil", got ? "\"" : "", expected->text ? "\"" : "",
				expected->text ? expected->text : "nil",
				expected->text ? "\"" : "");
}

static void judge(const struct test *test, const struct evaluation *evaluation,
		struct buf *differences)
{
	static const char *const outcomes[] = {[EVALUATED] = "it is in scope",
			[EVALUATED_OUT] = "no rule takes it",
			[EVALUATED_NIL] = "it is skipped",
			[EVALUATED_FAILED] = "it failed"};
	bool skipped = evaluation->result == EVALUATED_OUT || evaluation->result == EVALUATED_NIL;
	const char *name = evaluation->identity
					   .fields[principal_name_field(evaluation->identity.kind)];

	if (test->skipped ? skipped : evaluation->result == EVALUATED) {
		for (size_t i = 0; i < test->expectation_count; i++)
			compare(&test->expectations[i], &evaluation->identity, differences);
		return;
	}
	buf_printf(differences, "%s%s%s", outcomes[evaluation->result],
			evaluation->reason ? ": " : "",
			evaluation->reason ? evaluation->reason : "");
	if (test->skipped && evaluation->result == EVALUATED)
		buf_printf(differences, " as \"%s\", expected none", name ? name : "");
}

static void run_test(const struct mapping *mapping, struct evaluator *evaluator, struct test *test,
		struct arena *arena, struct mapping_test_result *ret)
{
	struct evaluation evaluation;
	struct buf differences;

	buf_init(&differences, DIFFERENCES_MAX);
	if (test->group) {
		mapping_judge_grants(mapping, evaluator, test, arena, &differences);
	} else {
		evaluate_test(mapping, evaluator, test, arena, &evaluation);
		judge(test, &evaluation, &differences);
	}
	*ret = (struct mapping_test_result){
			.file = test->file, .line = test->line, .passed = differences.len == 0};
	if (!ret->passed)
		ret->text = arena_strdup(arena, buf_text(&differences));
	buf_release(&differences);
}

size_t mapping_run_tests(const struct mapping *mapping, struct arena *arena,
		const struct mapping_test_result **ret, size_t *ret_count)
{
	struct evaluator *evaluator = evaluator_new(mapping);
	struct mapping_test_result *results =
			arena_alloc(arena, mapping->test_count * sizeof(*results));
	size_t failed = 0;

	for (size_t i = 0; i < mapping->test_count; i++) {
		struct test test = mapping->tests[i]; /* the membership's context is not const */

		run_test(mapping, evaluator, &test, arena, &results[i]);
		failed += !results[i].passed;
	}
	evaluator_free(evaluator);
	*ret = results;
	*ret_count = mapping->test_count;
	return failed;
}
