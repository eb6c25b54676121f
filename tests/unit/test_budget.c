#include "databricks/budget.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)
#define START (1000 * S)
#define SENT_MAX 100000

/* A caller that always has more to send, with answers after latency_ns, woken late_ns late; notes when it sent. */
struct load {
	struct budget budget;
	enum family family;
	enum lane lane;
	uint64_t latency_ns, late_ns;
	uint64_t now;
	uint64_t sent[SENT_MAX], ends[SENT_MAX];
	size_t sent_count, ended;
};

static struct load *load_new(enum family family, enum lane lane, unsigned share)
{
	struct load *load = mem_zalloc(sizeof(*load));
	struct limit_settings limits = {.share_percent = share};

	load->family = family;
	load->lane = lane;
	load->now = START;
	load->latency_ns = 50 * MS;
	budget_init(&load->budget, &limits, START);
	return load;
}

static void load_run(struct load *load, uint64_t until)
{
	while (load->now < until) {
		uint64_t when = BUDGET_NEVER;

		while (load->ended < load->sent_count && load->ends[load->ended] <= load->now) {
			budget_done(&load->budget, load->family, true);
			load->ended++;
		}
		while (budget_take(&load->budget, load->family, load->lane, load->now, &when)) {
			assert_true(load->sent_count < SENT_MAX);
			load->ends[load->sent_count] = load->now + load->latency_ns;
			load->sent[load->sent_count++] = load->now;
		}
		if (when != BUDGET_NEVER)
			when += load->late_ns;
		if (load->ended < load->sent_count && load->ends[load->ended] < when)
			when = load->ends[load->ended];
		assert_true(when > load->now);
		load->now = when;
	}
}

static size_t most_in_window(const struct load *load, uint64_t window_ns)
{
	size_t most = 0;

	for (size_t i = 0, j = 0; j < load->sent_count; j++) {
		while (load->sent[i] + window_ns <= load->sent[j])
			i++;
		if (j - i + 1 > most)
			most = j - i + 1;
	}
	return most;
}

static const struct {
	enum family family;
	double count, window_s;
} published[] = {
		{FAMILY_ACCOUNT_SCIM_GET, 20, 1},
		{FAMILY_ACCOUNT_SCIM_LIST, 4, 1},
		{FAMILY_ACCOUNT_SCIM_PATCH, 2, 1},
		{FAMILY_ACCOUNT_SCIM_WRITE, 5, 1},
		{FAMILY_WORKSPACE_SCIM_READ, 255, 60},
		{FAMILY_WORKSPACE_SCIM_PATCH, 10, 60},
		{FAMILY_WORKSPACE_SCIM_DELETE, 35, 60},
};

static void load_uses_the_budget_and_no_more(void **state)
{
	static const unsigned shares[] = {100, 80, 50, 10};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(published); i++) {
		for (size_t j = 0; j < COUNT_OF(shares); j++) {
			struct load *load = load_new(published[i].family, LANE_BULK, shares[j]);
			double rate = published[i].count / published[i].window_s * shares[j] / 100;
			double seconds = 600;

			load->late_ns = 2 * MS;
			load_run(load, START + (uint64_t)(seconds * 1e9));
			if ((double)load->sent_count < rate * seconds * 0.98)
				fail_msg("%s at %u %%: %zu of %.1f", family_name(load->family),
						shares[j], load->sent_count, rate * seconds);
			/* all that the server may count, with one request more where its clock and ours differ at 100 % */
			assert_true((double)most_in_window(load,
						    (uint64_t)(published[i].window_s * 1e9)) <=
					published[i].count + (shares[j] == 100));
			mem_free(load);
		}
	}
}

static void bulk_leaves_tokens_and_slots_to_others(void **state)
{
	struct load *load = load_new(FAMILY_ACCOUNT_SCIM_GET, LANE_BULK, 80);
	uint64_t when;

	(void)state;
	load_run(load, START + 10 * S);
	assert_false(budget_take(&load->budget, load->family, LANE_BULK, load->now, &when));
	assert_true(budget_take(&load->budget, load->family, LANE_SINGLE, load->now, &when));
	mem_free(load);

	load = load_new(FAMILY_WORKSPACE_SCIM_READ, LANE_BULK, 0);
	for (unsigned i = 0; i < BUDGET_IN_FLIGHT_UNLIMITED * 4 / 5; i++)
		(void)budget_take(&load->budget, load->family, LANE_BULK, START, &when);
	assert_false(budget_take(&load->budget, load->family, LANE_BULK, START, &when));
	assert_int_equal(when, BUDGET_NEVER);
	assert_true(budget_take(&load->budget, load->family, LANE_LEAVER, START, &when));
	mem_free(load);
}

static void four_scim_requests_are_in_flight_in_a_workspace(void **state)
{
	static const enum family families[] = {FAMILY_WORKSPACE_SCIM_READ,
			FAMILY_WORKSPACE_SCIM_PATCH, FAMILY_WORKSPACE_SCIM_POST,
			FAMILY_WORKSPACE_SCIM_PEOPLE};
	struct limit_settings limits = {.share_percent = 80};
	struct budget budget;
	uint64_t when;

	(void)state;
	budget_init(&budget, &limits, START);
	for (size_t i = 0; i < COUNT_OF(families); i++)
		assert_true(budget_take(&budget, families[i], LANE_SINGLE, START, &when));
	assert_false(budget_take(&budget, FAMILY_WORKSPACE_SCIM_DELETE, LANE_SINGLE, START, &when));
	assert_int_equal(when, BUDGET_NEVER);
	budget_done(&budget, FAMILY_WORKSPACE_SCIM_READ, true);
	assert_true(budget_take(&budget, FAMILY_WORKSPACE_SCIM_DELETE, LANE_SINGLE, START, &when));
}

static void a_429_pauses_the_family_and_slows_it_down(void **state)
{
	struct load *load = load_new(FAMILY_ACCOUNT_SCIM_GET, LANE_BULK, 80);
	size_t before;
	uint64_t when, throttled;

	(void)state;
	load_run(load, START + 10 * S);
	throttled = load->now;
	budget_throttled(&load->budget, load->family, throttled, 3, false, 0.5);
	/* a second answer of the same burst changes nothing */
	budget_throttled(&load->budget, load->family, throttled + MS, 0, false, 0.5);
	assert_false(budget_take(
			&load->budget, load->family, LANE_LEAVER, throttled + 3 * S, &when));
	assert_int_equal(when, throttled + 3 * S + S / 2);
	before = load->sent_count;
	load_run(load, when + 10 * S);
	/* half of 16/s, growing back by a 120th a second */
	assert_in_range(load->sent_count - before, 80, 90);
	load_run(load, when + 100 * S);
	before = load->sent_count;
	load_run(load, when + 110 * S);
	assert_in_range(load->sent_count - before, 157, 161);
	mem_free(load);
}

static void pauses_without_a_time_grow(void **state)
{
	static const uint64_t seconds[] = {1, 2, 4, 8, 16, 32, 60, 60};
	struct limit_settings limits = {.share_percent = 80};
	struct budget budget;
	uint64_t now = START, when;

	(void)state;
	budget_init(&budget, &limits, START);
	for (size_t i = 0; i < COUNT_OF(seconds); i++) {
		budget_throttled(&budget, FAMILY_ASSIGNMENT, now, 0, false, 0);
		assert_false(budget_take(&budget, FAMILY_ASSIGNMENT, LANE_SINGLE, now, &when));
		assert_int_equal(when - now, seconds[i] * S);
		now = when;
	}
	/* never slower than a sixteenth */
	now += 60 * S;
	assert_true(budget_take(&budget, FAMILY_ASSIGNMENT, LANE_SINGLE, now, &when));
	budget_done(&budget, FAMILY_ASSIGNMENT, true);
	budget_throttled(&budget, FAMILY_ASSIGNMENT, now, 0, false, 0);
	assert_false(budget_take(&budget, FAMILY_ASSIGNMENT, LANE_SINGLE, now, &when));
	assert_int_equal(when - now, S);
}

static void a_long_retry_after_is_cut(void **state)
{
	struct limit_settings limits = {.share_percent = 80};
	struct budget budget;
	uint64_t when;

	(void)state;
	budget_init(&budget, &limits, START);
	budget_throttled(&budget, FAMILY_ASSIGNMENT, START, 86400, false, 0);
	assert_false(budget_take(&budget, FAMILY_ASSIGNMENT, LANE_SINGLE, START, &when));
	assert_int_equal(when - START, BUDGET_PAUSE_MAX_S * S);
}

static void concurrency_takes_a_slot_away_for_a_while(void **state)
{
	struct limit_settings limits = {.share_percent = 100};
	struct budget budget;
	uint64_t when, now = START + 10 * S;

	(void)state;
	budget_init(&budget, &limits, START);
	budget_throttled(&budget, FAMILY_WORKSPACE_SCIM_READ, START, 0, true, 0);
	assert_int_equal(budget.buckets[FAMILY_WORKSPACE_SCIM_READ].slots, 3);
	assert_true(budget.buckets[FAMILY_WORKSPACE_SCIM_READ].factor > 0.99);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(budget_take(
				&budget, FAMILY_WORKSPACE_SCIM_READ, LANE_SINGLE, now, &when));
		now += S;
	}
	assert_false(budget_take(&budget, FAMILY_WORKSPACE_SCIM_READ, LANE_SINGLE, now, &when));
	assert_true(budget_take(
			&budget, FAMILY_WORKSPACE_SCIM_READ, LANE_SINGLE, now + 61 * S, &when));
}

static void share_0_has_no_rate(void **state)
{
	struct limit_settings limits = {.share_percent = 0};
	struct budget budget;
	uint64_t when;

	(void)state;
	budget_init(&budget, &limits, START);
	for (unsigned i = 0; i < 1000; i++) {
		assert_true(budget_take(
				&budget, FAMILY_WORKSPACE_SCIM_PATCH, LANE_BULK, START, &when));
		budget_done(&budget, FAMILY_WORKSPACE_SCIM_PATCH, true);
	}
	for (unsigned i = 0; i < BUDGET_IN_FLIGHT_UNLIMITED; i++)
		assert_true(budget_take(
				&budget, FAMILY_WORKSPACE_SCIM_PATCH, LANE_SINGLE, START, &when));
	assert_false(budget_take(&budget, FAMILY_WORKSPACE_SCIM_PATCH, LANE_SINGLE, START, &when));
}

static void a_family_can_be_set_by_name(void **state)
{
	struct rate_override overrides[] = {
			{.family = "account_scim_patch", .per_second = 10, .line = 7}};
	struct limit_settings limits = {
			.share_percent = 80, .overrides = overrides, .override_count = 1};
	struct load *load = load_new(FAMILY_ACCOUNT_SCIM_PATCH, LANE_SINGLE, 80);
	struct err err;

	(void)state;
	assert_int_equal(budget_check(&limits, &err), ERR_NONE);
	budget_init(&load->budget, &limits, START);
	load_run(load, START + 60 * S);
	assert_in_range(load->sent_count, 595, 605);
	mem_free(load);
	overrides[0].family = "account_scim_pach";
	assert_int_equal(budget_check(&limits, &err), ERR_CONFIG);
	assert_non_null(strstr(err.text, "did you mean \"account_scim_patch\"?"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(load_uses_the_budget_and_no_more),
			cmocka_unit_test(bulk_leaves_tokens_and_slots_to_others),
			cmocka_unit_test(four_scim_requests_are_in_flight_in_a_workspace),
			cmocka_unit_test(a_429_pauses_the_family_and_slows_it_down),
			cmocka_unit_test(pauses_without_a_time_grow),
			cmocka_unit_test(a_long_retry_after_is_cut),
			cmocka_unit_test(concurrency_takes_a_slot_away_for_a_while),
			cmocka_unit_test(share_0_has_no_rate),
			cmocka_unit_test(a_family_can_be_set_by_name),
	};

	return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
