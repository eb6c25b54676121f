/*
 * test_feed_connection -- reaching servers: TLS, binds, fail-over, and servers that do not answer.
 */
#include "feed_harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* libldap 2.5 loses the client's key and certificates with each TLS context that has them. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libgnutls\nleak:libtasn1\nleak:libgmp\n";
}

static const char *const attributes[] = {"uid", NULL};
static const char *const with_tls[] = {"--tls", NULL};

static struct server server, other; /* other: of few tests */
static struct watcher watcher;
static struct proxy *proxy;

static void up(const char *const *options)
{
	server_up(&server, options, 3);
	watcher_init(&watcher, server.uri);
	watcher_add_search(&watcher, PEOPLE, "(uid=*)", attributes);
	watcher.source.tls = SOURCE_TLS_AUTO;
	watcher.source.ca_file = server.ca_file[0] ? server.ca_file : NULL;
}

static int tear_down(void **state)
{
	(void)state;
	watcher_release(&watcher);
	proxy_free(proxy);
	proxy = NULL;
	server_action(&server, "down");
	server_action(&other, "down");
	other = (struct server){0};
	return 0;
}

static void loads(const char *uri)
{
	watcher_start(&watcher, FEED_FOLLOW);
	WAIT_FOR(&watcher, all_refreshed);
	assert_string_equal(watcher.uri, uri);
	assert_true(watcher_has(&watcher, 0, "uid=p00003," PEOPLE));
}

static void is_refused(enum err_code code, const char *word)
{
	watcher_start(&watcher, FEED_FOLLOW);
	WAIT_FOR(&watcher, is_lost);
	assert_int_equal(watcher.connected, 0);
	assert_int_equal(watcher.err.code, code);
	if (!strstr(watcher.err.text, word))
		fail_msg("\"%s\" does not say \"%s\"", watcher.err.text, word);
	watcher_stop(&watcher);
}

static unsigned simple_binds(void)
{
	return server_logged(&server, "BIND dn=\"" SERVICE "\" method=128");
}

/* ---- binds ---- */

static void test_simple_bind_in_clear_text_on_this_machine(void **state)
{
	(void)state;
	up(NULL);
	loads(server.uri);
}

static void test_ldapi_with_sasl_external(void **state)
{
	(void)state;
	up(NULL);
	watcher.uris[0] = server.ldapi_uri;
	watcher.source.sasl_external = true;
	watcher.source.bind_dn = watcher.source.bind_password = NULL;
	loads(server.ldapi_uri);
	assert_true(server_logged(&server, "mech=EXTERNAL") > 0);
}

static void test_client_certificate_with_sasl_external(void **state)
{
	(void)state;
	up(with_tls);
	watcher.uris[0] = server.ldaps_uri;
	watcher.source.sasl_external = true;
	watcher.source.bind_dn = watcher.source.bind_password = NULL;
	watcher.source.cert_file = server.client_cert;
	watcher.source.key_file = server.client_key;
	loads(server.ldaps_uri);
}

static void test_sasl_external_without_any_proof(void **state)
{
	(void)state;
	up(NULL);
	watcher.source.sasl_external = true;
	watcher.source.bind_dn = watcher.source.bind_password = NULL;
	is_refused(ERR_AUTH, "certificate");
}

static void test_a_wrong_password_is_tried_once(void **state)
{
	(void)state;
	up(NULL);
	/* The second is the same server: it must not be asked too. */
	watcher.uris[1] = server.ldapi_uri;
	watcher.source.uri_count = 2;
	(void)setenv("L2D_TEST_PASSWORD", "wrong", 1);
	is_refused(ERR_AUTH, "invalidCredentials");
	assert_int_equal(simple_binds(), 1);
	assert_null(strstr(watcher.err.text, "wrong"));
}

static void test_a_missing_password(void **state)
{
	(void)state;
	up(NULL);
	watcher.source.bind_password = "env:L2D_TEST_NO_SUCH_THING";
	is_refused(ERR_CONFIG, "L2D_TEST_NO_SUCH_THING");
	assert_int_equal(simple_binds(), 0);
}

/* ---- TLS ---- */

static bool is_empty(struct watcher *w)
{
	return table_count(w->watches[0].entries) == 0;
}

static void test_ldaps(void **state)
{
	(void)state;
	up(with_tls);
	watcher.uris[0] = server.ldaps_uri;
	loads(server.ldaps_uri);
	/* A change arrives although TLS hands octets out in records. */
	watcher_forget(&watcher);
	server_modify(&server,
			"dn: uid=p00001," PEOPLE "\nchangetype: delete\n\ndn: uid=p00002," PEOPLE
			"\nchangetype: delete\n\n"
			"dn: uid=p00003," PEOPLE "\nchangetype: delete\n\n");
	WAIT_FOR(&watcher, is_empty);
}

static void test_starttls(void **state)
{
	(void)state;
	up(with_tls);
	watcher.source.tls = SOURCE_TLS_STARTTLS;
	loads(server.uri);
	assert_true(server_logged(&server, "TLS established") > 0);
}

static void test_starttls_that_the_server_does_not_offer(void **state)
{
	(void)state;
	up(NULL);
	watcher.source.tls = SOURCE_TLS_STARTTLS;
	is_refused(ERR_CONFIG, "StartTLS");
	assert_int_equal(simple_binds(), 0);
}

static void test_a_certificate_of_another_authority(void **state)
{
	(void)state;
	up(with_tls);
	server_up(&other, with_tls, 1);
	watcher.source.ca_file = other.ca_file;
	watcher.uris[0] = server.ldaps_uri;
	is_refused(ERR_IO, "certificate");
	watcher.source.ca_file = NULL; /* the system's do not know it either */
	is_refused(ERR_IO, "certificate");
	watcher.source.tls = SOURCE_TLS_STARTTLS;
	watcher.uris[0] = server.uri;
	is_refused(ERR_IO, "certificate");
	assert_int_equal(simple_binds(), 0);
}

static void test_a_server_of_tls_1_1(void **state)
{
	static const char *const options[] = {"--tls", "--extra-global",
			"TLSCipherSuite NORMAL:-VERS-ALL:+VERS-TLS1.1", NULL};

	(void)state;
	up(options);
	watcher.uris[0] = server.ldaps_uri;
	is_refused(ERR_IO, "1.2");
	assert_int_equal(simple_binds(), 0);
}

static void test_tls_files_that_are_not_there(void **state)
{
	(void)state;
	up(with_tls);
	watcher.uris[0] = server.ldaps_uri;
	watcher.source.ca_file = "/nonexistent/ca.pem";
	is_refused(ERR_CONFIG, "/nonexistent/ca.pem");
}

/* ---- fail-over ---- */

/* A port on which nobody listens. */
static void refusing_uri(const char *scheme, char *ret, size_t size)
{
	struct sockaddr_in address = {
			.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	(void)close(fd);
	(void)snprintf(ret, size, "%s://127.0.0.1:%d", scheme, ntohs(address.sin_port));
}

static void second_is_used(const char *first, const char *second)
{
	watcher.uris[0] = first;
	watcher.uris[1] = second;
	watcher.source.uri_count = 2;
	watcher.source.connect_timeout_ms = 1000;
	loads(second);
	assert_int_equal(watcher.lost, 0);
	watcher_stop(&watcher);
}

static void test_the_first_server_refuses(void **state)
{
	char uri[80];

	(void)state;
	up(NULL);
	refusing_uri("ldap", uri, sizeof(uri));
	second_is_used(uri, server.uri);
}

static void mute_uri(const char *scheme, char *ret, size_t size)
{
	proxy = proxy_new(0);
	(void)snprintf(ret, size, "%s://127.0.0.1:%d", scheme, proxy_port(proxy));
}

static void test_the_first_server_is_mute(void **state)
{
	char uri[80];

	(void)state;
	up(with_tls);
	mute_uri("ldap", uri, sizeof(uri));
	second_is_used(uri, server.uri);
}

static void test_the_first_server_is_mute_in_the_handshake(void **state)
{
	char uri[80];

	(void)state;
	up(with_tls);
	mute_uri("ldaps", uri, sizeof(uri));
	second_is_used(uri, server.ldaps_uri);
}

static void test_the_first_server_is_mute_to_starttls(void **state)
{
	char uri[80];

	(void)state;
	up(with_tls);
	watcher.source.tls = SOURCE_TLS_STARTTLS;
	mute_uri("ldap", uri, sizeof(uri));
	second_is_used(uri, server.uri);
}

/* The proxy cuts as soon as the server has said a word. */
static void test_the_first_server_hangs_up(void **state)
{
	char uri[80];

	(void)state;
	up(NULL);
	proxy = proxy_new(server.port);
	proxy_cut_after(proxy, 1);
	(void)snprintf(uri, sizeof(uri), "ldap://127.0.0.1:%d", proxy_port(proxy));
	second_is_used(uri, server.uri);
}

static void test_no_server_at_all(void **state)
{
	char one[80], two[80];

	(void)state;
	up(NULL);
	refusing_uri("ldap", one, sizeof(one));
	refusing_uri("ldaps", two, sizeof(two));
	watcher.uris[0] = one;
	watcher.uris[1] = two;
	watcher.source.uri_count = 2;
	is_refused(ERR_IO, "none of 2 servers");
	assert_non_null(strstr(watcher.err.text, "refused"));
	watcher_start(&watcher, FEED_ONCE);
	WAIT_FOR(&watcher, is_finished);
	assert_int_equal(watcher.err.code, ERR_IO);
}

static void test_an_unknown_host_and_a_malformed_uri(void **state)
{
	(void)state;
	up(NULL);
	watcher.uris[0] = "ldap://no-such-host.invalid";
	is_refused(ERR_IO, "no-such-host.invalid");
	watcher.uris[0] = "http://127.0.0.1";
	is_refused(ERR_CONFIG, "ldaps://HOST");
}

static void test_the_other_server_takes_over(void **state)
{
	char uri[80];

	(void)state;
	up(NULL);
	proxy = proxy_new(server.port);
	(void)snprintf(uri, sizeof(uri), "ldap://127.0.0.1:%d", proxy_port(proxy));
	watcher.uris[0] = uri;
	watcher.uris[1] = server.uri;
	watcher.source.uri_count = 2;
	loads(uri);
	watcher_forget(&watcher);
	proxy_free(proxy);
	proxy = NULL;
	WAIT_FOR(&watcher, all_refreshed);
	assert_string_equal(watcher.uri, server.uri);
	assert_int_equal(watcher.lost, 1);
	/* The cookie was sent to it. */
	assert_int_equal(watcher.watches[0].upserts, 0);
	assert_int_equal(watcher.watches[0].cookie_lost, 0);
}

/* ---- silence and ends ---- */

static void test_a_server_that_falls_silent(void **state)
{
	static char uri[80];

	(void)state;
	up(NULL);
	proxy = proxy_new(server.port);
	(void)snprintf(uri, sizeof(uri), "ldap://127.0.0.1:%d", proxy_port(proxy));
	watcher.uris[0] = uri;
	watcher.source.operation_timeout_ms = 500;
	loads(uri);
	watcher_forget(&watcher);
	proxy_hold_requests(proxy, true);
	feed_enumerate(watcher.feed, 0);
	WAIT_FOR(&watcher, is_lost);
	assert_int_equal(watcher.err.code, ERR_TIMEOUT);
	assert_int_equal(watcher.watches[0].enumerations_failed, 1);
}

static bool has_two(struct watcher *w)
{
	return table_count(w->watches[0].entries) == 2;
}

static void test_heartbeats(void **state)
{
	static char uri[80];

	(void)state;
	up(NULL);
	proxy = proxy_new(server.port);
	(void)snprintf(uri, sizeof(uri), "ldap://127.0.0.1:%d", proxy_port(proxy));
	watcher.uris[0] = uri;
	watcher.source.operation_timeout_ms = 200;
	watcher.source.connect_timeout_ms = 5000;
	loads(uri);
	while (server_logged(&server, "SRCH base=\"\" scope=0 deref=0 filter=\"(objectClass=*)\"") <
			6)
		(void)usleep(10000);
	server_modify(&server, "dn: uid=p00001," PEOPLE "\nchangetype: delete\n\n");
	WAIT_FOR(&watcher, has_two);
	assert_int_equal(watcher.lost, 0);
	watcher_stop(&watcher);
	/* Then the server's answers stay away, although the connection stands. */
	watcher.source.connect_timeout_ms = 300;
	loads(uri);
	watcher_forget(&watcher);
	proxy_hold_requests(proxy, true);
	WAIT_FOR(&watcher, is_lost);
	assert_int_equal(watcher.err.code, ERR_TIMEOUT);
}

static bool is_accepted(void)
{
	return proxy_accepted(proxy) > 0;
}

/* Ends within the alarm, although the timeouts are longer. */
static void stop_while_stuck(const char *scheme)
{
	char uri[80];

	mute_uri(scheme, uri, sizeof(uri));
	watcher.uris[0] = uri;
	watcher.source.uri_count = 1;
	watcher.source.connect_timeout_ms = 600000;
	watcher_start(&watcher, FEED_FOLLOW);
	while (!is_accepted())
		(void)usleep(1000);
	(void)alarm(60);
	watcher_stop(&watcher);
	(void)alarm(0);
	proxy_free(proxy);
	proxy = NULL;
}

static void test_stopping_while_a_server_is_mute(void **state)
{
	(void)state;
	up(with_tls);
	stop_while_stuck("ldap");
	stop_while_stuck("ldaps");
	watcher.source.tls = SOURCE_TLS_STARTTLS;
	stop_while_stuck("ldap");
}

static void test_stopping_at_once_and_in_a_flood(void **state)
{
	(void)state;
	server_up(&server, NULL, 2000);
	watcher_init(&watcher, server.ldapi_uri);
	watcher_add_search(&watcher, PEOPLE, "(uid=*)", attributes);
	watcher_start(&watcher, FEED_FOLLOW);
	watcher_stop(&watcher);
	/* Nobody takes the news, and the mailbox is small. */
	watcher_start(&watcher, FEED_FOLLOW);
	WAIT_FOR(&watcher, is_connected);
	watcher_stop(&watcher);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
	const struct CMUnitTest tests[] = {
			TEST(test_simple_bind_in_clear_text_on_this_machine),
			TEST(test_ldapi_with_sasl_external),
			TEST(test_client_certificate_with_sasl_external),
			TEST(test_sasl_external_without_any_proof),
			TEST(test_a_wrong_password_is_tried_once),
			TEST(test_a_missing_password),
			TEST(test_ldaps),
			TEST(test_starttls),
			TEST(test_starttls_that_the_server_does_not_offer),
			TEST(test_a_certificate_of_another_authority),
			TEST(test_a_server_of_tls_1_1),
			TEST(test_tls_files_that_are_not_there),
			TEST(test_the_first_server_refuses),
			TEST(test_the_first_server_is_mute),
			TEST(test_the_first_server_is_mute_in_the_handshake),
			TEST(test_the_first_server_is_mute_to_starttls),
			TEST(test_the_first_server_hangs_up),
			TEST(test_no_server_at_all),
			TEST(test_an_unknown_host_and_a_malformed_uri),
			TEST(test_the_other_server_takes_over),
			TEST(test_a_server_that_falls_silent),
			TEST(test_heartbeats),
			TEST(test_stopping_while_a_server_is_mute),
			TEST(test_stopping_at_once_and_in_a_flood),
	};
#undef TEST

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
