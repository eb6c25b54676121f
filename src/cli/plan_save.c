#include "cli/plan_save.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static enum err_code write_whole(int fd, const json_t *plan, const char *path, struct err *err)
{
	FILE *file = fdopen(fd, "w");
	bool written;
	int number;

	if (!file) {
		number = errno;
		(void)close(fd);
		return err_errno(err, ERR_IO, number, "cannot write plan file \"%s\"", path);
	}
	written = json_dumpf(plan, file, JSON_INDENT(2)) == 0 && fputc('\n', file) != EOF &&
			fflush(file) == 0 && fsync(fileno(file)) == 0;
	number = errno;
	if (fclose(file) != 0 && written) {
		number = errno;
		written = false;
	}
	return written ? ERR_NONE
		       : err_errno(err, ERR_IO, number, "cannot write plan file \"%s\"", path);
}

enum err_code plan_save(const char *path, const json_t *plan, struct err *err)
{
	/* mkostemp makes it with mode 0600. In the same folder, because only there rename is one
	 * step. */
	AUTO(mem_freep) char *temporary = mem_printf("%s.XXXXXX", path);
	int fd = mkostemp(temporary, O_CLOEXEC);
	enum err_code code;

	if (fd < 0)
		return err_errno(err, ERR_IO, errno, "cannot write plan file \"%s\"", path);
	code = write_whole(fd, plan, path, err);
	if (code == ERR_NONE && rename(temporary, path) != 0)
		code = err_errno(err, ERR_IO, errno, "cannot write plan file \"%s\"", path);
	if (code != ERR_NONE)
		(void)unlink(temporary);
	return code;
}
