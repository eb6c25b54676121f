#include "model/selector.h"

#include "base/buf.h"
#include "base/text.h"

#define DESCRIPTION_MAX ((size_t)4096)
#define WILDCARDS "*?["

static size_t character_length(const char *text)
{
	size_t len = 1;

	while (((unsigned char)text[len] & 0xc0) == 0x80)
		len++;
	return len;
}

/*
 * Whether the character at c is in the set that begins behind the [ at *set; *set goes behind its ]. A set that is not closed
 * is a plain [. Sets are of single bytes; others are not in any.
 */
static bool in_set(struct span *set, char c)
{
	const char *end = set->len > 2 ? memchr(set->ptr + 2, ']', set->len - 2) : NULL;
	bool found = false, negated = set->len > 1 && (set->ptr[1] == '!' || set->ptr[1] == '^');
	const char *at = set->ptr + (negated ? 2 : 1);

	if (negated && end == at)
		end = memchr(at + 1, ']', set->len - 3);
	if (!end) {
		*set = (struct span){set->ptr + 1, set->len - 1};
		return c == '[';
	}
	for (; at < end; at++) {
		if (at + 2 < end && at[1] == '-') {
			found = found ||
					((unsigned char)at[0] <= (unsigned char)c &&
							(unsigned char)c <= (unsigned char)at[2]);
			at += 2;
		} else {
			found = found || *at == c;
		}
	}
	set->len -= (size_t)(end + 1 - set->ptr);
	set->ptr = end + 1;
	return found != negated;
}

/* One character of text against what stands at the beginning of pattern, no *; both go on. */
static bool step(struct span *pattern, struct span *text)
{
	size_t len = character_length(text->ptr);
	bool same;

	if (len > text->len)
		len = text->len;
	if (pattern->ptr[0] == '?') {
		same = true;
		pattern->ptr++;
		pattern->len--;
	} else if (pattern->ptr[0] == '[') {
		same = in_set(pattern, text->ptr[0]);
	} else {
		size_t quote = pattern->ptr[0] == '\\' && pattern->len > 1 ? 1 : 0;

		same = pattern->ptr[quote] == text->ptr[0];
		pattern->ptr += quote + 1;
		pattern->len -= quote + 1;
		len = 1;
	}
	text->ptr += len;
	text->len -= len;
	return same;
}

/* Only the last * needs another try: what the ones before it took can't help. */
static bool matches_glob(struct span pattern, struct span text)
{
	struct span star = {NULL, 0}, from = {NULL, 0};

	for (;;) {
		bool ok = false;

		if (pattern.len && pattern.ptr[0] == '*') {
			pattern.ptr++;
			pattern.len--;
			star = pattern;
			from = text;
			continue;
		}
		if (!text.len && !pattern.len)
			return true;
		if (text.len && pattern.len)
			ok = step(&pattern, &text);
		if (ok)
			continue;
		if (!star.ptr || !from.len)
			return false;
		from.ptr++;
		from.len--;
		pattern = star;
		text = from;
	}
}

/* The first segment of path, which begins with / or is empty; path goes on. */
static struct span next_segment(struct span *path)
{
	struct span ret;
	const char *end;

	if (path->len && path->ptr[0] == '/') {
		path->ptr++;
		path->len--;
	}
	end = path->len ? memchr(path->ptr, '/', path->len) : NULL;
	ret = (struct span){path->ptr, end ? (size_t)(end - path->ptr) : path->len};
	path->ptr += ret.len;
	path->len -= ret.len;
	return ret;
}

static bool is_any_depth(struct span segment)
{
	return span_equal(segment, SPAN_LIT("**"));
}

static bool matches_path(struct span pattern, struct span text)
{
	struct span star = {NULL, 0}, from = {NULL, 0};

	if (span_equal(text, SPAN_LIT("/")))
		text.len = 0;
	for (;;) {
		struct span rest = pattern, segment = next_segment(&rest);

		if (pattern.len && is_any_depth(segment)) {
			if (!rest.len)
				return text.len > 0;
			pattern = star = rest;
			from = text;
			continue;
		}
		if (!text.len && !pattern.len)
			return true;
		if (text.len && pattern.len && matches_glob(segment, next_segment(&text))) {
			pattern = rest;
			continue;
		}
		if (!star.ptr || !from.len)
			return false;
		(void)next_segment(&from);
		pattern = star;
		text = from;
	}
}

bool selector_is_glob(const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' && text[1])
			text++;
		else if (strchr(WILDCARDS, *text))
			return true;
	}
	return false;
}

static bool has_tag(const struct tag *wanted, const struct securable_facts *facts)
{
	for (size_t i = 0; i < facts->tag_count; i++) {
		if (text_equal(facts->tags[i].key, wanted->key) &&
				matches_glob(span_of(wanted->value), span_of(facts->tags[i].value)))
			return true;
	}
	return false;
}

bool selector_matches(const struct selector *selector, const struct securable_facts *facts)
{
	if (selector->all)
		return true;
	if (selector->id)
		return text_equal(selector->id, facts->id);
	if (selector->path)
		return facts->path &&
				(selector->is_glob ? matches_path(span_of(selector->path),
								     span_of(facts->path))
						   : text_equal(selector->path, facts->path));
	if (selector->name &&
			(!facts->name ||
					!(selector->is_glob ? matches_glob(span_of(selector->name),
									      span_of(facts->name))
							    : text_equal(selector->name,
									      facts->name))))
		return false;
	if (selector->creator &&
			!(facts->creator && text_matches_glob(selector->creator, facts->creator)))
		return false;
	for (size_t i = 0; i < selector->tag_count; i++) {
		if (!has_tag(&selector->tags[i], facts))
			return false;
	}
	return selector->name || selector->creator || selector->tag_count;
}

const char *selector_folder(const struct selector *selector, struct arena *arena)
{
	struct span rest = span_of(selector->path ? selector->path : "/");
	const char *begin = rest.ptr, *end = rest.ptr;

	while (rest.len) {
		struct span segment = next_segment(&rest);
		AUTO(mem_freep) char *text = mem_strndup(segment.ptr, segment.len);

		if (!rest.len || (selector->is_glob && selector_is_glob(text)))
			break;
		end = segment.ptr + segment.len;
	}
	return end == begin ? "/" : arena_strndup(arena, begin, (size_t)(end - begin));
}

bool selector_enters_folder(const struct selector *selector, const char *folder)
{
	struct span pattern, path = span_of(text_equal(folder, "/") ? "" : folder);

	if (!selector->path)
		return selector->all;
	pattern = span_of(selector->path);
	while (path.len) {
		struct span wanted, segment = next_segment(&path);

		if (!pattern.len)
			return false;
		wanted = next_segment(&pattern);
		if (selector->is_glob && is_any_depth(wanted))
			return true;
		if (!(selector->is_glob ? matches_glob(wanted, segment)
					: span_equal(wanted, segment)))
			return false;
	}
	return pattern.len > 0;
}

const char *selector_describe(const struct selector *selector, struct arena *arena)
{
	const char *type = securable_traits(selector->type)->name;
	struct buf out;
	const char *ret;

	if (selector->all)
		return arena_printf(arena, "every %s", type);
	if (selector->id && selector->type != SECURABLE_AUTHORIZATION)
		return arena_printf(arena, "%s with id %s", type, selector->id);
	if (selector->id || selector->path)
		return arena_printf(
				arena, "%s %s", type, selector->id ? selector->id : selector->path);
	buf_init(&out, DESCRIPTION_MAX);
	buf_printf(&out, "%s%s%s", type, selector->name ? " " : "",
			selector->name ? selector->name : "");
	for (size_t i = 0; i < selector->tag_count; i++)
		buf_printf(&out, "%s tag %s=%s", i ? " and" : " with", selector->tags[i].key,
				selector->tags[i].value);
	if (selector->creator)
		buf_printf(&out, " made by %s", selector->creator);
	ret = arena_strdup(arena, buf_text(&out));
	buf_release(&out);
	return ret;
}

bool selector_equal(const struct selector *a, const struct selector *b)
{
	if (a->type != b->type || a->all != b->all || a->is_glob != b->is_glob ||
			!text_equal(a->id, b->id) || !text_equal(a->path, b->path) ||
			!text_equal(a->name, b->name) || !text_equal(a->creator, b->creator) ||
			a->tag_count != b->tag_count)
		return false;
	for (size_t i = 0; i < a->tag_count; i++) {
		if (!text_equal(a->tags[i].key, b->tags[i].key) ||
				!text_equal(a->tags[i].value, b->tags[i].value))
			return false;
	}
	return true;
}
