#include "directory/confirmation.h"

#include "directory/entry_reader.h"
#include "directory/outcome.h"
#include "directory/sync_control.h"

#define FILTER_BYTES_MAX ((size_t)64 * 1024)

struct confirmation {
	struct feed_search *search;
	uint64_t ticket;
	char **anchors;
	size_t count;
	size_t asked;        /* anchors in the batches asked so far, the one under way included */
	struct table *found; /* anchor -> the confirmation */
};

static void handle(struct request *request, LDAPMessage *message);

void confirmations_init(struct confirmations *confirmations, struct outbox *outbox,
		struct feed_search *searches)
{
	*confirmations = (struct confirmations){.outbox = outbox, .searches = searches};
	confirmations->request.handle = handle;
}

static void confirmation_free(struct confirmation *confirmation)
{
	for (size_t i = 0; i < confirmation->count; i++)
		mem_free(confirmation->anchors[i]);
	mem_free(confirmation->anchors);
	table_free(confirmation->found);
	mem_free(confirmation);
}

void confirmations_release(struct confirmations *confirmations)
{
	for (vec_each (&confirmations->queue, confirmation))
		confirmation_free(*confirmation);
	vec_release(&confirmations->queue);
	if (confirmations->connection)
		batch_release(&confirmations->batch);
}

void confirmations_add(struct confirmations *confirmations, size_t position, char **anchors,
		size_t count, uint64_t ticket)
{
	struct confirmation *confirmation = mem_zalloc(sizeof(*confirmation));

	confirmation->search = &confirmations->searches[position];
	confirmation->ticket = ticket;
	confirmation->anchors = anchors;
	confirmation->count = count;
	confirmation->found = table_new();
	*vec_add(&confirmations->queue) = confirmation;
}

/* ---- answers to the loop ---- */

/* Takes the first question off the queue, whether it was under way or not. */
static struct confirmation *take_first(struct confirmations *confirmations)
{
	struct confirmation *first = confirmations->queue.items[0];

	confirmations->queue.count--;
	memmove(confirmations->queue.items, confirmations->queue.items + 1,
			confirmations->queue.count * sizeof(confirmations->queue.items[0]));
	if (!confirmations->connection)
		return first;
	connection_abandon(confirmations->connection, &confirmations->request);
	batch_flush(&confirmations->batch);
	batch_release(&confirmations->batch);
	feed_search_unwatch(first->search, &confirmations->batch);
	confirmations->connection = NULL;
	return first;
}

static void fail(struct confirmations *confirmations, const struct err *err)
{
	struct confirmation *first = take_first(confirmations);
	struct feed_news *news = outbox_news(
			confirmations->outbox, FEED_SEARCH_FAILED, first->search->search->id);

	news->err = *err;
	(void)feed_search_context(first->search, &news->err);
	news->ticket = first->ticket;
	confirmation_free(first);
	outbox_post(confirmations->outbox, news);
}

static bool is_gone(const struct confirmation *confirmation, const char *anchor)
{
	/* Came back while we asked: the sync session has told it. */
	if (feed_search_touched(confirmation->search, anchor) == TOUCH_UPSERT)
		return false;
	return !table_find(confirmation->found, span_of(anchor));
}

static void succeed(struct confirmations *confirmations)
{
	const struct confirmation *first = confirmations->queue.items[0];
	struct feed_news *news = outbox_news(
			confirmations->outbox, FEED_CONFIRMED, first->search->search->id);
	const char **gone =
			arena_alloc(news->arena, (first->count ? first->count : 1) * sizeof(*gone));

	for (size_t i = 0; i < first->count; i++) {
		if (is_gone(first, first->anchors[i]))
			gone[news->anchor_count++] = arena_strdup(news->arena, first->anchors[i]);
	}
	news->anchors = gone;
	news->ticket = first->ticket;
	confirmation_free(take_first(confirmations));
	outbox_post(confirmations->outbox, news);
}

/* ---- asking ---- */

static enum err_code batch_filter(
		struct confirmation *confirmation, struct buf *ret, struct err *err)
{
	const char *filter = confirmation->search->search->filter;
	bool bare = *filter != '(';
	char anchor[SYNC_ANCHOR_SIZE];

	buf_printf(ret, "(&%s%s%s(|", bare ? "(" : "", filter, bare ? ")" : "");
	for (size_t i = 0; i < CONFIRMATION_BATCH && confirmation->asked < confirmation->count;
			i++) {
		const char *text = confirmation->anchors[confirmation->asked++];

		if (!anchor_from_text(span_of(text), anchor))
			return err_set(err, ERR_BUG, 0, "\"%.60s\" is no entryUUID", text);
		buf_printf(ret, "(entryUUID=%s)", anchor);
	}
	buf_add_text(ret, "))");
	return ret->overflowed ? err_set(err, ERR_LIMIT, 0, "the filter is too long") : ERR_NONE;
}

static void ask_next(struct confirmations *confirmations)
{
	struct confirmation *first = confirmations->queue.items[0];
	struct query query = {.base = first->search->search->base,
			.scope = LDAP_SCOPE_SUBTREE,
			.attributes = first->search->attributes};
	enum err_code code;
	struct buf filter;
	struct err err;

	if (first->asked == first->count) {
		succeed(confirmations);
		return;
	}
	buf_init(&filter, FILTER_BYTES_MAX);
	code = batch_filter(first, &filter, &err);
	query.filter = buf_text(&filter);
	if (code == ERR_NONE)
		code = connection_search(
				confirmations->connection, &query, &confirmations->request, &err);
	buf_release(&filter);
	if (code != ERR_NONE)
		fail(confirmations, &err);
}

void confirmations_start_if_due(struct confirmations *confirmations, struct connection *connection)
{
	struct confirmation *first;

	if (confirmations->connection || confirmations->queue.count == 0)
		return;
	first = confirmations->queue.items[0];
	confirmations->connection = connection;
	confirmations->referred = false;
	batch_init(&confirmations->batch, confirmations->outbox, first->search->search->id, false);
	feed_search_watch(first->search, &confirmations->batch);
	ask_next(confirmations);
}

/* ---- answers of the server ---- */

static void take_entry(struct confirmations *confirmations, LDAPMessage *message)
{
	struct confirmation *first = confirmations->queue.items[0];
	struct entry_reading reading;
	struct err err;

	if (entry_read(connection_ldap(confirmations->connection), message, first->search,
			    batch_arena(&confirmations->batch), &reading, &err) != ERR_NONE) {
		connection_break(confirmations->connection, &err);
		return;
	}
	/* The server matched its entryUUID, so that it can be hidden now only by a change in between. */
	if (!reading.entry.anchor) {
		confirmations->referred = true;
		return;
	}
	(void)table_put(first->found, span_of(reading.entry.anchor), first);
	if (feed_search_touched(first->search, reading.entry.anchor) != TOUCH_NONE)
		return;
	if (reading.is_cut)
		batch_add_anchor(&confirmations->batch, FEED_PRESENT, reading.entry.anchor);
	else
		batch_add(&confirmations->batch, FEED_UPSERT, &reading.entry);
}

static void take_end(struct confirmations *confirmations, LDAPMessage *message)
{
	struct search_end end;
	struct err err;

	if (search_end_read(connection_ldap(confirmations->connection), message, &end, &err) !=
			ERR_NONE) {
		connection_break(confirmations->connection, &err);
		return;
	}
	if (end.code != LDAP_SUCCESS) {
		(void)outcome_set(&err, end.code, end.said,
				"looking once more for what seems to be gone");
		fail(confirmations, &err);
	} else if (confirmations->referred) {
		(void)err_set(&err, ERR_INCOMPLETE, 0,
				"looking once more for what seems to be gone: the server sent a "
				"referral, "
				"or hides entryUUID");
		fail(confirmations, &err);
	} else {
		ask_next(confirmations);
	}
	search_end_release(&end);
}

static void handle(struct request *request, LDAPMessage *message)
{
	struct confirmations *confirmations = (struct confirmations *)(void *)((char *)request -
			offsetof(struct confirmations, request));

	switch (ldap_msgtype(message)) {
	case LDAP_RES_SEARCH_ENTRY:
		take_entry(confirmations, message);
		break;
	case LDAP_RES_SEARCH_REFERENCE:
		confirmations->referred = true;
		break;
	case LDAP_RES_SEARCH_RESULT:
		take_end(confirmations, message);
		break;
	default:
		break;
	}
}

void confirmations_lost(struct confirmations *confirmations, const struct err *err,
		struct enumeration *again)
{
	confirmations->request.msgid = 0;
	while (confirmations->queue.count) {
		if (again)
			enumeration_add(again,
					(size_t)(confirmations->queue.items[0]->search -
							confirmations->searches));
		fail(confirmations, err);
	}
}

void confirmations_settle(struct confirmations *confirmations)
{
	if (confirmations->connection)
		batch_flush(&confirmations->batch);
}
