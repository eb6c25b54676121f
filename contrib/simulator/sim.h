/*
 * sim -- what the simulator's modules share: the options, the state with its lock, and one request as they see it.
 *
 * Several threads serve requests. Whoever reads the state holds the lock for reading, whoever changes it for writing;
 * request.c takes it. Tokens, rates, faults and the log have locks of their own.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

#include "answer.h"
#include "options.h"
#include "state.h"

#define REQUEST_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define PATH_SEGMENTS_MAX 16
#define QUERY_PARAMETERS_MAX 32

struct faults;
struct rates;
struct tokens;
struct request_log;
struct stale_rule;

struct sim;
struct principal;
struct request;

/*
 * What one part of the simulator asks or tells another that it does not know. Each may be NULL. Lock held for writing.
 */
struct hooks {
	/* Whether the workspace has a cluster policy of this id. NULL: only those that --objects brought. */
	bool (*policy_exists)(struct sim *sim, const struct workspace *workspace, const char *id);
	/* A principal may no longer use tokens (permissions.h): its tokens of this workspace end now, for good. */
	void (*tokens_lost)(struct sim *sim, struct workspace *workspace, struct principal *who);
	/* Whether RestrictWorkspaceAdmins is on. NULL: the quirk restrict-admins says so. */
	bool (*admins_restricted)(struct sim *sim, const struct workspace *workspace);
	/* Why its policy does not let caller have a cluster like this; fresh: it is a new one. NULL: it does. mem_free. */
	char *(*cluster_refusal)(
			const struct request *request, const struct json_t *cluster, bool fresh);
};

struct sim {
	struct options options;
	struct state *state;
	pthread_rwlock_t lock;
	struct tokens *tokens;
	struct rates *rates;
	struct faults *faults;
	struct request_log *log;
	struct hooks hooks;
	uint16_t account_port;
	atomic_bool stopping;
};

struct parameter {
	char *name, *value;
};

struct request {
	struct sim *sim;
	struct workspace *host; /* whose port it came to; NULL: the account's */
	uint16_t port;
	const char *method;
	const char *target;                /* path and query as sent */
	char *segments[PATH_SEGMENTS_MAX]; /* of the path, percent-decoded; empty ones included */
	size_t segment_count;
	struct parameter parameters[QUERY_PARAMETERS_MAX]; /* in the order sent, decoded */
	size_t parameter_count;
	bool malformed;            /* more segments or parameters than we take */
	const char *authorization; /* header values, NULL: not sent */
	const char *content_type;
	const char *workspace_id;
	const char *forwarded_for;
	uint32_t address;   /* of the connection's other end, in host order */
	char base_url[300]; /* as the client sees this host, without a slash at the end */
	struct span body;
	bool limited;                   /* the caller may see names and ids only */
	struct principal *caller;       /* set by auth_check */
	const struct stale_rule *stale; /* what a write leaves for reads to come; NULL: nothing */
	bool drop_members;              /* a fault: a created group comes out empty */
};

/* Fills segments and parameters from target. */
void request_parse_target(struct request *request);
void request_release(struct request *request);
const char *request_parameter(const struct request *request, const char *name); /* NULL: not sent */
bool request_is(const struct request *request, const char *method);

#endif
