#include "directory/enumeration.h"

#include "base/log.h"
#include "directory/entry_reader.h"
#include "directory/outcome.h"

static void handle(struct request *request, LDAPMessage *message);

void enumeration_init(struct enumeration *enumeration, struct outbox *outbox,
		struct feed_search *searches, unsigned page_size)
{
	*enumeration = (struct enumeration){
			.outbox = outbox, .searches = searches, .page_size = page_size};
	enumeration->request.handle = handle;
}

void enumeration_release(struct enumeration *enumeration)
{
	if (enumeration->connection)
		batch_release(&enumeration->batch);
	ber_bvfree(enumeration->page_cookie);
	vec_release(&enumeration->queue);
}

void enumeration_add(struct enumeration *enumeration, size_t position)
{
	for (vec_each (&enumeration->queue, queued)) {
		if (*queued == position)
			return;
	}
	*vec_add(&enumeration->queue) = position;
}

bool enumeration_is_over(const struct enumeration *enumeration)
{
	return !enumeration->connection && enumeration->queue.count == 0;
}

static struct feed_search *current(struct enumeration *enumeration)
{
	return &enumeration->searches[enumeration->current];
}

static void forget_page(struct enumeration *enumeration)
{
	ber_bvfree(enumeration->page_cookie);
	enumeration->page_cookie = NULL;
}

static struct feed_news *pass_news(struct enumeration *enumeration, enum feed_news_kind kind)
{
	struct feed_news *news =
			outbox_news(enumeration->outbox, kind, current(enumeration)->search->id);

	news->enumeration = true;
	return news;
}

static void stop(struct enumeration *enumeration)
{
	connection_abandon(enumeration->connection, &enumeration->request);
	batch_flush(&enumeration->batch);
	batch_release(&enumeration->batch);
	forget_page(enumeration);
	feed_search_unwatch(current(enumeration), &enumeration->batch);
	current(enumeration)->enumerating = false;
	enumeration->connection = NULL;
}

static void fail(struct enumeration *enumeration, struct err *err)
{
	struct feed_news *news = pass_news(enumeration, FEED_SEARCH_FAILED);

	stop(enumeration);
	news->err = *err;
	(void)feed_search_context(current(enumeration), &news->err);
	if (enumeration->first_failure.code == ERR_NONE)
		enumeration->first_failure = news->err;
	outbox_post(enumeration->outbox, news);
}

/* ---- asking ---- */

static enum err_code send_page(struct enumeration *enumeration, struct err *err)
{
	const struct search *search = current(enumeration)->search;
	LDAP *ld = connection_ldap(enumeration->connection);
	LDAPControl *control = NULL;
	struct query query = {.base = search->base,
			.scope = LDAP_SCOPE_SUBTREE,
			.filter = search->filter,
			.attributes = current(enumeration)->attributes};
	/* Critical: a server that ignored it might cut the result, and nothing would tell. */
	int result = ldap_create_page_control(ld, (ber_int_t)enumeration->page_size,
			enumeration->page_cookie, 1, &control);
	enum err_code code;

	if (result != LDAP_SUCCESS)
		return outcome_set(err, result, NULL, "paged results control");
	query.control = control;
	code = connection_search(enumeration->connection, &query, &enumeration->request, err);
	ldap_control_free(control);
	return code;
}

static void start(struct enumeration *enumeration, struct connection *connection, size_t position)
{
	struct err err;

	enumeration->connection = connection;
	enumeration->current = position;
	enumeration->referred = enumeration->started_over = false;
	current(enumeration)->enumerating = true;
	batch_init(&enumeration->batch, enumeration->outbox, current(enumeration)->search->id,
			true);
	feed_search_watch(current(enumeration), &enumeration->batch);
	outbox_post(enumeration->outbox, pass_news(enumeration, FEED_REFRESHING));
	if (send_page(enumeration, &err) != ERR_NONE)
		fail(enumeration, &err);
}

void enumeration_start_if_due(struct enumeration *enumeration, struct connection *connection)
{
	for (size_t i = 0; !enumeration->connection && i < enumeration->queue.count; i++) {
		size_t position = enumeration->queue.items[i];

		if (enumeration->searches[position].session_refreshing)
			continue;
		enumeration->queue.count--;
		memmove(enumeration->queue.items + i, enumeration->queue.items + i + 1,
				(enumeration->queue.count - i) *
						sizeof(enumeration->queue.items[0]));
		start(enumeration, connection, position);
		return; /* whether it failed or not: the next turn goes on */
	}
}

/* ---- answers ---- */

static void send_entry(struct enumeration *enumeration, const struct entry_reading *reading)
{
	switch (feed_search_touched(current(enumeration), reading->entry.anchor)) {
	case TOUCH_DELETE:
		return;
	case TOUCH_UPSERT:
		batch_add_anchor(&enumeration->batch, FEED_PRESENT, reading->entry.anchor);
		return;
	case TOUCH_NONE:
		break;
	}
	if (!reading->is_cut) {
		batch_add(&enumeration->batch, FEED_UPSERT, &reading->entry);
		return;
	}
	batch_add_anchor(&enumeration->batch, FEED_PRESENT, reading->entry.anchor);
	log_event(LOG_WARNING, "entry is too large or has a broken DN, it stays as it is",
			{"dn", reading->entry.dn}, {"anchor", reading->entry.anchor});
}

static void take_entry(struct enumeration *enumeration, LDAPMessage *message)
{
	struct entry_reading reading;
	struct err err;

	if (entry_read(connection_ldap(enumeration->connection), message, current(enumeration),
			    batch_arena(&enumeration->batch), &reading, &err) != ERR_NONE) {
		(void)feed_search_context(current(enumeration), &err);
		connection_break(enumeration->connection, &err);
	} else if (!reading.entry.anchor) {
		(void)err_set(&err, ERR_DENIED, 0,
				"entry \"%.150s\" has no readable entryUUID; give the bind DN read "
				"access to it",
				reading.entry.dn);
		fail(enumeration, &err);
	} else {
		send_entry(enumeration, &reading);
	}
}

/* The cookie of the next page; false if the answer has no paged results control. *ret NULL: this was the last page. */
static bool next_page(
		struct enumeration *enumeration, const struct search_end *end, struct berval **ret)
{
	LDAPControl *control = end->controls
			? ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, end->controls, NULL)
			: NULL;
	struct berval cookie = {0, NULL};
	ber_int_t estimate;

	if (!control ||
			ldap_parse_pageresponse_control(connection_ldap(enumeration->connection),
					control, &estimate, &cookie) != LDAP_SUCCESS)
		return false;
	*ret = cookie.bv_len ? ber_bvdup(&cookie) : NULL;
	ber_memfree(cookie.bv_val);
	return true;
}

static void complete(struct enumeration *enumeration)
{
	struct feed_news *news;

	batch_flush(&enumeration->batch);
	news = pass_news(enumeration, FEED_REFRESHED);
	news->absent_are_gone = !enumeration->referred;
	stop(enumeration);
	outbox_post(enumeration->outbox, news);
}

static void take_page(struct enumeration *enumeration, const struct search_end *end)
{
	struct berval *cookie = NULL;
	struct err err;

	if (!next_page(enumeration, end, &cookie)) {
		(void)err_set(&err, ERR_PROTO, 0,
				"the server sent a page without its paged results control (RFC "
				"2696)");
		fail(enumeration, &err);
		return;
	}
	forget_page(enumeration);
	enumeration->page_cookie = cookie;
	if (!cookie)
		complete(enumeration);
	else if (send_page(enumeration, &err) != ERR_NONE)
		fail(enumeration, &err);
}

/* The server lost our place between two pages: from the beginning, once. */
static void start_over(struct enumeration *enumeration)
{
	struct err err;

	enumeration->started_over = true;
	forget_page(enumeration);
	if (send_page(enumeration, &err) != ERR_NONE)
		fail(enumeration, &err);
}

static void take_end(struct enumeration *enumeration, LDAPMessage *message)
{
	struct search_end end;
	struct err err;

	if (search_end_read(connection_ldap(enumeration->connection), message, &end, &err) !=
			ERR_NONE) {
		connection_break(enumeration->connection, &err);
		return;
	}
	if (end.code == LDAP_SUCCESS) {
		take_page(enumeration, &end);
	} else if (end.code == LDAP_PROTOCOL_ERROR && enumeration->page_cookie &&
			!enumeration->started_over) {
		start_over(enumeration);
	} else {
		(void)outcome_set(&err, end.code, end.said, "listing");
		fail(enumeration, &err);
	}
	search_end_release(&end);
}

static void handle(struct request *request, LDAPMessage *message)
{
	struct enumeration *enumeration = (struct enumeration *)(void *)((char *)request -
			offsetof(struct enumeration, request));

	switch (ldap_msgtype(message)) {
	case LDAP_RES_SEARCH_ENTRY:
		take_entry(enumeration, message);
		break;
	case LDAP_RES_SEARCH_REFERENCE:
		enumeration->referred = true;
		break;
	case LDAP_RES_SEARCH_RESULT:
		take_end(enumeration, message);
		break;
	default:
		break;
	}
}

void enumeration_lost(struct enumeration *enumeration, const struct err *err, bool again)
{
	struct err why = *err;

	if (!enumeration->connection)
		return;
	enumeration->request.msgid = 0;
	if (again)
		enumeration_add(enumeration, enumeration->current);
	fail(enumeration, &why);
}

void enumeration_settle(struct enumeration *enumeration, bool idle)
{
	if (enumeration->connection && idle)
		batch_flush(&enumeration->batch);
}
