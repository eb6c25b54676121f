/*
 * method -- one way to sign in: what it needs, and the steps that lead to the headers of a call.
 *
 * A step is at most one request. Its `prepare` builds it (or has nothing to ask), its `take` reads the answer and leaves
 * what later steps and sign-ins need; both are pure but for the reading of secrets. What all ways share -- sending, retrying
 * with back-off, pacing token requests, keeping and renewing what came of it -- is signin.c's.
 */
#ifndef L2D_DATABRICKS_AUTH_METHOD_H
#define L2D_DATABRICKS_AUTH_METHOD_H

#include "base/buf.h"
#include "databricks/auth/credential.h"
#include "databricks/http.h"

#include <jansson.h>

#define SIGNIN_HEADERS_MAX 4
#define SIGNIN_TOKEN_MAX 65536 /* bytes of a header's value */
#define SIGNIN_FORM_MAX ((size_t)256 * 1024)

/* What a sign-in ends with: the headers of every call, and how long they hold. */
struct signin_headers {
	struct {
		const char *name; /* a literal */
		struct secret value;
	} items[SIGNIN_HEADERS_MAX];
	size_t count;
	int64_t life_s; /* of the token that ends first; 0: none ends */
	/*
	 * The end is taken as this much earlier, whatever the life is (Azure Databricks refuses tokens with 30 s or less left:
	 * databricks-sdk-go config/azure.go); 0: 40 s, or a quarter of the life if that is less.
	 */
	int64_t margin_s;
};
void signin_headers_release(struct signin_headers *headers); /* wipes */

/* What is found out once and serves later sign-ins too; forgotten when a credential is refused. */
struct signin_memory {
	char *discovery_url, *token_endpoint;
	char *tenant_id;
	char *audience;           /* of ID tokens, as the host's metadata has it */
	char *account_id, *cloud; /* likewise */
};
void signin_memory_release(struct signin_memory *memory);

/* One sign-in under way. */
struct attempt {
	struct credential *credential; /* host may be found out */
	const char *folder;            /* of relative secret files */
	struct signin_memory *memory;
	/* the request that the step at hand has prepared */
	const char *verb;
	char *url;
	struct {
		const char *name;
		struct secret value;
	} headers[HTTP_HEADERS_MAX - 2]; /* Accept and User-Agent are the sender's */
	size_t header_count;
	struct secret body;
	bool direct; /* not by a proxy (metadata services of the machine itself) */
	/* from step to step */
	struct secret held; /* an ID token, say */
	struct signin_headers result;
};
void attempt_release(struct attempt *attempt); /* wipes */
void attempt_forget_request(struct attempt *attempt);

/* ---- for the preparing of requests ---- */

void attempt_get(struct attempt *attempt, char *url /* taken over */);
/* POST of a form; form is wiped and released. */
void attempt_post(struct attempt *attempt, char *url /* taken over */, struct buf *form);
/* value is copied into locked memory */
void attempt_header(struct attempt *attempt, const char *name, struct span value);
void attempt_basic_header(struct attempt *attempt, const char *id, const struct secret *secret);
void form_init(struct buf *form);
/* Adds name=value, percent-encoded (application/x-www-form-urlencoded). */
void form_add(struct buf *form, const char *name, struct span value);

/* ---- for the reading of answers ---- */

/* Adds a header of the calls to come: prefix, a blank (unless prefix is ""), token. Errors: ERR_PROTO (no header can hold it). */
MUST_CHECK enum err_code attempt_result(struct attempt *attempt, const char *name,
		const char *prefix, const char *token, struct err *err);
void attempt_life(struct attempt *attempt, int64_t life_s); /* the shortest counts; 0 never ends */
/* Something is missing that the sign-in can do without: told once per sign-in. */
void attempt_warn(struct attempt *attempt, const char *format, ...) PRINTF_LIKE(2, 3);
/* The answer's JSON object (json_t *), NULL for whatever is none; for what is merely nice to have. */
json_t *answer_object(const struct http_request *request);

struct token_answer {
	struct secret token; /* access_token, or the member that was asked for */
	char type[64];       /* token_type; "Bearer" if there is none */
	int64_t life_s;      /* by expires_in, else by expires_on; 0: not told */
};
/*
 * Reads a token endpoint's answer. member: "access_token", "id_token", ...; now_s: seconds since 1970, for expires_on.
 * Errors: ERR_PROTO, ERR_AUTH (refused), ERR_THROTTLED, ERR_SERVER. Pure.
 */
struct token_response {
	int status;
	struct span body;
	const char *retry_after;
	int64_t now_s;
};
MUST_CHECK enum err_code token_answer_read(const struct token_response *response,
		const char *member, struct token_answer *ret, struct err *err);
MUST_CHECK enum err_code token_answer_take(const struct http_request *request, const char *member,
		struct token_answer *ret,
		struct err *err);                       /* the same, of a request that is done */
void token_answer_release(struct token_answer *answer); /* wipes */

/* Whether text can stand in a header: printable ASCII without blanks. */
bool signin_is_header_safe(const char *text);
/* Whether a token may be asked for at url: https, or http to this machine where the host itself is such. */
bool attempt_url_serves(const struct attempt *attempt, const char *url);

/* ---- methods ---- */

enum step_verdict {
	STEP_ASK,     /* the request is prepared */
	STEP_NOTHING, /* nothing to ask: on to the next step */
	STEP_FAILED   /* err is set: something is missing or wrong here */
};
struct signin_step {
	const char *name;      /* for messages: "token request" */
	bool is_token_request; /* paced by the budget of token requests, counted */
	bool is_optional;      /* without an answer (take sees it as it is) the sign-in goes on */
	uint64_t time_max_ms;  /* 0: as long as a sign-in may take */
	enum step_verdict (*prepare)(struct attempt *attempt, struct err *err);
	/* NULL: nothing to read. An error that is transient (err_is_transient) leads to another try of this step. */
	enum err_code (*take)(struct attempt *attempt, const struct http_request *request,
			struct err *err);
};

struct signin_method {
	enum auth_key needs[4]; /* all of these; AUTH_KEY_HOST is asked for elsewhere */
	size_t need_count;
	/* What else it lacks, as a message names it ("$ACTIONS_ID_TOKEN_REQUEST_URL"); NULL: nothing. May be NULL itself. */
	const char *(*lacks)(const struct credential *credential);
	const struct signin_step *const *steps;
	size_t step_count;
};
const struct signin_method *signin_method_of(enum auth_type type);
/* What the credential lacks for this way to sign in, as a message names it; NULL: nothing. */
const char *signin_method_lacks(enum auth_type type, const struct credential *credential);

/* Steps that several methods share. */
extern const struct signin_step oauth_metadata_step; /* GET /.well-known/databricks-config */
extern const struct signin_step
		oauth_discovery_step; /* the token endpoint: memory->token_endpoint */
/* Adds scope=: the configured scopes, or all-apis. */
void form_add_scopes(struct buf *form, const struct credential *credential);
/* Takes an access token for the Authorization header. */
MUST_CHECK enum err_code oauth_take_token(
		struct attempt *attempt, const struct http_request *request, struct err *err);

extern const struct signin_method pat_method, oauth_m2m_method, metadata_service_method,
		github_oidc_method, azure_devops_oidc_method, env_oidc_method, file_oidc_method,
		github_oidc_azure_method, azure_msi_method, azure_client_secret_method,
		google_credentials_method, google_id_method, azure_client_certificate_method,
		azure_workload_method;

#endif
