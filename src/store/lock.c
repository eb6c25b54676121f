#include "store/lock.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <unistd.h>

static enum err_code refuse(int fd, const char *store_path, struct err *err)
{
	char text[24] = {0};
	int64_t pid;
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

	if (len > 0 && text[len - 1] == '\n')
		text[len - 1] = '\0';
	if (len > 0 && text_parse_int(text, 1, INT_MAX, &pid))
		return err_set(err, ERR_CONFLICT, 0,
				"the store %s is in use by process %d: only one may write to it",
				store_path, (int)pid);
	return err_set(err, ERR_CONFLICT, 0,
			"the store %s is in use by another process: only one may write to it",
			store_path);
}

/* The pid helps people only; a disk too full for it must not keep the service from starting. */
static void write_pid(int fd)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len) {
		/* then the refusal names no pid */
	}
}

enum err_code lock_take(const char *store_path, int *ret_fd, struct err *err)
{
	AUTO(mem_freep) char *path = mem_printf("%s.lock", store_path);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_errno(err, ERR_STORE, errno, "cannot open the lock file %s", path);
	/* flock, not fcntl: two opens within one process conflict as well, and closing a copy does
	 * not release it. */
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			(void)refuse(fd, store_path, err);
		else
			(void)err_errno(err, ERR_STORE, errno, "cannot lock %s", path);
		(void)close(fd);
		return err->code;
	}
	write_pid(fd);
	*ret_fd = fd;
	return ERR_NONE;
}

void lock_release(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}
