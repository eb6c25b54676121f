/* Every source: can it be reached, does the bind work, what do the searches of the rules find. */
#include "sync/doctor_internal.h"

#include "directory/feed.h"

#define AREA "directory"

/* One source. */
struct ward {
	struct doctor *doctor;
	struct feed *feed;
	struct task news;
	const struct search **searches;
	size_t search_count;
	size_t entries[SEARCHES_MAX];
	bool told[SEARCHES_MAX];
	bool connected, done;
	struct err lost;
};

static const char *name_of(const struct ward *ward)
{
	return ward->doctor->settings->sources[ward - ward->doctor->wards].name;
}

static void tell_search(struct ward *ward, const struct search *search, const struct err *err)
{
	static const char *const purposes[] = {[SEARCH_USERS] = "users",
			[SEARCH_GROUPS] = "groups",
			[SEARCH_SERVICE_PRINCIPALS] = "service principals",
			[SEARCH_THROUGH] = "groups looked through",
			[SEARCH_CONTAINERS] = "containers"};
	size_t count = ward->entries[search->id];

	if (ward->told[search->id])
		return;
	ward->told[search->id] = true;
	if (err)
		doctor_add(ward->doctor, AREA, name_of(ward), "search", FINDING_PROBLEM,
				"%s below %s, %s: %s", purposes[search->purpose], search->base,
				search->filter, err->text);
	else if (search->purpose != SEARCH_CONTAINERS)
		doctor_add(ward->doctor, AREA, name_of(ward), "search",
				count ? FINDING_OK : FINDING_WARNING,
				"%s below %s, %s: %zu entries", purposes[search->purpose],
				search->base, search->filter, count);
}

static void tell_end(struct ward *ward, const struct err *err)
{
	if (!ward->connected)
		doctor_add(ward->doctor, AREA, name_of(ward), "bind", FINDING_PROBLEM, "%s",
				err ? err->text
						: ward->lost.code != ERR_NONE
						? ward->lost.text
						: "no answer in time");
	for (size_t i = 0; ward->connected && i < ward->search_count; i++)
		tell_search(ward, ward->searches[i], err);
}

static void take(struct ward *ward, const struct feed_news *news)
{
	switch (news->kind) {
	case FEED_CONNECTED:
		if (!ward->connected)
			doctor_add(ward->doctor, AREA, name_of(ward), "bind", FINDING_OK,
					"connected and bound at %s", news->text);
		ward->connected = true;
		break;
	case FEED_LOST:
		ward->lost = news->err;
		break;
	case FEED_CHANGES:
		if (news->search < SEARCHES_MAX)
			ward->entries[news->search] += news->change_count;
		break;
	case FEED_REFRESHED:
		for (size_t i = 0; i < ward->search_count; i++) {
			if (ward->searches[i]->id == news->search)
				tell_search(ward, ward->searches[i], NULL);
		}
		break;
	case FEED_SEARCH_FAILED:
		for (size_t i = 0; i < ward->search_count; i++) {
			if (ward->searches[i]->id == news->search)
				tell_search(ward, ward->searches[i], &news->err);
		}
		break;
	case FEED_FINISHED:
		tell_end(ward, news->err.code == ERR_NONE ? NULL : &news->err);
		ward->done = true;
		doctor_closed(ward->doctor);
		break;
	case FEED_REFRESHING:
	case FEED_CONFIRMED:
	case FEED_COOKIE_LOST:
		break;
	}
}

static void news(struct task *task)
{
	struct ward *ward = (struct ward *)((char *)task - offsetof(struct ward, news));
	struct feed_news *next, *list = feed_take(ward->feed);

	for (; list; list = next) {
		next = feed_news_next(list);
		if (!ward->done)
			take(ward, list);
		feed_news_free(list);
	}
}

static void start(struct ward *ward, unsigned source)
{
	struct doctor *doctor = ward->doctor;
	size_t count;
	const struct search *searches = mapping_searches(config_mapping(doctor->config), &count);
	struct feed_options options = {.mode = FEED_ONCE,
			.source = &doctor->settings->sources[source],
			.source_index = source,
			.folder = doctor->settings->folder};

	ward->searches = mem_array(count + 1, sizeof(const struct search *));
	for (size_t i = 0; i < count; i++) {
		if (searches[i].source == source)
			ward->searches[ward->search_count++] = &searches[i];
	}
	if (!ward->search_count) {
		doctor_add(doctor, AREA, doctor->settings->sources[source].name, "bind",
				FINDING_INFO, "no rule searches in it");
		ward->done = true;
		return;
	}
	options.searches = ward->searches;
	options.search_count = ward->search_count;
	task_init(&ward->news, doctor->loop, news);
	doctor->open++;
	ward->feed = feed_start(doctor->loop, &options, &ward->news);
}

void doctor_directory_start(struct doctor *doctor)
{
	doctor->wards = mem_array(doctor->settings->source_count + 1, sizeof(*doctor->wards));
	for (unsigned i = 0; i < doctor->settings->source_count; i++) {
		doctor->wards[i].doctor = doctor;
		start(&doctor->wards[i], i);
	}
}

void doctor_directory_free(struct doctor *doctor)
{
	struct err late = {0};

	(void)err_set(&late, ERR_TIMEOUT, 0, "no answer in time");
	for (size_t i = 0; i < doctor->settings->source_count; i++) {
		struct ward *ward = &doctor->wards[i];

		if (!ward->done)
			tell_end(ward, ward->connected ? &late : NULL);
		feed_free(ward->feed);
		if (ward->news.loop)
			task_cancel(&ward->news);
		mem_free(ward->searches);
	}
	mem_free(doctor->wards);
}
