/* How a plan reads. */
#include "cli/plan_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct target_settings targets[] = {
		{.name = "account", .is_account = true}, {.name = "prod"}};
static const struct settings settings = {
		.targets = targets, .target_count = COUNT_OF(targets), .has_account = true};

#define RULE(line_, entry_)                                                                        \
	{                                                                                          \
		.file = "mappings/corp.yaml", .line = (line_), .entry = (entry_)                   \
	}
#define ADA "uid=ada,ou=people,dc=corp,dc=example"

static char *shown(const struct plan *plan, bool color, bool full)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	struct canvas canvas = {.file = file, .color = color};

	plan_print(&canvas, plan, &settings, 14, full);
	assert_int_equal(fclose(file), 0);
	return text;
}

static void expect(const struct plan *plan, const char *wanted)
{
	char *text = shown(plan, false, false);

	assert_string_equal(text, wanted);
	free(text);
}

static void test_empty(void **state)
{
	const struct plan plan = {.complete = true};

	(void)state;
	expect(&plan,
			"Nothing to do: Databricks is as the directory and the rules want it.\n"
			"Plan: 0 to add, 0 to change, 0 to remove, 0 to adopt, 0 held. 14 calls "
			"made.\n");
}

static const struct field_change create_fields[] = {{FIELD_USER_NAME, NULL, "ada@corp.example"},
		{FIELD_DISPLAY_NAME, NULL, "Ada Sample"}};
static const struct field_change update_fields[] = {
		{FIELD_DISPLAY_NAME, "Bo Old", "Bo New"}, {FIELD_EXTERNAL_ID, NULL, "42"}};
static const struct principal_ref members[] = {
		{"corp/1", "1", "zoe@corp.example"}, {"corp/2", "2", "ada@corp.example"}};
static const struct principal_ref leaver_1[] = {{"corp/3", "3", "cy@corp.example"}};
static const struct principal_ref leaver_2[] = {{"corp/4", "4", "bo@corp.example"}};
static const char *const user_level[] = {"USER"};
static const char *const admin_level[] = {"ADMIN"};
static const char *const entitlements[] = {"workspace-access", "databricks-sql-access"};

static const struct operation every_kind[] = {
		{.kind = OP_CREATE,
				.principal = PRINCIPAL_GROUP,
				.object = {"corp/9", NULL, "engineers"},
				.why = RULE(9, NULL)},
		{.kind = OP_CREATE,
				.principal = PRINCIPAL_USER,
				.object = {"corp/2", NULL, "ada@corp.example"},
				.fields = create_fields,
				.field_count = 2,
				.active_after = true,
				.why = RULE(3, ADA)},
		{.kind = OP_ADD_MEMBERS,
				.principal = PRINCIPAL_GROUP,
				.object = {"corp/9", NULL, "engineers"},
				.members = members,
				.member_count = 2,
				.why = RULE(9, NULL)},
		{.kind = OP_UPDATE,
				.principal = PRINCIPAL_USER,
				.object = {"corp/4", "4", "bo@corp.example"},
				.fields = update_fields,
				.field_count = 2,
				.active_before = true,
				.active_after = false,
				.why = RULE(3, NULL)},
		{.kind = OP_ADOPT,
				.principal = PRINCIPAL_SERVICE,
				.object = {"name/x", "7", "etl"},
				.why = RULE(20, NULL)},
		{.kind = OP_ASSIGN,
				.target = 1,
				.principal = PRINCIPAL_GROUP,
				.object = {"corp/9", "1", "engineers"},
				.values = user_level,
				.value_count = 1,
				.why = RULE(30, NULL)},
		{.kind = OP_ASSIGN,
				.target = 1,
				.principal = PRINCIPAL_GROUP,
				.object = {"corp/8", "8", "admins-x"},
				.values = admin_level,
				.values_before = user_level,
				.value_count = 1,
				.why = RULE(31, NULL)},
		{.kind = OP_ADD_ENTITLEMENTS,
				.target = 1,
				.principal = PRINCIPAL_GROUP,
				.object = {"corp/9", "1", "engineers"},
				.values = entitlements,
				.value_count = 2,
				.why = RULE(32, NULL)},
		{.kind = OP_DELETE,
				.principal = PRINCIPAL_GROUP,
				.object = {"corp/7", "7", "Old Team"},
				.is_removal = true,
				.held_by = "h-1",
				.why = RULE(9, NULL)},
		{.kind = OP_ADD_MEMBERS,
				.adopts = true,
				.principal = PRINCIPAL_GROUP,
				.object = {"corp/9", NULL, "engineers"},
				.members = leaver_1,
				.member_count = 1,
				.why = RULE(9, NULL)},
		/* One operation per member that leaves: shown as one line. */
		{.kind = OP_REMOVE_MEMBERS,
				.principal = PRINCIPAL_GROUP,
				.object = {"corp/8", "8", "admins-x"},
				.members = leaver_1,
				.member_count = 1,
				.is_removal = true,
				.why = RULE(9, "cn=a")},
		{.kind = OP_REMOVE_MEMBERS,
				.principal = PRINCIPAL_GROUP,
				.object = {"corp/8", "8", "admins-x"},
				.members = leaver_2,
				.member_count = 1,
				.is_removal = true,
				.why = RULE(9, "cn=b")},
};

static const char every_kind_text[] =
		"account\n"
		"  users\n"
		"    + create user \"ada@corp.example\"  # mappings/corp.yaml:3, " ADA "\n"
		"        displayName \"Ada Sample\"\n"
		"    ~ change user \"bo@corp.example\"  # mappings/corp.yaml:3\n"
		"        displayName \"Bo Old\" -> \"Bo New\"\n"
		"        externalId (none) -> \"42\"\n"
		"        active true -> false\n"
		"  groups\n"
		"    - remove 2 members from group \"admins-x\": bo@corp.example, "
		"cy@corp.example"
		"  # mappings/corp.yaml:9\n"
		"    + create group \"engineers\"  # mappings/corp.yaml:9\n"
		"    = adopt 1 member of group \"engineers\": cy@corp.example  # "
		"mappings/corp.yaml:9\n"
		"    + add 2 members to group \"engineers\": ada@corp.example, "
		"zoe@corp.example"
		"  # mappings/corp.yaml:9\n"
		"    - delete group \"Old Team\"  [held h-1]  # mappings/corp.yaml:9\n"
		"  service principals\n"
		"    = adopt service principal \"etl\"  # mappings/corp.yaml:20\n"
		"\n"
		"workspace prod\n"
		"  groups\n"
		"    ~ assign group \"admins-x\": USER -> ADMIN  # mappings/corp.yaml:31\n"
		"    + assign group \"engineers\": USER  # mappings/corp.yaml:30\n"
		"    + add 2 entitlements to group \"engineers\": databricks-sql-access, "
		"workspace-access"
		"  # mappings/corp.yaml:32\n"
		"\n"
		"Notes\n"
		"  ! search of corp ou=x: size limit after 500 entries "
		"(mappings/corp.yaml:3)\n"
		"  * member uid=z is in no search\n"
		"\n"
		"Plan: 5 to add, 2 to change, 2 to remove, 1 to adopt, 1 held. 14 calls "
		"made.\n"
		"Held removals wait for a person: ldap2dbx approve or reject, by the id in "
		"brackets.\n";

static void test_every_kind(void **state)
{
	static const struct plan_note notes[] = {
			{NOTE_INCOMPLETE,
					"search of corp ou=x: size limit after 500 entries "
					"(mappings/corp.yaml:3)"},
			{NOTE_INFO, "member uid=z is in no search"}};
	const struct plan plan = {.operations = every_kind,
			.count = COUNT_OF(every_kind),
			.notes = notes,
			.note_count = COUNT_OF(notes),
			.summary = {5, 2, 2, 1, 1},
			.complete = true};

	(void)state;
	expect(&plan, every_kind_text);
}

static void test_incomplete(void **state)
{
	const struct plan plan = {.complete = false};

	(void)state;
	expect(&plan,
			"Not everything could be read. What was not read counts as there: no "
			"removal follows from it.\n"
			"Plan: 0 to add, 0 to change, 0 to remove, 0 to adopt, 0 held. 14 calls "
			"made.\n");
}

/* Many operations of one kind on objects u0, u1, ... */
static struct operation *many(
		enum operation_kind kind, size_t count, bool is_removal, struct arena *arena)
{
	struct operation *operations = arena_alloc(arena, count * sizeof(*operations));

	for (size_t i = 0; i < count; i++)
		operations[i] = (struct operation){.kind = kind,
				.principal = PRINCIPAL_USER,
				.object = {arena_printf(arena, "corp/%zu", i), NULL,
						arena_printf(arena, "u%05zu", i)},
				.active_after = true,
				.is_removal = is_removal};
	return operations;
}

static size_t count_lines(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static void test_long_lists_are_cut_but_removals_never(void **state)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct plan plan = {.operations = many(OP_CREATE, 5000, false, arena),
			.count = 5000,
			.complete = true};
	char *text = shown(&plan, false, false);

	(void)state;
	assert_int_equal(count_lines(text), PLAN_LINES_SHOWN + 5);
	assert_non_null(strstr(
			text, "    ... and 4900 more like this: create (--full shows them)\n"));
	free(text);
	text = shown(&plan, false, true);
	assert_int_equal(count_lines(text), 5004);
	free(text);

	plan.operations = many(OP_DEACTIVATE, 5000, true, arena);
	text = shown(&plan, false, false);
	assert_int_equal(count_lines(text), 5004);
	assert_non_null(strstr(text, "    - deactivate user \"u04999\"\n"));
	free(text);
}

static void test_many_members(void **state)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct principal_ref *names = arena_alloc(arena, 1000 * sizeof(*names));
	struct operation op = {.kind = OP_ADD_MEMBERS,
			.principal = PRINCIPAL_GROUP,
			.object = {"g", "1", "g"},
			.members = names,
			.member_count = 1000};
	const struct plan plan = {.operations = &op, .count = 1, .complete = true};
	char *text;

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		names[i] = (struct principal_ref){
				"k", NULL, arena_printf(arena, "m%04zu@corp.example", i)};
	text = shown(&plan, false, false);
	assert_non_null(strstr(text,
			"    + add 1000 members to group \"g\"\n        m0000@corp.example, "
			"m0001@"));
	assert_non_null(strstr(
			text, "m0019@corp.example\n        and 980 more (--full shows them)\n"));
	assert_null(strstr(text, "m0020@"));
	free(text);
	op.kind = OP_REMOVE_MEMBERS;
	op.is_removal = true;
	text = shown(&plan, false, false);
	assert_non_null(strstr(text, "m0999@corp.example\n"));
	assert_null(strstr(text, "more (--full"));
	for (const char *line = text; line; line = strchr(line + 1, '\n'))
		assert_true(strcspn(line + 1, "\n") <= 110);
	free(text);
}

/* Names come from outside: none may move the cursor or forge a line. */
static void test_hostile_names(void **state)
{
	const struct operation op = {.kind = OP_CREATE,
			.principal = PRINCIPAL_USER,
			.object = {"k", NULL, "a\033[2J\nPlan: 0 to add"},
			.active_after = true,
			.why = {.file = "m.yaml", .line = 1, .entry = "cn=\r\n"}};
	static const struct plan_note note = {NOTE_SKIPPED, "x\ny"};
	const struct plan plan = {.operations = &op,
			.count = 1,
			.notes = &note,
			.note_count = 1,
			.complete = true};
	char *text = shown(&plan, false, false);

	(void)state;
	assert_null(strchr(text, '\033'));
	assert_null(strchr(text, '\r'));
	assert_null(strstr(text, "\nPlan: 0 to add\""));
	assert_int_equal(count_lines(text), 8);
	free(text);
}

static void test_colors(void **state)
{
	const struct operation op = {.kind = OP_DELETE,
			.principal = PRINCIPAL_USER,
			.object = {"k", "1", "u"},
			.is_removal = true};
	const struct plan plan = {.operations = &op, .count = 1, .complete = true};
	char *text = shown(&plan, true, false);

	(void)state;
	assert_non_null(strstr(text, "    \033[31m-\033[0m delete user \"u\"\n"));
	free(text);
	text = shown(&plan, false, false);
	assert_null(strchr(text, '\033'));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_empty),
			cmocka_unit_test(test_every_kind),
			cmocka_unit_test(test_incomplete),
			cmocka_unit_test(test_long_lists_are_cut_but_removals_never),
			cmocka_unit_test(test_many_members),
			cmocka_unit_test(test_hostile_names),
			cmocka_unit_test(test_colors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
