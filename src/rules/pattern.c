#define PCRE2_CODE_UNIT_WIDTH 8

#include "rules/pattern.h"

#include "base/table.h"

#include <pcre2.h>

#define OPTIONS (PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C)
#define REPLACE_OPTIONS (PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_UNSET_EMPTY)
#define GROUPS_KEPT (PATTERN_GROUPS_MAX + 1) /* with the whole match */

struct patterns {
	struct table *kept;  /* pattern text -> pcre2_code */
	pcre2_code *passing; /* the last one that was not kept, because there were too many */
	pcre2_match_data *data;
	pcre2_match_context *context;
	char *output; /* PATTERN_OUTPUT_MAX, from the first replace on */
	unsigned matches;
	char reason[200];
};

static pcre2_code *compile(struct span pattern, char *reason, size_t size)
{
	pcre2_code *code = NULL;
	PCRE2_SIZE offset = 0;
	PCRE2_UCHAR text[120];
	int error = 0;

	if (pattern.len > PATTERN_BYTES_MAX) {
		(void)snprintf(reason, size, "longer than %d bytes", PATTERN_BYTES_MAX);
		return NULL;
	}
	code = pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, OPTIONS, &error, &offset, NULL);
	if (!code) {
		(void)pcre2_get_error_message(error, text, sizeof(text));
		(void)snprintf(reason, size, "%s (at its character %zu)", (const char *)text,
				(size_t)offset);
	}
	return code;
}

bool pattern_check(struct span pattern, char *reason, size_t size)
{
	pcre2_code *code = compile(pattern, reason, size);

	pcre2_code_free(code);
	return code != NULL;
}

/* The table of names: entries of size bytes, a number of two bytes and a name with NUL (pcre2pattern(3), pcre2api(3)). */
struct names {
	PCRE2_SPTR table;
	uint32_t count, size;
};

static struct names names_of(const pcre2_code *code)
{
	struct names names = {NULL, 0, 0};

	(void)pcre2_pattern_info(code, PCRE2_INFO_NAMECOUNT, &names.count);
	(void)pcre2_pattern_info(code, PCRE2_INFO_NAMEENTRYSIZE, &names.size);
	(void)pcre2_pattern_info(code, PCRE2_INFO_NAMETABLE, &names.table);
	return names;
}

const char *pattern_group_names(struct span pattern, struct arena *arena, const char *const **ret,
		size_t *ret_count)
{
	char reason[200];
	pcre2_code *code = compile(pattern, reason, sizeof(reason));
	const char **list;
	struct names names;
	uint32_t groups = 0;

	if (!code)
		return "it does not compile";
	names = names_of(code);
	(void)pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
	list = arena_alloc(arena, names.count * sizeof(*list));
	for (uint32_t i = 0; i < names.count; i++)
		list[i] = arena_strdup(
				arena, (const char *)names.table + (size_t)i * names.size + 2);
	pcre2_code_free(code);
	if (groups > PATTERN_GROUPS_MAX)
		return "it has too many groups";
	*ret = list;
	*ret_count = names.count;
	return NULL;
}

struct patterns *patterns_new(void)
{
	struct patterns *patterns = mem_zalloc(sizeof(*patterns));

	patterns->kept = table_new();
	patterns->data = pcre2_match_data_create(GROUPS_KEPT, NULL);
	patterns->context = pcre2_match_context_create(NULL);
	if (!patterns->data || !patterns->context)
		abort(); /* no memory: as base/mem.h has it */
	(void)pcre2_set_heap_limit(patterns->context, PATTERN_HEAP_KIB_MAX);
	return patterns;
}

void patterns_free(struct patterns *patterns)
{
	if (!patterns)
		return;
	for (table_each (patterns->kept, it))
		pcre2_code_free(it.value);
	table_free(patterns->kept);
	pcre2_code_free(patterns->passing);
	pcre2_match_data_free(patterns->data);
	pcre2_match_context_free(patterns->context);
	mem_free(patterns->output);
	mem_free(patterns);
}

void patterns_begin(struct patterns *patterns)
{
	patterns->matches = 0;
}

const char *patterns_reason(const struct patterns *patterns)
{
	return patterns->reason;
}

static const pcre2_code *find(struct patterns *patterns, struct span pattern)
{
	pcre2_code *code = table_find(patterns->kept, pattern);

	if (code)
		return code;
	code = compile(pattern, patterns->reason, sizeof(patterns->reason));
	if (!code)
		return NULL;
	if (table_count(patterns->kept) < PATTERNS_KEPT_MAX) {
		(void)table_put(patterns->kept, pattern, code);
	} else {
		pcre2_code_free(patterns->passing);
		patterns->passing = code;
	}
	return code;
}

/* Takes one match off the budget. */
static bool spend(struct patterns *patterns)
{
	bool full = patterns->matches < PATTERN_MATCHES_FULL;

	if (patterns->matches >= PATTERN_MATCHES_MAX) {
		(void)snprintf(patterns->reason, sizeof(patterns->reason),
				"more than %d matches in one evaluation", PATTERN_MATCHES_MAX);
		return false;
	}
	patterns->matches++;
	(void)pcre2_set_match_limit(
			patterns->context, full ? PATTERN_STEPS_FULL : PATTERN_STEPS_LATER);
	(void)pcre2_set_depth_limit(
			patterns->context, full ? PATTERN_STEPS_FULL : PATTERN_STEPS_LATER);
	return true;
}

static const pcre2_code *prepare(
		struct patterns *patterns, struct span subject, struct span pattern)
{
	const pcre2_code *code;

	if (subject.len > PATTERN_SUBJECT_MAX) {
		(void)snprintf(patterns->reason, sizeof(patterns->reason),
				"a text of over %zu bytes is not searched", PATTERN_SUBJECT_MAX);
		return NULL;
	}
	code = find(patterns, pattern);
	return code && spend(patterns) ? code : NULL;
}

static enum pattern_result failed(struct patterns *patterns, int error)
{
	PCRE2_UCHAR text[120];

	if (error == PCRE2_ERROR_MATCHLIMIT || error == PCRE2_ERROR_DEPTHLIMIT ||
			error == PCRE2_ERROR_HEAPLIMIT) {
		(void)snprintf(patterns->reason, sizeof(patterns->reason),
				"the pattern takes too many steps on this text; make it simpler");
		return PATTERN_FAILED;
	}
	(void)pcre2_get_error_message(error, text, sizeof(text));
	(void)snprintf(patterns->reason, sizeof(patterns->reason), "%s", (const char *)text);
	return PATTERN_FAILED;
}

enum pattern_result patterns_match(struct patterns *patterns, struct span subject,
		struct span pattern, struct span *ret)
{
	const pcre2_code *code = prepare(patterns, subject, pattern);
	const PCRE2_SIZE *ends;
	uint32_t groups = 0;
	int rc;

	if (!code)
		return PATTERN_FAILED;
	rc = pcre2_match(code, (PCRE2_SPTR)subject.ptr, subject.len, 0, 0, patterns->data,
			patterns->context);
	if (rc == PCRE2_ERROR_NOMATCH)
		return PATTERN_NO;
	if (rc < 0)
		return failed(patterns, rc);
	ends = pcre2_get_ovector_pointer(patterns->data);
	(void)pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
	if (groups > 0)
		ends += 2;
	*ret = (struct span){NULL, 0};
	/* \K in a lookaround can set the start behind the end; nothing sensible can be taken from
	 * that. */
	if (ends[0] != PCRE2_UNSET && ends[0] <= ends[1])
		*ret = (struct span){subject.ptr + ends[0], ends[1] - ends[0]};
	return PATTERN_YES;
}

enum pattern_result patterns_capture(struct patterns *patterns, struct span subject,
		struct span pattern, struct span *ret)
{
	const pcre2_code *code = prepare(patterns, subject, pattern);
	const PCRE2_SIZE *ends;
	struct names names;
	int rc;

	if (!code)
		return PATTERN_FAILED;
	rc = pcre2_match(code, (PCRE2_SPTR)subject.ptr, subject.len, 0, 0, patterns->data,
			patterns->context);
	if (rc == PCRE2_ERROR_NOMATCH)
		return PATTERN_NO;
	if (rc < 0)
		return failed(patterns, rc);
	ends = pcre2_get_ovector_pointer(patterns->data);
	names = names_of(code);
	for (uint32_t i = 0; i < names.count; i++) {
		PCRE2_SPTR row = names.table + (size_t)i * names.size;
		size_t number = (size_t)row[0] << 8 | row[1];
		PCRE2_SIZE begin = number < GROUPS_KEPT ? ends[2 * number] : PCRE2_UNSET;

		ret[i] = (struct span){NULL, 0};
		if (begin != PCRE2_UNSET && begin <= ends[2 * number + 1])
			ret[i] = (struct span){subject.ptr + begin, ends[2 * number + 1] - begin};
	}
	return PATTERN_YES;
}

static int count_substitution(pcre2_substitute_callout_block *block, void *context)
{
	(void)block;
	return spend(context) ? 0 : -1;
}

enum pattern_result patterns_replace(struct patterns *patterns, struct span subject,
		struct span pattern, struct span with, struct span *ret)
{
	const pcre2_code *code = prepare(patterns, subject, pattern);
	PCRE2_SIZE len = PATTERN_OUTPUT_MAX;
	int rc;

	if (!code)
		return PATTERN_FAILED;
	if (!patterns->output)
		patterns->output = mem_alloc(PATTERN_OUTPUT_MAX);
	(void)pcre2_set_substitute_callout(patterns->context, count_substitution, patterns);
	rc = pcre2_substitute(code, (PCRE2_SPTR)subject.ptr, subject.len, 0, REPLACE_OPTIONS, NULL,
			patterns->context, (PCRE2_SPTR)with.ptr, with.len,
			(PCRE2_UCHAR *)patterns->output, &len);
	if (rc < 0)
		return failed(patterns, rc);
	if (patterns->matches >= PATTERN_MATCHES_MAX) {
		(void)spend(patterns);
		return PATTERN_FAILED;
	}
	*ret = (struct span){patterns->output, len};
	return PATTERN_YES;
}
