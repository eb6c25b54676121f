/*
 * mem -- memory: checked allocation, ownership helpers, arenas, spans.
 *
 * Allocation never returns NULL. When the system has no memory left the process says so and ends:
 * every write is journalled before it is made, so a sudden end is a case that recovery handles
 * anyway, while a half-handled one in each caller would never be exercised. Sizes that an input
 * decides are bounded by named limits before they get here.
 */
#ifndef L2D_BASE_MEM_H
#define L2D_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <stdbool.h>

#include "base/err.h"

#define AUTO(fn) __attribute__((cleanup(fn))) /* fn takes the address of the variable */
#define STEAL(p)                                                                                   \
	__extension__({                                                                            \
		__typeof__(p) stolen_ = (p);                                                       \
		(p) = NULL;                                                                        \
		stolen_;                                                                           \
	})
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *mem_zalloc(size_t size) __attribute__((malloc, returns_nonnull)); /* zeroed */
void *mem_array(size_t count, size_t size)
		__attribute__((malloc, returns_nonnull)); /* zeroed, product checked */
void *mem_resize(void *ptr, size_t count, size_t size)
		__attribute__((returns_nonnull)); /* product checked */
char *mem_strdup(const char *text) __attribute__((returns_nonnull));
char *mem_strdup_or_null(const char *text); /* NULL for NULL */
void mem_replace_text(char **place,
		const char *text); /* *place becomes a copy, NULL for NULL; frees what it was */
char *mem_strndup(const char *text, size_t len) __attribute__((returns_nonnull)); /* adds the NUL */
char *mem_printf(const char *fmt, ...) __attribute__((returns_nonnull)) PRINTF_LIKE(1, 2);
void mem_free(void *ptr);             /* NULL is fine; frees what the functions above returned */
void mem_tune(void);                  /* before the first thread: few heaps, so that what one thread
					 frees another can use */
void mem_trim(void);                  /* gives what is free back to the system; takes a moment */
void mem_freep(void *address_of_ptr); /* for AUTO(mem_freep) on any pointer variable */

/* Bytes with a length, not NUL-terminated; borrowed unless said otherwise. */
struct span {
	const char *ptr;
	size_t len;
};
#define SPAN_LIT(literal) ((struct span){(literal), sizeof(literal) - 1})
static inline struct span span_of(const char *text)
{
	return (struct span){text, text ? strlen(text) : 0};
}
bool span_equal(struct span a, struct span b);

/*
 * An arena: many small allocations that end together. Nothing in it is freed alone. Not
 * thread-safe; an arena may be handed from one thread to another whole.
 */
struct arena;
struct arena *arena_new(void);
void arena_free(struct arena *arena); /* NULL is fine */
void arena_freep(struct arena **arena);
void arena_reset(struct arena *arena); /* empties it, keeps its first block */
void *arena_alloc(struct arena *arena, size_t size)
		__attribute__((returns_nonnull));                       /* zeroed, max-aligned */
char *arena_strdup(struct arena *arena, const char *text);              /* NULL for NULL */
char *arena_strndup(struct arena *arena, const char *text, size_t len); /* adds the NUL */
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct span arena_span(struct arena *arena, struct span span); /* a copy, NUL behind its end */
size_t arena_bytes(const struct arena *arena);                 /* what it holds from the system */

#endif
