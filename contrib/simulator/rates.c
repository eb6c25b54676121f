#include "rates.h"

#include <math.h>

#include "base/clock.h"
#include "request.h"

#define IN_FLIGHT_MAX 4              /* SCIM requests of a workspace */
#define PERMISSIONS_IN_FLIGHT_MAX 20 /* permission requests of a workspace */

enum family {
	ACCOUNT_GET,
	ACCOUNT_LIST,
	ACCOUNT_PATCH,
	ACCOUNT_WRITE,
	ACCOUNT_ASSIGN,
	MIRROR_GET,
	WORKSPACE_READ,
	WORKSPACE_GROUP_PATCH,
	WORKSPACE_GROUP_DELETE,
	WORKSPACE_ASSIGN,
	PERMISSION_GET,
	PERMISSION_WRITE,
	SECRETS,
	TOKEN_MANAGEMENT,
	JOB_CREATE,
	JOB_GET,
	FILE_IMPORT,
	FAMILY_COUNT_
};

static const struct {
	double count, seconds;
} published[FAMILY_COUNT_] = {
		[ACCOUNT_GET] = {20, 1},
		[ACCOUNT_LIST] = {240, 60},
		[ACCOUNT_PATCH] = {2, 1},
		[ACCOUNT_WRITE] = {5, 1},
		[ACCOUNT_ASSIGN] = {2, 1}, /* not published: the pace of account PATCH */
		[MIRROR_GET] = {20, 1},
		[WORKSPACE_READ] = {255, 60},
		[WORKSPACE_GROUP_PATCH] = {10, 60},
		[WORKSPACE_GROUP_DELETE] = {35, 60},
		[WORKSPACE_ASSIGN] = {5, 1},
		[PERMISSION_GET] = {100, 1},
		[PERMISSION_WRITE] = {30, 1},
		[SECRETS] = {1100, 60},
		[TOKEN_MANAGEMENT] = {40, 1},
		[JOB_CREATE] = {20, 1},
		[JOB_GET] = {100, 1},
		[FILE_IMPORT] = {30, 1},
};

struct bucket {
	double tokens;
	uint64_t filled_ns; /* 0: never used, so full */
};

struct place {
	struct bucket buckets[FAMILY_COUNT_];
	unsigned in_flight, permissions_in_flight;
};

struct rates {
	pthread_mutex_t lock;
	struct place *places; /* the account, then each workspace */
};

struct rates *rates_new(size_t workspaces)
{
	struct rates *rates = mem_zalloc(sizeof(*rates));

	(void)pthread_mutex_init(&rates->lock, NULL);
	rates->places = mem_array(workspaces + 1, sizeof(*rates->places));
	return rates;
}

void rates_free(struct rates *rates)
{
	if (!rates)
		return;
	(void)pthread_mutex_destroy(&rates->lock);
	mem_free(rates->places);
	mem_free(rates);
}

static enum family account_family(const struct request *request)
{
	if (request_is(request, "GET"))
		return request->segment_count > 7 ? ACCOUNT_GET : ACCOUNT_LIST;
	return request_is(request, "PATCH") ? ACCOUNT_PATCH : ACCOUNT_WRITE;
}

static enum family workspace_family(const struct request *request)
{
	const char *collection = request->segment_count > 5 ? request->segments[5] : "";
	bool group = strcmp(collection, "Groups") == 0;

	if (request_is(request, "GET"))
		return strcmp(collection, "Me") == 0 ? FAMILY_COUNT_ : WORKSPACE_READ;
	if (group && request_is(request, "PATCH"))
		return WORKSPACE_GROUP_PATCH;
	return group && request_is(request, "DELETE") ? WORKSPACE_GROUP_DELETE : FAMILY_COUNT_;
}

static bool is_workspace_scim(const struct request *request)
{
	return request->host && request_path_begins(request, "api/2.0/preview/scim/v2");
}

static bool is_permission(const struct request *request)
{
	return request->host &&
			(request_path_begins(request, "api/2.0/permissions") ||
					request_path_begins(
							request, "api/2.0/preview/permissions"));
}

static const struct {
	const char *begins;
	enum family family;
} others[] = {
		{"api/2.0/secrets", SECRETS},
		{"api/2.0/token-management", TOKEN_MANAGEMENT},
		{"api/*/jobs/create", JOB_CREATE},
		{"api/*/jobs/get", JOB_GET},
		{"api/2.0/workspace/import", FILE_IMPORT},
		{"api/2.0/account/scim/v2", MIRROR_GET},
};

static enum family other_family(const struct request *request)
{
	if (is_permission(request))
		return request_is(request, "GET") ? PERMISSION_GET : PERMISSION_WRITE;
	if (request_is(request, "PUT") &&
			request_path_begins(request, "api/2.0/preview/permissionassignments"))
		return WORKSPACE_ASSIGN;
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		if (request_path_begins(request, others[i].begins))
			return others[i].family;
	}
	return FAMILY_COUNT_;
}

/* FAMILY_COUNT_: no limit is known. */
static enum family family_of(const struct request *request)
{
	if (is_workspace_scim(request))
		return workspace_family(request);
	if (request->host)
		return other_family(request);
	if (request_path_begins(request, "api/*/accounts/*/scim/v2"))
		return account_family(request);
	if (request_path_begins(request, "api/2.0/accounts/*/workspaces/*/permissionassignments"))
		return ACCOUNT_ASSIGN;
	return FAMILY_COUNT_;
}

/* Takes one token; otherwise returns the seconds until there is one. */
static double bucket_take(struct bucket *bucket, enum family family)
{
	double rate = published[family].count / published[family].seconds;
	double room = published[family].seconds > 1 ? ceil(rate * 10) : published[family].count;
	uint64_t now = clock_monotonic_ns();

	if (bucket->filled_ns == 0)
		bucket->tokens = room;
	else
		bucket->tokens += (double)(now - bucket->filled_ns) / 1e9 * rate;
	bucket->tokens = bucket->tokens < room ? bucket->tokens : room;
	bucket->filled_ns = now;
	if (bucket->tokens < 1)
		return (1 - bucket->tokens) / rate;
	bucket->tokens -= 1;
	return 0;
}

static void refuse_rate(const struct request *request, enum family family, double wait_s,
		struct answer *answer)
{
	char seconds[16];

	if (family == ACCOUNT_ASSIGN || family >= WORKSPACE_ASSIGN)
		answer_api_error(answer, 429, "REQUEST_LIMIT_EXCEEDED",
				"Too many requests. Please wait and try again.");
	else
		answer_scim_error(answer, 429, NULL,
				"REQUEST_LIMIT_EXCEEDED: Too many requests. Please wait and try "
				"again.");
	(void)snprintf(seconds, sizeof(seconds), "%.0f", ceil(wait_s));
	if (request->sim->options.quirks[QUIRK_RETRY_AFTER])
		answer_add_header(answer, "Retry-After", seconds);
}

/* The cap on requests at once that holds for this one; NULL: none. */
static unsigned *in_flight_of(struct place *place, const struct request *request, unsigned *ret_max)
{
	if (is_workspace_scim(request)) {
		*ret_max = IN_FLIGHT_MAX;
		return &place->in_flight;
	}
	*ret_max = PERMISSIONS_IN_FLIGHT_MAX;
	return is_permission(request) ? &place->permissions_in_flight : NULL;
}

static void refuse_in_flight(const struct request *request, unsigned most, struct answer *answer)
{
	if (is_permission(request))
		answer_api_error(answer, 429, "REQUEST_LIMIT_EXCEEDED",
				"Workspace %s exceeded the concurrent limit of %u requests.",
				request->host->id_text, most);
	else
		answer_scim_error(answer, 500, NULL,
				"REQUEST_LIMIT_EXCEEDED: Workspace %s exceeded the concurrent "
				"limit of %u requests.",
				request->host->id_text, most);
}

bool rates_enter(struct rates *rates, const struct request *request, struct answer *answer)
{
	struct place *place = &rates->places[request->host ? request->host->number : 0];
	enum family family = family_of(request);
	unsigned most, *in_flight = in_flight_of(place, request, &most);
	bool full;
	double wait_s = 0;

	(void)pthread_mutex_lock(&rates->lock);
	full = in_flight && *in_flight >= most;
	if (!full && family != FAMILY_COUNT_)
		wait_s = bucket_take(&place->buckets[family], family);
	if (in_flight && !full && !(wait_s > 0))
		++*in_flight;
	(void)pthread_mutex_unlock(&rates->lock);
	if (full)
		refuse_in_flight(request, most, answer);
	else if (wait_s > 0)
		refuse_rate(request, family, wait_s, answer);
	return !full && !(wait_s > 0);
}

void rates_leave(struct rates *rates, const struct request *request)
{
	struct place *place = &rates->places[request->host ? request->host->number : 0];
	unsigned most, *in_flight = in_flight_of(place, request, &most);

	(void)pthread_mutex_lock(&rates->lock);
	if (in_flight)
		--*in_flight;
	(void)pthread_mutex_unlock(&rates->lock);
}
