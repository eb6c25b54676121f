#include "databricks/client_internal.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "databricks/answer.h"
#include "databricks/tape.h"

#define PARSE_INLINE_MAX ((size_t)32 * 1024) /* a bigger answer is parsed on the pool */
#define PAUSE_FIRST_MS 200
#define PAUSE_MAX_MS 10000

static const char *const method_names[] = {[METHOD_GET] = "GET",
		[METHOD_POST] = "POST",
		[METHOD_PUT] = "PUT",
		[METHOD_PATCH] = "PATCH",
		[METHOD_DELETE] = "DELETE"};

static void call_run(struct task *task);

/* ---- queues ---- */

static struct target *target_of(const struct call_state *state)
{
	return &state->databricks->targets[state->call->target];
}

static bool is_read(const struct call *call)
{
	return call->method == METHOD_GET || call->reads;
}

static struct queue *queue_of(const struct call_state *state)
{
	return &target_of(state)->queues[state->call->lane][state->call->family];
}

static void queue_insert(struct queue *queue, struct call_state *state, struct call_state **at)
{
	state->next = *at;
	state->link = at;
	*at = state;
	if (state->next)
		state->next->link = &state->next;
	else
		queue->tail = &state->next;
}

static void queue_remove(struct queue *queue, struct call_state *state)
{
	*state->link = state->next;
	if (state->next)
		state->next->link = state->link;
	else
		queue->tail = state->link;
	state->next = NULL;
	state->link = NULL;
}

/* first: it has waited for its turn already. */
void call_enqueue(struct call_state *state, bool first)
{
	struct queue *queue = queue_of(state);

	state->stage = STAGE_QUEUED;
	queue_insert(queue, state, first ? &queue->head : queue->tail);
	target_of(state)->waiting++;
	task_wake(&state->databricks->pump);
}

void call_dequeue(struct call_state *state)
{
	queue_remove(queue_of(state), state);
	target_of(state)->waiting--;
}

/* ---- the end of a call ---- */

static void state_free(struct call_state *state)
{
	task_cancel(&state->task);
	http_release(&state->request);
	loop_timer_free(state->pause);
	tape_free(state->parsed);
	mem_free(state->url);
	mem_free(state->body);
	mem_free(state);
}

static void call_finish(struct call_state *state)
{
	struct call *call = state->call;

	call->done = true;
	call->state = NULL;
	state_free(state);
	task_wake(call->wakes);
}

void call_fail(struct call_state *state, const struct err *err)
{
	struct call *call = state->call;

	call->err = *err;
	call->code = err->code;
	target_of(state)->failed++;
	call_finish(state);
}

/* ---- sending ---- */

/* The path without its query, cut to what tells the object: ".../Groups/8214". */
static void describe_path(const char *path, char *ret, size_t room)
{
	static const char *const roots[] = {"/scim/v2", "/workspaces", "/access-control/",
			"/servicePrincipals/", "/federationPolicies", "/ip-access-lists",
			"/settings"};
	size_t len = strcspn(path, "?");

	for (size_t i = 0; i < COUNT_OF(roots); i++) {
		const char *at = memmem(path, len, roots[i], strlen(roots[i]));

		if (at) {
			at += i == 0 ? strlen(roots[i]) : 0;
			(void)snprintf(ret, room, "...%.*s", (int)(len - (size_t)(at - path)), at);
			return;
		}
	}
	(void)snprintf(ret, room, "%.*s", (int)len, path);
}

/*
 * Of the account, by its id in the path. What a workspace passes on to it (/api/2.0/accounts/servicePrincipals/...,
 * /api/2.0/preview/accounts/access-control/...) is the workspace's own.
 */
static bool is_account_path(const struct call_state *state)
{
	const char *path = state->call->path, *id = databricks_account_id(state->databricks);
	const char *at = strstr(path, "/accounts/");

	return text_starts_with(path, "/api/") && at && id &&
			strncmp(at + strlen("/accounts/"), id, strlen(id)) == 0;
}

static void fill_headers(struct call_state *state, const struct signin_headers *headers)
{
	const struct target *target = target_of(state);
	struct http_header *next = state->request.headers;

	for (size_t i = 0; i < headers->count; i++)
		*next++ = (struct http_header){
				headers->items[i].name, headers->items[i].value.text};
	*next++ = (struct http_header){"User-Agent", target->user_agent};
	*next++ = (struct http_header){"Accept",
			target->scim_type ? "application/scim+json, application/json"
					  : "application/json"};
	if (state->body)
		*next++ = (struct http_header){"Content-Type",
				target->scim_type ? "application/scim+json" : "application/json"};
	/* Routes on hosts that serve several workspaces; never on account paths (auth.md 1.5). */
	if (target->credential.workspace_id && !is_account_path(state))
		*next++ = (struct http_header){
				"X-Databricks-Workspace-Id", target->credential.workspace_id};
	*next = (struct http_header){NULL, NULL};
}

void call_transmit(struct call_state *state, const struct signin_headers *headers)
{
	struct call *call = state->call;
	struct target *target = target_of(state);

	state->stage = STAGE_SENT;
	state->request.method = method_names[call->method];
	state->request.url = state->url;
	state->request.ca_file = target->settings->ca_file;
	state->request.body = state->body ? span_of(state->body) : (struct span){NULL, 0};
	state->request.answer_max = CLIENT_BODY_MAX;
	state->request.may_repeat = is_read(call);
	state->request.wakes = &state->task;
	fill_headers(state, headers);
	if (!state->first_ns)
		state->first_ns = clock_monotonic_ns();
	target->calls++;
	target->in_flight++;
	state->databricks->calls++;
	http_send(state->databricks->http, &state->request);
}

/* ---- the answer ---- */

static double jitter(void)
{
	uint32_t random;

	digest_random(&random, sizeof(random));
	return random / 4294967296.0;
}

/* 200 ms, doubled each time up to 10 s, plus up to a second or as much again. */
static void call_pause(struct call_state *state)
{
	double ms = PAUSE_FIRST_MS * (double)(1u << (state->attempts < 6 ? state->attempts : 6));

	if (ms > PAUSE_MAX_MS)
		ms = PAUSE_MAX_MS;
	ms += jitter() * (ms < 1000 ? ms : 1000);
	if (!state->pause)
		state->pause = loop_timer_new(state->databricks->loop, &state->task);
	state->stage = STAGE_PAUSED;
	loop_timer_start(state->pause, (uint64_t)ms);
}

/* Reads of what passes by itself are repeated here, as long as there is time; everything else is the owner's to decide. */
static bool retry_read(struct call_state *state, const struct err *err)
{
	uint64_t spent_ms = (clock_monotonic_ns() - state->first_ns) / NS_PER_MS;
	bool transient = err->code == ERR_THROTTLED || err->code == ERR_TIMEOUT ||
			err->code == ERR_IO || (err->code == ERR_SERVER && err->detail >= 500);

	if (!is_read(state->call) || !transient || state->request.permanent ||
			err->retry_after_s > CLIENT_RETRY_AFTER_MAX_S ||
			spent_ms + err->retry_after_s * UINT64_C(1000) > CLIENT_READ_TIME_MAX_MS)
		return false;
	state->attempts++;
	if (err->code == ERR_THROTTLED || err->retry_after_s)
		call_enqueue(state,
				true); /* its family is paused: no need for a pause of its own */
	else
		call_pause(state);
	return true;
}

/* One new sign-in and one repeat; the second 401 is final. A 401 had no effect, so this holds for writes as well. */
static bool repeat_signed_in(struct call_state *state, const struct err *err)
{
	struct signin *signin = target_of(state)->signin;

	if (state->renewed) {
		signin_reject_again(signin, err);
		return false;
	}
	state->renewed = true;
	signin_reject(signin, state->serial);
	call_enqueue(state, true);
	return true;
}

/* Some servers take only SCIM's own media type (RFC 7644, section 3.1); 415 had no effect. */
static bool repeat_retyped(struct call_state *state)
{
	if (state->retyped)
		return false;
	state->retyped = true;
	target_of(state)->scim_type = true;
	call_enqueue(state, true);
	return true;
}

static void note_throttling(struct call_state *state, const struct err *err,
		const struct answer_verdict *verdict)
{
	struct target *target = target_of(state);
	uint64_t now = clock_monotonic_ns();

	if (err->code == ERR_THROTTLED) {
		target->throttled++;
		budget_throttled(&target->budget, state->call->family, now, err->retry_after_s,
				verdict->concurrency, jitter());
	} else if (err->code == ERR_SERVER) {
		budget_pause(&target->budget, state->call->family, now, err->retry_after_s,
				jitter());
	}
}

static void call_judge_error(
		struct call_state *state, const struct answer_verdict *verdict, struct err *err)
{
	if (err->code == ERR_AUTH && repeat_signed_in(state, err))
		return;
	if (err->detail == 415 && state->body && repeat_retyped(state))
		return;
	/* What was to be removed is not there: what was wanted. */
	if (verdict->absent_attribute && state->call->forgive_absent) {
		call_finish(state);
		return;
	}
	if (!retry_read(state, err))
		call_fail(state, err);
}

static void call_succeed(struct call_state *state)
{
	struct call *call = state->call;

	call->answer = STEAL(state->parsed);
	call_finish(state);
}

static void call_judge_parsed(struct call_state *state)
{
	char what[160], path[120];

	if (state->parse_code == ERR_NONE) {
		call_succeed(state);
		return;
	}
	describe_path(state->call->path, path, sizeof(path));
	(void)snprintf(what, sizeof(what), "%s %s: HTTP %d", method_names[state->call->method],
			path, state->call->status);
	(void)err_context(&state->parse_err, "%s", what);
	state->parse_err.detail = state->call->status;
	state->parse_err.effect_unknown = !is_read(state->call);
	call_fail(state, &state->parse_err);
}

static void parse(struct call_state *state)
{
	char *body = STEAL(state->request.answer);

	state->parse_code = tape_parse(body ? body : mem_strdup(""), state->request.answer_len,
			&state->parsed, &state->parse_err);
}

static void parse_on_pool(uv_work_t *work)
{
	parse(work->data);
}

static void parsed_on_pool(uv_work_t *work, int status)
{
	struct call_state *state = work->data;

	(void)status;
	if (!state->call) {
		/* Its task and timer are gone with the call. */
		mem_free(state->request.answer);
		tape_free(state->parsed);
		mem_free(state);
		return;
	}
	task_wake(&state->task);
}

static void call_parse(struct call_state *state)
{
	state->stage = STAGE_PARSING;
	state->work.data = state;
	if (state->request.answer_len > PARSE_INLINE_MAX &&
			uv_queue_work(loop_uv(state->databricks->loop), &state->work, parse_on_pool,
					parsed_on_pool) == 0)
		return;
	parse(state);
	call_judge_parsed(state);
}

static void log_answer(const struct call_state *state, const char *what)
{
	const struct http_request *request = &state->request;

	if (log_enabled(LOG_DEBUG))
		log_debug("%s: status=%d bytes=%zu took_us=%llu target=%s%s%s", what,
				request->status, request->answer_len,
				(unsigned long long)(request->took_ns / 1000),
				target_of(state)->settings->name,
				request->code == ERR_NONE ? "" : " error=",
				request->code == ERR_NONE ? "" : request->err.text);
}

static void call_answered(struct call_state *state)
{
	struct call *call = state->call;
	struct http_request *request = &state->request;
	struct target *target = target_of(state);
	struct answer_verdict verdict = {0};
	char what[160], path[120];
	struct err err;
	struct answer answer = {.what = what,
			.is_write = !is_read(call),
			.status = request->status,
			.body = {request->answer, request->answer_len},
			.location = request->location,
			.retry_after = request->retry_after,
			.now_ms = clock_wall_ms()};

	describe_path(call->path, path, sizeof(path));
	(void)snprintf(what, sizeof(what), "%s %s", method_names[call->method], path);
	target->in_flight--;
	log_answer(state, what);
	call->status = request->status;
	(void)snprintf(call->request_id, sizeof(call->request_id), "%s", request->request_id);
	(void)snprintf(call->org_id, sizeof(call->org_id), "%s", request->org_id);
	if (request->code != ERR_NONE) {
		err = request->err;
		err.effect_unknown = answer.is_write && request->sent;
		(void)err_context(&err, "%s", what);
	} else if (answer_check(&answer, &verdict, &err) == ERR_NONE) {
		err.code = ERR_NONE;
	}
	budget_done(&target->budget, call->family,
			request->code == ERR_NONE && err.code != ERR_THROTTLED);
	task_wake(&state->databricks->pump);
	call->refusal = verdict.refusal;
	(void)snprintf(call->etag, sizeof(call->etag), "%s", verdict.etag);
	if (verdict.refusal == REFUSAL_PRINCIPAL) {
		call->unknown_kind = verdict.unknown_kind;
		mem_free(call->unknown_name);
		call->unknown_name = mem_strdup(verdict.unknown_name);
	}
	if (verdict.request_id[0])
		memcpy(call->request_id, verdict.request_id, sizeof(call->request_id));
	if (err.code == ERR_NONE) {
		signin_confirm(target->signin);
		call_parse(state);
		return;
	}
	note_throttling(state, &err, &verdict);
	call_judge_error(state, &verdict, &err);
}

static void call_run(struct task *task)
{
	struct call_state *state =
			(struct call_state *)((char *)task - offsetof(struct call_state, task));

	switch (state->stage) {
	case STAGE_SENT:
		if (state->request.done)
			call_answered(state);
		return;
	case STAGE_PARSING:
		call_judge_parsed(state);
		return;
	case STAGE_PAUSED:
		if (!loop_timer_active(state->pause))
			call_enqueue(state, true);
		return;
	case STAGE_QUEUED:
		return;
	}
}

/* ---- what callers ask ---- */

void call_prepare(
		struct call *call, enum method method, enum family family, char *path, json_t *body)
{
	unsigned target = call->target;
	enum lane lane = call->lane;
	struct task *wakes = call->wakes;

	call_release(call);
	call->target = target;
	call->lane = lane;
	call->wakes = wakes;
	call->method = method;
	call->family = family;
	call->path = path;
	call->body = body;
}

static struct call_state *state_new(struct databricks *databricks, struct call *call)
{
	struct call_state *state = mem_zalloc(sizeof(*state));

	call->done = false;
	call->code = ERR_NONE;
	call->status = 0;
	call->request_id[0] = call->org_id[0] = call->etag[0] = '\0';
	call->refusal = REFUSAL_OTHER;
	mem_free(STEAL(call->unknown_name));
	tape_free(STEAL(call->answer));
	call->state = state;
	state->databricks = databricks;
	state->call = call;
	task_init(&state->task, databricks->loop, call_run);
	return state;
}

void call_send(struct databricks *databricks, struct call *call)
{
	struct call_state *state = state_new(databricks, call);

	state->url = mem_printf("%s%s", target_of(state)->credential.host, call->path);
	if (call->body) {
		char *text = json_dumps(call->body, JSON_COMPACT);

		state->body = mem_strdup(text ? text : "");
		free(text);
	}
	call_enqueue(state, false);
}

void call_finish_unsent(
		struct databricks *databricks, struct call *call, const struct err *err_or_null)
{
	struct call_state *state = state_new(databricks, call);

	if (err_or_null)
		call_fail(state, err_or_null);
	else
		call_finish(state);
}

/* The pool may be at it: then the state stays behind, without its handles, until the pool is done. */
static void state_orphan(struct call_state *state)
{
	task_cancel(&state->task);
	loop_timer_free(STEAL(state->pause));
	mem_free(STEAL(state->url));
	mem_free(STEAL(state->body));
	state->call = NULL;
	(void)uv_cancel((uv_req_t *)&state->work);
}

void call_cancel(struct call *call)
{
	struct call_state *state = call->state;
	struct target *target;

	if (!state)
		return;
	target = target_of(state);
	call->state = NULL;
	switch (state->stage) {
	case STAGE_QUEUED:
		call_dequeue(state);
		break;
	case STAGE_SENT:
		target->in_flight--;
		budget_done(&target->budget, call->family, false);
		task_wake(&state->databricks->pump);
		break;
	case STAGE_PARSING:
		/* Finished by the pool, but not looked at yet: nothing runs any more. */
		if (!state->task.queued) {
			state_orphan(state);
			return;
		}
		break;
	case STAGE_PAUSED:
		break;
	}
	state_free(state);
}

void call_release(struct call *call)
{
	call_cancel(call);
	mem_free(call->path);
	json_decref(call->body);
	tape_free(call->answer);
	mem_free(call->unknown_name);
	*call = (struct call){0};
}
