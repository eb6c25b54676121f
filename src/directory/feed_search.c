#include "directory/feed_search.h"

#include "base/text.h"

static const char *const member_names[] = MEMBER_ATTRIBUTES;

/*
 * Computed members (slapo-dynlist) are in what a search returns and not in what a sync event brings, so entries that
 * have them must be recognised.
 */
static const char *const dynamic_names[] = {"objectclass", "memberurl"};

static bool is_member_name(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(member_names); i++) {
		if (text_equal(name, member_names[i]))
			return true;
	}
	return false;
}

static void ask_for(struct feed_search *search, size_t *count, const char *name)
{
	for (size_t i = 0; i < *count; i++) {
		if (text_equal(search->attributes[i], name))
			return;
	}
	search->attributes[(*count)++] = mem_strdup(name);
}

void feed_search_init(struct feed_search *search, const struct search *wanted)
{
	size_t count = 0;

	*search = (struct feed_search){.search = wanted};
	search->attributes = mem_array(
			wanted->attribute_count + COUNT_OF(dynamic_names) + 2, sizeof(char *));
	/* Operational, so it comes only when asked for by name. Never an empty list: that would mean everything. */
	ask_for(search, &count, "entryuuid");
	for (size_t i = 0; i < wanted->attribute_count; i++) {
		/* "1.1" says no attributes, which we say by asking for the anchor only. */
		if (!text_equal(wanted->attributes[i], "1.1"))
			ask_for(search, &count, wanted->attributes[i]);
		search->has_members = search->has_members || is_member_name(wanted->attributes[i]);
	}
	for (size_t i = 0; search->has_members && i < COUNT_OF(dynamic_names); i++)
		ask_for(search, &count, dynamic_names[i]);
}

void feed_search_release(struct feed_search *search)
{
	for (char **name = search->attributes; name && *name; name++)
		mem_free(*name);
	mem_free(search->attributes);
	table_free(search->touched);
	*search = (struct feed_search){0};
}

void feed_search_watch(struct feed_search *search, struct batch *pages)
{
	if (!search->touched)
		search->touched = table_new();
	for (size_t i = 0; i < COUNT_OF(search->pages); i++) {
		if (!search->pages[i]) {
			search->pages[i] = pages;
			return;
		}
	}
}

void feed_search_unwatch(struct feed_search *search, const struct batch *pages)
{
	bool watched = false;

	for (size_t i = 0; i < COUNT_OF(search->pages); i++) {
		if (search->pages[i] == pages)
			search->pages[i] = NULL;
		watched = watched || search->pages[i];
	}
	if (watched)
		return;
	table_free(search->touched);
	search->touched = NULL;
}

/* A table holds addresses: one for each way of touching. */
static enum touch marks[] = {[TOUCH_NONE] = TOUCH_NONE,
		[TOUCH_UPSERT] = TOUCH_UPSERT,
		[TOUCH_DELETE] = TOUCH_DELETE};

void feed_search_touch(struct feed_search *search, const char *anchor, enum touch how)
{
	if (!search->touched)
		return;
	(void)table_put(search->touched, span_of(anchor), &marks[how]);
	for (size_t i = 0; i < COUNT_OF(search->pages); i++) {
		if (search->pages[i])
			batch_flush(search->pages[i]);
	}
}

enum touch feed_search_touched(const struct feed_search *search, const char *anchor)
{
	const enum touch *mark =
			search->touched ? table_find(search->touched, span_of(anchor)) : NULL;

	return mark ? *mark : TOUCH_NONE;
}

bool feed_search_wants(const struct feed_search *search, struct span name)
{
	for (size_t i = 0; i < search->search->attribute_count; i++) {
		if (span_equal(span_of(search->search->attributes[i]), name))
			return true;
	}
	return false;
}

enum err_code feed_search_context(const struct feed_search *search, struct err *err)
{
	const struct search *about = search->search;

	return err_context(err, "search of \"%.80s\" for %.60s (%.60s:%u)", about->base,
			about->filter, about->file ? about->file : "", about->line);
}
