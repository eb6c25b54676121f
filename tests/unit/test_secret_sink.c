/* Where secrets go: files that appear whole, programs that take one or do not. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "sync/access/secret_sink.h"

#define SAMPLE "sample secret"

struct end {
	struct loop *loop;
	unsigned count;
	bool failed;
	struct err err;
};

static char *folder;

static int make_folder(void **state)
{
	(void)state;
	folder = mem_strdup("/tmp/test_secret_sink.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
	AUTO(mem_freep) char *secret = mem_printf("%s/secret", folder);
	AUTO(mem_freep) char *taken = mem_printf("%s/taken", folder);
	int status;

	(void)state;
	(void)unlink(secret);
	(void)unlink(taken);
	status = rmdir(folder); /* nothing else was left behind */
	mem_free(folder);
	return status;
}

static const char *content_of(const char *path, char *ret, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t length = file ? fread(ret, 1, size - 1, file) : 0;

	ret[length] = '\0';
	if (file)
		(void)fclose(file);
	return ret;
}

static void delivered(void *context, const struct err *err)
{
	struct end *end = context;

	end->count++;
	end->failed = err != NULL;
	if (err)
		end->err = *err;
	loop_stop(end->loop);
}

static struct end deliver_within(enum sink_kind kind, const char *text, uint64_t ms)
{
	struct end end = {.loop = loop_new()};
	struct secret secret = {0};

	secret_set(&secret, span_of(SAMPLE));
	sink_limit(sink_deliver(end.loop, kind, text, &secret, delivered, &end), ms);
	assert_int_equal(end.count, 0); /* never inside */
	secret_release(&secret);
	loop_run(end.loop);
	loop_free(end.loop);
	assert_int_equal(end.count, 1);
	return end;
}

static struct end deliver(enum sink_kind kind, const char *text)
{
	return deliver_within(kind, text, SINK_TIME_MAX_MS);
}

static void a_file_is_for_its_owner_alone(void **state)
{
	AUTO(mem_freep) char *path = mem_printf("%s/secret", folder);
	struct stat status;
	char text[64];
	FILE *former = fopen(path, "w");

	(void)state;
	assert_non_null(former);
	(void)fputs("a longer one that was there before", former);
	(void)fclose(former);
	assert_int_equal(chmod(path, 0644), 0);
	assert_false(deliver(SINK_FILE, path).failed);
	assert_string_equal(content_of(path, text, sizeof(text)), SAMPLE "\n");
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void a_file_without_a_folder_is_told(void **state)
{
	AUTO(mem_freep) char *path = mem_printf("%s/no/such/secret", folder);
	struct end end = deliver(SINK_FILE, path);

	(void)state;
	assert_true(end.failed);
	assert_int_equal(end.err.code, ERR_REFUSED);
	assert_null(strstr(end.err.text, SAMPLE));
}

static void a_program_gets_it(void **state)
{
	AUTO(mem_freep) char *path = mem_printf("%s/taken", folder);
	AUTO(mem_freep) char *command = mem_printf("/usr/bin/tee %s", path);
	char text[64];

	(void)state;
	assert_false(deliver(SINK_COMMAND, command).failed);
	assert_string_equal(content_of(path, text, sizeof(text)), SAMPLE);
}

static void a_program_that_does_not_take_it_is_told(void **state)
{
	static const struct {
		const char *command, *says;
	} cases[] = {
			{"/no/such/program", "no such file"},
			{"/usr/bin/test a = b", "status 1"}, /* and no shell: words are words */
			{"/usr/bin/sh -c kill\t-9\t$$", "signal"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct end end = deliver(SINK_COMMAND, cases[i].command);

		if (!end.failed || !strstr(end.err.text, cases[i].says))
			fail_msg("case %zu: %s", i, end.failed ? end.err.text : "delivered");
	}
}

/* Nobody may be there to take note of its end. */
static bool is_zombie(long process)
{
	AUTO(mem_freep) char *path = mem_printf("/proc/%ld/stat", process);
	char text[512];
	const char *end = strrchr(content_of(path, text, sizeof(text)), ')');

	return end && end[1] && end[2] == 'Z';
}

/* A crash while it was written leaves a part behind, which the next one overwrites. */
static void what_a_crash_left_is_overwritten(void **state)
{
	AUTO(mem_freep) char *path = mem_printf("%s/secret", folder);
	AUTO(mem_freep) char *part = mem_printf("%s.new", path);
	FILE *former = fopen(part, "w");
	char text[64];

	(void)state;
	assert_non_null(former);
	(void)fputs("a part", former);
	(void)fclose(former);
	assert_false(deliver(SINK_FILE, path).failed);
	assert_string_equal(content_of(path, text, sizeof(text)), SAMPLE "\n");
	assert_int_equal(access(part, F_OK), -1);
}

/* It and what it started: the child would keep the pipe open, and be there for ever. */
static void a_program_that_takes_too_long_is_ended(void **state)
{
	AUTO(mem_freep) char *path = mem_printf("%s/taken", folder);
	AUTO(mem_freep) char *command = mem_printf("%s/secret", folder);
	FILE *script = fopen(command, "w");
	struct end end;
	char text[64];
	long child;

	(void)state;
	assert_non_null(script);
	(void)fprintf(script, "#!/bin/sh\nsleep 1000 &\necho $! >%s.new && mv %s.new %s\nwait\n",
			path, path, path);
	(void)fclose(script);
	assert_int_equal(chmod(command, 0700), 0);
	(void)unlink(path);
	end = deliver_within(SINK_COMMAND, command, 1500);
	assert_true(end.failed);
	assert_non_null(strstr(end.err.text, "took too long"));
	child = strtol(content_of(path, text, sizeof(text)), NULL, 10);
	assert_true(child > 0);
	for (unsigned tries = 0; kill((pid_t)child, 0) == 0 && !is_zombie(child); tries++)
		assert_true(tries < 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(a_file_is_for_its_owner_alone),
			cmocka_unit_test(a_file_without_a_folder_is_told),
			cmocka_unit_test(a_program_gets_it),
			cmocka_unit_test(a_program_that_does_not_take_it_is_told),
			cmocka_unit_test(a_program_that_takes_too_long_is_ended),
			cmocka_unit_test(what_a_crash_left_is_overwritten),
	};

	/* As the program does: a reader that is gone is an error, not the end. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
