#include "databricks/signin.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "databricks/answer.h"

#include <openssl/evp.h>

/*
 *            signin_get                                      2xx
 *   IDLE ---------------> METADATA --> DISCOVERY --> TOKEN -------> IDLE (header)
 *     ^   (oauth-m2m)                      |           |
 *     |                                    v transient v
 *     +------- a minute is over ------- PAUSED <-------+------> IDLE (refused)
 *
 * METADATA and DISCOVERY are passed over once the token endpoint is known. A PAT needs none of it.
 */
enum step { STEP_IDLE, STEP_METADATA, STEP_DISCOVERY, STEP_TOKEN, STEP_PAUSED };

#define METADATA_MAX_MS 5000
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
	enum step step;
	struct http_request request;
	char *url; /* of the request under way */
	char *discovery_url, *token_endpoint;
	struct secret header; /* "Bearer ..."; empty: none */
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
	task_init(&signin->task, setup->loop, signin_run);
	signin->pause = loop_timer_new(setup->loop, &signin->task);
	return signin;
}

void signin_free(struct signin *signin)
{
	if (!signin)
		return;
	if (signin->step == STEP_TOKEN)
		budget_done(signin->setup.budget, FAMILY_OAUTH, true);
	http_release(&signin->request);
	task_cancel(&signin->task);
	loop_timer_free(signin->pause);
	secret_release(&signin->header);
	mem_free(signin->url);
	mem_free(signin->discovery_url);
	mem_free(signin->token_endpoint);
	mem_free(signin);
}

/* ---- ends of a sign-in ---- */

static void signin_succeed(struct signin *signin)
{
	signin->step = STEP_IDLE;
	signin->serial++;
	signin->state = SIGN_IN_OK;
	signin->hold_until_ns = 0;
	signin->err.text[0] = '\0';
	task_wake(signin->setup.wakes);
}

static void signin_fail(struct signin *signin, uint64_t hold_ms)
{
	signin->step = STEP_IDLE;
	signin->hold_until_ns = clock_monotonic_ns() + hold_ms * NS_PER_MS;
	log_debug("sign-in at %s failed: %s", signin->setup.credential->host, signin->err.text);
	task_wake(signin->setup.wakes);
}

static void signin_refuse(struct signin *signin)
{
	signin->state = SIGN_IN_REFUSED;
	signin->err.code = ERR_AUTH;
	/* The endpoint may have moved: it is asked for again. */
	mem_free(STEAL(signin->token_endpoint));
	mem_free(STEAL(signin->discovery_url));
	secret_release(&signin->header);
	signin_fail(signin, SIGNIN_REFUSED_MS);
}

/* A background renewal that fails is no failure yet: the header at hand serves on. */
static bool header_serves(const struct signin *signin)
{
	return signin->header.text && clock_monotonic_ns() < signin->over_ns;
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
		signin->step = STEP_IDLE;
		return;
	}
	if (spent_ms + delay_ms > SIGNIN_TRY_MS) {
		if (signin->state != SIGN_IN_REFUSED)
			signin->state = SIGN_IN_UNKNOWN;
		signin_fail(signin, FAILED_HOLD_MS);
		return;
	}
	signin->attempts++;
	signin->step = STEP_PAUSED;
	loop_timer_start(signin->pause, delay_ms);
}

/* ---- pat ---- */

static void signin_with_token(struct signin *signin)
{
	struct secret token = {0};
	struct buf line;

	if (secret_place_read(&signin->setup.credential->secret, signin->setup.folder, &token,
			    &signin->err) != ERR_NONE) {
		signin_refuse(signin);
		return;
	}
	if (!signin_is_header_safe(token.text) || token.len > SIGNIN_TOKEN_MAX) {
		secret_release(&token);
		(void)err_set(&signin->err, ERR_CONFIG, 0,
				"sign-in: the token holds what no token has (blank, line end)");
		signin_refuse(signin);
		return;
	}
	buf_init(&line, SIGNIN_TOKEN_MAX + 16);
	buf_printf(&line, "Bearer %s", token.text);
	secret_set(&signin->header, (struct span){line.ptr, line.len});
	explicit_bzero(line.ptr, line.room);
	buf_release(&line);
	secret_release(&token);
	signin->stale_ns = signin->over_ns = NEVER;
	signin->received_ns = clock_monotonic_ns();
	signin_succeed(signin);
}

/* ---- oauth-m2m: requests ---- */

static void send_request(struct signin *signin, enum step step, char *url)
{
	mem_free(signin->url);
	signin->url = url;
	signin->step = step;
	signin->request.url = url;
	signin->request.ca_file = signin->setup.ca_file;
	signin->request.answer_max = SIGNIN_ANSWER_MAX;
	signin->request.may_repeat = true;
	signin->request.wakes = &signin->task;
	http_send(signin->setup.http, &signin->request);
}

static void ask(struct signin *signin, enum step step, char *url, uint64_t time_max_ms)
{
	signin->request.method = "GET";
	signin->request.body = (struct span){NULL, 0};
	signin->request.time_max_ms = time_max_ms;
	signin->request.headers[0] = (struct http_header){"Accept", "application/json"};
	signin->request.headers[1] = (struct http_header){"User-Agent", signin->setup.user_agent};
	signin->request.headers[2] = (struct http_header){NULL, NULL};
	send_request(signin, step, url);
}

static void ask_metadata(struct signin *signin)
{
	ask(signin, STEP_METADATA,
			mem_printf("%s/.well-known/databricks-config",
					signin->setup.credential->host),
			METADATA_MAX_MS);
}

static char *usual_url(const struct signin *signin, const char *tail)
{
	const struct credential *credential = signin->setup.credential;

	if (credential->is_account)
		return mem_printf("%s/oidc/accounts/%s/%s", credential->host,
				credential->account_id, tail);
	return mem_printf("%s/oidc/%s", credential->host, tail);
}

static void ask_discovery(struct signin *signin)
{
	char *url = signin->discovery_url
			? mem_strdup(signin->discovery_url)
			: usual_url(signin, ".well-known/oauth-authorization-server");

	ask(signin, STEP_DISCOVERY, url, 0);
}

/* "Basic" and base64 of id:secret (RFC 6749, section 2.3.1), unescaped as Databricks' SDKs send it. */
static char *basic_header(const char *id, const struct secret *secret)
{
	size_t pair_len = strlen(id) + 1 + secret->len;
	char *pair = mem_alloc(pair_len + 1);
	char *header = mem_alloc(sizeof("Basic ") + (pair_len + 2) / 3 * 4);

	(void)snprintf(pair, pair_len + 1, "%s:%s", id, secret->text);
	memcpy(header, "Basic ", sizeof("Basic "));
	(void)EVP_EncodeBlock((unsigned char *)header + strlen(header), (const unsigned char *)pair,
			(int)pair_len);
	explicit_bzero(pair, pair_len);
	mem_free(pair);
	return header;
}

/* Waits until the pace of token requests allows one. */
static bool may_ask_token(struct signin *signin)
{
	uint64_t now = clock_monotonic_ns(), when;

	if (budget_take(signin->setup.budget, FAMILY_OAUTH, LANE_SINGLE, now, &when))
		return true;
	signin->step = STEP_PAUSED;
	loop_timer_start(signin->pause,
			when == BUDGET_NEVER ? BUDGET_POLL_MS : (when - now) / NS_PER_MS + 1);
	return false;
}

static void ask_token(struct signin *signin)
{
	static const char body[] = "grant_type=client_credentials&scope=all-apis";
	struct secret secret = {0};
	char *basic;

	if (!may_ask_token(signin))
		return;
	if (secret_place_read(&signin->setup.credential->secret, signin->setup.folder, &secret,
			    &signin->err) != ERR_NONE) {
		budget_done(signin->setup.budget, FAMILY_OAUTH, true);
		signin_refuse(signin);
		return;
	}
	basic = basic_header(signin->setup.credential->client_id, &secret);
	secret_release(&secret);
	signin->request.method = "POST";
	signin->request.body = (struct span){body, sizeof(body) - 1};
	signin->request.time_max_ms = SIGNIN_TRY_MS;
	signin->request.headers[0] = (struct http_header){"Authorization", basic};
	signin->request.headers[1] =
			(struct http_header){"Content-Type", "application/x-www-form-urlencoded"};
	signin->request.headers[2] = (struct http_header){"Accept", "application/json"};
	signin->request.headers[3] = (struct http_header){"User-Agent", signin->setup.user_agent};
	signin->request.headers[4] = (struct http_header){NULL, NULL};
	signin->token_requests++;
	send_request(signin, STEP_TOKEN, mem_strdup(signin->token_endpoint));
	explicit_bzero(basic, strlen(basic));
	mem_free(basic);
}

static void signin_start(struct signin *signin)
{
	signin->started_ns = clock_monotonic_ns();
	signin->attempts = 0;
	signin->confirmed = false;
	signin->hold_until_ns = 0;
	if (signin->setup.credential->type == AUTH_PAT)
		signin_with_token(signin);
	else if (signin->token_endpoint)
		ask_token(signin);
	else
		ask_metadata(signin);
}

/* ---- oauth-m2m: answers ---- */

static json_t *answer_object(const struct http_request *request)
{
	json_t *json = NULL;
	struct err ignored;

	if (request->code != ERR_NONE || request->status < 200 || request->status > 299 ||
			answer_json((struct span){request->answer, request->answer_len}, &json,
					&ignored) != ERR_NONE)
		return NULL;
	if (json_is_object(json))
		return json;
	json_decref(json);
	return NULL;
}

/* Not to a host in clear text, and not from https down to http on this machine. */
static bool url_serves(const struct signin *signin, const char *url)
{
	if (!profile_url_is_safe(url))
		return false;
	return text_starts_with(url, "https:") ||
			!text_starts_with(signin->setup.credential->host, "https:");
}

/* `oidc_endpoint` with {account_id} filled in; whatever is wrong with the metadata, the usual URL is tried instead. */
static void take_metadata(struct signin *signin)
{
	const char *account_id = signin->setup.credential->account_id;
	json_t *json = answer_object(&signin->request);
	const char *root = json_string_value(json_object_get(json, "oidc_endpoint"));
	const char *known_id = json_string_value(json_object_get(json, "account_id"));
	const char *hole = root ? strstr(root, "{account_id}") : NULL;
	size_t len;
	char *url = NULL;

	if (hole && (account_id || known_id))
		url = mem_printf("%.*s%s%s", (int)(hole - root), root,
				account_id ? account_id : known_id, hole + strlen("{account_id}"));
	else if (root && *root && !hole)
		url = mem_strdup(root);
	json_decref(json);
	if (url) {
		len = strlen(url);
		while (len > 0 && url[len - 1] == '/')
			url[--len] = '\0';
		if (url_serves(signin, url))
			signin->discovery_url = mem_printf(
					"%s/.well-known/oauth-authorization-server", url);
		mem_free(url);
	}
	ask_discovery(signin);
}

/* Sets signin->err for a request that did not even get an answer, or one that says "later". */
static bool is_transient_failure(struct signin *signin)
{
	const struct http_request *request = &signin->request;

	if (request->code != ERR_NONE) {
		signin->err = request->err;
		return true;
	}
	if (request->status != 429 && request->status < 500)
		return false;
	(void)err_set(&signin->err, request->status == 429 ? ERR_THROTTLED : ERR_SERVER,
			request->status, "HTTP %d", request->status);
	signin->err.retry_after_s = answer_retry_after(request->retry_after, clock_wall_ms());
	return true;
}

static void take_discovery(struct signin *signin)
{
	json_t *json = answer_object(&signin->request);
	const char *endpoint = json_string_value(json_object_get(json, "token_endpoint"));

	if (endpoint && url_serves(signin, endpoint)) {
		signin->token_endpoint = mem_strdup(endpoint);
	} else if (is_transient_failure(signin)) {
		json_decref(json);
		(void)err_context(&signin->err, "sign-in: GET %s", signin->url);
		signin_retry(signin);
		return;
	} else {
		signin->token_endpoint = usual_url(signin, "v1/token");
	}
	json_decref(json);
	ask_token(signin);
}

/* When the header counts as old and as over (auth.md: stale at half its life, 20 min at most). */
static void set_life(struct signin *signin, int64_t life_s)
{
	uint64_t now = clock_monotonic_ns();
	uint64_t life_ms = (uint64_t)life_s * 1000;
	uint64_t margin_ms = life_ms / 4 < SIGNIN_MARGIN_MS ? life_ms / 4 : SIGNIN_MARGIN_MS;
	uint64_t stale_ms = life_ms / 2 < STALE_MAX_MS ? life_ms / 2 : STALE_MAX_MS;

	signin->received_ns = now;
	signin->stale_ns = life_s ? now + (life_ms - stale_ms) * NS_PER_MS : NEVER;
	signin->over_ns = life_s ? now + (life_ms - margin_ms) * NS_PER_MS : NEVER;
	signin->next_background_ns = signin->stale_ns;
}

static void take_token(struct signin *signin)
{
	struct http_request *request = &signin->request;
	int64_t life_s = 0;
	enum err_code code = request->code;

	budget_done(signin->setup.budget, FAMILY_OAUTH, code == ERR_NONE);
	if (code != ERR_NONE)
		signin->err = request->err;
	else
		code = signin_read_token(request->status,
				(struct span){request->answer, request->answer_len},
				request->retry_after, &signin->header, &life_s, &signin->err);
	if (request->answer)
		explicit_bzero(request->answer, request->answer_len);
	if (code == ERR_NONE) {
		set_life(signin, life_s);
		signin_succeed(signin);
		return;
	}
	(void)err_context(&signin->err, "sign-in: POST %s", signin->url);
	if (request->code != ERR_NONE ? !request->permanent : err_is_transient(&signin->err))
		signin_retry(signin);
	else
		signin_refuse(signin);
}

static void signin_run(struct task *task)
{
	struct signin *signin = (struct signin *)((char *)task - offsetof(struct signin, task));

	switch (signin->step) {
	case STEP_IDLE:
		return;
	case STEP_PAUSED:
		if (loop_timer_active(signin->pause))
			return;
		if (signin->token_endpoint)
			ask_token(signin);
		else
			ask_discovery(signin);
		return;
	case STEP_METADATA:
	case STEP_DISCOVERY:
	case STEP_TOKEN:
		break;
	}
	if (!signin->request.done)
		return;
	if (signin->step == STEP_METADATA)
		take_metadata(signin);
	else if (signin->step == STEP_DISCOVERY)
		take_discovery(signin);
	else
		take_token(signin);
}

/* ---- what callers ask ---- */

enum signin_answer signin_get(struct signin *signin, const char **ret_header, uint64_t *ret_serial,
		struct err *err)
{
	uint64_t now = clock_monotonic_ns();

	if (!header_serves(signin)) {
		if (signin->step != STEP_IDLE)
			return SIGNIN_WAIT;
		if (now >= signin->hold_until_ns)
			signin_start(signin);
		if (signin->step != STEP_IDLE)
			return SIGNIN_WAIT;
		if (!header_serves(signin)) {
			*err = signin->err;
			return SIGNIN_FAILED;
		}
	} else if (now >= signin->next_background_ns && signin->step == STEP_IDLE) {
		uint64_t eighth = (signin->over_ns - signin->received_ns) / 8;

		signin->next_background_ns = now +
				(eighth < BACKGROUND_MS * NS_PER_MS ? eighth
								    : BACKGROUND_MS * NS_PER_MS);
		signin_start(signin);
	}
	*ret_header = signin->header.text;
	*ret_serial = signin->serial;
	return SIGNIN_READY;
}

void signin_reject(struct signin *signin, uint64_t serial)
{
	uint64_t age_ms = (clock_monotonic_ns() - signin->received_ns) / NS_PER_MS;

	if (serial != signin->serial || !signin->header.text)
		return;
	/* Thrown away at most every few seconds, so that 401s cannot make a storm of token requests. */
	if (!signin->confirmed && age_ms < REJECT_HOLD_MS)
		return;
	secret_release(&signin->header);
}

void signin_reject_again(struct signin *signin, const struct err *err)
{
	if (++signin->rejected < REJECTED_MAX || signin->step != STEP_IDLE)
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
