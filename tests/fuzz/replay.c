/*
 * Stands in for libFuzzer in `make check`: gives a fuzz target each file of its corpus, whole and cut at every byte, so
 * that what once crashed stays found. fuzz_NAME without arguments reads tests/fuzz/corpus/NAME, else the files named.
 */
#include "base/mem.h"

#include <dirent.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX ((size_t)64 * 1024)
#define CUT_MAX ((size_t)2048) /* longer files are not cut at every byte */

static void run(const unsigned char *bytes, size_t len)
{
	/* A copy of just this size, so that reading behind its end is seen. */
	unsigned char *copy = mem_alloc(len);

	memcpy(copy, bytes, len);
	(void)LLVMFuzzerTestOneInput(copy, len);
	mem_free(copy);
}

static bool replay(const char *path)
{
	static unsigned char bytes[INPUT_MAX];
	FILE *file = fopen(path, "re");
	size_t len;

	if (!file)
		return false;
	len = fread(bytes, 1, sizeof(bytes), file);
	(void)fclose(file);
	for (size_t cut = len > CUT_MAX ? len : 0; cut <= len; cut++)
		run(bytes, cut);
	return true;
}

static size_t replay_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *item;
	size_t count = 0;

	while (dir && (item = readdir(dir))) {
		AUTO(mem_freep) char *path = mem_printf("%s/%s", folder, item->d_name);

		if (item->d_name[0] != '.')
			count += replay(path);
	}
	if (dir)
		(void)closedir(dir);
	return count;
}

int main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir"), *name = strstr(argv[0], "fuzz_");
	AUTO(mem_freep) char *folder = NULL;
	size_t count = 0;

	for (int i = 1; i < argc; i++)
		count += replay(argv[i]);
	if (argc == 1 && name) {
		folder = mem_printf(
				"%s/tests/fuzz/corpus/%s", top ? top : ".", name + strlen("fuzz_"));
		count = replay_folder(folder);
	}
	(void)printf("%zu inputs\n", count);
	return count ? 0 : 1;
}
