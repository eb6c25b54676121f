/* Sudden ends and full disks: what was reported as done is there, every batch is whole or absent,
 * and work goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/digest.h"
#include "store/writer.h"
#include "support/store_support.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 30
#define ENTRIES_PER_BATCH 7
#define COMMITS_UNDER_WAY 4

static int set_up(void **state)
{
	static struct store_support support;

	store_support_init(&support, false);
	*state = &support;
	return 0;
}

static int tear_down(void **state)
{
	store_support_release(*state);
	return 0;
}

/* ---- kill -9 ---- */

/* Entries, a membership that moves, the number of the batch and a line of the audit: all of them or
 * none. */
static struct store_batch *batch_number(struct store *store, uint32_t number)
{
	struct store_batch *batch = store_batch_new(store);
	char text[24], before[24];

	(void)snprintf(text, sizeof(text), "%" PRIu32, number);
	(void)snprintf(before, sizeof(before), "%" PRIu32, number - 1);
	store_put_meta(batch, "number", text);
	for (int i = 0; i < ENTRIES_PER_BATCH; i++) {
		AUTO(mem_freep) char *anchor = mem_printf("%" PRIu32 ".%d", number, i);

		store_put_entry(batch,
				&(struct store_entry){.source = "corp",
						.anchor = anchor,
						.dn = "cn=sample",
						.searches = number});
	}
	store_drop_member(batch, &(struct store_member){"account", before, "1"});
	store_put_member(batch, &(struct store_member){"account", text, "1"});
	store_put_cookie(batch, "search", span_of(text));
	store_add_audit(batch, "{\"op\":\"update\"}");
	return batch;
}

/* In the child: commits one batch after the other and writes the number of each that is done, until
 * it is killed. */
struct flood {
	struct task task; /* first */
	struct store *store;
	struct store_commit commits[COMMITS_UNDER_WAY];
	uint32_t numbers[COMMITS_UNDER_WAY];
	uint32_t next;
	size_t oldest;
	int pipe;
};

static void flood_commit(struct flood *flood, size_t slot)
{
	flood->numbers[slot] = flood->next++;
	flood->commits[slot] = (struct store_commit){.wakes = &flood->task};
	store_commit(flood->store, batch_number(flood->store, flood->numbers[slot]),
			&flood->commits[slot]);
}

static void flood_run(struct task *task)
{
	struct flood *flood = (struct flood *)task;

	while (flood->commits[flood->oldest].done) {
		uint32_t number = flood->numbers[flood->oldest];

		if (flood->commits[flood->oldest].code != ERR_NONE ||
				write(flood->pipe, &number, sizeof(number)) != sizeof(number))
			_exit(1);
		flood_commit(flood, flood->oldest);
		flood->oldest = (flood->oldest + 1) % COMMITS_UNDER_WAY;
	}
}

static _Noreturn void child_main(const char *path, uint32_t first, int pipe)
{
	struct flood flood = {.next = first, .pipe = pipe};
	struct loop *loop = loop_new();
	struct err err;

	if (store_open(loop, path, STORE_WRITE, &flood.store, &err) != ERR_NONE) {
		(void)fprintf(stderr, "child: %s\n", err.text);
		_exit(1);
	}
	task_init(&flood.task, loop, flood_run);
	for (size_t slot = 0; slot < COMMITS_UNDER_WAY; slot++)
		flood_commit(&flood, slot);
	loop_run(loop);
	_exit(1);
}

static unsigned random_below(unsigned end)
{
	unsigned number;

	digest_random(&number, sizeof(number));
	return number % end;
}

/* So that the kill falls anywhere within a commit, not just behind a report. */
static void spin(unsigned turns)
{
	for (volatile unsigned i = 0; i < turns; i++) {
		/* pass time */
	}
}

/* Returns the last number that the child reported as done. */
static uint32_t flood_and_kill(const char *path, uint32_t first)
{
	unsigned reports = random_below(40);
	uint32_t last = first - 1, number;
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		(void)close(ends[0]);
		child_main(path, first, ends[1]);
	}
	assert_true(child > 0);
	assert_int_equal(close(ends[1]), 0);
	for (unsigned i = 0; i < reports; i++) {
		assert_int_equal(read(ends[0], &number, sizeof(number)), sizeof(number));
		last = number;
	}
	spin(random_below(3000000));
	assert_int_equal(kill(child, SIGKILL), 0);
	while (read(ends[0], &number, sizeof(number)) == sizeof(number))
		last = number;
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	return last;
}

struct tally {
	uint32_t entries[1 << 20]; /* by batch */
	uint32_t last;
};

static void tally_entry(void *context, const struct store_entry *entry)
{
	struct tally *tally = context;

	assert_in_range(entry->searches, 1, COUNT_OF(tally->entries) - 1);
	tally->entries[entry->searches]++;
	if (entry->searches > tally->last)
		tally->last = (uint32_t)entry->searches;
}

/* Whatever number the store says it is at, it holds everything up to there and nothing behind.
 * Returns it. */
static uint32_t assert_consistent(struct store *store)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	AUTO(mem_freep) struct tally *tally = mem_zalloc(sizeof(*tally));
	const char *number;
	struct span cookie;
	uint64_t lines;
	struct err err;

	assert_int_equal(store_each_entry(store, tally_entry, tally, &err), ERR_NONE);
	for (uint32_t i = 1; i <= tally->last; i++)
		assert_int_equal(tally->entries[i], ENTRIES_PER_BATCH);
	assert_int_equal(store_get_meta(store, "number", arena, &number, &err), ERR_NONE);
	assert_int_equal(number ? strtoul(number, NULL, 10) : 0, tally->last);
	assert_int_equal(store_get_cookie(store, "search", arena, &cookie, &err), ERR_NONE);
	if (number)
		assert_true(span_equal(cookie, span_of(number)));
	if (store_verify_audit(store, &lines, &err) != ERR_NONE)
		fail_msg("%s", err.text);
	assert_int_equal(lines, tally->last);
	return tally->last;
}

static void test_kill_at_any_point(void **state)
{
	struct store_support *support = *state;
	uint32_t last = 0;

	for (int round = 0; round < ROUNDS; round++) {
		uint32_t reported = flood_and_kill(support->path, last + 1);

		store_support_open(support);
		last = assert_consistent(support->store);
		store_support_close(support);
		assert_true(last >= reported);
		assert_true(last <= reported + COMMITS_UNDER_WAY);
	}
	assert_true(last > ROUNDS);
}

/* ---- full disk ---- */

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static struct store_batch *big_batch(struct store *store, const char *anchor)
{
	static char bytes[512 * 1024];
	struct store_batch *batch = store_batch_new(store);

	store_put_entry(batch,
			&(struct store_entry){.source = "corp",
					.anchor = anchor,
					.dn = "cn=big",
					.attributes = {bytes, sizeof(bytes)}});
	store_add_audit(batch, "{\"op\":\"update\"}");
	return batch;
}

static void count_entry(void *context, const struct store_entry *entry)
{
	(void)entry;
	++*(int *)context;
}

static int count_entries(struct store *store)
{
	int count = 0;
	struct err err;

	assert_int_equal(store_each_entry(store, count_entry, &count, &err), ERR_NONE);
	return count;
}

/* No file may grow: every commit fails and says so, nothing of it stays; once there is room again,
 * commits succeed. */
static void test_full_disk(void **state)
{
	struct store_support *support = *state;
	uint64_t lines;
	struct err err;

	(void)signal(SIGXFSZ, SIG_IGN);
	store_support_open(support);
	store_support_must_commit(support, big_batch(support->store, "before"));
	limit_files(256 * 1024);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(store_support_commit(support->loop, support->store,
						 big_batch(support->store, "during"), &err),
				ERR_STORE);
		assert_non_null(strstr(err.text, support->path));
		assert_non_null(store_failed(support->store));
		assert_int_equal(store_failed(support->store)->code, ERR_STORE);
	}
	/* What was there can be read all the same. */
	assert_int_equal(count_entries(support->store), 1);
	limit_files(RLIM_INFINITY);
	store_support_must_commit(support, big_batch(support->store, "after"));
	assert_null(store_failed(support->store));
	assert_int_equal(count_entries(support->store), 2);
	store_support_reopen(support);
	assert_int_equal(count_entries(support->store), 2);
	assert_int_equal(store_verify_audit(support->store, &lines, &err), ERR_NONE);
	assert_int_equal(lines, 2);
}

/* In a group of commits, each is tried alone, so a small one may still find room. */
static void test_full_disk_spares_what_fits(void **state)
{
	struct store_support *support = *state;
	struct store_commit commits[4] = {0};

	(void)signal(SIGXFSZ, SIG_IGN);
	store_support_open(support);
	limit_files(256 * 1024);
	for (size_t i = 0; i < COUNT_OF(commits); i++) {
		struct store_batch *batch = big_batch(support->store, "big");

		if (i % 2) {
			store_batch_free(batch);
			batch = batch_number(support->store, (uint32_t)i);
		}
		store_commit(support->store, batch, &commits[i]);
	}
	store_support_close(support);
	limit_files(RLIM_INFINITY);
	for (size_t i = 0; i < COUNT_OF(commits); i++)
		assert_int_equal(commits[i].code, i % 2 ? ERR_NONE : ERR_STORE);
	store_support_open(support);
	assert_int_equal(count_entries(support->store), 2 * ENTRIES_PER_BATCH);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
			TEST(test_kill_at_any_point),
			TEST(test_full_disk),
			TEST(test_full_disk_spares_what_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
