#include "directory/outbox.h"

#include "base/clock.h"

struct feed_news *outbox_news(
		const struct outbox *outbox, enum feed_news_kind kind, unsigned search)
{
	struct arena *arena = arena_new();
	struct feed_news *news = arena_alloc(arena, sizeof(*news));

	news->kind = kind;
	news->source = outbox->source;
	news->search = search;
	news->arena = arena;
	news->received_ns = clock_monotonic_ns();
	return news;
}

void outbox_post(struct outbox *outbox, struct feed_news *news)
{
	uint64_t before_ns = clock_monotonic_ns();

	if (!mailbox_post(outbox->box, &news->letter))
		feed_news_free(news);
	outbox->blocked_ns += clock_monotonic_ns() - before_ns;
}

void outbox_post_error(struct outbox *outbox, enum feed_news_kind kind, unsigned search,
		const struct err *err)
{
	struct feed_news *news = outbox_news(outbox, kind, search);

	news->err = *err;
	outbox_post(outbox, news);
}

void batch_init(struct batch *batch, struct outbox *outbox, unsigned search, bool enumeration)
{
	*batch = (struct batch){.outbox = outbox, .search = search, .enumeration = enumeration};
}

static void start_over(struct batch *batch)
{
	batch->news = NULL;
	batch->changes.count = 0;
	batch->cookie = (struct span){0};
}

void batch_release(struct batch *batch)
{
	if (batch->news)
		feed_news_free(batch->news);
	start_over(batch);
	vec_release(&batch->changes);
}

struct arena *batch_arena(struct batch *batch)
{
	if (!batch->news) {
		batch->news = outbox_news(batch->outbox, FEED_CHANGES, batch->search);
		batch->news->enumeration = batch->enumeration;
	}
	return batch->news->arena;
}

void batch_add(struct batch *batch, enum feed_change_kind kind, const struct entry *entry)
{
	struct arena *arena = batch_arena(batch);

	*vec_add(&batch->changes) = (struct feed_change){kind, *entry};
	if (batch->changes.count >= BATCH_CHANGES_MAX || arena_bytes(arena) >= BATCH_BYTES_MAX)
		batch_flush(batch);
}

void batch_add_anchor(struct batch *batch, enum feed_change_kind kind, const char *anchor)
{
	const struct entry entry = {.anchor = arena_strdup(batch_arena(batch), anchor)};

	batch_add(batch, kind, &entry);
}

void batch_set_cookie(struct batch *batch, struct span cookie)
{
	batch->cookie = arena_span(batch_arena(batch), cookie);
}

void batch_flush(struct batch *batch)
{
	struct feed_news *news = batch->news;
	struct feed_change *changes;

	if (!news)
		return;
	if (!batch->changes.count && !batch->cookie.ptr) {
		/* Opened for an entry that was then left out. */
		start_over(batch);
		feed_news_free(news);
		return;
	}
	if (batch->changes.count) {
		changes = arena_alloc(news->arena, batch->changes.count * sizeof(*changes));
		memcpy(changes, batch->changes.items, batch->changes.count * sizeof(*changes));
		news->changes = changes;
		news->change_count = batch->changes.count;
	}
	news->cookie = batch->cookie;
	start_over(batch);
	outbox_post(batch->outbox, news);
}
