#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "faults.h"
#include "rates.h"
#include "oauth.h"
#include "pause.h"
#include "request.h"
#include "request_log.h"

#define NS_PER_MS UINT64_C(1000000)
#define CONNECTION_MEMORY ((size_t)128 * 1024) /* bounds a request's line and headers */
#define BLOCK_BYTES ((size_t)64 * 1024)
#define ACCOUNT_THREADS 2U
#define IDLE_S 120U /* connections that are idle, or whose other end is gone, are closed */

struct port {
	struct http *http;
	struct workspace *workspace; /* NULL: the account */
	int fd;                      /* before the daemon takes it; else -1 */
	struct MHD_Daemon *daemon;
	uint16_t number;
};

struct http {
	struct sim *sim;
	struct pause *pause;
	struct {
		struct port **items;
		size_t count, room;
	} ports;
};

/* One request on its way. */
struct exchange {
	char *target;
	struct buf body;
	bool served; /* the answer is made; what is left is to send it */
	struct answer answer;
	const struct fault *fault;
	bool cut;
	struct request request;
	bool in_flight;
};

/* A body that comes in an odd way. */
struct delivery {
	struct http *http;
	struct MHD_Connection *connection;
	char *bytes;
	size_t len;
	size_t end_at; /* where the connection breaks; len: nowhere */
	const struct fault *fault;
	uint64_t next_ns;
};

static void *begin_exchange(void *cls, const char *target, struct MHD_Connection *connection)
{
	struct exchange *exchange = mem_zalloc(sizeof(*exchange));

	(void)cls;
	(void)connection;
	exchange->target = mem_strdup(target);
	buf_init(&exchange->body, REQUEST_BYTES_MAX);
	answer_init(&exchange->answer);
	return exchange;
}

static void leave_flight(struct port *port, struct exchange *exchange)
{
	if (exchange->in_flight)
		rates_leave(port->http->sim->rates, &exchange->request);
	exchange->in_flight = false;
}

static void end_exchange(void *cls, struct MHD_Connection *connection, void **context,
		enum MHD_RequestTerminationCode code)
{
	struct exchange *exchange = *context;

	(void)connection;
	(void)code;
	if (!exchange)
		return;
	leave_flight(cls, exchange);
	mem_free(exchange->target);
	buf_release(&exchange->body);
	answer_release(&exchange->answer);
	request_release(&exchange->request);
	mem_free(exchange);
	*context = NULL;
}

static const char *header_of(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static bool is_loopback(const char *host)
{
	static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		size_t len = strlen(names[i]);

		if (strncasecmp(host, names[i], len) == 0 &&
				(host[len] == '\0' || host[len] == ':') &&
				strspn(host + len, ":0123456789") == strlen(host + len))
			return true;
	}
	return false;
}

/*
 * As the client sees us: a proxy that ends TLS says so; a name that leads here in some other way may lead nowhere from
 * where our documents are read, but loopback does.
 */
static void set_base_url(struct request *request, struct MHD_Connection *connection)
{
	static const char letters[] =
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:[]";
	const char *host = header_of(connection, "Host");
	const char *proto = header_of(connection, "X-Forwarded-Proto");
	bool proxied = proto && (strcasecmp(proto, "https") == 0 || strcasecmp(proto, "http") == 0);

	if (host && strspn(host, letters) == strlen(host) && (proxied || is_loopback(host)))
		(void)snprintf(request->base_url, sizeof(request->base_url), "%s://%.250s",
				proxied && strcasecmp(proto, "https") == 0 ? "https" : "http",
				host);
	else
		(void)snprintf(request->base_url, sizeof(request->base_url), "http://127.0.0.1:%u",
				request->port);
}

static uint32_t address_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct sockaddr_in address;

	if (!info || !info->client_addr || info->client_addr->sa_family != AF_INET)
		return INADDR_LOOPBACK;
	memcpy(&address, info->client_addr, sizeof(address));
	return ntohl(address.sin_addr.s_addr);
}

static void fill_request(const struct port *port, struct exchange *exchange,
		struct MHD_Connection *connection, const char *method)
{
	struct request *request = &exchange->request;

	request->sim = port->http->sim;
	request->host = port->workspace;
	request->port = port->number;
	request->method = method;
	request->target = exchange->target;
	request->authorization = header_of(connection, "Authorization");
	request->content_type = header_of(connection, "Content-Type");
	request->workspace_id = header_of(connection, "X-Databricks-Workspace-Id");
	if (!request->workspace_id)
		request->workspace_id = header_of(connection, "X-Databricks-Org-Id");
	request->forwarded_for = header_of(connection, "X-Forwarded-For");
	request->address = address_of(connection);
	request->body = (struct span){exchange->body.ptr, exchange->body.len};
	request_parse_target(request);
	if (!request->host)
		request->host = request_unified_workspace(request);
	set_base_url(request, connection);
}

/* Ours, within the limits. */
static void make_answer(struct port *port, struct exchange *exchange)
{
	struct sim *sim = port->http->sim;

	if (exchange->body.overflowed) {
		answer_api_error(&exchange->answer, 413, "MAX_REQUEST_SIZE_EXCEEDED",
				"Request body is too large");
		return;
	}
	if (sim->options.limits) {
		if (!rates_enter(sim->rates, &exchange->request, &exchange->answer))
			return;
		exchange->in_flight = true;
	}
	request_serve(&exchange->request, &exchange->answer);
}

static void serve(struct port *port, struct exchange *exchange)
{
	struct sim *sim = port->http->sim;
	const struct fault *fault = exchange->fault = faults_pick(sim->faults, &exchange->request);

	if (!fault) {
		make_answer(port, exchange);
		return;
	}
	if (fault->revoke_tokens)
		tokens_revoke_all(sim->tokens);
	exchange->cut = fault->cut != CUT_NONE;
	if (fault->cut == CUT_BEFORE)
		return;
	exchange->request.stale = fault->has_stale ? &fault->stale : NULL;
	exchange->request.drop_members = fault->drop_members;
	if (!fault->has_answer || fault->after)
		make_answer(port, exchange);
	if (fault->has_answer)
		fault_answer(fault, &exchange->answer);
}

static size_t sent_bytes(const struct exchange *exchange)
{
	const struct fault *fault = exchange->fault;
	size_t len = exchange->answer.body.len;
	size_t at;

	if (exchange->cut)
		return 0;
	if (!fault || !fault->truncated)
		return len;
	at = fault->truncate_at ? fault->truncate_at : len / 2;
	return at < len ? at : len;
}

static void free_delivery(void *cls)
{
	struct delivery *delivery = cls;

	mem_free(delivery->bytes);
	mem_free(delivery);
}

static ssize_t read_delivery(void *cls, uint64_t pos, char *out, size_t room)
{
	struct delivery *delivery = cls;
	uint64_t now = clock_monotonic_ns();
	size_t count;

	if (pos >= delivery->end_at || atomic_load(&delivery->http->sim->stopping))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	count = delivery->end_at - (size_t)pos;
	if (delivery->fault->drip_bytes) {
		if (pos && now < delivery->next_ns) {
			pause_connection(delivery->http->pause, delivery->connection,
					delivery->next_ns);
			return 0;
		}
		count = delivery->fault->drip_bytes < count ? delivery->fault->drip_bytes : count;
		delivery->next_ns = now + delivery->fault->drip_ms * NS_PER_MS;
	}
	count = count < room ? count : room;
	memcpy(out, delivery->bytes + pos, count);
	return (ssize_t)count;
}

static struct MHD_Response *make_response(
		struct http *http, struct exchange *exchange, struct MHD_Connection *connection)
{
	size_t len = exchange->answer.body.len, end_at = sent_bytes(exchange);
	char *bytes = buf_steal(&exchange->answer.body);
	struct delivery *delivery;

	if (!exchange->fault || (end_at == len && !exchange->fault->drip_bytes))
		return MHD_create_response_from_buffer_with_free_callback(len, bytes, mem_free);
	delivery = mem_zalloc(sizeof(*delivery));
	*delivery = (struct delivery){http, connection, bytes, len, end_at, exchange->fault, 0};
	return MHD_create_response_from_callback(
			len, BLOCK_BYTES, read_delivery, delivery, free_delivery);
}

static enum MHD_Result send_answer(
		struct port *port, struct exchange *exchange, struct MHD_Connection *connection)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	leave_flight(port, exchange);
	if (exchange->cut || atomic_load(&port->http->sim->stopping))
		return MHD_NO;
	response = make_response(port->http, exchange, connection);
	if (!response)
		return MHD_NO;
	if (exchange->answer.content_type)
		(void)MHD_add_response_header(
				response, "Content-Type", exchange->answer.content_type);
	for (vec_each (&exchange->answer.headers, header))
		(void)MHD_add_response_header(response, header->name, header->value);
	result = MHD_queue_response(connection, exchange->answer.status, response);
	MHD_destroy_response(response);
	return result;
}

static uint64_t delay_ns(const struct http *http, const struct exchange *exchange)
{
	uint64_t ms = http->sim->options.latency_ms;

	if (exchange->fault)
		ms += exchange->fault->delay_ms;
	return ms * NS_PER_MS;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
		const char *method, const char *version, const char *upload, size_t *upload_len,
		void **context)
{
	struct port *port = cls;
	struct exchange *exchange = *context;
	uint64_t read_ns, wait_ns;

	(void)url;
	(void)version;
	if (exchange->served)
		return send_answer(port, exchange, connection);
	if (*upload_len) {
		buf_add(&exchange->body, upload, *upload_len);
		*upload_len = 0;
		return MHD_YES;
	}
	if (!exchange->request.sim) { /* the first call comes with the headers, before any body */
		exchange->request.sim = port->http->sim;
		return MHD_YES;
	}
	read_ns = clock_monotonic_ns();
	fill_request(port, exchange, connection, method);
	serve(port, exchange);
	exchange->served = true;
	request_log_write(port->http->sim->log, &exchange->request, read_ns,
			exchange->cut ? 0 : exchange->answer.status, sent_bytes(exchange),
			&exchange->answer);
	wait_ns = delay_ns(port->http, exchange);
	if (wait_ns == 0)
		return send_answer(port, exchange, connection);
	pause_connection(port->http->pause, connection, read_ns + wait_ns);
	return MHD_YES;
}

/* A listening socket on loopback; wanted 0: any free port. */
static enum err_code open_socket(uint16_t wanted, int *ret, uint16_t *ret_port, struct err *err)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(wanted)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
			bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
			listen(fd, SOMAXCONN) != 0 ||
			getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
		(void)err_errno(err, ERR_IO, errno, "cannot listen on 127.0.0.1:%u", wanted);
		if (fd >= 0)
			(void)close(fd);
		return err->code;
	}
	*ret = fd;
	*ret_port = ntohs(address.sin_port);
	return ERR_NONE;
}

static enum err_code open_port(struct http *http, struct workspace *workspace, struct err *err)
{
	struct port *port = mem_zalloc(sizeof(*port));
	uint16_t wanted = workspace ? workspace->port_wanted : http->sim->options.port;
	uint16_t *number = workspace ? &workspace->port : &http->sim->account_port;

	port->http = http;
	port->workspace = workspace;
	port->fd = -1;
	*vec_add(&http->ports) = port;
	if (open_socket(wanted, &port->fd, number, err) != ERR_NONE)
		return err->code;
	port->number = *number;
	return ERR_NONE;
}

static enum err_code start_port(struct port *port, struct err *err)
{
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;

	port->daemon = MHD_start_daemon(flags, 0, NULL, NULL, handle, port,
			MHD_OPTION_LISTEN_SOCKET, port->fd, MHD_OPTION_URI_LOG_CALLBACK,
			begin_exchange, NULL, MHD_OPTION_NOTIFY_COMPLETED, end_exchange, port,
			MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
			MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_THREAD_POOL_SIZE,
			port->workspace ? 0U : ACCOUNT_THREADS, MHD_OPTION_END);
	if (!port->daemon)
		return err_set(err, ERR_IO, 0, "cannot serve 127.0.0.1:%u", port->number);
	port->fd = -1; /* the daemon's now */
	return ERR_NONE;
}

/* Every port is open and known before the first thread looks at them. */
enum err_code http_start(struct sim *sim, struct http **ret, struct err *err)
{
	struct http *http = mem_zalloc(sizeof(*http));
	enum err_code code;

	http->sim = sim;
	http->pause = pause_start();
	code = open_port(http, NULL, err);
	for (size_t i = 0; code == ERR_NONE && i < sim->state->workspaces.count; i++)
		code = open_port(http, sim->state->workspaces.items[i], err);
	for (size_t i = 0; code == ERR_NONE && i < http->ports.count; i++)
		code = start_port(http->ports.items[i], err);
	if (code != ERR_NONE) {
		http_stop(http);
		return code;
	}
	*ret = http;
	return ERR_NONE;
}

void http_stop(struct http *http)
{
	if (!http)
		return;
	atomic_store(&http->sim->stopping, true);
	pause_stop(http->pause);
	for (vec_each (&http->ports, port)) {
		if ((*port)->daemon)
			MHD_stop_daemon((*port)->daemon);
		if ((*port)->fd >= 0)
			(void)close((*port)->fd);
		mem_free(*port);
	}
	vec_release(&http->ports);
	pause_free(http->pause);
	mem_free(http);
}
