#include "base/mem.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdarg.h>
#include <stdalign.h>
#include <unistd.h>

#define ARENA_BLOCK_SIZE ((size_t)16 * 1024)
#define HEAPS_MAX 2 /* the loop's, and one for all other threads */

static void *checked(void *ptr)
{
	static const char message[] =
			"ldap2dbx: out of memory, ending; the journal brings the state back\n";

	if (ptr)
		return ptr;
	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0) {
		/* nothing more can be done or said */
	}
	abort();
}

static size_t product(size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		(void)checked(NULL);
	return bytes ? bytes : 1;
}

void *mem_alloc(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void *mem_zalloc(size_t size)
{
	return checked(calloc(1, size ? size : 1));
}

void *mem_array(size_t count, size_t size)
{
	return checked(calloc(1, product(count, size)));
}

void *mem_resize(void *ptr, size_t count, size_t size)
{
	return checked(realloc(ptr, product(count, size)));
}

char *mem_strndup(const char *text, size_t len)
{
	char *copy = mem_alloc(len + 1);

	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *mem_strdup(const char *text)
{
	return mem_strndup(text, strlen(text));
}

char *mem_strdup_or_null(const char *text)
{
	return text ? mem_strdup(text) : NULL;
}

char *mem_printf(const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	return checked(text);
}

void mem_free(void *ptr)
{
	free(ptr);
}

void mem_tune(void)
{
#ifdef __GLIBC__
	(void)mallopt(M_ARENA_MAX, HEAPS_MAX);
#endif
}

void mem_trim(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

void mem_replace_text(char **place, const char *text)
{
	/* First the copy: text may lie in what is freed. */
	char *copy = mem_strdup_or_null(text);

	mem_free(*place);
	*place = copy;
}

void mem_freep(void *address_of_ptr)
{
	void *ptr;

	memcpy(&ptr, address_of_ptr, sizeof(ptr));
	free(ptr);
	ptr = NULL;
	memcpy(address_of_ptr, &ptr, sizeof(ptr));
}

bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

struct block {
	struct block *next;
	size_t size;
	size_t used;
	alignas(max_align_t) char bytes[];
};

struct arena {
	struct block *head;
	size_t bytes;
};

static struct block *block_new(struct arena *arena, size_t size)
{
	struct block *block = mem_zalloc(sizeof(*block) + size);

	block->size = size;
	arena->bytes += sizeof(*block) + size;
	return block;
}

struct arena *arena_new(void)
{
	return mem_zalloc(sizeof(struct arena));
}

static void blocks_free(struct block *block)
{
	while (block) {
		struct block *next = block->next;

		mem_free(block);
		block = next;
	}
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	blocks_free(arena->head);
	mem_free(arena);
}

void arena_freep(struct arena **arena)
{
	arena_free(*arena);
	*arena = NULL;
}

void arena_reset(struct arena *arena)
{
	struct block *kept = arena->head;

	if (!kept)
		return;
	blocks_free(kept->next);
	kept->next = NULL;
	memset(kept->bytes, 0, kept->used);
	kept->used = 0;
	arena->bytes = sizeof(*kept) + kept->size;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct block *block = arena->head;
	void *ptr;

	size = (size + align - 1) & ~(align - 1);
	if (!block || block->size - block->used < size) {
		struct block *fresh =
				block_new(arena, size > ARENA_BLOCK_SIZE ? size : ARENA_BLOCK_SIZE);

		/* A big piece goes behind the current block, so that the rest of that one stays
		 * usable. */
		if (block && size > ARENA_BLOCK_SIZE / 2) {
			fresh->next = block->next;
			block->next = fresh;
		} else {
			fresh->next = block;
			arena->head = fresh;
		}
		block = fresh;
	}
	ptr = block->bytes + block->used;
	block->used += size;
	return ptr;
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	if (len)
		memcpy(copy, text, len);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return text ? arena_strndup(arena, text, strlen(text)) : NULL;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args, again;
	char *text;
	int len;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	text = arena_alloc(arena, len < 0 ? 1 : (size_t)len + 1);
	if (len > 0)
		(void)vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	return text;
}

struct span arena_span(struct arena *arena, struct span span)
{
	return (struct span){arena_strndup(arena, span.ptr, span.len), span.len};
}

size_t arena_bytes(const struct arena *arena)
{
	return arena->bytes;
}
