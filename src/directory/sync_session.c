#include "directory/sync_session.h"

#include "base/clock.h"
#include "base/log.h"
#include "directory/entry_reader.h"
#include "directory/outcome.h"

#define RETRY_FIRST_MS 1000
#define RETRY_SLOW_MS 300000        /* what only a person can mend */
#define COOKIE_LINGER_NS 1000000000 /* a cookie alone is no news for anybody but the store */

static struct sync_session *session_of(struct request *request)
{
	return (struct sync_session *)(void *)((char *)request -
			offsetof(struct sync_session, request));
}

static void handle(struct request *request, LDAPMessage *message);

void sync_session_init(struct sync_session *session, struct feed_search *search,
		struct outbox *outbox, struct span cookie, int64_t retry_max_ms)
{
	*session = (struct sync_session){.search = search, .outbox = outbox};
	session->request.handle = handle;
	session->scratch = arena_new();
	session->held = arena_new();
	session->backoff = (struct backoff){RETRY_FIRST_MS, (uint64_t)retry_max_ms, 0};
	buf_init(&session->cookie, SYNC_COOKIE_MAX);
	batch_init(&session->batch, outbox, search->search->id, false);
	dynamic_groups_init(&session->dynamic, search, &session->batch);
	if (cookie.ptr) {
		buf_add(&session->cookie, cookie.ptr, cookie.len);
		session->has_cookie = true;
	}
}

void sync_session_release(struct sync_session *session)
{
	dynamic_groups_release(&session->dynamic);
	batch_release(&session->batch);
	buf_release(&session->cookie);
	arena_free(session->scratch);
	arena_free(session->held);
}

/* ---- beginnings and ends ---- */

static void post_pass(struct sync_session *session, enum feed_news_kind kind, bool absent_are_gone,
		struct span cookie)
{
	struct feed_news *news = outbox_news(session->outbox, kind, session->search->search->id);

	news->absent_are_gone = absent_are_gone;
	if (cookie.ptr)
		news->cookie = arena_span(news->arena, cookie);
	outbox_post(session->outbox, news);
}

/* What has come so far goes out, whatever happens next: every change holds by itself. */
static void stop_reading(struct sync_session *session, bool alive)
{
	if (alive)
		connection_abandon(session->connection, &session->request);
	dynamic_groups_reset(&session->dynamic, alive);
	batch_flush(&session->batch);
	arena_reset(session->held);
	session->held_cookie = (struct span){0};
	session->cookie_due_ns = 0;
	session->state = SESSION_IDLE;
	session->search->session_refreshing = false;
	session->connection = session->pages = NULL;
}

static bool needs_a_person(const struct err *err)
{
	return err->code == ERR_CONFIG || err->code == ERR_DENIED || err->code == ERR_REFUSED ||
			err->code == ERR_AUTH;
}

/* The search is over and proves nothing. It starts again later. */
static void fail(struct sync_session *session, struct err *err)
{
	uint64_t wait_ms = backoff_fail_ms(&session->backoff);

	if (needs_a_person(err))
		wait_ms = RETRY_SLOW_MS;
	stop_reading(session, true);
	(void)feed_search_context(session->search, err);
	outbox_post_error(session->outbox, FEED_SEARCH_FAILED, session->search->search->id, err);
	session->due_ns = clock_monotonic_ns() + wait_ms * 1000000;
}

static void forget_cookie(struct sync_session *session, struct err *err)
{
	buf_reset(&session->cookie);
	session->has_cookie = false;
	(void)feed_search_context(session->search, err);
	outbox_post_error(session->outbox, FEED_COOKIE_LOST, session->search->search->id, err);
}

/* Our cookie is worth nothing: a full pass follows at once. */
static void start_without_cookie(struct sync_session *session, struct err *err)
{
	stop_reading(session, true);
	forget_cookie(session, err);
	session->due_ns = clock_monotonic_ns();
}

void sync_session_lost(struct sync_session *session, const struct err *err)
{
	bool refreshing = session->state == SESSION_REFRESH;
	struct err why = *err;

	session->due_ns = 0;
	if (session->state == SESSION_IDLE)
		return;
	stop_reading(session, false);
	if (!refreshing)
		return;
	(void)feed_search_context(session->search, &why);
	outbox_post_error(session->outbox, FEED_SEARCH_FAILED, session->search->search->id, &why);
}

static void start(struct sync_session *session)
{
	const struct span cookie = {session->has_cookie ? buf_text(&session->cookie) : NULL,
			session->cookie.len};
	char oid[] = LDAP_CONTROL_SYNC;
	/* Critical, so that a server without it refuses instead of answering an ordinary search. */
	LDAPControl control = {.ldctl_oid = oid, .ldctl_iscritical = 1};
	const struct query query = {.base = session->search->search->base,
			.scope = LDAP_SCOPE_SUBTREE,
			.filter = session->search->search->filter,
			.attributes = session->search->attributes,
			.control = &control};
	enum err_code code;
	struct buf value;
	struct err err;

	session->state = SESSION_REFRESH;
	session->search->session_refreshing = true;
	session->sent_cookie = session->has_cookie;
	session->content_came = session->present_phase = session->referred = false;
	session->request.silence_ms = 0;
	post_pass(session, FEED_REFRESHING, false, (struct span){0});
	buf_init(&value, SYNC_COOKIE_MAX + 64);
	code = sync_request_encode(cookie, &value, &err);
	control.ldctl_value = (struct berval){value.len, value.ptr};
	if (code == ERR_NONE)
		code = connection_search(session->connection, &query, &session->request, &err);
	buf_release(&value);
	if (code != ERR_NONE)
		fail(session, &err);
}

bool sync_session_is_due(const struct sync_session *session, uint64_t now_ns)
{
	return session->state == SESSION_IDLE && now_ns >= session->due_ns &&
			!session->search->enumerating;
}

void sync_session_start(struct sync_session *session, struct connection *connection,
		struct connection *pages)
{
	struct err err;

	session->connection = connection;
	session->pages = pages;
	if (session->has_cookie &&
			!sync_cookie_is_plausible((struct span){
					buf_text(&session->cookie), session->cookie.len})) {
		(void)err_set(&err, ERR_STORE, 0,
				"the stored cookie is damaged; reading everything");
		forget_cookie(session, &err);
	}
	start(session);
}

/* ---- what arrives ---- */

static void broken(struct sync_session *session, struct err *err)
{
	(void)feed_search_context(session->search, err);
	connection_break(session->connection, err);
}

/* In the persist stage: the cookie covers all that came before it. One without a CSN is of no use to anybody. */
static void take_cookie(struct sync_session *session, struct span cookie)
{
	if (session->state != SESSION_PERSIST || !sync_cookie_is_plausible(cookie))
		return;
	if (dynamic_groups_pending(&session->dynamic)) {
		arena_reset(session->held);
		session->held_cookie = arena_span(session->held, cookie);
		return;
	}
	buf_reset(&session->cookie);
	buf_add(&session->cookie, cookie.ptr, cookie.len);
	session->has_cookie = true;
	batch_set_cookie(&session->batch, cookie);
}

static void take_change(struct sync_session *session, const struct sync_state *state,
		struct entry_reading *reading)
{
	bool persist = session->state == SESSION_PERSIST;

	reading->entry.anchor = arena_strdup(batch_arena(&session->batch), state->anchor);
	feed_search_touch(session->search, state->anchor,
			state->kind == SYNC_DELETE ? TOUCH_DELETE : TOUCH_UPSERT);
	dynamic_groups_overtaken(&session->dynamic, state->anchor);
	session->content_came = session->content_came || state->kind != SYNC_PRESENT;
	if (state->kind == SYNC_DELETE) {
		reading->entry.attributes = NULL;
		reading->entry.count = 0;
		batch_add(&session->batch, FEED_DELETE, &reading->entry);
	} else if (state->kind == SYNC_PRESENT || reading->is_cut) {
		batch_add_anchor(&session->batch, FEED_PRESENT, state->anchor);
	} else if (persist && reading->is_dynamic && session->search->has_members) {
		dynamic_groups_read(&session->dynamic, session->pages, &reading->entry);
	} else {
		batch_add(&session->batch, FEED_UPSERT, &reading->entry);
	}
	if (reading->is_cut)
		log_event(LOG_WARNING, "entry is too large or has a broken DN, it stays as it is",
				{"dn", reading->entry.dn}, {"anchor", state->anchor});
}

static LDAPControl *find_control(LDAPControl **controls, const char *oid)
{
	return controls ? ldap_control_find(oid, controls, NULL) : NULL;
}

static enum err_code read_state(struct sync_session *session, LDAPMessage *message,
		struct sync_state *ret, struct err *err)
{
	LDAPControl **controls = NULL;
	LDAPControl *control;
	enum err_code code;

	(void)ldap_get_entry_controls(connection_ldap(session->connection), message, &controls);
	control = find_control(controls, LDAP_CONTROL_SYNC_STATE);
	if (control)
		code = sync_state_decode((struct span){control->ldctl_value.bv_val,
							 control->ldctl_value.bv_len},
				session->scratch, ret, err);
	else
		code = err_set(err, ERR_PROTO, 0,
				"the server sent an entry without a sync state control (RFC 4533)");
	ldap_controls_free(controls);
	return code;
}

static void take_entry(struct sync_session *session, LDAPMessage *message)
{
	struct entry_reading reading;
	struct sync_state state;
	struct err err;

	if (read_state(session, message, &state, &err) != ERR_NONE ||
			entry_read(connection_ldap(session->connection), message, session->search,
					batch_arena(&session->batch), &reading, &err) != ERR_NONE) {
		broken(session, &err);
		return;
	}
	take_change(session, &state, &reading);
	take_cookie(session, state.cookie);
}

static void take_ids(struct sync_session *session, const struct sync_info *info)
{
	enum feed_change_kind kind = info->refresh_deletes ? FEED_DELETE : FEED_PRESENT;

	session->content_came =
			session->content_came || (info->refresh_deletes && info->anchor_count);
	for (size_t i = 0; i < info->anchor_count; i++) {
		feed_search_touch(session->search, info->anchors[i],
				info->refresh_deletes ? TOUCH_DELETE : TOUCH_UPSERT);
		batch_add_anchor(&session->batch, kind, info->anchors[i]);
	}
}

/* The refresh is complete. Without a cookie of ours everything was sent, though slapd calls the end a delete phase. */
static void refreshed(struct sync_session *session, struct span cookie)
{
	bool absent_are_gone =
			(session->present_phase || !session->sent_cookie) && !session->referred;
	struct err err;

	if (!sync_cookie_is_plausible(cookie))
		cookie = (struct span){
				0}; /* slapd answers a cookie that it could not read with an empty one */
	if (session->sent_cookie && !session->present_phase && session->content_came &&
			!cookie.ptr) {
		(void)err_set(&err, ERR_STORE, 0,
				"the server did not understand our cookie; reading everything");
		start_without_cookie(session, &err);
		return;
	}
	batch_flush(&session->batch);
	if (cookie.ptr) {
		buf_reset(&session->cookie);
		buf_add(&session->cookie, cookie.ptr, cookie.len);
		session->has_cookie = true;
	}
	session->state = SESSION_PERSIST;
	session->search->session_refreshing = false;
	session->request.silence_ms = REQUEST_STAYS;
	session->backoff.failures = 0;
	post_pass(session, FEED_REFRESHED, absent_are_gone, cookie);
}

static void take_info(struct sync_session *session, const struct sync_info *info)
{
	if (info->kind == SYNC_INFO_NEW_COOKIE) {
		take_cookie(session, info->cookie);
	} else if (info->kind == SYNC_INFO_ID_SET) {
		take_ids(session, info);
		take_cookie(session, info->cookie);
	} else if (session->state == SESSION_REFRESH) {
		session->present_phase =
				session->present_phase || info->kind == SYNC_INFO_REFRESH_PRESENT;
		if (info->refresh_done)
			refreshed(session, info->cookie);
	}
}

static void take_intermediate(struct sync_session *session, LDAPMessage *message)
{
	struct sync_info info;
	struct berval *data = NULL;
	char *oid = NULL;
	struct err err = {0};
	int result = ldap_parse_intermediate(
			connection_ldap(session->connection), message, &oid, &data, NULL, 0);

	if (result != LDAP_SUCCESS) {
		(void)outcome_set(&err, result, NULL, "intermediate response");
		broken(session, &err);
	} else if (oid && data && span_equal(span_of(oid), SPAN_LIT(LDAP_SYNC_INFO))) {
		if (sync_info_decode((struct span){data->bv_val, data->bv_len}, session->scratch,
				    &info, &err) == ERR_NONE)
			take_info(session, &info);
		else
			broken(session, &err);
	}
	ldap_memfree(oid);
	ber_bvfree(data);
}

/* The search ended although it should stay: well, if the server does not persist; or not. */
static void ended_well(struct sync_session *session, const struct search_end *end)
{
	LDAPControl *control = find_control(end->controls, LDAP_CONTROL_SYNC_DONE);
	struct sync_done done;
	struct err err;

	if (session->state == SESSION_REFRESH) {
		if (!control) {
			(void)err_set(&err, ERR_PROTO, 0,
					"the server does not synchronise content (RFC 4533): the "
					"search "
					"ended without its sync done control");
			fail(session, &err);
			return;
		}
		if (sync_done_decode((struct span){control->ldctl_value.bv_val,
						     control->ldctl_value.bv_len},
				    session->scratch, &done, &err) != ERR_NONE) {
			fail(session, &err);
			return;
		}
		session->present_phase = session->present_phase || !done.refresh_deletes;
		refreshed(session, done.cookie);
		if (session->state != SESSION_PERSIST)
			return;
	}
	/* Follow it by asking again, from the cookie. */
	stop_reading(session, true);
	session->due_ns = clock_monotonic_ns() + session->backoff.max_ms * 1000000;
}

static bool is_about_cookie(const struct sync_session *session, int code)
{
	bool refreshing = session->state == SESSION_REFRESH;

	/* Too old for the server; or, while it persists: the base was renamed. */
	if (code == LDAP_SYNC_REFRESH_REQUIRED)
		return session->sent_cookie || !refreshing;
	/* Newer than the server, which was restored from a backup or is another one. */
	return code == LDAP_UNWILLING_TO_PERFORM && session->sent_cookie && refreshing;
}

static void take_end(struct sync_session *session, LDAPMessage *message)
{
	struct search_end end;
	struct err err;

	if (search_end_read(connection_ldap(session->connection), message, &end, &err) !=
			ERR_NONE) {
		broken(session, &err);
		return;
	}
	if (end.code == LDAP_SUCCESS) {
		ended_well(session, &end);
	} else {
		(void)outcome_set(&err, end.code, end.said, "synchronisation");
		if (is_about_cookie(session, end.code))
			start_without_cookie(session, &err);
		else
			fail(session, &err);
	}
	search_end_release(&end);
}

static void handle(struct request *request, LDAPMessage *message)
{
	struct sync_session *session = session_of(request);

	switch (ldap_msgtype(message)) {
	case LDAP_RES_SEARCH_ENTRY:
		take_entry(session, message);
		break;
	case LDAP_RES_SEARCH_REFERENCE:
		session->referred = true;
		break;
	case LDAP_RES_INTERMEDIATE:
		take_intermediate(session, message);
		break;
	case LDAP_RES_SEARCH_RESULT:
		take_end(session, message);
		break;
	default:
		break;
	}
	arena_reset(session->scratch);
}

/* ---- when nothing more is there ---- */

static void release_held_cookie(struct sync_session *session)
{
	struct span cookie = session->held_cookie;

	if (!cookie.ptr || dynamic_groups_pending(&session->dynamic))
		return;
	session->held_cookie = (struct span){0};
	take_cookie(session, cookie);
}

void sync_session_settle(struct sync_session *session, uint64_t now_ns, bool idle)
{
	struct err err = session->dynamic.err;

	if (err.code != ERR_NONE) {
		fail(session, &err);
		return;
	}
	release_held_cookie(session);
	if (!session->batch.news || (session->state == SESSION_REFRESH && !idle))
		return;
	if (session->batch.changes.count == 0 && session->state == SESSION_PERSIST) {
		if (session->cookie_due_ns == 0)
			session->cookie_due_ns = now_ns + COOKIE_LINGER_NS;
		if (now_ns < session->cookie_due_ns)
			return;
	}
	session->cookie_due_ns = 0;
	batch_flush(&session->batch);
}

uint64_t sync_session_due_ns(const struct sync_session *session)
{
	return session->state == SESSION_IDLE ? session->due_ns : session->cookie_due_ns;
}
