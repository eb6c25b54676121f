/*
 * bench_store -- how quickly a store takes and gives back a whole directory; one line per figure.
 *
 * bench_store [ENTRIES [MEMBERS]], by default 100000 and 1000000.
 */
#include "base/clock.h"
#include "base/text.h"
#include "support/store_support.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#define RECORDS_PER_BATCH 5000
#define GROUP_MEMBERS 200
#define SMALL_COMMITS 200
#define GROUPED_COMMITS 5000
#define FIRST_USER INT64_C(4611686018427)

static double seconds_since(uint64_t begun_ns)
{
	return (double)(clock_monotonic_ns() - begun_ns) / 1e9;
}

static void print_rate(const char *what, int64_t count, double seconds)
{
	(void)printf("store: %-28s %9" PRId64 " in %7.3f s %12.0f/s\n", what, count, seconds,
			(double)count / seconds);
}

static int64_t resident_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	char line[128] = {0};
	char *rest = NULL;

	if (!file)
		return 0;
	if (fgets(line, sizeof(line), file))
		(void)strtoll(line, &rest, 10);
	(void)fclose(file);
	return rest ? strtoll(rest, NULL, 10) * 4 : 0;
}

static void add_entry(struct store_batch *batch, int64_t i)
{
	char dn[96], anchor[37], attributes[161];

	/* Spread as random UUIDs are, and the same in every run. */
	(void)snprintf(anchor, sizeof(anchor), "%08x-0000-4000-8000-%012" PRIx64,
			(unsigned)((uint64_t)i * 2654435761u), (uint64_t)i);
	(void)snprintf(dn, sizeof(dn), "uid=sample%06" PRId64 ",ou=People,dc=corp,dc=example", i);
	(void)snprintf(attributes, sizeof(attributes),
			"uid=sample%06" PRId64 ";mail=sample%06" PRId64
			"@corp.example;givenName=Ada;sn=Sample;employeeType=staff;departmentNumber="
			"%04" PRId64,
			i, i, i % 500);
	store_put_entry(batch,
			&(struct store_entry){.source = "corp",
					.anchor = anchor,
					.dn = dn,
					.searches = 1,
					.attributes = span_of(attributes)});
}

static void add_member(struct store_batch *batch, int64_t i)
{
	char group[24], member[24];

	(void)snprintf(group, sizeof(group), "%" PRId64, INT64_C(900000000000) + i / GROUP_MEMBERS);
	(void)snprintf(member, sizeof(member), "%" PRId64,
			FIRST_USER + (int64_t)((uint64_t)i * 2654435761u % 100003));
	store_put_member(batch, &(struct store_member){"account", group, member});
}

static void add_principal(struct store_batch *batch, int64_t i)
{
	char id[24], key[64], mail[48];

	(void)snprintf(id, sizeof(id), "%" PRId64, FIRST_USER + i);
	(void)snprintf(key, sizeof(key), "corp/%08x-0000-4000-8000-%012" PRIx64,
			(unsigned)((uint64_t)i * 2654435761u), (uint64_t)i);
	(void)snprintf(mail, sizeof(mail), "sample%06" PRId64 "@corp.example", i);
	store_put_principal(batch,
			&(struct store_principal){.target = "account",
					.kind = PRINCIPAL_USER,
					.remote_id = id,
					.key = key,
					.active = true,
					.fields = {mail, "Ada Sample", "Ada", "Sample", key + 5,
							NULL}});
}

static void drop_user(struct store_batch *batch, int64_t i)
{
	char id[24];

	(void)snprintf(id, sizeof(id), "%" PRId64, FIRST_USER + i);
	store_drop_principal(batch, "account", PRINCIPAL_USER, id);
}

static void write_all(struct store_support *support, const char *what,
		void (*add)(struct store_batch *batch, int64_t i), int64_t count)
{
	uint64_t begun_ns = clock_monotonic_ns();

	for (int64_t i = 0; i < count;) {
		struct store_batch *batch = store_batch_new(support->store);

		for (int k = 0; k < RECORDS_PER_BATCH && i < count; k++, i++)
			add(batch, i);
		/* As a caller does that watches the backlog: a few batches are under way. */
		if (store_backlog(support->store) > 10 * RECORDS_PER_BATCH)
			store_support_must_commit(support, batch);
		else
			store_commit(support->store, batch, NULL);
	}
	store_support_must_commit(support, store_batch_new(support->store));
	print_rate(what, count, seconds_since(begun_ns));
}

static void write_one_by_one(struct store_support *support)
{
	uint64_t begun_ns = clock_monotonic_ns();

	for (int i = 0; i < SMALL_COMMITS; i++) {
		struct store_batch *batch = store_batch_new(support->store);

		store_put_intent(batch,
				&(struct store_intent){
						"0123456789abcdef", "{\"op\":\"update\"}", 1});
		store_support_must_commit(support, batch);
	}
	print_rate("commits, each waited for", SMALL_COMMITS, seconds_since(begun_ns));
	begun_ns = clock_monotonic_ns();
	for (int i = 0; i < GROUPED_COMMITS; i++) {
		struct store_batch *batch = store_batch_new(support->store);

		store_put_intent(batch,
				&(struct store_intent){
						"0123456789abcdef", "{\"op\":\"update\"}", 1});
		store_add_audit(batch,
				"{\"op\":\"update\",\"target\":\"account\",\"object\":\"sample\"}");
		store_commit(support->store, batch, NULL);
	}
	store_support_must_commit(support, store_batch_new(support->store));
	print_rate("commits, many under way", GROUPED_COMMITS, seconds_since(begun_ns));
}

static void count_entry(void *context, const struct store_entry *entry)
{
	*(size_t *)context += strlen(entry->anchor);
}

static void count_principal(void *context, const struct store_principal *principal)
{
	*(size_t *)context += strlen(principal->remote_id);
}

static void count_member(void *context, const struct store_member *member)
{
	*(size_t *)context += strlen(member->member_id);
}

static void read_all(struct store_support *support, int64_t entries, int64_t members)
{
	uint64_t begun_ns = clock_monotonic_ns(), all_ns = begun_ns;
	size_t seen = 0;
	struct err err;
	bool ok;

	store_support_open(support);
	print_rate("open", 1, seconds_since(begun_ns));
	begun_ns = clock_monotonic_ns();
	ok = store_each_entry(support->store, count_entry, &seen, &err) == ERR_NONE;
	print_rate("entries read", entries, seconds_since(begun_ns));
	begun_ns = clock_monotonic_ns();
	ok = ok && store_each_principal(support->store, count_principal, &seen, &err) == ERR_NONE;
	print_rate("principals read", entries, seconds_since(begun_ns));
	begun_ns = clock_monotonic_ns();
	ok = ok && store_each_member(support->store, count_member, &seen, &err) == ERR_NONE;
	print_rate("members read", members, seconds_since(begun_ns));
	print_rate("all read", entries + entries + members, seconds_since(all_ns));
	if (!ok || seen == 0)
		(void)printf("store: FAILED: %s\n", ok ? "nothing read" : err.text);
}

static void print_size(const struct store_support *support)
{
	struct stat status = {0};

	(void)stat(support->path, &status);
	(void)printf("store: %-28s %9" PRId64 " KiB, resident %" PRId64 " KiB\n", "file",
			(int64_t)status.st_size / 1024, resident_kib());
}

static int64_t argument(int argc, char **argv, int index, int64_t otherwise)
{
	int64_t number;

	return index < argc && text_parse_int(argv[index], 1, 100000000, &number) ? number
										  : otherwise;
}

int main(int argc, char **argv)
{
	int64_t entries = argument(argc, argv, 1, 100000);
	int64_t members = argument(argc, argv, 2, 1000000);
	struct store_support support;

	store_support_init(&support, true);
	write_all(&support, "entries put", add_entry, entries);
	write_all(&support, "principals put", add_principal, entries);
	write_all(&support, "members put", add_member, members);
	write_one_by_one(&support);
	print_size(&support);
	store_support_close(&support);
	print_size(&support);
	read_all(&support, entries, members);
	write_all(&support, "users dropped", drop_user, entries / 20);
	print_size(&support);
	store_support_release(&support);
	return 0;
}
