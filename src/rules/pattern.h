/*
 * pattern -- regular expressions (PCRE2, UTF-8, Unicode classes) whose cost is bounded.
 *
 * No JIT: its stack and its disregard of the match limit are not for texts that a directory's users
 * choose. Compiled patterns are kept per owner, so a literal pattern is compiled once. One owner
 * belongs to one thread.
 */
#ifndef L2D_RULES_PATTERN_H
#define L2D_RULES_PATTERN_H

#include "base/mem.h"

#define PATTERN_BYTES_MAX 4096
#define PATTERN_SUBJECT_MAX ((size_t)65536)     /* bytes of a text that is searched */
#define PATTERN_OUTPUT_MAX ((size_t)256 * 1024) /* bytes of a result of replace */
#define PATTERNS_KEPT_MAX 256
/*
 * Between two calls of patterns_begin: how many matches may be tried, how many of them at full
 * length. What PCRE2 calls match limit: steps of the matcher, about a millisecond per 100,000.
 */
#define PATTERN_MATCHES_MAX 1000
#define PATTERN_MATCHES_FULL 16
#define PATTERN_STEPS_FULL 100000
#define PATTERN_STEPS_LATER 10000
#define PATTERN_HEAP_KIB_MAX 2048

#define PATTERN_GROUPS_MAX 63 /* of a pattern whose named groups are asked for */

/* Whether pattern compiles; if not, reason says why and where. */
bool pattern_check(struct span pattern, char *reason, size_t size);

/*
 * The names of the pattern's named groups in the order of their names, in arena. pattern must compile. Returns NULL, or one
 * sentence why they can't be used (static).
 */
const char *pattern_group_names(struct span pattern, struct arena *arena, const char *const **ret,
		size_t *ret_count);

struct patterns;
struct patterns *patterns_new(void);
void patterns_free(struct patterns *patterns);  /* NULL is fine */
void patterns_begin(struct patterns *patterns); /* a new evaluation: fresh bounds */

enum pattern_result { PATTERN_NO, PATTERN_YES, PATTERN_FAILED };
/* ret: the first group if the pattern has one (ptr NULL: it took no part), else all that matched;
 * borrowed of subject. */
enum pattern_result patterns_match(struct patterns *patterns, struct span subject,
		struct span pattern, struct span *ret);
/* ret: what the named groups took, in the order of pattern_group_names; ptr NULL: no part. Borrowed of subject. */
enum pattern_result patterns_capture(struct patterns *patterns, struct span subject,
		struct span pattern, struct span *ret);
/* Replaces all matches; $1, ${name} and $$ in with. ret: borrowed until the next call. */
enum pattern_result patterns_replace(struct patterns *patterns, struct span subject,
		struct span pattern, struct span with, struct span *ret);
/* After PATTERN_FAILED: one sentence. */
const char *patterns_reason(const struct patterns *patterns);

#endif
