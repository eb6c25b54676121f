#include "request_log.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "json_out.h"

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

void request_log_write(struct request_log *log, const struct request *request, uint64_t read_ns,
		unsigned status, size_t bytes)
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
	buf_add_text(&line, "}\n");
	/* O_APPEND makes one write one line, whatever other threads do. */
	if (write(log->fd, line.ptr, line.len) < 0)
		(void)fprintf(stderr, "dbx-sim: cannot write the request log\n");
}
