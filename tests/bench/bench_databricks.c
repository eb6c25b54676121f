/*
 * What the Databricks client costs by itself, against the simulator: prints one line per figure. Needs the simulator
 * (contrib/simulator/dbx-sim below $top_builddir, or $DBX_SIM); bench_databricks [USERS [SECONDS]].
 */
#include "../integration/databricks_world.h"

#include "base/clock.h"
#include "base/text.h"

#include <sys/resource.h>
#include <unistd.h>

#define PARALLEL 64

struct listing {
	struct world *world;
	bool done;
	size_t count;
};

static void on_page(void *context, const struct resource *resources, size_t count)
{
	((struct listing *)context)->count += resources ? count : 0;
}

static void on_listed(void *context, const struct err *err_or_null)
{
	struct listing *listing = context;

	if (err_or_null)
		(void)fprintf(stderr, "%s\n", err_or_null->text);
	listing->done = true;
	loop_stop(listing->world->loop);
}

static double cpu_s(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
			(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static long resident_kb(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static void write_seed(const struct world *world, const char *path, size_t users)
{
	FILE *file = fopen(path, "w");

	(void)world;
	for (size_t i = 0; file && i < users; i++)
		(void)fprintf(file,
				"{\"user\":{\"id\":\"%zu\",\"userName\":\"user%zu@example.com\","
				"\"displayName\":"
				"\"User Sample "
				"%zu\",\"externalId\":\"8a8f1b9e-0000-4000-8000-%012zu\"}}\n",
				1000 + i, i, i, i);
	if (file)
		(void)fclose(file);
}

static void bench_list(struct world *world, size_t users)
{
	struct listing listing = {.world = world};
	uint64_t begin = clock_monotonic_ns();
	double cpu = cpu_s();

	(void)scim_list_start(
			world->databricks, 0, PRINCIPAL_USER, 0, on_page, on_listed, &listing);
	world_wait_for(world, &listing.done);
	printf("list            %zu of %zu users in %.3f s, %.3f s CPU, %ld KiB at most\n",
			listing.count, users, (double)(clock_monotonic_ns() - begin) / 1e9,
			cpu_s() - cpu, resident_kb());
}

/* Sends `count` calls, PARALLEL of them with the client at a time; or as many as fit into `seconds`. */
static size_t pour(struct world *world, size_t count, double seconds,
		void (*send)(struct world *world, struct call *call, size_t number))
{
	static struct call calls[PARALLEL];
	uint64_t end = seconds > 0 ? clock_monotonic_ns() + (uint64_t)(seconds * 1e9) : UINT64_MAX;
	size_t sent = 0, done = 0;

	while (done < count && clock_monotonic_ns() < end) {
		for (size_t i = 0; i < PARALLEL; i++) {
			struct call *call = &calls[i];

			if (call->wakes && !call->done)
				continue;
			if (call->wakes) {
				done++;
				if (call->code != ERR_NONE)
					(void)fprintf(stderr, "%s\n", call->err.text);
				call_release(call);
			}
			if (sent < count) {
				*call = world_call(world, 0);
				call->lane = LANE_BULK;
				send(world, call, sent++);
			}
		}
		if (done < count)
			loop_run(world->loop);
	}
	for (size_t i = 0; i < PARALLEL; i++)
		call_release(&calls[i]);
	return done;
}

static void send_create(struct world *world, struct call *call, size_t number)
{
	AUTO(mem_freep) char *name = mem_printf("new%zu@example.com", number);
	const char *fields[FIELD_COUNT_] = {
			[FIELD_USER_NAME] = name, [FIELD_DISPLAY_NAME] = "New Sample"};

	scim_create(world->databricks, call, PRINCIPAL_USER, fields, true);
}

static void send_get(struct world *world, struct call *call, size_t number)
{
	(void)number;
	scim_get(world->databricks, call, PRINCIPAL_USER, "1000", 0);
}

static void send_patch(struct world *world, struct call *call, size_t number)
{
	struct scim_change change = {.fields = {[FIELD_DISPLAY_NAME] = number % 2 ? "a" : "b"}};

	scim_update(world->databricks, call, PRINCIPAL_USER, "1000", &change);
}

static void bench_unthrottled(struct world *world)
{
	static const struct {
		const char *name;
		void (*send)(struct world *world, struct call *call, size_t number);
	} kinds[] = {{"create", send_create}, {"get", send_get}, {"patch", send_patch}};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		uint64_t begin = clock_monotonic_ns();
		double cpu = cpu_s();
		size_t done = pour(world, 10000, 0, kinds[i].send);
		double s = (double)(clock_monotonic_ns() - begin) / 1e9;

		printf("%-15s %zu in %.3f s, %.0f/s, %.1f us CPU each\n", kinds[i].name, done, s,
				(double)done / s, (cpu_s() - cpu) / (double)done * 1e6);
	}
}

static void bench_budget(const char *const *options, double seconds)
{
	static const struct {
		const char *name;
		double per_second;
		void (*send)(struct world *world, struct call *call, size_t number);
	} kinds[] = {{"create", 4, send_create}, {"get", 16, send_get}, {"patch", 1.6, send_patch}};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct world world;
		struct target_status status;
		size_t done;

		world_start(&world, &(struct world_setup){.options = options, .share = 80});
		done = pour(&world, 1000000, seconds, kinds[i].send);
		databricks_status(world.databricks, 0, &status);
		printf("%-15s %zu in %.0f s of %.1f/s: %.1f %% of the budget, %llu times 429\n",
				kinds[i].name, done, seconds, kinds[i].per_second,
				(double)done / (seconds * kinds[i].per_second) * 100,
				(unsigned long long)status.throttled);
		world_stop(&world);
	}
}

int main(int argc, char **argv)
{
	char seed[] = "/tmp/l2d-bench.XXXXXX";
	const char *const options[] = {"--seed", seed, NULL};
	const char *const limited[] = {"--seed", seed, "--limits", "published", NULL};
	int64_t users = 100000, seconds = 30;
	struct world world;
	int fd = mkstemp(seed);

	if (fd < 0 || (argc > 1 && !text_parse_int(argv[1], 1, 10000000, &users)) ||
			(argc > 2 && !text_parse_int(argv[2], 1, 100000, &seconds)))
		return 64;
	(void)close(fd);
	write_seed(&world, seed, (size_t)users);
	world_start(&world, &(struct world_setup){.options = options});
	bench_list(&world, (size_t)users);
	bench_list(&world, (size_t)users);
	bench_unthrottled(&world);
	world_stop(&world);
	bench_budget(limited, (double)seconds);
	(void)unlink(seed);
	return 0;
}
