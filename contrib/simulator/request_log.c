#include "request_log.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/json_out.h"

#define LINE_BYTES_MAX ((size_t)1024 * 1024)

struct request_log {
	int fd;
};

enum err_code request_log_open(const char *path, struct request_log **ret, struct err *err)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0)
		return err_errno(err, ERR_IO, errno, "request log \"%s\"", path);
	*ret = mem_zalloc(sizeof(**ret));
	(*ret)->fd = fd;
	return ERR_NONE;
}

void request_log_close(struct request_log *log)
{
	if (!log)
		return;
	(void)close(log->fd);
	mem_free(log);
}

static void add_span(struct buf *line, const char *key, struct span span)
{
	AUTO(mem_freep) char *text = mem_strndup(span.ptr, span.len);

	json_add_member(line, key, text);
}

/* The first id in an answer is that of its subject: ours put it behind "schemas". */
static void add_bodies(struct buf *line, const struct request *request, const struct answer *answer)
{
	static const char key[] = "\"id\":\"";
	const char *id = answer->status == 201 ? strstr(buf_text(&answer->body), key) : NULL;

	if (request->body.len)
		add_span(line, "body", request->body);
	if (id) {
		id += sizeof(key) - 1;
		add_span(line, "made", (struct span){id, strcspn(id, "\"")});
	}
}

void request_log_write(struct request_log *log, const struct request *request, uint64_t read_ns,
		unsigned status, size_t bytes, const struct answer *answer)
{
	AUTO(buf_release) struct buf line = {.max = LINE_BYTES_MAX};

	if (!log)
		return;
	buf_add_text(&line, "{\"t\":");
	json_add_number(&line, read_ns);
	json_add_key(&line, "port");
	json_add_number(&line, request->port);
	json_add_member(&line, "method", request->method);
	json_add_member(&line, "path", request->target);
	json_add_key(&line, "status");
	json_add_number(&line, status);
	json_add_key(&line, "bytes");
	json_add_number(&line, bytes);
	if (request->sim->options.log_bodies)
		add_bodies(&line, request, answer);
	buf_add_text(&line, "}\n");
	/* O_APPEND makes one write one line, whatever other threads do. */
	if (write(log->fd, line.ptr, line.len) < 0)
		(void)fprintf(stderr, "dbx-sim: cannot write the request log\n");
}
