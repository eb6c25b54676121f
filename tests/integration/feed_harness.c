#include "feed_harness.h"

#include "base/text.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define WAIT_MAX_MS 30000
#define OUTPUT_MAX ((size_t)64 * 1024)

extern char **environ;

/* ---- processes ---- */

/* Runs a program with input, gathers its output (mem_free). Fails the test if it ends with anything but 0. */
static char *run(const char *const *arguments, const char *input)
{
	posix_spawn_file_actions_t actions;
	struct buf output;
	char bytes[4096];
	char path[] = "/tmp/ldap2dbx-input.XXXXXX";
	int in = mkstemp(path);
	int out[2];
	int status;
	ssize_t got;
	pid_t pid;

	(void)unlink(path);
	assert_true(in >= 0 && pipe2(out, O_CLOEXEC) == 0);
	assert_int_equal(write(in, input, strlen(input)), (ssize_t)strlen(input));
	(void)lseek(in, 0, SEEK_SET);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	(void)posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	assert_int_equal(posix_spawnp(&pid, arguments[0], &actions, NULL,
					 (char *const *)(uintptr_t)arguments, environ),
			0);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(in);
	(void)close(out[1]);
	buf_init(&output, OUTPUT_MAX);
	while ((got = read(out[0], bytes, sizeof(bytes))) > 0)
		buf_add(&output, bytes, (size_t)got);
	(void)close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("%s %s: status %d", arguments[0], arguments[1], status);
	return buf_steal(&output);
}

/* ---- server ---- */

static const char *script(void)
{
	static char path[400];
	const char *top = getenv("top_srcdir");

	(void)snprintf(path, sizeof(path), "%s/tests/support/slapd", top ? top : "..");
	return path;
}

/* The value of NAME='value' in settings. */
static void setting(const char *settings, const char *name, char *ret, size_t size)
{
	char key[40];
	const char *at;

	(void)snprintf(key, sizeof(key), "%s='", name);
	at = strstr(settings, key);
	while (at && at != settings && at[-1] != '\n')
		at = strstr(at + 1, key);
	if (at)
		(void)snprintf(ret, size, "%.*s", (int)strcspn(at + strlen(key), "'"),
				at + strlen(key));
}

static void write_ldif(const char *path, unsigned people)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	(void)fprintf(file,
			"dn: " BASE "\nobjectClass: organization\nobjectClass: dcObject\ndc: "
			"example\no: sample\n\n");
	for (unsigned i = 0; i < 2; i++)
		(void)fprintf(file,
				"dn: ou=%s," BASE "\nobjectClass: organizationalUnit\nou: %s\n\n",
				i ? "groups" : "people", i ? "groups" : "people");
	for (unsigned i = 1; i <= people; i++)
		(void)fprintf(file,
				"dn: uid=p%05u," PEOPLE "\nobjectClass: inetOrgPerson\nuid: "
				"p%05u\ncn: Sample %u\nsn: Sample\n"
				"mail: p%05u@example.com\ntitle: t\n\n",
				i, i, i, i);
	assert_int_equal(fclose(file), 0);
}

void server_up(struct server *server, const char *const *options, unsigned people)
{
	const char *arguments[40] = {script(), "up", server->dir};
	char template[] = "/tmp/ldap2dbx-feed.XXXXXX";
	char ldif[120];
	size_t count = 3;
	char *settings;

	*server = (struct server){0};
	assert_non_null(mkdtemp(template));
	(void)snprintf(server->dir, sizeof(server->dir), "%s", template);
	(void)snprintf(ldif, sizeof(ldif), "%s.ldif", template);
	write_ldif(ldif, people);
	arguments[count++] = "--ldif";
	arguments[count++] = ldif;
	while (options && *options && count < COUNT_OF(arguments) - 1)
		arguments[count++] = *options++;
	settings = run(arguments, "");
	(void)unlink(ldif);
	setting(settings, "URI", server->uri, sizeof(server->uri));
	setting(settings, "LDAPS_URI", server->ldaps_uri, sizeof(server->ldaps_uri));
	setting(settings, "LDAPI_URI", server->ldapi_uri, sizeof(server->ldapi_uri));
	setting(settings, "CA_FILE", server->ca_file, sizeof(server->ca_file));
	setting(settings, "CLIENT_CERT", server->client_cert, sizeof(server->client_cert));
	setting(settings, "CLIENT_KEY", server->client_key, sizeof(server->client_key));
	server->port = (int)strtol(strrchr(server->uri, ':') + 1, NULL, 10);
	mem_free(settings);
}

void server_action(struct server *server, const char *action)
{
	const char *arguments[] = {script(), action, server->dir, NULL};

	if (server->dir[0])
		mem_free(run(arguments, ""));
}

static void modify_as(const struct server *server, const char *dn, const char *ldif)
{
	const char *arguments[] = {"ldapmodify", "-x", "-H", server->ldapi_uri, "-D", dn, "-w",
			"secret", NULL};

	mem_free(run(arguments, ldif));
}

void server_modify(const struct server *server, const char *ldif)
{
	modify_as(server, "cn=admin," BASE, ldif);
}

void server_modify_config(const struct server *server, const char *ldif)
{
	modify_as(server, "cn=config", ldif);
}

unsigned server_logged(const struct server *server, const char *text)
{
	char path[120];
	char line[4096];
	unsigned count = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/slapd.log", server->dir);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		count += strstr(line, text) != NULL;
	(void)fclose(file);
	return count;
}

/* ---- the picture ---- */

static void entry_free(struct picture_entry *entry)
{
	if (!entry)
		return;
	mem_free(entry->dn);
	mem_free(entry);
}

static void put(struct watch *watch, const struct entry *from)
{
	struct picture_entry *entry = mem_zalloc(sizeof(*entry));

	for (size_t i = 0; i < from->count; i++) {
		const struct attribute *attribute = &from->attributes[i];

		if (text_equal(attribute->name, "member"))
			entry->members = attribute->count;
		if (text_equal(attribute->name, "cn")) {
			entry->cn_count = attribute->count;
			(void)snprintf(entry->first_cn, sizeof(entry->first_cn), "%s",
					attribute->values[0].ptr);
		}
	}
	entry->dn = mem_strdup(from->dn);
	entry->mentioned = true;
	entry_free(table_put(watch->entries, span_of(from->anchor), entry));
}

static void mention(struct watch *watch, const char *anchor)
{
	struct picture_entry *entry = table_find(watch->entries, span_of(anchor));

	if (entry)
		entry->mentioned = true;
}

static void mention_none(struct watch *watch)
{
	for (table_each (watch->entries, it))
		((struct picture_entry *)it.value)->mentioned = false;
}

static void remove_unmentioned(struct watch *watch)
{
	VEC(char *) gone = {0};

	for (table_each (watch->entries, it)) {
		if (!((struct picture_entry *)it.value)->mentioned)
			*vec_add(&gone) = mem_strndup(it.key.ptr, it.key.len);
	}
	for (vec_each (&gone, anchor)) {
		entry_free(table_remove(watch->entries, span_of(*anchor)));
		mem_free(*anchor);
	}
	vec_release(&gone);
}

static void take_changes(struct watch *watch, const struct feed_news *news)
{
	for (size_t i = 0; i < news->change_count; i++) {
		const struct feed_change *change = &news->changes[i];

		watch->page_changes += news->enumeration;
		watch->page_presents += news->enumeration && change->kind == FEED_PRESENT;
		switch (change->kind) {
		case FEED_UPSERT:
			watch->upserts++;
			put(watch, &change->entry);
			break;
		case FEED_DELETE:
			watch->deletes++;
			entry_free(table_remove(watch->entries, span_of(change->entry.anchor)));
			break;
		case FEED_PRESENT:
			watch->presents++;
			mention(watch, change->entry.anchor);
			break;
		}
	}
	watch->cookie_with_change = news->cookie.ptr && news->change_count > 0;
}

static void take_refreshed(struct watch *watch, const struct feed_news *news)
{
	watch->enumerations += news->enumeration;
	watch->refreshed += !news->enumeration;
	watch->absent_were_gone = news->absent_are_gone;
	watch->refreshed_with_cookie = news->cookie.ptr != NULL;
	if (news->absent_are_gone)
		remove_unmentioned(watch);
}

static void take_failed(struct watch *watch, const struct feed_news *news)
{
	watch->err = news->err;
	watch->ticket = news->ticket;
	if (news->ticket)
		watch->confirm_failed++;
	else if (news->enumeration)
		watch->enumerations_failed++;
	else
		watch->failed++;
}

static void take_confirmed(struct watch *watch, const struct feed_news *news)
{
	watch->confirmed++;
	watch->ticket = news->ticket;
	watch->gone_count = (unsigned)news->anchor_count;
	if (news->anchor_count)
		(void)snprintf(watch->gone, sizeof(watch->gone), "%s", news->anchors[0]);
}

static void take_of_search(struct watch *watch, const struct feed_news *news)
{
	if (news->cookie.ptr) {
		mem_free(watch->cookie);
		watch->cookie = mem_strndup(news->cookie.ptr, news->cookie.len);
	}
	switch (news->kind) {
	case FEED_REFRESHING:
		watch->refreshing += !news->enumeration;
		mention_none(watch);
		break;
	case FEED_CHANGES:
		take_changes(watch, news);
		break;
	case FEED_REFRESHED:
		take_refreshed(watch, news);
		break;
	case FEED_CONFIRMED:
		take_confirmed(watch, news);
		break;
	case FEED_SEARCH_FAILED:
		take_failed(watch, news);
		break;
	case FEED_COOKIE_LOST:
		watch->cookie_lost++;
		watch->err = news->err;
		mem_free(watch->cookie);
		watch->cookie = NULL;
		break;
	case FEED_CONNECTED:
	case FEED_LOST:
	case FEED_FINISHED:
		fail_msg("news about a search that are not");
	}
}

static void take(struct watcher *watcher, const struct feed_news *news)
{
	if (news->search != SEARCHES_MAX) {
		assert_true(news->search < watcher->count);
		take_of_search(&watcher->watches[news->search], news);
	} else if (news->kind == FEED_CONNECTED) {
		watcher->connected++;
		(void)snprintf(watcher->uri, sizeof(watcher->uri), "%s", news->text);
	} else {
		watcher->lost += news->kind == FEED_LOST;
		watcher->finished += news->kind == FEED_FINISHED;
		watcher->err = news->err;
	}
}

static struct watcher *watcher_of(struct task *task, size_t offset)
{
	return (struct watcher *)(void *)((char *)task - offset);
}

static void news_came(struct task *task)
{
	struct watcher *watcher = watcher_of(task, offsetof(struct watcher, news));
	struct feed_news *news = watcher->feed ? feed_take(watcher->feed) : NULL;

	while (news) {
		struct feed_news *next = feed_news_next(news);

		take(watcher, news);
		feed_news_free(news);
		news = next;
	}
	if (watcher->until && watcher->until(watcher))
		loop_stop(watcher->loop);
}

static void deadline_came(struct task *task)
{
	struct watcher *watcher = watcher_of(task, offsetof(struct watcher, deadline));

	watcher->timed_out = true;
	loop_stop(watcher->loop);
}

/* ---- watcher ---- */

void watcher_init(struct watcher *watcher, const char *uri)
{
	*watcher = (struct watcher){.loop = loop_new()};
	task_init(&watcher->news, watcher->loop, news_came);
	task_init(&watcher->deadline, watcher->loop, deadline_came);
	watcher->timer = loop_timer_new(watcher->loop, &watcher->deadline);
	watcher->uris[0] = uri;
	watcher->source = (struct source_settings){.name = "sample",
			.uris = watcher->uris,
			.uri_count = 1,
			.bind_dn = SERVICE,
			.bind_password = "env:L2D_TEST_PASSWORD",
			.page_size = 100,
			.connect_timeout_ms = 10000,
			.operation_timeout_ms = 60000,
			.reconnect_max_ms = 1000};
	(void)setenv("L2D_TEST_PASSWORD", "secret", 1);
}

void watcher_add_search(struct watcher *watcher, const char *base, const char *filter,
		const char *const *attributes)
{
	struct search *search = &watcher->searches[watcher->count];

	assert_true(watcher->count < WATCHED_MAX);
	*search = (struct search){.id = (unsigned)watcher->count,
			.base = base,
			.filter = filter,
			.attributes = attributes,
			.file = "mappings/sample.yaml",
			.line = (unsigned)watcher->count + 1};
	while (attributes[search->attribute_count])
		search->attribute_count++;
	watcher->search_list[watcher->count] = search;
	watcher->watches[watcher->count++].entries = table_new();
}

void watcher_start(struct watcher *watcher, enum feed_mode mode)
{
	struct span cookies[WATCHED_MAX];
	const struct feed_options options = {.mode = mode,
			.source = &watcher->source,
			.searches = watcher->search_list,
			.search_count = watcher->count,
			.cookies = cookies};

	for (size_t i = 0; i < watcher->count; i++)
		cookies[i] = span_of(watcher->watches[i].cookie);
	watcher_forget(watcher);
	watcher->feed = feed_start(watcher->loop, &options, &watcher->news);
}

void watcher_stop(struct watcher *watcher)
{
	feed_free(watcher->feed);
	watcher->feed = NULL;
}

void watcher_release(struct watcher *watcher)
{
	watcher_stop(watcher);
	for (size_t i = 0; i < watcher->count; i++) {
		mention_none(&watcher->watches[i]);
		remove_unmentioned(&watcher->watches[i]);
		table_free(watcher->watches[i].entries);
		mem_free(watcher->watches[i].cookie);
	}
	task_cancel(&watcher->news);
	task_cancel(&watcher->deadline);
	loop_timer_free(watcher->timer);
	loop_free(watcher->loop);
}

void watcher_forget(struct watcher *watcher)
{
	for (size_t i = 0; i < watcher->count; i++) {
		const struct watch kept = watcher->watches[i];

		watcher->watches[i] =
				(struct watch){.entries = kept.entries, .cookie = kept.cookie};
	}
	watcher->connected = watcher->lost = watcher->finished = 0;
}

void watcher_wait(struct watcher *watcher, bool (*condition)(struct watcher *watcher),
		const char *what)
{
	if (condition(watcher))
		return;
	watcher->timed_out = false;
	watcher->until = condition;
	loop_timer_start(watcher->timer, WAIT_MAX_MS);
	loop_run(watcher->loop);
	loop_timer_stop(watcher->timer);
	watcher->until = NULL;
	if (watcher->timed_out)
		fail_msg("%s: not within %d s; last errors: \"%s\", \"%s\"", what,
				WAIT_MAX_MS / 1000, watcher->err.text,
				watcher->watches[0].err.text);
}

static const struct picture_entry *find_dn(const struct watcher *watcher, size_t search,
		const char *dn, struct span *ret_anchor)
{
	for (table_each (watcher->watches[search].entries, it)) {
		const struct picture_entry *entry = it.value;

		if (text_equal_folded(entry->dn, dn)) {
			*ret_anchor = it.key;
			return entry;
		}
	}
	return NULL;
}

bool watcher_has(const struct watcher *watcher, size_t search, const char *dn)
{
	struct span anchor;

	return find_dn(watcher, search, dn, &anchor) != NULL;
}

const char *watcher_anchor(const struct watcher *watcher, size_t search, const char *dn)
{
	static char text[40];
	struct span anchor;

	if (!find_dn(watcher, search, dn, &anchor))
		return NULL;
	(void)snprintf(text, sizeof(text), "%.*s", (int)anchor.len, anchor.ptr);
	return text;
}

const struct picture_entry *watcher_find(
		const struct watcher *watcher, size_t search, const char *dn)
{
	struct span anchor;

	return find_dn(watcher, search, dn, &anchor);
}

size_t watcher_members(const struct watcher *watcher, size_t search, const char *dn)
{
	struct span anchor;
	const struct picture_entry *entry = find_dn(watcher, search, dn, &anchor);

	return entry ? entry->members : SIZE_MAX;
}

/* ---- conditions ---- */

bool all_refreshed(struct watcher *watcher)
{
	for (size_t i = 0; i < watcher->count; i++) {
		if (!watcher->watches[i].refreshed)
			return false;
	}
	return true;
}

bool is_connected(struct watcher *watcher)
{
	return watcher->connected > 0;
}

bool is_lost(struct watcher *watcher)
{
	return watcher->lost > 0;
}

bool is_finished(struct watcher *watcher)
{
	return watcher->finished > 0;
}

bool first_failed(struct watcher *watcher)
{
	return watcher->watches[0].failed > 0;
}
