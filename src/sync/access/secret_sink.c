#include "sync/access/secret_sink.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct sink_delivery {
	void (*done)(void *context, const struct err *err_or_null);
	void *context;
	struct secret secret;
	struct err err;
	bool failed, exited, written, timed_out;
	uv_process_t process;
	uv_pipe_t input;
	uv_timer_t timer; /* of the program; of a file: ends the delivery in a later turn */
	uv_write_t write;
	unsigned handles;
	char *words;
	char *arguments[SINK_ARGUMENTS_MAX + 1];
};

/* ---- files ---- */

static enum err_code file_error(const char *path, const char *what, struct err *err)
{
	int code = errno;

	return err_set(err, ERR_REFUSED, code, "%s \"%s\": %s", what, path, strerror(code));
}

static bool write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t count = write(fd, text, len);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return false;
		text += count;
		len -= (size_t)count;
	}
	return true;
}

/* The rename is durable, too. */
static void sync_folder(const char *path)
{
	AUTO(mem_freep) char *copy = mem_strdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

enum err_code sink_write_file(const char *path, const struct secret *secret, struct err *err)
{
	/* Always of the same name: what a crash leaves behind is overwritten by the next one. */
	AUTO(mem_freep) char *temporary = mem_printf("%s.new", path);
	bool ok;
	int fd;

	(void)unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			S_IRUSR | S_IWUSR);
	if (fd < 0)
		return file_error(path, "cannot write the secret beside", err);
	ok = fchmod(fd, S_IRUSR | S_IWUSR) == 0 && write_all(fd, secret->text, secret->len) &&
			write_all(fd, "\n", 1) && fsync(fd) == 0;
	ok = close(fd) == 0 && ok;
	if (ok && rename(temporary, path) == 0) {
		sync_folder(path);
		return ERR_NONE;
	}
	(void)file_error(path, "cannot write the secret to", err);
	(void)unlink(temporary);
	return err->code;
}

/* ---- probing ---- */

static enum err_code probe_file(const char *path, struct err *err)
{
	AUTO(mem_freep) char *copy = mem_strdup(path);
	struct stat found;

	if (faccessat(AT_FDCWD, dirname(copy), W_OK | X_OK, AT_EACCESS) != 0)
		return file_error(path, "cannot write the secret to", err);
	if (stat(path, &found) == 0 && S_ISDIR(found.st_mode)) {
		errno = EISDIR;
		return file_error(path, "cannot write the secret to", err);
	}
	return ERR_NONE;
}

static enum err_code probe_program(const char *text, struct err *err)
{
	AUTO(mem_freep) char *path = mem_strndup(text, strcspn(text, " "));
	struct stat found;

	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0)
		return file_error(path, "cannot run the program for the secret,", err);
	if (stat(path, &found) == 0 && !S_ISREG(found.st_mode)) {
		errno = EACCES;
		return file_error(path, "cannot run the program for the secret,", err);
	}
	return ERR_NONE;
}

enum err_code sink_probe(enum sink_kind kind, const char *text, struct err *err)
{
	return kind == SINK_FILE ? probe_file(text, err) : probe_program(text, err);
}

/* ---- the end ---- */

static void handle_closed(uv_handle_t *handle)
{
	struct sink_delivery *delivery = handle->data;

	if (--delivery->handles > 0)
		return;
	secret_release(&delivery->secret);
	mem_free(delivery->words);
	mem_free(delivery);
}

static void close_handle(struct sink_delivery *delivery, uv_handle_t *handle)
{
	handle->data = delivery;
	if (!uv_is_closing(handle))
		uv_close(handle, handle_closed);
}

static void close_all(struct sink_delivery *delivery)
{
	if (delivery->handles > 1) {
		close_handle(delivery, (uv_handle_t *)&delivery->process);
		close_handle(delivery, (uv_handle_t *)&delivery->input);
	}
	close_handle(delivery, (uv_handle_t *)&delivery->timer);
}

static void finish(struct sink_delivery *delivery)
{
	void (*done)(void *, const struct err *) = STEAL(delivery->done);
	struct err err = delivery->err;
	bool failed = delivery->failed;

	secret_release(&delivery->secret);
	close_all(delivery);
	if (done)
		done(delivery->context, failed ? &err : NULL);
}

/* With all that it started: it leads a group of its own. */
static void kill_program(struct sink_delivery *delivery)
{
	if (kill(-uv_process_get_pid(&delivery->process), SIGKILL) != 0)
		(void)uv_process_kill(&delivery->process, SIGKILL);
}

void sink_cancel(struct sink_delivery *delivery)
{
	if (!delivery)
		return;
	delivery->done = NULL;
	if (delivery->handles > 1 && !delivery->exited)
		kill_program(delivery);
	close_all(delivery);
}

static void fail(struct sink_delivery *delivery, const char *text)
{
	if (!delivery->failed)
		(void)err_set(&delivery->err, ERR_REFUSED, 0,
				"the program for the secret, \"%s\", %s",
				delivery->arguments[0] ? delivery->arguments[0] : "", text);
	delivery->failed = true;
}

/* ---- programs ---- */

static void process_exited(uv_process_t *process, int64_t status, int signal_number)
{
	struct sink_delivery *delivery = process->data;
	char text[64];

	delivery->exited = true;
	if (delivery->timed_out)
		fail(delivery, "took too long");
	else if (signal_number)
		fail(delivery, "was ended by a signal");
	else if (status) {
		(void)snprintf(text, sizeof(text), "ended with status %d", (int)status);
		fail(delivery, text);
	} else if (!delivery->written)
		fail(delivery, "ended without having read it");
	finish(delivery);
}

static void secret_written(uv_write_t *write, int status)
{
	struct sink_delivery *delivery = write->data;

	if (status == UV_ECANCELED)
		return;
	delivery->written = status == 0;
	/* The end of its input. */
	close_handle(delivery, (uv_handle_t *)&delivery->input);
}

static void timed_out(uv_timer_t *timer)
{
	struct sink_delivery *delivery = timer->data;

	if (delivery->handles == 1 || delivery->exited) {
		finish(delivery);
		return;
	}
	delivery->timed_out = true;
	kill_program(delivery);
}

static void split_words(struct sink_delivery *delivery, const char *text)
{
	char *place = NULL, *word;
	size_t count = 0;

	delivery->words = mem_strdup(text);
	for (word = strtok_r(delivery->words, " ", &place); word && count < SINK_ARGUMENTS_MAX;
			word = strtok_r(NULL, " ", &place))
		delivery->arguments[count++] = word;
}

static void run_program(struct sink_delivery *delivery, uv_loop_t *loop)
{
	uv_stdio_container_t streams[] = {
			{.flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_READABLE_PIPE),
					.data.stream = (uv_stream_t *)&delivery->input},
			{.flags = UV_IGNORE}, {.flags = UV_IGNORE}};
	uv_process_options_t options = {.exit_cb = process_exited,
			.flags = UV_PROCESS_DETACHED,
			.file = delivery->arguments[0],
			.args = delivery->arguments,
			.stdio_count = 3,
			.stdio = streams};
	uv_buf_t bytes = uv_buf_init(delivery->secret.text, (unsigned)delivery->secret.len);
	int status;

	(void)uv_pipe_init(loop, &delivery->input, 0);
	delivery->handles += 2;
	delivery->process.data = delivery->input.data = delivery;
	status = uv_spawn(loop, &delivery->process, &options);
	if (status != 0) {
		delivery->exited = true;
		fail(delivery, uv_strerror(status));
		(void)uv_timer_start(&delivery->timer, timed_out, 0, 0);
		return;
	}
	delivery->write.data = delivery;
	(void)uv_timer_start(&delivery->timer, timed_out, SINK_TIME_MAX_MS, 0);
	if (uv_write(&delivery->write, (uv_stream_t *)&delivery->input, &bytes, 1,
			    secret_written) != 0)
		close_handle(delivery, (uv_handle_t *)&delivery->input);
}

void sink_limit(struct sink_delivery *delivery, uint64_t ms)
{
	if (delivery->handles > 1 && !delivery->exited && ms < SINK_TIME_MAX_MS)
		(void)uv_timer_start(&delivery->timer, timed_out, ms, 0);
}

struct sink_delivery *sink_deliver(struct loop *loop, enum sink_kind kind, const char *text,
		const struct secret *secret,
		void (*done)(void *context, const struct err *err_or_null), void *context)
{
	struct sink_delivery *delivery = mem_zalloc(sizeof(*delivery));

	delivery->done = done;
	delivery->context = context;
	delivery->handles = 1;
	(void)uv_timer_init(loop_uv(loop), &delivery->timer);
	delivery->timer.data = delivery;
	if (kind == SINK_FILE) {
		delivery->failed = sink_write_file(text, secret, &delivery->err) != ERR_NONE;
		(void)uv_timer_start(&delivery->timer, timed_out, 0, 0);
		return delivery;
	}
	secret_set(&delivery->secret, (struct span){secret->text, secret->len});
	split_words(delivery, text);
	run_program(delivery, loop_uv(loop));
	return delivery;
}
