/*
 * canned_fixture -- a client with one target, and the canned server that it talks to.
 */
#ifndef TESTS_CANNED_FIXTURE_H
#define TESTS_CANNED_FIXTURE_H

#include "canned_server.h"
#include "databricks/assignment.h"
#include "databricks/scim.h"

#define CANNED_GUARD_MS 60000 /* a test that takes longer fails */
#define CANNED_ACCOUNT_ID "11111111-1111-4111-8111-111111111111"

struct canned_fixture {
	struct loop *loop;
	struct canned_server server;
	struct target_settings targets[1];
	struct settings settings;
	struct databricks *databricks;
	struct task woken, guard;
	struct loop_timer *guard_timer;
	bool timed_out;
	struct call call;
};

/* A workspace that signs in with a token: no request but the test's own. */
void canned_fixture_start(struct canned_fixture *fixture);
/* The client is made anew, after a test changed targets[0]. */
void canned_fixture_reconnect(struct canned_fixture *fixture);
void canned_fixture_stop(struct canned_fixture *fixture);

/* Runs the loop until *done; fixture->woken is what calls wake. */
void canned_fixture_wait(struct canned_fixture *fixture, const bool *done);

size_t canned_fixture_requests(const struct canned_fixture *fixture);
const char *canned_fixture_request(
		const struct canned_fixture *fixture, size_t at); /* head and body */

/* What the next requests get: SAY(&fixture, {bytes, end}, ...). */
#define SAY(fixture, ...)                                                                          \
	do {                                                                                       \
		const struct canned_answer answers_[] = {__VA_ARGS__};                             \
		canned_say(&(fixture)->server, answers_, COUNT_OF(answers_));                      \
	} while (0)

#endif
