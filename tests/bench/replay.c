/*
 * replay -- sends the requests of a simulator's log to a fresh simulator, as fast as it takes them: the floor of the
 * same work done by a program that decides nothing and keeps nothing.
 *
 * usage: replay IN_FLIGHT OLD_PORT=NEW_PORT=TOKEN... <LOG     LOG: of dbx-sim --request-log --log-bodies
 *
 * In the order of the log, at most IN_FLIGHT at once. An id that a create in the log had made stands for the one that
 * its repetition makes: what names it waits for that answer. Sign-in is left out. Prints the number of requests, those
 * that were refused, and the seconds that it took.
 */
#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/table.h"
#include "base/text.h"
#include "base/vec.h"

#define AHEAD_MAX 4096 /* requests that may overtake one that waits for an id */
#define ID_DIGITS_MIN 10
#define IN_FLIGHT_MAX 1024

/* A number in a request that an earlier one has made. */
struct reference {
	char *at; /* in url or body, overwritten */
	size_t maker;
};

struct request {
	const char *method;
	char *url, *body, *made;
	const char *token;
	VEC(struct reference) references;
	char *answer; /* start of it, of a create */
	size_t answer_len;
	bool sent, answered;
};

struct host {
	int64_t old_port;
	const char *new_port;
	char *token;
};

static VEC(struct request) requests;
static VEC(struct host) hosts;
static struct table *makers; /* id -> index + 1 of the request that made it */
static size_t refused;

static int fail(const char *what, const char *detail)
{
	fprintf(stderr, "replay: %s %s\n", what, detail);
	return 1;
}

/* ---- reading ---- */

static void find_references(struct request *request, char *text)
{
	while (text && *text) {
		size_t digits = strspn(text, "0123456789");
		void *maker = digits >= ID_DIGITS_MIN
				? table_find(makers, (struct span){text, digits})
				: NULL;

		if (maker)
			*vec_add(&request->references) =
					(struct reference){text, (size_t)(uintptr_t)maker - 1};
		text += digits ? digits : 1;
	}
}

static const struct host *host_of(const json_t *line)
{
	for (vec_each (&hosts, host)) {
		if (host->old_port == json_integer_value(json_object_get(line, "port")))
			return host;
	}
	return NULL;
}

static void take_line(const json_t *line)
{
	const char *path = json_string_value(json_object_get(line, "path"));
	const char *body = json_string_value(json_object_get(line, "body"));
	const char *made = json_string_value(json_object_get(line, "made"));
	const struct host *host = host_of(line);
	struct request *request;

	if (!host || !path || strstr(path, "/oidc/") || strstr(path, "/.well-known/"))
		return;
	request = vec_add(&requests);
	*request = (struct request){
			.method = mem_strdup(json_string_value(json_object_get(line, "method"))),
			.url = mem_printf("http://127.0.0.1:%s%s", host->new_port, path),
			.body = mem_strdup_or_null(body),
			.made = mem_strdup_or_null(made),
			.token = host->token,
	};
	find_references(request, request->url);
	find_references(request, request->body);
	if (made)
		(void)table_put(makers, span_of(made), (void *)(uintptr_t)requests.count);
}

static int read_log(FILE *log)
{
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, log) > 0) {
		json_error_t problem;
		json_t *json = json_loads(line, 0, &problem);

		if (!json) {
			free(line);
			return fail("the log is no JSON:", problem.text);
		}
		take_line(json);
		json_decref(json);
	}
	free(line);
	return 0;
}

/* ---- sending ---- */

static bool is_ready(const struct request *request)
{
	for (vec_each (&request->references, reference)) {
		if (!requests.items[reference->maker].answered)
			return false;
	}
	return true;
}

static void fill_ids(struct request *request)
{
	for (vec_each (&request->references, reference)) {
		const char *made = requests.items[reference->maker].made;

		memcpy(reference->at, made, strlen(made));
	}
}

static size_t keep_answer(char *bytes, size_t size, size_t count, void *context)
{
	struct request *request = context;

	if (request->made) {
		request->answer = mem_resize(
				request->answer, request->answer_len + size * count + 1, 1);
		memcpy(request->answer + request->answer_len, bytes, size * count);
		request->answer_len += size * count;
		request->answer[request->answer_len] = '\0';
	}
	return size * count;
}

static void send_one(CURLM *multi, CURL *easy, struct request *request, struct curl_slist **headers)
{
	fill_ids(request);
	request->sent = true;
	curl_slist_free_all(*headers);
	*headers = curl_slist_append(NULL, request->token);
	*headers = curl_slist_append(*headers, "Content-Type: application/json");
	curl_easy_reset(easy);
	(void)curl_easy_setopt(easy, CURLOPT_URL, request->url);
	(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	(void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_answer);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
	if (request->body) {
		(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				(curl_off_t)strlen(request->body));
		(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
	}
	(void)curl_multi_add_handle(multi, easy);
}

/* The new id has as many digits as the old one, so that it fits into the same place. */
static void learn_id(struct request *request)
{
	const char *id = request->answer ? strstr(request->answer, "\"id\":\"") : NULL;

	id = id ? id + strlen("\"id\":\"") : NULL;
	if (id && strspn(id, "0123456789") == strlen(request->made))
		memcpy(request->made, id, strlen(request->made));
	mem_free(STEAL(request->answer));
}

static void take_answer(CURL *easy, CURLcode result)
{
	char *private = NULL;
	struct request *request;
	long status = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
	(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	request = (struct request *)(void *)private;
	refused += result != CURLE_OK || status >= 300;
	if (request->made)
		learn_id(request);
	request->answered = true;
}

/* The next that has all its ids, or NULL. */
static struct request *choose(size_t *from)
{
	while (*from < requests.count && requests.items[*from].sent)
		++*from;
	for (size_t i = *from; i < requests.count && i < *from + AHEAD_MAX; i++) {
		if (!requests.items[i].sent && is_ready(&requests.items[i]))
			return &requests.items[i];
	}
	return NULL;
}

static void send_all(unsigned in_flight)
{
	CURLM *multi = curl_multi_init();
	CURL *easies[IN_FLIGHT_MAX];
	struct curl_slist *headers[IN_FLIGHT_MAX] = {NULL};
	VEC(unsigned) idle = {0};
	size_t from = 0, done = 0;

	for (unsigned i = 0; i < in_flight; i++) {
		easies[i] = curl_easy_init();
		*vec_add(&idle) = i;
	}
	while (done < requests.count) {
		size_t done_before = done;
		struct request *request;
		CURLMsg *message;
		int running, left;

		while (idle.count && (request = choose(&from))) {
			unsigned i = idle.items[--idle.count];

			send_one(multi, easies[i], request, &headers[i]);
		}
		(void)curl_multi_perform(multi, &running);
		while ((message = curl_multi_info_read(multi, &left))) {
			CURL *easy = message->easy_handle;

			take_answer(easy, message->data.result);
			(void)curl_multi_remove_handle(multi, easy);
			for (unsigned i = 0; i < in_flight; i++) {
				if (easies[i] == easy)
					*vec_add(&idle) = i;
			}
			done++;
		}
		if (done == done_before)
			(void)curl_multi_poll(multi, NULL, 0, 1000, NULL);
	}
	for (unsigned i = 0; i < in_flight; i++) {
		curl_easy_cleanup(easies[i]);
		curl_slist_free_all(headers[i]);
	}
	vec_release(&idle);
	(void)curl_multi_cleanup(multi);
}

static bool take_host(char *argument)
{
	char *new_port = strchr(argument, '='),
	     *token = new_port ? strchr(new_port + 1, '=') : NULL;
	struct host host = {0};

	if (!token)
		return false;
	*new_port++ = *token++ = '\0';
	if (!text_parse_int(argument, 1, UINT16_MAX, &host.old_port))
		return false;
	host.new_port = new_port;
	host.token = mem_printf("Authorization: Bearer %s", token);
	*vec_add(&hosts) = host;
	return true;
}

int main(int argc, char **argv)
{
	int64_t in_flight;
	uint64_t begun;

	if (argc < 3 || !text_parse_int(argv[1], 1, IN_FLIGHT_MAX, &in_flight)) {
		fputs("usage: replay IN_FLIGHT OLD_PORT=NEW_PORT=TOKEN... <LOG\n", stderr);
		return 64;
	}
	for (int i = 2; i < argc; i++) {
		if (!take_host(argv[i]))
			return fail("not OLD_PORT=NEW_PORT=TOKEN:", argv[i]);
	}
	makers = table_new();
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	if (read_log(stdin) != 0)
		return 1;
	begun = clock_monotonic_ns();
	send_all((unsigned)in_flight);
	printf("%zu %zu %.3f\n", requests.count, refused,
			(double)(clock_monotonic_ns() - begun) / 1e9);
	return 0;
}
