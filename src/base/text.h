/*
 * text -- UTF-8 strings: validity, case folding as Unicode has it, globs, numbers, likeness.
 */
#ifndef L2D_BASE_TEXT_H
#define L2D_BASE_TEXT_H

#include "base/mem.h"

bool text_is_utf8(struct span bytes); /* well-formed (RFC 3629) and without NUL */
/* A copy in which U+FFFD stands for every byte that belongs to no character, and for NUL. The caller's. */
char *text_repair(struct span bytes);
/* The same where there is no room for more: a question mark stands for each. */
void text_repair_in_place(char *text);
bool text_equal(const char *a, const char *b); /* byte-wise; NULL equals only NULL */

/*
 * Full Unicode case folding and NFKC, for comparing names without regard to case. Input that is not
 * UTF-8 comes back as it is. The result is the caller's (mem_free).
 */
char *text_fold(struct span bytes);
bool text_equal_folded(const char *a, const char *b); /* NULL equals only NULL */

/* Unicode lower and upper case, for templates. Caller's, mem_free. */
char *text_lower(struct span bytes);
char *text_upper(struct span bytes);

bool text_starts_with(const char *text, const char *prefix);

/* Glob over the whole text: * any run, ? one character, \ quotes the next. Both sides are folded
 * first. */
bool text_matches_glob(const char *pattern, const char *text);

/* A whole decimal number in [min, max] and nothing else; false otherwise. */
bool text_parse_int(const char *text, int64_t min, int64_t max, int64_t *ret);

/* The candidate nearest to word by edit distance, if near enough to be a slip of the pen; else
 * NULL. */
const char *text_did_you_mean(const char *word, const char *const *candidates, size_t count);

/* Text fit for one line of terminal or log: control characters and invalid bytes as \xNN. Caller's,
 * mem_free. */
char *text_printable(struct span bytes);

#endif
