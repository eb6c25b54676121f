#include "databricks/auth/signin.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "databricks/answer.h"
#include "databricks/auth/method.h"

/*
 *            signin_get                    all steps taken
 *   IDLE ---------------> ASKING --------------------------> IDLE (headers)
 *                         |  ^  | refused
 *               transient v  |  +--------------------------> IDLE (refused)
 *                        PAUSED ---- a minute is over -----> IDLE (failed)
 *
 * Each step of the method asks at most one question (method.h).
 */
enum stage { STAGE_IDLE, STAGE_ASKING, STAGE_PAUSED };

#define PAUSE_MAX_MS 10000
#define FAILED_HOLD_MS                                                                             \
	1000 /* after a failed sign-in all who wait learn of it before the next one begins */
#define STALE_MAX_MS (20 * 60 * 1000)
#define BACKGROUND_MS 60000 /* between background renewals, or an eighth of the token's life */
#define BUDGET_POLL_MS 50   /* until others' token requests are answered */
#define REJECTED_MAX 3
#define REJECT_HOLD_MS 5000 /* a token this young is not thrown away for a 401 */
#define NS_PER_MS UINT64_C(1000000)
#define NEVER UINT64_MAX

struct signin {
	struct signin_setup setup;
	struct task task;
	struct loop_timer *pause;
	const struct signin_method *method;
	enum stage stage;
	size_t step; /* of the method */
	struct attempt attempt;
	struct http_request request;
	struct signin_memory memory;
	struct signin_headers headers; /* count 0: none */
	uint64_t serial;
	uint64_t received_ns, stale_ns, over_ns; /* of the header */
	uint64_t next_background_ns;
	uint64_t started_ns; /* this sign-in */
	unsigned attempts;
	bool confirmed;    /* a call was accepted since the last sign-in */
	unsigned rejected; /* calls in a row that a fresh header did not help */
	enum sign_in_state state;
	uint64_t hold_until_ns; /* no new sign-in before this */
	struct err err;         /* while held or refused */
	uint64_t token_requests;
};

static void signin_run(struct task *task);

struct signin *signin_new(const struct signin_setup *setup)
{
	struct signin *signin = mem_zalloc(sizeof(*signin));

	signin->setup = *setup;
	signin->method = signin_method_of(setup->credential->type);
	signin->attempt = (struct attempt){.credential = setup->credential,
			.folder = setup->folder,
			.memory = &signin->memory};
	task_init(&signin->task, setup->loop, signin_run);
	signin->pause = loop_timer_new(setup->loop, &signin->task);
	return signin;
}

static const struct signin_step *step_at_hand(const struct signin *signin)
{
	return signin->method->steps[signin->step];
}

void signin_free(struct signin *signin)
{
	if (!signin)
		return;
	if (signin->stage == STAGE_ASKING && step_at_hand(signin)->is_token_request)
		budget_done(signin->setup.budget, FAMILY_OAUTH, true);
	http_release(&signin->request);
	task_cancel(&signin->task);
	loop_timer_free(signin->pause);
	attempt_release(&signin->attempt);
	signin_memory_release(&signin->memory);
	signin_headers_release(&signin->headers);
	mem_free(signin);
}

/* ---- ends of a sign-in ---- */

static void signin_succeed(struct signin *signin)
{
	signin->stage = STAGE_IDLE;
	signin->serial++;
	signin->state = SIGN_IN_OK;
	signin->hold_until_ns = 0;
	signin->err.text[0] = '\0';
	task_wake(signin->setup.wakes);
}

static void signin_fail(struct signin *signin, uint64_t hold_ms)
{
	signin->stage = STAGE_IDLE;
	signin->hold_until_ns = clock_monotonic_ns() + hold_ms * NS_PER_MS;
	log_debug("sign-in at %s failed: %s", signin->setup.credential->host, signin->err.text);
	task_wake(signin->setup.wakes);
}

static void signin_refuse(struct signin *signin)
{
	signin->state = SIGN_IN_REFUSED;
	signin->err.code = ERR_AUTH;
	/* The endpoint may have moved: it is asked for again. */
	signin_memory_release(&signin->memory);
	signin_headers_release(&signin->headers);
	signin_fail(signin, SIGNIN_REFUSED_MS);
}

/* A background renewal that fails is no failure yet: the header at hand serves on. */
static bool header_serves(const struct signin *signin)
{
	return signin->headers.count > 0 && clock_monotonic_ns() < signin->over_ns;
}

static void signin_retry(struct signin *signin)
{
	uint64_t spent_ms = (clock_monotonic_ns() - signin->started_ns) / NS_PER_MS;
	uint64_t delay_ms = UINT64_C(250) << (signin->attempts < 6 ? signin->attempts : 6);
	uint64_t jitter_ms;

	if (delay_ms > PAUSE_MAX_MS)
		delay_ms = PAUSE_MAX_MS;
	if (signin->err.retry_after_s * UINT64_C(1000) > delay_ms)
		delay_ms = signin->err.retry_after_s * UINT64_C(1000);
	digest_random(&jitter_ms, sizeof(jitter_ms));
	delay_ms += jitter_ms % 250;
	if (header_serves(signin)) {
		log_debug("background sign-in at %s failed: %s", signin->setup.credential->host,
				signin->err.text);
		signin->err.text[0] = '\0';
		signin->stage = STAGE_IDLE;
		return;
	}
	if (spent_ms + delay_ms > SIGNIN_TRY_MS) {
		if (signin->state != SIGN_IN_REFUSED)
			signin->state = SIGN_IN_UNKNOWN;
		signin_fail(signin, FAILED_HOLD_MS);
		return;
	}
	signin->attempts++;
	signin->stage = STAGE_PAUSED;
	loop_timer_start(signin->pause, delay_ms);
}

/* ---- the steps ---- */

/* When the header counts as old and as over (auth.md: stale at half its life, 20 min at most). */
static void set_life(struct signin *signin)
{
	int64_t life_s = signin->headers.life_s;
	uint64_t now = clock_monotonic_ns();
	uint64_t life_ms = (uint64_t)life_s * 1000;
	uint64_t margin_ms = life_ms / 4 < SIGNIN_MARGIN_MS ? life_ms / 4 : SIGNIN_MARGIN_MS;
	uint64_t stale_ms = life_ms / 2 < STALE_MAX_MS ? life_ms / 2 : STALE_MAX_MS;

	if (signin->headers.margin_s)
		margin_ms = (uint64_t)signin->headers.margin_s * 1000;
	/* One whose whole life is the margin must serve at least the calls that waited for it. */
	if (margin_ms > life_ms / 4 * 3)
		margin_ms = life_ms / 4 * 3;
	signin->received_ns = now;
	signin->stale_ns = life_s ? now + (life_ms - stale_ms) * NS_PER_MS : NEVER;
	signin->over_ns = life_s ? now + (life_ms - margin_ms) * NS_PER_MS : NEVER;
	signin->next_background_ns = signin->stale_ns;
}

static void signin_finish(struct signin *signin)
{
	struct attempt *attempt = &signin->attempt;

	signin_headers_release(&signin->headers);
	signin->headers = attempt->result;
	attempt->result = (struct signin_headers){0};
	attempt_release(attempt);
	set_life(signin);
	signin_succeed(signin);
}

/* Waits until the pace of token requests allows one. */
static bool may_ask_token(struct signin *signin)
{
	uint64_t now = clock_monotonic_ns(), when;

	if (budget_take(signin->setup.budget, FAMILY_OAUTH, LANE_SINGLE, now, &when))
		return true;
	signin->stage = STAGE_PAUSED;
	loop_timer_start(signin->pause,
			when == BUDGET_NEVER ? BUDGET_POLL_MS : (when - now) / NS_PER_MS + 1);
	return false;
}

static void send_request(struct signin *signin, const struct signin_step *step)
{
	const struct attempt *attempt = &signin->attempt;
	struct http_request *request = &signin->request;
	struct http_header *header = request->headers;

	signin->stage = STAGE_ASKING;
	request->method = attempt->verb;
	request->url = attempt->url;
	request->ca_file = signin->setup.ca_file;
	request->body = attempt->body.text ? (struct span){attempt->body.text, attempt->body.len}
					   : (struct span){NULL, 0};
	request->answer_max = SIGNIN_ANSWER_MAX;
	request->time_max_ms = step->time_max_ms ? step->time_max_ms : SIGNIN_TRY_MS;
	request->may_repeat = true;
	request->direct = attempt->direct;
	request->wakes = &signin->task;
	*header++ = (struct http_header){"Accept", "application/json"};
	*header++ = (struct http_header){"User-Agent", signin->setup.user_agent};
	for (size_t i = 0; i < attempt->header_count; i++)
		*header++ = (struct http_header){
				attempt->headers[i].name, attempt->headers[i].value.text};
	*header = (struct http_header){NULL, NULL};
	http_send(signin->setup.http, request);
}

/* Goes from step to step until one asks something, fails, or all are taken. */
static void signin_advance(struct signin *signin)
{
	while (signin->step < signin->method->step_count) {
		const struct signin_step *step = step_at_hand(signin);
		enum step_verdict verdict;

		if (step->is_token_request && !may_ask_token(signin))
			return;
		attempt_forget_request(&signin->attempt);
		verdict = step->prepare(&signin->attempt, &signin->err);
		if (verdict == STEP_ASK) {
			if (step->is_token_request)
				signin->token_requests++;
			send_request(signin, step);
			return;
		}
		if (step->is_token_request)
			budget_done(signin->setup.budget, FAMILY_OAUTH, true);
		if (verdict == STEP_FAILED) {
			(void)err_context(&signin->err, "sign-in");
			signin_refuse(signin);
			return;
		}
		signin->step++;
	}
	signin_finish(signin);
}

static void signin_start(struct signin *signin)
{
	signin->started_ns = clock_monotonic_ns();
	signin->attempts = 0;
	signin->confirmed = false;
	signin->hold_until_ns = 0;
	signin->step = 0;
	attempt_release(&signin->attempt);
	signin_advance(signin);
}

static void wipe_answer(struct http_request *request)
{
	if (request->answer)
		explicit_bzero(request->answer, request->answer_len);
}

static void take_answer(struct signin *signin)
{
	const struct signin_step *step = step_at_hand(signin);
	struct http_request *request = &signin->request;
	enum err_code code = ERR_NONE;
	bool again;

	if (step->is_token_request)
		budget_done(signin->setup.budget, FAMILY_OAUTH, request->code == ERR_NONE);
	if (request->code != ERR_NONE && !step->is_optional) {
		signin->err = request->err;
		code = request->code;
	} else if (step->take) {
		code = step->take(&signin->attempt, request, &signin->err);
	}
	wipe_answer(request);
	if (code == ERR_NONE) {
		signin->step++;
		signin_advance(signin);
		return;
	}
	again = request->code != ERR_NONE ? !request->permanent : err_is_transient(&signin->err);
	(void)err_context(
			&signin->err, "sign-in: %s %s", signin->attempt.verb, signin->attempt.url);
	if (again)
		signin_retry(signin);
	else
		signin_refuse(signin);
}

static void signin_run(struct task *task)
{
	struct signin *signin = (struct signin *)((char *)task - offsetof(struct signin, task));

	if (signin->stage == STAGE_PAUSED && !loop_timer_active(signin->pause))
		signin_advance(signin);
	else if (signin->stage == STAGE_ASKING && signin->request.done)
		take_answer(signin);
}

/* ---- what callers ask ---- */

enum signin_answer signin_get(struct signin *signin, const struct signin_headers **ret_headers,
		uint64_t *ret_serial, struct err *err)
{
	uint64_t now = clock_monotonic_ns();

	if (!header_serves(signin)) {
		if (signin->stage != STAGE_IDLE)
			return SIGNIN_WAIT;
		if (now >= signin->hold_until_ns)
			signin_start(signin);
		if (signin->stage != STAGE_IDLE)
			return SIGNIN_WAIT;
		if (!header_serves(signin)) {
			*err = signin->err;
			return SIGNIN_FAILED;
		}
	} else if (now >= signin->next_background_ns && signin->stage == STAGE_IDLE) {
		uint64_t eighth = (signin->over_ns - signin->received_ns) / 8;

		signin->next_background_ns = now +
				(eighth < BACKGROUND_MS * NS_PER_MS ? eighth
								    : BACKGROUND_MS * NS_PER_MS);
		signin_start(signin);
	}
	*ret_headers = &signin->headers;
	*ret_serial = signin->serial;
	return SIGNIN_READY;
}

void signin_reject(struct signin *signin, uint64_t serial)
{
	uint64_t age_ms = (clock_monotonic_ns() - signin->received_ns) / NS_PER_MS;

	if (serial != signin->serial || !signin->headers.count)
		return;
	/* Thrown away at most every few seconds, so that 401s cannot make a storm of token requests. */
	if (!signin->confirmed && age_ms < REJECT_HOLD_MS)
		return;
	signin_headers_release(&signin->headers);
}

void signin_reject_again(struct signin *signin, const struct err *err)
{
	if (++signin->rejected < REJECTED_MAX || signin->stage != STAGE_IDLE)
		return;
	signin->rejected = 0;
	signin->err = *err;
	signin_refuse(signin);
}

void signin_confirm(struct signin *signin)
{
	signin->confirmed = true;
	signin->rejected = 0;
}

enum sign_in_state signin_state(const struct signin *signin)
{
	return signin->state;
}

const char *signin_error(const struct signin *signin)
{
	return signin->err.text[0] ? signin->err.text : NULL;
}

uint64_t signin_requests(const struct signin *signin)
{
	return signin->token_requests;
}
