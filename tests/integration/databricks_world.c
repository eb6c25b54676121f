#include "databricks_world.h"

#include "base/buf.h"
#include "databricks/tape.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void on_woken(struct task *task)
{
	loop_stop(task->loop);
}

static void on_guard(struct task *task)
{
	struct world *world = (struct world *)((char *)task - offsetof(struct world, guard));

	world->timed_out = true;
	loop_stop(task->loop);
}

static json_t *read_first_line(int fd)
{
	char line[8192];
	size_t len = 0;
	json_t *json;

	while (len < sizeof(line) - 1 && read(fd, line + len, 1) == 1 && line[len] != '\n')
		len++;
	line[len] = '\0';
	json = json_loads(line, 0, NULL);
	if (!json)
		fail_msg("the simulator said: %s", line);
	return json;
}

static const char *simulator_path(void)
{
	const char *named = getenv("DBX_SIM");
	static char path[512];

	(void)snprintf(path, sizeof(path), "%s/contrib/simulator/dbx-sim",
			getenv("top_builddir") ? getenv("top_builddir") : ".");
	return named ? named : path;
}

static void start_simulator(struct world *world, const struct world_setup *setup)
{
	const char *arguments[32] = {
			simulator_path(), "--listen", "127.0.0.1:0", "--workspace", "prod"};
	char log[96], faults[96];
	const char *const *options = setup->options;
	size_t count = 5;
	int ends[2];

	(void)snprintf(log, sizeof(log), "%s/requests", world->folder);
	(void)snprintf(faults, sizeof(faults), "%s",
			world_write(world, "faults", setup->faults ? setup->faults : "[]"));
	arguments[count++] = "--request-log";
	arguments[count++] = log;
	arguments[count++] = "--faults";
	arguments[count++] = faults;
	while (options && *options)
		arguments[count++] = *options++;
	arguments[count] = NULL;
	assert_int_equal(pipe(ends), 0);
	world->simulator = fork();
	if (world->simulator == 0) {
		(void)prctl(PR_SET_PDEATHSIG,
				SIGKILL); /* a test that fails leaves nothing behind */
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)close(ends[0]);
		(void)close(ends[1]);
		(void)execv(arguments[0], (char *const *)(uintptr_t)arguments);
		(void)fprintf(stderr, "%s: %s\n", arguments[0], strerror(errno));
		_exit(127);
	}
	(void)close(ends[1]);
	world->output = ends[0];
	world->about = read_first_line(ends[0]);
}

static const char *told(const json_t *json, const char *key)
{
	const char *value = json_string_value(json_object_get(json, key));

	assert_non_null(value);
	return value;
}

static void fill_settings(struct world *world, unsigned share)
{
	const json_t *account = json_object_get(world->about, "account");
	const json_t *prod = json_object_get(json_object_get(world->about, "workspaces"), "prod");

	assert_int_equal(setenv("TEST_CLIENT_SECRET", told(world->about, "client_secret"), 1), 0);
	assert_int_equal(setenv("TEST_TOKEN", told(prod, "token"), 1), 0);
	world->targets[0] = (struct target_settings){.name = "account",
			.is_account = true,
			.host = told(account, "host"),
			.account_id = told(account, "account_id"),
			.auth = {.values[AUTH_KEY_CLIENT_ID] = told(world->about, "client_id"),
					.values[AUTH_KEY_CLIENT_SECRET] =
							"env:TEST_CLIENT_SECRET"}};
	world->targets[1] = (struct target_settings){.name = "prod", .host = told(prod, "host")};
	world->settings = (struct settings){.folder = world->folder,
			.targets = world->targets,
			.target_count = 2,
			.has_account = true,
			.limits = {.share_percent = share}};
}

void world_reconnect(struct world *world)
{
	struct err err;

	databricks_free(world->databricks);
	if (databricks_new(world->loop, &world->settings, &world->databricks, &err) != ERR_NONE)
		fail_msg("%s", err.text);
}

void world_start(struct world *world, const struct world_setup *setup)
{
	*world = (struct world){.folder = "/tmp/l2d-world.XXXXXX"};
	assert_non_null(mkdtemp(world->folder));
	start_simulator(world, setup);
	fill_settings(world, setup->share);
	world->loop = loop_new();
	task_init(&world->woken, world->loop, on_woken);
	task_init(&world->guard, world->loop, on_guard);
	world->guard_timer = loop_timer_new(world->loop, &world->guard);
	loop_timer_start(world->guard_timer, WORLD_GUARD_MS);
	world_reconnect(world);
}

static void remove_file(const struct world *world, const char *name)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s", world->folder, name);
	(void)unlink(path);
}

void world_release(struct world *world, struct call *call)
{
	*vec_add(&world->answers) = STEAL(call->answer);
	call_release(call);
}

void world_stop(struct world *world)
{
	static const char *const files[] = {"requests", "faults", "profile", "ca.pem", "ca.key",
			"key.pem", "cert.pem", "csr.pem", "cert.ext", "ca.srl", "nghttpx.pid",
			"secret"};

	databricks_free(world->databricks);
	loop_timer_free(world->guard_timer);
	task_cancel(&world->woken);
	task_cancel(&world->guard);
	loop_free(world->loop);
	(void)kill(world->simulator, SIGTERM);
	(void)waitpid(world->simulator, NULL, 0);
	(void)close(world->output);
	json_decref(world->about);
	for (vec_each (&world->answers, answer))
		tape_free(*answer);
	vec_release(&world->answers);
	for (size_t i = 0; i < COUNT_OF(files); i++)
		remove_file(world, files[i]);
	(void)rmdir(world->folder);
}

void world_wait_for(struct world *world, const bool *done)
{
	while (!*done) {
		loop_run(world->loop);
		if (world->timed_out)
			fail_msg("still waiting after %d s", WORLD_GUARD_MS / 1000);
	}
}

void world_wait(struct world *world, struct call *call)
{
	world_wait_for(world, &call->done);
}

void world_wait_all(struct world *world, struct call *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		world_wait(world, &calls[i]);
}

struct call world_call(struct world *world, unsigned target)
{
	return (struct call){.target = target, .lane = LANE_SINGLE, .wakes = &world->woken};
}

const char *world_write(struct world *world, const char *name, const char *text)
{
	static char path[160];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", world->folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	return path;
}

size_t world_count_requests(struct world *world, const char *needle)
{
	char path[160], line[4096];
	size_t count = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/requests", world->folder);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		count += strstr(line, needle) != NULL;
	(void)fclose(file);
	return count;
}
