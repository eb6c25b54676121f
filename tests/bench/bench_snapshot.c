/*
 * What the snapshot costs: memory and time of a first load, of one change, of a load from the store. One line a figure.
 * Argument: number of people (default 100,000); a group for every 20 of them, 10 memberships each, one group of half.
 */
#include <malloc.h>

#include "base/clock.h"
#include "directory/snapshot.h"
#include "model/dn.h"

static const char *const people_attributes[] = {"cn", "givenname", "mail", "sn", "uid"};
static const char *const group_attributes[] = {"cn", "member"};
static const struct search searches[] = {
		{.id = 0,
				.purpose = SEARCH_USERS,
				.attributes = people_attributes,
				.attribute_count = 5},
		{.id = 1,
				.purpose = SEARCH_GROUPS,
				.attributes = group_attributes,
				.attribute_count = 2},
};

static size_t people, groups;

static void report(const char *what, uint64_t since_ns, size_t pieces)
{
	double ms = (double)(clock_monotonic_ns() - since_ns) / 1e6;

	(void)printf("snapshot %-34s %9.3f ms  %8.3f us each\n", what, ms,
			ms * 1000 / (double)pieces);
}

static void memory(const char *what)
{
	struct mallinfo2 info = mallinfo2();

	(void)printf("snapshot %-34s %9.1f MiB\n", what,
			(double)(info.uordblks + info.hblkhd) / 1048576.0);
}

static void must(enum err_code code, const struct err *err)
{
	if (code == ERR_NONE)
		return;
	(void)fprintf(stderr, "%s\n", err->text);
	exit(1);
}

static void anchor_of(char kind, size_t i, char ret[static 48])
{
	(void)snprintf(ret, 48, "%08zx-%c000-1041-8b42-%012zx", i, kind, i);
}

static void upsert_person(struct snapshot *snapshot, size_t i, const char *title)
{
	char text[6][64], anchor[48];
	struct span values[5];
	struct attribute attributes[5];
	struct entry entry = {anchor, text[5], attributes, 5};
	struct err err;

	anchor_of('a', i, anchor);
	(void)snprintf(text[0], 64, "Sample Person %zu%s", i, title);
	(void)snprintf(text[1], 64, "Sample");
	(void)snprintf(text[2], 64, "person%zu@example.org", i);
	(void)snprintf(text[3], 64, "Person %zu", i);
	(void)snprintf(text[4], 64, "person%zu", i);
	(void)snprintf(text[5], 64, "uid=person%zu,ou=people,dc=example,dc=org", i);
	for (size_t k = 0; k < 5; k++) {
		values[k] = span_of(text[k]);
		attributes[k] = (struct attribute){people_attributes[k], &values[k], 1};
	}
	must(snapshot_upsert(snapshot, 0, &entry, &err), &err);
}

/* step 1: a group of everybody from first on */
static void upsert_group(struct snapshot *snapshot, size_t g, size_t first, size_t count)
{
	char cn[64], dn[64], anchor[48];
	char(*texts)[64] = mem_array(count, sizeof(*texts));
	struct span *values = mem_array(count, sizeof(*values));
	const struct span cns = {cn, (size_t)snprintf(cn, 64, "group-%zu", g)};
	const struct attribute attributes[] = {{"cn", &cns, 1}, {"member", values, count}};
	struct entry entry = {anchor, dn, attributes, 2};
	struct err err;

	anchor_of('b', g, anchor);
	(void)snprintf(dn, 64, "cn=group-%zu,ou=groups,dc=example,dc=org", g);
	for (size_t i = 0; i < count; i++) {
		int len = snprintf(texts[i], 64, "uid=person%zu,ou=people,dc=example,dc=org",
				(first + i) % people);

		values[i] = (struct span){texts[i], (size_t)len};
	}
	must(snapshot_upsert(snapshot, 1, &entry, &err), &err);
	mem_free(texts);
	mem_free(values);
}

static void load_groups(struct snapshot *snapshot)
{
	for (size_t g = 0; g < groups; g++)
		upsert_group(snapshot, g, g * 7919, people * 10 / groups);
}

static void load_people(struct snapshot *snapshot)
{
	for (size_t i = 0; i < people; i++)
		upsert_person(snapshot, i, "");
}

static void settle(struct snapshot *snapshot, const char *what)
{
	uint64_t begin = clock_monotonic_ns();
	size_t count;

	(void)snapshot_changes(snapshot, &count);
	report(what, begin, count ? count : 1);
	snapshot_settle(snapshot);
}

static void bench_names(void)
{
	AUTO(buf_release) struct buf key = {.max = DN_KEY_MAX};
	uint64_t begin = clock_monotonic_ns();
	struct err err;

	for (size_t i = 0; i < 1000000; i++)
		must(dn_key(SPAN_LIT("uid=person12345,ou=people,dc=example,dc=org"), &key, &err),
				&err);
	report("key of a DN of 4 RDNs", begin, 1000000);
}

static void bench_globs(const struct snapshot *snapshot)
{
	uint64_t begin = clock_monotonic_ns();
	size_t hits = 0;

	for (size_t k = 0; k < 10; k++) {
		char glob[32];

		(void)snprintf(glob, sizeof(glob), "no-%zu-*", k);
		for (node_id id = 0; id < people; id++)
			hits += snapshot_in_group(snapshot, id, glob);
	}
	report("in_group, ten globs, everybody", begin, people * 10 + hits);
}

static void bench_changes(struct snapshot *snapshot)
{
	uint64_t begin = clock_monotonic_ns();
	size_t count;

	for (size_t i = 0; i < 1000; i++) {
		upsert_person(snapshot, i * 37 % people, " changed");
		(void)snapshot_changes(snapshot, &count);
		snapshot_settle(snapshot);
	}
	report("change of a person", begin, 1000);
	begin = clock_monotonic_ns();
	for (size_t i = 0; i < 100; i++) {
		upsert_group(snapshot, i, i * 7919 + 1, people * 10 / groups);
		(void)snapshot_changes(snapshot, &count);
		snapshot_settle(snapshot);
	}
	report("change of a group of usual size", begin, 100);
	upsert_group(snapshot, groups, 0, people / 2);
	snapshot_settle(snapshot);
	begin = clock_monotonic_ns();
	upsert_group(snapshot, groups, 1, people / 2);
	(void)snapshot_changes(snapshot, &count);
	report("two changes in a group of half of all", begin, 1);
	snapshot_settle(snapshot);
}

static void bench_store(const struct snapshot *from)
{
	struct snapshot *to = snapshot_new(searches, COUNT_OF(searches));
	struct arena *arena = arena_new();
	struct snapshot_record *records = mem_array(snapshot_limit(from), sizeof(*records));
	uint64_t begin = clock_monotonic_ns();
	struct err err;

	for (node_id id = 0; id < snapshot_limit(from); id++)
		snapshot_record(from, id, arena, &records[id]);
	report("records of everything", begin, snapshot_limit(from));
	begin = clock_monotonic_ns();
	for (node_id id = 0; id < snapshot_limit(from); id++)
		must(snapshot_load(to, &records[id], &err), &err);
	snapshot_load_finish(to);
	report("load of all records", begin, snapshot_limit(from));
	mem_free(records);
	arena_free(arena);
	snapshot_free(to);
}

int main(int argc, char **argv)
{
	struct snapshot *snapshot = snapshot_new(searches, COUNT_OF(searches));
	uint64_t begin;

	people = argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) : 100000;
	groups = people / 20;
	bench_names();
	begin = clock_monotonic_ns();
	load_people(snapshot);
	report("people in", begin, people);
	begin = clock_monotonic_ns();
	load_groups(snapshot);
	report("memberships in, people first", begin, people * 10);
	settle(snapshot, "changes of the first load");
	memory("memory");
	begin = clock_monotonic_ns();
	load_people(snapshot);
	load_groups(snapshot);
	report("all of it again, unchanged", begin, people + groups);
	bench_globs(snapshot);
	bench_changes(snapshot);
	bench_store(snapshot);
	snapshot_free(snapshot);

	snapshot = snapshot_new(searches, COUNT_OF(searches));
	begin = clock_monotonic_ns();
	load_groups(snapshot);
	load_people(snapshot);
	report("memberships in, groups first", begin, people * 10);
	memory("memory, groups first");
	snapshot_free(snapshot);
	return 0;
}
