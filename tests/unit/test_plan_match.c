/* What of a plan file still holds. */
#include "cli/plan_match.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct target_settings targets[] = {{.name = "account", .is_account = true}};
static const struct settings settings = {
		.targets = targets, .target_count = 1, .has_account = true};

static const struct principal_ref ada = {"corp/1", "1", "ada"}, bo = {"corp/2", "2", "bo"},
				  group = {"corp/9", "9", "engineers"};
static const struct principal_ref both[] = {{"corp/1", "1", "ada"}, {"corp/2", "2", "bo"}};

static struct operation create(const struct principal_ref *who)
{
	return (struct operation){.kind = OP_CREATE, .object = *who, .active_after = true};
}

static struct operation leave(const struct principal_ref *who)
{
	return (struct operation){.kind = OP_REMOVE_MEMBERS,
			.principal = PRINCIPAL_GROUP,
			.object = group,
			.members = who,
			.member_count = 1,
			.is_removal = true};
}

/* Matches and checks the four figures; ids as the engine gives them. */
static struct plan_match match(struct operation *file_ops, size_t file_count, struct operation *now,
		size_t count, struct arena *arena)
{
	struct plan_file file = {.operations = file_ops, .count = file_count};
	struct plan plan = {.operations = now, .count = count, .complete = true};
	struct plan_match result;

	for (size_t i = 0; i < file_count; i++)
		operation_set_id(&file_ops[i], &settings, arena);
	for (size_t i = 0; i < count; i++)
		operation_set_id(&now[i], &settings, arena);
	plan_match(&file, &plan, &result);
	return result;
}

static void test_same(void **state)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct operation file[] = {create(&ada), create(&bo)}, now[] = {create(&bo), create(&ada)};
	struct plan_match result = match(file, 2, now, 2, arena);

	(void)state;
	assert_int_equal(result.go, 2);
	assert_int_equal(result.stale_count + result.held + result.uncovered, 0);
	plan_match_release(&result);
}

static void test_moved_on_and_new(void **state)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct operation file[] = {create(&ada), leave(&ada)}, now[] = {create(&bo), leave(&bo)};
	struct plan_match result = match(file, 2, now, 2, arena);

	(void)state;
	assert_int_equal(result.go, 0);
	assert_int_equal(result.stale_count, 2);
	assert_true(result.stale[0] && result.stale[1]);
	assert_int_equal(result.uncovered, 2);
	plan_match_release(&result);
}

/* The file's one operation may have become several by now, or lost some of its members. */
static void test_part_of_an_operation(void **state)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct operation file[] = {{.kind = OP_ADD_MEMBERS,
			.principal = PRINCIPAL_GROUP,
			.object = group,
			.members = both,
			.member_count = 2}};
	struct operation now[] = {{.kind = OP_ADD_MEMBERS,
			.principal = PRINCIPAL_GROUP,
			.object = group,
			.members = both + 1,
			.member_count = 1}};
	struct plan_match result = match(file, 1, now, 1, arena);

	(void)state;
	assert_int_equal(result.go, 1);
	assert_int_equal(result.stale_count, 0);
	plan_match_release(&result);
	/* Not the other way round: what the file did not name is not done. */
	result = match(now, 1, file, 1, arena);
	assert_int_equal(result.go, 0);
	assert_int_equal(result.stale_count, 1);
	assert_int_equal(result.uncovered, 1);
	plan_match_release(&result);
}

static void test_held_stays_held(void **state)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct operation file[] = {leave(&ada)}, now[] = {leave(&ada)};
	struct plan_match result;

	(void)state;
	now[0].held_by = "h-1";
	result = match(file, 1, now, 1, arena);
	assert_int_equal(result.go, 0);
	assert_int_equal(result.held, 1);
	assert_int_equal(result.stale_count, 0);
	plan_match_release(&result);
}

/* A hundred thousand members that leave one group: seconds if each were compared with each, so the size is the test. */
static void test_many_of_one_group(void **state)
{
	enum { COUNT = 100000 };
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct operation *file = arena_alloc(arena, COUNT * sizeof(*file));
	struct operation *now = arena_alloc(arena, COUNT * sizeof(*now));
	struct plan_match result;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		struct principal_ref *who = arena_alloc(arena, sizeof(*who));

		*who = (struct principal_ref){arena_printf(arena, "corp/%zu", i), "1", "x"};
		file[i] = leave(who);
		now[COUNT - 1 - i] = leave(who);
	}
	result = match(file, COUNT, now, COUNT, arena);
	assert_int_equal(result.go, COUNT);
	assert_int_equal(result.stale_count, 0);
	plan_match_release(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_same),
			cmocka_unit_test(test_moved_on_and_new),
			cmocka_unit_test(test_part_of_an_operation),
			cmocka_unit_test(test_held_stays_held),
			cmocka_unit_test(test_many_of_one_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
