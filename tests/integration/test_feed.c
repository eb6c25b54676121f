/*
 * test_feed -- content synchronisation, enumeration and confirmation against a real slapd.
 */
#include "feed_harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const char *const person_attributes[] = {"uid", "mail", NULL};
static const char *const group_attributes[] = {"cn", "member", NULL};
static const char *const no_attributes[] = {"1.1", NULL};
static const char person_filter[] = "(&(objectClass=inetOrgPerson)(title=t))";

static struct server server;
static struct watcher watcher;
static struct proxy *proxy;

static void up(const char *const *options, unsigned people)
{
	server_up(&server, options, people);
	watcher_init(&watcher, server.ldapi_uri);
	watcher_add_search(&watcher, PEOPLE, person_filter, person_attributes);
}

static int tear_down(void **state)
{
	(void)state;
	watcher_release(&watcher);
	proxy_free(proxy);
	proxy = NULL;
	server_action(&server, "down");
	return 0;
}

/* Puts a proxy between feed and server. */
static void through_proxy(void)
{
	static char uri[60];

	proxy = proxy_new(server.port);
	(void)snprintf(uri, sizeof(uri), "ldap://127.0.0.1:%d", proxy_port(proxy));
	watcher.uris[0] = uri;
}

static void loaded(void)
{
	watcher_start(&watcher, FEED_FOLLOW);
	WAIT_FOR(&watcher, all_refreshed);
}

static struct watch *first(void)
{
	return &watcher.watches[0];
}

static void set_cookie(const char *cookie)
{
	mem_free(first()->cookie);
	first()->cookie = mem_strdup(cookie);
}

#define MODIFY(uid)                                                                                \
	"dn: uid=" uid "," PEOPLE "\nchangetype: modify\nreplace: mail\nmail: new@example.com\n\n"
#define DELETE(uid) "dn: uid=" uid "," PEOPLE "\nchangetype: delete\n\n"
#define ADD(uid)                                                                                   \
	"dn: uid=" uid "," PEOPLE "\nchangetype: add\nobjectClass: inetOrgPerson\nuid: " uid       \
	"\ncn: Sample\nsn: Sample\ntitle: t\n\n"

/* ---- following ---- */

static bool has_upsert(struct watcher *w)
{
	return w->watches[0].upserts > 0;
}

static bool has_delete(struct watcher *w)
{
	return w->watches[0].deletes > 0;
}

static bool is_enumerated(struct watcher *w)
{
	return w->watches[0].enumerations > 0;
}

static bool has_cookie(struct watcher *w)
{
	return w->watches[0].cookie != NULL;
}

static void change_and_wait(const char *ldif, bool (*condition)(struct watcher *), const char *what)
{
	watcher_forget(&watcher);
	server_modify(&server, ldif);
	watcher_wait(&watcher, condition, what);
}
#define CHANGE(ldif, condition) change_and_wait((ldif), (condition), #condition)

static void test_first_load_starts_from_nothing(void **state)
{
	(void)state;
	up(NULL, 20);
	loaded();
	assert_int_equal(table_count(first()->entries), 20);
	assert_true(first()->absent_were_gone);
	assert_true(first()->refreshed_with_cookie);
	assert_int_equal(first()->upserts, 20);
	assert_int_equal(first()->deletes, 0);
	assert_true(watcher_has(&watcher, 0, "uid=p00007," PEOPLE));
}

static void test_every_kind_of_change_arrives_with_its_cookie(void **state)
{
	(void)state;
	up(NULL, 5);
	loaded();
	CHANGE(MODIFY("p00001"), has_upsert);
	assert_true(first()->cookie_with_change);
	CHANGE(ADD("new"), has_upsert);
	assert_true(watcher_has(&watcher, 0, "uid=new," PEOPLE));
	CHANGE(DELETE("p00002"), has_delete);
	assert_true(first()->cookie_with_change);
	assert_false(watcher_has(&watcher, 0, "uid=p00002," PEOPLE));
	CHANGE("dn: uid=p00003," PEOPLE
	       "\nchangetype: modrdn\nnewrdn: uid=renamed\ndeleteoldrdn: 1\n\n",
			has_upsert);
	assert_true(watcher_has(&watcher, 0, "uid=renamed," PEOPLE));
	assert_false(watcher_has(&watcher, 0, "uid=p00003," PEOPLE));
	/* Out of the scope: a delete whose DN was never seen. */
	CHANGE("dn: uid=p00004," PEOPLE
	       "\nchangetype: modrdn\nnewrdn: uid=p00004\ndeleteoldrdn: 0\nnewsuperior: " GROUPS
	       "\n\n",
			has_delete);
	/* Out of the filter. */
	CHANGE("dn: uid=p00005," PEOPLE "\nchangetype: modify\nreplace: title\ntitle: x\n\n",
			has_delete);
	assert_int_equal(table_count(first()->entries), 3);
	/* Back into the scope. */
	CHANGE("dn: uid=p00004," GROUPS
	       "\nchangetype: modrdn\nnewrdn: uid=p00004\ndeleteoldrdn: 0\nnewsuperior: " PEOPLE
	       "\n\n",
			has_upsert);
	assert_int_equal(table_count(first()->entries), 4);
}

static void test_a_change_outside_brings_a_cookie_alone(void **state)
{
	(void)state;
	up(NULL, 1);
	loaded();
	mem_free(first()->cookie);
	first()->cookie = NULL;
	CHANGE("dn: " GROUPS "\nchangetype: modify\nreplace: description\ndescription: sample\n\n",
			has_cookie);
	assert_false(first()->cookie_with_change);
	assert_int_equal(first()->upserts, 0);
}

static bool container_changed(struct watcher *w)
{
	return w->watches[1].upserts > 0;
}

static void test_a_renamed_container_is_told_by_its_own_search(void **state)
{
	(void)state;
	up(NULL, 3);
	watcher_add_search(&watcher, BASE, "(objectClass=organizationalUnit)", no_attributes);
	loaded();
	assert_int_equal(table_count(watcher.watches[1].entries), 2);
	CHANGE("dn: " GROUPS "\nchangetype: modrdn\nnewrdn: ou=teams\ndeleteoldrdn: 1\n\n",
			container_changed);
	assert_true(watcher_has(&watcher, 1, "ou=teams," BASE));
	assert_int_equal(table_count(watcher.watches[1].entries), 2);
}

static void test_several_searches_of_one_source(void **state)
{
	(void)state;
	up(NULL, 30);
	watcher_add_search(&watcher, BASE, "(objectClass=organizationalUnit)", no_attributes);
	watcher_add_search(&watcher, PEOPLE, "(uid=p0000*)", person_attributes);
	loaded();
	assert_int_equal(watcher.connected, 1);
	assert_int_equal(table_count(watcher.watches[0].entries), 30);
	assert_int_equal(table_count(watcher.watches[1].entries), 2);
	assert_int_equal(table_count(watcher.watches[2].entries), 9);
	CHANGE(MODIFY("p00001"), has_upsert);
	/* And all of them persist, with four threads in the server, while pages are read. */
	feed_enumerate(watcher.feed, 0);
	WAIT_FOR(&watcher, is_enumerated);
	CHANGE(MODIFY("p00002"), has_upsert);
}

static void test_options_of_attributes_are_folded_in(void **state)
{
	static const char *const attributes[] = {"cn", NULL};
	const struct picture_entry *entry;

	(void)state;
	up(NULL, 1);
	watcher.searches[0].attributes = attributes;
	watcher.searches[0].attribute_count = 1;
	loaded();
	CHANGE("dn: uid=two," PEOPLE "\nchangetype: add\nobjectClass: inetOrgPerson\nuid: two\n"
	       "cn;lang-de: Beispiel\ncn: Sample\nsn: Sample\ntitle: t\n\n",
			has_upsert);
	entry = watcher_find(&watcher, 0, "uid=two," PEOPLE);
	assert_non_null(entry);
	assert_int_equal(entry->cn_count, 2);
	assert_string_equal(entry->first_cn, "Sample");
}

/* A value over the limit of model/entry.h. */
static char *oversized(void)
{
	struct buf ldif;

	buf_init(&ldif, (size_t)1024 * 1024);
	buf_add_text(&ldif, "dn: uid=p00002," PEOPLE "\nchangetype: modify\nreplace: mail\nmail: ");
	for (size_t i = 0; i <= ENTRY_VALUE_BYTES_MAX; i++)
		buf_add_char(&ldif, 'x');
	buf_add_text(&ldif, "\n\n");
	return buf_steal(&ldif);
}

static bool has_present(struct watcher *w)
{
	return w->watches[0].presents > 0;
}

static void test_an_entry_that_is_too_large_stays_as_it_is(void **state)
{
	AUTO(mem_freep) char *ldif = oversized();

	(void)state;
	up(NULL, 3);
	loaded();
	CHANGE(ldif, has_present);
	assert_int_equal(first()->upserts, 0);
	assert_int_equal(first()->deletes, 0);
	assert_true(watcher_has(&watcher, 0, "uid=p00002," PEOPLE));
}

static bool has_failed_after_loss(struct watcher *w)
{
	return w->watches[0].cookie_lost > 0 && w->watches[0].failed > 0;
}

static void test_the_base_is_renamed(void **state)
{
	(void)state;
	up(NULL, 5);
	loaded();
	/* The search ends at the next write below it. */
	CHANGE("dn: " PEOPLE "\nchangetype: modrdn\nnewrdn: ou=staff\ndeleteoldrdn: 1\n\n"
	       "dn: uid=p00001,ou=staff," BASE
	       "\nchangetype: modify\nreplace: mail\nmail: new@example.com\n\n",
			has_failed_after_loss);
	assert_int_equal(first()->err.detail, 32);
	assert_int_equal(first()->deletes + first()->refreshed, 0);
	assert_int_equal(table_count(first()->entries), 5);
	CHANGE("dn: ou=staff," BASE "\nchangetype: modrdn\nnewrdn: ou=people\ndeleteoldrdn: 1\n\n",
			all_refreshed);
	assert_int_equal(table_count(first()->entries), 5);
}

/* ---- coming back with a cookie ---- */

static void away(void (*meanwhile)(void))
{
	loaded();
	watcher_stop(&watcher);
	meanwhile();
	loaded();
}

static void nothing(void)
{
}

static void few_changes(void)
{
	server_modify(&server,
			DELETE("p00001") DELETE("p00002") MODIFY("p00003") ADD("shortlived")
					DELETE("shortlived"));
}

static void ten_changes(void)
{
	few_changes();
	for (unsigned i = 0; i < 10; i++)
		server_modify(&server, MODIFY("p00004"));
}

static void changes_and_restart(void)
{
	few_changes();
	server_action(&server, "restart");
}

static void restart_only(void)
{
	server_action(&server, "restart");
}

static void test_nothing_changed(void **state)
{
	(void)state;
	up(NULL, 20);
	away(nothing);
	assert_false(first()->absent_were_gone);
	assert_false(first()->refreshed_with_cookie);
	assert_int_equal(first()->upserts + first()->deletes + first()->presents +
					first()->cookie_lost,
			0);
	assert_int_equal(table_count(first()->entries), 20);
	assert_non_null(first()->cookie);
}

static void test_restart_of_the_server_without_a_change(void **state)
{
	(void)state;
	up(NULL, 20);
	away(restart_only);
	assert_int_equal(first()->upserts + first()->deletes + first()->presents +
					first()->cookie_lost,
			0);
	assert_int_equal(table_count(first()->entries), 20);
}

static void test_delete_phase(void **state)
{
	(void)state;
	up(NULL, 20);
	away(few_changes);
	assert_false(first()->absent_were_gone);
	assert_true(first()->refreshed_with_cookie);
	assert_int_equal(first()->upserts, 1);
	assert_true(first()->deletes >= 2); /* the short-lived one may be named too */
	assert_int_equal(first()->presents, 0);
	assert_int_equal(table_count(first()->entries), 18);
}

static void check_present_phase(void)
{
	assert_true(first()->absent_were_gone);
	assert_true(first()->refreshed_with_cookie);
	assert_true(first()->presents >= 16);
	assert_int_equal(first()->deletes, 0);
	assert_int_equal(first()->cookie_lost, 0);
	assert_int_equal(table_count(first()->entries), 18);
	assert_false(watcher_has(&watcher, 0, "uid=p00002," PEOPLE));
}

static void test_present_phase_after_a_restart(void **state)
{
	(void)state;
	up(NULL, 20);
	away(changes_and_restart);
	check_present_phase();
	assert_int_equal(first()->upserts, 1);
}

static void test_present_phase_when_the_log_is_too_short(void **state)
{
	static const char *const options[] = {"--session-log", "3", NULL};

	(void)state;
	up(options, 20);
	away(ten_changes);
	check_present_phase();
}

static void test_present_phase_with_many_ids(void **state)
{
	static const char *const options[] = {"--session-log", "0", NULL};

	(void)state;
	up(options, 1500);
	away(few_changes);
	assert_true(first()->absent_were_gone);
	assert_true(first()->presents >= 1496);
	assert_int_equal(table_count(first()->entries), 1498);
}

/* A ghost in the picture: an entry that the server does not have. It must not survive what follows. */
static void put_ghost(void)
{
	struct picture_entry *ghost = mem_zalloc(sizeof(*ghost));

	ghost->dn = mem_strdup("uid=ghost," PEOPLE);
	(void)table_put(first()->entries, SPAN_LIT("00000000-0000-0000-0000-000000000001"), ghost);
}

static void check_read_again(unsigned lost)
{
	assert_int_equal(first()->cookie_lost, lost);
	assert_true(first()->absent_were_gone);
	assert_int_equal(table_count(first()->entries), 20);
	assert_false(watcher_has(&watcher, 0, "uid=ghost," PEOPLE));
	assert_non_null(first()->cookie);
}

static void start_with_ghost_and(const char *cookie)
{
	put_ghost();
	set_cookie(cookie);
	loaded();
}

static void test_a_stale_cookie_and_the_reload_hint(void **state)
{
	static const char *const options[] = {"--reload-hint", NULL};

	(void)state;
	up(options, 20);
	start_with_ghost_and("rid=000,csn=20000101000000.000000Z#000000#000#000000");
	check_read_again(1);
	assert_int_equal(watcher.connected, 1);
}

static void test_a_cookie_newer_than_the_server(void **state)
{
	(void)state;
	up(NULL, 20);
	start_with_ghost_and("rid=000,csn=20990101000000.000000Z#000000#000#000000");
	check_read_again(1);
	assert_int_equal(watcher.connected, 1);
}

static void test_a_damaged_cookie_is_not_sent(void **state)
{
	(void)state;
	up(NULL, 20);
	start_with_ghost_and("garbage");
	check_read_again(1);
	assert_int_equal(first()->refreshing, 1);
}

static void test_a_cookie_that_the_server_cannot_read(void **state)
{
	(void)state;
	up(NULL, 20);
	through_proxy();
	/* slapd then sends everything, and ends with a delete phase that has no cookie. */
	proxy_garble_cookies(proxy);
	start_with_ghost_and("rid=000,csn=20200101000000.000000Z#000000#000#000000");
	check_read_again(1);
	assert_int_equal(first()->refreshing, 2);
}

static void test_an_old_cookie_without_the_reload_hint(void **state)
{
	(void)state;
	up(NULL, 20);
	start_with_ghost_and("rid=000,csn=20000101000000.000000Z#000000#000#000000");
	check_read_again(0);
}

/* ---- what proves nothing ---- */

static void check_failed(enum err_code code, int detail, const char *word)
{
	assert_int_equal(first()->err.code, code);
	assert_int_equal(first()->err.detail, detail);
	if (!strstr(first()->err.text, word) ||
			!strstr(first()->err.text, "mappings/sample.yaml:1"))
		fail_msg("\"%s\" does not name \"%s\" and its place", first()->err.text, word);
	assert_int_equal(first()->refreshed, 0);
	assert_int_equal(first()->deletes, 0);
	assert_true(watcher_has(&watcher, 0, "uid=ghost," PEOPLE));
}

static void test_size_limit(void **state)
{
	static const char *const options[] = {"--service-limit", "10", NULL};

	(void)state;
	up(options, 20);
	put_ghost();
	watcher_start(&watcher, FEED_FOLLOW);
	WAIT_FOR(&watcher, first_failed);
	check_failed(ERR_INCOMPLETE, 4, "size limit");
	assert_null(first()->cookie);
}

static void test_size_limit_of_an_enumeration(void **state)
{
	static const char *const options[] = {"--service-limit", "10", NULL};

	(void)state;
	up(options, 20);
	put_ghost();
	watcher.source.page_size = 4;
	watcher_start(&watcher, FEED_ONCE);
	WAIT_FOR(&watcher, is_finished);
	assert_int_equal(first()->enumerations_failed, 1);
	check_failed(ERR_INCOMPLETE, 4, "size limit");
	assert_int_equal(watcher.err.code, ERR_INCOMPLETE);
}

static void test_a_missing_base_is_looked_for_again(void **state)
{
	(void)state;
	up(NULL, 1);
	watcher.searches[0].base = "ou=staff," BASE;
	put_ghost();
	watcher_start(&watcher, FEED_FOLLOW);
	WAIT_FOR(&watcher, first_failed);
	check_failed(ERR_NOT_FOUND, 32, "base");
	server_modify(&server,
			"dn: ou=staff," BASE
			"\nchangetype: add\nobjectClass: organizationalUnit\nou: staff\n\n");
	WAIT_FOR(&watcher, all_refreshed);
	assert_int_equal(watcher.connected, 1);
}

static void test_a_base_hidden_by_access_rules(void **state)
{
	(void)state;
	up(NULL, 5);
	server_modify_config(&server,
			"dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nadd: olcAccess\n"
			"olcAccess: {0}to dn.subtree=\"" PEOPLE "\" by * none\n\n");
	put_ghost();
	watcher_start(&watcher, FEED_FOLLOW);
	WAIT_FOR(&watcher, first_failed);
	check_failed(ERR_NOT_FOUND, 32, "may not read");
}

static void test_a_database_without_syncprov(void **state)
{
	(void)state;
	up(NULL, 1);
	watcher.searches[0].base = "cn=config";
	watcher.searches[0].filter = "(objectClass=*)";
	watcher.source.bind_dn = "cn=config";
	put_ghost();
	watcher_start(&watcher, FEED_FOLLOW);
	WAIT_FOR(&watcher, first_failed);
	check_failed(ERR_CONFIG, 12, "syncprov");
}

static void test_a_malformed_filter(void **state)
{
	(void)state;
	up(NULL, 1);
	watcher.searches[0].filter = "(uid=";
	put_ghost();
	watcher_start(&watcher, FEED_FOLLOW);
	WAIT_FOR(&watcher, first_failed);
	check_failed(ERR_CONFIG, -7, "filter");
}

static void test_a_referral_leaves_absence_open(void **state)
{
	(void)state;
	up(NULL, 5);
	server_modify(&server,
			"dn: ou=elsewhere," PEOPLE
			"\nchangetype: add\nobjectClass: referral\nobjectClass: extensibleObject\n"
			"ou: elsewhere\nref: ldap://elsewhere.example.com/ou=elsewhere," PEOPLE
			"\n\n");
	put_ghost();
	loaded();
	assert_int_equal(first()->upserts, 5);
	assert_false(first()->absent_were_gone);
	feed_enumerate(watcher.feed, 0);
	WAIT_FOR(&watcher, is_enumerated);
	assert_false(first()->absent_were_gone);
	assert_true(watcher_has(&watcher, 0, "uid=ghost," PEOPLE));
}

static bool failed_and_refreshed(struct watcher *w)
{
	return w->watches[0].failed > 0 && w->watches[0].refreshed > 0;
}

static void test_a_first_load_cut_in_the_middle(void **state)
{
	(void)state;
	up(NULL, 700);
	through_proxy();
	put_ghost();
	proxy_cut_after(proxy, 60000);
	watcher_start(&watcher, FEED_FOLLOW);
	WAIT_FOR(&watcher, first_failed);
	assert_int_equal(first()->refreshed, 0);
	assert_null(first()->cookie);
	assert_true(watcher_has(&watcher, 0, "uid=ghost," PEOPLE));
	WAIT_FOR(&watcher, failed_and_refreshed);
	assert_true(first()->absent_were_gone);
	assert_int_equal(table_count(first()->entries), 700);
	assert_int_equal(watcher.connected, 2);
}

static void test_a_present_phase_cut_in_the_middle(void **state)
{
	static const char *const options[] = {"--session-log", "0", NULL};
	AUTO(mem_freep) char *cookie = NULL;

	(void)state;
	up(options, 1500);
	through_proxy();
	loaded();
	watcher_stop(&watcher);
	few_changes();
	cookie = mem_strdup(first()->cookie);
	proxy_cut_after(proxy, 12000); /* about half of the ids */
	watcher_start(&watcher, FEED_FOLLOW);
	WAIT_FOR(&watcher, first_failed);
	assert_string_equal(first()->cookie, cookie);
	assert_int_equal(table_count(first()->entries), 1500);
	WAIT_FOR(&watcher, failed_and_refreshed);
	assert_int_equal(table_count(first()->entries), 1498);
}

static void test_an_enumeration_cut_in_the_middle(void **state)
{
	(void)state;
	up(NULL, 700);
	through_proxy();
	put_ghost();
	proxy_cut_after(proxy, 60000); /* of seven pages of some 25,000 octets the third */
	watcher_start(&watcher, FEED_ONCE);
	WAIT_FOR(&watcher, is_finished);
	assert_int_equal(watcher.err.code, ERR_IO);
	assert_int_equal(first()->enumerations, 0);
	assert_int_equal(first()->enumerations_failed, 1);
	assert_true(first()->upserts > 100 && first()->upserts < 700);
	assert_true(watcher_has(&watcher, 0, "uid=ghost," PEOPLE));
	assert_int_equal(watcher.connected, 1);
}

static void test_a_killed_server_comes_back(void **state)
{
	(void)state;
	up(NULL, 20);
	loaded();
	server_action(&server, "kill");
	WAIT_FOR(&watcher, is_lost);
	assert_int_equal(watcher.err.code, ERR_IO);
	watcher_forget(&watcher);
	server_action(&server, "restart");
	WAIT_FOR(&watcher, all_refreshed);
	assert_int_equal(table_count(first()->entries), 20);
	CHANGE(MODIFY("p00001"), has_upsert);
}

/* ---- dynamic groups ---- */

static bool has_group_change(struct watcher *w)
{
	return w->watches[1].upserts > 0 && w->watches[1].cookie;
}

static void test_a_dynamic_group_keeps_its_members(void **state)
{
	static const char *const options[] = {"--extra-database", "overlay dynlist",
			"--extra-database", "dynlist-attrset groupOfURLs memberURL member", NULL};
	static const char group[] = "cn=dynamic," GROUPS;

	(void)state;
	up(options, 6);
	server_modify(&server,
			"dn: cn=dynamic," GROUPS
			"\nchangetype: add\nobjectClass: groupOfURLs\ncn: dynamic\n"
			"memberURL: ldap:///" PEOPLE "??one?(title=t)\n\n");
	watcher_add_search(&watcher, GROUPS, "(cn=*)", group_attributes);
	loaded();
	assert_int_equal(watcher_members(&watcher, 1, group), 6);
	mem_free(watcher.watches[1].cookie);
	watcher.watches[1].cookie = NULL;
	CHANGE("dn: cn=dynamic," GROUPS
	       "\nchangetype: modify\nreplace: description\ndescription: sample\n\n"
	       "dn: cn=dynamic," GROUPS
	       "\nchangetype: modify\nreplace: description\ndescription: again\n\n",
			has_group_change);
	assert_int_equal(watcher_members(&watcher, 1, group), 6);
	CHANGE("dn: cn=dynamic," GROUPS
	       "\nchangetype: modify\nreplace: description\ndescription: last\n\n"
	       "dn: cn=dynamic," GROUPS "\nchangetype: delete\n\n" DELETE("p00001"),
			has_delete);
	assert_false(watcher_has(&watcher, 1, group));
}

/* ---- looking again ---- */

static bool is_confirmed(struct watcher *w)
{
	return w->watches[0].confirmed + w->watches[0].confirm_failed > 0;
}

static void test_confirmation(void **state)
{
	const char *anchors[202];
	char texts[202][40];
	char known[40];

	(void)state;
	up(NULL, 5);
	loaded();
	(void)snprintf(known, sizeof(known), "%s",
			watcher_anchor(&watcher, 0, "uid=p00003," PEOPLE));
	for (size_t i = 0; i < COUNT_OF(anchors); i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "00000000-0000-0000-0000-%012zu", i);
		anchors[i] = texts[i];
	}
	anchors[150] = known;
	watcher_forget(&watcher);
	feed_confirm(watcher.feed, 0, anchors, COUNT_OF(anchors), 77);
	WAIT_FOR(&watcher, is_confirmed);
	assert_int_equal(first()->confirmed, 1);
	assert_int_equal(first()->ticket, 77);
	assert_int_equal(first()->gone_count, COUNT_OF(anchors) - 1);
	assert_string_equal(first()->gone, texts[0]);
	assert_int_equal(first()->upserts, 1); /* the one that is there */
}

static void test_confirmation_without_a_connection(void **state)
{
	static const char *const anchors[] = {"00000000-0000-0000-0000-000000000001"};

	(void)state;
	up(NULL, 5);
	loaded();
	server_action(&server, "kill");
	WAIT_FOR(&watcher, is_lost);
	watcher_forget(&watcher);
	feed_confirm(watcher.feed, 0, anchors, 1, 78);
	WAIT_FOR(&watcher, is_confirmed);
	assert_int_equal(first()->confirm_failed, 1);
	assert_int_equal(first()->ticket, 78);
	/* What seemed to be gone comes up once more. */
	server_action(&server, "restart");
	WAIT_FOR(&watcher, is_enumerated);
	assert_true(first()->absent_were_gone);
}

static void test_confirmation_after_once(void **state)
{
	static const char *const anchors[] = {"00000000-0000-0000-0000-000000000001"};

	(void)state;
	up(NULL, 5);
	watcher_start(&watcher, FEED_ONCE);
	WAIT_FOR(&watcher, is_finished);
	assert_int_equal(watcher.err.code, ERR_NONE);
	assert_int_equal(first()->enumerations, 1);
	assert_int_equal(table_count(first()->entries), 5);
	feed_confirm(watcher.feed, 0, anchors, 1, 79);
	WAIT_FOR(&watcher, is_confirmed);
	assert_int_equal(first()->gone_count, 1);
}

static void test_enumeration_in_pages(void **state)
{
	(void)state;
	up(NULL, 1050);
	loaded();
	put_ghost();
	watcher_forget(&watcher);
	feed_enumerate(watcher.feed, 0);
	WAIT_FOR(&watcher, is_enumerated);
	assert_true(first()->absent_were_gone);
	assert_int_equal(first()->page_changes, 1050);
	assert_int_equal(table_count(first()->entries), 1050);
	CHANGE(MODIFY("p00001"), has_upsert);
}

static bool has_both(struct watcher *w)
{
	return w->watches[0].upserts > 0 && w->watches[0].deletes > 0;
}

static void test_pages_do_not_overtake_events(void **state)
{
	(void)state;
	up(NULL, 50);
	through_proxy();
	loaded();
	watcher_forget(&watcher);
	/* The pages are asked for, and do not get through until the events have arrived. */
	proxy_hold_requests(proxy, true);
	feed_enumerate(watcher.feed, 0);
	server_modify(&server, MODIFY("p00007") DELETE("p00008"));
	WAIT_FOR(&watcher, has_both);
	proxy_hold_requests(proxy, false);
	WAIT_FOR(&watcher, is_enumerated);
	assert_int_equal(first()->page_changes, 49);
	assert_int_equal(first()->page_presents, 1);
	assert_int_equal(table_count(first()->entries), 49);
}

/* argument: a pattern of the tests to run, for developers */
int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
	const struct CMUnitTest tests[] = {
			TEST(test_first_load_starts_from_nothing),
			TEST(test_every_kind_of_change_arrives_with_its_cookie),
			TEST(test_a_change_outside_brings_a_cookie_alone),
			TEST(test_a_renamed_container_is_told_by_its_own_search),
			TEST(test_several_searches_of_one_source),
			TEST(test_options_of_attributes_are_folded_in),
			TEST(test_an_entry_that_is_too_large_stays_as_it_is),
			TEST(test_the_base_is_renamed),
			TEST(test_nothing_changed),
			TEST(test_restart_of_the_server_without_a_change),
			TEST(test_delete_phase),
			TEST(test_present_phase_after_a_restart),
			TEST(test_present_phase_when_the_log_is_too_short),
			TEST(test_present_phase_with_many_ids),
			TEST(test_a_stale_cookie_and_the_reload_hint),
			TEST(test_a_cookie_newer_than_the_server),
			TEST(test_a_damaged_cookie_is_not_sent),
			TEST(test_a_cookie_that_the_server_cannot_read),
			TEST(test_an_old_cookie_without_the_reload_hint),
			TEST(test_size_limit),
			TEST(test_size_limit_of_an_enumeration),
			TEST(test_a_missing_base_is_looked_for_again),
			TEST(test_a_base_hidden_by_access_rules),
			TEST(test_a_database_without_syncprov),
			TEST(test_a_malformed_filter),
			TEST(test_a_referral_leaves_absence_open),
			TEST(test_a_first_load_cut_in_the_middle),
			TEST(test_a_present_phase_cut_in_the_middle),
			TEST(test_an_enumeration_cut_in_the_middle),
			TEST(test_a_killed_server_comes_back),
			TEST(test_a_dynamic_group_keeps_its_members),
			TEST(test_confirmation),
			TEST(test_confirmation_without_a_connection),
			TEST(test_confirmation_after_once),
			TEST(test_enumeration_in_pages),
			TEST(test_pages_do_not_overtake_events),
	};
#undef TEST

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
