#include "base/secret.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const kinds[] = {"file:", "env:", "credential:"};

bool secret_is_reference(const char *text)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (text_starts_with(text, kinds[i]) && text[strlen(kinds[i])])
			return true;
	}
	return false;
}

void secret_release(struct secret *secret)
{
	if (secret->text) {
		explicit_bzero(secret->text, secret->mapped);
		(void)munmap(secret->text, secret->mapped);
	}
	*secret = (struct secret){0};
}

void secret_set(struct secret *secret, struct span value)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t mapped = (value.len + page) / page * page;
	char *text = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (text == MAP_FAILED)
		abort();
	/* Best effort: RLIMIT_MEMLOCK may forbid locking, and the secret is needed all the same. */
	(void)mlock(text, mapped);
	(void)madvise(text, mapped, MADV_DONTDUMP);
	if (value.len)
		memcpy(text, value.ptr, value.len);
	secret_release(secret);
	*secret = (struct secret){text, value.len, mapped};
}

static enum err_code check_mode(int fd, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_errno(err, ERR_CONFIG, errno, "secret file \"%s\"", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CONFIG, 0, "secret file \"%s\" is not a regular file",
				path);
	if (st.st_mode & (S_IROTH | S_IWOTH | S_IWGRP))
		return err_set(err, ERR_CONFIG, 0,
				"secret file \"%s\" is open to others (mode %04o): run chmod 600 "
				"'%s'",
				path, (unsigned)(st.st_mode & 07777), path);
	return ERR_NONE;
}

/* How a file is read. */
enum reading {
	READING_TEXT,   /* closed to others; without line ends at its end */
	READING_BYTES,  /* closed to others; as it is */
	READING_MOUNTED /* open to whom it may; without white space around it */
};

static struct span without_space(struct span text)
{
	while (text.len && strchr(" \t\r\n", text.ptr[text.len - 1]))
		text.len--;
	while (text.len && strchr(" \t\r\n", text.ptr[0])) {
		text.ptr++;
		text.len--;
	}
	return text;
}

static enum err_code take_content(const char *path, struct span content, enum reading reading,
		struct secret *ret, struct err *err)
{
	if (content.len > SECRET_BYTES_MAX)
		return err_set(err, ERR_CONFIG, 0, "secret file \"%s\" is over %zu bytes", path,
				SECRET_BYTES_MAX);
	if (reading != READING_BYTES && memchr(content.ptr, '\0', content.len))
		return err_set(err, ERR_CONFIG, 0, "secret file \"%s\" holds a NUL byte", path);
	if (reading == READING_MOUNTED)
		content = without_space(content);
	while (reading == READING_TEXT && content.len &&
			strchr("\r\n", content.ptr[content.len - 1]))
		content.len--;
	if (content.len == 0)
		return err_set(err, ERR_CONFIG, 0, "secret file \"%s\" is empty", path);
	secret_set(ret, content);
	return ERR_NONE;
}

static enum err_code read_file(
		const char *path, enum reading reading, struct secret *ret, struct err *err)
{
	char bytes[SECRET_BYTES_MAX + 1];
	enum err_code code = ERR_NONE;
	size_t len = 0;
	ssize_t got = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return err_errno(err, ERR_CONFIG, errno, "secret file \"%s\"", path);
	if (reading != READING_MOUNTED)
		code = check_mode(fd, path, err);
	while (code == ERR_NONE && len < sizeof(bytes) &&
			(got = read(fd, bytes + len, sizeof(bytes) - len)) > 0)
		len += (size_t)got;
	if (code == ERR_NONE && got < 0)
		code = err_errno(err, ERR_CONFIG, errno, "secret file \"%s\"", path);
	(void)close(fd);
	if (code == ERR_NONE)
		code = take_content(path, (struct span){bytes, len}, reading, ret, err);
	explicit_bzero(bytes, sizeof(bytes));
	return code;
}

static enum err_code read_in_folder(const char *folder, const char *name, enum reading reading,
		struct secret *ret, struct err *err)
{
	AUTO(mem_freep)
	char *path = folder && name[0] != '/' ? mem_printf("%s/%s", folder, name)
					      : mem_strdup(name);

	return read_file(path, reading, ret, err);
}

static enum err_code read_reference(const char *reference, const char *folder, enum reading reading,
		struct secret *ret, struct err *err)
{
	const char *name, *value;

	if (!secret_is_reference(reference))
		return err_set(err, ERR_CONFIG, 0,
				"a secret is given by reference (file:PATH, env:NAME or "
				"credential:NAME), never by value");
	name = strchr(reference, ':') + 1;
	if (text_starts_with(reference, "file:"))
		return read_in_folder(folder, name, reading, ret, err);
	if (text_starts_with(reference, "credential:")) {
		folder = getenv("CREDENTIALS_DIRECTORY");
		if (!folder || strchr(name, '/'))
			return err_set(err, ERR_CONFIG, 0,
					"credential \"%s\": systemd passed none (LoadCredential= "
					"in the unit)",
					name);
		return read_in_folder(folder, name, reading, ret, err);
	}
	value = getenv(name);
	if (!value || !*value)
		return err_set(err, ERR_CONFIG, 0, "environment variable %s is not set", name);
	secret_set(ret, span_of(value));
	return ERR_NONE;
}

enum err_code secret_read(
		const char *reference, const char *folder, struct secret *ret, struct err *err)
{
	return read_reference(reference, folder, READING_TEXT, ret, err);
}

enum err_code secret_read_bytes(
		const char *reference, const char *folder, struct secret *ret, struct err *err)
{
	return read_reference(reference, folder, READING_BYTES, ret, err);
}

enum err_code secret_read_mounted(const char *path, struct secret *ret, struct err *err)
{
	return read_file(path, READING_MOUNTED, ret, err);
}
