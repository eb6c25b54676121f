#include "canned_server.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <strings.h>

#define REQUEST_MAX ((size_t)1024 * 1024)

struct canned_connection {
	uv_tcp_t tcp;
	struct canned_server *server;
	struct canned_connection *next;
	struct buf input;
	char chunk[65536];
	uv_write_t write;
	bool closing;
};

static void on_closed(uv_handle_t *handle)
{
	struct canned_connection *connection = handle->data;

	buf_release(&connection->input);
	mem_free(connection);
}

static void connection_close(struct canned_connection *connection)
{
	struct canned_connection **link = &connection->server->open;

	if (connection->closing)
		return;
	connection->closing = true;
	while (*link != connection)
		link = &(*link)->next;
	*link = connection->next;
	uv_close((uv_handle_t *)&connection->tcp, on_closed);
}

static void on_written(uv_write_t *write, int status)
{
	struct canned_connection *connection = write->data;

	if (status != UV_ECANCELED)
		connection_close(connection);
}

/* The one that is answered now was noted before. */
static bool is_first(struct canned_server *server, const char *request)
{
	size_t count = 0;

	for (vec_each (&server->requests, other))
		count += text_starts_with(*other, request);
	return count == 1;
}

/* The longest that fits counts. */
static struct canned_answer page_for(struct canned_server *server, const char *request)
{
	const struct canned_page *best = NULL;

	for (size_t i = 0; i < server->page_count; i++) {
		const struct canned_page *page = &server->pages[i];

		if (text_starts_with(request, page->request) &&
				(!best || strlen(page->request) > strlen(best->request)))
			best = page;
	}
	if (!best)
		return (struct canned_answer){
				canned_answer(404, "",
						"{\"error_code\":\"RESOURCE_DOES_NOT_EXIST\"}"),
				CANNED_KEEP};
	if (best->status < 0 && is_first(server, best->request))
		return (struct canned_answer){canned_answer(503, "", ""), CANNED_KEEP};
	return (struct canned_answer){
			canned_answer(abs(best->status), "", best->body), CANNED_KEEP};
}

static void answer(struct canned_connection *connection, const char *request)
{
	struct canned_server *server = connection->server;
	struct canned_answer page;
	const struct canned_answer *chosen = &page;
	uv_buf_t out;

	if (server->pages)
		page = page_for(server, request);
	else
		chosen = &server->answers[server->answered < server->answer_count
						? server->answered
						: server->answer_count - 1];
	server->answered++;
	if (chosen->end == CANNED_HANG)
		return;
	if (!chosen->bytes) {
		connection_close(connection);
		return;
	}
	out = uv_buf_init((char *)(uintptr_t)chosen->bytes, (unsigned)strlen(chosen->bytes));
	if (chosen->end == CANNED_CLOSE) {
		connection->write.data = connection;
		(void)uv_write(&connection->write, (uv_stream_t *)&connection->tcp, &out, 1,
				on_written);
		return;
	}
	while (out.len > 0) {
		int sent = uv_try_write((uv_stream_t *)&connection->tcp, &out, 1);

		if (sent < 0 && sent != UV_EAGAIN)
			return;
		if (sent > 0)
			out = uv_buf_init(out.base + sent, (unsigned)(out.len - (size_t)sent));
	}
}

/* Length of the first whole request in the input; 0: not there yet. */
static size_t request_len(const struct buf *input)
{
	const char *text = buf_text(input);
	const char *end = strstr(text, "\r\n\r\n");
	const char *line = strcasestr(text, "\r\ncontent-length:");
	size_t len;
	int64_t body = 0;

	if (!end)
		return 0;
	if (line && line < end) {
		AUTO(mem_freep) char *number = mem_strndup(line + 18, strcspn(line + 18, "\r"));

		assert_true(text_parse_int(number, 0, 1000000, &body));
	}
	len = (size_t)(end - text) + 4 + (size_t)body;
	return input->len >= len ? len : 0;
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *bytes)
{
	struct canned_connection *connection = stream->data;
	size_t len;

	if (got < 0) {
		connection_close(connection);
		return;
	}
	buf_add(&connection->input, bytes->base, (size_t)got);
	while (!connection->closing && (len = request_len(&connection->input)) > 0) {
		char *rest = mem_strdup(connection->input.ptr + len);
		char *request = mem_strndup(connection->input.ptr, len);

		*vec_add(&connection->server->requests) = request;
		buf_reset(&connection->input);
		buf_add_text(&connection->input, rest);
		mem_free(rest);
		answer(connection, request);
	}
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *ret)
{
	struct canned_connection *connection = handle->data;

	(void)wanted;
	*ret = uv_buf_init(connection->chunk, sizeof(connection->chunk));
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct canned_server *server = listener->data;
	struct canned_connection *connection;

	if (status < 0)
		return;
	connection = mem_zalloc(sizeof(*connection));
	connection->server = server;
	connection->tcp.data = connection;
	buf_init(&connection->input, REQUEST_MAX);
	assert_int_equal(uv_tcp_init(loop_uv(server->loop), &connection->tcp), 0);
	connection->next = server->open;
	server->open = connection;
	server->connections++;
	assert_int_equal(uv_accept(listener, (uv_stream_t *)&connection->tcp), 0);
	assert_int_equal(uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_read), 0);
}

void canned_start(struct canned_server *server, struct loop *loop)
{
	struct sockaddr_storage address;
	int len = sizeof(address);

	*server = (struct canned_server){.loop = loop};
	assert_int_equal(uv_tcp_init(loop_uv(loop), &server->listener), 0);
	server->listener.data = server;
	assert_int_equal(uv_ip4_addr("127.0.0.1", 0, (struct sockaddr_in *)&address), 0);
	assert_int_equal(uv_tcp_bind(&server->listener, (const struct sockaddr *)&address, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&server->listener, 100, on_connection), 0);
	assert_int_equal(uv_tcp_getsockname(&server->listener, (struct sockaddr *)&address, &len),
			0);
	(void)snprintf(server->host, sizeof(server->host), "http://127.0.0.1:%d",
			ntohs(((const struct sockaddr_in *)&address)->sin_port));
}

static void forget_requests(struct canned_server *server)
{
	for (vec_each (&server->requests, request))
		mem_free(*request);
	vec_release(&server->requests);
}

void canned_say(struct canned_server *server, const struct canned_answer *answers, size_t count)
{
	forget_requests(server);
	mem_free(server->answers);
	server->answers = mem_array(count, sizeof(*answers));
	memcpy(server->answers, answers, count * sizeof(*answers));
	server->answer_count = count;
	server->answered = 0;
	server->connections = 0;
	server->pages = NULL;
}

void canned_serve(struct canned_server *server, const struct canned_page *pages, size_t count)
{
	forget_requests(server);
	server->pages = pages;
	server->page_count = count;
}

void canned_stop(struct canned_server *server)
{
	while (server->open)
		connection_close(server->open);
	mem_free(STEAL(server->answers));
	uv_close((uv_handle_t *)&server->listener, NULL);
	forget_requests(server);
}

const char *canned_answer(int status, const char *headers, const char *body)
{
	static char *answers[64];
	static size_t next;
	char **place = &answers[next++ % COUNT_OF(answers)];

	mem_free(*place);
	*place = mem_printf("HTTP/1.1 %d Said\r\nContent-Length: %zu\r\n%s\r\n%s", status,
			strlen(body), headers, body);
	return *place;
}
