#include "oauth.h"

#include <strings.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "base/json_out.h"
#include "client_secret.h"
#include "federation.h"
#include "pat.h"
#include "who.h"

#define TOKEN_EXCHANGE "urn:ietf:params:oauth:grant-type:token-exchange"
#define NS_PER_S UINT64_C(1000000000)
#define TOKENS_KEPT_MAX 100000

struct token {
	const struct workspace *audience; /* NULL: the account */
	struct principal *who;            /* never freed before the tokens are */
	uint64_t expires_ns;
};

struct tokens {
	pthread_mutex_t lock;
	struct table *by_text; /* text -> token */
};

struct tokens *tokens_new(void)
{
	struct tokens *tokens = mem_zalloc(sizeof(*tokens));

	(void)pthread_mutex_init(&tokens->lock, NULL);
	tokens->by_text = table_new();
	return tokens;
}

static void drop_all(struct tokens *tokens)
{
	for (table_each (tokens->by_text, it))
		mem_free(it.value);
	table_free(tokens->by_text);
}

void tokens_free(struct tokens *tokens)
{
	if (!tokens)
		return;
	drop_all(tokens);
	(void)pthread_mutex_destroy(&tokens->lock);
	mem_free(tokens);
}

void tokens_revoke_all(struct tokens *tokens)
{
	(void)pthread_mutex_lock(&tokens->lock);
	drop_all(tokens);
	tokens->by_text = table_new();
	(void)pthread_mutex_unlock(&tokens->lock);
}

static char *token_issue(struct sim *sim, const struct workspace *audience, struct principal *who)
{
	unsigned char random[24];
	char hex[sizeof(random) * 2 + 1];
	struct token *token = mem_zalloc(sizeof(*token));
	char *text;

	digest_random(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(hex + i * 2, 3, "%02x", random[i]);
	text = mem_printf("eyJ.%s.sim", hex);
	token->audience = audience;
	token->who = who;
	token->expires_ns = clock_monotonic_ns() + sim->options.token_lifetime_s * NS_PER_S;
	if (table_count(sim->tokens->by_text) >= TOKENS_KEPT_MAX)
		tokens_revoke_all(sim->tokens);
	(void)pthread_mutex_lock(&sim->tokens->lock);
	(void)table_put(sim->tokens->by_text, span_of(text), token);
	(void)pthread_mutex_unlock(&sim->tokens->lock);
	return text;
}

/* The account's documents name the account in the path; braces stand for clients to fill in. */
static void write_metadata(const struct request *request, struct answer *answer)
{
	struct buf *out = answer_json(answer, 200);
	const struct workspace *host = request->host;

	buf_add_char(out, '{');
	json_add_key(out, "oidc_endpoint");
	buf_printf(out, "\"%s/oidc%s\"", request->base_url, host ? "" : "/accounts/{account_id}");
	if (host) {
		json_add_member(out, "account_id", request->sim->state->account_id);
		json_add_member(out, "workspace_id", host->id_text);
	}
	json_add_member(out, "cloud", cloud_name(request->sim->options.cloud));
	json_add_member(out, "host_type",
			host ? "workspace"
					: request->sim->options.quirks[QUIRK_UNIFIED_HOST]
					? "unified"
					: "account");
	buf_add_char(out, '}');
}

static void write_discovery(const struct request *request, struct answer *answer)
{
	struct buf *out = answer_json(answer, 200);
	AUTO(mem_freep) char *account = mem_printf("/accounts/%s", request->sim->state->account_id);
	const char *middle = request->host ? "" : account;

	buf_printf(out, "{\"issuer\":\"%s/oidc%s\"", request->base_url, middle);
	buf_printf(out, ",\"authorization_endpoint\":\"%s/oidc%s/v1/authorize\"", request->base_url,
			middle);
	buf_printf(out, ",\"token_endpoint\":\"%s/oidc%s/v1/token\"", request->base_url, middle);
	buf_add_text(out,
			",\"grant_types_supported\":[\"client_credentials\","
			"\"" TOKEN_EXCHANGE "\"]"
			",\"token_endpoint_auth_methods_supported\":[\"client_secret_basic\"]}");
}

static int base64_digit(char c)
{
	static const char digits[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static char *base64_decode(const char *text)
{
	char *bytes = mem_zalloc(strlen(text) + 1);
	size_t len = 0;
	unsigned held = 0, bits = 0;

	for (; base64_digit(*text) >= 0; text++) {
		held = (held << 6 | (unsigned)base64_digit(*text)) & 0xffffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			bytes[len++] = (char)(unsigned char)(held >> bits & 0xff);
		}
	}
	return bytes;
}

/* Whose client id and secret stand in the header; NULL: nobody's. */
static struct principal *find_client(const struct request *request)
{
	AUTO(mem_freep) char *given = NULL;
	char *colon;

	if (!request->authorization || strncasecmp(request->authorization, "Basic ", 6) != 0)
		return NULL;
	given = base64_decode(request->authorization + 6);
	colon = strchr(given, ':');
	if (!colon)
		return NULL;
	*colon = '\0';
	return secret_check(request->sim->state, given, colon + 1);
}

/* A field of a form; NULL: not there. Caller's, mem_free. The names and values that we know need no decoding but %. */
static char *form_field(struct span form, const char *name)
{
	struct request parsed = {0};
	char *value = NULL;
	AUTO(mem_freep)
	char *target = mem_printf("/?%.*s", (int)form.len, form.ptr ? form.ptr : "");

	parsed.target = target;
	request_parse_target(&parsed);
	value = mem_strdup_or_null(request_parameter(&parsed, name));
	request_release(&parsed);
	return value;
}

static void write_token(struct request *request, struct principal *who, struct answer *answer)
{
	struct sim *sim = request->sim;
	struct buf *out = answer_json(answer, 200);
	AUTO(mem_freep) char *text = token_issue(sim, request->host, who);
	const char *quote = sim->options.quirks[QUIRK_EXPIRES_IN_TEXT] ? "\"" : "";

	buf_add_char(out, '{');
	json_add_member(out, "access_token", text);
	json_add_member(out, "token_type", "Bearer");
	json_add_key(out, "expires_in");
	buf_printf(out, "%s%u%s", quote, sim->options.token_lifetime_s, quote);
	json_add_member(out, "scope", "all-apis");
	buf_add_char(out, '}');
	answer_add_header(answer, "Cache-Control", "no-store");
}

/* A token of another issuer for one of ours (RFC 8693). Client authentication is the token itself. */
static void exchange_token(struct request *request, struct answer *answer)
{
	static const char jwt_type[] = "urn:ietf:params:oauth:token-type:jwt";
	AUTO(mem_freep) char *subject = form_field(request->body, "subject_token");
	AUTO(mem_freep) char *type = form_field(request->body, "subject_token_type");
	AUTO(mem_freep) char *client = form_field(request->body, "client_id");
	const char *why;
	struct principal *who;

	if (!subject || !type || strcmp(type, jwt_type) != 0) {
		answer_oauth_error(answer, 400, "invalid_request",
				"subject_token and its type, a JWT, are required");
		return;
	}
	who = federation_check(request->sim, subject, client, &why);
	if (who)
		write_token(request, who, answer);
	else
		answer_oauth_error(answer, 400, "invalid_grant", why);
}

static void grant_to_client(struct request *request, const char *grant, struct answer *answer)
{
	struct principal *who = find_client(request);

	if (!who) {
		answer_oauth_error(answer, 401, "invalid_client", "Client authentication failed");
		answer_add_header(answer, "WWW-Authenticate", "Basic realm=\"databricks\"");
	} else if (!grant) {
		answer_oauth_error(answer, 400, "invalid_request", "grant_type is missing");
	} else if (strcmp(grant, "client_credentials") != 0) {
		answer_oauth_error(answer, 400, "unsupported_grant_type",
				"Only client_credentials and token exchange are supported");
	} else {
		write_token(request, who, answer);
	}
}

static void handle_token(struct request *request, struct answer *answer)
{
	AUTO(mem_freep) char *grant = NULL;
	AUTO(mem_freep) char *scope = NULL;

	if (!request->content_type ||
			!text_starts_with(request->content_type,
					"application/x-www-form-urlencoded")) {
		answer_oauth_error(answer, 400, "invalid_request",
				"Content-Type must be application/x-www-form-urlencoded");
		return;
	}
	grant = form_field(request->body, "grant_type");
	scope = form_field(request->body, "scope");
	if (scope && *scope && strcmp(scope, "all-apis") != 0)
		answer_oauth_error(answer, 400, "invalid_scope", "Requested scope is not granted");
	else if (grant && strcmp(grant, TOKEN_EXCHANGE) == 0)
		exchange_token(request, answer);
	else
		grant_to_client(request, grant, answer);
}

static bool segments_are(
		const struct request *request, size_t first, const char *const *words, size_t count)
{
	if (request->segment_count != first + count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(request->segments[first + i], words[i]) != 0)
			return false;
	}
	return true;
}

/* The part of the path behind /oidc or, on the account's host, behind /oidc/accounts/{id}. */
static bool oidc_start(const struct request *request, size_t *ret)
{
	if (request->segment_count < 2 || strcmp(request->segments[0], "oidc") != 0)
		return false;
	*ret = 1;
	if (strcmp(request->segments[1], "accounts") != 0)
		return true;
	*ret = 3;
	return !request->host && request->segment_count > 3 &&
			strcmp(request->segments[2], request->sim->state->account_id) == 0;
}

bool oauth_handle(struct request *request, struct answer *answer)
{
	static const char *const metadata[] = {".well-known", "databricks-config"};
	static const char *const discovery[] = {".well-known", "oauth-authorization-server"};
	static const char *const token[] = {"v1", "token"};
	size_t start;

	if (request_is(request, "GET") && segments_are(request, 0, metadata, 2)) {
		write_metadata(request, answer);
		return true;
	}
	if (!oidc_start(request, &start))
		return false;
	if (request_is(request, "GET") && segments_are(request, start, discovery, 2)) {
		write_discovery(request, answer);
		return true;
	}
	if (request_is(request, "POST") && segments_are(request, start, token, 2) &&
			(request->host || start == 3)) {
		handle_token(request, answer);
		return true;
	}
	return false;
}

static bool refuse(struct answer *answer, const char *text)
{
	answer_api_error(answer, 401, "UNAUTHORIZED", "%s", text);
	answer_add_header(answer, "WWW-Authenticate", "Bearer realm=\"databricks\"");
	return false;
}

/* A token of another host was good somewhere, so this is no lack of sign-in in a workspace. */
static bool refuse_audience(const struct request *request, struct answer *answer)
{
	if (!request->host)
		return refuse(answer, "Credential was not issued for this account");
	answer_api_error(answer, 403, "PERMISSION_DENIED", "Unauthorized access to Org: %s",
			request->host->id_text);
	return false;
}

/* A dead access token: not the shape of other errors, and seen as 403. */
static bool refuse_dead(const struct request *request, struct answer *answer)
{
	if (!request->sim->options.quirks[QUIRK_DEAD_TOKEN_403])
		return refuse(answer, "Invalid access token.");
	buf_add_text(answer_json(answer, 403),
			"{\"error_code\":403,\"message\":\"Invalid access token.\"}");
	answer_add_header(answer, "X-Databricks-Reason-Phrase", "Invalid access token.");
	return false;
}

static bool check_pat(struct request *request, struct record *pat, struct answer *answer)
{
	const struct state *state = request->sim->state;

	if (pat->place != request->host)
		return refuse_audience(request, answer);
	if (!pat_is_live(request->sim, pat, clock_wall_ms()))
		return refuse_dead(request, answer);
	if (!pat_is_enabled(state, pat->place)) {
		answer_api_error(answer, 403, "PERMISSION_DENIED",
				"Personal access tokens are disabled for this workspace");
		return false;
	}
	if (!pat_is_allowed(state, pat->place, pat->owner)) {
		answer_api_error(answer, 403, "PERMISSION_DENIED",
				"User %s does not have permission to use tokens.",
				pat->owner->name);
		return false;
	}
	pat->used_ms = clock_wall_ms();
	request->caller = pat->owner;
	return true;
}

static bool check_token(struct request *request, const char *text, struct answer *answer)
{
	struct tokens *tokens = request->sim->tokens;
	struct token token = {0};
	const struct token *found;

	(void)pthread_mutex_lock(&tokens->lock);
	found = table_find(tokens->by_text, span_of(text));
	if (found)
		token = *found;
	(void)pthread_mutex_unlock(&tokens->lock);
	if (!found)
		return refuse(answer, "Invalid access token");
	if (clock_monotonic_ns() >= token.expires_ns)
		return refuse(answer, "Access token has expired");
	request->caller = token.who;
	return !token.audience || token.audience == request->host ||
			refuse_audience(request, answer);
}

static bool check_bearer(struct request *request, const char *text, struct answer *answer)
{
	struct record *pat = record_find_secret(request->sim->state, RECORD_TOKEN, text);

	return pat ? check_pat(request, pat, answer) : check_token(request, text, answer);
}

static bool check_place(const struct request *request, struct answer *answer)
{
	const struct principal *who = request->caller;

	if (who->deleted || !who->active)
		return refuse(answer, "Principal is deactivated");
	if (request->host)
		return who_may_enter(request->sim->state, request->host, who) ||
				refuse_audience(request, answer);
	if (who_is_account_admin(who))
		return true;
	answer_api_error(answer, 403, "PERMISSION_DENIED",
			"This API is only accessible by account admins");
	return false;
}

bool oauth_check(struct request *request, struct answer *answer)
{
	const char *header = request->authorization;

	if (!header || strncasecmp(header, "Bearer ", 7) != 0)
		return refuse(answer,
				"Credential was not sent or was of an unsupported type for this "
				"API.");
	return check_bearer(request, header + 7, answer) && check_place(request, answer);
}
