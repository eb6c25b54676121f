#include "databricks/http.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

#include <curl/curl.h>
#include <signal.h>
#include <strings.h>

#define HOST_CONNECTIONS_MAX 64L
#define KEPT_CONNECTIONS_MAX 128L
#define CONNECT_TIME_MS 30000L
#define STALL_BYTES_PER_S 64L /* slower than this for HTTP_STALL_S is no progress */
#define SPARE_HANDLES_MAX 32

struct http {
	struct loop *loop;
	CURLM *multi;
	CURLSH *share;
	struct task kick; /* curl's timer is due */
	struct loop_timer *timer;
	struct transfer *spare; /* finished handles, kept with their settings' memory */
	unsigned spare_count;
};

/* One request on its way. */
struct transfer {
	struct http *http;
	struct transfer *next; /* in the list of spares */
	CURL *easy;
	struct http_request *request;
	struct curl_slist *headers;
	struct buf body;
	unsigned sendings;
	uint64_t started_ns;
	char reason[CURL_ERROR_SIZE];
};

/* A socket that curl wants watched. On the heap, because libuv closes handles later than one asks. */
struct watch {
	uv_poll_t poll;
	struct http *http;
	curl_socket_t fd;
};

static void transfer_finish(struct transfer *transfer, CURLcode result);

/* After every action all messages are read; the handle goes out of the multi before its request is told. */
static void http_collect(struct http *http)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(http->multi, &left))) {
		struct transfer *transfer = NULL;
		CURLcode result = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
		transfer_finish(transfer, result);
	}
}

static void http_act(struct http *http, curl_socket_t fd, int flags)
{
	int running;

	(void)curl_multi_socket_action(http->multi, fd, flags, &running);
	http_collect(http);
}

static void http_kicked(struct task *task)
{
	struct http *http = (struct http *)((char *)task - offsetof(struct http, kick));

	http_act(http, CURL_SOCKET_TIMEOUT, 0);
}

/* Zero means "as soon as possible", but never from inside this callback: the task runs in the next turn. */
static int on_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct http *http = context;

	(void)multi;
	if (timeout_ms > 0) {
		loop_timer_start(http->timer, (uint64_t)timeout_ms);
		return 0;
	}
	loop_timer_stop(http->timer);
	if (timeout_ms == 0)
		task_wake(&http->kick);
	return 0;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	int flags = status < 0 ? CURL_CSELECT_ERR : 0;

	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	http_act(watch->http, watch->fd, flags);
}

static void watch_closed(uv_handle_t *handle)
{
	mem_free(handle->data);
}

static struct watch *watch_new(struct http *http, curl_socket_t fd)
{
	struct watch *watch = mem_zalloc(sizeof(*watch));

	watch->http = http;
	watch->fd = fd;
	if (uv_poll_init_socket(loop_uv(http->loop), &watch->poll, fd) != 0) {
		mem_free(watch);
		return NULL;
	}
	watch->poll.data = watch;
	(void)curl_multi_assign(http->multi, fd, watch);
	return watch;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
	struct http *http = context;
	struct watch *watch = socket_context;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch) {
			(void)curl_multi_assign(http->multi, fd, NULL);
			uv_close((uv_handle_t *)&watch->poll, watch_closed);
		}
		return 0;
	}
	if (!watch && !(watch = watch_new(http, fd)))
		return -1;
	if (what & CURL_POLL_IN)
		events |= UV_READABLE;
	if (what & CURL_POLL_OUT)
		events |= UV_WRITABLE;
	return uv_poll_start(&watch->poll, events, on_poll) == 0 ? 0 : -1;
}

struct http *http_new(struct loop *loop)
{
	struct http *http = mem_zalloc(sizeof(*http));

	http->loop = loop;
	/* With CURLOPT_NOSIGNAL curl leaves it to us that a closed peer does not end the process. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
			!(http->multi = curl_multi_init()) || !(http->share = curl_share_init())) {
		(void)fputs("ldap2dbx: libcurl cannot start\n", stderr);
		abort();
	}
	task_init(&http->kick, loop, http_kicked);
	http->timer = loop_timer_new(loop, &http->kick);
	/* Name lookups and connections are shared by the multi handle itself. */
	(void)curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	(void)curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	(void)curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	(void)curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	(void)curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	(void)curl_multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, HOST_CONNECTIONS_MAX);
	(void)curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS_MAX);
	return http;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	while (http->spare) {
		struct transfer *transfer = http->spare;

		http->spare = transfer->next;
		curl_easy_cleanup(transfer->easy);
		mem_free(transfer);
	}
	(void)curl_multi_cleanup(http->multi);
	(void)curl_share_cleanup(http->share);
	task_cancel(&http->kick);
	loop_timer_free(http->timer);
	curl_global_cleanup();
	mem_free(http);
}

/* Header lines hold credentials, so they are wiped before they are given back. */
static void headers_free(struct curl_slist *headers)
{
	for (struct curl_slist *line = headers; line; line = line->next)
		explicit_bzero(line->data, strlen(line->data));
	curl_slist_free_all(headers);
}

static struct transfer *transfer_new(struct http *http, struct http_request *request)
{
	struct transfer *transfer = http->spare;

	if (transfer) {
		http->spare = transfer->next;
		http->spare_count--;
	} else {
		transfer = mem_zalloc(sizeof(*transfer));
		transfer->easy = curl_easy_init();
		if (!transfer->easy) {
			(void)fputs("ldap2dbx: out of memory\n", stderr);
			abort();
		}
	}
	transfer->http = http;
	transfer->request = request;
	transfer->next = NULL;
	transfer->sendings = 0;
	transfer->reason[0] = '\0';
	transfer->started_ns = clock_monotonic_ns();
	buf_init(&transfer->body, request->answer_max);
	return transfer;
}

static void transfer_free(struct transfer *transfer)
{
	struct http *http = transfer->http;

	transfer->request->state = NULL;
	transfer->request = NULL;
	/* The reset also makes curl forget the pointers to the caller's memory. */
	curl_easy_reset(transfer->easy);
	headers_free(STEAL(transfer->headers));
	buf_release(&transfer->body);
	if (http->spare_count >= SPARE_HANDLES_MAX) {
		curl_easy_cleanup(transfer->easy);
		mem_free(transfer);
		return;
	}
	transfer->next = http->spare;
	http->spare = transfer;
	http->spare_count++;
}

/* Called each time curl is about to send, so a second time is a repetition of curl's own. */
static int on_sending(void *context, char *remote, char *local, int remote_port, int local_port)
{
	struct transfer *transfer = context;

	(void)remote;
	(void)local;
	(void)remote_port;
	(void)local_port;
	if (transfer->sendings++ > 0 && !transfer->request->may_repeat)
		return CURL_PREREQFUNC_ABORT;
	return CURL_PREREQFUNC_OK;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;

	buf_add(&transfer->body, bytes, size * count);
	return transfer->body.overflowed ? 0 : size * count;
}

static struct span header_value(struct span line, size_t name_len)
{
	struct span value = {line.ptr + name_len + 1, line.len - name_len - 1};

	while (value.len && (*value.ptr == ' ' || *value.ptr == '\t')) {
		value.ptr++;
		value.len--;
	}
	while (value.len && strchr("\r\n \t", value.ptr[value.len - 1]))
		value.len--;
	return value;
}

/* Keeps the few headers that anybody asks for; one that is too long for its place is as good as absent. */
static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct http_request *request = ((struct transfer *)context)->request;
	const struct {
		const char *name;
		char *place;
		size_t room;
	} kept[] = {
			{"retry-after", request->retry_after, sizeof(request->retry_after)},
			{"x-request-id", request->request_id, sizeof(request->request_id)},
			{"x-databricks-request-id", request->request_id,
					sizeof(request->request_id)},
			{"x-databricks-org-id", request->org_id, sizeof(request->org_id)},
			{"content-type", request->content_type, sizeof(request->content_type)},
			{"location", request->location, sizeof(request->location)},
			{"www-authenticate", request->www_authenticate,
					sizeof(request->www_authenticate)},
	};
	struct span line = {bytes, size * count};

	for (size_t i = 0; i < COUNT_OF(kept); i++) {
		size_t len = strlen(kept[i].name);
		struct span value;

		if (line.len <= len || line.ptr[len] != ':' ||
				strncasecmp(line.ptr, kept[i].name, len) != 0)
			continue;
		value = header_value(line, len);
		if (value.len >= kept[i].room || memchr(value.ptr, '\0', value.len))
			continue;
		memcpy(kept[i].place, value.ptr, value.len);
		kept[i].place[value.len] = '\0';
	}
	return size * count;
}

static void set_headers(struct transfer *transfer)
{
	const struct http_request *request = transfer->request;
	/* An empty Expect keeps curl from waiting for "100 Continue" ahead of a big body. */
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	for (size_t i = 0; i < HTTP_HEADERS_MAX && request->headers[i].name; i++) {
		struct buf line;

		buf_init(&line, (size_t)1024 * 1024);
		buf_printf(&line, "%s: %s", request->headers[i].name, request->headers[i].value);
		list = curl_slist_append(list, buf_text(&line));
		explicit_bzero(line.ptr, line.len);
		buf_release(&line);
	}
	transfer->headers = list;
	(void)curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, list);
}

static void set_method(CURL *easy, const struct http_request *request)
{
	if (request->body.ptr) {
		(void)curl_easy_setopt(
				easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
		(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.ptr);
	} else {
		(void)curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	}
	(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_safety(CURL *easy, const struct http_request *request)
{
	bool tls = !text_starts_with(request->url, "http:");
	uint64_t time_max_ms = request->time_max_ms;

	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
	(void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	if (request->ca_file)
		(void)curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file);
	/* Wait for the first connection to say whether it multiplexes, instead of opening one per request. */
	(void)curl_easy_setopt(easy, CURLOPT_PIPEWAIT, tls ? 1L : 0L);
	/* Plain http stays on this machine, also when a proxy is set. */
	if (!tls || request->direct)
		(void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIME_MS);
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
			time_max_ms ? (long)time_max_ms : HTTP_TIME_MAX_MS);
	(void)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES_PER_S);
	(void)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)HTTP_STALL_S);
	(void)curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)HTTP_IDLE_S);
}

static void set_callbacks(struct transfer *transfer)
{
	CURL *easy = transfer->easy;

	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->reason);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	(void)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_sending);
	(void)curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
}

static void request_reset(struct http_request *request)
{
	mem_free(STEAL(request->answer));
	request->done = request->sent = request->permanent = false;
	request->code = ERR_NONE;
	request->status = 0;
	request->answer_len = 0;
	request->retry_after[0] = request->request_id[0] = request->org_id[0] = '\0';
	request->content_type[0] = request->location[0] = request->www_authenticate[0] = '\0';
}

void http_send(struct http *http, struct http_request *request)
{
	struct transfer *transfer = transfer_new(http, request);
	CURL *easy = transfer->easy;
	CURLMcode result;

	request_reset(request);
	request->state = transfer;
	(void)curl_easy_setopt(easy, CURLOPT_URL, request->url);
	(void)curl_easy_setopt(easy, CURLOPT_SHARE, http->share);
	(void)curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	(void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 65536L);
	set_method(easy, request);
	set_safety(easy, request);
	set_headers(transfer);
	set_callbacks(transfer);
	result = curl_multi_add_handle(http->multi, easy);
	if (result != CURLM_OK)
		transfer_finish(transfer, CURLE_FAILED_INIT);
}

/* What curl's results mean to us; what is not listed is ERR_IO. */
static const struct {
	CURLcode result;
	enum err_code code;
	bool permanent;
} meanings[] = {
		{CURLE_URL_MALFORMAT, ERR_CONFIG, true},
		{CURLE_UNSUPPORTED_PROTOCOL, ERR_CONFIG, true},
		{CURLE_SSL_CACERT_BADFILE, ERR_CONFIG, true},
		{CURLE_PEER_FAILED_VERIFICATION, ERR_IO, true},
		{CURLE_SSL_ISSUER_ERROR, ERR_IO, true},
		{CURLE_OPERATION_TIMEDOUT, ERR_TIMEOUT, false},
		{CURLE_BAD_CONTENT_ENCODING, ERR_PROTO, true},
};

static void describe_failure(struct transfer *transfer, CURLcode result)
{
	struct http_request *request = transfer->request;
	const char *reason = transfer->reason[0] ? transfer->reason : curl_easy_strerror(result);
	enum err_code code = ERR_IO;

	for (size_t i = 0; i < COUNT_OF(meanings); i++) {
		/* An answer that is no HTTP counts as an unsupported protocol too. */
		if (meanings[i].result == result &&
				!(result == CURLE_UNSUPPORTED_PROTOCOL && transfer->sendings)) {
			code = meanings[i].code;
			request->permanent = meanings[i].permanent;
		}
	}
	if (transfer->body.overflowed) {
		request->permanent = true;
		request->code = err_set(&request->err, ERR_LIMIT, 0, "the answer is over %zu bytes",
				request->answer_max);
	} else if (transfer->sendings > 1 && !request->may_repeat) {
		request->code = err_set(&request->err, ERR_IO, 0,
				"the connection was lost before the answer");
	} else {
		request->code = err_set(&request->err, code, 0, "%s", reason);
	}
}

static void transfer_finish(struct transfer *transfer, CURLcode result)
{
	struct http_request *request = transfer->request;
	long status = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	request->done = true;
	request->sent = transfer->sendings > 0;
	request->status = (int)status;
	request->took_ns = clock_monotonic_ns() - transfer->started_ns;
	if (result == CURLE_OK) {
		request->answer_len = transfer->body.len;
		request->answer = buf_steal(&transfer->body);
	} else {
		describe_failure(transfer, result);
	}
	(void)curl_multi_remove_handle(transfer->http->multi, transfer->easy);
	transfer_free(transfer);
	task_wake(request->wakes);
}

void http_cancel(struct http_request *request)
{
	struct transfer *transfer = request->state;

	if (!transfer)
		return;
	(void)curl_multi_remove_handle(transfer->http->multi, transfer->easy);
	transfer_free(transfer);
}

void http_release(struct http_request *request)
{
	http_cancel(request);
	mem_free(STEAL(request->answer));
	request->answer_len = 0;
}

char *http_escape(const char *text)
{
	struct buf buf;

	buf_init(&buf, strlen(text) * 3);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
				strchr("-._~", c))
			buf_add_char(&buf, (char)c);
		else
			buf_printf(&buf, "%%%02X", c);
	}
	return buf_steal(&buf);
}
