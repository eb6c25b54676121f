/* IP access lists taken together: who is let in, and the one form of addresses. */
#include "sync/access/ip_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ADDRESSES_MAX 4

struct sample_list {
	bool block, off;
	const char *addresses[ADDRESSES_MAX];
};
struct sample {
	struct sample_list lists[3];
	size_t count;
	const char *range;
	enum ip_verdict verdict;
};

static size_t count_of(const char *const *addresses)
{
	size_t count = 0;

	while (count < ADDRESSES_MAX && addresses[count])
		count++;
	return count;
}

static void make_set(struct ip_set *set, const struct sample *sample, struct arena *arena)
{
	for (size_t i = 0; i < sample->count; i++) {
		const struct sample_list *from = &sample->lists[i];
		struct ip_list list = {.label = from->block ? "block" : "allow",
				.block = from->block,
				.enabled = !from->off};
		size_t unread;

		list.count = ip_ranges_of(from->addresses, count_of(from->addresses), arena,
				&list.ranges, &unread);
		*vec_add(&set->lists) = list;
	}
}

static void test_who_is_let_in(void **state)
{
	static const struct sample samples[] = {
			{.count = 0, .range = "192.0.2.7", .verdict = IP_LET_IN},
			{{{.addresses = {"192.0.2.0/24"}}}, 1, "192.0.2.7", IP_LET_IN},
			{{{.addresses = {"192.0.2.0/24"}}}, 1, "192.0.3.7", IP_NOT_ALLOWED},
			/* a list that is off says nothing, so all are let in */
			{{{.off = true, .addresses = {"192.0.2.0/24"}}}, 1, "192.0.3.7", IP_LET_IN},
			{{{.block = true, .addresses = {"192.0.2.7"}}}, 1, "192.0.2.8", IP_LET_IN},
			/* BLOCK beats ALLOW, whatever the order */
			{{{.addresses = {"192.0.2.0/24"}},
					 {.block = true, .addresses = {"192.0.2.7"}}},
					2, "192.0.2.7", IP_BLOCKED},
			{{{.block = true, .addresses = {"192.0.2.7"}},
					 {.addresses = {"192.0.2.7"}}},
					2, "192.0.2.7", IP_BLOCKED},
			{{{.addresses = {"192.0.2.0/24"}},
					 {.block = true, .off = true, .addresses = {"192.0.2.7"}}},
					2, "192.0.2.7", IP_LET_IN},
			/* a block of addresses: all of it has to get in, by one list or by several */
			{{{.addresses = {"192.0.2.0/25"}}}, 1, "192.0.2.0/24", IP_NOT_ALLOWED},
			{{{.addresses = {"192.0.2.0/25"}}, {.addresses = {"192.0.2.128/25"}}}, 2,
					"192.0.2.0/24", IP_LET_IN},
			{{{.addresses = {"192.0.2.0/25", "192.0.2.128/26", "192.0.2.192/27"}}}, 1,
					"192.0.2.0/24", IP_NOT_ALLOWED},
			{{{.addresses = {"0.0.0.0/0"}},
					 {.block = true, .addresses = {"192.0.2.9"}}},
					2, "192.0.2.0/24", IP_BLOCKED},
			{{{.addresses = {"0.0.0.0/1", "128.0.0.0/1"}}}, 1, "0.0.0.0/0", IP_LET_IN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		struct arena *arena = arena_new();
		struct ip_set set = {0};
		const struct ip_list *by = NULL;
		struct ip_range range;

		make_set(&set, &samples[i], arena);
		assert_null(ip_range_parse(samples[i].range, &range));
		if (ip_set_judge(&set, range, &by) != samples[i].verdict)
			fail_msg("sample %zu: %s", i, samples[i].range);
		if (samples[i].verdict == IP_BLOCKED)
			assert_string_equal(by->label, "block");
		vec_release(&set.lists);
		arena_free(arena);
	}
}

static void test_one_form(void **state)
{
	static const char *const addresses[] = {"198.51.100.7/32", "192.0.2.9/24", "198.51.100.7",
			"2001:db8::1", "192.0.2.0/24"};
	struct arena *arena = arena_new();
	const struct ip_range *ranges;
	size_t unread, count;

	(void)state;
	count = ip_ranges_of(addresses, COUNT_OF(addresses), arena, &ranges, &unread);
	assert_int_equal(unread, 1);
	assert_string_equal(ip_ranges_text(ranges, count, arena), "192.0.2.0/24 198.51.100.7");
	assert_string_equal(ip_ranges_text(ranges, 0, arena), "");
	assert_true(ip_ranges_hold(ranges, count, &ranges[1], 1));
	assert_false(ip_ranges_hold(ranges, 1, ranges, count));
	arena_free(arena);
}

static void test_count_is_of_all_lists(void **state)
{
	static const struct sample sample = {
			{{.addresses = {"192.0.2.1", "192.0.2.2"}},
					{.off = true, .addresses = {"192.0.2.3"}}},
			2, "192.0.2.1", IP_LET_IN};
	struct arena *arena = arena_new();
	struct ip_set set = {0};

	(void)state;
	make_set(&set, &sample, arena);
	assert_int_equal(ip_set_count(&set), 3);
	vec_release(&set.lists);
	arena_free(arena);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_who_is_let_in),
			cmocka_unit_test(test_one_form),
			cmocka_unit_test(test_count_is_of_all_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
