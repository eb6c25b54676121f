/* What the guard lets go, what it holds, and that it remembers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sync/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct target_settings targets[] = {{.name = "account", .is_account = true}};
static struct settings settings = {
		.targets = targets,
		.target_count = 1,
		.has_account = true,
		.guard = {.window_ms = 3600000,
				.allowances = {[GUARD_USERS] = {true, 5},
						[GUARD_GROUPS] = {true, 5},
						[GUARD_MEMBERS] = {true, 20},
						[GUARD_PERMISSIONS] = {false, 30},
						[GUARD_LISTS] = {false, 2}},
				.minimum = 10},
};

static void allows(void **state)
{
	static const struct {
		enum guard_category category;
		size_t ours, passed, batch;
		bool allowed;
	} cases[] = {
			{GUARD_USERS, 0, 0, 10, true},     /* the minimum always passes */
			{GUARD_USERS, 200, 0, 11, false},  /* 5 % of 200 = 10 */
			{GUARD_USERS, 1000, 0, 50, true},  /* exactly the share */
			{GUARD_USERS, 1000, 0, 51, false}, /* one over it */
			{GUARD_USERS, 951, 49, 1,
					true}, /* what passed was ours at the window's start */
			{GUARD_USERS, 950, 50, 1, false},  /* the leak is counted */
			{GUARD_MEMBERS, 100, 0, 20, true}, /* each category its own share */
			{GUARD_MEMBERS, 100, 0, 21, false},
			{GUARD_PERMISSIONS, 9, 0, 30,
					true}, /* a number is a number, whatever is ours */
			{GUARD_PERMISSIONS, 9000, 0, 31, false},
			{GUARD_POLICIES, 100, 0, 1, false}, /* few things have no minimum */
			{GUARD_LISTS, 100, 0, 2, true},     /* but what is said of them holds */
			{GUARD_LISTS, 100, 1, 2, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		bool allowed = guard_allows(&settings.guard, cases[i].category, cases[i].ours,
				cases[i].passed, cases[i].batch);

		if (allowed != cases[i].allowed)
			fail_msg("case %zu: %d", i, allowed);
	}
}

static void ask(struct guard *guard, unsigned number)
{
	char id[16], key[16];
	struct operation op = {.kind = OP_DEACTIVATE,
			.id = id,
			.object = {key, "1", "sample"},
			.is_removal = true,
			.category = GUARD_USERS,
			.follows_leaver = key};

	(void)snprintf(id, sizeof(id), "op%u", number);
	(void)snprintf(key, sizeof(key), "corp/%u", number);
	guard_ask(guard, &op, "{}");
}

static enum verdict verdict_of(struct guard *guard, unsigned number)
{
	char key[32];
	const struct decision *decision;

	(void)snprintf(key, sizeof(key), "leaver:corp/%u", number);
	decision = guard_find(guard, key);
	assert_non_null(decision);
	return decision->verdict;
}

static void decide(struct guard *guard, size_t ours, int64_t now)
{
	struct guard_counts counts = {.ours = {[GUARD_USERS] = ours}};

	guard_decide(guard, &counts, now);
}

static void one_by_one_stops_at_the_allowance(void **state)
{
	struct guard *guard = guard_new(&settings);
	size_t gone = 0;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		ask(guard, i);
		decide(guard, 200 - gone, 1000 + i);
		gone += verdict_of(guard, i) == VERDICT_GO;
	}
	assert_int_equal(gone, 10);
	assert_int_equal(guard_held_count(guard), 90);
	guard_free(guard);
}

static void a_batch_over_it_is_held_whole(void **state)
{
	struct guard *guard = guard_new(&settings);

	(void)state;
	for (unsigned i = 0; i < 11; i++)
		ask(guard, i);
	decide(guard, 200, 1000);
	for (unsigned i = 0; i < 11; i++)
		assert_int_equal(verdict_of(guard, i), VERDICT_HELD);
	assert_int_equal(guard_passed(guard)[GUARD_USERS], 0);
	guard_free(guard);
}

static void the_window_slides(void **state)
{
	struct guard *guard = guard_new(&settings);

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		ask(guard, i);
	decide(guard, 200, 1000);
	ask(guard, 10);
	decide(guard, 190, 2000);
	assert_int_equal(verdict_of(guard, 10), VERDICT_HELD);
	ask(guard, 11);
	decide(guard, 190, 1000 + 3600000);
	assert_int_equal(verdict_of(guard, 11), VERDICT_GO);
	guard_free(guard);
}

static void asking_again_counts_nothing_twice(void **state)
{
	struct guard *guard = guard_new(&settings);

	(void)state;
	for (int64_t now = 0; now < 50; now++) {
		ask(guard, 1);
		decide(guard, 200, now);
	}
	for (unsigned i = 2; i < 11; i++)
		ask(guard, i);
	decide(guard, 200, 100);
	assert_int_equal(verdict_of(guard, 10), VERDICT_GO);
	guard_free(guard);
}

static void approval_releases_what_was_held_then(void **state)
{
	struct guard *guard = guard_new(&settings);

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		ask(guard, i);
	decide(guard, 200, 1000);
	guard_approve(guard, guard_find(guard, "leaver:corp/3"), 2000);
	assert_int_equal(verdict_of(guard, 3), VERDICT_GO);
	assert_int_equal(verdict_of(guard, 4), VERDICT_HELD);
	guard_forget(guard, "leaver:corp/4");
	assert_null(guard_find(guard, "leaver:corp/4"));
	assert_int_equal(guard_held_count(guard), 18);
	guard_free(guard);
}

static void holds_of_one_category_share_a_name(void **state)
{
	struct guard *guard = guard_new(&settings);

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		ask(guard, i);
	decide(guard, 200, 1000);
	ask(guard, 20);
	ask(guard, 21);
	for (unsigned i = 22; i < 40; i++)
		ask(guard, i);
	decide(guard, 200, 2000);
	assert_string_equal(guard_find(guard, "leaver:corp/1")->hold_id,
			guard_find(guard, "leaver:corp/30")->hold_id);
	guard_free(guard);
}

/* The right to use tokens goes as one entry, and all tokens that die with it count. */
static void one_removal_may_weigh_more(void **state)
{
	static const struct {
		unsigned weight;
		enum verdict verdict;
	} cases[] = {{0, VERDICT_GO}, {1, VERDICT_GO}, {30, VERDICT_GO}, {31, VERDICT_HELD}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct guard *guard = guard_new(&settings);
		struct guard_counts ours = {{0}};
		struct operation op = {.kind = OP_REMOVE_PERMISSIONS,
				.id = "op",
				.object = {"tokens", "1", "sample"},
				.is_removal = true,
				.category = GUARD_PERMISSIONS,
				.weight = cases[i].weight};

		guard_ask(guard, &op, "{}");
		guard_decide(guard, &ours, 1000);
		if (guard_find(guard, "op")->verdict != cases[i].verdict)
			fail_msg("case %zu", i);
		assert_int_equal(guard_passed(guard)[GUARD_PERMISSIONS],
				cases[i].verdict == VERDICT_HELD  ? 0
						: cases[i].weight ? cases[i].weight
								  : 1);
		guard_free(guard);
	}
}

/* What was held before a restart counts as much as it did, when it is approved and while it waits. */
static void a_kept_hold_keeps_its_weight(void **state)
{
	const struct operation op = {.id = "heavy", .target = 0, .weight = 40};
	const struct store_hold hold = {.operation_id = "heavy",
			.hold_id = "permissions-1",
			.operation = "{}",
			.category = GUARD_PERMISSIONS,
			.state = HOLD_WAITING};
	struct guard *guard = guard_new(&settings);
	struct guard_counts ours = {{0}};
	struct operation small = {.kind = OP_REMOVE_PERMISSIONS,
			.id = "small",
			.object = {"tokens", "1", "sample"},
			.is_removal = true,
			.category = GUARD_PERMISSIONS};

	(void)state;
	guard_load_hold(guard, &hold, "tokens", &op);
	guard_approve(guard, guard_find(guard, "heavy"), 1000);
	guard_ask(guard, &small, "{}");
	guard_decide(guard, &ours, 2000);
	assert_int_equal(guard_find(guard, "small")->verdict, VERDICT_HELD);
	guard_free(guard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(allows),
			cmocka_unit_test(one_by_one_stops_at_the_allowance),
			cmocka_unit_test(a_batch_over_it_is_held_whole),
			cmocka_unit_test(the_window_slides),
			cmocka_unit_test(asking_again_counts_nothing_twice),
			cmocka_unit_test(approval_releases_what_was_held_then),
			cmocka_unit_test(holds_of_one_category_share_a_name),
			cmocka_unit_test(one_removal_may_weigh_more),
			cmocka_unit_test(a_kept_hold_keeps_its_weight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
