#include "databricks/auth/profile_file.h"

#include "base/buf.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

char *profile_file_path(void)
{
	const char *named = getenv("DATABRICKS_CONFIG_FILE");
	const char *home = getenv("HOME");

	if (!named || !*named)
		named = "~/.databrickscfg";
	if (named[0] == '~' && named[1] == '/' && home)
		return mem_printf("%s%s", home, named + 1);
	return mem_strdup(named);
}

/* *ret_found false: there is no such file, which is fine. */
static enum err_code read_whole(const char *path, struct buf *ret, bool *ret_found, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char bytes[4096];
	ssize_t got;

	*ret_found = false;
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return ERR_NONE;
	if (fd < 0)
		return err_errno(err, ERR_CONFIG, errno, "profile file \"%s\"", path);
	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		buf_add(ret, bytes, (size_t)got);
	(void)close(fd);
	explicit_bzero(bytes, sizeof(bytes));
	if (got < 0)
		return err_errno(err, ERR_CONFIG, errno, "profile file \"%s\"", path);
	if (ret->overflowed)
		return err_set(err, ERR_CONFIG, 0, "profile file \"%s\" is over %zu bytes", path,
				PROFILE_FILE_MAX);
	*ret_found = true;
	return ERR_NONE;
}

enum err_code profile_file_read(const char *path, const char *section, bool *ret_file,
		struct ini *ret, struct err *err)
{
	struct buf text;
	enum err_code code;

	buf_init(&text, PROFILE_FILE_MAX);
	code = read_whole(path, &text, ret_file, err);
	if (code == ERR_NONE && memchr(buf_text(&text), '\0', text.len))
		code = err_set(err, ERR_CONFIG, 0, "profile file \"%s\" holds a NUL byte", path);
	if (code == ERR_NONE) {
		code = ini_read((struct span){buf_text(&text), text.len}, section, ret, err);
		if (code != ERR_NONE)
			(void)err_context(err, "profile file \"%s\"", path);
	}
	buf_wipe(&text);
	return code;
}

enum err_code profile_file_secret(const char *path, const char *section, const char *key,
		struct secret *ret, struct err *err)
{
	struct ini ini = {0};
	const char *value;
	bool file, found;

	if (profile_file_read(path, section, &file, &ini, err) != ERR_NONE)
		return err->code;
	value = ini_get(&ini, key);
	found = value && *value;
	if (found)
		secret_set(ret, span_of(value));
	ini_release(&ini);
	if (!found)
		return err_set(err, ERR_CONFIG, 0, "profile %s in %s has no %s any more", section,
				path, key);
	return ERR_NONE;
}
