#include "directory/feed.h"

#include "base/clock.h"
#include "base/log.h"
#include "directory/confirmation.h"
#include "directory/enumeration.h"
#include "directory/sync_session.h"

#include <signal.h>

#define RECONNECT_FIRST_MS 200
#define AUTH_RETRY_FIRST_MS 60000 /* a refused credential tried often locks the account */
#define AUTH_RETRY_MAX_MS 900000
#define GATHER_MS 20 /* how long a bulk may pause before its half-filled batch goes out */
#define PAGE_SIZE_DEFAULT 1000
#define REFRESHES_MAX 2
#define FOR_GOOD_MS UINT32_MAX
#define POLL_MAX_MS 3600000

/* What the loop's thread asks of the feed's. */
struct command {
	struct command *next;
	size_t position; /* of the search */
	bool enumerate;
	char **anchors; /* of a confirmation */
	size_t anchor_count;
	uint64_t ticket;
};

/*
 * A connection. A session has one of its own: slapd runs at most half as many operations of one connection at a time as it
 * has threads, and a search that persists is one of them for good. Those over it, heartbeats and abandons too, wait
 * without a word.
 */
struct line {
	struct connection *connection; /* NULL: none yet */
	bool is_readable;
};
#define LINE_PAGES 0 /* enumerations, confirmations, dynamic groups */
#define LINE_OF(session) ((session) + 1)

struct feed {
	/* Read by both threads, never changed. */
	struct feed_options options;
	struct outbox outbox;
	struct waker waker;
	uv_thread_t thread;

	uv_mutex_t lock; /* guards commands */
	struct command *commands, **commands_tail;

	/* The feed's thread only: */
	struct line *lines; /* [LINE_PAGES], and one for each session */
	size_t line_count;
	struct pollfd *polled; /* [0]: the waker's, then one for each line */
	size_t uri;            /* index of the one in use, or to try next */
	struct backoff backoff, auth_backoff;
	struct feed_search *searches;
	struct sync_session *sessions; /* FEED_FOLLOW */
	struct enumeration enumeration;
	struct confirmations confirmations;
	bool is_finished; /* FEED_ONCE: said so */
};

/* ---- commands ---- */

static size_t position_of(const struct feed *feed, unsigned search)
{
	size_t position = 0;

	while (position < feed->options.search_count &&
			feed->options.searches[position]->id != search)
		position++;
	return position;
}

static void command_free(struct command *command)
{
	for (size_t i = 0; command->anchors && i < command->anchor_count; i++)
		mem_free(command->anchors[i]);
	mem_free(command->anchors);
	mem_free(command);
}

static void send_command(struct feed *feed, struct command *command)
{
	uv_mutex_lock(&feed->lock);
	*feed->commands_tail = command;
	feed->commands_tail = &command->next;
	uv_mutex_unlock(&feed->lock);
	waker_wake(&feed->waker);
}

static struct command *take_commands(struct feed *feed)
{
	struct command *list;

	uv_mutex_lock(&feed->lock);
	list = feed->commands;
	feed->commands = NULL;
	feed->commands_tail = &feed->commands;
	uv_mutex_unlock(&feed->lock);
	return list;
}

static void run_commands(struct feed *feed)
{
	struct command *command = take_commands(feed);

	while (command) {
		struct command *next = command->next;

		if (command->enumerate)
			enumeration_add(&feed->enumeration, command->position);
		else
			confirmations_add(&feed->confirmations, command->position,
					STEAL(command->anchors), command->anchor_count,
					command->ticket);
		command_free(command);
		command = next;
	}
}

void feed_confirm(struct feed *feed, unsigned search, const char *const *anchors, size_t count,
		uint64_t ticket)
{
	struct command *command = mem_zalloc(sizeof(*command));

	command->position = position_of(feed, search);
	command->anchors = mem_array(count ? count : 1, sizeof(*command->anchors));
	command->anchor_count = count;
	command->ticket = ticket;
	for (size_t i = 0; i < count; i++)
		command->anchors[i] = mem_strdup(anchors[i]);
	send_command(feed, command);
}

void feed_enumerate(struct feed *feed, unsigned search)
{
	struct command *command = mem_zalloc(sizeof(*command));

	command->position = position_of(feed, search);
	command->enumerate = true;
	send_command(feed, command);
}

/* ---- connecting ---- */

static const struct source_settings *source_of(const struct feed *feed)
{
	return feed->options.source;
}

static enum err_code open_line(struct feed *feed, size_t index, struct err *err)
{
	struct line *line = &feed->lines[index];

	if (connection_open(source_of(feed), source_of(feed)->uris[feed->uri], feed->options.folder,
			    &feed->waker, &line->connection, err) != ERR_NONE)
		return err->code;
	line->is_readable = true; /* look once before the first wait */
	return ERR_NONE;
}

/* Tries each URI once, beginning with the one whose turn it is. A refused credential ends it: it is the same everywhere. */
static enum err_code connect_somewhere(struct feed *feed, struct err *err)
{
	const struct source_settings *source = source_of(feed);

	for (size_t tried = 1; tried <= source->uri_count; tried++) {
		const char *uri = source->uris[feed->uri];

		if (open_line(feed, LINE_PAGES, err) == ERR_NONE) {
			struct feed_news *news =
					outbox_news(&feed->outbox, FEED_CONNECTED, SEARCHES_MAX);

			news->text = arena_strdup(news->arena, uri);
			outbox_post(&feed->outbox, news);
			return ERR_NONE;
		}
		feed->uri = (feed->uri + 1) % source->uri_count;
		if (err->code == ERR_AUTH || err->code == ERR_CANCELLED)
			return err->code;
		if (tried < source->uri_count)
			log_event(LOG_WARNING, "directory server failed, trying the next",
					{"source", source->name}, {"uri", uri},
					{"error", err->text});
	}
	if (source->uri_count == 0)
		return err_set(err, ERR_CONFIG, 0, "source \"%s\" has no uri", source->name);
	return source->uri_count > 1
			? err_context(err, "none of %zu servers could be used; the last",
					  source->uri_count)
			: err->code;
}

static void close_lines(struct feed *feed)
{
	for (size_t i = 0; i < feed->line_count; i++) {
		connection_close(feed->lines[i].connection);
		feed->lines[i].connection = NULL;
	}
}

/* Ends whatever was under way. Only what may be repeated by itself is. */
static void drop_connection(struct feed *feed, const struct err *err)
{
	bool follow = feed->options.mode == FEED_FOLLOW;

	for (size_t i = 0; follow && i < feed->options.search_count; i++)
		sync_session_lost(&feed->sessions[i], err);
	enumeration_lost(&feed->enumeration, err, follow);
	confirmations_lost(&feed->confirmations, err, follow ? &feed->enumeration : NULL);
	close_lines(feed);
	if (source_of(feed)->uri_count)
		feed->uri = (feed->uri + 1) % source_of(feed)->uri_count;
}

static void post_finished(struct feed *feed, const struct err *err)
{
	outbox_post_error(&feed->outbox, FEED_FINISHED, SEARCHES_MAX, err);
	feed->is_finished = true;
}

/* How long to stay away. */
static uint64_t pause_ms(struct feed *feed, const struct err *err)
{
	if (err->code == ERR_AUTH)
		return backoff_fail_ms(&feed->auth_backoff);
	if (err->code == ERR_CONFIG)
		feed->backoff.failures = UINT16_MAX; /* at once the longest */
	return backoff_fail_ms(&feed->backoff);
}

static void refuse_confirmations(struct feed *feed)
{
	struct err err;

	run_commands(feed);
	(void)err_set(&err, ERR_IO, 0, "source \"%s\" is not connected", source_of(feed)->name);
	confirmations_lost(&feed->confirmations, &err,
			feed->options.mode == FEED_FOLLOW ? &feed->enumeration : NULL);
}

static void stay_away(struct feed *feed, uint64_t wait_ms)
{
	uint64_t end_ns = clock_monotonic_ns() + wait_ms * 1000000;
	uint64_t now_ns = clock_monotonic_ns();

	while (now_ns < end_ns && !waker_stopped(&feed->waker)) {
		uint64_t left_ms = (end_ns - now_ns) / 1000000 + 1;

		(void)waker_wait(&feed->waker, feed->polled, 1,
				(int)(left_ms < POLL_MAX_MS ? left_ms : POLL_MAX_MS));
		refuse_confirmations(feed);
		now_ns = clock_monotonic_ns();
	}
}

/* ---- connected ---- */

static size_t session_count(const struct feed *feed)
{
	return feed->options.mode == FEED_FOLLOW ? feed->options.search_count : 0;
}

/* Only a few at a time: each refresh may hold a thread of the server, which waits while we are slow. */
static enum err_code start_sessions(struct feed *feed, struct err *err)
{
	struct connection *pages = feed->lines[LINE_PAGES].connection;
	uint64_t now_ns = clock_monotonic_ns();
	size_t refreshing = 0;

	for (size_t i = 0; i < session_count(feed); i++)
		refreshing += feed->sessions[i].state == SESSION_REFRESH;
	for (size_t i = 0; i < session_count(feed) && refreshing < REFRESHES_MAX; i++) {
		struct line *line = &feed->lines[LINE_OF(i)];

		if (!sync_session_is_due(&feed->sessions[i], now_ns))
			continue;
		if (!line->connection && open_line(feed, LINE_OF(i), err) != ERR_NONE)
			return err->code;
		sync_session_start(&feed->sessions[i], line->connection, pages);
		refreshing++;
	}
	return ERR_NONE;
}

static enum err_code start_what_is_due(struct feed *feed, struct err *err)
{
	struct connection *pages = feed->lines[LINE_PAGES].connection;

	/* Sessions first: an enumeration waits for a refresh, and a session for an enumeration. */
	if (start_sessions(feed, err) != ERR_NONE)
		return err->code;
	enumeration_start_if_due(&feed->enumeration, pages);
	confirmations_start_if_due(&feed->confirmations, pages);
	if (feed->options.mode == FEED_ONCE && !feed->is_finished &&
			enumeration_is_over(&feed->enumeration))
		post_finished(feed, &feed->enumeration.first_failure);
	return ERR_NONE;
}

/* Once every session had its chance on it, the server counts as good. */
static void note_success(struct feed *feed)
{
	uint64_t now_ns = clock_monotonic_ns();
	bool good = session_count(feed) > 0;

	for (size_t i = 0; i < session_count(feed); i++)
		good = good && feed->sessions[i].state != SESSION_REFRESH &&
				!sync_session_is_due(&feed->sessions[i], now_ns);
	if (good)
		feed->backoff.failures = feed->auth_backoff.failures = 0;
}

/* Sends what should not wait. idle: the bulk readers' half-filled batches too. True if such batches are left. */
static bool settle(struct feed *feed, bool idle)
{
	uint64_t now_ns = clock_monotonic_ns();
	bool left = false;

	for (size_t i = 0; i < session_count(feed); i++) {
		sync_session_settle(&feed->sessions[i], now_ns, idle);
		left = left ||
				(feed->sessions[i].state == SESSION_REFRESH &&
						feed->sessions[i].batch.news);
	}
	enumeration_settle(&feed->enumeration, idle);
	confirmations_settle(&feed->confirmations);
	return left || (feed->enumeration.connection && feed->enumeration.batch.news);
}

/* When the next session wants something, in ms, at most wait_ms. */
static int64_t soonest_ms(const struct feed *feed, int64_t wait_ms)
{
	uint64_t now_ns = clock_monotonic_ns();

	for (size_t i = 0; i < session_count(feed); i++) {
		uint64_t due_ns = sync_session_due_ns(&feed->sessions[i]);
		int64_t due_ms = due_ns > now_ns ? (int64_t)((due_ns - now_ns) / 1000000) + 1 : 0;

		/* An idle one that is due waits for another pass to end, which wakes us. */
		if (feed->sessions[i].state == SESSION_IDLE && due_ms == 0)
			continue;
		if (due_ns && due_ms < wait_ms)
			wait_ms = due_ms;
	}
	return wait_ms;
}

/* Reads every line that has something. *ret_more: at least one has still more. */
static enum err_code read_lines(struct feed *feed, bool *ret_more, struct err *err)
{
	*ret_more = false;
	for (size_t i = 0; i < feed->line_count; i++) {
		struct line *line = &feed->lines[i];

		if (!line->connection || !line->is_readable)
			continue;
		if (connection_read(line->connection, &line->is_readable, err) != ERR_NONE)
			return err->code;
		*ret_more = *ret_more || line->is_readable;
	}
	/* What we spent waiting for room in the mailbox is nobody's silence. */
	for (size_t i = 0; i < feed->line_count; i++) {
		if (feed->lines[i].connection)
			connection_excuse(feed->lines[i].connection, feed->outbox.blocked_ns);
	}
	feed->outbox.blocked_ns = 0;
	return ERR_NONE;
}

/* Heartbeats and deadlines. *ret_wait_ms: until the next. */
static enum err_code check_lines(struct feed *feed, int64_t *ret_wait_ms, struct err *err)
{
	*ret_wait_ms = POLL_MAX_MS;
	for (size_t i = 0; i < feed->line_count; i++) {
		int64_t wait_ms;

		if (!feed->lines[i].connection)
			continue;
		if (connection_check(feed->lines[i].connection, &wait_ms, err) != ERR_NONE)
			return err->code;
		if (wait_ms < *ret_wait_ms)
			*ret_wait_ms = wait_ms;
	}
	return ERR_NONE;
}

/* Returns whether any line has something to read. */
static bool wait_for_lines(struct feed *feed, int64_t wait_ms)
{
	bool ready;

	for (size_t i = 0; i < feed->line_count; i++)
		feed->polled[i + 1] = (struct pollfd){feed->lines[i].connection
						? connection_fd(feed->lines[i].connection)
						: -1,
				POLLIN, 0};
	ready = waker_wait(&feed->waker, feed->polled, feed->line_count + 1, (int)wait_ms) > 0;
	for (size_t i = 0; i < feed->line_count; i++)
		feed->lines[i].is_readable =
				feed->lines[i].is_readable || feed->polled[i + 1].revents;
	return ready;
}

/* One turn: start, read all that is there, send it on, wait. */
static enum err_code turn(struct feed *feed, struct err *err)
{
	int64_t wait_ms;
	bool more;
	bool left;

	run_commands(feed);
	if (start_what_is_due(feed, err) != ERR_NONE || read_lines(feed, &more, err) != ERR_NONE)
		return err->code;
	if (more)
		return ERR_NONE;
	left = settle(feed, false);
	note_success(feed);
	if (start_what_is_due(feed, err) != ERR_NONE ||
			check_lines(feed, &wait_ms, err) != ERR_NONE)
		return err->code;
	wait_ms = soonest_ms(feed, wait_ms);
	if (!left || wait_ms < GATHER_MS)
		(void)wait_for_lines(feed, wait_ms);
	else if (!wait_for_lines(feed, GATHER_MS))
		(void)settle(feed, true);
	return ERR_NONE;
}

static void serve(struct feed *feed)
{
	struct err err;

	while (!waker_stopped(&feed->waker)) {
		if (turn(feed, &err) == ERR_NONE)
			continue;
		drop_connection(feed, &err);
		outbox_post_error(&feed->outbox, FEED_LOST, SEARCHES_MAX, &err);
		if (feed->options.mode == FEED_ONCE && !feed->is_finished)
			post_finished(feed, &err);
		return;
	}
	close_lines(feed);
}

/* ---- the thread ---- */

/* A write to a connection whose server died raises SIGPIPE; signals are the loop's business anyway. */
static void block_signals(void)
{
	sigset_t all;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, NULL);
}

static void run_thread(void *arg)
{
	struct feed *feed = arg;
	struct err err;

	block_signals();
	while (!waker_stopped(&feed->waker)) {
		if (connect_somewhere(feed, &err) == ERR_NONE) {
			serve(feed);
			err = (struct err){.code = ERR_IO};
		} else if (err.code != ERR_CANCELLED) {
			outbox_post_error(&feed->outbox, FEED_LOST, SEARCHES_MAX, &err);
			if (feed->options.mode == FEED_ONCE && !feed->is_finished)
				post_finished(feed, &err);
		}
		/* Once and no more: what is left to do is to answer questions with "not connected". */
		stay_away(feed,
				feed->options.mode == FEED_ONCE ? FOR_GOOD_MS
								: pause_ms(feed, &err));
	}
}

static void init_searches(struct feed *feed)
{
	const struct feed_options *options = &feed->options;
	const struct span none = {0};

	feed->searches = mem_array(options->search_count + 1, sizeof(*feed->searches));
	feed->sessions = mem_array(options->search_count + 1, sizeof(*feed->sessions));
	for (size_t i = 0; i < options->search_count; i++) {
		feed_search_init(&feed->searches[i], options->searches[i]);
		sync_session_init(&feed->sessions[i], &feed->searches[i], &feed->outbox,
				options->cookies ? options->cookies[i] : none,
				options->source->reconnect_max_ms);
	}
	feed->line_count = session_count(feed) + 1;
	feed->lines = mem_array(feed->line_count, sizeof(*feed->lines));
	feed->polled = mem_array(feed->line_count + 1, sizeof(*feed->polled));
	enumeration_init(&feed->enumeration, &feed->outbox, feed->searches,
			options->source->page_size ? options->source->page_size
						   : PAGE_SIZE_DEFAULT);
	confirmations_init(&feed->confirmations, &feed->outbox, feed->searches);
	for (size_t i = 0; options->mode == FEED_ONCE && i < options->search_count; i++)
		enumeration_add(&feed->enumeration, i);
}

struct feed *feed_start(struct loop *loop, const struct feed_options *options, struct task *wakes)
{
	struct feed *feed = mem_zalloc(sizeof(*feed));

	/* Before libldap reads its environment: a foreign ldap.conf must not decide about TLS and servers. */
	(void)setenv("LDAPNOINIT", "1", 1);
	feed->options = *options;
	feed->commands_tail = &feed->commands;
	feed->backoff = (struct backoff){
			RECONNECT_FIRST_MS, (uint64_t)options->source->reconnect_max_ms, 0};
	feed->auth_backoff = (struct backoff){AUTH_RETRY_FIRST_MS, AUTH_RETRY_MAX_MS, 0};
	feed->outbox.box = mailbox_new(loop, MAILBOX_LETTERS_MAX, wakes);
	feed->outbox.source = options->source_index;
	waker_init(&feed->waker);
	init_searches(feed);
	feed->options.cookies = NULL; /* copied */
	if (uv_mutex_init(&feed->lock) != 0 ||
			uv_thread_create(&feed->thread, run_thread, feed) != 0) {
		(void)fputs("ldap2dbx: the system gives no thread for a directory\n", stderr);
		abort();
	}
	return feed;
}

static void free_searches(struct feed *feed)
{
	enumeration_release(&feed->enumeration);
	confirmations_release(&feed->confirmations);
	for (size_t i = 0; i < feed->options.search_count; i++) {
		sync_session_release(&feed->sessions[i]);
		feed_search_release(&feed->searches[i]);
	}
	mem_free(feed->sessions);
	mem_free(feed->searches);
	mem_free(feed->lines);
	mem_free(feed->polled);
}

void feed_free(struct feed *feed)
{
	struct feed_news *news;
	struct command *command;

	if (!feed)
		return;
	mailbox_close(feed->outbox.box);
	waker_stop(&feed->waker);
	(void)uv_thread_join(&feed->thread);
	command = take_commands(feed);
	while (command) {
		struct command *next = command->next;

		command_free(command);
		command = next;
	}
	news = feed_take(feed);
	while (news) {
		struct feed_news *next = feed_news_next(news);

		feed_news_free(news);
		news = next;
	}
	mailbox_free(feed->outbox.box);
	free_searches(feed);
	waker_release(&feed->waker);
	uv_mutex_destroy(&feed->lock);
	mem_free(feed);
}

/* ---- news ---- */

struct feed_news *feed_take(struct feed *feed)
{
	return (struct feed_news *)(void *)mailbox_take(feed->outbox.box);
}

struct feed_news *feed_news_next(const struct feed_news *news)
{
	return (struct feed_news *)(void *)news->letter.next;
}

void feed_news_free(struct feed_news *news)
{
	/* The news itself lies in it. */
	arena_free(news->arena);
}
