/* Commits are whole, in order and told of, and a bad one takes no other down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "store/batch.h"
#include "support/store_support.h"

#include <inttypes.h>

#define DUMP_MAX ((size_t)1024 * 1024)

static int set_up(void **state)
{
	static struct store_support support;

	store_support_init(&support, true);
	*state = &support;
	return 0;
}

static int tear_down(void **state)
{
	store_support_release(*state);
	return 0;
}

static void assert_dump(struct store *store, const char *expected)
{
	struct buf dump;

	buf_init(&dump, DUMP_MAX);
	store_support_dump(store, &dump);
	assert_string_equal(buf_text(&dump), expected);
	buf_release(&dump);
}

static void put_entry(struct store_batch *batch, const char *anchor, const char *dn)
{
	store_put_entry(batch, &(struct store_entry){.source = "corp", .anchor = anchor, .dn = dn});
}

static struct store_batch *batch_with_intent(struct store *store, const char *id)
{
	struct store_batch *batch = store_batch_new(store);

	store_put_intent(batch, &(struct store_intent){id, "{}", 1});
	return batch;
}

/* An intent without operation violates the table: the batch cannot be carried out. */
static struct store_batch *bad_batch(struct store *store)
{
	struct store_batch *batch = batch_with_intent(store, "half");

	store_put_intent(batch, &(struct store_intent){"bad", NULL, 1});
	return batch;
}

struct order {
	struct task task; /* first */
	struct loop *loop;
	struct store_commit commits[5];
	size_t done;
};

/* Commits are done in the order in which they were given: no later one before an earlier one. */
static void check_order(struct task *task)
{
	struct order *order = (struct order *)task;

	while (order->done < COUNT_OF(order->commits) && order->commits[order->done].done)
		order->done++;
	for (size_t i = order->done; i < COUNT_OF(order->commits); i++)
		assert_false(order->commits[i].done);
	if (order->done == COUNT_OF(order->commits))
		loop_stop(order->loop);
}

static void test_bad_batch_fails_alone(void **state)
{
	struct store_support *support = *state;
	struct order order = {.loop = support->loop};

	task_init(&order.task, support->loop, check_order);
	for (size_t i = 0; i < COUNT_OF(order.commits); i++) {
		char id[8];

		(void)snprintf(id, sizeof(id), "op%zu", i);
		order.commits[i].wakes = &order.task;
		store_commit(support->store,
				i == 2 ? bad_batch(support->store)
				       : batch_with_intent(support->store, id),
				&order.commits[i]);
		assert_false(order.commits[i].done); /* never inside the call */
	}
	assert_int_equal(store_backlog(support->store), 6);
	loop_run(support->loop);
	assert_int_equal(store_backlog(support->store), 0);
	for (size_t i = 0; i < COUNT_OF(order.commits); i++)
		assert_int_equal(order.commits[i].code, i == 2 ? ERR_BUG : ERR_NONE);
	assert_non_null(strstr(order.commits[2].err.text, "intent.operation"));
	assert_dump(support->store,
			"intent op0 {} 1\nintent op1 {} 1\nintent op3 {} 1\nintent op4 {} 1\n");
}

static void test_failure_shows_until_the_next_success(void **state)
{
	struct store_support *support = *state;
	struct err err;

	assert_null(store_failed(support->store));
	store_commit(support->store, bad_batch(support->store), NULL);
	/* An empty batch tells nothing about the disk, but is done in its turn. */
	store_support_must_commit(support, store_batch_new(support->store));
	assert_non_null(store_failed(support->store));
	assert_int_equal(store_failed(support->store)->code, ERR_BUG);
	store_support_must_commit(support, batch_with_intent(support->store, "op1"));
	assert_null(store_failed(support->store));
	assert_int_equal(store_support_commit(support->loop, support->store,
					 bad_batch(support->store), &err),
			ERR_BUG);
	assert_non_null(store_failed(support->store));
}

static void test_names_survive_a_failed_batch(void **state)
{
	struct store_support *support = *state;
	struct store_batch *batch = store_batch_new(support->store);
	struct err err;

	/* The new name's number goes with the transaction; the next batch must not use it. */
	store_put_member(batch, &(struct store_member){"first", "1", "2"});
	store_put_intent(batch, &(struct store_intent){"bad", NULL, 1});
	assert_int_equal(store_support_commit(support->loop, support->store, batch, &err), ERR_BUG);
	batch = store_batch_new(support->store);
	store_put_member(batch, &(struct store_member){"second", "1", "2"});
	store_put_member(batch, &(struct store_member){"first", "1", "2"});
	store_support_must_commit(support, batch);
	assert_dump(support->store, "member second 1 2\nmember first 1 2\n");
}

static void test_limits(void **state)
{
	struct store_support *support = *state;
	struct store_batch *batch = store_batch_new(support->store);
	AUTO(mem_freep) char *name = mem_zalloc(4098);
	struct err err;

	/* Refused by its length alone: the bytes are not looked at. */
	put_entry(batch, "a", "cn=a");
	store_put_entry(batch,
			&(struct store_entry){.source = "corp",
					.anchor = "b",
					.dn = "cn=b",
					.attributes = {"x", BATCH_BYTES_MAX}});
	assert_int_equal(store_support_commit(support->loop, support->store, batch, &err),
			ERR_LIMIT);
	for (size_t len = 4096; len <= 4097; len++) {
		memset(name, 'n', len);
		batch = store_batch_new(support->store);
		store_put_entry(batch,
				&(struct store_entry){.source = name, .anchor = "a", .dn = "cn=a"});
		assert_int_equal(store_support_commit(support->loop, support->store, batch, &err),
				len == 4096 ? ERR_NONE : ERR_LIMIT);
	}
}

/* More than one transaction takes: batches wait for several, and none is forgotten. */
static void test_more_records_than_a_transaction(void **state)
{
	struct store_support *support = *state;

	for (int i = 0; i < 4; i++) {
		struct store_batch *batch = store_batch_new(support->store);

		for (int k = 0; k < 60000; k++)
			store_drop_intent(batch, "none");
		store_put_member(batch,
				&(struct store_member){"account", "1", (char[2]){(char)('1' + i)}});
		store_commit(support->store, batch, NULL);
	}
	store_support_must_commit(support, store_batch_new(support->store));
	assert_null(store_failed(support->store));
	assert_dump(support->store,
			"member account 1 1\nmember account 1 2\nmember account 1 3\nmember "
			"account 1 4\n");
}

static void test_close_waits_for_all(void **state)
{
	enum { COMMITS = 300 };
	struct store_support *support = *state;
	struct store_commit *commits = mem_array(COMMITS, sizeof(*commits));
	AUTO(arena_freep) struct arena *arena = arena_new();
	const char *value;
	struct err err;

	for (int i = 0; i < COMMITS; i++) {
		struct store_batch *batch = store_batch_new(support->store);
		char text[24];

		(void)snprintf(text, sizeof(text), "%d", i);
		store_put_meta(batch, "last", text);
		store_commit(support->store, batch, &commits[i]);
	}
	store_support_close(support); /* the loop has not run once */
	for (int i = 0; i < COMMITS; i++)
		assert_true(commits[i].done && commits[i].code == ERR_NONE);
	mem_free(commits);
	store_support_open(support);
	assert_int_equal(store_get_meta(support->store, "last", arena, &value, &err), ERR_NONE);
	assert_string_equal(value, "299");
}

static void test_discarded_batch_leaves_nothing(void **state)
{
	struct store_support *support = *state;

	store_batch_free(batch_with_intent(support->store, "op1"));
	store_batch_free(NULL);
	store_support_must_commit(support, store_batch_new(support->store));
	assert_dump(support->store, "");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
			TEST(test_bad_batch_fails_alone),
			TEST(test_failure_shows_until_the_next_success),
			TEST(test_names_survive_a_failed_batch),
			TEST(test_limits),
			TEST(test_more_records_than_a_transaction),
			TEST(test_close_waits_for_all),
			TEST(test_discarded_batch_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
