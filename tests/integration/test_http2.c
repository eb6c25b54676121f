/*
 * TLS and HTTP/2 as a real proxy speaks them: nghttpx in front of the simulator, with a certificate authority of our own.
 */
#include "databricks_world.h"

#include "base/text.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <cmocka.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKSPACE 1
#define PROXY "/usr/sbin/nghttpx"

struct proxy {
	struct world *world;
	pid_t pid;
	uint16_t port;
	char backend[8]; /* the workspace's own port */
	char host[64];
	char ca_file[128];
};

static void run_in(const struct world *world, const char *const *arguments)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (chdir(world->folder) != 0 || !freopen("/dev/null", "w", stderr))
			_exit(126);
		(void)execvp(arguments[0], (char *const *)(uintptr_t)arguments);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("%s %s: status %d", arguments[0], arguments[1], status);
}

#define RUN(world, ...) run_in((world), (const char *const[]){__VA_ARGS__, NULL})

static void make_certificates(struct world *world)
{
	(void)world_write(world, "cert.ext", "subjectAltName=IP:127.0.0.1\n");
	RUN(world, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
			"ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
			"/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem");
	RUN(world, "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
			"-nodes", "-subj", "/CN=127.0.0.1", "-keyout", "key.pem", "-out",
			"csr.pem");
	RUN(world, "openssl", "x509", "-req", "-in", "csr.pem", "-CA", "ca.pem", "-CAkey", "ca.key",
			"-CAcreateserial", "-days", "2", "-extfile", "cert.ext", "-out",
			"cert.pem");
}

static uint16_t free_port(void)
{
	struct sockaddr_in address = {
			.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	(void)close(fd);
	return ntohs(address.sin_port);
}

static bool accepts(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
			.sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;

	(void)close(fd);
	return ok;
}

static void proxy_run(struct proxy *proxy)
{
	char front[64], back[64], log[128];

	(void)snprintf(front, sizeof(front), "--frontend=127.0.0.1,%u", proxy->port);
	(void)snprintf(back, sizeof(back), "--backend=127.0.0.1,%s", proxy->backend);
	(void)snprintf(log, sizeof(log), "--accesslog-file=%s/access", proxy->world->folder);
	proxy->pid = fork();
	if (proxy->pid == 0) {
		/* Master and worker are a group, so that both can be killed. */
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		(void)setpgid(0, 0);
		if (chdir(proxy->world->folder) != 0)
			_exit(126);
		(void)execl(PROXY, PROXY, "--conf=/dev/null", "--no-ocsp", "--workers=1",
				"--errorlog-file=/dev/null",
				"--accesslog-format=$alpn $remote_port $status", front, back, log,
				"key.pem", "cert.pem", (char *)NULL);
		_exit(127);
	}
	for (unsigned i = 0; !accepts(proxy->port); i++) {
		if (i > 1000 || waitpid(proxy->pid, NULL, WNOHANG) != 0)
			fail_msg(PROXY " does not listen");
		(void)usleep(10000);
	}
}

/* The workspace is reached through the proxy from here on. */
static void proxy_start(struct proxy *proxy, struct world *world)
{
	*proxy = (struct proxy){.world = world, .port = free_port()};
	(void)snprintf(proxy->backend, sizeof(proxy->backend), "%s",
			strrchr(world->targets[WORKSPACE].host, ':') + 1);
	make_certificates(world);
	proxy_run(proxy);
	(void)snprintf(proxy->host, sizeof(proxy->host), "https://127.0.0.1:%u", proxy->port);
	(void)snprintf(proxy->ca_file, sizeof(proxy->ca_file), "%s/ca.pem", world->folder);
	world->targets[WORKSPACE] = (struct target_settings){.name = "prod",
			.host = proxy->host,
			.ca_file = proxy->ca_file,
			.auth = {.values[AUTH_KEY_TOKEN] = "env:TEST_TOKEN", .line = 1}};
	world_reconnect(world);
}

static void proxy_end(struct proxy *proxy)
{
	char path[160];

	(void)killpg(proxy->pid, SIGKILL);
	(void)waitpid(proxy->pid, NULL, 0);
	(void)snprintf(path, sizeof(path), "%s/access", proxy->world->folder);
	(void)unlink(path);
}

/* Different connections in the proxy's log, and lines without h2. */
static void read_log(const struct proxy *proxy, size_t *ret_connections, size_t *ret_other)
{
	char path[160], line[256], last[64] = "";
	FILE *file;

	*ret_connections = *ret_other = 0;
	(void)snprintf(path, sizeof(path), "%s/access", proxy->world->folder);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		char port[64];

		*ret_other += !text_starts_with(line, "h2 ");
		(void)snprintf(port, sizeof(port), "%.*s", (int)strcspn(line + 3, " "), line + 3);
		*ret_connections += strcmp(port, last) != 0;
		(void)snprintf(last, sizeof(last), "%s", port);
	}
	(void)fclose(file);
}

static void read_users(struct world *world, struct call *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		calls[i] = world_call(world, WORKSPACE);
		scim_find(world->databricks, &calls[i], PRINCIPAL_USER, FIELD_USER_NAME,
				"nobody@example.com", 0);
	}
}

static void check_all(struct world *world, struct call *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		world_wait(world, &calls[i]);
		if (calls[i].code != ERR_NONE)
			fail_msg("%s", calls[i].err.text);
		call_release(&calls[i]);
	}
}

static void requests_share_one_http2_connection(void **state)
{
	struct call calls[100];
	size_t connections, other;
	struct proxy proxy;
	struct world world;

	(void)state;
	world_start(&world, &(struct world_setup){0});
	proxy_start(&proxy, &world);
	read_users(&world, calls, COUNT_OF(calls));
	check_all(&world, calls, COUNT_OF(calls));
	read_log(&proxy, &connections, &other);
	assert_int_equal(other, 0);
	assert_int_equal(connections, 1);
	proxy_end(&proxy);
	world_stop(&world);
}

static void an_unknown_authority_is_refused_at_once(void **state)
{
	struct proxy proxy;
	struct world world;
	struct call call;

	(void)state;
	world_start(&world, &(struct world_setup){0});
	proxy_start(&proxy, &world);
	world.targets[WORKSPACE].ca_file = NULL;
	world_reconnect(&world);
	read_users(&world, &call, 1);
	world_wait(&world, &call);
	assert_int_equal(call.code, ERR_IO);
	assert_non_null(strstr(call.err.text, "certificate"));
	assert_int_equal(databricks_calls(world.databricks), 1);
	call_release(&call);

	world.targets[WORKSPACE].ca_file = "/nonexistent.pem";
	world_reconnect(&world);
	read_users(&world, &call, 1);
	world_wait(&world, &call);
	assert_int_equal(call.code, ERR_CONFIG);
	call_release(&call);
	proxy_end(&proxy);
	world_stop(&world);
}

/* SIGQUIT: the proxy says GOAWAY, ends what it has, and another one takes its place. */
static void a_goaway_loses_no_read(void **state)
{
	struct call calls[40];
	struct proxy proxy;
	struct world world;

	(void)state;
	world_start(&world,
			&(struct world_setup){
					.options = (const char *const[]){"--latency", "20", NULL}});
	proxy_start(&proxy, &world);
	for (unsigned round = 0; round < 3; round++) {
		pid_t former = proxy.pid;

		read_users(&world, calls, COUNT_OF(calls));
		world_wait(&world, &calls[0]);
		(void)kill(former, SIGQUIT);
		/* the port is free again once the old one has closed it */
		while (accepts(proxy.port))
			(void)usleep(1000);
		proxy_run(&proxy);
		check_all(&world, calls, COUNT_OF(calls));
		(void)killpg(former, SIGKILL);
		(void)waitpid(former, NULL, 0);
	}
	/* and killed, with requests in the air */
	for (unsigned round = 0; round < 3; round++) {
		read_users(&world, calls, COUNT_OF(calls));
		world_wait(&world, &calls[0]);
		(void)killpg(proxy.pid, SIGKILL);
		(void)waitpid(proxy.pid, NULL, 0);
		proxy_run(&proxy);
		check_all(&world, calls, COUNT_OF(calls));
	}
	proxy_end(&proxy);
	world_stop(&world);
}

static void a_killed_proxy_repeats_no_write(void **state)
{
	enum { COUNT = 40 };
	struct call calls[COUNT];
	struct proxy proxy;
	struct world world;
	size_t unknown = 0;

	(void)state;
	world_start(&world,
			&(struct world_setup){
					.options = (const char *const[]){"--latency", "20", NULL}});
	proxy_start(&proxy, &world);
	for (size_t i = 0; i < COUNT; i++) {
		AUTO(mem_freep) char *name = mem_printf("sp%zu", i);
		const char *fields[FIELD_COUNT_] = {[FIELD_DISPLAY_NAME] = name};

		calls[i] = world_call(&world, WORKSPACE);
		scim_create(world.databricks, &calls[i], PRINCIPAL_SERVICE, fields, true);
	}
	world_wait(&world, &calls[0]);
	(void)killpg(proxy.pid, SIGKILL);
	(void)waitpid(proxy.pid, NULL, 0);
	proxy_run(&proxy);
	for (size_t i = 0; i < COUNT; i++) {
		struct call found = world_call(&world, WORKSPACE);
		AUTO(mem_freep) char *name = mem_printf("sp%zu", i);
		struct arena *arena = arena_new();
		const struct resource *resources;
		struct err err;
		size_t count;

		world_wait(&world, &calls[i]);
		scim_find(world.databricks, &found, PRINCIPAL_SERVICE, FIELD_DISPLAY_NAME, name, 0);
		world_wait(&world, &found);
		assert_int_equal(scim_found(&found, PRINCIPAL_SERVICE, arena, &resources, &count,
						 &err),
				ERR_NONE);
		/* service principals without an application id: nothing but our own care keeps a second one away */
		assert_in_range(count, 0, 1);
		if (calls[i].code == ERR_NONE)
			assert_int_equal(count, 1);
		else if (count == 1)
			assert_true(calls[i].err.effect_unknown);
		unknown += calls[i].err.effect_unknown;
		call_release(&found);
		call_release(&calls[i]);
		arena_free(arena);
	}
	assert_true(unknown > 0);
	proxy_end(&proxy);
	world_stop(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(requests_share_one_http2_connection),
			cmocka_unit_test(an_unknown_authority_is_refused_at_once),
			cmocka_unit_test(a_goaway_loses_no_read),
			cmocka_unit_test(a_killed_proxy_repeats_no_write),
	};

	return cmocka_run_group_tests_name("http2", tests, NULL, NULL);
}
