#include "directory/connection.h"

#include "base/clock.h"
#include "directory/outcome.h"
#include "directory/sign_in.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#define HEARTBEATS 4 /* in one operation timeout, while nothing else comes: every 30 s by default */
#define BUSY_TICK_MS 1000 /* while something is under way: libldap may have a rest to write */
#define MESSAGE_BYTES_MAX ((ber_len_t)256 * 1024 * 1024)

struct connection {
	LDAP *ld;
	Sockbuf *socket;
	int fd;
	const char *uri;
	struct request *requests; /* under way, newest first */
	struct request heartbeat;
	int64_t operation_timeout_ms, heartbeat_timeout_ms;
	uint64_t heard_ns;
	struct err broken;
};

static void heartbeat_answered(struct request *request, LDAPMessage *message)
{
	/* That something came is all that we wanted to know, and connection_read has noted it. */
	(void)request;
	(void)message;
}

enum err_code connection_open(const struct source_settings *source, const char *uri,
		const char *folder, struct waker *waker, struct connection **ret, struct err *err)
{
	struct connection *connection;
	ber_len_t most = MESSAGE_BYTES_MAX;
	LDAP *ld;

	if (sign_in(source, uri, folder, waker, &ld, err) != ERR_NONE)
		return err->code;
	connection = mem_zalloc(sizeof(*connection));
	connection->ld = ld;
	connection->uri = uri;
	connection->heard_ns = clock_monotonic_ns();
	connection->operation_timeout_ms = source->operation_timeout_ms;
	connection->heartbeat_timeout_ms = source->connect_timeout_ms;
	(void)ldap_get_option(ld, LDAP_OPT_DESC, &connection->fd);
	(void)ldap_get_option(ld, LDAP_OPT_SOCKBUF, (void *)&connection->socket);
	(void)ber_sockbuf_ctrl(connection->socket, LBER_SB_OPT_SET_MAX_INCOMING, &most);
	/* So that half a message never holds the thread. libldap keeps the half and goes on later. */
	(void)fcntl(connection->fd, F_SETFL, fcntl(connection->fd, F_GETFL) | O_NONBLOCK);
	*ret = connection;
	return ERR_NONE;
}

void connection_close(struct connection *connection)
{
	if (!connection)
		return;
	for (struct request *request = connection->requests; request; request = request->next)
		request->msgid = 0;
	(void)ldap_unbind_ext(connection->ld, NULL, NULL);
	mem_free(connection);
}

LDAP *connection_ldap(struct connection *connection)
{
	return connection->ld;
}

int connection_fd(const struct connection *connection)
{
	return connection->fd;
}

void connection_break(struct connection *connection, const struct err *err)
{
	if (connection->broken.code == ERR_NONE)
		connection->broken = *err;
}

/* ---- requests ---- */

enum err_code connection_search(struct connection *connection, const struct query *query,
		struct request *request, struct err *err)
{
	LDAPControl *controls[] = {query->control, NULL};
	int result = ldap_search_ext(connection->ld, query->base, query->scope, query->filter,
			query->attributes, 0, controls, NULL, NULL, LDAP_NO_LIMIT, &request->msgid);

	if (result != LDAP_SUCCESS || request->msgid <= 0) {
		request->msgid = 0;
		return outcome_set(err, result == LDAP_SUCCESS ? LDAP_LOCAL_ERROR : result, NULL,
				"search of \"%s\" at \"%s\"", query->base, connection->uri);
	}
	request->heard_ns = clock_monotonic_ns();
	request->next = connection->requests;
	connection->requests = request;
	return ERR_NONE;
}

static void unlink_request(struct connection *connection, struct request *request)
{
	for (struct request **link = &connection->requests; *link; link = &(*link)->next) {
		if (*link == request) {
			*link = request->next;
			break;
		}
	}
	request->msgid = 0;
}

void connection_abandon(struct connection *connection, struct request *request)
{
	if (!request->msgid)
		return;
	(void)ldap_abandon_ext(connection->ld, request->msgid, NULL, NULL);
	unlink_request(connection, request);
}

/* ---- reading ---- */

static void hand_out(struct connection *connection, LDAPMessage *message, int type)
{
	struct request *request = connection->requests;
	int msgid = ldap_msgid(message);

	while (request && request->msgid != msgid)
		request = request->next;
	if (!request)
		return; /* left over from an operation that was given up */
	request->heard_ns = connection->heard_ns;
	if (type == LDAP_RES_SEARCH_RESULT)
		unlink_request(connection, request);
	request->handle(request, message);
}

static enum err_code lost(struct connection *connection, struct err *err)
{
	char *said = NULL;
	int code = LDAP_SERVER_DOWN;

	(void)ldap_get_option(connection->ld, LDAP_OPT_RESULT_CODE, &code);
	(void)ldap_get_option(connection->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, (void *)&said);
	(void)outcome_set(err, code == LDAP_SUCCESS ? LDAP_SERVER_DOWN : code, said,
			"directory server \"%s\"", connection->uri);
	ldap_memfree(said);
	return err->code;
}

enum err_code connection_read(struct connection *connection, bool *ret_more, struct err *err)
{
	struct timeval at_once = {0, 0};

	for (unsigned i = 0; i < CONNECTION_BURST; i++) {
		LDAPMessage *message = NULL;
		int type = ldap_result(
				connection->ld, LDAP_RES_ANY, LDAP_MSG_ONE, &at_once, &message);

		if (type < 0)
			return lost(connection, err);
		if (type == 0) {
			/* Octets that TLS holds already do not make the descriptor readable. */
			if (ber_sockbuf_ctrl(connection->socket, LBER_SB_OPT_DATA_READY, NULL))
				continue;
			*ret_more = false;
			return ERR_NONE;
		}
		connection->heard_ns = clock_monotonic_ns();
		hand_out(connection, message, type);
		(void)ldap_msgfree(message);
		if (connection->broken.code != ERR_NONE) {
			*err = connection->broken;
			return err->code;
		}
	}
	*ret_more = true;
	return ERR_NONE;
}

/* ---- silence ---- */

static enum err_code send_heartbeat(struct connection *connection, struct err *err)
{
	static char no_attributes[] = LDAP_NO_ATTRS;
	char *attributes[] = {no_attributes, NULL};
	const struct query root = {.base = "", .scope = LDAP_SCOPE_BASE, .attributes = attributes};

	connection->heartbeat.handle = heartbeat_answered;
	connection->heartbeat.silence_ms = connection->heartbeat_timeout_ms;
	return connection_search(connection, &root, &connection->heartbeat, err);
}

static int64_t since_ms(uint64_t then_ns, uint64_t now_ns)
{
	return now_ns > then_ns ? (int64_t)((now_ns - then_ns) / 1000000) : 0;
}

enum err_code connection_check(struct connection *connection, int64_t *ret_wait_ms, struct err *err)
{
	uint64_t now_ns = clock_monotonic_ns();
	int64_t wait_ms = connection->heartbeat.msgid
			? BUSY_TICK_MS
			: connection->operation_timeout_ms / HEARTBEATS -
					since_ms(connection->heard_ns, now_ns);

	for (struct request *request = connection->requests; request; request = request->next) {
		int64_t silent_ms = since_ms(request->heard_ns, now_ns);
		int64_t most_ms = request->silence_ms ? request->silence_ms
						      : connection->operation_timeout_ms;

		if (most_ms == REQUEST_STAYS)
			continue;
		if (silent_ms >= most_ms)
			return err_set(err, ERR_TIMEOUT, LDAP_TIMEOUT,
					"directory server \"%s\": no answer for %" PRId64 " s%s",
					connection->uri, silent_ms / 1000,
					request == &connection->heartbeat
							? ""
							: ", although it is alive; the filter may "
							  "need an index");
		/* Less than nothing stays so: a heartbeat is due. */
		if (wait_ms > BUSY_TICK_MS)
			wait_ms = BUSY_TICK_MS;
		if (wait_ms > most_ms - silent_ms)
			wait_ms = most_ms - silent_ms;
	}
	if (wait_ms <= 0) {
		if (send_heartbeat(connection, err) != ERR_NONE)
			return err->code;
		wait_ms = BUSY_TICK_MS;
	}
	*ret_wait_ms = wait_ms < 1 ? 1 : wait_ms;
	return ERR_NONE;
}

void connection_excuse(struct connection *connection, uint64_t pause_ns)
{
	connection->heard_ns += pause_ns;
	for (struct request *request = connection->requests; request; request = request->next)
		request->heard_ns += pause_ns;
}

/* ---- ends ---- */

enum err_code search_end_read(
		LDAP *ld, LDAPMessage *message, struct search_end *ret, struct err *err)
{
	struct search_end end = {0};
	int result = ldap_parse_result(
			ld, message, &end.code, NULL, &end.said, NULL, &end.controls, 0);

	if (result != LDAP_SUCCESS) {
		search_end_release(&end);
		return outcome_set(err, result, NULL, "end of a search");
	}
	*ret = end;
	return ERR_NONE;
}

void search_end_release(struct search_end *end)
{
	ldap_memfree(end->said);
	ldap_controls_free(end->controls);
	*end = (struct search_end){0};
}
