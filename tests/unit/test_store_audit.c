/* The audit's chain: what was written verifies, and whatever is done to it behind our back is found
 * at its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/digest.h"
#include "support/store_support.h"

#include <inttypes.h>

#define LINES 10

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

static void add_lines(struct store_support *support, int from, int to)
{
	struct store_batch *batch = store_batch_new(support->store);

	for (int i = from; i <= to; i++) {
		AUTO(mem_freep) char *json = mem_printf("{\"line\":%d}", i);

		store_add_audit(batch, json);
	}
	store_support_must_commit(support, batch);
}

struct line {
	uint64_t sequence;
	int64_t time_ms;
	char hash[DIGEST_HEX_SIZE];
	char json[64];
};
struct lines {
	struct line items[LINES * 2];
	size_t count;
};

static void note_line(void *context, uint64_t sequence, int64_t time_ms, const char *hash,
		const char *json)
{
	struct lines *lines = context;
	struct line *line = &lines->items[lines->count++];

	assert_in_range(lines->count, 1, COUNT_OF(lines->items));
	line->sequence = sequence;
	line->time_ms = time_ms;
	(void)snprintf(line->hash, sizeof(line->hash), "%s", hash);
	(void)snprintf(line->json, sizeof(line->json), "%s", json);
}

static void assert_verified(struct store_support *support, uint64_t expected)
{
	uint64_t count = UINT64_MAX;
	struct err err;

	if (store_verify_audit(support->store, &count, &err) != ERR_NONE)
		fail_msg("%s", err.text);
	assert_int_equal(count, expected);
}

static void test_chain_goes_on_over_batches_and_restarts(void **state)
{
	struct store_support *support = *state;

	assert_verified(support, 0);
	add_lines(support, 1, 4);
	assert_verified(support, 4);
	store_support_reopen(support);
	assert_verified(support, 4);
	add_lines(support, 5, LINES);
	assert_verified(support, LINES);
}

/* As store.h says how: with nothing but SHA-256 over text. */
static void test_hash_can_be_checked_outside(void **state)
{
	struct store_support *support = *state;
	struct lines lines = {0};
	char previous[DIGEST_HEX_SIZE];
	struct err err;

	memset(previous, '0', sizeof(previous) - 1);
	previous[sizeof(previous) - 1] = '\0';
	add_lines(support, 1, LINES);
	assert_int_equal(store_each_audit(support->store, 0, note_line, &lines, &err), ERR_NONE);
	assert_int_equal(lines.count, LINES);
	for (size_t i = 0; i < lines.count; i++) {
		const struct line *line = &lines.items[i];
		AUTO(mem_freep)
		char *text = mem_printf("%s\n%" PRIu64 "\n%" PRId64 "\n%s", previous,
				line->sequence, line->time_ms, line->json);

		assert_int_equal(line->sequence, i + 1);
		digest_sha256_hex(span_of(text), previous);
		assert_string_equal(line->hash, previous);
	}
}

static void test_reading_from_a_line_on(void **state)
{
	static const struct {
		uint64_t from;
		size_t count;
	} cases[] = {{0, LINES}, {1, LINES}, {4, LINES - 3}, {LINES, 1}, {LINES + 1, 0},
			{UINT64_MAX, 0}};
	struct store_support *support = *state;
	struct err err;

	add_lines(support, 1, LINES);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct lines lines = {0};

		assert_int_equal(store_each_audit(support->store, cases[i].from, note_line, &lines,
						 &err),
				ERR_NONE);
		assert_int_equal(lines.count, cases[i].count);
		if (lines.count)
			assert_int_equal(
					lines.items[0].sequence, cases[i].from ? cases[i].from : 1);
	}
}

static void test_failed_batch_leaves_no_gap(void **state)
{
	struct store_support *support = *state;
	struct store_batch *batch = store_batch_new(support->store);
	struct err err;

	add_lines(support, 1, 2);
	store_add_audit(batch, "{\"line\":\"lost\"}");
	store_put_intent(batch, &(struct store_intent){"bad", NULL, 1});
	assert_int_equal(store_support_commit(support->loop, support->store, batch, &err), ERR_BUG);
	add_lines(support, 3, 4);
	assert_verified(support, 4);
}

/* What somebody does to a chain of LINES lines, and where it must show. */
static const struct {
	const char *sql;
	const char *text;
} damages[] = {
		{"UPDATE audit SET json = '{\"line\":0}' WHERE sequence = 4", "line 4 was changed"},
		{"UPDATE audit SET json = json || ' ' WHERE sequence = 1", "line 1 was changed"},
		{"UPDATE audit SET time_ms = time_ms + 1 WHERE sequence = 10",
				"line 10 was changed"},
		{"UPDATE audit SET hash = zeroblob(32) WHERE sequence = 5", "line 5 was changed"},
		{"UPDATE audit SET hash = substr(hash, 1, 31) WHERE sequence = 5",
				"line 5 was changed"},
		{"DELETE FROM audit WHERE sequence = 1", "line 1 is missing"},
		{"DELETE FROM audit WHERE sequence = 6", "line 6 is missing"},
		{"DELETE FROM audit WHERE sequence > 8",
				"line 9 and what follows up to 10 is missing"},
		{"DELETE FROM audit", "line 1 and what follows up to 10 is missing"},
		{"DELETE FROM audit WHERE sequence = 7;"
		 "UPDATE audit SET sequence = sequence - 1 WHERE sequence > 7",
				"line 7 was changed or moved"},
		{"UPDATE audit SET sequence = -3 WHERE sequence = 3;"
		 "UPDATE audit SET sequence = 3 WHERE sequence = 4;"
		 "UPDATE audit SET sequence = 4 WHERE sequence = -3",
				"line 3 was changed or moved"},
		{"INSERT INTO audit SELECT 11, time_ms, hash, json FROM audit WHERE sequence = 10",
				"line 11 was changed"},
		{"INSERT INTO audit SELECT 0, time_ms, hash, json FROM audit WHERE sequence = 10",
				"line 1 is missing"},
		{"DELETE FROM audit WHERE sequence > 8; UPDATE audit_head SET sequence = 8",
				"line 8 is not the one that was written last"},
		{"UPDATE audit_head SET sequence = 9", "line 10 was added by somebody else"},
		{"DELETE FROM audit_head", "the audit's head is gone"},
};

static void test_every_damage_is_found(void **state)
{
	struct store_support *support = *state;

	add_lines(support, 1, LINES);
	store_support_close(support);
	for (size_t i = 0; i < COUNT_OF(damages); i++) {
		struct store *reader = NULL;
		uint64_t count = 0;
		struct err err;

		store_support_sql(support->path,
				"CREATE TABLE kept AS SELECT * FROM audit;"
				"CREATE TABLE kept_head AS SELECT * FROM audit_head");
		store_support_sql(support->path, damages[i].sql);
		assert_int_equal(store_open(NULL, support->path, STORE_READ, &reader, &err),
				ERR_NONE);
		assert_int_equal(store_verify_audit(reader, &count, &err), ERR_STORE);
		if (!strstr(err.text, damages[i].text))
			fail_msg("%s: %s", damages[i].sql, err.text);
		assert_int_equal(count, 0);
		store_close(reader);
		store_support_sql(support->path,
				"DELETE FROM audit; INSERT INTO audit SELECT * FROM kept;"
				"DELETE FROM audit_head; INSERT INTO audit_head SELECT * FROM "
				"kept_head;"
				"DROP TABLE kept; DROP TABLE kept_head");
	}
	store_support_open(support);
	assert_verified(support, LINES);
}

/* The service goes on after such a find, and does not cover it up. */
static void test_writing_after_damage(void **state)
{
	static const char *const sql[] = {"DELETE FROM audit WHERE sequence > 8",
			"UPDATE audit_head SET (sequence, hash) ="
			" (SELECT sequence, hash FROM audit WHERE sequence = 9)"};

	for (size_t i = 0; i < COUNT_OF(sql); i++) {
		struct store_support *support = *state;
		uint64_t count;
		struct err err;

		add_lines(support, 1, LINES);
		store_support_close(support);
		store_support_sql(support->path, sql[i]);
		store_support_open(support);
		add_lines(support, 1, 1);
		assert_int_equal(store_verify_audit(support->store, &count, &err), ERR_STORE);
		(void)tear_down(state);
		(void)set_up(state);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
			TEST(test_chain_goes_on_over_batches_and_restarts),
			TEST(test_hash_can_be_checked_outside),
			TEST(test_reading_from_a_line_on),
			TEST(test_failed_batch_leaves_no_gap),
			TEST(test_every_damage_is_found),
			TEST(test_writing_after_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
