/* Entries become identities: fields, scope, types, limits, and what a failure says. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/text.h"
#include "rules/evaluate.h"
#include "rules_support.h"

#include <stdio.h>

#define HEAD "version: 1\n"
#define SEARCH "search: {base: \"ou=people,dc=example,dc=com\", filter: (mail=*)}"

#define VALUE(literal)                                                                             \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}
static const struct span mail[] = {VALUE("Ada@Example.com")}, cn[] = {VALUE("Z\xc3\x9cRICH")},
			 sn[] = {VALUE("Sample")};
static const struct span yes[] = {VALUE("TRUE")}, no[] = {VALUE("FALSE")}, empty[] = {VALUE("")};
static const struct span broken[] = {VALUE("\xff")}, tab[] = {VALUE("a\tb")};
static char long_text[EVALUATE_FIELD_MAX + 1];
static const struct span longer[] = {{long_text, sizeof(long_text)}},
			 longest[] = {{long_text, sizeof(long_text) - 1}};
static const struct attribute attributes[] = {
		{"mail", mail, 1},
		{"cn", cn, 1},
		{"sn", sn, 1},
		{"yes", yes, 1},
		{"no", no, 1},
		{"empty", empty, 1},
		{"broken", broken, 1},
		{"tab", tab, 1},
		{"longer", longer, 1},
		{"longest", longest, 1},
};
static const struct entry entry = {"11111111-2222-3333-4444-555555555555",
		"uid=ada,ou=people,dc=example,dc=com", attributes, COUNT_OF(attributes)};

static bool in_group(void *context, const char *glob)
{
	return text_matches_glob(glob, context);
}

static char group_name[] = "Staff";
static const struct membership membership = {group_name, in_group};

/* The first search of the mapping, evaluated; result and its strings live until the next call. */
struct evaluated {
	struct config *config;
	struct evaluator *evaluator;
	struct arena *arena;
	struct evaluation evaluation;
};

static void done(struct evaluated *e)
{
	evaluator_free(e->evaluator);
	config_free(e->config);
	arena_free(e->arena);
}

static struct evaluated evaluate(const char *mapping)
{
	struct evaluated e = {
			.config = support_must_load(support_config, mapping), .arena = arena_new()};
	size_t count;

	e.evaluator = evaluator_new(config_mapping(e.config));
	evaluate_entry(e.evaluator, mapping_searches(config_mapping(e.config), &count), &entry,
			&membership, e.arena, &e.evaluation);
	return e;
}

static void fills_a_user(void **state)
{
	struct evaluated e = evaluate(HEAD "users:\n"
					   "- " SEARCH "\n"
					   "  user:\n"
					   "    userName: ${lower(mail)}\n"
					   "    displayName: ${lower(cn)} (${sn})\n"
					   "    name: {familyName: \"${sn}\"}\n");
	const struct identity *user = &e.evaluation.identity;

	(void)state;
	assert_int_equal(e.evaluation.result, EVALUATED);
	assert_int_equal(user->kind, PRINCIPAL_USER);
	assert_string_equal(user->fields[FIELD_USER_NAME], "ada@example.com");
	assert_string_equal(user->fields[FIELD_DISPLAY_NAME], "z\xc3\xbcrich (Sample)");
	assert_null(user->fields[FIELD_GIVEN_NAME]);
	assert_string_equal(user->fields[FIELD_FAMILY_NAME], "Sample");
	assert_string_equal(user->fields[FIELD_EXTERNAL_ID], entry.anchor);
	assert_true(user->active);
	assert_false(e.evaluation.read_groups);
	assert_null(e.evaluation.reason);
	assert_non_null(strstr(user->why.file, "mappings/a.yaml"));
	assert_int_equal(user->why.line, 3);
	assert_string_equal(user->why.entry, entry.dn);
	done(&e);
}

static void fills_a_group(void **state)
{
	struct evaluated e = evaluate(HEAD "groups:\n"
					   "- " SEARCH "\n"
					   "  group: {displayName: \"${cn}\"}\n"
					   "  nested: flatten\n"
					   "  gone: empty\n"
					   "  level: workspace\n"
					   "  in: [prod, \"dev-*\"]\n"
					   "  adopt: true\n"
					   "  exclusive: true\n"
					   "  external_id: none\n");
	const struct identity *group = &e.evaluation.identity;

	(void)state;
	assert_int_equal(e.evaluation.result, EVALUATED);
	assert_int_equal(group->kind, PRINCIPAL_GROUP);
	assert_string_equal(group->fields[FIELD_DISPLAY_NAME], "Z\xc3\x9cRICH");
	assert_null(group->fields[FIELD_EXTERNAL_ID]);
	assert_int_equal(group->nesting, NESTING_FLATTEN);
	assert_int_equal(group->gone, GONE_EMPTY);
	assert_true(group->workspace_level);
	assert_int_equal(group->workspace_count, 2);
	assert_string_equal(group->workspaces[1], "dev-*");
	assert_true(group->adopt_powerful);
	assert_true(group->exclusive);
	done(&e);
	e = evaluate(HEAD "groups:\n- " SEARCH "\n  group: {displayName: x}\n");
	assert_int_equal(e.evaluation.identity.nesting, NESTING_KEEP);
	assert_int_equal(e.evaluation.identity.gone, GONE_DEFAULT);
	assert_false(e.evaluation.identity.workspace_level);
	assert_false(e.evaluation.identity.adopt_powerful);
	done(&e);
}

static void fills_a_service_principal(void **state)
{
	struct evaluated e = evaluate(HEAD "service_principals:\n"
					   "- " SEARCH "\n"
					   "  service_principal: {displayName: \"${cn}\", "
					   "applicationId: \"${sn}\", active: \"${no}\"}\n");

	(void)state;
	assert_int_equal(e.evaluation.result, EVALUATED);
	assert_int_equal(e.evaluation.identity.kind, PRINCIPAL_SERVICE);
	assert_string_equal(e.evaluation.identity.fields[FIELD_APPLICATION_ID], "Sample");
	assert_false(e.evaluation.identity.active);
	done(&e);
}

struct outcome {
	const char *text; /* a template or an expression, quoted for YAML */
	enum evaluation_result result;
	const char *said; /* userName, or the beginning of the reason behind the file's name */
};

static void check(const char *format_head, const struct outcome *outcomes, size_t count,
		const char *tail)
{
	unsigned unexpected = 0;

	for (size_t i = 0; i < count; i++) {
		AUTO(mem_freep)
		char *text = mem_printf("%s%s%s", format_head, outcomes[i].text, tail);
		struct evaluated e = evaluate(text);
		const char *said = e.evaluation.result == EVALUATED
				? e.evaluation.identity.fields[FIELD_USER_NAME]
				: e.evaluation.reason;
		const char *file = said ? strstr(said, "mappings/a.yaml:") : NULL;

		said = file ? file + strlen("mappings/a.yaml:") : said;
		if (e.evaluation.result != outcomes[i].result ||
				(outcomes[i].said &&
						(!said ||
								!text_starts_with(said,
										outcomes[i].said)))) {
			print_error("%s: %d %s\n", outcomes[i].text, (int)e.evaluation.result,
					said ? said : "-");
			unexpected++;
		}
		done(&e);
	}
	assert_int_equal(unexpected, 0);
}

static const struct outcome user_names[] = {
		{"'${mail}'", EVALUATED, "Ada@Example.com"},
		{"'${12 + 1}'", EVALUATED, "13"},
		{"'a${1.5}'", EVALUATED, "a1.5"},
		{"'x'", EVALUATED, "x"},
		{"'$${x}'", EVALUATED, "${x}"},
		{"'${longest}'", EVALUATED, NULL},
		{"'${missing}'", EVALUATED_NIL, "4: userName has no value"},
		{"'${empty}'", EVALUATED_NIL, "4: userName has no value"},
		{"'a-${missing}'", EVALUATED_NIL, "4: userName has no value"},
		{"'a-${empty}'", EVALUATED, "a-"},
		{"'${missing .. 1}'", EVALUATED_FAILED,
				"4: userName: attempt to concatenate a nil value (attribute "
				"'missing')"},
		{"'${true}'", EVALUATED_FAILED, "4: userName: its value is a boolean, not a text"},
		{"'${all.mail}'", EVALUATED_FAILED,
				"4: userName: its value is a table, not a text"},
		{"'a${true}'", EVALUATED_FAILED,
				"4: userName: a ${} inside a longer text is a boolean, not a text"},
		{"'${broken}'", EVALUATED_FAILED,
				"4: userName: attribute 'broken' is not UTF-8 text"},
		{"\"${'\\\\xff'}\"", EVALUATED_FAILED, "4: userName: its value is not UTF-8 text"},
		{"'${tab}'", EVALUATED_FAILED, "4: userName: its value holds a control character"},
		{"'${longer}'", EVALUATED_FAILED,
				"4: userName: its value is longer than 256 characters"},
};

static void judges_names(void **state)
{
	(void)state;
	check(HEAD "users:\n- " SEARCH "\n  user: {userName: ", user_names, COUNT_OF(user_names),
			"}\n");
}

static const struct outcome scopes[] = {
		{"true", EVALUATED, NULL},
		{"mail", EVALUATED, NULL},
		{"0", EVALUATED, NULL},
		{"yes", EVALUATED, NULL},
		{"false", EVALUATED_OUT, NULL},
		{"no", EVALUATED_OUT, NULL}, /* the text FALSE, as directories write it */
		{"missing", EVALUATED_OUT, NULL},
		{"in_group('staff')", EVALUATED, NULL},
		{"in_group('other')", EVALUATED_OUT, NULL},
		{"not in_group('staff')", EVALUATED_OUT, NULL},
		{"missing < 1", EVALUATED_FAILED, "5: when: attempt to compare nil with number"},
};

static void judges_scope(void **state)
{
	(void)state;
	check(HEAD "users:\n- " SEARCH "\n  user: {userName: x}\n  when: ", scopes,
			COUNT_OF(scopes), "\n");
}

static const struct {
	const char *text;
	int active; /* -1: the evaluation fails */
} actives[] = {
		{"'${true}'", 1},
		{"'${false}'", 0},
		{"true", 1},
		{"false", 0},
		{"'${yes}'", 1},
		{"'${no}'", 0},
		{"'${missing or true}'", 1},
		{"'${no or true}'", 0},
		{"'${missing == nil}'", 1},
		{"'${missing}'", -1},
		{"'${mail}'", -1},
		{"'${1}'", -1},
};

static void judges_active(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(actives); i++) {
		AUTO(mem_freep)
		char *text = mem_printf(HEAD "users:\n- " SEARCH
					     "\n  user: {userName: x, active: %s}\n",
				actives[i].text);
		struct evaluated e = evaluate(text);

		assert_int_equal(e.evaluation.result,
				actives[i].active < 0 ? EVALUATED_FAILED : EVALUATED);
		if (actives[i].active >= 0)
			assert_int_equal(e.evaluation.identity.active, actives[i].active);
		done(&e);
	}
}

static void remembers_that_groups_were_asked(void **state)
{
	struct evaluated e = evaluate(
			HEAD "users:\n- " SEARCH
			     "\n  user: {userName: x}\n  when: in_group('none') or missing < 1\n");

	(void)state;
	assert_int_equal(e.evaluation.result, EVALUATED_FAILED);
	assert_true(e.evaluation.read_groups); /* also of a failure: it may end when a group changes
						*/
	done(&e);
}

/* The order in which a server lists values is no content. */
static void ignores_the_order_of_values(void **state)
{
	static const struct span one[] = {VALUE("b"), VALUE("a"), VALUE("c")},
				 other[] = {VALUE("c"), VALUE("b"), VALUE("a")};
	struct config *config = support_must_load(support_config,
			HEAD "users:\n- " SEARCH
			     "\n  user: {userName: '${v}', displayName: \"${join(all.v, '')}\"}\n");
	struct evaluator *evaluator = evaluator_new(config_mapping(config));
	struct arena *arena = arena_new();
	size_t count;
	const struct search *search = mapping_searches(config_mapping(config), &count);

	(void)state;
	for (int i = 0; i < 2; i++) {
		const struct attribute attribute = {"v", i ? one : other, 3};
		const struct entry values = {"anchor", "cn=x", &attribute, 1};
		struct evaluation evaluation;

		evaluate_entry(evaluator, search, &values, &membership, arena, &evaluation);
		assert_string_equal(evaluation.identity.fields[FIELD_USER_NAME], "a");
		assert_string_equal(evaluation.identity.fields[FIELD_DISPLAY_NAME], "abc");
	}
	arena_free(arena);
	evaluator_free(evaluator);
	config_free(config);
}

static void goes_on_after_a_failure(void **state)
{
	struct evaluated e = evaluate(
			HEAD "users:\n- " SEARCH "\n  user: {userName: '${missing .. 1}'}\n"
			     "- " SEARCH "\n  user: {userName: '${mail}'}\n");
	size_t count;
	const struct search *searches = mapping_searches(config_mapping(e.config), &count);

	(void)state;
	for (int i = 0; i < 1000; i++) {
		evaluate_entry(e.evaluator, &searches[0], &entry, &membership, e.arena,
				&e.evaluation);
		assert_int_equal(e.evaluation.result, EVALUATED_FAILED);
	}
	evaluate_entry(e.evaluator, &searches[1], &entry, &membership, e.arena, &e.evaluation);
	assert_int_equal(e.evaluation.result, EVALUATED);
	evaluate_entry(e.evaluator, &searches[2], &entry, &membership, e.arena,
			&e.evaluation); /* containers */
	assert_int_equal(e.evaluation.result, EVALUATED_OUT);
	done(&e);
}

static int fill_long_text(void **state)
{
	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(fills_a_user),
			cmocka_unit_test(fills_a_group),
			cmocka_unit_test(fills_a_service_principal),
			cmocka_unit_test(judges_names),
			cmocka_unit_test(judges_scope),
			cmocka_unit_test(judges_active),
			cmocka_unit_test(remembers_that_groups_were_asked),
			cmocka_unit_test(ignores_the_order_of_values),
			cmocka_unit_test(goes_on_after_a_failure),
	};

	return cmocka_run_group_tests(tests, fill_long_text, NULL);
}
